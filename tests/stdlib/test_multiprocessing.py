"""Processes: what is private to each, and the modelled `multiprocessing` against the real one."""

from __future__ import annotations

import gc
import itertools
import json
import multiprocessing
import threading
from collections import Counter
from pathlib import Path
from queue import Empty, Full
from typing import Any

import pytest
from sequences import Sequences, compare

from interleave import (
    Model,
    ModelError,
    UsageError,
    array,
    check,
    choose,
    expect,
    invariant,
    nothing,
    param,
    postcondition,
    process,
    thread,
)
from interleave.checking import Options, checked_model
from interleave.report.diagram import counterexample_dot
from interleave.report.document import render_json
from interleave.report.text import render_text
from interleave.result import ModelResult

ENGINES = ("reference", "native")


def on_both(model: type[Model], **options: Any) -> ModelResult:
    """The result of a check, which is the same on both engines."""
    results = [check(model, engine=engine, **options) for engine in ENGINES]
    assert len({render_json(result, version="") for result in results}) == 1
    return results[0].models[0]


def sizes(found: ModelResult) -> tuple[int, int]:
    return found.states, found.transitions


def kinds(found: ModelResult) -> list[str]:
    return [violation.kind for violation in found.violations]


def endings(found: ModelResult, *names: str) -> Counter[Any]:
    """How interleavings end: how, and the values of some variables."""
    assert found.interleavings is not None
    ends: Counter[Any] = Counter()
    for outcome in found.interleavings.outcomes:
        state = dict(outcome.state)
        ends[(outcome.how, *[state[name] for name in names])] += outcome.interleavings or 0
    return ends


# What is private


class Global(Model):
    counter = 0

    @process(2)
    def increment(self):
        self.counter += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2


def test_an_increment_of_a_plain_attribute_is_never_seen_by_others() -> None:
    found = on_both(Global)
    assert found.runtime == "process"
    assert kinds(found) == ["postcondition"]
    assert sizes(found) == (9, 12)
    names = [f"counter in increment[{i}]" for i in range(2)]
    assert endings(found, *names) == {("finished", 1, 1): 6}


HINT = (
    "counter is written by increment[0] and increment[1], each in its own copy: "
    "processes do not share plain attributes (use multiprocessing.Value or Array)"
)


def test_every_report_names_the_cause() -> None:
    result = check(Global)
    (found,) = result.models
    (violation,) = found.violations
    assert violation.hint == HINT
    assert HINT in render_text(found, width=300)
    document = json.loads(render_json(result, version=""))
    assert document["models"][0]["violations"][0]["hint"] == HINT
    drawn = counterexample_dot(found, violation)
    assert "processes do not share plain attributes" in drawn


def test_only_what_a_process_has_written_is_named() -> None:
    class Both(Model):
        items: list[int] = []  # noqa: RUF012
        seen = 0
        rounds = 0

        @process
        def collect(self):
            self.items.append(self.seen)

        @thread
        def look(self):
            self.rounds += 1
            self.seen = len(self.items)

        @postcondition
        def collected(self):
            return self.rounds == 1 and self.items == [0]

        @invariant
        def small(self):
            return self.rounds == 0

    hints = {violation.kind: violation.hint for violation in on_both(Both).violations}
    assert hints["postcondition"].startswith("items is written by collect, in its own copy: ")
    assert hints["invariant"] == ""


module_items: list[int] = []


def note(item: int) -> None:
    module_items.append(item)


class Node:
    def __init__(self) -> None:
        self.number = 0


@pytest.mark.slow
def test_aliases_in_a_process_stay_aliases_and_globals_are_copied() -> None:
    class Aliases(Model):
        def setup(self):
            self.items = [1]
            self.alias = self.items
            self.node = Node()
            self.nodes = {"it": self.node}
            self.numbers = array([self.node, None])

        @process(2)
        def change(self, i):
            self.items.append(i)
            assert self.alias == [1, i]
            self.nodes["it"].number += i + 1
            assert self.node.number == i + 1
            assert self.numbers[0] is self.node
            self.numbers[1] = self.alias
            self.numbers[1].append(5)
            assert self.items == [1, i, 5]
            note(i)
            assert module_items == [i]

        @invariant
        def the_parent_sees_nothing(self):
            return (
                self.items == [1]
                and self.node.number == 0
                and self.numbers[1] is None
                and module_items == []
            )

    found = on_both(Aliases)
    assert found.verdict == "verified"


