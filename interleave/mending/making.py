"""Locks that a change can hold: those that there are, and new ones, made where others are."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence, Set

from interleave.mending.definitions import classes_of
from interleave.mending.regions import regions_in
from interleave.mending.scopes import Scope
from interleave.mending.texts import (
    DEFINITIONS,
    Edit,
    SourceText,
    first_line,
    is_constant,
    last_line,
    name_called,
    names_in,
)
from interleave.model import Model
from interleave.records import dataclass
from interleave.runtimes import ThreadKind

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
            is_async = header.startswith("async ")
            if is_async and not scope.is_async:
                continue
            if not is_async and awaits(statements):
                continue
            return header
        return None


def awaits(statements: Sequence[ast.stmt]) -> bool:
    """Whether other tasks can run between some statements."""
    kinds = ast.Await | ast.AsyncFor | ast.AsyncWith
    return any(isinstance(node, kinds) for each in statements for node in ast.walk(each))


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
            named = "self" if all(map(_has_self, scopes)) else owner.name
            yield from ((f"{named}.{name}", value) for name, value in _assigned(owner.body))
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


@dataclass(frozen=True)
class Guarded:
    """Statements that a lock is to be held around, and the function that each stretch of them is
    in; and the kinds of the threads of the model.
    """

    scopes: tuple[Scope, ...]
    statements: tuple[ast.stmt, ...]
    kinds: frozenset[ThreadKind]

    def names(self, names: Set[str]) -> bool:
        """Whether a variable, or an attribute of something, of these names is used in them."""
        return any(
            isinstance(node, ast.Name) and node.id in names
            for each in self.statements
            for node in ast.walk(each)
        )

    @property
    def has_globals(self) -> bool:
        """Whether they assign to variables of the module."""
        return any(
            self.names({*node.names})
            for scope in self.scopes
            for node in ast.walk(scope.node)
            if isinstance(node, ast.Global)
        )


def new_lock(source: SourceText, model: type[Model], guarded: Guarded) -> LockChoice | None:
    """A new lock that all of these functions can name; None where there is no place to make it."""
    scopes, kinds = guarded.scopes, guarded.kinds
    is_async = all(scope.is_async for scope in scopes)
    if any(kind.is_process for kind in kinds):
        module, made = "multiprocessing", "Lock"
    elif any(runtime.main is not None for kind in kinds for runtime in kind.runtimes):
        module, made = "go", "Mutex"
    elif is_async and (awaits(guarded.statements) or all(kind.in_loop for kind in kinds)):
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
    placed = _placed(source, model, guarded, name, constructor)
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
    source: SourceText, model: type[Model], guarded: Guarded, name: str, made: str
) -> tuple[str, Edit] | None:
    """The expression that stands for a new lock, and the line that makes it."""
    scopes = guarded.scopes
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
    if len(owners) == 1 and None not in owners and not guarded.has_globals:
        (cls,) = owners
        assert cls is not None
        if not all(map(_has_self, scopes)) or guarded.names({cls.name, "cls", "type"}):
            return f"{cls.name}.{name}", _in_class(source, cls, line)
        return f"self.{name}", _in_instance(source, cls, line) or _in_class(source, cls, line)
    return name, _in_module(source, line, made.partition(".")[0].partition("(")[0])


def _has_self(scope: Scope) -> bool:
    """Whether a method is called with an instance that it names `self`."""
    if isinstance(scope.node, ast.Module):
        return False
    arguments = [*scope.node.args.posonlyargs, *scope.node.args.args]
    return bool(arguments) and arguments[0].arg == "self"


def _in_instance(source: SourceText, cls: ast.ClassDef, line: str) -> Edit | None:
    """A line that is the first of `__init__`, after what documents it; None where instances may be
    made without running it, or have no room for more.
    """
    made = _method(cls, "__init__")
    if made is None or "__slots__" in names_in(cls):
        return None
    for each in _below(source, cls):
        own = _method(each, "__init__")
        if own is not None and "__init__" not in names_in(ast.Module(own.body, [])):
            return None
    if not source.has_lines_of_its_own(made.body[0], made.body[0]):
        return None
    indent = source.indent(made.body[0])
    if is_constant(made.body[0]):
        at = source.line_start(last_line(made.body[0]) + 1)
    else:
        at = source.line_start(first_line(made.body[0]))
    return Edit(at, at, f"{indent}self.{line}")


def _method(cls: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """The method of a name that a class itself defines."""
    found = [each for each in cls.body if isinstance(each, ast.FunctionDef) and each.name == name]
    return found[-1] if found else None


def _below(source: SourceText, cls: ast.ClassDef) -> list[ast.ClassDef]:
    """The classes of a file that have a class among their bases, or among those of its bases."""
    classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    names, found = {cls.name}, list[ast.ClassDef]()
    while more := [
        each for each in classes
        if each not in found and any(names_in(base) & names for base in each.bases)
    ]:  # fmt: skip
        found += more
        names |= {each.name for each in more}
    return found


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


def _in_module(source: SourceText, line: str, uses: str) -> Edit:
    """A line at the top of a file, after what is imported: before what is defined there, but not
    before the import of the name that it `uses`.
    """
    last = 0
    is_before = True
    for each in source.tree.body:
        is_before &= not isinstance(each, DEFINITIONS)
        if isinstance(each, ast.Import | ast.ImportFrom):
            names = {alias.asname or alias.name for alias in each.names}
            last = last_line(each) if is_before or uses in names else last
        elif is_constant(each) and not last:
            last = last_line(each)
    at = source.line_start(last + 1)
    return Edit(at, at, f"\n{line}")
