"""`invariant` and `postcondition`: a property of the model does not hold."""

from __future__ import annotations

from functools import partial

from interleave.checks.base import Check, Found
from interleave.compiler.source import (
    find_function,
    find_statement,
    place_of_function,
    statement_text,
)
from interleave.engine.graph import SearchGraph
from interleave.engine.passes.shortest import Path
from interleave.engine.steps import Steps
from interleave.machine import Machine, State
from interleave.machine.explaining import Explained, explain
from interleave.machine.properties import Seen, Unmet, View, evaluate, locations_read
from interleave.machine.trees import DecisionTree
from interleave.memory.port import Location
from interleave.memory.values import Shared
from interleave.program import Property
from interleave.result import (
    Described,
    ExpressionPart,
    FailedProperty,
    Source,
    Trace,
    Violation,
)
from interleave.view import View as PlainValues


class _Asked:
    """A property of the model. What it says is learnt, or not, as steps are."""

    def __init__(self, machine: Machine, number: int, *, learns: bool) -> None:
        self.wanted = wanted = machine.program.properties[number]
        self._number = number
        self._learns = learns
        self.when_final = wanted.kind == "postcondition"
        self._machine = machine
        self.learnt = 0
        """How many cases were learnt by running Python."""
        self._tree: DecisionTree[tuple[Unmet | None, tuple[int | View, ...]]] = DecisionTree()

    def ask(self, state: State) -> tuple[Unmet | None, tuple[int | View, ...]]:
        """Why it does not hold in a state, or None where it holds; see `evaluate`."""
        seen = Seen(state)
        known = self._tree.find(seen) if self._learns else None
        if known is None:
            if not self._learns:
                return self._run(state)
            question = ("property", self._number)
            known = self._machine.cases.ask(question, state, partial(self._run, state))
            self._tree.learn(seen, known[1], known)
            self.learnt += 1
        return known

    def _run(self, state: State) -> tuple[Unmet | None, tuple[int | View, ...]]:
        again = partial(evaluate, self._machine, state, self.wanted)
        found = again()
        name = f"the {self.wanted.kind} {self.wanted.name}"
        self._machine.program.real.ran(name, self.wanted.function, again)
        return found

    def look(self, state: State) -> tuple[bool, tuple[int | View, ...]]:
        unmet, looked_at = self.ask(state)
        return unmet is not None, looked_at


class PropertyCheck(Check):
    """One violation for each property."""

    sees_all = False
    kinds = ("invariant", "postcondition")
    needs = "every state"

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self._asked = [
            _Asked(machine, number, learns=steps.learns)
            for number in range(len(machine.program.properties))
        ]
        self.predicates = self._asked
        self._found: dict[Property, tuple[int, Unmet]] = {}
        self._any_postcondition = any(
            wanted.kind == "postcondition" for wanted in machine.program.properties
        )

    @property
    def cases(self) -> int:
        return sum(asked.learnt for asked in self._asked)

    def on_state(self, number: int, state: State) -> bool:
        new = [each for each in self.failing(state) if each[0] not in self._found]
        for wanted, unmet in new:
            self._found[wanted] = (number, unmet)
        return bool(new)

    def failing(self, state: State) -> list[tuple[Property, Unmet]]:
        """The properties that should hold in a state and do not, with why."""
        final = self._any_postcondition and self.machine.has_finished(state)
        failing = []
        for each in self._asked:
            if final or not each.when_final:
                unmet, _ = each.ask(state)
                if unmet is not None:
                    failing.append((each.wanted, unmet))
        return failing

    def found(self, graph: SearchGraph) -> list[Found]:
        return [
            Found(partial(self._describe, wanted, unmet, graph.state(number)), (number, None))
            for wanted, (number, unmet) in self._found.items()
        ]

    def _describe(
        self, wanted: Property, unmet: Unmet, state: State, _: Path, trace: Trace
    ) -> Violation:
        when = (
            "when all threads have finished"
            if wanted.kind == "postcondition"
            else (f"after step {len(trace.steps)}" if trace.steps else "in the initial state")
        )
        text = f": {unmet.why}" if unmet.why else ""
        message = f"{wanted.name} does not hold {when}{text}"
        threads = (trace.steps[-1].thread,) if trace.steps and wanted.kind == "invariant" else ()
        locations = locations_read(self.machine, state, wanted)
        why = explain(self.machine, state, wanted)
        return Violation(
            wanted.kind,
            message,
            None,
            threads,
            trace,
            source=_line(wanted, unmet, why),
            hint=self._hint(locations),
            detail=FailedProperty(
                tuple(dict.fromkeys(location.name for location in locations)),
                self._parts(why, state, trace),
            ),
        )

    def _parts(self, why: Explained, state: State, trace: Trace) -> tuple[ExpressionPart, ...]:
        """Why a property is false: what the parts of its expression give."""
        view = PlainValues(self.machine, state)
        found: dict[str, ExpressionPart] = {}
        for part in why.parts:
            is_shared = issubclass(type(part.value), Shared)
            place = view.names.of(part.value) or "" if is_shared else ""
            value = view.plain(part.value, place)
            if not part.is_false and _is_name(value):
                continue
            names = {place, *map(view.names.of_location, part.read)}
            steps = [
                step.number
                for step in trace.all_steps
                if part.is_variable and names & {change.location for change in step.changes}
            ]
            changed_at = max(steps, default=None)
            new = ExpressionPart(part.text, value, part.is_false, part.is_variable, changed_at)
            found.setdefault(part.text, new)
        return tuple(found.values())

    def _hint(self, locations: list[Location]) -> str:
        """That processes do not share what they write, where a property reads such a thing."""
        machine = self.machine
        found = []
        for location in locations:
            writers = [
                process
                for process, space in machine.program.spaces.items()
                if location in space and space[location].key in machine.program.findings.written
            ]
            if writers:
                own = "each in its own copy" if len(writers) > 1 else "in its own copy"
                found.append(f"{location.name} is written by {' and '.join(writers)}, {own}")
        if not found:
            return ""
        remedy = "processes do not share plain attributes (use multiprocessing.Value or Array)"
        return f"{'; '.join(dict.fromkeys(found))}: {remedy}"


def _is_name(value: object) -> bool:
    """Whether a plain value is but a name of something shared, or a list of such."""
    several = value if isinstance(value, list | tuple) and value else [value]
    return all(isinstance(each, Described) for each in several)


def _line(wanted: Property, unmet: Unmet, why: Explained) -> Source:
    """The assertion that has failed, or what has returned False; where neither is known, the last
    statement of the property.
    """
    if unmet.place is not None or why.line:
        place = unmet.place or place_of_function(wanted.function)
        file, line = place.file, place.line if unmet.place else why.line
        statement = find_statement(file, line)
    else:
        place = place_of_function(wanted.function)
        file, line = place.file, place.line
        found = find_function(wanted.function)
        statement = found[0].body[-1] if found else None
    if statement is None:
        return Source(file, line, wanted.name)
    return Source(file, statement.lineno, statement_text(file, statement))
