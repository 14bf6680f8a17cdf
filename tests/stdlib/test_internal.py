"""What primitives have for the library only is not there for code of a model."""

from __future__ import annotations

import asyncio
import concurrent.futures  # noqa: F401  (the text of cases names it)
import contextvars  # noqa: F401
import multiprocessing  # noqa: F401
import queue  # noqa: F401
import threading  # noqa: F401
from collections.abc import Iterator
from pathlib import Path

import pytest
from primitives import internal, primitives
from verdicts import verdict

from interleave import ModelError
from interleave.errors import InterleaveError
from interleave.world.internal import INTERNAL

HEAD = """
import asyncio, concurrent.futures, contextvars, functools, multiprocessing, queue, threading
from interleave import go, goroutine, process, task

class M(Model):
    outside = {outside}

    @{mark}
    {what} main(self):
        it = {made}
        {body}
"""

MADE = {
    "thread": """threading.Lock threading.RLock threading.Condition threading.Event
        threading.Semaphore threading.BoundedSemaphore threading.Barrier(2)
        threading.Thread(target=print) threading.Timer(1,print) queue.Queue queue.LifoQueue
        queue.PriorityQueue queue.SimpleQueue concurrent.futures.Future
        concurrent.futures.ThreadPoolExecutor(1) contextvars.Context""",
    "task": """asyncio.Lock asyncio.Event asyncio.Condition asyncio.Semaphore asyncio.Barrier(2)
        asyncio.BoundedSemaphore asyncio.Queue asyncio.LifoQueue asyncio.PriorityQueue
        asyncio.Future asyncio.TaskGroup asyncio.timeout(None) asyncio.current_task
        asyncio.get_running_loop""",
    "goroutine": """go.Chan(1) go.Mutex go.RWMutex go.WaitGroup go.Once go.Cond
        go.Map go.atomic.Int32 go.atomic.Bool go.atomic.Value go.atomic.Pointer
        go.time.NewTimer(1) go.time.NewTicker(1) go.time.AfterFunc(1,print)
        go.context.WithCancel(go.context.Background())[0]""",
}
"""What each kind of thread can make; without arguments, where none are written."""

FROM_OUTSIDE = """multiprocessing.Lock multiprocessing.RLock multiprocessing.Condition
    multiprocessing.Event multiprocessing.Semaphore multiprocessing.BoundedSemaphore
    multiprocessing.Queue multiprocessing.JoinableQueue multiprocessing.SimpleQueue
    multiprocessing.Pipe()[0]"""
"""What is made before the threads start."""


def _expressions(text: str) -> list[str]:
    return [each if each.endswith((")", "]")) else f"{each}()" for each in text.split()]


def _source(mark: str, made: str, body: str) -> str:
    what = "async def" if mark == "task" else "def"
    outside, made = (made, "self.outside") if mark == "process" else (None, made)
    return HEAD.format(mark=mark, what=what, made=made, outside=outside, body=body)


def test_the_names_are_written_down() -> None:
    named = set().union(*map(internal, primitives()))
    assert named <= INTERNAL


def _generated() -> Iterator[tuple[str, str]]:
    for mark, made in MADE.items():
        for each in _expressions(made):
            yield mark, each
    for each in _expressions(FROM_OUTSIDE):
        yield "process", each


CASES = list(_generated())


def _names_of_real(mark: str, made: str) -> set[str]:
    """The attributes that Python's, or Go's, has."""
    if mark == "goroutine":
        kind = made.removesuffix("()").rpartition(".")[2]
        channel = {"recv", "recv_ok", "cap"} if "NewTi" in made else {"recv", "recv_ok"}
        lower = {"Chan(1)": {*channel, "cap", "close", "send"}}
        is_channel = "Chan" in made or "NewTi" in made or "context" in made
        return lower.get(kind, channel) if is_channel else set()

    async def names() -> set[str]:
        return set(dir(eval(made)))

    return asyncio.run(names())


@pytest.mark.parametrize(("mark", "made"), CASES)
def test_what_no_real_one_has_is_not_there(tmp_path: Path, mark: str, made: str) -> None:
    public = {name for name in INTERNAL if name[0] != "_"}
    lacking = sorted(public - _names_of_real(mark, made))
    body = f"assert not [name for name in {lacking} if hasattr(it, name)]"
    assert verdict(tmp_path, _source(mark, made, body)) == "verified"


USES = [
    "it.operate('x', print)",
    "(lambda: it.overwrite(1))()",
    "getattr(it, 'state')",
    "it.__getattribute__('location')",
    "assert getattr(it, 'state', None) is None; it.exclude('', writes=True)",
]


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_to_use_it_is_an_error(tmp_path: Path, number: int, case: tuple[str, str]) -> None:
    body = USES[number % len(USES)]
    assert verdict(tmp_path, _source(*case, body)) == "exception"


INSIDE = ["it._number", "it._location", "it.state = 1", "it.stands_for = 1"]


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_what_is_inside_is_refused(tmp_path: Path, number: int, case: tuple[str, str]) -> None:
    with pytest.raises(ModelError) as refused:
        verdict(tmp_path, _source(*case, INSIDE[number % len(INSIDE)]))
    assert refused.value.place is not None


@pytest.mark.parametrize("body", [*USES, *INSIDE])
def test_in_functions_that_run_as_a_whole(tmp_path: Path, body: str) -> None:
    source = f"""
        import threading
        LOCK = threading.Lock()

        class Key:
            def __hash__(self):
                it = LOCK
                {body}
                return 1

        class M(Model):
            made = None

            @thread
            def main(self):
                self.made = {{Key(): 1}}
        """
    try:
        found = verdict(tmp_path, source)
    except ModelError:
        found = "refused"
    assert found in ("exception", "refused")


@pytest.mark.parametrize(("mark", "made"), CASES)
def test_what_real_ones_have_is_there(tmp_path: Path, mark: str, made: str) -> None:
    public = {name for name in INTERNAL if name[0] != "_"} - {"function"}  # of a Timer: refused
    names = public & _names_of_real(mark, made)
    body = "\n        ".join(f"it.{name}" for name in sorted(names)) or "pass"
    assert verdict(tmp_path, _source(mark, made, body)) == "verified"


@pytest.mark.parametrize("body", ["self.it.put(1)", "self.it.shut()", "self.it.can_send()"])
def test_in_setup(tmp_path: Path, body: str) -> None:
    source = f"""
        from interleave import go, goroutine

        class M(Model):
            def setup(self):
                self.it = go.Chan(1)
                {body}

            @goroutine
            def main(self):
                pass
        """
    with pytest.raises(InterleaveError, match="has no attribute"):
        verdict(tmp_path, source)
