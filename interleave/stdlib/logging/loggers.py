"""Loggers, after `logging.Logger`: what handlers of the model's are to get they get, in the thread
that logs; and nothing is written.

Where there is none, a message is put together all the same, as if its level were one that is
logged: the `__str__` and `__repr__` of what it is about may look at what is shared, and change it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.primitive import stepwise
from interleave.memory.values import register_immutable
from interleave.stdlib.logging.handlers import (
    WAITING,
    SilentHandler,
    is_ignored,
    lack,
    passing,
    put_together,
)
from interleave.stdlib.logging.records import LogRecord, record_of


class Logs:
    """What a logger can do, whether it was there before the threads or not."""

    name: str

    def known(self) -> Logger:
        """The logger that was there before the threads, and says what becomes of messages."""
        raise NotImplementedError

    @stepwise
    def debug(self, msg: object, *args: Any, **kwargs: Any) -> None:
        logged(self, logging.DEBUG, msg, args, kwargs)

    @stepwise
    def info(self, msg: object, *args: Any, **kwargs: Any) -> None:
        logged(self, logging.INFO, msg, args, kwargs)

    @stepwise
    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        logged(self, logging.WARNING, msg, args, kwargs)

    @stepwise
    def error(self, msg: object, *args: Any, **kwargs: Any) -> None:
        logged(self, logging.ERROR, msg, args, kwargs)

    @stepwise
    def critical(self, msg: object, *args: Any, **kwargs: Any) -> None:
        logged(self, logging.CRITICAL, msg, args, kwargs)

    @stepwise
    def exception(self, msg: object, *args: Any, exc_info: Any = True, **kwargs: Any) -> None:
        logged(self, logging.ERROR, msg, args, {"exc_info": exc_info, **kwargs})

    @stepwise
    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        if not isinstance(level, int):
            raise TypeError("level must be an integer")
        logged(self, level, msg, args, kwargs)

    warn = warning
    fatal = critical

    def getChild(self, suffix: str) -> Logs:
        return get_logger(suffix if self.name == "root" else f"{self.name}.{suffix}")

    def isEnabledFor(self, level: int) -> bool:
        known = self.known()
        is_off = known.disabled or known.off_below >= level
        return not is_off and level >= known.getEffectiveLevel()

    def getEffectiveLevel(self) -> int:
        each: Logger | None = self.known()
        while each is not None:
            if level := each.level:
                return level
            each = each.parent
        return logging.NOTSET

    def hasHandlers(self) -> bool:
        return any(True for each in self.known().chain() if each.handlers)

    def __getattr__(self, name: str) -> Any:
        raise lack(logging.root, "a logger", name)


class Logger(Logs):
    """`logging.Logger`."""

    level: int
    parent: Logger | None
    propagate: bool
    disabled: bool
    handlers: list[Any]
    filters: list[Any]
    off_below: int
    """The level that `logging.disable` has set."""
    last_resort: Any
    """What handles that which no other handler does; None for nothing."""
    has_own_records: bool
    """Whether records are of a class of the model's."""
    waiting: bool
    """Whether it is known that code waits while a handler has its lock."""

    def known(self) -> Logger:
        return self

    def chain(self) -> list[Logger]:
        """It, and those that handle what it is given, too."""
        found = [self]
        while found[-1].propagate and (parent := found[-1].parent) is not None:
            found.append(parent)
        return found

    @property
    def is_heard(self) -> bool:
        """Whether code of the model's is to get what is logged."""
        handlers = [each for logger in self.chain() for each in [*logger.handlers]]
        if not handlers and self.last_resort is not None:
            handlers = [self.last_resort]
        return bool(self.filters) or not all(map(_runs_nothing, handlers))

    @stepwise
    def handle(self, record: LogRecord) -> None:
        if not self.disabled:
            passed = passing(self.filters, record)
            if passed is not None:
                self.callHandlers(passed)

    @stepwise
    def callHandlers(self, record: LogRecord) -> None:
        found = 0
        for logger in self.chain():
            for handler in logger.handlers:
                found = found + 1
                if record.levelno >= handler.level:
                    handler.handle(record)
        last = self.last_resort
        if found == 0 and last is not None and record.levelno >= last.level:
            last.handle(record)

    def setLevel(self, level: int | str) -> None:
        self.level = logging._checkLevel(level)  # type: ignore[attr-defined]

    def addHandler(self, hdlr: Any) -> None:
        if hdlr not in self.handlers:
            self.handlers.append(hdlr)

    def removeHandler(self, hdlr: Any) -> None:
        if hdlr in self.handlers:
            self.handlers.remove(hdlr)

    def addFilter(self, filter: Any) -> None:  # noqa: A002  (as the real one)
        if filter not in self.filters:
            self.filters.append(filter)

    def removeFilter(self, filter: Any) -> None:  # noqa: A002
        if filter in self.filters:
            self.filters.remove(filter)

    def __repr__(self) -> str:
        return f"<Logger {self.name} ({logging.getLevelName(self.getEffectiveLevel())})>"


