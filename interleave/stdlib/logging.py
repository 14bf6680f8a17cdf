"""The `logging` module: code that logs runs in a model, and nothing is logged.

A message is put together as if its level were one that is logged: the `__str__` and `__repr__` of
what it is about may look at what is shared, and change it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.world import policy
from interleave.world.policy import Treatment


def _silent(message: object, *args: Any, **_: object) -> None:
    """What becomes of a message: nothing, as long as no code of the model's is to get it."""
    _refuse_users()
    try:
        # After `LogRecord.__init__` and `getMessage`.
        given: Any = args
        if len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            given = args[0]
        text = str(message)
        if given:
            text %= given
    except Exception as error:
        # A handler tells of what goes wrong, on standard error, and goes on.
        if type(error).__module__.startswith("interleave."):
            raise


def _silent_of_level(level: int, message: object, *args: Any, **_: object) -> None:
    """The same for what is given the level."""
    _silent(message, *args)


def _refuse_users() -> None:
    """Stop where some handler or filter is code of the model's."""
    manager = logging.Logger.manager
    for logger in (manager.root, *manager.loggerDict.values()):
        names = vars(logger)
        for each in (*names.get("handlers", ()), *names.get("filters", ())):
            if (decision := policy.of_object(each)).treatment is Treatment.FOLLOWED:
                current_port().halt(
                    ModelError(
                        f"a message is given to {decision.name}, which is not run in a model",
                        remedy="leave the handler or filter out, or call it by its name",
                    )
                )


@dataclass(frozen=True)
class Logger:
    """Stands for every `logging.Logger`, and for what adds to its messages."""

    debug = info = warning = error = critical = exception = staticmethod(_silent)
    log = staticmethod(_silent_of_level)

    def __getattr__(self, name: str) -> Any:
        """What a logger has besides is a setting, which threads share."""
        if name.startswith("__"):
            raise AttributeError(f"'Logger' object has no attribute {name!r}")
        error = ModelError(
            f"{name} of a logger has no modelled counterpart",
            remedy="leave it out: nothing is logged in a model",
        )
        return current_port().halt(error)

    def isEnabledFor(self, level: int) -> bool:
        """No message of any level goes anywhere."""
        return False


def get_logger(name: str | None = None) -> Logger:
    """`logging.getLogger`."""
    return Logger()


def get_adapter(logger: Logger, extra: object = None) -> Logger:
    """`logging.LoggerAdapter`, whose own `process` adds what no message shows."""
    return logger


FUNCTIONS = {
    **dict.fromkeys(("debug", "info", "warning", "error", "critical", "exception"), _silent),
    "log": _silent_of_level,
    "getLogger": get_logger,
    "LoggerAdapter": get_adapter,
}
PRIMITIVES: dict[type, type] = {}
INSTANCES: dict[type, object] = dict.fromkeys(
    (logging.Logger, logging.RootLogger, logging.LoggerAdapter), Logger()
)
