"""The modelled `threading` module against the real one, and small models that use it."""

from __future__ import annotations

import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest
from running import load
from sequences import Call, Sequences, compare

from interleave import (
    Model,
    ModelError,
    array,
    check,
    invariant,
    param,
    postcondition,
    section,
    thread,
)
from interleave.report.document import render_json
from interleave.result import ModelResult

ERRORS = (RuntimeError, ValueError, TypeError, OverflowError, AttributeError)


def checked(model: type[Model], **options: Any) -> ModelResult:
    """What is found in a model, which is the same on both engines."""
    result = check(model, engine="native", **options)
    document = render_json(result, version="")
    assert document == render_json(check(model, engine="reference", **options), version="")
    return result.models[0]


def size(found: ModelResult) -> tuple[int, int]:
    return found.states, found.transitions


def kinds(found: ModelResult) -> list[str]:
    return [violation.kind for violation in found.violations]


def ends(found: ModelResult, *names: str) -> set[tuple[object, ...]]:
    """How interleavings end: "finished", ..., and the values of some variables then."""
    assert found.interleavings is not None
    return {
        (outcome.how, *[dict(outcome.state)[name] for name in names])
        for outcome in found.interleavings.outcomes
    }


# Calls by one thread, answered as the real ones do


class Calls(Sequences):
    """Calls on one object, which is made by setup or by the thread."""

    KIND = param("Semaphore")
    MADE_WITH = param(())
    IN_THREAD = param(False)

    def prepare(self):
        self.it = None
        self.acted = 0
        if not self.IN_THREAD:
            self.it = self.made()

    def begin(self):
        if self.IN_THREAD:
            self.it = self.made()

    def made(self):
        match self.KIND:
            case "Semaphore":
                return threading.Semaphore(*self.MADE_WITH)
            case "BoundedSemaphore":
                return threading.BoundedSemaphore(*self.MADE_WITH)
            case "Event":
                return threading.Event()
            case "Condition":
                return threading.Condition()
            case "Condition(Lock())":
                return threading.Condition(threading.Lock())
            case "Barrier":
                return threading.Barrier(*self.MADE_WITH)
            case "Barrier with action":
                return threading.Barrier(*self.MADE_WITH, self.act)

    def act(self):
        self.acted += 1
        if self.acted == 2:
            raise ValueError("the action fails")

    def perform(self, call):
        method, *arguments = call
        try:
            match method:
                case "with":
                    with self.it as entered:
                        result = entered
                case "parties" | "n_waiting" | "broken" | "_value":
                    result = getattr(self.it, method)
                case "wait_for":
                    holds, timeout = arguments
                    result = self.it.wait_for(lambda: holds, timeout)
                case _:
                    result = getattr(self.it, method)(*arguments)
        except ERRORS as error:
            result = (type(error).__name__, str(error))
        return repr(result)


TIMEOUTS = (0, 0.001, -1, "1", 1e300)
NUMBERS = (-1, 0, 1, 2, 3)
SEMAPHORE = (
    ("release",),
    ("with",),
    ("_value",),
    *[("release", number) for number in NUMBERS],
    *[
        ("acquire", blocking, timeout)
        for blocking in (False, True)
        for timeout in (*TIMEOUTS, None)
    ],
)
CONDITION = (
    *[(name,) for name in ("acquire", "release", "notify", "notify_all", "notifyAll", "with")],
    *[("notify", number) for number in (*NUMBERS, "1")],
    *[("wait", timeout) for timeout in TIMEOUTS],
    *[("wait_for", holds, timeout) for holds in (0, 1, "yes") for timeout in TIMEOUTS],
)
BARRIER = (
    *[(name,) for name in ("reset", "abort", "parties", "n_waiting", "broken")],
    *[("wait", timeout) for timeout in TIMEOUTS],
)
CALLS: dict[str, tuple[Call, ...]] = {
    "Semaphore": SEMAPHORE,
    "BoundedSemaphore": SEMAPHORE,
    "Event": (
        *[(name,) for name in ("set", "clear", "is_set", "isSet")],
        *[("wait", timeout) for timeout in TIMEOUTS],
    ),
    "Condition": CONDITION,
    "Condition(Lock())": CONDITION,
    "Barrier": BARRIER,
    "Barrier with action": BARRIER,
}
MADE_WITH = {
    "Semaphore": [(0,), (1,), (2,)],
    "BoundedSemaphore": [(0,), (1,), (2,)],
    "Barrier": [(1,), (2,)],
    "Barrier with action": [(1,), (2,)],
}
MADE = [(kind, made_with) for kind in CALLS for made_with in MADE_WITH.get(kind, [()])]


