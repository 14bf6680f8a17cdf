"""What Python allows in a class, and what is a mistake in a model."""

from __future__ import annotations

import ast
import types

from interleave.compiler.source import find_function, place_of_function
from interleave.errors import ModelError, Place
from interleave.model import Model


def refuse_init(model: type[Model]) -> None:
    """Raise `ModelError` for a model with an `__init__`, which nothing would run."""
    function = model.__init__
    if isinstance(function, types.FunctionType):
        raise ModelError(
            f"model {model.__name__} has an __init__, which is not run",
            remedy="call it setup: `def setup(self):`",
            place=place_of_function(function),
        )


def refuse_silence(kind: str, function: types.FunctionType) -> None:
    """Raise `ModelError` for a property that ends with a comparison and forgets to return it."""
    found = find_function(function)
    if found is None:
        return
    definition, _ = found
    last = definition.body[-1]
    if not isinstance(last, ast.Expr) or not _gives_a_bool(last.value):
        return
    if not any(_may_fail(node) for node in ast.walk(definition)):
        raise ModelError(
            f"the {kind} {function.__name__} neither returns anything nor asserts: it cannot fail",
            remedy=f"write `return {ast.unparse(last)}`",
            place=Place.of_node(function.__code__.co_filename, last),
        )


def _gives_a_bool(value: ast.expr) -> bool:
    """Whether an expression is there for what it gives, and not for what it does."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in ("all", "any", "bool")
    return isinstance(value, ast.Compare | ast.BoolOp | ast.UnaryOp)


def _may_fail(node: ast.AST) -> bool:
    if isinstance(node, ast.Return):
        return node.value is not None
    return isinstance(node, ast.Assert | ast.Raise)
