"""Identities of threads, as values of types of their own.

A process, a task and a goroutine are threads of the machine too. Wherever a value or a local state
refers to one, it has one of these types, and a key of its own kind: so that exchanging two threads
in a state changes what refers to them, and no number or text that merely looks the same. What
arithmetic makes of the identity of a thread is a plain number. References to objects are identities
already: see `values.Shared`; and what `id` tells of them has a type of its own too (`addresses`).
"""

from __future__ import annotations

from typing import Self

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


class ThreadName(str):
    """A thread, or a process, by the name that reports have for it; "" is the model's process."""

    __slots__ = ()


MODEL_PROCESS = ThreadName("")
"""The process of the model itself."""

# The model sees these. In messages of Python's, they are what they stand for.
ThreadIdent.__name__ = "int"
ThreadName.__name__ = "str"

register_immutable(ThreadId, lambda _, it: (ThreadId, int(it)), lambda _, key: ThreadId(key[1]))
register_immutable(
    ThreadIdent, lambda _, it: (ThreadIdent, int(it)), lambda _, key: ThreadIdent(key[1])
)
register_immutable(
    ThreadName, lambda _, it: (ThreadName, str(it)), lambda _, key: ThreadName(key[1])
)
