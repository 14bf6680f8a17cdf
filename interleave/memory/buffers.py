"""`bytearray` and `array.array` that threads share. An operation of either is one access."""

from __future__ import annotations

from array import array
from typing import Any

from interleave.memory.containers import CONTAINERS, SharedSequence, stands_for
from interleave.memory.values import Freezer, Key, Thawer, register_mutable


@stands_for(bytearray)
class SharedByteArray(SharedSequence):
    """A shared `bytearray`."""

    __slots__ = ()

    def __radd__(self, other: Any) -> Any:
        return other + self.snapshot()


@stands_for(array)
class SharedNumbers(SharedSequence):
    """A shared `array.array`."""

    __slots__ = ()

    @classmethod
    def options(cls, value: Any) -> tuple[Any, ...]:
        return (value.typecode,)

    @property
    def typecode(self) -> str:
        typecode: str = self._options[0]
        return typecode

    @property
    def itemsize(self) -> int:
        return array(self.typecode).itemsize

    def build(self, contents: tuple[Any, ...]) -> Any:
        return array(self.typecode, contents)

    def snapshot(self) -> Any:
        return self.operate("__copy__")


BUFFERS = (bytearray, array)

CONTAINERS[bytearray] = SharedByteArray
CONTAINERS[array] = SharedNumbers


def _freeze(_: Freezer, value: Any) -> Any:
    return (value.typecode, value.tobytes())


def _thaw(thawer: Thawer, key: Key) -> Any:
    return thawer.placed(key[1], array(*key[2]))


register_mutable(array, _freeze, _thaw)
