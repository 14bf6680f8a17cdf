"""What `probe` has found, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from interleave.errors import ModelError, Place
from interleave.probing import Probed
from interleave.report.words import count
from interleave.result import Followed

WIDTH = 100
"""Characters of a line."""

_Error = tuple[str, Place | None]


def render_probed(target: str, found: Sequence[Probed]) -> str:
    """All that stands in the way, each once, with the calls that it is in the way of."""
    refused = _by_place(found, lambda each: each.refused)
    ahead = _by_place(found, lambda each: each.ahead)
    ahead = {key: each for key, each in ahead.items() if key not in refused}
    cut = [f"{each.name} ({each.limit})" for each in found if each.limit]
    part = " (only a part was looked at)" if cut else ""
    lines = [f"{target}: {_headline(len(refused), len(ahead))}{part}"]
    for error, names in refused.values():
        lines += ["", str(error)]
        if len(found) > 1:
            lines.append(f"  in the way of: {', '.join(names)}")
    if ahead:
        lines += ["", "Refused where it is run, in code that was only read:"]
        for error, _ in ahead.values():
            lines += ["", str(error)]
    free = [each.name for each in found if not (each.refused or each.limit or each.raises)]
    lines.append("")
    if free:
        lines.append(f"Nothing is in the way of: {', '.join(free)}")
    if cut:
        lines.append(f"Only a part was looked at of: {', '.join(cut)}")
    for each in found:
        if each.raises:
            lines.append(f"Nobody knows of {each.name}, which only raises {each.raises}")
    lines += _followed([each for one in found for each in one.followed])
    return "\n".join(lines)


def _by_place(
    found: Sequence[Probed], part: Callable[[Probed], Sequence[ModelError]]
) -> dict[_Error, tuple[ModelError, list[str]]]:
    by_place: dict[_Error, tuple[ModelError, list[str]]] = {}
    for one in found:
        for error in part(one):
            key = (error.what, error.place)
            by_place.setdefault(key, (error, []))[1].append(one.name)
    return by_place


def _headline(refused: int, ahead: int) -> str:
    if not (refused or ahead):
        return "nothing stands in the way"
    text = f"{count(refused, 'thing')} in the way" if refused else "nothing was in the way"
    return f"{text}, and {ahead} more may be" if ahead else text


def _followed(followed: Sequence[Followed]) -> list[str]:
    by_file: dict[str, dict[str, None]] = {}
    for each in followed:
        by_file.setdefault(each.file, {}).update(dict.fromkeys(each.functions))
    lines = ["Followed:"] if by_file else []
    for file, functions in sorted(by_file.items()):
        text = f"{file}: {', '.join(functions)}"
        lines += textwrap.wrap(
            text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    return lines
