"""Data races: which are reported, where, and which pairs of accesses are none."""

from __future__ import annotations

import itertools
import multiprocessing
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from concurrent_models import models
from families import drawn
from hypothesis import strategies as st
from running import load, machine_of, unload

from interleave import (
    Model,
    ModelError,
    ModelResult,
    UsageError,
    array,
    check,
    expect,
    explore,
    nothing,
    process,
    thread,
)
from interleave.cli import main
from interleave.engine import search
from interleave.errors import InterleaveError
from interleave.machine import Machine, State
from interleave.memory.primitive import Primitive

ENGINES = ("reference", "native", "auto")

HEADER = """
import threading
from collections import deque
from interleave import Model, array, atomic, choose, param, section, thread


class Node:
    def __init__(self, value):
        self.value = value
        self.next = None


class M(Model):
    x = 0
    y = 0
    flag = False
    items = [0, 0]
    table = {"a": 0, "b": 0}
    members = {1}
    line = deque([0])
    cells = array([0, 0])
    node = Node(1)
    head = None
    lock = threading.Lock()
    other_lock = threading.Lock()
"""


def source(**threads: str) -> str:
    """A model of one thread for each body, named after its keyword."""
    methods = [
        f"    @thread\n    def {name}(self):\n{textwrap.indent(textwrap.dedent(body), ' ' * 8)}\n"
        for name, body in threads.items()
    ]
    return HEADER + "\n".join(methods)


def checked(tmp_path: Path, text: str, **options: Any) -> ModelResult:
    """The result for the last model of a source, which is the same from all engines."""
    model = load(tmp_path / "model.py", text)
    first, *others = [check(model, races=True, engine=each, **options) for each in ENGINES]
    assert others == [first, first]
    unload()
    return first.models[0]


def races(tmp_path: Path, **threads: str) -> list[tuple[object, ...]]:
    """Each data race: the location, then of both sides the thread, what it does, and its line."""
    result = checked(tmp_path, source(**threads))
    return [
        (
            violation.location,
            *(
                (each.thread, "write" if each.writes else "read", each.source.text)
                for each in violation.race
            ),
        )
        for violation in result.violations
        if violation.kind == "data-race"
    ]


# What is a race


def test_a_write_and_a_read(tmp_path: Path) -> None:
    found = races(tmp_path, reader="t = self.x", writer="self.x = 1")
    assert found == [("x", ("writer", "write", "self.x = 1"), ("reader", "read", "t = self.x"))]


def test_two_writes(tmp_path: Path) -> None:
    found = races(tmp_path, a="self.x = 1", b="self.x = 2")
    assert found == [("x", ("a", "write", "self.x = 1"), ("b", "write", "self.x = 2"))]


def test_each_pair_of_lines_is_a_cause(tmp_path: Path) -> None:
    text = source(increment="t = self.x\nself.x = t + 1").replace("@thread", "@thread(3)")
    result = checked(tmp_path, text)
    found = [violation for violation in result.violations if violation.kind == "data-race"]
    assert [violation.message for violation in found] == [
        "increment[0] is about to write x at line 29 while increment[1] is about to read it at "
        "line 28",
        "increment[0] is about to write x at line 29 while increment[1] is about to write it at "
        "line 29",
    ]
    assert [len(violation.trace.steps) for violation in found] == [1, 2]
    assert [violation.threads for violation in found] == [("increment[0]", "increment[1]")] * 2
    assert [violation.source and violation.source.line for violation in found] == [29, 29]


def test_one_line_that_reads_and_writes_is_one_cause(tmp_path: Path) -> None:
    text = source(increment="self.x += 1").replace("@thread", "@thread(2)")
    found = [v for v in checked(tmp_path, text).violations if v.kind == "data-race"]
    assert [(v.location, [each.writes for each in v.race]) for v in found] == [("x", [True, False])]


def test_three_threads(tmp_path: Path) -> None:
    found = races(tmp_path, a="self.x = 1", b="self.y = self.x", c="t = self.y")
    assert found == [
        ("x", ("a", "write", "self.x = 1"), ("b", "read", "self.y = self.x")),
        ("y", ("b", "write", "self.y = self.x"), ("c", "read", "t = self.y")),
    ]


