"""Operators, attributes, and built-in functions of their kind, of a class of the model's.

`x[k]`, `x + y`, `x in y`, `len(x)`, the item that a `for` takes: where some class of the model's
defines the method that they come to (`__getitem__`, ...), they are laid down as a call of what
stands here; so are attributes of some names. Whether that runs code of the model's is found out
when it runs (`machine.methods`); else it is done in the same block.
"""

from __future__ import annotations

import ast
import operator
import types
from collections.abc import Callable
from typing import Any

from interleave.memory.containers import plain
from interleave.memory.cursors import cursor
from interleave.memory.values import mangle
from interleave.world import reflection

_BINARY: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("add", "+"),
    ast.Sub: ("sub", "-"),
    ast.Mult: ("mul", "*"),
    ast.MatMult: ("matmul", "@"),
    ast.Div: ("truediv", "/"),
    ast.FloorDiv: ("floordiv", "//"),
    ast.Mod: ("mod", "%"),
    ast.Pow: ("pow", "** or pow()"),
    ast.LShift: ("lshift", "<<"),
    ast.RShift: ("rshift", ">>"),
    ast.BitAnd: ("and", "&"),
    ast.BitOr: ("or", "|"),
    ast.BitXor: ("xor", "^"),
}
_COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("eq", "=="),
    ast.NotEq: ("ne", "!="),
    ast.Lt: ("lt", "<"),
    ast.LtE: ("le", "<="),
    ast.Gt: ("gt", ">"),
    ast.GtE: ("ge", ">="),
}
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert"}
REFLECTED = {
    **{name: f"r{name}" for name, _ in _BINARY.values()},
    "eq": "eq",
    "ne": "ne",
    "lt": "gt",
    "gt": "lt",
    "le": "ge",
    "ge": "le",
}
"""What asks the right operand, by the name of what asks the left one."""

SYMBOLS = dict([*_BINARY.values(), *_COMPARED.values()])
"""How messages of Python's call an operator, by the name of its method."""

BUILT_IN = {
    "abs": frozenset({"__abs__"}),
    "bool": frozenset({"__bool__", "__len__"}),
    "float": frozenset({"__float__"}),
    "int": frozenset({"__int__"}),
    "iter": frozenset({"__iter__"}),
    "len": frozenset({"__len__"}),
    "next": frozenset({"__next__"}),
    "repr": frozenset({"__repr__"}),
    "str": frozenset({"__str__"}),
}
"""Built-in functions by name, and the methods that a call comes to."""

TRUE = BUILT_IN["bool"]
"""The methods that asking for the truth of something comes to."""

OPERATOR_METHODS = frozenset(
    {"__contains__", "__getitem__", "__iter__", *TRUE}
    | {f"__{name}__" for name in (*REFLECTED, *REFLECTED.values(), *_UNARY.values())}
    | {f"__i{name}__" for name, _ in _BINARY.values()}
)
"""The methods that operators in expressions come to."""


def methods_of(node: ast.AST) -> frozenset[str]:
    """The methods that an expression, or a `+=`, may come to by its operator."""
    match node:
        case ast.Subscript(ctx=ast.Load()):
            return frozenset({"__getitem__"})
        case ast.BinOp(op=op):
            name = _BINARY[type(op)][0]
            return frozenset({f"__{name}__", f"__r{name}__"})
        case ast.AugAssign(op=op):
            name = _BINARY[type(op)][0]
            return frozenset({f"__i{name}__", f"__{name}__", f"__r{name}__"})
        case ast.UnaryOp(op=op) if type(op) in _UNARY:
            return frozenset({f"__{_UNARY[type(op)]}__"})
        case ast.Compare(ops=ops):
            return frozenset().union(*map(_methods_compared_by, ops))
    return frozenset()


def _methods_compared_by(op: ast.cmpop) -> set[str]:
    if isinstance(op, ast.In | ast.NotIn):
        return {"__contains__", "__iter__"}
    if type(op) not in _COMPARED:
        return set()
    name = _COMPARED[type(op)][0]
    return {f"__{name}__", f"__{REFLECTED[name]}__", *(["__eq__"] if name == "ne" else [])}


