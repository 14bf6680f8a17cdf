"""What `await` waits for: coroutines of the model, coroutines of the library, futures.

A coroutine is a call that has not begun. Awaiting one of the model pushes a frame; one of the
library is a Python function of this package, which performs accesses, and in some of them waits.
What their `__await__` gives is no iterator that anybody could take steps of: `yield from` awaits
what it is of, in the frame in which it stands.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeGuard, TypeVar

from interleave.errors import ModelError
from interleave.memory.cursors import disclosed, enclosed
from interleave.memory.port import current_port
from interleave.memory.primitive import STEPWISE, Primitive, stepwise
from interleave.memory.values import Same, register_immutable

T = TypeVar("T")


class Callee:
    """The function that a coroutine is a call of: one of the program's, wherever it is defined."""

    def __init__(self, function: types.FunctionType) -> None:
        self.function = function


register_immutable(
    Callee, lambda _, callee: (Callee, Same(callee.function)), lambda _, key: Callee(key[1].it)
)


class Coroutine:
    """What calling an `async def` function of the model gives: the function, and its locals."""

    is_missed = True
    """Whether Python warns where it is never awaited."""

    def __init__(self, function: types.FunctionType, names: dict[str, Any]) -> None:
        self._callee = Callee(function)
        self.names = names
        self.started = False
        current_port().tasks.note(self)

    @property
    def function(self) -> Any:
        """The function that it is a call of."""
        return self._callee.function

    def start(self) -> None:
        """Whoever calls this runs it. Raises the `RuntimeError` that Python raises."""
        self.started_by(lambda: None)

    def started_by(self, begin: Callable[[], T]) -> T:
        """The same, by something that begins it unless it raises: what that gives."""
        if self.started:
            raise RuntimeError("cannot reuse already awaited coroutine")
        found = begin()
        self.started = True
        return found

    def close(self) -> None:
        """It will never run."""
        self.started = True

    def __await__(self) -> Awaiting:
        return Awaiting(self)


class LibraryCoroutine(Coroutine):
    """What calling an `async def` function of the library gives: `names` are its arguments."""

    @property
    def arguments(self) -> tuple[Any, ...]:
        return tuple(self.names.values())

    def run(self) -> Any:
        """Run it in the task that awaits it, and give its result."""
        self.start()
        return self.function(*self.arguments)


class CoroutineState(NamedTuple):
    """A call that has not begun, until somebody begins it."""

    callee: Callee
    names: tuple[tuple[str, Any], ...] | None
    is_library: bool


class SharedCoroutine(Primitive):
    """A coroutine that threads or tasks hand to each other. Whoever begins it has it for itself."""

    stands_for: ClassVar[tuple[type, ...]] = (types.CoroutineType,)

    @classmethod
    def contents(cls, value: Coroutine) -> CoroutineState:
        """The state of one that a thread has made."""
        value.is_missed = False  # here, from now on
        names = None if value.started else enclosed(tuple(value.names.items()))
        return CoroutineState(Callee(value.function), names, isinstance(value, LibraryCoroutine))

    @classmethod
    def describe(cls, state: Any) -> str:
        return "begun" if state.names is None else "not begun"

    @classmethod
    def content(cls, state: Any) -> object:
        return state

    @classmethod
    def lost_with(cls, state: Any) -> list[str]:
        return [] if state.names is None else [never_awaited(state.callee.function)]

    def take(self) -> Coroutine:
        """It is for whoever calls this. Raises `RuntimeError` where it has begun."""

        def effect() -> CoroutineState:
            state: CoroutineState = self.state
            if state.names is None:
                raise RuntimeError("cannot reuse already awaited coroutine")
            self.state = state._replace(names=None)
            return state

        callee, names, is_library = self.operate("begin", effect)
        kind = LibraryCoroutine if is_library else Coroutine
        return kind(callee.function, dict(disclosed(names)))

    def close(self) -> None:
        """It will never run."""

        def effect() -> None:
            self.state = self.state._replace(names=None)

        self.operate("close", effect)


