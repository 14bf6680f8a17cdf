"""What happens to code: it is followed, runs as it is, is modelled, or is refused.

Code written in Python is followed, wherever it stands, unless the table names it. C code is known
by name, or refused. `interleave.world.table` is that table; users add names to it, which are
assumed to be pure.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from interleave.errors import MODEL_FILES, UsageError
from interleave.interrupts import whole
from interleave.memory.primitive import Primitive
from interleave.memory.values import is_defined_in_python
from interleave.records import dataclass
from interleave.world import table

OURS = str(Path(__file__).parent.parent)
"""Where this package is: its own code is neither followed nor looked at."""


class Treatment(Enum):
    """What happens to a module, a function, a class, or an object."""

    FOLLOWED = "followed"
    """Its code is run as the model's own: step by step, on what stands for shared objects."""
    PURE = "pure"
    """It runs as it is: it keeps nothing, and depends on nothing but its arguments."""
    MODELLED = "modelled"
    """Something stands for it."""
    REFUSED = "refused"
    """No model may use it."""


@dataclass(frozen=True)
class Decision:
    """What happens to something. `name` is the full name of that, `remedy` what to do instead.

    `assumed` is the name that the user has given to say that it is pure, if that is why it is.
    """

    treatment: Treatment
    name: str
    remedy: str = ""
    assumed: str = ""


_TABLE: dict[str, tuple[Treatment, str]] = {
    **dict.fromkeys(table.OPAQUE, (Treatment.PURE, "")),
    **dict.fromkeys(table.INSIDE_MODELLED, (Treatment.MODELLED, table.UNKNOWN)),
    **{
        name: (
            Treatment.MODELLED,
            table.WITHOUT_COUNTERPART.get(name.lstrip("_").partition(".")[0], table.UNKNOWN),
        )
        for name in table.MODELLED
    },
    **dict.fromkeys(table.PURE, (Treatment.PURE, "")),
    **dict.fromkeys(table.FOLLOWED, (Treatment.FOLLOWED, "")),
    **{name: (Treatment.REFUSED, remedy) for name, remedy in table.REFUSED.items()},
}

_C_FUNCTIONS = (types.BuiltinFunctionType, types.MethodWrapperType)
_C_METHODS = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)


_GENERATED = frozenset(
    ("__init__", "__repr__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__",
     "__setattr__", "__delattr__", "wrapper")
)  # fmt: skip
"""The names of the functions that `dataclass` makes."""


class Assumed:
    """The `names` that a user has said are pure. `used` has those of them that were met.

    Raises `UsageError` for a name that its module, which the model has imported, does not have.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.used: dict[str, None] = {}
        self.decisions: dict[tuple[str, bool], Decision] = {}
        """What was decided so far."""
        self.names = tuple(names)
        self._names = {}
        for name in names:
            self._names[_full(name)] = name
            if (found := _named(name)) is not None and not isinstance(found, types.ModuleType):
                self._names[full_name(found)] = name

    def is_named(self, name: str) -> bool:
        """Whether the user has given exactly this name."""
        return name in self._names

    def covering(self, name: str) -> str:
        """The name given by the user that something is in; "" if there is none."""
        return next((self._names[part] for part in _prefixes(name) if part in self._names), "")


_assumed = Assumed()


@contextmanager
@whole
def assuming(assumed: Assumed) -> Iterator[None]:
    """What is said to be pure, for the duration."""
    global _assumed
    before, _assumed = _assumed, assumed
    try:
        yield
    finally:
        _assumed = before


def assumed() -> Assumed:
    """What is said to be pure."""
    return _assumed


def is_standard(module: str | None) -> bool:
    """Whether a module belongs to Python itself."""
    return (module or "").partition(".")[0] in sys.stdlib_module_names


def is_installed(module: str) -> bool:
    """Whether a module came with a package, and not with the model."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


def is_of_others(module: str) -> bool:
    """Whether a module came with Python or with a package."""
    return is_standard(module) or is_installed(module)


def of_module(name: str) -> Treatment:
    """What happens to a module."""
    return _of_name(name).treatment


def of_function(function: types.FunctionType) -> Decision:
    """What happens to a function written in Python."""
    return of_code(function.__code__, function.__globals__)


def of_code(code: types.CodeType, globals_: dict[str, Any]) -> Decision:
    """What happens to a function that has this code in the namespace of this module."""
    return _of_name(f"{globals_.get('__name__', '')}.{code.co_qualname}")


