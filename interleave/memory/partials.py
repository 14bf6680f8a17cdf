"""`functools.partial` as the code of a model sees it.

One that was there before the threads is itself a value, known by identity. One that a thread makes
is its own: a mutable value, which keeps its identity from one step to the next.
"""

from __future__ import annotations

import functools
from typing import Any, NoReturn

from interleave.errors import ModelError
from interleave.memory.fixed import Fixed
from interleave.memory.port import current_port
from interleave.memory.values import (
    Freezer,
    Key,
    Same,
    Thawer,
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


def _refuse(captured: functools.partial[Any], name: str) -> NoReturn:
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
