"""A schedule can be stored, read back, and replayed, and is refused where it does not fit."""

from __future__ import annotations

import asyncio
import json
import threading
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import pytest
from families import drawn
from hypothesis import strategies as st

from interleave import (
    Model,
    Schedule,
    UsageError,
    Violation,
    check,
    choose,
    go,
    goroutine,
    param,
    task,
    thread,
)
from interleave.report.document import to_document

FOLDER = Path(__file__).parent.parent / "models"


class Chooses(Model):
    """Several initial states, a choice in a thread, a parameter, and objects made by threads."""

    N = param(2)
    K = param((1.5, "x"))
    made = None

    def setup(self):
        self.n = choose([0, 1])

    @thread(2)
    def t(self):
        k = choose([1, 2, 3])
        self.made = [k]
        assert self.n + len(self.made) + k < self.N + 3


class Leaks(Model):
    @goroutine
    def main(self):
        c = go.Chan()
        go.spawn(lambda: c.send(1))
        go.spawn(lambda: c.send(2))
        c.recv()


class Times(Model):
    n = 0

    def setup(self):
        self.event = asyncio.Event()

    @task
    async def waits(self):
        async with asyncio.timeout(1):
            await self.event.wait()

    @task
    async def sets(self):
        await asyncio.sleep(1)
        self.event.set()


@pytest.mark.parametrize("model", [Chooses, Leaks, Times])
@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_what_is_replayed_is_the_same_trace(model: type[Model], engine: str) -> None:
    (found,) = check(model, engine=engine).models
    assert found.violations
    for violation in found.violations:
        assert read_back(violation).replay(model) == violation.trace


def test_a_search_that_was_cut_short_is_replayed_as_far() -> None:
    (found,) = check(Chooses, parameters={"N": 1}, fail_fast=True).models
    (violation,) = found.violations
    schedule = read_back(violation)
    assert dict(schedule.parameters) == {"N": 1, "K": (1.5, "x")}
    assert schedule.states == found.states
    assert schedule.replay(Chooses) == violation.trace


def read_back(violation: Violation) -> Schedule:
    """The schedule of a violation, after it was stored."""
    assert violation.schedule is not None
    schedule = Schedule.from_json(violation.schedule.to_json())
    assert schedule == violation.schedule
    return schedule


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py"))[::20], ids=lambda path: path.stem)
def test_the_schedules_of_a_file_are_replayed(path: Path) -> None:
    for found in check(path, max_states=2_000).models:
        for violation in found.violations[:1]:
            # Classes of the file are others when it is loaded again: texts tell of the same.
            assert repr(read_back(violation).replay(path)) == repr(violation.trace)


# What is written can be read


class Colour(IntEnum):
    RED = 1


class Point(NamedTuple):
    x: int


class Own(str):
    """A string of a class that no text stands for."""


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**700, -(10**2_000)])
    | st.floats()
    | st.complex_numbers(allow_subnormal=False)
    | st.text(max_size=3)
    | st.binary(max_size=3)
)
NESTED = st.recursive(
    PLAIN,
    lambda parts: st.lists(parts, max_size=3).map(tuple) | st.builds(slice, parts, parts, parts),
    max_leaves=6,
)


def is_plain(value: object) -> bool:
    if type(value) is slice:
        return all(map(is_plain, (value.start, value.stop, value.step)))
    return all(map(is_plain, value)) if type(value) is tuple else type(value) not in OWN


OWN = (Colour, Own, Point)
OWNED = st.sampled_from([Colour.RED, Own("a"), Point(1)])


@drawn(25, 200, value=NESTED | OWNED | st.tuples(PLAIN, OWNED) | st.builds(slice, OWNED))
def test_every_schedule_that_is_written_can_be_read_back(value: object) -> None:
    schedule = Schedule("M", "gil", (("K", value),), pure=("os.getpid",))
    try:
        text = schedule.to_json()
    except UsageError as error:
        assert not is_plain(value)
        assert "is in the parameter K" in str(error)
        return
    assert is_plain(value)
    read = Schedule.from_json(text)
    assert read.to_json() == text
    (found,) = (each for _, each in read.parameters)
    assert type(found) is type(value)
    assert found == value or "nan" in text  # which is not equal to itself


class Takes(Model):
    K = param(None)
    n = 0

    @thread(2)
    def t(self):
        k = self.n, self.K
        self.n = k[0] + 1


