"""Functions of the kernel, as Python calls them.

What each gets is written into one block of 64-bit words: a number as it is, of an array where it
begins and how long it is, of a named tuple what is in it. Which machine code that is for depends on
the types of the arrays: it is loaded, or compiled, when a function is first called with such.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from array import array
from typing import Any

import numpy as np

from interleave.engine.native import objects
from interleave.engine.native.compiling import announced

MOST_RESULTS = 16
"""Words that a function leaves in the block at most."""

unkept: set[str] = set()
"""Functions that had to be compiled, and could not be kept for the next run."""

_loading = threading.RLock()


class Entry:
    """A function of the kernel, by its module in `native.compiled` and its name there.

    It gives nothing, a number, or some numbers. It does not hold the interpreter's lock.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._known: dict[str, objects.Call] = {}

    def __call__(self, *arguments: Any) -> Any:
        words: list[int] = []
        kinds = "".join([_flatten(each, words) for each in arguments])
        call = self._known.get(kinds) or self._load(kinds, arguments)
        words += [0] * (MOST_RESULTS - len(words))
        block = array("q", words)
        count = ctypes.c_int64()
        call(ctypes.byref(count), None, block.buffer_info()[0])
        if count.value <= 1:
            return block[0] if count.value else None
        return tuple(block[: count.value])

    def _load(self, kinds: str, arguments: tuple[Any, ...]) -> objects.Call:
        """The machine code for arguments of some types, which is loaded, or compiled."""
        with _loading:
            if kinds not in self._known:
                name = f"{self.name}-{objects.name_for(kinds)}"
                kept = objects.find(name)
                call = None if kept is None else objects.load(kept)
                self._known[kinds] = call or self._build(name, arguments)
            return self._known[kinds]

    def _build(self, name: str, arguments: tuple[Any, ...]) -> objects.Call:
        """Compile it, and keep that under a name."""
        with announced():
            building = importlib.import_module("interleave.engine.native.compiled.building")
            made = building.build(self.name, arguments)
        call = objects.load(made)
        assert call is not None
        if not objects.keep(name, made):
            unkept.add(self.name)
        return call


_nothing: Any = (ctypes.c_char * 0).from_buffer
_address_of = ctypes.addressof


def _flatten(argument: Any, words: list[int]) -> str:
    """Add what an argument is to some words. Gives its type: a letter for each array, or a dot."""
    if isinstance(argument, tuple):
        return "".join([_flatten(each, words) for each in argument])
    if isinstance(argument, np.ndarray):
        words.append(_address_of(_nothing(argument)))  # it must be contiguous, and not read-only
        words.append(argument.size)
        return argument.dtype.char
    words.append(int(argument))
    return "."
