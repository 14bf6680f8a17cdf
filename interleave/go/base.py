"""What all of Go's primitives share: how they come to be, panics, and errors that end a program.

Behaviour and messages are those of Go 1.25 (its documentation, and the sources in src/runtime,
src/sync, src/context and src/time).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from interleave.errors import ModelError
from interleave.go.embedding import embedding
from interleave.memory import own
from interleave.memory.own import Own, made
from interleave.memory.port import Unrecoverable, running_port
from interleave.memory.primitive import DEFERS


class Panic(Exception):
    """A panic. `except go.Panic as p:` recovers from it; `p.value` is what was given to `panic`."""

    ends = "panic"
    """What a report calls it when it leaves a goroutine."""

    @property
    def value(self) -> Any:
        """What `panic` was called with."""
        return self.args[0]

    def __str__(self) -> str:
        return in_panic(self.value)


def unmodelled(package: str) -> Callable[[str], Any]:
    """The `__getattr__` of the module that stands for a package of Go: refuses what it has not."""

    def refuse(name: str) -> Any:
        port = running_port()
        if port is None or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"{package} has no {name}")
        return port.halt(
            ModelError(
                f"{package}.{name} is not modelled",
                remedy="write down what it does, with what there is: see docs/go.md",
            )
        )

    return refuse


class Fatal(Unrecoverable):
    """The runtime throws: the program ends at once. No deferred function runs, nothing recovers."""

    ends = "fatal error"


def panic(value: Any) -> None:
    """Go's `panic(value)`. What is not recovered ends the program, whoever panics."""
    raise Panic(value)


def defer(function: Callable[..., Any], /, *args: Any) -> None:
    """Go's `defer function(args)`: it is called when the function that this stands in is left."""
    # What it means is compiled into that function: see `compiler.defers`.
    raise ModelError(
        "go.defer() stands in a function that is run as one",
        remedy="write it in a method of the model, or in a function that a goroutine runs",
    )


setattr(defer, DEFERS, True)


def in_panic(value: Any) -> str:
    """A value as Go prints it after "panic: "."""
    if value is None:
        return "panic called with nil argument (use GODEBUG=panicnil=1 to disable)"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


class GoPrimitive(Own):
    """A primitive of Go's. Its zero value is ready for use, wherever it is made."""

    @classmethod
    @lru_cache
    def known(cls) -> frozenset[str]:
        """What has a name of Go's, and `besides`, which stands for operators: `<-ch`."""
        return cls.besides.union(name for name in dir(cls) if name[0].isupper())


def new(kind: type[GoPrimitive]) -> Callable[..., Any]:
    """What makes primitives of a kind. It can be the base of a class, which embeds one."""
    make = own.new(kind)
    base = embedding(kind, lambda: made(kind, kind.zero(), field=kind.__name__))
    setattr(make, "__mro_entries__", lambda _: (base,))  # noqa: B010  (a function has no such one)
    return make
