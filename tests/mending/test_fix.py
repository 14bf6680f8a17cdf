"""`interleave fix`: the smallest change that removes what is found."""

from __future__ import annotations

import importlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import interleave
from interleave import UsageError
from interleave.asked import asked
from interleave.cli import main
from interleave.mending.cost import orders
from interleave.mending.results import Fix
from interleave.mending.trying import Bench
from interleave.options import FixOptions

MODELS = Path(__file__).parents[2] / "models"
REPORTED = Path(__file__).parent / "reported_bugs.py"

MENDED = {
    "ObjectCount": "hold a new lock, `self.lock` around line 19",
    "RedisPool": "hold a new lock, `self.lock` around lines 42-43",
    "Singleton": "hold a new lock, `self.lock` around lines 67-68",
    "LogRotation": "`threading.RLock` in place of `threading.Lock` at line 83",
    "FastaFile": "`with self.lock:` in place of `acquire` and `release` at line 113",
    "WaitedFor": "a channel that holds 1 at line 131",
    "ClientPool": "`notify_all` in place of `notify` at line 157",
    "Requests": "one atomic operation at line 175: `self.count.Add(1)`",
    "Mixer": "`self.mixer` before `self.model` at line 195",
    "UserConfig": "hold `self.lock` around lines 212-215",
    "ThreadPool": "hold `self.mu` around line 246",
    "Workers": "`while` in place of `if` at line 261: look again after waiting",
}
"""What is done to the models of bugs that were reported."""

FIXES = {
    ("counter/with_lock.py", "LockAroundTheReadOnly"): "hold `self.lock` around lines 46-49",
    (
        "counter/with_rlock.py",
        "HelperWithLock",
    ): "`threading.RLock` in place of `threading.Lock` at line 37",
    ("counter/plus_equals.py", "CountsByPage"): "hold a new lock, `self.lock` around line 92",
    (
        "check_then_act/oversold_stock.py",
        "LockAroundTheActOnly",
    ): "hold `self.lock` around lines 44-46",
    (
        "deadlock/bank_transfer.py",
        "LockInOrderOfTransfer",
    ): "hold a new lock, `self.lock2` around lines 34-37",
    ("deadlock/heartbeat.py", "OppositeOrders"): "`self.log` before `self.book` at line 27",
    (
        "deadlock/lock_not_released.py",
        "AcquireAndRelease",
    ): "`with self.lock:` in place of `acquire` and `release` at line 47",
    ("asyncio/account.py", "AwaitInTheMiddle"): "await before line 28 reads",
    ("asyncio/counter.py", "SleepInBetween"): "`await asyncio.sleep(0)` before line 25",
    (
        "asyncio/pool.py",
        "GivenBackAtTheEnd",
    ): "`await self.pool.put(connection)` in any case, by `finally`",
    ("go/ab_ba.py", "MainWaits"): "`self.b` before `self.a` at line 35",
    ("go/context_leak.py", "NotOnEveryWay"): "`go.defer(cancel)` before line 26",
    ("go/counters.py", "Racy"): "hold a new lock, `self.mu` around line 25",
    ("go/counters.py", "WithLoadAndStore"): "one atomic operation at line 103: `self.n.Add(1)`",
    ("go/select_default.py", "WaitsFirst"): "`self.stop.close()` before line 42",
    ("go/timeout_leak.py", "Unbuffered"): "a channel that holds 1 at line 37",
    ("go/wait_in_loop.py", "InsideTheLoop"): "`self.group.Wait()` after line 28",
    (
        "multiprocessing/value.py",
        "ValueWithoutItsLock",
    ): "hold `self.counter.get_lock()` around line 29",
    (
        "multiprocessing/value.py",
        "LockOfThreading",
    ): "`multiprocessing.Lock` in place of `threading.Lock` at line 81",
    (
        "threading/bounded_buffer.py",
        "IfInPlaceOfWhile",
    ): "`while` in place of `if` at line 66: look again after waiting",
    (
        "threading/bounded_buffer.py",
        "NotifyInPlaceOfNotifyAll",
    ): "`notify_all` in place of `notify` at line 94",
    ("threading/start_and_join.py", "JoinWithoutLock"): "hold `self.lock` around line 54",
    ("trading/position_and_fill.py", "ReadsHalfAFill"): "hold `self.lock` around line 96",
}
NONE = [
    ("go/once_reentry.py", "CallsItself"),
    ("asyncio/polling.py", "PollsForEver"),
    ("multiprocessing/global_counter.py", "EachHasItsOwnCounter"),
]


