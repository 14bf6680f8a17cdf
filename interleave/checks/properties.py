"""`invariant` and `postcondition`: a property of the model does not hold."""

from __future__ import annotations

from functools import partial

from interleave.checks.base import Check, Found
from interleave.compiler.source import find_function, place_of_function, statement_text
from interleave.engine.graph import SearchGraph
from interleave.engine.paths import Path
from interleave.engine.trees import DecisionTree, LearntSteps
from interleave.machine import FAILED, Machine, State, Step
from interleave.machine.properties import evaluate
from interleave.program import Property
from interleave.result import Source, Trace, Violation


class PropertyCheck(Check):
    """One violation for each property. What a property says is learnt, as steps are."""

    def __init__(self, machine: Machine, learnt: LearntSteps) -> None:
        super().__init__(machine, learnt)
        self._trees: list[DecisionTree[tuple[str | None]]] = [
            DecisionTree() for _ in machine.program.properties
        ]
        self._found: dict[Property, tuple[int, str]] = {}
        self._any_postcondition = any(
            wanted.kind == "postcondition" for wanted in machine.program.properties
        )

    def on_state(self, number: int, state: State) -> bool:
        new = [(wanted, why) for wanted, why in self.failing(state) if wanted not in self._found]
        for wanted, why in new:
            self._found[wanted] = (number, why)
        return bool(new)

    def start(self, state: State) -> tuple[()] | None:
        return None if self.failing(state) else ()

    def remember(self, memory: object, before: State, step: Step, after: State) -> tuple[()] | None:
        return self.start(after)

    def failing(self, state: State) -> list[tuple[Property, str]]:
        """The properties that should hold in a state and do not, with what they say."""
        final = self._any_postcondition and self._has_finished(state)
        failing = []
        for wanted, tree in zip(self.machine.program.properties, self._trees, strict=True):
            if wanted.kind == "postcondition" and not final:
                continue
            known = tree.find(state)
            if known is None:
                why, looked_at = evaluate(self.machine, state, wanted)
                known = (why,)
                tree.learn(state, looked_at, known)
            if known[0] is not None:
                failing.append((wanted, known[0]))
        return failing

    def _has_finished(self, state: State) -> bool:
        """Whether the threads have finished; one that an exception has ended did not."""
        machine = self.machine
        return machine.is_final(state) and FAILED not in state[machine.locations :]

    def found(self, graph: SearchGraph) -> list[Found]:
        return [
            Found(partial(self._describe, wanted, why), (number, None))
            for wanted, (number, why) in self._found.items()
        ]

    def _describe(self, wanted: Property, why: str, _: Path, trace: Trace) -> Violation:
        when = (
            "when all threads have finished"
            if wanted.kind == "postcondition"
            else (f"after step {len(trace.steps)}" if trace.steps else "in the initial state")
        )
        text = f": {why}" if why else ""
        message = f"{wanted.name} does not hold {when}{text}"
        function = wanted.function
        found = find_function(function)
        place = place_of_function(function)
        last = found[0].body[-1] if found else None
        source = Source(
            place.file,
            getattr(last, "lineno", place.line),
            statement_text(place.file, last) if last is not None else wanted.name,
        )
        threads = (trace.steps[-1].thread,) if trace.steps and wanted.kind == "invariant" else ()
        return Violation(wanted.kind, message, None, threads, trace, source=source)
