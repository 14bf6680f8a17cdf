"""The modelled standard library against the real one, and what it does with the rest of it."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time

import pytest

from interleave import Model, ModelError, array, check, param, thread

logger = logging.getLogger(__name__)

OPERATIONS = ("try", "release", "timeout", "both", "negative", "locked")


class Calls(Model):
    KIND = param("Lock")
    CALLS = param(())

    def setup(self):
        self.lock = threading.Lock() if self.KIND == "Lock" else threading.RLock()
        self.results = ()

    @thread
    def caller(self):
        for call in self.CALLS:
            try:
                match call:
                    case "try":
                        result = self.lock.acquire(blocking=False)
                    case "timeout":
                        result = self.lock.acquire(timeout=0)
                    case "both":
                        result = self.lock.acquire(False, 1)
                    case "negative":
                        result = self.lock.acquire(True, -2)
                    case "release":
                        result = self.lock.release()
                    case "locked":
                        result = self.lock.locked() if self.KIND == "Lock" else None
            except (RuntimeError, ValueError) as error:
                result = (type(error).__name__, str(error))
            self.results = (*self.results, result)


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_locks_answer_as_the_real_ones_do(kind) -> None:
    for calls in itertools.product(OPERATIONS, repeat=3):
        real = Calls()
        real.KIND, real.CALLS = kind, calls
        real.setup()
        real.caller()
        (found,) = check(Calls, parameters={"KIND": kind, "CALLS": calls}).models
        assert found.interleavings is not None
        (outcome,) = found.interleavings.outcomes
        assert dict(outcome.state)["results"] == real.results, calls


def test_any_thread_may_release_a_lock_but_not_an_rlock() -> None:
    class Other(Model):
        lock = threading.Lock()
        again = threading.RLock()
        taken = False

        @thread
        def taker(self):
            self.lock.acquire()
            self.again.acquire()
            self.taken = True

        @thread
        def giver(self):
            while not self.taken:
                pass
            self.lock.release()
            self.again.release()

    (violation,) = check(Other).models[0].violations
    assert violation.message == "giver is ended by RuntimeError: cannot release un-acquired lock"


def test_a_timeout_may_expire_only_while_the_lock_is_held() -> None:
    class Impatient(Model):
        lock = threading.Lock()
        got = array([None, None])

        @thread(2)
        def t(self, i):
            self.got[i] = self.lock.acquire(timeout=1)

    counted = check(Impatient).models[0].interleavings
    assert counted is not None
    ends = {tuple(value for name, value in o.state if "got" in name) for o in counted.outcomes}
    assert ends == {(True, False), (False, True)}


def test_logging_is_silent_and_exit_ends_a_thread(caplog, capsys) -> None:
    class Logs(Model):
        n = 0

        @thread
        def t(self):
            logger.warning("n is %s", self.n)
            logging.getLogger("x").info("hello")
            print("hello", self.n)
            self.n = 1
            sys.exit()
            self.n = 2

    (found,) = check(Logs).models
    assert found.verdict == "verified"
    assert (found.states, found.transitions) == (4, 3)
    assert caplog.records == []
    assert capsys.readouterr().out == ""


def test_sleep_is_a_step_and_wants_a_number() -> None:
    class Sleeps(Model):
        n = 0

        @thread
        def t(self):
            self.n = 1
            time.sleep(0.5)

        @thread
        def u(self):
            time.sleep(-1)

    (found,) = check(Sleeps).models
    assert found.transitions == 2
    assert (
        found.violations[0].message == "u is ended by ValueError: sleep length must be non-negative"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("self.x = random.random()", "random.random has no modelled counterpart"),
        ("self.x = time.time()", "time.time has no modelled counterpart"),
        ("open('x')", "open() has no modelled counterpart"),
    ],
)
def test_what_has_no_counterpart_is_refused_where_it_stands(tmp_path, body, message) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import random, threading, time\nfrom interleave import *\nclass M(Model):\n    x = 0\n"
        f"    @thread\n    def t(self):\n        {body}\n        self.x = 1\n"
    )
    with pytest.raises(ModelError) as caught:
        check(file)
    assert caught.value.what.startswith(message)
    assert caught.value.remedy
    assert caught.value.place is not None
    assert caught.value.place.line == 7