def fixed(file: object, model: str | None = None, **options: object) -> Fix:
    target = file if isinstance(file, type) else str(file)
    found = interleave.fix(target, model=model, **options)
    (one,) = found.models
    return one


@pytest.mark.slow
@pytest.mark.parametrize("model", MENDED)
def test_bugs_that_were_reported_are_mended_as_their_reports_say(model: str) -> None:
    found = fixed(REPORTED, model)
    assert found.is_found and found.words == MENDED[model]
    assert not (found.lost or found.new or found.untold)
    assert {each.verdict for each in found.after} == {"verified"}


@pytest.mark.slow
@pytest.mark.parametrize(("file", "model"), FIXES)
def test_models_are_mended(file: str, model: str) -> None:
    found = fixed(MODELS / file, model)
    assert found.is_found and found.words == FIXES[file, model]
    assert {each.verdict for each in found.after} == {"verified"}
    assert not found.lost


@pytest.mark.slow
@pytest.mark.parametrize(("file", "model"), NONE)
def test_none_is_found_for_what_takes_another_program(file: str, model: str) -> None:
    found = run(str(MODELS / file), "-m", model)
    said = " ".join(found.stdout.split())
    assert found.exit_code == 1 and "no change was found" in said
    assert "none is verified" in found.stdout and "@@" not in found.stdout


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "m.py") -> str:
        Path(name).write_bytes(text.encode())
        return name

    return write


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(main, ["fix", *arguments])
    assert "Traceback" not in found.stderr
    return found


ADDS = """# -*- coding: utf-8 -*-
from interleave import Model, thread

class M(Model):
    n = 0  # é

    @thread(2)
    def add(self):
        '''Adds
    one.'''
        x = '''not
    a statement'''
        self.n += len(x) - len(x) + 1  # the one
"""
MENDED_ADDS = """# -*- coding: utf-8 -*-
import threading

from interleave import Model, thread

class M(Model):
    n = 0  # é
    lock = threading.Lock()

    @thread(2)
    def add(self):
        '''Adds
    one.'''
        x = '''not
    a statement'''
        with self.lock:
            self.n += len(x) - len(x) + 1  # the one
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ADDS, MENDED_ADDS),
        (ADDS.replace("\n", "\r\n"), MENDED_ADDS.replace("\n", "\r\n")),
        ("\ufeff" + ADDS, "\ufeff" + MENDED_ADDS),
        (ADDS.replace("    ", "\t"), MENDED_ADDS.replace("    ", "\t")),
    ],
    ids=["plain", "crlf", "bom", "tabs"],
)
def test_a_file_keeps_all_that_is_not_changed(
    write: Callable[..., str], before: str, after: str
) -> None:
    file = Path(write(before))
    os.chmod(file, 0o640)
    found = run(str(file))
    assert found.exit_code == 0 and file.read_bytes() == before.encode()
    found = run(str(file), "--apply")
    assert found.exit_code == 0 and "m.py is written" in found.stdout
    assert file.read_bytes() == after.encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir() == ["m.py"]
    assert interleave.check(file).passed
    assert run(str(file)).stdout == "nothing to fix in 1 model\n"


def test_a_file_that_has_changed_meanwhile_is_not_written(write: Callable[..., str]) -> None:
    file = write(ADDS)

    def change(*_: object) -> None:
        Path(file).write_text(ADDS + "# more\n")

    with pytest.raises(UsageError, match="has changed meanwhile"):
        interleave.fix(file, apply=True, on_progress=change)
    assert Path(file).read_text() == ADDS + "# more\n"
    mixed = write(ADDS.replace("\n", "\r\n", 3), "mixed.py")
    assert "ends of lines of several kinds" in run(mixed, "--apply").stderr
    assert os.listdir() == ["m.py", "mixed.py"] or set(os.listdir()) == {"m.py", "mixed.py"}


def test_a_class_at_hand_stands_for_its_file(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(ADDS, "a_model_at_hand.py")
    monkeypatch.syspath_prepend(os.getcwd())
    module = importlib.import_module("a_model_at_hand")
    assert fixed(module.M).is_found


def test_what_a_diff_says_is_what_is_written(write: Callable[..., str]) -> None:
    file = write(ADDS.rstrip("\n"))
    text = run(file, "--format", "diff").stdout
    assert text.startswith("--- m.py\n+++ m.py\n@@")
    assert "\\ No newline at end of file" in text
    document = json.loads(run(file, "--format", "json").stdout)
    (model,) = document["models"]
    assert document["diffs"]["m.py"] == model["diff"] == text.rstrip("\n")
    assert model["verdicts"] == {"free-threaded": "verified", "gil": "verified"}
    assert model["orders"][0] == {"runtime": "free-threaded", "before": 6, "after": 2}


TWO = """import threading
from interleave import Model, thread, invariant

