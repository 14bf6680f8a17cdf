"""Statements that do nothing, though they look as if they did."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator
from typing import Any

from interleave.compiler.names import Surroundings, is_library, source_bound, source_nodes
from interleave.compiler.source import Definition, find_function
from interleave.errors import ModelError, Place
from interleave.memory.primitive import SELECTS, is_marked
from interleave.program.selects import never_chosen
from interleave.verbs import atomic, section
from interleave.world.policy import is_installed, is_standard

_WITH = {atomic: "with atomic():", section: 'with section("critical"):'}
"""What is nothing but the head of a `with`, and how that is written."""


def refuse_idle(functions: Iterable[types.FunctionType]) -> None:
    """Raise `ModelError` for the first statement in functions of the user's that does nothing."""
    for function in functions:
        module = str(function.__globals__.get("__name__"))
        found = find_function(function)
        if found is None or is_library(function) or is_standard(module) or is_installed(module):
            continue
        for node, what, remedy in _idle(function, found[0]):
            place = Place.of_node(function.__code__.co_filename, node)
            raise ModelError(what, remedy=remedy, place=place)


def _idle(
    function: types.FunctionType, definition: Definition
) -> Iterator[tuple[ast.AST, str, str]]:
    """What does nothing in a function, with what to say of it and how to mend it."""
    names, bound = Surroundings(function), source_bound(definition)

    def meant(node: ast.AST) -> Any:
        """What an expression names, if it names something global."""
        if isinstance(node, ast.Name) and node.id not in bound and node.id in names:
            return names.real(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = node.value.id
            is_known = owner not in bound and owner in names
            value = names.real(owner) if is_known else None
            return vars(value).get(node.attr) if isinstance(value, types.ModuleType) else None
        return None

    def verb(node: ast.AST) -> Any:
        """The verb that an expression names, if it names one."""
        value = meant(node)
        return next((each for each in _WITH if each is value), None)

    nodes = source_nodes(definition)
    looked_at = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for node in nodes:
        if isinstance(node, ast.Assert) and _is_always_true(node.test):
            yield (
                node,
                "this assert always holds: a tuple with something in it is true",
                _bare(node),
            )
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if verb(node.value.func):
                yield node, *_not_entered(node.value)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            kept = [each.id for each in node.targets if isinstance(each, ast.Name)]
            if len(kept) == len(node.targets) and not looked_at.intersection(kept):
                if verb(node.value.func):
                    yield node, *_not_entered(node.value)
        elif isinstance(node, ast.withitem) and (named := verb(node.context_expr)):
            what = f"{ast.unparse(node.context_expr)} is not called here"
            yield node.context_expr, what, f"write `{_WITH[named]}`"
        elif isinstance(node, ast.Match) and isinstance(node.subject, ast.Call):
            if is_marked(called := meant(node.subject.func), SELECTS):
                yield from never_chosen(node, called.__name__, node.subject)


def _is_always_true(test: ast.expr) -> bool:
    """Whether an expression is a tuple that is never empty."""
    return isinstance(test, ast.Tuple) and any(
        not isinstance(each, ast.Starred) for each in test.elts
    )


def _bare(node: ast.Assert) -> str:
    """How to write an assertion whose condition and message are one tuple."""
    assert isinstance(node.test, ast.Tuple)
    return f"leave out the brackets: `assert {', '.join(map(ast.unparse, node.test.elts))}`"


def _not_entered(call: ast.Call) -> tuple[str, str]:
    text = ast.unparse(call)
    return (
        f"{text} does nothing by itself: nobody enters it",
        f"write `with {text}:` above what is to be in it",
    )
