"""Sequences of calls by one thread: what a modelled object answers, and what the real one does.

A thread chooses each of its calls, so that one check goes through all sequences; the real object is
asked for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from interleave import Model, atomic, check, choose, param, thread
from interleave.loading import parameters_of

Call = Any
"""What `perform` understands: a name, and arguments."""


class Sequences(Model):
    """One thread that performs one call of each round.

    `told` has the calls, and what each gave. Its local variables say nothing of earlier calls: so
    what a call does is worked out once for each state of the object, and not for each way there.
    """

    ROUNDS = param(())

    def setup(self):
        self.told = ()
        self.prepare()

    def prepare(self):
        """Make what is called."""

    def begin(self):
        """Make what only a running thread can make."""

    def perform(self, call):
        """What a call gives."""

    def finish(self):
        """What is to be done in the end."""

    @thread
    def caller(self):
        self.begin()
        answer = None
        for options in self.ROUNDS:
            call = choose(options)
            with atomic():
                self.told = (*self.told, answer, call)
            answer = self.perform(call)
        with atomic():
            self.told = (*self.told, answer)
        self.finish()


def compare(
    model: type[Sequences],
    rounds: Sequence[Sequence[Call]],
    waits: Callable[[Any, Call], bool] = lambda real, call: False,
    **parameters: object,
) -> None:
    """Every sequence of calls, one of each round, is answered as the real object answers it.

    What `waits` says that the real object would wait for ever in ends in a deadlock.
    """
    parameters["ROUNDS"] = tuple(map(tuple, rounds))
    (found,) = check(model, parameters=parameters).models
    assert found.interleavings is not None, found.limit
    ours = {
        (outcome.how, repr(dict(outcome.state)["told"])) for outcome in found.interleavings.outcomes
    }
    assert ours == {answered(model, calls, waits, parameters) for calls in product(*rounds)}


def answered(
    model: type[Sequences],
    calls: tuple[Call, ...],
    waits: Callable[[Any, Call], bool],
    parameters: dict[str, object],
) -> tuple[str, str]:
    """How a sequence of calls on the real object ends, and what they gave."""
    real: Any = model()
    for name, value in parameters_of(model, parameters).items():
        setattr(real, name, value)
    real.setup()
    real.begin()
    answer = None
    for call in calls:
        real.told = (*real.told, answer, call)
        if waits(real, call):
            return "deadlock", repr(real.told)
        answer = real.perform(call)
    real.finish()
    return "finished", repr((*real.told, answer))
