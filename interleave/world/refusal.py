"""What stands for a name that no model may use, in code that may never use it."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from interleave.errors import InterleaveError, ModelError, Place
from interleave.memory.calling import is_of_machine
from interleave.memory.port import running_port
from interleave.memory.values import Same, register_immutable
from interleave.world import policy
from interleave.world.policy import OURS, Treatment, is_generated


class _RefusedType(type):
    """The type of such a thing tells nothing of what it would stand for, and is as good as that."""

    def __getattribute__(cls, name: str) -> Any:
        user = sys._getframe(1)
        if user.f_code.co_filename.startswith(OURS):
            return type.__getattribute__(cls, name)
        error = ModelError(
            f"this asks the type of something that has no modelled counterpart for {name}",
            remedy="keep what threads share in attributes of the model, or in objects of classes "
            "that are followed",
            place=_place_of_user(user),
        )
        if (port := running_port()) is not None:
            port.halt(error)
        raise error


class Refused(metaclass=_RefusedType):
    """Whatever is done with it ends the check; that it is kept somewhere does not."""

    __slots__ = ("_error",)

    def __init__(self, error: InterleaveError) -> None:
        object.__setattr__(self, "_error", error)


def _refuse(self: Refused, *_: object, **__: object) -> Any:
    named = object.__getattribute__(self, "_error")
    error = ModelError(named.what, remedy=named.remedy, about=named.about)
    error.at(_place_of_user(sys._getframe(1)))
    if (port := running_port()) is not None:
        port.halt(error)
    raise error


def _place_of_user(frame: FrameType | None) -> Place | None:
    """Where the code of the model is that runs in a frame, or has called it."""
    while frame is not None and not _is_followed(frame):
        # A block of the library's, and what calls for one, are placed by the machine.
        frame = None if is_of_machine(frame.f_code) else frame.f_back
    return frame and Place.of_frame(frame)


def _is_followed(frame: FrameType) -> bool:
    """Whether it is code of the model's that runs, and not of this package, of a library, or made
    by `dataclass`. What this package itself calls in Python's library runs as it is.
    """
    code = frame.f_code
    name = frame.f_globals.get("__name__", "")
    runs_as_it_is = name in sys.modules and vars(sys.modules[name]) is frame.f_globals
    return (
        not code.co_filename.startswith(OURS)
        and not (runs_as_it_is and policy.is_standard(name))
        and not is_generated(code)
        and policy.of_code(code, frame.f_globals).treatment is Treatment.FOLLOWED
    )


def _attribute(self: Refused, name: str) -> Any:
    # Asked by `isinstance` in this package, which uses nothing.
    if name == "__class__" and sys._getframe(1).f_code.co_filename.startswith(OURS):
        return Refused
    return _refuse(self)


_USES = (
    "setattr delattr call iter next bool len contains getitem setitem delitem eq ne "
    "lt le gt ge hash str repr format bytes int float complex index enter exit aenter aexit aiter "
    "anext await instancecheck subclasscheck reversed round trunc floor ceil neg pos "
    "abs invert mro_entries copy deepcopy reduce reduce_ex fspath buffer"
)
_OPERATORS = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"

setattr(Refused, "__getattribute__", _attribute)  # noqa: B010  (as the others below)
for _use in (
    *_USES.split(),
    *[f"{kind}{name}" for name in _OPERATORS.split() for kind in ("", "r", "i")],
):
    setattr(Refused, f"__{_use}__", _refuse)


class RefusedDescriptor(Refused):
    """The same for a member of a class: to look at it, as an attribute of anything, is a use."""

    __slots__ = ()
    __get__ = _refuse


def as_descriptor(refused: Refused) -> RefusedDescriptor:
    """The same error, for a member of a class."""
    return RefusedDescriptor(object.__getattribute__(refused, "_error"))


def used(value: Any) -> Any:
    """What `raise` and C code are given, which ask nothing of it that this would see."""
    return _refuse(value) if type(value) is Refused else value


class _Kept(Same):
    """A refused name in a state, which cannot be asked what it is called."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "refused"


register_immutable(Refused, lambda _, value: (Refused, _Kept(value)), lambda _, key: key[1].it)
