"""The `logging` module, after docs.python.org/3.12/library/logging.html."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Any

from interleave.stdlib.logging import handlers, loggers
from interleave.stdlib.logging.records import LogRecord, make_record


def _basic_config(**options: Any) -> None:
    """`logging.basicConfig` of a running thread: what it makes of its own writes nothing."""
    root: Any = loggers.get_logger().known()
    if not [*root.handlers]:
        for each in options.get("handlers") or ():
            root.addHandler(each)
        if options.get("level") is not None:
            root.setLevel(options["level"])


_TIME = time.struct_time((2100, 1, 1, 0, 0, 0, 4, 1, 0))


def _format_time(formatter: Any, _: object, datefmt: str | None = None) -> str:
    """`Formatter.formatTime`: all that is logged is logged at one time."""
    if datefmt:
        return time.strftime(datefmt, _TIME)
    text = time.strftime(formatter.default_time_format, _TIME)
    milliseconds = formatter.default_msec_format
    return milliseconds % (text, 0) if milliseconds else text


def _format_exception(_: object, info: tuple[Any, Any, Any]) -> str:
    """`Formatter.formatException`: no exception of a model has a traceback."""
    return "".join(traceback.format_exception_only(*info[:2])).rstrip("\n")


def _nothing(*_: object) -> None:
    """What is of use to nobody in a model."""


_ROOT = loggers.new_logger("root")

FUNCTIONS: dict[str, Any] = {
    **{
        name: getattr(_ROOT, name)
        for name in ("debug", "info", "warning", "warn", "error", "critical", "fatal", "exception",
                     "log")
    },
    "getLogger": loggers.get_logger,
    "basicConfig": _basic_config,
    "LogRecord": LogRecord,
    "makeLogRecord": make_record,
    "formatException": _format_exception,
    "formatTime": _format_time,
    "handleError": _nothing,
    **dict.fromkeys(
        ("_acquireLock", "_releaseLock", "_addHandlerRef", "_register_at_fork_reinit_lock"),
        _nothing,
    ),
}  # fmt: skip
PRIMITIVES: dict[type, type] = {}


def capturing(real: Any) -> Callable[..., Any] | None:
    """What makes the stand-in of a logger, and of a handler that writes to where nobody looks."""
    if isinstance(real, logging.Logger):
        return loggers.capture_logger
    is_silent = isinstance(real, logging.Handler) and handlers.is_silent(real)
    return handlers.capture_silent if is_silent else None