def waits(real: Any, call: Call) -> bool:
    """Whether a call would wait for ever, for nobody else is there."""
    it = real.it
    match call:
        case ("acquire", False, _):
            return False
        case ("acquire", *_, timeout):
            return timeout is None and it._value == 0
        case ("with" | "acquire",) if hasattr(it, "_value"):
            return bool(it._value == 0)
        case ("with" | "acquire",) if hasattr(it, "_lock"):
            return isinstance(it._lock, type(threading.Lock())) and it._lock.locked()
    return False


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # old names
@pytest.mark.parametrize(("kind", "made_with"), MADE)
def test_any_two_calls_answer_as_the_real_ones_do(kind: str, made_with: tuple[int, ...]) -> None:
    compare(Calls, [CALLS[kind]] * 2, waits, KIND=kind, MADE_WITH=made_with)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # old names
@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("kind", CALLS)
def test_many_calls_answer_as_the_real_ones_do(kind: str, in_thread: bool) -> None:
    random = Random(f"{kind} {in_thread}")
    made_with = random.choice(MADE_WITH.get(kind, [()]))
    rounds = [random.sample(CALLS[kind], 2) for _ in range(6)]
    compare(Calls, rounds, waits, KIND=kind, MADE_WITH=made_with, IN_THREAD=in_thread)


# The same outcomes as CPython's own way of doing it, written out with locks alone

AS_IN_CPYTHON = '''
import threading
from interleave import *


class Condition:
    """A lock for each thread that waits, as in Lib/threading.py."""

    def __init__(self, lock):
        self.lock = lock
        self.waiters = []

    def acquire(self):
        self.lock.acquire()

    def release(self):
        self.lock.release()

    def wait(self, timeout=None):
        waiter = threading.Lock()
        waiter.acquire()
        self.waiters.append(waiter)
        self.lock.release()
        woken = waiter.acquire() if timeout is None else waiter.acquire(timeout=timeout)
        self.lock.acquire()
        if not woken and waiter in self.waiters:
            self.waiters.remove(waiter)
        return woken

    def notify(self, n=1):
        while n > 0 and len(self.waiters) > 0:
            self.waiters.pop(0).release()
            n -= 1

    def notify_all(self):
        self.notify(len(self.waiters))


class Semaphore:
    def __init__(self, value):
        self.condition = Condition(threading.Lock())
        self.value = value

    def acquire(self, timeout=None):
        self.condition.acquire()
        in_time = True
        while self.value == 0 and in_time:
            in_time = self.condition.wait(timeout)
        taken = self.value > 0
        if taken:
            self.value -= 1
        self.condition.release()
        return taken

    def release(self, n=1):
        self.condition.acquire()
        self.value += n
        self.condition.notify(n)
        self.condition.release()


class Event:
    def __init__(self):
        self.condition = Condition(threading.Lock())
        self.flag = False

    def set(self):
        self.condition.acquire()
        self.flag = True
        self.condition.notify_all()
        self.condition.release()

    def clear(self):
        self.condition.acquire()
        self.flag = False
        self.condition.release()

    def wait(self, timeout=None):
        self.condition.acquire()
        found = self.flag
        if not found:
            found = self.condition.wait(timeout)
        self.condition.release()
        return found


class Barrier:
    def __init__(self, parties, action=None):
        self.condition = Condition(threading.Lock())
        self.parties = parties
        self.action = action
        self.phase = "filling"
        self.inside = 0

    def wait(self, timeout=None):
        self.condition.acquire()
        try:
            while self.phase in ("draining", "resetting"):
                self.condition.wait()
            if self.phase == "broken":
                raise threading.BrokenBarrierError
            place = self.inside
            self.inside += 1
            try:
                if place + 1 == self.parties:
                    self.open()
                else:
                    self.stay(timeout)
                return place
            finally:
                self.inside -= 1
                if self.inside == 0 and self.phase in ("draining", "resetting"):
                    self.phase = "filling"
                    self.condition.notify_all()
        finally:
            self.condition.release()

    def open(self):
        try:
            if self.action is not None:
                self.action()
            self.phase = "draining"
            self.condition.notify_all()
        except ValueError:
            self.break_it()
            raise

    def stay(self, timeout):
        in_time = True
        while self.phase == "filling" and in_time:
            in_time = self.condition.wait(timeout)
        if self.phase == "filling":
            self.break_it()
        if self.phase != "draining":
            raise threading.BrokenBarrierError

    def break_it(self):
        self.phase = "broken"
        self.condition.notify_all()

    def abort(self):
        self.condition.acquire()
        self.break_it()
        self.condition.release()

    def reset(self):
        self.condition.acquire()
        if self.inside == 0:
            self.phase = "filling"
        elif self.phase in ("filling", "broken"):
            self.phase = "resetting"
        self.condition.notify_all()
        self.condition.release()


class Written(Model):
    def setup(self):
        self.seen = array([None] * 4)
        self.condition = Condition(threading.Lock())
        self.semaphore = Semaphore({value})
        self.event = Event()
        self.barrier = Barrier(2, {action})
        self.lock = self.condition.lock
        self.done = False
        self.acted = 0
{body}

class Modelled(Model):
    def setup(self):
        self.seen = array([None] * 4)
        self.condition = threading.Condition(threading.Lock())
        self.semaphore = threading.Semaphore({value})
        self.event = threading.Event()
        self.barrier = threading.Barrier(2, {action})
        self.done = False
        self.acted = 0
{body}
'''


