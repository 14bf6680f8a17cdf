"""Generators whose frame is data: a function that waits at a `yield`, with its locals.

To resume one, a thread pushes its frame, and a `yield` takes it off again (`machine.control`).
Where C code goes through one (`list(g)`, `a, b = g`), its blocks are run within that statement.

One that threads share has its frame in a location of its own while it waits. To resume it takes the
frame out, and that it waits again puts one in: each is an access, between which nobody else can
resume it.
"""

from __future__ import annotations

import gc
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple, TypeGuard

from interleave.compiler.blocks import BlockKind, Code, Locals
from interleave.errors import InterleaveError, ModelError
from interleave.memory.calling import call
from interleave.memory.coroutine import Awaiting, awaited_by_hand, stepwise_coroutine
from interleave.memory.cursors import disclosed, enclosed
from interleave.memory.port import Unrecoverable, current_port
from interleave.memory.primitive import Primitive, stepwise
from interleave.memory.values import (
    UNBOUND,
    Freezer,
    Key,
    Same,
    Thawer,
    Uncapturable,
    register_immutable,
    register_mutable,
)

GENERATOR = "#generator"
"""Name of the local with which the frame of a generator refers to the generator itself."""

CLOSE_GIVES_VALUE = sys.version_info >= (3, 13)
"""Whether `close` gives what the generator returns (docs.python.org/3/reference/expressions.html,
`generator.close`).
"""

NEW, ENDED, RUNS, BROKEN = -1, -2, -3, -4
"""Where a generator is that has not begun, or has ended, or is run by a thread; or that stands for
an iterator in C, and has been left by an exception.
"""


class Waiting(NamedTuple):
    """Where the frame of a generator goes on, and with which locals."""

    code: Code
    at: int
    names: Locals


class Resumable:
    """What is common to generators."""

    __slots__ = ()
    WHAT = "generator"
    STOPS: type[Exception] = StopIteration

    def begin(self, value: Any, error: BaseException | None) -> Waiting:
        """It is about to go on: a value is sent, or an exception thrown. Raises what Python raises
        where it cannot.
        """
        raise NotImplementedError

    def pause(self, code: Code, at: int, names: Locals) -> None:
        """It has come to the `yield` of block `at`."""
        raise NotImplementedError

    def end(self) -> None:
        """It will not go on any more."""
        raise NotImplementedError

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._drive(None, None)

    def send(self, value: Any, /) -> Any:
        """Resume it: its `yield` gives a value."""
        return self._drive(value, None)

    def throw(self, kind: Any, value: Any = None, traceback: Any = None, /) -> Any:
        """Resume it: its `yield` raises an exception."""
        return self._drive(None, thrown(kind, value, traceback))

    def close(self) -> Any:
        """Have it end where it waits."""
        try:
            self._drive(None, GeneratorExit())
        except GeneratorExit:
            return None
        except StopIteration as end:
            return end.value if CLOSE_GIVES_VALUE else None
        raise RuntimeError("generator ignored GeneratorExit")

    def left_by(self, error: BaseException) -> BaseException:
        """What an exception becomes when it leaves the generator."""
        if not isinstance(error, StopIteration | self.STOPS):
            return error
        made = RuntimeError(f"{self.WHAT} raised {type(error).__name__}")
        made.__cause__ = error
        return made

    def _check(self, at: int, value: Any, error: BaseException | None) -> None:
        """Raise what Python raises where it cannot go on."""
        if at == BROKEN:
            current_port().halt(_broken())
        if at == ENDED:
            raise error or self.STOPS()
        if at == NEW and value is not None:
            raise TypeError(f"can't send non-None value to a just-started {self.WHAT}")

    def _runs_already(self) -> Exception:
        return ValueError("generator already executing")

    def _note_driven(self) -> None:
        """Its blocks are run within one statement."""

    def _drive(self, value: Any, error: BaseException | None) -> Any:
        """Run its blocks up to the next `yield`, within the present statement."""
        code, at, names = self.begin(value, error)
        self._note_driven()
        port = current_port()
        port.switch_point()
        blocks = code.blocks
        if at == NEW:
            at = 0
        elif error is None:
            at = blocks[at].next
        ended = False
        while True:
            try:
                if error is not None:
                    pending, error = error, None
                    raise pending
                if at >= len(blocks):
                    break
                block = blocks[at]
                result = block.run(names)
                match block.kind:
                    case BlockKind.CALL:
                        callee, arguments, keywords = result
                        names[block.target] = call(callee, arguments, keywords)
                        port.switch_point()
                    case BlockKind.AWAIT:
                        port.halt(awaited_by_hand())
                    case BlockKind.YIELD:
                        self.pause(code, at, names)
                        return result
                    case BlockKind.RETURN:
                        ended = True
                        self.end()
                        raise StopIteration(*([] if result is None else [result]))
                goes_on = block.kind is not BlockKind.BRANCH or result
                if goes_on and block.swallows is not None:
                    port.swallows(block.swallows)
                target = block.next if goes_on else block.otherwise
                if target <= at:
                    port.switch_point()
                at = target
            except BaseException as raised:
                if ended:
                    raise
                block = blocks[at]
                if block.handler is None or isinstance(raised, InterleaveError | Unrecoverable):
                    self.end()
                    error = self.left_by(raised)
                    if error is not raised:
                        raise error from raised
                    raise
                names[block.handler_name] = raised.with_traceback(None)
                at = block.handler
        self.end()
        raise StopIteration


