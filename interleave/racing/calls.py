"""What is raced: an expression that makes an object, and texts with the calls of each thread."""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from interleave.errors import UsageError, did_you_mean
from interleave.records import dataclass

LONGEST_NAME = 40
"""Characters of the name of a thread, at most."""


@dataclass(frozen=True)
class Call:
    """One call of a method of the object: its text, and its syntax, on line 1."""

    text: str
    node: ast.Call
    method: str
    """The attribute of the object that it begins with."""


@dataclass(frozen=True)
class Calls:
    """The calls that one thread makes, one after the other. `name` is what the thread is called."""

    name: str
    calls: tuple[Call, ...]


def read_calls(texts: Iterable[str]) -> list[Calls]:
    """The calls of each text. Raises `UsageError` for one that is something else."""
    found = []
    names: dict[str, str] = {}
    for calls in map(_read, texts):
        whole = "; ".join(call.text for call in calls)
        if whole not in names:
            short = whole if len(whole) <= LONGEST_NAME else f"{calls[0].method}(...)"
            like = sum(each.partition(" #")[0] == short for each in names.values())
            names[whole] = f"{short} #{like + 1}" if like else short
        found.append(Calls(names[whole], calls))
    return found


def _read(text: str) -> tuple[Call, ...]:
    body = _parsed(text, "exec").body
    if not body:
        raise UsageError("there is no call in an empty text", remedy=_EXAMPLE)
    found = []
    for each in body:
        value = each.value if isinstance(each, ast.Expr) else None
        if isinstance(value, ast.Await):
            value = value.value  # whether a call is awaited is up to the method
        said = ast.unparse(each)
        method = _method(value.func) if isinstance(value, ast.Call) else None
        if not isinstance(value, ast.Call) or method is None:
            raise UsageError(f"{said!r} is not a call of a method of the object", remedy=_EXAMPLE)
        segment = ast.get_source_segment(text, value) or ""
        said = segment if segment and "\n" not in segment else ast.unparse(value)
        node = ast.parse(said, mode="eval").body
        assert isinstance(node, ast.Call)
        found.append(Call(said, node, method))
    return tuple(found)


_EXAMPLE = """write it as on the object: 'add("k", 1)'; several with a semicolon in between"""


def _parsed(text: str, mode: str) -> Any:
    try:
        return ast.parse(text.strip(), mode=mode)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{text!r} is not Python: {error}", remedy=_EXAMPLE) from None


def read_expression(text: str) -> ast.expr:
    """The syntax of an expression. Raises `UsageError`."""
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            f"{text!r} is not a Python expression: {error}", remedy="write one: SimpleCache()"
        ) from None
    return found


def _method(function: ast.expr) -> str | None:
    """The name that a function which is called begins with; None where that is no name."""
    while isinstance(function, ast.Attribute):
        function = function.value
    return function.id if isinstance(function, ast.Name) else None


class Names(ast.NodeTransformer):
    """Gives names in an expression their meaning.

    `of_object` has those that are attributes of the object, which `target` stands for; `of_module`
    those of a module, which is known as `module`. Raises `UsageError` for any other, but for names
    that Python has, and those that the expression itself binds.
    """

    def __init__(
        self,
        text: str,
        of_object: Iterable[str],
        target: str,
        known: Mapping[str, Any],
        module: str,
    ) -> None:
        self._text = text
        self._of_object = of_object
        self._target = target
        self._known = known
        self._module = module
        self._bound: set[str] = set()

    def meant(self, node: ast.expr) -> ast.expr:
        """The expression with what its names mean."""
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
                self._bound.add(each.id)
            elif isinstance(each, ast.arg):
                self._bound.add(each.arg)
        found: ast.expr = self.visit(copy.deepcopy(node))
        return ast.fix_missing_locations(found)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = node.id
        owner: ast.expr
        if name in self._bound:
            return node
        if name in self._of_object:
            owner = ast.Attribute(ast.Name("self", ast.Load()), self._target, ast.Load())
        elif name in self._known:
            owner = ast.Name(self._module, ast.Load())
        elif hasattr(builtins, name):
            return node
        else:
            names = [*self._of_object, *self._known]
            raise UsageError(
                f"there is no {name!r} in {self._text!r}",
                remedy=did_you_mean(name, names) + "use what the module or the object has",
            )
        made = ast.Attribute(owner, name, node.ctx)
        for each in ast.walk(made):
            ast.copy_location(each, node)
        return made


def attributes_known(value: object) -> dict[str, Any]:
    """What an object has by each name, itself or by its class, without running code of it."""
    names = dict.fromkeys([*getattr(value, "__dict__", ()), *dir(type(value))])
    found = {}
    for name in names:
        try:
            found[name] = inspect.getattr_static(value, name)
        except AttributeError:
            continue
    return found
