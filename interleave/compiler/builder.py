"""Laying down blocks in order, with labels for the places that control jumps to."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from interleave.compiler.blocks import HIDDEN, Block, BlockKind
from interleave.compiler.names import Surroundings
from interleave.compiler.operators import OPERATOR_METHODS
from interleave.errors import ModelError, Place


class Label:
    """A place among the blocks. `at` is known once it is placed."""

    def __init__(self, at: int = -1) -> None:
        self.at = at


class Unwinding(NamedTuple):
    """Something to be done when control leaves a statement early: a `finally`, the end of a `with`.

    `emit` lays down the blocks that do it; `handler` is the exception handler outside it, `handled`
    the exceptions that are being handled there, innermost last.
    """

    emit: Callable[[], None]
    handler: tuple[Label, str] | None
    handled: tuple[str, ...]


class Loop(NamedTuple):
    """An enclosing loop: where `continue` and `break` go."""

    again: Label
    leave: Label


class Builder:
    """The blocks of one function, as they are laid down.

    `method_names` are names that some class of the model gives to a method of its own, and
    `attributes` those of what is got and set by a call;
    `owner` is the name of the class that the function is in, for private names; `switches` says
    whether it matters where threads may switch.
    """

    def __init__(
        self,
        file: str,
        names: Surroundings,
        bound: frozenset[str],
        method_names: frozenset[str],
        attributes: frozenset[str],
        *,
        owner: str | None,
        statement: ast.AST,
        switches: bool = False,
    ) -> None:
        self.switches = switches
        self.file = file
        self.names = names
        self.bound = bound
        self.method_names = method_names
        self.attributes = attributes
        self.operator_methods = method_names & OPERATOR_METHODS
        """Those of them that operators come to."""
        self.owner = owner
        self.blocks: list[Block] = []
        self.statement = statement
        self.ending = False
        """Whether the blocks laid down are the end of the present statement."""
        self.handler: tuple[Label, str] | None = None
        self.enclosing: list[Unwinding | Loop] = []
        self.simple_iterators: set[str] = set()
        """The temporaries with iterators of which to take an item is one block."""
        self.handlers: list[tuple[Label, Label]] = []
        """Where the `except` clauses of each `try` begin, and what follows the statement."""
        self._failing: set[Label] = set()
        self._origin: tuple[int, int] | None = None
        """What a block that is laid down now is a copy of, or None."""
        self._jumps: dict[tuple[int, str], Label] = {}
        self._pending: list[tuple[int, str]] = []
        self._pending_labels: list[Label] = []
        self._aliases: list[tuple[Label, Label]] = []
        self._temporaries = 0
        self._handled: tuple[str, ...] = ()
        self._going_through: tuple[str, ...] = ()

    # Errors

    def error(self, what: str, remedy: str, node: ast.AST | None = None) -> ModelError:
        """A `ModelError` at a node, or at the present statement."""
        return ModelError(
            what, remedy=remedy, place=Place.of_node(self.file, node or self.statement)
        )

    # Blocks

    def emit(self, kind: BlockKind, node: ast.AST, body: list[ast.stmt]) -> Block:
        """Lay down one block. What came before it goes on here."""
        block = Block(len(self.blocks), kind, self.statement, node, body, ends=self.ending)
        self._land(block.number)
        self.blocks.append(block)
        if self._origin is not None:
            block.origin = self._origin
            self._origin = (self._origin[0], self._origin[1] + 1)
        self._pending = [(block.number, "next")]
        if kind is BlockKind.RETURN:
            self._pending = []
        if self.handler is not None:
            self._jumps[block.number, "handler"] = self.handler[0]
            block.handler_name = self.handler[1]
        block.goes_through = self._going_through
        if self._handled:
            block.handles = self._handled[-1]
        return block

    def plain(self, node: ast.AST, *body: ast.stmt) -> Block:
        return self.emit(BlockKind.PLAIN, node, list(body))

    def value(self, kind: BlockKind, node: ast.AST, expression: ast.expr) -> Block:
        """A block whose result is the value of an expression."""
        return self.emit(kind, node, [at(node, ast.Return(expression))])

    def branch(self, node: ast.AST, condition: ast.expr, yes: Label, no: Label) -> Block:
        """A condition: control goes to one label or the other."""
        # `not not x`: asking for its truth belongs to the block, for that may be an access too.
        twice = at(node, ast.UnaryOp(ast.Not(), at(node, ast.UnaryOp(ast.Not(), condition))))
        block = self.value(BlockKind.BRANCH, node, twice)
        self._decide(block, yes, no)
        return block

    def test(self, node: ast.AST, body: list[ast.stmt], yes: Label, no: Label) -> Block:
        """A branch on what the statements of `body` return."""
        block = self.emit(BlockKind.BRANCH, node, body)
        self._decide(block, yes, no)
        return block

    def _decide(self, block: Block, yes: Label, no: Label) -> None:
        self._jumps[block.number, "next"] = yes
        self._jumps[block.number, "otherwise"] = no
        self._pending = []

    # Labels

    def place(self, label: Label) -> None:
        """Control that jumps to `label` goes on with the next block."""
        self._pending_labels.append(label)

    def jump(self, label: Label) -> None:
        """Control goes to `label` from here; what is laid down next is reached by labels only."""
        for pending in self._pending:
            self._jumps[pending] = label
        for placed in self._pending_labels:
            self._aliases.append((placed, label))
        self._pending = []
        self._pending_labels = []

    def _land(self, number: int) -> None:
        for pending in self._pending:
            self._jumps[pending] = Label(number)
        for label in self._pending_labels:
            label.at = number
        self._pending = []
        self._pending_labels = []

    def follows(self, block: Block) -> bool:
        """Whether control can come from a block, and from nowhere else, to what is next."""
        return self._pending == [(block.number, "next")] and not self._pending_labels

    def raise_again(self, name: str, node: ast.AST) -> None:
        """Lay down the raising of an exception that was stored as `name`."""
        block = self.plain(node, at(node, ast.Raise(load(name, node), None)))
        block.raises_again = True
        self._pending = []

    @property
    def reachable(self) -> bool:
        """Whether control can come to what is laid down next."""
        return bool(self._pending or self._pending_labels or not self.blocks)

    def finish(self) -> None:
        """Resolve all labels. Falling off the end goes to number `len(blocks)`."""
        self._land(len(self.blocks))
        for placed, target in reversed(self._aliases):
            placed.at = target.at
        for _ in self._aliases:
            for placed, target in self._aliases:
                placed.at = target.at
        for (number, field_), label in self._jumps.items():
            setattr(self.blocks[number], field_, label.at)
            if label in self._failing:
                self.blocks[number].failing = label.at

    def fails_at(self, label: Label) -> None:
        """That control comes to `label` is a failure, and no way on: see `Block.failing`."""
        self._failing.add(label)

    # Context

    @contextmanager
    def copying(self, statement: ast.AST) -> Iterator[None]:
        """What is laid down in here, for a statement, is laid down several times."""
        outside, self._origin = self._origin, (id(statement), 0)
        try:
            yield
        finally:
            self._origin = outside

    @contextmanager
    def handling(self, label: Label, name: str) -> Iterator[None]:
        """Exceptions in here go to `label`, stored as `name`."""
        outside, self.handler = self.handler, (label, name)
        try:
            yield
        finally:
            self.handler = outside

    @contextmanager
    def handled(self, name: str) -> Iterator[None]:
        """While an exception, stored as `name`, is being handled: `raise` alone raises it again."""
        outside, self._handled = self._handled, (*self._handled, name)
        try:
            yield
        finally:
            self._handled = outside

    @contextmanager
    def going_through(self, iterator: str) -> Iterator[None]:
        """In the body of a loop, which has an iterator of some name."""
        outside, self._going_through = self._going_through, (*self._going_through, iterator)
        try:
            yield
        finally:
            self._going_through = outside

    @contextmanager
    def within(self, context: Unwinding | Loop) -> Iterator[None]:
        """Inside a loop, or inside something that must be unwound."""
        self.enclosing.append(context)
        try:
            yield
        finally:
            self.enclosing.pop()

    def unwind(self, to: Loop | None) -> None:
        """Lay down everything that must be done before control leaves for `to` (None: returns)."""
        saved = (self.enclosing, self.handler, self._handled)
        while self.enclosing and self.enclosing[-1] is not to:
            context = self.enclosing[-1]
            self.enclosing = self.enclosing[:-1]
            if isinstance(context, Unwinding):
                self.handler, self._handled = context.handler, context.handled
                context.emit()
        self.enclosing, self.handler, self._handled = saved

    def temporary(self, what: str = "") -> str:
        """A fresh local name of the compiler's own."""
        self._temporaries += 1
        return f"{HIDDEN}{what}{self._temporaries}"

    def assign(self, name: str, value: ast.expr, node: ast.AST) -> None:
        """Lay down `name = value`."""
        self.plain(node, at(node, ast.Assign([at(node, ast.Name(name, ast.Store()))], value)))

    def keep(self, value: ast.expr, node: ast.AST) -> ast.expr:
        """Lay down an assignment to a temporary, and give an expression that reads it."""
        if isinstance(value, ast.Constant) or is_temporary(value) or _is_plain_lambda(value):
            return value
        value = without_slices(value)
        name = self.temporary()
        self.assign(name, value, node)
        return load(name, node)


