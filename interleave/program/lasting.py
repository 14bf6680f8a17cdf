"""What modules, classes and functions refer to for good, where objects have a `__del__`.

Such an object is let go of when nothing refers to it any more, and code that no thread runs may: a
variable of a module that nobody writes, an attribute of a class, a default argument.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from interleave.compiler.source import place_of_function
from interleave.errors import ModelError
from interleave.memory.values import members_by_base
from interleave.model import Model
from interleave.world.policy import is_followed
from interleave.world.world import World

_WITHOUT_PARTS = (types.ModuleType, types.CodeType, types.FrameType, int, float, str, bytes)


def held_for_good(world: World, known: Mapping[int, Any]) -> list[Any]:
    """The stand-ins of objects that Python refers to, other than by a variable that code writes.

    `known` has what stands for captured objects, by their ids.
    """
    seen = _led_to(world, _all_named(world), known)
    return [known[number] for number, it in seen.items() if number in known and _is_object(it)]


def refuse_surroundings(world: World, functions: Iterable[types.FunctionType]) -> None:
    """Raise `ModelError` where a function has a variable of its surroundings that leads to an
    object with a `__del__`, and is not held for good: when it is gone, no state shows.
    """
    for function in functions:
        for it in _led_to(world, function.__closure__ or (), {}).values():
            if not (has_finalizer(type(it)) and is_followed(type(it))):
                continue
            if id(function) in _led_to(world, _all_named(world), {}):
                break
            raise ModelError(
                f"{function.__qualname__} holds a {type(it).__name__}, which has a __del__, in a "
                "variable of its surroundings: nobody knows when that runs",
                remedy="keep it in an attribute of an object",
            )


def refuse_callbacks_of_collector(module: str) -> None:
    """Raise `ModelError` where the garbage collector calls a function of a module whenever it runs,
    which may be anywhere in any thread.
    """
    for each in gc.callbacks:
        function = getattr(each, "__func__", each)
        if isinstance(function, types.FunctionType) and function.__module__ == module:
            raise ModelError(
                f"gc.callbacks has {function.__qualname__}, which runs whenever the garbage "
                "collector does: nobody knows when that is",
                remedy="leave it out",
                place=place_of_function(function),
            )


def has_finalizer(kind: type) -> bool:
    """Whether instances of a class have a `__del__`."""
    return any("__del__" in members for members in members_by_base(kind))


def keep_alive(value: object) -> None:
    """Have Python never run the `__del__` of a captured object: in the model, a thread does."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def _all_named(world: World) -> Iterator[Any]:
    modules = [each for each in [*sys.modules.values()] if isinstance(each, types.ModuleType)]
    return (each for module in modules if is_followed(module) for each in _named(world, module))


def _led_to(world: World, first: Iterable[Any], known: Mapping[int, Any]) -> dict[int, Any]:
    """What some objects lead to, by ids, but for what is known of them by its stand-in."""
    waiting = [*first]
    seen: dict[int, Any] = {}
    while waiting:
        it = waiting.pop()
        if id(it) in seen or isinstance(it, _WITHOUT_PARTS):
            continue
        seen[id(it)] = it
        if id(it) in known and _is_object(it):
            continue
        if isinstance(it, type):
            if is_followed(it) and not issubclass(it, Model):
                waiting += _unwritten(vars(it), world.variables_written_in(it))
        elif isinstance(it, types.FunctionType):
            waiting += _of_function(world, it)
        else:
            waiting += gc.get_referents(it)
    return seen


def _is_object(it: object) -> bool:
    return not isinstance(it, type | types.FunctionType)


def _named(world: World, module: types.ModuleType) -> Iterator[Any]:
    return _unwritten(vars(module), world.variables_written_in(vars(module)))


def _unwritten(names: Mapping[str, Any], written: Collection[str]) -> Iterator[Any]:
    return (value for name, value in [*names.items()] if name not in written)


def _of_function(world: World, function: types.FunctionType) -> Iterable[Any]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from _unwritten(vars(function), world.variables_written_in(function))
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        if name not in world.variables_written_in(cell):
            yield from gc.get_referents(cell)
