"""Code that changes what functions, classes, modules and library objects are, by attributes.

What stands for them in a model is made once, and is no part of a state: to change it is refused.
What a model itself is made of, attributes of its objects, classes, modules and functions, can be
set; but for those attributes that mean something to Python.
"""

from __future__ import annotations

import re
import types
from typing import Any, NoReturn

from interleave.errors import ModelError
from interleave.memory.closures import WRAPPED, Closure
from interleave.memory.derived import LOCAL, inner_of
from interleave.memory.fixed import Fixed
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.memory.values import (
    COPY,
    UNBOUND,
    Shared,
    is_defined_in_python,
    is_frozen_dataclass,
)
from interleave.world import policy
from interleave.world.homes import CACHES_OF_LIBRARIES
from interleave.world.internal import INTERNAL
from interleave.world.policy import Treatment

_LEADS_TO_VARIABLES = frozenset(
    {"__annotate__", "__annotations__", "__builtins__", "__closure__", "__globals__",
     "__kwdefaults__", "cell_contents"}
)  # fmt: skip
_OF_DESCRIPTORS = frozenset({"__delete__", "__get__", "__set__"})
OF_ALL_OBJECTS = frozenset({"__class__", "__dict__"})
_OF_CODE = frozenset(
    {"__abstractmethods__", "__annotate__", "__annotations__", "__bases__", "__code__",
     "__defaults__", "__doc__", "__kwdefaults__", "__module__", "__name__", "__qualname__",
     "__slots__", "__type_params__"}
)  # fmt: skip
CONTEXT = "__context__"
"""Attribute of an exception that says what was handled when it was raised: no state has that."""

USED = _LEADS_TO_VARIABLES | _OF_DESCRIPTORS | INTERNAL | {CONTEXT}
"""Names of attributes that may not be used, at least of some objects."""
SET = OF_ALL_OBJECTS | _OF_CODE
"""Names of attributes that may not be set, at least of some objects."""

_CODE = (types.FunctionType, types.MethodType, types.ModuleType, type)
_MADE_BY_PYTHON = (types.MemberDescriptorType, types.GetSetDescriptorType)
_DESCRIPTORS = (property, classmethod, staticmethod)
_LIBRARIES = ("interleave.stdlib.", "interleave.go.")


class Ordinary:
    """An object of this package of which code may do with attributes what it may with its own."""


def used(value: Any, name: str) -> Any:
    """`value`, of which code is about to look at an attribute. No code goes on where it may not.

    Raises `AttributeError` where only what stands for `value` has the attribute.
    """
    if is_internal(value, name):
        value.lack(name)
    if name in _OF_DESCRIPTORS:
        return _refuse(name, is_set=False) if type(value) in _MADE_BY_PYTHON else value
    is_refused = name in _LEADS_TO_VARIABLES or is_cache(value, name)
    is_refused |= name == CONTEXT and issubclass(type(value), BaseException)
    return _refuse(name, is_set=False) if is_refused else value


def is_internal(value: Any, name: str) -> bool:
    """Whether an attribute is one that a primitive has for the library only."""
    kind = type(value)
    return name in INTERNAL and issubclass(kind, Primitive) and name not in kind.known()


def is_cache(value: Any, name: str) -> bool:
    """Whether this is a variable of a library that changes all the time."""
    if not issubclass(type(value), types.ModuleType):  # isinstance() would ask its __class__
        return False
    return name in CACHES_OF_LIBRARIES.get(value.__name__, ())


def settable(value: Any, name: str) -> Any:
    """`value`, of which code is about to set or delete an attribute; likewise."""
    if name in OF_ALL_OBJECTS:
        _refuse(name)
    kind = type(value)
    if name in _OF_CODE and _is_code(value):
        _refuse(name)
    if issubclass(kind, Shared):
        if is_internal(value, name):
            _refuse(name)
        if issubclass(kind, Primitive):
            _refuse_unless_settable(value, name)
        elif kind.__module__.startswith("interleave.") and not _can_be_set(kind, name):
            _refuse(name)
    elif issubclass(kind, types.FunctionType):
        if COPY not in value.__globals__:
            _refuse(name)
    elif issubclass(kind, (types.ModuleType, Closure, *_DESCRIPTORS)):
        if not (kind is Closure and name == WRAPPED):
            _refuse(name)
    elif issubclass(kind, type):
        # Python itself refuses to change types in C.
        if is_defined_in_python(value) and policy.of_class(value).treatment is not _FOLLOWED:
            _refuse(name)
    elif _is_of_library(kind) and not _can_be_set(kind, name):
        _refuse(name)
    return value


