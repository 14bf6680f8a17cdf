"""The modelled `queue` module against the real one, and small models that use it."""

from __future__ import annotations

import itertools
import queue
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from families import drawn
from hypothesis import strategies as st
from sequences import Call, Sequences, compare

from interleave import (
    Model,
    ModelError,
    array,
    atomic,
    check,
    choose,
    invariant,
    param,
    postcondition,
    thread,
)
from interleave.report.document import render_json
from interleave.result import Described, ModelResult

KINDS = ("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue")
HAS_SHUTDOWN = hasattr(queue.Queue, "shutdown")


@dataclass(frozen=True, order=True)
class Ranked:
    rank: int
    name: str = field(compare=False)


def made(item):
    return Ranked(*item[1:]) if type(item) is tuple and item[:1] == ("ranked",) else item


class Calls(Sequences):
    """Calls on one queue, each (operation, argument)."""

    KIND = param("Queue")
    SIZE = param(0)
    BEFORE = param(())

    def prepare(self):
        cls = getattr(queue, self.KIND)
        self.q = cls() if self.KIND == "SimpleQueue" else cls(self.SIZE)
        for item in self.BEFORE:
            try:
                self.q.put_nowait(made(item))
            except (queue.Full, TypeError):
                break

    def perform(self, call):
        operation, argument = call
        try:
            result = self.called(operation, argument)
        except (queue.Empty, queue.Full, TypeError, ValueError, OverflowError) as error:
            result = (type(error).__name__, str(error))
        return repr(result)

    def called(self, operation, argument):
        # A call that would wait for ever is made one that does not wait.
        simple = self.KIND == "SimpleQueue"
        match operation:
            case "put":
                room = simple or not self.q.full()
                return self.q.put(made(argument), room)
            case "put all":
                for item in argument:
                    self.q.put_nowait(made(item))
                return None
            case "put_nowait":
                return self.q.put_nowait(made(argument))
            case "put with timeout":
                return self.q.put(made(0), timeout=argument)
            case "put at once with timeout":
                return self.q.put(0, False, argument)
            case "get":
                return self.q.get(not self.q.empty())
            case "get_nowait":
                return self.q.get_nowait()
            case "get with timeout":
                return self.q.get(timeout=argument)
            case "get at once with timeout":
                return self.q.get(False, argument)
            case "qsize":
                return self.q.qsize()
            case "empty":
                return self.q.empty()
            case "full" if not simple:
                return self.q.full()
            case "maxsize" if not simple:
                return self.q.maxsize
            case "task_done" if not simple:
                return self.q.task_done()
            case "join" if not simple:
                return None if self.q.unfinished_tasks else self.q.join()
            case "unfinished_tasks" if not simple:
                return self.q.unfinished_tasks


NUMBERS = st.integers(0, 3)
NAMES = st.sampled_from("ab")
SOME_ITEMS = st.one_of(
    NUMBERS,
    NAMES,
    st.booleans(),
    st.none(),
    st.sampled_from([0.0, -0.0, 1.0]),
    st.tuples(NUMBERS, NAMES),
    st.tuples(NUMBERS, st.none() | NUMBERS),
    st.tuples(st.just("ranked"), NUMBERS, NAMES),
)
ITEMS = st.one_of(
    st.lists(NUMBERS, min_size=1),
    st.lists(st.tuples(NUMBERS, NAMES), min_size=1),
    st.lists(st.tuples(st.just("ranked"), NUMBERS, NAMES), min_size=1),
    st.lists(st.tuples(NUMBERS, NAMES | st.none()), min_size=1),
    st.lists(NUMBERS | st.booleans() | st.sampled_from([0.0, -0.0, 1.0]), min_size=1),
    st.lists(SOME_ITEMS, min_size=1),
)
"""Items of one kind, or of several: an order is total, or not."""

