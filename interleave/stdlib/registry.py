"""The standard library as models see it: real names in, modelled counterparts out.

Each file here models one module. It has `FUNCTIONS`, the modelled counterpart of each public name
of that module, and `PRIMITIVES`, the modelled class of each real type whose instances a model may
hold. Where types alone do not tell, it has functions `primitive_class` and `capturing`, as there
are here. To add a module, write its file and name it in `interleave.world.table`; files are
imported when needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, NoReturn

from interleave.errors import InterleaveError, ModelError
from interleave.memory.derived import attributes_before, base_of
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.memory.primitive import STEPWISE, Primitive, Unmade, is_marked, is_written_out
from interleave.memory.values import Same, Shared, register_immutable
from interleave.world import policy
from interleave.world.homes import CACHES_OF_LIBRARIES
from interleave.world.policy import Decision, Treatment
from interleave.world.refusal import Refused
from interleave.world.table import COUNTERPARTS, MODELLED


def counterpart(module: str) -> ModuleType | None:
    """The file that models a standard module, imported now; None where there is none."""
    name = COUNTERPARTS.get(module)
    return _file(name) if name else None


@lru_cache
def _file(name: str) -> ModuleType:
    file = importlib.import_module(f"interleave.stdlib.{name}")
    for real, kind in file.PRIMITIVES.items():
        kind.stands_for += (real,)
    return file


def primitive_class(real: object) -> type[Primitive] | None:
    """The modelled class of a real lock, queue, ...; None where `real` is something else."""
    if isinstance(real, Unmade):
        return real.kind
    module = counterpart(type(real).__module__)
    if module is None:
        return None
    find = getattr(module, "primitive_class", None)
    found: type[Primitive] | None = find(real) if find else module.PRIMITIVES.get(type(real))
    return found


def capturing(real: object) -> Callable[..., Any] | None:
    """What makes the stand-in of an object that the heap cannot take for one primitive."""
    by = real.__globals__["__name__"] if isinstance(real, FunctionType) else type(real).__module__
    find = getattr(counterpart(by), "capturing", None)
    return None if find is None else find(real)


def derived(cls: type) -> str | None:
    """The class of a modelled module that another class derives from, and of which nothing is known
    by which to do so; None where there is none.

    What it inherits knows real locks and real threads only.
    """
    bases = cls.__mro__[1:]
    known = tuple(base for base in bases if base_for(base) is not None)
    for base in bases:
        is_modelled = base.__module__ in MODELLED and not issubclass(base, BaseException)
        is_followed = policy.is_followed(base) or policy.is_followed_as_base(base)
        if is_modelled and not is_followed and not any(issubclass(each, base) for each in known):
            return f"{base.__module__}.{base.__qualname__}"
    return None


class Base(NamedTuple):
    """What a class of the model's derives from in place of one of a modelled module.

    `taken_over` gives the attributes of what stands for an instance that was there before the
    threads: it is given a `program.capture.Walk`, the real one, and its path. `is_all`: no code
    sets attributes of the instance itself.
    """

    cls: type
    taken_over: Callable[[Any, Any, str], dict[str, Any]]
    is_all: bool = False


def base_for(real: type) -> Base | None:
    """What stands for a class of a modelled module where others derive from it; None if nothing."""
    if (in_place := base_of(real)) is not None:
        return Base(in_place, lambda _, real, __: attributes_before(real))
    found: Base | None = getattr(counterpart(real.__module__), "BASES", {}).get(real)
    return found


def is_pure(module: str | None) -> bool:
    """Whether the functions of a module may be called in a model as they are, or are followed."""
    return policy.of_module(module or "") in (Treatment.PURE, Treatment.FOLLOWED)


def unmodelled(name: str, decision: Decision) -> ModelError:
    """The error for what no model may use, and what has no modelled counterpart."""
    return ModelError(
        f"{name} has no modelled counterpart", remedy=decision.remedy, about=name.rstrip("()")
    )


def made_by_threads(real: Callable[..., Any], kind: type[Primitive]) -> Callable[..., Any]:
    """What stands for a real class, or what makes its instances, in the code of a thread."""

    is_python = any(hasattr(each, "__code__") for each in (real, getattr(real, "__init__", None)))

    def make(*args: Any, **kwargs: Any) -> Any:
        if is_python:
            current_port().switch_point()
        # A real one knows what arguments it takes, and what it begins with.
        return current_port().make(Kind(kind), kind.initial(real(*args, **kwargs)))

    make.__name__ = make.__qualname__ = real.__name__
    return make


class Namespace:
    """What `import threading` gives in a thread: the module, as modelled."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._refused: dict[str, Refused] = {}

    def __getattr__(self, name: str) -> Any:
        try:
            return modelled_attribute(self._module, name)
        except InterleaveError as error:
            return self._refused.setdefault(name, Refused(error))

    def __repr__(self) -> str:
        return f"<modelled {self._module.__name__}>"


register_immutable(
    Namespace,
    lambda freezer, value: (Namespace, freezer.freeze(value._module)),
    lambda thawer, key: Namespace(thawer.thaw(key[1])),
)


