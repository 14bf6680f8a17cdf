"""Models of tasks: what suspends, what cancels, what is found; on both engines."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from asyncio_driver import every_outcome, listed
from click.testing import CliRunner
from running import load

from interleave import check
from interleave.cli import main
from interleave.errors import ModelError, UsageError
from interleave.result import ModelResult

HEADER = """
import asyncio
import queue
import threading
from interleave import *


class Helpers:
    async def quick(self):
        return 5

    async def slow(self):
        await asyncio.sleep(0)
        return 5

    async def fails(self):
        raise ValueError("lost")


class M(Helpers, Model):
    n = 0
    log = ""
    lock = asyncio.Lock()
    event = asyncio.Event()
    sem = asyncio.Semaphore(1)
    q = asyncio.Queue()

    def setup(self):
        self.q.put_nowait(7)

"""


@pytest.fixture(params=["reference", "native"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def checked(tmp_path: Path, body: str, engine: str = "auto", **options: Any) -> ModelResult:
    model = load(tmp_path / "model.py", HEADER + body)
    (result,) = check(model, engine=engine, **options).models
    return result


def warned(result: ModelResult) -> list[str]:
    """The warnings, but for those of helpers that a body has no use for."""
    return [each for each in result.warnings if " is not run: " not in each]


def kinds(result: ModelResult) -> set[str]:
    return {violation.kind for violation in result.violations}


def sizes(result: ModelResult) -> tuple[int, int]:
    return result.states, result.transitions


def logs(result: ModelResult) -> set[str]:
    assert result.interleavings is not None
    return {str(dict(each.state)["log"]) for each in result.interleavings.outcomes}


# What suspends a task

AWAITED = """
    @task
    async def a(self):
        BEFORE
        self.log += "1"
        AWAIT
        self.log += "2"

    @task
    async def b(self):
        self.log += "b"
"""

NO_SWITCH = {
    "a coroutine that does not wait": ("", "await self.quick()"),
    "a lock that is free": ("", "async with self.lock:\n    pass"),
    "a semaphore that can be taken": ("", "await self.sem.acquire()"),
    "an event that is set": ("self.event.set()", "await self.event.wait()"),
    "an item that is there": ("", "await self.q.get()"),
    "room in a queue": ("", "await self.q.put(1)"),
    "a future that is done": (
        "f = asyncio.get_running_loop().create_future()\nf.set_result(1)",
        "await f",
    ),
    "a task that is done": ("t = asyncio.create_task(self.quick())\nawait t", "await t"),
    "gather of what is done": (
        "t = asyncio.create_task(self.quick())\nawait t",
        "assert await asyncio.gather(t, t) == [5, 5]",
    ),
    "gather of nothing": ("", "assert await asyncio.gather() == []"),
    "wait_for of what is done": (
        "t = asyncio.create_task(self.quick())\nawait t",
        "assert await asyncio.wait_for(t, None) == 5",
    ),
    "wait_for of a coroutine that does not wait": (
        "",
        "assert await asyncio.wait_for(self.quick(), None) == 5",
    ),
    "shield of what is done": (
        "t = asyncio.create_task(self.quick())\nawait t",
        "await asyncio.shield(t)",
    ),
    "a timeout around what does not wait": ("", "async with asyncio.timeout(None):\n    pass"),
    "a group without tasks": ("", "async with asyncio.TaskGroup():\n    pass"),
    "creating a task": ("", "t = asyncio.create_task(self.quick())"),
}
"""What stands before, and what task a awaits -> b does not run meanwhile."""

SWITCH = {
    "sleep(0)": ("", "await asyncio.sleep(0)"),
    "sleep": ("", "await asyncio.sleep(0.1)"),
    "a task": ("", "await asyncio.create_task(self.quick())"),
    "gather of a coroutine": ("", "await asyncio.gather(self.quick())"),
    "wait for what is done": (
        "t = asyncio.create_task(self.quick())\nawait t",
        "await asyncio.wait([t])",
    ),
    "as_completed": (
        "",
        "for f in asyncio.as_completed([self.quick()]):\n    await f",
    ),
    "shield of a coroutine": ("", "await asyncio.shield(self.quick())"),
    "a group with a task": (
        "",
        "async with asyncio.TaskGroup() as g:\n    g.create_task(self.quick())",
    ),
    "a coroutine that waits": ("", "await self.slow()"),
    "wait_for of a coroutine that waits": ("", "await asyncio.wait_for(self.slow(), None)"),
}
"""What stands before, and what task a awaits -> b can run meanwhile."""


def awaiting(before: str, awaits: str) -> str:
    def indented(text: str) -> str:
        return text.replace("\n", "\n        ") or "pass"

    return AWAITED.replace("BEFORE", indented(before)).replace("AWAIT", indented(awaits))


@pytest.mark.parametrize("what", [*NO_SWITCH, *SWITCH])
def test_what_suspends_a_task(tmp_path: Path, what: str) -> None:
    """As in the real library, which is asked too."""
    body = awaiting(*{**NO_SWITCH, **SWITCH}[what])
    for engine in ("reference", "native"):
        result = checked(tmp_path, body, engine)
        assert ("1b2" in logs(result)) == (what in SWITCH)
    if what == "gather of what is done" and sys.version_info < (3, 12):
        return  # it suspends there
    real, whole = every_outcome(HEADER + body, runs=2_000)
    assert whole
    assert listed(tmp_path / "model.py", HEADER + body, "any") == real


SHARING = """
    @task
    async def a(self):
        items = []
        await asyncio.gather(self.put(items), self.put(items))
        self.log += str(items)

    async def put(self, items):
        items.append(len(items))
