"""Which formats there are is said once.

`python tests/report/test_formats.py` writes the table of formats into docs/python.md.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from interleave.cli import main
from interleave.report.formats import (
    COMPARISONS,
    FIXES,
    GRAPHS,
    LOCKS,
    MODELS,
    PICTURES,
    RESULTS,
    SHARINGS,
    Writer,
)

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
TABLE = re.compile(
    "(?<=<!-- formats: written by tests/report/test_formats.py -->\n).*?(?=<!-- end)", re.S
)

USES = {
    "interleave check --format": MODELS | RESULTS,
    "interleave compare --format": COMPARISONS,
    "interleave sharing --format": SHARINGS,
    "interleave locks --format": LOCKS,
    "interleave fix --format": FIXES,
    "interleave check --diagram": PICTURES,
    "interleave graph -o": PICTURES | GRAPHS,
}
WRITERS = [(use, name) for use, writers in USES.items() for name in writers]


def table() -> str:
    lines = ["| Where | Format | What it is |", "|---|---|---|"]
    lines += [f"| `{use}` | `{name}` | {USES[use][name].what} |" for use, name in WRITERS]
    return "\n".join(lines) + "\n"


def test_the_page_lists_every_format() -> None:
    (written,) = TABLE.findall(PAGE.read_text(encoding="utf-8"))
    assert written == table()


@pytest.mark.parametrize(("use", "name"), WRITERS)
def test_a_format_is_there_and_the_command_line_knows_it(use: str, name: str) -> None:
    writer = USES[use][name]
    assert callable(getattr(import_module(writer.module), writer.function))
    assert name in CliRunner().invoke(main, [use.split()[1], "--help"]).output


def test_a_format_is_one_function_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tallies.py").write_text(
        "def tally(result, *, version):\n    return f'{len(result.models)} models'\n"
        "def states(graph):\n    return str(len(graph)).encode()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(RESULTS, "tally", Writer("tallies", "tally", "how many there are"))
    monkeypatch.setitem(GRAPHS, ".count", Writer("tallies", "states", "how many there are"))
    model = str(PAGE.parent.parent / "models" / "counter" / "without_lock.py")
    done = CliRunner().invoke(main, ["check", model, "--format", "tally"])
    assert (done.output, done.exit_code) == ("1 models\n", 0)
    file = tmp_path / "graph.count"
    assert CliRunner().invoke(main, ["graph", model, "-o", str(file)]).exit_code == 0
    assert file.read_bytes() == b"12"


def write() -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(lambda _: table(), text), encoding="utf-8")


if __name__ == "__main__":
    write()
