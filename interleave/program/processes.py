"""What each process has for itself: private copies of everything that processes do not share.

A process that `fork` starts sees the same objects at the same addresses as its parent, and each of
them in a copy of its own, as it is in the parent at that moment. So it is here: shared objects keep
their stand-ins, and what a location stands for depends on the process that looks (`Port.locate`).
Aliases within a process stay aliases.
Primitives of `multiprocessing` have no copies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from interleave.memory.identity import ThreadName
from interleave.memory.port import Location
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
    parent: Space,
    parent_runs: bool,
) -> Space:
    """Give a process its copies of what was captured; those that it may write get a place.

    `fields` are the names of the attributes that its code assigns, `written` the keys of what was
    found out to be written while running. `parent` is what its parent has; `parent_runs`: threads
    of the parent may write that. Changes `heap`.
    """
    space: dict[Location, Location] = {}
    for home in heap.captured:
        if not _is_shared(heap, home):
            copy = PrivateLocation(home, process, len(heap.locations))
            copy.constant = home.field not in fields and copy.key not in written
            is_copied = copy.at_fork in written
            is_as_captured = home.constant and parent.get(home, home).constant
            copy.lacks_fork = parent_runs and not is_as_captured and not is_copied
            heap.locations.append(copy)
            _lay_out(heap, copy, is_copied=is_copied)
            space[home] = copy
    return space


def _is_shared(heap: Heap, location: Location) -> bool:
    """Whether all processes have this one location."""
    return bool(type(heap.owner(location))._between_processes)


def copied_at_fork(
    space: Space, parent: Space, written: Collection[str]
) -> list[tuple[Location, Location]]:
    """The locations of the parent, and the copies of a process, that `fork` has to do with."""
    found = [
        (parent.get(home, home), copy)
        for home, copy in space.items()
        if isinstance(copy, PrivateLocation) and copy.at_fork in written
    ]
    return [(source, copy) for source, copy in found if source.index >= 0 or source.lacks_fork]


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