"""


def test_coroutines_may_share_what_a_task_has_made(tmp_path: Path, engine: str) -> None:
    """It moves to where both see it when the first is begun: the second is not begun by that."""
    result = checked(tmp_path, SHARING, engine)
    assert not result.violations
    assert logs(result) == {"[0, 1]"}


BARGING = """
    @task
    async def a(self):
        async with self.lock:
            await asyncio.sleep(0)
        TRIES
        self.log += "a"

    @task
    async def b(self):
        async with self.lock:
            self.log += "b"
"""


def test_a_lock_that_somebody_waits_for_is_not_taken_at_once(tmp_path: Path, engine: str) -> None:
    """Who has given it back and wants it again goes to the end of the line."""
    again = BARGING.replace("TRIES", "async with self.lock:\n            pass")
    result = checked(tmp_path, again, engine)
    assert sizes(result) == (10, 10)
    assert logs(result) == {"ab", "ba"}
    text = HEADER + again
    assert (
        listed(tmp_path / "model.py", text, "fifo") == every_outcome(text, fifo=True, runs=2_000)[0]
    )


OVERTAKEN = """
    @task
    async def getter(self):
        await self.q.get()
        item = await self.q.get()
        self.log += str(item)

    @task
    async def putter(self):
        await asyncio.sleep(0)
        await self.q.put(1)
        item = await self.q.get()
        self.log += str(item)
        await self.q.put(2)
