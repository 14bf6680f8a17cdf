"""What the code of a model can come by: functions, shared globals, and what it assigns."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any

from interleave.compiler import is_user_function
from interleave.compiler.names import (
    Surroundings,
    is_shared_global,
    is_user_class,
    source_bound,
    source_nodes,
)
from interleave.compiler.source import find_function
from interleave.memory.values import mangle
from interleave.model import Model
from interleave.program.setup import class_attributes
from interleave.world.homes import CACHES
from interleave.world.policy import is_followed, is_installed


def reachable_functions(
    model: type, entries: list[types.FunctionType]
) -> tuple[list[types.FunctionType], frozenset[str]]:
    """Functions that threads and properties may call, and the names of all the model's methods."""
    module = sys.modules.get(model.__module__)
    neighbours = [value for value in _module_values(module) if is_user_class(value)]
    by_name: dict[str, list[types.FunctionType]] = {}
    for cls in [model, *neighbours]:
        for name, function in all_functions(cls):
            by_name.setdefault(name, []).append(function)
    found: dict[types.FunctionType, None] = {}
    waiting = list(entries)
    while waiting:
        function = waiting.pop(0)
        definition = find_function(function)
        if function in found or definition is None:
            continue
        found[function] = None
        names = Surroundings(function)
        for node in source_nodes(definition[0], defaults=True):
            if isinstance(node, ast.Attribute):
                waiting += by_name.get(mangle(node.attr, definition[1]), [])
            elif isinstance(node, ast.Name) and node.id in names:
                value = names.real(node.id)
                if isinstance(value, types.FunctionType) and is_user_function(value):
                    waiting.append(value)
        # Called without being named: with, operators, comparisons.
        waiting += [f for name, fs in by_name.items() if _is_dunder(name) for f in fs]
    callable_names = {name for name in by_name if name not in ("__init__", "__post_init__")}
    return list(found), frozenset(callable_names)


def _module_values(module: types.ModuleType | None) -> list[Any]:
    """The values of a model's module, and of the modules of its own that it imports.

    Not the classes of installed packages, which are too many to look through.
    """
    found = list(vars(module).values()) if module else []
    for value in list(found):
        if isinstance(value, types.ModuleType) and is_followed(value):
            if not is_installed(value.__name__):
                found += [each for each in vars(value).values() if is_user_class(each)]
    own = {
        id(value): value
        for value in found
        if not (isinstance(value, type) and is_installed(value.__module__))
    }
    return list(own.values())


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in (
        "__init__", "__post_init__", "__new__", "__repr__", "__str__",
    )  # fmt: skip


def all_functions(cls: type) -> Iterator[tuple[str, types.FunctionType]]:
    """The functions of a class and its bases, those of properties too, by name."""
    for base in reversed(cls.__mro__):
        if base in (object, Model) or not is_followed(base):
            continue
        for name, member in vars(base).items():
            for part in _functions_of(member):
                if isinstance(part, types.FunctionType) and name not in _NEVER_CALLED:
                    yield name, part


_NEVER_CALLED = CACHES | {"setup"}
"""Names under which a class may have functions that code of a model never calls."""


def _functions_of(member: object) -> tuple[object, ...]:
    """What runs where a member of a class is looked at or called, if it is a function at all."""
    if isinstance(member, property):
        return (member.fget, member.fset)
    return (member.__func__ if isinstance(member, staticmethod | classmethod) else member,)


def shared_globals(
    functions: list[types.FunctionType], closures_of: Collection[types.FunctionType]
) -> dict[str, Any]:
    """Globals of the module that functions use and that are objects which threads share.

    So are what some of them, `closures_of`, have in their closures: not those that setup may have
    made, with what each run of it makes anew.
    """
    found: dict[str, Any] = {}
    known: set[int] = set()
    for function in functions:
        names = Surroundings(function)
        definition = find_function(function)
        if definition is None:
            continue
        bound = source_bound(definition[0])
        if function not in closures_of:
            bound |= {*function.__code__.co_freevars}
        for node in source_nodes(definition[0], defaults=True):
            if isinstance(node, ast.Name) and node.id not in bound and node.id in names:
                value = names.real(node.id)
                if id(value) not in known and is_shared_global(value):
                    known.add(id(value))
                    name = node.id
                    while name in found:
                        name += "'"
                    found[name] = value
    return found


def fields_set(functions: list[types.FunctionType], model: type) -> frozenset[str]:
    """Names of the attributes that some code sets, anywhere: what they hold may be a function."""
    module = sys.modules.get(model.__module__)
    classes = [value for value in _module_values(module) if is_user_class(value)]
    makers = [function for cls in classes for _, function in all_functions(cls)]
    nodes = (
        node
        for function in [*functions, *makers]
        if (found := find_function(function)) is not None
        for node in source_nodes(found[0])
    )
    stored = {
        mangle(node.attr, None)
        for node in nodes
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    }
    return frozenset(stored | set(class_attributes(model)))


def written_attributes(functions: list[types.FunctionType]) -> frozenset[str]:
    """Names of the attributes that some function assigns."""
    found: set[str] = set()
    for function in functions:
        definition = find_function(function)
        if definition is None or function.__name__ in ("__init__", "__post_init__"):
            continue
        for node in source_nodes(definition[0]):
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                found.add(mangle(node.attr, definition[1]))
    return frozenset(found)
