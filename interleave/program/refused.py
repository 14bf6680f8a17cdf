"""What the code of a thread may not use, found before it runs."""

from __future__ import annotations

import ast
import inspect
import types
from typing import Any

from interleave import stdlib
from interleave.compiler import is_user_function
from interleave.compiler.names import (
    Surroundings,
    bound_names,
    evaluated_nodes,
    is_shared_global,
    is_user_class,
)
from interleave.compiler.source import find_function
from interleave.errors import InterleaveError, ModelError, Place
from interleave.memory.values import is_plain_object
from interleave.program.reach import all_functions
from interleave.stdlib import unmodelled
from interleave.world import policy
from interleave.world.policy import Treatment


def refuse_attributes(
    definition: ast.AST, names: Surroundings, bound: frozenset[str], file: str
) -> None:
    """Refuse `random.random` and the like, and what threads share behind a class, in place."""
    for node in evaluated_nodes(definition):
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            continue
        name = node.value.id
        if name in names and (name not in bound or name in names.imported):
            module = names.real(name)
            if isinstance(module, type):
                _refuse_class_attribute(module, node, file)
            if isinstance(module, types.ModuleType) and policy.is_standard(module.__name__):
                try:
                    stdlib.modelled_attribute(module, node.attr)
                except InterleaveError as error:
                    raise error.at(Place.of_node(file, node)) from None
                except AttributeError:
                    continue  # raised where the code runs, as in Python


def refuse_classes(
    definition: ast.AST, names: Surroundings, bound: frozenset[str], file: str
) -> None:
    """Refuse the making of objects that cannot know that they are part of a model."""
    for node in evaluated_nodes(definition):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in names and name not in bound and is_user_class(names.real(name)):
                _refuse_made_by_thread(names.real(name), node, file)


def _refuse_made_by_thread(cls: type, node: ast.Call, file: str) -> None:
    """Refuse a class of which a thread makes an instance, if that instance would touch real things.

    Methods are flattened when a thread calls them; `__init__`, operators and properties of what a
    thread has made are run by Python itself, which knows real modules and real globals only. So are
    the methods of a class of the standard library that it derives from.
    """
    if (base := stdlib.derived(cls)) is not None:
        raise ModelError(
            f"a thread makes a {cls.__name__}, which derives from {base}",
            remedy=f"use {base} as it is, and write what {cls.__name__} does in methods of the "
            "model",
            place=Place.of_node(file, node),
        )
    for name, function in all_functions(cls):
        is_special = name.startswith("__") and name.endswith("__")
        is_method = not is_special and not isinstance(getattr(cls, name, None), property)
        found = find_function(function)
        if is_method or found is None or not is_user_function(function):
            continue
        if inspect.iscoroutinefunction(function):
            continue  # run block by block where it is awaited
        names, bound = Surroundings(function), bound_names(found[0])
        for each in evaluated_nodes(found[0]):
            if not isinstance(each, ast.Name) or each.id in bound or each.id not in names:
                continue
            if _is_outside(names.real(each.id)):
                raise ModelError(
                    f"a thread makes a {cls.__name__}, whose {name} uses {each.id}, "
                    "which is shared",
                    remedy=f"make it in `def setup(self)`, or give {each.id} to a method of it",
                    place=Place.of_node(file, node),
                )


def _is_outside(value: object) -> bool:
    """Whether a global means something else in a model than in Python."""
    if isinstance(value, types.ModuleType):
        return not stdlib.is_pure(value.__name__)
    return is_shared_global(value) and not is_frozen(value)


def _refuse_class_attribute(cls: type, node: ast.Attribute, file: str) -> None:
    value = getattr(cls, node.attr, None)
    decision = policy.of_object(value)
    if decision.treatment is Treatment.REFUSED and isinstance(value, types.BuiltinFunctionType):
        name: Any = node.value
        raise unmodelled(ast.unparse(name), decision).at(Place.of_node(file, name))
    if isinstance(node.ctx, ast.Load) and is_shared_global(value) and not is_plain_object(value):
        raise ModelError(
            f"{cls.__name__}.{node.attr} is a {type(value).__name__} that belongs to a class: "
            "threads cannot share it there",
            remedy=f"use it through an instance: self.{node.attr}",
            place=Place.of_node(file, node),
        )


def is_frozen(value: object) -> bool:
    """Whether a value is a frozen dataclass."""
    parameters = getattr(type(value), "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