TIMEOUTS = (0, 0.001, -1, "1")
OPERATIONS: tuple[Call, ...] = (
    *[(name, 0) for name in ("put", "put_nowait")],
    *[(name, None) for name in ("get", "get_nowait", "qsize", "empty", "full", "maxsize")],
    *[(name, None) for name in ("task_done", "join", "unfinished_tasks")],
    *[(f"{name} with timeout", timeout) for name in ("put", "get") for timeout in TIMEOUTS],
    *[
        (f"{name} at once with timeout", timeout)
        for name in ("put", "get")
        for timeout in (*TIMEOUTS, None)
    ],
)


@pytest.mark.slow
@pytest.mark.parametrize("before", [(), (3,)], ids=["empty", "full"])
@pytest.mark.parametrize("kind", KINDS)
def test_any_two_calls_answer_as_the_real_ones_do(kind: str, before: tuple[int, ...]) -> None:
    compare(Calls, [OPERATIONS] * 2, KIND=kind, SIZE=1, BEFORE=before)


@st.composite
def rounds(draw: st.DrawFn, items: list[Any]) -> list[list[Call]]:
    """Five rounds with two calls each to choose from, most of them of items that are put or got."""
    item = st.sampled_from(items)
    puts = st.tuples(st.sampled_from(["put", "put", "put_nowait"]), item)
    gets = st.tuples(st.sampled_from(["get", "get", "get_nowait"]), st.none())
    calls = st.one_of(puts, puts, gets, st.sampled_from(OPERATIONS))
    return draw(st.lists(st.lists(calls, min_size=2, max_size=2), min_size=5, max_size=5))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@drawn(3, 30, data=st.data())
def test_many_calls_answer_as_the_real_ones_do(kind: str, data: st.DataObject) -> None:
    items = data.draw(ITEMS)
    parameters = {
        "KIND": kind,
        "SIZE": data.draw(st.sampled_from([0, 0, 1, 2, 5, -1])),
        "BEFORE": tuple(data.draw(st.lists(st.sampled_from(items), max_size=5))),
    }
    compare(Calls, data.draw(rounds(items)), **parameters)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([0, 1, 2, 3], True),  # equal to 1, and another value
        ([-2.0, -1.0, 0.0, 1.0], -0.0),
        ([(0, "a"), (1, "a"), (2, "a")], (2, None)),  # not to be compared with (2, "a")
        ([("ranked", rank, "a") for rank in (0, 1, 1)], ("ranked", 1, "b")),
        (["a", "b", "c"], 5),
    ],
)
def test_a_heap_of_items_that_are_no_total_order_lies_as_it_does_in_cpython(first, then) -> None:
    puts = [("put all", items) for items in itertools.permutations(first)]
    gets = [[("get_nowait", None)]] * 5
    compare(Calls, [puts, [("put", then)], *gets], KIND="PriorityQueue")


# Small models


def checked(model: type[Model], engine: str = "native", **options: Any) -> ModelResult:
    """What is found in a model, by an engine that says the same as the others."""
    result = check(model, engine=engine, **options)
    document = render_json(result, version="")
    assert document == render_json(check(model, engine="reference", **options), version="")
    return result.models[0]


def size(found: ModelResult) -> tuple[int, int]:
    return found.states, found.transitions


def kinds(found: ModelResult) -> list[str]:
    return [violation.kind for violation in found.violations]


def ends(found: ModelResult, *names: str) -> set[tuple[object, ...]]:
    """The values of some variables in which interleavings end; without names, how they end."""
    assert found.interleavings is not None
    outcomes = found.interleavings.outcomes
    if not names:
        return {(outcome.how,) for outcome in outcomes}
    return {tuple(dict(outcome.state)[name] for name in names) for outcome in outcomes}


def test_what_is_produced_is_consumed_in_order() -> None:
    class ProducerConsumer(Model):
        q = queue.Queue(maxsize=1)
        got = ()

        @thread
        def producer(self):
            for i in range(2):
                self.q.put(i)
            self.q.put(None)

        @thread
        def consumer(self):
            while (item := self.q.get()) is not None:
                self.got += (item,)

    found = checked(ProducerConsumer)
    assert found.verdict == "verified"
    assert size(found) == (15, 18)
    assert ends(found, "got") == {((0, 1),)}


