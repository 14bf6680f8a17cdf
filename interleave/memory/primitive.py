"""Base of the modelled synchronisation primitives."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, NoReturn, TypeVar

from interleave.errors import ModelError
from interleave.memory.port import AccessKind, Location, current_port
from interleave.memory.values import Shared

DEFERS = "__interleave_defers__"
"""Attribute of the function that defers calls to the end of the one that calls it."""

SELECTS = "__interleave_selects__"
"""Attribute of the functions that go on with one of several cases, and give its number."""

STEPWISE = "__interleave_stepwise__"
"""Attribute of functions of the library that are run block by block, like the model's own."""

STEPWISE_METHODS: set[str] = set()
"""Names of the methods of Go's primitives that are run so."""

Function = TypeVar("Function", bound=Callable[..., Any])


def stepwise(function: Function) -> Function:
    """Mark a function of the library that calls functions of the model.

    It is run block by block as those are, and what it does is shown where it is called.
    """
    setattr(function, STEPWISE, True)
    return function


def stepwise_method(function: Function) -> Function:
    """The same for a method of a primitive of Go."""
    STEPWISE_METHODS.add(function.__name__)
    return stepwise(function)


OPERATES = "__interleave_operates__"
"""Attribute of those of them that stand for code in C, in which threads do not switch."""


def in_place_of_c(function: Function) -> Function:
    """Mark what does block by block what C code of CPython does: only what it calls is entered."""
    setattr(function, OPERATES, True)
    return stepwise(function)


ITERATES = "__interleave_iterates__"
"""Attribute with the names of the parameters of which iterators are made at the call."""


def written_out(*iterables: str) -> Callable[[Function], Function]:
    """Mark a generator that stands for an iterator in C (see `in_place_of_c`), with the names of
    the parameters of which iterators are made at the call: "*rest" for each item of one.
    """

    def mark(function: Function) -> Function:
        setattr(function, ITERATES, iterables)
        return in_place_of_c(function)

    return mark


def is_written_out(value: object) -> bool:
    """Whether a function of the library is a generator that is run block by block."""
    return is_marked(value, STEPWISE) and inspect.isgeneratorfunction(value)


def is_marked(value: object, mark: str) -> bool:
    """Whether a function carries a mark; what else has it asks its own class for attributes."""
    return isinstance(value, types.FunctionType) and mark in value.__dict__


class Told:
    """What an operation gives to the library, of which reports tell in another way."""

    def told(self) -> tuple[object, ...]:
        """What reports say that it gave, as a tuple of one; () for nothing. `Described`: all that
        they say.
        """
        raise NotImplementedError


class Unmade:
    """A primitive of which Python has no real one, until the heap makes it: its class and state.

    Nobody else runs yet, so that its operations are done at once; none can wait.
    """

    def __init__(self, kind: type[Primitive], state: object) -> None:
        self.kind = kind
        self.state = state

    def __getattr__(self, name: str) -> Any:
        member = inspect.getattr_static(self.kind, name, None)
        is_internal = name not in self.kind.known() and not _is_ours(_caller())
        if name.startswith("__") or member is None or is_internal:
            raise AttributeError(f"{self.kind.__name__!r} object has no attribute {name!r}")
        return member.__get__(self, self.kind) if hasattr(member, "__get__") else member

    def __setattr__(self, name: str, value: object) -> None:
        member: Any = None if name in ("kind", "state") else getattr(self.kind, name, None)
        if hasattr(member, "__set__"):
            member.__set__(self, value)
        else:
            object.__setattr__(self, name, value)

    def operate(self, kind: str, effect: Callable[[], Any]) -> Any:
        """One operation."""
        return effect()

    def overwrite(self, value: object) -> None:
        """Set the state."""
        self.state = value

    def exclude(self, rule: str, *, writes: bool) -> None:
        """Nothing is concurrent with it."""

    def block(self, kind: AccessKind | None = None) -> NoReturn:
        """No operation can wait."""
        raise ModelError(
            f"a {self.kind.__name__} is waited for, and no other thread runs yet",
            remedy="wait for it in a thread",
        )


