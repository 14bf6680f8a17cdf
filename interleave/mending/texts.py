"""The text of a file, where its statements stand in it, and changes that keep all the rest."""

from __future__ import annotations

import ast
import io
import os
import tempfile
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from interleave.errors import UsageError
from interleave.records import dataclass

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

Compound = ast.With | ast.AsyncWith | ast.If | ast.While

LINE_ENDS = ("\r\n", "\r", "\n")


@dataclass(frozen=True)
class Edit:
    """A stretch of a text, from character `start` up to `end`, and what takes its place."""

    start: int
    end: int
    text: str


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits, which do not overlap; those at one place come in the order given.

    Raises `ValueError` where they do overlap.
    """
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        if edit.start < done:
            raise ValueError("edits overlap")
        parts += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*parts, text[done:]])


class SourceText:
    """A text of Python with its syntax tree. Lines count from 1, characters from 0."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self.lines = io.StringIO(text).readlines()

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, line: int, column: int) -> int:
        """The character at a column as syntax trees have it, which is in bytes of UTF-8."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return self._starts[line - 1] + len(text.encode()[:column].decode())

    def line_start(self, line: int) -> int:
        """The first character of a line; of the line after the last, the end."""
        return self._starts[line - 1]

    def start(self, node: Any) -> int:
        """The first character of a node."""
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: Any) -> int:
        """The character after a node."""
        return self.offset(node.end_lineno, node.end_col_offset)

    def of(self, node: Any) -> str:
        """The text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def replaced(self, node: Any, text: str) -> Edit:
        """An edit that puts a text in the place of a node."""
        return Edit(self.start(node), self.end(node), text)

    def lines_replaced(self, statements: Sequence[ast.stmt], text: str) -> Edit:
        """An edit that puts a text in the place of the lines of consecutive statements."""
        lines = lines_of(statements)
        return Edit(self.line_start(lines.start), self.line_start(lines.stop), text)

    def header_end(self, node: Compound) -> int:
        """The character after the colon of a compound statement."""
        if isinstance(node, ast.If | ast.While):
            last: ast.expr = node.test
        else:
            last = node.items[-1].optional_vars or node.items[-1].context_expr
        at = self.end(last)
        while self.text[at] != ":":
            at = self.text.index("\n", at) if self.text[at] == "#" else at + 1
        return at + 1

    def indent(self, node: Any) -> str:
        """The white space that the line of a statement begins with."""
        line = self.lines[node.lineno - 1]
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    def has_lines_of_its_own(self, first: ast.stmt, last: ast.stmt) -> bool:
        """Whether nothing but white space and comments is on the lines of these besides."""
        before = self.text[self.line_start(first_line(first)) : self.offset(*first_place(first))]
        after = self.text[self.end(last) : self.line_start(last_line(last) + 1)].strip()
        return not before.strip() and (not after or after.startswith("#"))

    @cached_property
    def unit(self) -> str:
        """One level of indentation."""
        for node in ast.walk(self.tree):
            if isinstance(node, DEFINITIONS):
                outer, inner = self.indent(node), self.indent(node.body[0])
                if inner.startswith(outer) and len(inner) > len(outer):
                    return inner[len(outer) :]
        return "    "

    def indented(self, first: int, last: int, *, more: str = "", less: int = 0) -> str:
        """Some lines with more white space before them, or less. Texts of several lines within
        quotation marks stay what they are.
        """
        found = []
        for number in range(first, last + 1):
            line = self.lines[number - 1]
            if line.strip() and number not in self.in_strings:
                line = more + line[less:]
            found.append(line)
        return "".join(found)

    @cached_property
    def names(self) -> set[str]:
        """All names that the text has."""
        return names_in(self.tree)

    @cached_property
    def in_strings(self) -> set[int]:
        """The lines that begin within a string."""
        return {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, ast.JoinedStr)
            or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
            for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
        }

    def wrapped(self, statements: Sequence[ast.stmt], header: str) -> Edit | None:
        """An edit that puts consecutive statements beneath a header, such as "with lock:"; None
        where they do not stand on lines of their own.
        """
        first, last = statements[0], statements[-1]
        if not self.has_lines_of_its_own(first, last):
            return None
        text = self.indented(first_line(first), last_line(last), more=self.unit)
        if not text.endswith("\n"):
            text += "\n"
        return self.lines_replaced(statements, f"{self.indent(first)}{header}\n{text}")