class Pills(Model):
    PILLS = param(2)

    def setup(self):
        self.q = queue.Queue()
        self.done = array([0, 0])

    @thread
    def main(self):
        self.q.put("work")
        for _ in range(self.PILLS):
            self.q.put(None)

    @thread(2)
    def worker(self, i):
        while self.q.get() is not None:
            self.done[i] = 1


def test_each_consumer_needs_a_pill() -> None:
    found = checked(Pills)
    assert found.verdict == "verified"
    assert size(found) == (30, 49)
    assert ends(found, "done[0]", "done[1]") == {(0, 1), (1, 0)}


def test_a_consumer_without_a_pill_waits_for_ever() -> None:
    found = checked(Pills, parameters={"PILLS": 1})
    (violation,) = found.violations
    assert violation.message == "worker[1] waits for q"
    assert size(found) == (17, 22)
    assert ends(found) == {("deadlock",)}


def test_producers_alone_fill_a_bounded_queue() -> None:
    class Full(Model):
        q = queue.Queue(maxsize=3)

        @thread(2)
        def producer(self, i):
            self.q.put(i)
            self.q.put(i)

    found = checked(Full)
    (violation,) = found.violations
    assert violation.message == "producer[1] waits for q"
    assert str(dict(violation.trace.final)["q"]) == "[0, 0, 1] (full)"
    assert size(found) == (13, 12)


class CheckThenAct(Model):
    KIND = param("Queue")

    def setup(self):
        self.q = getattr(queue, self.KIND)()
        self.q.put(1)

    @thread(2)
    def consumer(self):
        if not self.q.empty():
            self.q.get_nowait()


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_queue_that_is_not_empty_may_be_so_at_once(kind, runtime) -> None:
    found = checked(CheckThenAct, parameters={"KIND": kind}, runtime=runtime)
    (violation,) = found.violations
    assert violation.message == "consumer[1] is ended by Empty"
    assert size(found) == (11, 12)
    assert ends(found) == {("finished",), ("failed",)}


def test_an_exception_of_the_queue_is_caught_by_its_name() -> None:
    class Catches(Model):
        q = queue.Queue(1)
        simple = queue.SimpleQueue()
        seen = ()

        @thread
        def t(self):
            from queue import Empty

            try:
                self.q.get_nowait()
            except queue.Full:
                pass
            except Empty as error:
                self.seen += (type(error) is queue.Empty,)
            try:
                self.simple.get_nowait()
            except queue.Empty as error:
                self.seen += (isinstance(error, Empty),)
            self.q.put(1)
            try:
                self.q.put_nowait(2)
            except queue.Full as error:
                self.seen += (type(error) is queue.Full,)

    found = checked(Catches)
    assert ends(found, "seen") == {((True, True, True),)}


@pytest.mark.slow
def test_join_waits_until_every_task_is_done() -> None:
    class Tasks(Model):
        DONE = param(True)
        q = queue.Queue()
        results = array([0, 0])

        @thread
        def main(self):
            self.q.put(0)
            self.q.put(1)
            self.q.join()
            assert list(self.results) == [1, 1]

        @thread(2, daemon=True)
        def worker(self):
            while True:
                task = self.q.get()
                if not self.DONE:
                    self.q.task_done()
                self.results[task] = 1
                if self.DONE:
                    self.q.task_done()

    found = checked(Tasks)
    assert found.verdict == "verified"
    assert size(found) == (30, 48)
    assert ends(found, "q") == {(Described("empty"),)}
    found = checked(Tasks, parameters={"DONE": False})
    assert kinds(found) == ["assertion"]
    shown = [
        str(change.after) for step in found.violations[0].trace.steps for change in step.changes
    ]
    assert shown == [
        "[0]",
        "[0, 1]",
        "[1] (2 unfinished)",
        "[1]",
        "empty (1 unfinished)",
        "empty",
    ]


