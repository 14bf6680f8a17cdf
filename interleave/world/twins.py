"""Twins of classes: what `C` means in a model, for each class `C` whose code is followed.

A twin has the name of its class, twins for its bases and its metaclass, and copies of its methods,
in which names mean what they mean in the model. Code that sets an attribute of a class makes it a
location (see `world.holders`), which a descriptor in the twin reads.
"""

from __future__ import annotations

import abc
import functools
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from interleave.errors import ModelError
from interleave.memory.descriptors import does_as, is_data_descriptor, member_of
from interleave.memory.port import current_port
from interleave.memory.primitive import STEPWISE, is_marked
from interleave.memory.values import (
    FINALIZER,
    UNBOUND,
    is_frozen_dataclass,
    members_of,
    register_immutable,
)
from interleave.stdlib import base_for
from interleave.world.holders import FunctionObject, Variables
from interleave.world.policy import is_followed_as_base
from interleave.world.registered import register, registered_with, registers_of

_put = type.__setattr__

_SETTERS = {"fget": "getter", "fset": "setter", "fdel": "deleter"}

_MADE_BY_PYTHON = frozenset(
    {"__dict__", "__weakref__", "__module__", "__qualname__", "__slots__", "__doc__",
     "__abstractmethods__", "_abc_impl", "__static_attributes__", "__firstlineno__",
     "__annotate__", "__annotate_func__", "__annotations_cache__"}
)  # fmt: skip
"""Attributes of a class that come of making it."""

_LEFT_OUT = _MADE_BY_PYTHON | {"__class__", "__del__"}
"""Attributes that a twin has from making it, or has none of: it is not known when Python would run
`__del__`, and what stands for objects comes and goes.
"""


class TwinType(type):
    """The class of twins: setting an attribute of one is an access."""

    __dict__ = property(lambda cls: ClassDict(cls))  # type: ignore[misc]
    _of_class: Variables
    _twin: type
    _is_ready: bool

    def __setattr__(cls, name: str, value: object) -> None:
        if name in _CACHES or not type.__getattribute__(cls, "_is_ready"):
            type.__setattr__(cls, name, value)
            return
        above = (own[name] for own in _above(cls) if name in own)
        descriptor: Any = next(above, None)
        if is_data_descriptor(descriptor):
            type(descriptor).__set__(descriptor, cls, value)
            return
        twin = type.__getattribute__(cls, "_twin")
        if is_data_descriptor(value):
            current_port().halt(refuse_descriptor(twin, name))
        type.__getattribute__(twin, "_of_class").write(name, value)

    def __delattr__(cls, name: str) -> None:
        above = (own[name] for own in _above(cls) if name in own)
        descriptor: Any = next(above, None)
        if is_data_descriptor(descriptor):
            type(descriptor).__delete__(descriptor, cls)
            return
        twin = type.__getattribute__(cls, "_twin")
        error = AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        type.__getattribute__(twin, "_of_class").delete(name, error)


def refuse_descriptor(cls: type, name: str) -> ModelError:
    """The error for code that sets an attribute of a class that is a data descriptor, or then is.

    An attribute of an instance would be one thing before and another one after.
    """
    return ModelError(
        f"{cls.__qualname__}.{name} is set, and it is a descriptor with __set__ or __delete__",
        remedy="write it in the body of the class, and keep what changes in the instances",
    )


def _above(cls: type) -> Iterator[Mapping[str, Any]]:
    """What the metaclass of a twin has, and its bases, those that are twins."""
    return (members_of(base) for base in type.mro(type(cls)) if isinstance(base, TwinType))


class ClassDict(Mapping[str, Any]):
    """`__dict__` of a twin: what its class has, with the values of variables."""

    __slots__ = ("_twin",)

    def __init__(self, twin: type) -> None:
        self._twin = twin_of(twin)

    def __getitem__(self, name: str) -> Any:
        member = members_of(self._twin)[name]
        if isinstance(member, ClassVariable):
            member = member.variables.read(name)
            if member is UNBOUND:
                raise KeyError(name)
        return member.now() if isinstance(member, Uncaptured) else member

    def __iter__(self) -> Iterator[str]:
        for name, member in members_of(self._twin).items():
            is_there = not isinstance(member, ClassVariable) or (
                member.variables.read(name) is not UNBOUND
            )
            if is_there and name not in _OURS:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)


_OURS = frozenset({"_twin", "_of_class", "_is_ready", FINALIZER})

_CACHES = frozenset({"__slotnames__"})
"""Attributes that Python keeps in classes for itself."""


