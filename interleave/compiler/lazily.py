"""Generator expressions that a state may have to hold: each becomes a call of what yields.

It is a lambda first, which is lifted out of its surroundings like any other (see `closures`). One
that is gone through where it stands, by a built-in function or a method of a built-in type, stays.
"""

from __future__ import annotations

import ast
from typing import Any

from interleave.compiler.names import LIBRARY_METHODS, Surroundings
from interleave.compiler.source import Definition
from interleave.compiler.syntax import Transformer, copied

GENEXPR = "<genexpr>"
"""The name of a function that yields what a generator expression gives."""

_GENERATES = "generates"
"""Attribute of a lambda that stands for a function that yields."""

_ITEMS = "#items"
"""Its parameter: the iterator over what the first `for` is about."""

_CONSUMERS = (
    "all", "any", "bytes", "bytearray", "dict", "frozenset", "list", "max", "min", "set", "sorted",
    "sum", "tuple",
)  # fmt: skip
"""Built-ins that go through all that they are given."""


def with_generators(
    definition: Definition, names: Surroundings, bound: frozenset[str]
) -> Definition:
    """A definition in which generator expressions are calls of lambdas; `bound` are its locals."""
    if not any(isinstance(node, ast.GeneratorExp) for node in ast.walk(definition)):
        return definition
    made = copied(definition)
    rewriter = _Rewriter(names, bound)
    made.body = [rewriter.visit(statement) for statement in made.body]
    return ast.fix_missing_locations(made)


def generates(node: ast.AST) -> bool:
    """Whether an inner function is such a lambda."""
    return hasattr(node, _GENERATES)


def yielding(node: ast.Lambda) -> list[ast.stmt]:
    """The statements of the function that such a lambda stands for."""
    expression = node.body
    assert isinstance(expression, ast.GeneratorExp)
    body: ast.stmt = ast.Expr(ast.Yield(expression.elt))
    for each in reversed(expression.generators):
        for condition in reversed(each.ifs):
            body = ast.If(condition, [body], [])
        body = ast.For(each.target, each.iter, [body], [])
    for part in ast.walk(body):
        if isinstance(part, ast.stmt | ast.Yield) and not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    return [body]


class _Rewriter(Transformer):
    def __init__(self, names: Surroundings, bound: frozenset[str]) -> None:
        self._names = names
        self._bound = bound

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.ListComp:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.SetComp:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.DictComp:
        return self._comprehension(node)

    def _comprehension(self, node: Any) -> Any:
        """Only what its first `for` is about is evaluated outside of it; of a generator expression
        there, the loops are laid down where it stands.
        """
        first = node.generators[0]
        is_inside = isinstance(first.iter, ast.GeneratorExp)
        first.iter = self._comprehension(first.iter) if is_inside else self.visit(first.iter)
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        if isinstance(node.iter, ast.GeneratorExp):  # so are its loops
            node.iter = self._comprehension(node.iter)
            node.body = [self.visit(each) for each in node.body]
            node.orelse = [self.visit(each) for each in node.orelse]
            return node
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        kept = [
            each
            for each in node.args
            if isinstance(each, ast.GeneratorExp) and self._goes_through(node.func)
        ]
        node.func = self.visit(node.func)
        node.args = [
            self._comprehension(each) if each in kept else self.visit(each) for each in node.args
        ]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return node

    def _goes_through(self, callee: ast.expr) -> bool:
        if isinstance(callee, ast.Attribute):
            return callee.attr in LIBRARY_METHODS
        if not isinstance(callee, ast.Name) or callee.id in self._bound:
            return False
        return callee.id in _CONSUMERS and self._names.is_builtin(callee, callee.id)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        inside = [each for each in ast.walk(node) if isinstance(each, ast.NamedExpr | ast.Await)]
        if inside or any(each.is_async for each in node.generators):
            return node
        first = node.generators[0]
        iterable = self.visit(first.iter)
        first.iter = ast.Name(_ITEMS, ast.Load())
        arguments = ast.arguments([], [ast.arg(_ITEMS)], None, [], [], None, [])
        made = ast.Lambda(arguments, node)
        setattr(made, _GENERATES, True)
        items = ast.Call(ast.Name("@cursor", ast.Load()), [iterable], [])
        call = ast.Call(made, [items], [])
        for part in (first.iter, arguments.args[0], made, items.func, items, call):
            ast.copy_location(part, node)
        return call
