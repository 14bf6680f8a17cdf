"""The `itertools` module: all runs as it is but for `cycle`, which a state can hold.

(It can hold `count` too: see `memory.counting`.)
"""

from __future__ import annotations

from typing import Any

from interleave.memory.cursors import Cycle
from interleave.memory.primitive import Primitive

PRIMITIVES: dict[type, type[Primitive]] = {}
FUNCTIONS: dict[str, Any] = {"cycle": Cycle}
