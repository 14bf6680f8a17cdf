"""What the barriers of `threading` and of `asyncio` have in common.

A barrier fills until all have come, and drains until all have left; it resets, or is broken, until
those who are in it have left. While it drains or resets, nobody comes in.
"""

from __future__ import annotations

from typing import Any

from interleave.memory.primitive import Primitive

FILLING, DRAINING, RESETTING, BROKEN = "filling", "draining", "resetting", "broken"


class AnyBarrier(Primitive):
    """A barrier. Its state is a named tuple with fields `parties`, `inside` and `phase`."""

    written_in_python = True

    @property
    def parties(self) -> int:
        """How many must come. It never changes: looking is no access."""
        return int(self.state.parties)

    @property
    def n_waiting(self) -> int:
        """How many have come, while it fills."""

        def effect() -> int:
            return self.state.inside if self.state.phase == FILLING else 0

        return int(self.operate("n_waiting", effect))

    @property
    def broken(self) -> bool:
        """Whether it is broken."""
        return bool(self.operate("broken", lambda: self.state.phase == BROKEN))


def after_one_left(state: Any) -> Any:
    """The state when there is one less inside: the last one out lets others in again."""
    left = state._replace(inside=state.inside - 1)
    if left.inside == 0 and left.phase in (RESETTING, DRAINING):
        return left._replace(phase=FILLING)
    return left
