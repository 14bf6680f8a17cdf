"""`probe`: all that stands in the way of a check."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import interleave
from interleave.cli import main
from interleave.probing import Probed

LIBRARY = """
import sqlite3, threading, time

class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.items = {}
    def put(self, key, value):
        with self.lock:
            self.items[key] = value
    def get(self, key):
        return self.items.get(key)
    def save(self):
        base = sqlite3.connect(":memory:")
        base.commit()
        self._flush()
    def _flush(self):
        return time.process_time_ns()
    def now(self):
        return time.thread_time()
    def both(self, early=True):
        if early:
            return time.thread_time()
        return time.pthread_getcpuclockid(1)
    async def wait(self):
        return self.items
    def unused(self, *, flag: bool):
        return helper(flag)

def helper(flag):
    return flag if flag else sqlite3.connect("x")

class Grows(Store):
    def add_all(self, items):
        self.items.update(items)
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    name = f"probed_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop(name, None)
    return name


def what(errors: tuple[interleave.ModelError, ...]) -> list[tuple[str, int]]:
    """The name that is refused, and the line."""
    return [(each.what.split(" ")[0], each.place.line) for each in errors if each.place]


def by_name(found: tuple[Probed, ...]) -> dict[str, Probed]:
    return {each.name: each for each in found}


def test_each_public_method_is_tried(store: str) -> None:
    found = by_name(interleave.probe(f"{store}:Store()"))
    refused = [name for name, each in found.items() if each.refused]
    assert refused == ["both()", "now()", "save()"]
    assert {*found} - {*refused} == {"get(1)", "put(1, 1)", "unused(flag=True)", "wait()"}
    assert not any(each.raises for each in found.values())
    assert not any(each.limit for each in found.values())


def test_a_call_with_wrong_arguments(store: str) -> None:
    found = by_name(interleave.probe(f"{store}:Grows()"))
    raises = {name: each.raises for name, each in found.items() if each.raises}
    assert raises == {"add_all(1)": "TypeError(\"'int' object is not iterable\")"}
    (right,) = interleave.probe(f"{store}:Grows()", "add_all({1: 2})")
    assert (right.refused, right.raises) == ((), "")
    with pytest.raises(interleave.ModelError, match=r"put\(1\)\[0\] raises TypeError\("):
        interleave.probe(f"{store}:Grows()", "put(1)")


def test_code_after_what_is_refused_is_read(store: str) -> None:
    (save,) = interleave.probe(f"{store}:Store()", "save()")
    assert what(save.refused) == [("sqlite3.connect", 14)]
    assert ("time.process_time_ns", 18) in what(save.ahead)


def test_code_that_was_not_come_to_is_read(store: str) -> None:
    (both,) = interleave.probe(f"{store}:Store()", "both()")
    assert what(both.refused) == [("time.thread_time", 23)]
    assert what(both.ahead) == [("time.pthread_getcpuclockid", 24)]
    (unused,) = interleave.probe(f"{store}:Store()", "unused(flag=True)")
    assert (unused.refused, what(unused.ahead)) == ((), [("sqlite3.connect", 31)])


def test_what_would_be_followed(store: str) -> None:
    (unused,) = interleave.probe(f"{store}:Store()", "unused(flag=True)")
    (file,) = unused.followed
    assert Path(file.file).name == f"{store}.py"
    assert file.functions == ("Store.unused", "helper")


def test_the_other_threads_of_a_model_go_on(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text("""
import os, time
from interleave import Model, thread
class M(Model):
    n = 0
    @thread
    def first(self):
        self.n = 1
        self.n
        os.fork()
    @thread
    def second(self):
        if self.n:
            self.n
            time.thread_time()
        else:
            os.execv("x", [])
""")
    (found,) = interleave.probe(file)
    assert found.name == "M"
    assert sorted(line for _, line in what(found.refused)) == [10, 15, 17]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "import threading, os\ndef run():\n    os.fork()\nthreading.Thread(target=run).start()",
            [3],
        ),
        (
            "import threading\ndef run():\n    print(1)\nt = threading.Thread(target=run)\nt.start()",
            [],
        ),
    ],
)
def test_scripts(tmp_path: Path, text: str, lines: list[int]) -> None:
    file = tmp_path / "script.py"
    file.write_text(text)
    (found,) = interleave.probe(file)
    assert [line for _, line in what(found.refused)] == lines


def test_what_setup_is_refused_for(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text("""
import socket
from interleave import Model, thread
class M(Model):
    def setup(self):
        self.s = socket.socket()
    @thread
    def t(self):
        self.s.close()
""")
    (found,) = interleave.probe(file)
    assert len(found.refused) == 1


def test_a_limit_is_told(store: str) -> None:
    (found,) = interleave.probe(f"{store}:Store()", "put(1, 1)", max_states=2)
    assert "2 states" in found.limit


def test_the_command(store: str) -> None:
    found = CliRunner().invoke(main, ["probe", f"{store}:Store()"])
    assert found.exit_code == 2
    lines = found.stdout.splitlines()
    assert lines[0] == f"{store}:Store(): 3 things in the way, and 3 more may be"
    assert "  in the way of: save()" in lines
    assert "Nothing is in the way of: get(1), put(1, 1), unused(flag=True), wait()" in lines
    assert CliRunner().invoke(main, ["probe", f"{store}:Store()", "get(1)"]).exit_code == 0
    few = CliRunner().invoke(main, ["probe", f"{store}:Store()", "get(1)", "--max-states", "1"])
    assert (few.exit_code, "Only a part was looked at" in few.stdout) == (3, True)
    assert few.stdout.splitlines()[0].endswith("(only a part was looked at)")
