"""What each process has for itself: private copies of everything that processes do not share.

A process that `fork` starts sees the same objects at the same addresses as its parent, and each of
them in a copy of its own, as it is in the parent at that moment. So it is here: shared objects keep
their stand-ins, and what a location stands for depends on the process that looks (`Port.locate`).
Aliases within a process stay aliases.
Primitives of `multiprocessing` have no copies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from interleave.memory.identity import MODEL_PROCESS, ThreadName
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.program.heap import Heap

Space = Mapping[Location, Location]
"""What stands, in one process, for each location of which it has a copy of its own."""


class PrivateLocation(Location):
    """The copy of a location that one process has."""

    def __init__(self, home: Location, process: ThreadName, number: int) -> None:
        super().__init__(f"{home.name} in {process}", home.owner, home.field, home.group, number)
        self._home = home
        self.shown = home.shown
        self.process = process

    @property
    def at_fork(self) -> str:
        """What is known where some code looks at it that the parent may have written."""
        return f"{self.key}: at the fork"

    @property
    def home(self) -> Location:
        return self._home

    @property
    def key(self) -> str:
        return f"{self.home.key} in {self.process}"


def private_copies(
    heap: Heap,
    process: ThreadName,
    fields: Collection[str],
    written: Collection[str],
    *,
    parent_runs: bool,
) -> Space:
    """Give a process its copies of what `heap` holds; those that it may write get a place.

    `fields` are the names of the attributes that its code assigns, `written` the keys of what was
    found out to be written while running. `parent_runs`: threads of the parent may write what it
    has. Changes `heap`.
    """
    space: dict[Location, Location] = {}
    for home in list(heap.locations):
        if not isinstance(home, PrivateLocation) and not _is_shared(heap, home):
            copy = PrivateLocation(home, process, len(heap.locations))
            copy.constant = home.field not in fields and copy.key not in written
            is_copied = copy.at_fork in written
            copy.lacks_fork = parent_runs and not home.constant and not is_copied
            heap.locations.append(copy)
            _lay_out(heap, copy, is_copied=is_copied)
            space[home] = copy
    return space


def _is_shared(heap: Heap, location: Location) -> bool:
    """Whether all processes have this one location."""
    return bool(type(heap.owner(location))._between_processes)


def copied_at_fork(space: Space, written: Collection[str]) -> list[tuple[Location, Location]]:
    """The locations of the parent, and the copies of a process, that `fork` has to do with."""
    return [
        (home, copy)
        for home, copy in space.items()
        if isinstance(copy, PrivateLocation) and copy.at_fork in written and home.index >= 0
    ]


def _lay_out(heap: Heap, copy: PrivateLocation, *, is_copied: bool) -> None:
    """Give a copy its place in the state, if it needs one, with the values that it begins with."""
    home = copy.home
    column = [home.initial if home.index < 0 else row[home.index] for row in heap.initial]
    copy.initial = column[0] if column else home.initial
    if copy.constant and len(set(column)) <= 1 and not is_copied:
        return
    if copy.constant and home.constant:
        copy.index = home.index  # nobody writes either: they differ with the choices of setup
        return
    copy.index = len(heap.changing)
    heap.changing.append(copy)
    heap.initial = [(*row, value) for row, value in zip(heap.initial, column, strict=True)]


def share_pipes(
    heap: Heap, processes: list[ThreadName], capacity: int | None, *, alone: bool
) -> tuple[Any, ...]:
    """Tell all that holds messages which processes there are, and how much a pipe holds.

    Gives those that the end of a process has to do with. `alone`: the process of the model itself
    runs nothing.
    """
    primitives: list[Any] = [each for each in heap.stand_ins if isinstance(each, Primitive)]
    pipes = [each for each in primitives if hasattr(type(each), "capacity")]
    for each in pipes:
        each.processes, each.capacity = frozenset([MODEL_PROCESS, *processes]), capacity
    return tuple(each for each in pipes if each.notices_ends(alone=alone))
