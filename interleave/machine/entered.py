"""Which attribute a block gets or sets, where that has entered code that runs as a whole.

The instruction at which the block is says so, or the frame of `getattr` and its like.
"""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType, FrameType

from interleave.compiler.names import ATTRIBUTE_FUNCTIONS

_OF_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "STORE_ATTR", "DELETE_ATTR")


def attribute_entered(frame: FrameType | None) -> str | None:
    """The name of the attribute that a block gets, sets or deletes by what runs in `frame`; None
    where it does something else.
    """
    inner = None
    while frame is not None and frame.f_code.co_name != "run_block":
        if frame.f_code.co_name.startswith("#"):
            if inner is not None and inner.f_code in ATTRIBUTE_FUNCTIONS:
                name: str = inner.f_locals["name"]
                return name
            return _attribute_at(frame.f_code, frame.f_lasti)
        inner, frame = frame, frame.f_back
    return None


@lru_cache(maxsize=256)
def _attribute_at(code: CodeType, place: int) -> str | None:
    # A frame of CPython 3.12 that has called one in Python stands in the caches behind it.
    begun = [each for each in dis.get_instructions(code) if each.offset <= place]
    is_of_attributes = bool(begun) and begun[-1].opname in _OF_ATTRIBUTES
    return begun[-1].argval if is_of_attributes else None
