"""Why a property does not hold: what the parts of its expression give where it is false.

The property is evaluated once more, as a copy in which each part of what it returns, or asserts,
notes its value.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from interleave.compiler.source import find_function, statement_text
from interleave.compiler.syntax import copied
from interleave.interrupts import Stopped, counted
from interleave.machine.machine import Machine
from interleave.machine.properties import PropertyPort
from interleave.machine.step import State
from interleave.memory.port import Location
from interleave.memory.streams import running
from interleave.program.threads import Property

_BEGUN, _NOTE = "interleave begun", "interleave note"  # no names of Python's
_INNER = ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp
_SHOWN = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Compare, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.IfExp,
)  # fmt: skip


class Part(NamedTuple):
    """A part of an expression: its text, its value as the model has it, and what it has read.

    `is_false`: the property does not hold since this is false. The parts that follow, up to the
    next one that is, are within it.
    """

    text: str
    value: Any
    read: tuple[Location, ...]
    is_false: bool
    is_variable: bool


class _Noted(NamedTuple):
    value: Any
    read: tuple[Location, ...]


def parts_of_failure(machine: Machine, state: State, wanted: Property) -> list[Part]:
    """What the parts of a property give in a state in which it does not hold, outer ones first.

    Nothing where that cannot be told: there is no source, or the copy does otherwise.
    """
    method = getattr(machine.program.stand_in, wanted.name)
    found = find_function(wanted.function)
    if found is None or not isinstance(method, types.MethodType):
        return []
    definition, owner = found
    explained = _Instrumented(definition)
    function = method.__func__
    if not isinstance(function, types.FunctionType):
        return []
    code = _compiled(explained.definition, owner, function)
    if code is None:
        return []
    look = partial(_look, machine, state, wanted, method, code, explained)
    return counted(look, f"{wanted.kind} {wanted.name}")


def _look(
    machine: Machine,
    state: State,
    wanted: Property,
    method: types.MethodType,
    code: types.CodeType,
    explained: _Instrumented,
) -> list[Part]:
    port = PropertyPort(machine, state)
    noted: dict[int, _Noted] = {}

    def begun(number: int) -> int:
        if explained.nodes[number] in explained.roots:
            noted.clear()
        noted.pop(number, None)
        # What is read again is to count again.
        before, port.locations = port.locations, {}
        stack.append(before)
        return number

    def note(number: int, value: Any) -> Any:
        read = port.locations
        port.locations = {**stack.pop(), **read}
        noted[number] = _Noted(value, tuple(read))
        return value

    stack: list[dict[Location, None]] = []
    function: Any = method.__func__
    names = {**function.__globals__, _BEGUN: begun, _NOTE: note}
    copy = types.FunctionType(code, names, None, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    with running(port):
        try:
            is_false = copy(method.__self__) is False
        except AssertionError:
            is_false = True
        except (Stopped, MemoryError):
            raise
        except BaseException:
            return []
    values = {explained.nodes[number]: each for number, each in noted.items()}
    root = next((each for each in explained.roots if each in values), None)
    told = [*_told(root, values)] if is_false and root is not None else []
    file = wanted.function.__code__.co_filename
    return [Part(statement_text(file, node), *rest) for node, *rest in told]


# What is told


_Told = tuple[ast.expr, Any, tuple[Location, ...], bool, bool]
"""A `Part`, with its node in place of its text."""


def _told(node: ast.expr, values: dict[ast.expr, _Noted]) -> Iterator[_Told]:
    """What makes an expression false, and the values within that."""
    match node:
        case ast.BoolOp(ast.And(), operands):
            for each in operands:
                if each in values and not values[each].value:
                    yield from _told(each, values)
        case ast.BoolOp(ast.Or(), operands):
            for each in operands:
                if each in values:
                    yield from _told(each, values)
        case _ if node in values:
            yield node, *values[node], True, _is_variable(node)
            yield from _within(node, values)


def _within(node: ast.AST, values: dict[ast.expr, _Noted]) -> Iterator[_Told]:
    for each in _parts(node):
        if isinstance(each, ast.expr) and each in values:
            yield each, *values[each], False, _is_variable(each)
        yield from _within(each, values)


def _is_variable(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute | ast.Subscript | ast.Name)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node whose values belong to its own: not what is called, nor the elements of
    what goes through many, unless the last one that was asked for has decided.
    """
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute):
            yield called.value
        is_decided = isinstance(called, ast.Name) and called.id == "all"
        for argument in (*node.args, *(each.value for each in node.keywords)):
            if is_decided and isinstance(argument, ast.GeneratorExp | ast.ListComp):
                yield argument.elt
            yield argument
    elif isinstance(node, _INNER):
        yield from (each.iter for each in node.generators)
    elif not isinstance(node, ast.Lambda):
        yield from (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))


