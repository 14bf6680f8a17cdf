"""Tasks of one event loop alone: nothing can come in between but where one awaits.

Whether the threads that tasks start have a global lock can be asked for. Data races are not looked
for: tasks have none.
"""

from __future__ import annotations

from interleave.runtimes.base import Runtime, ThreadKind
from interleave.runtimes.gil import GIL

ASYNCIO = Runtime("asyncio")

TASK = ThreadKind("task", (ASYNCIO, GIL), in_loop=True)

LOOP = ThreadKind("loop", in_loop=True, is_loop=True)
"""What stands for the event loop where something asks for its own code to run."""