def of_object(value: object) -> Decision:
    """What happens to a function, a class, C code that can be called, or any other object."""
    function = value.__func__ if isinstance(value, types.MethodType) else value
    if isinstance(function, types.FunctionType):
        return of_function(function)
    if isinstance(value, types.ModuleType):
        return _of_name(value.__name__)
    if isinstance(value, type):
        return of_class(value)
    if isinstance(value, _C_FUNCTIONS + _C_METHODS):
        return _of_name(full_name(value), is_c=True)
    return of_class(type(value))


def is_followed(value: object) -> bool:
    """Whether the code of a function or class is part of the model, so to speak."""
    return of_object(value).treatment is Treatment.FOLLOWED


def of_class(cls: type) -> Decision:
    """What happens to a class and its instances."""
    return _of_name(full_name(cls), is_c=not is_defined_in_python(cls))


def of_builtin(name: str) -> Decision:
    """What happens to a built-in function or class, by the name that all code knows it by."""
    return _of_name(f"builtins.{name}")


def is_followed_as_base(cls: type) -> bool:
    """Whether a class that is modelled is followed where others derive from it."""
    return full_name(cls) in table.BASES


def is_generated(code: types.CodeType) -> bool:
    """Whether code is what `dataclass` makes: it may hash, and uses no globals of its module."""
    return code.co_filename == "<string>" and code.co_name in _GENERATED


def full_name(value: Any) -> str:
    """The name by which the table knows a function, a class, or a method of a type."""
    if isinstance(value, types.FunctionType):
        return f"{value.__globals__.get('__name__', '')}.{value.__code__.co_qualname}"
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, _C_METHODS):
        return f"{full_name(value.__objclass__)}.{value.__name__}"
    owner = getattr(value, "__self__", None)
    name = getattr(value, "__name__", "")
    if owner is None or isinstance(owner, types.ModuleType):
        return f"{getattr(value, '__module__', None) or getattr(owner, '__name__', '')}.{name}"
    mro = owner.__mro__ if isinstance(owner, type) else ()
    defining = (base for base in (*mro, *type(owner).__mro__) if name in base.__dict__)
    return f"{full_name(next(defining, type(owner)))}.{name}"


def _of_name(name: str, *, is_c: bool = False) -> Decision:
    found = _assumed.decisions.get((name, is_c))
    if found is None:
        found = _assumed.decisions[name, is_c] = _decided(name, is_c=is_c)
    return found


def _decided(name: str, *, is_c: bool) -> Decision:
    if given := _assumed.covering(name):
        return Decision(Treatment.PURE, name, assumed=given)
    for part in _prefixes(name):
        if part in table.BASES and part != name:
            return Decision(Treatment.FOLLOWED, name)
        if part in _TABLE:
            treatment, remedy = _TABLE[part]
            return Decision(treatment, name, remedy)
    if is_c:
        return Decision(Treatment.REFUSED, name, table.UNKNOWN_C)
    if _is_of_primitive(name):
        return Decision(Treatment.PURE, name)
    return Decision(Treatment.FOLLOWED, name)


def _is_of_primitive(name: str) -> bool:
    """Whether a name is that of a class of primitives, or of code in its body.

    Whoever brings a primitive does with it as this package does: it keeps nothing but its state.
    """
    module = next((part for part in _prefixes(name) if part in sys.modules), "")
    found: Any = sys.modules.get(module)
    for part in name[len(module) + 1 :].split("."):
        found = getattr(found, "__dict__", {}).get(part)
        if isinstance(found, type) and issubclass(found, Primitive):
            return True
    return False


def _prefixes(name: str) -> Iterator[str]:
    """The names of what a thing is in, itself first."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _full(name: str) -> str:
    """The name of a thing, which in the file of the model is given as from other files."""
    of_model = f"{MODEL_FILES}{name}"
    return of_model if any(part in sys.modules for part in _prefixes(of_model)) else name


def _named(name: str) -> Any:
    """What a dotted name stands for; None where no module of that name was imported."""
    name = _full(name)
    for module in _prefixes(name):
        if module in sys.modules:
            found: Any = sys.modules[module]
            for part in name[len(module) + 1 :].split(".") if module != name else ():
                if not hasattr(found, part):
                    given, where = (each.removeprefix(MODEL_FILES) for each in (name, module))
                    raise UsageError(
                        f"{given} is said to be pure, and {where} has no {part}",
                        remedy="name a function, a class or a module in pyproject.toml, "
                        "[tool.interleave] pure",
                    )
                found = getattr(found, part)
            return found
    return None
