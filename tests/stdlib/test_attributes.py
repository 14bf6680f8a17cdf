"""Attributes of primitives: what real ones have and ours have not is refused, and so is any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

KINDS = {
    "threading.RLock()": "thread",
    "threading.Condition()": "thread",
    "threading.Event()": "thread",
    "threading.Semaphore(2)": "thread",
    "threading.Barrier(2)": "thread",
    "queue.Queue()": "thread",
    "queue.PriorityQueue()": "thread",
    "concurrent.futures.Future()": "thread",
    "asyncio.Lock()": "task",
    "asyncio.Event()": "task",
    "asyncio.Condition()": "task",
    "asyncio.Queue()": "task",
    "multiprocessing.Event()": "process",
    "multiprocessing.Queue()": "process",
}

MODEL = """
import asyncio, concurrent.futures, multiprocessing, queue, threading
from interleave import process, task

class M(Model):
    def setup(self):
        self.it = {made}
        {setup}

    @{mark}
    {what} t(self):
        {body}
"""


def model(made: str, *, setup: str = "pass", body: str = "pass") -> str:
    mark = KINDS[made]
    what = "async def" if mark == "task" else "def"
    return MODEL.format(made=made, mark=mark, what=what, setup=setup, body=body)


@pytest.mark.parametrize("made", KINDS)
@pytest.mark.parametrize(
    ("setup", "body"),
    [
        ("self.it.count = 0", "self.it.count = self.it.count + 1"),
        ("pass", "self.it.count = 1"),
        ("pass", "self.it._flag = True"),
        ("pass", "self.it._loop"),
    ],
)
def test_an_attribute_of_ones_own_is_refused(
    tmp_path: Path, made: str, setup: str, body: str
) -> None:
    with pytest.raises(ModelError, match=r"it(\.| has been given)") as refused:
        verdict(tmp_path, model(made, setup=setup, body=body))
    assert refused.value.place is not None
    assert refused.value.remedy


@pytest.mark.parametrize("made", KINDS)
def test_an_attribute_that_no_real_one_has(tmp_path: Path, made: str) -> None:
    assert verdict(tmp_path, model(made, body="self.it.no_such_method()")) == "exception"
    body = "assert not hasattr(self.it, 'no_such_method')"
    assert verdict(tmp_path, model(made, body=body)) == "verified"


@pytest.mark.parametrize(
    ("made", "use"),
    [
        ("asyncio.Lock()", "asyncio.current_task().get_coro()"),
        ("asyncio.Lock()", "asyncio.current_task().print_stack()"),
    ],
)
def test_what_real_ones_have_and_ours_have_not_is_refused(
    tmp_path: Path, made: str, use: str
) -> None:
    with pytest.raises(ModelError, match="is not modelled") as refused:
        verdict(tmp_path, model(made, body=use))
    assert "a model can use: " in (refused.value.remedy or "")
