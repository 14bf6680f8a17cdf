"""What processes send each other: copies, as pickling makes them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from interleave.errors import ModelError
from interleave.memory.closures import Closure
from interleave.memory.containers import SharedArray, SharedContainer
from interleave.memory.port import WHOLE, Location, Port, current_port, using_port
from interleave.memory.primitive import Primitive
from interleave.memory.values import (
    Freezer,
    Key,
    Shared,
    Thawer,
    Uncapturable,
    is_defined_in_python,
    members_by_base,
    register_immutable,
    slots_of,
)
from interleave.model import Model
from interleave.world.refusal import Refused


class Packed:
    """A mutable value on its way: its key, of which each receiver makes a value of its own.

    `copied` are the shared objects in it, while it is not certain yet that they were looked at for
    the last time.
    """

    __slots__ = ("copied", "key")

    def __init__(self, key: Key, copied: tuple[Shared, ...] = ()) -> None:
        self.key = key
        self.copied = copied

    def is_as(self, value: object) -> bool:
        """Whether the value is what it was, as far as it is shared. Within an access."""
        if not self.copied:
            return True
        with using_port(_Unnoticed(current_port())):
            return _Packer().freeze(value) == self.key

    def copies(self, location: Location) -> bool:
        """Whether what is at a location is a part of it."""
        return any(location is each for shared in self.copied for each in _locations(shared))


register_immutable(
    Packed,
    lambda freezer, value: (Packed, value.key, freezer.freeze(value.copied)),
    lambda thawer, key: Packed(key[1], thawer.thaw(key[2])),
)


def pack(value: Any, *, late: bool = False) -> Any:
    """A value as it is sent, itself where it cannot change.

    `late`: a feeder copies it some time later, so that what is copied has to be known. Looks into
    shared containers, each in an access. Raises `RuntimeError` for primitives, as multiprocessing
    does, and `ModelError` for what cannot be sent.
    """
    packer = _Packer()
    try:
        key = packer.freeze(value)
    except Uncapturable as error:
        raise _unsendable(error.why) from None
    if not packer.seen():
        return value
    return Packed(key, tuple(filter(_varies, packer.copied)) if late else ())


def sent(message: Any) -> Any:
    """A message that no change of what was sent concerns any more."""
    return Packed(message.key) if type(message) is Packed else message


def unpack(message: Any) -> Any:
    """What a receiver gets."""
    if type(message) is not Packed:
        return message
    return Thawer(lambda number: number).thaw(message.key)


def _unsendable(why: str) -> ModelError:
    return ModelError(
        f"this cannot be sent to another process: {why}",
        remedy="send numbers, strings, tuples, lists, dicts, sets and the like",
    )


class _Packer(Freezer):
    """Freezes a value with copies in the place of the shared objects in it, which are `copied`."""

    def __init__(self) -> None:
        super().__init__(mutable=True)
        self.copied: list[Shared] = []
        self._copies: dict[int, Any] = {}

    def freeze(self, value: Any) -> Key:
        if type(value) is Closure:
            raise _unsendable(f"{value.__name__} was made by a running function")
        kind = type(value)
        if kind is Refused:
            return super().freeze(value)
        if not issubclass(kind, Shared):
            if is_defined_in_python(kind) and (hook := _hook(kind)) is not None:
                raise _unsendable(f"{kind.__name__} has a method {hook}, which pickling asks")
            return super().freeze(value)
        number = value._number
        if number not in self._copies:
            self._copies[number] = _copy(value)
            self.copied.append(value)
        return self.freeze(self._copies[number])

    def _elements(self, elements: Any) -> tuple[Key, ...]:
        found = super()._elements(elements)
        if any(_refers(key) for key in found):
            raise _unsendable("a set of shared objects has no order that is always the same")
        return found


class _Unnoticed:
    """A port by which the present access looks at what it only compares."""

    def __init__(self, port: Port) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def access(self, kind: object, effect: Callable[[], Any], *, private: bool = False) -> Any:
        """Performed as a part of the present one."""
        return effect()

    def read(self, location: Location, *, part: object = WHOLE) -> Any:
        """The value there, not noted as read."""
        return self._port.read(location, part=None)


def _refers(key: object) -> bool:
    return type(key) is tuple and (key[:1] == (Shared,) or any(map(_refers, key)))


_HOOKS = (
    "__reduce_ex__", "__reduce__", "__getstate__", "__setstate__",
    "__getnewargs_ex__", "__getnewargs__",
)  # fmt: skip
"""Methods by which a class says how its instances are pickled."""


def _hook(kind: type) -> str | None:
    """The method of a class of the user's that says how its instances are pickled, if any does.

    Those of Python's own classes keep all there is.
    """
    # An exception is made anew from its arguments.
    hooks = (*_HOOKS, "__init__") if issubclass(kind, BaseException) else _HOOKS
    for members in members_by_base(kind):
        for hook in hooks:
            made_in = getattr(members.get(hook), "__module__", None) or "builtins"
            if made_in.partition(".")[0] not in sys.stdlib_module_names:
                return hook
    return None


def _copy(shared: Any) -> Any:
    """A copy of a shared object, with the same objects in it."""
    kind = type(shared)
    if issubclass(kind, SharedContainer):
        return shared.snapshot()
    if issubclass(kind, Primitive) or kind._between_processes:
        if kind._between_processes:
            raise RuntimeError(
                f"{kind.__name__} objects should only be shared between processes through "
                "inheritance"
            )
        raise TypeError(f"cannot pickle '{kind.__name__}' object")
    if issubclass(kind, SharedArray | Model):
        raise ModelError(
            f"{'an array' if issubclass(kind, SharedArray) else 'the model'} is sent to "
            "another process",
            remedy="send what the other process needs of it: numbers, strings, tuples, lists",
        )
    made = object.__new__(shared.__class__)
    slots = {name: getattr(shared, name) for name in slots_of(kind) if hasattr(shared, name)}
    for name, value in {**vars(shared), **slots}.items():
        object.__setattr__(made, name, value)
    return made


def _locations(shared: Any) -> Iterator[Location]:
    """The locations of a shared object in this process: one, or one for each attribute."""
    get, locate = object.__getattribute__, current_port().locate
    try:
        yield from map(locate, get(shared, "_locations").values())
    except AttributeError:
        yield locate(get(shared, "_location"))


def _varies(shared: Shared) -> bool:
    return any(not location.constant for location in _locations(shared))
