"""`interleave sharing`: who reads and writes each variable, and what protects it."""

from __future__ import annotations

import itertools
import json
import textwrap
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sharing_oracle import (
    Program,
    Read,
    accesses_of,
    program,
    read_traces,
    segments_program,
    torn_in,
)

import interleave
from interleave import ModelError
from interleave.cli import main
from interleave.protection.results import PROTECTIONS, SharedAccess, SharedVariable
from interleave.report.shared import LEGENDS, render_html, render_markdown, render_text

HEAD = """
import asyncio, multiprocessing, queue, threading, time
from interleave import Model, array, atomic, go, goroutine, process, task, thread
"""
LINES = HEAD.count("\n")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)

    def write(*texts: str) -> str:
        Path("models.py").write_text(HEAD + "\n".join(textwrap.dedent(text) for text in texts))
        return "models.py"

    return write


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(main, ["sharing", *arguments])
    assert "Traceback" not in found.stderr
    return found


# Against a reading of every trace


def written(programs: list[Program], *, kind: str) -> str:
    """The text of a file with a model for each program."""
    text = HEAD
    for number, each in enumerate(programs):
        text += each.text(f"M{number}", text.count("\n") + 1, kind=kind)
    Path("models.py").write_text(text)
    return "models.py"


def key(access: SharedAccess) -> tuple[int, int]:
    return int(access.thread[1:]), access.source.line


def check_against(variable: SharedVariable, read: Read) -> None:
    """That a variable is told of as the traces show it."""
    did = [each for each in read.did if each.variable == variable.name]
    if not any(it.writes for it in did):  # so that to look at it is no access of its own
        assert variable.protection == "never-written"
        assert {key(it) for it in variable.accesses} == {(it.thread, it.line) for it in did}
        return
    told = {(*key(it), it.reads, it.writes, frozenset(it.locks)) for it in variable.accesses}
    assert told == {(it.thread, it.line, it.reads, it.writes, it.locks) for it in did}
    together = {pair for pair in read.together if next(iter(pair)).variable == variable.name}
    sides = [key(each) for each in variable.sides]
    pairs = [pair for pair in itertools.combinations(did, 2) if pair[0].conflicts(pair[1])]
    under = [pair for pair in pairs if pair[0].locks & pair[1].locks]
    if len({it.thread for it in did}) == 1:
        assert variable.protection == "one-thread"
    elif together:
        assert variable.protection == "unprotected"
        assert sorted(sides) in [sorted((it.thread, it.line) for it in pair) for pair in together]
    else:
        assert variable.protection == ("lock" if under else "ordered")
        locks, apart = {*variable.locks}, {key(each) for each in variable.apart}
        for pair in pairs:
            is_apart = any((it.thread, it.line) in apart for it in pair)
            assert is_apart or pair[0].locks & pair[1].locks & locks
        for lock in locks:
            assert any(lock in pair[0].locks & pair[1].locks for pair in pairs)


@pytest.mark.parametrize(
    ("engine", "seeds"),
    [
        ("auto", range(2)),
        ("reference", range(2, 4)),
        pytest.param("auto", range(4, 60), marks=pytest.mark.exhaustive),
        pytest.param("native", range(60, 70), marks=pytest.mark.exhaustive),
    ],
)
def test_it_agrees_with_a_reading_of_every_trace(write, engine: str, seeds: range) -> None:
    programs = [program(seed) for seed in seeds]
    found = interleave.sharing(
        written(programs, kind="thread"), runtime="free-threaded", engine=engine
    )
    for each, it in zip(found.models, programs, strict=True):
        read = read_traces(it)
        plain = [variable for variable in each.variables if not variable.kind]
        assert {variable.name for variable in plain} == {one.variable for one in read.did}
        for variable in plain:
            check_against(variable, read)


@pytest.mark.parametrize(
    ("kind", "runtime", "pause", "protection"),
    [("task", None, "await", "event-loop"), ("thread", "gil", "sleep", "gil")],
)
@pytest.mark.parametrize(
    "seeds", [range(3), pytest.param(range(3, 50), marks=pytest.mark.exhaustive)]
)
def test_what_the_runtime_alone_protects(
    write, kind: str, runtime: str | None, pause: str, protection: str, seeds: range
) -> None:
    programs = [segments_program(seed, pause) for seed in seeds]
    found = interleave.sharing(written(programs, kind=kind), runtime=runtime)
    for each, it in zip(found.models, programs, strict=True):
        torn, threads = torn_in(it), accesses_of(it)
        variables = {variable.name: variable for variable in each.variables}
        for name, did in threads.items():
            if not did:
                continue
            variable = variables[name]
            if not any(writes for _, writes in did):
                assert variable.protection == "never-written"
            elif len({thread for thread, _ in did}) == 1:
                assert variable.protection == "one-thread"
            elif torn[name]:
                assert variable.protection == "unprotected"
                assert tuple(side.source.line for side in variable.sides) in torn[name]
            else:
                assert variable.protection == protection
                assert len(variable.sides) == 2