class Generator(Resumable):
    """What calling a generator function gives: `names` are its locals while it waits at block `at`.

    `runs`: its frame is on the stack of the thread that has resumed it; `is_driven`: its blocks are
    run within one statement.
    """

    __slots__ = ("at", "code", "is_driven", "names", "runs")

    def __init__(self, code: Code, names: Locals) -> None:
        self.code = code
        self.at = NEW
        self.names = names
        self.runs = False
        self.is_driven = False
        current_port().tasks.note(self)

    def _note_driven(self) -> None:
        self.is_driven = True

    def __getattr__(self, name: str) -> Any:
        if name in ("__name__", "__qualname__"):
            return getattr(self.code.function, name)
        if name.startswith(("gi_", "ag_")):
            error = ModelError(
                f"{name} of a generator has no modelled counterpart",
                remedy="keep what it is about in a variable",
            )
            return current_port().halt(error)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<{self.WHAT.replace(' ', '_')} object {self.code.function.__qualname__}>"

    @property
    def kept_names(self) -> tuple[str, ...]:
        """The locals that it may still use, while it waits."""
        return () if self.runs else names_kept(self.code, self.at)

    @property
    def is_protected(self) -> bool:
        """Whether something of its own code runs when it is closed where it waits."""
        return not self.runs and self.at >= 0 and self.code.blocks[self.at].handler is not None

    def begin(self, value: Any, error: BaseException | None) -> Waiting:
        if self.runs:
            raise self._runs_already()
        if self.at == NEW and error is not None:
            self.end()
        self._check(self.at, value, error)
        self.runs = True
        names, self.names = {**self.names, GENERATOR: self}, {}
        if self.at != NEW:
            names[self.code.blocks[self.at].target] = value
        return Waiting(self.code, self.at, names)

    def pause(self, code: Code, at: int, names: Locals) -> None:
        self.runs = self.is_driven = False
        self.at = at
        self.names = {name: each for name, each in names.items() if name != GENERATOR}

    def end(self) -> None:
        self.runs = self.is_driven = False
        self.at = ENDED
        self.names = {}

    def left_by(self, error: BaseException) -> BaseException:
        if not self.code.is_in_place_of_c:
            return super().left_by(error)
        self.at = BROKEN
        return error


class GeneratorState(NamedTuple):
    """What is known of a generator that threads share: the block at which it waits, with its
    locals. `code` may be what makes one like it, from arguments that `names` has, if that has not
    begun.
    """

    code: Any
    at: int
    names: tuple[Any, ...] = ()


