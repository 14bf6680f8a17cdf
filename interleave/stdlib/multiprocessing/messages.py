"""What processes send each other: copies, as pickling makes them."""

from __future__ import annotations

from collections import deque
from typing import Any

from interleave.errors import ModelError
from interleave.memory.closures import Closure
from interleave.memory.containers import SharedArray, SharedContainer
from interleave.memory.primitive import Primitive
from interleave.memory.values import (
    Freezer,
    Key,
    Shared,
    Thawer,
    Uncapturable,
    register_immutable,
    slots_of,
)
from interleave.model import Model


class Packed:
    """A mutable value on its way: its key, of which each receiver makes a value of its own."""

    __slots__ = ("key",)

    def __init__(self, key: Key) -> None:
        self.key = key


register_immutable(Packed, lambda _, value: (Packed, value.key), lambda _, key: Packed(key[1]))


def pack(value: Any) -> Any:
    """A value as it is sent, itself where it cannot change.

    Looks into shared containers, each in an access. Raises `RuntimeError` for primitives, as
    multiprocessing does, and `ModelError` for what cannot be sent.
    """
    sent = _copied(value, {})
    try:
        Freezer().freeze(sent)
        return sent
    except Uncapturable:
        pass
    try:
        return Packed(Freezer(mutable=True).freeze(sent))
    except Uncapturable as error:
        raise _unsendable(error.why) from None


def _unsendable(why: str) -> ModelError:
    return ModelError(
        f"this cannot be sent to another process: {why}",
        remedy="send numbers, strings, tuples, lists, dicts, sets and the like",
    )


def unpack(message: Any) -> Any:
    """What a receiver gets."""
    if type(message) is not Packed:
        return message
    return Thawer(lambda number: number).thaw(message.key)


def _copied(value: Any, known: dict[int, Any]) -> Any:
    """The value with what is shared in it copied, at any depth."""
    kind, known_as = type(value), id(value)
    if known_as in known:
        return known[known_as]
    if kind is Closure:
        raise _unsendable(f"{value.__name__} was made by a running function")
    if issubclass(kind, SharedContainer):
        value = value.snapshot()
        kind = type(value)
    elif issubclass(kind, SharedArray | Shared):
        return _copied_object(value, known)
    if kind is tuple:
        return tuple([_copied(item, known) for item in value])
    made: Any
    if kind is list or kind is deque:
        made = known[known_as] = deque(maxlen=value.maxlen) if kind is deque else []
        made.extend([_copied(item, known) for item in value])
        return made
    if kind is dict:
        made = known[known_as] = {}
        made.update({_copied(key, known): _copied(item, known) for key, item in value.items()})
        return made
    return value


def _copied_object(value: Any, known: dict[int, Any]) -> Any:
    kind = type(value)
    if issubclass(kind, Primitive) or type(value)._between_processes:
        name = kind.__name__
        if kind._between_processes:
            raise RuntimeError(
                f"{name} objects should only be shared between processes through inheritance"
            )
        raise TypeError(f"cannot pickle '{name}' object")
    if issubclass(kind, SharedArray | Model):
        raise ModelError(
            f"{'an array' if issubclass(kind, SharedArray) else 'the model'} is sent to "
            "another process",
            remedy="send what the other process needs of it: numbers, strings, tuples, lists",
        )
    made: Any = object.__new__(value.__class__)
    known[id(value)] = made
    slots = {name: getattr(value, name) for name in slots_of(kind) if hasattr(value, name)}
    for name, item in {**vars(value), **slots}.items():
        object.__setattr__(made, name, _copied(item, known))
    return made