register_immutable(
    ClassDict,
    lambda freezer, value: (ClassDict, freezer.freeze(value._twin)),
    lambda thawer, key: ClassDict(thawer.thaw(key[1])),
)


class ClassVariable:
    """An attribute of a class that some code sets: the value is at a location."""

    __slots__ = ("name", "owner", "variables")

    def __init__(self, owner: type, name: str, variables: Variables) -> None:
        self.owner = owner
        self.name = name
        self.variables = variables

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        kind = type(instance) if owner is None else owner
        value = self.variables.read(self.name)
        if value is UNBOUND:
            return self._inherited(instance, kind)
        get = getattr(type(value), "__get__", None)
        return value if get is None else get(value, instance, kind)

    def _inherited(self, instance: object, kind: type) -> Any:
        """What a base after the owner has."""
        order = kind.__mro__
        for base in order[order.index(self.owner) + 1 :]:
            if self.name in members_of(base):
                member = members_of(base)[self.name]
                get = getattr(type(member), "__get__", None)
                return member if get is None else get(member, instance, kind)
        above = (own[self.name] for own in _above(kind) if self.name in own)
        if instance is None and (member := next(above, None)) is not None:
            get = getattr(type(member), "__get__", None)
            return member if get is None else get(kind, type(kind))
        what = f"type object {kind.__name__!r}" if instance is None else f"{kind.__name__!r} object"
        raise AttributeError(f"{what} has no attribute {self.name!r}")


class Uncaptured:
    """An attribute of a class whose value is captured once some code looks at it."""

    __slots__ = ("_capture",)

    def __init__(self, capture: Callable[[], Any]) -> None:
        self._capture = capture

    def now(self) -> Any:
        """The value, captured."""
        return self._capture()

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        value = self.now()
        get = getattr(type(value), "__get__", None)
        return value if get is None else get(value, instance, owner)


class UncapturedDescriptor(Uncaptured):
    """The same of a data descriptor, which says itself what setting the attribute does."""

    __slots__ = ()

    def __set__(self, instance: object, value: object) -> None:
        descriptor: Any = self.now()
        type(descriptor).__set__(descriptor, instance, value)

    def __delete__(self, instance: object) -> None:
        descriptor: Any = self.now()
        type(descriptor).__delete__(descriptor, instance)


