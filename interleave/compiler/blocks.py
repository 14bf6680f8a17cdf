"""What a function is compiled to: blocks, and how control passes between them."""

from __future__ import annotations

import ast
import types
from collections import Counter
from collections.abc import Callable
from enum import Enum
from functools import cached_property
from typing import Any

from interleave.compiler.names import is_library
from interleave.compiler.source import Definition, statement_text
from interleave.errors import Place
from interleave.memory.primitive import OPERATES, is_marked
from interleave.result import Source

Swallow = tuple[str, int, int]
"""Names a `with`: the file, line and column of its context manager."""

Locals = dict[str, Any]
"""The local variables of a frame. Names with `#` are the compiler's own."""

HIDDEN = "#"
"""First character of the compiler's own local names."""

ITERATOR = "#iterator"
"""First characters of the locals that hold the iterators of loops."""

HANDLED = "#exception"
"""First characters of the locals that hold the exceptions that a frame handles."""

ENTERED = "#with"
"""First characters of the locals that hold the context managers that a frame is inside of. The name
after `as` follows, in spaces.
"""


class BlockKind(Enum):
    """How a block ends, and what its `run` returns."""

    PLAIN = "go on to `next`; the result means nothing"
    BRANCH = "go on to `next` where the result is true, else to `otherwise`"
    CALL = "the result is (callee, args, kwargs); store what the call returns in `target`"
    AWAIT = "the result is what is awaited; store what that gives in `target`"
    YIELD = "give the result to who has resumed the generator; store what is sent in `target`"
    RETURN = "leave the function with the result"


SUSPENDED = frozenset({BlockKind.CALL, BlockKind.AWAIT, BlockKind.YIELD})
"""Kinds of blocks after which other code runs before control comes to `next`."""


def handled(handler: int) -> int:
    """The number for what an exception decides that goes to a handler with this first block."""
    return ~handler


def decided_between(first: int, last: int) -> frozenset[int]:
    """The numbers for all that is decided in some blocks; none where they are in no order."""
    numbers = range(first, last + 1)
    return frozenset([*numbers, *map(handled, numbers)])


class Block:
    """A simple statement, or one condition, as a function of the frame's locals.

    `ends`: it is the end of its statement (the exit of a `with`). `handler` is where an exception
    goes, stored as `handler_name`; None: out of the function.
    """

    next: int = -1
    otherwise: int = -1
    target: str = ""
    handler: int | None = None
    handler_name: str = ""
    decides: bool = True
    """For a BRANCH: whether what follows depends on the condition (not so where it asks whether to
    pass an exception on)."""
    failing: int = -1
    """For a BRANCH: the successor that is no way on, as nobody counts on it: what an assertion that
    does not hold leads to, or an exception that no handler is for."""
    origin: tuple[int, int] | None = None
    """Blocks of one origin are copies of each other: a `finally` is laid down for each way out."""
    handles: str = ""
    """The local with the exception that its function handles here; "" where that handles none."""
    goes_through: tuple[str, ...] = ()
    """The locals with the iterators of the loops in whose bodies it is."""
    is_awaited: bool = False
    """For a CALL: whether `next` is the AWAIT of what it gives, and nothing else looks at that."""
    is_operator: bool = False
    """For a CALL: whether it stands for an operator, or an attribute, and is no call in Python."""
    swallows: Swallow | None = None
    """For a BRANCH: the `with` of which it asks whether its end swallows an exception, unless it is
    known that it may.
    """
    enters: bool = False
    """Whether it calls the `__enter__` of a `with`."""
    raises_again: bool = False
    """Whether it passes on an exception that was raised elsewhere."""
    is_failed_assertion: bool = False
    """Whether it raises the `AssertionError` of an `assert` that does not hold."""
    uses: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()
    """Names that are bound whenever the block goes on to `next`."""
    always_defines: frozenset[str] = frozenset()
    """Names that are bound wherever the block goes on to, `otherwise` included."""
    may_define: frozenset[str] = frozenset()
    live: tuple[str, ...] = ()
    """Names that this block or one after it may use, sorted."""
    live_in_call: tuple[str, ...] = ()
    """For what is `SUSPENDED`: names that are needed after it, without `target`."""
    depends: frozenset[int] = frozenset()
    """The branches on which it depends whether this block runs, all of them (transitively); the
    calls before it that may raise instead, and the handlers that it is in (see `handled`)."""
    keeps: frozenset[int] = frozenset()
    """The branches on which it depends whether this block, or one that may come after it, runs."""
    run: Callable[[Locals], Any]

    def __init__(
        self,
        number: int,
        kind: BlockKind,
        statement: ast.AST,
        node: ast.AST,
        body: list[ast.stmt],
        *,
        ends: bool,
    ) -> None:
        self.number = number
        self.kind = kind
        self.statement = statement
        self.node = node
        self.body = body
        self.ends = ends

    def running(self, run: Callable[[Locals], Any]) -> Block:
        """The same block, as it runs in one program."""
        made = Block.__new__(Block)
        made.__dict__.update(self.__dict__, run=run)
        return made

    def successors(self) -> list[int]:
        """Where control goes without an exception."""
        if self.kind is BlockKind.RETURN or self.next < 0:
            return []  # `next` is -1 where the block always raises
        return [self.next, self.otherwise] if self.kind is BlockKind.BRANCH else [self.next]

    @cached_property
    def looks_into(self) -> dict[str, set[str]]:
        """See `looks_into`."""
        return looks_into(*self.body)

    @cached_property
    def passes_on(self) -> bool:
        """Whether it does nothing but assign what names stand for to names."""
        nodes = [each for statement in self.body for each in ast.walk(statement)]
        return all(isinstance(it, ast.Assign | ast.Name | ast.expr_context) for it in nodes)

    @cached_property
    def in_calls(self) -> frozenset[str]:
        """The names in the calls that are part of it."""
        calls = (it for one in self.body for it in ast.walk(one) if isinstance(it, ast.Call))
        nodes = (each for call in calls for each in ast.walk(call))
        return frozenset([each.id for each in nodes if isinstance(each, ast.Name)])

    @cached_property
    def sets_attribute(self) -> tuple[str, str, ast.expr] | None:
        """For `x.name = value`: "x", "name", and the value."""
        match self.body:
            case [ast.Assign([ast.Attribute(ast.Name(owner), name)], value)]:
                return owner, name, value
        return None

    @property
    def returns(self) -> bool:
        """Whether it leaves the function without an exception."""
        return self.kind is BlockKind.RETURN

    def ways_on(self) -> list[int]:
        """The successors that are ways on."""
        return [each for each in self.successors() if each != self.failing] or self.successors()