"""


def test_an_item_is_for_whoever_comes_first(tmp_path: Path, engine: str) -> None:
    """A getter that was woken finds nothing, and waits again."""
    result = checked(tmp_path, OVERTAKEN, engine)
    assert kinds(result) == set()
    assert logs(result) == {"12", "72"}
    assert (
        listed(tmp_path / "model.py", HEADER + OVERTAKEN, "any")
        == every_outcome(HEADER + OVERTAKEN, runs=2_000)[0]
    )


# Cancellation

CANCELLED = {
    "before its first step, finally does not run": (
        "try:\n    self.log += 's'\nfinally:\n    self.log += 'f'",
        "t.cancel()",
        {"c"},
    ),
    "at the await where it is suspended": (
        "try:\n    await self.event.wait()\nfinally:\n    self.log += 'f'",
        "await asyncio.sleep(0)\nt.cancel()",
        {"c", "fc"},
    ),
    "it may go on": (
        "try:\n    await self.event.wait()\nexcept asyncio.CancelledError:\n    self.log += 'x'",
        "await asyncio.sleep(0)\nt.cancel()",
        {"c", "x"},
    ),
    "the result of what is done already is lost": (
        "self.log += str(await self.q.get())",
        "await asyncio.sleep(0)\nt.cancel()",
        {"c", "7"},
    ),
    "at the next await that suspends": (
        "asyncio.current_task().cancel()\nawait self.quick()\nself.log += '1'\n"
        "await asyncio.sleep(0)\nself.log += '2'",
        "",
        {"1c"},
    ),
    "uncancel": (
        "asyncio.current_task().cancel()\ntry:\n    await asyncio.sleep(0)\n"
        "except asyncio.CancelledError:\n    t = asyncio.current_task()\n"
        "    self.log += f'{t.cancelling()}{t.uncancel()}{t.cancelling()}'",
        "",
        {"100"},
    ),
}
"""What the task runs, what is done to it, and the logs; "c" at the end where it was cancelled."""


@pytest.mark.parametrize("what", CANCELLED)
def test_cancelling(tmp_path: Path, what: str) -> None:
    runs, done, expected = CANCELLED[what]
    lines = "\n".join(f"        {line}" for line in runs.splitlines())
    body = f"""
    async def work(self):
{lines}

    @task
    async def main(self):
        t = asyncio.create_task(self.work())
        {done.replace(chr(10), chr(10) + "        ") or "pass"}
        try:
            await t
        except asyncio.CancelledError:
            self.log += "c"
"""
    for engine in ("reference", "native"):
        assert logs(checked(tmp_path, body, engine)) == expected
    real, whole = every_outcome(HEADER + body, runs=2_000)
    assert whole
    assert listed(tmp_path / "model.py", HEADER + body, "any") == real


FROM_OUTSIDE = """
    @task(2)
    async def worker(self):
        await self.lock.acquire()
        await asyncio.sleep(0)
        self.lock.release()
"""


def test_cancelling_from_outside(tmp_path: Path, engine: str) -> None:
    result = checked(tmp_path, FROM_OUTSIDE, engine)
    assert (kinds(result), sizes(result)) == (set(), (12, 14))
    result = checked(tmp_path, FROM_OUTSIDE, engine, cancel=["worker[0]"])
    assert kinds(result) == {"deadlock"}
    assert sizes(result) == (27, 38)
    (violation,) = result.violations
    assert violation.message == "worker[1] waits for lock, held by worker[0], which has ended"
    assert [step.source.text for step in violation.trace.steps if step.thread == "event loop"] == [
        "cancel worker[0]"
    ]
    assert result.parameters == {"CANCEL": ("worker[0]",)}
    both = checked(tmp_path, FROM_OUTSIDE, engine, cancel=["worker"])
    assert kinds(both) == {"deadlock"}
    assert both.states > result.states


def test_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(HEADER + FROM_OUTSIDE)
    run = CliRunner().invoke(main, ["check", str(file), "--cancel", "worker", "--order", "fifo"])
    assert run.exit_code == 1
    assert "runtime asyncio, ORDER='fifo', CANCEL=('worker',)" in " ".join(run.stdout.split())
    run = CliRunner().invoke(main, ["check", str(file), "--cancel", "nobody"])
    assert run.exit_code == 2
    assert "there is no task 'nobody' to cancel\n  remedy: the tasks are worker" in run.stderr
    run = CliRunner().invoke(main, ["check", str(file), "--order", "random"])
    assert run.exit_code == 2
    assert "there is no order 'random'\n  remedy: the orders are any, fifo" in run.stderr


def test_settings_in_the_model(tmp_path: Path) -> None:
    assert kinds(checked(tmp_path, FROM_OUTSIDE + "\n    CANCEL = 'worker[1]'\n")) == {"deadlock"}
    with pytest.raises(ModelError, match="there is no task 'x' to cancel"):
        checked(tmp_path, FROM_OUTSIDE + "\n    CANCEL = ('x',)\n")
    with pytest.raises(ModelError, match="ORDER is 'lifo'"):
        checked(tmp_path, FROM_OUTSIDE + "\n    ORDER = 'lifo'\n")
    with pytest.raises(UsageError):
        checked(tmp_path, FROM_OUTSIDE, order="lifo")


CALLED = """
    def call(self):
        self.log += "c"

    @task
    async def main(self):
        handle = asyncio.get_running_loop().CALL
        await asyncio.sleep(0)
        self.log += "m"
        handle.cancel()
        assert handle.cancelled()
