"""What an event loop has to run: the handles that are ready, and the timers.

A handle of the real loop is a task, whose next step is ready, or a callback with its arguments.
Each fact that a step depends on is at a place of its own, so that there are few cases to learn: who
waits for a turn looks at the first handle only, and who joins the queue at the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from interleave.memory.bag import Bag
from interleave.memory.primitive import Primitive
from interleave.memory.values import Freezer, Key

Handle = Any
"""A task, whose next step is ready; or a callback, with its arguments."""


class Place(Primitive):
    """A value of the loop's own, which no report shows."""


Make = Callable[[Any], Place]
"""Makes a place that holds a value in the beginning."""


class Handles:
    """Callbacks in no order."""

    def __init__(self, make: Make) -> None:
        self._all = make(Bag())

    def next_ones(self) -> list[Handle]:
        """The handles that may be next, without those that are equal to another."""
        return list({_key(each): each for each in self._all.state}.values())

    def is_next(self, handle: Handle) -> bool:
        """Whether a handle may be next."""
        return True

    def clear(self) -> None:
        """None any more."""
        self._all.state = Bag()

    def add(self, handle: Handle) -> None:
        """One more."""
        self._all.state = self._all.state.plus(handle)

    def remove(self, handle: Handle) -> bool:
        """One less, if it is there. Gives whether it was."""
        handles = self._all.state
        for place, each in enumerate(handles):
            if same(each, handle):
                self._all.state = Bag((*handles[:place], *handles[place + 1 :]))
                return True
        return False


After = tuple[Handle, ...]
"""What comes next in a queue, as a tuple of one; () at its end."""


class Queue:
    """Handles in the order in which they became ready, as a linked list.

    Each handle has a link: what comes after it, each time that it is in the queue, in order. There
    is room for so many `links`; where more handles are met, `more` has the search begin again.
    """

    def __init__(
        self, make: Make, handles: Sequence[Handle], *, links: int, more: Callable[[], Any]
    ) -> None:
        self._numbers = {_key(each): number for number, each in enumerate(handles)}
        self._more = more
        self._first = make(tuple(handles[:1]))
        self._last = make(tuple(handles[-1:]))
        self._links = [make((tuple(handles[at:][:1]),)) for at in range(1, len(handles) + 1)]
        self._links += [make(()) for _ in range(links - len(handles))]

    def next_ones(self) -> list[Handle]:
        """The first one, if there is any."""
        return list(self._first.state)

    def is_next(self, handle: Handle) -> bool:
        """Whether a handle is the first one."""
        return any(same(each, handle) for each in self._first.state)

    def clear(self) -> None:
        """None any more."""
        while first := self._first.state:
            self.remove(first[0])

    def add(self, handle: Handle) -> None:
        """One more, at the end."""
        after: After = (handle,)
        last = self._last.state
        if last:
            self._link(last[0]).state = (*self._link(last[0]).state[:-1], after)
        else:
            self._first.state = after
        self._link(handle).state = (*self._link(handle).state, ())
        self._last.state = after

    def remove(self, handle: Handle) -> bool:
        """One less, the first of those that are the same, if there is any. Gives whether it was."""
        link = self._link(handle)
        if not link.state:
            return False
        after, *others = link.state
        before = self._before(handle)
        if not before:
            self._first.state = after
        if not after:
            self._last.state = before[-1:]
        for each in before[-1:]:
            afters = [*self._link(each).state]
            afters[sum(same(one, each) for one in before) - 1] = after
            self._link(each).state = tuple(afters)
        link.state = tuple(others)
        return True

    def _before(self, handle: Handle) -> tuple[Handle, ...]:
        """All that come before a handle that is in the queue."""
        before: list[Handle] = []
        (present,) = self._first.state
        while not same(present, handle):
            times = sum(same(each, present) for each in before)
            before.append(present)
            (present,) = self._link(present).state[times]
        return tuple(before)

    def _link(self, handle: Handle) -> Place:
        number = self._numbers.setdefault(_key(handle), len(self._numbers))
        return self._links[number] if number < len(self._links) else self._more()


def _key(handle: Handle) -> Key:
    """What a handle is compared by: to compare shared lists would be an access."""
    return Freezer().freeze(handle)


def same(one: Handle, other: Handle) -> bool:
    """Whether two handles are the same to the loop."""
    return _key(one) == _key(other)
