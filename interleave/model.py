"""What a model file is written in: `Model`, parameters, threads, properties, expectations.

The decorators only leave a note on what they decorate; `interleave.notes` reads the notes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NoReturn, TypeVar, cast, overload

from interleave.errors import ModelError
from interleave.records import dataclass

T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])
ModelClass = TypeVar("ModelClass", bound="type[Model]")

NOTE = "__interleave__"
"""Attribute under which a decorator leaves its note on a method."""

EXPECTATIONS = "__interleave_expectations__"
"""Attribute under which `expect` leaves its notes on a model class."""

KINDS = (
    "lost-update",
    "deadlock",
    "stuck",
    "livelock",
    "exception",
    "assertion",
    "invariant",
    "postcondition",
    "data-race",
)
"""Every kind of violation that can be expected."""

RUNTIMES = ("free-threaded", "gil")
"""The runtimes a model can be checked under, the default first."""

ORDERS = ("any", "fifo")
"""Which of the tasks that are ready an event loop runs next: any, or the one that was ready first.
"""

KNOWN_RUNTIMES = ("free-threaded", "gil", "asyncio", "process", "go")
"""All runtimes, of which an expectation may speak: those above, and those that a kind of thread has
of its own.
"""


class Model:
    """Base class of models. Attributes are shared variables, decorated methods are threads.

    A subclass may define `setup(self)`, which runs once before the threads start, and may use
    parameters (`self.N`) and `choose` (every choice is an initial state of its own).
    """

    def setup(self) -> None:
        """Set shared variables that need code or parameters. Runs before the threads."""

    def inside(self, section: str) -> int:
        """How many threads are inside `section(name)` now. For properties only."""
        raise ModelError(
            "inside() was called outside a property",
            remedy="call it from an @invariant or @postcondition of the model",
        )

    def finished(self, thread: str, index: int | None = None) -> bool:
        """Whether thread `thread` (instance `index`, or all of them) has ended. For properties."""
        raise ModelError(
            "finished() was called outside a property",
            remedy="call it from an @invariant or @postcondition of the model",
        )


class Param:
    """A parameter in a class body: only decorators may use it before `setup` runs."""

    def __init__(self, default: object) -> None:
        self.default = default
        self.name = "?"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def _refuse(self, *_: object) -> NoReturn:
        raise ModelError(
            "a parameter has no value yet in the class body",
            remedy="use it as self.NAME in `def setup(self)`, or alone in a decorator: @thread(N)",
        )

    __index__ = __int__ = __float__ = __bool__ = __iter__ = __len__ = __getitem__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse
    __pow__ = __rpow__ = __lt__ = __le__ = __gt__ = __ge__ = __call__ = _refuse
    __contains__ = __format__ = __str__ = _refuse


def param(default: T) -> T:
    """A parameter of the model: `N = param(3)`, then `self.N`; `-p N=5` overrides it.

    `default` is a number, string, bool, None, or tuple of these.
    """
    # The type checker is told what `self.N` will be, not what stands in the class body.
    return cast(T, Param(default))


ThreadKind = Literal["thread", "process", "task", "goroutine"]
"""What a method is marked as, by the decorator of that name."""


@dataclass(frozen=True)
class ThreadNote:
    """Left on a method by `@thread` and its like: how many instances, which need not finish."""

    count: int | Param = 1
    daemon: bool = False
    kind: ThreadKind = "thread"


@dataclass(frozen=True)
class PropertyNote:
    """Left on a method by `@invariant` and `@postcondition`."""

    kind: Literal["invariant", "postcondition"]


@overload
def thread(count: Method, /) -> Method: ...
@overload
def thread(count: int = 1, /, *, daemon: bool = False) -> Callable[[Method], Method]: ...
def thread(count: Any = 1, /, *, daemon: bool = False) -> Any:
    """Mark a method as a thread: `@thread`, `@thread(2)` for two instances, `@thread(N)`.

    `daemon=True`: the thread need not finish for a state to be final. A method with one parameter
    after `self` is given its instance index, 0 to count - 1.
    """
    return _running("thread", count, daemon=daemon)


@overload
def process(count: Method, /) -> Method: ...
@overload
def process(count: int = 1, /, *, daemon: bool = False) -> Callable[[Method], Method]: ...
def process(count: Any = 1, /, *, daemon: bool = False) -> Any:
    """Mark a method as a process, as `multiprocessing.Process` would run it; else like `@thread`.

    It begins with a private copy of every attribute, as `fork` makes it; all processes share only
    what `multiprocessing` makes to be shared. Properties see the attributes of the parent process,
    in which threads marked `@thread` run.
    """
    return _running("process", count, daemon=daemon)


@overload
def task(count: Method, /) -> Method: ...
@overload
def task(count: int = 1, /, *, daemon: bool = False) -> Callable[[Method], Method]: ...
def task(count: Any = 1, /, *, daemon: bool = False) -> Any:
    """Mark an `async def` method as a task of the event loop; else like `@thread`.

    All tasks of a model are as if made by one `gather`, which waits for all that are no daemons.
    """
    return _running("task", count, daemon=daemon)


@overload
def goroutine(count: Method, /) -> Method: ...
@overload
def goroutine(count: int = 1, /, *, daemon: bool = False) -> Callable[[Method], Method]: ...
def goroutine(count: Any = 1, /, *, daemon: bool = False) -> Any:
    """Mark a method as a goroutine, which runs by the rules of Go; else like `@thread`.

    The one named `main` is Go's: when it returns the program is over, whatever the others do.
    Without it, a `main` that is not shown starts all goroutines and waits for them. A panic that
    leaves a goroutine ends the program. `daemon=True`: the goroutine may wait for ever, and is not
    reported as leaked.
    """
    return _running("goroutine", count, daemon=daemon)


def _running(kind: ThreadKind, count: Any, *, daemon: bool) -> Any:
    decorator = f"@{kind}"
    if callable(count) and not isinstance(count, Param):
        return _noted(count, ThreadNote(1, daemon, kind), decorator)
    if isinstance(count, bool) or not isinstance(count, int | Param):
        raise ModelError(
            f"{decorator}({count!r}): the number of instances must be a whole number "
            "or a parameter",
            remedy=f"write {decorator}, {decorator}(2), or {decorator}(N) with N = param(2)",
        )
    if isinstance(count, int) and count < 0:
        raise ModelError(
            f"{decorator}({count}): the number of instances is negative",
            remedy="give 0 or more instances",
        )
    note = ThreadNote(count, daemon, kind)
    return lambda method: _noted(method, note, decorator)


def invariant(method: Method, /) -> Method:
    """Mark a method as a property that must hold in every reachable state.

    It takes only `self`, and returns a bool or uses `assert`.
    """
    return _noted(method, PropertyNote("invariant"), "@invariant")


def postcondition(method: Method, /) -> Method:
    """Mark a method as a property that must hold in every state where all threads have finished."""
    return _noted(method, PropertyNote("postcondition"), "@postcondition")


def _noted(method: Method, note: ThreadNote | PropertyNote, decorator: str) -> Method:
    name = getattr(method, "__name__", repr(method))
    if not hasattr(method, "__code__"):
        raise ModelError(
            f"{decorator} decorates {name}, which is not a plain method",
            remedy=f"put {decorator} directly above `def {name}(self): ...`",
        )
    if hasattr(method, NOTE):
        raise ModelError(
            f"{name} has two interleave decorators",
            remedy="a method is one thread or one property: make two methods",
        )
    setattr(method, NOTE, note)
    return method


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


nothing = _Nothing()
"""`@expect(nothing)`: the check must find no violation."""


@dataclass(frozen=True)
class Expectation:
    """Exactly the kinds of violation that a check must find; `runtime` None means every runtime.

    `races`: data races are looked for, whether or not they are asked for otherwise.
    """

    kinds: tuple[str, ...]
    runtime: str | None = None
    races: bool = False

    def __str__(self) -> str:
        return " and ".join(self.kinds) or "nothing"


def expect(
    *kinds: str | _Nothing, runtime: str | None = None, races: bool = False
) -> Callable[[ModelClass], ModelClass]:
    """Say which kinds of violation a check of this model must find: all of these and no others.

    `@expect("lost-update", "postcondition")`, `@expect(nothing)`. With `runtime`, the expectation
    is for that runtime only, and goes before one without. To find no data race, they must be looked
    for: `@expect(nothing, races=True)`; an expectation that names "data-race" does so by itself.
    """
    named = tuple(dict.fromkeys(kind for kind in kinds if isinstance(kind, str)))
    if not kinds or (named and len(named) < len(set(kinds))):
        raise ModelError(
            "@expect needs kinds of violation, or `nothing` alone",
            remedy='write @expect("lost-update") or @expect(nothing)',
        )
    for kind in named:
        if kind not in KINDS:
            raise ModelError(
                f"@expect({kind!r}): there is no such kind of violation",
                remedy=f"the kinds are {', '.join(KINDS)}",
            )
    if runtime is not None and runtime not in KNOWN_RUNTIMES:
        raise ModelError(
            f"@expect(runtime={runtime!r}): there is no such runtime",
            remedy=f"the runtimes are {', '.join(KNOWN_RUNTIMES)}",
        )
    races = races or "data-race" in named
    if races and runtime == "gil":
        raise ModelError(
            "@expect speaks of data races under the runtime gil, where there are none",
            remedy='leave out "data-race" and `races` there: @expect(nothing, runtime="gil")',
        )
    expectation = Expectation(tuple(sorted(named, key=KINDS.index)), runtime, races)

    def note(model: ModelClass) -> ModelClass:
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise ModelError(
                "@expect decorates something that is not a model class",
                remedy="put it above `class ...(Model):`",
            )
        # Own dictionary only: a subclass that mends its parent does not inherit the expectation.
        earlier: tuple[Expectation, ...] = vars(model).get(EXPECTATIONS, ())
        setattr(model, EXPECTATIONS, (expectation, *earlier))
        return model

    return note
