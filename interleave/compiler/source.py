"""Finding the syntax tree of a function that Python has already compiled."""

from __future__ import annotations

import ast
import inspect
import linecache
import types
from functools import lru_cache
from typing import Any
from weakref import finalize

from interleave.errors import ModelError, Place

DEFINITION = "__interleave_definition__"
"""Attribute of a function that was lifted out of another one: its definition, and its class."""

LAMBDA = "<lambda>"

LIFTED = "__interleave_lifted__"
"""Attribute of a function: what was lifted out of it."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef
"""Where a function is defined."""


_REWRITTEN: dict[int, tuple[Definition, str | None]] = {}
"""The definitions of functions that are no longer as their source has them, each with its class: by
the identity of their code, for as long as that is there.
"""

FUNCTION_OF = "__interleave_function__"
"""Attribute of a model that was made of a function: a tuple with that function."""


def written_as(code: types.CodeType, definition: ast.AST) -> None:
    """Have functions with some code, and those inside, be known by how they were rewritten."""
    known = _functions_in(definition)
    waiting = [code]
    while waiting:
        each = waiting.pop()
        waiting += (part for part in each.co_consts if isinstance(part, types.CodeType))
        found = _definition_in(each, *known)
        if found is not None:
            _REWRITTEN[id(each)] = found
            finalize(each, _REWRITTEN.pop, id(each), None).atexit = False


_TEXTS: dict[str, tuple[list[str], str]] = {}
"""The texts of some files that were asked for, with the lines that each was put together from."""

_MOST_TEXTS = 64


def _text(file: str) -> str:
    """The text of a file: the same object as long as `linecache` has the same lines.

    So it is put together once, and hashed once.
    """
    lines = linecache.getlines(file)
    known = _TEXTS.get(file)
    if known is None or known[0] is not lines:
        if len(_TEXTS) == _MOST_TEXTS:
            _TEXTS.clear()
        known = _TEXTS[file] = (lines, "".join(lines))
    return known[1]


Positions = tuple[int | None, int | None, int | None, int | None]
Functions = dict[tuple[str, int], tuple[Definition, str | None]]
Lambdas = dict[Positions, tuple[Definition, str | None]]


def _functions_in(tree: ast.AST) -> tuple[Functions, Lambdas]:
    """Every function in a syntax tree by (name, first line), and every lambda by where its body is,
    as a function that returns it; each with the class it is in.
    """
    functions: Functions = {}
    lambdas: Lambdas = {}

    def walk(node: ast.AST, owner: str | None) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *[d.lineno for d in node.decorator_list]])
            functions[node.name, first] = (node, owner)
        elif isinstance(node, ast.Lambda):
            body = node.body
            where = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
            returns = ast.copy_location(ast.Return(body), body)
            made = ast.FunctionDef(LAMBDA, node.args, [returns], [], None)
            made.type_params = []  # type: ignore[attr-defined]  # from Python 3.12 on
            lambdas[where] = (ast.copy_location(made, node), owner)
        if isinstance(node, ast.ClassDef):
            owner = node.name
        for child in ast.iter_child_nodes(node):
            walk(child, owner)

    walk(tree, None)
    return functions, lambdas


@lru_cache(maxsize=64)
def _functions(file: str, text: str) -> tuple[Functions, Lambdas]:
    return _functions_in(ast.parse(text, file))


def _definition_in(
    code: types.CodeType, functions: Functions, lambdas: Lambdas
) -> tuple[Definition, str | None] | None:
    if code.co_name == LAMBDA:
        return next((lambdas[at] for at in code.co_positions() if at in lambdas), None)
    return functions.get((code.co_name, code.co_firstlineno))


def find_function(
    function: types.FunctionType,
) -> tuple[Definition, str | None] | None:
    """The definition of `function`, and the name of its class; None where there is no source."""
    if (lifted := function.__dict__.get(DEFINITION)) is not None:
        return lifted
    code = function.__code__
    if (rewritten := _REWRITTEN.get(id(code))) is not None:
        return rewritten
    try:
        return _definition_in(code, *_functions(code.co_filename, _text(code.co_filename)))
    except SyntaxError:
        return None


def place_of_function(function: types.FunctionType) -> Place:
    """Where a function is defined."""
    found = find_function(function)
    code = function.__code__
    if found is None:
        return Place(code.co_filename, code.co_firstlineno)
    return Place.of_node(code.co_filename, found[0])


def no_source(function: types.FunctionType) -> ModelError:
    """The error for a function whose source is not to be had."""
    return ModelError(
        f"the source of {function.__qualname__} cannot be found",
        remedy="define the model in a file (a model typed at a prompt has no source to compile)",
        place=Place(function.__code__.co_filename, function.__code__.co_firstlineno),
    )


def find_statement(file: str, line: int) -> ast.stmt | None:
    """The innermost statement that a line of a file belongs to; None where there is no source."""
    try:
        tree = ast.parse(_text(file), file)
    except SyntaxError:
        return None
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return found[-1] if found else None


def statement_text(file: str, node: ast.AST) -> str:
    """The text of a statement in one line; of a compound statement, its header."""
    body = getattr(node, "body", None)
    if isinstance(node, ast.match_case):
        return f"case {ast.unparse(node.pattern)}:"
    if isinstance(node, ast.Match):
        return f"match {statement_text(file, node.subject)}:"
    if isinstance(body, list) and body and hasattr(node, "lineno"):
        first = body[0].lineno
        lines = [
            linecache.getline(file, n) for n in range(node.lineno, max(first, node.lineno + 1))
        ]
        if first == node.lineno:
            lines = [lines[0][: _characters(lines[0], body[0].col_offset)]]
    else:
        lines = (_segment(file, node) or ast.unparse(node)).splitlines()
    return " ".join(_without_comment(line).strip() for line in lines).strip()


def _segment(file: str, node: Any) -> str:
    """What `ast.get_source_segment` gives, which goes through the whole file each time; or ""."""
    if getattr(node, "end_lineno", None) is None:
        return ""
    numbers = range(node.lineno, node.end_lineno + 1)
    lines = [linecache.getline(file, number).encode() for number in numbers]
    lines[-1] = lines[-1][: node.end_col_offset]
    lines[0] = lines[0][node.col_offset :]
    return b"".join(lines).decode()


def _characters(line: str, column: int) -> int:
    return len(line.encode()[:column].decode(errors="replace"))


def _without_comment(line: str) -> str:
    """A line of a statement without its trailing comment (a `#` in a string stays)."""
    quote = ""
    for place, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return line[:place]
    return line


def place_of_class(cls: type) -> Place | None:
    """The line of a `class` statement; None where its source is not to be had.

    Of a model that was made of a function, where that is defined.
    """
    for function in vars(cls).get(FUNCTION_OF, ()):
        return place_of_function(function)
    try:
        lines, line = inspect.getsourcelines(cls)
        file = inspect.getsourcefile(cls) or "?"
    except (OSError, TypeError):
        return None
    offset = next((i for i, text in enumerate(lines) if text.lstrip().startswith("class ")), 0)
    return Place(file, line + offset)


@lru_cache(maxsize=64)
def _classes(file: str, text: str) -> dict[str, list[ast.ClassDef]]:
    """Every class of a source text, by its qualified name."""
    found: dict[str, list[ast.ClassDef]] = {}

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.ClassDef):
                found.setdefault(prefix + child.name, []).append(child)
                inner = f"{prefix}{child.name}."
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = f"{prefix}{child.name}.<locals>."
            walk(child, inner)

    walk(ast.parse(text, file), "")
    return found


@lru_cache(maxsize=64)
def _names(file: str, text: str) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse(text, file)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            continue
        named = getattr(node, "attr", getattr(node, "id", getattr(node, "value", None)))
        if isinstance(named, str):
            names.add(named)
    return frozenset(names)


def names_in(file: str) -> frozenset[str]:
    """What the code in a file names: variables that it looks at, attributes, and in strings."""
    return _names(file, _text(file))


def find_class(cls: type) -> tuple[str, ast.ClassDef] | None:
    """The file and the definition of a class; None where its source is not to be had."""
    try:
        file = inspect.getsourcefile(cls)
    except (OSError, TypeError):
        return None
    if file is None:
        return None
    try:
        found = _classes(file, _text(file)).get(cls.__qualname__, [])
    except SyntaxError:
        return None
    lines = [
        member.__code__.co_firstlineno
        for member in vars(cls).values()
        if isinstance(member, types.FunctionType)
        and member.__qualname__ == f"{cls.__qualname__}.{member.__name__}"
        and member.__code__.co_filename == file
    ]
    for node in found:
        if lines and node.lineno <= lines[0] <= (node.end_lineno or 0):
            return file, node
    return (file, found[-1]) if found else None


def place_of_assignment(cls: type, name: str) -> Place | None:
    """Where a class body defines an attribute; else the line of the class."""
    if (found := find_class(cls)) is not None:
        file, definition = found
        for node in ast.walk(ast.Module(definition.body, [])):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node in definition.body:
                if node.name == name:
                    return Place.of_node(file, node)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
                return Place.of_node(file, node)
    return place_of_class(cls)
