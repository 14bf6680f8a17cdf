"""The modelled `threading` module against the real one, and small models that use it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import load

from interleave import Model, ModelError, array, check, invariant, param, section, thread
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


class Calls(Model):
    """One thread that performs `CALLS` on one object: each (method, *arguments)."""

    KIND = param("Semaphore")
    MADE_WITH = param(())
    IN_THREAD = param(False)
    CALLS = param(())

    def setup(self):
        self.it = None
        self.acted = 0
        self.results = ()
        if not self.IN_THREAD:
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

    @thread
    def caller(self):
        if self.IN_THREAD:
            self.it = self.made()
        for method, *arguments in self.CALLS:
            try:
                match method:
                    case "with":
                        with self.it as entered:
                            result = entered
                    case "parties" | "n_waiting" | "broken" | "_value":
                        result = getattr(self.it, method)
                    case "wait_for":
                        result = self.it.wait_for(lambda: arguments[0], arguments[1])
                    case _:
                        result = getattr(self.it, method)(*arguments)
            except ERRORS as error:
                result = (type(error).__name__, str(error))
            self.results = (*self.results, repr(result))


TIMEOUT = st.sampled_from([0, 0.001, -1, "1", 1e300])
TIMEOUTS = st.tuples(TIMEOUT)
NUMBER = st.sampled_from([-1, 0, 1, 2, 3])
SEMAPHORE = st.one_of(
    st.tuples(st.sampled_from(["release", "acquire try", "with", "_value"])),
    st.tuples(st.just("release"), NUMBER),
    st.tuples(st.just("acquire"), st.booleans(), TIMEOUT | st.none()),
)
CALLS = {
    "Semaphore": SEMAPHORE,
    "BoundedSemaphore": SEMAPHORE,
    "Event": st.one_of(
        st.tuples(st.sampled_from(["set", "clear", "is_set", "isSet"])),
        st.tuples(st.just("wait"), TIMEOUT),
    ),
    "Condition": st.one_of(
        st.tuples(st.sampled_from(["acquire", "release", "notify", "notify_all", "notifyAll"])),
        st.tuples(st.just("notify"), NUMBER | st.just("1")),
        st.tuples(st.just("wait"), TIMEOUT),
        st.tuples(st.just("wait_for"), st.sampled_from([0, 1, "yes"]), TIMEOUT),
        st.tuples(st.just("with")),
    ),
    "Barrier": st.one_of(
        st.tuples(st.sampled_from(["reset", "abort", "parties", "n_waiting", "broken"])),
        st.tuples(st.just("wait"), TIMEOUT),
    ),
}
CALLS["Condition(Lock())"] = CALLS["Condition"]
CALLS["Barrier with action"] = CALLS["Barrier"]
MADE_WITH = {
    "Semaphore": st.tuples(st.integers(0, 2)),
    "BoundedSemaphore": st.tuples(st.integers(0, 2)),
    "Barrier": st.tuples(st.integers(1, 2)),
    "Barrier with action": st.tuples(st.integers(1, 2)),
}


def would_wait(real: Any, call: tuple[Any, ...]) -> bool:
    """Whether a call would wait for ever, for nobody else is there."""
    match call:
        case ("acquire", False, _):
            return False
        case ("acquire", *_, timeout):
            return timeout is None and real._value == 0
        case ("with" | "acquire",) if hasattr(real, "_value"):
            return bool(real._value == 0)
        case ("with" | "acquire",) if hasattr(real, "_lock"):
            lock = real._lock
            return isinstance(lock, type(threading.Lock())) and lock.locked()
    return False


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # old names
@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("kind", sorted(CALLS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_they_answer_as_the_real_ones_do(
    kind: str, in_thread: bool, data: st.DataObject
) -> None:
    made_with = data.draw(MADE_WITH.get(kind, st.just(())))
    real: Any = Calls()
    real.KIND, real.MADE_WITH, real.IN_THREAD = kind, made_with, False
    real.setup()
    calls = []
    for call in data.draw(st.lists(CALLS[kind], max_size=8)):
        call = ("acquire", False) if call == ("acquire try",) else call
        if not would_wait(real.it, call):
            calls.append(call)
            real.CALLS = (call,)
            real.caller()
    parameters = {"KIND": kind, "MADE_WITH": made_with, "IN_THREAD": in_thread}
    (found,) = check(Calls, parameters={**parameters, "CALLS": tuple(calls)}).models
    assert found.interleavings is not None
    (outcome,) = found.interleavings.outcomes
    assert outcome.how == "finished"
    assert dict(outcome.state)["results"] == real.results


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


@pytest.mark.parametrize("name", SCENARIOS)
def test_outcomes_are_those_of_cpythons_way(tmp_path: Path, name: str) -> None:
    text = AS_IN_CPYTHON.replace("{body}", SCENARIOS[name])
    action = "self.act" if "action" in name else "None"
    text = text.replace("{action}", action).replace("{value}", "0")
    load(tmp_path / "model.py", text)
    written, modelled = check(tmp_path / "model.py").models
    names = [f"seen[{i}]" for i in range(4)]
    assert ends(modelled, *names) == ends(written, *names)
    assert modelled.states < written.states