class TwinMethod:
    """A class method of a twin: it is given the twin, whatever stands for an instance of it."""

    __slots__ = ("__func__",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__func__ = function

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        kind = type(instance) if owner is None else owner
        return types.MethodType(self.__func__, twin_of(kind))


def _is_of_python(name: str) -> bool:
    """Whether an attribute is what Python and its library say of a class."""
    return name.startswith("__") and name.endswith("__") and name not in _MADE_BY_PYTHON


def _is_code(member: object) -> bool:
    return callable(member) or hasattr(type(member), "__get__")


def _refuse_to_make(twin: type, *_: object, **__: object) -> Any:
    """`__new__` of a twin whose class has a `__del__` and a `__new__`, or which is no function."""
    return current_port().halt(
        ModelError(
            f"this makes a {twin.__name__}, which has a __del__ and a __new__ of its own, or a "
            "__del__ that is no function",
            remedy="let __init__ do what __new__ does",
        )
    )


def _make_finalized(twin: Any, *args: object, **kwargs: object) -> Any:
    """`__new__` of a twin whose class has a `__del__`."""
    if (args or kwargs) and twin.__init__ is object.__init__:
        raise TypeError(f"{twin.__name__}() takes no arguments")
    made: Any = object.__new__(twin)
    current_port().note_finalized(made)
    return made


def finalizer_of(kind: type) -> Any:
    """The copy of the `__del__` that instances of a class that derives from a twin have, if any."""
    found = member_of(kind, FINALIZER)
    return None if found is UNBOUND else found


def _refuse_disguised(twin: type, *_: object, **__: object) -> Any:
    """`__new__` of a twin whose class says itself what `__class__` its objects have."""
    return current_port().halt(disguised(twin))


def is_disguised(value: object) -> bool:
    """Whether an object is none of ours, and of a class that says itself what `__class__` it has.

    `isinstance` believes it: a proxy, or what a decorator has put around a function.
    """
    kind: Any = type(value)
    return _says_its_class(kind)


@functools.cache
def _says_its_class(kind: Any) -> bool:
    bases = (base for base in kind.__mro__ if base is not object)
    is_ours = kind.__module__.startswith("interleave.")
    return not is_ours and any("__class__" in members_of(base) for base in bases)


def disguised(cls: type) -> ModelError:
    """The error for what uses an object of such a class."""
    return ModelError(
        f"a {cls.__name__} says itself what its __class__ is, which has no modelled counterpart",
        remedy="use what it stands for",
    )


def method_of(value: object, name: str) -> types.FunctionType | None:
    """The function by which the class of `value`, a twin, defines a special method."""
    for base in type(value).__mro__:
        if name in members_of(base):
            found = members_of(base)[name]
            if type(found) is FunctionObject:  # it has attributes, as `override` gives it one
                found = found.copy_of()
            is_ours = isinstance(base, TwinType) or is_marked(found, STEPWISE)
            return found if is_ours and isinstance(found, types.FunctionType) else None
    return None


def twin_of(kind: type) -> type:
    """The twin that a class of stand-ins stands for; any other class is its own."""
    # One that Python is about to make has none yet, but `__init_subclass__` may look at it.
    found: type = members_of(kind).get("_twin", kind)
    return found if isinstance(kind, TwinType) else kind


class Twins:
    """All twins of one program.

    `is_followed` says of which classes there are twins; `copy` gives the copy of a function,
    `meaning` what any other attribute is in the model (by its value and its name in words), and
    `variables` the variables of a class that have locations.
    """

    def __init__(
        self,
        is_followed: Callable[[type], bool],
        copy: Callable[[types.FunctionType], Any],
        meaning: Callable[[Any, str], Any],
        variables: Callable[[type], Variables],
    ) -> None:
        self._is_followed = is_followed
        self._copy = copy
        self._meaning = meaning
        self._variables = variables
        self._twins: dict[type, type] = {}
        self._metaclasses: dict[type, type] = {type: TwinType}
        self._unfilled: list[type] = []
        self._making = 0

    def twin(self, cls: type) -> type:
        """The twin of a class that is followed. Its attributes come with `fill`."""
        found = self._twins.get(cls)
        if found is None:
            if issubclass(cls, type):
                return self._metaclass(cls)
            found = self._made(cls, self._metaclass(type(cls)), self._bases(cls))
        return found

    def all(self) -> list[type]:
        """Every class of which there is a twin, then every twin."""
        return [*self._twins, *self._twins.values()]

    def real(self, twin: type) -> type:
        """The class that a twin is one of; any other class is its own."""
        return next((real for real, each in self._twins.items() if each is twin), twin)

    def _bases(self, cls: type) -> tuple[type, ...]:
        return tuple(map(self._meant, cls.__bases__))

    def _meant(self, cls: type) -> type:
        """What a class is in the model, for those that derive from it."""
        if self._is_followed(cls) or is_followed_as_base(cls):
            return self.twin(cls)
        found = base_for(cls)
        return cls if found is None else found.cls

    def _metaclass(self, kind: type) -> type:
        found = self._metaclasses.get(kind)
        if found is None:
            if self._is_followed(kind):
                bases = tuple(self._metaclass(base) for base in kind.__bases__)
                found = self._made(kind, TwinType, bases)
            else:
                found = type(kind.__name__, (TwinType, kind), {"__module__": kind.__module__})
            self._metaclasses[kind] = found
        return found

    def _made(self, cls: type, metaclass: type, bases: tuple[type, ...]) -> type:
        members: dict[str, Any] = {
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
            "_is_ready": False,
        }
        if "__slots__" in members_of(cls):
            slots = members_of(cls)["__slots__"]
            members["__slots__"] = (slots,) if isinstance(slots, str) else tuple(slots)
        for name, member in members_of(cls).items():
            if _is_of_python(name) and name not in members and not _is_code(member):
                members[name] = member
        self._making += 1
        try:
            made: Any = type.__new__(metaclass, cls.__name__, bases, members)
        finally:
            self._making -= 1
        _put(made, "_twin", made)
        _put(made, "_of_class", self._variables(cls))
        if isinstance(members_of(cls).get("__slots__"), list):
            _put(made, "__slots__", members_of(cls)["__slots__"])
        self._twins[cls] = made
        if issubclass(metaclass, abc.ABCMeta):
            abc._abc_init(made)  # type: ignore[attr-defined]
        self._unfilled.append(cls)  # not before: this may come by more classes, and fill them
        return made

    def stand_in(self, cls: type, mixin: type, more: Mapping[str, Any]) -> type:
        """The subclass of a twin whose instances stand for shared ones; they can do `more`.

        The mixin comes after the twin: what the class itself says of its attributes goes first.
        """
        if any("__class__" in members_of(each) for each in cls.__mro__ if each is not object):
            raise disguised(cls)
        twin = self._meant(cls)
        its_class = twin if isinstance(twin, TwinType) else cls
        members: dict[str, Any] = {
            "__module__": twin.__module__,
            "__qualname__": twin.__qualname__,
            "__doc__": members_of(twin)["__doc__"],
            "__class__": property(lambda _: its_class),
            "__new__": lambda _, *args, **kwargs: its_class(*args, **kwargs),  # of a class method
            "_is_ready": False,
            **more,
        }
        if getattr(cls, "__repr__", None) is object.__repr__:
            members["__repr__"] = lambda _: f"<{cls.__name__}>"  # without an address
        self._making += 1
        try:
            made: Any = type.__new__(type(twin), cls.__name__, (twin, mixin), members)
        finally:
            self._making -= 1
        _put(made, "_twin", twin)
        _put(made, "_is_ready", True)
        return made

    def fill(self) -> list[type]:
        """Give the twins that were made since their attributes. They are returned."""
        filled = []
        while self._unfilled:
            cls = self._unfilled.pop()
            twin = self._twins[cls]
            self._fill(cls, twin)
            filled.append(twin)
        return filled

    def _fill(self, cls: type, twin: Any) -> None:
        variables: Variables = twin._of_class
        names = dict.fromkeys([*members_of(cls), *variables.locations])
        for name in names:
            if name in variables.locations:
                _put(twin, name, ClassVariable(twin, name, variables))
            elif name not in members_of(twin) and name not in _LEFT_OUT:
                member = members_of(cls)[name]
                if not isinstance(member, types.MemberDescriptorType | types.GetSetDescriptorType):
                    _put(twin, name, self._member(cls, name, member))
        if "__del__" in members_of(cls):
            _put(twin, FINALIZER, self._member(cls, "__del__", members_of(cls)["__del__"]))
        if finalizer_of(twin) is not None:
            self._make_by_steps(cls, twin)
        if "__class__" in members_of(cls):
            _put(twin, "__new__", _refuse_disguised)
        self._register(cls, twin)
        if "__abstractmethods__" in members_of(cls):
            _put(twin, "__abstractmethods__", members_of(cls)["__abstractmethods__"])
        _put(twin, "_is_ready", True)

    def _make_by_steps(self, cls: type, twin: type) -> None:
        """Have instances noted that have a `__del__`."""
        function = finalizer_of(twin)
        makers = [base for base in cls.__mro__ if "__new__" in members_of(base)]
        is_known = isinstance(function, types.FunctionType) and makers == [object]
        is_known = is_known and not is_frozen_dataclass(cls)
        _put(twin, "__new__", _make_finalized if is_known else _refuse_to_make)

    def _register(self, cls: type, twin: type) -> None:
        """Have a twin count as derived from what its class was registered with, and those classes
        as derived from the twin that were registered with its class.
        """
        for each in registers_of(cls):
            register(self._meant(each), twin)
        if "_abc_impl" in members_of(cls):
            for each in registered_with(cls):
                if not self._is_followed(each):  # else its own twin sees to that
                    register(twin, each)

    def _member(self, cls: type, name: str, member: Any) -> Any:
        if type(member) is types.FunctionType:
            made = self._callable(member, f"{cls.__qualname__}.{name}")
            if name in ("__init_subclass__", "__class_getitem__"):
                made = TwinMethod(made)
            return made
        if does_as(member, classmethod):
            made = TwinMethod(self._callable(member.__func__, f"{cls.__qualname__}.{name}"))
            return self._unless_making(made) if name == "__init_subclass__" else made
        if does_as(member, staticmethod):
            return staticmethod(self._callable(member.__func__, f"{cls.__qualname__}.{name}"))
        if does_as(member, property):
            made = property(doc=member.__doc__)
            for part, setter in _SETTERS.items():
                function: Any = getattr(member, part)
                if function is not None:
                    inner = self._callable(function, f"{cls.__qualname__}.{name}")
                    made = getattr(made, setter)(inner)
            made.__set_name__(cls, name)  # the message of an error has it
            return made
        return self._meaning(member, f"{cls.__qualname__}.{name}")

    def _callable(self, value: Any, name: str) -> Any:
        if type(value) is types.FunctionType and (copy := self._copy(value)) is not value:
            return copy
        return self._meaning(value, name)

    def _unless_making(self, method: TwinMethod) -> Any:
        """`__init_subclass__`, which is not run once more for a twin."""

        twins = self

        class Once(TwinMethod):
            __slots__ = ()

            def __get__(self, instance: object, owner: type | None = None) -> Any:
                return (lambda **_: None) if twins._making else super().__get__(instance, owner)

        return Once(method.__func__)