def test_a_flag_that_does_no_harm_is_a_race_all_the_same(tmp_path: Path) -> None:
    found = races(tmp_path, waits="while not self.flag:\n    pass", sets="self.flag = True")
    assert [(location, *sides[0][:2]) for location, *sides in found] == [("flag", "sets", "write")]


def test_double_checked_initialisation(tmp_path: Path) -> None:
    body = """\
        if self.head is None:
            with self.lock:
                if self.head is None:
                    self.head = 5
        """
    text = source(get=body).replace("@thread", "@thread(2)")
    (found,) = [v for v in checked(tmp_path, text).violations if v.kind == "data-race"]
    write, read = found.race
    assert (write.source.text, write.writes) == ("self.head = 5", True)
    assert (read.source.line, read.writes) == (write.source.line - 3, False)


@pytest.mark.parametrize(
    ("one", "other", "location"),
    [
        ("self.x = 1", "t = self.x", "x"),
        ("self.node.value = 2", "t = self.node.value", "node.value"),
        ("self.cells[1] = 1", "t = self.cells[1]", "cells[1]"),
        ("self.items[0] = 1", "t = self.items[0]", "items[0]"),
        ("self.items[-1] = 1", "t = self.items[1]", "items"),
        ("self.items[0] = 1", "self.items.append(1)", "items"),
        ("self.items.append(1)", "t = len(self.items)", "items"),
        ("self.items.append(1)", "for item in self.items: pass", "items"),
        ("self.items.clear()", "self.items.append(1)", "items"),
        ("self.table['a'] = 1", "t = self.table['a']", "table['a']"),
        ("self.table['c'] = 1", "for key in self.table: pass", "table"),
        ("del self.table['a']", "self.table.pop('a', None)", "table['a']"),
        ("self.members.add(2)", "t = 2 in self.members", "members"),
        ("self.line.append(1)", "t = len(self.line)", "line"),
        ("self.line[0] = 1", "t = self.line[0]", "line[0]"),
    ],
)
def test_a_location_of_each_kind(tmp_path: Path, one: str, other: str, location: str) -> None:
    found = races(tmp_path, a=one, b=other)
    assert [each[0] for each in found] == [location]
    assert {each[0] for each in found[0][1:]} == {"a", "b"}


def test_what_a_thread_has_made(tmp_path: Path) -> None:
    body = """\
        node = Node(1)
        self.head = node
        node.value = 2
        """
    reads = "while self.head is None:\n    pass\nt = self.head.value"
    found = races(tmp_path, makes=body, reads=reads)
    assert [each[1:] for each in found] == [
        (
            ("makes", "write", "self.head = node"),
            ("reads", "read", "while self.head is None:"),
        ),
        (("makes", "write", "node.value = 2"), ("reads", "read", "t = self.head.value")),
    ]
    assert found[1][0] == "head.value"
    # Another attribute is another location.
    found = races(tmp_path, makes=body, reads=reads.replace(".value", ".next"))
    assert [each[0] for each in found] == ["head"]


# What is none


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("t = self.x", "t = self.x"),
        ("self.x = 1", "self.y = 1"),
        ("self.x = 1\nself.y = self.x", "pass"),
        ("self.cells[0] = 1", "self.cells[1] = 1"),
        ("self.items[0] = 1", "self.items[1] = 1"),
        ("self.table['a'] = 1", "self.table['b'] = 1"),
        ("self.items.append(1)", "self.items.append(2)"),
        ("self.items.append(1)", "self.items.pop()"),
        ("self.table.setdefault('c', 1)", "self.table.setdefault('c', 2)"),
        ("self.members.add(2)", "self.members.discard(2)"),
        ("self.line.append(1)", "t = self.line.popleft()"),
        ("with self.lock: self.x += 1", "with self.lock: self.x += 1"),
        ("with atomic(): self.x += 1", "with atomic(): self.x += 1"),
        ("self.lock.acquire()", "self.lock.acquire()"),
        ("self.x = 1\nself.lock.acquire()\nself.lock.release()", "with self.lock: pass"),
    ],
)
def test_no_race(tmp_path: Path, one: str, other: str) -> None:
    # What nobody writes is a constant, and looking at it no access.
    others = {"c": "with self.lock: pass"}
    assert races(tmp_path, a=one, b=other, **others) == []


