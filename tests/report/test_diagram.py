"""Diagrams, read back: what the DOT source and the SVG drawn from it say, and where."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
import report_results as results

from interleave.errors import InterleaveError
from interleave.report import drawing
from interleave.report.diagram import DiagramError, counterexample_dot, write_diagram

SVG = "{http://www.w3.org/2000/svg}"

every_violation = pytest.mark.parametrize(
    "make",
    [
        results.lost_update,
        results.bystanders,
        results.philosophers,
        results.waiting_for_nobody,
        results.data_race,
        results.race_between_others,
        results.exception,
        results.postcondition,
        results.invariant_at_the_start,
        results.crowd,
        results.far_apart,
        results.held_by_itself,
        results.nasty,
    ],
    ids=lambda make: make.__name__,
)


@pytest.fixture
def no_system_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `pip install` alone: there is no `dot` on this machine."""
    which = shutil.which

    def without_dot(command: str, path: str | None = None) -> str | None:
        return None if command == "dot" else which(command, path=path)

    monkeypatch.setattr(shutil, "which", without_dot)


def dot(make: results.Make) -> str:
    result = make()
    return counterexample_dot(result, result.violations[0])


def node_texts(source: str) -> dict[str, list[str]]:
    """Lines of text by node of a DOT source."""
    found = re.finditer(r"^\t(\w+) \[label=<(.*)> (?:color|fillcolor|height)=", source, re.M)
    return {
        match[1]: [drawn(text) for text in re.findall(r"<FONT[^>]*>(?:<B>)?([^<]*)", match[2])]
        for match in found
    }


def drawn(text: str) -> str:
    """What Graphviz draws for the text of an HTML-like label."""
    return unescape(text).replace("\\\\", "\\")


def edges(source: str) -> list[tuple[str, str, str]]:
    """Start, end and label of the labelled edges of a DOT source."""
    found = re.finditer(r"^\t(\w+) -> (\w+) \[label=<.*?<FONT[^>]*>([^<]*)", source, re.M)
    return [(match[1], match[2], drawn(match[3])) for match in found]