@pytest.mark.slow
def test_the_copies_are_of_what_the_parent_has_at_the_fork() -> None:
    class Chosen(Model):
        seen = multiprocessing.Array("i", 2, lock=False)

        def setup(self):
            self.number = choose([3, 4])
            self.counted = self.number

        @process(2)
        def look(self, i):
            self.counted += 1
            self.seen[i] = 10 * self.number + self.counted

        @thread
        def change(self):
            self.counted = 7

    found = on_both(Chosen)
    assert set(endings(found, "number", "counted", "seen[0]", "seen[1]")) == {
        ("finished", number, 7, 10 * number + first, 10 * number + second)
        for number in (3, 4)
        for first in (number + 1, 8)
        for second in (number + 1, 8)
    }


def test_what_a_process_does_not_write_takes_no_step() -> None:
    class Looks(Model):
        limit = 3
        total = multiprocessing.Value("i", 0, lock=False)

        @process(2)
        def look(self):
            self.total.value = self.limit

        @thread
        def change(self):
            self.limit = 4

    found = on_both(Looks)
    # To read what another process changes in its own copy is no access: to fork is one.
    assert sizes(found) == (36, 51)
    assert set(endings(found, "limit", "total")) == {("finished", 4, 3), ("finished", 4, 4)}


def test_a_lock_of_threading_keeps_out_no_other_process() -> None:
    class Private(Model):
        lock = threading.Lock()
        counter = multiprocessing.Value("i", 0, lock=False)

        @process(2)
        def increment(self):
            with self.lock:
                self.counter.value += 1

    found = on_both(Private)
    assert kinds(found) == ["lost-update"]
    assert {ending[1] for ending in endings(found, "counter")} == {1, 2}


def test_a_thread_of_a_process_shares_what_its_process_has() -> None:
    class Helper(Model):
        n = 0
        ready = multiprocessing.Value("i", 0)

        def add(self):
            self.n += 1

        @process(2)
        def work(self):
            helper = threading.Thread(target=self.add)
            helper.start()
            helper.join()
            assert self.n == 1

        @invariant
        def the_parent_sees_nothing(self):
            return self.n == 0

    assert on_both(Helper).verdict == "verified"


def test_a_process_that_waits_for_a_plain_attribute_waits_for_ever() -> None:
    class Spins(Model):
        done = False

        @process
        def work(self):
            self.done = True

        @process
        def wait(self):
            while not self.done:
                pass

    with pytest.raises(ModelError) as caught:
        check(Spins)
    assert "thread wait never comes to a switch point again" in caught.value.what
    assert "done in wait" in caught.value.remedy
    assert "processes do not share plain attributes" in caught.value.remedy


# Marking processes


def test_instances_daemons_and_parameters() -> None:
    class Counts(Model):
        N = param(2)
        seen = multiprocessing.Array("i", 3, lock=False)
        go = multiprocessing.Event()

        @process(N)
        def work(self, i):
            self.seen[i] = i + 1

        @process(daemon=True)
        def background(self):
            self.go.wait()

    found = on_both(Counts, parameters={"N": 3})
    assert found.verdict == "verified"  # though the daemon waits for ever
    last = (("finished", 1, 2, 3),)
    assert tuple(endings(found, *[f"seen[{i}]" for i in range(3)])) == last


@pytest.mark.parametrize("count", [-1, True, "two"])
def test_a_count_that_is_none_is_refused(count) -> None:
    with pytest.raises(ModelError, match="@process"):
        process(count)


def test_a_method_is_a_thread_or_a_process() -> None:
    with pytest.raises(ModelError, match="two interleave decorators"):

        class Twice(Model):
            @process
            @thread
            def work(self): ...


def test_the_runtime_of_processes_alone_is_process() -> None:
    @expect(nothing)
    @expect("postcondition", runtime="process")
    class Expects(Global):
        pass

    for runtime in (None, "gil", "free-threaded"):
        found = on_both(Expects, runtime=runtime)
        assert found.runtime == "process"
        assert found.expected is True
    with pytest.raises(UsageError, match="there is no runtime 'process'"):
        check(Expects, runtime="process")


@pytest.mark.slow
def test_a_gil_is_not_shared_by_processes() -> None:
    class Mixed(Model):
        mine = 0
        ours = multiprocessing.Value("i", 0, lock=False)

        @thread(2)
        def add_here(self):
            self.mine += 1

        @process(2)
        def add_there(self):
            self.ours.value += 1

    found = on_both(Mixed, runtime="gil")
    assert [violation.location for violation in found.violations] == ["ours"]
    found = on_both(Mixed, runtime="free-threaded")
    assert [violation.location for violation in found.violations] == ["mine", "ours"]


# Value and Array


def test_adding_to_a_value_is_two_accesses_even_with_a_lock() -> None:
    class Unlocked(Model):
        counter = multiprocessing.Value("i", 0)

        @process(2)
        def increment(self):
            self.counter.value += 1

    found = on_both(Unlocked)
    assert sizes(found) == (12, 14)
    assert kinds(found) == ["lost-update"]
    assert endings(found, "counter") == {("finished", 1): 4, ("finished", 2): 2}


