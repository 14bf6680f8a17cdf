"""The `sys` module: `exit`, which ends the thread that calls it, as in CPython, `exc_info`,
`exception`, and `modules`.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from interleave.errors import ModelError
from interleave.memory.calling import call
from interleave.memory.port import current_port

_CHANGED = ModelError(
    "sys.modules is changed",
    remedy="import at the top of the file, and keep what changes in a dict of your own",
)


class Modules:
    """`sys.modules`: modules that are followed are what they stand for."""

    def __getitem__(self, name: str) -> Any:
        return current_port().meaning(sys.modules[name], name)

    def __contains__(self, name: object) -> bool:
        return name in sys.modules

    def __setitem__(self, name: str, module: object) -> None:
        current_port().halt(_CHANGED)

    def __delitem__(self, name: str) -> None:
        current_port().halt(_CHANGED)

    def get(self, name: str, default: Any = None) -> Any:
        """The module of that name, if it was imported."""
        return self[name] if name in sys.modules else default


def exc_info() -> tuple[Any, Any, Any]:
    """`sys.exc_info`; no exception of a model has a traceback."""
    error = _handled_in(sys._getframe(1).f_code)
    return (None, None, None) if error is None else (type(error), error, None)


def exception() -> BaseException | None:
    """`sys.exception`."""
    return _handled_in(sys._getframe(1).f_code)


def _handled_in(caller: CodeType) -> BaseException | None:
    return current_port().handled(None if caller is call.__code__ else caller)


def handled() -> BaseException | None:
    """The exception that is being handled: by code that runs as a whole, or by the thread."""
    return sys.exc_info()[1] or current_port().handled(None)


FUNCTIONS = {"exit": sys.exit, "exc_info": exc_info, "exception": exception}
ATTRIBUTES = {"modules": Modules()}
PRIMITIVES: dict[type, type] = {}
