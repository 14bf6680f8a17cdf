"""Pictures of state graphs, read back by Graphviz: what is drawn, how it is marked and named."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import graph_models as models
import networkx
import pytest

import interleave
from interleave.errors import UsageError
from interleave.report.graph import graph_dot, picture
from interleave.report.graph.picture import draw
from interleave.stategraph import StateGraph

SVG = "{http://www.w3.org/2000/svg}"
ALARM = "#b84700"


@dataclass
class Drawn:
    """What an SVG shows: lines of text by node, and of each edge, with its colour and its width."""

    nodes: dict[str, list[str]]
    edges: list[tuple[str, str, list[str], str, float]]
    heading: list[str]
    shapes: dict[str, int]

    def pairs(self) -> Counter[tuple[str, str]]:
        return Counter((start, end) for start, end, *_ in self.edges)

    def node(self, *lines: str) -> str:
        (found,) = [name for name, texts in self.nodes.items() if texts == list(lines)]
        return found


def rendered(source: str) -> Drawn:
    """The DOT source as graphviz-pure draws it; edges drawn from their ends are turned again."""
    executable = Path(sysconfig.get_path("scripts")) / "graphviz-pure"
    done = subprocess.run([executable, "-Tsvg"], input=source.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    root = ElementTree.fromstring(done.stdout.decode())
    written = re.findall(r"^\t(\w+) -> (\w+) \[(.*)\]$", source, re.M)
    drawn = Drawn({}, [], [], {})
    top = root.find(f"{SVG}g")
    assert top is not None
    drawn.heading = [text.text or "" for text in top.findall(f"{SVG}text")]
    for group in root.iter(f"{SVG}g"):
        title = group.findtext(f"{SVG}title") or ""
        texts = [(text.text or "").replace("\xa0", " ") for text in group.iter(f"{SVG}text")]
        if group.get("class") == "node":
            drawn.nodes[title] = texts
            drawn.shapes[title] = len(group.findall(f"{SVG}path"))
        elif group.get("class") == "edge":
            start, end, attributes = written[int((group.get("id") or "").removeprefix("edge")) - 1]
            assert title == f"{start}->{end}"
            if "dir=back" in attributes:
                start, end = end, start
            path = group.find(f".//{SVG}path")
            assert path is not None
            color = (path.get("stroke") or "").lower()
            drawn.edges.append((start, end, texts, color, float(path.get("stroke-width") or 1)))
    return drawn


@pytest.fixture(scope="module")
def counter() -> StateGraph:
    return interleave.explore(models.Counter)


@pytest.fixture(scope="module")
def counter_2x2() -> StateGraph:
    return interleave.explore(models.Counter, parameters={"K": 2})


@pytest.fixture(scope="module")
def forks() -> StateGraph:
    return interleave.explore(models.Forks)


def test_two_increments_are_drawn_as_six_nodes_and_eight_edges(counter: StateGraph) -> None:
    drawn = rendered(graph_dot(counter))
    assert len(counter) == 12
    assert len(drawn.nodes) == 6
    assert len(drawn.edges) == 8
    read = next(p for p in counter[0].threads.values()).source
    assert read is not None
    lines = (f"line {read.line}", f"line {read.line + 1}")
    begin = drawn.node("counter = 0", f"[0] {lines[0]}", f"[1] {lines[0]}")
    one_read = drawn.node("counter = 0", f"[0] {lines[1]}", f"[1] {lines[0]}")
    both_read = drawn.node("counter = 0", f"[0] {lines[1]}", f"[1] {lines[1]}")
    lost = drawn.node(
        "breaks nothing_lost",
        "lost-update on counter",
        "counter = 1",
        "[0] finished",
        "[1] finished",
    )
    good = drawn.node("counter = 2", "[0] finished", "[1] finished")
    texts = {(start, end, *lines) for start, end, lines, *_ in drawn.edges}
    assert (begin, one_read, "[0] read counter") in texts
    assert (one_read, good, "[0] counter: 0 → 1", "[1] read counter", "[1] counter: 1 → 2") in texts
    assert (both_read, lost, "[0] counter: 0 → 1", "[1] counter: 1, unchanged") in texts
    assert drawn.pairs()[both_read, lost] == 2
    # A final state has a second border.
    assert [drawn.shapes[name] for name in (begin, both_read, lost, good)] == [1, 1, 2, 2]


def test_the_first_counterexample_is_one_way_from_an_initial_state_to_its_end(
    counter_2x2: StateGraph,
) -> None:
    drawn = rendered(graph_dot(counter_2x2))
    thick = [(start, end) for start, end, _, color, width in drawn.edges if width > 2]
    assert {color for *_, color, width in drawn.edges if width > 2} == {ALARM}
    ends = [f"state{counter_2x2.counterexamples[0].states[index]}" for index in (0, -1)]
    assert networkx.shortest_path(networkx.DiGraph(thick), *ends)
    assert len(thick) == len(networkx.shortest_path(networkx.DiGraph(thick), *ends)) - 1
    other = [(start, end) for start, end, _, color, width in drawn.edges if 1 < width < 2]
    assert len(counter_2x2.counterexamples) == 2
    last = f"state{counter_2x2.counterexamples[1].states[-1]}"
    # It shares its first step with the other one, which is drawn thick.
    assert networkx.has_path(networkx.DiGraph([*thick, *other]), ends[0], last)
    assert other


def test_nothing_is_marked_where_nothing_is_wrong() -> None:
    drawn = rendered(graph_dot(interleave.explore(models.Counter, parameters={"N": 1})))
    assert not [edge for edge in drawn.edges if edge[3] == ALARM]
    assert drawn.heading == [
        "Counter, N=1, K=1: state graph",
        "3 states, 2 transitions; 1 state without a choice folded into edges",
        "an initial state",
        "a final state: the threads have ended",
    ]


def test_a_deadlock_says_who_waits(forks: StateGraph) -> None:
    drawn = rendered(graph_dot(forks))
    (deadlock,) = [texts for texts in drawn.nodes.values() if texts[0] == "deadlock"]
    assert deadlock[1:3] == ["forks[0] = locked", "forks[1] = locked"]
    assert [text.endswith(", waits") for text in deadlock[3:]] == [True, True]
    assert "the shortest way to: deadlock" in drawn.heading
    # About to release a lock is not about to acquire it, though it says the same line.
    assert any(text.endswith(" (end)") for lines in drawn.nodes.values() for text in lines)
    # Each transition is still there, on an edge with as many lines as it stands for.
    links = Counter(forks.to_networkx().edges())
    assert sum(len(lines) for _, _, lines, *_ in drawn.edges) == sum(links.values())
    single = Counter((start, end) for start, end, lines, *_ in drawn.edges if len(lines) == 1)
    assert single <= Counter({(f"state{a}", f"state{b}"): n for (a, b), n in links.items()})
    assert len(single) == 6


@pytest.mark.parametrize(
    ("by", "key"), [(None, lambda counter: counter), ("counter % 2", lambda counter: counter % 2)]
)
def test_a_quotient_counts_states_and_transitions(
    counter_2x2: StateGraph, by: str | None, key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "MOST_NODES", 5)
    graph = counter_2x2.to_networkx()
    group = {number: key(facts["variables"]["counter"]) for number, facts in graph.nodes(data=True)}
    states = Counter(group.values())
    links = Counter((group[source], group[target]) for source, target in graph.edges())
    drawn = rendered(graph_dot(counter_2x2, by=by))
    named = {}
    for name, texts in drawn.nodes.items():
        (title,) = [text for text in texts if text.startswith("counter")]
        value = int(title.rpartition(" = ")[2])
        named[name] = value
        counted = [text for text in texts if "state" in text or "inside" in text]
        assert counted[0].split(",")[0] == f"{states[value]} state{'s'[: states[value] - 1]}"
        inside = links[value, value]
        assert counted[1:] == ([f"{inside} step{'s'[: inside - 1]} inside"] if inside else [])
    assert len(drawn.nodes) == len(states) == (5 if by is None else 2)
    between = {link: number for link, number in links.items() if link[0] != link[1]}
    assert {(named[a], named[b]): lines for a, b, lines, *_ in drawn.edges} == {
        link: [str(number)] for link, number in between.items()
    }
    assert len(drawn.edges) == len(between) == (6 if by is None else 2)
    title = " ".join(drawn.heading)
    assert f"quotient of the state graph by {by or 'counter'}" in title


def test_a_quotient_carries_the_marks_over(counter_2x2: StateGraph) -> None:
    drawn = rendered(graph_dot(counter_2x2, by="counter"))
    texts = {lines[-3 if "inside" in lines[-1] else -2]: lines for lines in drawn.nodes.values()}
    assert "1 breaks nothing_lost" in texts["counter = 2"]
    assert "lost-update on counter" in texts["counter = 1"]
    assert texts["counter = 4"] == ["counter = 4", "1 state"]


def test_which_picture_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    small = interleave.explore(models.Counter)
    assert draw(small)[1] == ""
    assert draw(small, by="counter")[1] == "3 groups by counter"
    monkeypatch.setattr(picture, "MOST_NODES", 6)
    assert draw(small)[1] == ""
    monkeypatch.setattr(picture, "MOST_NODES", 5)
    assert draw(small)[1] == "3 groups by counter"
    assert len(rendered(draw(small, full=True)[0]).nodes) == 6
    monkeypatch.setattr(picture, "MOST_GROUPS", 2)
    with pytest.raises(UsageError, match="still 3 groups of them by counter") as caught:
        draw(small)
    assert "--by EXPR" in caught.value.remedy
    with pytest.raises(UsageError, match="not both"):
        draw(small, by="counter", full=True)
    with pytest.raises(UsageError, match="'nonsense' cannot be evaluated"):
        draw(small, by="nonsense")


def test_locks_and_threads_can_be_grouped_by(forks: StateGraph) -> None:
    assert draw(forks, by="forks[0]")[1] == "2 groups by forks[0]"
    assert draw(forks, by="forks")[1] == "4 groups by forks"
    places = {str(state.threads["philosopher[0]"]) for state in forks.states()}
    assert draw(forks, by="philosopher[0]")[1] == f"{len(places)} groups by philosopher[0]"


def test_an_incomplete_graph_says_so() -> None:
    graph = interleave.explore(models.Forks, parameters={"N": 3}, max_states=20)
    heading = rendered(graph_dot(graph)).heading
    assert "Incomplete: reached the limit of 20 states. There are more states." in heading


def test_texts_arrive_as_they_are() -> None:
    graph = interleave.explore(models.Odd)
    drawn = rendered(graph_dot(graph, full=True))
    texts = {text for lines in drawn.nodes.values() for text in lines}
    assert "text = 'a<b> & \"c\" \\\\N \\\\G é'" in texts
    assert "text = 'one\\ntwo → π\\x07\\ud800'" in texts
    assert "unused = 7" not in texts
    steps = {text for _, _, lines, *_ in drawn.edges for text in lines}
    assert {"choose_one: chose '<b>'", "choose_one: chose '\\\\G', raised KeyError"} <= steps
    assert "a step that an exception ends" in drawn.heading


def test_the_same_bytes_each_time(forks: StateGraph) -> None:
    again = interleave.explore(models.Forks)
    assert graph_dot(forks) == graph_dot(again) == graph_dot(again)


def test_long_runs_are_cut_in_the_middle() -> None:
    graph = interleave.explore(models.Counter, parameters={"N": 1, "K": 20})
    drawn = rendered(graph_dot(graph))
    assert len(drawn.nodes) == 2
    ((_, _, lines, _, _),) = drawn.edges
    assert lines[:2] == ["increment: read counter", "increment: counter: 0 → 1"]
    assert lines[-1] == "increment: counter: 19 → 20"
    assert [line for line in lines if "more" in line] == [f"… {40 - len(lines) + 1} more steps …"]


def test_a_counterexample_is_a_path_of_transitions(counter_2x2: StateGraph) -> None:
    graph = counter_2x2.to_networkx()
    for example in counter_2x2.counterexamples:
        assert all(graph.has_edge(*pair) for pair in pairwise(example.states))
