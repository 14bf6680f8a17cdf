"""Where code that runs as it is has come by a switch point, between one access and the next.

Code of the model is compiled to say so itself. A function of a library, a lambda, and what a
`dataclass` makes run as Python has them: their instructions tell. Entering such code is seen by
others (see `switching`); what is left are calls, and the back-edges of loops.
"""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType, FrameType

_CHECKING = ("CALL", "JUMP_BACKWARD", "POP_JUMP_BACKWARD")
"""What the names of instructions begin with after which CPython may switch."""


class UnmarkedCode:
    """The accesses of code that runs as it is."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[tuple[int, CodeType], int] = {}
        """The instruction of each frame that performed its last access."""

    def has_passed_switch(self, frame: FrameType) -> bool:
        """Whether there was a switch point since the last access of a frame, which performs one.

        A frame in the place of one that has ended was entered since, which is a switch point.
        """
        key = (id(frame), frame.f_code)
        before, now = self._last.get(key), frame.f_lasti
        self._last[key] = now
        return before is not None and (now <= before or _checks(frame.f_code, before, now))


@lru_cache(maxsize=4096)
def _checks(code: CodeType, begin: int, end: int) -> bool:
    """Whether some instruction in a part of a function is one after which threads may switch."""
    return any(
        begin <= each.offset < end and each.opname.startswith(_CHECKING)
        for each in dis.get_instructions(code)
    )