def test_join_waits_again_where_the_queue_is_filled_again() -> None:
    class Again(Model):
        q = queue.Queue()
        rounds = 0

        @thread
        def main(self):
            self.q.put(0)
            self.q.join()
            self.rounds += 10

        @thread
        def worker(self):
            self.q.get()
            self.q.task_done()
            self.q.put(1)

    found = checked(Again)
    assert kinds(found) == ["deadlock"]
    assert found.violations[0].message == "main waits for q"
    assert ends(found, "rounds") == {(10,), (0,)}


def test_task_done_too_often_ends_a_thread() -> None:
    class TooOften(Model):
        q = queue.Queue()
        q.put(1)

        @thread(2)
        def worker(self):
            self.q.task_done()

    found = checked(TooOften)
    (violation,) = found.violations
    assert (
        violation.message == "worker[1] is ended by ValueError: task_done() called too many times"
    )


def test_a_timeout_may_expire_only_where_the_operation_cannot_proceed() -> None:
    class Impatient(Model):
        q = queue.Queue(1)
        got = "nothing yet"
        put = "nothing yet"

        @thread
        def producer(self):
            try:
                self.q.put(1, timeout=5)
                self.q.put(2, timeout=5)
                self.put = "both"
            except queue.Full:
                self.put = "one"

        @thread
        def consumer(self):
            try:
                self.got = self.q.get(timeout=5)
            except queue.Empty:
                self.got = "empty"

    found = checked(Impatient)
    assert found.verdict == "verified"
    assert ends(found, "got", "put") == {(1, "both"), (1, "one"), ("empty", "one")}


def test_a_priority_queue_is_one_state_however_it_was_filled() -> None:
    class Ordered(Model):
        KIND = param("PriorityQueue")

        def setup(self):
            self.q = getattr(queue, self.KIND)()

        @thread(3)
        def producer(self, i):
            self.q.put((3 - i, "task"))

        @thread
        def consumer(self):
            if self.finished_producers():
                first = self.q.get()
                assert first == (1, "task")

        def finished_producers(self):
            return self.q.qsize() == 3

    class InOrder(Ordered):
        pass

    found = checked(InOrder)
    assert found.verdict == "verified"
    assert size(found) == (18, 33)
    fifo = checked(InOrder, parameters={"KIND": "Queue"})
    assert kinds(fifo) == ["assertion"]
    assert size(fifo) == (44, 52)


def test_items_that_cannot_be_compared_end_the_thread_that_puts_the_second() -> None:
    class Incomparable(Model):
        q = queue.PriorityQueue()

        @thread(2)
        def producer(self, i):
            self.q.put(("now", None) if i else ("now", 1))

    found = checked(Incomparable)
    messages = {violation.message for violation in found.violations}
    assert messages == {
        "producer[0] is ended by TypeError: '<' not supported between instances of 'int' and "
        "'NoneType'",
        "producer[1] is ended by TypeError: '<' not supported between instances of 'NoneType' and "
        "'int'",
    }


def test_tasks_are_counted_only_for_those_who_ask() -> None:
    class Server(Model):
        ASKS = param(False)
        q = queue.Queue(2)

        @thread(daemon=True)
        def producer(self):
            while True:
                self.q.put(1)

        @thread(daemon=True)
        def consumer(self):
            while True:
                self.q.get()

        @invariant
        def few_are_unfinished(self):
            return not self.ASKS or self.q.unfinished_tasks < 4

    found = checked(Server)
    assert size(found) == (3, 4)
    found = checked(Server, parameters={"ASKS": True}, max_states=100)
    assert kinds(found) == ["invariant"]
    violation = found.violations[0]
    assert len(violation.trace.steps) == 6
    assert str(dict(violation.trace.final)["q"]) == "[1, 1] (full, 4 unfinished)"


