"""What a variant comes to: on real threads of Python, and by interleave."""

from __future__ import annotations

import dis
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import interleave
from closed_world.variants import Variant
from closed_world.writes import ACCESS, BY_CALL
from interleave.errors import InterleaveError
from interleave.replay import Points, Program, at_instructions, outcomes

Ending = tuple[str, object, object]
"""How a run ended ("finished", "failed", "deadlock"), and what the two threads got."""

SECONDS = 20
"""A check that takes longer hangs."""


@dataclass(frozen=True)
class Checked:
    """What interleave says: a verdict with endings and kinds of violation, or why it refuses."""

    verdict: str
    endings: frozenset[Ending] = frozenset()
    kinds: frozenset[str] = frozenset()
    refusal: InterleaveError | None = None


class Hangs(BaseException):
    """A check did not end by itself."""


def by_python(variant: Variant) -> frozenset[Ending]:
    """Every ending on real threads that are switched at the accesses to the home only."""
    files = variant.files()
    code = {name: compile(text, f"{name}.py", "exec") for name, text in files.items()}

    def setup() -> Program:
        for name in files:
            module = sys.modules[name] = ModuleType(name)
            exec(code[name], module.__dict__)
        model = module.Hidden()
        return Program([model.left, model.right], lambda: (model.a, model.b))

    with _forgotten(variant):
        found = outcomes(setup, _accesses(files))
    return frozenset((outcome.end, *outcome.observed) for outcome in found)  # type: ignore[misc]


def _accesses(files: dict[str, str]) -> Points:
    """Before each access, on the lines that say they have one."""
    marked = {
        (f"{name}.py", number): line.endswith(BY_CALL)
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if line.endswith((ACCESS, BY_CALL))
    }

    def accesses(code: CodeType, instruction: dis.Instruction) -> bool:
        line = instruction.positions.lineno if instruction.positions else None
        by_call = marked.get((code.co_filename, line or 0))
        if by_call is None:
            return False
        operation = instruction.opname
        if by_call:
            return operation == "CALL"
        of_item = operation.endswith("_SUBSCR") or (
            operation == "BINARY_OP" and instruction.argrepr == "[]"
        )
        return of_item or (
            instruction.argval == "n"
            and operation.startswith(("LOAD_", "STORE_", "DELETE_"))
            and not operation.endswith(("_CONST", "_FAST", "_CLOSURE"))
        )

    return at_instructions(accesses)


def by_interleave(variant: Variant, folder: Path, *, pure: Sequence[str] = ()) -> Checked:
    """The verdict on the model in a file. Raises `Hangs`, and whatever is a defect of interleave.

    `pure` names what runs as it is, because the user says that it keeps nothing.
    """
    (folder / "pyproject.toml").write_text(f"[tool.interleave]\npure = {[*pure]}\n")
    for name, text in variant.files().items():
        model = folder / f"{name}.py"
        model.write_text(text)
    with _forgotten(variant), _alarm():
        try:
            (result,) = interleave.check(model).models
        except InterleaveError as error:
            return Checked("refused", refusal=error)
    endings = []
    for outcome in result.interleavings.outcomes if result.interleavings else ():
        state = dict(outcome.state)
        endings.append((outcome.how, state.get("a"), state.get("b")))
    kinds = frozenset(violation.kind for violation in result.violations)
    return Checked(result.verdict, frozenset(endings), kinds)


@contextmanager
def _forgotten(variant: Variant) -> Iterator[None]:
    """No module of the variant is imported before or after."""
    names = variant.files()
    for name in names:
        sys.modules.pop(name, None)
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hangs(f"no verdict after {SECONDS} s")

    if os.name == "nt":
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