class Base(Model):
    n = 0
    lock = threading.Lock()

    def add(self):
        self.n += 1

class Wrong(Base):
    @thread(2)
    def work(self):
        self.add()

class Right(Base):
    @thread(2)
    def work(self):
        with self.lock:
            self.add()
"""


def test_a_change_leaves_the_other_models_of_a_file_as_they_are(
    write: Callable[..., str],
) -> None:
    """A lock in `add` would have `Right` wait for itself."""
    found = interleave.fix(write(TWO))
    wrong, right = found.models
    assert wrong.is_found and not right.violations
    Path("m.py").write_text(found.texts["m.py"])
    assert interleave.check("m.py").passed


PARTS = """import threading
from interleave import Model, thread

class M(Model):
    n = 0
    lock = threading.Lock()

    @thread(2)
    def add(self):
        self.n += 1

    @thread
    def risky(self):
        try:
            self.fail()
        except ValueError:
            with self.lock:
                pass

    def fail(self):
        self.lock.acquire()
        self.raise_it()
        self.lock.release()

    def raise_it(self):
        raise ValueError
"""


@pytest.mark.slow
def test_an_rlock_is_no_way_to_leave_a_lock_held(write: Callable[..., str]) -> None:
    found = fixed(write(PARTS.replace("        self.n += 1", "        pass")), "M")
    assert found.words.startswith("`with self.lock:` in place of `acquire`")


@pytest.mark.slow
def test_several_violations_take_several_changes(write: Callable[..., str]) -> None:
    found = fixed(write(PARTS), "M")
    assert [each.kind for each in found.violations] == ["lost-update", "deadlock"]
    first, second = found.words.split("; then ")
    assert first.startswith("`with self.lock:` in place of") and second.startswith(
        "hold `self.lock`"
    )
    assert found.is_found and {each.verdict for each in found.after} == {"verified"}


@pytest.mark.slow
def test_what_cannot_be_removed_is_said(write: Callable[..., str]) -> None:
    never = "        threading.Event().wait()\n"
    text = PARTS[: PARTS.index("        try:")] + never
    found = run(write(text), "--candidates", "20", "--apply")
    assert found.exit_code == 1
    assert "no change was found that removes all" in found.stdout
    assert "still there: deadlock" in found.stdout
    assert Path("m.py").read_text() == text


def test_a_bound_is_no_pass(write: Callable[..., str]) -> None:
    file = write(ADDS)
    found = run(file, "--candidates", "1", "--max-states", "14")
    assert found.exit_code == 1 and "none is verified" in found.stdout
    assert run(file, "--max-states", "2").exit_code == 3
    assert run("missing.py").exit_code == 2


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_both_engines_find_the_same(write: Callable[..., str], engine: str) -> None:
    file = write(ADDS)
    assert fixed(file, "M", engine=engine).diff == fixed(file, "M").diff


SCRIPT = """import threading

n = 0

def add():
    global n
    n += 1

threads = [threading.Thread(target=add) for _ in range(2)]
for each in threads: each.start()
for each in threads: each.join()
assert n == 2
"""
TEST = """import threading
from interleave import explore, thread

@explore
def test_it():
    n = 0

    @thread(2)
    def add():
        nonlocal n
        n += 1