def modelled_attribute(module: ModuleType, name: str) -> Any:
    """`module.name` as a model sees it. Raises `ModelError` where it has no counterpart."""
    if not hasattr(module, name):
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    attributes = getattr(counterpart(module.__name__), "ATTRIBUTES", {})
    if name in attributes:
        return attributes[name]
    if name in CACHES_OF_LIBRARIES.get(module.__name__, ()):
        raise unmodelled(f"{module.__name__}.{name}", policy.of_object(module))
    value, known_as = getattr(module, name), f"{module.__name__}.{name}"
    if capturing(value) is not None or policy.is_followed(value):
        return current_port().meaning(value, known_as)
    found = modelled(value, known_as)
    return current_port().meaning(found, known_as) if is_written_out(found) else found


def modelled(value: Any, name: str) -> Any:
    """What a global name of the user's file stands for in a model.

    `value` is what it is in Python, `name` what the error should call it. Raises `ModelError` for
    what is neither followed, nor modelled, nor pure.
    """
    if isinstance(value, ModuleType):
        file = counterpart(value.__name__)
        is_itself = is_pure(value.__name__) and not getattr(file, "FUNCTIONS", None)
        return value if is_itself else Namespace(value)
    if not (isinstance(value, type) or callable(value)):
        return value
    decision = policy.of_object(value)
    if decision.assumed:
        return value
    if (found := _function(_module_of(value), getattr(value, "__name__", ""), name)) is not None:
        is_class = isinstance(value, type) and isinstance(found, FunctionType)
        return _class(value, found) if is_class and not is_marked(found, STEPWISE) else found
    is_error = isinstance(value, type) and issubclass(value, BaseException)
    if is_error or decision.treatment in (Treatment.PURE, Treatment.FOLLOWED):
        return value
    raise unmodelled(name, decision)


class LibraryClass:
    """What stands for a class of which the instances are modelled: calling it makes one."""

    def __init__(self, real: type, make: Callable[..., Any]) -> None:
        names = ("__module__", "__name__", "__qualname__", "__doc__")
        own = {"_real": real, "_make": make, **{name: getattr(real, name) for name in names}}
        self.__dict__.update(own)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._make(*args, **kwargs)

    def __instancecheck__(self, value: object) -> bool:
        is_shared = issubclass(type(value), Shared)
        return self.__subclasscheck__(value.__class__ if is_shared else type(value))

    def __subclasscheck__(self, cls: Any) -> bool:
        real = self._real
        if type(cls) is LibraryClass:
            return issubclass(cls._real, real)
        if any(_is_in_place_of(each, real) for each in cls.__mro__):
            return True
        if cls.__module__.startswith("interleave.") and not hasattr(cls, "stands_for"):
            self._refuse(f"whether a {cls.__name__} is a {real.__name__}")
        return any(issubclass(each, real) for each in getattr(cls, "stands_for", ()))

    def __getattribute__(self, name: str) -> Any:
        own: dict[str, Any] = object.__getattribute__(self, "__dict__")
        if name in own or (name != "__init__" and hasattr(LibraryClass, name)):
            return object.__getattribute__(self, name)
        real: Any = own["_real"]
        if (base := base_for(real)) is not None and hasattr(base.cls, name):
            return getattr(base.cls, name)
        member = getattr(real, name)
        if not policy.is_followed_as_base(real):
            self._refuse(f"{real.__name__}.{name}")
        return current_port().meaning(member, f"{real.__name__}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        self._refuse(f"setting {self._real.__name__}.{name}")

    def __delattr__(self, name: str) -> None:
        self._refuse(f"deleting {self._real.__name__}.{name}")

    def _refuse(self, what: str) -> NoReturn:
        real = self._real
        raise current_port().halt(unmodelled(what, policy.of_object(real)))

    def __repr__(self) -> str:
        return f"<class '{self._real.__module__}.{self._real.__qualname__}'>"


def _is_in_place_of(cls: type, real: type) -> bool:
    """Whether a class is what others derive from in place of one of the library."""
    if policy.is_followed_as_base(real):
        return policy.full_name(cls) == policy.full_name(real)
    base = base_for(real)
    return base is not None and base.cls is cls


_class = lru_cache(LibraryClass)
"""What stands for a class of the library, which there is one of."""

register_immutable(
    LibraryClass, lambda _, value: (LibraryClass, Same(value)), lambda _, key: key[1].it
)


def _module_of(value: Any) -> str:
    """The module that a function or class belongs to; random.random is a method of an instance."""
    module = getattr(value, "__module__", None)
    return module or type(getattr(value, "__self__", None)).__module__


def runs_block_by_block(value: Any) -> bool:
    """Whether a function in C has a counterpart that may come to code of the model's own."""
    return is_marked(_function(_module_of(value), value.__name__, ""), STEPWISE)


def _function(module: str, real_name: str, name: str) -> Any:
    """The counterpart of a function, which may be known by another name (`threading.Lock`)."""
    places = ((module, real_name), (name.partition(".")[0], name.rpartition(".")[2]))
    for place, known_as in places:
        file = counterpart(place)
        if file is not None and known_as in file.FUNCTIONS:
            return file.FUNCTIONS[known_as]
    return None