# The copy


class _Instrumented(ast.NodeTransformer):
    """The definition of a property, in which parts of expressions note what they give."""

    def __init__(self, definition: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.nodes: list[ast.expr] = []
        """The parts, by their number, as they were."""
        self.roots: list[ast.expr] = []
        self.definition = copied(definition)
        self.definition.decorator_list = []
        self.definition.body = [self.visit(each) for each in self.definition.body]
        ast.fix_missing_locations(self.definition)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if node.value is not None:
            node.value = self._root(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.test = self._root(node.test)
        return node

    def _root(self, node: ast.expr) -> ast.expr:
        self.roots.append(copied(node))
        return self._noting(node, self.roots[-1])

    def _noting(self, node: ast.expr, original: ast.expr) -> ast.expr:
        """A node in place of a part, whose parts are noted too."""
        is_value = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if not is_value or isinstance(node, ast.Lambda | ast.Await | ast.Yield | ast.YieldFrom):
            return node
        for name, value in ast.iter_fields(node):
            was = getattr(original, name)
            if isinstance(node, ast.Call) and name == "func":
                if isinstance(value, ast.Attribute):
                    value.value = self._noting(value.value, was.value)
            elif isinstance(value, ast.expr):
                setattr(node, name, self._noting(value, was))
            elif isinstance(value, list):
                value[:] = [self._in_list(*each) for each in zip(value, was, strict=True)]
        if not isinstance(node, _SHOWN) or _is_super(node):
            return node
        self.nodes.append(original)
        number = ast.Constant(len(self.nodes) - 1)
        begun = ast.Call(ast.Name(_BEGUN, ast.Load()), [number], [])
        return ast.Call(ast.Name(_NOTE, ast.Load()), [begun, node], [])

    def _in_list(self, node: Any, original: Any) -> Any:
        if isinstance(node, ast.expr):
            return self._noting(node, original)
        if isinstance(node, ast.keyword):
            node.value = self._noting(node.value, original.value)
        elif isinstance(node, ast.comprehension):
            node.iter = self._noting(node.iter, original.iter)
            node.ifs = [self._noting(*each) for each in zip(node.ifs, original.ifs, strict=True)]
        return node


def _is_super(node: ast.expr) -> bool:
    """Whether it is what `super()` gives, which has no value of its own."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "super"


def _compiled(
    definition: ast.AST, owner: str | None, function: types.FunctionType
) -> types.CodeType | None:
    """The code of a definition, with the free variables of the function that it is a copy of."""
    assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    names = function.__code__.co_freevars
    inside: ast.stmt = definition
    if owner is not None:
        inside = ast.ClassDef(owner, bases=[], keywords=[], body=[inside], decorator_list=[])
    cells: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None))
        for name in names
        if name != "__class__"
    ]
    outer = ast.parse("def outer(): pass")
    assert isinstance(outer.body[0], ast.FunctionDef)
    outer.body[0].body = [*cells, inside]
    for each in ast.walk(outer):
        if isinstance(each, ast.ClassDef) and "type_params" in ast.ClassDef._fields:
            each.type_params = []  # type: ignore[attr-defined, unused-ignore]
    made = compile(ast.fix_missing_locations(outer), function.__code__.co_filename, "exec")
    found = _code_named(made, definition.name)
    return found if found is not None and found.co_freevars == names else None


def _code_named(code: types.CodeType, name: str) -> types.CodeType | None:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            inner = each if each.co_name == name else _code_named(each, name)
            if inner is not None:
                return inner
    return None
