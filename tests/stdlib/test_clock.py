"""The clock: against every time that there may be, and against real Python."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from interleave import ModelResult, check, explore
from interleave.errors import ModelError
from interleave.loading import load_models
from interleave.world.replaced import replaced
from tests.support.clock_oracle import as_model, drawn, outcomes


def found(folder: Path, text: str, engine: str = "auto") -> set[tuple[object, ...]]:
    """The values of variables called out0, out1, ... in all final states."""
    file = folder / "model.py"
    file.write_text(text)
    graph = explore(load_models(file)[-1], engine=engine, cache=False)
    return {
        tuple(value for name, value in sorted(state.variables.items()) if name.startswith("out"))
        for state in graph.states()
        if state.final
    }


def checked(folder: Path, body: str, **options: object) -> ModelResult:
    """The result of a model with this in its body."""
    file = folder / "model.py"
    head = "import json, threading, time, queue\nfrom interleave import *\n\nclass M(Model):\n"
    file.write_text(head + textwrap.indent(textwrap.dedent(body), "    "))
    (result,) = check(file, cache=False, **options).models  # type: ignore[arg-type]
    return result


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("seed", [9, 13, 17])
def test_what_comes_of_a_program_comes_of_it_at_some_times(
    tmp_path: Path, seed: int, engine: str
) -> None:
    program = drawn(Random(seed))
    assert found(tmp_path, as_model(program), engine) == outcomes(program)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        # The pattern of the standard library: what is left of a timeout is waited for again.
        (
            """
            condition = threading.Condition()
            out = ""

            @thread
            def waiter(self):
                with self.condition:
                    end = time.monotonic() + 5
                    while True:
                        left = end - time.monotonic()
                        if left <= 0:
                            break
                        self.condition.wait(left)
                    assert time.monotonic() >= end
            """,
            "verified",
        ),
        (
            """
            @thread(2)
            def sleeper(self):
                begun = time.perf_counter()
                time.sleep(2)
                assert time.perf_counter() - begun >= 2
            """,
            "verified",
        ),
        (
            """
            @thread
            def sleeper(self):
                begun = time.monotonic()
                time.sleep(2)
                assert time.monotonic() - begun > 2
            """,
            "violated",
        ),
        # What one thread has read before it lets another one sleep.
        (
            """
            begun = None
            go = threading.Event()

            @thread
            def first(self):
                self.begun = time.monotonic()
                self.go.set()

            @thread
            def second(self):
                self.go.wait()
                time.sleep(3)
                assert time.monotonic() >= self.begun + 3
            """,
            "verified",
        ),
        # The second one begins later, and may be in time when the first one is not.
        (
            """
            late = ""

            @thread(2)
            def worker(self, i):
                begun = time.monotonic()
                if time.monotonic() - begun > 5:
                    with atomic():
                        self.late += str(i)

            @postcondition
            def never_one_only(self):
                return self.late != "0"
            """,
            "violated",
        ),
        (
            """
            q = queue.Queue()

            @thread
            def reader(self):
                begun = time.monotonic_ns()
                try:
                    self.q.get(timeout=1)
                except queue.Empty:
                    assert time.monotonic_ns() - begun >= 1_000_000_000
            """,
            "verified",
        ),
        (
            """
            waits = threading.Condition()
            rounds = 0

            @thread
            def waiter(self):
                begun = time.monotonic()
                with self.waits:
                    if not self.waits.wait_for(lambda: self.rounds > 2, timeout=4):
                        assert time.monotonic() - begun >= 4

            @thread
            def other(self):
                with self.waits:
                    self.rounds += 1
                    self.waits.notify()
            """,
            "verified",
        ),
        # It could be the first look that comes late: the clock never stops for anybody.
        (
            """
            polls = 0

            @thread
            def poller(self):
                end = time.monotonic() + 60
                while time.monotonic() < end:
                    pass
            """,
            "verified",
        ),
    ],
)
def test_how_long_things_take(tmp_path: Path, body: str, outcome: str) -> None:
    result = checked(tmp_path, body)
    assert result.verdict == outcome
    assert result.bounds == ()


def test_a_property_that_compares_times_is_asked_for_all_of_them(tmp_path: Path) -> None:
    body = """
    def setup(self):
        self.begun = self.ended = time.monotonic()

    @thread
    def worker(self):
        self.ended = time.monotonic()

    @invariant
    def is_never_late(self):
        return self.ended - self.begun <= {0}

    @invariant
    def is_never_early(self):
        return self.ended >= self.begun
    """
    result = checked(tmp_path, body.format(5))
    assert ["is_never_late" in each.message for each in result.violations] == [True]
    assert checked(tmp_path, body.format("float('inf')")).verdict == "verified"


READINGS = {
    "time.time()": 4_102_444_800.0,
    "time.monotonic()": 100_000_000.0,
    "time.time_ns()": 4_102_444_800_000_000_000,
    "time.perf_counter_ns()": 100_000_000_000_000_000,
}
"""What clocks show at first where they go on by steps."""

FOLLOWED = (
    "t + 1 - t", "1 + t - t", "t - 1 < t", "t - t", "-t + t", "t * 2 - t - t", "t / 2 - t * 0.5",
    "abs(t) - t", "bool(t)", "t > 5", "t == t", "t != t + 1", "max(t, t + 1) - t", "min(t, 3)",
    "sorted([t + 1, t])[0] - t", "sum([t, 1]) - t", "isinstance(t, (int, float))",
    "isinstance(t, int)", "type(t).__name__", "type(t) is float", "t < float('inf')", "t is None",
    "t == 'x'", "t.__class__.__name__", "copy.deepcopy([t])[0] - t", "t in [t + 1, t]",
    "[t + 1, t].index(t)", "t < 1e30", "(t, 1) < (t, 2)", "t and 1", "heapq.nsmallest(1, [t])[0] - t",
    "dataclasses.astuple(D(t))[0] - t", "(t + 2 - t) * 3", "+t - t", "t + t > 5",
)  # fmt: skip
"""Operations on a reading that need no number in digits, and do not give one."""

WITH_DIGITS = (
    "t // 1", "divmod(t, 7)", "int(t)", "round(t, 1)", "str(t)", "f'{t:.1f}'", "'%d' % t", "2 / t",
    "json.dumps([t])", "{t: 1}[t]", "math.floor(t)", "decimal.Decimal(t)", "t.is_integer()",
    "statistics.mean([t, t])", "struct.pack('d', t)", "t + None", "t * t",
)  # fmt: skip
"""Those that do."""


def results(folder: Path, read: str, operations: Sequence[str]) -> tuple[list[set[str]], bool]:
    """What operations on a reading give, as text, each in all final states; and whether the clock
    went on by steps.
    """
    file = folder / "model.py"
    names = [f"out{number:02}" for number in range(len(operations))]
    text = HEAD + "@expect(nothing)\nclass M(Model):\n    CLOCK = 0\n"
    text += f"    {' = '.join(names)} = None\n"
    text += f"    @thread\n    def run(self):\n        t = {read}\n"
    for number, operation in enumerate(operations):
        text += (
            f"        try:\n            self.out{number:02} = {operation}\n"
            f"        except Exception as e:\n            self.out{number:02} = type(e).__name__\n"
        )
    file.write_text(text)
    graph = explore(load_models(file)[-1], cache=False)
    finals = [state.variables for state in graph.states() if state.final]
    steps = any(name == "CLOCK" for name, _ in graph.result.bounds)
    return [{repr(each[name]) for each in finals} for name in names], steps


HEAD = """
import copy, dataclasses, decimal, fractions, heapq, json, math, statistics, struct, time
from interleave import *

