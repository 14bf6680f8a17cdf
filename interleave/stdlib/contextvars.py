"""`contextvars`, after Python/context.c of CPython 3.13.

A thread runs in a context: values of variables that nobody else has, so that looking at them is no
step. A new thread begins with none; a task, and whatever the event loop is to call, begins with a
copy of the context in which it was made. Contexts that a model itself handles are objects.
"""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, Location, current_port, running_port
from interleave.memory.primitive import Primitive, stepwise
from interleave.memory.values import UNBOUND, Shared, register_immutable

Values = Bag[tuple[Any, Any]]
"""What a context has: pairs of a variable and its value."""

PROPERTY = ThreadId(-1)
"""What runs while a property is evaluated."""


class Running(NamedTuple):
    """What one thread runs in: the context with which it began, and those that it has entered.

    `own`: `Values`, which nobody else has, or a `Context`.
    """

    own: Any = Bag()
    entered: tuple[Any, ...] = ()

    @property
    def current(self) -> Any:
        """The context that counts now."""
        return self.entered[-1] if self.entered else self.own


class ThreadContext(Primitive):
    """The context of one thread. State: a `Running`."""


class MainContext(Shared):
    """The context in which the model was imported, and `setup` has run. State: a `Running`."""

    __slots__ = ("_location", "_number")

    def __init__(self, number: int, location: Location) -> None:
        self._number = number
        self._location = location


class ContextVar(Shared):
    """`contextvars.ContextVar`. All that it holds is its name and its default value."""

    __slots__ = ("_location", "_number", "_text")
    _location: Location
    _text: str
    """What it is called where no thread runs any more, which is where reports ask."""

    def __new__(cls, name: str, *, default: Any = UNBOUND) -> Any:
        if not isinstance(name, str):
            raise TypeError("context variable name must be a str")
        return current_port().make(Kind(cls), (name, default))

    @property
    def name(self) -> str:
        found: str = self._constants()[0]
        return found

    def get(self, *default: Any) -> Any:
        """The value in the current context; else a default, if there is one."""
        if len(default) > 1:
            raise TypeError(f"get expected at most 1 argument, got {len(default)}")

        def effect() -> Any:
            found = _value(_values(_running().current), self)
            # What the thread itself gave must come back as the same object.
            return self._constants()[1] if found is UNBOUND and not default else found

        found = _look(effect)
        current_port().switch_point()
        if found is not UNBOUND:
            return found
        if not default:
            object.__setattr__(self, "_text", repr(self))
            raise LookupError(self)
        return default[0]

    def set(self, value: Any) -> Token:
        """Give it a value in the current context."""
        within = _changing()

        def effect() -> tuple[Any, Any]:
            return _put(self, value), _identity()

        old, identity = _change("set", within, effect)
        return Token(self, old, identity)

    def reset(self, token: Token) -> None:
        """Give it the value that it had before a token was made."""
        if not isinstance(token, Token):
            raise TypeError(f"expected an instance of Token, got {token!r}")
        if token._used:
            raise RuntimeError(f"{token!r} has already been used once")
        var, old, identity = token._made
        if var is not self:
            raise ValueError(f"{token!r} was created by a different ContextVar")
        within = _changing()

        def effect() -> bool:
            if _identity() != identity:
                return False
            _put(self, UNBOUND if old is MISSING else old)
            return True

        if not _change("reset", within, effect):
            raise ValueError(f"{token!r} was created in a different Context")
        token._used = True

    def _constants(self) -> Any:
        port = current_port()
        return port.read(port.locate(self._location), part=None)

    def __repr__(self) -> str:
        return self._text if running_port() is None else f"<ContextVar name={self.name!r}>"

    __class_getitem__ = classmethod(lambda cls, _: cls)


class Missing:
    """The old value of a variable that had none."""

    def __repr__(self) -> str:
        return "<Token.MISSING>"


MISSING = Missing()
register_immutable(Missing, lambda *_: (Missing,), lambda *_: MISSING)


class Token:
    """What `set` gives: an object of the thread's own, which it may share like any other."""

    MISSING = MISSING

    def __init__(self, var: ContextVar, old: Any, within: Any) -> None:
        self._made = (var, MISSING if old is UNBOUND else old, within)
        self._used = False

    @property
    def var(self) -> Any:
        """The variable that was set."""
        return self._made[0]

    @property
    def old_value(self) -> Any:
        """The value before; `MISSING` where there was none."""
        return self._made[1]

    if sys.version_info >= (3, 14):

        def __enter__(self) -> Token:
            return self

        def __exit__(self, *_: object) -> None:
            self.var.reset(self)

    def __repr__(self) -> str:
        return "<Token>"

    __class_getitem__ = classmethod(lambda cls, _: cls)


