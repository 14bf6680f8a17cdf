"""A copy of a function in which parts of what it returns, or asserts, note what they give."""

from __future__ import annotations

import ast
import types
from typing import Any

from interleave.compiler.syntax import copied

BEGUN, NOTE = "interleave begun", "interleave note"  # no names of Python's
"""What the copy calls, by these global names: the former with the number of a part that it begins
with, and gives that; the latter with the number and the value of the part, and gives the value.
"""

_SHOWN = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Compare, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.IfExp,
)  # fmt: skip
"""The parts that note what they give."""


class Noting(ast.NodeTransformer):
    """The definition of a property, in which parts of expressions note what they give."""

    def __init__(self, definition: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.nodes: list[ast.expr] = []
        """The parts, by their number, as they were."""
        self.roots: list[ast.expr] = []
        """Those that are returned, or asserted, as a whole."""
        self.definition = copied(definition)
        self.definition.decorator_list = []
        self.definition.body = [self.visit(each) for each in self.definition.body]
        ast.fix_missing_locations(self.definition)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            node.value = self._root(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.test = self._root(node.test)
        return node

    def _root(self, node: ast.expr) -> ast.expr:
        self.roots.append(copied(node))
        return self._noting(node, self.roots[-1], is_root=True)

    def _noting(self, node: ast.expr, original: ast.expr, *, is_root: bool = False) -> ast.expr:
        """A node in place of a part, whose parts are noted too."""
        is_value = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if not is_value or isinstance(node, ast.Lambda | ast.Await | ast.Yield | ast.YieldFrom):
            return node
        for name, value in ast.iter_fields(node):
            was = getattr(original, name)
            if isinstance(node, ast.Call) and name == "func":
                if isinstance(value, ast.Attribute):
                    value.value = self._noting(value.value, was.value)
            elif isinstance(value, ast.expr):
                setattr(node, name, self._noting(value, was))
            elif isinstance(value, list):
                value[:] = [self._in_list(*each) for each in zip(value, was, strict=True)]
        if not is_root and (not isinstance(node, _SHOWN) or _is_super(node)):
            return node
        self.nodes.append(original)
        number = ast.Constant(len(self.nodes) - 1)
        begun = ast.Call(ast.Name(BEGUN, ast.Load()), [number], [])
        return ast.Call(ast.Name(NOTE, ast.Load()), [begun, node], [])

    def _in_list(self, node: Any, original: Any) -> Any:
        if isinstance(node, ast.expr):
            return self._noting(node, original)
        if isinstance(node, ast.keyword):
            node.value = self._noting(node.value, original.value)
        elif isinstance(node, ast.comprehension):
            node.iter = self._noting(node.iter, original.iter)
            node.ifs = [self._noting(*each) for each in zip(node.ifs, original.ifs, strict=True)]
        return node


def _is_super(node: ast.expr) -> bool:
    """Whether it is what `super()` gives, which has no value of its own."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "super"


def code_of_copy(
    definition: ast.AST, owner: str | None, function: types.FunctionType
) -> types.CodeType | None:
    """The code of a definition, with the free variables of the function that it is a copy of."""
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    names = function.__code__.co_freevars
    inside: ast.stmt = definition
    if owner is not None:
        inside = ast.ClassDef(owner, bases=[], keywords=[], body=[inside], decorator_list=[])
    cells: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None))
        for name in names
        if name != "__class__"
    ]
    outer = ast.parse("def outer(): pass")
    assert isinstance(outer.body[0], ast.FunctionDef)
    outer.body[0].body = [*cells, inside]
    for each in ast.walk(outer):
        if isinstance(each, ast.ClassDef) and "type_params" in ast.ClassDef._fields:
            each.type_params = []  # type: ignore[attr-defined, unused-ignore]
    made = compile(ast.fix_missing_locations(outer), function.__code__.co_filename, "exec")
    found = _code_named(made, definition.name)
    return found if found is not None and found.co_freevars == names else None


def _code_named(code: types.CodeType, name: str) -> types.CodeType | None:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            inner = each if each.co_name == name else _code_named(each, name)
            if inner is not None:
                return inner
    return None
