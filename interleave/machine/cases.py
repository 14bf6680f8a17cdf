"""Cases: runs of a model's code, in the order in which they were learnt.

What code does is learnt once, for all states that agree in what it has looked at. Whoever learns
the same list in the same order has the same numbers for all that states are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from interleave.machine.step import State
from interleave.world.findings import Findings

Outcome = TypeVar("Outcome")
Look = TypeVar("Look")

Question = tuple[str | int, ...]
"""What was to be run: ("begin", thread), ("step", thread), or ("property", its number)."""


class Case(NamedTuple):
    """One run: what of a state it has looked at, in order, what it gave, and what was seen.

    It looks at places of the state, or, by a view, at something about one.
    """

    question: Question
    state: State
    looked_at: tuple[Any, ...]
    outcome: Any
    findings: Findings


class Earlier(Protocol):
    """Cases that were learnt before, of a program that is the same."""

    def find(self, question: Question, state: State) -> Case | None:
        """The case that answers a question in a state; None where there is none."""
        ...


class Cases:
    """The cases of one program that were learnt, or used, so far."""

    def __init__(self, findings: Findings) -> None:
        self.learnt: list[Case] = []
        self.earlier: Earlier | None = None
        self.ran = 0
        """How many of them were run."""
        self.known = 0
        """How many of them were known from before, but for the beginnings of threads."""
        self._findings = findings

    def ask(
        self,
        question: Question,
        state: State,
        run: Callable[[], tuple[Outcome, tuple[Look, ...]]],
    ) -> tuple[Outcome, tuple[Look, ...]]:
        """What `run` gives, known from before, or run now: an outcome, and what was looked at."""
        if self.earlier is not None:
            known = self.earlier.find(question, state)
            if known is not None:
                self._findings.add(known.findings)
                self.learnt.append(known)
                self.known += question[0] != "begin"
                return known.outcome, known.looked_at
        self.ran += 1
        with self._findings.apart() as findings:
            outcome, looked_at = run()
        self.learnt.append(Case(question, state, looked_at, outcome, findings))
        return outcome, looked_at
