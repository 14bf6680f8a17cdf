"""What a run leaves behind: Markdown, JSON, a picture, and the figures in the documentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import table
from plot import plot
from table import Result, Row

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
PICTURE = DOCUMENT.parent / "images" / "benchmarks.svg"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


@dataclass(frozen=True)
class Report:
    """All that was measured."""

    machine: Sequence[str]
    results: Sequence[Result]
    notes: Sequence[str]

    @property
    def rows(self) -> list[Row]:
        """The rows of all cases that have runs."""
        return [row for result in self.results for row in result.rows if any(row.runs)]

    def markdown(self, picture: str) -> str:
        """The figures as a part of a document; `picture` is the address of the picture."""
        parts = [", ".join(self.machine) + "."]
        if self.rows:
            parts.append(f"![States a second over the number of states]({picture})")
        parts += [table.markdown(result) for result in self.results]
        parts += self.notes
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path) -> None:
        """figures.md, figures.json and figures.svg."""
        folder.mkdir(parents=True, exist_ok=True)
        data = {
            "machine": list(self.machine),
            "notes": list(self.notes),
            "cases": [table.as_data(result) for result in self.results],
        }
        _save(folder / "figures.md", self.markdown("figures.svg"))
        _save(folder / "figures.json", json.dumps(data, indent=2) + "\n")
        if self.rows:
            _save(folder / "figures.svg", plot(self.rows))

    def write_docs(self) -> None:
        """Replace the figures in the documentation, and their picture."""
        text = DOCUMENT.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        figures = self.markdown(f"images/{PICTURE.name}")
        _save(DOCUMENT, f"{before}{BEGIN}\n\n{figures}\n{END}{after}")
        _save(PICTURE, plot(self.rows))


def _save(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