def is_coroutine(value: object) -> TypeGuard[Coroutine | SharedCoroutine]:
    """Whether something is a coroutine."""
    return isinstance(value, Coroutine | SharedCoroutine)


def taken(value: Any) -> Any:
    """What somebody is about to begin who was given a coroutine; what else it was given."""
    return value.take() if type(value) is SharedCoroutine else value


def never_awaited(function: types.FunctionType) -> str:
    """What Python warns of where a call never begins."""
    return f"coroutine {function.__qualname__!r} was never awaited"


class Awaiting:
    """What `__await__` of a coroutine or a future gives."""

    def __init__(self, of: Any) -> None:
        self.of = of

    def __iter__(self) -> Awaiting:
        return self

    def __next__(self) -> Any:
        return self._by_hand()

    def send(self, value: Any, /) -> Any:
        """Refused."""
        return self._by_hand()

    def throw(self, *_: Any) -> Any:
        """Refused."""
        return self._by_hand()

    def close(self) -> Any:
        """Refused."""
        return self._by_hand()

    @staticmethod
    def _by_hand() -> Any:
        return current_port().halt(awaited_by_hand())


def awaited_by_hand() -> ModelError:
    """What to say where code takes the steps of something that is to be awaited."""
    return ModelError(
        "what is to be awaited is run step by step, by something else than `await`",
        remedy="await it, or `yield from` it in an `__await__` that is a generator",
    )


def as_iterable(value: Any) -> Any:
    """What a generator of `types.coroutine` goes through that is to `yield from` something."""
    return Awaiting(value) if isinstance(value, Coroutine) else value


def is_awaiting(iterator: object) -> bool:
    """Whether to `yield from` something is to await what it is of."""
    return type(iterator) is Awaiting


# In messages of Python's they are what they stand for.
Awaiting.__name__ = "coroutine_wrapper"
Coroutine.__name__ = LibraryCoroutine.__name__ = SharedCoroutine.__name__ = "coroutine"


def coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make calls of a function of this package give a coroutine, which runs it when awaited."""
    names_of = _binder(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> LibraryCoroutine:
        return LibraryCoroutine(function, names_of(*args, **kwargs))  # type: ignore[arg-type]

    return call


def stepwise_coroutine(function: Callable[..., Any]) -> Any:
    """Mark an `async def` function of this package that awaits what may be code of the model.

    It is run block by block. Gives what to call instead of it.
    """
    names_of = _binder(stepwise(function))

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Coroutine:
        return Coroutine(function, names_of(*args, **kwargs))  # type: ignore[arg-type]

    delattr(call, STEPWISE)
    return call


def _binder(function: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """What gives the parameters of a function by name. It raises the `TypeError` of Python's."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults: tuple[Any, ...] = function.__defaults__ or ()
    known = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    shown = function.__qualname__

    def bind(*args: Any, **kwargs: Any) -> dict[str, Any]:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        missing = [each for each in names if each not in known and each not in given]
        if missing:
            listed = " and ".join(map(repr, missing))
            raise TypeError(
                f"{shown}() missing {len(missing)} required positional "
                f"argument{'s' if len(missing) > 1 else ''}: {listed}"
            )
        if len(args) > len(names):
            raise TypeError(
                f"{shown}() takes {len(names)} positional arguments but {len(args)} were given"
            )
        for each in kwargs:
            if each not in names:
                raise TypeError(f"{shown}() got an unexpected keyword argument {each!r}")
        return {each: given[each] if each in given else known[each] for each in names}

    return bind


def awaited(value: Any) -> Any:
    """What `await value` gives, where that runs no code of the model. Raises what Python raises."""
    kind = type(value)
    if issubclass(kind, LibraryCoroutine):
        return value.run()
    wait: Any = getattr(kind, "_await", None)
    if wait is not None:
        return wait(value)
    name = kind.__name__
    if hasattr(kind, "__await__"):
        raise ModelError(
            f"a task awaits an object of class {name}, whose __await__ is not written in Python",
            remedy="write an `async def` method, and await a call of it",
        )
    raise TypeError(f"object {name} can't be used in 'await' expression")
