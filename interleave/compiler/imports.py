"""Import statements in functions: what they bind is known before the function runs.

A name that one import binds, and nothing else, stands for what is imported wherever it is used. Any
other name that an import binds is a variable, which the statement assigns; and an import that fails
raises its exception where it stands.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from interleave.compiler.names import bindings, bound_names, names_inside, scope_walk
from interleave.compiler.source import Definition
from interleave.compiler.syntax import Transformer, copied
from interleave.interrupts import whole


class Imported(NamedTuple):
    """What one name of an import statement is bound to, or the exception that it raises."""

    name: str
    key: str
    """By which compiled code knows the function that gives it."""
    value: Any
    error: Exception | None
    module: str
    """The module whose variable it is, known there as `variable`; "" for a module itself."""
    variable: str
    varies: bool = False
    """Whether some code writes that variable."""


Import = ast.Import | ast.ImportFrom


def import_statements(definition: Definition) -> tuple[Import, ...]:
    """The import statements of a function, those of functions inside left out."""
    return tuple(node for node in scope_walk(definition.body) if isinstance(node, Import))


def imports_of(statements: Iterable[Import], globals_: Mapping[str, Any]) -> list[Imported]:
    """What the import statements of a function bind."""
    found = []
    for node in statements:
        values: dict[str, Any] = {}
        error: Exception | None = None
        statement = ast.Module([node], [])
        try:
            with importing_beside(globals_):
                code = compile(statement, "<import>", "exec")
                exec(code, {**globals_}, values)  # noqa: S102
        except Exception as raised:
            error = raised
        for alias, name in zip(node.names, imported_by(node), strict=True):
            value = values.get(name)
            module = _module_of(node, globals_) if isinstance(node, ast.ImportFrom) else ""
            found.append(Imported(name, _key(node, name), value, error, module, alias.name))
    return found


def imported_by(node: Import) -> list[str]:
    """The variables that an import statement binds."""
    return [alias.asname or alias.name.partition(".")[0] for alias in node.names]


def bound_in(body: Sequence[ast.AST]) -> Iterator[str]:
    """The variables that the statements of a scope bind, those that are imported among them."""
    yield from bindings(body)
    for node in scope_walk(body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported_by(node)


def _module_of(node: ast.ImportFrom, globals_: Mapping[str, Any]) -> str:
    if not node.level:
        return node.module or ""
    package: str = globals_.get("__package__") or ""
    outer = package.split(".")[: package.count(".") + 2 - node.level]
    return ".".join([*outer, *([node.module] if node.module else [])])


def _folder_of(globals_: Mapping[str, Any]) -> str:
    """Where the package of a module is, or the module itself: a program finds others there."""
    file = Path(globals_.get("__file__") or "").resolve()
    package = globals_.get("__package__") or ""
    return str(file.parents[package.count(".") + 1 if package else 0])


@contextmanager
@whole
def importing_beside(globals_: Mapping[str, Any]) -> Iterator[None]:
    """Find modules that are next to a module, for the duration."""
    folder = _folder_of(globals_)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def with_imports(definition: Definition, imports: list[Imported]) -> Definition:
    """A function's definition in which imports are assignments, where they have to be."""
    if not imports:
        return definition
    times = Counter(each.name for each in imports)
    others = bound_names(definition) | names_inside(definition)
    runs = {
        each.key
        for each in imports
        if each.error is not None or each.varies or times[each.name] > 1 or each.name in others
    }
    made = _Rewriter(runs).visit(copied(definition))
    assert isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef)
    return ast.fix_missing_locations(made)


class _Rewriter(Transformer):
    def __init__(self, runs: set[str]) -> None:
        self._runs = runs

    def visit_Import(self, node: ast.Import) -> Any:
        return self._assignments(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        return self._assignments(node)

    def _assignments(self, node: ast.Import | ast.ImportFrom) -> Any:
        made: list[ast.stmt] = [
            ast.Assign(
                [ast.Name(name, ast.Store())],
                ast.Call(ast.Name(_key(node, name), ast.Load()), [], []),
            )
            for name in imported_by(node)
            if _key(node, name) in self._runs
        ]
        return [ast.copy_location(each, node) for each in made or [ast.Pass()]]


def _key(node: ast.stmt, name: str) -> str:
    return f"@import:{node.lineno}:{node.col_offset}:{name}"
