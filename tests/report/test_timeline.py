"""Counterexamples as lines of time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import interleave
from interleave.cli import main
from interleave.report.cells import cell_width
from interleave.report.timeline import MEANINGS, render_timeline
from interleave.result import Result

MODELS = Path(__file__).parent.parent.parent / "models"
TEXT = """
import threading, time
from interleave import Model, thread

class Adds(Model):
    n = 0
    lock = threading.Lock()

    @thread
    def first(self):
        {0}

    @thread
    def second(self):
        {0}
"""


def drawn(found: Result, width: int = 100) -> list[str]:
    (model,) = found.models
    return render_timeline(model, width=width).splitlines()


def lines_of(tmp_path: Path, body: str, **options: object) -> list[str]:
    file = tmp_path / "model.py"
    file.write_text(TEXT.format(body.replace("\n", "\n        ")))
    return drawn(interleave.check(file, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "self.n += 1",
            ["first   --R--------W-", "second  -----R--W----", "            ^^^^^^"],
        ),
        (
            "with self.lock: t = self.n\nwith self.lock: self.n = t + 1",
            [
                "first   --[--R--]--------------------[--W-",
                "second  -----------[--R--]--[--W--]-------",
                "               ^^^^^^^^^^^^^^^^^^^^^^^^",
            ],
        ),
        (
            "self.n += 1\nassert self.n == 0",
            [
                "first  --R--W--R-",
                "               !",
            ],
        ),
        (
            "self.lock.acquire()\nself.n += 1",
            ["first   --[--R--W----", "second  -----------?-"],
        ),
    ],
    ids=["a race", "locks are brackets", "what fails", "who waits"],
)
def test_what_is_drawn(tmp_path, body: str, expected: list[str]) -> None:
    lines = lines_of(tmp_path, body)
    at = lines.index(expected[0])
    assert lines[at : at + len(expected)] == expected
    signs = set("".join(expected)) & {*MEANINGS}
    told = lines[at + len(expected)].split(", ")
    assert told == [f"{each} {meaning}" for each, meaning in MEANINGS.items() if each in signs]


def test_a_step_of_several_accesses(tmp_path) -> None:
    lines = lines_of(tmp_path, "t = self.n\ntime.sleep(0)\nself.n = t + 1", runtime="gil")
    assert "first   --R*---------W-" in lines


@pytest.mark.parametrize("how", ["blocking=False", "timeout=1"])
@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
def test_a_lock_that_is_not_got_is_not_taken(tmp_path, how: str, runtime: str) -> None:
    body = f"assert self.lock.acquire({how})\nself.n += 1\nself.lock.release()"
    found = "\n".join(lines_of(tmp_path, body, runtime=runtime))
    assert found.count("-[-") == found.count("-*-") == found.count("assertion: ") > 0


def test_where_nothing_is_violated(tmp_path) -> None:
    assert lines_of(tmp_path, "self.n = 1") == ["Adds: verified"]


VIOLATED = sorted({*MODELS.rglob("*.py")})[::9]


@pytest.mark.slow
@pytest.mark.parametrize("file", VIOLATED, ids=lambda each: each.stem)
def test_lines_keep_to_the_width_and_are_all_of_the_trace(file: Path) -> None:
    for model in interleave.check(file).models:
        for width in (40, 72, 100):
            lines = render_timeline(model, width=width).splitlines()
            assert all(cell_width(line) <= width for line in lines[1:])
        wide = render_timeline(model, width=100_000)
        coloured = render_timeline(model, width=100_000, color=True)
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == wide
        rows = re.findall(r"^\S.*  (-[-RW\[\]*?]+)$", wide, re.MULTILINE)
        signs = len("".join(rows).replace("-", ""))
        assert signs == sum(
            sum(max(len(step.accesses), 1) for step in violation.trace.all_steps)
            + len(violation.waits)
            + len(violation.race)
            for violation in model.violations
        )


def test_it_is_a_format_and_stands_under_the_table_with_all_said(tmp_path) -> None:
    (tmp_path / "model.py").write_text(TEXT.format("self.n += 1"))
    for options in (["--format", "timeline"], ["-v"]):
        found = CliRunner().invoke(main, ["check", str(tmp_path / "model.py"), *options])
        assert "first   --R--------W-" in found.stdout
        assert ("what it did" in found.stdout) == ("-v" in options)
    quiet = CliRunner().invoke(main, ["check", str(tmp_path / "model.py")])
    assert "--R--" not in quiet.stdout