@pytest.mark.parametrize("how", ["get_lock", "itself", "acquire", "own"])
def test_adding_under_the_lock_loses_nothing(how) -> None:
    class Locked(Model):
        HOW = param("")

        def setup(self):
            self.lock = multiprocessing.RLock()
            own = self.lock if self.HOW == "own" else True
            self.counter = multiprocessing.Value("i", 0, lock=own)

        @process(2)
        def increment(self):
            match self.HOW:
                case "get_lock":
                    with self.counter.get_lock():
                        self.counter.value += 1
                case "itself":
                    with self.counter:
                        self.counter.value += 1
                case "acquire":
                    self.counter.acquire()
                    self.counter.value += 1
                    self.counter.release()
                case _:
                    with self.lock:
                        self.counter.value += 1

    found = on_both(Locked, parameters={"HOW": how})
    assert found.verdict == "verified"
    assert sizes(found) == (16, 16)
    assert {ending[:2] for ending in endings(found, "counter")} == {("finished", 2)}


def test_a_single_access_waits_for_the_lock() -> None:
    class Held(Model):
        numbers = multiprocessing.Array("i", 2)

        @process
        def write(self):
            with self.numbers.get_lock():
                self.numbers[0] = 1
                self.numbers[1] = 1

        @process
        def look(self):
            both = self.numbers[:]
            assert both in ([0, 0], [1, 1])

    found = on_both(Held)
    assert found.verdict == "verified"
    assert sizes(found) == (10, 10)

    class Raw(Held):
        numbers = multiprocessing.Array("i", 2, lock=False)
        lock = multiprocessing.Lock()

        @process
        def write(self):
            with self.lock:
                self.numbers[0] = 1
                self.numbers[1] = 1

    assert kinds(on_both(Raw)) == ["assertion"]


def test_who_ends_with_the_lock_is_named() -> None:
    class Dies(Model):
        number = multiprocessing.Value("i", 0)

        @process
        def take(self):
            self.number.acquire()

        @process
        def look(self):
            self.number.value += 1

    (violation,) = [each for each in on_both(Dies).violations if each.kind == "deadlock"]
    (wait,) = violation.waits
    assert (wait.access.location, wait.holders, wait.holders_ended) == ("number", ("take",), True)


def test_a_lock_that_cannot_be_taken_again_keeps_out_its_holder() -> None:
    class Oneself(Model):
        number = multiprocessing.Value("i", 0, lock=multiprocessing.Lock())

        @process
        def look(self):
            with self.number.get_lock():
                return self.number.value

    (violation,) = on_both(Oneself).violations
    assert violation.kind == "deadlock"
    assert violation.message == "look waits for number, which it holds itself"


class Calls(Sequences):
    """Calls on one primitive."""

    KIND = param("Lock")

    def prepare(self):
        self.it = MAKE[self.KIND]()

    def perform(self, call):
        try:
            match call:
                case ("get", name):
                    result = getattr(self.it, name)
                case ("set", name, value):
                    result = setattr(self.it, name, value)
                case ("item", key):
                    result = self.it[key]
                case ("store", key, value):
                    self.it[key] = value
                    result = None
                case ("len",):
                    result = len(self.it)
                case ("list",):
                    result = tuple(self.it)
                case ("wake",):
                    with self.it:
                        result = self.it.notify_all()
                case (name, *arguments):
                    result = getattr(self.it, name)(*arguments)
            return tuple(result) if isinstance(result, list) else result
        except (
            AssertionError,
            AttributeError,
            EOFError,
            IndexError,
            OSError,
            TypeError,
            ValueError,
        ) as error:
            return (type(error).__name__, str(error))


MAKE: dict[str, Any] = {
    "Lock": multiprocessing.Lock,
    "RLock": multiprocessing.RLock,
    "Semaphore": lambda: multiprocessing.Semaphore(1),
    "BoundedSemaphore": lambda: multiprocessing.BoundedSemaphore(1),
    "Event": multiprocessing.Event,
    "Condition": multiprocessing.Condition,
    "reader": lambda: multiprocessing.Pipe(duplex=False)[0],
    "writer": lambda: multiprocessing.Pipe(duplex=False)[1],
    "one end": lambda: multiprocessing.Pipe()[0],
    "SimpleQueue": multiprocessing.SimpleQueue,
    **{f"Value {code}": lambda code=code: multiprocessing.Value(code) for code in "bBhHiIlLqQfdc"},
    "RawValue i": lambda: multiprocessing.RawValue("i", 7),
    "Array i": lambda: multiprocessing.Array("i", [1, 2, 3]),
    "RawArray i": lambda: multiprocessing.RawArray("i", [1, 2, 3]),
    "Array d": lambda: multiprocessing.Array("d", 2, lock=False),
    "Array c": lambda: multiprocessing.Array("c", 4),
    "RawArray c": lambda: multiprocessing.RawArray("c", b"abcd"),
}


