"""The `time` module: `sleep`, and the clocks, which are one here: see `memory.clock`.

Any time may pass between two steps. None of the clocks ever goes back, for any thread.
"""

from __future__ import annotations

import time as real_time
from typing import TYPE_CHECKING, Any

from interleave.memory.port import READ_CLOCK, AccessKind, current_port
from interleave.stdlib.registry import Namespace
from interleave.stdlib.timeouts import begin_waiting

if TYPE_CHECKING:
    from interleave.memory.clock import Number


def sleep(seconds: float) -> None:
    """A step that touches nothing: any other thread may run meanwhile, for any number of steps.

    By then the clock shows at least so much more. Raises what `time.sleep` raises
    (docs.python.org/3.12/library/time.html#time.sleep).
    """
    if not (hasattr(type(seconds), "__float__") or hasattr(type(seconds), "__index__")):
        name = type(seconds).__name__
        raise TypeError(f"{name!r} object cannot be interpreted as an integer")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    current_port().access(AccessKind("sleep"), begin_waiting(seconds).expire)


def reading(*, of_day: bool = False) -> Number:
    """What a clock shows: a step, unless no thread runs yet."""
    port = current_port()
    clock = port.clock
    return port.access(AccessKind(READ_CLOCK), lambda: clock.read(of_day=of_day))


def time() -> Any:
    """`time.time`."""
    return reading(of_day=True)


def time_ns() -> Any:
    """`time.time_ns`."""
    from interleave.memory.clock import in_nanoseconds

    return in_nanoseconds(reading(of_day=True))


def monotonic() -> Any:
    """`time.monotonic`, and `time.perf_counter`."""
    return reading()


def monotonic_ns() -> Any:
    """`time.monotonic_ns`, and `time.perf_counter_ns`."""
    from interleave.memory.clock import in_nanoseconds

    return in_nanoseconds(reading())


FUNCTIONS = {
    "sleep": sleep,
    "time": time,
    "time_ns": time_ns,
    "monotonic": monotonic,
    "monotonic_ns": monotonic_ns,
    "perf_counter": monotonic,
    "perf_counter_ns": monotonic_ns,
}
PRIMITIVES: dict[type, type] = {}


def stand_ins() -> dict[int, Any]:
    """What stands for the module and its clocks, by their ids, where code runs as it is."""
    clocks = {name: value for name, value in FUNCTIONS.items() if name != "sleep"}
    real = {id(getattr(real_time, name)): value for name, value in clocks.items()}
    return {id(real_time): Namespace(real_time), **real}
