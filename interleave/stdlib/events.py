"""What the events of `threading`, `multiprocessing` and `asyncio` have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from interleave.memory.bag import Bag, Line
from interleave.memory.identity import ThreadId
from interleave.memory.primitive import Primitive


class EventState(NamedTuple):
    """Whether an event is set, and who waits since it was last set: threads, or tasks in line. One
    for which tasks wait may be bound to a loop.
    """

    is_set: bool = False
    waiters: Bag[ThreadId] | Line[Any] = Bag()
    loop: Any = None


class AnyEvent(Primitive):
    """An event, whose state is an `EventState`."""

    _real: ClassVar[Callable[[], Any]]
    """What makes a real one."""
    _unset: ClassVar[Any] = EventState()
    """The state of one that is not set, and that nobody waits for."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return cls._unset._replace(is_set=real.is_set())

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = cls._real()
        if real.is_set():
            made.set()
        return made

    @classmethod
    def content(cls, state: Any) -> object:
        return state.is_set

    @classmethod
    def describe(cls, state: Any) -> str:
        return "set" if state.is_set else "not set"

    def is_set(self) -> bool:
        """Whether it is set."""
        return bool(self.operate("is_set", lambda: self.state.is_set))

    def set(self) -> None:
        """Set it, and wake all who wait, even if it is cleared before they run."""
        self.operate("set", self._raise_flag)

    def _raise_flag(self) -> None:
        """The same, within an access."""
        self.state = self._unset._replace(is_set=True)

    def clear(self) -> None:
        """Set it no longer."""
        self.operate("clear", self._lower_flag)

    def _lower_flag(self) -> None:
        """The same, within an access."""
        self.state = self.state._replace(is_set=False)
