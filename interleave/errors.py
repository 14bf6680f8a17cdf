"""Errors meant for users: each says where it is, what it is, and how to mend it.

Everything that a user can cause raises an `InterleaveError`; any other exception that reaches a
user is a defect of interleave itself.
"""

from __future__ import annotations

import ast
import itertools
import linecache
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType, FrameType
from typing import Any

from interleave.records import dataclass

MODEL_FILES = "__interleave_model__."
"""What the names of modules begin with that are made of model files: others may be called alike."""


def as_users_know(text: str) -> str:
    """A text in which what a model file defines has the names that its author knows."""
    return text.replace(MODEL_FILES, "")


@dataclass(frozen=True)
class Place:
    """A stretch of a source file: 1-based line, 0-based columns in characters."""

    file: str
    line: int
    column: int | None = None
    end_column: int | None = None

    @classmethod
    def of_node(cls, file: str, node: ast.AST) -> Place:
        line: int = getattr(node, "lineno", 1)
        text = linecache.getline(file, line).encode()
        start: int = getattr(node, "col_offset", 0)
        one_line = getattr(node, "end_lineno", line) == line
        end = getattr(node, "end_col_offset", None) if one_line else len(text.rstrip())
        end_column = None if end is None else _characters(text, end)
        return cls(file, line, _characters(text, start), end_column)

    @classmethod
    def of_frame(cls, frame: FrameType) -> Place:
        """What a frame is about to do, or is doing."""
        return cls.of_instruction(frame.f_code, frame.f_lasti, frame.f_lineno)

    @classmethod
    def of_instruction(cls, code: CodeType, offset: int, line: int) -> Place:
        """The expression that an instruction belongs to; the whole assignment that has a target."""
        positions = itertools.islice(code.co_positions(), offset // 2, None)
        first, last, start, end = next(positions, (None, None, None, None))
        if first is None or start is None or end is None:
            return cls(code.co_filename, first or line)
        node: ast.AST = ast.Pass(
            lineno=first, end_lineno=last, col_offset=start, end_col_offset=end
        )
        place = cls.of_node(code.co_filename, node)
        for statement in _nodes(place.file, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            parts = (part for target in targets for part in ast.walk(target))
            if any(place == cls.of_node(place.file, part) for part in parts if _is_on(part, first)):
                return cls.of_node(place.file, statement)
        return place

    def part(self, name: str) -> Place:
        """The name or attribute in this stretch that ends in `name`; all of it if there is none."""
        last = name.rpartition(".")[2]
        for whole in _nodes(self.file, ast.expr | ast.stmt):
            if not _is_on(whole, self.line) or Place.of_node(self.file, whole) != self:
                continue
            for node in ast.walk(whole):
                if getattr(node, "attr", getattr(node, "id", None)) == last:
                    return Place.of_node(self.file, node)
        return self

    @classmethod
    def of_error(cls, file: str, error: BaseException) -> Place | None:
        """The innermost line of a file that an exception came through, if it came through any."""
        place = None
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == file:
                place = cls(file, traceback.tb_lineno)
            traceback = traceback.tb_next
        return place

    def __str__(self) -> str:
        column = "" if self.column is None else f":{self.column + 1}"
        return f"{self.file}:{self.line}{column}"

    def excerpt(self) -> str:
        """The source line with a caret line under it, or "" where the source is not to be had."""
        text = linecache.getline(self.file, self.line).rstrip("\n")
        if not text.strip():
            return ""
        number = f"{self.line:5d}"
        lines = [f"{number} | {text.expandtabs(4)}"]
        if self.column is not None:
            before = text[: self.column].expandtabs(4)
            end = max(self.end_column or 0, self.column + 1)
            carets = "^" * len(text[self.column : end].expandtabs(4) or " ")
            lines.append(f"{' ' * len(number)} | {' ' * len(before)}{carets}")
        return "\n".join(lines)


def _nodes(file: str, kind: Any) -> Iterator[Any]:
    """The nodes of a kind in a source file."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, kind))


def _is_on(node: ast.AST, line: int) -> bool:
    return getattr(node, "lineno", None) == line


def _characters(text: bytes, column: int) -> int:
    """A column in characters, as people and carets count: Python counts bytes of UTF-8."""
    return len(text[:column].decode(errors="replace"))


def closest(name: object, known: Iterable[str], *, likeness: float = 0.8) -> str | None:
    """The name among those that are known which another was probably meant to be."""
    import difflib

    if not isinstance(name, str):
        return None
    return next(iter(difflib.get_close_matches(name, [*known], 1, likeness)), None)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A question that begins a remedy, where a name is like one that is known; else ""."""
    found = closest(name, known, likeness=0.6)
    return "" if found is None else f"did you mean {found!r}? "


class InterleaveError(Exception):
    """Something that the user can mend.

    `what` is one sentence without a full stop, `remedy` says how to mend it ("" where `what`
    already does), `place` where it is, where that is known, and `calls` has the calls of the
    user's code that led there, outermost first. `about` is the name of what is at fault, where that
    is a function or an object whatever is done with it. `exit_code` is that of a command which it
    ends.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, remedy: str = "", place: Place | None = None, about: str = ""
    ) -> None:
        super().__init__(what)
        self.what = as_users_know(what)
        self.remedy = as_users_know(remedy)
        self.place = place
        self.about = about
        self.calls: tuple[Place, ...] = ()

    def through(self, calls: Sequence[Place]) -> InterleaveError:
        """This error, placed at the last of the calls that led to it."""
        self.calls = tuple(calls)
        return self.at(self.calls[-1]) if calls else self

    def led_to_by(self, calls: Sequence[Place]) -> InterleaveError:
        """This error, with the calls that led to its place, which may be inside the last one."""
        self.calls = tuple(calls)
        last = self.calls[-1] if calls else None
        if last and self.place and (last.file, last.line) != (self.place.file, self.place.line):
            self.calls += (self.place,)
        return self

    def at(self, place: Place | None) -> InterleaveError:
        """This error, placed at `place` or the part of it at fault, unless it has a place."""
        if self.place is None and place is not None:
            self.place = place.part(self.about) if self.about else place
        return self

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.what}" if self.place else self.what]
        if self.place and (excerpt := self.place.excerpt()):
            lines.append(excerpt)
        if len(self.calls) > 1:
            calls = dict.fromkeys(f"{call.file}:{call.line}" for call in self.calls[:-1])
            lines.append(f"  by way of: {', '.join(calls)}")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


class UsageError(InterleaveError):
    """What was asked for does not exist: a file, a model, a parameter, a suffix."""


class ModelError(InterleaveError):
    """The model itself is at fault: it cannot be loaded, compiled, or run."""


class LimitReached(ModelError):
    """A limit ended what comes before a search: nothing is known of the model."""

    exit_code = 3


class EndlessLoop(ModelError):
    """A thread never comes to a switch point again.

    `constants` are the keys of the locations that it looked at on the way, which nothing has
    written so far: if something does, the loop is no endless one.
    """

    def __init__(
        self, what: str, *, remedy: str, place: Place | None, constants: frozenset[str]
    ) -> None:
        super().__init__(what, remedy=remedy, place=place)
        self.constants = constants