"""


@pytest.mark.parametrize("call", ["call_soon(self.call)", "call_later(1, self.call)"])
def test_calls_of_the_loop(tmp_path: Path, engine: str, call: str) -> None:
    body = CALLED.replace("CALL", call)
    assert logs(checked(tmp_path, body, engine)) == {"cm", "m"}
    for order in ("any", "fifo"):
        real, whole = every_outcome(HEADER + body, fifo=order == "fifo", runs=2_000)
        assert whole
        assert listed(tmp_path / "model.py", HEADER + body, order) == real


# The order of the loop

TURNS = """
    @task(3)
    async def turn(self, i):
        self.log += str(i)
        await asyncio.sleep(0)
        self.log += str(i)
"""


def test_the_order_of_the_real_loop(tmp_path: Path, engine: str) -> None:
    result = checked(tmp_path, TURNS, engine, order="fifo")
    assert logs(result) == {"012012"}
    assert sizes(result) == (7, 6)
    assert len(logs(checked(tmp_path, TURNS, engine))) == 90


def test_a_sleep_may_take_any_time(tmp_path: Path, engine: str) -> None:
    body = TURNS.replace("sleep(0)", "sleep(0.1)")
    found = logs(checked(tmp_path, body, engine, order="fifo"))
    assert found == {f"012{a}{b}{c}" for a, b, c in itertools.permutations("012")}


# What is found, and what is said of it

LOST = """
    @task(2)
    async def increment(self):
        t = self.n
        await asyncio.sleep(0)
        self.n = t + 1

    @postcondition
    def both_count(self):
        return self.n == 2
"""


def test_a_lost_update_names_the_await(tmp_path: Path, engine: str) -> None:
    result = checked(tmp_path, LOST, engine)
    assert kinds(result) == {"lost-update", "postcondition"}
    assert sizes(result) == (12, 14)
    lost = result.violations[0]
    lines = (HEADER + LOST).splitlines()
    line = 1 + max(i for i, text in enumerate(lines) if text.strip() == "await asyncio.sleep(0)")
    assert lost.hint == f"The event loop switched at line {line}, await asyncio.sleep(0)"
    assert [step.source.text for step in lost.trace.steps[:2]] == [
        "t = self.n; await asyncio.sleep(0)"
    ] * 2


def test_the_await_may_stand_in_a_helper(tmp_path: Path, engine: str) -> None:
    body = LOST.replace("await asyncio.sleep(0)", "await self.slow()")
    result = checked(tmp_path, body, engine)
    assert "await asyncio.sleep(0)" in result.violations[0].hint
    assert sizes(result) == (12, 14)


def test_arguments_are_told_apart(tmp_path: Path) -> None:
    """A helper that writes one argument does not write what was read for another."""
    body = """
    async def store(self, value, _):
        await asyncio.sleep(0)
        self.n = value

    @task(2)
    async def run(self):
        await self.store(0, self.n)
"""
    assert kinds(checked(tmp_path, body)) == set()


DEADLOCK = """
    other = asyncio.Lock()

    @task
    async def one(self):
        async with self.lock:
            await asyncio.sleep(0)
            async with self.other:
                pass

    @task
    async def two(self):
        async with self.other:
            await asyncio.sleep(0)
            async with self.lock:
                pass
