"""Threads that wait busily for what never comes: what is found, on both engines."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from endless_oracle import Oracle
from families import sample
from running import load, unload

from interleave import check
from interleave.checking import Checked, Options, checked_model
from interleave.checks.livelock import Livelocks
from interleave.engine import search
from interleave.engine.native.passes import stuck as native_stuck
from interleave.engine.native.store.states import Sizes
from interleave.engine.passes.stuck import find_stuck
from interleave.loading import parameters_of
from interleave.report.diagram import counterexample_dot
from interleave.report.document import render_json
from interleave.report.text import render_text
from interleave.result import Access, ModelResult, Result
from interleave.stategraph import StateGraph

OTHERS: list[dict[str, Any]] = [
    {"engine": "auto"},
    {"engine": "native", "workers": 1},
    {"engine": "native", "workers": 2, "sizes": Sizes(states=20, room=40, wide=150)},
]
"""What the reference engine is compared with."""

# What is one, and what is not

IMPORTS = """
import asyncio
import multiprocessing
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from interleave import (
    Model, array, atomic, choose, expect, go, goroutine, nothing, process, section, task, thread
)

class M(Model):
"""

POLLS_UNDER_A_LOCK = """
    lock = threading.Lock()
    ready = array([False, False])

    @thread(2)
    def half(self, i):
        while True:
            with self.lock:
                if self.ready[1 - i]:
                    break
            time.sleep(0)
        self.ready[i] = True
"""

SPINS_ON_WHAT_A_DEAD_THREAD_HOLDS = """
    lock = threading.Lock()

    @thread
    def keeps(self):
        self.lock.acquire()

    @thread
    def spins(self):
        while not self.lock.acquire({how}):
            pass
        self.lock.release()
"""

TEST_AND_SET = """
    locked = False

    @thread
    def keeps(self):
        with atomic():
            self.locked = True

    @thread(2)
    def spins(self):
        while True:
            with atomic():
                if not self.locked:
                    self.locked = True
                    break
        self.locked = False
"""

POLITE = """
    wants = array([False, False])

    @thread(2)
    def worker(self, i):
        self.wants[i] = True
        while self.wants[1 - i]:
            self.wants[i] = False
            self.wants[i] = True
        with section("critical"):
            pass
        self.wants[i] = False
"""

STUBBORN = """
    wants = array([False, False])

    @thread(2)
    def worker(self, i):
        self.wants[i] = True
        while self.wants[1 - i]:
            pass
        with section("critical"):
            pass
        self.wants[i] = False
"""

TRIES_AGAIN = """
    a = threading.Lock()
    b = threading.Lock()

    def both(self, first, second):
        while True:
            first.acquire()
            if second.acquire(blocking=False):
                break
            first.release()
        second.release()
        first.release()

    @thread
    def forwards(self):
        self.both(self.a, self.b)

    @thread
    def backwards(self):
        self.both(self.b, self.a)
"""

TASKS = """
    flag = False

    @task
    async def raises_it(self):
        if choose([True, False]):
            self.flag = True

    @task{daemon}
    async def polls(self):
        while not self.flag:
            await asyncio.sleep(0)
"""

GO_POLLS = """
    stop = go.Chan()
    done = go.Chan()

    def work(self):
        while True:
            match go.select(go.recv(self.stop), default=True):
                case 0, _:
                    self.done.close()
                    return

    @goroutine
    def main(self):
        go.spawn(self.work)
        self.done.recv()
"""

GO_ON_A_CLOSED_CHANNEL = """
    closed = go.Chan()
    other = go.Chan()

    @goroutine
    def main(self):
        self.closed.close()
        while True:
            match go.select(go.recv(self.closed), go.recv(self.other)):
                case 1, _:
                    return
"""

GO_PING_PONG = """
    there = go.Chan()
    back = go.Chan()

    @goroutine
    def main(self):
        while True:
            self.there.send(1)
            self.back.recv()

    @goroutine
    def other(self):
        while True:
            self.there.recv()
            self.back.send(1)
