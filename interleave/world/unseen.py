"""Code that users say is pure: it runs as it is, and must come by nothing that a model changes.

What it reads are the real objects. These never change during a search: what threads make of them is
in what stands for them, and so what such code reads would be what was there at the beginning.
"""

from __future__ import annotations

import gc
import types
from collections.abc import Iterable, Iterator
from typing import Any

from interleave import stdlib
from interleave.memory.primitive import Primitive
from interleave.world.reachable import reachable_and_names
from interleave.world.snapshot import Snapshot, path_of
from interleave.world.world import World


class Unseen:
    """Knows what the threads of one program change, and what setup changes in what was there.

    `changing` is what stands for objects that threads change, `before` what everything was like.
    """

    def __init__(self, world: World, changing: Iterable[object], before: Snapshot) -> None:
        self._world = world
        self._before = before
        self._changing = {*map(id, changing)}

    def read_by(self, code: types.CodeType, *, takes_locks: bool = False) -> str | None:
        """What code could read that is not what threads see: where it is, and why; None if none.

        `takes_locks`: what it has of locks of its own is not asked.
        """
        # A frame does not tell the function that it is of, whose cells and defaults count.
        functions = [it for it in gc.get_referrers(code) if type(it) is types.FunctionType]
        records, names = reachable_and_names(functions)
        for record in records:
            reasons = self._reasons(record.it, names, takes_locks=takes_locks)
            if (why := next(reasons, None)) is not None:
                return f"{path_of(record)}{why}".lstrip(".")
        return None

    def _reasons(self, it: Any, names: set[str], *, takes_locks: bool) -> Iterator[str]:
        stand_in = self._world.stand_in_of(it)
        is_lock = not takes_locks and stdlib.primitive_class(it) is not None
        if isinstance(stand_in, Primitive) or is_lock:
            yield ", which is modelled elsewhere"
        if stand_in is not None and id(stand_in) in self._changing:
            yield ", which threads change"
        written = self._world.variables_written_in(it)
        if isinstance(it, types.CellType) and written:
            yield ", which threads change"
        if found := sorted(names.intersection(written)):
            yield f".{found[0]}, which threads change"
        if self._before.has_put_back(it):
            yield ", which setup changes"