class SharedGenerator(Resumable, Primitive):
    """A generator that threads share."""

    stands_for: ClassVar[tuple[type, ...]] = (types.GeneratorType,)

    @classmethod
    def contents(cls, value: Generator) -> GeneratorState:
        """The state of one that a thread has made. Raises `Uncapturable`."""
        if value.runs:
            raise Uncapturable(value, "it is a generator that runs")
        if value.code.is_in_place_of_c:
            name = value.code.function.__name__
            raise Uncapturable(value, f"it is what itertools.{name}() gives")
        return _state(value.code, value.at, value.names)

    @classmethod
    def describe(cls, state: GeneratorState) -> str:
        known = {NEW: "not begun", ENDED: "ended", RUNS: "runs"}
        return known.get(state.at) or f"waits at line {state.code.place(state.at).line}"

    @classmethod
    def content(cls, state: Any) -> object:
        return state

    @staticmethod
    def must_not_be_given_up(state: GeneratorState) -> None:
        """Raise `ModelError` where something of its own code runs when it is closed."""
        if state.at >= 0 and state.code.blocks[state.at].handler is not None:
            raise given_up(state.code, state.at)

    def begin(self, value: Any, error: BaseException | None) -> Waiting:
        def effect() -> GeneratorState:
            state: GeneratorState = self.state
            if state.at == RUNS:
                raise self._runs_already()
            if state.at == NEW and error is not None:
                self.state = GeneratorState(state.code, ENDED)
            self._check(self.state.at, value, error)
            self.state = GeneratorState(state.code, RUNS)
            return state

        code, at, kept = self.operate("resume", effect)
        names = dict(disclosed(kept))
        if type(code) is not Code:
            made: Generator = code(*names["args"], **dict(names["kwargs"]))
            code, names = made.code, made.names
        if at != NEW:
            names[code.blocks[at].target] = value
        return Waiting(code, at, {**names, GENERATOR: self})

    def pause(self, code: Code, at: int, names: Locals) -> None:
        state = _state(code, at, names)
        port = current_port()
        if code.blocks[at].handler is not None and not port.knows_references(self):
            port.halt(given_up(code, at))
        self._leave("yield", state)

    def end(self) -> None:
        self._leave("end", GeneratorState(self.state.code, ENDED))

    def _leave(self, kind: str, state: GeneratorState) -> None:
        def effect() -> None:
            self.state = state

        self.operate(kind, effect)


def _broken() -> ModelError:
    return ModelError(
        "an exception has left this iterator of itertools, and it is to go on",
        remedy="write the loop out",
    )


def _state(code: Code, at: int, names: Locals) -> GeneratorState:
    kept = [(name, names[name]) for name in names_kept(code, at) if name in names]
    return GeneratorState(code, at, enclosed(tuple(kept)))


register_immutable(Code, lambda _, value: (Code, Same(value)), lambda _, key: key[1].it)

_GENERATORS = (Generator, SharedGenerator)


def is_generator(value: object) -> TypeGuard[Resumable]:
    """Whether to resume something is to push its frame."""
    return type(value) in _GENERATORS


class AsyncGenerator(Generator):
    """What calling an asynchronous generator function gives: to await what its methods give resumes
    it.
    """

    __slots__ = ()
    WHAT = "async generator"
    STOPS = StopAsyncIteration
    __iter__ = __next__ = None  # type: ignore[assignment]

    def __aiter__(self) -> AsyncGenerator:
        return self

    def __anext__(self) -> Resumption:
        return Resumption(self, None, None)

    def asend(self, value: Any, /) -> Resumption:
        """Resume it: its `yield` gives a value."""
        return Resumption(self, value, None)

    def athrow(self, kind: Any, value: Any = None, traceback: Any = None, /) -> Resumption:
        """Resume it: its `yield` raises an exception."""
        return Resumption(self, None, thrown(kind, value, traceback))

    def aclose(self) -> Any:
        """Have it end where it waits."""
        return _aclose(self)

    def _runs_already(self) -> Exception:
        return RuntimeError("anext(): asynchronous generator is already running")


