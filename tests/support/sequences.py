"""Sequences of calls by one thread: what a modelled object answers, and what the real one does.

A thread chooses each of its calls, so that one check goes through all sequences; the real object is
asked for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from interleave import Model, array, check, choose, param, thread
from interleave.loading import parameters_of

Call = Any
"""What `perform` understands: a name, and arguments."""


class Sequences(Model):
    """One thread that performs one call of each round.

    `calls` and `answers` have the calls, and what each gave. Neither what the thread has read nor
    its local variables say anything of earlier rounds: so what a call does is worked out once for
    each state of the object, and not for each way there.
    """

    ROUNDS = param(())

    def setup(self):
        self.calls = array([None for _ in self.ROUNDS])
        self.answers = array([None for _ in self.ROUNDS])
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
        for number in range(len(self.ROUNDS)):
            call = self.calls[number] = choose(self.ROUNDS[number])
            self.answers[number] = self.perform(call)
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
    ours = set()
    for outcome in found.interleavings.outcomes:
        state = dict(outcome.state)
        told = [(state[f"calls[{i}]"], state[f"answers[{i}]"]) for i in range(len(rounds))]
        ours.add((outcome.how, repr(told)))
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
    how = "finished"
    for number, call in enumerate(calls):
        real.calls[number] = call
        if waits(real, call):
            how = "deadlock"
            break
        real.answers[number] = real.perform(call)
    else:
        real.finish()
    return how, repr([*zip(real.calls, real.answers, strict=True)])
