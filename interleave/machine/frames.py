"""The functions that a thread is in: where it is in each of them, and its locals."""

from __future__ import annotations

from typing import Any

from interleave.compiler import Code, Locals
from interleave.memory.values import Key
from interleave.world.calls import FINALIZE


class FrameLocals(dict[str, Any]):
    """The locals of a frame; one that is not bound raises what Python raises."""

    def __missing__(self, name: str) -> Any:
        raise UnboundLocalError(
            f"cannot access local variable {name!r} where it is not associated with a value"
        )

    def __delitem__(self, name: str) -> None:
        self[name]
        super().__delitem__(name)


class Frame:
    """A function that is running: where it is, and its locals."""

    __slots__ = ("at", "code", "frozen", "names")

    def __init__(self, code: Code, at: int, names: Locals) -> None:
        self.code = code
        self.at = at
        self.names = names
        self.frozen: Key | None = None
        """Its key while it waits for the call that it is in, where nothing in it can change."""


def place_in(frame: Frame) -> tuple[Code, int]:
    """The block that a frame is at."""
    return (frame.code, min(frame.at, len(frame.code.blocks) - 1))


def is_interruption(code: Code) -> bool:
    """Whether a frame stands on one that has called nothing, and is about to begin a block."""
    return code.function is FINALIZE


def live(code: Code, at: int, above: Code | None) -> tuple[str, ...]:
    """The locals that a local state keeps of a frame: those that may still be used.

    `above` is the function of the frame that stands on it, if one does.
    """
    if at >= len(code.blocks):
        return code.kept
    block = code.blocks[at]
    return block.live if above is None or is_interruption(above) else block.live_in_call
