"""Small changes of the functions that threads run: each is one that people make by hand.

A function for each kind, and one line in `KINDS`. What comes of a change is not asked here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from interleave.mending.definitions import classes_of
from interleave.mending.layout import rearranged
from interleave.mending.regions import Region, regions_in
from interleave.mending.scopes import Scope
from interleave.mending.texts import (
    DEFINITIONS,
    Edit,
    SourceText,
    applied,
    first_line,
    last_line,
    name_called,
)
from interleave.records import dataclass


@dataclass(frozen=True)
class Change:
    """A change in words, and what it does to the text. Changes of one `kind` can be made at once,
    where it is not "". `runs` is a line that must still be run, or "". One that is `strict` must
    lead to the same outcomes: it does more than to keep threads apart. One that `frees` must
    leave no lock held in the end. `rank` is the place of what has made it in `KINDS`.
    """

    words: str
    edits: tuple[Edit, ...]
    kind: str = ""
    runs: str = ""
    strict: bool = False
    frees: bool = False
    rank: int = 0


@dataclass(frozen=True)
class Ground:
    """What changes are made of: a text, the name of a model, the functions that it runs, the
    kinds of violations that are to be removed, and whether it stands for a program in Go.
    """

    source: SourceText
    model: str
    scopes: tuple[Scope, ...]
    kinds: frozenset[str]
    is_go: bool

    @property
    def functions(self) -> list[Scope]:
        """The functions alone, without the body of a script."""
        return [each for each in self.scopes if not isinstance(each.node, ast.Module)]

    def statements(self) -> Iterator[Any]:
        """The statements in the functions, but for those of functions inside."""
        for scope in self.scopes:
            for block in scope.blocks:
                yield from block

    def expressions(self) -> Iterator[ast.AST]:
        """The expressions in them."""
        seen: set[int] = set()
        for statement in self.statements():
            if isinstance(statement, DEFINITIONS):
                continue
            for node in ast.walk(statement):
                if isinstance(node, ast.expr) and id(node) not in seen:
                    seen.add(id(node))
                    yield node


def look_again(ground: Ground) -> Iterator[Change]:
    """`if` to `while`, where the body waits."""
    for node in ground.statements():
        if isinstance(node, ast.If) and not node.orelse and _waits(node.body):
            start = ground.source.start(node)
            words = f"`while` in place of `if` at line {node.lineno}: look again after waiting"
            yield Change(words, (Edit(start, start + 2, "while"),), "look again")


def _waits(body: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("wait", "Wait")
        for statement in body
        for node in ast.walk(statement)
    )


WAKES = {"notify": "notify_all", "Signal": "Broadcast"}


def wake_all(ground: Ground) -> Iterator[Change]:
    """`notify` to `notify_all`."""
    for node in ground.expressions():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
            new = WAKES.get(node.func.attr)
            if new is not None:
                end = ground.source.end(node.func)
                edit = Edit(end - len(node.func.attr), end, new)
                words = f"`{new}` in place of `{node.func.attr}` at line {node.lineno}"
                yield Change(words, (edit,), "wake all")


REENTRANT = {"threading.Lock": "threading.RLock", "multiprocessing.Lock": "multiprocessing.RLock"}


def reentrant(ground: Ground) -> Iterator[Change]:
    """`Lock` to `RLock`; and a lock of threads to one of processes."""
    for node in _made(ground):
        text = ground.source.of(node.func)
        new = REENTRANT.get(text)
        if new is not None:
            words = f"`{new}` in place of `{text}` at line {node.lineno}"
            yield Change(words, (ground.source.replaced(node.func, new),), frees=True)
        module, _, name = text.rpartition(".")
        if module == "threading" and "multiprocessing" in ground.source.names:
            words = f"`multiprocessing.{name}` in place of `{text}` at line {node.lineno}"
            yield Change(words, (ground.source.replaced(node.func, f"multiprocessing.{name}"),))


def _made(ground: Ground) -> Iterator[ast.Call]:
    """The calls that make what a model has: in its class and bases, in `setup`, at the top."""
    bodies: list[ast.AST] = [*classes_of(ground.source, ground.model)]
    bodies += [n for n in ground.source.tree.body if not isinstance(n, DEFINITIONS)]
    bodies += [scope.node for scope in ground.scopes]
    bodies += [scope.around for scope in ground.scopes if scope.around is not None]
    bodies += [scope.owner for scope in ground.scopes if scope.owner is not None]
    seen: set[int] = set()
    for body in bodies:
        values = [node.value for node in ast.walk(body) if isinstance(node, ast.Assign)]
        for node in (each for value in values for each in ast.walk(value)):
            if isinstance(node, ast.Call) and id(node) not in seen:
                seen.add(id(node))
                yield node


def room(ground: Ground) -> Iterator[Change]:
    """A channel that holds one value, or two, in place of one that holds none."""
    for node in _made(ground):
        text = ground.source.of(node.func)
        if text.rpartition(".")[2] == "Chan" and not node.args:
            for size in (1, 2):
                end = ground.source.end(node.func)
                edit = Edit(end, end + 1, f"({size}, " if node.keywords else f"({size}")
                words = f"a channel that holds {size} at line {node.lineno}"
                yield Change(words, (edit,), "room" if size == 1 else "")


def other_order(ground: Ground) -> Iterator[Change]:
    """Two locks that are taken one within the other, in the other order."""
    regions = regions_in(ground.source)
    yield from _other_order_in_with(ground)
    yield from _other_order_of_calls(ground, regions)
    yield from _other_order_of_arguments(ground, regions)


def _other_order_in_with(ground: Ground) -> Iterator[Change]:
    """Of `with a, b:`, and of one `with` in the other."""
    source = ground.source
    for node in ground.statements():
        if isinstance(node, ast.With | ast.AsyncWith):
            where: list[ast.expr] = [item.context_expr for item in node.items]
            inside = [each for each in node.body if isinstance(each, ast.With | ast.AsyncWith)]
            if len(where) == 1 and len(inside) == 1 and type(inside[0]) is type(node):
                where.append(inside[0].items[0].context_expr)
            if len(where) == 2:
                one, other = where
                edits = (
                    source.replaced(one, source.of(other)),
                    source.replaced(other, source.of(one)),
                )
                words = f"`{source.of(other)}` before `{source.of(one)}` at line {node.lineno}"
                yield Change(words, edits, "order")


def _other_order_of_calls(ground: Ground, regions: Sequence[Region]) -> Iterator[Change]:
    """Of `a.acquire()` and `b.acquire()`, and of what gives them back."""
    source = ground.source
    by_calls = [each for each in regions if each.calls and not each.why]
    for region, inner in pairwise(by_calls):
        if region.function != inner.function or inner.line > max(region.given_back):
            continue
        if not any(scope.has(region.line) for scope in ground.scopes):
            continue
        if len(region.calls) != len(inner.calls):
            continue
        calls, others = (*region.calls, *inner.calls), (*inner.calls, *region.calls)
        edits = tuple(
            source.replaced(one, source.of(other)) for one, other in zip(calls, others, strict=True)
        )
        words = f"`{inner.expression}` before `{region.expression}` at line {region.line}"
        yield Change(words, edits, "order")


def _other_order_of_arguments(ground: Ground, regions: Sequence[Region]) -> Iterator[Change]:
    """Of `f(a, b)`, where both are locks."""
    source = ground.source
    locks = {each.expression for each in regions}
    made = {ast.unparse(t) for node in ast.walk(source.tree) if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and source.of(node.value.func).rpartition(".")[2] in ("Lock", "RLock", "Mutex")
            for t in node.targets}  # fmt: skip
    for call in ground.expressions():
        if not isinstance(call, ast.Call):
            continue
        named = [
            each for each in call.args
            if source.of(each) in locks or source.of(each).removeprefix("self.") in made
        ]  # fmt: skip
        if len(named) == 2:
            first, second = named
            texts = source.of(first), source.of(second)
            if texts[0] != texts[1]:
                words = f"`{texts[1]}` before `{texts[0]}` at line {call.lineno}"
                edits = (source.replaced(first, texts[1]), source.replaced(second, texts[0]))
                yield Change(words, edits, "order")


def given_back(ground: Ground) -> Iterator[Change]:
    """`with` in place of `acquire` and `release`, so that an exception gives the lock back."""
    source = ground.source
    for region in regions_in(source):
        if region.calls and region.body and region.header and not region.why:
            if not any(scope.has(region.line) for scope in ground.scopes):
                continue
            text = rearranged(source, [(region.body, region.header)], [region])
            if text is not None:
                words = f"`{region.header}` in place of `acquire` and `release` at line "
                words += str(region.line)
                yield Change(words, (Edit(0, len(source.text), text),))


def atomic_add(ground: Ground) -> Iterator[Change]:
    """`n.Add(x)` in place of `n.Store(n.Load() + x)`."""
    for node in ground.expressions():
        match node:
            case ast.Call(
                ast.Attribute(target, "Store"),
                [ast.BinOp(ast.Call(ast.Attribute(read, "Load"), []), op, value)],
            ) if _same(target, read) and isinstance(op, ast.Add | ast.Sub):
                name, text = ground.source.of(target), ground.source.of(value)
                text = text if isinstance(op, ast.Add) else f"-({text})"
                new = f"{name}.Add({text})"
                words = f"one atomic operation at line {node.lineno}: `{new}`"
                yield Change(words, (ground.source.replaced(node, new),))


def single_call(ground: Ground) -> Iterator[Change]:
    """One call in place of a check and an act: of dicts and sets."""
    source = ground.source
    for node in ground.statements():
        if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
            continue
        match node.test, node.body[0]:
            case ast.Compare(key, [ast.NotIn()], [where]), ast.Assign(
                [ast.Subscript(target, at)], value
            ) if _same(where, target) and _same(key, at):
                new = f"{source.of(where)}.setdefault({source.of(key)}, {source.of(value)})"
            case ast.Compare(key, [ast.In()], [where]), ast.Delete([ast.Subscript(target, at)]) if (
                _same(where, target) and _same(key, at)
            ):
                new = f"{source.of(where)}.pop({source.of(key)}, None)"
            case ast.Compare(key, [ast.In()], [where]), ast.Expr(
                ast.Call(ast.Attribute(target, "remove"), [at], [])
            ) if _same(where, target) and _same(key, at):
                new = f"{source.of(where)}.discard({source.of(key)})"
            case _:
                continue
        words = f"one call in place of a check and an act at line {node.lineno}: `{new}`"
        yield Change(words, (source.replaced(node, new),))


def _same(one: ast.expr, other: ast.expr) -> bool:
    """Whether two expressions are written alike, be they read, assigned to or deleted."""
    return ast.unparse(one) == ast.unparse(other)


def awaited_before(ground: Ground) -> Iterator[Change]:
    """What is awaited within an assignment, awaited before it."""
    source = ground.source
    for node in ground.statements():
        if not isinstance(node, ast.Assign | ast.AugAssign):
            continue
        for each in ast.walk(node.value):
            if not isinstance(each, ast.Await) or (
                each is node.value and isinstance(node, ast.Assign)
            ):
                continue
            name = "awaited"
            if not source.has_lines_of_its_own(node, node) or name in source.names:
                continue
            start = source.start(node)
            line = f"{name} = {source.of(each)}\n{source.indent(node)}"
            edits = (Edit(start, start, line), source.replaced(each, name))
            yield Change(f"await before line {node.lineno} reads", edits)


STANDSTILLS = frozenset({"deadlock", "stuck", "livelock"})
"""Kinds of violations that come of who waits, and for what."""


def moved(ground: Ground) -> Iterator[Change]:
    """A statement that waits, out of a read, a write and what is between; and, where threads stand
    still, any statement that only others see, before another one of its block or after it, or out
    of its loop.
    """
    stand_still = ground.kinds <= STANDSTILLS
    if not stand_still and "lost-update" not in ground.kinds:
        return
    source = ground.source
    locking = {id(call) for region in regions_in(source) for call in region.calls}
    for scope in ground.functions:
        for number, block in enumerate(scope.blocks):
            for place, node in enumerate(block):
                waits = _sleeps(node)
                if id(node) in locking or not (waits or (stand_still and _is_seen_only(node))):
                    continue
                for index, other in enumerate(block):
                    yield from _moved(source, node, other, after=index > place)
                if stand_still and len(block) > 1:
                    for each in (each for outer in scope.blocks[:number] for each in outer):
                        if isinstance(each, ast.For | ast.While) and node in each.body:
                            yield from _moved(source, node, each, after=True)
                            yield from _moved(source, node, each, after=False)


def _sleeps(node: ast.stmt) -> bool:
    """Whether a statement does nothing but wait for some time."""
    call = node.value if isinstance(node, ast.Expr) else None
    return call is not None and _name_awaited(call) in ("sleep", "Sleep")


def _name_awaited(node: ast.expr) -> str:
    """The name of what an expression calls, be the call awaited or not."""
    return name_called(node.value if isinstance(node, ast.Await) else node)


def _is_seen_only(node: ast.stmt) -> bool:
    """Whether a statement does something to others, and gives nothing to the next."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    return isinstance(node, ast.Assign) and all(
        isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets
    )


