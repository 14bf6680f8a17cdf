"""What a model file is written in: `Model`, parameters, threads, properties, expectations.

The decorators only leave a note on what they decorate; `interleave.notes` reads the notes.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any, Literal, NoReturn, TypeVar, cast, overload

from interleave.errors import ModelError, Place, did_you_mean
from interleave.records import dataclass
from interleave.runtimes import NAMED, Runtime, ThreadKind
from interleave.runtimes.asyncio import TASK
from interleave.runtimes.free_threaded import THREAD
from interleave.runtimes.go import GOROUTINE
from interleave.runtimes.process import PROCESS

T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])
ModelClass = TypeVar("ModelClass", bound="type[Model] | Callable[..., None]")
Decorator = TypeVar("Decorator", bound=Callable[..., Any])

NOTE = "__interleave__"
"""Attribute under which a decorator leaves its note on a method."""

NOTED = "__interleave_noted__"
"""Variable of a class body, or of a module, that lists the methods on which a decorator left a note
there: what Python does with them afterwards may lose some.
"""

UNUSED = "__interleave_unused__"
"""Attribute of a decorator: whether it has decorated nothing yet."""

EXPECTATIONS = "__interleave_expectations__"
"""Attribute under which `expect` leaves its notes on a model class."""

TEST = "__interleave_test__"
"""Attribute under which `explore` leaves what it has made of a function."""

OPTIONS = "__interleave_options__"
"""Attribute of a model: the options that it is checked with, if nobody says otherwise."""

MAIN = "main"
"""The thread that runs the body of a function that is checked, where it marks no other."""

VARIABLES = "__interleave_variables__"
"""Attribute of a model that was made of a function: the variables of that, which may have no value.
"""

PRINTED = "__interleave_printed__"
"""Attribute of a model: what has all that it prints, where that is part of its states."""

OUTPUT = "print"
"""What reports call that: by the name of the function that adds to it."""

BOUNDS = "__interleave_bounds__"
"""Attribute of a model: what bounds it besides parameters, by name."""

LOOPS = "__interleave_loops__"
"""Attribute of a model of which threads may make event loops, though no method is a task."""

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
"""Every kind of violation that the checks of the package find, in the order of their reports."""

ORDERS = ("any", "fifo")
"""Which of the tasks that are ready an event loop runs next: any, or the one that was ready first.
"""

LARGEST_COUNT = 1000
"""Instances of one thread at most: beyond this it is a slip of the pen."""


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
        self.name = ""
        """The name that a class has given it, the first if there are several."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    def _refuse(self, *_: object) -> NoReturn:
        if self.name:
            raise parameter_as_value(self)
        raise ModelError(
            "a parameter has no value yet in the class body, and none outside it",
            remedy="use it as self.NAME in `def setup(self)`, or alone in a decorator: @thread(N)",
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # Python asks whether it has special methods
            raise AttributeError(name)
        self._refuse()


_USES = (
    "index int float complex bool iter len getitem contains call hash reversed add radd sub rsub "
    "mul rmul matmul rmatmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow divmod rdivmod "
    "lshift rlshift rshift rrshift and rand or ror xor rxor neg pos abs invert round trunc floor "
    "ceil lt le gt ge eq ne format str repr bytes copy deepcopy reduce_ex enter await fspath"
)

for _use in _USES.split():
    setattr(Param, f"__{_use}__", Param._refuse)


def parameter_as_value(parameter: Param, *, place: Place | None = None) -> ModelError:
    """The error for a parameter that is kept, or named in code, where its value is meant."""
    known = parameter.name
    return ModelError(
        f"the parameter {known} has no value here" if known else "a parameter is no value",
        remedy=f"write self.{known}, in `def setup(self)` or in a method"
        if known
        else "write `N = param(3)` in the class body, and self.N in setup and in methods",
        place=place,
    )


def is_parameter_value(value: object) -> bool:
    """Whether a parameter may have a value: one that never changes, or a tuple of such values."""
    if isinstance(value, tuple):
        return all(map(is_parameter_value, value))
    return value is None or isinstance(value, int | float | complex | str | bytes | slice)


def _as_documented(remedy: str) -> Callable[[Decorator], Decorator]:
    """Have a call with other arguments than a function takes be an error with a remedy."""

    def wrapped(function: Decorator) -> Decorator:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                name = function.__name__
                raise ModelError(f"{name}: {error}", remedy=remedy) from None
            return function(*args, **kwargs)

        # The name by which the table of what threads may call knows it.
        own = function.__code__
        made = cast(types.FunctionType, call)
        made.__code__ = made.__code__.replace(co_name=own.co_name, co_qualname=own.co_qualname)
        return cast(Decorator, made)

    return wrapped


@_as_documented("give it its default, and nothing else: N = param(3)")
def param(default: T) -> T:
    """A parameter of the model: `N = param(3)`, then `self.N`; `-p N=5` overrides it.

    `default` is a number, string, bool, None, or tuple of these.
    """
    if not is_parameter_value(default):
        raise ModelError(
            f"param() is given a default of type {type(default).__name__}",
            remedy="a parameter is a number, a string, a bool, None, or a tuple of these; make "
            "other things of it in setup",
        )
    # The type checker is told what `self.N` will be, not what stands in the class body.
    return cast(T, Param(default))


@dataclass(frozen=True)
class ThreadNote:
    """Left on a method by `@thread` and its like: how many instances, which need not finish."""

    count: int | Param = 1
    daemon: bool = False
    kind: ThreadKind = THREAD


@dataclass(frozen=True)
class PropertyNote:
    """Left on a method by `@invariant` and `@postcondition`."""

    kind: Literal["invariant", "postcondition"]


@overload
def thread(count: Method, /) -> Method: ...
@overload
def thread(count: int = 1, *, daemon: bool = False) -> Callable[[Method], Method]: ...
@_as_documented("write @thread, @thread(2), @thread(N), or any with daemon=True")
def thread(count: Any = 1, *, daemon: bool = False) -> Any:
    """Mark a method as a thread: `@thread`, `@thread(2)` for two instances, `@thread(N)`.

    `daemon=True`: the thread need not finish for a state to be final. A method with one parameter
    after `self` is given its instance index, 0 to count - 1.
    """
    return marked(THREAD, count, daemon=daemon)


@overload
def process(count: Method, /) -> Method: ...
@overload
def process(count: int = 1, *, daemon: bool = False) -> Callable[[Method], Method]: ...
@_as_documented("write @process, @process(2), @process(N), or any with daemon=True")
def process(count: Any = 1, *, daemon: bool = False) -> Any:
    """Mark a method as a process, as `multiprocessing.Process` would run it; else like `@thread`.

    It begins with a private copy of every attribute, as `fork` makes it; all processes share only
    what `multiprocessing` makes to be shared. Properties see the attributes of the parent process,
    in which threads marked `@thread` run.
    """
    return marked(PROCESS, count, daemon=daemon)


@overload
def task(count: Method, /) -> Method: ...
@overload
def task(count: int = 1, *, daemon: bool = False) -> Callable[[Method], Method]: ...
@_as_documented("write @task, @task(2), @task(N), or any with daemon=True")
def task(count: Any = 1, *, daemon: bool = False) -> Any:
    """Mark an `async def` method as a task of the event loop; else like `@thread`.

    All tasks of a model are as if made by one `gather`, which waits for all that are no daemons.
    """
    return marked(TASK, count, daemon=daemon)


@overload
def goroutine(count: Method, /) -> Method: ...
@overload
def goroutine(count: int = 1, *, daemon: bool = False) -> Callable[[Method], Method]: ...
@_as_documented("write @goroutine, @goroutine(2), @goroutine(N), or any with daemon=True")
def goroutine(count: Any = 1, *, daemon: bool = False) -> Any:
    """Mark a method as a goroutine, which runs by the rules of Go; else like `@thread`.

    The one named `main` is Go's: when it returns the program is over, whatever the others do.
    Without it, a `main` that is not shown starts all goroutines and waits for them. A panic that
    leaves a goroutine ends the program. `daemon=True`: the goroutine may wait for ever, and is not
    reported as leaked.
    """
    return marked(GOROUTINE, count, daemon=daemon)


def marked(kind: ThreadKind, count: Any = 1, *, daemon: bool = False) -> Any:
    """What a decorator that marks threads of a kind gives, for what it was given."""
    decorator = f"@{kind}"
    if not isinstance(daemon, bool):
        raise ModelError(
            f"{decorator}(daemon={daemon!r}): that is neither True nor False",
            remedy=f"write {decorator}(daemon=True), or leave it out",
        )
    if isinstance(count, Param) or (isinstance(count, int) and not isinstance(count, bool)):
        if isinstance(count, int):
            _check_count(count, decorator)

        def mark(method: Method) -> Method:
            vars(mark)[UNUSED] = False
            return _noted(method, ThreadNote(count, daemon, kind), decorator)

        vars(mark)[UNUSED] = True
        return mark
    if callable(count) or hasattr(type(count), "__get__"):
        return _noted(count, ThreadNote(1, daemon, kind), decorator)
    raise ModelError(
        f"{decorator}({count!r}): the number of instances must be a whole number or a parameter",
        remedy=f"write {decorator}, {decorator}(2), or {decorator}(N) with N = param(2)",
    )


def _check_count(count: int, decorator: str) -> None:
    if count == 0:
        raise ModelError(
            f"{decorator}(0) makes no thread",
            remedy="leave the method out, or let a parameter say how many there are, which may "
            f"be 0: {decorator}(N) with N = param(0)",
        )
    if not 0 < count <= LARGEST_COUNT:
        size = "negative" if count < 0 else f"above {LARGEST_COUNT}"
        raise ModelError(
            f"{decorator}: the number of instances is {size}",
            remedy=f"give a whole number from 1 to {LARGEST_COUNT}",
        )


@_as_documented("write @invariant directly above `def ...(self):`")
def invariant(method: Method, /) -> Method:
    """Mark a method as a property that must hold in every reachable state.

    It takes only `self`, and returns a bool or uses `assert`.
    """
    return _noted(method, PropertyNote("invariant"), "@invariant")


@_as_documented("write @postcondition directly above `def ...(self):`")
def postcondition(method: Method, /) -> Method:
    """Mark a method as a property that must hold in every state where all threads have finished."""
    return _noted(method, PropertyNote("postcondition"), "@postcondition")


at_end = postcondition
"""`@postcondition` by another name, as tests read: what must hold when all threads have ended."""

always = invariant
"""`@invariant` by another name: what must hold all the time."""


def _noted(method: Method, note: ThreadNote | PropertyNote, decorator: str) -> Method:
    name = getattr(method, "__name__", "") or f"something of type {type(method).__name__}"
    if type(method) is not types.FunctionType:
        raise ModelError(
            f"{decorator} decorates {name}, which is not a plain method",
            remedy=f"put {decorator} directly above `def ...(self):`, and leave out what makes "
            "something else of it",
        )
    if hasattr(method, NOTE):
        raise ModelError(
            f"{name} has two interleave decorators",
            remedy="a method is one thread or one property: make two methods",
        )
    setattr(method, NOTE, note)
    variables = _variables_outside()
    variables[NOTED] = (*variables.get(NOTED, ()), method)
    return method


def _variables_outside() -> dict[str, Any]:
    """The variables of the class body, or else of the module, in which a decorator stands."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # a function
        frame = frame.f_back
    return {} if frame is None else frame.f_locals


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


def kinds_of(model: type[Model]) -> list[str]:
    """Every kind of violation that can be found in a model: by its own checks too."""
    own = getattr(model, "CHECKS", ())
    checks = own if isinstance(own, tuple | list) else ()
    return [*KINDS, *(kind for check in checks for kind in getattr(check, "kinds", ()))]


@_as_documented('write @expect("lost-update") or @expect(nothing), with `runtime` or `races`')
def expect(
    *kinds: str | _Nothing, runtime: str | Runtime | None = None, races: bool = False
) -> Callable[[ModelClass], ModelClass]:
    """Say which kinds of violation a check of this model must find: all of these and no others.

    `@expect("lost-update", "postcondition")`, `@expect(nothing)`. With `runtime`, the expectation
    is for that runtime only, and goes before one without. To find no data race, they must be looked
    for: `@expect(nothing, races=True)`; an expectation that names "data-race" does so by itself.
    """
    named = tuple(dict.fromkeys(kind for kind in kinds if isinstance(kind, str)))
    if kinds != (nothing,) and not (kinds and all(isinstance(kind, str) for kind in kinds)):
        raise ModelError(
            "@expect needs kinds of violation, or `nothing` alone",
            remedy='write @expect("lost-update"), @expect("deadlock", "assertion") or '
            "@expect(nothing)",
        )
    if runtime is not None and not isinstance(runtime, Runtime):
        if not isinstance(runtime, str) or runtime not in NAMED:
            raise ModelError(
                f"@expect(runtime={runtime!r}): there is no such runtime",
                remedy=f"{did_you_mean(runtime, NAMED)}the runtimes are {', '.join(NAMED)}",
            )
        runtime = NAMED[runtime]
    if not isinstance(races, bool):
        raise ModelError(
            f"@expect(races={races!r}): that is neither True nor False",
            remedy="write @expect(nothing, races=True), or leave it out",
        )
    races = races or "data-race" in named
    if races and runtime is not None and runtime.global_lock:
        raise ModelError(
            f"@expect speaks of data races under the runtime {runtime.name}, where there are none",
            remedy='leave out "data-race" and `races` there: @expect(nothing, '
            f'runtime="{runtime.name}")',
        )
    name = None if runtime is None else runtime.name

    def note(model: ModelClass) -> ModelClass:
        if isinstance(model, types.FunctionType) and (test := vars(model).get(TEST)):
            test.expectations.append(note)
            return model
        if not (isinstance(model, type) and issubclass(model, Model)):
            raise ModelError(
                "@expect decorates something that is not a model class",
                remedy="put it above `class ...(Model):`, or above @explore",
            )
        known = kinds_of(model)
        for kind in named:
            if kind not in known:
                raise ModelError(
                    f"@expect({kind!r}): there is no such kind of violation",
                    remedy=f"{did_you_mean(kind, known)}the kinds are {', '.join(known)}",
                )
        expectation = Expectation(tuple(sorted(named, key=known.index)), name, races)
        # Own dictionary only: a subclass that mends its parent does not inherit the expectation.
        earlier: tuple[Expectation, ...] = vars(model).get(EXPECTATIONS, ())
        if any(each.runtime == name for each in earlier):
            where = "" if name is None else f" under the runtime {name}"
            raise ModelError(
                f"{model.__name__} has two expectations{where}, of which one would be lost",
                remedy='name all kinds in one: @expect("lost-update", "assertion"); a second '
                '@expect is for another runtime: @expect(nothing, runtime="gil")',
            )
        setattr(model, EXPECTATIONS, (expectation, *earlier))
        return model

    return note