def places(source: str) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of the nodes of a DOT source, downwards."""
    result = {}
    for line in source.splitlines():
        match = re.match(r"^\t(\w+) \[", line)
        place = re.search(r' pos="([-0-9.]+),([-0-9.]+)"', line)
        if match and place:
            size = {
                key: float(value) * 72
                for key, value in re.findall(r" (width|height)=([0-9.]+)", line)
            }
            x, y = float(place[1]), -float(place[2])
            half_width, half_height = size["width"] / 2, size["height"] / 2
            result[match[1]] = (x - half_width, y - half_height, x + half_width, y + half_height)
    return result


def svg_texts(path: Path) -> list[str]:
    tree = ElementTree.parse(path)
    return ["".join(text.itertext()) for text in tree.iter(f"{SVG}text")]


def test_a_data_race_shows_both_accesses_side_by_side() -> None:
    source = dot(results.data_race)
    found = node_texts(source)
    assert list(found)[3:] == ["thread0", "thread1", "step1", "race0", "race1"]
    assert found["race0"] == ["is about to write ready", "self.ready = True"]
    assert found["race1"] == ["is about to read ready", "while not self.ready:"]
    assert edges(source) == [("race0", "race1", "at once")]
    place = places(source)
    assert place["race0"][1::2] == place["race1"][1::2]
    (line,) = [line for line in source.splitlines() if "race0 -> race1" in line]
    assert " dir=none" in line
    assert 'pos="e,' not in line


def test_a_data_race_of_threads_that_are_not_neighbours() -> None:
    source = dot(results.race_between_others)
    assert edges(source) == [("race0", "race3", "at once")]


def test_lost_update_shows_the_three_steps() -> None:
    source = dot(results.lost_update)
    assert node_texts(source) == {
        "title": ["Counter: lost-update on counter"],
        "sentence": [
            "increment[0] overwrites what increment[1] wrote to counter, without",
            "having seen it",
        ],
        "start": ["At the start: counter = 0"],
        "thread0": ["increment[0]"],
        "thread1": ["increment[1]"],
        "step1": ["1 – stale read", "temp = self.counter", "read 0"],
        "step2": ["2", "temp = self.counter", "read 0"],
        "step3": ["3 – lost write", "self.counter = temp + 1", "counter: 0 → 1"],
        "step4": ["4 – overwrites", "self.counter = temp + 1", "counter: 1, unchanged"],
    }
    assert edges(source) == [
        ("step1", "step3", "made stale by"),
        ("step3", "step4", "overwritten by"),
    ]
    for start, end in (("thread0", "step1"), ("step1", "step4"), ("step2", "step3")):
        assert f"\t{start} -> {end} [color=" in source


def test_deadlock_shows_who_holds_what() -> None:
    source = dot(results.philosophers)
    assert edges(source) == [(f"wait{i}", f"wait{(i + 1) % 5}", "held by") for i in range(5)]
    assert node_texts(source)["wait4"] == ["waits for forks[0]", "with self.forks[(i + 1) % N]:"]


def test_a_holder_that_does_not_wait_is_pointed_to_where_it_got_hold() -> None:
    assert edges(dot(results.waiting_for_nobody)) == [("wait1", "step1", "held by")]
    assert edges(dot(results.held_by_itself)) == [
        ("wait0", "wait1", "held by"),
        ("wait1", "step1", "held by"),
    ]


@pytest.mark.parametrize(
    ("make", "texts", "from_nodes"),
    [
        (
            results.exception,
            ["KeyError: 'bob' leaves withdraw", "self.account['bob'] -= amount", "bank.py:20"],
            ["step2"],
        ),
        (
            results.postcondition,
            [
                "every_increment_counts is false when all threads have",
                "finished",
                "return self.counter == 2",
                "counter.py:14",
                "At the end: counter = 1",
            ],
            ["step4", "step3"],
        ),
        (
            results.invariant_at_the_start,
            ["never_empty is false", "return len(self.items) > 0", "empty.py:9"],
            [],
        ),
    ],
)
def test_the_final_node_says_what_failed(
    make: results.Make, texts: list[str], from_nodes: list[str]
) -> None:
    source = dot(make)
    assert node_texts(source)["final"] == texts
    assert re.findall(r"^\t(\w+) -> final ", source, re.M) == from_nodes


def test_threads_that_take_no_part_are_counted() -> None:
    assert node_texts(dot(results.bystanders))["footer"] == ["4 other threads take no step here."]


@every_violation
def test_time_runs_down_and_nothing_overlaps(make: results.Make) -> None:
    place = places(dot(make))
    steps = [place[f"step{step.number}"] for step in make().violations[0].trace.steps]
    waits = [box for name, box in place.items() if name.startswith("wait")]
    for (_, _, _, bottom), (_, top, _, _) in zip(steps, steps[1:] + waits[:1], strict=False):
        assert bottom < top
    boxes = [(name, box) for name, box in place.items() if not name.startswith("lane")]
    for index, (name, (left, top, right, bottom)) in enumerate(boxes):
        for other, box in boxes[index + 1 :]:
            apart = right <= box[0] or box[2] <= left or bottom <= box[1] or box[3] <= top
            assert apart, f"{name} overlaps {other}"


@every_violation
def test_the_same_facts_give_the_same_bytes(make: results.Make) -> None:
    assert dot(make) == dot(make)


@every_violation
@pytest.mark.usefixtures("no_system_dot")
def test_svg_says_what_the_dot_source_says(make: results.Make, tmp_path: Path) -> None:
    source, path = dot(make), tmp_path / "d.svg"
    write_diagram(source, path)
    expected = [text for texts in node_texts(source).values() for text in texts]
    expected += [label for _, _, label in edges(source)]
    assert sorted(svg_texts(path)) == sorted(expected)


@pytest.mark.usefixtures("no_system_dot")
def test_nasty_labels_come_out_as_they_are(tmp_path: Path) -> None:
    source = dot(results.nasty)
    assert node_texts(source)["title"] == ["Näme<T>: assertion"]
    assert node_texts(source)["thread1"] == ['<reader> & "co"']
    path = tmp_path / "名 前.svg"
    write_diagram(source, path)
    texts = svg_texts(path)
    assert f"x is {results.NASTY} and not 中文 🎉" in texts
    assert "At the start: näme = 'e\u0301', <&> = '\\\\'" in texts
    assert "写入者" in texts


@pytest.mark.parametrize("suffix", [".dot", ".gv", ".GV"])
def test_dot_source_needs_no_renderer(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "rendered", None)
    path = tmp_path / f"d{suffix}"
    write_diagram(dot(results.nasty), path)
    assert path.read_bytes() == dot(results.nasty).encode()


@pytest.mark.usefixtures("no_system_dot")
@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG\r\n"), (".pdf", b"%PDF-")])
def test_png_and_pdf(suffix: str, magic: bytes, tmp_path: Path) -> None:
    first, second = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
    write_diagram(dot(results.lost_update), first)
    write_diagram(dot(results.lost_update), second)
    assert first.read_bytes().startswith(magic)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.usefixtures("no_system_dot")
@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_a_character_without_a_font_is_an_error_not_an_empty_box(
    suffix: str, tmp_path: Path
) -> None:
    private = dot(results.lost_update).replace("overwrites what", "\u0378")
    with pytest.raises(DiagramError, match=r"no font on this machine can draw \\u\{378\}"):
        write_diagram(private, tmp_path / f"d{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_system_dot")
@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_without_typst(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(DiagramError, match="pip install typst"):
        write_diagram(dot(results.nasty), tmp_path / f"d{suffix}")


@pytest.mark.parametrize("name", ["d.jpg", "d", "svg", "d.svg.txt"])
def test_an_unknown_suffix_names_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(DiagramError, match=r"\.dot, \.gv, \.svg, \.png, \.pdf") as caught:
        write_diagram("digraph {}", tmp_path / name)
    assert isinstance(caught.value, InterleaveError)


@pytest.mark.usefixtures("no_system_dot")
def test_a_failed_rendering_says_why(tmp_path: Path) -> None:
    with pytest.raises(DiagramError, match=r"graphviz-pure failed to render.*syntax error"):
        write_diagram("digraph {", tmp_path / "d.svg")
    assert list(tmp_path.iterdir()) == []


def test_no_renderer_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(DiagramError, match="pip install graphviz-pure"):
        write_diagram("digraph {}", tmp_path / "d.svg")


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DiagramError, match=r"cannot write .*missing"):
        write_diagram("digraph {}", tmp_path / "missing" / "d.dot")


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for dot is a shell script")
def test_a_system_dot_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "dot"
    stand_in.write_text('#!/bin/sh\necho "$@"\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for suffix, arguments in ((".svg", "-Tsvg"), (".png", "-Tpng -Gdpi=144"), (".pdf", "-Tpdf")):
        write_diagram("digraph {}", tmp_path / f"d{suffix}")
        assert (tmp_path / f"d{suffix}").read_text() == f"{arguments}\n"


def test_a_very_long_drawing_has_a_lower_resolution() -> None:
    assert drawing._dots_per_inch(dot(results.crowd)) == 144
    assert drawing._dots_per_inch(' pos="10.0,-14400.0"') == 80


def test_reports_import_neither_graphviz_nor_typst() -> None:
    program = (
        "import sys\n"
        "from interleave.report import diagram, document, text\n"
        "print([name for name in ('graphviz', 'typst', 'rich', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