def _moved(source: SourceText, node: ast.stmt, other: ast.stmt, *, after: bool) -> Iterator[Change]:
    """One statement before another one or after it, unless that one leaves the block."""
    leaves = isinstance(other, ast.Return | ast.Raise | ast.Break | ast.Continue)
    if other is node or (after and leaves):
        return
    if not (source.has_lines_of_its_own(node, node) and source.has_lines_of_its_own(other, other)):
        return
    less = len(source.indent(node)) - len(source.indent(other))
    text = source.indented(first_line(node), last_line(node), less=less)
    text = text if text.endswith("\n") else f"{text}\n"
    line = last_line(other) if after else first_line(other)
    at = source.line_start(line + after)
    if source.text[:at] and not source.text[:at].endswith("\n"):
        text = f"\n{text}"
    away = source.lines_replaced([node], "")
    words = f"`{source.of(node).strip()}` {'after' if after else 'before'} line {line}"
    runs = source.of(node) if node.lineno == node.end_lineno else ""
    yield Change(words, (away, Edit(at, at, text)), runs=runs, strict=True)


ENDS = frozenset({
    "cancel", "close", "done", "put", "put_nowait", "release", "runlock", "set", "stop",
    "task_done", "unlock",
})  # fmt: skip
"""Names, in lower case, of what ends something, gives it back, or says that it is over."""