# Each kind of protection


ADD = "@thread(2)\n    def add(self): "
CASES = {
    "unprotected": f"n = 0\n    {ADD}self.n += 1",
    "ordered": "n = 0\n    q = queue.Queue()\n    @thread\n    def make(self): self.n = 1; "
    "self.q.put(1)\n    @thread\n    def use(self): self.q.get(); self.n += 1",
    "lock": f"n = 0\n    lock = threading.Lock()\n    {ADD}\n        with self.lock: self.n += 1",
    "lock semaphore": f"n = 0\n    lock = threading.Semaphore(1)\n    {ADD}\n"
    "        with self.lock: self.n += 1",
    "unprotected semaphore": f"n = 0\n    lock = threading.Semaphore(2)\n    {ADD}\n"
    "        with self.lock: self.n += 1",
    "lock rwmutex": "n = 0\n    lock = go.RWMutex()\n    @goroutine\n    def main(self):\n"
    "        go.spawn(self.read)\n        with self.lock: self.n += 1\n"
    "    def read(self): self.lock.RLock(); m = self.n; self.lock.RUnlock()",
    "unprotected rwmutex": "n = 0\n    lock = go.RWMutex()\n    @goroutine\n    def main(self):\n"
    "        go.spawn(self.read)\n        self.lock.RLock(); self.n = 1; self.lock.RUnlock()\n"
    "    def read(self): self.lock.RLock(); m = self.n; self.lock.RUnlock()",
    "atomic": f"n = 0\n    {ADD}\n        with atomic(): self.n += 1",
    "atomic append": f"n = []\n    {ADD}self.n.append(1)",
    "primitive": f"n = queue.Queue()\n    {ADD}self.n.put(1)",
    "one-thread": "n = 0\n    m = 0\n    @thread\n    def one(self): self.n += 1; self.m\n"
    "    @thread\n    def other(self): self.m",
    "private": "n = 0\n    @process(2)\n    def add(self): self.n += 1",
    "never-written": f"n = 5\n    m = 0\n    {ADD}self.m = self.n",
    "event-loop": "n = 0\n    @task(2)\n    async def add(self): self.n += 1",
    "unprotected task": "n = 0\n    @task(2)\n    async def add(self):\n"
    "        if self.n == 0:\n            await asyncio.sleep(0)\n            self.n = 1",
    "lock task": "n = 0\n    lock = asyncio.Lock()\n    @task(2)\n    async def add(self):\n"
    "        async with self.lock:\n            t = self.n\n            await asyncio.sleep(0)\n"
    "            self.n = t + 1",
    "unprotected loops": "n = 0\n    @thread(2)\n    def run(self): asyncio.run(self.add())\n"
    "    async def add(self): self.n += 1",
}
"""What protects `n`, and the body of a model. Two tasks that both write 1 lose no update, and yet
one comes between the check and the write of the other one.
"""


@pytest.mark.slow
def test_each_protection(write) -> None:
    names = [*CASES]
    file = write(*(f"class M{i}(Model):\n    {CASES[name]}" for i, name in enumerate(names)))
    found = {}
    for each in interleave.sharing(file).models:
        name = names[int(each.result.model[1:])]
        (variable,) = (it for it in each.variables if it.name == "n")
        found.setdefault(name, variable)  # under the first runtime
    assert {name: it.protection for name, it in found.items()} == {
        name: name.split(" ")[0] for name in names
    }
    assert {name: it.locks for name, it in found.items() if it.locks} == {
        name: ("lock",) for name in names if name.startswith("lock")
    }
    (ordered,) = found["ordered"].order
    assert (ordered.access.thread, ordered.after) == ("use", "get of q")
    assert [side.thread for side in found["unprotected task"].sides] == [
        "add[0]",
        "add[1]",
        "add[0]",
    ]


def test_every_protection_has_its_words() -> None:
    assert LEGENDS.keys() == {*PROTECTIONS}


def test_a_lock_at_each_access_may_not_be_enough(write) -> None:
    found = run(
        write(
            """
            class M(Model):
                n = 0
                lock = threading.Lock()
                @thread(2)
                def add(self):
                    with self.lock:
                        t = self.n
                    with self.lock:
                        self.n = t + 1
            """
        )
    )
    assert found.exit_code == 1
    assert "updates of n can be lost" in found.stdout
    assert (
        "a check finds lost-update: each access is safe, several in a row are not" in found.stdout
    )


def test_a_handler_comes_between_two_accesses_of_the_thread_that_it_interrupts(write) -> None:
    write()
    Path("script.py").write_text(
        "import signal\nn = 0\ndef handle(number, frame):\n    global n\n    n += 1\n"
        "signal.signal(signal.SIGTERM, handle)\nt = n\nn = t + 1\n"
    )
    (found,) = interleave.sharing("script.py", runtime="free-threaded").models
    (variable,) = (each for each in found.variables if each.name == "n")
    assert variable.protection == "unprotected"
    assert [side.source.line for side in variable.sides] == [7, 5, 8]