LOCK_CALLS = (
    ("acquire", False),
    ("acquire", True, 0),
    ("acquire", True, -1),
    ("release",),
)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Lock", "RLock", "Semaphore", "BoundedSemaphore"])
def test_locks_answer_as_the_real_ones_do(kind) -> None:
    more = (("get_value",),) if "Semaphore" in kind else ()
    compare(Calls, [(*LOCK_CALLS, *more)] * 3, KIND=kind)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "calls", "length"),
    [
        ("Event", (("is_set",), ("set",), ("clear",), ("wait", 0)), 4),
        ("Condition", (("notify",), ("wait", 0), ("acquire",), ("release",), ("wake",)), 3),
        (
            "SimpleQueue",
            (("put", 1), ("put", ("a", 2.5)), ("empty",), ("put", None)),
            3,
        ),
        ("reader", (("poll",), ("send", 1), ("close",), ("get", "closed"), ("poll", 0)), 3),
        ("writer", (("poll",), ("recv",), ("close",), ("get", "readable")), 3),
        ("one end", (("poll",), ("close",), ("get", "writable"), ("poll", 0)), 3),
    ],
)
def test_others_answer_as_the_real_ones_do(kind, calls, length) -> None:
    compare(Calls, [calls] * length, KIND=kind)


GET_VALUE = [("get", "value")]
NUMBERS = (0, 1, -1, 127, 128, 2**15, 2**31, -(2**31) - 1, 2**63, 2**64 + 5, True)


@pytest.mark.slow
@pytest.mark.parametrize("code", "bBhHiIlLqQ")
def test_whole_numbers_wrap_around_as_in_c(code) -> None:
    stores = [("set", "value", number) for number in (*NUMBERS, 1.5, "1", None)]
    compare(Calls, [stores, GET_VALUE], KIND=f"Value {code}")


@pytest.mark.slow
@pytest.mark.parametrize("code", "fdc")
def test_other_values_are_converted_as_ctypes_does(code) -> None:
    stores = [("set", "value", value) for value in (0, 1, 0.1, 1e300, -0.0, b"x", b"xy", "x", None)]
    compare(Calls, [stores, GET_VALUE], KIND=f"Value {code}")