def as_call(node: ast.expr, owner: str | None) -> ast.expr:
    """What stands for an attribute, or for one operator: a call of one of `OPERATIONS`.

    `owner` is the name of the class that the code is in, for private names.
    """
    match node:
        case ast.Attribute(value, attribute):
            name = _constant(mangle(attribute, owner), node)
            return call_of("@get_attribute", [value, name], node)
        case ast.Subscript(value, index):
            return call_of("@get_item", [value, index], node)
        case ast.BinOp(left, op, right):
            return call_of("@binary", [_constant(_BINARY[type(op)][0], node), left, right], node)
        case ast.UnaryOp(op, operand):
            return call_of("@unary", [_constant(_UNARY[type(op)], node), operand], node)
        case ast.Compare(item, [ast.In()], [container]):
            return call_of("@contains", [item, container], node)
        case ast.Compare(item, [ast.NotIn()], [container]):
            found = call_of("@contains", [item, container], node)
            return ast.copy_location(ast.UnaryOp(ast.Not(), found), node)
        case ast.Compare(left, [op], [right]):
            name = _constant(_COMPARED[type(op)][0], node)
            return call_of("@compare", [name, left, right], node)
    raise TypeError(node)


def as_setting(node: ast.Attribute, value: ast.expr, owner: str | None) -> ast.expr:
    """What stands for setting an attribute."""
    name = _constant(mangle(node.attr, owner), node)
    return call_of("@set_attribute", [value, node.value, name], node)


def as_deletion(node: ast.Attribute, owner: str | None) -> ast.expr:
    """What stands for deleting an attribute."""
    name = _constant(mangle(node.attr, owner), node)
    return call_of("@delete_attribute", [node.value, name], node)


def as_in_place(node: ast.AugAssign, before: ast.expr, value: ast.expr) -> ast.expr:
    """What stands for the value that `+=` gives."""
    name = _constant(_BINARY[type(node.op)][0], node)
    return call_of("@in_place", [name, before, value], node)


def call_of(name: str, arguments: list[ast.expr], node: ast.AST) -> ast.Call:
    """A call of one of `OPERATIONS`, in the place of a node."""
    callee = ast.copy_location(ast.Name(name, ast.Load()), node)
    return ast.copy_location(ast.Call(callee, arguments, []), node)


def _constant(value: str, node: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Constant(value), node)


# As it is, where no code of the model's runs.

END = object()
"""What `item_of` gives at the end of an iterator."""


def get_attribute(owner: Any, name: str) -> Any:
    """`owner.name`."""
    return getattr(reflection.used(owner, name), name)


def set_attribute(value: Any, owner: Any, name: str) -> None:
    """`owner.name = value`."""
    setattr(reflection.settable(owner, name), name, value)


def delete_attribute(owner: Any, name: str) -> None:
    """`del owner.name`."""
    delattr(reflection.settable(owner, name), name)


def get_item(container: Any, key: Any) -> Any:
    """`container[key]`."""
    return container[key]


def set_item(value: Any, container: Any, key: Any) -> None:
    """`container[key] = value`."""
    container[key] = value


def delete_item(container: Any, key: Any) -> None:
    """`del container[key]`."""
    del container[key]


def binary(name: str, left: Any, right: Any) -> Any:
    """`left + right`, say."""
    return _FUNCTIONS[name](left, right)


def in_place(name: str, left: Any, right: Any) -> Any:
    """What `left += right` makes of `left`."""
    return _IN_PLACE[name](left, plain(right))


def unary(name: str, operand: Any) -> Any:
    """`-operand`, say."""
    return _FUNCTIONS[name](operand)


def compare(name: str, left: Any, right: Any) -> Any:
    """`left < right`, say."""
    return _FUNCTIONS[name](left, right)


def contains(item: Any, container: Any) -> bool:
    """`item in container`."""
    return item in container


def truth(value: Any) -> bool:
    """Whether `value` is true."""
    return bool(value)


def item_of(iterator: Any) -> Any:
    """The next item of an iterator, or `END`."""
    try:
        return next(iterator)
    except StopIteration:
        return END


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(operator, f"__{name}__") for name in (*SYMBOLS, *_UNARY.values())
}
_IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, f"__i{name}__") for name, _ in _BINARY.values()
}

OPERATIONS: dict[str, Callable[..., Any]] = {
    "@get_attribute": get_attribute,
    "@set_attribute": set_attribute,
    "@delete_attribute": delete_attribute,
    "@get_item": get_item,
    "@set_item": set_item,
    "@delete_item": delete_item,
    "@binary": binary,
    "@in_place": in_place,
    "@unary": unary,
    "@compare": compare,
    "@contains": contains,
    "@truth": truth,
    "@cursor": cursor,
    "@item_of": item_of,
}
"""What compiled code calls, by name."""

_OPERATIONS = frozenset(OPERATIONS.values())


def is_operation(callee: object) -> bool:
    """Whether it is one of `OPERATIONS`, which is no call in the user's code."""
    return type(callee) is types.FunctionType and callee in _OPERATIONS