"""

OBSERVER = """
    x = 0

    @thread
    def writes(self):
        self.x = 1

    @thread{daemon}
    def observes(self):
        while True:
            assert self.x < 3
"""

SERVER = """
    requests = queue.Queue()

    @thread
    def client(self):
        self.requests.put(1)

    @thread{daemon}
    def server(self):
        while True:
            if not self.requests.empty():
                self.requests.get()
"""

WRITES_THE_SAME = """
    x = 0

    @thread
    def writes(self):
        while True:
            self.x = 1

    @thread{daemon}
    def reads(self):
        while self.x < 2:
            pass
"""

READS_WHAT_CHANGES = """
    x = 0

    @thread
    def writes(self):
        while True:
            self.x = 1 - self.x

    @thread
    def reads(self):
        while self.x < 2:
            pass
"""

READS_ANOTHER_ITEM = """
    def setup(self):
        self.table = {{"a": 0, "b": 0}}

    @thread
    def writes(self):
        while True:
            self.table["a"] = 1 - self.table["a"]

    @thread
    def reads(self):
        while not self.table[{key!r}]:
            pass
"""

WAITS_FOR_A_POLLER = """
    condition = threading.Condition()
    go_on = False
    ready = False

    @thread
    def polls(self):
        while not self.go_on:
            time.sleep(0)
        with self.condition:
            self.ready = True
            self.condition.notify_all()

    @thread
    def waits(self):
        with self.condition:
            while not self.ready:
                self.condition.wait()
        self.go_on = True
"""

ONE_WORKS = (
    WAITS_FOR_A_POLLER
    + """
    x = 0

    @thread{daemon}
    def ticks(self):
        while True:
            self.x = 1 - self.x
"""
)

TIMED_WAIT = """
    condition = threading.Condition()

    @thread
    def waits(self):
        with self.condition:
            while not self.condition.wait(1):
                pass
"""

EVENT = """
    event = threading.Event()

    @thread
    def waits(self):
        while not self.event.wait(1):
            pass

    @thread
    def sets(self):
        if choose([True, False]):
            self.event.set()
"""

ENDLESS = """
    lock = threading.Lock()

    @thread(2)
    def eats(self):
        while True:
            {does}
"""

SLEEPS_UNTIL_A_CONSTANT_CHANGES = """
    stop = False

    @thread
    def sleeps(self):
        while not self.stop:
            time.sleep(1)
"""

PROCESSES = """
    stop = multiprocessing.Value("i", 0)

    @process
    def works(self):
        while not self.stop.value:
            pass

    @process
    def says_stop(self):
        if choose([True, False]):
            self.stop.value = 1
"""

POOL = """
    stop = False

    def setup(self):
        self.pool = ThreadPoolExecutor(1)

    def job(self):
        while not self.stop:
            time.sleep(0)

    @thread
    def main(self):
        self.pool.submit(self.job)
        behind = self.pool.submit(self.job)
        while not behind.done():
            time.sleep(0)
        self.stop = True
"""

PIPE = """
    def setup(self):
        self.here, self.there = multiprocessing.Pipe()

    @process
    def reads(self):
        while not self.here.poll():
            time.sleep(0)

    @process
    def writes(self):
        if choose([True, False]):
            self.there.send(1)
"""

MADE_BY_A_THREAD = """
    box = None

    @thread
    def makes(self):
        made = [0, 0]
        self.box = made
        while True:
            made[0] = 1 - made[0]

    @thread
    def reads(self):
        while self.box is None:
            pass
        box = self.box
        while box[{item}] < 2:
            pass
