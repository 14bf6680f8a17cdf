"""What stands for some functions of C while `setup` runs, which calls real functions.

Threads run copies, whose names mean what a model gives them. `setup` runs as it is: so the names in
the modules that are followed, and default arguments, are given another meaning for the duration.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from interleave.interrupts import whole
from interleave.memory.values import members_of
from interleave.world import policy
from interleave.world.homes import CLASS_MODULE
from interleave.world.policy import Treatment

PutBack = Callable[[], None]


@contextmanager
@whole
def replaced(stand_ins: Mapping[int, Any]) -> Iterator[None]:
    """Have followed modules find others in place of some objects, which are given by their ids."""
    put_back: list[PutBack] = []
    seen: set[int] = set()
    try:
        for name, module in [*sys.modules.items()] if stand_ins else ():
            if _is(module, types.ModuleType) and _is_followed(name):
                _in_names(vars(module), stand_ins, put_back)
                for value in [*vars(module).values()]:
                    _in_value(value, name, stand_ins, put_back, seen)
        yield
    finally:
        for undo in reversed(put_back):
            undo()


def _is_followed(module: str) -> bool:
    return policy.of_module(module) is Treatment.FOLLOWED and not policy.is_standard(module)


def _in_names(names: dict[str, Any], stand_ins: Mapping[int, Any], put_back: list[PutBack]) -> None:
    for name, value in [*names.items()]:
        if id(value) in stand_ins:
            names[name] = stand_ins[id(value)]
            put_back.append(partial(names.__setitem__, name, value))


def _in_value(
    value: Any,
    module: str,
    stand_ins: Mapping[int, Any],
    put_back: list[PutBack],
    seen: set[int],
) -> None:
    """Replace what functions have for defaults and in cells; of classes, in their methods too."""
    value = getattr(value, "__func__", value) if _is_method(value) else value
    if id(value) in seen:
        return
    seen.add(id(value))
    if _is(value, types.FunctionType):
        _in_function(value, stand_ins, put_back)
        if (inner := vars(value).get("__wrapped__")) is not None:
            _in_value(inner, module, stand_ins, put_back, seen)
    elif _is(value, property):
        for each in (value.fget, value.fset, value.fdel):
            _in_value(each, module, stand_ins, put_back, seen)
    elif _is(value, type) and CLASS_MODULE(value) == module:
        for name, member in [*members_of(value).items()]:
            inner = member.__func__ if _is(member, staticmethod) else member
            if id(inner) in stand_ins:
                stand_in = stand_ins[id(inner)]
                is_static = inner is not member or isinstance(stand_in, types.FunctionType)
                type.__setattr__(value, name, staticmethod(stand_in) if is_static else stand_in)
                put_back.append(partial(type.__setattr__, value, name, member))
            _in_value(member, module, stand_ins, put_back, seen)


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a kind, without asking what it says of that."""
    return issubclass(type(value), kind)


def _is_method(value: object) -> bool:
    return _is(value, staticmethod) or _is(value, classmethod)


def _in_function(
    function: types.FunctionType, stand_ins: Mapping[int, Any], put_back: list[PutBack]
) -> None:
    defaults = function.__defaults__ or ()
    if any(id(each) in stand_ins for each in defaults):
        function.__defaults__ = tuple([stand_ins.get(id(each), each) for each in defaults])
        put_back.append(partial(setattr, function, "__defaults__", defaults))
    _in_names(function.__kwdefaults__ or {}, stand_ins, put_back)
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if id(value) in stand_ins:
            cell.cell_contents = stand_ins[id(value)]
            put_back.append(partial(setattr, cell, "cell_contents", value))
