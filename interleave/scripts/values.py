"""Constants and literals of a script that have another value: numbers made small from outside."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interleave.compiler.imports import bound_in
from interleave.errors import Place, UsageError
from interleave.kinds import LITERAL
from interleave.literals import is_literal, read_literal
from interleave.program.settings import GIVEN


def replaced(tree: ast.Module, file: str, given: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Put values in place of constants and literals; what was replaced, by what."""
    for name, value in given.items():
        if is_setting(tree, name):
            continue
        if found := LITERAL.fullmatch(name):
            line, number = found.groups()
            at = int(line) if line else None
            yield _replace_literal(tree, file, at, int(number), value)
        else:
            yield _replace_constant(tree, file, name, value)


def is_setting(tree: ast.Module, name: str) -> bool:
    """Whether a name is that of a setting, and of nothing in a file."""
    return name in GIVEN and all(name != each for each, _ in _bound_anywhere(tree))


def _replace_literal(
    tree: ast.Module, file: str, line: int | None, number: int, value: Any
) -> tuple[str, object]:
    given = _as_int(f"the literal {number}", value)
    places = [each for each in _literals(tree) if _value_of(each) == number]
    lines = sorted({each.lineno for each in places})
    here = [each for each in places if line in (None, each.lineno)]
    if not here:
        where = f"line {line} of {file}" if line is not None else file
        known = sorted({_value_of(each) for each in _literals(tree)})
        listed = ", ".join(map(str, known))
        if lines:
            remedy = f"it stands in {_on_lines(lines)}"
        else:
            remedy = f"the int literals are {listed}" if known else "there is no int literal in it"
        raise UsageError(f"there is no literal {number} in {where}", remedy=remedy)
    if len(lines) > 1 and line is None:
        shown = "\n".join(f"  {each}: {linecache.getline(file, each).strip()}" for each in lines)
        raise UsageError(
            f"the literal {number} stands in {_on_lines(lines)} of {file}:\n{shown}",
            remedy=f"say which: -p {lines[0]}:{number}={given}",
        )
    for each in here:
        _put(each, given)
    return f"{here[0].lineno}:{number}", given


def _on_lines(lines: Sequence[int]) -> str:
    *most, last = map(str, lines)
    return f"lines {', '.join(most)} and {last}" if most else f"line {last}"


def _literals(tree: ast.Module) -> list[ast.expr]:
    """The int literals of a file, each with the minus before it."""
    negated = {
        id(node.operand)
        for node in ast.walk(tree)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and _value_of(node) is not None and id(node) not in negated
    ]


def _value_of(node: ast.expr) -> Any:
    """The number that an int literal stands for; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value_of(node.operand)
        return None if value is None else -value
    is_int = isinstance(node, ast.Constant) and type(node.value) is int
    return node.value if is_int else None  # type: ignore[attr-defined]


def _put(node: Any, value: Any) -> None:
    """Make an expression a literal with another value."""
    if isinstance(node, ast.UnaryOp):
        node.op, node.operand = ast.UAdd(), ast.copy_location(ast.Constant(value), node)
    else:
        node.value = value


def _as_int(what: str, value: Any) -> int:
    read = read_literal(value)
    if type(read) is not int:
        raise UsageError(f"{what} cannot be {read!r}", remedy="give a whole number: -p 10000=3")
    return read


def _replace_constant(tree: ast.Module, file: str, name: str, value: Any) -> tuple[str, object]:
    bound = [each for each in _bound_anywhere(tree) if each[0] == name]
    assigned = [
        each
        for each in tree.body
        if isinstance(each, ast.Assign | ast.AnnAssign) and _target_of(each) == name
    ]
    if not bound:
        constants = [_target_of(each) for each in tree.body if _constant_of(each) is not None]
        listed = ", ".join(str(each) for each in constants) or "none"
        raise UsageError(
            f"there is no constant {name!r} in {file}",
            remedy=f"the constants that are assigned a literal at the top level are: {listed}; "
            "a number where it stands: -p 10000=3",
        )
    if len(bound) > 1 or len(assigned) != 1:
        raise UsageError(
            f"{name} is no constant of {file}: it is set in "
            f"{_on_lines(sorted({line for _, line in bound}))}",
            remedy="name one that is assigned once, at the top level; or a number where it "
            "stands: -p 10000=3",
        )
    (statement,) = assigned
    literal = _constant_of(statement)
    if literal is None:
        place = Place.of_node(file, statement)
        raise UsageError(
            f"{name} is not assigned a literal", remedy="name one that is", place=place
        )
    usual = ast.literal_eval(literal)
    is_text = isinstance(usual, str) or not is_literal(value)
    read = value if is_text else ast.literal_eval(value)
    if isinstance(usual, float) and type(read) is int:
        read = float(read)
    read = str(read) if isinstance(usual, str) and isinstance(read, str) else read
    if type(read) is not type(usual) and usual is not None:
        raise UsageError(
            f"{name} cannot be {read!r}: it is of type {type(usual).__name__}",
            remedy=f"give a value like the one in the file, {usual!r}",
        )
    statement.value = ast.copy_location(ast.Constant(read), literal)
    return name, read


def _bound_anywhere(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The variables of the module that are bound, at the top level or by who declares them global,
    with the lines.
    """
    for statement in tree.body:
        for name in bound_in([statement]):
            yield name, statement.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from ((name, node.lineno) for name in node.names)


def _target_of(statement: ast.AST) -> str | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _constant_of(statement: Any) -> Any:
    """The literal that a statement assigns to one variable; None where it does something else."""
    value = getattr(statement, "value", None)
    if _target_of(statement) is None or not isinstance(value, ast.Constant | ast.UnaryOp):
        return None
    try:
        ast.literal_eval(value)
    except ValueError:
        return None
    return value