"""


@pytest.mark.parametrize(("name", "text"), [("script.py", SCRIPT), ("test_it.py", TEST)])
def test_scripts_and_tests(write: Callable[..., str], name: str, text: str) -> None:
    found = fixed(write(text, name))
    assert found.words.startswith("hold a new lock, `lock` around line ")
    assert found.diff.count("\n+") == 5


HEAD = "import threading\nfrom interleave import explore, thread\n\n"
CODE = "class C:\n    n = 0\n    {}\n\n"
CALLS = "@explore\ndef test_c():\n    c = C()\n\n    @thread(2)\n    def work():\n        c.inc()\n"
ADDS_ONE = "def inc(self):\n        self.n += 1"
IN_CLASS = "class C:\n    n = 0\n    lock = threading.Lock()\n"
PLACES = {
    "    def __init__(self):\n        'Made.'\n        self.n = 0\n\n    " + ADDS_ONE: (
        "self.lock", "        'Made.'\n        self.lock = threading.Lock()\n"
    ),
    f"def __init__(self): self.n = 0\n\n    {ADDS_ONE}": ("self.lock", IN_CLASS),
    "def __init__(self):\n        self.n = 0\n\n    " + ADDS_ONE
    + "\n\nclass D(C):\n    def __init__(self):\n        self.n = 1": ("self.lock", IN_CLASS),
    "@classmethod\n    def inc(cls):\n        cls.n += 1": ("C.lock", IN_CLASS),
    "@staticmethod\n    def inc():\n        C.n += 1": ("C.lock", IN_CLASS),
    "def __init__(self):\n        self.m = 0\n\n    def inc(self):\n        C.n += 1": (
        "C.lock", IN_CLASS
    ),
}  # fmt: skip
"""The bodies of classes, with how a new lock is named and where it is made."""


@pytest.mark.parametrize("body", PLACES, ids=map(str, range(len(PLACES))))
def test_a_lock_belongs_to_the_code_that_a_test_calls(write: Callable[..., str], body: str) -> None:
    name, made = PLACES[body]
    found = interleave.fix(write(HEAD + CODE.format(body.strip()) + CALLS))
    (one,) = found.models
    assert one.words.startswith(f"hold a new lock, `{name}` around line ")
    assert made in found.texts["m.py"]
    assert found.texts["m.py"].endswith(CALLS)


def test_no_test_is_guarded_for_the_code_that_it_calls(write: Callable[..., str]) -> None:
    """Each call is right, and the test that makes two of them may ask too much."""
    code = "def get(self):\n        return self.n\n\n    def put(self, n):\n        self.n = n"
    calls = CALLS.replace("c.inc()", "n = c.get()\n        c.put(n + 1)")
    found = run(write(HEAD + CODE.format(code) + calls), "--runtime", "free-threaded")
    assert "no change was found" in found.stdout


def test_a_lock_of_a_module_comes_after_what_makes_it(write: Callable[..., str]) -> None:
    head = '"""Docs."""\n__version__ = "1"\n\nimport sys\nsys.path.insert(0, ".")\n'
    found = interleave.fix(write(head + SCRIPT))
    assert "import threading\n\nlock = threading.Lock()\n\nn = 0" in found.texts["m.py"]


KINDS_OF_LOCKS = {
    """import asyncio
n = 0
async def add():
    global n
    old = n
    await more()
    n = old + 1
async def more():
    await asyncio.sleep(0)
async def main():
    await asyncio.gather(add(), add())
    assert n == 2
asyncio.run(main())
""": ("asyncio.Lock()", "lines 5-7"),
    """import multiprocessing as mp
def add(n):
    n.value = n.value + 1
if __name__ == "__main__":
    n = mp.RawValue("i", 0)
    both = [mp.Process(target=add, args=(n,)) for _ in range(2)]
    for each in both: each.start()
    for each in both: each.join()
    assert n.value == 2
""": ("mp.Lock()", "line 3"),
}


@pytest.mark.slow
@pytest.mark.parametrize("script", KINDS_OF_LOCKS, ids=["tasks", "processes"])
def test_a_lock_is_of_the_kind_of_the_threads(write: Callable[..., str], script: str) -> None:
    made, where = KINDS_OF_LOCKS[script]
    found = interleave.fix(write(script))
    assert f"lock = {made}" in found.texts["m.py"]
    assert found.models[0].words == f"hold a new lock, `lock` around {where}"


OBJECT = """import asyncio
from interleave import explore

