"""The machine: states, and the steps that lead from one to the next.

A state is a tuple of numbers: the value id of every location that can change, then the local state
of every thread. Numbers stand for the same thing throughout one machine; they appear in no output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interleave.errors import ModelError
from interleave.memory.port import using_port
from interleave.machine.run import StepRun
from interleave.program.setup import next_choices
from interleave.machine.step import FAILED, FINISHED, Blocked, Step
from interleave.memory.values import Key

if TYPE_CHECKING:
    from interleave.compiler import Code
    from interleave.program import Program

__all__ = ["FAILED", "FINISHED", "Blocked", "Machine", "State", "Step"]

State = tuple[int, ...]

MOST_CHOICES = 100_000
"""Ways that the choices of one step can go, at most."""


class LocalStates:
    """Local states of threads and their numbers."""

    def __init__(self) -> None:
        self._ids: dict[Key, int] = {}
        self._keys: list[Key] = []
        for ended in ("finished", "failed"):
            self.id_of((ended,))

    def id_of(self, key: Key) -> int:
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self._keys)
            self._keys.append(key)
        return found

    def __getitem__(self, number: int) -> Key:
        return self._keys[number]


class Machine:
    """Runs the threads of a program, one step at a time."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.locals = LocalStates()
        self.codes: list[Code] = []
        self._code_numbers: dict[Code, int] = {}
        self._checked: set[tuple[int, int]] = set()
        self.locations = len(program.heap.changing)
        """How many places of a state are locations; the local states of the threads follow."""

    def code_number(self, code: Code) -> int:
        """The number by which local states refer to a function."""
        found = self._code_numbers.get(code)
        if found is None:
            found = self._code_numbers[code] = len(self.codes)
            self.codes.append(code)
        return found

    def local(self, state: State, thread: int) -> int:
        """The local state of a thread."""
        return state[self.locations + thread]

    def local_key(self, state: State, thread: int) -> Key:
        return self.locals[self.local(state, thread)]

    def initial(self) -> list[tuple[State, list[Step]]]:
        """The initial states, in order, each with what the threads did before their first access.

        (That is of interest only where a thread failed in it.)
        """
        found: dict[State, list[Step]] = {}
        for values in self.program.heap.initial:
            steps = []
            for thread in self.program.threads:
                run = StepRun(self, values, thread.number, choices=[])
                with using_port(run):
                    steps.append(run.start(thread.function, thread.arguments))
            found.setdefault((*values, *[step.local for step in steps]), steps)
        return list(found.items())

    def step(self, state: State, thread: int, *, explain: bool = False) -> list[Step] | Blocked:
        """Every way in which a thread can go on: one step, or one for each choice in it.

        `Blocked` where it cannot; no steps where it has ended. With `explain`, steps have their
        `flow`. Raises `ModelError`, and `Written` (see `heap`).
        """
        local = self.local(state, thread)
        if local in (FINISHED, FAILED):
            return []
        found = self._step(state, thread, explain=explain)
        if (thread, local) not in self._checked:
            self._checked.add((thread, local))
            self._check_same(found, self._step(state, thread, explain=False))
        return found

    def _step(self, state: State, thread: int, *, explain: bool) -> list[Step] | Blocked:
        choices: list[int] | None = []
        steps: list[Step] = []
        blocked: Blocked | None = None
        count = 0
        while choices is not None:
            run = StepRun(self, state, thread, choices=choices, explain=explain)
            with using_port(run):
                step = run.run()
            if isinstance(step, Blocked):
                blocked = blocked or step
            else:
                steps.append(step)
            choices = next_choices(run.taken)
            count += 1
            if count > MOST_CHOICES:
                code, block = step.place
                raise ModelError(
                    f"one step has more than {MOST_CHOICES:,} possible outcomes",
                    remedy="choose among fewer options, or outside atomic()",
                    place=code.place(block),
                )
        return steps if steps or blocked is None else blocked

    def _check_same(self, first: list[Step] | Blocked, second: list[Step] | Blocked) -> None:
        """Raise `ModelError` where running a step twice gives two results."""
        same = (
            first == second
            if isinstance(first, Blocked) or isinstance(second, Blocked)
            else [step.outcome() for step in first] == [step.outcome() for step in second]
        )
        if not same:
            code, block = first.place if isinstance(first, Blocked) else first[0].place
            raise ModelError(
                "this step is not deterministic: run twice on the same state, it gave two results",
                remedy="a step may depend only on shared variables and locals of its thread; "
                "let choose([...]) decide what is open",
                place=code.place(block),
            )
