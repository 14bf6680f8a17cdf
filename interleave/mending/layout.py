"""A text with locks held around other statements: lines are indented, and headers written."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from interleave.mending.regions import Region
from interleave.mending.texts import Edit, SourceText, applied, first_line, lines_of


def rearranged(
    source: SourceText,
    runs: Sequence[tuple[Sequence[ast.stmt], str]],
    gone: Sequence[Region] = (),
    edits: Sequence[Edit] = (),
) -> str | None:
    """The text with each run of statements beneath a header, such as "with lock:", without the
    regions that are `gone`, and with edits outside of both. Runs do not overlap.

    A header of two lines, such as "mu.Lock()\\nmu.Unlock()", stands before and after a run. None
    where something does not stand on lines of its own.
    """
    deltas = dict.fromkeys(range(1, len(source.lines) + 1), 0)
    dropped: set[int] = set()
    before: dict[int, str] = {}
    after: dict[int, str] = {}
    for region in gone:
        node = region.node
        if node is not None:
            if len(node.items) > 1 or not source.has_lines_of_its_own(node.body[0], node.body[-1]):
                return None
            dropped |= {*range(node.lineno, first_line(node.body[0]))}
            outer, inner = len(source.indent(node)), len(source.indent(node.body[0]))
            for number in lines_of(node.body):
                deltas[number] -= inner - outer
        for call in region.calls:
            if not source.has_lines_of_its_own(call, call):
                return None
            dropped |= {*lines_of([call])}
    for statements, header in runs:
        first, last = statements[0], statements[-1]
        if not source.has_lines_of_its_own(first, last):
            return None
        lines = lines_of(statements)
        indent = source.indent(first)
        indent = indent[: len(indent) + min(deltas[lines[0]], 0)]
        opening, _, closing = header.partition("\n")
        before[lines[0]] = f"{indent}{opening}\n" + before.get(lines[0], "")
        if closing:
            after[lines[-1]] = after.get(lines[-1], "") + f"{indent}{closing}\n"
        else:
            for number in lines:
                deltas[number] += len(source.unit)
    changed = [*edits]
    for number, line in enumerate(source.lines, 1):
        text = "" if number in dropped else _shifted(source, number, deltas[number])
        if text is None:
            return None
        text = before.get(number, "") + text
        if number in after:
            text = (text if text.endswith("\n") else f"{text}\n") + after[number]
        if text != line:
            start = source.line_start(number)
            changed.append(Edit(start, start + len(line), text))
    try:
        return applied(source.text, changed)
    except ValueError:
        return None


def _shifted(source: SourceText, number: int, delta: int) -> str | None:
    """A line with more white space before it, or less; None where there is not as much."""
    line = source.lines[number - 1]
    if not delta or not line.strip() or number in source.in_strings:
        return line
    if delta > 0:
        return source.unit[:1] * delta + line if len({*source.unit}) == 1 else source.unit + line
    return None if line[:-delta].strip() else line[-delta:]
