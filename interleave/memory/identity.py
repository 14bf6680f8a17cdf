"""Identities of threads and of objects, as values of types of their own.

A process, a task and a goroutine are threads of the machine too. Wherever a value or a local state
refers to one, it has one of these types, and a key of its own kind: so that exchanging two threads
in a state changes what refers to them, and no number or text that merely looks the same. What
arithmetic makes of the identity of a thread is a plain number. References to objects are identities
already: see `values.Shared`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn, Self

from interleave.errors import ModelError
from interleave.memory.values import register_immutable


class ThreadId(int):
    """A thread: its index among those of the program; -1 is none of them."""

    __slots__ = ()


class ThreadIdent(int):
    """A thread as `threading.get_ident` tells of it: the number is never 0."""

    __slots__ = ()

    @classmethod
    def of(cls, thread: ThreadId) -> Self:
        """The number that stands for a thread."""
        return cls(thread + 1)

    @property
    def thread(self) -> ThreadId:
        """The thread that the number stands for."""
        return ThreadId(self - 1)


class ProcessIdent(int):
    """The process of the model, as `os.getpid` tells of it.

    A number that was there before the threads may be that of this process, or of the one that it
    was forked from: nobody can say whether it is this one.
    """

    __slots__ = ()

    def __new__(cls) -> Self:
        """No process of Linux has this number."""
        return super().__new__(cls, 1 << 22)

    __hash__ = int.__hash__


class ThreadName(str):
    """A thread, or a process, by the name that reports have for it; "" is the model's process."""

    __slots__ = ()


_SHARED = 1 << 48
_CONSTANT = 1 << 49
"""Where the numbers begin that stand for addresses: no real address is as high."""

_APART = 16
"""How far they are apart, as addresses are. A hash that is made of one comes in between."""


class ObjectId(int):
    """An object, as `id` tells of it, or `hash` where that depends on the address alone.

    It may be compared, and be a key. What arithmetic would make of a real one, nobody can say.
    """

    __slots__ = ()

    @classmethod
    def of_shared(cls, index: int) -> Self:
        """The number of a shared object, by the one that its heap has for it."""
        return cls(_SHARED + _APART * index)

    @classmethod
    def of_constant(cls, number: int) -> Self:
        """The number of any other object, by a number that no other of these has."""
        return cls(_CONSTANT + _APART * number)

    @property
    def shared(self) -> int | None:
        """What `of_shared` was given."""
        plain = int.__index__(self)
        return None if plain >= _CONSTANT else (plain - _SHARED) // _APART

    @property
    def is_hash(self) -> bool:
        """Whether it is what `hash` gives."""
        return int.__index__(self) % _APART != 0

    def as_hash(self) -> Self:
        """What `hash` gives for the object."""
        return type(self)(int.__add__(self, _APART // 2))


def _arithmetic(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def operate(self: ObjectId, *others: Any) -> Any:
        if sys._getframe(1).f_code.co_name == "__hash__":
            return plain(self, *others)  # only dicts and sets look at it
        return _refuse_arithmetic()

    return operate


def _refuse_arithmetic() -> NoReturn:
    _refuse(
        "this computes with what id() or hash() gives, which is another number in each run",
        "compare it, use it as a key, or give objects a number of their own",
    )


def _refuse(what: str, remedy: str) -> NoReturn:
    from interleave.memory.port import current_port

    current_port().halt(ModelError(what, remedy=remedy))
    raise AssertionError  # halt does not return


def _comparison(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def compare(self: ProcessIdent, other: object) -> Any:
        if isinstance(other, int) and type(other) is not ProcessIdent:
            _refuse(
                "the number of a process is compared with a number of another kind",
                "have threads ask for both: os.getpid() is another number in each run",
            )
        return plain(self, other)

    return compare


for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(ProcessIdent, _name, _comparison(_name))

for _name in (
    "__abs__", "__add__", "__and__", "__divmod__", "__float__", "__floordiv__", "__int__",
    "__invert__", "__lshift__", "__mod__", "__mul__", "__neg__", "__or__", "__pos__", "__pow__",
    "__radd__", "__rand__", "__rdivmod__", "__rfloordiv__", "__rlshift__", "__rmod__", "__rmul__",
    "__ror__", "__rpow__", "__rrshift__", "__rshift__", "__rsub__", "__rtruediv__", "__rxor__",
    "__sub__", "__truediv__", "__xor__", "bit_length", "to_bytes",
):  # fmt: skip
    setattr(ObjectId, _name, _arithmetic(_name))


MODEL_PROCESS = ThreadName("")
"""The process of the model itself."""

# The model sees these. In messages of Python's, they are what they stand for.
ThreadIdent.__name__ = ProcessIdent.__name__ = ObjectId.__name__ = "int"
ThreadName.__name__ = "str"

register_immutable(ThreadId, lambda _, it: (ThreadId, int(it)), lambda _, key: ThreadId(key[1]))
register_immutable(
    ThreadIdent, lambda _, it: (ThreadIdent, int(it)), lambda _, key: ThreadIdent(key[1])
)
register_immutable(ProcessIdent, lambda *_: (ProcessIdent,), lambda *_: ProcessIdent())
register_immutable(
    ObjectId, lambda _, it: (ObjectId, int.__index__(it)), lambda _, key: ObjectId(key[1])
)
register_immutable(
    ThreadName, lambda _, it: (ThreadName, str(it)), lambda _, key: ThreadName(key[1])
)


def as_plain(value: object) -> object:
    """The number or text that an identity is for people, and in JSON; any other value as it is."""
    if isinstance(value, ThreadIdent | ProcessIdent | ObjectId):
        return int.__index__(value)
    return str(value) if type(value) is ThreadName else value
