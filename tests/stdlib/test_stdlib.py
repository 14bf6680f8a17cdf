"""The modelled standard library against the real one, and what it does with the rest of it."""

from __future__ import annotations

import enum
import logging
import sys
import threading
import time

import pytest
from families import sample
from sequences import Sequences, compare

from interleave import Model, ModelError, array, check, param, thread

logger = logging.getLogger(__name__)

OPERATIONS = ("try", "release", "timeout", "both", "negative", "locked")


class Calls(Sequences):
    KIND = param("Lock")

    def prepare(self):
        self.lock = threading.Lock() if self.KIND == "Lock" else threading.RLock()

    def perform(self, call):
        try:
            return self.called(call)
        except (RuntimeError, ValueError) as error:
            return (type(error).__name__, str(error))

    def called(self, call):
        match call:
            case "try":
                return self.lock.acquire(blocking=False)
            case "timeout":
                return self.lock.acquire(timeout=0)
            case "both":
                return self.lock.acquire(False, 1)
            case "negative":
                return self.lock.acquire(True, -2)
            case "release":
                return self.lock.release()
            case "locked":
                return self.lock.locked() if self.KIND == "Lock" else None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["Lock", "RLock"])
@pytest.mark.parametrize("calls", sample(1, [3, 4]))
def test_locks_answer_as_the_real_ones_do(kind, calls) -> None:
    compare(Calls, [OPERATIONS] * calls, KIND=kind)


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


class Told:
    """Counts how often somebody asks for its text."""

    def __init__(self) -> None:
        self.times = 0

    def __str__(self) -> str:
        self.times += 1
        return "told"

    __repr__ = __str__


MESSAGES = {
    "the message": lambda told: logger.warning(told),
    "an argument": lambda told: logger.warning("%s %d", told, 1),
    "its repr": lambda told: logging.getLogger("x").error("%r", [told]),
    "by name": lambda told: logging.error("%(told)s", {"told": told}),
    "by level": lambda told: logger.log(logging.WARNING, "%s", told),
    "a format that fails later": lambda told: logging.critical("%s %d", told, "x"),
}


@pytest.mark.parametrize("what", MESSAGES)
def test_what_a_message_is_about_is_asked_for_its_text(what: str) -> None:
    tell = MESSAGES[what]

    class Logs(Model):
        told = Told()

        @thread(2)
        def t(self):
            tell(self.told)

    (found,) = check(Logs).models
    assert [each.kind for each in found.violations] == ["lost-update"]


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
        ("self.x = time.process_time()", "time.process_time has no modelled counterpart"),
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


class Color(enum.Flag):
    RED, GREEN, BLUE = 1, 2, 4


class Bits(enum.IntFlag):
    LOW, HIGH = 1, 8


def test_flags_keep_what_they_were_asked_for() -> None:
    """What `~` gives, and combinations: caches of the enum."""

    def changed(color: Color, bits: Bits) -> tuple[object, ...]:
        color |= Color.GREEN
        color &= ~Color.RED
        bits ^= ~Bits.LOW
        return color, ~color, ~(color | Color.BLUE), bits, ~bits, Color.RED in ~color

    class Flags(Model):
        color, bits = Color.RED, Bits.LOW
        found = None

        @thread
        def t(self):
            self.found = changed(self.color, self.bits)

    (result,) = check(Flags).models
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    assert dict(outcome.state)["found"] == changed(Color.RED, Bits.LOW)