@pytest.mark.parametrize("kind", ["Array i", "RawArray i", "Array d"])
def test_arrays_answer_as_the_real_ones_do(kind) -> None:
    calls = (
        ("len",),
        ("list",),
        ("item", 1),
        ("item", -1),
        ("item", 3),
        ("item", slice(0, 2)),
        ("item", slice(None, None, -1)),
        ("store", 0, 2**31),
        ("store", -4, 1),
        ("store", 1, "x"),
        ("store", slice(0, 2), (8, 9)),
        ("store", slice(0, 2), (8,)),
    )
    compare(Calls, [calls, calls, [("list",)]], KIND=kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Array c", "RawArray c"])
def test_strings_answer_as_the_real_ones_do(kind) -> None:
    calls = (
        ("get", "value"),
        ("get", "raw"),
        ("item", 1),
        ("item", slice(0, 3)),
        ("set", "value", b"xy"),
        ("set", "value", b"vwxyz"),
        ("set", "raw", b"12"),
        ("store", 0, b"q"),
        ("store", slice(0, 2), b"rs"),
    )
    compare(Calls, [calls, calls, [("get", "raw")], GET_VALUE], KIND=kind)


# Waiting for each other


def test_a_wait_for_an_event_looks_again_when_it_is_woken() -> None:
    class Short(Model):
        event = multiprocessing.Event()
        result = multiprocessing.Value("i", -1, lock=False)

        @process
        def wait(self):
            self.result.value = self.event.wait()

        @process
        def pulse(self):
            self.event.set()
            self.event.clear()

    found = on_both(Short)
    # Woken before clear, woken after it, and never woken, as it came too late.
    assert {ending[:2] for ending in endings(found, "result")} == {
        ("finished", 0),
        ("finished", 1),
        ("deadlock", -1),
    }


def test_a_timeout_may_expire_only_while_nobody_sets_the_event() -> None:
    class Impatient(Model):
        event = multiprocessing.Event()
        result = multiprocessing.Value("i", -1, lock=False)

        @process
        def wait(self):
            self.result.value = self.event.wait(1)

        @process
        def set_it(self):
            self.event.set()

    assert set(endings(on_both(Impatient), "result")) == {("finished", 0), ("finished", 1)}


class Waiters(Model):
    COUNT = param(1)
    condition = multiprocessing.Condition()
    ready = multiprocessing.Value("i", 0, lock=False)
    woken = multiprocessing.Array("i", 2, lock=False)

    @process(2)
    def wait(self, i):
        with self.condition:
            while not self.ready.value:
                self.condition.wait()
                self.woken[i] = 1

    @process
    def wake(self):
        with self.condition:
            self.ready.value = 1
            self.condition.notify(self.COUNT)


@pytest.mark.slow
def test_notify_wakes_any_of_those_who_wait() -> None:
    found = on_both(Waiters)
    assert kinds(found) == ["deadlock"]
    # With both waiting, either is woken, whoever has waited longer.
    assert {
        ending for ending in endings(found, "woken[0]", "woken[1]") if ending[0] != "finished"
    } == {
        ("deadlock", 0, 1),
        ("deadlock", 1, 0),
    }
    assert on_both(Waiters, parameters={"COUNT": 2}).verdict == "verified"


def test_a_wait_that_times_out_can_swallow_a_notify() -> None:
    class Swallows(Model):
        condition = multiprocessing.Condition(multiprocessing.Lock())
        results = multiprocessing.Array("i", [-1, -1], lock=False)

        @process
        def patient(self):
            with self.condition:
                self.results[0] = self.condition.wait()

        @process
        def impatient(self):
            with self.condition:
                self.results[1] = self.condition.wait(1)

        @process
        def wake(self):
            with self.condition:
                self.condition.notify()

    ends = set(endings(on_both(Swallows), "results[0]", "results[1]"))
    assert ends == {
        ("finished", 1, 0),
        ("deadlock", -1, 0),
        ("deadlock", -1, 1),
    }


def test_wait_for_looks_before_it_waits() -> None:
    class Until(Model):
        condition = multiprocessing.Condition()
        number = multiprocessing.Value("i", 0)
        seen = multiprocessing.Value("i", 0, lock=False)

        @process
        def wait(self):
            with self.condition:
                self.condition.wait_for(lambda: self.number.value == 2)
                self.seen.value = self.number.value

        @process
        def count(self):
            for _ in range(2):
                with self.condition:
                    self.number.value += 1
                    self.condition.notify_all()

    found = on_both(Until)
    assert set(endings(found, "seen")) == {("finished", 2)}


def test_any_process_may_release_a_lock_but_not_an_rlock() -> None:
    class Other(Model):
        lock = multiprocessing.Lock()
        again = multiprocessing.RLock()
        taken = multiprocessing.Event()

        @process
        def taker(self):
            self.lock.acquire()
            self.again.acquire()
            self.taken.set()

        @process
        def giver(self):
            self.taken.wait()
            self.lock.release()
            self.again.release()

    (violation,) = on_both(Other).violations
    assert violation.message == (
        "giver is ended by AssertionError: attempt to release recursive lock not owned by thread"
    )


def test_processes_that_take_two_locks_in_opposite_orders() -> None:
    class Circle(Model):
        first = multiprocessing.Lock()
        second = multiprocessing.Lock()

        @process
        def one(self):
            with self.first, self.second:
                pass

        @process
        def other(self):
            with self.second, self.first:
                pass

    (violation,) = on_both(Circle).violations
    assert violation.kind == "deadlock"
    assert violation.cycle
    assert [(wait.thread, wait.holders) for wait in violation.waits] == [
        ("one", ("other",)),
        ("other", ("one",)),
    ]


# Pipes


def test_a_message_is_a_copy() -> None:
    class Copies(Model):
        def setup(self):
            self.near, self.far = multiprocessing.Pipe()
            self.items = [1]
            self.node = Node()

        @process
        def send(self):
            local = {"items": self.items, "again": self.items, "node": self.node}
            self.near.send(local)
            self.items.append(2)
            local["more"] = 3
            assert self.near.recv() == (1, 7)

        @process
        def receive(self):
            message = self.far.recv()
            assert message["items"] is message["again"]
            message["items"].append(7)
            message["node"].number = 7
            assert "more" not in message
            assert self.items == [1] and self.node.number == 0
            self.far.send((1, message["again"][1]))

    assert on_both(Copies).verdict == "verified"


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("lock", "RuntimeError: Lock objects should only be shared between processes through "
         "inheritance"),
        ("private", "TypeError: cannot pickle 'Lock' object"),
    ],
)  # fmt: skip
def test_locks_cannot_be_sent(what, error) -> None:
    class Sends(Model):
        WHAT = param("")
        queue = multiprocessing.SimpleQueue()
        lock = multiprocessing.Lock()
        private = threading.Lock()

        @process
        def send(self):
            self.queue.put(self.lock if self.WHAT == "lock" else self.private)

    (violation,) = on_both(Sends, parameters={"WHAT": what}).violations
    assert violation.message == f"send is ended by {error}"