"""

FOUND: dict[str, tuple[str, list[str]]] = {
    "polls under a lock": (POLLS_UNDER_A_LOCK, ["livelock"]),
    "tries what a dead thread holds": (
        SPINS_ON_WHAT_A_DEAD_THREAD_HOLDS.format(how="blocking=False"),
        ["livelock"],
    ),
    "the same, with a timeout": (
        SPINS_ON_WHAT_A_DEAD_THREAD_HOLDS.format(how="timeout=1"),
        ["livelock"],
    ),
    "test and set": (TEST_AND_SET, ["livelock"]),
    "polite threads": (POLITE, []),
    "stubborn threads": (STUBBORN, ["livelock"]),
    "tries again": (TRIES_AGAIN, []),
    "task": (TASKS.format(daemon=""), ["livelock"]),
    "daemon task": (TASKS.format(daemon="(daemon=True)"), []),
    "select with a default": (GO_POLLS, ["livelock"]),
    "closed channel": (GO_ON_A_CLOSED_CHANNEL, ["livelock"]),
    "ping-pong": (GO_PING_PONG, []),
    "observer": (OBSERVER.format(daemon=""), ["livelock"]),
    "daemon observer": (OBSERVER.format(daemon="(daemon=True)"), []),
    "server": (SERVER.format(daemon=""), ["livelock"]),
    "daemon server": (SERVER.format(daemon="(daemon=True)"), []),
    "writes the same value": (WRITES_THE_SAME.format(daemon=""), ["livelock"]),
    "reads what changes": (READS_WHAT_CHANGES, []),
    "reads an item that changes": (READS_ANOTHER_ITEM.format(key="a"), []),
    "reads another item": (READS_ANOTHER_ITEM.format(key="b"), ["livelock"]),
    "waits for a poller": (WAITS_FOR_A_POLLER, ["livelock"]),
    "one works": (ONE_WORKS.format(daemon=""), ["stuck", "livelock"]),
    "a daemon works": (ONE_WORKS.format(daemon="(daemon=True)"), ["stuck", "livelock"]),
    "timed wait": (TIMED_WAIT, ["livelock"]),
    "event": (EVENT, ["livelock"]),
    "nothing but locks": (ENDLESS.format(does="with self.lock: pass"), []),
    "nothing but sleep": (ENDLESS.format(does="time.sleep(1)"), []),
    "nobody ever writes": (SLEEPS_UNTIL_A_CONSTANT_CHANGES, ["livelock"]),
    "processes": (PROCESSES, ["livelock"]),
    "pool": (POOL, ["livelock"]),
    "pipe": (PIPE, ["livelock"]),
    "an item of what a thread made": (MADE_BY_A_THREAD.format(item=0), []),
    "another item of it": (MADE_BY_A_THREAD.format(item=1), ["livelock"]),
}


def checked(tmp_path: Path, text: str) -> ModelResult:
    """The result of a check, which is the same on every engine."""
    model = load(tmp_path / "model.py", IMPORTS + text)
    try:
        found = [check(model, engine=engine) for engine in ("reference", "native")]
    finally:
        unload()
    documents = [render_json(result, version="") for result in found]
    assert documents[0] == documents[1]
    return found[0].models[0]


@pytest.mark.parametrize("name", FOUND)
def test_kinds(tmp_path: Path, name: str) -> None:
    text, kinds = FOUND[name]
    assert [violation.kind for violation in checked(tmp_path, text).violations] == kinds


def test_who_is_blocked_is_named(tmp_path: Path) -> None:
    (violation,) = checked(tmp_path, WAITS_FOR_A_POLLER).violations
    assert violation.message == (
        "polls looks at go_on over and over; waits waits for condition: "
        "they never get anywhere, whatever happens"
    )
    assert violation.threads == ("polls", "waits")
    (poll,) = violation.polls
    assert (poll.thread, poll.source.text) == ("polls", "while not self.go_on:")
    assert poll.accesses == (Access("read", "go_on"),)
    (wait,) = violation.waits
    assert (wait.thread, wait.access.location) == ("waits", "condition")
    assert violation.hint.endswith("daemon=True.")


def test_what_nobody_ever_writes_is_named(tmp_path: Path) -> None:
    (violation,) = checked(tmp_path, SLEEPS_UNTIL_A_CONSTANT_CHANGES).violations
    assert violation.message.startswith("sleeps looks at stop over and over: ")
    (violation,) = checked(tmp_path, POLLS_UNDER_A_LOCK).violations
    assert violation.message.startswith(
        "half[0] looks at ready[1] over and over; half[1] looks at ready[0] over and over: "
    )


WAITS: dict[str, tuple[str, dict[str, object], str]] = {
    # What a thread does over and over, what it finds, and the line of the look.
    "under a lock": ("with self.lock:\n    if self.x: break", {"x": 0}, "if self.x:"),
    "asleep": ("time.sleep(1)\nif self.x > 3: break", {"x": 0}, "if self.x > 3:"),
    "two lines before": (
        "with self.lock:\n    found = self.x\nif found: break",
        {"x": 0},
        "found = self.x",
    ),
    "helper": ("with self.lock: pass\nif self.is_done(): break", {"x": 0}, "return self.x == 1"),
    "list": ("time.sleep(0)\nif self.items: break", {"items": []}, "if self.items:"),
    "item": (
        "with self.lock:\n    if self.table['b']: break",
        {"table['b']": None},
        "if self.table['b']:",
    ),
    "element": ("time.sleep(0)\nif self.cells[1]: break", {"cells[1]": 0}, "if self.cells[1]:"),
    "object": ("time.sleep(0)\nif self.box.full: break", {"box.full": 0}, "if self.box.full:"),
}


@pytest.mark.parametrize("written", ["by nobody", "by another thread"])
@pytest.mark.parametrize("name", WAITS)
def test_the_line_of_the_look_and_what_is_found_there(
    tmp_path: Path, name: str, written: str
) -> None:
    body, found, line = WAITS[name]
    if written == "by nobody" and name == "item":
        found = {"table": {"b": None}}  # which is one constant
    lines = "".join(f"            {each}\n" for each in body.splitlines())
    text = f"""
    x = 0
    lock = threading.Lock()
    cells = array([0, 0])

    def setup(self):
        self.items, self.table, self.box = [], {{"b": None}}, Box()

    def is_done(self):
        return self.x == 1

    @thread
    def waits(self):
        while True:
{lines}
"""
    if written == "by another thread":
        text += """
    @thread
    def writes(self):
        with atomic():
            self.x, self.table["b"], self.cells[1], self.box.full = 1, 1, 1, True
            self.items.append(1)
            self.x, self.table["b"], self.cells[1], self.box.full = 0, None, 0, 0
            self.items.pop()