"""


def test_two_locks(tmp_path: Path, engine: str) -> None:
    result = checked(tmp_path, DEADLOCK, engine)
    assert kinds(result) == {"deadlock"}
    assert sizes(result) == (12, 14)
    assert result.violations[0].cycle


def test_a_task_that_awaits_a_task_for_ever(tmp_path: Path, engine: str) -> None:
    body = """
    async def waits(self):
        await self.event.wait()

    @task
    async def main(self):
        await asyncio.create_task(self.waits())
"""
    result = checked(tmp_path, body, engine)
    assert kinds(result) == {"deadlock"}
    assert result.violations[0].message == ("main waits for waits-1; waits-1 waits for event")


def test_an_exception_of_a_task_is_that_of_the_program(tmp_path: Path, engine: str) -> None:
    body = """
    @task
    async def main(self):
        await asyncio.sleep(0)
        raise KeyError("x")
"""
    result = checked(tmp_path, body, engine)
    assert kinds(result) == {"exception"}
    assert warned(result) == []


def test_an_exception_passes_through_await(tmp_path: Path, engine: str) -> None:
    body = """
    async def fails(self):
        await asyncio.sleep(0)
        raise ValueError("no", 1)

    @task
    async def main(self):
        for awaitable in (self.fails(), asyncio.create_task(self.fails())):
            try:
                await awaitable
            except ValueError as error:
                assert error.args == ("no", 1)
                self.n += 1
        assert self.n == 2
"""
    result = checked(tmp_path, body, engine)
    assert (kinds(result), warned(result)) == (set(), [])


NEVER = """
    @task
    async def main(self):
        STATEMENT
        await asyncio.sleep(0)
"""


@pytest.mark.parametrize(
    ("statement", "warnings"),
    [
        ("self.slow()", ("coroutine 'Helpers.slow' was never awaited",)),
        ("asyncio.sleep(1)", ("coroutine 'sleep' was never awaited",)),
        ("c = self.slow()", ("coroutine 'Helpers.slow' was never awaited",)),
        ("c = self.slow(); c.close()", ()),
        ("await self.slow()", ()),
        ("c = self.slow(); await c", ()),
        (
            "c = [self.slow(), self.quick()]; await c[0]",
            ("coroutine 'Helpers.quick' was never awaited",),
        ),
        (
            "asyncio.create_task(self.fails())",
            ("the exception of task fails-1 was never retrieved: ValueError('lost')",),
        ),
        ("t = asyncio.create_task(self.fails()); await asyncio.wait([t]); t.exception()", ()),
        ("await asyncio.gather(self.fails(), return_exceptions=True)", ()),
        (
            "g = asyncio.gather(self.fails()); await asyncio.wait([g])",
            ("the exception of a future was never retrieved: ValueError('lost')",),
        ),
        (
            "asyncio.Future().set_exception(KeyError(1))",
            ("the exception of a future was never retrieved: KeyError(1)",),
        ),
        ("a, b = asyncio.as_completed([self.quick(), self.quick()]); await b", ()),
    ],
)
def test_what_the_loop_warns_of(
    tmp_path: Path, engine: str, statement: str, warnings: tuple[str, ...]
) -> None:
    body = NEVER.replace("STATEMENT", statement.replace("; ", "\n        "))
    result = checked(tmp_path, body, engine)
    assert warned(result) == [*warnings]
    assert kinds(result) == set()


def test_a_coroutine_is_awaited_once(tmp_path: Path) -> None:
    body = """
    @task
    async def main(self):
        c = self.quick()
        await c
        await c
