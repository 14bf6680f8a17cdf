"""The models in models/: where they are, and what golden/models.txt has written down of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from interleave import check
from interleave.loading import load_models, model_files
from interleave.result import ModelResult

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "models"
FILES = model_files([FOLDER])
MODELS = [(file, model) for file in FILES for model in load_models(file)]

TABLE = ROOT / "tests" / "golden" / "models.txt"
COLUMNS = (
    "model", "parameters", "states", "transitions", "depth", "interleavings", "verdict",
)  # fmt: skip


def name_of(file: Path) -> str:
    return file.relative_to(FOLDER).as_posix()


def table_text(rows: Mapping[tuple[str, str], str]) -> str:
    """A line for each model in models/, below the name of its file."""
    lines = [_row(dict(zip(COLUMNS, COLUMNS, strict=True)))]
    for file in FILES:
        names = [model.__name__ for each, model in MODELS if each == file]
        lines += ["", name_of(file), *[rows[name_of(file), name] for name in names]]
    return "\n".join(lines) + "\n"


def present_rows() -> dict[tuple[str, str], str]:
    """What the lines of the table would be now, for each file and model."""
    return {
        (name_of(file), found.model): row(found) for file in FILES for found in check(file).models
    }


def written_rows() -> dict[tuple[str, str], str]:
    """The lines of the table as it is written down, for each file and model."""
    rows = {}
    file = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        if line.startswith("  "):
            rows[file, line.split()[0]] = line
        elif line:
            file = line
    return rows


def row(found: ModelResult) -> str:
    """The line of the table for a model."""
    counted = found.interleavings
    assert counted is not None, f"the search of {found.model} is not complete"
    kinds = dict.fromkeys(violation.kind for violation in found.violations)
    return _row(
        {
            "model": found.model,
            "parameters": " ".join(f"{name}={value}" for name, value in found.parameters.items()),
            "states": f"{found.states:,}",
            "transitions": f"{found.transitions:,}",
            "depth": f"{found.depth:,}",
            "interleavings": "endless" if counted.total is None else f"{counted.total:,}",
            "verdict": ", ".join([found.verdict, *kinds]),
        }
    )


def _row(cells: Mapping[str, str]) -> str:
    """A line of the table. Its columns have fixed widths, so that one change is one line."""
    line = (
        "  {model:24} {parameters:16} {states:>9} {transitions:>12} {depth:>6} {interleavings:>16}"
        "  {verdict}"
    ).format(**cells)
    return line.rstrip()