def test_an_operation_that_finds_nothing_is_atomic_too(tmp_path: Path) -> None:
    body = "try:\n    self.line.pop()\n    self.line.pop()\nexcept IndexError:\n    pass"
    assert races(tmp_path, a=body, b="self.line.append(1)") == []


def test_different_locks(tmp_path: Path) -> None:
    found = races(tmp_path, a="with self.lock: self.x = 1", b="with self.other_lock: self.x = 2")
    assert [each[0] for each in found] == ["x"]


def test_what_waits_is_about_to_do_nothing(tmp_path: Path) -> None:
    """A block that cannot run through has not begun."""
    waits = "with atomic():\n    t = self.x\n    self.lock.acquire()"
    holds = "with self.lock:\n    self.x = 1"
    assert races(tmp_path, waits=waits, holds=holds) == []
    assert len(races(tmp_path, waits="t = self.x\nself.lock.acquire()", holds=holds)) == 1


def test_published_under_a_lock(tmp_path: Path) -> None:
    writer = "self.x = 1\nwith self.lock:\n    self.flag = True"
    reader = """\
        with self.lock:
            ready = self.flag
        if ready:
            t = self.x
        """
    assert races(tmp_path, writer=writer, reader=reader) == []
    # Written once more when it is out:
    writer += "\nself.x = 2"
    (found,) = races(tmp_path, writer=writer, reader=reader)
    assert found == ("x", ("writer", "write", "self.x = 2"), ("reader", "read", "t = self.x"))


# Steps with several accesses


def test_an_atomic_block_and_a_plain_access(tmp_path: Path) -> None:
    found = races(tmp_path, a="with atomic():\n    t = self.x\n    self.y = t", b="self.y = 1")
    assert found == [("y", ("a", "write", "self.y = t"), ("b", "write", "self.y = 1"))]
    found = races(tmp_path, a="with atomic():\n    t = self.x\n    self.y = t", b="self.x = 1")
    assert found == [("x", ("b", "write", "self.x = 1"), ("a", "read", "t = self.x"))]


def test_every_choice_in_an_atomic_block(tmp_path: Path) -> None:
    body = (
        "with atomic():\n    if choose([0, 1]):\n        self.y = 1\n    else:\n        self.x = 2"
    )
    found = races(tmp_path, a=body, b="t = self.x", c="t = self.y")
    assert [each[0] for each in found] == ["x", "y"]


def test_accesses_of_one_statement_are_steps_of_their_own(tmp_path: Path) -> None:
    # b's write to y is never pending together with a's read of y: x is read first.
    text = source(a="self.y = 1", b="self.x = self.y + self.x")
    result = checked(tmp_path, text)
    assert [v.location for v in result.violations if v.kind == "data-race"] == ["y"]


# States, counts, limits


def test_checks_add_no_state(tmp_path: Path) -> None:
    text = source(a="self.x += 1\nself.items.append(1)", b="self.x += 1\nt = len(self.items)")
    model = load(tmp_path / "model.py", text)
    for engine in ENGINES:
        (without,) = check(model, engine=engine).models
        (found,) = check(model, races=True, engine=engine).models
        others = tuple(v for v in found.violations if v.kind != "data-race")
        assert len(others) < len(found.violations)
        assert others == without.violations
        assert without.interleavings is not None
        assert found.interleavings is not None
        assert found.interleavings.total == without.interleavings.total
        same = replace(found, violations=others, interleavings=without.interleavings)
        assert same == without


