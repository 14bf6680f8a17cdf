"""Cases read back: each is made of its text when somebody asks for it."""

from __future__ import annotations

import json
import types
from typing import Any

from interleave.errors import Place
from interleave.machine import Blocked, Machine, Moves, State, Step
from interleave.machine.cases import Case, Question
from interleave.machine.properties import Seen, Unmet, View
from interleave.machine.step import AccessRecord, Exclusive, Failure, Flow, Touch
from interleave.machine.trees import DecisionTree
from interleave.memory.made import Kind
from interleave.memory.port import WHOLE, AccessKind
from interleave.memory.values import Key, Thawer
from interleave.recorded.names import LOST, WrittenNames
from interleave.recorded.writing import Lines, followed
from interleave.world.findings import Findings


class Unreadable(Exception):
    """What was written down speaks of another program."""


class Recorded:
    """Cases that another run of the same program has written down.

    The program is new, and nothing of it has run. All that states are made of has the number that
    it had there, from now on.
    """

    def __init__(self, machine: Machine, record: Lines) -> None:
        """Raises `Unreadable`."""
        self._machine = machine
        self._interner = machine.program.heap.interner
        self._locations = machine.program.heap.locations
        self._texts = record.cases
        self._views: dict[tuple[int, str | None], View] = {}
        self._trees: dict[Question, DecisionTree[int]] = {}
        self._looked_at: list[tuple[int | View, ...]] = []
        """For each case, the places and views that were looked at."""
        try:
            # What is compiled here has not run.
            with machine.program.findings.apart(kept=False):
                self._named = [*map(WrittenNames(machine).find, json.loads(record.names))]
                tables = json.loads(record.tables)
                self._learn(**tables)
        except LOST as error:
            raise Unreadable(str(error)) from None
        for number, (question, looks) in enumerate(json.loads(record.paths)):
            self._add_path(number, tuple(question), looks)

    def __len__(self) -> int:
        return len(self._texts)

    def followed(self) -> list[types.FunctionType]:
        """The functions of the model that have run in these cases."""
        return followed(self._machine.program.world, self._findings)

    def find(self, question: Question, state: State) -> Case | None:
        """The case that answers a question in a state; None where there is none."""
        tree = self._trees.get(question)
        number = None if tree is None else tree.find(Seen(state))
        if number is None:
            return None
        return self._case(number, question, state)

    # What numbers stand for

    def _learn(
        self, kinds: list[Any], codes: list[Any], values: list[Any], locals: list[Any],  # noqa: A002
        findings: list[str],
        flows: list[Any],
        accesses: list[Any],
        places: list[Any],
    ) -> None:  # fmt: skip
        interner = self._interner
        thaw = Thawer(self._machine.program.heap.stand_in).thaw
        for number, (stand_in, options) in enumerate(kinds):
            kind = Kind(self._it(stand_in), thaw(self._key(options)))
            self._same(interner.kind_number(kind), number)
        for number, code in enumerate(codes):
            self._same(interner.locals.code_number(self._it(code)), number)
        for number, key in enumerate(values):
            self._same(interner.values.number(self._key(key)), number)
        for number, key in enumerate(locals):
            self._same(interner.locals.number(self._key(key)), number)
        self._kinds = [self._kind(*each) for each in accesses]
        self._places = [self._place(each) for each in places]
        self._flows = flows
        """Each as it is written, until somebody asks for it."""
        self._findings = [self._found(*json.loads(text)) for text in findings]

    def _same(self, number: int, wanted: int) -> None:
        if number != wanted:
            raise Unreadable("its values have other numbers")

    def _found(
        self, ran: list[Any], compiled: list[Any], entered: list[str], asked: list[Any],
        written: list[str], started: list[str], constants: list[Any],
    ) -> Findings:  # fmt: skip
        found = Findings()
        found.followed = dict.fromkeys([self._it(each).__code__ for each in ran])
        found.compiled = dict.fromkeys([self._it(each) for each in compiled])
        found.entered = dict.fromkeys(entered)
        found.asked = {name: Place(*place) for name, place in asked}
        found.written = dict.fromkeys(written)
        found.started = dict.fromkeys(started)
        found.constants = dict(constants)
        return found

    def _add_path(self, number: int, question: Question, looks: list[Any]) -> None:
        seen = {self._look(look): answer for look, answer in looks}
        tree = self._trees.setdefault(question, DecisionTree())
        tree.learn(seen, tuple(seen), number)
        self._looked_at.append(tuple(seen))

    def _look(self, look: Any) -> int | View:
        if isinstance(look, int):
            return look
        place, section = look
        key = (place, section)
        if key not in self._views:
            self._views[key] = View(self._machine, place - self._machine.locations, section)
        return self._views[key]

    # What is written

    def _it(self, data: Any) -> Any:
        return self._named[data["n"]]

    def _key(self, data: Any) -> Any:
        kind = type(data)
        if kind is list:
            return tuple([self._key(each) for each in data])
        if kind is dict:
            return self._named[data["n"]] if "n" in data else data["b"].encode("latin-1")
        return data

    def _value(self, data: Any) -> Any:
        """A value that was frozen."""
        key: Key = self._key(data)
        return Thawer(self._machine.program.heap.stand_in).thaw(key)

    def _case(self, number: int, question: Question, state: State) -> Case:
        outcome, findings = json.loads(self._texts[number])
        kind = question[0]
        found: Any
        if kind == "step":
            steps, blocked, places = outcome
            found = Moves(
                tuple([self._step(each) for each in steps]),
                None if blocked is None else self._blocked(*blocked),
                tuple(places),
            )
        elif kind == "begin":
            found = self._step(outcome)
        else:
            found = None if outcome is None else _unmet(*outcome)
        return Case(question, state, self._looked_at[number], found, self._findings[findings])

    def _step(self, data: Any) -> Step:
        (
            thread, writes, starts, local, accesses, place, raised, failure, flow, warnings,
            choices, constants,
        ) = data  # fmt: skip
        threads = self._machine.program.threads
        return Step(
            threads[thread].number,
            tuple([(index, value) for index, value in writes]),
            tuple([(threads[other].number, first) for other, first in starts]),
            local,
            tuple([self._access(*each) for each in accesses]),
            self._places[place],
            tuple(raised),
            None if failure is None else self._failure(*failure),
            None if flow is None else self._flow(flow),
            tuple(warnings),
            tuple(choices),
            tuple([(self._locations[location], self._places[at]) for location, at in constants]),
        )

    def _place(self, data: Any) -> Any:
        code, block = data
        return self._it(code), block

    def _failure(self, exception: Any, place: Any, raised_by_assert: Any, text: Any) -> Failure:
        return Failure(self._value(exception), self._place(place), raised_by_assert, text)

    def _blocked(self, thread: int, kind: Any, place: Any) -> Blocked:
        number = self._machine.program.threads[thread].number
        return Blocked(number, self._kind(*kind), self._place(place))

    def _kind(
        self, name: str, location: Any, part: str, atomic: Any, container: Any, *rest: bool
    ) -> AccessKind:
        where = None if location is None else self._it(location)
        return AccessKind(name, where, part, atomic, container and self._it(container), *rest)

    def _access(
        self, kind: Any, place: Any, order: int, atomic: Any, reads: Any, writes: Any,
        exclusive: Any, result: Any, raised: Any,
    ) -> AccessRecord:  # fmt: skip
        made = AccessRecord(self._kinds[kind], self._places[place], order, atomic=atomic)
        made.reads = [self._touch(*each) for each in reads]
        made.writes = [self._touch(*each) for each in writes]
        made.exclusive = [Exclusive(self._it(it), writing, rule) for it, writing, rule in exclusive]
        made.result = None if result is None else self._value(result)
        made.raised = None if raised is None else self._value(raised)
        return made

    def _touch(self, location: Any, part: Any, fresh: Any, value: int) -> Touch:
        return Touch(self._locations[location], self._value(part) if part else WHOLE, fresh, value)

    def _flow(self, number: int) -> Flow:
        found = self._flows[number]
        if type(found) is not Flow:
            carriers, writes, way = found
            found = self._flows[number] = Flow(
                {tuple(carrier): _sources(sources) for carrier, sources in carriers},
                tuple([_sources(sources) for sources in writes]),
                tuple([each if type(each) is int else self._it(each) for each in way]),
            )
        return found


def _sources(data: Any) -> frozenset[Any]:
    return frozenset([
        (source if type(source) is int else tuple(source), by_condition)
        for source, by_condition in data
    ])  # fmt: skip


def _unmet(why: str, place: Any) -> Unmet:
    return Unmet(why, None if place is None else Place(*place))
