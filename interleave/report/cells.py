"""Text in a terminal's cells: how wide it is, and how it is cleaned, wrapped and padded."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"
_JOINER = "\u200d"  # joins emoji to one picture; invisible, harmless, and no use escaped


def one_line(text: str) -> str:
    """The text with every run of white space made one space and other controls escaped.

    So a source text of several lines is one line, and nothing in it can steer a terminal.
    """
    return "".join(_visible(character) for character in " ".join(text.split()))


def _visible(character: str) -> str:
    if character.isprintable() or character == _JOINER:
        return character
    return character.encode("unicode_escape").decode("ascii")


def cell_width(text: str) -> int:
    """How many terminal cells the text takes: two for a wide character, none for an accent."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, width: int) -> str:
    """The text with spaces after it, up to `width` cells."""
    return text + " " * (width - cell_width(text))


def shorten(text: str, width: int) -> str:
    """The text, cut to at most `width` cells (at least 1); an ellipsis stands for what is gone."""
    if cell_width(text) <= width:
        return text
    return _head(text, width - 1)[0] + ELLIPSIS


def wrap(text: str, width: int, *, lines: int | None = None) -> list[str]:
    """The text in lines of at most `width` cells (at least 2).

    They are broken at spaces where possible, else where an expression can be, else anywhere. Where
    it needs more than `lines` lines, the last one ends in an ellipsis.
    """
    result: list[str] = []
    rest = text
    while rest and cell_width(rest) > width:
        head, tail = _head(rest, width)
        if not tail.startswith(" "):
            at = next((place for place in _breaks(rest, len(head)) if place * 3 >= width), 0)
            if at:
                head, tail = rest[:at], rest[at:]
        result.append(head.rstrip())
        rest = tail.lstrip()
    if rest or not result:
        result.append(rest)
    if lines is not None and len(result) > lines:
        last, _ = _head(result[lines - 1], width - 1)
        result = [*result[: lines - 1], last.rstrip() + ELLIPSIS]
    return result


def _breaks(text: str, end: int) -> list[int]:
    """Where the first `end` characters of a text can be broken, the best place first."""
    spaces = [place for place in range(end, 0, -1) if text[place] == " "]
    inside = [
        place
        for place in range(end, 0, -1)
        if text[place - 1] in "([{," or (text[place] == "." and text[place - 1].isalpha())
    ]
    # Not between the digits of "1,000", and not before what closes at once: "()".
    return spaces + [
        place for place in inside if not (text[place].isdigit() or text[place] in ")]}")
    ]


def _head(text: str, width: int) -> tuple[str, str]:
    """As much of the text as fits into `width` cells (one character at least), and the rest."""
    used = 0
    for index, character in enumerate(text):
        used += _character_width(character)
        if used > width and index > 0:
            return text[:index], text[index:]
    return text, ""


def fit(natural: list[int], least: list[int], total: int) -> list[int] | None:
    """Widths of columns whose sum is at most `total`: the natural ones, the widest narrowed first.

    No column becomes narrower than its entry in `least`. None where that cannot be met.
    """
    widths = list(natural)
    excess = sum(widths) - total
    while excess > 0:
        slack = [index for index, width in enumerate(widths) if width > least[index]]
        if not slack:
            return None
        widths[max(slack, key=lambda index: (widths[index], -index))] -= 1
        excess -= 1
    return widths
