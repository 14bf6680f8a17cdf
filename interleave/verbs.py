"""The verbs of the DSL: `atomic`, `choose`, `section`, `array`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from interleave.errors import ModelError
from interleave.memory.port import AccessKind, current_port
from interleave.records import dataclass

T = TypeVar("T")


@dataclass(frozen=True)
class Atomic:
    """What `atomic()` gives: a context manager."""

    def __enter__(self) -> None:
        port = current_port()
        port.switch_point()
        port.access(AccessKind("atomic"), lambda: None)
        port.begin_atomic()

    def __exit__(self, *_: object) -> None:
        port = current_port()
        port.end_atomic()
        port.switch_point()


def atomic() -> Atomic:
    """`with atomic():` is one step, whatever is in it: no other thread runs in between.

    It is enabled only where it can run through: one that would have to wait inside (for a lock
    that is held) waits before its beginning.
    """
    return Atomic()


@dataclass(frozen=True)
class Section:
    """What `section(name)` gives: a context manager."""

    name: str

    def __enter__(self) -> None:
        port = current_port()
        port.switch_point()
        port.access(AccessKind("enter", part=self.name), lambda: port.enter(self.name))
        port.switch_point()

    def __exit__(self, *_: object) -> None:
        # Leaving is a step only where nothing in the section was: else no state would be inside.
        port = current_port()
        if port.has_just_entered(self.name):
            port.access(AccessKind("leave", part=self.name), lambda: None)
            port.switch_point()


def section(name: str) -> Section:
    """`with section("critical"):` names a critical section. Entering it is a step.

    In a property, `self.inside("critical")` counts the threads in it.
    """
    if not isinstance(name, str):
        raise ModelError(
            f"section({name!r}): the name is not a string", remedy='write section("critical")'
        )
    return Section(name)


MOST_OPTIONS = 1_000_000


def choose(options: Iterable[T]) -> T:
    """One of `options`; every one is explored. A step of its own; in `setup`, an initial state.

    Raises `ModelError` where there is nothing to choose from.
    """
    items = tuple(itertools.islice(options, MOST_OPTIONS + 1))
    if len(items) > MOST_OPTIONS:
        raise ModelError(
            f"choose() has more than {MOST_OPTIONS:,} options", remedy="choose among fewer"
        )
    if not items:
        raise ModelError("choose() has nothing to choose from", remedy="give it one option or more")
    port = current_port()
    # The index and not the option itself: what a thread made must come back as the same object.
    port.switch_point()
    chosen: int = port.access(AccessKind("choose"), lambda: port.choose(items))
    return items[chosen]


class Array(Generic[T]):
    """What `array(values)` gives in a class body or in `setup`."""

    def __init__(self, values: Iterable[T]) -> None:
        self._values = list(values)

    def __getitem__(self, index: int) -> T:
        return self._values[index]

    def __setitem__(self, index: int, value: T) -> None:
        self._values[index] = value

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[T]:
        return iter(self._values)

    def __repr__(self) -> str:
        return f"array({self._values!r})"


def array(values: Iterable[T]) -> Array[T]:
    """A shared array of fixed length, each element a location of its own.

    (A plain list is one location: two threads that change two elements of it touch the same one.)
    """
    return Array(values)