def parts(*bodies: str) -> str:
    """Threads, one of each of these bodies."""
    return "".join(
        f"\n    @thread\n    def t{i}(self):\n        i = {i}\n"
        + "".join(f"        {line}\n" for line in body.strip().splitlines())
        for i, body in enumerate(bodies)
    )


WAIT = """
self.condition.acquire()
self.seen[i] = self.condition.wait()
self.condition.release()
"""
TIMED_WAIT = WAIT.replace("wait()", "wait(timeout=1)")
NOTIFY = """
self.condition.acquire()
self.condition.notify()
self.condition.release()
"""
NOTIFY_TWICE = """
self.condition.acquire()
self.condition.notify()
self.condition.notify()
self.condition.release()
"""
NOTIFY_ALL = NOTIFY.replace("notify()", "notify_all()")
COME = """
try:
    self.seen[i] = self.barrier.wait()
except threading.BrokenBarrierError:
    self.seen[i] = "broken"
"""
TIMED_COME = COME.replace("wait()", "wait(timeout=1)")
COME_TWICE = """
try:
    self.barrier.wait()
    self.seen[i] = self.barrier.wait()
except threading.BrokenBarrierError:
    self.seen[i] = "broken"
"""
COME_AND_ACT = """
try:
    self.seen[i] = self.barrier.wait()
except threading.BrokenBarrierError:
    self.seen[i] = "broken"
except ValueError:
    self.seen[i] = "failed"
"""
ACT = """
    def act(self):
        self.acted += 1
        if self.acted == 1:
            raise ValueError
"""
TRY = "self.seen[i] = self.semaphore.acquire(timeout=1)"
TAKE = "self.seen[i] = self.semaphore.acquire()"
SCENARIOS = {
    "a notify for one of two": parts(WAIT, WAIT, NOTIFY),
    "a notify that a timeout swallows": parts(TIMED_WAIT, WAIT, NOTIFY),
    "two notifies": parts(TIMED_WAIT, WAIT, NOTIFY_TWICE),
    "notify_all": parts(TIMED_WAIT, WAIT, NOTIFY_ALL),
    "two timeouts": parts(TIMED_WAIT, TIMED_WAIT, NOTIFY),
    "notified one after the other": parts(WAIT, TIMED_WAIT, NOTIFY, NOTIFY),
    "a semaphore": parts(TAKE, TRY, "self.semaphore.release()"),
    "a semaphore that is passed on": parts(
        "self.seen[i] = self.semaphore.acquire(timeout=1)\nself.semaphore.release()",
        TAKE,
        "self.semaphore.release()",
    ),
    "a semaphore given back twice": parts(TAKE, TAKE, TRY, "self.semaphore.release(2)"),
    "an event that is set and cleared": parts(
        "self.seen[i] = self.event.wait()",
        "self.seen[i] = self.event.wait(timeout=1)",
        "self.event.set()\nself.event.clear()",
    ),
    "an event that is set": parts(
        "self.seen[i] = self.event.wait()",
        "self.seen[i] = self.event.wait(timeout=1)",
        "self.event.set()",
    ),
    "a barrier": parts(COME, COME),
    "a barrier with one too many": parts(COME, COME, COME),
    "a barrier used again": parts(COME_TWICE, COME_TWICE),
    "a barrier and four": parts(COME, COME, COME, COME),
    "a timeout that breaks a barrier": parts(TIMED_COME, COME),
    "a barrier that is broken": parts(COME, COME, "self.barrier.abort()"),
    "a barrier that is reset": parts(COME, COME, "self.barrier.reset()"),
    "a barrier that is broken and reset": parts(
        COME, COME_TWICE, "self.barrier.abort()\nself.barrier.reset()"
    ),
    "a barrier whose action fails": parts(COME_AND_ACT, COME_AND_ACT, COME_AND_ACT) + ACT,
}


