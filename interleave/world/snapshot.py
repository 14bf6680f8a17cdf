"""What the code of a model can name, as it was: compared by identity and contents, and put back.

During a search threads have what stands for real objects, and the real ones never change. What
changes all the same was changed unseen.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from interleave.errors import MODEL_FILES
from interleave.records import dataclass
from interleave.world.homes import (
    ABSENT,
    CLASS_NAME,
    Home,
    changes,
    derives,
    key_of,
    members,
    put_in_place,
    shown,
)
from interleave.world.plans import CELL, NAMES_OF_CLASS, NAMES_OF_MODULE
from interleave.world.reachable import Record, reachable_and_names
from interleave.world.watched import home as home_of_watched

Found = TypeVar("Found")


@dataclass(frozen=True)
class Difference:
    """One thing that is not what it was: where, and both as Python writes them, shortened."""

    where: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.where} was {self.was} and is {self.now}"


class Snapshot:
    """Everything that code can name from some roots on: classes, modules and functions.

    Of a root, everything; of other modules and classes, what has a name that some function has in
    it. Standard modules that are modelled or pure are not gone into, and no more is interleave.
    """

    def __init__(self, roots: Iterable[object] = ()) -> None:
        found, self.names = reachable_and_names(roots)
        self._records = [each for each in found if not each.home.is_fixed]
        self._put_back: set[int] = set()
        self._replaced: list[tuple[Any, Any]] = []
        """Objects that could not be put back, each with what has taken its place."""

    def add(self, it: Any, *homes: Home) -> None:
        """Look at some homes of one more object, and at nothing that can be reached from it."""
        self._records += [Record(it, home, home.read(it), None) for home in homes]

    @property
    def records(self) -> Sequence[Record]:
        """What is in each home, in the order in which they were found."""
        return self._records

    def __len__(self) -> int:
        """How many homes are looked at."""
        return len(self._records)

    @property
    def is_unchanged(self) -> bool:
        """Whether everything is as it was."""
        return not any(record.differs for record in self._records)

    def changed(self, *more: Snapshot) -> Snapshot:
        """The part of it, and of others, that is not as it was, as a snapshot of its own."""
        part = Snapshot()
        for snapshot in (self, *more):
            part._records += [each.copy() for each in snapshot._records if each.differs]
        return part

    def begin_again(self) -> None:
        """Put back what can be put back, and take what cannot for what it is now."""
        for record in self._records:
            record.put_back()
            if record.differs:
                record.contents = record.home.read(record.it)

    def rebound(self) -> Iterator[tuple[object, str]]:
        """The variables of modules, classes and cells that have another value: whose, and which.

        Of a module it is its dictionary; the one variable of a cell has no name here.
        """
        for record in self._records:
            if record.home in (NAMES_OF_MODULE, NAMES_OF_CLASS, CELL) and record.differs:
                now = record.home.read(record.it)
                for key, _, _ in changes(record.contents, now, ordered=record.home.ordered):
                    yield record.it, str(key) if record.home is not CELL else ""

    def differences(self) -> list[Difference]:
        """What is not as it was."""
        return [each for record in self._records if record.differs for each in _describe(record)]

    def restore(self) -> list[Difference]:
        """Put everything back as it was. What cannot be put back is returned.

        Where an iterator has moved on, one that stands where it stood takes its place.
        """
        changed = [record for record in self._records if record.differs]
        if not changed:
            return []
        for record in changed:
            self._put_back.add(id(record.it))
            record.put_back()
            if record.differs:
                self._replace(record)
        return self.differences()

    def with_replaced(self, known: Mapping[int, Found]) -> dict[int, Found]:
        """What is known of objects, by id; and of what has taken the place of one of them."""
        found = {**known}
        for it, made in self._replaced:
            if id(it) in found:
                found[id(made)] = found[id(it)]
        return found

    def in_place_of(self, it: Any) -> Any:
        """What has taken the place of an object by now; itself, where nothing has."""
        for each, made in self._replaced:
            if each is it:
                it = made
        return it

    def has_put_back(self, it: object) -> bool:
        """Whether an object has been put back, once or more often."""
        return id(it) in self._put_back

    def _replace(self, record: Record) -> None:
        made = record.home.copied(record.contents)
        if made is None:
            return
        replaced = [(record.it, made)]
        for each in self._records:
            for held in members(each.contents):
                if type(held) is types.MethodWrapperType and held.__self__ is record.it:
                    replaced.append((held, getattr(made, held.__name__)))
        holders: dict[int, Record] = {}
        for each in self._records:
            for old, new in replaced:
                if put_in_place(each.contents, old, new):
                    holders[id(each)] = each
        if holders:
            self._replaced += replaced
            record.begin_with(made, home_of_watched(type(made)) or record.home)
            for each in holders.values():
                each.home.write(each.it, each.contents)


def _describe(record: Record) -> Iterator[Difference]:
    path = path_of(record)
    if type(record.it) is not record.kind:
        yield Difference(f"{path}.__class__", shown(record.kind), shown(type(record.it)))
    home = record.home
    for key, was, now in changes(record.contents, home.read(record.it), ordered=home.ordered):
        label = "" if key is ABSENT else home.label(key)
        where = f"{path}{label}".lstrip(".")
        yield Difference(where, shown(was), shown(now))


def path_of(record: Record) -> str:
    """How code can come to what a record is of."""
    labels: list[str] = []
    here: Record | None = record
    while here is not None:
        name = _absolute_name(here)
        if name is not None:
            labels.append(name)
            break
        parent = here.parent
        if parent is not None:
            labels.append(parent.home.label(key_of(parent.contents, here.it)))
        here = parent
    if len(labels) > _LONGEST_PATH:
        labels[_LONGEST_PATH - 1 : -1] = ["..."]
    return "".join(reversed(labels)).lstrip(".")


_LONGEST_PATH = 8
_MODEL_FILES = (MODEL_FILES, "__main__")


def _absolute_name(record: Record) -> str | None:
    """What to call an object wherever it is; None for one that is called by where it is."""
    it = record.it
    if record.home is NAMES_OF_MODULE:
        name = str(it.get("__name__"))
        # A model file says `log` for what is in it; what stands in others has their name.
        return "" if name.startswith(_MODEL_FILES) else name
    if record.kind is types.FunctionType:
        return str(it.__qualname__)
    if derives(record.kind, type):
        return CLASS_NAME(it)
    if record.parent is not None:
        return None
    return "" if record.home.names_itself else shown(it)