def test_interleavings_that_meet_a_race(tmp_path: Path) -> None:
    """Those in which the two threads are never both about to access x."""
    text = source(a="self.y = 1\nself.x = 1", b="t = self.x\nwith self.lock: pass")
    result = checked(tmp_path, text)
    # In the 10 interleavings of 2 and 3 steps: all in which b has read x before a has written y.
    assert result.interleavings is not None
    assert (result.interleavings.total, result.interleavings.violating) == (10, 4)


@pytest.mark.parametrize("most", range(1, 14))
def test_at_a_limit(tmp_path: Path, most: int) -> None:
    text = source(increment="self.x += 1").replace("@thread", "@thread(3)")
    checked(tmp_path, text, max_states=most)
    checked(tmp_path, text, max_states=most, fail_fast=True)


def test_the_first_race_stops(tmp_path: Path) -> None:
    text = source(a="self.x = 1\nself.y = 1", b="t = self.y\nt = self.x")
    result = checked(tmp_path, text, fail_fast=True)
    assert [violation.kind for violation in result.violations] == ["data-race"]
    # Three states, and two that state 1, in which both are about to access y, leads to.
    assert (result.states, result.limit) == (5, "stopped at the first violation")


# Against a plain enumeration


def by_enumeration(machine: Machine) -> list[tuple[Any, ...]]:
    """Each (location, two lines) with the steps to the first state that shows it."""
    level = list(dict.fromkeys(machine.initial()))
    seen = set(level)
    causes: dict[tuple[Any, ...], int] = {}
    depth = 0
    while level:
        following: dict[State, None] = {}
        for state in level:
            pending = []
            for number in range(len(machine.program.threads)):
                steps = machine.step(state, number).steps
                pending.append([access for step in steps for access in step.accesses])
                following.update(dict.fromkeys(machine.after(state, step) for step in steps))
            for ours, theirs in itertools.combinations(pending, 2):
                for one, other in itertools.product(ours, theirs):
                    for name in conflicts(machine, one, other):
                        lines = tuple(sorted([line_of(one), line_of(other)]))
                        causes.setdefault((name, lines), depth)
        level = [state for state in following if state not in seen]
        seen.update(level)
        depth += 1
    return sorted((*cause, steps) for cause, steps in causes.items())


def line_of(access: Any) -> int:
    code, block = access.place
    return int(code.source(block).line)


def conflicts(machine: Machine, one: Any, other: Any) -> list[str]:
    """The names of the plain locations that two accesses are a race on."""
    if one.atomic and other.atomic:
        return []
    found = []
    for reads, writes in [
        (one.reads + one.writes, other.writes),
        (one.writes, other.reads),
    ]:
        for touch, written in itertools.product(reads, writes):
            plain = not isinstance(machine.program.heap.owner(touch.location), Primitive)
            parts = {touch.part, written.part}
            if touch.location is written.location and plain:
                if "whole" in parts or len(parts) == 1:
                    found.append(touch.location.name)
    return found


@pytest.mark.slow
@drawn(20, 120, text=models(), engine=st.sampled_from(ENGINES), enough=st.integers(1, 200))
def test_random_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, engine: str, enough: int
) -> None:
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", enough)
    model = load(tmp_path / "model.py", text)
    try:
        (result,) = check(model, races=True, engine=engine, max_states=1500).models
    except InterleaveError:
        return  # a model that is refused
    if not result.complete:
        return
    found = [
        (
            (violation.location or "").partition("[")[0],
            tuple(sorted(each.source.line for each in violation.race)),
            len(violation.trace.steps),
        )
        for violation in result.violations
        if violation.kind == "data-race"
    ]
    expected = by_enumeration(machine_of(model))
    cells = [(name.partition("[")[0], lines, steps) for name, lines, steps in expected]
    assert sorted(found) == sorted(cells)
    unload()


