"""The modelled `concurrent.futures` against the real one, and small models that use it."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from concurrent.futures import (
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    CancelledError,
    Future,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from pathlib import Path
from random import Random
from typing import Any

import pytest
from running import load
from sequences import Call, Sequences, compare

from interleave import Model, ModelError, array, check, param, postcondition, thread
from interleave.report.document import render_json
from interleave.result import ModelResult


def checked(model: Any, **options: Any) -> ModelResult:
    """What is found in a model, which is the same on both engines."""
    result = check(model, engine="native", **options)
    document = render_json(result, version="")
    assert document == render_json(check(model, engine="reference", **options), version="")
    return result.models[-1]


def size(found: ModelResult) -> tuple[int, int]:
    return found.states, found.transitions


def kinds(found: ModelResult) -> list[str]:
    return [violation.kind for violation in found.violations]


def ends(found: ModelResult, *names: str) -> set[tuple[object, ...]]:
    """How interleavings end: "finished", ..., and the values of some variables then."""
    assert found.interleavings is not None
    return {
        (outcome.how, *[dict(outcome.state).get(name) for name in names])
        for outcome in found.interleavings.outcomes
    }


# Calls by one thread, answered as the real ones do


class Calls(Sequences):
    """Calls on a future, and on a pool whose tasks are waited for."""

    def prepare(self):
        self.noted = ()
        self.future = self.pool = None

    def begin(self):
        self.future = Future()
        self.pool = ThreadPoolExecutor(max_workers=2)

    def finish(self):
        self.pool.shutdown()

    def give(self, value):
        return value

    def fail(self, text):
        raise ValueError(text)

    def note(self, future):
        self.noted += (f"called back: {future.cancelled()}",)

    def fail_to_note(self, future):
        raise RuntimeError("nobody sees this")

    def perform(self, call):
        try:
            result = self.called(call)
        except (ValueError, RuntimeError, TypeError, OverflowError) as error:
            result = (type(error).__name__, str(error).partition(": <")[0])
        except (CancelledError, TimeoutError, concurrent.futures.TimeoutError) as error:
            result = (type(error).__name__, str(error))
        except concurrent.futures.InvalidStateError as error:
            result = ("InvalidStateError", str(error).partition(":")[0])
        return (repr(result), self.noted)

    def called(self, call):
        match call:
            case ("result" | "exception" as method, timeout):
                return getattr(self.future, method)(timeout)
            case ("set_result", value):
                return self.future.set_result(value)
            case ("set_exception", text):
                return self.future.set_exception(ValueError(text))
            case ("add_done_callback", True):
                return self.future.add_done_callback(self.note)
            case ("add_done_callback", False):
                return self.future.add_done_callback(self.fail_to_note)
            case ("new",):
                self.future = Future()
                return None
            case ("submit", value):
                return self.pool.submit(self.give, value).result()
            case ("submit keyword", value):
                return self.pool.submit(self.give, value=value).result()
            case ("submit failing", text):
                return self.pool.submit(self.fail, text).result()
            case ("submit wrong", value):
                return self.pool.submit(self.give, value, value).result()
            case ("map", *values):
                return list(self.pool.map(self.give, values))
            case ("map failing", *values):
                return list(self.pool.map(self.fail, values))
            case ("shutdown",):
                return self.pool.shutdown()
            case ("as_completed", timeout):
                return len(list(as_completed([self.future, self.future], timeout)))
            case ("wait", timeout, when):
                done, not_done = wait([self.future], timeout, when)
                return (len(done), len(not_done))
            case (method,):
                return getattr(self.future, method)()


SHORT = (0, 0.001, -1)
OF_A_FUTURE: tuple[Call, ...] = (
    *[(name, timeout) for name in ("result", "exception") for timeout in (*SHORT, 1e300)],
    *[(name,) for name in ("done", "cancelled", "running", "cancel", "new")],
    ("set_running_or_notify_cancel",),
    ("set_result", 1),
    ("set_exception", "a"),
    ("add_done_callback", True),
    ("add_done_callback", False),
    *[("as_completed", timeout) for timeout in SHORT],
    *[("wait", timeout, FIRST_COMPLETED) for timeout in SHORT],
    *[("wait", 0, when) for when in (FIRST_EXCEPTION, "ALL_COMPLETED", "NEVER")],
)
OF_A_POOL: tuple[Call, ...] = (
    *[(name, 1) for name in ("submit", "submit keyword", "submit wrong")],
    ("submit failing", "a"),
    *[(name, *values) for name in ("map", "map failing") for values in ((2,), (0, 1))],
    ("shutdown",),
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_any_two_calls_on_a_future_answer_as_the_real_ones_do() -> None:
    compare(Calls, [OF_A_FUTURE] * 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_any_two_calls_on_a_pool_answer_as_the_real_ones_do() -> None:
    compare(Calls, [OF_A_POOL] * 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("seed", range(4))
def test_many_calls_answer_as_the_real_ones_do(seed: int) -> None:
    random = Random(seed)
    compare(Calls, [random.sample([*OF_A_FUTURE, *OF_A_POOL], 2) for _ in range(6)])


# The same outcomes as with workers that are there all the time, written out with a queue

WRITTEN = '''
import queue
import threading
from interleave import *


class Future:
    def __init__(self, condition):
        self.condition = condition
        self.phase = "pending"
        self.value = None

    def cancel(self):
        with self.condition:
            if self.phase == "pending":
                self.phase = "cancelled"
            return self.phase == "cancelled"

    def begin(self):
        with self.condition:
            if self.phase == "cancelled":
                return False
            self.phase = "running"
            return True

    def end(self, value):
        with self.condition:
            self.phase = "finished"
            self.value = value
            self.condition.notify_all()

    def done(self):
        with self.condition:
            return self.phase in ("cancelled", "finished")

    def running(self):
        with self.condition:
            return self.phase == "running"

    def result(self):
        with self.condition:
            while self.phase not in ("cancelled", "finished"):
                self.condition.wait()
            return self.value


class Pool:
    """As in Lib/concurrent/futures/thread.py, with all workers there from the start."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.lock = threading.Lock()
        self.is_shut_down = False
        self.ended = 0

    def submit(self, fn, arg):
        with self.lock:
            if self.is_shut_down:
                raise RuntimeError
            future = Future(threading.Condition())
            self.tasks.put((future, fn, arg))
            return future

    def work(self):
        while True:
            task = self.tasks.get()
            if task is None:
                break
            future, fn, arg = task
            if future.begin():
                value = fn(arg)
                future.end(value)
        with self.lock:
            self.ended += 1

    def shutdown(self, cancel_futures=False):
        with self.lock:
            self.is_shut_down = True
            while cancel_futures and not self.tasks.empty():
                try:
                    task = self.tasks.get_nowait()
                except queue.Empty:
                    break
                task[0].cancel()
            for _ in range({workers}):
                self.tasks.put(None)
        while self.ended < {workers}:
            pass


