"""The functions of a file that threads run, and which statements of them lead to which lines."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from interleave.checks import Check
from interleave.compiler.source import Definition
from interleave.engine.search import Searched
from interleave.mending.texts import (
    DEFINITIONS,
    SourceText,
    blocks_in,
    first_line,
    last_line,
    lines_of,
)
from interleave.records import dataclass


@dataclass(frozen=True)
class Scope:
    """A function of the file, or the file itself where it is a script.

    `owner` is the class that it is a method of, `around` the function that it stands in.
    """

    node: Definition | ast.Module
    name: str
    owner: ast.ClassDef | None = None
    around: Definition | None = None

    @property
    def is_async(self) -> bool:
        """Whether it may await."""
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def blocks(self) -> list[list[ast.stmt]]:
        """Its lists of statements, from the outside in."""
        return [*blocks_in(self.node)]

    def has(self, line: int) -> bool:
        """Whether a line is in a statement of its own, and not of a function inside."""
        return any(line in _own_lines(each) for block in self.blocks for each in block)


def _own_lines(statement: ast.stmt) -> range:
    """The lines of a statement; of a function or class, those of its decorators and its first."""
    if isinstance(statement, DEFINITIONS):
        return range(first_line(statement), statement.lineno + 1)
    return lines_of([statement])


def scopes_in(source: SourceText, found: Searched[Check], file: str) -> list[Scope]:
    """What threads have run step by step of a file, in the order of the lines."""
    compiled = {
        (function.__code__.co_name, function.__code__.co_firstlineno)
        for function in found.machine.program.findings.compiled
        if function.__code__.co_filename == file
    }
    is_script = any(name == "<module>" for name, _ in compiled)
    scopes: list[Scope] = [Scope(source.tree, "<module>")] if is_script else []
    for scope in _all(source.tree, None, None):
        assert not isinstance(scope.node, ast.Module)
        # One that was lifted out of a test is there without its decorators.
        lines = (first_line(scope.node), scope.node.lineno)
        if any((scope.node.name, line) in compiled for line in lines):
            scopes.append(scope)
    return scopes


def _all(node: ast.AST, owner: ast.ClassDef | None, around: Definition | None) -> Iterator[Scope]:
    """All functions within a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield Scope(child, child.name, owner, around)
            yield from _all(child, None, child)
        elif isinstance(child, ast.ClassDef):
            yield from _all(child, child, around)
        elif not isinstance(child, ast.expr):
            yield from _all(child, owner, around)


Run = tuple[int, int, int, int]
"""Statements that follow each other: a scope and a block of it by number, the first and the last
statement of that block.
"""


class Reach:
    """Which lines each statement leads to: its own, and those of the functions that it names."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self.scopes = scopes
        self._names: dict[str, set[int]] = {}
        for number, scope in enumerate(scopes):
            self._names.setdefault(scope.name, set()).add(number)
        self._whole = [self._lines(number) for number in range(len(scopes))]

    def _lines(self, number: int) -> set[int]:
        """The lines that a function leads to."""
        seen: set[int] = set()
        waiting = [number]
        lines: set[int] = set()
        while waiting:
            each = waiting.pop()
            if each in seen:
                continue
            seen.add(each)
            for block in self.scopes[each].blocks:
                for statement in block:
                    lines |= {*_own_lines(statement)}
                    waiting += self._named_in(statement)
        return lines

    def _named_in(self, statement: ast.AST) -> list[int]:
        found: set[int] = set()
        for node in ast.walk(statement):
            name = getattr(node, "attr", getattr(node, "id", None))
            if isinstance(name, str):
                found |= self._names.get(name, set())
        return sorted(found)

    def of(self, statement: ast.stmt) -> set[int]:
        """The lines that a statement leads to."""
        if isinstance(statement, DEFINITIONS):
            return set()
        lines = {*_own_lines(statement)}
        for number in self._named_in(statement):
            lines |= self._whole[number]
        return lines

    def runs(self, lines: Iterable[int], *, nearest: bool = False) -> list[Run]:
        """The smallest runs of statements that lead to all of these lines: one for each function
        that has one, those first that have most of them themselves; only those if `nearest`.
        """
        wanted = set(lines)
        found: list[tuple[int, Run]] = []
        for number, scope in enumerate(self.scopes):
            best: Run | None = None
            for place, block in enumerate(scope.blocks):  # inner blocks come later
                reach = [self.of(each) for each in block]
                if not wanted <= set().union(*reach):
                    continue
                at = [index for index, each in enumerate(reach) if each & wanted]
                best = (number, place, at[0], at[-1])
            if best is not None:
                direct = sum(scope.has(line) for line in wanted)
                found.append((len(wanted) - direct, best))
        found.sort(key=lambda each: each[0])
        return [run for far, run in found if not nearest or far == found[0][0]]

    def statements(self, run: Run) -> list[ast.stmt]:
        """The statements of a run."""
        scope, block, first, last = run
        return self.scopes[scope].blocks[block][first : last + 1]

    def grown(self, run: Run) -> list[Run]:
        """The runs that have one statement more; or, of a whole block, the statement around it."""
        scope, block, first, last = run
        blocks = self.scopes[scope].blocks
        found: list[Run] = []
        if first > 0:
            found.append((scope, block, first - 1, last))
        if last + 1 < len(blocks[block]):
            found.append((scope, block, first, last + 1))
        inside = blocks[block][first]
        around = [
            (last_line(each) - first_line(each), outer, place)
            for outer, statements in enumerate(blocks[:block])
            for place, each in enumerate(statements)
            if first_line(each) <= first_line(inside) and last_line(inside) <= last_line(each)
        ]
        if around:
            _, outer, place = min(around)
            found.append((scope, outer, place, place))
        return found

    def shrunk(self, run: Run) -> list[list[Run]]:
        """What is left of a run with one statement less, or of all in it without that run."""
        scope, block, first, last = run
        if first == last:
            return [[]]
        return [[(scope, block, first + 1, last)], [(scope, block, first, last - 1)]]

    def covering(self, scope: int, lines: Iterable[int]) -> Run | None:
        """The smallest run in one function that leads to all of these lines."""
        return next((run for run in self.runs(lines) if run[0] == scope), None)

    def apart(self, runs: Iterable[Run]) -> tuple[Run, ...] | None:
        """Runs of which no two have a line in common, in order; None where two have."""
        found = tuple(sorted({*runs}))
        lines: set[int] = set()
        for run in found:
            own = lines_of(self.statements(run))
            if not lines.isdisjoint(own):
                return None
            lines |= {*own}
        return found

    def merged(self, runs: Iterable[Run]) -> tuple[Run, ...] | None:
        """Runs of which no two are in one function: one that covers all in its place."""
        by_scope: dict[int, list[Run]] = {}
        for run in runs:
            by_scope.setdefault(run[0], []).append(run)
        found: list[Run] = []
        for scope, its in sorted(by_scope.items()):
            lines = {each.lineno for run in its for each in self.statements(run)}
            covering = its[0] if len({*its}) == 1 else self.covering(scope, lines)
            if covering is None:
                return None
            found.append(covering)
        return tuple(found)