"""
    result = checked(tmp_path, body)
    assert "cannot reuse already awaited coroutine" in result.violations[0].message


# The language

LANGUAGE = """
    opened = 0

    @task
    async def main(self):
        async with Session(self) as session:
            assert session.model is self
            numbers = [each async for each in Numbers(3)]
        assert self.opened == 0
        assert numbers == [0, 1, 2]
        total = 0
        async for each in Numbers(3):
            if each == 1:
                continue
            total += each
        else:
            total += 10
        assert total == 12
        pairs = {k: await self.quick() for k in range(2) if await self.quick()}
        assert pairs == {0: 5, 1: 5}
        assert (await self.quick(), await self.slow()) == (5, 5)
        try:
            async with Session(self):
                raise KeyError("swallowed")
        except KeyError:
            assert False
        self.n = 1

    @postcondition
    def came_to_its_end(self):
        return self.n == 1


class Session:
    def __init__(self, model):
        self.model = model

    async def __aenter__(self):
        await asyncio.sleep(0)
        self.model.opened += 1
        return self

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(0)
        self.model.opened -= 1
        return kind is KeyError


class Numbers:
    def __init__(self, most):
        self.most = most
        self.at = -1

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.sleep(0)
        self.at += 1
        if self.at == self.most:
            raise StopAsyncIteration
        return self.at
"""


def test_the_language(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(HEADER + LANGUAGE)
    (result,) = check(file, model="M", engine=engine).models
    assert result.verdict == "verified", result.violations


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("await 5", "object int can't be used in 'await' expression"),
        ("async with self.quick():\n            pass", "asynchronous context manager protocol"),
        ("async for x in [1]:\n            pass", "'async for' requires an object with __aiter__"),
        ("asyncio.create_task(5)", "a coroutine was expected, got 5"),
        ("await asyncio.gather(5)", "a coroutine or an awaitable is required"),
        ("self.lock.release()", "Lock is not acquired."),
        ("self.q.task_done()\n        self.q.task_done()", "task_done() called too many times"),
        ("await asyncio.wait([])", "Set of Tasks/Futures is empty."),
        ("self.quick(1)", "takes 1 positional argument but 2 were given"),
        ("asyncio.wait_for(1)", "missing 1 required positional argument: 'timeout'"),
        ("await asyncio.current_task()", "Task cannot await on itself"),
    ],
)
def test_what_python_says(tmp_path: Path, statement: str, message: str) -> None:
    body = f"""
    @task
    async def main(self):
        {statement}
"""
    result = checked(tmp_path, body)
    assert message in result.violations[0].message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    @task\n    def t(self):\n        pass\n", "task t is not `async def`"),
        ("    @thread\n    async def t(self):\n        pass\n", "thread t is `async def`"),
        (
            "    @task\n    async def t(self):\n        with atomic():\n"
            "            await asyncio.sleep(0)\n",
            "a task awaits inside atomic",
        ),
        (
            "    @task\n    async def t(self):\n        self.n = self.quick()\n",
            "a coroutine is for the task that made it",
        ),
        (
            "    @task\n    async def t(self):\n        x = list(await self.quick() for _ in [1])\n",
            "this makes an asynchronous generator",
        ),
        (
            "    @task\n    async def t(self):\n        asyncio.open_connection('x')\n",
            "asyncio.open_connection has no modelled counterpart",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        checked(tmp_path, body)


def test_tasks_again_and_again(tmp_path: Path, engine: str) -> None:
    """A task that is done makes room for another one when nothing refers to it."""
    body = """
    async def flip(self):
        self.n = 1 - self.n

    @task
    async def main(self):
        while True:
            await asyncio.gather(self.flip(), self.flip())
            assert self.n == 0
"""
    result = checked(tmp_path, body, engine)
    assert kinds(result) == set()
    assert sizes(result) == (19, 27)


# Threads

THREADS = """
    @thread
    def outside(self):
        self.n += 1

    @task(2)
    async def inside(self):
        self.n += 1

    @postcondition
    def everything_counts(self):
        return self.n == 3
