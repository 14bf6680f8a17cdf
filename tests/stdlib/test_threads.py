"""Threads that running threads make and start: `threading.Thread` inside a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import check
from interleave.errors import ModelError
from interleave.result import ModelResult

HEADER = """
import threading, time
from threading import Thread
from interleave import *


class M(Model):
    counter = 0
    done = False
    names = []
    lock = threading.Lock()

    def increment(self):
        t = self.counter
        self.counter = t + 1

    def finish(self):
        self.done = True

"""


def model_of(tmp_path: Path, body: str) -> Any:
    return load(tmp_path / "model.py", HEADER + body)


@pytest.fixture(params=["reference", "native"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def checked(tmp_path: Path, body: str, engine: str, **options: Any) -> ModelResult:
    (result,) = check(model_of(tmp_path, body), engine=engine, **options).models
    return result


def kinds(result: ModelResult) -> set[str]:
    return {violation.kind for violation in result.violations}


def outcomes(result: ModelResult, name: str) -> set[str]:
    assert result.interleavings is not None
    return {repr(dict(each.state)[name]) for each in result.interleavings.outcomes}


TUTORIAL = """
    @thread
    def main(self):
        threads = [threading.Thread(target=self.increment) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert self.counter == 2
"""


def test_the_first_page_of_every_tutorial(tmp_path: Path, engine: str) -> None:
    result = checked(tmp_path, TUTORIAL, engine)
    assert kinds(result) == {"lost-update", "assertion"}
    assert (result.states, result.transitions) == (26, 33)
    assert outcomes(result, "counter") == {"1", "2"}
    lost = next(each for each in result.violations if each.kind == "lost-update")
    assert lost.threads == ("increment-1", "increment-2")


def test_with_a_gil(tmp_path: Path, engine: str) -> None:
    result = checked(tmp_path, TUTORIAL, engine, runtime="gil")
    assert kinds(result) == set()
    assert outcomes(result, "counter") == {"2"}


@pytest.mark.slow
def test_arguments_and_loops(tmp_path: Path, engine: str) -> None:
    body = """
    def add(self, number, *, times):
        for _ in range(times):
            with self.lock:
                self.counter += number

    @thread
    def main(self):
        threads = []
        for number in (1, 10, 100):
            t = Thread(target=self.add, args=(number,), kwargs={"times": 2})
            threads.append(t)
            t.start()
        for t in threads:
            t.join()
        assert self.counter == 222
"""
    assert kinds(checked(tmp_path, body, engine)) == set()


def test_without_join_the_thread_may_come_later(tmp_path: Path, engine: str) -> None:
    body = """
    @thread
    def main(self):
        Thread(target=self.finish).start()
        assert self.done
"""
    result = checked(tmp_path, body, engine)
    assert kinds(result) == {"assertion"}
    assert (result.states, result.transitions) == (7, 6)


def test_joining_under_the_lock_that_the_thread_wants(tmp_path: Path, engine: str) -> None:
    body = """
    def work(self):
        with self.lock:
            pass

    @thread
    def main(self):
        t = Thread(target=self.work)
        with self.lock:
            t.start()
            t.join()
"""
    (violation,) = checked(tmp_path, body, engine).violations
    assert violation.kind == "deadlock"
    assert [wait.thread for wait in violation.waits] == ["main", "work-1"]
    assert violation.waits[0].holders == ("work-1",)


def test_a_daemon_need_not_end(tmp_path: Path, engine: str) -> None:
    body = """
    def forever(self):
        while True:
            self.counter = 1 - self.counter

    @thread
    def main(self):
        MAKE

    @postcondition
    def never(self):
        return False
"""
    made = "t = Thread(target=self.forever, daemon={}); t.daemon = {}; t.start()"
    for before, after, found in (
        (True, True, {"postcondition"}),
        (None, True, {"postcondition"}),
        (False, False, set()),
        (None, False, set()),
    ):
        result = checked(tmp_path, body.replace("MAKE", made.format(before, after)), engine)
        assert kinds(result) == found


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ("t.start(); t.start()", "RuntimeError: threads can only be started once"),
        ("t.join()", "RuntimeError: cannot join thread before it is started"),
        ("t.start(); t.join(); t.start()", "RuntimeError: threads can only be started once"),
        ("t.start(); t.daemon = True", "RuntimeError: cannot set daemon status of active thread"),
    ],
)
def test_misuse_raises_what_python_raises(
    tmp_path: Path, engine: str, calls: str, message: str
) -> None:
    import threading

    body = f"""
    @thread
    def main(self):
        t = Thread(target=self.finish)
        {calls}
"""
    (violation,) = checked(tmp_path, body, engine).violations
    assert violation.kind == "exception"
    assert message in violation.message
    t = threading.Thread(target=lambda: None)
    with pytest.raises(RuntimeError, match=message.partition(": ")[2]):
        exec(calls, {"t": t})


def test_a_thread_cannot_join_itself(tmp_path: Path, engine: str) -> None:
    body = """
    def work(self):
        threading.current_thread().join()

    @thread
    def main(self):
        Thread(target=self.work).start()
"""
    (violation,) = checked(tmp_path, body, engine).violations
    assert "RuntimeError: cannot join current thread" in violation.message
    assert violation.threads == ("work-1",)


def test_a_thread_is_one_object_for_itself(tmp_path: Path, engine: str) -> None:
    body = """
    first = second = None

    @thread
    def one(self):
        self.first = threading.current_thread()
        assert self.first is threading.current_thread()
        assert {self.first: 1}[threading.current_thread()] == 1
        assert self.second is not self.first

    @thread
    def two(self):
        self.second = me = threading.current_thread()
        assert me is threading.current_thread() is self.second is not self.first
"""
    assert checked(tmp_path, body, engine).verdict == "verified"


def test_names_and_being_alive(tmp_path: Path, engine: str) -> None:
    body = """
    def work(self):
        self.names.append(threading.current_thread().name)

    @thread
    def main(self):
        self.names.append(threading.current_thread().name)
        t = Thread(target=self.work, name="bob")
        t.start()
        t.join(timeout=1)
        self.names.append(t.is_alive())
"""
    result = checked(tmp_path, body, engine)
    assert outcomes(result, "names") == {
        "['main', True, 'bob']",
        "['main', 'bob', True]",
        "['main', 'bob', False]",
    }


def test_methods_of_shared_objects_as_targets(tmp_path: Path, engine: str) -> None:
    body = """
    event = threading.Event()

    @thread
    def main(self):
        Thread(target=self.event.set).start()
        threading.Timer(1, self.names.append, args=("timer",)).start()
        self.event.wait()
        self.names.append("main")
"""
    result = checked(tmp_path, body, engine)
    assert kinds(result) == set()
    assert outcomes(result, "names") == {"['main', 'timer']", "['timer', 'main']"}


@pytest.mark.slow
def test_threads_make_threads(tmp_path: Path, engine: str) -> None:
    body = """
    def leaf(self):
        with self.lock:
            self.counter += 1

    def branch(self):
        threads = [Thread(target=self.leaf) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    @thread(2)
    def main(self):
        t = Thread(target=self.branch)
        t.start()
        t.join()

    @postcondition
    def all_of_them(self):
        return self.counter == 4
"""
    assert kinds(checked(tmp_path, body, engine)) == set()


def test_states_do_not_tell_who_was_first_to_make_one(tmp_path: Path, engine: str) -> None:
    """Two makers with one step each that nobody can tell apart: a square, and no more."""
    body = """
    def nothing(self):
        pass

    @thread(2)
    def main(self):
        Thread(target=self.nothing)
        time.sleep(0)
"""
    result = checked(tmp_path, body, engine)
    assert (result.states, result.transitions) == (9, 12)


def test_an_exception_ends_only_its_thread(tmp_path: Path, engine: str) -> None:
    body = """
    def work(self):
        raise ValueError("no")

    @thread
    def main(self):
        t = Thread(target=self.work)
        t.start()
        t.join()
        self.done = True
"""
    result = checked(tmp_path, body, engine)
    assert kinds(result) == {"exception"}
    assert outcomes(result, "done") == {"True"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("Thread(target=len).start()", "which is no function of the model"),
        (
            "[Thread(target=lambda: self.finish()).start() for _ in 'ab']",
            "Thread(target=self.work, args=(i,))",
        ),
        ("Thread().start()", "a Thread is made without a target"),
        ("Thread(target=self.finish, args=(1,)).start()", "a thread cannot run finish"),
        (
            "t = Thread(target=self.finish, daemon=True)\n        t.daemon = False",
            "no daemon after",
        ),
        ("t = Thread(target=self.finish)\n        t.run()", "a thread calls run()"),
        ("while True: Thread(target=self.finish)", "threads make more than 20 threads"),
    ],
)
def test_what_cannot_be_modelled_says_so(tmp_path: Path, code: str, message: str) -> None:
    body = f"""
    @thread
    def main(self):
        {code}
"""
    with pytest.raises(ModelError) as caught:
        checked(tmp_path, body, "reference")
    assert message in str(caught.value)
    assert "remedy:" in str(caught.value)
    assert "model.py:" in str(caught.value)


NODES = """
import threading
from interleave import *


class Node:
    def __init__(self, item, below):
        self.item = item
        self.below = below
        self.lock = threading.Lock()


class M(Model):
    def setup(self):
        self.top = Node("A", Node("B", None))
        self.also = self.top

    @thread(2)
    def pop(self):
        with atomic():
            top = self.top
            self.top = top.below
        with top.lock:
            top.below = None

    @postcondition
    def never(self):
        return False
"""


def test_objects_that_move_have_names_that_do_not(tmp_path: Path, engine: str) -> None:
    """`top` leads to another node later; what nobody writes (`alice`) is a name for good."""
    text = NODES.replace("self.also = self.top", 'self.alice = Node("C", None)')
    text = text.replace("with top.lock", "with self.alice.lock, top.lock")
    for source, names in (
        (NODES, {"top", "Node#1.below", "Node#1.lock", "Node#2.below", "Node#2.lock"}),
        (text, {"top", "Node#1.below", "Node#1.lock", "Node#2.below", "Node#2.lock", "alice.lock"}),
    ):
        result = check(load(tmp_path / "model.py", source), engine=engine).models[0]
        trace = result.violations[0].trace
        assert {name for name, _ in trace.initial} - {"alice.below"} == names
        assert str(dict(trace.initial)["top"]) == "Node#1"


def test_a_function_that_setup_makes_can_be_a_target(tmp_path: Path) -> None:
    body = """
    n = 0

    def setup(self):
        def count():
            with self.lock:
                self.n += 1

        self.count = count

    @thread
    def main(self):
        first, second = Thread(target=self.count), Thread(target=self.count)
        first.start()
        second.start()
        first.join()
        second.join()
        assert self.n == 2
"""
    result = checked(tmp_path, body, "reference")
    assert kinds(result) == set()


def test_a_default_value_of_a_target_is_that_of_its_round(tmp_path: Path) -> None:
    body = """
    @thread
    def main(self):
        threads = []
        for i in range(2):
            threads.append(Thread(target=lambda i=i, *, by=1: self.finish_with(i + by)))
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.done = sorted(self.seen)

    seen = ()
    def finish_with(self, number):
        with self.lock:
            self.seen += (number,)
"""
    assert outcomes(checked(tmp_path, body, "native"), "done") == {"[1, 2]"}
