"""`interleave locks`: which locks are needed, under which runtime, and around which lines."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import interleave
from interleave import ModelError, UsageError
from interleave.cli import main
from interleave.mending.locks import Need
from interleave.report.locked import _of_lock, _of_region

MODELS = Path(__file__).parents[2] / "models"
FREE = "needed under free-threaded; not needed under gil"

PINNED = {
    ("counter/with_lock.py", "CounterWithLock"): [
        f"lock: {FREE}, where lines 26-27 are one step",
    ],
    ("counter/with_rlock.py", "HelperWithRLock"): [
        f"lock: {FREE}",
        "  22: not needed under free-threaded; not needed under gil, where lines 23-24 are one step",
        "  27: not needed under free-threaded and gil",
    ],
    ("counter/with_sleep.py", "SleepFirst"): [f"lock: {FREE}, where line 49 is one step"],
    ("deadlock/bank_transfer.py", "LockInOrderOfNumber"): [
        "alice.lock: not needed under free-threaded; not needed under gil, where lines 67-68 are "
        "one step",
        "bob.lock: not needed under free-threaded; not needed under gil, where lines 67-68 are one "
        "step",
        "alice.lock, bob.lock: free-threaded True, gil False",
    ],
    ("threading/start_and_join.py", "LockAndJoin"): [f"lock: {FREE}, where line 30 is one step"],
    ("threading/start_and_join.py", "OneAfterTheOther"): [
        "lock: not needed under free-threaded; not needed under gil, where line 30 is one step"
    ],
    ("threading/bounded_buffer.py", "TwoConditions"): [
        "lock: not removable: it belongs to has_room, whose wait() gives it back"
    ],
    ("trading/nonce_allocation.py", "LockUntilItIsSent"): [
        "lock: needed under free-threaded and gil"
    ],
    ("trading/position_and_fill.py", "ReservesFirst"): [
        f"lock: {FREE}",
        f"  157: {FREE}, where lines 158-160 are one step",
        f"  165: {FREE}, where lines 166-167 are one step; line 166 is enough",
    ],
    ("classics/lazy_initialisation.py", "OpenedUnderALock"): [
        "lock: needed under free-threaded and gil"
    ],
    ("go/counters.py", "WithMutex"): ["mu: needed under go"],
    ("multiprocessing/value.py", "ValueWithItsLock"): ["counter.get_lock(): needed under process"],
    ("asyncio/two_locks.py", "OneOrder"): [
        "left: not needed under asyncio",
        "right: not needed under asyncio",
        "left, right: asyncio False",
    ],
}


def told(file: object, model: str) -> list[str]:
    (found,) = interleave.locks(str(file), model=model).models
    assert not found.limit
    lines = []
    for lock in found.locks:
        lines.append(f"{', '.join(lock.names)}: {_of_lock(lock)}")
        if len(lock.regions) > 1 and not lock.not_removable:
            lines += [f"  {each.line}: {_of_region(each)}" for each in lock.regions]
    if found.together:
        needs = ", ".join(f"{need.runtime} {need.needed}" for need in found.together)
        lines.append(f"{', '.join(found.spare)}: {needs}")
    return lines


@pytest.mark.slow
@pytest.mark.parametrize(("file", "model"), PINNED)
def test_the_locks_of_models(file: str, model: str) -> None:
    assert told(MODELS / file, model) == PINNED[file, model]


HEAD = "import asyncio, threading\nfrom interleave import *\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        Path("m.py").write_text(HEAD + textwrap.dedent(text))
        return "m.py"

    return write


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(main, ["locks", *arguments])
    assert "Traceback" not in found.stderr
    return found


ADDS = """
class M(Model):
    n = 0
    lock = threading.{made}
    @thread(2)
    def add(self):
        {body}
"""
HELD = {
    "with self.lock: # it: holds\n            self.n += 1": f"{FREE}, where line 10 is one step",
    "self.lock.acquire()\n        try:\n            self.n += 1\n        finally:\n"
    "            self.lock.release()": f"{FREE}, where lines 11-13 are one step",
    "with (\n            self.lock,\n            section('it'),\n        ):\n"
    "            self.n += 1": FREE,
    "with self.lock as got:\n            self.n += got": "not removable: what `with` gives is used",
    "if self.lock.acquire(timeout=1):\n            self.n += 1\n"
    "            self.lock.release()": "not removable: line 9 of m.py goes on by whether it is held",
    "self.lock.acquire()\n        self.n += 1\n        self.back()\n"
    "    def back(self):\n        self.lock.release()": "not removable: it is taken at line 9 of "
    "m.py, and given back elsewhere",
}  # fmt: skip


@pytest.mark.parametrize("body", HELD)
def test_how_a_lock_is_held(write: Callable[[str], str], body: str) -> None:
    (line,) = told(write(ADDS.format(made="Lock()", body=body)), "M")
    assert line == f"lock: {HELD[body]}"


SCRIPT = """
import threading

n = 0
lock = threading.Lock()