"""


def test_threads_come_in_between(tmp_path: Path, engine: str) -> None:
    """Tasks do not interrupt each other, and threads interrupt tasks as their runtime says."""
    result = checked(tmp_path, THREADS, engine)
    assert result.runtime == "free-threaded"
    lost = [each for each in result.violations if each.kind == "lost-update"]
    assert {frozenset(each.threads) for each in lost} <= {
        frozenset({"outside", "inside[0]"}),
        frozenset({"outside", "inside[1]"}),
    }
    assert kinds(result) == {"lost-update", "postcondition"}
    assert sizes(result) == (40, 58)
    under_gil = checked(tmp_path, THREADS, engine, runtime="gil")
    assert kinds(under_gil) == set()
    assert sizes(under_gil) == (8, 12)


def test_a_lock_of_threads_stops_the_loop(tmp_path: Path, engine: str) -> None:
    body = """
    mutex = threading.Lock()

    @task(2)
    async def work(self):
        with self.mutex:
            await asyncio.sleep(0)
"""
    result = checked(tmp_path, body, engine)
    assert kinds(result) == {"deadlock"}


def test_what_a_thread_may_not_touch(tmp_path: Path, engine: str) -> None:
    body = """
    @thread
    def outside(self):
        CALL

    @task
    async def inside(self):
        await self.event.wait()
"""
    touched = checked(tmp_path, body.replace("CALL", "self.event.set()"), engine)
    assert kinds(touched) == {"deadlock"}
    assert sizes(touched) == (6, 6)
    in_debug_mode = body.replace("CALL", "self.event.set()") + "    ASYNCIO_DEBUG = True\n"
    refused = checked(tmp_path, in_debug_mode, engine)
    assert kinds(refused) == {"exception", "deadlock"}
    assert sizes(refused) == (5, 4)
    safe = "asyncio.get_event_loop().call_soon_threadsafe(self.event.set)"
    asked = checked(tmp_path, body.replace("CALL", safe), engine)
    assert kinds(asked) == set()
    assert sizes(asked) == (11, 13)


BLOCKING = {
    "a lock": ("threading.Lock()", "self.held.acquire()\n        self.held.acquire()"),
    "a queue": ("queue.Queue(maxsize=1)", "self.held.put(1)\n        self.held.put(2)"),
    "an event": ("threading.Event()", "self.held.wait()"),
    "a barrier": ("threading.Barrier(2)", "self.held.wait()"),
}
"""What a task waits for as only a thread should, with all others of its loop."""

OTHERS = {
    "a sleep": "await asyncio.sleep(1)",
    "an event": "await self.event.wait()",
    "nothing": "self.n += 1",
}


@pytest.mark.parametrize("order", ["any", "fifo"])
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("held", BLOCKING)
def test_a_task_that_blocks_the_loop(tmp_path: Path, held: str, other: str, order: str) -> None:
    """One report, wherever the other tasks are."""
    made, waits = BLOCKING[held]
    body = f"""
    held = {made}

    @task
    async def blocks(self):
        {waits}

    @task
    async def other(self):
        {OTHERS[other]}

    @task
    async def third(self):
        await asyncio.sleep(0)
"""
    result = checked(tmp_path, body, order=order)
    (deadlock,) = result.violations
    assert deadlock.kind == "deadlock"
    notes = {wait.thread: wait for wait in deadlock.waits}
    assert notes["blocks"].note == "it blocks the whole event loop"
    assert notes["other"].holders == notes["third"].holders == ("blocks",)
    assert notes["other"].access.location == "event loop"
    assert notes["other"].note == "it never got to run"


def test_why_a_task_was_not_woken(tmp_path: Path) -> None:
    body = """
    @thread
    def outside(self):
        self.event.set()

    @task
    async def inside(self):
        await self.event.wait()
