"""Handlers of a logger: those of the library write nothing in a model.

A handler that is the model's own, or holds what is, is an object like any other, and its class and
what it derives from are followed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port, using_port
from interleave.memory.primitive import stepwise
from interleave.stdlib.logging.records import LogRecord
from interleave.world import policy
from interleave.world.policy import Treatment

WAITING = "logging: a thread waits while a handler has its lock"
"""Key of the fact that code waits while its text is asked for: then a handler keeps others from
logging, and else nobody can see that it has a lock.
"""

_TO_OTHERS = ("BufferingHandler", "MemoryHandler", "QueueHandler")
"""Handlers of the library that keep records, or hand them on."""


def is_of_model(value: object) -> bool:
    """Whether a handler, or what one makes use of, is not the library's."""
    return policy.of_object(value).treatment is Treatment.FOLLOWED and not _is_of_logging(value)


def _is_of_logging(value: object) -> bool:
    return type(value).__module__ == "logging"


def is_ignored(handler: object) -> bool:
    """Whether a handler is none of the program's: pytest looks at what is logged."""
    return policy.of_object(handler).treatment is Treatment.PURE


def is_silent(handler: Any) -> bool:
    """Whether a handler is the library's, and writes to where nobody in a model looks."""
    kind = type(handler)
    is_library = kind.__module__ in ("logging", "logging.handlers")
    writes_to = vars(handler).get("stream")
    return is_library and kind.__name__ not in _TO_OTHERS and not is_of_model(writes_to)


def capture_silent(walk: Any, real: Any, path: str) -> Any:
    """What stands for one. Its lock is there only where somebody can see it."""
    is_own = real.formatter is not None and is_of_model(real.formatter)
    lock = vars(real).get("lock") if is_own or walk.knows(WAITING) else None
    attributes = {
        "level": real.level,
        "lock": lock,
        "formatter": real.formatter if is_own else None,
        "filters": real.filters,
        "writes": not isinstance(real, logging.NullHandler),
    }
    return walk.in_place(SilentHandler, real, path, attributes)


class SilentHandler:
    """A handler of the library."""

    level: int
    lock: Any
    formatter: Any
    filters: list[Any]
    writes: bool

    @property
    def runs_nothing(self) -> bool:
        """Whether no code of the model's is asked by it but for texts."""
        return self.formatter is None and not self.filters

    @stepwise
    def handle(self, record: LogRecord) -> None:
        passed = passing(self.filters, record)
        if passed is not None and self.writes:
            if self.lock is None:
                self.emit(passed)
            else:
                with self.lock:
                    self.emit(passed)

    @stepwise
    def emit(self, record: LogRecord) -> None:
        if self.formatter is None:
            put_together(record.msg, record.args)
        else:
            try:
                self.formatter.format(record)
            except Exception:  # it is told of, on standard error
                return

    def setLevel(self, level: int | str) -> None:
        self.level = logging._checkLevel(level)  # type: ignore[attr-defined]

    def setFormatter(self, fmt: Any) -> None:
        self.formatter = fmt

    def __getattr__(self, name: str) -> Any:
        raise lack(logging.lastResort, "a handler of the library", name)


def lack(
    real: object, what: str, name: str, remedy: str = "leave it out: nothing is written in a model"
) -> AttributeError:
    """The error for an attribute that stand-ins lack. No code goes on where real ones have it."""
    if hasattr(real, name) and not name.startswith("__"):
        what = f"{name} of {what} has no modelled counterpart"
        current_port().halt(ModelError(what, remedy=remedy))
    return AttributeError(f"{type(real).__name__!r} object has no attribute {name!r}", name=name)


@stepwise
def passing(filters: Iterable[Any], record: LogRecord) -> LogRecord | None:
    """`Filterer.filter`: the record that filters let pass, if they do."""
    for each in filters:
        result = each.filter(record) if hasattr(each, "filter") else each(record)
        if not result:
            return None
        record = _replaced(record, result)
    return record


def _replaced(record: LogRecord, result: Any) -> LogRecord:
    """What a filter makes of a record, from Python 3.12 on."""
    return result if sys.version_info >= (3, 12) and isinstance(result, LogRecord) else record


def put_together(message: object, args: Any) -> None:
    """The text of a message, which nobody looks at: that of what it is about may be code of the
    model's.
    """
    port: Any = current_port()
    with using_port(_Watched(port)):
        try:
            text = str(message)
            if args:
                text %= args
        except Exception as error:
            # A handler tells of what goes wrong, on standard error, and goes on.
            if type(error).__module__.startswith("interleave."):
                raise


class _Watched:
    """A port that says where code waits."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def block(self, kind: Any = None) -> Any:
        self._port.know(WAITING)
        return self._port.block(kind)
