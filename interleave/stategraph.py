"""The state graph of a model, as users hold it: `explore`, `StateGraph`.

States and transitions are made when they are asked for; nothing but numbers is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from interleave.asked import Asked, taking
from interleave.checking import checked_model
from interleave.checks.properties import PropertyCheck
from interleave.engine.search import Searched
from interleave.errors import LimitReached, UsageError
from interleave.interrupts import Interrupted, listening
from interleave.loading import own_options, parameters_of
from interleave.machine import FAILED, FINISHED, State, Step
from interleave.machine.properties import evaluate_expression
from interleave.memory.containers import SharedContainer
from interleave.memory.primitive import Primitive
from interleave.memory.values import Shared
from interleave.options import Options
from interleave.parts import step_facts
from interleave.result import Access, Change, Described, ModelResult, Source, Violation
from interleave.selecting import Target, find_models
from interleave.showing import show
from interleave.tracing import variables
from interleave.view import View, as_plain

if TYPE_CHECKING:
    import networkx

    from interleave.checks import Check


@dataclass(frozen=True)
class Position:
    """Where a thread is: the line of the access that it is about to perform, or that it has ended.

    `status` is "running", "finished" or "failed"; `source` is None where it has ended.
    """

    status: str
    source: Source | None

    def __str__(self) -> str:
        return self.status if self.source is None else f"line {self.source.line}"


@dataclass(frozen=True)
class GraphState:
    """One state. `number` counts from 0, breadth-first.

    `variables` are plain values of the locations that can change, by name; `threads` the position
    of each thread. `final`: all threads but daemons have ended. `deadlock`: no thread can move, and
    the state is not final (it is known of states that the search has expanded). `violations` names
    the properties that should hold here and do not, with "deadlock" where it is one.
    """

    number: int
    variables: dict[str, object]
    threads: dict[str, Position]
    initial: bool
    final: bool
    deadlock: bool
    violations: tuple[str, ...]


@dataclass(frozen=True)
class Transition:
    """One step of one thread, from state `source` to state `target` (by number).

    `accesses` has one access, or all those of an `atomic()` block; `failure` says which exception
    leaves the thread in this step, "" if none does.
    """

    source: int
    target: int
    thread: str
    accesses: tuple[Access, ...]
    line: Source
    changes: tuple[Change, ...]
    outcome: str
    failure: str


@dataclass(frozen=True)
class Counterexample:
    """A violation, with the numbers of the states that its trace goes through.

    There is one more state than there are steps, unless the search stopped before the last one got
    its number.
    """

    violation: Violation
    states: tuple[int, ...]


class StateGraph:
    """Every state of a model and every transition between them.

    `result` is what a check of the model found; `complete` whether the search went to its end.
    """

    def __init__(
        self,
        result: ModelResult,
        searched: Searched[Check],
        ways: list[tuple[Violation, tuple[State, ...]]],
    ) -> None:
        self.result = result
        self._machine = searched.machine
        self._graph = searched.graph
        (self._properties,) = (c for c in searched.observers if isinstance(c, PropertyCheck))
        self._ways = ways

    def __len__(self) -> int:
        """How many states there are."""
        return len(self._graph)

    @property
    def complete(self) -> bool:
        """Whether every reachable state is in it."""
        return self._graph.stop is None

    @property
    def threads(self) -> tuple[str, ...]:
        """The names of the threads, in order of declaration."""
        return tuple(dict.fromkeys(thread.name for thread in self._machine.program.threads))

    @property
    def initial(self) -> range:
        """The numbers of the initial states."""
        return range(self._graph.initial)

    def __getitem__(self, number: int) -> GraphState:
        """State number `number`. Raises `IndexError`."""
        if not 0 <= number < len(self):
            raise IndexError(f"there is no state {number}: the states are 0 to {len(self) - 1}")
        state = self._graph.state(number)
        final = self._machine.is_final(state)
        stuck = number < self._graph.expanded and next(self._graph.expand(state), None) is None
        failing = [wanted.name for wanted, _ in self._properties.failing(state)]
        return GraphState(
            number,
            variables(self._machine, state),
            {
                thread.name: self._position(state, thread.number)
                for thread in self._machine.program.threads
            },
            initial=number < self._graph.initial,
            final=final,
            deadlock=stuck and not final,
            violations=(*failing, *(["deadlock"] if stuck and not final else [])),
        )

    def states(self) -> Iterator[GraphState]:
        """Every state, in order of number."""
        return (self[number] for number in range(len(self)))

    def transitions_from(self, number: int) -> Iterator[Transition]:
        """The transitions from a state: threads in order of declaration, choices in order.

        An incomplete search has none from the states that it did not come to expand.
        """
        for state, step, _, target in self._graph.edges(number):
            if target is not None:
                yield self._transition(number, target, state, step)

    def transitions(self) -> Iterator[Transition]:
        """Every transition, in order of the states that they lead from."""
        for number in range(len(self)):
            yield from self.transitions_from(number)

    @cached_property
    def counterexamples(self) -> tuple[Counterexample, ...]:
        """Each violation with its way through the graph."""
        return tuple(
            Counterexample(
                violation,
                tuple(n for n in map(self._graph.number, way) if n is not None),
            )
            for violation, way in self._ways
        )

    def value(self, expression: str, number: int) -> Any:
        """A Python expression of the shared variables and threads, evaluated in a state.

        Variables go by their names, and so do threads, which give the line that they are about to
        run, or "finished" or "failed": `counter % 2`, `flags[0]`, `len(items)`, `increment[0]`.
        What is shared is given as in `GraphState.variables`: containers as real ones, locks in
        words. Raises `UsageError` for what cannot be evaluated.
        """
        state = self._graph.state(number)
        threads: dict[str, Any] = {}
        for thread in self._machine.program.threads:
            place = str(self._position(state, thread.number))
            if thread.name == thread.method:
                threads[thread.method] = place
            else:
                threads.setdefault(thread.method, []).append(place)
        found = evaluate_expression(self._machine, state, expression, threads)
        return self._plain(state, found, ())

    def to_networkx(self) -> networkx.MultiDiGraph[int]:
        """The graph as a `networkx.MultiDiGraph`, its nodes the numbers of the states.

        Nodes have the attributes of `GraphState`, with `threads` as text; edges have `thread`,
        `access`, `location` (of the first access), `line`, `text`, `changes` (name to (before,
        after)), `outcome` and `failure`.
        """
        import networkx

        graph: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(
            model=self.result.model, complete=self.complete
        )
        for state in self.states():
            graph.add_node(
                state.number,
                variables=state.variables,
                threads={name: str(position) for name, position in state.threads.items()},
                initial=state.initial,
                final=state.final,
                deadlock=state.deadlock,
                violations=state.violations,
            )
        for step in self.transitions():
            first = step.accesses[0] if step.accesses else Access("", None)
            graph.add_edge(
                step.source,
                step.target,
                thread=step.thread,
                access=first.kind,
                location=first.location,
                line=step.line.line,
                text=step.line.text,
                changes={c.location: (c.before, c.after) for c in step.changes},
                outcome=step.outcome,
                failure=step.failure,
            )
        return graph

    def to_text(self) -> str:
        """The graph in lines of text, the same on every run: for a small graph, and for its diffs.

        First the size; then each state, with what there is to say of it, its variables and the code
        that each thread is about to run; and below it the transitions from it, with the thread, the
        access, and what came of it. There are no line numbers, so that only changes of the model
        change it. It ends in a newline.
        """
        from interleave.report import words
        from interleave.report.cells import one_line

        result = self.result
        size = f"{words.count(len(self), 'state')}, {words.count(result.transitions, 'transition')}"
        lines = [f"{result.model}: {size}{'' if self.complete else f' - {result.limit}'}"]
        for state in self.states():
            lines += ["", one_line(" | ".join(_described(state)))]
            for each in self.transitions_from(state.number):
                accesses = ", ".join(words.access_text(access) for access in each.accesses)
                changes = [words.change_text(change) for change in each.changes]
                failure = f"ends by {each.failure}" if each.failure else ""
                parts = [each.thread, accesses, *changes, each.outcome, failure]
                line = one_line(" | ".join(filter(None, parts)))
                lines.append(f"  {each.source} -> {each.target} | {line}")
        return "\n".join(lines) + "\n"

    def _plain(self, state: State, value: Any, within: tuple[int, ...]) -> Any:
        """A value without stand-ins; `within` are the shared containers that it stands in."""
        kind = type(value)
        if issubclass(kind, Primitive | SharedContainer):
            location = value._location
            held = state[location.index] if location.index >= 0 else location.initial
            if issubclass(kind, Primitive):
                return View(self._machine, state).at(location)
            if value._number in within:
                return Described("...")
            within = (*within, value._number)
            value = value.build(self._machine.program.heap.values[held])
        elif issubclass(kind, Shared):
            return View(self._machine, state).plain(value)
        if type(value) in (list, tuple, deque):
            return type(value)(self._plain(state, item, within) for item in value)
        if type(value) is dict:
            return {as_plain(key): self._plain(state, item, within) for key, item in value.items()}
        return as_plain(value)

    def _position(self, state: State, thread: int) -> Position:
        local = self._machine.local(state, thread)
        if local in (FINISHED, FAILED):
            return Position("finished" if local == FINISHED else "failed", None)
        code, block = self._machine.pending(local)
        return Position("running", code.source(block))

    def _transition(self, source: int, target: int, state: State, step: Step) -> Transition:
        facts = step_facts(self._machine, state, step)
        failure = step.failure.exception if step.failure else None
        return Transition(
            source,
            target,
            self._machine.program.threads[step.thread].name,
            facts.accesses,
            facts.source,
            facts.changes,
            facts.outcome,
            "" if failure is None else type(failure).__name__,
        )


def _described(state: GraphState) -> list[str]:
    """What a state is: number and marks, variables, threads."""
    marks = [name for name in ("initial", "final", "deadlock") if getattr(state, name)]
    marks += [f"violates {name}" for name in state.violations if name != "deadlock"]
    number = f"{state.number} ({', '.join(marks)})" if marks else f"{state.number}"
    values = ", ".join(f"{name} = {show(value)}" for name, value in state.variables.items())
    threads = [
        f"{name}: {position.status if position.source is None else position.source.text}"
        for name, position in state.threads.items()
    ]
    return [number, *([values] if values else []), *threads]


class SeveralModels(UsageError):
    """A graph shows one model, and several are meant. `by` is how one says which."""

    def __init__(self, names: list[str], by: str = "model=NAME") -> None:
        super().__init__(
            f"{len(names)} models are meant, and a graph shows one",
            remedy=f"say which, by {by}: one of {', '.join(names)}",
        )
        self.names = names


@taking(Options)
def explore(target: Target, asked: Asked[Options]) -> StateGraph:
    """The state graph of one model.

    `target` is a model class, or the path of a model file; `model` names the one meant, where the
    file has several. The options are those of `interleave graph`; docs/python.md lists them. A
    bound leaves a graph that is not `complete`.

    Raises `InterleaveError` for a target, an option or a model that is at fault.
    """
    with listening():
        found = find_models([target], asked)
        if len(found) > 1:
            raise SeveralModels([model.__name__ for model, _ in found])
        ((model, file),) = found
        parameters = parameters_of(model, asked.options.parameters or {})
        checked = checked_model(model, file, parameters, asked.near(file, own_options(model)))
    if checked.searched is None:
        if checked.result.interrupted:
            raise Interrupted
        raise LimitReached(
            f"{model.__name__} has no graph: {checked.result.limit}", remedy="raise the limit"
        )
    return StateGraph(checked.result, checked.searched, checked.ways)
