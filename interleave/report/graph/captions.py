"""What stands on the nodes and edges of a state graph: names of threads, positions, steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interleave.report import words
from interleave.report.cells import one_line, shorten
from interleave.result import Change, Described
from interleave.showing import show
from interleave.stategraph import Position, Transition

MOST_CELLS = 40
"""How long a line on a node or an edge may be."""
MOST_LINES = 14
"""How many variables a node shows."""
MOST_STEPS = 12
"""How many steps an edge lists."""


def line_of(text: str) -> str:
    """The text on one line of limited length."""
    return shorten(one_line(text), MOST_CELLS)


def short_names(threads: Sequence[str]) -> dict[str, str]:
    """Threads by number where all run the same method ("[0]"), else by their names."""
    methods = {name.partition("[")[0] for name in threads}
    if len(methods) == 1 and all(name.endswith("]") for name in threads) and len(threads) > 1:
        (method,) = methods
        return {name: name[len(method) :] for name in threads}
    return {name: line_of(name) for name in threads}


def assignments(values: Iterable[tuple[str, object]]) -> list[str]:
    """Variables with their values: "counter = 1"; the last line may say how many are left out."""
    lines = [line_of(f"{name} = {show(value)}") for name, value in values]
    if len(lines) > MOST_LINES:
        left = len(lines) - MOST_LINES + 1
        lines[MOST_LINES - 1 :] = [f"and {left} others"]
    return lines


def position_text(name: str, position: Position, *, waits: bool) -> str:
    """Where a thread is: "[0] line 10", "[0] line 10, waits", "[0] line 10 (end)", "[1] finished".

    The end is that of a `with` statement, where a lock is released.
    """
    at_end = position.source is not None and position.source.text.startswith("end of ")
    end = " (end)" if at_end else ""
    return line_of(f"{_prefix(name)}{position}{end}{', waits' if waits else ''}")


def step_text(name: str, transition: Transition) -> str:
    """A step with its thread: "[0] counter: 0 → 1", "main: acquire lock"."""
    return line_of(_prefix(name) + _deed(transition))


def _prefix(name: str) -> str:
    return f"{name} " if name.startswith("[") else f"{name}: "


def _deed(transition: Transition) -> str:
    """What a step does, without the values that its read finds: they stand on the node."""
    if transition.failure:
        return transition.outcome or f"raised {transition.failure}"
    accesses = [access for access in transition.accesses if access.kind != "atomic"]
    changes = [words.change_text(change) for change in _telling(transition)]
    if changes:
        return ", ".join(changes)
    deeds = list(dict.fromkeys(words.access_text(access) for access in accesses))
    if not deeds:
        return transition.line.text
    kinds = {access.kind for access in accesses}
    if transition.outcome and not kinds <= {"read", "write", "enter", "leave"}:
        return transition.outcome if kinds == {"choose"} else f"{deeds[0]}, {transition.outcome}"
    return ", ".join(deeds)


def _telling(transition: Transition) -> list[Change]:
    """The changes, without those that the name of an operation tells: "acquire lock"."""
    return [
        change
        for change in transition.changes
        if not isinstance(change.after, Described)
        or [access.kind for access in transition.accesses] in ([], ["write"])
        or len(transition.accesses) > 1
    ]


def run_texts(names: dict[str, str], run: Sequence[Transition]) -> list[tuple[str, Transition]]:
    """The steps of a run, one a line; those in the middle of a long one are only counted."""
    lines = [(step_text(names[step.thread], step), step) for step in run]
    if len(lines) > MOST_STEPS:
        half = MOST_STEPS // 2
        left = len(lines) - 2 * half + 1
        lines[half : len(lines) - half + 1] = [(f"… {left} more steps …", run[half])]
    return lines
