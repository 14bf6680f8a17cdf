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

from interleave.compiler.noting import BEGUN, NOTE, Noting, code_of_copy
from interleave.compiler.source import find_function, statement_text
from interleave.interrupts import Stopped, counted
from interleave.machine.machine import Machine
from interleave.machine.properties import PropertyPort
from interleave.machine.step import State
from interleave.memory.port import Location
from interleave.memory.streams import running
from interleave.program.threads import Property

_INNER = ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp


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


class Explained(NamedTuple):
    """Why a property does not hold: what its parts give, outer ones first, and the line of what it
    has returned, or asserted, which is 0 where nothing can be told.
    """

    parts: list[Part]
    line: int = 0


_UNTOLD = Explained([])


def explain(machine: Machine, state: State, wanted: Property) -> Explained:
    """Why a property does not hold in a state.

    Nothing can be told where there is no source, or the copy does otherwise.
    """
    method = getattr(machine.program.stand_in, wanted.name)
    found = find_function(wanted.function)
    if found is None or not isinstance(method, types.MethodType):
        return _UNTOLD
    definition, owner = found
    explained = Noting(definition)
    function = method.__func__
    if not isinstance(function, types.FunctionType):
        return _UNTOLD
    code = code_of_copy(explained.definition, owner, function)
    if code is None:
        return _UNTOLD
    look = partial(_look, machine, state, wanted, method, code, explained)
    return counted(look, f"{wanted.kind} {wanted.name}")


def _look(
    machine: Machine,
    state: State,
    wanted: Property,
    method: types.MethodType,
    code: types.CodeType,
    explained: Noting,
) -> Explained:
    """What the copy of a property, which has this code, notes where it does not hold."""
    port = PropertyPort(machine, state)
    noted: dict[int, _Noted] = {}
    stack: list[dict[Location, None]] = []
    """What had been read before each part that has begun."""

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

    function: Any = method.__func__
    names = {**function.__globals__, BEGUN: begun, NOTE: note}
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
            return _UNTOLD
        values = {explained.nodes[number]: each for number, each in noted.items()}
        root = next((each for each in explained.roots if each in values), None)
        if not is_false or root is None:
            return _UNTOLD
        told = [] if isinstance(root, ast.Constant) else [*_told(root, values)]
    file = wanted.function.__code__.co_filename
    return Explained([Part(statement_text(file, node), *rest) for node, *rest in told], root.lineno)


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