RUNS = [(name, "free-threaded") for name in SCENARIOS]
RUNS += [(name, "gil") for name in [*SCENARIOS][::3]]
"""Under the gil, threads switch less often; each call of a library is one step all the same."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "runtime"), RUNS)
def test_outcomes_are_those_of_cpythons_way(tmp_path: Path, name: str, runtime: str) -> None:
    text = AS_IN_CPYTHON.replace("{body}", SCENARIOS[name])
    action = "self.act" if "action" in name else "None"
    text = text.replace("{action}", action).replace("{value}", "0")
    load(tmp_path / "model.py", text)
    written, modelled = check(tmp_path / "model.py", runtime=runtime).models
    names = [f"seen[{i}]" for i in range(4)]
    assert ends(modelled, *names) == ends(written, *names)
    assert modelled.states < written.states


# Condition


class Swallowed(Model):
    """One notify, when both wait; only the first of them gives up after a while."""

    condition = threading.Condition()
    parked = 0
    patient_is_back = False
    in_time = None

    @thread
    def impatient(self):
        with self.condition:
            self.parked += 1
            self.in_time = self.condition.wait(timeout=1)

    @thread
    def patient(self):
        with self.condition:
            self.parked += 1
            self.condition.wait()
            self.patient_is_back = True

    @thread
    def notifier(self):
        with self.condition:
            if self.parked == 2:
                self.condition.notify()


def test_a_notify_is_swallowed_by_one_that_has_given_up() -> None:
    found = checked(Swallowed)
    assert kinds(found) == ["deadlock"]
    assert size(found) == (85, 94)
    after_both_parked = {
        (how, in_time, back)
        for how, parked, in_time, back in ends(found, "parked", "in_time", "patient_is_back")
        if parked == 2
    }
    assert after_both_parked == {
        ("deadlock", True, False),
        ("deadlock", False, False),  # swallowed, or the notifier came too early
        ("finished", False, True),
    }


class SwallowedForSure(Swallowed):
    """The notifier comes when both wait, and stays until the impatient one wants to go."""

    started = False

    @thread
    def notifier(self):
        while self.parked < 2:
            pass
        with self.condition:
            self.started = True
            self.condition.notify()


def test_a_notify_may_be_gone_although_nobody_was_woken_by_it() -> None:
    found = checked(SwallowedForSure)
    ended = ends(found, "in_time", "patient_is_back", "started")
    assert ended == {
        ("deadlock", True, False, True),
        ("deadlock", False, False, True),
        ("finished", False, True, True),
    }


@pytest.mark.slow
def test_who_waits_longest_is_woken_first() -> None:
    class Fifo(Model):
        condition = threading.Condition()
        waiting = ()
        back = ()

        @thread(3)
        def waiter(self, i):
            with self.condition:
                self.waiting += (i,)
                self.condition.wait()
                self.back += (i,)

        @thread
        def notifier(self):
            for i in range(3):
                while len(self.waiting) < 3 or len(self.back) < i:
                    pass
                with self.condition:
                    self.condition.notify()

    found = checked(Fifo)
    assert found.verdict == "verified"
    assert all(waiting == back for _, waiting, back in ends(found, "waiting", "back"))


def test_a_notify_that_comes_too_early_is_gone() -> None:
    class Early(Model):
        condition = threading.Condition()

        @thread
        def waiter(self):
            with self.condition:
                self.condition.wait()

        @thread
        def notifier(self):
            with self.condition:
                self.condition.notify_all()

    found = checked(Early)
    (violation,) = found.violations
    assert violation.message == "waiter waits for condition"
    assert size(found) == (13, 12)
    assert dict(violation.trace.final)["condition"].text == "1 waiting"


@pytest.mark.slow
def test_if_in_place_of_while() -> None:
    class If(Model):
        condition = threading.Condition()
        items: list[int] = []  # noqa: RUF012

        @thread(2)
        def consumer(self):
            with self.condition:
                if not self.items:
                    self.condition.wait()
                self.items.pop()

        @thread
        def producer(self):
            for i in range(2):
                with self.condition:
                    self.items.append(i)
                    self.condition.notify()

    found = checked(If)
    assert [violation.message for violation in found.violations] == [
        "consumer[0] is ended by IndexError: pop from empty list"
    ]
    assert size(found) == (138, 155)
    assert kinds(checked(If, runtime="gil")) == ["exception"]


class NestedMonitor(Model):
    outer = threading.Lock()
    condition = threading.Condition()

    @thread
    def waiter(self):
        with self.outer, self.condition:
            self.condition.wait()

    @thread
    def notifier(self):
        with self.condition:
            self.condition.notify()
            with self.outer:
                pass


def test_who_was_notified_waits_for_the_lock() -> None:
    found = checked(NestedMonitor)
    both = next(each for each in found.violations if len(each.threads) == 2)
    waits = {
        wait.thread: (wait.access.kind, wait.access.location, wait.holders) for wait in both.waits
    }
    assert waits == {
        "waiter": ("acquire", "condition.lock", ("notifier",)),
        "notifier": ("acquire", "outer", ("waiter",)),
    }
    assert both.message == (
        "waiter waits for condition.lock, held by notifier; notifier waits for outer, held by waiter"
    )


def test_a_wait_gives_back_all_of_an_rlock() -> None:
    class Twice(Model):
        condition = threading.Condition()
        done = False

        @thread
        def waiter(self):
            with self.condition, self.condition:
                while not self.done:
                    self.condition.wait()
                self.condition.release()
                self.condition.acquire()

        @thread
        def notifier(self):
            with self.condition:
                self.done = True
                self.condition.notify()

    found = checked(Twice)
    assert found.verdict == "verified"
    assert size(found) == (20, 20)


def test_several_conditions_of_one_lock() -> None:
    class Buffer(Model):
        items: list[int] = []  # noqa: RUF012

        def setup(self):
            self.lock = threading.Lock()
            self.not_full = threading.Condition(self.lock)
            self.not_empty = threading.Condition(self.lock)

        @thread(2)
        def producer(self, i):
            with self.not_full:
                while len(self.items) == 1:
                    self.not_full.wait()
                self.items.append(i)
                self.not_empty.notify()

        @thread
        def consumer(self):
            for _ in range(2):
                with self.not_empty:
                    self.not_empty.wait_for(lambda: self.items)
                    self.items.pop()
                    self.not_full.notify()

        @invariant
        def bounded(self):
            return len(self.items) <= 1

    found = checked(Buffer)
    assert found.verdict == "verified"
    assert size(found) == (95, 105)


class Rounds(Model):
    condition = threading.Condition()
    ready = False
    seen = None

    @thread
    def waiter(self):
        with self.condition:
            self.seen = self.condition.wait_for(lambda: self.ready, timeout=1)

    @thread(daemon=True)
    def notifier(self):
        while True:
            with self.condition:
                self.ready = not self.ready
                self.condition.notify()


def test_wait_for_has_as_many_states_as_a_loop() -> None:
    class Loop(Rounds):
        @thread
        def waiter(self):
            with self.condition:
                result = self.ready
                while not result:
                    in_time = self.condition.wait(timeout=1)
                    result = self.ready
                    if not in_time:
                        break
                self.seen = result

    found = checked(Rounds)
    assert size(found) == (53, 60)
    # There, the first look at `ready` is another place in the program than the later ones; and what
    # `wait_for` gives is set in a block of its own.
    assert size(checked(Loop)) == (55, 62)


def test_a_predicate_that_was_stale_is_read_again() -> None:
    """What `wait_for` reads in a round that is over decides nothing after it."""

    class Count(Model):
        condition = threading.Condition()
        n = 0

        @thread
        def waiter(self):
            with self.condition:
                self.condition.wait_for(lambda: self.n >= 2)
                self.n += 10

        @thread
        def counter(self):
            for _ in range(2):
                with self.condition:
                    self.n += 1
                    self.condition.notify()

    found = checked(Count)
    assert found.verdict == "verified"
    assert ends(found, "n") == {("finished", 12)}


class Spurious(Model):
    SPURIOUS_WAKEUPS = param(1)
    condition = threading.Condition()
    ready = False
    woken = ()

    @thread
    def waiter(self):
        with self.condition:
            while not self.ready:
                self.woken += (self.condition.wait(),)

    @thread
    def notifier(self):
        with self.condition:
            self.ready = True
            self.condition.notify()


@pytest.mark.parametrize(("count", "most"), [(0, 1), (1, 2), (2, 3)])
def test_wakeups_without_a_notify_are_as_many_as_asked_for(count: int, most: int) -> None:
    found = checked(Spurious, parameters={"SPURIOUS_WAKEUPS": count})
    assert found.verdict == "verified"
    assert ends(found, "woken") == {("finished", (True,) * n) for n in range(most + 1)}


def test_a_wait_outside_a_loop_is_found_by_asking_for_a_spurious_wakeup() -> None:
    class If(Spurious):
        @thread
        def waiter(self):
            with self.condition:
                if not self.ready:
                    self.condition.wait()
                assert self.ready

    assert kinds(checked(If)) == ["assertion"]
    assert checked(If, parameters={"SPURIOUS_WAKEUPS": 0}).verdict == "verified"


# Semaphore


class Guarded(Model):
    THREADS = param(3)

    def setup(self):
        self.semaphore = threading.Semaphore(2)

    @thread(THREADS)
    def user(self):
        with self.semaphore, section("inside"):
            pass

    @invariant
    def no_more_than_two(self):
        return self.inside("inside") <= 2


@pytest.mark.slow
def test_a_semaphore_lets_so_many_in() -> None:
    found = checked(Guarded)
    assert found.verdict == "verified"
    assert size(found) == (98, 192)
    assert kinds(checked(Guarded, runtime="gil")) == []


def test_a_bounded_semaphore_is_given_back_too_often() -> None:
    class TooOften(Model):
        semaphore = threading.BoundedSemaphore()

        @thread(2)
        def user(self, i):
            self.semaphore.acquire(blocking=False)
            self.semaphore.release()

    found = checked(TooOften)
    (violation,) = found.violations
    assert violation.message == (
        "user[1] is ended by ValueError: Semaphore released too many times"
    )


def test_semaphores_taken_in_two_orders() -> None:
    class Orders(Model):
        a = threading.Semaphore()
        b = threading.Semaphore()

        @thread
        def one(self):
            with self.a, self.b:
                pass

        @thread
        def other(self):
            with self.b, self.a:
                pass

    (violation,) = checked(Orders).violations
    assert violation.kind == "deadlock"
    assert violation.message == "one waits for b, held by other; other waits for a, held by one"


def test_nobody_holds_a_semaphore_that_is_a_signal() -> None:
    class Signal(Model):
        ready = threading.Semaphore(0)

        @thread
        def consumer(self):
            self.ready.acquire()
            self.ready.acquire()

        @thread
        def producer(self):
            self.ready.release()

        @invariant
        def never_two(self):
            return self.ready._value < 2

    (violation,) = checked(Signal).violations
    assert violation.message == "consumer waits for ready"
    assert [wait.holders for wait in violation.waits] == [()]


def test_who_took_a_semaphore_that_a_thread_made_holds_it() -> None:
    class Made(Model):
        VALUES = param((1,))
        rounds = 0

        @thread
        def taker(self):
            for value in self.VALUES:
                made = threading.Semaphore(value)
                made.acquire()
                if value == self.VALUES[-1]:
                    made.acquire()
                made = None
                self.rounds += 1

    (violation,) = checked(Made).violations
    assert violation.message == "taker waits for made, which it holds itself"
    # The second is where the first one was, and nobody has taken it.
    (violation,) = checked(Made, parameters={"VALUES": (1, 0)}).violations
    assert violation.message == "taker waits for made"


# Event


class Pulse(Model):
    event = threading.Event()
    CLEARS = param(True)

    @thread
    def waiter(self):
        self.event.wait()

    @thread
    def setter(self):
        self.event.set()
        if self.CLEARS:
            self.event.clear()


def test_an_event_that_is_cleared_at_once_wakes_who_waits() -> None:
    found = checked(Pulse)
    assert ends(found) == {("finished",), ("deadlock",)}
    (violation,) = found.violations
    assert violation.message == "waiter waits for event"
    assert size(found) == (9, 10)


def test_who_waits_for_an_event_that_nobody_clears_is_no_part_of_the_state() -> None:
    found = checked(Pulse, parameters={"CLEARS": False})
    assert found.verdict == "verified"
    assert size(found) == (3, 2)


# Barrier


def test_a_barrier_is_used_again() -> None:
    class Phases(Model):
        barrier = threading.Barrier(2)

        def setup(self):
            self.phase = array([0, 0])

        @thread(2)
        def worker(self, i):
            for _ in range(3):
                self.phase[i] += 1
                self.barrier.wait()

        @invariant
        def nobody_is_ahead(self):
            return abs(self.phase[0] - self.phase[1]) <= 1

    found = checked(Phases)
    assert found.verdict == "verified"
    assert size(found) == (60, 94)


@pytest.mark.slow
def test_the_action_runs_before_anybody_goes_on() -> None:
    class Acts(Model):
        total = 0

        def setup(self):
            self.barrier = threading.Barrier(2, action=self.add)
            self.part = array([0, 0])

        def add(self):
            self.total += self.part[0] + self.part[1]

        @thread(2)
        def worker(self, i):
            self.part[i] = i + 1
            self.barrier.wait()
            assert self.total == 3

    found = checked(Acts)
    assert found.verdict == "verified"
    assert checked(Acts, runtime="gil").verdict == "verified"


def test_what_only_an_action_uses_is_shared_as_well(tmp_path: Path) -> None:
    text = """
