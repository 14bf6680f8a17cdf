"""Threads that running threads make: found out by running, like what is written."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from interleave.memory.identity import MODEL_PROCESS, ThreadId, ThreadName
from interleave.program.heap import Heap
from interleave.program.loop import add_task
from interleave.program.threads import ThreadInstance
from interleave.records import dataclass
from interleave.stdlib.threads import DAEMON, STARTED, Made, Thread, Worker, call


@dataclass(frozen=True)
class SpawnKey:
    """Threads that can take one another's place: by who makes them, and what they run.

    As each maker has places of its own, states in which two threads have made theirs are the same
    whoever was first. `kind` is the class of the modelled threads, `process` where they run, `name`
    what they are called by. The workers of a pool are made by the pool: anybody may submit a task.
    """

    maker: str
    function: types.FunctionType
    daemon: bool
    kind: type[Any] = Thread
    process: ThreadName = MODEL_PROCESS
    name: str = ""

    def is_like(self, other: SpawnKey) -> bool:
        """Whether the two can take one another's place.

        A function that setup makes is another one in each program.
        """
        return self._facts() == other._facts()

    def _facts(self) -> tuple[object, ...]:
        code = self.function.__code__
        return self.maker, code, self.daemon, self.kind, self.process, self.name


class Spawned:
    """The threads that the running threads of one program can make, and their objects.

    They are added to `threads`, and their objects to `heap`; an event loop, by `add_loop`, which is
    given its name. `written` is what was found out to be written while running.
    """

    def __init__(
        self,
        threads: list[ThreadInstance],
        heap: Heap,
        written: frozenset[str],
        wanted: Mapping[SpawnKey, int],
        add_loop: Callable[[str], Any],
    ) -> None:
        self._threads = threads
        self._heap = heap
        self._written = written
        self._add_loop = add_loop
        self.loops: list[Any] = []
        """The event loops among them."""
        self._objects: list[tuple[SpawnKey, Any]] = []
        """The modelled `Thread` of each, and who makes it."""
        self._made = Counter(thread.name.rpartition("-")[0] for thread in threads if thread.room)
        # Those of each maker in turn. Pools are no threads, and come last.
        makers = [*dict.fromkeys(thread.name for thread in threads)]
        makers += dict.fromkeys(key.maker for key in wanted if issubclass(key.kind, Worker))
        for maker in makers:  # which grows meanwhile
            for key, count in wanted.items():
                for _ in range(count if key.maker == maker else 0):
                    makers.append(self._add(key))

    def __iter__(self) -> Iterator[tuple[SpawnKey, Any]]:
        """The object of each thread, after what it is known by."""
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def of(self, key: SpawnKey) -> list[Any]:
        """The modelled `Thread` objects that one thread can make to run one function."""
        return [made for each, made in self._objects if each.is_like(key)]

    def _add(self, key: SpawnKey) -> str:
        """Add one more thread, and give its name."""
        self._made[key.name] += 1
        name = f"{key.name}-{self._made[key.name]}"
        if key.kind.thread_kind.is_loop:
            loop = self._add_loop(name)
            self.loops.append(loop)
            self._objects.append((key, loop))
            return name
        number = ThreadId(len(self._threads))
        is_task = key.kind.thread_kind.in_loop
        if is_task:
            made = add_task(self._heap, name, number, self._written)
        else:
            made = self._heap.add(name, key.kind)
            made.location.known = self._written
            made.runs, made.default_name = number, ThreadName(name)
            made.daemon_room = key.daemon or made.keeps(DAEMON)
            made.made_in = key.process
            made.in_daemon = any(
                each.daemon_room for _, each in self._objects if each.default_name == key.process
            )
        self._objects.append((key, made))
        self._threads.append(
            ThreadInstance(
                number,
                name,
                name,
                0,
                key.function,
                (),
                key.daemon if is_task else made.daemon_room,
                made,
                ThreadName(name) if key.kind.thread_kind.is_process else key.process,
                key.kind.thread_kind,
                made if is_task else None,
            )
        )
        return name


def add_captured(
    threads: list[ThreadInstance],
    heap: Heap,
    to_flatten: Callable[[Any], tuple[types.FunctionType, tuple[Any, ...]] | None],
) -> None:
    """Add the threads that `setup` has made, of which the objects were captured.

    `to_flatten` is that of the `World`.
    """
    numbers: Counter[str] = Counter()
    for room in heap.stand_ins:
        if not isinstance(room, Thread):
            continue
        made: Made = heap.values[room.location.initial]
        label = room.called(made.target)
        numbers[label] += 1
        name = f"{label}-{numbers[label]}"
        room.runs, room.default_name = ThreadId(len(threads)), ThreadName(name)
        room.daemon_room = room.daemon_room or room.keeps(DAEMON)
        flat = to_flatten(made.target)
        function: Any = call if flat is None else flat[0]
        threads.append(
            ThreadInstance(room.runs, name, name, 0, function, (), room.daemon_room, room)
        )
        if made.phase == STARTED:
            heap.warnings.append(f"setup starts {name}, which begins when setup is over")