class NewLogger(Logs):
    """A logger that a thread is the first to get: what becomes of its messages another one says,
    until somebody asks for more of it. Then it is there from the beginning, as it is in Python.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    def known(self) -> Logger:
        return _nearest(self.name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._made(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._made(), name, value)

    def _made(self) -> Logger:
        return _meaning(logging.getLogger(self.name))


new_logger = functools.cache(NewLogger)
"""The one of a name."""

register_immutable(NewLogger, lambda _, it: (NewLogger, it.name), lambda _, key: new_logger(key[1]))


def _runs_nothing(handler: Any) -> bool:
    return isinstance(handler, SilentHandler) and handler.runs_nothing


@stepwise
def logged(
    logger: Logs, level: int, message: object, args: tuple[Any, ...], how: Mapping[str, Any]
) -> None:
    """What becomes of a message."""
    known = logger.known()
    if known.has_own_records:
        _refuse_records()
    if not logger.isEnabledFor(level):
        return
    if known.is_heard or known.waiting:
        known.handle(record_of(logger.name, level, message, args, **how))
    else:
        put_together(message, _given(args))


def _refuse_records() -> None:
    current_port().halt(
        ModelError(
            "this logs, and logging.setLogRecordFactory() has been called",
            remedy="make what is logged in a filter, a formatter or a LoggerAdapter",
        )
    )


def _given(args: Any) -> Any:
    """What a message is put together with. After `LogRecord.__init__`."""
    is_by_name = len(args) == 1 and isinstance(args[0], Mapping) and args[0]
    return args[0] if is_by_name else args


def get_logger(name: str | None = None) -> Logs:
    """`logging.getLogger`."""
    if not name or name == "root":
        return _nearest("")
    found: Any = logging.Logger.manager.loggerDict.get(name)
    return _meaning(found) if isinstance(found, logging.Logger) else new_logger(name)


def _nearest(name: str) -> Logger:
    """The logger of that name, or the nearest one above it."""
    while name:
        found: Any = logging.Logger.manager.loggerDict.get(name)
        if isinstance(found, logging.Logger):
            return _meaning(found)
        name = name.rpartition(".")[0]
    return _meaning(logging.root)


def _meaning(real: logging.Logger) -> Logger:
    found: Logger = current_port().meaning(real, f"logging.getLogger({real.name!r})")
    return found


_INSIDE = frozenset({*vars(logging.Logger("any")), "manager"})
"""The attributes of real ones."""


def capture_logger(walk: Any, real: logging.Logger, path: str) -> Any:
    """What stands for a logger that was there before the threads."""
    handlers = real.handlers
    if any(map(is_ignored, handlers)):
        handlers = [each for each in handlers if not is_ignored(each)]
    own = {name: value for name, value in vars(real).items() if name not in _INSIDE}
    attributes = {
        **own,
        "name": real.name,
        "level": real.level,
        "parent": real.parent,
        "propagate": real.propagate,
        "disabled": real.disabled,
        "handlers": handlers,
        "filters": real.filters,
        "off_below": logging.Logger.manager.disable,
        "last_resort": walk.visit(logging.lastResort, "logging.lastResort"),
        "has_own_records": logging.getLogRecordFactory() is not logging.LogRecord,
        "waiting": walk.knows(WAITING),
    }
    return walk.in_place(Logger, real, path, attributes)
