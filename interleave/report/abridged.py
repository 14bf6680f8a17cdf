"""Values that are too long for a cell of a table, cut so that one sees in what they differ.

A value is a text here, as it is shown, whatever made it: what stands within its brackets are its
parts, and a part may have parts of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from interleave.report.cells import ELLIPSIS

_AROUND = 12
"""Characters that are shown before and after what differs within a text."""

_LEAST = 12
"""Characters that each of several values has at least, however many there are."""

_QUOTES = ("'", '"')

_CLOSING = {"(": ")", "[": "]", "{": "}"}


class _Shape(NamedTuple):
    """A value taken apart: "Point(", ("x=1", "y=2"), ")"."""

    opening: str
    parts: tuple[str, ...]
    closing: str


def abridged(texts: Sequence[str], most: int) -> list[str]:
    """Each of some values as it is, if all of them have at most so many characters together.

    Else what all of them have in common gives way to an ellipsis, and then what is still too long.
    """
    if sum(map(len, texts)) <= most:
        return [*texts]
    if len(set(texts)) > 1:
        texts = _differing(texts, most)
    if sum(map(len, texts)) <= most:
        return [*texts]
    return [_cut(text, max(most // len(texts), _LEAST)) for text in texts]


def _differing(texts: Sequence[str], most: int) -> list[str]:
    """The values without what they begin and end with alike."""
    shapes = [_shape(text) for text in texts]
    if len({(shape.opening, shape.closing) for shape in shapes}) > 1 or not shapes[0].opening:
        return _differing_text(texts)
    rows = [shape.parts for shape in shapes]
    before = _alike(rows)
    after = _alike([row[before:][::-1] for row in rows])
    middles = [row[before : len(row) - after] for row in rows]
    if all(len(middle) == 1 for middle in middles):
        middles = [(text,) for text in abridged([middle[0] for middle in middles], most)]
    shown = [
        [*([ELLIPSIS] if before else []), *middle, *([ELLIPSIS] if after else [])]
        for middle in middles
    ]
    return [
        f"{shape.opening}{', '.join(parts)}{shape.closing}"
        for shape, parts in zip(shapes, shown, strict=True)
    ]


def _differing_text(texts: Sequence[str]) -> list[str]:
    """Texts that have no parts, with a little of what is alike around what differs."""
    before = _alike(texts)
    after = _alike([text[before:][::-1] for text in texts])
    first, last = texts[0][:before], texts[0][len(texts[0]) - after :]
    head, tail = _up_to_quote(first), last[-1:] if last[-1:] in _QUOTES else ""
    if before > len(head) + _AROUND:
        first = f"{head}{ELLIPSIS}{first[-_AROUND:]}"
    if after > len(tail) + _AROUND:
        last = f"{last[:_AROUND]}{ELLIPSIS}{tail}"
    return [first + text[before : len(text) - after] + last for text in texts]


def _up_to_quote(text: str) -> str:
    """What a text begins with, its first quote included: "name='"; "" where it has none."""
    return text[: 1 + next((at for at, each in enumerate(text) if each in _QUOTES), -1)]


def _alike(rows: Sequence[Sequence[str]]) -> int:
    """How many items all of some sequences begin with."""
    columns = zip(*rows, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))


def _cut(text: str, most: int) -> str:
    """A value cut to at most so many characters or a few more: to its first parts, if it has any.

    Where a part stands for others already, that is not cut away.
    """
    if len(text) <= most:
        return text
    opening, parts, closing = _shape(text)
    rest = most - len(opening) - len(closing)
    if not parts or rest < _LEAST:
        return text[: most - 1] + ELLIPSIS
    shown: list[str] = []
    for part in parts:
        room = rest - sum(len(each) + 2 for each in shown)
        if len(part) > room:
            if room >= _LEAST and (_shape(part).parts or not shown):
                shown.append(_cut(part, room))
            break
        shown.append(part)
    if len(shown) < len(parts) and shown[-1:] != [ELLIPSIS]:
        shown.append(ELLIPSIS)
    return f"{opening}{', '.join(shown)}{closing}"


def _shape(text: str) -> _Shape:
    """A value taken apart at its first bracket; without parts where it has none, or where what
    follows the bracket that closes it is not the end.
    """
    nothing = _Shape("", (), "")
    stack: list[str] = []
    parts: list[str] = []
    quote, begin, skipped = "", 0, False
    for at, character in enumerate(text):
        if skipped:
            skipped = False
        elif quote:
            skipped = character == "\\"
            quote = "" if character == quote else quote
        elif character in _QUOTES:
            quote = character
        elif character in _CLOSING:
            stack.append(_CLOSING[character])
            begin = at + 1 if len(stack) == 1 else begin
        elif stack and character == stack[-1]:
            stack.pop()
            if not stack:
                if at != len(text) - 1 or at == begin:
                    return nothing
                return _Shape(_opening(text), (*parts, text[begin:at]), character)
        elif character == "," and len(stack) == 1:
            parts.append(text[begin:at])
            begin = at + 2
    return nothing


def _opening(text: str) -> str:
    """A value up to its first bracket, which no quote comes before."""
    return text[: next(at for at, character in enumerate(text) if character in _CLOSING) + 1]
