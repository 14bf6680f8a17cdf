"""Rows of figures from runs, and tables of them for the terminal, for Markdown and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from cases import Case
from peers.base import Measured


@dataclass
class Row:
    """What one engine did with one case."""

    case: Case
    engine: str
    compile: float | None = None
    runs: list[Measured | None] = field(default_factory=list)
    """One for each round; None where it was left out of a round."""
    skipped: str = ""
    """Why there are no runs, in words."""

    def median(self, of: Callable[[Measured], float]) -> float:
        """The median of something over all runs."""
        return statistics.median(of(run) for run in self.runs if run is not None)

    @property
    def searching(self) -> float:
        """Seconds of search; of the whole command where the search is too short for its clock."""
        return self.median(lambda run: run.search) or self.median(lambda run: run.wall)

    def ratio(self, base: Row, of: Callable[[Measured], float]) -> float | None:
        """How many times what `base` took: the median over rounds, as noise hits a whole round."""
        pairs = [(a, b) for a, b in zip(self.runs, base.runs, strict=False) if a and b and of(b)]
        return statistics.median(of(a) / of(b) for a, b in pairs) if pairs else None


COLUMNS = (
    "engine", "runs", "wall s", "x", "search s", "x", "states/s", "transitions/s", "peak MB",
    "bytes/state", "compile s",
)  # fmt: skip


def cells(row: Row, base: Row | None) -> list[str]:
    """The row of a table; the ratios follow what they are ratios of."""
    if not any(row.runs):
        return [row.engine, *["-"] * (len(COLUMNS) - 1)]
    searching, peak = row.searching, row.median(lambda run: run.peak)
    search = row.median(lambda run: run.search)
    return [
        row.engine,
        str(sum(run is not None for run in row.runs)),
        _short(row.median(lambda run: run.wall)),
        _times(row, base, lambda run: run.wall),
        _short(search) if search else "< 0.01",
        _times(row, base, lambda run: run.search),
        f"{row.case.states / searching:,.0f}",
        f"{row.case.transitions / searching:,.0f}",
        f"{peak / 1e6:,.0f}",
        f"{peak / row.case.states:,.0f}",
        "" if row.compile is None else f"{row.compile:.1f}",
    ]


def _times(row: Row, base: Row | None, of: Callable[[Measured], float]) -> str:
    ratio = None if base is None else row.ratio(base, of)
    return _short(ratio) if ratio else "-"


def _short(number: float) -> str:
    """A number with no more digits than mean something."""
    return f"{number:,.{3 if number < 0.1 else 2 if number < 10 else 1 if number < 100 else 0}f}"


def heading(case: Case) -> str:
    """What a table is about."""
    return f"{case}: {case.states:,} states, {case.transitions:,} transitions"


@dataclass(frozen=True)
class Result:
    """All that was measured of one case."""

    case: Case
    rows: Sequence[Row]
    ceilings: Sequence[float] = ()
    """How two bare threads scaled, in each round (see ceiling.py)."""

    @property
    def base(self) -> Row | None:
        """What the others are compared with: the first engine, where it ran."""
        return self.rows[0] if any(self.rows[0].runs) else None

    def remarks(self) -> list[str]:
        """What is to be said below the table."""
        found = [f"{row.engine}: {row.skipped}" for row in self.rows if row.skipped]
        ratio = None
        if self.base is not None and len(self.rows) > 1:
            ratio = self.base.ratio(self.rows[1], lambda run: run.search)
        if self.ceilings and ratio is not None:
            found.append(
                f"Two workers search {ratio:.2f} times as fast as one. Bare threads on random "
                f"memory scale by {statistics.median(self.ceilings):.2f} here."
            )
        return found


def plain(result: Result) -> str:
    """The table of one case, for the terminal."""
    table = [list(COLUMNS), *(cells(row, result.base) for row in result.rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    ]
    remarks = [f"  {remark}" for remark in result.remarks()]
    return "\n".join([heading(result.case), *lines, *remarks])


def markdown(result: Result) -> str:
    """The table of one case, for a document."""
    lines = [
        f"### {heading(result.case)}",
        "",
        "| " + " | ".join("×" if name == "x" else name for name in COLUMNS) + " |",
        "|---" + "|--:" * (len(COLUMNS) - 1) + "|",
    ]
    for row in result.rows:
        if any(row.runs):
            lines.append("| " + " | ".join(cells(row, result.base)) + " |")
    if remarks := result.remarks():
        lines += ["", *(f"* {remark}" for remark in remarks)]
    return "\n".join(lines)


def as_data(result: Result) -> dict[str, object]:
    """Everything about a case, for JSON."""
    case = result.case
    return {
        "model": case.model,
        "parameters": dict(case.parameters),
        "states": case.states,
        "transitions": case.transitions,
        "ceilings": list(result.ceilings),
        "engines": [
            {
                "engine": row.engine,
                "compile_seconds": row.compile,
                "skipped": row.skipped,
                "runs": [None if run is None else asdict(run) for run in row.runs],
            }
            for row in result.rows
        ],
    }
