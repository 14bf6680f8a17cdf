"""What can be said of the moment at which a block lets go of something: whether it is its end.

A block may let go of a temporary value in its midst; an exception, an iterator or who has called
a function may hold what no local of it does any more.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence, Set

from interleave.compiler import Block, BlockKind, Code
from interleave.compiler.blocks import HANDLED, ITERATOR
from interleave.compiler.generators import Generator
from interleave.machine.pictures import ORIGIN
from interleave.memory.cursors import KEEPING_ITEMS, Cursor
from interleave.memory.values import Key, is_weak, number_in

CAUGHT = "_interleave_caught"
"""Attribute of an exception: the functions that have caught it, by their numbers."""

KEPT = "_interleave_kept"
"""Attribute of an exception: what the locals refer to of the functions that it has left."""


def has_raised(key: object, caught_in: int | None = None) -> bool:
    """Whether a key has an exception in it that was raised, and so has a traceback; one that was
    caught in a function, by its number.
    """
    if type(key) is not tuple:
        return False
    if key and key[0] == "exception":
        attributes = {name[1]: value for name, value in key[5]}
        caught = attributes.get(CAUGHT, (tuple, ()))[1]
        if ORIGIN in attributes and (caught_in is None or (int, caught_in) in caught):
            return True
    return any(has_raised(each, caught_in) for each in key)


def has_kind(key: object, kind: type[BaseException]) -> bool:
    """Whether a key has an exception of some kind in it."""
    if type(key) is not tuple:
        return False
    is_one = bool(key) and key[0] == "exception" and issubclass(key[2].it, kind)
    return is_one or any(has_kind(each, kind) for each in key)


def weakly_in(key: object, referred: Callable[[object], Iterable[int]]) -> Iterator[int]:
    """The objects to which weak references in a key refer."""
    if type(key) is not tuple or not key:
        return
    if is_weak(key[0]):
        for part in key[1:]:
            yield from referred(part)
        return
    for part in key:
        yield from weakly_in(part, referred)


def has_contents(key: Key) -> bool:
    """Whether a value is a mutable one of a thread's own with something in it, or has one in it."""
    if key[0] is tuple:
        return any(map(has_contents, key[1]))
    return number_in(key) is not None and bool(key[-1])


def is_mixed(key: object, matters: Set[int], referred: Callable[[object], Iterable[int]]) -> bool:
    """Whether a value of a thread's own may let go of what matters in it in any order."""
    if type(key) is not tuple:
        return False
    if key and key[0] == "exception" and len(matters & {*referred(key)}) > 1:
        return True
    is_one = bool(key) and key[0] in ("object", set, frozenset)
    if is_one and sum(not matters.isdisjoint(referred(each)) for each in _parts(key)) > 1:
        return True
    return any(is_mixed(each, matters, referred) for each in key)


def _parts(key: Key) -> Iterable[object]:
    """The parts of the key of an instance, an exception or a set."""
    return (part for each in key if type(each) is tuple for part in each)


def has_iterator(key: object) -> bool:
    """Whether a key has an iterator in it that gives items in a tuple, which it keeps."""
    if type(key) is not tuple:
        return False
    return bool(key) and (key[0] in KEEPING_ITEMS or any(map(has_iterator, key)))


def keeps_last_item(key: Key) -> bool:
    """Whether the iterator of a loop may keep the item that it has given last."""
    if key[0] is Cursor:
        return (str, "items") in key[2]
    return key[0] is not Generator


def is_last_use(
    block: Block | None, names: Sequence[str], accesses: int, *, is_entered: bool
) -> bool:
    """Whether a block does nothing more after it has let go of temporary values. `is_entered`: but
    to enter the function that it calls.
    """
    if block is None:
        return True
    names = [name for name in names if not name.startswith(HANDLED)]  # let go of after the block
    if not names:
        return True
    if accesses > 1 or any("@" in name for name in names):  # of a comprehension, which holds it
        return False
    if all(name.startswith(ITERATOR) for name in names) or _is_given(block):
        return True
    body: list[ast.AST] = [*block.body]
    match block.body:
        case [ast.Return(ast.Tuple([_, arguments, keywords]))] if is_entered:
            body = [arguments, keywords]
    nodes = [node for each in body for node in ast.walk(each)]
    looks = [node.value for node in nodes if isinstance(node, ast.Attribute | ast.Subscript)]
    return not (
        any(isinstance(node, ast.Call) for node in nodes)
        or any(not (isinstance(each, ast.Name) and each.id in names) for each in looks)
        or stores_before_the_end(block)
    )


def _is_given(block: Block) -> bool:
    """Whether a block is a call which is given nothing that has to be computed."""
    match block.body:
        case [ast.Return(ast.Tuple([function, ast.Tuple(arguments), ast.Dict([], [])]))]:
            is_call = block.kind is BlockKind.CALL
        case [
            ast.Expr(ast.Call(function, arguments, []))
            | ast.Return(ast.Call(function, arguments, []))
            | ast.Assign([ast.Name()], ast.Call(function, arguments, []))
        ]:
            is_call = True
        case _:
            return False
    owner = function.value if isinstance(function, ast.Attribute) else function
    return is_call and all(isinstance(e, ast.Name | ast.Constant) for e in (owner, *arguments))


def stores_in_parallel(block: Block | None) -> bool:
    """Whether a block is part of `a, b = x, y`: CPython may store in a before b, or after it."""
    match block and block.statement:
        case ast.Assign([ast.Tuple() | ast.List()], ast.Tuple() | ast.List()):
            return True
    return False


def stores_before_the_end(block: Block | None) -> bool:
    """Whether a block may do more after it has bound a local."""
    for statement in block.body if block is not None else ():
        for node in ast.walk(statement):
            match node:
                case ast.NamedExpr():
                    return True
                case ast.Assign([ast.Tuple(elts) | ast.List(elts), *_]):
                    if not all(map(_is_name, elts)):
                        return True
    return False


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)


def parameters(code: Code) -> set[str]:
    """The names of the parameters of a function."""
    return {node.arg for node in ast.walk(code.definition.args) if isinstance(node, ast.arg)}


def stored_in_own_loop(code: Code) -> set[str]:
    """The variables of loops that something else in their loop binds as well."""
    found: set[str] = set()
    for loop in ast.walk(code.definition):
        if isinstance(loop, ast.For):
            targets = {each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
            inside = (node for each in loop.body for node in ast.walk(each))
            found |= {
                node.id
                for node in inside
                if isinstance(node, ast.Name)
                and node.id in targets
                and not isinstance(node.ctx, ast.Load)
            }
    return found
