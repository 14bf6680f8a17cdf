"""Primitives of which Python has no real one: those of another language, and those of users."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from interleave.memory.made import Kind
from interleave.memory.port import running_port
from interleave.memory.primitive import Primitive, Unmade


class Own(Primitive):
    """A primitive of which Python has no real one.

    What code of a model may ask for is what has a public name, and none that a class of this
    package has that it derives from. See docs/extending.md.
    """

    @classmethod
    @lru_cache
    def known(cls) -> frozenset[str]:
        ours = [base for base in cls.__mro__ if base.__module__.startswith("interleave.")]
        names = (name for name in dir(cls) if name[0] != "_")
        return cls.besides.union(
            name for name in names if not any(name in vars(base) for base in ours)
        )

    @classmethod
    def zero(cls, *args: Any, **kwargs: Any) -> object:
        """The state of a new one."""
        raise NotImplementedError

    @classmethod
    def initial(cls, real: Unmade) -> object:
        return real.state

    @classmethod
    def fresh(cls, real: Unmade) -> Unmade:
        return Unmade(real.kind, real.state)

    @classmethod
    def copy_parts(cls, real: Unmade, copy: Callable[[Any], Any]) -> None:
        real.state = cls.visit(real.state, lambda part, _: copy(part))


def made(kind: type[Own], state: object, *, field: str = "") -> Any:
    """A primitive in some state: in a class body, in `setup`, and in a running thread.

    `field` is the one that it is for, of an object that is being made.
    """
    port = running_port()
    return Unmade(kind, state) if port is None else port.make(Kind(kind), state, field=field)


def new(kind: type[Own]) -> Callable[..., Any]:
    """What makes primitives of a kind, from what their `zero` takes."""

    def make(*args: Any, **kwargs: Any) -> Any:
        return made(kind, kind.zero(*args, **kwargs))

    make.__name__ = make.__qualname__ = kind.__name__
    make.__doc__ = kind.__doc__
    return make
