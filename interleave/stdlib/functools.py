"""`functools.lru_cache` and `cache`: a table that threads share.

A miss is not atomic: the function runs between looking and storing, and others may miss meanwhile.
After CPython 3.11 to 3.13, Modules/_functoolsmodule.c: each call that misses gives what its own run
of the function gave; a bounded table keeps what came first, an unbounded one what came last.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive, stepwise
from interleave.memory.values import Shared

ORDER = "the order of use"
"""What the state of a table has only where it was full once."""

Table = tuple[tuple[Any, Any], ...]


class CachedFunction(Primitive):
    """A function with a table of its results. State: pairs of a key and a result."""

    function: Callable[..., Any]
    maxsize: int | None
    typed: bool

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"{len(state)} result{'s' if len(state) != 1 else ''}"

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @stepwise
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        key = self.key(args, kwargs)
        found = self.look(key)
        if found is not None:
            return found[0]
        result = self.function(*args, **kwargs)
        self.keep(key, result)
        return result

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self.function

    def key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """What a result is kept by."""
        named = tuple(kwargs.items())
        kinds = (*map(type, args), *[type(value) for _, value in named]) if self.typed else ()
        for each in (*args, *kwargs.values()):
            if not issubclass(type(each), Shared):
                hash(each)  # raises what Python raises
        return (args, named, kinds)

    def look(self, key: tuple[Any, ...]) -> tuple[Any] | None:
        """The result that is kept for some arguments, as a tuple of one."""

        def effect() -> tuple[Any] | None:
            table: Table = self.state
            for place, (each, result) in enumerate(table):
                if each == key:
                    if self.keeps(ORDER):
                        self.state = (*table[:place], *table[place + 1 :], table[place])
                    return (result,)
            return None

        found: tuple[Any] | None = self.operate("look up", effect)
        return found

    def keep(self, key: tuple[Any, ...], result: Any) -> None:
        """Store a result."""

        def effect() -> None:
            table: Table = self.state
            known = [place for place, (each, _) in enumerate(table) if each == key]
            if self.maxsize is None:
                kept = [pair for place, pair in enumerate(table) if place not in known]
                self.state = (*kept, (key, result))
            elif self.maxsize and not known:
                if len(table) >= self.maxsize:
                    self.must_keep(ORDER)
                    table = table[1:]
                self.state = (*table, (key, result))

        self.operate("store", effect)

    def cache_clear(self) -> None:
        """Forget all results."""

        def effect() -> None:
            self.state = ()

        self.operate("clear", effect)

    def cache_info(self) -> Any:
        """Not modelled: how often it was asked is in no state."""
        return current_port().halt(
            ModelError(
                "cache_info() has no modelled counterpart",
                remedy="count in a shared variable what matters",
            )
        )


def capturing(real: Any) -> Callable[..., Any] | None:
    """What makes the stand-in of a cached function."""
    return capture_cached if type(real) is functools._lru_cache_wrapper else None


def capture_cached(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a function with a cache."""
    if real.cache_info().currsize:
        raise ModelError(
            f"{path} has results in its cache before the threads start",
            remedy=f"call {path}.cache_clear() at the end of what fills it",
        )
    made = walk.stand_in(
        (path, CachedFunction),
        lambda number: CachedFunction(number, walk.location(path, number)),
        real,
    )
    parameters = real.cache_parameters()
    made.maxsize, made.typed = parameters["maxsize"], parameters["typed"]
    made.function = walk.visit(real.__wrapped__, f"{path}.__wrapped__")
    walk.contents[made._location.number] = ()
    return made


FUNCTIONS: dict[str, object] = {}
PRIMITIVES: dict[type, type] = {}
