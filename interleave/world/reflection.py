"""Code that changes what functions, classes and modules are, by attributes that Python knows.

What stands for them in a model is made once, so that nothing here is followed.
"""

from __future__ import annotations

import types
from typing import Any

from interleave.errors import ModelError
from interleave.memory.closures import Closure
from interleave.memory.port import current_port

_LEADS_TO_VARIABLES = frozenset({"__closure__", "__globals__", "cell_contents"})
_OF_DESCRIPTORS = frozenset({"__delete__", "__get__", "__set__"})
_OF_ALL_OBJECTS = frozenset({"__class__", "__dict__"})
_OF_CODE = frozenset(
    {"__annotations__", "__bases__", "__code__", "__defaults__", "__doc__", "__kwdefaults__",
     "__module__", "__name__", "__qualname__", "__type_params__"}
)  # fmt: skip
USED = _LEADS_TO_VARIABLES | _OF_DESCRIPTORS | {"__annotations__"}
"""Names of attributes that may not be used, at least of some objects."""
SET = _OF_ALL_OBJECTS | _OF_CODE
"""Names of attributes that may not be set, at least of some objects."""


def reflected(value: Any, name: str, is_set: bool) -> Any:
    """`value`, of which code is about to use an attribute. No code goes on where it may not."""
    if name in _OF_DESCRIPTORS:
        is_refused = type(value) is types.MemberDescriptorType
    elif is_set and name in _OF_CODE:
        kinds = (types.FunctionType, types.MethodType, types.ModuleType, type, Closure)
        is_refused = isinstance(value, kinds)
    else:
        is_refused = True
    return current_port().halt(refusal(name, is_set=is_set)) if is_refused else value


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