def test_what_setup_has_sent_is_in_the_pipe() -> None:
    class Prepared(Model):
        queue = multiprocessing.SimpleQueue()

        def setup(self):
            self.near, self.far = multiprocessing.Pipe()
            self.far.send("before")
            self.one_way, self.sender = multiprocessing.Pipe(duplex=False)
            self.sender.send(choose([1, 2]))
            self.queue.put("first")

        @process
        def receive(self):
            assert self.near.recv() == "before"
            assert self.one_way.recv() in (1, 2)
            assert not self.one_way.poll() and not self.near.poll()
            assert self.queue.get() == "first" and self.queue.empty()

    for _ in range(2):
        assert on_both(Prepared).verdict == "verified"


class ClassPipe(Model):
    receiver, sender = multiprocessing.Pipe(duplex=False)
    number = 0

    def setup(self):
        self.other = self.sender
        self.number = choose([1, 2])

    @process
    def send(self):
        self.sender.send(self.number)

    @process
    def receive(self):
        assert self.receiver.recv() == self.number


def test_a_pipe_in_the_class_body_is_made_anew_for_each_run_of_setup() -> None:
    found = on_both(ClassPipe)
    assert found.verdict == "verified"
    assert sizes(found) == (6, 4)


class Ends(Model):
    CLOSES = param(True)

    def setup(self):
        self.receiver, self.sender = multiprocessing.Pipe(duplex=False)
        self.received = ()

    @process
    def send(self):
        self.sender.send("only")

    @thread
    def parent(self):
        if self.CLOSES:
            self.sender.close()
        try:
            while True:
                self.received = (*self.received, self.receiver.recv())
        except EOFError:
            self.received = (*self.received, "end")


def test_a_pipe_ends_when_every_process_has_closed_it_or_ended() -> None:
    assert set(endings(on_both(Ends), "received")) == {("finished", ("only", "end"))}
    # The parent keeps its own end open, and waits for itself.
    found = on_both(Ends, parameters={"CLOSES": False})
    assert kinds(found) == ["deadlock"]
    assert set(endings(found, "received")) == {("deadlock", ("only",))}


def test_nobody_is_left_to_receive() -> None:
    class Broken(Model):
        def setup(self):
            self.receiver, self.sender = multiprocessing.Pipe(duplex=False)

        @process
        def leave(self):
            self.receiver.close()

        @thread
        def parent(self):
            self.receiver.close()
            self.sender.send(1)

    ends = Counter({how[0]: count for how, count in endings(on_both(Broken)).items()})
    assert set(ends) == {"finished", "failed"}
    assert [v.message for v in on_both(Broken).violations] == [
        "parent is ended by BrokenPipeError: [Errno 32] Broken pipe"
    ]


class Both(Model):
    PIPE_CAPACITY = param(1)

    def setup(self):
        self.ends = multiprocessing.Pipe()

    @process(2)
    def talk(self, i):
        for number in range(2):
            self.ends[i].send(number)
        for number in range(2):
            assert self.ends[i].recv() == number


def test_a_full_pipe_keeps_senders_waiting() -> None:
    found = on_both(Both)
    assert kinds(found) == ["deadlock"]
    assert [(wait.access.kind, wait.access.location) for wait in found.violations[0].waits] == [
        ("send", "ends[0]"),
        ("send", "ends[1]"),
    ]
    assert on_both(Both, parameters={"PIPE_CAPACITY": 2}).verdict == "verified"


def test_a_simple_queue_can_be_full_as_well() -> None:
    class Fills(Model):
        PIPE_CAPACITY = 1
        queue = multiprocessing.SimpleQueue()

        @process
        def put(self):
            self.queue.put(1)
            self.queue.put(2)

    assert kinds(on_both(Fills)) == ["deadlock"]


@pytest.mark.parametrize("capacity", [0, -1, True, "many"])
def test_a_capacity_that_is_none_is_refused(capacity) -> None:
    class Refused(Both):
        PIPE_CAPACITY = capacity

    with pytest.raises(ModelError, match="PIPE_CAPACITY is"):
        check(Refused)


# Queues with a feeder


class Signals(Model):
    queue = multiprocessing.Queue()
    is_put = multiprocessing.Event()
    seen = multiprocessing.Array("i", [-1, -1], lock=False)

    @process
    def put(self):
        self.queue.put(5)
        self.is_put.set()

    @process
    def look(self):
        self.is_put.wait()
        self.seen[0] = self.queue.empty()
        try:
            self.seen[1] = self.queue.get_nowait()
        except Empty:
            pass


def test_what_is_put_is_not_there_at_once_but_stays_once_it_is() -> None:
    found = on_both(Signals)
    assert set(endings(found, "seen[0]", "seen[1]")) == {
        ("finished", 1, -1),
        ("finished", 1, 5),
        ("finished", 0, 5),  # and never (0, -1)
    }


