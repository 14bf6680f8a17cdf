"""Generators whose frame is data: a function that waits at a `yield`, with its locals.

To resume one, a thread pushes its frame, and a `yield` takes it off again (`machine.control`).
Where C code goes through one (`list(g)`, `a, b = g`), its blocks are run within that statement.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from interleave.compiler.blocks import BlockKind, Code, Locals
from interleave.errors import InterleaveError, ModelError
from interleave.memory.calling import call
from interleave.memory.coroutine import Awaiting, awaited_by_hand, stepwise_coroutine
from interleave.memory.port import Unrecoverable, current_port
from interleave.memory.primitive import stepwise
from interleave.memory.values import (
    UNBOUND,
    Freezer,
    Key,
    Same,
    Thawer,
    Uncapturable,
    register_mutable,
)

GENERATOR = "#generator"
"""Name of the local with which the frame of a generator refers to the generator itself."""

CLOSE_GIVES_VALUE = sys.version_info >= (3, 13)
"""Whether `close` gives what the generator returns (docs.python.org/3/reference/expressions.html,
`generator.close`).
"""

NEW, ENDED = -1, -2
"""Where a generator is that has not begun, or has ended."""


class Generator:
    """What calling a generator function gives: `names` are its locals while it waits at block `at`.

    `runs`: its frame is on the stack of the thread that has resumed it; `is_driven`: its blocks are
    run within one statement.
    """

    __slots__ = ("at", "code", "is_driven", "names", "runs")
    WHAT = "generator"
    STOPS: type[Exception] = StopIteration

    def __init__(self, code: Code, names: Locals) -> None:
        self.code = code
        self.at = NEW
        self.names = names
        self.runs = False
        self.is_driven = False
        current_port().tasks.note(self)

    def __iter__(self) -> Generator:
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

    def begin(self, value: Any, error: BaseException | None) -> Locals:
        """Its locals, for it is about to go on. Raises what Python raises where it cannot."""
        if self.runs:
            raise self._runs_already()
        if self.at == NEW and error is not None:
            self.end()
        if self.at == ENDED:
            raise error or self.STOPS()
        if self.at == NEW and value is not None:
            raise TypeError(f"can't send non-None value to a just-started {self.WHAT}")
        self.runs = True
        names, self.names = {**self.names, GENERATOR: self}, {}
        if self.at != NEW:
            names[self.code.blocks[self.at].target] = value
        return names

    def _runs_already(self) -> Exception:
        return ValueError("generator already executing")

    def left_by(self, error: BaseException) -> BaseException:
        """What an exception becomes when it leaves the generator."""
        if not isinstance(error, StopIteration | self.STOPS):
            return error
        made = RuntimeError(f"{self.WHAT} raised {type(error).__name__}")
        made.__cause__ = error
        return made

    def wait(self, at: int, names: Locals) -> None:
        """It has come to the `yield` of block `at`."""
        self.runs = self.is_driven = False
        self.at = at
        self.names = {name: each for name, each in names.items() if name != GENERATOR}

    def end(self) -> None:
        """It will not go on any more."""
        self.runs = self.is_driven = False
        self.at = ENDED
        self.names = {}

    def _drive(self, value: Any, error: BaseException | None) -> Any:
        """Run its blocks up to the next `yield`, within the present statement."""
        at = self.at
        names = self.begin(value, error)
        self.is_driven = True
        port = current_port()
        port.switch_point()
        blocks = self.code.blocks
        if at == NEW:
            at = 0
        elif error is None:
            at = blocks[at].next
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
                        self.wait(at, names)
                        return result
                    case BlockKind.RETURN:
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
                if self.at == ENDED:
                    raise
                block = blocks[at]
                if block.handler is None or isinstance(raised, InterleaveError | Unrecoverable):
                    self.end()
                    if isinstance(raised, StopIteration):
                        raise self.left_by(raised) from raised
                    raise
                names[block.handler_name] = raised.with_traceback(None)
                at = block.handler
        self.end()
        raise StopIteration


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


Generator.__name__ = "generator"
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
    if at == ENDED:
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
    if type(callee) is types.MethodType and type(callee.__self__) is Generator:
        is_close = callee.__func__ is Generator.close
        return (_close, (callee.__self__,)) if is_close else (callee, arguments)
    if callee is next and len(arguments) == 1 and type(arguments[0]) is Generator:
        return arguments[0].__next__, ()
    return callee, arguments


def resumed(
    callee: Any, arguments: tuple[Any, ...]
) -> tuple[Generator, Any, BaseException | None] | None:
    """The generator that a call resumes, with what is sent and what is thrown; None for others.

    Raises what Python raises for arguments that do not fit.
    """
    if type(callee) is not types.MethodType or type(callee.__self__) is not Generator:
        return None
    generator: Generator = callee.__self__
    if callee.__func__ is Generator.throw:
        return generator, None, _arguments_of_throw(*arguments)
    if callee.__func__ is Generator.send:
        return generator, _argument_of_send(*arguments), None
    if callee.__func__ is Generator.__next__ and not arguments:
        return generator, None, None
    return None


def _argument_of_send(value: Any, /) -> Any:
    return value


def _arguments_of_throw(kind: Any, value: Any = None, traceback: Any = None, /) -> BaseException:
    return thrown(kind, value, traceback)


def given_up(generator: Generator) -> ModelError:
    """What to say of a generator that nothing refers to any more, and that has more to do."""
    code, at = generator.code, generator.at
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
