"""Where the contexts of threads are: the values of their context variables."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from interleave.memory.identity import ThreadId
from interleave.memory.port import CONTEXTS, Location
from interleave.program.heap import Heap
from interleave.program.threads import ThreadInstance


def add_contexts(
    heap: Heap,
    threads: Sequence[ThreadInstance],
    written: Collection[str],
    body: ThreadId | None,
) -> dict[ThreadId, Location]:
    """Add a location to `heap` for each thread, where some code has context variables.

    A thread begins with none. The process of a model, and the tasks in it, have what `setup` has
    left in the main thread; so has a process that `fork` starts, and the thread that is the `body`
    of a script or test.
    """
    main = heap.main_context
    if main is None and CONTEXTS not in written:
        return {}
    from interleave.stdlib.contextvars import Running, ThreadContext

    found = {}
    for thread in threads:
        made = heap.add("", ThreadContext, Running())
        found[thread.number] = made.location
        begins_new = thread.kind.new_context and thread.number != body
        if main is not None and thread.room is None and not begins_new:
            heap.begin_as(made.location, main._location)
    return found