def add():
    global n
    with lock:
        n += 1

threads = [threading.Thread(target=add) for _ in range(2)]
for each in threads: each.start()
for each in threads: each.join()
print(n)
"""
TEST = f"""
from interleave import explore

@explore
def test_it():
    {SCRIPT.strip().replace(chr(10), chr(10) + "    ").replace("global", "nonlocal")}
"""


@pytest.mark.parametrize(("name", "text"), [("script.py", SCRIPT), ("test_it.py", TEST)])
def test_scripts_and_tests(write: Callable[[str], str], name: str, text: str) -> None:
    write("")
    Path(name).write_text(text)
    (model,) = interleave.locks(name).models
    assert [_of_lock(each).partition(",")[0] for each in model.locks] == [FREE]


@pytest.mark.slow
def test_a_lock_is_not_given_back_within_an_update(write: Callable[[str], str]) -> None:
    """Nothing waits between the release and the write, but somebody may add that."""
    body = """
    class M(Model):
        n = 0
        lock = asyncio.Lock()
        @task(2)
        async def add(self):
            async with self.lock:
                n = self.n
                await asyncio.sleep(0)
                self.n = n + 1
                await asyncio.sleep(0)
    """
    assert "lines 9-13, M.add: lines 10-12 are enough" in run(write(body)).stdout


def test_what_keeps_a_lock_from_being_judged_is_said(
    write: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = "class C:\n    n = 0\n    lock = threading.Lock()\n"
    body = "    def inc(self):\n        with self.lock:\n            self.n += 1\n"
    Path("a_lock_for_a_test.py").write_text(HEAD + made + body)
    monkeypatch.syspath_prepend(os.getcwd())
    test = "@explore\ndef test_c():\n    c = C()\n    @thread\n    def one():\n        c.inc()\n"
    more = "    @thread\n    def other():\n        c.n += 1\n"
    said = run(write("from a_lock_for_a_test import C\n" + test)).stdout
    assert "a_lock_for_a_test.py takes it; only locks that m.py takes are looked at" in said
    said = run(write(made + body + test + more)).stdout
    assert "a check finds lost-update on c.n with it as well: run `interleave fix` first" in said


def test_one_lock_would_do_for_two(write: Callable[[str], str]) -> None:
    file = write("""
        class M(Model):
            a = b = 0
            one = threading.Lock()
            other = threading.Lock()
            @thread(2)
            def add(self):
                with self.one:
                    self.a += 1
                with self.other:
                    text = '''
            not a statement'''
                    self.b += 1
                    text += "!"
        """)
    first, second = told(file, "M")
    assert first == f"one: {FREE}, where line 11 is one step"
    assert second == f"other: {FREE}, where lines 13-16 are one step; one would do in its place"
    (model,) = interleave.locks(file).models
    assert [each.regions[0].smaller for each in model.locks] == [None, (15, 15)]
    assert Path(file).read_text().startswith(HEAD)


@pytest.mark.slow
def test_other_outcomes_are_a_need(write: Callable[[str], str]) -> None:
    file = write("""
        class M(Model):
            a = b = 0
            seen = None
            lock = threading.Lock()
            @thread
            def write(self):
                with self.lock:
                    self.a = 1
                    self.b = 1
            @thread
            def read(self):
                with self.lock:
                    self.seen = (self.a, self.b)
        """)
    (lock,) = interleave.locks(file).models[0].locks
    need = lock.needs[0]
    assert need.needed and need.violation is None and need.outcome is not None
    assert dict(need.outcome.state)["seen"] in ((0, 1), (1, 0))
    text = run(file).stdout
    assert "without it, under free-threaded: a new outcome: a = 1, b = 1, seen = (" in text
    document = json.loads(run(file, "--format", "json").stdout)
    assert document["models"][0]["locks"][0]["needed"][0]["needed"] is True
    assert run(file, "--format", "markdown").stdout.count("\n") == 5


def test_nothing_is_said_of_a_search_that_is_cut_short(write: Callable[[str], str]) -> None:
    file = write(ADDS.format(made="Lock()", body="with self.lock: # it\n            self.n += 1"))
    found = run(file, "--max-states", "3")
    assert found.exit_code == 3 and "not told: reached the limit of 3 states" in found.stdout
    assert run(file).exit_code == 0
    # Enough for the model as it is, and too few without the lock.
    (model,) = interleave.locks(file, max_states=16).models
    assert all(isinstance(need, Need) for lock in model.locks for need in lock.needs)


def test_what_a_change_would_not_reach_is_refused(write: Callable[[str], str]) -> None:
    file = write("import helper\n" + ADDS.format(made="Lock()", body="self.n += 1"))
    Path("helper.py").write_text("import m\n")
    with pytest.raises(ModelError, match="is imported as m too"):
        interleave.locks(file)
    Path("script.py").write_text(SCRIPT)
    with pytest.raises(UsageError, match="names a line"):
        interleave.locks("script.py", parameters={"4:0": 2})
    assert run("missing.py").exit_code == 2
