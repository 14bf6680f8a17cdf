"""The runtimes that a model can be checked under, and the kinds of thread that have them.

One file each. `KINDS` lists those that the package has decorators for. A kind of thread of somebody
else's needs no place in it: it names its runtimes itself (see docs/extending.md).
"""

from collections.abc import Collection

from interleave.runtimes.asyncio import TASK
from interleave.runtimes.base import Language, Races, Runtime, Scope, ThreadKind, Words
from interleave.runtimes.free_threaded import THREAD
from interleave.runtimes.go import GOROUTINE
from interleave.runtimes.process import PROCESS

__all__ = [
    "ASKED_FOR",
    "DEFAULT",
    "KINDS",
    "NAMED",
    "Language",
    "Races",
    "Runtime",
    "Scope",
    "ThreadKind",
    "Words",
    "runtimes_of",
]

KINDS = (THREAD, TASK, PROCESS, GOROUTINE)
"""The kinds of thread."""

NAMED = {runtime.name: runtime for kind in KINDS for runtime in kind.runtimes}
"""Their runtimes, by name."""

ASKED_FOR = tuple(runtime.name for runtime in THREAD.runtimes)
"""The names of the runtimes that can be asked for, the default first."""

DEFAULT = THREAD.runtimes[0]
"""The runtime of plain threads."""


def runtimes_of(kinds: Collection[ThreadKind]) -> tuple[Runtime, ...]:
    """The runtimes that threads of these kinds can be checked under, the default first."""
    alone = next(iter(kinds)) if len({*kinds}) == 1 else THREAD
    return alone.runtimes or THREAD.runtimes