def looks_into(*nodes: ast.AST) -> dict[str, set[str]]:
    """The names with which some code does nothing but look at attributes, and at which."""
    found: dict[str, set[str]] = {}
    uses = Counter[str]()
    for node in (each for one in nodes for each in ast.walk(one)):
        match node:
            case ast.Attribute(ast.Name(name), attribute, ast.Load()):
                found.setdefault(name, set()).add(attribute)
                uses[name] -= 1
            case ast.Name(name):
                uses[name] += 1
    return {name: attributes for name, attributes in found.items() if uses[name] == 0}


class Code:
    """A compiled function: its blocks, the first of which is where it begins.

    A block number of `len(blocks)` stands for the end of the function, returning None. `bind` gives
    the locals that a call begins with, and raises the `TypeError` that Python raises.
    """

    def __init__(
        self,
        function: types.FunctionType,
        definition: Definition,
        file: str,
        bind: Callable[..., Locals],
        blocks: list[Block],
        returns_on: frozenset[int],
        is_generator: bool,
        kept: tuple[str, ...] = (),
    ) -> None:
        self.function = function
        self.definition = definition
        self.file = file
        self.bind = bind
        self.blocks = blocks
        self.returns_on = returns_on
        """What it depends on whether a call returns, and does not raise: see `Block.depends`."""

        self.is_generator = is_generator
        """Whether a call makes a generator, and only resuming that runs the blocks."""

        self.kept = kept
        """The locals that a frame keeps to the end of the function, sorted."""

        self.is_in_place_of_c = is_marked(function, OPERATES)
        """Whether it does what C code of CPython does, in which threads do not switch."""

        self.is_library = is_library(function)
        """Whether it is part of what is modelled here, and reports do not show its lines."""

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def is_coroutine(self) -> bool:
        """Whether a call makes a coroutine, and only awaiting that runs the blocks."""
        return isinstance(self.definition, ast.AsyncFunctionDef)

    def place(self, number: int) -> Place:
        """Where in the source a block is; after the last one, the end of the function."""
        return Place.of_node(self.file, self._nodes[number])

    def source(self, number: int) -> Source:
        """The statement that a block belongs to; after the last one, the last statement."""
        return self._sources[number]

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        return [*[block.node for block in self.blocks], self.definition.body[-1]]

    @cached_property
    def _sources(self) -> list[Source]:
        if self.is_library:  # where it stands on this machine is nobody's business
            return [Source(self._module, 0, f"{self.name}()")] * (len(self.blocks) + 1)
        line, last = self.definition.lineno, self.definition.body[-1]
        sources = [
            Source(self.file, getattr(block.statement, "lineno", line), self._text(block))
            for block in self.blocks
        ]
        end = Source(self.file, getattr(last, "lineno", line), statement_text(self.file, last))
        return [*sources, end]

    @property
    def _module(self) -> str:
        """The module that it is part of as modelled here: "asyncio", "threading", "go"."""
        _, *parts = self.function.__module__.split(".")
        return parts[1] if parts[0] == "stdlib" else parts[0]

    def _text(self, block: Block) -> str:
        text = statement_text(self.file, block.statement)
        return f"end of {text.removesuffix(':')}" if block.ends else text
