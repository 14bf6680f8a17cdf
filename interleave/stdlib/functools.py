"""`functools.lru_cache` and `cache`: a table that threads share; generic functions.

A miss is not atomic: the function runs between looking and storing, and others may miss meanwhile.
After CPython 3.11 to 3.13, Modules/_functoolsmodule.c: each call that misses gives what its own run
of the function gave; a bounded table keeps what came first, an unbounded one what came last.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from interleave.errors import ModelError
from interleave.memory.closures import Closure
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive, in_place_of_c, stepwise
from interleave.memory.values import Same, Shared, register_immutable

ORDER = "the order of use"
"""What the state of a table has only where it was full once."""

Table = tuple[tuple[Any, Any], ...]


class CachedFunction(Primitive):
    """A function with a table of its results. State: pairs of a key and a result."""

    stands_for = (functools._lru_cache_wrapper,)

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


class SingleDispatch:
    """A generic function: the type of the first argument chooses what runs."""

    __name__: str

    registry: dict[Any, Callable[..., Any]]
    """The stand-ins of the functions that were registered, by those of their classes."""

    def __init__(self, names: dict[str, Any]) -> None:
        vars(self).update(names)
        vars(self)["registry"] = {}

    def __setattr__(self, name: str, value: object) -> None:
        self._refuse(f"the attribute {name!r} of {self.__name__} is changed")

    def __delattr__(self, name: str) -> None:
        self._refuse(f"the attribute {name!r} of {self.__name__} is changed")

    def _refuse(self, what: str) -> Any:
        remedy = "give a generic function all that it has where the module is imported"
        return current_port().halt(ModelError(f"{what} while threads run", remedy=remedy))

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @stepwise
    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if not args:
            raise TypeError(f"{self.__name__} requires at least 1 positional argument")
        return self.dispatch(args[0].__class__)(*args, **kwargs)

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self.registry[object]

    def dispatch(self, cls: type) -> Callable[..., Any]:
        """What runs for an argument of a class."""
        chosen: Callable[..., Any] = functools._find_impl(cls, self.registry)  # type: ignore[attr-defined]
        return chosen

    def register(self, *_: Any, **__: Any) -> Any:
        """Not modelled: what runs for a class is the same at all times."""
        return self._refuse(f"{self.__name__}.register() is called")


class SingleDispatchMethod(SingleDispatch):
    """The same in a class: the instance goes before the argument that chooses."""

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return functools.partial(self.call_on, instance, owner)

    @stepwise
    def call_on(self, instance: object, owner: type | None, /, *args: Any, **kwargs: Any) -> Any:
        """Call what the first argument chooses, on an instance."""
        method: Any = self.dispatch(args[0].__class__)
        return method.__get__(instance, owner)(*args, **kwargs)


_EXAMPLE: Any = functools.singledispatch(lambda argument: None)
_DISPATCHING = _EXAMPLE.__code__
"""The code of every function that `functools.singledispatch` makes."""

_NAMES = ("__module__", "__name__", "__qualname__", "__doc__")

_MADE_BY_FUNCTOOLS = {*vars(_EXAMPLE), *vars(functools.cache(lambda: None))}
"""The attributes that functions have of themselves that this module has made."""


def capturing(real: Any) -> Callable[..., Any] | None:
    """What makes the stand-in of a function with a cache, or of a generic function."""
    if type(real) is functools._lru_cache_wrapper:
        return capture_cached
    if type(real) is functools.singledispatchmethod:
        return capture_dispatching_method
    is_function = isinstance(real, FunctionType)
    return capture_dispatching if is_function and real.__code__ is _DISPATCHING else None


def capture_dispatching(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a generic function."""
    return _capture_generic(SingleDispatch, walk, real, real, path)


def capture_dispatching_method(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a generic method."""
    return _capture_generic(SingleDispatchMethod, walk, real, real.dispatcher, path)


def _capture_generic(
    kind: type[SingleDispatch], walk: Any, real: Any, dispatcher: Any, path: str
) -> Any:
    names = {name: getattr(dispatcher, name) for name in _NAMES}
    _refuse_attributes(dispatcher, path)
    made = walk.keep(real, kind(names))
    for cls, function in dispatcher.registry.items():
        made.registry[walk.visit(cls, path)] = walk.visit(
            function, f"{path}.registry[{cls.__name__}]"
        )
    return made


def _refuse_attributes(real: Any, path: str) -> None:
    if own := vars(real).keys() - _MADE_BY_FUNCTOOLS:
        raise ModelError(
            f"{path} has an attribute {min(own)!r}",
            remedy="keep it in an attribute of the model, or in a list or dict",
        )


def capture_cached(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a function with a cache."""
    _refuse_attributes(real, path)
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


for _kind in (SingleDispatch, SingleDispatchMethod):
    register_immutable(_kind, lambda _, value: (type(value), Same(value)), lambda _, key: key[1].it)


def update_wrapper(
    wrapper: Any,
    wrapped: Any,
    assigned: Iterable[str] = functools.WRAPPER_ASSIGNMENTS,
    updated: Iterable[str] = functools.WRAPPER_UPDATES,
) -> Any:
    """The same; of a function that a thread has defined, the name is all that is handed on."""
    if type(wrapper) is not Closure:
        return functools.update_wrapper(wrapper, wrapped, [*assigned], [*updated])
    own = [each for each in getattr(wrapped, "__dict__", ()) if not each.startswith("__interleave")]
    if own and isinstance(wrapped, FunctionType):
        return current_port().halt(
            ModelError(
                f"{wrapped.__name__} has an attribute {own[0]!r}, and a thread defines a function "
                "that wraps it",
                remedy="keep it in an attribute of the model, or of an object of your own",
            )
        )
    return wrapper.wrapping(wrapped) if "__name__" in assigned else wrapper


def wraps(
    wrapped: Any,
    assigned: Iterable[str] = functools.WRAPPER_ASSIGNMENTS,
    updated: Iterable[str] = functools.WRAPPER_UPDATES,
) -> Any:
    """What has a function wrap another one."""
    return functools.partial(update_wrapper, wrapped=wrapped, assigned=assigned, updated=updated)


_NOTHING = object()


@in_place_of_c
def reduce(
    function: Callable[[Any, Any], Any], iterable: Iterable[Any], initial: Any = _NOTHING, /
) -> Any:
    """What a function makes of all items, one after the other."""
    value = initial
    for item in iterable:
        value = item if value is _NOTHING else function(value, item)
    if value is _NOTHING:
        raise TypeError("reduce() of empty iterable with no initial value")
    return value


FUNCTIONS: dict[str, object] = {"reduce": reduce, "update_wrapper": update_wrapper, "wraps": wraps}
PRIMITIVES: dict[type, type] = {}
