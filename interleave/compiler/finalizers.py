"""`x.__del__` and `super().__del__` in a function's code, by the name that twins have for it."""

from __future__ import annotations

import ast

from interleave.compiler.source import Definition
from interleave.compiler.syntax import Transformer, copied
from interleave.memory.values import FINALIZER


def with_finalizers(definition: Definition) -> Definition:
    """A function's definition in which each attribute `__del__` has another name."""
    nodes = ast.walk(definition)
    if not any(isinstance(node, ast.Attribute) and node.attr == "__del__" for node in nodes):
        return definition
    made: Definition = _Renamer().visit(copied(definition))
    return made


class _Renamer(Transformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if node.attr == "__del__":
            node.attr = FINALIZER
        return node