@pytest.mark.slow
@pytest.mark.parametrize("enough", range(20, 100, 7))
def test_the_first_state_of_a_race(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    """It is met in a round of which not all cases are known yet, as well as in a later state."""
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", enough)
    waits = """\
        if self.x > 0:
            self.x = 0
            t = self.x
            with self.lock:
                self.x = 1000
        while not self.flag: pass
        self.flag = not self.flag
        """
    text = source(waits=waits, adds="self.lock.acquire()\nself.x += 1", other=waits)
    text += "    def setup(self):\n        self.x = choose([0, 3])\n"
    checked(tmp_path, text)


# Where it is asked for


class Racing(Model):
    x = 0

    @thread
    def writer(self) -> None:
        self.x = 1

    @thread
    def reader(self) -> None:
        _ = self.x


def test_off_by_default() -> None:
    for engine in ENGINES:
        (result,) = check(Racing, engine=engine).models
        assert (result.verdict, result.warnings) == ("verified", ())
    assert explore(Racing).result.violations == ()
    graph = explore(Racing, races=True)
    assert [v.kind for v in graph.result.violations] == ["data-race"]
    assert [each.states for each in graph.counterexamples] == [(0,)]


@expect("data-race")
class Expected(Racing):
    pass


@expect(nothing)
class Unexpected(Racing):
    pass


def test_an_expectation_asks_for_it() -> None:
    (result,) = check(Expected).models
    assert (result.verdict, result.expected) == ("violated", True)
    (result,) = check(Unexpected).models
    assert (result.verdict, result.expected) == ("verified", True)
    (result,) = check(Unexpected, races=True).models
    assert (result.verdict, result.expected, result.contrary) == ("violated", False, True)


@expect(nothing, races=True)
class NoRace(Racing):
    pass


def test_that_there_is_none_can_be_expected() -> None:
    (result,) = check(NoRace).models
    assert (result.verdict, result.expected, result.contrary) == ("violated", False, True)
    assert [v.kind for v in result.violations] == ["data-race"]


@pytest.mark.parametrize("arguments", [{"races": True}, {"kinds": ["data-race"]}])
def test_no_expectation_for_a_gil(arguments: dict[str, Any]) -> None:
    kinds = arguments.pop("kinds", [nothing])
    with pytest.raises(ModelError, match="data races under the runtime gil, where there are none"):
        expect(*kinds, runtime="gil", **arguments)


def test_not_with_a_gil() -> None:
    with pytest.raises(UsageError, match="there are no data races under the runtime 'gil'"):
        check(Racing, runtime="gil", races=True)
    (result,) = check(Expected, runtime="gil").models
    assert (result.verdict, result.expected) == ("verified", False)
    assert result.warnings == (
        "data-race is expected, but not looked for: there are none under the runtime gil",
    )


def test_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(source(a="self.x = 1", b="t = self.x"))

    def run(*options: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["check", str(file), *options])
        return done.exit_code, done.output

    assert run("-q") == (0, "M: verified\n")
    assert run("-q", "--races") == (1, "M: violated - data-race on x\n")
    code, output = run("--races", "--runtime", "gil")
    assert code == 2
    assert "remedy: leave out the one or the other" in output


class Memory(Model):
    def setup(self) -> None:
        self.raw = multiprocessing.Value("i", 0, lock=False)
        self.guarded = multiprocessing.Value("i", 0)
        self.mine = 0

    @process(2)
    def worker(self) -> None:
        self.mine = 1
        self.guarded.value = 1
        self.raw.value = 1


def test_processes_race_on_what_they_share() -> None:
    for engine in ENGINES:
        (result,) = check(Memory, races=True, engine=engine).models
        assert result.runtime == "process"
        assert [v.location for v in result.violations] == ["raw"]


class ManyCells(Model):
    """Each thread goes through all cells: as many things to be about to do as there are cells."""

    cells = array([0] * 40)

    @thread
    def forwards(self) -> None:
        for place in range(40):
            self.cells[place] = 1

    @thread
    def backwards(self) -> None:
        for place in range(40):
            _ = self.cells[39 - place]


@pytest.mark.slow
def test_many_locations() -> None:
    first, *others = [check(ManyCells, races=True, engine=each) for each in ENGINES]
    assert others == [first, first]
    (result,) = first.models
    # They meet at any cell; which state comes first is a matter of the order of threads.
    assert [v.location for v in result.violations] == [f"cells[{39 - i}]" for i in range(40)]
    assert {len(v.trace.steps) for v in result.violations} == {39}
