"""What a class says of an attribute of its instances: of getting, setting and deleting it.

As in CPython, that is up to the type of what the class has by that name, and not to what it keeps.
"""

from __future__ import annotations

import types
from typing import Any

from interleave.memory.values import UNBOUND, members_by_base


def member_of(kind: type, name: str) -> Any:
    """What a class or a base of it has by a name, as it stands there; `UNBOUND` for nothing."""
    return next((own[name] for own in members_by_base(kind) if name in own), UNBOUND)


def is_data_descriptor(member: object) -> bool:
    """Whether the type of a member defines `__set__` or `__delete__`.

    Source: `PyDescr_IsData` of CPython. One that lacks the other of the two refuses what that does.
    """
    kind = type(member)
    return hasattr(kind, "__set__") or hasattr(kind, "__delete__")


def does_as(member: object, kind: type) -> bool:
    """Whether a member does what a `property`, say, does: it is one, or its class adds nothing.

    A class may derive from `property`, and say itself what getting an attribute does.
    """
    own = type(member)
    return issubclass(own, kind) and all(
        getattr(own, each, None) is getattr(kind, each, None)
        for each in ("__get__", "__set__", "__delete__")
    )


def sets_itself(kind: type, name: str) -> bool:
    """Whether a class says itself what setting an attribute does: a property, a descriptor."""
    member = member_of(kind, name)
    return type(member) is not types.MemberDescriptorType and is_data_descriptor(member)


def gets_itself(kind: type, name: str) -> bool:
    """Whether it says what the attribute is, too, whatever the instance has."""
    return sets_itself(kind, name) and hasattr(type(member_of(kind, name)), "__get__")
