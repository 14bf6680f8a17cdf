"""What is left when a program of Go's has ended: who retries for ever, and nobody after a panic."""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import go_model, kinds, messages

from interleave import check
from interleave.result import ModelResult


def on_both(folder: Path, text: str) -> ModelResult:
    """The result, which is the same by both engines."""
    model = go_model(folder, text)
    first, second = (check(model, engine=engine).models[0] for engine in ("reference", "native"))
    assert first == second
    return first


TRIES = "tries the same for ever and gets nowhere, even if the program went on after main: leaked"

LOOPS = """
class M(Model):
    stop = False
    held = go.Mutex()
    mu = go.Mutex()
    rw = go.RWMutex()
    n = atomic.Int32()
    m = go.Map()
    never = go.Chan()
    box = go.Chan(1)
    turn = 0

    def setup(self):
        self.out = [0, 0]

    @goroutine
    def main(self):
        self.held.Lock()
        self.n.Store(1)
        go.spawn(self.work)
        {main}

    def work(self):
        {before}
        while True:
            {body}

    def other(self):
        while True:
            {other}
"""


def loops(body: str, main: str = "pass", before: str = "pass", other: str = "pass") -> str:
    return LOOPS.format(
        **{
            name: text.replace("\n", "\n" + " " * indent)
            for name, text, indent in (
                ("body", body, 12),
                ("main", main, 8),
                ("before", before, 8),
                ("other", other, 12),
            )
        }
    )


@pytest.mark.parametrize(
    "body",
    [
        "if self.held.TryLock(): return",
        "if self.rw.TryRLock(): self.rw.RUnlock()",
        "if go.select(go.recv(self.never), default=True)[0] == 0: return",
        "if go.select(go.recv(self.never), go.recv(time.After(1)))[0] == 0: return",
        "if self.n.CompareAndSwap(0, 1): return",
        "if self.n.Load() == 0: return",
        "self.n.Store(1)",
        "if self.m.Load('key')[1]: return",
        "if len(self.never): return",
        "with self.mu:\n    if self.stop: return",
        "time.Sleep(1)",
        "go.Gosched()",
    ],
)
def test_who_retries_for_ever_when_main_has_returned_is_leaked(tmp_path: Path, body: str) -> None:
    written = "self.stop = False" if "stop" in body else "pass"
    result = on_both(tmp_path, loops(body, before=written))
    assert messages(result) == [f"work-1 {TRIES}"]
    assert result.violations[0].leaked
    assert result.violations[0].threads == ("work-1",)


def test_a_ticker_that_ticks_is_nothing_new(tmp_path: Path) -> None:
    ticks = loops("ticker.C.recv()", before="ticker = time.NewTicker(1)")
    assert kinds(on_both(tmp_path, ticks)) == ["stuck"]


@pytest.mark.parametrize(("index", "leaked"), [(0, []), (1, [f"work-1 {TRIES}"])])
def test_who_reads_another_element_than_others_change_gets_nowhere(
    tmp_path: Path, index: int, leaked: list[str]
) -> None:
    text = loops(
        f"if self.out[{index}] == 2: return",
        main="go.spawn(self.other)",
        other="self.out[0] = 1 - self.out[0]",
    )
    found = messages(on_both(tmp_path, text))
    assert [each for each in found if "leaked" in each] == leaked


@pytest.mark.parametrize(
    ("main", "before", "body", "other"),
    [
        # It changes something each time: a variable, an element, an atomic, what is in a channel.
        ("pass", "pass", "self.turn = 1 - self.turn", "pass"),
        ("pass", "pass", "self.out[0] = 1 - self.out[0]", "pass"),
        ("pass", "pass", "self.n.Store(1 - self.n.Load())", "pass"),
        ("pass", "pass", "self.box.send(1)\nself.box.recv()", "pass"),
        # Somebody changes what it looks at.
        ("go.spawn(self.other)", "pass", "self.n.Load()", "self.n.Store(1 - self.n.Load())"),
        ("go.spawn(self.other)", "pass", "self.never.recv()", "self.never.send(1)"),
        # Somebody lets it go on after all, or it can end by itself.
        ("self.held.Unlock()", "pass", "if self.held.TryLock(): return", "pass"),
        ("pass", "t = time.After(1)", "if go.select(go.recv(t), default=True)[0] == 0: return", ""),
        ("pass", "pass", "if choose([True, False]): return", "pass"),
    ],
)
def test_who_gets_somewhere_is_not(
    tmp_path: Path, main: str, before: str, body: str, other: str
) -> None:
    result = on_both(tmp_path, loops(body, main, before, other or "pass"))
    assert kinds(result) == []


def test_a_daemon_may_retry_for_ever(tmp_path: Path) -> None:
    text = """
class M(Model):
    @goroutine
    def main(self):
        pass

    @goroutine(daemon=True)
    def poll(self):
        while True:
            time.Sleep(1)
"""
    assert kinds(on_both(tmp_path, text)) == []


def test_interleavings_that_leave_somebody_retrying_are_counted(tmp_path: Path) -> None:
    text = """
class M(Model):
    held = go.Mutex()

    @goroutine
    def main(self):
        self.held.Lock()
        if self.held.TryLock():
            pass
        if choose([True, False]):
            go.spawn(self.work)

    def work(self):
        while not self.held.TryLock():
            go.Gosched()
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == ["stuck"]
    assert result.interleavings is not None
    assert result.interleavings.total is None


WAITERS = """
class M(Model):
    ch = go.Chan()
    mu = go.Mutex()

    @goroutine
    def main(self):
        go.spawn(self.waits)
        go.spawn(self.bad)
        {main}

    def waits(self):
        {waits}

    def bad(self):
        {bad}
"""


@pytest.mark.parametrize("main", ["self.ch.recv()", "pass", "go.select()"])
@pytest.mark.parametrize("waits", ["self.ch.recv()", "with self.mu: self.ch.recv()"])
@pytest.mark.parametrize(
    "bad",
    [
        "go.panic('bad')",
        "go.Mutex().Unlock()",
        "go.WaitGroup().Done()",
        "{}['key']",
        "time.Sleep(1); go.panic('bad')",
        "raise go.Panic('bad')",
    ],
)
def test_nobody_is_stuck_after_a_panic(tmp_path: Path, main: str, waits: str, bad: str) -> None:
    result = on_both(tmp_path, WAITERS.format(main=main, waits=waits, bad=bad))
    # main can return before bad has run, and nobody ever receives or sends: but bad goes on then.
    assert {*kinds(result)} == {"exception"}
