"""Small state graphs in full, and the size of every model, as they are written down in golden/.

`python tests/test_golden.py` writes the files anew. What they differ in is for a person to look at:
each line of a graph is a state or a transition, each line of the table a model.
"""

from __future__ import annotations

import difflib
import functools
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from interleave import Model, check, explore, invariant, section, thread
from interleave.loading import load_models, model_files
from interleave.result import ModelResult

ROOT = Path(__file__).parent.parent
MODELS = ROOT / "models"
GOLDEN = ROOT / "tests" / "golden"
TABLE = "models.txt"


class Counter(Model):
    """Two threads, one increment each."""

    counter = 0

    @thread(2)
    def increment(self):
        current = self.counter
        self.counter = current + 1


class SpinFlag(Model):
    """One thread waits in a loop for the other."""

    ready = False
    data = 0

    @thread
    def writer(self):
        self.data = 1
        self.ready = True

    @thread
    def reader(self):
        while not self.ready:
            pass
        assert self.data == 1


class TwoLocks(Model):
    """Each thread takes the two locks in its own order."""

    a = threading.Lock()
    b = threading.Lock()

    @thread
    def forwards(self):
        with self.a, self.b:
            pass

    @thread
    def backwards(self):
        with self.b, self.a:
            pass


class OneFlag(Model):
    """Both threads can get into the section; and one of them fails."""

    occupied = False

    @thread(2)
    def worker(self, i):
        while self.occupied:
            pass
        self.occupied = True
        with section("critical"):
            pass
        if i:
            raise ValueError

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1


GRAPHS: dict[str, type[Model] | tuple[Path, str]] = {
    "counter.txt": Counter,
    "spin_flag.txt": SpinFlag,
    "two_locks.txt": TwoLocks,
    "one_flag.txt": OneFlag,
    "peterson.txt": (MODELS / "classics" / "peterson.py", "Peterson"),
}


def graph_text(name: str, engine: str = "auto") -> str:
    """The state graph of one of the models above."""
    chosen = GRAPHS[name]
    if isinstance(chosen, tuple):
        file, model = chosen
        return explore(file, model=model, engine=engine).to_text()
    return explore(chosen, engine=engine).to_text()


COLUMNS = (
    "model", "parameters", "states", "transitions", "depth", "interleavings", "verdict",
)  # fmt: skip


@functools.cache
def table_text() -> str:
    """A line for each model in models/, below the name of its file."""
    lines = [_row(dict(zip(COLUMNS, COLUMNS, strict=True)))]
    for file in model_files([MODELS]):
        lines += ["", file.relative_to(MODELS).as_posix()]
        lines += [_row(_facts(found)) for found in check(file).models]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _facts(found: ModelResult) -> Mapping[str, str]:
    counted = found.interleavings
    assert counted is not None, f"the search of {found.model} is not complete"
    kinds = dict.fromkeys(violation.kind for violation in found.violations)
    return {
        "model": found.model,
        "parameters": " ".join(f"{name}={value}" for name, value in found.parameters.items()),
        "states": f"{found.states:,}",
        "transitions": f"{found.transitions:,}",
        "depth": f"{found.depth:,}",
        "interleavings": "endless" if counted.total is None else f"{counted.total:,}",
        "verdict": ", ".join([found.verdict, *kinds]),
    }


def _row(cells: Mapping[str, str]) -> str:
    """A line of the table. Its columns have fixed widths, so that one change is one line."""
    return (
        "  {model:24} {parameters:16} {states:>9} {transitions:>12} {depth:>6} {interleavings:>16}"
        "  {verdict}"
    ).format(**cells)


def differences(name: str, now: str) -> str:
    """What is not as it is written down; "" if nothing is."""
    file = GOLDEN / name
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    lines = difflib.unified_diff(
        before.splitlines(), now.splitlines(), f"golden/{name}", "now", lineterm=""
    )
    return "\n".join(lines)


def fail_if(difference: str) -> None:
    """Fail with the difference, and with what to do if it is meant."""
    if difference:
        remedy = "If this is as it should be: python tests/test_golden.py"
        pytest.fail(f"{difference}\n\n{remedy}", pytrace=False)


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_is_as_written_down(name: str, engine: str) -> None:
    fail_if(differences(name, graph_text(name, engine)))


def test_every_model_is_as_written_down() -> None:
    fail_if(differences(TABLE, table_text()))


def test_no_file_is_left_over() -> None:
    assert sorted(file.name for file in GOLDEN.iterdir()) == sorted([TABLE, *GRAPHS])


def test_the_table_has_every_model() -> None:
    listed = {line.split()[0] for line in table_text().splitlines() if line.startswith("  ")}
    names = {model.__name__ for file in model_files([MODELS]) for model in load_models(file)}
    assert listed - {"model"} == names


def test_a_difference_is_shown_as_lines() -> None:
    text = graph_text("counter.txt").replace("counter: 1 → 2", "counter: 1 → 3")
    lines = differences("counter.txt", text).splitlines()[2:]
    changed = [line for line in lines if line[0] in "+-"]
    assert changed == [
        "-  6 -> 10 | increment[1] | write counter | counter: 1 → 2",
        "+  6 -> 10 | increment[1] | write counter | counter: 1 → 3",
        "-  9 -> 10 | increment[0] | write counter | counter: 1 → 2",
        "+  9 -> 10 | increment[0] | write counter | counter: 1 → 3",
    ]


def test_lines_of_the_file_do_not_matter() -> None:
    """A comment more or less changes nothing."""

    class Counter(Model):
        counter = 0

        @thread(2)
        def increment(self):
            # One more line.
            current = self.counter

            self.counter = current + 1

    assert explore(Counter).to_text() == graph_text("counter.txt")


def test_an_incomplete_graph_says_so() -> None:
    first, *_, last = explore(Counter, max_states=4).to_text().splitlines()
    assert first == "Counter: 4 states, 3 transitions - reached the limit of 4 states"
    assert last.startswith("3 | ")


def write() -> None:
    """Bring the files up to date, and say what changed."""
    GOLDEN.mkdir(exist_ok=True)
    for name in [TABLE, *GRAPHS]:
        text = table_text() if name == TABLE else graph_text(name)
        if difference := differences(name, text):
            print(difference, end="\n\n")
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(write())