def test_what_is_put_is_there_when_the_feeder_was_joined() -> None:
    class Joined(Signals):
        @process
        def put(self):
            self.queue.put(5)
            assert self.queue.qsize() == 1
            self.queue.close()
            self.queue.join_thread()
            self.is_put.set()

    assert set(endings(on_both(Joined), "seen[0]", "seen[1]")) == {("finished", 0, 5)}


class Producers(Model):
    queue = multiprocessing.Queue()
    received = ()

    @process(2)
    def put(self, i):
        self.queue.put((i, 0))
        self.queue.put((i, 1))

    @thread
    def parent(self):
        for _ in range(4):
            self.received = (*self.received, self.queue.get())


@pytest.mark.slow
def test_messages_of_one_process_come_in_order_and_of_two_in_any() -> None:
    found = on_both(Producers)
    assert found.verdict == "verified"
    ends = {received for _, received in endings(found, "received")}
    messages = [(i, k) for i in range(2) for k in range(2)]
    assert ends == {
        order
        for order in itertools.permutations(messages)
        if order.index((0, 0)) < order.index((0, 1)) and order.index((1, 0)) < order.index((1, 1))
    }


class Relay(Model):
    JOINS = param(True)
    queue = multiprocessing.Queue()
    go = multiprocessing.Event()
    received = ()

    @process
    def first(self):
        self.queue.put(1)
        if self.JOINS:
            self.queue.close()
            self.queue.join_thread()
        self.go.set()

    @process
    def second(self):
        self.go.wait()
        self.queue.put(2)

    @thread
    def parent(self):
        self.received = (self.queue.get(), self.queue.get())


@pytest.mark.slow
def test_a_signal_overtakes_a_message_but_for_a_feeder_that_was_joined() -> None:
    found = on_both(Relay, parameters={"JOINS": False})
    assert set(endings(found, "received")) == {("finished", (1, 2)), ("finished", (2, 1))}
    found = on_both(Relay, parameters={"JOINS": True})
    assert set(endings(found, "received")) == {("finished", (1, 2))}


class Leaves(Model):
    """A process ends without a word: the end of it waits for its feeder."""

    PIPE_CAPACITY = param(1)
    queue = multiprocessing.Queue()

    def put_all(self):
        for number in range(2):
            self.queue.put(number)

    @process
    def put(self):
        self.put_all()

    @invariant
    def an_end_leaves_nothing_in_the_buffer(self):
        return not self.finished("put") or not self.queue.empty()


def test_a_process_ends_when_its_feeder_has_moved_everything() -> None:
    found = on_both(Leaves)
    assert kinds(found) == ["deadlock"]  # nobody receives, and the pipe takes one message
    (wait,) = found.violations[0].waits
    assert (wait.access.kind, wait.access.location) == ("flush", "queue")
    found = on_both(Leaves, parameters={"PIPE_CAPACITY": 2})
    assert found.verdict == "verified"
    assert sizes(found) == (5, 4)  # two puts, and two messages that are moved

    class Fails(Leaves):
        @process
        def put(self):
            self.put_all()
            raise KeyError("after the puts")

    found = on_both(Fails, parameters={"PIPE_CAPACITY": 2})
    assert [v.message for v in found.violations] == ["put is ended by KeyError: 'after the puts'"]
    assert sizes(found) == (5, 4)


def test_a_process_that_does_not_wait_for_its_feeder_can_lose_messages() -> None:
    class Cancels(Model):
        queue = multiprocessing.Queue()
        received = ()

        @process
        def put(self):
            self.queue.put(1)
            self.queue.cancel_join_thread()

        @thread
        def parent(self):
            self.received = (self.queue.get(),)

    ends = {(how, received) for how, received in endings(on_both(Cancels), "received")}
    assert ends == {("finished", (1,)), ("deadlock", ())}


def test_a_reader_that_waits_makes_others_find_nothing() -> None:
    class TwoReaders(Model):
        queue = multiprocessing.Queue()
        got = multiprocessing.Array("i", [-1, -1], lock=False)

        def setup(self):
            self.queue.put(1)
            self.queue.put(2)

        @process
        def waits(self):
            self.got[0] = self.queue.get()

        @process
        def does_not(self):
            try:
                self.got[1] = self.queue.get_nowait()
            except Empty:
                pass

    assert set(endings(on_both(TwoReaders), "got[0]", "got[1]")) == {
        ("finished", 1, 2),
        ("finished", 2, 1),
        ("finished", 1, -1),
    }


