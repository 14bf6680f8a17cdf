"""Dicts that code may look at, and not change: what is in them is no part of a state."""

from __future__ import annotations

from typing import Any, NoReturn

from interleave.errors import ModelError
from interleave.memory.port import current_port


class Fixed(dict[str, Any]):
    """The attributes of a value, or what a `functools.partial` adds to the arguments."""


def _refuse(*_: object, **__: object) -> NoReturn:
    raise current_port().halt(
        ModelError(
            "this changes what a value is made of, which is the same for ever",
            remedy="keep what changes in an attribute of the model, or of an object of your own",
        )
    )


for _name in (
    "__delitem__", "__ior__", "__setitem__", "clear", "pop", "popitem", "setdefault", "update",
):  # fmt: skip
    setattr(Fixed, _name, _refuse)
