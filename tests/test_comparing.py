"""`interleave compare`: scenarios by runtimes."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import interleave
from interleave import ModelError
from interleave.cli import main
from interleave.comparing import Comparison
from interleave.report.compared import render_html, render_markdown, render_text

HEAD = """
import asyncio, threading, time
from interleave import Model, go, goroutine, process, task, thread, postcondition
"""
ADDS = {
    "thread": "@thread(2)\n    def add(self): self.n += 1",
    "task": "@task(2)\n    async def add(self): self.n += 1",
    "goroutine": "@goroutine\n    def main(self): go.spawn(self.add); self.add()\n"
    "    def add(self): self.n += 1",
    "thread_of_a_task": "@task(2)\n    async def add(self): await asyncio.to_thread(self.really)\n"
    "    def really(self): self.n += 1",
}
RUNTIMES = {
    "thread": ["free-threaded", "gil"],
    "task": ["asyncio"],
    "goroutine": ["go"],
    "thread_of_a_task": ["asyncio", "gil"],
}


def model(name: str, kind: str, scenario: str | None = None) -> str:
    text = f"class {name}(Model):\n    n = 0\n    {ADDS[kind]}\n"
    return text if scenario is None else f"{text}    SCENARIO = {scenario!r}\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)

    def write(*texts: str, name: str = "models.py") -> str:
        Path(name).write_text(HEAD + "\n".join(textwrap.dedent(text) for text in texts))
        return name

    return write


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(main, ["compare", *arguments])
    assert "Traceback" not in found.stderr
    return found


def rows(found: Comparison) -> dict[str, list[tuple[str, str]]]:
    return {
        row.name: [(each.model, each.runtime) for each in row.results] for row in found.scenarios
    }


@pytest.mark.parametrize("kind", ADDS)
def test_a_model_has_the_runtimes_that_it_can_mean(write, kind: str) -> None:
    found = interleave.compare(write(model("M", kind)))
    assert rows(found) == {"M": [("M", runtime) for runtime in RUNTIMES[kind]]}
    assert found.runtimes == tuple(
        each for each in ("free-threaded", "gil", "asyncio", "go") if each in RUNTIMES[kind]
    )
    for each in found.scenarios[0].results:
        alone = interleave.check("models.py", runtime=each.runtime if kind == "thread" else None)
        if kind != "thread_of_a_task":
            assert each == alone.models[0]


def test_models_of_one_scenario_are_one_row_and_come_first(write) -> None:
    file = write(
        model("Alone", "thread"),
        model("P", "thread", "add"),
        model("G", "goroutine", "add"),
        "class Mended(P): pass",
        model("Other", "task", "other"),
        model("Second", "task", "add"),
        model("Third", "task", "add"),
    )
    found = interleave.compare(file)
    pair = ["free-threaded", "gil"]
    assert rows(found) == {
        "add": [*(("P", each) for each in pair), ("G", "go"), ("Second", "asyncio"),
                ("Third", "asyncio")],
        "other": [("Other", "asyncio")],
        "Alone": [("Alone", each) for each in pair],
        "Mended": [("Mended", each) for each in pair],
    }  # fmt: skip
    assert [row.name for row in interleave.compare(file, scenarios=True).scenarios] == [
        "add",
        "other",
    ]
    lines = run(file, "--scenarios").stdout.splitlines()
    assert re.split(r"  +", lines[0]) == ["scenario", "free-threaded", "gil", "asyncio", "go"]
    assert lines[1].startswith("add       lost-update 4/6  verified 0/2  Second: verified 0/2")
    assert lines[2].strip() == "Third: verified 0/2"
    assert lines[3].split() == ["other", "verified", "0/2"]
    assert run(file).exit_code == 0


def test_what_cannot_be_checked_is_said_and_the_rest_is_compared(write) -> None:
    broken = "class Broken(Model):\n    @thread\n    def t(self): open('x')\n"
    file = write(model("Fine", "thread"), broken + "    SCENARIO = 'opens'")
    found = run(file)
    assert found.exit_code == 2
    assert re.search(r"^opens +refused +refused$", found.stdout, re.MULTILINE)
    assert re.search(r"^Fine +lost-update 4/6 +verified 0/2$", found.stdout, re.MULTILINE)
    assert found.stderr.count("error:") == 1
    with pytest.raises(ModelError, match="open"):
        interleave.compare(file)
    write("class Bad(Model):\n    @thread\n    def t(self): pass\n    SCENARIO = 3")
    with pytest.raises(ModelError, match="SCENARIO is 3"):
        interleave.compare(file)


def test_a_search_that_is_cut_short_is_inconclusive(write) -> None:
    found = run(write(model("M", "thread")), "--max-states", "3")
    assert found.exit_code == 3
    assert "inconclusive (reached the limit of 3 states)" in " ".join(found.stdout.split())


def test_scripts_and_tests_are_compared(write) -> None:
    write(name="script.py")
    Path("script.py").write_text(
        "import threading\nn = 0\ndef add():\n    global n\n    n += 1\n"
        "ts = [threading.Thread(target=add) for _ in range(2)]\n"
        "for t in ts: t.start()\nfor t in ts: t.join()\nassert n == 2\n"
    )
    (row,) = interleave.compare("script.py").scenarios
    assert [(each.runtime, each.verdict) for each in row.results] == [
        ("free-threaded", "violated"),
        ("gil", "verified"),
    ]


HOSTILE = "<b>|`*_~[x](y) & \x1b[31m\n\u202e\"'"


class Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.append(tag)

    def handle_data(self, text: str) -> None:
        self.said.append(text)


def test_a_text_of_the_model_stays_a_text(write) -> None:
    found = interleave.compare(write(model("M", "thread", HOSTILE)))
    text = render_text(found)
    assert "\x1b" not in text and "\u202e" not in text
    header, rule, row = render_markdown(found).splitlines()
    bars = [len(re.findall(r"(?<!\\)\|", line)) for line in (header, rule, row)]
    assert bars == [4, 4, 4] and "<b>" not in row
    page = Texts()
    page.feed(render_html(found))
    assert "b" not in page.tags and any("<b>" in each for each in page.said)
    document = json.loads(run("models.py", "--format", "json").stdout)
    assert document["scenarios"][0]["models"][0]["kinds"] == ["lost-update"]
    assert document["runtimes"] == ["free-threaded", "gil"]


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_a_table_keeps_to_its_width(write, width: int) -> None:
    file = write(
        *(model(f"AVeryLongNameOfAModelThatSaysALot{kind}", kind) for kind in ADDS),
        model(
            "P", "thread", "a scenario that is told in quite a few words, more than fit a column"
        ),
    )
    lines = render_text(interleave.compare(file), width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 24 + 4 * 14)