@dataclasses.dataclass
class D:
    x: object

"""


def in_python(read: str, operation: str) -> set[str]:
    """What an operation gives in Python, at once and a billion seconds later."""
    names: dict[str, object] = {}
    exec(HEAD, names)
    found = set()
    for passed in (0, 10**9):
        later = passed * 10**9 if read.endswith("_ns()") else passed
        try:
            result = eval(operation, {**names, "t": READINGS[read] + later})
        except Exception as error:
            result = type(error).__name__
        found.add(repr(result))
    return found


@pytest.mark.parametrize("read", ["time.time()", "time.perf_counter_ns()"])
def test_what_needs_no_digits_gives_what_it_gives_in_python(tmp_path: Path, read: str) -> None:
    found, by_steps = results(tmp_path, read, FOLLOWED)
    assert not by_steps
    wanted = [in_python(read, each) for each in FOLLOWED]
    assert dict(zip(FOLLOWED, found, strict=True)) == dict(zip(FOLLOWED, wanted, strict=True))


@pytest.mark.parametrize("number", range(len(WITH_DIGITS)))
def test_what_needs_digits_gets_them(tmp_path: Path, number: int) -> None:
    operation = WITH_DIGITS[number]
    read = [*READINGS][number % len(READINGS)]
    assert results(tmp_path, read, [operation]) == ([in_python(read, operation)], True)


def test_dates_come_of_the_same_clock(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "from datetime import date, datetime, timedelta, timezone\n"
        "from interleave import *\n\nclass M(Model):\n    CLOCK, CLOCK_STEP = 1, 600\n"
        "    out = None\n"
        "    def setup(self):\n        self.begun = datetime(2100, 1, 1, tzinfo=timezone.utc)\n"
        "    @thread\n    def run(self):\n        now = datetime.now(timezone.utc)\n"
        "        passed = now - self.begun\n"
        "        self.out = passed, passed > timedelta(minutes=5), date.today() >= now.date()\n"
    )
    graph = explore(load_models(file)[-1], cache=False)
    found = {state.variables["out"] for state in graph.states() if state.final}
    assert {passed.total_seconds() for passed, _, _ in found} == {0, 600, 1e9, 1e9 + 600}
    assert all(late == (passed.total_seconds() > 300) and ends for passed, late, ends in found)
    assert graph.result.bounds == (("CLOCK", 1), ("CLOCK_STEP", 600))


LOOP = """
import asyncio
from interleave import *

