"""Models that are there to be derived from: each lacks what those have that derive from it."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterable, Iterator

from interleave.compiler.source import find_function
from interleave.model import Model


def is_base(model: type[Model], derived: Iterable[tuple[type[Model], type]]) -> bool:
    """Whether a model lacks something that one which derives from it has.

    Those that do come each with the model as they have it. What can be lacking is an attribute or
    method that its own methods ask `self` for; or a method that is abstract, or does nothing but
    raise `NotImplementedError`.
    """
    if inspect.isabstract(model):
        return True
    lacking = _used(model) - _had(model)
    unimplemented = {name for name, method in _methods(model) if _is_unimplemented(method)}
    return any(
        lacking & _had(each) or any(_overrides(each, base, name) for name in unimplemented)
        for each, base in derived
    )


def _methods(model: type[Model]) -> Iterator[tuple[str, types.FunctionType]]:
    """The methods of a model and of its bases."""
    for cls in model.__mro__:
        if cls not in (object, Model):
            for name, member in vars(cls).items():
                if isinstance(member, types.FunctionType):
                    yield name, member


def _asked_of_self(model: type[Model]) -> Iterator[ast.Attribute]:
    """Each `self.name` in the methods of a model."""
    for _, method in _methods(model):
        found = find_function(method)
        if found is None or not method.__code__.co_argcount:
            continue
        first = method.__code__.co_varnames[0]
        for node in ast.walk(found[0]):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id == first:
                    yield node


def _used(model: type[Model]) -> set[str]:
    return {node.attr for node in _asked_of_self(model) if isinstance(node.ctx, ast.Load)}


def _had(model: type[Model]) -> set[str]:
    """The names that a model has, or that its methods give to `self`."""
    given = {node.attr for node in _asked_of_self(model) if isinstance(node.ctx, ast.Store)}
    return given | {*dir(model)}


def _overrides(model: type[Model], base: type, name: str) -> bool:
    return getattr(model, name, None) is not getattr(base, name, None)


def _is_unimplemented(method: types.FunctionType) -> bool:
    """Whether all that a method does is to raise `NotImplementedError`."""
    found = find_function(method)
    if found is None:
        return False
    *before, last = found[0].body
    raised = last.exc if isinstance(last, ast.Raise) else None
    called = raised.func if isinstance(raised, ast.Call) else raised
    return (
        isinstance(called, ast.Name)
        and called.id == "NotImplementedError"
        and all(isinstance(each, ast.Expr) for each in before)
    )
