"""`functools.partial` as the code of a model sees it.

One that was there before the threads is itself a value, known by identity. One that a thread makes
is its own: a mutable value, which keeps its identity from one step to the next. One that it shares
is in a room, like any object.
"""

from __future__ import annotations

import functools
from typing import Any, NoReturn

from interleave.errors import ModelError
from interleave.memory.fixed import Fixed
from interleave.memory.port import Location, current_port
from interleave.memory.values import (
    Freezer,
    Key,
    Same,
    Shared,
    Thawer,
    Uncapturable,
    register_immutable,
    register_mutable,
)

_keywords = functools.partial.__dict__["keywords"].__get__


class CapturedPartial(functools.partial[Any]):
    """What stands for a partial that the threads find: of its parts nothing changes."""

    @property
    def keywords(self) -> dict[str, Any]:
        return Fixed(_keywords(self))

    def __setstate__(self, state: object) -> NoReturn:
        _refuse(self, "__setstate__")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        _refuse(self, name)

    def __delattr__(self, name: str) -> NoReturn:
        _refuse(self, name)


def _refuse(_: object, name: str) -> NoReturn:
    raise current_port().halt(
        ModelError(
            f"the attribute {name!r} of a functools.partial is changed",
            remedy="keep it in an attribute of the model, or in a list or dict",
        )
    )


def partial_of(
    real: functools.partial[Any], function: Any, args: tuple[Any, ...], *named: tuple[str, Any]
) -> CapturedPartial:
    """What stands for a partial, whose parts stand for those of the real one."""
    if vars(real):
        raise ModelError(
            f"a functools.partial has an attribute {next(iter(vars(real)))!r}",
            remedy="keep it in an attribute of the model, or in a list or dict",
        )
    return CapturedPartial(function, *args, **dict(named))


class SharedPartial(Shared):
    """What stands for a partial that a thread has made and shared. Looking at it is no access, for
    nothing of it changes.
    """

    __slots__ = ("_location", "_number")
    _location: Location
    __class__ = functools.partial  # type: ignore[assignment]

    @classmethod
    def contents(cls, value: functools.partial[Any]) -> tuple[tuple[str, Any], ...]:
        """What is in the room of a partial. Raises `Uncapturable`."""
        if vars(value):
            raise Uncapturable(value, "a functools.partial that has been given attributes")
        named = tuple(value.keywords.items())
        return (("func", value.func), ("args", value.args), ("keywords", named))

    def _part(self, name: str) -> Any:
        return dict(current_port().read(self._location))[name]

    @property
    def func(self) -> Any:
        return self._part("func")

    @property
    def args(self) -> tuple[Any, ...]:
        args: tuple[Any, ...] = self._part("args")
        return args

    @property
    def keywords(self) -> dict[str, Any]:
        return Fixed(dict(self._part("keywords")))

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.func(*self.args, *args, **{**self.keywords, **kwargs})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        _refuse(self, name)

    def __delattr__(self, name: str) -> NoReturn:
        _refuse(self, name)

    def part(self, contents: Any, part: Any) -> object:
        """What one of its attributes is, as a tuple of one."""
        return (dict(contents)[part[0]],)


SharedPartial.__name__ = SharedPartial.__qualname__ = "partial"


def _freeze(freezer: Freezer, value: Any) -> Key:
    parts = (value.func, value.args, tuple(value.keywords.items()), tuple(vars(value).items()))
    return freezer.freeze(parts)


def _thaw(thawer: Thawer, key: Key) -> Any:
    function, args, named, attributes = thawer.thaw(key[2])
    made = thawer.placed(key[1], functools.partial(function, *args, **dict(named)))
    vars(made).update(attributes)
    return made


register_mutable(functools.partial, _freeze, _thaw)
register_immutable(
    CapturedPartial,
    lambda _, value: (CapturedPartial, Same(value)),
    lambda _, key: key[1].it,
)
