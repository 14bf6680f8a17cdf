"""What a thread has put into queues whose feeders copy it some time later."""

from __future__ import annotations

from typing import Any

from interleave.memory.values import Freezer, Key, Uncapturable


class Unsent:
    """A mutable value of a thread's own that it has put into a queue, as it was then."""

    __slots__ = ("_before", "queue", "value")

    def __init__(self, queue: Any, value: object) -> None:
        self.queue = queue
        self.value = value
        self._before = _key(value)

    @property
    def is_changed(self) -> bool:
        """Whether it is no more what it was."""
        return _key(self.value) != self._before

    def is_as(self, other: Unsent) -> bool:
        """Whether the other one is the same value in the same queue."""
        return self.value is other.value and self.queue is other.queue


def unsent_in(queue: Any, message: object) -> list[Unsent]:
    """Each mutable value in what a thread has put into a queue."""
    parts = _Parts()
    parts.freeze(message)
    return [Unsent(queue, part) for part in parts.found]


class _Parts(Freezer):
    """Finds the mutable values in one."""

    def __init__(self) -> None:
        super().__init__(mutable=True)
        self.found: list[object] = []

    def _freeze_mutable(self, kind: type, value: Any) -> Key:
        if id(value) not in self.seen():
            self.found.append(value)
        return super()._freeze_mutable(kind, value)


def _key(value: object) -> Key | None:
    try:
        return Freezer(mutable=True).freeze(value)
    except Uncapturable:
        return None
