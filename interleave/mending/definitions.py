"""Where a lock is made: in the body of a class, in `setup` or `__init__`, or in the module."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from interleave.mending.texts import SourceText, blocks_in
from interleave.records import dataclass


@dataclass(frozen=True)
class Assignment:
    """An assignment: what is assigned to, as that block names it, the value, and the block."""

    name: str
    value: ast.expr
    statement: ast.stmt
    block: list[ast.stmt]


def definition_of(source: SourceText, model: str, name: str) -> Assignment | None:
    """The one assignment that makes what a model calls by a name; None where that is not plain."""
    found = [
        each
        for each in _assignments(source, model)
        if each.name in (name, f"self.{name}") and isinstance(each.value, ast.Call)
    ]
    return found[0] if len(found) == 1 else None


def class_named(source: SourceText, name: str) -> ast.ClassDef | None:
    """The definition of a class at the top of a file."""
    found = [
        node for node in source.tree.body if isinstance(node, ast.ClassDef) and node.name == name
    ]
    return found[-1] if found else None


def classes_of(source: SourceText, name: str) -> list[ast.ClassDef]:
    """The definition of a class, and those of its bases in the same file."""
    found: list[ast.ClassDef] = []
    waiting = [name]
    while waiting:
        node = class_named(source, waiting.pop(0))
        if node is not None and node not in found:
            found.append(node)
            waiting += [base.id for base in node.bases if isinstance(base, ast.Name)]
    return found


def _assignments(source: SourceText, model: str) -> Iterator[Assignment]:
    classes = classes_of(source, model)
    blocks = [each.body for each in classes]
    for each in classes:
        for node in each.body:
            if isinstance(node, ast.FunctionDef) and node.name in ("setup", "__init__"):
                blocks += [*blocks_in(node)]
    if not classes:
        blocks.append(source.tree.body)
        for node in source.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                blocks += [*blocks_in(node)]
    for block in blocks:
        for node in block:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                yield Assignment(source.of(node.targets[0]), node.value, node, block)