class ContextState(NamedTuple):
    """What a context has, and whether a thread has entered it."""

    values: Values = Bag()
    entered: bool = False


class Context(Primitive):
    """`contextvars.Context`: one that a model has at hand. State: a `ContextState`."""

    stands_for = (contextvars.Context,)

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"{len(state.values)} variable{'s' if len(state.values) != 1 else ''}"

    @stepwise
    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.enter()
        try:
            return function(*args, **kwargs)
        finally:
            self.leave()

    def enter(self) -> None:
        """The running thread is in it from here on."""
        port = current_port()
        where = port.context()

        def effect() -> None:
            running: Running = port.read(where)
            if self.state.entered or running.own is self:
                raise RuntimeError(f"cannot enter context: {self!r} is already entered")
            self.state = self.state._replace(entered=True)
            port.write(where, running._replace(entered=(*running.entered, self)))

        self.operate("enter context", effect)

    def leave(self) -> None:
        """It is no more."""
        port = current_port()
        where = port.context()

        def effect() -> None:
            running: Running = port.read(where)
            self.state = self.state._replace(entered=False)
            port.write(where, running._replace(entered=running.entered[:-1]))

        self.operate("leave context", effect)

    def _pairs(self) -> Values:
        found: Values = self.operate("read", lambda: self.state.values)
        return found

    def __getitem__(self, var: Any) -> Any:
        found = self._found(var)
        if found is UNBOUND:
            raise KeyError(var)
        return found

    def get(self, var: Any, default: Any = None, /) -> Any:
        found = self._found(var)
        return default if found is UNBOUND else found

    def _found(self, var: Any) -> Any:
        if not isinstance(var, ContextVar):
            raise TypeError(f"a ContextVar key was expected, got {var!r}")
        return _value(self._pairs(), var)

    def __contains__(self, var: Any) -> bool:
        return self._found(var) is not UNBOUND

    def __len__(self) -> int:
        return len(self._pairs())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def keys(self) -> list[Any]:
        return [var for var, _ in self._pairs()]

    def values(self) -> list[Any]:
        return [value for _, value in self._pairs()]

    def items(self) -> list[tuple[Any, Any]]:
        return list(self._pairs())

    def copy(self) -> Context:
        made: Context = current_port().make(Kind(Context), ContextState(self._pairs()))
        return made

    def __repr__(self) -> str:
        return "<Context>"


def make_context() -> Any:
    """`contextvars.Context()` in a running thread: an empty one."""
    return current_port().make(Kind(Context), ContextState())


def copy_context() -> Any:
    """`contextvars.copy_context`."""
    port = current_port()
    made = port.make(Kind(Context), ContextState(_look(lambda: _values(_running().current))))
    port.switch_point()
    return made


# For the event loop


def given_or_copied(context: Any) -> Any:
    """What a task or a callback is to run in: `context`, or a copy of the current one.

    None in a program without context variables.
    """
    port = current_port()
    if context is not None:
        if not isinstance(context, Context):
            raise TypeError(f"a Context was expected, got {context!r}")
        port.context()
        if port.tasks.beside_threads:
            port.halt(
                ModelError(
                    "the event loop is given a context, which a thread could enter meanwhile",
                    remedy="leave `context` out: a copy of the present one is taken",
                )
            )
        return context
    return _look(lambda: _values(_running().current)) if port.has_contexts else None


def begin_in(context: Any, thread: ThreadId | None = None) -> None:
    """A thread, or the running one, begins in what `given_or_copied` gave, within an access."""
    port = current_port()
    if port.has_contexts:
        port.write(port.context(thread), Running(Bag() if context is None else context))


# Within an access


def _running() -> Running:
    port = current_port()
    found: Running = port.read(port.context())
    return found


def _values(context: Any) -> Values:
    return context.state.values if isinstance(context, Context) else context


def _value(values: Values, var: ContextVar) -> Any:
    return next((value for each, value in values if each is var), UNBOUND)