class Written(Model):
    n = 0
    seen = ()

    def setup(self):
        self.pool = Pool(queue.SimpleQueue())

    @thread({workers})
    def worker(self):
        self.pool.work()
{body}

class Modelled(Model):
    n = 0
    seen = ()

    def setup(self):
        from concurrent.futures import ThreadPoolExecutor

        self.pool = ThreadPoolExecutor({workers})
{body}
'''
TASKS = """
    def add(self, i):
        n = self.n
        self.n = n + i
        return n

    def nothing(self, i):
        return i

    @thread
    def main(self):
"""
SCENARIOS = {
    "a lost update": (2, "[self.pool.submit(self.add, i) for i in (1, 10)]\nself.pool.shutdown()"),
    "one after the other": (
        1,
        "a, b = self.pool.submit(self.add, 1), self.pool.submit(self.add, 10)\n"
        "self.seen = (b.result(), a.done())\nself.pool.shutdown()",
    ),
    "the second is done before the first": (
        2,
        "a, b = self.pool.submit(self.nothing, 1), self.pool.submit(self.nothing, 10)\n"
        "self.seen = (b.result(), a.done())\nself.pool.shutdown()",
    ),
    "cancelled after the second is done": (
        2,
        "a, b = self.pool.submit(self.add, 1), self.pool.submit(self.nothing, 10)\n"
        "b.result()\nself.seen = (a.cancel(), a.done())\nself.pool.shutdown()",
    ),
    "cancelled after the first is done": (
        1,
        "a, b = self.pool.submit(self.nothing, 1), self.pool.submit(self.add, 10)\n"
        "a.result()\nself.seen = (b.running(), b.cancel(), a.cancel())\nself.pool.shutdown()",
    ),
    "a shutdown that cancels": (
        1,
        "a, b = self.pool.submit(self.add, 1), self.pool.submit(self.add, 10)\n"
        "self.pool.shutdown(cancel_futures=True)\nself.seen = (a.cancel(), b.cancel())",
    ),
    "a shutdown that cancels what two might do": (
        2,
        "a, b = self.pool.submit(self.add, 1), self.pool.submit(self.add, 10)\n"
        "self.pool.shutdown(cancel_futures=True)\nself.seen = (a.cancel(), b.cancel())",
    ),
}


RUNS = [(name, "free-threaded") for name in SCENARIOS]
RUNS += [(name, "gil") for name in [*SCENARIOS][::3]]
"""Under the gil, threads switch less often; each call of a library is one step all the same."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "runtime"), RUNS)
def test_outcomes_are_those_of_workers_that_wait(tmp_path: Path, name: str, runtime: str) -> None:
    workers, body = SCENARIOS[name]
    text = WRITTEN.replace("{workers}", str(workers))
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    load(tmp_path / "model.py", text.replace("{body}", TASKS + lines))
    written, modelled = check(tmp_path / "model.py", runtime=runtime).models
    assert ends(modelled, "n", "seen") == ends(written, "n", "seen")
    assert modelled.states * 3 < written.states


# Small models


class Starved(Model):
    WORKERS = param(1)

    def inner(self):
        return 1

    def outer(self, pool):
        return pool.submit(self.inner).result() + 1

    @thread
    def main(self):
        with ThreadPoolExecutor(max_workers=self.WORKERS) as pool:
            assert pool.submit(self.outer, pool).result() == 2


@pytest.mark.slow
def test_a_task_that_waits_for_one_behind_it() -> None:
    found = checked(Starved)
    (violation,) = found.violations
    assert violation.kind == "deadlock"
    assert violation.message == (
        "worker-1 waits for Future#3, which it would have to run itself; "
        "main waits for Future#2, run by worker-1"
    )
    assert size(found) == (5, 4)
    assert kinds(checked(Starved, runtime="gil")) == ["deadlock"]
    with_two = checked(Starved, parameters={"WORKERS": 2})
    assert with_two.verdict == "verified"
    assert size(with_two) == (11, 10)


class Lost(Model):
    WORKERS = param(2)
    n = 0

    def increment(self):
        self.n += 1

    @thread
    def main(self):
        with ThreadPoolExecutor(self.WORKERS) as pool:
            for _ in range(2):
                pool.submit(self.increment)

    @postcondition
    def every_increment_counts(self):
        return self.n == 2


def test_tasks_run_at_the_same_time_as_far_as_there_are_workers() -> None:
    found = checked(Lost)
    assert kinds(found) == ["lost-update", "postcondition"]
    assert found.violations[0].threads == ("worker-1", "worker-2")
    assert size(found) == (62, 112)
    alone = checked(Lost, parameters={"WORKERS": 1})
    assert alone.verdict == "verified"
    assert size(alone) == (23, 32)
    assert kinds(checked(Lost, runtime="gil")) == []


def test_workers_that_wait_for_nothing_are_no_part_of_a_state() -> None:
    """One task after the other needs one worker, however many there may be."""

    class OneByOne(Model):
        pool = ThreadPoolExecutor(8)

        def nothing(self):
            pass

        @thread
        def main(self):
            for _ in range(3):
                self.pool.submit(self.nothing).result()

    found = checked(OneByOne)
    assert found.verdict == "verified"
    assert size(found) == (11, 10)


@pytest.mark.slow
def test_map_gives_results_in_order_and_raises_what_a_task_raised() -> None:
    class Maps(Model):
        pool = ThreadPoolExecutor(2)
        seen = ()

        def half(self, n):
            if n % 2:
                raise ValueError(f"{n} is odd")
            return n // 2

        @thread
        def main(self):
            assert list(self.pool.map(self.half, [2, 4])) == [1, 2]
            try:
                for each in self.pool.map(self.half, (6, 1), timeout=None):
                    self.seen += (each,)
            except ValueError as error:
                self.seen += (str(error),)

    found = checked(Maps)
    assert found.verdict == "verified"
    assert ends(found, "seen") == {("finished", (3, "1 is odd"))}


def test_a_timeout_may_expire_as_long_as_the_task_is_not_done() -> None:
    class Expires(Model):
        pool = ThreadPoolExecutor(1)
        seen = None

        def task(self):
            return 5

        @thread
        def main(self):
            future = self.pool.submit(self.task)
            try:
                self.seen = future.result(timeout=1)
            except concurrent.futures.TimeoutError:
                self.seen = "too late"
            future.result()

    assert ends(checked(Expires), "seen") == {("finished", 5), ("finished", "too late")}


def test_what_a_task_raises_is_seen_by_those_who_ask_only() -> None:
    class Silent(Model):
        pool = ThreadPoolExecutor(1)
        error = None
        ASKS = param(False)

        def task(self):
            raise LookupError("lost")

        @thread
        def main(self):
            future = self.pool.submit(self.task)
            self.error = future.exception()
            if self.ASKS:
                future.result()

    found = checked(Silent)
    assert found.verdict == "verified"
    ((_, error),) = ends(found, "error")
    assert repr(error) == "LookupError('lost')"
    (violation,) = checked(Silent, parameters={"ASKS": True}).violations
    assert violation.message == "main is ended by LookupError: lost"


def test_callbacks_are_called_by_who_ends_the_task() -> None:
    class Calls(Model):
        pool = ThreadPoolExecutor(1)
        called = ()

        def task(self):
            return 3

        def note(self, future):
            self.called += (threading.current_thread().name, future.result())

        @thread
        def main(self):
            future = self.pool.submit(self.task)
            future.add_done_callback(self.note)

    found = checked(Calls)
    assert found.verdict == "verified"
    assert ends(found, "called") == {
        ("finished", ("main", 3)),
        ("finished", ("worker-1", 3)),
    }


@pytest.mark.slow
def test_futures_as_they_are_completed() -> None:
    class Completed(Model):
        seen = ()

        def task(self, i):
            return i

        @thread
        def main(self):
            with ThreadPoolExecutor(2) as pool:
                futures = [pool.submit(self.task, i) for i in range(2)]
                for future in as_completed(futures):
                    self.seen += (future.result(),)

    found = checked(Completed)
    assert found.verdict == "verified"
    assert ends(found, "seen") == {("finished", (0, 1)), ("finished", (1, 0))}


@pytest.mark.slow
def test_waiting_for_the_first_or_for_all() -> None:
    class Waits(Model):
        WHEN = param(FIRST_COMPLETED)
        counts = ()

        def task(self, i):
            return i

        @thread
        def main(self):
            with ThreadPoolExecutor(2) as pool:
                futures = {pool.submit(self.task, i) for i in range(2)}
                done, not_done = wait(futures, return_when=self.WHEN)
                self.counts = (len(done), len(not_done))

    assert ends(checked(Waits), "counts") == {("finished", (1, 1)), ("finished", (2, 0))}
    all_of_them = checked(Waits, parameters={"WHEN": "ALL_COMPLETED"})
    assert ends(all_of_them, "counts") == {("finished", (2, 0))}


def test_nothing_is_submitted_after_a_shutdown() -> None:
    class After(Model):
        pool = ThreadPoolExecutor(1)

        def task(self):
            pass

        @thread
        def main(self):
            self.pool.submit(self.task)

        @thread
        def closer(self):
            self.pool.shutdown()

    found = checked(After)
    (violation,) = found.violations
    assert violation.message == (
        "main is ended by RuntimeError: cannot schedule new futures after shutdown"
    )
    assert ends(found) == {("finished",), ("failed",)}


def test_who_keeps_a_shutdown_waiting() -> None:
    class Waits(Model):
        lock = threading.Lock()
        pool = ThreadPoolExecutor(1)

        def task(self):
            with self.lock:
                pass

        @thread
        def main(self):
            with self.lock:
                self.pool.submit(self.task)
                self.pool.shutdown()

    (violation,) = checked(Waits).violations
    assert (
        violation.message
        == "main waits for pool, run by worker-1; worker-1 waits for lock, held by main"
    )
    assert violation.cycle


def test_results_and_arguments_are_references() -> None:
    class Shares(Model):
        def extend(self, items):
            items.append(2)
            return items

        @thread
        def main(self):
            mine = [1]
            with ThreadPoolExecutor(1) as pool:
                theirs = pool.submit(self.extend, mine).result()
            assert theirs is mine
            assert theirs == [1, 2]

    assert checked(Shares).verdict == "verified"


def test_pools_of_two_threads() -> None:
    """Each has workers of its own, and who is first makes no difference."""

    class Two(Model):
        def setup(self):
            self.done = array([0, 0])

        def task(self, i):
            self.done[i] = 1

        @thread(2)
        def main(self, i):
            pool = ThreadPoolExecutor(1)
            pool.submit(self.task, i)
            time.sleep(0)

    found = checked(Two)
    assert found.verdict == "verified"
    one = 8
    assert found.states == one * one


def test_steps_of_a_worker_are_in_the_same_file_on_every_machine() -> None:
    class Asks(Model):
        pool = ThreadPoolExecutor(1)

        def task(self):
            return 1

        @thread
        def main(self):
            assert self.pool.submit(self.task).result() == 2

    (violation,) = checked(Asks).violations
    (step,) = [each for each in violation.trace.steps if each.thread == "worker-1"]
    assert step.source.file == "futures"
    assert step.source.text == "set_result Future#1"


# What is not modelled


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (
            "[self.pool.submit(lambda: n) for n in (1, 2)]",
            "a pool cannot keep this task: a lambda is made",
        ),
        ("concurrent.futures.ProcessPoolExecutor()", "as many workers as there are processors"),
        ("ThreadPoolExecutor(1, initializer=print)", "has an initializer"),
        ("[self.pool.submit(self.task) for _ in range(25)]", "threads make more than 20 threads"),
    ],
)
def test_what_is_not_modelled_is_refused(tmp_path: Path, code: str, what: str) -> None:
    text = f"""
import concurrent.futures, threading
from concurrent.futures import ThreadPoolExecutor
from interleave import *

class M(Model):
    pool = ThreadPoolExecutor(30)
    lock = threading.Lock()

    def task(self):
        self.lock.acquire()

    @thread
    def main(self):
        self.lock.acquire()
        {code}
"""
    with pytest.raises(ModelError) as caught:
        check(load(tmp_path / "model.py", text))
    assert what in str(caught.value)
    assert caught.value.remedy
    assert "model.py:16" in str(caught.value)


def test_a_pool_that_has_run_tasks_in_setup_is_refused() -> None:
    class Ran(Model):
        def setup(self):
            self.pool = ThreadPoolExecutor(1)
            self.pool.submit(int).result()

        @thread
        def main(self):
            self.pool.shutdown()

    with pytest.raises(ModelError, match="has run tasks before the threads start"):
        check(Ran)


# Exceptions that nobody asks for

UNSEEN = "the exception of a future was never retrieved: ValueError('lost')"

ASKED = {
    "nobody": ("pool.submit(fails)", True),
    "it is kept": ("self.kept = pool.submit(fails)", True),
    "it is waited for": ("wait([pool.submit(fails)])", True),
    "it is asked whether it is done": ("pool.submit(fails).done()", True),
    "a map that nobody goes through": ("pool.map(fails, [1, 2])", True),
    "its exception": ("pool.submit(fails).exception()", False),
    "its result": (
        "try:\n    pool.submit(fails).result()\nexcept ValueError:\n    pass",
        False,
    ),
    "a map": (
        "try:\n    for _ in pool.map(fails, [1]):\n        pass\nexcept ValueError:\n    pass",
        False,
    ),
    "a callback": ("pool.submit(fails).add_done_callback(asks)", False),
    "one that is fine": ("pool.submit(abs, 1)", False),
}
"""What asks a future -> code, and whether its exception stays unseen."""

ASKING = """
from concurrent.futures import ThreadPoolExecutor, wait
from interleave import *


def fails(*_):
    raise ValueError("lost")


def asks(future):
    future.exception()


class M(Model):
    kept = None

    @thread
    def run(self):
        with ThreadPoolExecutor(2) as pool:
            BODY
"""


@pytest.mark.parametrize("who", ASKED)
def test_an_exception_that_nobody_asks_for_is_told_of(tmp_path: Path, who: str) -> None:
    body, is_unseen = ASKED[who]
    text = ASKING.replace("BODY", body.replace("\n", "\n            "))
    found = checked(load(tmp_path / "model.py", text))
    assert found.verdict == "verified"
    assert found.warnings == ((UNSEEN,) if is_unseen else ())
