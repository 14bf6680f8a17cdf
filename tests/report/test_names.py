"""Objects are called by the place where they are, and not by one where they were."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import check
from interleave.report import words
from interleave.result import Trace

HEADER = """
import queue
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from interleave import Model, go, goroutine, thread


class Node:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next


class Server:
    def __init__(self):
        self.mu = go.Mutex()
        self.done = go.nil

    def start(self):
        self.done = go.Chan()


@dataclass(frozen=True)
class Record:
    lock: object
    more: object


def serve():
    server = Server()
    server.start()
    return server


class M(Model):
"""


def trace_of(folder: Path, body: str) -> tuple[str, Trace]:
    """What is found of a model with this body, and how it comes to it."""
    file = folder / "model.py"
    file.write_text(HEADER + textwrap.indent(textwrap.dedent(body), "    "))
    (found,) = check(file).models
    (violation,) = found.violations
    return violation.message, violation.trace


MADE = {
    "list": ("[1]", "[1]"),
    "dict": ("{'a': 1}", "{'a': 1}"),
    "set": ("{1}", "{1}"),
    "deque": ("deque([1])", "deque([1])"),
    "instance": ("Node(1)", "Node(value=1, next=None)"),
    "instances": ("Node(1, Node(2))", "Node(value=1, next=Node(value=2, next=None))"),
    "lists": ("[[1], [2]]", "[[1], [2]]"),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("first", ["None", "Node(0)", "[0]"])
def test_what_replaces_a_value_has_its_name(tmp_path: Path, kind: str, first: str) -> None:
    source, shown = MADE[kind]
    body = f"""
    def setup(self):
        self.kept = {first}

    @thread
    def t(self):
        self.kept = {source}
        assert False
    """
    _, trace = trace_of(tmp_path, body)
    (change,) = trace.steps[-1].changes
    before = first if first.startswith(("None", "[")) else "Node#1"
    assert words.change_text(change) == f"kept: {before} → {shown}"
    assert str(dict(trace.final)["kept"]) == shown


@pytest.mark.parametrize("place", ["self.kept", "self.all[0]", "self.by_name['x']"])
def test_what_is_changed_in_its_place_is_told_by_the_part(tmp_path: Path, place: str) -> None:
    body = f"""
    def setup(self):
        self.kept, self.all, self.by_name = None, [None], {{"x": None}}

    @thread
    def t(self):
        {place} = Node(1)
        {place}.value = 2
        assert False
    """
    _, trace = trace_of(tmp_path, body)
    name = place.removeprefix("self.")
    assert [words.change_text(each) for each in trace.steps[-1].changes] == [f"{name}.value: 1 → 2"]


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ("mu = go.Mutex()", "mu"),
        ("server = serve()", "server.mu"),
        ("cc = Node(serve())", "cc.value.mu"),
        ("all = [serve(), 0]", "all[0].mu"),
        ("server = Server(); cc = Node(server.mu); server = None", "cc.value"),
        ("self.mu = go.Mutex()", "mu"),
        ("self.cc = Server()", "cc.mu"),
        ("server = Server(); self.cc = server", "cc.mu"),
    ],
)
def test_what_a_goroutine_makes_is_called_by_what_leads_to_it(
    tmp_path: Path, made: str, name: str
) -> None:
    path = f"self.{name}" if "self." in made else name
    statements = made.replace("; ", "\n        ")
    variables = "mu = cc = None" if "self." in made else ""
    body = f"""
    {variables}

    @goroutine
    def main(self):
        {statements}
        {path}.Lock()
        {path}.Lock()
    """
    message, trace = trace_of(tmp_path, body)
    assert message.endswith(f"main waits for {name}, which it holds itself")
    assert name in [each.location for step in trace.steps for each in step.accesses]


@pytest.mark.parametrize("call", ["go.spawn(lambda: srv.done.recv())", "go.spawn(srv.done.recv)"])
def test_what_a_method_keeps_is_not_called_self(tmp_path: Path, call: str) -> None:
    body = f"""
    @goroutine
    def main(self):
        srv = serve()
        {call}
        srv.done.recv()
    """
    message, _ = trace_of(tmp_path, body)
    assert "main waits for srv.done" in message
    assert "self" not in message


def test_what_was_replaced_is_called_by_what_still_holds_it(tmp_path: Path) -> None:
    body = """
    def setup(self):
        self.lock = threading.Lock()
        self.other = None

    @thread
    def t(self):
        old = self.lock
        old.acquire()
        self.lock = threading.Lock()
        self.other = 1
        old.acquire()
    """
    message, trace = trace_of(tmp_path, body)
    assert message == "t waits for old, which it holds itself"
    assert str(dict(trace.final)["lock"]) == "unlocked"


def test_what_two_places_have_exchanged_is_called_anew(tmp_path: Path) -> None:
    body = """
    def setup(self):
        self.a, self.b = [1], [2]

    @thread
    def t(self):
        self.a, self.b = self.b, self.a
        self.a.append(3)
        assert False
    """
    _, trace = trace_of(tmp_path, body)
    assert dict(trace.final) == {"a": [2, 3], "b": [1]}
    assert trace.steps[-1].changes[0].location == "a"


def test_what_was_taken_from_a_list_is_no_element_of_it(tmp_path: Path) -> None:
    body = """
    def setup(self):
        self.free = [queue.Queue(), queue.Queue()]

    @thread
    def t(self):
        mine = self.free.pop(0)
        mine.put(1)
        self.free[0].put(2)
        assert False
    """
    _, trace = trace_of(tmp_path, body)
    puts = [words.change_text(each) for step in trace.steps for each in step.changes][-2:]
    assert puts == ["mine: empty → [1]", "free[0]: empty → [2]"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("rw.RLocker()", "rw.RLocker()"),
        ("go.context.Background()", "context.Background()"),
        (
            "go.context.WithValue(go.context.TODO(), 'k', 1)",
            "context.Background().WithValue('k', 1)",
        ),
        ("go.context.WithCancel(go.context.Background())[1]", "CancelFunc of Context"),
        ("Record(rw, (1,))", "Record(lock=rw, more=(1,))"),
        ("{1: (Record(rw, 2),)}", "{1: (Record(lock=rw, more=2),)}"),
    ],
)
def test_what_refers_to_objects_is_shown_with_their_names(
    tmp_path: Path, value: str, shown: str
) -> None:
    body = f"""
    got = None
    rw = go.RWMutex()

    @goroutine
    def main(self):
        rw = self.rw
        self.got = {value}
        assert False
