"""Copies of syntax trees, and going through them: done for each block of each function."""

from __future__ import annotations

import ast
from typing import Any, TypeVar

Syntax = TypeVar("Syntax", bound=ast.AST)


def copied(node: Syntax) -> Syntax:
    """A copy of a syntax tree, which can be changed; `copy.deepcopy` takes several times as long.

    What the parser shares among trees (contexts, operators) stays shared.
    """
    kind = type(node)
    made = kind.__new__(kind)
    made.__dict__.update({name: _copied(value) for name, value in node.__dict__.items()})
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, ast.AST):
        return copied(value) if value._fields or value._attributes else value
    if type(value) is list:
        return [_copied(each) for each in value]
    return value


class Transformer(ast.NodeTransformer):
    """`ast.NodeTransformer`, which takes what has no parts, such as a context or an operator, for
    what stays as it is: it is no more than half as fast otherwise.
    """

    def generic_visit(self, node: ast.AST) -> Any:
        """Visit all that a node is made of."""
        for name in node._fields:
            part = getattr(node, name, None)
            if isinstance(part, list):
                part[:] = self._visited(part)
            elif isinstance(part, ast.AST) and part._fields:
                made = self.visit(part)
                if made is None:
                    delattr(node, name)
                elif made is not part:
                    setattr(node, name, made)
        return node

    def _visited(self, parts: list[Any]) -> list[Any]:
        found: list[Any] = []
        for part in parts:
            made = self.visit(part) if isinstance(part, ast.AST) and part._fields else part
            if isinstance(made, ast.AST) or not isinstance(part, ast.AST):
                found.append(made)
            elif made is not None:
                found.extend(made)
        return found
