"""State graphs as GraphML and JSON, and the command that writes them: read back independently."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import graph_models as models
import networkx
import pytest
from click.testing import CliRunner, Result

import interleave
from interleave.cli import main
from interleave.errors import UsageError
from interleave.report.drawing import DiagramError
from interleave.report.graph import graph_document, write_graph
from interleave.showing import to_json

MODELS = str(Path(models.__file__))


@pytest.mark.parametrize("model", [models.Counter, models.Forks, models.Odd])
def test_graphml_is_all_of_the_graph(model: type, tmp_path: Path) -> None:
    graph = interleave.explore(model)
    file = tmp_path / "graph.graphml"
    assert write_graph(graph, file) == ""
    found = networkx.read_graphml(file, node_type=int, force_multigraph=True)
    wanted = graph.to_networkx()
    assert found.graph["model"] == model.__name__
    assert found.graph["complete"] is True
    assert isinstance(found, networkx.MultiDiGraph)
    assert list(found.nodes) == list(wanted.nodes)
    assert Counter(found.edges()) == Counter(wanted.edges())
    for number, facts in wanted.nodes(data=True):
        read = found.nodes[number]
        for name in ("initial", "final", "deadlock"):
            assert read[name] is facts[name]
        assert read["violations"] == ", ".join(facts["violations"])
        assert {f"threads.{name}": place for name, place in facts["threads"].items()} == {
            name: value for name, value in read.items() if name.startswith("threads.")
        }
    names = ("thread", "access", "line", "outcome", "failure")
    assert Counter(
        (a, b, *(facts[name] for name in names)) for a, b, facts in found.edges(data=True)
    ) == Counter(
        (a, b, *(facts[name] for name in names)) for a, b, facts in wanted.edges(data=True)
    )


def test_graphml_keeps_numbers_and_says_what_it_cannot_hold(tmp_path: Path) -> None:
    file = tmp_path / "odd.graphml"
    write_graph(interleave.explore(models.Odd), file)
    found = networkx.read_graphml(file, node_type=int)

    def values(name: str) -> set[object]:
        return {facts[f"variables.{name}"] for _, facts in found.nodes(data=True)}

    assert values("initial") == {0.5, 1.5}
    assert values("big") == {"0", str(2**70)}
    assert values("mixed") == {"1", "None"}
    assert values("text") == {'a<b> & "c" \\N \\G é', "one\ntwo → π\\x07\\ud800"}
    changes = {facts["changes"] for _, _, facts in found.edges(data=True)}
    assert "mixed: 1 → None" in changes


def test_counter_values_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "counter.graphml"
    write_graph(interleave.explore(models.Counter), file)
    found = networkx.read_graphml(file, node_type=int)
    final = [facts for _, facts in found.nodes(data=True) if facts["final"]]
    assert sorted(facts["variables.counter"] for facts in final) == [1, 2]


@pytest.mark.parametrize("model", [models.Counter, models.Forks, models.Odd])
def test_json_is_all_of_the_graph(model: type, tmp_path: Path) -> None:
    graph = interleave.explore(model)
    file = tmp_path / "graph.json"
    write_graph(graph, file)
    document = json.loads(file.read_text("utf-8"))
    assert document == graph_document(graph)
    assert document["schema"] == 1
    assert document["model"] == model.__name__
    assert document["parameters"] == graph.result.parameters
    assert document["complete"] is True
    assert [state["number"] for state in document["states"]] == list(range(len(graph)))
    for state, read in zip(graph.states(), document["states"], strict=True):
        assert read["variables"].keys() == state.variables.keys()
        assert read["threads"] == {
            name: {
                "status": position.status,
                "line": position.source.line if position.source else None,
            }
            for name, position in state.threads.items()
        }
        assert [read["initial"], read["final"], read["deadlock"], tuple(read["violations"])] == [
            state.initial,
            state.final,
            state.deadlock,
            state.violations,
        ]
    for step, read in zip(graph.transitions(), document["transitions"], strict=True):
        assert (read["source"], read["target"], read["thread"]) == (
            step.source,
            step.target,
            step.thread,
        )
        assert read["changes"].keys() == {change.location for change in step.changes}
        # What a transition changes is what differs between its ends.
        ends = [document["states"][read[end]]["variables"] for end in ("source", "target")]
        differing = {name: [ends[0][name], ends[1][name]] for name in ends[0]}
        for name, both in differing.items():
            assert read["changes"].get(name, [both[0]] * 2) == both
    assert [example["states"] for example in document["counterexamples"]] == [
        list(example.states) for example in graph.counterexamples
    ]


def test_json_values() -> None:
    document = graph_document(interleave.explore(models.Odd))
    last = document["states"][-1]["variables"]
    assert last["big"] == 2**70
    assert last["mixed"] is None
    assert last["text"] == to_json("one\ntwo → π\x07\ud800") == "one\ntwo → π\x07\\ud800"
    assert {step["failure"] for step in document["transitions"]} == {"", "KeyError"}
    assert [example["kind"] for example in document["counterexamples"]] == [
        "exception",
        "invariant",
    ]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["graph", *arguments], catch_exceptions=False)


@pytest.mark.parametrize("suffix", [".dot", ".gv", ".svg", ".png", ".pdf", ".graphml", ".json"])
def test_the_command_writes_each_format(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"graph{suffix}"
    done = run(MODELS, "-m", "Counter", "-o", str(file))
    assert done.exit_code == 0, done.output
    assert done.stderr == f"Counter: 12 states: written to {file}\n"
    start = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF", ".json": b'{\n  "schema": 1'}
    assert file.read_bytes().startswith(start.get(suffix, b""))
    assert file.stat().st_size > 1000


@pytest.mark.slow
def test_the_command_says_what_it_draws(tmp_path: Path) -> None:
    file = str(tmp_path / "graph.dot")
    done = run(MODELS, "-m", "Counter", "-p", "K=2", "-o", file, "--by", "counter % 2")
    assert done.exit_code == 0
    assert done.stderr == f"Counter: 57 states, 2 groups by counter % 2: written to {file}\n"
    done = run(MODELS, "-m", "Counter", "-p", "N=3", "-p", "K=2", "-o", file)
    assert "904 states, 7 groups by counter: written" in done.stderr
    done = run(MODELS, "-m", "Counter", "-p", "N=3", "-o", file, "--full")
    assert "59 states: written" in done.stderr


def test_an_incomplete_search_is_drawn_and_told(tmp_path: Path) -> None:
    file = tmp_path / "graph.dot"
    done = run(MODELS, "-m", "Counter", "-o", str(file), "--max-states", "7")
    assert done.exit_code == 3
    assert "the search is incomplete: reached the limit of 7 states" in done.stderr
    assert "Incomplete: reached the limit of 7 states" in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.jpg"], ".dot, .gv, .svg, .png, .pdf, .graphml, .json"),
        (["-m", "Counter"], "Missing option '-o'"),
        (["-o", "x.svg"], "3 models"),
        (["-o", "x.json", "--by", "counter"], "ungrouped"),
        (["-o", "x.svg", "--by", "counter", "--full"], "not both"),
        (["-m", "Counter", "-o", "x.svg", "--by", "count"], "'count' cannot be evaluated"),
        (["-m", "Counter", "-o", "x.svg", "-p", "M=2"], "M"),
        (["-m", "Counter", "-o", "no/such/folder/x.json"], "cannot write"),
    ],
)
def test_wrong_usage(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(MODELS, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_wrong_suffix_is_told_before_the_search(tmp_path: Path) -> None:
    done = run(str(tmp_path / "no_such_model.py"), "-o", "x.jpg")
    assert done.exit_code == 2
    assert "suffix" in done.stderr


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DiagramError, match="cannot write"):
        write_graph(interleave.explore(models.Counter), tmp_path / "no" / "graph.graphml")


class MadeLate(interleave.Model):
    total = 0

    @interleave.thread
    def main(self):
        self.late = 1
        self.total = self.late


def test_an_attribute_that_is_made_late_is_no_name_before(tmp_path: Path) -> None:
    graph = interleave.explore(MadeLate)
    assert [graph.value("total", state.number) for state in graph.states()] == [0, 0, 0, 1]
    with pytest.raises(UsageError, match="'late' cannot be evaluated"):
        graph.value("late", 0)