class Resumption:
    """What is awaited to have an asynchronous generator go on."""

    def __init__(self, generator: AsyncGenerator, value: Any, error: BaseException | None) -> None:
        self.generator = generator
        self.value = value
        self.error = error
        self.is_used = False

    def __await__(self) -> Awaiting:
        return Awaiting(self)

    @property
    def is_in_vain(self) -> bool:
        """Whether it throws an exception into what has ended, which CPython (genobject.c) takes for
        a `return`.
        """
        return self.error is not None and self.generator.at == ENDED

    def use(self) -> tuple[AsyncGenerator, Any, BaseException | None]:
        """Begin it. Raises the `RuntimeError` that Python raises."""
        if self.is_used:
            raise RuntimeError("cannot reuse already awaited __anext__()/asend()")
        self.is_used = True
        return self.generator, self.value, self.error


Generator.__name__ = SharedGenerator.__name__ = "generator"
AsyncGenerator.__name__ = "async_generator"


@stepwise_coroutine
async def _aclose(generator: AsyncGenerator) -> None:
    resumption = generator.athrow(GeneratorExit())
    if resumption.is_in_vain:
        return
    try:
        await resumption
    except (GeneratorExit, StopAsyncIteration):
        return
    raise RuntimeError("async generator ignored GeneratorExit")


def names_kept(code: Code, at: int) -> tuple[str, ...]:
    """The locals that a generator may still use which waits at a block."""
    if at in (ENDED, BROKEN):
        return ()
    kept = code.blocks[0].live if at == NEW else code.blocks[at].live_in_call
    return tuple(name for name in kept if name != GENERATOR)


def thrown(kind: Any, value: Any = None, traceback: Any = None) -> BaseException:
    """The exception that `throw` raises. Raises the `TypeError` that Python raises."""
    if isinstance(kind, BaseException):
        if value is not None:
            raise TypeError("instance exception may not have a separate value")
        return kind
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        name = type(kind).__name__
        raise TypeError(
            f"exceptions must be classes or instances deriving from BaseException, not {name}"
        )
    if isinstance(value, kind):
        return value
    arguments = value if isinstance(value, tuple) else () if value is None else (value,)
    made: BaseException = call(kind, arguments)
    return made


# What a thread runs block by block, so that it comes to the frame of a generator.


@stepwise
def _close(generator: Any) -> Any:
    try:
        generator.throw(GeneratorExit())
    except GeneratorExit:
        return None
    except StopIteration as end:
        return end.value if CLOSE_GIVES_VALUE else None
    raise RuntimeError("generator ignored GeneratorExit")


@stepwise
def send_to(iterator: Any, value: Any) -> Any:
    """What `yield from` does with what it is sent."""
    if value is None:
        return next(iterator)
    send = iterator.send
    return send(value)


@stepwise
def can_take(iterator: Any, error: Any) -> Any:
    """What `yield from` does with an exception, if its iterator can take it: give it back."""
    if isinstance(error, GeneratorExit):
        close = getattr(iterator, "close", None)
        if close is not None:
            close()
        raise error
    if getattr(iterator, "throw", None) is None:
        raise error
    return error


@stepwise
def throw_into(iterator: Any, error: Any) -> Any:
    """What `yield from` does with an exception that its iterator takes."""
    return iterator.throw(error)


RESUMING: dict[str, Callable[..., Any]] = {
    "@send_to": send_to,
    "@can_take": can_take,
    "@throw_into": throw_into,
}
"""Helpers of compiled code, calls of which may resume a generator, by name."""


