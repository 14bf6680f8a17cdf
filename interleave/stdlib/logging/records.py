"""Records of logged messages, after `logging.LogRecord`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.primitive import stepwise
from interleave.stdlib.sys import handled
from interleave.world.reflection import Ordinary
from interleave.world.refusal import Refused


def _refused(name: str) -> Refused:
    return Refused(
        ModelError(
            f"{name} of a record that is logged has no modelled counterpart",
            remedy="leave it out of what is made of the record",
        )
    )


_NO_FACTS = {
    name: _refused(name)
    for name in (
        "pathname", "filename", "module", "lineno", "funcName", "created", "msecs",
        "relativeCreated", "thread", "process", "processName",
        *(["taskName"] if sys.version_info >= (3, 12) else []),
    )
}  # fmt: skip
"""What a record says of the clock, of the process and of the place: nothing that a state has."""


class LogRecord(Ordinary):
    """`logging.LogRecord`."""

    name: str
    levelno: int
    msg: Any
    args: Any

    def __init__(
        self,
        name: Any,
        level: Any,
        pathname: Any,
        lineno: Any,
        msg: Any,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        sinfo: str | None = None,
        **_: object,
    ) -> None:
        if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]
        facts = {
            "name": name,
            "msg": msg,
            "args": args,
            "levelname": logging.getLevelName(level),
            "levelno": level,
            **_NO_FACTS,
            "exc_info": exc_info,
            "exc_text": None,
            "stack_info": sinfo,
            "threadName": current_port().thread_object().name,
        }
        for fact, value in facts.items():
            setattr(self, fact, value)

    @stepwise
    def getMessage(self) -> str:
        message = str(self.msg)
        if self.args:
            message = message % self.args
        return message

    def __repr__(self) -> str:
        return f'<LogRecord: {self.name}, {self.levelno}, "{self.msg}">'


def make_record(values: Mapping[str, Any]) -> LogRecord:
    """`logging.makeLogRecord`."""
    made = LogRecord(None, None, "", 0, "", (), None)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def record_of(
    name: str,
    level: int,
    message: object,
    args: tuple[Any, ...],
    exc_info: Any = None,
    extra: Mapping[str, Any] | None = None,
    stack_info: bool = False,
    stacklevel: int = 1,
) -> LogRecord:
    """What a logger makes of a call. Raises `KeyError` for what `extra` may not say."""
    if exc_info and not isinstance(exc_info, tuple):
        error = exc_info if isinstance(exc_info, BaseException) else handled()
        exc_info = (None, None, None) if error is None else (type(error), error, None)
    sinfo: Any = _refused("stack_info") if stack_info else None
    made = LogRecord(name, level, None, None, message, args, exc_info, sinfo=sinfo)
    for key in extra or ():
        if key in ("message", "asctime") or key in vars(made):
            raise KeyError(f"Attempt to overwrite {key!r} in LogRecord")
        setattr(made, key, extra[key])  # type: ignore[index]
    return made
