"""`sync.Map`, after pkg.go.dev/sync of Go 1.25. Every operation is one access.

`Range` looks at each key in turn, in the order in which they came in (Go promises no order).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interleave.go.atomics import same
from interleave.go.base import GoPrimitive
from interleave.memory.primitive import stepwise_method
from interleave.said import shown_by
from interleave.showing import show


class Map(GoPrimitive):
    """`sync.Map`. State: pairs of keys and values, oldest first."""

    @classmethod
    def zero(cls) -> object:
        """Empty."""
        return ()

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return tuple(
            [(visit(key, ".key"), visit(value, f"[{shown_by(key)}]")) for key, value in state]
        )

    @classmethod
    def content(cls, state: Any) -> object:
        return state

    @classmethod
    def describe(cls, state: Any) -> str:
        return show(dict(state)) if state else "empty"

    def Load(self, key: Any) -> tuple[Any, bool]:
        """The value of a key, and whether it is there."""
        found: tuple[Any, bool] = self._operate("Load", lambda: self._find(key))
        return found

    def Store(self, key: Any, value: Any) -> None:
        """Set the value of a key."""
        self._operate("Store", lambda: self._set(key, value))

    def LoadOrStore(self, key: Any, value: Any) -> tuple[Any, bool]:
        """The value that is there, and True; else store this one, and False."""

        def effect() -> tuple[Any, bool]:
            found, loaded = self._find(key)
            if loaded:
                return found, True
            self._set(key, value)
            return value, False

        found: tuple[Any, bool] = self._operate("LoadOrStore", effect)
        return found

    def LoadAndDelete(self, key: Any) -> tuple[Any, bool]:
        """Take a key out; its value, and whether it was there."""

        def effect() -> tuple[Any, bool]:
            found = self._find(key)
            self._drop(key)
            return found

        found: tuple[Any, bool] = self._operate("LoadAndDelete", effect)
        return found

    def Delete(self, key: Any) -> None:
        """Take a key out."""
        self._operate("Delete", lambda: self._drop(key))

    def Swap(self, key: Any, value: Any) -> tuple[Any, bool]:
        """Set the value of a key; the one before, and whether there was one."""

        def effect() -> tuple[Any, bool]:
            found = self._find(key)
            self._set(key, value)
            return found

        found: tuple[Any, bool] = self._operate("Swap", effect)
        return found

    def CompareAndSwap(self, key: Any, old: Any, new: Any) -> bool:
        """Set the value of a key if it is `old`; whether it was."""

        def effect() -> bool:
            found, loaded = self._find(key)
            swaps = loaded and same(found, old)
            if swaps:
                self._set(key, new)
            return swaps

        return bool(self._operate("CompareAndSwap", effect))

    def CompareAndDelete(self, key: Any, old: Any) -> bool:
        """Take a key out if its value is `old`; whether it was."""

        def effect() -> bool:
            found, loaded = self._find(key)
            deletes = loaded and same(found, old)
            if deletes:
                self._drop(key)
            return deletes

        return bool(self._operate("CompareAndDelete", effect))

    def Clear(self) -> None:
        """Take all keys out."""

        def effect() -> None:
            self.state = ()

        self._operate("Clear", effect)

    @stepwise_method
    def Range(self, f: Callable[[Any, Any], Any]) -> None:
        """Call `f(key, value)` for each key, until it gives False."""
        for key in self._keys():
            value, loaded = self.Load(key)
            if loaded and not f(key, value):
                break

    def _keys(self) -> tuple[Any, ...]:
        keys: tuple[Any, ...] = self._operate(
            "Range", lambda: tuple([each for each, _ in self.state])
        )
        return keys

    def _operate(self, operation: str, effect: Callable[[], Any]) -> Any:
        return self.operate(f"sync.Map.{operation}", effect)

    def _find(self, key: Any) -> tuple[Any, bool]:
        return next(((value, True) for each, value in self.state if same(each, key)), (None, False))

    def _set(self, key: Any, value: Any) -> None:
        if self._find(key)[1]:
            pairs = [(each, value if same(each, key) else was) for each, was in self.state]
            self.state = tuple(pairs)
        else:
            self.state = (*self.state, (key, value))

    def _drop(self, key: Any) -> None:
        self.state = tuple([pair for pair in self.state if not same(pair[0], key)])
