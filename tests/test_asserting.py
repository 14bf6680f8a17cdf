"""What tests assert of a check."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from interleave import (
    InterleaveError,
    Model,
    assert_verified,
    assert_violates,
    check,
    expect,
    explore,
    thread,
)
from interleave.asserting import RUNNING, Running
from interleave.report.text import render_text
from interleave.result import Result


@expect("lost-update")
class Counter(Model):
    n = 0

    @thread(2)
    def count(self):
        self.n += 1


class Locked(Model):
    n = 0
    lock = threading.Lock()

    @thread(2)
    def count(self):
        with self.lock:
            self.n += 1


class Endless(Model):
    n = 0

    @thread
    def count(self):
        while True:
            self.n += 1


def test_what_holds_gives_the_result() -> None:
    assert assert_verified(Locked) == check(Locked)
    assert assert_violates([Counter, Counter], "lost-update") == check(Counter)
    assert assert_violates(Counter, "data-race").models[0].verdict == "violated"


FAILING: dict[str, tuple[Callable[[], object], str, type[Model]]] = {
    "an expected violation": (lambda: assert_verified(Counter), "", Counter),
    "a limit": (lambda: assert_verified(Endless, max_states=3), "", Endless),
    "none of its kind": (
        lambda: assert_violates(Counter, "deadlock"),
        "no deadlock was found in Counter\n\n", Counter,
    ),
    "none in one of two": (
        lambda: assert_violates([Counter, Locked], "lost-update"),
        "no lost-update was found in Locked\n\n", Counter,
    ),
    "an unknown kind": (
        lambda: assert_violates(Locked, "lost-updates"),
        "no lost-updates was found in Locked: did you mean 'lost-update'? the kinds are ", Locked,
    ),
    "an error that was told": (
        lambda: assert_verified([Locked, "nowhere.py"], on_error=lambda _: None), "", Locked,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILING)
def test_what_does_not_hold_raises_with_the_report(case: str) -> None:
    assertion, begin, model = FAILING[case]
    with pytest.raises(AssertionError) as raised:
        assertion()
    assert str(raised.value).startswith(begin)
    report = render_text(check(model, max_states=3 if model is Endless else 10**6).models[0])
    assert report in str(raised.value)
    assert {each.path for each in raised.traceback.filter(raised)} == {Path(__file__)}


def test_the_text_of_a_result_is_its_report() -> None:
    result = check([Counter, "nowhere.py", Locked], on_error=lambda _: None)
    *reports, error = str(result.models[0]), str(result.models[1]), str(result.errors[0])
    assert reports == [*map(render_text, result.models)]
    assert str(result) == "\n\n".join([*reports, error])


def test_mistakes_are_no_failures_of_the_assertion() -> None:
    with pytest.raises(InterleaveError, match="no option 'max_stats'"):
        assert_verified(Locked, max_stats=3)
    with pytest.raises(InterleaveError, match=r"there is no file nowhere\.py"):
        assert_violates("nowhere.py", "deadlock")


def test_an_interrupt_ends_more_than_the_test() -> None:
    with pytest.raises(KeyboardInterrupt):
        assert_verified(Locked, on_begin=lambda _: signal.raise_signal(signal.SIGINT))


def test_what_runs_a_test_has_a_say() -> None:
    """Its options stand for those that the test does not give; it may refuse what is accepted."""

    @explore(max_states=2)
    def test() -> None:
        n = 0

        @thread(2)
        def count() -> None:
            nonlocal n
            n += 1

        @thread
        def look() -> None:
            assert n < 9

    accepted: list[Result] = []
    token = RUNNING.set(Running({"runtime": "gil", "max_states": 100}, accepted.append))
    try:
        test()
        assert_verified(Counter)
        assert_violates(Counter, "lost-update", runtime="free-threaded")
        with pytest.raises(AssertionError):
            assert_verified(Counter, runtime="free-threaded")
    finally:
        RUNNING.reset(token)
    found = [(model.model, model.runtime) for result in accepted for model in result.models]
    assert found == [("test", "gil"), ("Counter", "gil"), ("Counter", "free-threaded")]
