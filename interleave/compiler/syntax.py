"""Copies of syntax trees: made for each block of each function, whenever a program is made."""

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
