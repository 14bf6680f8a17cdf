"""What a thread may still come to, as far as its code shows: its end, or where it is again."""

from __future__ import annotations

from interleave.compiler import Code
from interleave.machine import FAILED, FINISHED, Machine


class WaysOut:
    """What is known of the functions of a machine: the blocks that may follow each block."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._known: dict[tuple[Code, int], set[int]] = {}

    def has_one(self, local: int) -> bool:
        """Whether a thread may come to its end from a local state, without an exception."""
        if local in (FINISHED, FAILED):
            return True
        return all(self._may_return(code, at) for code, at in self._frames(local))

    def is_in_loop(self, local: int) -> bool:
        """Whether a thread that has not ended may come to where it is once more."""
        frames = self._frames(local)
        return any(at in self._after(code, at) for code, at in frames if not code.is_library)

    def _frames(self, local: int) -> list[tuple[Code, int]]:
        codes = self._machine.locals.codes
        return [(codes[number], at) for number, at, _ in self._machine.locals[local][0]]

    def _may_return(self, code: Code, begin: int) -> bool:
        count = len(code.blocks)
        blocks = {begin, *self._after(code, begin)}
        return any(at >= count or code.blocks[at].returns for at in blocks)

    def _after(self, code: Code, begin: int) -> set[int]:
        """The blocks of a function that may be run after one of them."""
        found = self._known.get((code, begin))
        if found is None:
            found, left = set(), [begin]
            while left:
                at = left.pop()
                more = {*code.blocks[at].ways_on()} - found if at < len(code.blocks) else set()
                found |= more
                left += more
            self._known[code, begin] = found
        return found