def _put(var: ContextVar, value: Any) -> Any:
    """Give a variable a value in the current context, or none; the one that it had."""
    port = current_port()
    running = _running()
    values = _values(running.current)
    kept = values.where(lambda pair: pair[0] is not var)
    changed = kept if value is UNBOUND else kept.plus((var, value))
    if isinstance(running.current, Context):
        running.current.state = running.current.state._replace(values=changed)
    else:
        port.write(port.context(), running._replace(own=changed))
    return _value(values, var)


def _identity() -> Any:
    """What tells the current context from all others."""
    current = _running().current
    if isinstance(current, Context):
        return current
    port = current_port()
    return port.thread if port.tasks.task is None else port.tasks.task


# Accesses


def _look(effect: Callable[[], Any]) -> Any:
    """An access to the context of the running thread, which nobody else can see."""
    port = current_port()
    if port.thread == PROPERTY:
        return effect()
    return port.access(AccessKind("", port.context()), effect, private=True)


def _changing() -> Context | None:
    """The current context, which is about to change; None where no object stands for it."""
    port = current_port()
    if port.thread == PROPERTY:
        port.halt(
            ModelError(
                "a property sets a context variable",
                remedy="a property may only look at shared variables",
            )
        )

    def current() -> Context | None:
        found = _running().current
        return found if isinstance(found, Context) else None

    found: Context | None = _look(current)
    if found is None and port.tasks.in_loop and port.tasks.task is None:
        # The context of a callback: there will be others in this thread.
        found = copy_context()
        _look(lambda: begin_in(found))
    return found


def _change(name: str, within: Context | None, effect: Callable[[], Any]) -> Any:
    """An access that changes the current context."""
    found = _look(effect) if within is None else within.operate(name, effect)
    current_port().switch_point()
    return found


# Those that were made before the threads


def capture_variable(walk: Any, real: contextvars.ContextVar[Any], path: str) -> Any:
    """The stand-in of a variable. Its value now is one of the main thread's context."""

    def hidden(kind: type[Any], number: int) -> Any:
        made: Any = object.__new__(kind)
        made._number = number
        made._location = walk.location("", number, group=f"{kind.__name__} of {path}")
        made._location.shown = False
        return made

    made = walk.stand_in((path, ContextVar), lambda number: hidden(ContextVar, number), real)
    try:
        default = walk.visit(contextvars.Context().run(real.get), f"{path}.default")
    except LookupError:
        default = UNBOUND
    walk.contents[made._location.number] = (real.name, default)
    main = walk.known.get(id(MainContext))
    if main is None:
        key = ("", MainContext)
        main = walk.stand_in(key, lambda number: hidden(MainContext, number), MainContext)
        walk.heap.main_context = main
    running: Running = walk.contents.get(main._location.number, Running())
    value = walk.context.get(real, UNBOUND)
    if value is not UNBOUND:
        running = Running(running.own.plus((made, walk.visit(value, f"{path}.value"))))
    walk.contents[main._location.number] = running
    return made


def capture_context(walk: Any, real: contextvars.Context, path: str) -> Any:
    """The stand-in of a context."""
    made = walk.stand_in(
        (path, Context), lambda number: Context(number, walk.location(path, number)), real
    )

    def fill() -> None:
        # Other code has variables too, which the model cannot name.
        pairs = [
            (walk.known[id(var)], walk.visit(value, f"{path}.{var.name}"))
            for var, value in real.items()
            if id(var) in walk.known
        ]
        walk.contents[made._location.number] = ContextState(Bag(pairs))

    walk.at_last.append(fill)
    return made


def refuse_token(_: Any, real: Any, path: str) -> Any:
    """Refuse a token: those of other contexts are of no use."""
    raise ModelError(
        f"{path} is a contextvars.Token that was made before the threads start",
        remedy="call set() where reset() is called: a thread and a task have contexts of their own",
    )


_CAPTURING: dict[type, Callable[..., Any]] = {
    contextvars.ContextVar: capture_variable,
    contextvars.Context: capture_context,
    contextvars.Token: refuse_token,
}


def capturing(real: Any) -> Callable[..., Any] | None:
    """What makes the stand-in of what a module has made."""
    return _CAPTURING.get(type(real))


PRIMITIVES: dict[type, type] = {}
FUNCTIONS: dict[str, Any] = {
    "Context": make_context,
    "ContextVar": ContextVar,
    "Token": Token,
    "copy_context": copy_context,
}
