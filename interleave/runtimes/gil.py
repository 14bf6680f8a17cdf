"""CPython with a global interpreter lock, which a thread gives up at known places only.

See `interleave.machine.switching` for these places. As one thread runs at a time, no two accesses
happen at once, and there are no data races.
"""

from __future__ import annotations

from interleave.runtimes.base import Runtime

GIL = Runtime("gil", global_lock=True)
