"""The `logging` module: code that logs runs in a model, and nothing is logged."""

from __future__ import annotations

import logging
from dataclasses import dataclass


def _silent(*_: object, **__: object) -> None:
    """What becomes of a message."""


@dataclass(frozen=True)
class Logger:
    """Stands for every `logging.Logger`."""

    debug = info = warning = error = critical = exception = log = staticmethod(_silent)

    def isEnabledFor(self, level: int) -> bool:
        """No message of any level goes anywhere."""
        return False


def get_logger(name: str | None = None) -> Logger:
    """`logging.getLogger`."""
    return Logger()


FUNCTIONS = {
    **dict.fromkeys(("debug", "info", "warning", "error", "critical", "exception", "log"), _silent),
    "getLogger": get_logger,
}
PRIMITIVES: dict[type, type] = {}
INSTANCES: dict[type, object] = {logging.Logger: Logger()}