def _is_of_library(kind: Any) -> bool:
    """Whether a class, or a function, stands for one of a library."""
    is_ordinary = isinstance(kind, type) and issubclass(kind, Ordinary)
    return kind.__module__.startswith(_LIBRARIES) and not is_ordinary


def _refuse_unless_settable(primitive: Primitive, name: str) -> None:
    if getattr(getattr(type(primitive), name, None), "fset", None) is None:
        what = f"a running thread sets {primitive.location.name}.{name}"
        remedy = "keep it in an attribute of the model, or of an object of your own"
        current_port().halt(ModelError(what, remedy=remedy))


def _is_code(value: Any) -> bool:
    """Whether a value is, or stands for, code; without asking an object of the user's for it."""
    kind = type(value)
    stands_for_code = kind.__module__.startswith("interleave.") and isinstance(value, _CODE)
    return issubclass(kind, _CODE) or stands_for_code


_FOLLOWED = Treatment.FOLLOWED


def _can_be_set(kind: type, name: str) -> bool:
    """Whether the class of an object of this package says what setting an attribute of it does."""
    own: Any = kind.__setattr__
    if own is not object.__setattr__ and not is_frozen_dataclass(kind):
        return (
            not name.startswith("_")
            or not kind.__module__.startswith(_LIBRARIES)
            or (_knows(kind, name))
        )
    member = getattr(kind, name, None)
    if isinstance(member, property):
        return member.fset is not None
    return hasattr(type(member), "__set__") or not kind.__module__.startswith(_LIBRARIES)


def attributes(value: Any) -> Any:
    """What `value.__dict__` gives in a model."""
    if _is_of_library(type(value)) or inner_of(value, LOCAL) is not UNBOUND:
        _refuse("__dict__", is_set=False)
    found = value.__dict__
    return Fixed(found) if is_frozen_dataclass(type(value)) else found


def _refuse(name: str, *, is_set: bool = True) -> NoReturn:
    raise current_port().halt(refusal(name, is_set=is_set))


def lacking(error: BaseException) -> ModelError | None:
    """What to say of an `AttributeError` where something modelled does not have what is asked for,
    and of a `TypeError` of C code that looks into a buffer; None where the code has asked another
    object.
    """
    if isinstance(error, TypeError) and _WANTS_BUFFER.search(str(error)):
        return ModelError(
            f"C code looks into what threads share: {error}",
            remedy="give it bytes(...) of it",
        )
    if not isinstance(error, AttributeError):
        return None
    owner = error.obj
    kind = owner if isinstance(owner, type | types.FunctionType) else type(owner)
    if not _is_of_library(kind) or _knows(type(owner), str(error.name)):
        return None
    return ModelError(
        f"{error.name} of {kind.__name__} has no modelled counterpart",
        remedy="keep what threads share in attributes of the model, or of objects of your own",
    )


_WANTS_BUFFER = re.compile(
    r"(not|got|type|from) '?bytearray\b|\bbytearray'? (found|given|object)|'array'"
    "|buffer API required"
)
"""What errors say of something that has no buffer, and stands for what has one."""


def _knows(kind: type, name: str) -> bool:
    """Whether a class says itself that its objects lack an attribute: a `threading.local`."""
    own: Any = kind.__getattribute__
    return own not in _USUAL or (hasattr(kind, "__getattr__") and not name.startswith("__"))


_USUAL = (object.__getattribute__, type.__getattribute__)


def refuse_to_set(where: str, name: str, what: str) -> ModelError:
    """The error for code that sets what a model keeps under a name, and what that is."""
    return ModelError(f"{where} is set, and {name} is {what}", remedy="give it another name")


def refusal(name: str, *, is_set: bool = True) -> ModelError:
    """The error for code that sets or uses such an attribute."""
    why = "set, which no step shows" if is_set else "used, which leads past what steps show"
    return ModelError(
        f"{name} is {why}",
        remedy="keep what changes in an attribute of the model, or of an object of your own",
    )
