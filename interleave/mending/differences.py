"""How much a change writes, and the change as a diff."""

from __future__ import annotations

import difflib
import io

Size = tuple[int, int, int]
"""Lines that a change writes, lines that it indents, and characters."""


def size_of(before: str, after: str) -> Size:
    """How much a change writes: lines, lines that are only indented, and characters."""
    one, other = before.splitlines(), after.splitlines()
    stripped = difflib.SequenceMatcher(
        None, [line.strip() for line in one], [line.strip() for line in other], autojunk=False
    )
    written = indented = characters = 0
    for tag, a, b, c, d in stripped.get_opcodes():
        if tag == "equal":
            moved = zip(one[a:b], other[c:d], strict=True)
            indented += sum(left != right for left, right in moved)
        else:
            written += max(b - a, d - c)
            characters += sum(map(len, one[a:b])) + sum(map(len, other[c:d]))
    return written, indented, characters


def same_lines(text: str, other: str) -> dict[int, int]:
    """The lines of a text that another one has too, as numbers in both, but for white space."""
    one, two = ([line.strip() for line in each.splitlines()] for each in (text, other))
    blocks = difflib.SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return {a + n + 1: b + n + 1 for a, b, size in blocks for n in range(size)}


def diff(file: str, before: str, after: str) -> str:
    """A change as unified lines, without a newline at the end."""
    one, other = io.StringIO(before).readlines(), io.StringIO(after).readlines()
    lines = difflib.unified_diff(one, other, file, file, n=2)
    whole = (line if line.endswith("\n") else f"{line}\n{_NO_END}\n" for line in lines)
    return "".join(whole).removesuffix("\n")


_NO_END = "\\ No newline at end of file"