def test_a_queue_hands_on_references() -> None:
    class References(Model):
        def setup(self):
            self.items = [0]
            self.answers = queue.SimpleQueue()
            self.requests = queue.Queue()
            self.requests.put(self.items)
            self.requests.put([choose([5, 6])])
            self.second = 0

        @thread
        def client(self):
            self.requests.put(("sum", self.answers))
            self.second = self.answers.get()

        @thread
        def server(self):
            first = self.requests.get()
            first.append(1)
            other = self.requests.get()
            other.append(2)
            _, answers = self.requests.get()
            answers.put(sum(other))

    found = checked(References)
    assert found.verdict == "verified"
    assert found.interleavings is not None
    assert [str(dict(outcome.state)) for outcome in found.interleavings.outcomes] == [
        f"{{'items': [0, 1], 'answers': empty, 'requests': empty, 'second': {chosen + 2}}}"
        for chosen in (5, 6)
    ]


def test_who_takes_a_list_has_the_same_one_as_who_made_it() -> None:
    class Made(Model):
        q = queue.Queue()
        got = ()

        @thread
        def producer(self):
            items = [1]
            self.q.put(items)
            items.append(2)

        @thread
        def consumer(self):
            items = self.q.get()
            items.append(3)
            self.got = tuple(items)

    found = checked(Made)
    assert found.verdict == "verified"
    assert ends(found, "got") == {((1, 3),), ((1, 2, 3),), ((1, 3, 2),)}


def test_a_lock_in_a_queue_is_the_lock_that_an_attribute_names() -> None:
    class Tokens(Model):
        lock = threading.Lock()
        q = queue.LifoQueue()
        q.put(lock)
        inner = queue.SimpleQueue()
        inner.put(q)

        @thread
        def holder(self):
            with self.lock:
                self.inner.get().get().acquire()

    found = checked(Tokens)
    (violation,) = found.violations
    assert violation.message == "holder waits for lock, which it holds itself"
    assert str(dict(violation.trace.initial)["q"]) == "[lock]"
    assert str(dict(violation.trace.initial)["inner"]) == "[q]"


def test_the_size_of_a_queue_may_be_chosen_and_is_a_constant() -> None:
    class Sizes(Model):
        def setup(self):
            self.q = queue.Queue(choose([1, 2]))
            self.seen = 0

        @thread
        def t(self):
            for _ in range(self.q.maxsize):
                self.q.put(1)
            self.seen = (self.q.maxsize, self.q.full())

    found = checked(Sizes)
    assert ends(found, "seen") == {((1, True),), ((2, True),)}
    assert size(found) == (9, 7)


def test_a_property_looks_at_the_items() -> None:
    class Conserved(Model):
        q = queue.LifoQueue()
        simple = queue.SimpleQueue()
        taken = array([0, 0])

        def setup(self):
            self.q.put(3)
            self.q.put(4)

        @thread(2)
        def t(self, i):
            with atomic():
                self.taken[i] = self.q.get()
            self.simple.put(i)

        @invariant
        def nothing_is_lost(self):
            assert self.q.maxsize == 0
            return sum(self.q.queue) + sum(self.taken) == 7

        @postcondition
        def all_is_done(self):
            return self.q.empty() and self.simple.qsize() == 2

    found = checked(Conserved)
    assert found.verdict == "verified"
    assert size(found) == (15, 16)


@pytest.mark.parametrize(
    ("look", "why"),
    [
        ("self.q.put(1)", "a property changes 'q'"),
        ("self.simple.get()", "a property changes 'simple'"),
        ("self.q.mutex", "q.mutex is inside the queue, and is not modelled"),
    ],
)
def test_a_property_changes_nothing(tmp_path, look, why) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import queue\nfrom interleave import *\nclass M(Model):\n"
        "    q = queue.Queue()\n    simple = queue.SimpleQueue()\n    simple.put(1)\n"
        "    @thread\n    def t(self): self.q.put(1)\n"
        f"    @invariant\n    def i(self): {look}\n"
    )
    with pytest.raises(ModelError) as caught:
        check(file)
    assert caught.value.what == why


def test_a_bound_that_is_no_number_is_refused() -> None:
    class Unbounded(Model):
        q = queue.Queue(None)

        @thread
        def t(self):
            self.q.put(1)

    with pytest.raises(ModelError, match="a queue has maxsize=None") as caught:
        check(Unbounded)
    assert caught.value.place is not None


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("limit", [1, 7, 40, 200])
def test_a_search_that_begins_again_stops_at_the_same_place(engine, limit) -> None:
    class Late(Model):
        q = queue.Queue()

        @thread(3)
        def t(self, i):
            self.q.put(i)
            self.q.put(i)
            self.q.get()
            self.q.task_done()

    found = checked(Late, engine, max_states=limit)
    assert found.states == limit
    assert not found.complete


