"""What conditions of several libraries have in common: a lock that never changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from interleave.memory.primitive import Primitive


class OnLock(Primitive):
    """A condition whose state has its lock, in a field `lock`."""

    _lock_is_called: ClassVar[str] = ".lock"

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return state._replace(lock=visit(state.lock, cls._lock_is_called))

    @property
    def _lock(self) -> Any:
        # It never changes, so that to look at it is no access.
        return self.state.lock
