"""The `time` module: `sleep`. A model has no clock: a sleep takes as long as it likes."""

from __future__ import annotations

from interleave.memory.port import AccessKind, current_port


def sleep(seconds: float) -> None:
    """A step that touches nothing: any other thread may run meanwhile, for any number of steps.

    Raises what `time.sleep` raises (docs.python.org/3.12/library/time.html#time.sleep).
    """
    if not (hasattr(type(seconds), "__float__") or hasattr(type(seconds), "__index__")):
        name = type(seconds).__name__
        raise TypeError(f"{name!r} object cannot be interpreted as an integer")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    current_port().access(AccessKind("sleep"), lambda: None)


FUNCTIONS = {"sleep": sleep}
PRIMITIVES: dict[type, type] = {}