"""
    result = checked(tmp_path, "    pass\n\nclass Box:\n    full = 0\n\nclass N(Model):\n" + text)
    (violation,) = result.violations
    (poll,) = violation.polls
    assert (poll.source.text, dict(poll.values)) == (line, found)
    assert violation.source == poll.source
    at_start = dict(violation.trace.initial)
    for each in found:
        assert each in at_start or each.partition("[")[0] in at_start
    ((where, value),) = [(each, repr(found[each])) for each in found]
    assert f"waits looks at {where} = {value} over and over" in render_text(result, width=200)
    ((wait, *_),) = [
        each["waits"]
        for each in json.loads(render_json(Result((result,)), version=""))["models"][0][
            "violations"
        ]
    ]
    assert repr(wait["value"]) == value


def test_who_is_blocked_is_stuck_where_somebody_works(tmp_path: Path) -> None:
    stuck, livelock = checked(tmp_path, ONE_WORKS.format(daemon="")).violations
    assert (stuck.threads, livelock.threads) == (("waits",), ("polls",))
    assert livelock.waits == ()


def test_text(tmp_path: Path) -> None:
    result = checked(tmp_path, SPINS_ON_WHAT_A_DEAD_THREAD_HOLDS.format(how="blocking=False"))
    lines = render_text(result, width=200).splitlines()
    assert lines[0] == "M: violated - livelock"
    begin = lines.index("Now this one gets nowhere, whatever happens:")
    assert lines[begin + 1].startswith("  spins looks at lock over and over (")
    assert lines[begin + 1].endswith(": while not self.lock.acquire(blocking=False):)")


def test_document(tmp_path: Path) -> None:
    result = Result((checked(tmp_path, TIMED_WAIT),))
    ((violation,),) = [
        m["violations"] for m in json.loads(render_json(result, version=""))["models"]
    ]
    assert violation["kind"] == "livelock"
    (wait,) = violation["waits"]
    assert wait["thread"] == "waits"
    assert wait["access"] == {"kind": "wait", "location": "condition"}
    assert wait["source"]["text"] == "while not self.condition.wait(1):"
    assert wait["holders"] == []


def test_diagram(tmp_path: Path) -> None:
    result = checked(tmp_path, WAITS_FOR_A_POLLER)
    source = counterexample_dot(result, result.violations[0])
    assert "M: livelock" in source
    assert "looks at go_on" in source


@pytest.mark.parametrize("case", [TIMED_WAIT, TEST_AND_SET, WAITS_FOR_A_POLLER])
def test_the_trace_ends_in_a_loop(tmp_path: Path, case: str) -> None:
    result = checked(tmp_path, case)
    (violation,) = result.violations
    loop, first = violation.trace.loop, len(violation.trace.steps) + 1
    assert {poll.thread for poll in violation.polls} <= {step.thread for step in loop}
    assert [step.number for step in loop] == [*range(first, first + len(loop))]
    # Once round, everything is as it was.
    changes = [change for step in loop for change in step.changes]
    before = {each.location: each.before for each in reversed(changes)}
    assert before == {each.location: each.after for each in changes}
    lines = render_text(result, width=200).splitlines()
    begin = lines.index("From here on, over and over:")
    assert lines[begin + 1].startswith(f"{first} ")
    source = counterexample_dot(result, violation)
    assert f"step{first}" in source
    assert "frame" in source


@pytest.mark.slow
def test_one_report_for_a_cause(tmp_path: Path) -> None:
    text = (
        TEST_AND_SET
        + """
    y = 0

    @thread
    def ends_in_many_ways(self):
        self.y = choose(range(9))