@drawn(6, 60, value=PLAIN | NESTED)
def test_whatever_a_parameter_is_it_is_replayed(value: object) -> None:
    (found,) = check(Takes, parameters={"K": value}).models
    (violation,) = found.violations
    assert violation.schedule is not None
    schedule = Schedule.from_json(violation.schedule.to_json())
    assert repr(schedule.replay(Takes)) == repr(violation.trace)


def test_a_schedule_that_cannot_be_written_is_none_in_a_report() -> None:
    result = check(Takes, parameters={"K": Colour.RED})
    (violation,) = to_document(result, version="")["models"][0]["violations"]
    assert violation["schedule"] is None
    with pytest.raises(UsageError, match="cannot be stored: an instance of Colour has no text"):
        result.models[0].violations[0].schedule.to_json()


def test_what_was_said_to_be_pure_is_so_when_it_is_replayed(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(
        "import os\n"
        "from interleave import Model, thread\n"
        "class Asks(Model):\n"
        "    n = 0\n"
        "    @thread(2)\n"
        "    def t(self):\n"
        "        k = self.n\n"
        "        os.getpid()\n"
        "        self.n = k + 1\n"
    )
    (found,) = check(tmp_path / "model.py", pure=["os.getpid"]).models
    (violation,) = found.violations
    assert repr(read_back(violation).replay(tmp_path / "model.py")) == repr(violation.trace)


# What does not fit


class Fixed(Model):
    n = 0
    m = 0
    lock = threading.Lock()

    @thread(2)
    def t(self):
        with self.lock:
            self.n += 1


class OneThread(Model):
    n = 0

    @thread
    def t(self):
        self.n += 1


class Short(Model):
    n = 0

    @thread(2)
    def t(self):
        k = self.n
        if k:
            self.n = k


class Lost(Model):
    n = 0

    @thread(2)
    def t(self):
        k = self.n
        self.n = k + 1


MISFITS = {
    Fixed: r"at step 1, t\[0\] would acquire lock, and not read n",
    OneThread: r"step 1 is one of t\[0\], and there is no such thread",
    Short: r"at step 3, t\[1\] has ended",
}


@pytest.mark.parametrize("model", MISFITS)
def test_a_model_that_was_changed_is_told_where(model: type[Model]) -> None:
    (violation,) = check(Lost).models[0].violations
    with pytest.raises(UsageError, match=f"does not fit the model: {MISFITS[model]}"):
        read_back(violation).replay(model)


def test_a_thread_that_has_to_wait_is_told() -> None:
    class Locks(Model):
        lock = threading.Lock()

        @thread(2)
        def t(self):
            self.lock.acquire()

    (violation,) = check(Locks).models[0].violations
    document = violation.schedule.to_document()
    document["turns"] *= 2
    with pytest.raises(UsageError, match=r"at step 2, .* (cannot move: it waits for lock|ended)"):
        Schedule.from_document(document).replay(Locks)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"initial": 5}, "there is no initial state 5"),
        ({"parameters": {"K": "1"}}, "Lost has no parameter K"),
        ({"turns": [{"thread": "t[0]", "which": 0, "choices": [1], "does": ""}]}, "cannot choose"),
    ],
)
def test_a_schedule_of_another_model_is_refused(change: dict[str, object], why: str) -> None:
    (violation,) = check(Lost).models[0].violations
    document = violation.schedule.to_document() | change
    with pytest.raises(UsageError, match=why):
        Schedule.from_document(document).replay(Lost)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON"),
        ("[]", "it is no JSON object"),
        ("[" * 100_000, "it is no JSON"),
        ("{}", "its format is None"),
        ('{"format": 1}', "it has no 'model'"),
        ('{"format": 1, "model": 1}', "1 stands where there should be a value of type str"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"this is no schedule: {why}"):
        Schedule.from_json(text)


@pytest.mark.parametrize("value", ["-" * 100_000 + "1", "open('x')"])
def test_what_no_parameter_can_be_is_refused(value: str) -> None:
    (violation,) = check(Lost).models[0].violations
    document = violation.schedule.to_document() | {"parameters": {"K": value}}
    with pytest.raises(UsageError, match="this is no schedule"):
        Schedule.from_document(document).replay(Lost)


def test_each_part_of_a_stored_schedule_is_needed() -> None:
    (violation,) = check(Lost).models[0].violations
    document = json.loads(violation.schedule.to_json())
    for name in document:
        rest = {key: value for key, value in document.items() if key != name}
        with pytest.raises(UsageError, match="this is no schedule"):
            Schedule.from_document(rest)
        with pytest.raises(UsageError, match="this is no schedule"):
            Schedule.from_document(document | {name: object()})
