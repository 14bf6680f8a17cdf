"""Records of logged messages, after `logging.LogRecord`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from os.path import basename, splitext
from types import FrameType
from typing import Any

from interleave.errors import ModelError
from interleave.memory.calling import is_of_machine
from interleave.memory.identity import ThreadIdent
from interleave.memory.port import current_port
from interleave.memory.primitive import stepwise
from interleave.stdlib.sys import handled
from interleave.world.policy import OURS
from interleave.world.reflection import Ordinary
from interleave.world.refusal import Refused


def _refused(name: str) -> Refused:
    return Refused(
        ModelError(
            f"{name} of a record that is logged has no modelled counterpart",
            remedy="leave it out of what is made of the record",
        )
    )


_OF_PLACE = ("pathname", "filename", "module", "lineno", "funcName")
_REFUSED = {
    name: _refused(name)
    for name in (
        *_OF_PLACE, "created", "msecs", "relativeCreated", "process", "stack_info",
        *(["taskName"] if sys.version_info >= (3, 12) else []),
    )
}  # fmt: skip
"""What a record says of the clock and of the process, which no state has."""


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
        sinfo: Any = None,
        **_: object,
    ) -> None:
        if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]
        port = current_port()
        facts = {
            "name": name,
            "msg": msg,
            "args": args,
            "levelname": logging.getLevelName(level),
            "levelno": level,
            **_REFUSED,
            **_of_place(pathname, lineno, func),
            "exc_info": exc_info,
            "exc_text": None,
            "stack_info": sinfo,
            "thread": ThreadIdent.of(port.thread),
            "threadName": port.thread_object().name,
            "processName": port.process or "MainProcess",
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


def _of_place(pathname: str | None, lineno: Any, function: Any) -> dict[str, Any]:
    """What a record says of where the call is; nothing where that is not known."""
    if pathname is None:
        return {}
    file = basename(pathname)
    return dict(zip(_OF_PLACE, (pathname, file, splitext(file)[0], lineno, function), strict=True))


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
    stack = _REFUSED["stack_info"] if stack_info else None
    file, line, function = _caller(stacklevel)
    made = LogRecord(name, level, file, line, message, args, exc_info, function, stack)
    for key in extra or ():
        if key in ("message", "asctime") or key in vars(made):
            raise KeyError(f"Attempt to overwrite {key!r} in LogRecord")
        setattr(made, key, extra[key])  # type: ignore[index]
    return made


def _caller(level: int) -> tuple[str | None, int, str]:
    """Where the call is: after `Logger.findCaller`. Not known in code that runs as a whole."""
    calls = [each for each in current_port().callers() if each[0] != logging.__file__]
    if not calls or _runs_as_a_whole():
        return None, 0, ""
    return calls[-min(level, len(calls))] if level > 0 else calls[-1]


def _runs_as_a_whole() -> bool:
    """Whether code of the model's has called this that is not run block by block."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_of_machine(frame.f_code):
        if not frame.f_code.co_filename.startswith(OURS):
            return True
        frame = frame.f_back
    return False
