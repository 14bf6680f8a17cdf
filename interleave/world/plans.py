"""Which homes an object has: where it is, by its class, that Python keeps what is in it."""

from __future__ import annotations

import gc
import types
from collections import OrderedDict, deque
from collections.abc import Iterable

from interleave.world.homes import (
    CLASS_DICT,
    MRO,
    Absent,
    Bytes,
    Cell,
    ClassNamespace,
    Copy,
    DequeItems,
    DictItems,
    Function,
    Home,
    ListItems,
    ModuleNamespace,
    Namespace,
    OrderedItems,
    Parts,
    SetItems,
    Slots,
    ViewedItems,
    derives,
    inherited,
)
from interleave.world.watched import home as home_of_watched

Plan = tuple[Home, ...]

NAMES_OF_MODULE = ModuleNamespace()
NAMES_OF_CLASS = ClassNamespace()
CELL = Cell()
OF_FUNCTION: Plan = (Function(), Namespace(types.FunctionType.__dict__["__dict__"].__get__))
OF_COPY: Plan = (Copy(), OF_FUNCTION[1])
OF_CLASS: Plan = (NAMES_OF_CLASS,)
OF_PROPERTY: Plan = (
    Slots([property.__dict__[name] for name in ("fget", "fset", "fdel", "__doc__")]),
)
OF_MODULE: Plan = (NAMES_OF_MODULE,)

_GETTERS = (types.GetSetDescriptorType, types.MemberDescriptorType)

_LEAVES = (
    int, str, bytes, bool, float, complex, type(None), range, type(...), type(NotImplemented),
    types.CodeType, object, Absent, slice,
)  # fmt: skip

_OWN: dict[type, Plan] = {
    types.FunctionType: OF_FUNCTION,
    types.CellType: (CELL,),
    types.MethodType: (Parts(lambda it: [it.__self__, it.__func__], ""),),
    types.BuiltinFunctionType: (Parts(lambda it: [it.__self__], ""),),
    types.MethodWrapperType: (Parts(lambda it: [it.__self__], ""),),
    types.MappingProxyType: (Parts(gc.get_referents, ""),),
}

_BASES: list[tuple[type, Home]] = [
    (OrderedDict, OrderedItems()),
    (dict, DictItems()),
    (list, ListItems()),
    (set, SetItems()),
    (frozenset, Parts(lambda it: [*frozenset.__iter__(it)], "{{...}}")),
    (tuple, Parts(lambda it: [*tuple.__iter__(it)])),
    (deque, DequeItems()),
    (bytearray, Bytes()),
]
"""The containers, each before what it derives from."""


class Plans:
    """The homes that instances of each class have. Classes are known by identity."""

    def __init__(self) -> None:
        self._plans: dict[int, Plan] = {id(kind): () for kind in _LEAVES}
        self._plans.update({id(kind): plan for kind, plan in _OWN.items()})
        self._alive: list[type] = []
        self.get = self._plans.get

    def make(self, kind: type) -> Plan:
        """The homes of instances of a class that was not met before."""
        self._alive.append(kind)
        if derives(kind, type):
            plan = OF_CLASS
        elif derives(kind, types.ModuleType):
            plan = OF_MODULE
        else:
            plan = tuple(_homes(kind))
        self._plans[id(kind)] = plan
        return plan


def _homes(kind: type) -> Iterable[Home]:
    mro = MRO(kind)
    for base in mro:
        home = home_of_watched(base)
        if home is not None:
            yield home
            if home.is_all:
                return
            break
    for base, items in _BASES:
        if derives(kind, base):
            own_iter = base is dict and inherited(kind, "__iter__") is not inherited(
                base, "__iter__"
            )
            yield ViewedItems() if own_iter else items
            break
    bodies = [CLASS_DICT(base) for base in mro]
    get = next(
        (body["__dict__"] for body in bodies if type(body.get("__dict__")) in _GETTERS), None
    )
    if get is not None:
        yield Namespace(get.__get__)
    slots = [
        value
        for body in bodies
        for name, value in body.items()
        if type(value) is types.MemberDescriptorType and name not in _NO_SLOTS
    ]
    if slots:
        yield Slots(slots)


_NO_SLOTS = ("__dict__", "__vectorcalloffset__", "__weaklistoffset__", "__dictoffset__")
