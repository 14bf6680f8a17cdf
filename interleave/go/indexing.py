"""`x[i]`, `k in x`, `len(x)` and `for v in x` as Go has them: out of range, and of nil.

Python does not tell the index and the length of what is out of range. So the code of goroutines is
compiled to ask what `indexed` and `contents` give (`compiler.emit`).
"""

from __future__ import annotations

from collections import deque
from operator import index as whole
from typing import Any

from interleave.go.failing import is_nil, nil_map, out_of_range
from interleave.memory.containers import SharedArray, SharedContainer, SharedDeque, SharedList

_SEQUENCES = frozenset(
    {list, tuple, str, bytes, bytearray, range, deque, SharedArray, SharedDeque, SharedList}
)


def indexed(value: Any) -> Any:
    """What stands for `value` in `value[i]`."""
    if is_nil(value):
        return _NIL
    return _Sequence(value) if type(value) in _SEQUENCES else value


def changed(value: Any) -> Any:
    """What stands for it in `value[i] += 1`: a nil map has nothing that this could change."""
    if value is _NIL:
        raise nil_map()
    return value


def contents(value: Any) -> Any:
    """What stands for `value` where it is asked for what is in it: a nil map or slice is empty."""
    return () if value is None else value


class _Sequence:
    """A list, or another sequence of Python's."""

    __slots__ = ("_of",)

    def __init__(self, of: Any) -> None:
        self._of = of

    def __getitem__(self, index: Any) -> Any:
        return self._do("__getitem__", index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._do("__setitem__", index, value)

    def __delitem__(self, index: Any) -> None:
        self._do("__delitem__", index)

    def _do(self, name: str, *arguments: Any) -> Any:
        def operation(sequence: Any, index: Any, *value: Any) -> Any:
            try:
                return getattr(sequence, name)(index, *value)
            except IndexError:
                raise out_of_range(whole(index), len(sequence)) from None

        of = self._of
        if issubclass(type(of), SharedContainer):
            return of.perform(name, operation, *arguments)
        return operation(of, *arguments)


class _Nil:
    """A nil map, or a nil slice, which is what a whole number is an index of."""

    def __getitem__(self, key: Any) -> None:
        if isinstance(key, int):
            raise out_of_range(key, 0)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise nil_map()

    def __delitem__(self, key: Any) -> None:
        """Delete nothing, as `delete` does."""


_NIL = _Nil()