def test_a_lost_update_of_what_threads_have_made_is_one(write) -> None:
    found = run(
        write(
            """
            class Box:
                pass
            class M(Model):
                box = None
                lock = threading.Lock()
                ready = threading.Event()
                @thread
                def make(self):
                    box = Box()
                    box.n = 0
                    self.box = box
                    self.ready.set()
                @thread(2)
                def add(self):
                    self.ready.wait()
                    with self.lock:
                        t = self.box.n
                    with self.lock:
                        self.box.n = t + 1
            """
        )
    )
    assert found.exit_code == 1 and "updates of box can be lost" in found.stdout


def test_elements_that_are_alike_are_one_row(write) -> None:
    file = write(
        """
        class M(Model):
            own = array([0, 0])
            held = array([0, 0])
            counts = {"a": 0, "b": 0}
            def setup(self):
                self.locks = [threading.Lock(), threading.Lock()]
            @thread(2)
            def add(self, i):
                self.own[i] = 1
                for j in range(2):
                    with self.locks[j]:
                        self.held[j] += 1
                self.counts["a"] = self.counts["b"] + i
        """
    )
    (found,) = interleave.sharing(file, runtime="free-threaded").models
    assert {each.name: (each.protection, each.locks) for each in found.variables} == {
        "counts['a']": ("unprotected", ()),
        "counts['b']": ("never-written", ()),
        "held[i]": ("lock", ("locks[i]",)),
        "locks[i]": ("primitive", ()),
        "own[i]": ("one-thread", ()),
    }
    held = next(each for each in found.variables if each.name == "held[i]")
    assert held.elements == ("held[0]", "held[1]")


SCRIPT = """
import threading
total = 0
lock = threading.Lock()
def add():
    global total
    with lock:
        total += 1
threads = [threading.Thread(target=add) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
assert total == 2
"""


def test_what_comes_after_a_join_needs_no_lock(write) -> None:
    write()
    Path("script.py").write_text(SCRIPT)
    found = run("script.py")
    assert found.exit_code == 0
    assert "nothing is unprotected" in found.stdout
    assert "but for main 12, which comes after the join of add-2" in found.stdout


def test_the_global_lock_is_told_apart(write) -> None:
    file = write(f"class M(Model):\n    {CASES['unprotected']}")
    found = run(file)
    assert found.exit_code == 1
    assert "M: n is protected by the GIL only" in found.stdout
    assert f"gil: line {LINES + 4} is one step: a sleep, a call" in found.stdout
    assert "free-threaded: add[0] writes it" in found.stdout
    alone = run(file, "--runtime", "gil")
    assert alone.exit_code == 0 and "free-threaded" not in alone.stdout


def test_a_search_that_is_cut_short_is_inconclusive(write) -> None:
    file = write(f"class M(Model):\n    {CASES['lock']}")
    found = run(file, "--max-states", "3")
    assert found.exit_code == 3
    assert "not known" in found.stdout and "reached the limit of 3 states" in found.stdout
    assert run(file).exit_code == 0


def test_what_cannot_be_checked_is_said_and_the_rest_is_told(write) -> None:
    broken = "class Broken(Model):\n    @thread\n    def t(self): open('x')\n"
    file = write(f"class M(Model):\n    {CASES['lock']}", broken)
    found = run(file)
    assert found.exit_code == 2 and found.stderr.count("error:") == 1
    assert "M: nothing is unprotected" in found.stdout
    with pytest.raises(ModelError, match="open"):
        interleave.sharing(file)


HOSTILE = (
    "class M(Model):\n    n = {}\n    @thread(2)\n    def add(self): self.n['<b>|`\\x1b[31m'] = 1"
)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, _: object) -> None:
        self.seen.append(tag)


@pytest.mark.parametrize("width", [40, 60, 100])
def test_every_format(write, width: int) -> None:
    found = interleave.sharing(write(HOSTILE))
    text = render_text(found, width=width)
    assert "\x1b" not in text and max(map(len, text.splitlines())) <= max(width, 54)
    rows = [line for line in render_markdown(found).splitlines() if line.startswith("| ")]
    assert len(rows) == 3 and not any("<b>" in row for row in rows)
    tags = Tags()
    tags.feed(render_html(found))
    assert "b" not in tags.seen and "table" in tags.seen
    document = json.loads(run("models.py", "--format", "json").stdout)
    assert [each["runtime"] for each in document["models"]] == ["free-threaded", "gil"]
    (variable,) = document["models"][0]["variables"]
    assert variable["protection"] == "unprotected"
    assert [side["writes"] for side in variable["sides"]] == [True, True]
