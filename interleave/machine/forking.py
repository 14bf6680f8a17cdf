"""What `fork` does, in the step of a thread that starts a process: it copies what its process has.

The copies of what `setup` has left behind have places of their own, of which those are taken over
that the child looks at. What threads have made is copied into rooms of its own, as far as the child
can come by it. In the child, the thread that has called `fork` goes on as its main thread, under
the number that it has here: what it holds, or has for itself, the main thread has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from interleave.machine.making import Making
from interleave.machine.places import Places
from interleave.memory.identity import ThreadId, ThreadIdent
from interleave.memory.port import current_port
from interleave.memory.values import Freezer, Key, Shared, Thawer, order_of
from interleave.program import Program, ThreadInstance, Written

T = TypeVar("T")


class Fork:
    """One fork: `parent` is the thread that calls it, `child` the main thread of what begins."""

    def __init__(
        self,
        program: Program,
        parent: ThreadInstance,
        child: ThreadInstance,
        places: Places,
        making: Making,
    ) -> None:
        self._program = program
        self._heap = program.heap
        self._parent = parent
        self._child = child
        self._places = places
        self._making = making
        self._copies: dict[int, Any] = {}

    def copy(self, given: T) -> T:
        """Copy the memory of the process. Gives what the child is given, as the child has it.

        Raises `Written` where the parent itself has not taken over what the child looks at.
        """
        places, values = self._places, self._heap.values
        for source, copy in self._program.forks[self._child.process]:
            if source.lacks_fork:
                raise Written(source.at_fork)  # type: ignore[attr-defined]
            value = values.id_of(self._copied(values[places.at(source.index)]))
            if places.at(copy.index) != value:
                places.written[copy.index] = value
        for each in current_port().holding():
            each.forked(self._parent.process, self._child.process)
        contexts = self._program.contexts
        if contexts:
            mine, its = contexts[self._parent.number], contexts[self._child.number]
            context = values[places.at(mine.index)]
            places.written[its.index] = values.id_of(self._copied(context))
        return self._copied(given)

    def _copied(self, value: T) -> T:
        key = _InChild(self._parent.number, self._child.number, self._stand_in).freeze(value)
        copied: T = Thawer(self._heap.stand_in).thaw(key)
        return copied

    def _stand_in(self, shared: Any) -> Any:
        """What stands in the child for a shared object."""
        if not self._heap.is_made(shared) or type(shared)._between_processes:
            return shared
        return self._making.copy(shared, self._copies, self._copied)


class _InChild(Freezer):
    """Freezes a value as the child has it."""

    def __init__(self, parent: ThreadId, child: ThreadId, stand_in: Any) -> None:
        super().__init__()
        self._threads = {parent: child}
        self._idents = {ThreadIdent.of(parent): ThreadIdent.of(child)}
        self._stand_in = stand_in

    def freeze(self, value: Any) -> Key:
        kind = type(value)
        if kind is ThreadId:
            value = self._threads.get(value, value)
        elif kind is ThreadIdent:
            value = self._idents.get(value, value)
        elif issubclass(kind, Shared):
            value = self._stand_in(value)
        return super().freeze(value)

    def _elements(self, elements: Iterable[Any]) -> tuple[Key, ...]:
        return tuple(sorted([self.freeze(each) for each in elements], key=order_of))