ASKING_FOR_OTHERS = ("__getattr__", "get_attribute", "has_attribute")
"""The names of functions that ask for an attribute because other code does."""

_PACKAGE = str(Path(__file__).parent.parent)


def _caller() -> FrameType:
    """What has asked for an attribute: the frame outside of `ASKING_FOR_OTHERS`."""
    frame = sys._getframe(1)
    while frame.f_code.co_name in ASKING_FOR_OTHERS and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _is_ours(frame: FrameType) -> bool:
    """Whether it is code of this package that runs, and not the model's."""
    return frame.f_code.co_filename.startswith(_PACKAGE)


class Primitive(Shared):
    """A lock, queue, ... as a model sees it: one location, whose value is its whole state.

    A subclass says how to take over the state of a real one (`initial`), and has a method for each
    operation, which calls `operate` with the effect: code that looks at `self.state`, calls
    `self.block()` where it has to wait, sets `self.state`, and returns or raises what the real one
    would.
    """

    is_variable = False
    """Whether its state is a value that threads look at and set, so that an update can be lost."""

    is_run = False
    """Whether its `holders` are the threads that run it, and not such as may give it back."""

    written_in_python = False
    """Whether the real one is Python code, so that under a GIL threads may switch on entering it.
    """

    is_lock = False
    """Whether it is held by who has taken it, who gives it back."""

    excludes = False
    """Whether the thread that holds it keeps out all that would hold it too: a mutex."""

    under_lock = False
    """Whether the real one takes a lock of its own for what it does, which is not reentrant."""

    without_lock: ClassVar[frozenset[str]] = frozenset()
    """The operations for which it does not."""

    can_be_left = False
    """Whether operations of several accesses put things in order where an exception comes in one.
    """

    is_internal = False
    """Whether reports do not speak of those that threads make: parts of what a library function
    does.
    """

    stands_for: ClassVar[tuple[type, ...]] = ()
    """The real classes whose instances this stands for."""

    besides: ClassVar[frozenset[str]] = frozenset()
    """What code of a model may ask for besides what these classes have."""

    def __init__(self, number: int, location: Location) -> None:
        self._number = number
        self._location = location

    def __getattr__(self, name: str) -> Any:
        # Only asked for what is not there.
        if not _is_ours(_caller()):
            self.lack(name)
        raise self._no_attribute(name)

    def lack(self, name: str) -> NoReturn:
        """Code of the model asks for what this has not, or has for the library only."""
        is_inside = name.startswith("_") and not name.endswith("__")
        kind = type(self)
        if is_inside or name in kind.known() or any(hasattr(r, name) for r in kind.stands_for):
            usable = ", ".join(self.usable())
            remedy = f"of a {kind.__name__}, a model can use: {usable}"
            self._refuse(f"{self._location.name}.{name} is not modelled", remedy)
        raise self._no_attribute(name)

    def _no_attribute(self, name: str) -> AttributeError:
        what = f"{type(self).__name__!r} object has no attribute {name!r}"
        return AttributeError(what, name=name, obj=self)

    def _refuse(self, what: str, remedy: str) -> None:
        current_port().halt(ModelError(what, remedy=remedy))

    @classmethod
    @lru_cache
    def known(cls) -> frozenset[str]:
        """The public attributes of real ones: what code of a model may ask for."""
        names = (name for real in cls.stands_for for name in dir(real) if name[0] != "_")
        return cls.besides.union(names)

    @classmethod
    def usable(cls) -> list[str]:
        """The names among `known` that the modelled one has too."""
        return sorted(name for name in cls.known() if name[0] != "_" and hasattr(cls, name))

    @classmethod
    def initial(cls, real: Any) -> object:
        """The state of a real primitive, as an immutable value."""
        raise NotImplementedError

    @classmethod
    def fresh(cls, real: Any) -> Any:
        """A new real primitive in the state of `real`, for a further run of `setup`."""
        raise NotImplementedError

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        """`state` with `visit(part, name)` in place of each object in it; "[0]" is a name."""
        return state

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        """Put copies in place of the objects in `real`, which `fresh` made."""

    @classmethod
    def describe(cls, state: Any) -> str:
        """The state in a word or two, for reports."""
        return repr(state)

    def subject(self) -> Location:
        """What reports name where they speak of it, within an access."""
        return self._location

    def tells(self, before: Any, after: Any) -> bool:
        """Whether reports are to show that its state has changed."""
        return True

    @classmethod
    def said_of(cls, state: Any) -> str:
        """What reports say where something without a name leads to this state; "" for nothing."""
        return ""

    @classmethod
    def is_told(cls, state: Any) -> bool:
        """Whether reports are to tell of one that is in this state."""
        return True

    @classmethod
    def content(cls, state: Any) -> object:
        """What of a state is data of the program, that threads tell each other by it. None where
        it only makes them wait: a lock, a line of those who wait, a clock.
        """
        return None

    @classmethod
    def lost_with(cls, state: Any) -> list[str]:
        """What is to be said where nothing refers any more to one that is in this state."""
        return []

    @property
    def location(self) -> Location:
        """Where its state is."""
        return self._location

    @property
    def state(self) -> Any:
        port = current_port()
        return port.read(port.locate(self._location))

    @state.setter
    def state(self, value: object) -> None:
        port = current_port()
        port.write(port.locate(self._location), value, fresh=True)

    def overwrite(self, value: object) -> None:
        """Set the state, whatever it was: what others have written since it was read is lost."""
        port = current_port()
        port.write(port.locate(self._location), value)

    def operate(self, kind: str, effect: Callable[[], Any]) -> Any:
        """One operation, which is one access."""
        port = current_port()
        if self.written_in_python:
            port.switch_point()
        locks = self.under_lock and kind not in self.without_lock
        result = port.access(AccessKind(kind, port.locate(self._location), locks=locks), effect)
        port.switch_point()
        return result

    def operate_or(self, kind: str, effect: Callable[[], Any], undo: Callable[[], Any]) -> Any:
        """One operation, the last one of several; and what is done before it raises, where a
        handler comes in that does.
        """
        try:
            return self.operate(kind, effect)
        except BaseException as error:
            if current_port().came_in(error):
                self.operate(kind, undo)
            raise

    def keeps(self, what: str) -> bool:
        """Whether the state has `what`, which it has only where some code asks for it."""
        return f"{self._location.key}: {what}" in self._location.known

    def must_keep(self, what: str) -> None:
        """Code asks for `what`. Where the state does not have it, the search begins again."""
        if not self.keeps(what):
            current_port().begin_again(f"{self._location.key}: {what}")

    def block(self, kind: AccessKind | None = None) -> Any:
        """The operation cannot proceed now. Does not return.

        `kind`: what it waits for, where that is not the operation itself.
        """
        return current_port().block(kind)

    def exclude(self, rule: str, *, writes: bool) -> None:
        """The operation is not to be concurrent with others of this: see `Port.exclude`."""
        port = current_port()
        port.exclude(port.locate(self._location), rule, writes=writes)

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        """The threads that hold this in `state`: those that keep others waiting.

        `history` is, for each access that wrote the state on the way here, the thread and the
        state before and after, for primitives whose state does not say.
        """
        return ()

    @classmethod
    def holders_after(
        cls, holders: tuple[int, ...], thread: int, before: Any, after: Any
    ) -> tuple[int, ...]:
        """The threads that hold this after an access of `thread` that wrote its state, where
        `holders` held it before.
        """
        return cls.holders(after, ())

    @classmethod
    def is_free_for_one(cls, state: Any) -> bool:
        """Whether one thread at most holds this at a time, as far as a state tells."""
        return True

    @classmethod
    def is_held_to_read(cls, state: Any) -> bool:
        """Whether those that hold this in a state share it with each other."""
        return False
