"""Attributes of an object of a class of the model's, block by block: properties, descriptors, and
classes that say themselves what getting, setting and deleting an attribute is.

After `object.__getattribute__`, `super` and `slot_tp_getattr_hook` of CPython (Objects/object.c,
Objects/typeobject.c), as in `methods`. What an instance has itself is looked at within a block.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from interleave.compiler import operators
from interleave.memory.descriptors import is_data_descriptor
from interleave.memory.primitive import in_place_of_c
from interleave.memory.values import UNBOUND, members_of
from interleave.world import reflection
from interleave.world.accessors import ACCESSORS, Accessor
from interleave.world.instances import SharedObject
from interleave.world.twins import TwinType, Uncaptured, method_of, twin_of

Choice = Callable[..., Any] | None
"""What does an operation block by block; None where none of it is code of the model's."""

# Helpers, which run within a block of what is below.


def owner_of(asked: Any) -> Any:
    """The object of which an attribute is asked for: of a `super`, the one that it is about."""
    kind: Any = type(asked)
    return asked.__self__ if kind is super else asked


def class_of(asked: Any) -> type:
    """The class of that object, as the model has it."""
    return twin_of(type(owner_of(asked)))


def part(asked: Any, name: str, which: str) -> types.MethodType:
    """A function of a property, `fget` say, bound to its object."""
    return types.MethodType(getattr(_member(asked, name), which), owner_of(asked))


def hook(asked: Any, name: str, which: str) -> types.MethodType:
    """A method of a descriptor, `__get__` say."""
    member = _member(asked, name)
    function = method_of(member, which)
    assert function is not None
    return types.MethodType(function, member)


def own_method(owner: Any, which: str) -> types.MethodType:
    """A method of the class of an object, `__getattr__` say."""
    function = method_of(owner, which)
    assert function is not None
    return types.MethodType(function, owner)


def own_attribute(owner: Any, name: str) -> Any:
    """What an instance itself has by a name; `UNBOUND` for nothing."""
    kind: Any = type(owner)
    try:
        own = kind.__getattribute__(owner, "__dict__")
    except AttributeError:  # it has slots
        return UNBOUND
    return own.get(name, UNBOUND)


def usual(owner: Any, name: str) -> Callable[..., Any]:
    """What gives an attribute where there is no `__getattr__`: a function of the owner and name."""
    return _choose_usual(owner, name) or _looked_up


def _looked_up(owner: Any, name: str) -> Any:
    kind: Any = type(owner)
    return kind.__getattribute__(reflection.used(owner, name), name)


def got(asked: Any, name: str) -> Callable[..., Any]:
    """What gives an attribute, a function likewise."""
    return choose_get(asked, name) or operators.get_attribute


def put(asked: Any, name: str, value: Any) -> Callable[..., Any]:
    """What sets an attribute, a function of the value, the owner and the name."""
    return choose_set(value, asked, name) or operators.set_attribute


def put_as_usual(owner: Any, name: str) -> Callable[..., Any]:
    """What sets an attribute where there is no `__setattr__`, likewise."""
    choice = _choose_set_by_class(owner, name)
    assert choice is not None
    return choice


@in_place_of_c
def _get_by_property(asked: Any, name: str) -> Any:
    return part(asked, name, "fget")()


@in_place_of_c
def _get_by_descriptor(asked: Any, name: str) -> Any:
    return hook(asked, name, "__get__")(owner_of(asked), class_of(asked))


@in_place_of_c
def _get_unless_own(owner: Any, name: str) -> Any:
    found = own_attribute(owner, name)
    if found is UNBOUND:
        found = hook(owner, name, "__get__")(owner, class_of(owner))
    return found


@in_place_of_c
def _get_by_method(owner: Any, name: str) -> Any:
    return own_method(owner, "__getattribute__")(name)


@in_place_of_c
def _get_or_ask(owner: Any, name: str) -> Any:
    try:
        return usual(owner, name)(owner, name)
    except AttributeError:
        return own_method(owner, "__getattr__")(name)


@in_place_of_c
def _set_by_method(value: Any, owner: Any, name: str) -> None:
    own_method(owner, "__setattr__")(name, value)


@in_place_of_c
def _set_by_property(value: Any, asked: Any, name: str) -> None:
    part(asked, name, "fset")(value)


@in_place_of_c
def _set_by_descriptor(value: Any, asked: Any, name: str) -> None:
    hook(asked, name, "__set__")(owner_of(asked), value)


@in_place_of_c
def _delete_by_method(owner: Any, name: str) -> None:
    own_method(owner, "__delattr__")(name)


@in_place_of_c
def _delete_by_property(asked: Any, name: str) -> None:
    part(asked, name, "fdel")()


@in_place_of_c
def _delete_by_descriptor(asked: Any, name: str) -> None:
    hook(asked, name, "__delete__")(owner_of(asked))