def as_stepwise(callee: Any, arguments: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The same call, of what is run block by block, if that resumes a generator."""
    if type(callee) is types.MethodType and is_generator(callee.__self__):
        is_close = callee.__func__ is Resumable.close
        return (_close, (callee.__self__,)) if is_close else (callee, arguments)
    if callee is next and len(arguments) == 1 and is_generator(arguments[0]):
        return arguments[0].__next__, ()
    return callee, arguments


def resumed(
    callee: Any, arguments: tuple[Any, ...]
) -> tuple[Resumable, Any, BaseException | None] | None:
    """The generator that a call resumes, with what is sent and what is thrown; None for others.

    Raises what Python raises for arguments that do not fit.
    """
    if type(callee) is not types.MethodType or not is_generator(callee.__self__):
        return None
    generator: Resumable = callee.__self__
    if callee.__func__ is Resumable.throw:
        return generator, None, _arguments_of_throw(*arguments)
    if callee.__func__ is Resumable.send:
        return generator, _argument_of_send(*arguments), None
    if callee.__func__ is Resumable.__next__ and not arguments:
        return generator, None, None
    return None


def _argument_of_send(value: Any, /) -> Any:
    return value


def _arguments_of_throw(kind: Any, value: Any = None, traceback: Any = None, /) -> BaseException:
    return thrown(kind, value, traceback)


def given_up(code: Code, at: int) -> ModelError:
    """What to say of a generator that nothing refers to any more, and that has more to do; or of
    which nobody knows whether something does.
    """
    return ModelError(
        f"the generator {code.function.__qualname__} is given up inside of a `with` or `try`: "
        "Python closes it when the last reference goes, and no step shows when",
        remedy="close it where it is given up (`contextlib.closing`), or go through all of it",
        place=code.place(at),
    )


def _freeze(freezer: Freezer, value: Generator) -> Key:
    if value.is_driven:
        raise Uncapturable(value, "a generator is run by code of the library")
    where = "runs" if value.runs else value.at
    kept = tuple([freezer.freeze(value.names.get(name, UNBOUND)) for name in value.kept_names])
    return (Same(value.code), where, kept)


def _thaw(thawer: Thawer, key: Key) -> Generator:
    code, where, kept = key[2]
    made: Generator = thawer.placed(key[1], object.__new__(key[0]))
    made.code = code.it
    made.is_driven = False
    made.runs = where == "runs"
    made.at = NEW if made.runs else where
    made.names = {}
    for name, each in zip(made.kept_names, kept, strict=True):
        value = thawer.thaw(each)
        if value is not UNBOUND:
            made.names[name] = value
    return made


register_mutable(Generator, _freeze, _thaw)
register_mutable(AsyncGenerator, _freeze, _thaw)


def waiting_in(key: object) -> Iterator[tuple[Code, int, tuple[Key, ...]]]:
    """The generators that wait in a frozen value: code, block, and what is in `names_kept`."""
    if isinstance(key, tuple):
        if key and key[0] in (Generator, AsyncGenerator) and key[2][1] != "runs":
            code, at, kept = key[2]
            yield code.it, at, kept
        else:
            for part in key:
                yield from waiting_in(part)


# Real generators, which were made before the threads.


def function_of(real: types.GeneratorType[Any, Any, Any]) -> types.FunctionType | None:
    """The function of a real generator that has not begun; None for others."""
    if inspect.getgeneratorstate(real) != inspect.GEN_CREATED:
        return None
    inside = gc.get_referents(real)
    functions = (each for each in inside if isinstance(each, types.FunctionType))
    return next((each for each in functions if each.__code__ is real.gi_code), None)


def arguments_of(real: types.GeneratorType[Any, Any, Any]) -> tuple[tuple[Any, ...], ...]:
    """What it was given: by place, and pairs of what was given by keyword."""
    assert real.gi_frame is not None
    code, values = real.gi_code, real.gi_frame.f_locals
    names = code.co_varnames
    placed, named = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    args = [values[name] for name in names[:placed]]
    kwargs = [(name, values[name]) for name in names[placed:named]]
    if code.co_flags & inspect.CO_VARARGS:
        args += values[names[named]]
        named += 1
    if code.co_flags & inspect.CO_VARKEYWORDS:
        kwargs += values[names[named]].items()
    return tuple(args), tuple(kwargs)