def test_a_bounded_queue_counts_what_is_in_buffers() -> None:
    class Bounded(Model):
        queue = multiprocessing.Queue(1)
        full = multiprocessing.Array("i", [-1, -1], lock=False)

        @process
        def put(self):
            self.queue.put(1)
            self.full[0] = self.queue.full()
            try:
                self.queue.put(2, timeout=1)
                self.full[1] = 0
            except Full:
                self.full[1] = 1

        @process
        def get(self):
            self.queue.get()

    assert set(endings(on_both(Bounded), "full[0]", "full[1]")) == {
        ("finished", 1, 0),
        ("finished", 1, 1),
        ("finished", 0, 0),
    }


def test_a_closed_queue_is_closed_for_its_process_only() -> None:
    class Closed(Model):
        queue = multiprocessing.Queue()

        @process(2)
        def put(self, i):
            self.queue.put(i)
            self.queue.close()
            try:
                self.queue.put(i)
            except ValueError as error:
                assert str(error) == "Queue queue is closed"
            else:
                raise AssertionError

    assert on_both(Closed).verdict == "verified"


class Tasks(Model):
    DONE = param(2)
    tasks = multiprocessing.JoinableQueue()
    joined = multiprocessing.Value("i", 0, lock=False)

    @process
    def put(self):
        self.tasks.put("a")
        self.tasks.put("b")
        self.tasks.join()
        self.joined.value = 1

    @process
    def work(self):
        for _ in range(2):
            self.tasks.get()
        for _ in range(self.DONE):
            self.tasks.task_done()


@pytest.mark.slow
def test_join_waits_until_all_tasks_are_done() -> None:
    assert set(endings(on_both(Tasks), "joined")) == {("finished", 1)}
    assert kinds(on_both(Tasks, parameters={"DONE": 1})) == ["deadlock"]
    (violation,) = on_both(Tasks, parameters={"DONE": 3}).violations
    assert violation.message == "work is ended by ValueError: task_done() called too many times"


# What is refused


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("multiprocessing.get_context('spawn')", "multiprocessing.get_context has no modelled"),
        ("multiprocessing.Manager()", "multiprocessing.Manager has no modelled counterpart"),
        ("self.value.get_obj()", "get_obj() has no modelled counterpart"),
        ("self.value.value = 1; self.queue.put(lambda: 0)", "this cannot be sent to another"),
        ("self.queue.put(self)", "the model is sent to another process"),
    ],
)
def test_what_has_no_counterpart_is_refused_where_it_stands(tmp_path, body, message) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import multiprocessing\nfrom interleave import *\nclass M(Model):\n"
        "    value = multiprocessing.Value('i')\n    queue = multiprocessing.SimpleQueue()\n"
        f"    @process\n    def t(self):\n        {body}\n        self.value.value = 1\n"
    )
    with pytest.raises(ModelError) as caught:
        check(file)
    assert caught.value.what.startswith(message)
    assert caught.value.remedy
    assert caught.value.place is not None
    assert caught.value.place.line == 8


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("multiprocessing.Process(target=print)", "multiprocessing.context.Process has no"),
        ("multiprocessing.Value('i', lock=threading.Lock())", "a Value or Array has a lock"),
        ("multiprocessing.Value(Point)", "shared memory that holds a Point"),
        ("held(multiprocessing.Lock())", "a multiprocessing.Lock is held when"),
        ("held(multiprocessing.RLock())", "a multiprocessing.RLock is held when"),
    ],
)
def test_what_setup_cannot_make(tmp_path, made, message) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import ctypes, multiprocessing, threading\nfrom interleave import *\n"
        "class Point(ctypes.Structure):\n    _fields_ = [('x', ctypes.c_int)]\n"
        "def held(lock):\n    lock.acquire()\n    return lock\n"
        "class M(Model):\n    def setup(self):\n"
        f"        self.made = {made}\n"
        "    @process\n    def t(self):\n        return self.made\n"
    )
    with pytest.raises(ModelError) as caught:
        check(file)
    assert caught.value.what.startswith(message)
    assert caught.value.remedy
    assert caught.value.place is not None
    assert caught.value.place.line == 10


@pytest.mark.slow
def test_many_runs_of_setup_leave_nothing_behind() -> None:
    class Many(Model):
        lock = multiprocessing.Lock()
        queue = multiprocessing.Queue()
        ends = multiprocessing.Pipe()
        value = multiprocessing.Value("i", 0)

        def setup(self):
            self.number = choose(range(300))
            self.more = [multiprocessing.Semaphore(2), multiprocessing.SimpleQueue()]

        @process
        def work(self):
            with self.lock:
                self.value.value = self.number

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0

    before = open_files()
    found, _ = checked_model(Many, "", {}, Options(engine="reference")).result, None
    assert found.verdict == "verified"
    assert len(found.interleavings.outcomes if found.interleavings else ()) == 300
    gc.collect()
    assert open_files() <= before + 10
