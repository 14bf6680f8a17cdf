"""`go.defer(f, x)`: calls that are made when the function is left, the last one first.

Each is put on a stack where it stands, with its arguments; a `finally` around the body makes them.
One that panics does not keep the others from being made.
"""

from __future__ import annotations

import ast
from typing import Any, TypeVar

from interleave.compiler.names import Surroundings, scope_walk
from interleave.compiler.source import Definition
from interleave.compiler.syntax import Transformer, copied
from interleave.errors import ModelError, Place
from interleave.memory.primitive import DEFERS, is_marked

STACK = "#deferred"
SITE, CALLEE, ARGUMENTS = "#site", "#callee", "#arguments"

Node = TypeVar("Node", bound=ast.AST)


def with_defers(definition: Definition, names: Surroundings, file: str) -> Definition:
    """The definition, with what it defers done at its end. Raises `ModelError`."""
    if not any(_is_defer(node, names) for node in scope_walk(definition.body)):
        return definition
    made = copied(definition)
    finder = _Finder(names)
    body: list[ast.stmt] = [finder.visit(statement) for statement in made.body]
    for node in (each for statement in body for each in scope_walk([statement])):
        if _is_defer(node, names):
            raise ModelError(
                "a call is deferred within another statement",
                remedy="write it as a statement of its own: go.defer(f, x)",
                place=Place.of_node(file, node),
            )
    first = definition.body[0]
    empty = _at(
        first, ast.Assign([_name(STACK, first, ast.Store())], _at(first, ast.List([], ast.Load())))
    )
    again = _at(first, ast.Try(finder.runs(), [], [], finder.runs()))
    made.body = [empty, _at(first, ast.Try(body, [], [], [again]))]
    return ast.fix_missing_locations(made)


def _is_defer(node: ast.AST, names: Surroundings) -> bool:
    if not isinstance(node, ast.Call):
        return False
    match node.func:
        case ast.Attribute(value=ast.Name(id=module), attr=attribute) if module in names:
            return is_marked(names.attribute(module, attribute), DEFERS)
        case ast.Name(id=name) if name in names:
            return is_marked(names.real(name), DEFERS)
    return False


class _Finder(Transformer):
    """Puts what is deferred on the stack, and remembers where."""

    def __init__(self, names: Surroundings) -> None:
        self._names = names
        self._sites: list[ast.Expr] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node  # has its own

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = node.value
        if not (_is_defer(call, self._names) and isinstance(call, ast.Call) and call.args):
            return node
        self._sites.append(node)
        callee, *arguments = call.args
        entry = [
            _at(node, ast.Constant(len(self._sites))),
            callee,
            _at(node, ast.Tuple(arguments, ast.Load())),
        ]
        push = _at(node, ast.Attribute(_name(STACK, node), "append", ast.Load()))
        pushed = _at(node, ast.Call(push, [_at(node, ast.Tuple(entry, ast.Load()))], []))
        return _at(node, ast.Expr(pushed))

    def runs(self) -> list[ast.stmt]:
        """Statements that make all calls on the stack."""
        first = self._sites[0]
        parts: list[ast.expr] = [_name(n, first, ast.Store()) for n in (SITE, CALLEE, ARGUMENTS)]
        pop = _at(first, ast.Attribute(_name(STACK, first), "pop", ast.Load()))
        taken = _at(
            first,
            ast.Assign(
                [_at(first, ast.Tuple(parts, ast.Store()))], _at(first, ast.Call(pop, [], []))
            ),
        )
        calls: list[ast.stmt] = []
        for number, site in reversed([*enumerate(self._sites, 1)]):
            spread = _at(site, ast.Starred(_name(ARGUMENTS, site), ast.Load()))
            call = _at(site, ast.Expr(_at(site, ast.Call(_name(CALLEE, site), [spread], []))))
            is_it = _at(
                site, ast.Compare(_name(SITE, site), [ast.Eq()], [_at(site, ast.Constant(number))])
            )
            calls = [_at(site, ast.If(is_it, [call], calls))] if len(self._sites) > 1 else [call]
        return [_at(first, ast.While(_name(STACK, first), [taken, *calls], []))]


def _name(name: str, place: ast.AST, context: Any = None) -> ast.Name:
    return _at(place, ast.Name(name, context or ast.Load()))


def _at(place: ast.AST, node: Node) -> Node:
    return ast.copy_location(node, place)