@in_place_of_c
def _get_or(asked: Any, name: str, default: Any, /) -> Any:
    try:
        return got(asked, name)(asked, name)
    except AttributeError:
        return default


@in_place_of_c
def _has(asked: Any, name: str, /) -> bool:
    try:
        got(asked, name)(asked, name)
    except AttributeError:
        return False
    return True


@in_place_of_c
def _set(asked: Any, name: str, value: Any, /) -> None:
    put(asked, name, value)(value, asked, name)


@in_place_of_c
def _set_as_usual(owner: Any, name: str, value: Any, /) -> None:
    put_as_usual(owner, name)(value, owner, name)


# Which of them, if any.


def choose_get(asked: Any, name: str) -> Choice:
    """What gets an attribute."""
    if method_of(asked, "__getattr__") is not None:
        return _get_or_ask
    return _choose_usual(asked, name)


def _choose_usual(asked: Any, name: str) -> Choice:
    if method_of(asked, "__getattribute__") is not None:
        return _get_by_method
    return _choose_by_class(asked, name)


def _choose_by_class(asked: Any, name: str) -> Choice:
    member = _member(asked, name)
    if _is_by_function(member, "fget"):
        return _get_by_property
    if method_of(member, "__get__") is None:
        return None
    is_first = type(asked) is super or is_data_descriptor(member)
    return _get_by_descriptor if is_first else _get_unless_own


def choose_set(value: Any, asked: Any, name: str) -> Choice:
    """What sets an attribute."""
    if method_of(asked, "__setattr__") is not None:
        return _set_by_method
    return _choose_set_by_class(asked, name)


def _choose_set_by_class(asked: Any, name: str) -> Choice:
    member = _member(asked, name)
    if _is_by_function(member, "fset"):
        return _set_by_property
    return _set_by_descriptor if method_of(member, "__set__") is not None else None


def choose_delete(asked: Any, name: str) -> Choice:
    """What deletes an attribute."""
    if method_of(asked, "__delattr__") is not None:
        return _delete_by_method
    return _choose_delete_by_class(asked, name)


def _choose_delete_by_class(asked: Any, name: str) -> Choice:
    member = _member(asked, name)
    if _is_by_function(member, "fdel"):
        return _delete_by_property
    return _delete_by_descriptor if method_of(member, "__delete__") is not None else None


def choose_get_or(asked: Any, name: str, _: Any) -> Choice:
    """What gets an attribute, or gives a default."""
    return _get_or if choose_get(asked, name) is not None else None


def choose_has(asked: Any, name: str) -> Choice:
    """What says whether there is an attribute."""
    return _has if choose_get(asked, name) is not None else None


def choose_set_by_name(asked: Any, name: str, value: Any) -> Choice:
    """What sets an attribute for `setattr`."""
    return _set if choose_set(value, asked, name) is not None else None


def choose_accessor(callee: Any, arguments: tuple[Any, ...]) -> Choice:
    """What does what a method like `object.__setattr__` does that is called."""
    kind = type(callee)
    owner: tuple[Any, ...] = ()
    if kind is types.MethodType and callee.__func__ in _OF_SHARED:
        how, owner = _OF_SHARED[callee.__func__], (callee.__self__,)
    elif kind is functools.partial and type(callee.func) is Accessor:
        how, owner = callee.func.how, callee.args
    else:
        return None
    if len(owner) + len(arguments) != _OPERANDS[how]:
        return None
    choice = _BY_CLASS[how](*[*owner, *arguments][:2])
    if choice is not None and how == "__setattr__":
        choice = _set_as_usual
    return choice and (types.MethodType(choice, *owner) if owner else choice)


_BY_CLASS = {
    "__getattribute__": _choose_by_class,
    "__setattr__": _choose_set_by_class,
    "__delattr__": _choose_delete_by_class,
}
_OPERANDS = {"__getattribute__": 2, "__setattr__": 3, "__delattr__": 2}

_OF_SHARED = {getattr(SharedObject, each): each for each in sorted(ACCESSORS)}


def _is_by_function(member: Any, which: str) -> bool:
    return type(member) is property and isinstance(getattr(member, which), types.FunctionType)


def _member(asked: Any, name: str) -> Any:
    """What a class of the model's has by a name, of an object of it; `UNBOUND` for nothing."""
    for base in _order(asked):
        if name in members_of(base):
            member = members_of(base)[name] if isinstance(base, TwinType) else UNBOUND
            return member.now() if isinstance(member, Uncaptured) else member
    return UNBOUND


def _order(asked: Any) -> tuple[type, ...]:
    """The classes in which Python looks for an attribute of an object; none for a class, which has
    classes of its own to look in.
    """
    kind: Any = type(asked)
    if issubclass(kind, type):
        return ()
    if kind is not super:
        order: tuple[type, ...] = kind.__mro__
        return order
    order = asked.__self_class__.__mro__
    is_of_instance = asked.__self__ is not asked.__self_class__
    return order[order.index(asked.__thisclass__) + 1 :] if is_of_instance else ()
