"""`sync/atomic`: typed atomics, after pkg.go.dev/sync/atomic of Go 1.25.

Every operation is one access, and all are sequentially consistent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.go.base import GoPrimitive, Panic
from interleave.memory.values import Shared


class _Atomic(GoPrimitive):
    """What all of them share. State: the value."""

    is_variable = True
    _zero: Any = None

    @classmethod
    def zero(cls) -> object:
        """Go's zero value."""
        return cls._zero

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return visit(state, ".value")

    @classmethod
    def content(cls, state: Any) -> object:
        return (state,)  # which may be nil

    @classmethod
    def of(cls, value: Any) -> Any:
        """A value as it is stored. Raises `ModelError` for one of another type."""
        return value

    def Load(self) -> Any:
        """The value."""
        return self._operate("Load", lambda: self.state)

    def Store(self, value: Any) -> None:
        """Set the value, whatever it was: what other goroutines have stored may be lost."""
        value = self.of(value)
        self._operate("Store", lambda: self.overwrite(value))

    def Swap(self, new: Any) -> Any:
        """Set the value; the one before."""
        new = self.of(new)

        def effect() -> Any:
            old, self.state = self.state, new
            return old

        return self._operate("Swap", effect)

    def CompareAndSwap(self, old: Any, new: Any) -> bool:
        """Set the value if it is `old`; whether it was."""
        old, new = self.of(old), self.of(new)

        def effect() -> bool:
            if not same(self.state, old):
                return False
            self.state = new
            return True

        return bool(self._operate("CompareAndSwap", effect))

    def _operate(self, operation: str, effect: Callable[[], Any]) -> Any:
        return self.operate(f"atomic.{type(self).__name__}.{operation}", effect)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same in Go: of one type and equal; for objects, one object."""
    if isinstance(one, Shared) or isinstance(other, Shared):
        return one is other
    return type(one) is type(other) and bool(one == other)


class _Number(_Atomic):
    """An integer of so many bits, which wraps around."""

    _zero = 0
    bits = 0
    signed = True

    @classmethod
    def of(cls, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ModelError(
                f"an atomic.{cls.__name__} is given {value!r}", remedy="give it a whole number"
            )
        low = -(1 << cls.bits - 1) if cls.signed else 0
        return (value - low) % (1 << cls.bits) + low

    def Add(self, delta: int) -> int:
        """Add to the value; the one after."""
        return self._change("Add", lambda old: old + delta, gives_new=True)

    def And(self, mask: int) -> int:
        """Bitwise and; the value before."""
        return self._change("And", lambda old: old & mask, gives_new=False)

    def Or(self, mask: int) -> int:
        """Bitwise or; the value before."""
        return self._change("Or", lambda old: old | mask, gives_new=False)

    def _change(self, operation: str, change: Callable[[int], int], *, gives_new: bool) -> int:
        def effect() -> int:
            old = self.state
            self.state = after = self.of(change(old))
            return after if gives_new else int(old)

        return int(self._operate(operation, effect))


class Int32(_Number):
    """`atomic.Int32`."""

    bits = 32


class Int64(_Number):
    """`atomic.Int64`."""

    bits = 64


class Uint32(_Number):
    """`atomic.Uint32`."""

    bits = 32
    signed = False


class Uint64(_Number):
    """`atomic.Uint64`."""

    bits = 64
    signed = False


class Bool(_Atomic):
    """`atomic.Bool`."""

    _zero = False

    @classmethod
    def of(cls, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ModelError(f"an atomic.Bool is given {value!r}", remedy="give it True or False")
        return value


class Pointer(_Atomic):
    """`atomic.Pointer[T]`: None, or a reference to an object."""


class Value(_Atomic):
    """`atomic.Value`: values of one type, which the first one stored decides. None before that."""

    def Store(self, value: Any) -> None:
        if value is None:
            raise Panic("sync/atomic: store of nil value into Value")

        def effect() -> None:
            self._check(value, "store")
            self.overwrite(value)

        self._operate("Store", effect)

    def Swap(self, new: Any) -> Any:
        if new is None:
            raise Panic("sync/atomic: swap of nil value into Value")

        def effect() -> Any:
            self._check(new, "swap")
            old, self.state = self.state, new
            return old

        return self._operate("Swap", effect)

    def _check(self, new: Any, what: str) -> None:
        if self.state is not None and type(self.state) is not type(new):
            raise Panic(f"sync/atomic: {what} of inconsistently typed value into Value")

    def CompareAndSwap(self, old: Any, new: Any) -> bool:
        if new is None:
            raise Panic("sync/atomic: compare and swap of nil value into Value")
        if old is not None and type(old) is not type(new):
            raise Panic("sync/atomic: compare and swap of inconsistently typed values")

        def effect() -> bool:
            self._check(new, "compare and swap")
            if not same(self.state, old):
                return False
            self.state = new
            return True

        return bool(self._operate("CompareAndSwap", effect))
