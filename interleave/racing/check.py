"""`not-atomic`: calls in parallel give what no order of whole calls gives.

And `exception` and `assertion` of calls, where no order of whole calls raises the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import ClassVar

from interleave.checks.base import Check, Found
from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Limits
from interleave.engine.passes.shortest import Path, shortest
from interleave.engine.search import search
from interleave.engine.steps import Steps
from interleave.errors import ModelError
from interleave.loading import here
from interleave.machine import Machine, State, Step
from interleave.machine.properties import View
from interleave.model import Model
from interleave.program import Restart
from interleave.racing.building import Race
from interleave.racing.outcomes import Outcome, Outcomes
from interleave.racing.whole import (
    MOST_NODES,
    Node,
    Order,
    Positions,
    Runs,
    all_successors,
    ends,
)
from interleave.result import CallOutcome, Compared, NotAtomic, Source, Trace, Violation
from interleave.showing import show

MOST_NEAREST = 3
"""Outcomes of whole calls that are told of beside one that none of them explains."""

MOST_OTHERS = 20
"""Outcomes that are told of besides the first one that is not explained."""

NEVER_END = "these calls never come to an end: not compared"
NEED_EACH_OTHER = "these calls need each other: not compared"


class AtomicityCheck(Check):
    """One violation for all outcomes that no order of whole calls has; and one for each exception
    that a call raises in none of these.
    """

    kinds = ("not-atomic", "exception", "assertion")
    sees_all = False
    race: ClassVar[Race]
    is_chosen: ClassVar[bool] = True
    """Whether somebody has chosen the calls, with their arguments."""
    observed: ClassVar[str | None] = None
    """The expression that counts as the outcome, where that is not all."""
    linearizable: ClassVar[bool] = False
    """Whether whole calls must keep the order of those that do not overlap."""
    paused: ClassVar[tuple[type[Model], Race] | None] = None
    """The same with a pause between the calls of each task, where whole calls need that."""

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self._always_raised: dict[str, str] = {}
        self._is_seen = False
        """Whether some step does what others could see."""
        if self.linearizable:
            self.uncountable = "whether calls keep their order is a matter of the whole way"

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        self._is_seen |= any(access.kind.name for access in step.accesses)
        return False

    def found(self, graph: SearchGraph) -> list[Found]:
        outcomes = Outcomes(self.race, self.machine, self.observed)
        positions = Positions(self.race, self.machine)
        parallel = self._in_parallel(graph, positions, outcomes)
        whole = self._whole(graph, positions, outcomes)
        if parallel is None or whole is None:
            if graph.stop is None:
                self._compare_not(f"more than {MOST_NODES:,} states: not compared")
            return []
        if parallel:
            self._refuse_nothing(parallel)
        by_key: dict[Hashable, list[_End]] = {}
        for each in whole:
            by_key.setdefault(each.outcome.key, []).append(each)
        unexplained = []
        seen: dict[Hashable, bool] = {}
        for each in parallel:
            explained = any(
                _keeps(each.order, one.order) for one in by_key.get(each.outcome.key, ())
            )
            if not explained and seen.get(each.outcome.key, True):
                unexplained.append(each)
            seen[each.outcome.key] = seen.get(each.outcome.key, True) and explained
        self._always_raised = always_raised(whole)
        if self.is_chosen:
            refuse_wrong(type_errors(always_raised([*whole, *parallel])))
        found = self._raised(graph, parallel, whole)
        if not parallel or all(each.node.overlaps for each in whole):
            if graph.stop is None:
                self._compare_not(NEED_EACH_OTHER if parallel else NEVER_END)
        elif unexplained:
            self.compared = Compared(len(seen), sum(seen.values()))
            self.predicates = [_Unexplained(outcomes, positions, unexplained)]
            found.append(self._not_atomic(graph, unexplained, whole))
        elif opaque := dict.fromkeys(name for each in parallel for name in each.outcome.opaque):
            self._compare_not(f"there is no value to compare in {', '.join(opaque)}")
        elif graph.stop is None:
            self.compared = Compared(len(seen), len(seen))
        return found

    def _refuse_nothing(self, parallel: Iterable[_End]) -> None:
        """Raise `ModelError` where there is nothing to observe."""
        own = {place.result for each in self.race.threads for place in each.places}
        looks = {*self.machine.program.findings.constants.values()} - own - {self.race.target}
        if not (self._is_seen or looks) and all(each.outcome.gives_nothing for each in parallel):
            raise ModelError(
                "there is nothing to observe: these calls return None, and neither look at nor "
                "change anything that others could see",
                remedy="name calls that return something, or that use the object",
            )

    def warnings(self, kinds: Set[str]) -> list[str]:
        return [
            f"{thread} {said} in every order: is it called as it is meant to be?"
            for thread, said in self._always_raised.items()
        ]

    def _compare_not(self, why: str) -> None:
        self.compared = Compared(0, 0, why)

    def _in_parallel(
        self, graph: SearchGraph, positions: Positions, outcomes: Outcomes
    ) -> list[_End] | None:
        """How the calls end in parallel."""
        if self.linearizable:
            starts = positions.starts(map(graph.state, range(graph.initial)), ordered=True)
            nodes = ends(starts, all_successors(positions, graph), positions, graph.guard)
        else:
            numbers: Iterable[int] = range(len(graph)) if positions.others else graph.ended
            over = [s for s in map(graph.state, numbers) if positions.are_over(s)]
            nodes = [*map(Node, over)]
            if positions.others:
                nodes = ends(nodes, all_successors(positions, graph), positions, graph.guard)
        return None if nodes is None else [_End(each, outcomes) for each in nodes]

    def _whole(
        self, graph: SearchGraph, positions: Positions, outcomes: Outcomes
    ) -> list[_End] | None:
        """How the calls end if each is made as a whole."""
        step = self.steps.every.step  # whole calls may take more preemptions than the search has
        initial = [graph.state(each) for each in range(graph.initial)]
        if self.paused is not None:
            model, race = self.paused
            parameters = {k: v for k, v in self.machine.program.parameters.items() if k != "ORDER"}
            paused = search(
                model,
                parameters,
                lambda *_: [],
                runtime=self.machine.program.runtime,
                engine=graph.engine,
                limits=Limits(MOST_NODES),
                guard=graph.guard,
            )
            if paused.graph.stop is not None:
                return None
            positions, outcomes = (
                Positions(race, paused.machine),
                Outcomes(race, paused.machine, self.observed),
            )
            step, initial = paused.steps.step, paused.machine.initial()
        runs = Runs(positions, step, graph.guard)
        starts = positions.starts(initial, ordered=self.linearizable)
        try:
            nodes = ends(starts, runs.successors, positions, graph.guard)
        except Restart:  # of what a search that was cut short has not come to
            return None
        return None if nodes is None else [_End(each, outcomes) for each in nodes]

    def _goal(self, graph: SearchGraph, end: _End) -> tuple[int, None] | Path:
        """What the way to an end is looked for by."""
        number = graph.number(end.node.state)
        assert number is not None
        if not end.order:
            return number, None
        positions = Positions(self.race, self.machine)
        successors = all_successors(positions, graph)

        def expand(node: Node) -> Iterator[tuple[State, Step, Node]]:
            for step, after in successors(node):
                yield node.state, step, after

        starts = positions.starts(map(graph.state, range(graph.initial)), ordered=True)
        return shortest(
            starts,
            expand,
            lambda node, _, target: ["end"] if end.node in (node, target) else [],
            enough=bool,
            guard=graph.guard,
        )["end"]

    def _not_atomic(self, graph: SearchGraph, unexplained: list[_End], whole: list[_End]) -> Found:
        first, *others = unexplained
        ranked: dict[Hashable, _End] = {each.outcome.key: each for each in reversed(whole)}
        distance = {key: _distance(first.outcome, each.outcome) for key, each in ranked.items()}
        least = min(distance.values())
        nearest = [
            each for each in reversed(ranked.values()) if distance[each.outcome.key] == least
        ]
        differing = first.outcome.differing(nearest[0].outcome)
        detail = NotAtomic(
            first.shown,
            tuple([each.shown for each in nearest[:MOST_NEAREST]]),
            tuple(differing),
            not least[0],
            others=tuple([each.shown for each in others[:MOST_OTHERS]]),
            more=len(others[MOST_OTHERS:]),
            order=first.not_kept(nearest),
        )
        return Found(partial(self._describe, detail), self._goal(graph, first))

    def _describe(self, detail: NotAtomic, path: Path, trace: Trace) -> Violation:
        detail = self._with_lines(detail, path, trace)
        differs = "the results are those of no order of whole calls"
        if not detail.differing:
            differs += ", in which objects are the same"
        if detail.order:
            pairs = [f"{first} was over before {second} began" for first, second in detail.order]
            differs = f"whole calls give this in another order only: {' and '.join(pairs)}"
        elif detail.only_state:
            where = ", ".join(detail.differing) or "which objects are the same"
            differs = f"only the state differs from what whole calls give, in {where}"
        came = f"{detail.came_in} comes in between, and " if detail.came_in else ""
        who = detail.interrupted or "this"
        threads = tuple(dict.fromkeys(step.thread for step in trace.steps))
        message = f"{who} is not atomic: {came}{differs}"
        return Violation("not-atomic", message, None, threads, trace, detail=detail)

    def _with_lines(self, detail: NotAtomic, path: Path, trace: Trace) -> NotAtomic:
        """With who came in between which lines."""
        positions = Positions(self.race, self.machine)
        taken = path.steps
        for place, (state, step) in enumerate(taken):
            thread = step.thread
            if thread not in positions.first or place + 1 == len(taken):
                continue
            call = positions.call(state, thread)
            later = [
                each
                for each in range(place + 1, len(taken))
                if taken[each][1].thread == thread
                and positions.call(taken[each][0], thread) == call
            ]
            other = taken[place + 1][1].thread
            if later and later[0] > place + 1 and other in positions.first:
                names = self.machine.program.threads
                return replace(
                    detail,
                    came_in=names[other].name,
                    interrupted=names[thread].name,
                    before=_place(step, -1) or trace.steps[place].source,
                    after=_place(taken[later[0]][1], 0) or trace.steps[later[0]].source,
                    last=trace.steps[place].number,
                    next=trace.steps[later[0]].number,
                )
        return detail

    def _raised(self, graph: SearchGraph, parallel: list[_End], whole: list[_End]) -> list[Found]:
        """One for each exception that a call raises in no order of whole calls."""
        known = {error for each in whole for error in each.outcome.errors.items()}
        found: dict[Hashable, Found] = {}
        for each in parallel:
            for what in each.outcome.errors.items():
                name = what[0]
                if what not in known and what not in found:
                    found[what] = Found(
                        partial(self._describe_error, each, name), self._goal(graph, each)
                    )
        return [*found.values()]

    def _describe_error(self, end: _End, name: str, _: Path, trace: Trace) -> Violation:
        thread = end.outcomes.thread_of[name]
        said = show(end.outcomes.result(name, end.node.state))
        is_assertion = said.startswith("raised AssertionError")
        kind = "assertion" if is_assertion else "exception"
        own = [each for each in trace.steps if each.thread == thread and "raised" in each.outcome]
        message = f"{thread} {said}, which no order of whole calls does"
        source = _near(own[-1].source) if own else None
        return Violation(kind, message, None, (thread,), trace, source=source)


def always_raised(whole: Sequence[_End]) -> dict[str, str]:
    """The threads of which a call raises something however whole calls are made, with that."""
    found = {}
    for name in whole[0].outcome.errors if whole else ():
        if all(name in each.outcome.errors for each in whole):
            outcomes = whole[0].outcomes
            found[outcomes.thread_of[name]] = show(outcomes.result(name, whole[0].node.state))
    return found


def raised_in_all(race: Race, machine: Machine, states: Iterable[State]) -> dict[str, str]:
    """The same of calls that are over, in all of some states."""
    outcomes = Outcomes(race, machine, None)
    return always_raised([_End(Node(each), outcomes) for each in states])


def type_errors(raised: Mapping[str, str]) -> dict[str, str]:
    """Those calls among them that raise a `TypeError`: they have the wrong arguments."""
    wrong = {thread: said.removeprefix("raised ") for thread, said in raised.items()}
    return {thread: said for thread, said in wrong.items() if said.startswith("TypeError(")}


def refuse_wrong(wrong: Mapping[str, str]) -> None:
    """Raise `ModelError` for such a call, if there is one."""
    for thread, said in wrong.items():
        raise ModelError(
            f"{thread} raises {said} in every order",
            remedy="call it with arguments of the number and the types that it takes",
        )


class _Unexplained:
    """Whether all calls are over, with one of some outcomes."""

    when_final = True

    def __init__(
        self, outcomes: Outcomes, positions: Positions, unexplained: Iterable[_End]
    ) -> None:
        self._outcomes = outcomes
        self._positions = positions
        self._keys = {each.outcome.key for each in unexplained}
        self._places = tuple(range(outcomes.places))

    def look(self, state: State) -> tuple[bool, tuple[int | View, ...]]:
        is_over = self._positions.are_over(state)
        return is_over and self._outcomes.of(state).key in self._keys, self._places


class _End:
    """How some calls have ended."""

    def __init__(self, node: Node, outcomes: Outcomes) -> None:
        self.node = node
        self.order: Order = node.order
        self.outcomes = outcomes
        self.outcome = outcomes.of(node.state)

    def not_kept(self, others: Iterable[_End]) -> tuple[tuple[str, str], ...]:
        """Calls of which the one was over before the other began, which ends of the same outcome do
        not keep: those that the first of these does not.
        """
        names = self.outcomes.calls
        for other in others:
            if other.outcome.key == self.outcome.key:
                return tuple(
                    (names[first], names[second])
                    for second, (over, whole) in enumerate(
                        zip(self.order, other.order, strict=True)
                    )
                    for first in range(len(names))
                    if (over & ~whole) >> first & 1
                )
        return ()

    @property
    def shown(self) -> CallOutcome:
        return self.outcomes.shown(self.node.state)


def _place(step: Step, which: int) -> Source | None:
    """Where the first or the last access of a step is, of those that reports tell of."""
    named = [each.place for each in step.accesses if each.kind.name]
    if not named:
        return None
    code, block = named[which]
    return _near(code.source(block))


def _near(source: Source) -> Source:
    """A line, with its file as a user would name it."""
    return replace(source, file=str(here(source.file)))


def _keeps(order: Order, of_whole: Order) -> bool:
    """Whether whole calls come one after the other where calls in parallel do."""
    return all(not over & ~whole for over, whole in zip(order, of_whole, strict=True))


def _distance(outcome: Outcome, other: Outcome) -> tuple[bool, int]:
    """How much an outcome differs from another one: in results more than in state only."""
    return outcome.of_results != other.of_results, len(outcome.differing(other))
