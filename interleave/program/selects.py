"""Cases of a `match go.select(...)` that are never chosen: for what they match it never gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_GIVEN = {
    "select": "two things: the number of a case, and what it received",
    "select_ok": "three things: the number of a case, what it received, and whether that was sent",
}
"""What a select gives, by its name."""

_REMEDY = (
    "write `match go.select(...): case 0, v: ... case -1, _: ...`, "
    "or `match go.select_ok(...): case 0, v, ok: ...`"
)


def never_chosen(
    match: ast.Match, select: str, call: ast.Call
) -> Iterator[tuple[ast.AST, str, str]]:
    """The cases that are never chosen, each with what to say of it and how to mend it.

    `select` is the name of what `call`, the subject of the match, calls.
    """
    for case in match.cases:
        options = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
        for pattern in options:
            if found := _why(pattern, select, call):
                yield pattern, *found


def _why(pattern: ast.pattern, select: str, call: ast.Call) -> tuple[str, str] | None:
    """Why a pattern never matches what a select gives, and a remedy."""
    if isinstance(pattern, ast.MatchAs):
        return _why(pattern.pattern, select, call) if pattern.pattern else None
    parts = pattern.patterns if isinstance(pattern, ast.MatchSequence) else []
    if any(isinstance(part, ast.MatchStar) for part in parts):
        return None
    if len(parts) != (2 if select == "select" else 3):
        text = ast.unparse(pattern)
        return f"go.{select} gives {_GIVEN[select]}; `case {text}` never matches that", _REMEDY
    number = _number(parts[0])
    has_default = any(each.arg in ("default", None) for each in call.keywords)
    if number == -1 and not has_default:
        return "case -1 is the default, which this select does not have", "give it default=True"
    if any(isinstance(each, ast.Starred) for each in call.args) or number in (None, -1):
        return None
    if not 0 <= number < len(call.args):
        what = f"this select has no case {number}"
        return what, "cases are counted from 0, in the order in which the select has them"
    return None


def _number(pattern: ast.pattern) -> int | None:
    """The whole number that a pattern is, if it is one."""
    if not isinstance(pattern, ast.MatchValue):
        return None
    try:
        value = ast.literal_eval(pattern.value)
    except ValueError:
        return None
    return value if isinstance(value, int) else None
