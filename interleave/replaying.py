"""Replaying a schedule: the same steps again, in the model as it is now.

What is a step of a thread depends on what other threads write, and on all that they make. So the
model is searched as for a check, and then the schedule is followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, NoReturn

from interleave.asked import asked
from interleave.blaming import blaming
from interleave.checking import collecting_seldom, naming_what_is_too_deep
from interleave.checks.properties import PropertyCheck
from interleave.engine.engines import Engine
from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Limits
from interleave.engine.passes.shortest import Path
from interleave.engine.search import Searched, search
from interleave.engine.stopping import Guard
from interleave.errors import UsageError
from interleave.interrupts import AT_POLLS, leaving, listening
from interleave.loading import checked_runtime, own_options, parameters_of
from interleave.machine import Machine, Moves, State, Step
from interleave.memory.port import Location
from interleave.model import BOUNDS, Model
from interleave.options import Options
from interleave.result import Trace
from interleave.schedule import Schedule, Turn
from interleave.selecting import find_models
from interleave.tracing import make_trace, turn_of
from interleave.world.policy import Assumed, assuming

_OF_LOOPS = frozenset({"ORDER", "CANCEL"})
"""Parameters of event loops, which are options of a check."""


@blaming()
def replayed(schedule: Schedule, target: type[Model] | str | FilePath) -> Trace:
    """See `Schedule.replay`."""
    by_name: dict[str, Any] = {} if isinstance(target, type) else {"model": schedule.model}
    given = asked(Options, by_name, "replay()")
    (model, file), *_ = find_models([target], given)
    if BOUNDS in vars(model):  # what is replaced in a script is said before it is read
        replaced = {name: each for name, each in schedule.parameters if name not in _OF_LOOPS}
        given = asked(Options, {**by_name, "parameters": replaced}, "replay()")
        (model, file), *_ = find_models([target], given)
    options = given.near(file, own_options(model))
    pure = Assumed(tuple(dict.fromkeys((*schedule.pure, *options.pure))))
    with listening(), leaving(AT_POLLS), assuming(pure):
        found = _searched(schedule, model, options)
        return _Replay(schedule, found.machine, found.graph).trace()


@collecting_seldom()
def _searched(schedule: Schedule, model: type[Model], options: Options) -> Searched[PropertyCheck]:
    """The search of the model, as far as it went when the schedule was found."""
    given = dict(schedule.parameters)
    parameters = parameters_of(model, given)
    for name in given.keys() - parameters.keys() - _OF_LOOPS:
        _misfit(f"{model.__name__} has no parameter {name}")
    runtime = checked_runtime(schedule.runtime, model)
    if runtime.name != schedule.runtime:
        _misfit(f"{model.__name__} is not checked under {schedule.runtime}")
    guard = Guard(options.max_seconds, options.bytes)
    limits = Limits(schedule.states or options.max_states)
    found: Searched[PropertyCheck] | None = None
    with guard.phase(), naming_what_is_too_deep(model):
        found = search(
            model,
            {**given, **parameters},
            lambda machine, steps: [PropertyCheck(machine, steps)],
            runtime=runtime,
            engine=Engine(options.engine, options.workers, options.sizes),
            limits=limits,
            guard=guard,
        )
    if found is None:
        raise UsageError(f"the schedule could not be replayed: {guard.stop}")
    return found


class _Replay:
    """A schedule while it is followed."""

    def __init__(self, schedule: Schedule, machine: Machine, graph: SearchGraph) -> None:
        self._schedule = schedule
        self._machine = machine
        self._graph = graph

    def trace(self) -> Trace:
        """What comes of it."""
        schedule, machine = self._schedule, self._machine
        if schedule.initial not in range(self._graph.initial):
            _misfit(f"there is no initial state {schedule.initial}")
        first = self._graph.state(schedule.initial)
        path, state = self._follow(first, schedule.turns, 1)
        loop, _ = self._follow(state, schedule.loop, len(schedule.turns) + 1)
        return make_trace(
            machine,
            first,
            path,
            which=schedule.initial,
            loop=loop,
            constants=self._constants(),
            states=schedule.states,
        )

    def _follow(self, state: State, turns: Sequence[Turn], number: int) -> tuple[Path, State]:
        """The steps of some turns from a state, numbered from `number` on, and where they lead."""
        steps: list[tuple[State, Step]] = []
        for place, turn in enumerate(turns, number):
            if self._machine.is_over(state):  # what goroutines would do that it has left behind
                state = self._machine.going_on(state)
            step = self._step(state, turn, place)
            steps.append((state, step))
            state = self._machine.after(state, step)
        return Path(tuple(steps)), state

    def _step(self, state: State, turn: Turn, place: int) -> Step:
        """The step that a turn stands for. Raises `UsageError` where there is none."""
        threads = self._machine.program.threads
        named = [each.number for each in threads if each.name == turn.thread]
        if turn.which not in range(len(named)):
            _misfit(f"step {place} is one of {turn.thread}, and there is no such thread")
        moves = self._graph.step(state, named[turn.which])
        step = next((each for each in moves.steps if each.choices == turn.choices), None)
        if step is None:
            _misfit(f"at step {place}, {turn.thread} {self._why_not(state, moves, turn)}")
        does = turn_of(self._machine, state, step).does
        if does != turn.does:
            _misfit(
                f"at step {place}, {turn.thread} would {does or 'end'}, and not "
                f"{turn.does or 'end'}"
            )
        return step

    def _why_not(self, state: State, moves: Moves, turn: Turn) -> str:
        """Why a thread cannot take a turn, in words."""
        if moves.blocked is not None:
            access = moves.blocked.access
            where = self._machine.names_in(state).where(access)
            return f"cannot move: it waits for {where or access.name}"
        if not moves.steps:
            return "has ended"
        return f"cannot choose {', '.join(map(str, turn.choices)) or 'nothing'}"

    def _constants(self) -> list[Location]:
        wanted = {*self._schedule.constants}
        locations = self._machine.program.heap.locations
        return [each for each in locations if each.constant and each.name in wanted]


def _misfit(why: str) -> NoReturn:
    raise UsageError(
        f"the schedule does not fit the model: {why}",
        remedy="check the model again: it is another one than when the schedule was found",
    )
