"""Definitions that are lost: something else gets their name before anybody uses it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_KEEP_NOTHING = {
    "property", "staticmethod", "classmethod", "cached_property",
    "thread", "process", "task", "goroutine", "invariant", "postcondition", "expect",
}  # fmt: skip
"""Decorators that leave what they decorate nowhere else."""


def lost_definitions(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.stmt, str]]:
    """Each two statements of a class body or a module that bind one name, of which nothing has used
    the first, and the name.

    Only what is sure: not where one of them may not run, nor where a decorator may have kept it.
    """
    unused: dict[str, ast.stmt] = {}
    for statement in body:
        for name in _used_by(statement):
            unused.pop(name, None)
        for block in _blocks(statement):
            yield from lost_definitions(block)
        bound = _bound_by(statement)
        for name in bound:
            if name in unused and name != "_":
                yield unused[name], statement, name
        for name in bound:
            unused.pop(name, None)
            if not _may_be_kept(statement):
                unused[name] = statement


def names_used(body: list[ast.stmt]) -> Iterator[ast.Name]:
    """The names whose values the statements of a class body ask for while it runs, but for those
    that are handed to a decorator.
    """
    waiting: list[ast.AST] = [*body]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif isinstance(node, ast.ClassDef):
            waiting += [*node.bases, *node.keywords]
        elif isinstance(node, ast.Lambda):
            waiting += [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        else:
            annotation = getattr(node, "annotation", None)
            waiting += [each for each in ast.iter_child_nodes(node) if each is not annotation]


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks inside a statement that run in the same scope."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for part in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        for block in ("body", "orelse", "finalbody"):
            if isinstance(found := getattr(part, block, None), list):
                yield found


def _bound_by(statement: ast.stmt) -> list[str]:
    """The names that a simple statement, or a definition, gives to something."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    else:
        return []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _used_by(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement looks at while the body runs, or may bind if it runs."""
    bound = set(_bound_by(statement))
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not (
            node.id in bound and isinstance(node.ctx, ast.Store)
        ):
            yield node.id
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node is not statement:
                yield node.name
            if not isinstance(node, ast.ClassDef):
                waiting += [*node.decorator_list, node.args, *filter(None, [node.returns])]
                continue
        waiting += ast.iter_child_nodes(node)


def _may_be_kept(statement: ast.stmt) -> bool:
    """Whether what a definition makes may be kept under another name than its own."""
    decorators = getattr(statement, "decorator_list", ())
    called = [getattr(each, "func", each) for each in decorators]
    names = {getattr(each, "attr", getattr(each, "id", None)) for each in called}
    return not names <= _KEEP_NOTHING