class M(Model):
    @task
    async def run(self):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        called = []
        loop.call_later(1, called.append, 1)
        await asyncio.sleep(2)
        assert loop.time() - begun >= 2
        try:
            async with asyncio.timeout(3) as limit:
                assert limit.when() >= begun + 5
                await asyncio.Event().wait()
        except TimeoutError:
            assert loop.time() >= begun + {seconds}
"""


@pytest.mark.parametrize(("seconds", "verdict"), [(5, "verified"), (5.1, "violated")])
def test_the_event_loop_has_the_same_clock(tmp_path: Path, seconds: float, verdict: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(LOOP.format(seconds=seconds))
    (result,) = check(file, cache=False).models
    assert result.verdict == verdict


def test_who_waits_for_a_clock_at_its_bound_is_not_stuck(tmp_path: Path) -> None:
    body = """
    told = threading.Event()

    @thread
    def polls(self):
        end = int(time.time()) + 60
        while int(time.time()) < end:
            pass
        self.told.set()

    @thread
    def waits(self):
        self.told.wait()
    """
    result = checked(tmp_path, body)
    assert result.verdict == "verified"
    assert result.bounds == (("CLOCK", 2), ("CLOCK_STEP", 1))


def test_setup_reads_the_clock_by_whatever_name(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import time\nfrom time import monotonic as clock\nfrom interleave import *\n\n"
        "class Watch:\n    def __init__(self, timer=clock):\n"
        "        self.timer, self.begun = timer, timer()\n"
        "    def passed(self):\n        return self.timer() - self.begun\n\n"
        "class M(Model):\n    def setup(self):\n        self.watch = Watch()\n"
        "        self.ends = time.monotonic() + 5\n"
        "    @thread\n    def run(self):\n        assert self.watch.passed() >= 0\n"
        "        assert clock() < self.ends or self.watch.passed() >= 5\n"
    )
    (result,) = check(file, cache=False).models
    assert result.verdict == "verified"
    assert time.monotonic() > 0  # what it was before


def test_a_reading_from_import_is_refused(tmp_path: Path) -> None:
    body = """
    begun = time.monotonic() + 1 / 3

    @thread
    def run(self):
        if time.monotonic() - self.begun > 5:
            pass
    """
    with pytest.raises(ModelError, match="one from before the threads"):
        checked(tmp_path, body)


@pytest.mark.parametrize("made", ["repr(t)", "f'{t}'", "{t: 1}", "json.dumps(t)"])
def test_setup_that_needs_digits_gets_them(tmp_path: Path, made: str) -> None:
    body = f"""
    def setup(self):
        t = time.monotonic()
        self.made = {made}

    @thread
    def run(self):
        t = time.monotonic()
        assert self.made == {{}} or self.made

    @invariant
    def is_text(self):
        return bool(self.made and json.dumps(1))
    """
    result = checked(tmp_path, body)
    assert (result.verdict, dict(result.bounds)["CLOCK"]) == ("verified", 2)


def test_a_clock_by_steps_shows_all_that_it_may_show(tmp_path: Path) -> None:
    text = """
from time import *
from interleave import *

class M(Model):
    CLOCK = param(2)
    CLOCK_STEP = 3
    out = None

    @thread
    def run(self):
        begun = int(time())
        sleep(4)
        self.out = begun - 4102444800, int(time()) - begun
"""
    long, wanted = 10**9, set()
    for first in range(3):
        for more in range(3 - first):
            for much in ((0, 0), (long, 0), (0, long)):
                wanted.add(((first * 3 + much[0], 4 + more * 3 + much[1]),))
    assert found(tmp_path, text) == wanted


@pytest.mark.parametrize(
    "hostile",
    [
        "class Odd(metaclass=Meta): pass",
        "class Odd:\n    __class__ = property(fails)\nODD = Odd()",
    ],
)
def test_what_objects_say_of_themselves_is_not_asked_to_replace_a_clock(hostile: str) -> None:
    text = "def fails(*_):\n    raise GeneratorExit\n"
    text += f"class Meta(type):\n    __getattribute__ = fails\n{hostile}\n"
    module = ModuleType("of_another_model")
    vars(module)["begun"] = time.monotonic
    exec(text, vars(module))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with replaced({id(time.monotonic): "the clock"}):
            assert vars(module)["begun"] == "the clock"
    assert vars(module)["begun"] is time.monotonic
