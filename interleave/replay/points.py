"""Switch points: before which bytecode instructions of which code a thread can be interrupted."""

from __future__ import annotations

import dis
from collections.abc import Callable, Container, Iterator
from types import CodeType

Points = Callable[[CodeType], Container[int]]
"""The offsets in a code object of the instructions before which there is a switch point."""


def at_instructions(wanted: Callable[[CodeType, dis.Instruction], bool]) -> Points:
    """Before each instruction that is wanted."""

    def offsets(code: CodeType) -> Iterator[int]:
        begin: int | None = None
        for instruction in dis.get_instructions(code):
            # The interpreter stops once, before the prefixes that widen an argument.
            begin = instruction.offset if begin is None else begin
            if instruction.opname == "EXTENDED_ARG":
                continue
            if wanted(code, instruction):
                yield begin
            begin = None

    return _remembered(offsets)


def at_lines(file: str, lines: Container[int]) -> Points:
    """Before each of these lines of a file, wherever control comes to it from another line."""

    def offsets(code: CodeType) -> Iterator[int]:
        if code.co_filename != file:
            return
        before = None
        for begin, _, line in code.co_lines():
            if line is not None and line != before and line in lines:
                yield begin
            before = line

    return _remembered(offsets)


def _remembered(offsets: Callable[[CodeType], Iterator[int]]) -> Points:
    # By identity: code of two files may be equal. Each is kept, so that its id stays its own.
    known: dict[int, tuple[CodeType, frozenset[int]]] = {}

    def points(code: CodeType) -> frozenset[int]:
        found = known.get(id(code))
        if found is None:
            found = known[id(code)] = (code, frozenset(offsets(code)))
        return found[1]

    return points