def _ends(call: ast.expr) -> bool:
    """Whether a call is one of these, or the await of one."""
    return _name_awaited(call).lower() in ENDS


def deferred(ground: Ground) -> Iterator[Change]:
    """`go.defer(f, x)` at an earlier line in place of `f(x)`: it is called on every way out."""
    source = ground.source
    if not ground.is_go:
        return
    for scope in ground.scopes:
        for block in scope.blocks[:1]:
            for place, node in enumerate(block):
                call = node.value if isinstance(node, ast.Expr) else None
                if not isinstance(call, ast.Call) or call.keywords or not _ends(call):
                    continue
                for other in block[:place]:
                    if not source.has_lines_of_its_own(node, node):
                        continue
                    arguments = ", ".join(map(source.of, [call.func, *call.args]))
                    line = f"{source.indent(other)}go.defer({arguments})\n"
                    at = source.line_start(first_line(other))
                    away = source.lines_replaced([node], "")
                    words = f"`{line.strip()}` before line {first_line(other)}"
                    yield Change(words, (away, Edit(at, at, line)), strict=True)


def in_any_case(ground: Ground) -> Iterator[Change]:
    """`finally`, for what stands at the end of a block: it is done if an exception comes, too."""
    source = ground.source
    for scope in ground.functions:
        for block in scope.blocks:
            for place, node in enumerate(block):
                if place == 0 or not isinstance(node, ast.Expr):
                    continue
                if not _ends(node.value):
                    continue
                for first in range(place - 1, -1, -1):
                    run = block[first:place]
                    wrap = source.wrapped(run, "try:")
                    if wrap is None or not source.has_lines_of_its_own(node, node):
                        break
                    text = source.indented(first_line(node), last_line(node), more=source.unit)
                    last = source.lines_replaced([node], f"{source.indent(node)}finally:\n{text}")
                    words = f"`{source.of(node)}` in any case, by `finally`"
                    yield Change(words, (wrap, last))