@pytest.mark.parametrize(("kind", "steps"), [("Queue", 2), ("SimpleQueue", 1)])
def test_python_code_is_entered_under_a_gil(kind, steps) -> None:
    class Enters(Model):
        KIND = param("")

        def setup(self):
            self.q = getattr(queue, self.KIND)()
            self.n = 0

        @thread
        def t(self):
            self.n = 1
            self.q.put(1)

    found = checked(Enters, parameters={"KIND": kind}, runtime="gil")
    assert found.transitions == steps


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "self.q.put(memoryview(b'x'))",
            "shared variable 'q' is given a value that cannot be shared",
        ),
        (
            "self.heap.put((0, memoryview(b'x')))",
            "shared variable 'heap' is given a value that cannot be shared",
        ),
        (
            "self.simple.put(memoryview(b'x'))",
            "shared variable 'simple' is given a value that cannot be shared",
        ),
        ("self.q.queue.clear()", "q.queue is inside the queue, and is not modelled"),
        ("with self.q.mutex: pass", "q.mutex is inside the queue, and is not modelled"),
        ("self.q.maxsize = 4", "a running thread sets q.maxsize"),
        ("self.heap.put(self.boxes[1])", "an access (read boxes[1].n) happens inside another one"),
    ],
)
def test_what_is_not_modelled_is_refused(tmp_path, body, message) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import queue\nfrom interleave import *\n"
        "class Box:\n"
        "    def __init__(self, n): self.n = n\n"
        "    def __lt__(self, other): return self.n < other.n\n"
        "class M(Model):\n"
        "    q = queue.Queue()\n    heap = queue.PriorityQueue()\n    simple = queue.SimpleQueue()\n"
        "    boxes = [Box(1), Box(2)]\n    heap.put(boxes[0])\n"
        "    @thread\n    def t(self):\n"
        f"        {body}\n"
        "        self.boxes[0].n = self.boxes[1].n = 3\n"
    )
    with pytest.raises(ModelError) as caught:
        check(file)
    assert caught.value.what.startswith(message)
    assert caught.value.remedy
    assert caught.value.place is not None
    assert caught.value.place.line == 14


@pytest.mark.skipif(HAS_SHUTDOWN, reason="new in Python 3.13")
def test_shutdown_is_refused_where_python_has_none() -> None:
    class Closes(Model):
        q = queue.Queue()

        @thread
        def t(self):
            self.q.shutdown()

    with pytest.raises(ModelError, match=r"q.shutdown\(\) is new in Python 3.13"):
        check(Closes)


class Closing(Model):
    IMMEDIATE = param(False)
    q = queue.Queue(1)
    q.put(1)
    ends = array(["", ""])
    joined = False

    @thread
    def main(self):
        self.q.shutdown(self.IMMEDIATE)
        self.q.join()
        self.joined = True

    @thread
    def producer(self):
        try:
            self.q.put(2)
        except queue.ShutDown:
            self.ends[0] = "shut down"

    @thread
    def consumer(self):
        try:
            while True:
                self.q.get()
                self.q.task_done()
        except queue.ShutDown:
            self.ends[1] = "shut down"


@pytest.mark.skipif(not HAS_SHUTDOWN, reason="new in Python 3.13")
@pytest.mark.parametrize(("immediate", "expected"), [(False, (52, 93)), (True, (47, 86))])
def test_shutdown_lets_nobody_wait(immediate, expected) -> None:
    found = checked(Closing, parameters={"IMMEDIATE": immediate})
    assert found.verdict == "verified"
    assert size(found) == expected
    names = ("ends[0]", "ends[1]", "joined")
    assert ends(found, *names) == {("shut down", "shut down", True), ("", "shut down", True)}
