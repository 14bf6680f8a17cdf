"""Locks that a change can hold: those that there are, and new ones, made where others are."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence

from interleave.mending.definitions import classes_of
from interleave.mending.regions import regions_in
from interleave.mending.scopes import Scope
from interleave.mending.texts import (
    Edit,
    SourceText,
    first_line,
    is_constant,
    last_line,
    name_called,
    names_in,
)
from interleave.model import Model
from interleave.notes import notes_of
from interleave.records import dataclass

CLASSES = ("Lock", "RLock", "Condition", "Mutex", "RWMutex")


@dataclass(frozen=True)
class LockChoice:
    """A lock by the expression that stands for it, what makes it, and how it is held.

    `headers` are what stands before the statements that it is held around, the preferred one
    first: two lines stand before and after them.
    """

    expression: str
    edits: tuple[Edit, ...]
    headers: tuple[str, ...]

    def header(self, statements: Sequence[ast.stmt], scope: Scope) -> str | None:
        """How it is held around statements; None where it cannot be."""
        for header in self.headers:
            if "\n" in header and any(_leaves(each) for each in statements):
                continue
            if header.startswith("async ") and not scope.is_async:
                continue
            return header
        return None


def _leaves(statement: ast.stmt) -> bool:
    kinds = ast.Return | ast.Break | ast.Continue | ast.Raise
    return any(isinstance(node, kinds) for node in ast.walk(statement))


def existing_locks(
    source: SourceText, model: type[Model], scopes: Sequence[Scope]
) -> list[LockChoice]:
    """The locks of a model that all of these functions can name."""
    usual = {each.expression: each.header for each in regions_in(source) if each.header}
    found: dict[str, LockChoice] = {}
    for name, value in _nameable(source, model, scopes):
        kind = name_called(value)
        if kind in CLASSES:
            is_go = kind in ("Mutex", "RWMutex")
            is_async = source.of(value).startswith("asyncio.")
            headers = _headers(name, is_go=is_go, is_async=is_async)
            if name in usual and not is_go:
                headers = (usual[name],)
            found.setdefault(name, LockChoice(name, (), headers))
    for scope in scopes:
        for node in ast.walk(scope.node):
            if isinstance(node, ast.Attribute) and node.attr == "value":
                name = f"{source.of(node.value)}.get_lock()"
                found.setdefault(name, LockChoice(name, (), _headers(name)))
    return [*found.values()]


def _headers(name: str, *, is_go: bool = False, is_async: bool = False) -> tuple[str, ...]:
    """How a lock is held, in the order of `LockChoice.headers`."""
    if is_go:
        return (f"{name}.Lock()\n{name}.Unlock()", f"with {name}:")
    return (f"{'async ' * is_async}with {name}:",)


def _nameable(
    source: SourceText, model: type[Model], scopes: Sequence[Scope]
) -> Iterator[tuple[str, ast.expr]]:
    """What all of these functions can name, each with what is assigned to it."""
    chain = classes_of(source, model.__name__)
    owners = {scope.owner for scope in scopes}
    if owners <= {*chain}:
        for cls in chain:
            yield from ((f"self.{name}", value) for name, value in _assigned(cls.body))
            yield from _assigned_to_self(cls, ("setup", "__init__"))
    elif len(owners) == 1:
        for owner in owners - {None}:
            assert owner is not None
            yield from _assigned_to_self(owner, ("__init__",))
    yield from _assigned(source.tree.body)
    for scope in scopes[:1]:
        if scope.around is not None:
            yield from _assigned(scope.around.body)


def _assigned_to_self(cls: ast.ClassDef, methods: Sequence[str]) -> Iterator[tuple[str, ast.expr]]:
    """What these methods of a class assign to attributes of `self`."""
    for each in cls.body:
        if isinstance(each, ast.FunctionDef) and each.name in methods:
            yield from (pair for pair in _assigned(each.body) if pair[0].startswith("self."))


def _assigned(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield ast.unparse(target), node.value


def new_lock(source: SourceText, model: type[Model], scopes: Sequence[Scope]) -> LockChoice | None:
    """A new lock that all of these functions can name; None where there is no place to make it."""
    kinds = [note.kind for note in notes_of(model).threads.values()]
    if any(kind.is_process for kind in kinds):
        module, made = "multiprocessing", "Lock"
    elif any(runtime.main is not None for kind in kinds for runtime in kind.runtimes):
        module, made = "go", "Mutex"
    elif all(kind.in_loop for kind in kinds) and all(scope.is_async for scope in scopes):
        module, made = "asyncio", "Lock"
    else:
        module, made = "threading", "Lock"
    base = "mu" if made == "Mutex" else "lock"
    name, number = base, 1
    taken = _names_near(source, model, scopes)
    while name in taken:
        number += 1
        name = f"{base}{number}"
    constructor, edits = _constructor(source, module, made, scopes)
    placed = _placed(source, model, scopes, name, constructor)
    if placed is None:
        return None
    expression, edit = placed
    headers = _headers(expression, is_go=module == "go", is_async=module == "asyncio")
    return LockChoice(expression, (*edits, edit), headers)


def _names_near(source: SourceText, model: type[Model], scopes: Sequence[Scope]) -> set[str]:
    """The names that a new variable must not have: of the classes concerned, and of the module."""
    chain = {each.name for each in classes_of(source, model.__name__)}
    chain |= {scope.owner.name for scope in scopes if scope.owner is not None}
    classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    near: list[ast.AST] = [
        each
        for each in classes
        if each.name in chain or chain & {ast.unparse(base) for base in each.bases}
    ]
    near += [each for each in source.tree.body if not isinstance(each, ast.ClassDef)]
    near += [scope.node for scope in scopes]
    found = set[str]()
    for node in near:
        found |= names_in(node)
    return found


def _constructor(
    source: SourceText, module: str, made: str, scopes: Sequence[Scope]
) -> tuple[str, list[Edit]]:
    """What makes a lock, and the import that it takes."""
    visible: list[ast.stmt] = [*source.tree.body]
    for scope in scopes[:1]:
        visible += scope.around.body if scope.around is not None else []
    for node in visible:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == module:
                    return f"{alias.asname or module}.{made}()", []
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (node.module, alias.name) == (module, made):
                    return f"{alias.asname or made}()", []
                if alias.name == module:
                    return f"{alias.asname or module}.{made}()", []
    text = f"import {module}\n" if module != "go" else "from interleave import go\n"
    line = 1
    for node in source.tree.body:
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        line = node.lineno
        if not (is_constant(node) or is_future):
            break
        line = last_line(node) + 1
    at = source.line_start(line)
    return f"{module}.{made}()", [Edit(at, at, text if _is_of_library(source) else f"{text}\n")]


def _is_of_library(source: SourceText) -> bool:
    """Whether the first thing that a file imports is of the standard library."""
    for node in source.tree.body:
        if isinstance(node, ast.Import):
            return node.names[0].name.partition(".")[0] in sys.stdlib_module_names
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            return (node.module or "").partition(".")[0] in sys.stdlib_module_names
    return False


def _placed(
    source: SourceText, model: type[Model], scopes: Sequence[Scope], name: str, made: str
) -> tuple[str, Edit] | None:
    """The expression that stands for a new lock, and the line that makes it."""
    around = {scope.around for scope in scopes}
    owners = {scope.owner for scope in scopes}
    if None not in around and len(around) == 1 and owners == {None}:
        (function,) = around
        assert function is not None
        inside = {id(scope.node) for scope in scopes}
        first = next(
            each for each in function.body if any(id(it) in inside for it in ast.walk(each))
        )
        at = source.line_start(first_line(first))
        return name, Edit(at, at, f"{source.indent(first)}{name} = {made}\n\n")
    line = f"{name} = {made}\n"
    chain = classes_of(source, model.__name__)
    if owners <= {*chain}:
        owner = [each for each in chain if each in owners][-1]
        return f"self.{name}", _in_class(source, owner, line)
    if len(owners) == 1 and None not in owners:
        (cls,) = owners
        assert cls is not None
        for each in cls.body:
            if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                at = source.line_start(last_line(each) + 1)
                return f"self.{name}", Edit(at, at, f"{source.indent(each.body[0])}self.{line}")
        return f"self.{name}", _in_class(source, cls, line)
    return name, _in_module(source, line)


def _in_class(source: SourceText, node: ast.ClassDef, line: str) -> Edit:
    """A line in the body of a class, after the other variables that come first."""
    indent = source.indent(node.body[0])
    before: list[ast.stmt] = []
    for each in node.body:
        if not isinstance(each, ast.Assign | ast.AnnAssign) and not is_constant(each):
            break
        before.append(each)
    if before:
        at = source.line_start(last_line(before[-1]) + 1)
        return Edit(at, at, "\n" * is_constant(before[-1]) + f"{indent}{line}")
    at = source.line_start(first_line(node.body[0]))
    return Edit(at, at, f"{indent}{line}\n")


def _in_module(source: SourceText, line: str) -> Edit:
    """A line at the top of a file, after what is imported."""
    last = 0
    for each in source.tree.body:
        if isinstance(each, ast.Import | ast.ImportFrom) or (is_constant(each) and not last):
            last = last_line(each)
        elif last:
            break
    at = source.line_start(last + 1)
    return Edit(at, at, f"\n{line}")