def names_in(code: ast.AST) -> set[str]:
    """All names in some code: of variables, attributes, functions, classes and arguments."""
    fields = ("id", "attr", "name", "arg")
    names = (getattr(node, field, None) for node in ast.walk(code) for field in fields)
    return {name for name in names if isinstance(name, str)}


def first_place(statement: Any) -> tuple[int, int]:
    """The line and the column where a statement begins, with its decorators."""
    marks = getattr(statement, "decorator_list", [])
    return (marks[0].lineno, marks[0].col_offset - 1) if marks else (
        statement.lineno, statement.col_offset)  # fmt: skip


def first_line(statement: Any) -> int:
    """The line where a statement begins, with its decorators."""
    return first_place(statement)[0]


def last_line(node: Any) -> int:
    """The line where a node ends."""
    line: int = node.end_lineno
    return line


def lines_of(statements: Sequence[ast.stmt]) -> range:
    """The lines of consecutive statements."""
    return range(first_line(statements[0]), last_line(statements[-1]) + 1)


def name_called(node: ast.expr) -> str:
    """The last part of the name of what an expression calls; "" where it is no call."""
    called = node.func if isinstance(node, ast.Call) else None
    name: str = getattr(called, "attr", getattr(called, "id", ""))
    return name


def is_constant(statement: ast.stmt) -> bool:
    """Whether a statement is nothing but a constant: a docstring, or the like."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def blocks_in(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a function, but for those in functions and classes inside."""
    waiting = [node]
    while waiting:
        each = waiting.pop(0)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(each, name, None)
            if isinstance(block, list) and block:
                yield block
        children = ast.iter_child_nodes(each)
        waiting += [child for child in children if not isinstance(child, DEFINITIONS | ast.expr)]


@dataclass(frozen=True)
class FileText:
    """What is in a file: its bytes, its text with `\\n` where lines end, and how it is written.

    `line_end` is "" where ends of several kinds are mixed.
    """

    path: str
    content: bytes
    text: str
    encoding: str
    line_end: str

    def encoded(self, text: str) -> bytes:
        """Another text as this file would have it. Raises `UsageError` where it cannot."""
        if not self.line_end:
            raise UsageError(
                f"{self.path} has ends of lines of several kinds",
                remedy="have all of its lines end alike first",
            )
        return text.replace("\n", self.line_end).encode(self.encoding)

    def overwrite(self, text: str) -> None:
        """Have the file hold another text: all of it, or, where that fails, what it held.

        Raises `UsageError` where it is not any more what was read, or cannot be written.
        """
        content = self.encoded(text)
        path = Path(os.path.realpath(self.path))
        temporary = ""
        try:
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, path.stat().st_mode & 0o7777)
            if path.read_bytes() != self.content:
                raise UsageError(
                    f"{self.path} has changed meanwhile, and is not written", remedy="run it again"
                )
            os.replace(temporary, path)
            temporary = ""
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be written: {error.strerror}", remedy="see who may write it"
            ) from None
        finally:
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary)


def read_text(path: str) -> FileText:
    """What is in a file of Python. Raises `UsageError` where it cannot be read."""
    try:
        content = Path(path).read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        raw = content.decode(encoding)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", remedy="name a text file with Python code"
        ) from None
    rest, ends = raw, []
    for end in LINE_ENDS:
        if end in rest:
            ends.append(end)
            rest = rest.replace(end, "")
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    line_end = "\n" if not ends else ends[0] if len(ends) == 1 else ""
    return FileText(path, content, text, encoding, line_end)