"""
    )
    (violation,) = checked(tmp_path, text).violations
    assert violation.threads == ("spins[0]", "spins[1]")


def test_an_incomplete_search_says_nothing(tmp_path: Path) -> None:
    model = load(tmp_path / "model.py", IMPORTS + POLLS_UNDER_A_LOCK)
    (result,) = check(model, max_states=5).models
    unload()
    assert (result.verdict, result.violations) == ("inconclusive", ())


# Against brute force

HEADER = """
import threading
import time
from interleave import Model, array, atomic, choose, thread

class M(Model):
    x = 0
    y = 0
    cells = array([0, 0])
    lock_a = threading.Lock()
    lock_b = threading.Lock()

    def setup(self):
        self.table = {"a": 0, "b": 0}

    @thread
    def makes_them_variables(self):
        with atomic():
            if self.x == 9:
                self.x = self.y = 9
            self.cells[1] = self.table["c"] = 9
"""

LINES = [
    "self.x = 1",
    "self.x = choose([0, 1])",
    "self.y = 1 - self.y",
    "self.cells[0] = self.x",
    'self.table["a"] = self.y',
    'self.table["b"] = 1 - self.table["b"]',
    "while not self.x: pass",
    "while self.y != self.x: time.sleep(0)",
    "while self.cells[0] != 1: pass",
    'while not self.table["a"]: pass',
    "while not self.lock_a.acquire(blocking=False): pass",
    "self.lock_a.acquire()",
    "self.lock_a.release()",
    "self.lock_b.acquire()",
    "time.sleep(0)",
    "if self.x: return",
]

BLOCKS = [
    "while True:",
    "while True:",
    "while self.x == 0:",
    "with self.lock_a:",
    "with self.lock_b:",
]


def drawn(draw: random.Random) -> str:
    """The source of a random model of threads that mostly wait for each other."""
    text = HEADER
    for number in range(draw.choice([2, 2, 3])):
        daemon = ", daemon=True" if draw.random() < 0.2 else ""
        text += f"\n    @thread(1{daemon})\n    def t{number}(self):\n"
        text += "".join(f"        {line}\n" for line in _lines(draw, 2))
    return text


def _lines(draw: random.Random, depth: int) -> list[str]:
    lines = []
    for _ in range(draw.choice([1, 2, 2, 3]) if depth == 2 else draw.choice([1, 2])):
        if depth and draw.random() < 0.4:
            lines.append(draw.choice(BLOCKS))
            lines += [f"    {line}" for line in _lines(draw, depth - 1)]
        else:
            lines.append(draw.choice(LINES))
    return lines


def agree(tmp_path: Path, text: str, other: dict[str, Any]) -> tuple[int, int]:
    """How many livelocks, and states with stuck threads, a model has, by two engines and by the
    definitions.
    """
    model = load(tmp_path / "model.py", text)
    try:
        found = [
            checked_model(model, "", parameters_of(model, {}), Options(**each, max_states=700))
            for each in ({"engine": "reference"}, other)
        ]
    finally:
        unload()
    documents = [render_json(Result((each.result,)), version="") for each in found]
    assert documents == documents[:1] * len(documents)
    if not found[0].result.complete:
        return 0, 0
    program = found[0].searched.machine.program
    names = [thread.name for thread in program.threads]
    states = StateGraph(found[0].result, found[0].searched, found[0].ways)
    oracle = Oracle(states, {t.name for t in program.threads if t.daemon}, text)
    livelocks = oracle.livelocks()
    told = [each for each in states.counterexamples if each.violation.kind == "livelock"]
    assert bool(told) == bool(livelocks)
    wanted = {
        each.part.first: each.waiting | (each.blocked if each.nobody_works else set())
        for each in livelocks
    }
    for each in told:
        assert set(each.violation.threads) == wanted[each.states[-1]]
    assert not told or told[0].states[-1] == livelocks[0].part.first
    stuck = [(number, tuple(map(names.index, threads))) for number, threads in oracle.stuck()]
    assert _stuck(found[0]) == stuck
    for checked in found[1:]:
        some = _stuck(checked)
        assert set(some) <= set(stuck)
        assert some[:1] == stuck[:1]
        assert some == sorted(some)
    assert ("stuck" in {violation.kind for violation in found[0].result.violations}) == bool(stuck)
    return len(livelocks), len(stuck)


def _stuck(checked: Checked) -> list[tuple[int, tuple[int, ...]]]:
    searched = checked.searched
    if not searched.graph.leads_back:
        return []
    judge = Livelocks(searched.machine, searched.steps)
    return find_stuck(searched.graph, (), judge)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernel come back often, and `auto` go over to it in the middle of small graphs."""
    monkeypatch.setattr(native_stuck, "AT_ONCE", 7)
    monkeypatch.setattr(native_stuck, "DEEDS_AT_ONCE", 1)
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", 20)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", sample(12, range(60)))
def test_random_models(tmp_path: Path, seed: int) -> None:
    agree(tmp_path, drawn(random.Random(seed)), OTHERS[seed % 3])


@pytest.mark.parametrize("mark", ["thread", "task", "goroutine"])
@pytest.mark.parametrize("body", ["pass", "return", "...", '"""Nothing."""', "x = 1"])
def test_beside_one_that_does_nothing(tmp_path: Path, mark: str, body: str) -> None:
    is_task = mark == "task"
    what, wait = ("async def", "await asyncio.sleep(1)") if is_task else ("def", "time.sleep(1)")
    wait = "go.Gosched()" if mark == "goroutine" else wait
    text = f"""
    ready = False

    @{mark}
    {what} waiter(self):
        while not self.ready:
            {wait}

    @{mark}
    {what} idle(self):
        {body}
"""
    (result,) = check(load(tmp_path / "model.py", IMPORTS + text)).models
    assert [each.kind for each in result.violations] == ["livelock"]
    assert "waiter looks at ready" in render_text(result)