Node = TypeVar("Node", bound=ast.AST)


def at(place: ast.AST, node: Node) -> Node:
    """`node`, with the position of `place`."""
    return ast.copy_location(node, place)


def load(name: str, place: ast.AST) -> ast.expr:
    """An expression that reads a local."""
    return at(place, ast.Name(name, ast.Load()))


def without_slices(node: ast.expr) -> ast.expr:
    """What stands between the brackets of a subscript, as an expression that can stand anywhere."""
    match node:
        case ast.Slice():
            parts = [
                part or at(node, ast.Constant(None)) for part in (node.lower, node.upper, node.step)
            ]
            return at(node, ast.Call(at(node, ast.Name("@slice", ast.Load())), parts, []))
        case ast.Tuple():
            return at(node, ast.Tuple([without_slices(part) for part in node.elts], ast.Load()))
    return node


def _is_plain_lambda(node: ast.expr) -> bool:
    """Whether an expression makes a function, and to make it later makes no difference."""
    if not isinstance(node, ast.Lambda):
        return False
    defaults = [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
    return all(isinstance(each, ast.Constant) for each in defaults)


def is_temporary(node: ast.expr) -> bool:
    """Whether an expression only reads a temporary."""
    return isinstance(node, ast.Name) and node.id.startswith(HIDDEN)
