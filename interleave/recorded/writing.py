"""Cases as plain data: text in JSON, which has numbers, names, and nothing that could run.

The numbers of values, local states and functions are those of the interner; what these stand for is
listed, in order. What cases refer to is listed by name.
"""

from __future__ import annotations

import json
import types
from typing import Any, NamedTuple

from interleave.errors import Place
from interleave.machine import Machine, Moves, Step
from interleave.machine.cases import Case
from interleave.machine.properties import View
from interleave.machine.step import AccessRecord, Touch
from interleave.memory.port import WHOLE
from interleave.memory.values import Freezer, Uncapturable
from interleave.recorded.names import Names, Unwritable
from interleave.world.findings import Findings


class Record(NamedTuple):
    """Cases as lines of text: `names` of what the others refer to, `tables` of what numbers stand
    for, `paths` that tell cases from each other, and the cases, in order.
    """

    names: str
    tables: str
    paths: str
    cases: tuple[str, ...]


def written(machine: Machine) -> Record:
    """The cases of a machine. Raises `Unwritable`."""
    try:
        return _Writer(machine).record()
    except (Uncapturable, ValueError, RecursionError) as error:
        raise Unwritable(str(error)) from None


class _Writer:
    def __init__(self, machine: Machine) -> None:
        self._names = Names(machine)
        self._cases = machine.cases.learnt
        self._interner = machine.program.heap.interner
        self._copies: dict[types.CodeType, list[types.FunctionType]] = {}
        for copy in machine.program.world.copies():
            self._copies.setdefault(copy.__code__, []).append(copy)
        self._numbers: dict[int, int] = {}
        self._named: list[Any] = []
        """What has a name here; it is kept alive, so that ids stay what they are."""
        self._findings: dict[str, int] = {}

    def record(self) -> Record:
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
        })  # fmt: skip
        names = self._text([self._names.of(each) for each in self._named])
        return Record(names, tables, paths, cases)

    def _text(self, value: object) -> str:
        return json.dumps(value, default=self._special, separators=(",", ":"))

    def _special(self, value: Any) -> Any:
        """What stands for something that JSON does not have."""
        kind = type(value)
        if kind is AccessRecord:
            return self._access(value)
        if kind is frozenset:
            return [*value]
        if kind is bytes:
            return {"b": value.decode("latin-1")}
        if kind is Place:
            return (value.file, value.line, value.column, value.end_column)
        if kind is View:
            return (value.place, value.section)
        if isinstance(value, BaseException):
            return _frozen(value)
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._named)
            self._named.append(value)
        return {"n": number}

    def _case(self, case: Case) -> Any:
        outcome = case.outcome
        if isinstance(outcome, Moves):
            outcome = outcome._replace(steps=tuple(map(_step, outcome.steps)))
        elif isinstance(outcome, Step):
            outcome = _step(outcome)
        return (outcome, self._number_of(case.findings))

    def _path(self, case: Case) -> Any:
        """The question, and each place or view that was looked at, with what was seen."""
        looks = [
            (look, look(case.state[look.place]) if isinstance(look, View) else case.state[look])
            for look in case.looked_at
        ]
        return (case.question, looks)

    def _access(self, access: AccessRecord) -> Any:
        return (
            access.kind,
            access.place,
            access.order,
            access.atomic,
            [_touch(touch) for touch in access.reads],
            [_touch(touch) for touch in access.writes],
            access.exclusive,
            None if access.result is None else _frozen(access.result),
            None if access.raised is None else _frozen(access.raised),
        )

    def _number_of(self, findings: Findings) -> int:
        ran = [copy for code in findings.followed for copy in self._copies.get(code, ())]
        text = self._text((
            ran,
            [*findings.compiled],
            [*findings.entered],
            [*findings.asked.items()],
            [*findings.written],
            [*findings.constants.items()],
        ))  # fmt: skip
        return self._findings.setdefault(text, len(self._findings))


def _frozen(value: object) -> Any:
    return Freezer(mutable=True).freeze(value)


def _step(step: Step) -> Any:
    flow = step.flow
    if flow is None:
        return step
    return (*step[:8], ((*flow.carriers.items(),), flow.writes, flow.way), *step[9:])


def _touch(touch: Touch) -> Any:
    location, part, fresh, value = touch
    return (location, 0 if part is WHOLE else _frozen(part), fresh, value)