class C:
    def __init__(self):
        self.n = 0

    async def inc(self):
        n = self.n
        await self.io()
        self.n = n + 1

    async def io(self):
        await asyncio.sleep(1)

@explore
async def test_it():
    c = C()
    await asyncio.gather(c.inc(), c.inc())
    assert c.n == 2
"""


def test_a_lock_is_held_from_the_read_to_the_write(write: Callable[..., str]) -> None:
    assert fixed(write(OBJECT)).words == "hold a new lock, `self.lock` around lines 9-11"


WAITS = """from interleave import Model, go, goroutine

class M(Model):
    @goroutine
    def main(self):
        wg = go.WaitGroup()
        out = go.atomic.Int32()

        def work():
            wg.Add(1)
            go.defer(wg.Done)
            out.Add(1)

        go.spawn(work)
        wg.Wait()
        assert out.Load() == 1
"""


@pytest.mark.slow
def test_no_lock_is_held_while_others_are_waited_for(write: Callable[..., str]) -> None:
    assert not fixed(write(WAITS)).diff


def test_what_a_change_has_mended_besides_is_named(write: Callable[..., str]) -> None:
    found = run(write(HEAD + CODE.format(ADDS_ONE) + CALLS + "\n" + CALLS.replace("_c", "_d")))
    assert "test_d (m.py): mended by a change above\n  lost-update on c.n" in found.stdout


def test_what_is_at_fault_elsewhere_is_named(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(CODE.format(ADDS_ONE), "a_class_for_a_test.py")
    monkeypatch.syspath_prepend(os.getcwd())
    found = run(write(HEAD + "from a_class_for_a_test import C\n" + CALLS))
    assert "the write is at a_class_for_a_test.py:4, and only m.py may be changed" in found.stdout


LIBRARY = """class Counter:
    def __init__(self):
        self.value = 0

    def increment(self):
        self.value += 1
"""


def test_for_a_library_the_call_is_guarded(
    write: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path("site-packages")
    folder.mkdir()
    (folder / "counting_for_a_test.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(folder.resolve()))
    head = "import threading\nfrom counting_for_a_test import Counter\n"
    found = fixed(write(head + ADDS.replace("n = 0", "n = Counter()").replace(
        "self.n += len(x) - len(x) + 1", "self.n.increment()")))  # fmt: skip
    assert found.words == "hold a new lock, `self.lock` around line 15"


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("counter/without_lock.py", "CounterWithoutLock"),
        ("counter/with_lock.py", "LockAroundTheReadOnly"),
        ("counter/with_rlock.py", "HelperWithRLock"),
        ("trading/position_and_fill.py", "AppliesTheDifference"),
    ],
)
def test_orders_are_those_of_all_interleavings(file: str, model: str) -> None:
    path = str(MODELS / file)
    graph = interleave.explore(path, model=model)
    bench = Bench(path, asked(FixOptions, {}, "fix"))
    with bench.models(bench.original.text) as models:
        trial = bench.trial_of(models[model], "free-threaded")
        assert trial.searched is not None
        counted = orders(trial.searched)
    seen: set[tuple[object, ...]] = set()
    waiting: list[tuple[int, tuple[object, ...]]] = [(0, ())]
    while waiting:
        number, told = waiting.pop()
        ways = [*graph.transitions_from(number)]
        if not ways:
            seen.add(told)
        for way in ways:
            more = [(way.thread, each) for each in way.accesses if each.location != "lock"]
            waiting.append((way.target, (*told, *more)))
    assert counted == len(seen)


ACTS = {
    "if 'a' in self.d: del self.d['a']": "self.d.pop('a', None)",
    "if 'a' in self.s: self.s.remove('a')": "self.s.discard('a')",
}


@pytest.mark.parametrize("act", ACTS)
def test_one_call_in_place_of_a_check_and_an_act(write: Callable[..., str], act: str) -> None:
    head = "from interleave import Model, thread\nclass M(Model):\n    d = {'a': 1}\n"
    head += "    s = {'a'}\n    @thread(2)\n    def act(self):\n"
    condition, _, body = act.partition(": ")
    found = fixed(write(f"{head}        {condition}:\n            {body}\n"), "M")
    assert found.words == f"one call in place of a check and an act at line 7: `{ACTS[act]}`"