KINDS: tuple[Callable[[Ground], Iterator[Change]], ...] = (
    look_again,
    wake_all,
    reentrant,
    room,
    other_order,
    atomic_add,
    single_call,
    awaited_before,
    given_back,
    deferred,
    in_any_case,
    moved,
)
"""Every kind of change."""


def changes_of(ground: Ground) -> list[Change]:
    """All that can be changed, and all changes of one kind at once: each text once."""
    singles = [
        replace(change, rank=rank) for rank, kind in enumerate(KINDS) for change in kind(ground)
    ]
    by_kind: dict[str, list[Change]] = {}
    for change in singles:
        if change.kind:
            by_kind.setdefault(change.kind, []).append(change)
    found: dict[str, Change] = {}
    for its in by_kind.values():
        if len(its) > 1:
            for number, one in enumerate(its):
                singles += [_both(one, other) for other in its[number + 1 :]]
            if len(its) > 2:
                edits = tuple(edit for each in its for edit in each.edits)
                singles.append(Change("; ".join(each.words for each in its), edits))
    for change in singles:
        try:
            found.setdefault(applied(ground.source.text, change.edits), change)
        except ValueError:
            continue
    found.pop(ground.source.text, None)
    return [*found.values()]


def _both(one: Change, other: Change) -> Change:
    return Change(f"{one.words}; {other.words}", (*one.edits, *other.edits), rank=one.rank)