"""
    _, trace = trace_of(tmp_path, body)
    assert any(f"got: None → {shown}" in words.effects(step) for step in trace.steps)


@pytest.mark.parametrize("made", ["[1]", "Node(1)", "{'a': [1]}", "queue.Queue()"])
def test_what_nothing_refers_to_any_more_is_no_change(tmp_path: Path, made: str) -> None:
    body = f"""
    kept = None

    @thread
    def t(self):
        self.kept = {made}
        self.kept = 2
        assert False
    """
    _, trace = trace_of(tmp_path, body)
    (change,) = trace.steps[-1].changes
    assert words.change_text(change).startswith("kept: ")
    assert words.change_text(change).endswith(" → 2")


def test_what_no_variable_holds_is_called_by_its_class(tmp_path: Path) -> None:
    body = """
    @goroutine
    def main(self):
        go.Chan().recv()
    """
    message, _ = trace_of(tmp_path, body)
    assert message.endswith("main waits for Chan#1")


def test_what_a_with_has_entered_keeps_the_name_after_as(tmp_path: Path) -> None:
    body = """
    n = 0

    def job(self):
        pass

    @thread
    def t(self):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(self.job)
            self.n = 1
        assert False
    """
    _, trace = trace_of(tmp_path, body)
    changes = [change.location for step in trace.steps for change in step.changes]
    assert changes.count("pool") == 4  # made, with a worker, idle again, shut down
    assert not [each for each in changes if each.startswith("ThreadPoolExecutor")]


@pytest.mark.parametrize(("last", "shown"), [("pass", "end of main"), ("return", "return")])
def test_the_end_of_main_is_not_called_by_the_line_before_it(
    tmp_path: Path, last: str, shown: str
) -> None:
    body = f"""
    @goroutine
    def main(self):
        ch = go.Chan()
        go.spawn(ch.send, 1)
        {last}
    """
    _, trace = trace_of(tmp_path, body)
    (end,) = [step for step in trace.steps if step.outcome.startswith("returns")]
    assert end.source.text == shown
