"""Where the text of a file holds locks: `with` statements, and `acquire` with its `release`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from interleave.mending.texts import DEFINITIONS, Edit, SourceText, blocks_in, last_line
from interleave.records import dataclass

TAKES = {"acquire": "release", "Lock": "Unlock", "RLock": "RUnlock"}
"""The methods that take a lock, and those that give it back."""


@dataclass(frozen=True)
class Region:
    """A stretch of code that holds what an expression stands for.

    `line` and `column` are where the expression stands that takes it, up to `end_line` and
    `end_column`; `given_back` are the lines of what gives it back. `body` are the statements that
    it is held around, where these are consecutive ones of one block; else it is empty. `calls` are
    the statements that take it and give it back; else `node` is the `with`, and `item` which of its
    items this is. `header` is what holds it around other statements, "" where none does. `why` says
    what comes of taking it besides, so that it cannot be taken away; else it is "".
    """

    expression: str
    function: str
    line: int
    column: int
    end_line: int
    end_column: int
    given_back: tuple[int, ...]
    body: tuple[ast.stmt, ...]
    header: str
    calls: tuple[ast.stmt, ...] = ()
    node: ast.With | ast.AsyncWith | None = None
    item: int = 0
    why: str = ""

    @property
    def last(self) -> int:
        """The last line of what it holds the lock around."""
        return max([self.line, *self.given_back, *map(last_line, self.body)])

    def covers(self, line: int, column: int) -> bool:
        """Whether a place is in the expression that takes the lock."""
        start, end = (self.line, self.column), (self.end_line, self.end_column)
        return start <= (line, column) <= end


def regions_in(source: SourceText) -> list[Region]:
    """Every stretch of a text that may hold a lock, in the order of the lines."""
    found: list[Region] = []
    for name, function in _functions(source.tree, ""):
        found += _by_with(source, name, function)
        found += _by_calls(source, name, function)
    return sorted(found, key=lambda each: (each.line, each.column))


def without(source: SourceText, regions: Iterable[Region]) -> list[Edit]:
    """The change that takes away what regions hold. Statements that are left empty do nothing."""
    edits: list[Edit] = []
    items: dict[ast.With | ast.AsyncWith, set[int]] = {}
    for region in regions:
        edits += [source.replaced(each, "pass") for each in region.calls]
        if region.node is not None:
            items.setdefault(region.node, set()).add(region.item)
    for node, gone in items.items():
        left = [each for place, each in enumerate(node.items) if place not in gone]
        if left:
            first, last = node.items[0], node.items[-1]
            text = ", ".join(_item_text(source, each) for each in left)
            end = source.end(last.optional_vars or last.context_expr)
            edits.append(Edit(source.start(first.context_expr), end, text))
        else:
            edits.append(Edit(source.start(node), source.header_end(node), "if True:"))
    return edits


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    """The functions of a file with their qualified names, and the file itself as one."""
    if isinstance(node, ast.Module):
        yield "<module>", node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, DEFINITIONS):
            name = f"{prefix}{child.name}"
            if not isinstance(child, ast.ClassDef):
                yield name, child
            yield from _functions(child, f"{name}.")
        elif not isinstance(child, ast.expr):
            yield from _functions(child, prefix)


def _by_with(source: SourceText, name: str, function: ast.AST) -> Iterator[Region]:
    for block in blocks_in(function):
        for node in block:
            if not isinstance(node, ast.With | ast.AsyncWith):
                continue
            for place, item in enumerate(node.items):
                where = item.context_expr
                text = source.of(where)
                is_used = item.optional_vars is not None
                word = "async with" if isinstance(node, ast.AsyncWith) else "with"
                yield Region(
                    expression=text,
                    function=name,
                    line=where.lineno,
                    column=where.col_offset,
                    end_line=last_line(where),
                    end_column=where.end_col_offset or where.col_offset,
                    given_back=(node.lineno,),
                    body=tuple(node.body),
                    header=f"{word} {text}:" if place == len(node.items) - 1 else "",
                    node=node,
                    item=place,
                    why="what `with` gives is used" if is_used else "",
                )


def _item_text(source: SourceText, item: ast.withitem) -> str:
    text = source.of(item.context_expr)
    return text if item.optional_vars is None else f"{text} as {source.of(item.optional_vars)}"


def _called(node: ast.stmt) -> tuple[ast.Call, bool] | None:
    """The call that a statement is, and whether it is awaited."""
    value = node.value if isinstance(node, ast.Expr) else None
    is_awaited = isinstance(value, ast.Await)
    if isinstance(value, ast.Await):
        value = value.value
    return (value, is_awaited) if isinstance(value, ast.Call) else None


def _method(source: SourceText, node: ast.expr) -> tuple[str, str] | None:
    """What `x.name` is made of, as texts."""
    return (source.of(node.value), node.attr) if isinstance(node, ast.Attribute) else None


def _by_calls(source: SourceText, name: str, function: ast.AST) -> Iterator[Region]:
    """The regions between a statement that takes and those that give back."""
    taking: list[tuple[ast.stmt, str, str, bool, list[ast.stmt]]] = []
    giving: list[tuple[ast.stmt, str, str, bool]] = []
    for block in blocks_in(function):
        for node in block:
            call = _called(node)
            if call is None:
                continue
            made, is_awaited = call
            method = _method(source, made.func)
            if method is None:
                continue
            if method[1] == "defer" and len(made.args) == 1:
                deferred = _method(source, made.args[0])
                if deferred is not None and deferred[1] in TAKES.values():
                    giving.append((node, *deferred, True))
            elif method[1] in TAKES:
                taking.append((node, *method, is_awaited, block))
            elif method[1] in TAKES.values() and not made.args:
                giving.append((node, *method, False))
    for node, text, verb, is_awaited, block in taking:
        following = [n.lineno for n, each, v, *_ in taking if (each, v) == (text, verb)]
        until = min([line for line in following if line > node.lineno], default=10**9)
        back = [
            (each, is_deferred)
            for each, what, how, is_deferred in giving
            if (what, how) == (text, TAKES[verb]) and node.lineno < each.lineno < until
        ]
        if not back:
            continue
        taken = _called(node)
        has_arguments = bool(taken and (taken[0].args or taken[0].keywords))
        yield Region(
            expression=text,
            function=name,
            line=node.lineno,
            column=node.col_offset,
            end_line=last_line(node),
            end_column=node.end_col_offset or node.col_offset,
            given_back=tuple(each.lineno for each, _ in back),
            body=tuple(_between(block, node, back)),
            header="" if verb == "RLock" else f"{'async ' * is_awaited}with {text}:",
            calls=(node, *(each for each, _ in back)),
            why="it may be given up, by the arguments of acquire" if has_arguments else "",
        )


def _between(
    block: list[ast.stmt], taken: ast.stmt, back: Sequence[tuple[ast.stmt, bool]]
) -> list[ast.stmt]:
    """The statements that a lock is held around from `taken` on, if that is a plain stretch."""
    start = block.index(taken) + 1
    if len(back) != 1:
        return []
    ((end, is_deferred),) = back
    if end in block[start:]:
        place = block.index(end)
        return block[place + 1 :] if is_deferred else block[start:place]
    following = block[start] if start < len(block) else None
    if isinstance(following, ast.Try) and end in following.finalbody and not following.handlers:
        return following.body
    return []
