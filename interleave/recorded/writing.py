"""Cases as plain data: text in JSON, which has numbers, names, and nothing that could run.

The numbers of values, local states and functions are those of the interner; what these stand for is
listed, in order. What cases refer to is listed by name.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable
from typing import Any, NamedTuple

from interleave.compiler import Code
from interleave.errors import Place
from interleave.machine import Machine, Moves, Step
from interleave.machine.cases import Case
from interleave.machine.properties import View
from interleave.machine.step import AccessRecord, Touch
from interleave.memory.port import WHOLE, AccessKind, Location
from interleave.memory.values import Freezer, Uncapturable
from interleave.recorded.names import Unwritable, WrittenNames
from interleave.world.findings import Findings
from interleave.world.world import World


class Lines(NamedTuple):
    """Cases as lines of text: `names` of what the others refer to, `tables` of what numbers stand
    for, `paths` that tell cases from each other, and the cases, in order.
    """

    names: str
    tables: str
    paths: str
    cases: tuple[str, ...]

    @classmethod
    def of(cls, lines: list[str]) -> Lines:
        """What `all` gave. Raises `ValueError`."""
        names, tables, paths, *cases = lines
        return cls(names, tables, paths, tuple(cases))

    def all(self) -> list[str]:
        """All of it, line by line."""
        return [self.names, self.tables, self.paths, *self.cases]


def followed(world: World, findings: Iterable[Findings]) -> list[types.FunctionType]:
    """The functions of the model that have run where something was found."""
    originals = {copy.__code__: world.original(copy) for copy in world.copies()}
    found: dict[types.FunctionType, None] = {}
    for each in findings:
        found.update(each.compiled)
        ran = (originals.get(code) for code in each.followed)
        found.update({function: None for function in ran if function is not None})
    return [*found]


def written(machine: Machine) -> Lines:
    """The cases of a machine. Raises `Unwritable`."""
    try:
        return _Writer(machine).record()
    except (Uncapturable, ValueError, RecursionError) as error:
        raise Unwritable(str(error)) from None


class _Writer:
    def __init__(self, machine: Machine) -> None:
        self._names = WrittenNames(machine)
        self._cases = machine.cases.learnt
        self._locations = machine.program.heap.locations
        self._interner = machine.program.heap.interner
        self._copies: dict[types.CodeType, list[types.FunctionType]] = {}
        for copy in machine.program.world.copies():
            self._copies.setdefault(copy.__code__, []).append(copy)
        self._numbers: dict[int, dict[str, int]] = {}
        """What stands for what has a name, by the id of that."""
        self._named: list[Any] = []
        """What has a name here; it is kept alive, so that ids stay what they are."""
        self._findings: dict[str, int] = {}
        self._flows: dict[object, int] = {}
        self._kinds: dict[AccessKind, int] = {}
        self._places: dict[tuple[Code, int], int] = {}
        self._known: dict[object, int] = {}
        """The numbers of findings, by what is in them."""
        encoder = json.JSONEncoder(
            default=self._special, separators=(",", ":"), check_circular=False
        )
        self._text = encoder.encode

    def record(self) -> Lines:
        """All of it."""
        cases = tuple([self._text(self._case(case)) for case in self._cases])
        paths = self._text([self._path(case) for case in self._cases])
        values, locals_ = self._interner.values, self._interner.locals
        tables = self._text({
            "kinds": [(kind.stand_in, _frozen(kind.options)) for kind in self._interner.kinds],
            "codes": locals_.codes,
            "values": [values.key(number) for number in range(len(values))],
            "locals": [locals_.key(number) for number in range(len(locals_))],
            "findings": [*self._findings],
            "flows": [*self._flows],
                "accesses": [*self._kinds],
                "places": [*self._places],
        })  # fmt: skip
        names = self._text([self._names.of(each) for each in self._named])
        return Lines(names, tables, paths, cases)

    def _special(self, value: Any) -> Any:
        """What stands for something that JSON does not have."""
        found = self._numbers.get(id(value))
        if found is not None:
            return found
        kind = type(value)
        if kind is frozenset:
            return sorted(value, key=repr)
        if kind is bytes:
            return {"b": value.decode("latin-1")}
        if kind is Place:
            return (value.file, value.line, value.column, value.end_column)
        if kind is View:
            return (value.place, value.section)
        if isinstance(value, BaseException):
            return _frozen(value)
        found = self._numbers[id(value)] = {"n": len(self._named)}
        self._named.append(value)
        return found

    def _case(self, case: Case) -> Any:
        outcome = case.outcome
        if isinstance(outcome, Moves):
            outcome = outcome._replace(steps=tuple(map(self._step, outcome.steps)))
        elif isinstance(outcome, Step):
            outcome = self._step(outcome)
        return (outcome, self._number_of(case.findings))

    def _path(self, case: Case) -> Any:
        """The question, and each place or view that was looked at, with what was seen."""
        looks = [
            (look, look(case.state[look.place]) if isinstance(look, View) else case.state[look])
            for look in case.looked_at
        ]
        return (case.question, looks)

    def _step(self, step: Step) -> Any:
        flow, number = step.flow, None
        if flow is not None:
            # Hardly any two steps of the same statements differ in it.
            same = ((*flow.carriers.items(),), flow.writes, flow.way)
            number = self._flows.setdefault(same, len(self._flows))
        return (
            *step[:4],
            [self._access(access) for access in step.accesses],
            self._place(step.place),
            step.raised,
            step.failure,
            number,
            step.warnings,
            step.choices,
            [(self._location(location), self._place(place)) for location, place in step.constants],
        )

    def _access(self, access: AccessRecord) -> Any:
        return (
            self._kinds.setdefault(access.kind, len(self._kinds)),
            self._place(access.place),
            access.order,
            access.atomic,
            [self._touch(touch) for touch in access.reads],
            [self._touch(touch) for touch in access.writes],
            access.exclusive,
            None if access.result is None else _frozen(access.result),
            None if access.raised is None else _frozen(access.raised),
        )

    def _touch(self, touch: Touch) -> Any:
        location, part, fresh, value = touch
        return (self._location(location), 0 if part is WHOLE else _frozen(part), fresh, value)

    def _place(self, place: tuple[Code, int]) -> int:
        return self._places.setdefault(place, len(self._places))

    def _location(self, location: Location) -> int:
        if self._locations[location.number] is not location:
            raise Unwritable("a location is none of the heap")
        return location.number

    def _number_of(self, findings: Findings) -> int:
        same = (
            tuple(map(id, findings.followed)),
            tuple(map(id, findings.compiled)),
            tuple(findings.entered),
            tuple(findings.asked),
            tuple(findings.written),
            tuple(findings.started),
            tuple(findings.constants),
        )
        if same in self._known:
            return self._known[same]
        ran = [copy for code in findings.followed for copy in self._copies.get(code, ())]
        text = self._text((
            ran,
            [*findings.compiled],
            [*findings.entered],
            [*findings.asked.items()],
            [*findings.written],
            [*findings.started],
            [*findings.constants.items()],
        ))  # fmt: skip
        number = self._known[same] = self._findings.setdefault(text, len(self._findings))
        return number


def _frozen(value: object) -> Any:
    return Freezer(mutable=True).freeze(value)