import threading
from interleave import *

lock = threading.Lock()
rounds = []

def note():
    with lock:
        rounds.append(len(rounds))

class M(Model):
    def setup(self):
        self.barrier = threading.Barrier(2, note)

    @thread(2)
    def worker(self):
        self.barrier.wait()

    @thread
    def holder(self):
        lock.acquire()
"""
    found = checked(load(tmp_path / "model.py", text))
    assert {how for how, *_ in ends(found)} == {"deadlock", "finished"}
    waits = {wait.thread: wait.holders for wait in found.violations[0].waits}
    assert waits["worker[1]"] == ("holder",)
    assert waits["worker[0]"] == ("worker[1]",)


def test_while_the_action_runs_nobody_comes_in_or_goes() -> None:
    class Holds(Model):
        lock = threading.Lock()

        def setup(self):
            self.barrier = threading.Barrier(2, action=self.act)

        def act(self):
            with self.lock:
                pass

        @thread(2)
        def worker(self, i):
            self.barrier.wait()

        @thread
        def aborts(self):
            with self.lock:
                self.barrier.abort()

    found = checked(Holds)
    deadlock = next(each for each in found.violations if each.kind == "deadlock")
    held = {wait.thread: wait.holders for wait in deadlock.waits}
    assert held == {
        "worker[0]": ("worker[1]",),
        "worker[1]": ("aborts",),
        "aborts": ("worker[1]",),
    }


def test_too_few_come() -> None:
    class Few(Model):
        barrier = threading.Barrier(3)

        @thread(2)
        def worker(self):
            self.barrier.wait()

        @invariant
        def never_three(self):
            return self.barrier.n_waiting < self.barrier.parties and not self.barrier.broken

    found = checked(Few)
    (violation,) = found.violations
    assert violation.message == "worker[0] waits for barrier; worker[1] waits for barrier"
    assert dict(violation.trace.final)["barrier"].text == "2 of 3 waiting"


# Timer, local


class Alarm(Model):
    CANCELS = param(True)
    rings = 0

    def ring(self, times):
        self.rings += times

    @thread
    def main(self):
        timer = threading.Timer(30, self.ring, args=(1,))
        timer.start()
        if self.CANCELS:
            timer.cancel()
        timer.join()
        assert not timer.is_alive()


def test_a_timer_fires_at_any_moment_unless_it_is_cancelled() -> None:
    found = checked(Alarm)
    assert found.verdict == "verified"
    assert ends(found, "rings") == {("finished", 0), ("finished", 1)}
    assert size(found) == (15, 16)
    assert ends(checked(Alarm, parameters={"CANCELS": False}), "rings") == {("finished", 1)}


def test_a_timer_that_is_cancelled_before_it_starts_does_nothing() -> None:
    class Before(Alarm):
        @thread
        def main(self):
            timer = threading.Timer(30, self.ring, kwargs={"times": 5})
            timer.cancel()
            timer.start()

    assert ends(checked(Before), "rings") == {("finished", 0)}


def test_a_daemon_timer_need_not_fire() -> None:
    class Daemon(Alarm):
        @thread
        def main(self):
            timer = threading.Timer(30, self.ring, args=(1,))
            timer.daemon = True
            timer.start()

    found = checked(Daemon)
    assert found.verdict == "verified"
    assert ends(found, "rings") == {("finished", 1)}
    assert size(found) == (6, 5)


class Locals(Model):
    local = threading.local()
    seen = ()

    @thread(2)
    def worker(self, i):
        self.local.n = i
        self.local.n += 1
        self.seen = (*self.seen, self.local.n)

    @thread
    def other(self):
        try:
            self.local.n  # noqa: B018
        except AttributeError as error:
            assert str(error) == "'_thread._local' object has no attribute 'n'"
        assert not hasattr(self.local, "n")


def test_a_local_is_not_shared() -> None:
    found = checked(Locals)
    assert kinds(found) == ["lost-update"]  # of `seen`
    assert found.violations[0].location == "seen"
    assert ends(found, "seen") == {("finished", seen) for seen in [(1,), (2,), (1, 2), (2, 1)]}
    with pytest.raises(AttributeError) as caught:
        threading.local().n  # noqa: B018
    assert str(caught.value) == "'_thread._local' object has no attribute 'n'"


def test_what_an_ended_thread_kept_in_a_local_is_gone() -> None:
    class Ended(Model):
        def setup(self):
            self.local = threading.local()
            self.local.x = "of the thread that ran setup"

        @thread
        def worker(self, i):
            self.local.x = i
            assert self.local.x == i

    # Each is at the beginning, or has ended: two that differ in order make a square.
    found = checked(Ended)
    assert size(found) == (2, 1)


def test_a_local_of_a_thread_of_its_own() -> None:
    class Made(Model):
        @thread
        def worker(self):
            local = threading.local()
            local.state = 1
            local.state += 1
            assert local.state == 2
            assert not hasattr(local, "location")

    assert checked(Made).verdict == "verified"


# Objects made by threads, processes, runtimes


def test_the_order_in_which_threads_make_them_makes_no_difference() -> None:
    class Makers(Model):
        def setup(self):
            self.made = array([None, None])

        @thread(2)
        def maker(self, i):
            self.made[i] = (threading.Condition(), threading.Event(), threading.Barrier(1))

    found = checked(Makers)
    assert size(found) == (9, 12)


def test_processes_have_copies_of_their_own() -> None:
    from interleave import process

    class Apart(Model):
        event = threading.Event()

        @process
        def setter(self):
            self.event.set()

        @process
        def waiter(self):
            self.event.wait()

    (violation,) = checked(Apart).violations
    assert violation.kind == "deadlock"
    assert violation.threads == ("waiter",)


def test_every_call_lets_others_run_under_a_gil() -> None:
    class Between(Model):
        CALLS = param(True)
        event = threading.Event()
        n = 0

        @thread(2)
        def increment(self):
            n = self.n
            if self.CALLS:
                self.event.is_set()
            self.n = n + 1

    assert kinds(checked(Between, runtime="gil")) == ["lost-update"]
    assert kinds(checked(Between, runtime="gil", parameters={"CALLS": False})) == []


# What is not modelled


def model_with(it: Any) -> type[Model]:
    class With(Model):
        def setup(self):
            self.it = it() if callable(it) else it

        @thread
        def user(self):
            print(self.it)

    return With


@pytest.mark.parametrize(
    ("it", "message"),
    [
        (lambda: threading.Condition(threading.Semaphore()), "has a Semaphore for its lock"),
        (threading.Thread, "it is a Thread without a target"),
        (threading.main_thread(), "_MainThread has no modelled counterpart"),
    ],
)
def test_what_is_not_modelled_is_refused(it: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        check(model_with(it))
    assert message in str(caught.value)
    assert caught.value.remedy


def test_the_action_of_a_barrier_may_be_a_lambda() -> None:
    class Meets(Model):
        def setup(self):
            self.calls = [0]
            self.barrier = threading.Barrier(2, lambda: self.calls.append(1))

        @thread(2)
        def meets(self):
            self.barrier.wait()

        @postcondition
        def one_thread_has_run_it(self):
            return len(self.calls) == 2

    assert check(Meets).models[0].verdict == "verified"


@pytest.mark.parametrize("count", [-1, "1", 1.5, True])
def test_the_number_of_spurious_wakeups_is_a_whole_number(count: object) -> None:
    class Wrong(Model):
        SPURIOUS_WAKEUPS = count
        condition = threading.Condition()

        @thread
        def waiter(self):
            with self.condition:
                self.condition.wait(timeout=1)

    with pytest.raises(ModelError, match="SPURIOUS_WAKEUPS is") as caught:
        check(Wrong)
    assert "a whole number from 0" in str(caught.value)


def test_names_that_the_modelled_classes_have_are_free_for_models() -> None:
    class Named(Model):
        capacity = 2
        total = 0

        def setup(self):
            self.barrier = threading.Barrier(1, self.__act)

        def __act(self):
            self.forget(self.capacity)

        def forget(self, count):
            self.total += count

        @thread
        def worker(self):
            self.barrier.wait()

    assert ends(checked(Named), "total") == {("finished", 2)}


NAMED = """
import _thread
from dataclasses import dataclass, field
from threading import Lock as Made, RLock as Again
from interleave import Model, thread

@dataclass
class Account:
    lock: object = field(default_factory=Made)
    other: object = field(default_factory=_thread.allocate_lock)
    again: object = field(default_factory=Again)

class M(Model):
    n = 0

    def setup(self):
        self.account = Account()

    @thread(2)
    def run(self):
        mine = Account()
        with Made(), mine.lock, mine.other, mine.again, self.account.{lock}:
            self.n += 1
"""


@pytest.mark.parametrize("lock", ["lock", "other", "again"])
def test_what_makes_a_lock_is_known_by_any_name(tmp_path: Path, lock: str) -> None:
    found = checked(load(tmp_path / "model.py", NAMED.format(lock=lock)))
    assert found.verdict == "verified"
    assert ends(found, "n") == {("finished", 2)}