"""
    (deadlock,) = checked(tmp_path, body).violations
    assert "the event loop sleeps" in deadlock.waits[0].note
    (deadlock, _) = checked(tmp_path, body + "    ASYNCIO_DEBUG = True\n").violations
    assert "an exception has kept that from the event loop" in deadlock.waits[0].note


RAISING = {
    "call_soon": "loop.call_soon(self.fails)",
    "call_soon_threadsafe": "loop.call_soon_threadsafe(self.fails)",
    "call_later": "loop.call_later(1, self.fails)",
    "add_done_callback": "self.ended(loop).add_done_callback(self.fails)",
}


@pytest.mark.parametrize("order", ["any", "fifo"])
@pytest.mark.parametrize("raising", RAISING)
def test_a_loop_goes_on_after_a_callback_that_raises(
    tmp_path: Path, engine: str, raising: str, order: str
) -> None:
    body = f"""
    def fails(self, *_):
        raise ValueError("no")

    def ended(self, loop):
        future = loop.create_future()
        future.set_result(1)
        return future

    def sets(self):
        self.n = 1

    @task
    async def main(self):
        loop = asyncio.get_running_loop()
        {RAISING[raising]}
        loop.call_soon(self.sets)
        await asyncio.sleep(1)
        await asyncio.sleep(1)
"""
    result = checked(tmp_path, body, engine, order=order)
    (failure,) = result.violations
    assert failure.message == "a callback of the event loop raises ValueError: no"
    assert result.interleavings is not None
    assert {each.how for each in result.interleavings.outcomes} == {"finished"}


@pytest.mark.slow
def test_threads_of_tasks_switch_as_their_runtime_says(tmp_path: Path, engine: str) -> None:
    body = """
    def work(self):
        self.n += 1

    @task
    async def main(self):
        await asyncio.gather(asyncio.to_thread(self.work), asyncio.to_thread(self.work))
"""
    result = checked(tmp_path, body, engine)
    assert (result.runtime, kinds(result)) == ("asyncio", {"lost-update"})
    result = checked(tmp_path, body, engine, runtime="gil")
    assert (result.runtime, kinds(result)) == ("gil", set())


def test_tasks_alone_are_the_same_under_gil(tmp_path: Path, engine: str) -> None:
    result = checked(tmp_path, LOST, engine, runtime="gil")
    assert kinds(result) == {"lost-update", "postcondition"}
    assert sizes(result) == (12, 14)


def test_to_thread(tmp_path: Path, engine: str) -> None:
    body = """
    def work(self, number, *, more):
        if number > 2:
            raise ValueError(number)
        return number + more

    @task
    async def main(self):
        assert await asyncio.to_thread(self.work, 1, more=2) == 3
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self.fails)
        except ValueError as error:
            assert error.args == (9,)
            self.n = 1

    def fails(self):
        self.work(9, more=0)

    @postcondition
    def came_to_its_end(self):
        return self.n == 1
"""
    result = checked(tmp_path, body, engine)
    assert result.verdict == "verified", result.violations


@pytest.mark.slow
def test_the_queue_of_the_loop_is_learnt(tmp_path: Path) -> None:
    """Few of the steps under `fifo` are cases of their own."""
    body = """
    async def job(self, k):
        await asyncio.sleep(0.1)
        self.n += k

    @task(3)
    async def work(self):
        await asyncio.gather(self.job(1), self.job(2))
"""
    learnt: list[int] = []
    check(
        load(tmp_path / "model.py", HEADER + body),
        order="fifo",
        max_states=2_000,
        on_result=lambda _, facts: learnt.append(facts.learnt),
    )
    assert learnt[0] < 1_000  # each of ten threads can be asked in each state


MODELS = Path(__file__).parents[2] / "models" / "asyncio"
SIZE = re.compile(r"^# ([\d,]+) states, ([\d,]+) transitions\n(?:@.*\n)+class (\w+)", re.MULTILINE)


@pytest.mark.parametrize("file", sorted(MODELS.glob("*.py")), ids=lambda file: file.stem)
def test_models_are_as_large_as_they_say(file: Path, engine: str) -> None:
    said = SIZE.findall(file.read_text(encoding="utf-8"))
    found = [
        (f"{result.states:,}", f"{result.transitions:,}", result.model)
        for result in check(file, engine=engine).models
    ]
    assert found == said
