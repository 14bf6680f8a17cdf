"""`sync`, `sync/atomic`, `context`, `time` and `errgroup` in models, after their documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import Playing, checked, go_model, kinds, messages, outcomes

from interleave import check
from interleave.errors import ModelError
from interleave.result import ModelResult


def on_both(folder: Path, text: str) -> ModelResult:
    """The result, which is the same by both engines."""
    model = go_model(folder, text)
    first, second = (check(model, engine=engine).models[0] for engine in ("reference", "native"))
    assert first == second
    return first


def body_of_main(folder: Path, attributes: str, *statements: str) -> ModelResult:
    lines = "\n        ".join(statements)
    return on_both(
        folder,
        f"class M(Model):\n    {attributes}\n    @goroutine\n    def main(self):\n        {lines}\n",
    )


# Mutexes


def test_a_mutex_is_unlocked_by_anybody_and_taken_by_who_comes_first(tmp_path: Path) -> None:
    text = """
class M(Model):
    mu = go.Mutex()
    order = ()

    @goroutine
    def a(self):
        self.mu.Lock()

    @goroutine
    def b(self):
        self.mu.Lock()

    @goroutine
    def c(self):
        self.mu.Unlock()
"""
    playing = Playing(tmp_path, text)
    assert playing.run("a") == "ends"
    assert playing.run("b") == "sync.Mutex.Lock"
    assert playing.run("c") == "ends"
    assert playing.run("b") == "ends"


def test_TryLock(tmp_path: Path) -> None:
    result = body_of_main(
        tmp_path,
        "mu = go.Mutex(); rw = go.RWMutex()",
        "assert self.mu.TryLock()",
        "assert not self.mu.TryLock()",
        "assert self.rw.TryRLock()",
        "assert self.rw.TryRLock()",
        "assert not self.rw.TryLock()",
        "self.rw.RUnlock()",
        "self.rw.RUnlock()",
        "assert self.rw.TryLock()",
        "assert not self.rw.TryRLock()",
    )
    assert messages(result) == []


RW = """
class M(Model):
    rw = go.RWMutex()
    order = ()

    @goroutine
    def r1(self):
        self.rw.RLock()

    @goroutine
    def r2(self):
        self.rw.RLock()

    @goroutine
    def w1(self):
        self.rw.Lock()

    @goroutine
    def w2(self):
        self.rw.Lock()

    @goroutine(2)
    def release_read(self):
        self.rw.RUnlock()

    @goroutine
    def release_write(self):
        self.rw.Unlock()

    @goroutine
    def tries(self):
        self.order = (self.rw.TryRLock(), self.rw.TryLock())
"""


def test_a_writer_that_waits_keeps_new_readers_out(tmp_path: Path) -> None:
    playing = Playing(tmp_path, RW)
    assert playing.run("r1") == "ends"
    assert playing.run("w1") == "sync.RWMutex.Lock"
    assert playing.run("r2") == "sync.RWMutex.RLock"
    assert repr(playing["rw"]) == "1 reading, a writer waits, 1 to read"
    assert playing.run("release_read[0]") == "ends"
    assert playing.run("r2") == "sync.RWMutex.RLock"
    assert playing.run("w1") == "ends"


def test_unlock_admits_waiting_readers_before_the_next_writer(tmp_path: Path) -> None:
    playing = Playing(tmp_path, RW)
    assert playing.run("w1") == "ends"
    assert playing.run("r1") == "sync.RWMutex.RLock"
    assert playing.run("w2") == "sync.Mutex.Lock"  # writers keep each other out
    assert playing.run("release_write") == "ends"
    # r1 reads, though it has not run; w2 announces itself, and waits for it.
    assert playing.run("w2") == "sync.RWMutex.Lock"
    assert playing.run("r1") == "ends"
    assert playing.run("release_read[0]") == "ends"
    assert playing.run("w2") == "ends"


def test_trying_fails_as_soon_as_a_writer_has_announced_itself(tmp_path: Path) -> None:
    playing = Playing(tmp_path, RW)
    playing.run("r1")
    playing.run("w1")
    playing.run("tries")
    assert playing["order"] == (False, False)


def test_RLocker(tmp_path: Path) -> None:
    result = body_of_main(
        tmp_path,
        "rw = go.RWMutex()",
        "l = self.rw.RLocker()",
        "l.Lock()",
        "l.Lock()",
        "assert not self.rw.TryLock()",
        "l.Unlock()",
        "l.Unlock()",
        "assert self.rw.TryLock()",
    )
    assert messages(result) == []


# WaitGroup


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ("self.wg.Done()", "sync: negative WaitGroup counter"),
        ("self.wg.Add(1); self.wg.Add(-2)", "sync: negative WaitGroup counter"),
    ],
)
def test_a_counter_below_zero_panics(tmp_path: Path, statements: str, message: str) -> None:
    result = body_of_main(tmp_path, "wg = go.WaitGroup()", statements)
    assert messages(result) == [f"main ends the program: panic: {message}"]


WG = """
class M(Model):
    wg = go.WaitGroup()

    @goroutine
    def start(self):
        self.wg.Add(1)

    @goroutine
    def waits(self):
        self.wg.Wait()

    @goroutine
    def done(self):
        self.wg.Done()

    @goroutine
    def again(self):
        self.wg.Add(1)
"""


def test_a_group_that_is_used_again_before_all_have_gone_on_panics(tmp_path: Path) -> None:
    playing = Playing(tmp_path, WG)
    playing.run("start")
    assert playing.run("waits") == "sync.WaitGroup.Wait"
    playing.run("done")
    playing.run("again")
    assert playing.run("waits") == (
        "panic: sync: WaitGroup is reused before previous Wait has returned"
    )


def test_a_group_can_be_raised_while_it_is_waited_for_but_not_from_zero(tmp_path: Path) -> None:
    playing = Playing(tmp_path, WG)
    playing.run("start")
    playing.run("waits")
    assert playing.run("again") == "ends"
    assert repr(playing["wg"]) == "2 (1 waiting)"


# Once, Cond, Map


APART = """
class M(Model):
    wg = go.WaitGroup()

    @goroutine
    def main(self):
        wg = self.wg
        {main}

    def work(self):
        self.wg.Add(1)
        self.wg.Done()

    def waits(self):
        self.wg.Wait()

    def done(self):
        self.wg.Done()
"""


@pytest.mark.parametrize(
    ("main", "race"),
    [
        ("go.spawn(self.work); wg.Wait()", True),
        ("go.spawn(self.waits); self.work()", True),
        ("go.spawn(self.waits); wg.Go(lambda: None); time.Sleep(1)", True),
        # Only an Add from 0 is meant: here main has counted already.
        ("wg.Add(1); go.spawn(self.work); wg.Done(); wg.Wait()", True),
        ("wg.Add(1); go.spawn(self.done); wg.Wait()", False),
        ("wg.Add(2); go.spawn(self.done); go.spawn(self.done); wg.Wait()", False),
        ("wg.Add(1); go.spawn(self.waits); wg.Add(1); wg.Done(); wg.Done()", False),
        # Neither two that wait nor two that add are to be kept apart.
        ("go.spawn(self.waits); wg.Wait()", False),
        ("wg.Add(1); go.spawn(self.waits); go.spawn(self.done); wg.Wait()", False),
        ("go.spawn(self.work); self.work()", False),
        # One round after the other.
        ("for _ in range(2): wg.Add(1); go.spawn(self.done); wg.Wait()", False),
        ("wg.Add(1); go.spawn(self.waits); wg.Done(); wg.Add(1); wg.Done()", True),
        ("for _ in range(2): wg.Go(lambda: None)", False),
    ],
)
def test_an_Add_from_zero_must_be_kept_apart_from_Wait(
    tmp_path: Path, main: str, race: bool
) -> None:
    result = on_both(tmp_path, APART.format(main=main))
    races = [each for each in result.violations if each.kind == "data-race"]
    assert len(races) == race
    for each in races:
        assert [side.access.kind for side in each.race] == [
            "sync.WaitGroup.Wait",
            "sync.WaitGroup.Add",
        ]
        assert "must happen before Wait" in each.hint


def test_a_panic_in_once_leaves_it_done(tmp_path: Path) -> None:
    text = """
class M(Model):
    once = go.Once()
    calls = 0

    def f(self):
        self.calls += 1
        go.panic("f")

    @goroutine
    def main(self):
        try:
            self.once.Do(self.f)
        except go.Panic as p:
            assert p.value == "f"
        self.once.Do(self.f)
        assert self.calls == 1
"""
    assert messages(on_both(tmp_path, text)) == []


def test_others_wait_until_once_is_done(tmp_path: Path) -> None:
    text = """
class M(Model):
    once = go.Once()
    ready = False

    def f(self):
        go.Gosched()
        self.ready = True

    @goroutine(2)
    def user(self):
        self.once.Do(self.f)
        assert self.ready
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    source = checked(tmp_path, text.replace("assert self.ready", "assert not self.ready"))
    assert source.violations[0].trace.steps[0].source.text == "self.once.Do(self.f)"


COND = """
class M(Model):
    cond = go.NewCond(go.Mutex())
    order = ()

    @goroutine(3)
    def waits(self, i):
        self.cond.L.Lock()
        self.cond.Wait()
        self.cond.L.Unlock()

    @goroutine
    def signals(self):
        self.cond.Signal()

    @goroutine
    def broadcasts(self):
        self.cond.Broadcast()
"""


def test_signal_wakes_who_has_waited_longest_and_broadcast_all(tmp_path: Path) -> None:
    playing = Playing(tmp_path, COND)
    for name in ("waits[1]", "waits[0]", "waits[2]"):
        assert playing.run(name) == "sync.Cond.Wait"
    playing.run("signals")
    assert playing.run("waits[0]") == "sync.Cond.Wait"
    assert playing.run("waits[1]") == "ends"
    playing.run("broadcasts")
    assert playing.run("waits[0]") == "ends"
    assert playing.run("waits[2]") == "ends"


def test_waiting_without_the_lock_is_fatal(tmp_path: Path) -> None:
    result = body_of_main(tmp_path, "cond = go.NewCond(go.Mutex())", "self.cond.Wait()")
    assert messages(result) == [
        "main ends the program: fatal error: sync: unlock of unlocked mutex"
    ]


def test_a_Cond_needs_a_lock(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a Cond is made with 3 as its lock"):
        body_of_main(tmp_path, "x = 1", "go.NewCond(3)")


def test_the_lock_of_a_Cond_can_be_set_later(tmp_path: Path) -> None:
    result = body_of_main(
        tmp_path,
        "cond = go.Cond(); mu = go.Mutex()",
        "self.cond.L = self.mu",
        "self.cond.L.Lock()",
        "assert not self.mu.TryLock()",
    )
    assert messages(result) == []


def test_Map(tmp_path: Path) -> None:
    text = """
class M(Model):
    m = go.Map()
    seen = ()

    def see(self, key, value):
        self.seen = (*self.seen, (key, value))
        return key != "b"

    @goroutine
    def main(self):
        m = self.m
        assert m.Load("a") == (None, False)
        m.Store("a", 1)
        assert m.LoadOrStore("a", 2) == (1, True)
        assert m.LoadOrStore("b", 2) == (2, False)
        assert m.Swap("b", 3) == (2, True)
        assert m.Swap("c", 4) == (None, False)
        assert not m.CompareAndSwap("c", 5, 6)
        assert m.CompareAndSwap("c", 4, 5)
        m.Range(self.see)
        assert self.seen == (("a", 1), ("b", 3))
        assert m.LoadAndDelete("a") == (1, True)
        assert m.LoadAndDelete("a") == (None, False)
        assert not m.CompareAndDelete("b", 0)
        assert m.CompareAndDelete("b", 3)
        m.Delete("c")
        m.Store(1, "int")
        m.Store(True, "bool")
        assert m.Load(1) == ("int", True)
        m.Clear()
        assert m.Load(1) == (None, False)
"""
    assert messages(on_both(tmp_path, text)) == []


# Atomics


@pytest.mark.parametrize(
    ("kind", "value", "delta", "after"),
    [
        ("Int32", 2**31 - 1, 1, -(2**31)),
        ("Int32", -(2**31), -1, 2**31 - 1),
        ("Int64", 2**63 - 1, 1, -(2**63)),
        ("Uint32", 0, -1, 2**32 - 1),
        ("Uint64", 2**64 - 1, 2, 1),
    ],
)
def test_integers_wrap(tmp_path: Path, kind: str, value: int, delta: int, after: int) -> None:
    result = body_of_main(
        tmp_path,
        f"n = atomic.{kind}()",
        f"self.n.Store({value})",
        f"assert self.n.Add({delta}) == {after}",
        f"assert self.n.Load() == {after}",
    )
    assert messages(result) == []


def test_what_atomics_give(tmp_path: Path) -> None:
    result = body_of_main(
        tmp_path,
        "n = atomic.Int32(); b = atomic.Bool(); p = atomic.Pointer(); v = atomic.Value()",
        "assert self.n.Swap(6) == 0",
        "assert self.n.And(3) == 6",
        "assert self.n.Or(9) == 2",
        "assert not self.n.CompareAndSwap(1, 2)",
        "assert self.n.CompareAndSwap(11, 12)",
        "assert self.b.Load() is False",
        "assert self.b.CompareAndSwap(False, True)",
        "assert self.p.Load() is None",
        "xs = [1]",
        "self.p.Store(xs)",
        "assert self.p.CompareAndSwap(xs, None)",
        "assert self.v.Load() is None",
        "self.v.Store('a')",
        "assert self.v.Swap('b') == 'a'",
        "assert self.v.CompareAndSwap('b', 'c')",
    )
    assert messages(result) == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("Store(None)", "store of nil value into Value"),
        ("Swap(None)", "swap of nil value into Value"),
        ("CompareAndSwap(1, None)", "compare and swap of nil value into Value"),
        ("CompareAndSwap(1, 'a')", "compare and swap of inconsistently typed values"),
        ("Store('a')", "store of inconsistently typed value into Value"),
        ("Swap('a')", "swap of inconsistently typed value into Value"),
    ],
)
def test_what_a_Value_panics_with(tmp_path: Path, statement: str, message: str) -> None:
    result = body_of_main(tmp_path, "v = atomic.Value()", "self.v.Store(1)", f"self.v.{statement}")
    assert messages(result) == [f"main ends the program: panic: sync/atomic: {message}"]


def test_an_update_of_an_atomic_can_be_lost_wherever_it_was_made(tmp_path: Path) -> None:
    text = """
class M(Model):
    @goroutine
    def main(self):
        n = atomic.Int32()
        wg = go.WaitGroup()

        def count():
            n.Store(n.Load() + 1)

        wg.Go(count)
        wg.Go(count)
        wg.Wait()
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == ["lost-update"]
    assert result.violations[0].threads == ("wg.Go-1", "wg.Go-2")


# Timers


NEW, OLD = "", "GO_VERSION = '1.22'"


@pytest.mark.parametrize(
    ("statements", "version", "expected"),
    [
        # A value that nobody has received stops being there, and has never been sent.
        (["t.Stop(), t.Stop()"], NEW, {"(True, False)"}),
        (["t.Stop(), t.Stop()"], OLD, {"(True, False)", "(False, False)"}),
        (["t.Stop(), seen(t)"], NEW, {"(True, False)"}),
        (["t.Stop(), seen(t)"], OLD, {"(True, False)", "(False, True)"}),
        (["t.Stop(), t.Reset(1), seen(t)"], NEW, {"(True, False, True)", "(True, False, False)"}),
        (
            ["t.Stop(), t.Reset(1), t.Stop(), seen(t)"],
            OLD,
            {
                "(True, False, True, False)",
                "(True, False, False, True)",
                "(False, False, True, True)",
                "(False, False, False, True)",
            },
        ),
        (["t.Reset(1), t.Stop(), seen(t)"], NEW, {"(True, True, False)"}),
        (
            ["t.Reset(1), t.Stop(), seen(t)"],
            OLD,
            {
                "(True, True, False)",
                "(True, False, True)",
                "(False, True, True)",
                "(False, False, True)",
            },
        ),
        # What was received was sent.
        (["t.C.recv()", "t.Stop(), seen(t)"], NEW, {"(False, False)"}),
        (["t.C.recv()", "t.Stop(), seen(t)"], OLD, {"(False, False)"}),
        (["t.C.recv()", "t.Reset(1), t.C.recv()"], NEW, {"(False, 'a time')"}),
        # Two values are one.
        (["t.Reset(1), t.Reset(1), t.C.recv(), t.Stop()"], NEW, {"(True, True, 'a time', False)"}),
        (["t.C.cap(), len(t.C)"], NEW, {"(0, 0)"}),
        (["t.C.cap(), len(t.C)"], OLD, {"(1, 0)", "(1, 1)"}),
        # The usual ways of the two: what both versions are to be right about, and what only one is.
        (["if not t.Stop(): t.C.recv()", "seen(t)"], NEW, {"False"}),
        (["if not t.Stop(): t.C.recv()", "seen(t)"], OLD, {"False"}),
    ],
)
def test_what_a_timer_has_sent_is_there_until_it_is_received_or_never_was(
    tmp_path: Path, statements: list[str], version: str, expected: set[str]
) -> None:
    *before, last = statements
    text = f"""
def seen(t):
    return go.select(go.recv(t.C), default=True)[0] == 0


class M(Model):
    {version}
    got = None

    @goroutine
    def main(self):
        t = time.NewTimer(time.Second)
        {"; ".join(before[:1]) or "pass"}
        self.got = {last}
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    assert outcomes(result, "got") == expected


@pytest.mark.parametrize(
    ("version", "expected"), [(NEW, {"False"}), (OLD, {"False", "True"})], ids=["new", "old"]
)
@pytest.mark.parametrize("stopped", ["t.Stop()", "t.Reset(1); t.Stop()"])
def test_a_ticker_that_was_stopped(
    tmp_path: Path, stopped: str, version: str, expected: set[str]
) -> None:
    result = body_of_main(
        tmp_path,
        f"{version or 'x = 0'}\n    got = None",
        "t = time.NewTicker(1)",
        "t.C.recv()",
        stopped,
        "self.got = go.select(go.recv(t.C), default=True)[0] == 0",
    )
    assert outcomes(result, "got") == expected


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        # It has run, or it runs later, or never: once, or twice where it had run before.
        ("self.got = t.Stop()", {("True", "0"), ("False", "0"), ("False", "1")}),
        ("self.got = t.Stop(), t.Reset(1)", {("(True, False)", "0"), ("(True, False)", "1")}),
        ("self.done.recv(); self.got = t.Reset(1); self.done.recv()", {("False", "2")}),
        ("self.done.recv(); self.got = t.Reset(1), t.Stop()", {("(False, True)", "1")}),
        ("self.got = bool(t.C)", {("False", "0"), ("False", "1")}),
    ],
)
def test_the_timer_of_AfterFunc_calls_its_function_each_time(
    tmp_path: Path, statements: str, expected: set[tuple[str, str]]
) -> None:
    text = f"""
class M(Model):
    runs = atomic.Int32()
    done = go.Chan(2)
    got = None

    def f(self):
        self.runs.Add(1)
        self.done.send(None)

    @goroutine
    def main(self):
        t = time.AfterFunc(time.Second, self.f)
        {statements}
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    assert result.interleavings is not None
    ends = [dict(each.state) for each in result.interleavings.outcomes]
    assert {(repr(each["got"]), repr(each["runs"])) for each in ends} >= expected


def test_a_select_with_default_may_or_may_not_see_a_timer(tmp_path: Path) -> None:
    result = body_of_main(
        tmp_path, "got = 0", "self.got = go.select(go.recv(time.After(1)), default=True)[0]"
    )
    assert outcomes(result, "got") == {"0", "-1"}


def test_a_ticker_ticks_until_it_is_stopped(tmp_path: Path) -> None:
    result = body_of_main(
        tmp_path,
        "x = 0",
        "t = time.NewTicker(1)",
        "t.C.recv()",
        "t.C.recv()",
        "t.Stop()",
        "t.C.recv()",
    )
    assert kinds(result) == ["deadlock"]
    result = body_of_main(tmp_path, "x = 0", "time.NewTicker(0)")
    assert messages(result) == ["main ends the program: panic: non-positive interval for NewTicker"]


def test_AfterFunc_may_come_before_or_after_it_is_stopped(tmp_path: Path) -> None:
    text = """
class M(Model):
    ran = atomic.Bool()
    got = ()

    def f(self):
        self.ran.Store(True)

    @goroutine
    def main(self):
        t = time.AfterFunc(time.Second, self.f)
        time.Sleep(time.Minute)
        stopped = t.Stop()
        self.got = (stopped, self.ran.Load())
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    assert outcomes(result, "got") == {"(True, False)", "(False, False)", "(False, True)"}


# Contexts


def test_what_is_derived_ends_with_what_it_derives_from_and_not_the_other_way(
    tmp_path: Path,
) -> None:
    result = body_of_main(
        tmp_path,
        "x = 0",
        "root = context.WithValue(context.Background(), 'k', 1)",
        "a, cancel_a = context.WithCancel(root)",
        "b, cancel_b = context.WithCancelCause(context.WithValue(a, 'k', 2))",
        "c, _ = context.WithCancel(b)",
        "assert root.Value('k') == 1 and root.Err() is None",
        "cancel_b('why')",
        "assert (a.Err(), b.Err(), c.Err()) == (None, context.Canceled, context.Canceled)",
        "assert (context.Cause(b), context.Cause(c), context.Cause(a)) == ('why', 'why', None)",
        "cancel_a()",
        "d, _ = context.WithCancel(a)",
        "assert d.Err() == context.Canceled",
        "assert d.Done().recv_ok() == (None, False)",
        "cancel_a()",
        "assert not context.Background().Done()",
    )
    assert messages(result) == []


def test_a_deadline_may_have_passed_or_not_and_then_it_stays_so(tmp_path: Path) -> None:
    result = body_of_main(
        tmp_path,
        "got = ()",
        "a, _ = context.WithTimeout(context.Background(), time.Second)",
        "b, _ = context.WithCancel(a)",
        "first = b.Err()",
        "self.got = (first is None, a.Err() is None, b.Err() is None)",
    )
    assert outcomes(result, "got") == {
        "(True, True, True)",
        "(True, True, False)",
        "(True, False, False)",
        "(False, False, False)",
    }


def test_a_cancelled_context_is_not_sent_to_any_more(tmp_path: Path) -> None:
    # The select that waits for both was ended by the cancel: the send finds nobody.
    text = """
class M(Model):
    ch = go.Chan()
    got = None

    def setup(self):
        self.ctx, self.cancel = context.WithCancel(context.Background())

    @goroutine
    def selects(self):
        self.got = go.select(go.recv(self.ch), go.recv(self.ctx.Done()))

    @goroutine
    def other(self):
        self.cancel()
        self.ch.send(1)
"""
    playing = Playing(tmp_path, text)
    assert playing.run("selects") == "select"
    assert playing.run("other") == "chan send"
    assert playing.run("selects") == "ends"
    assert playing["got"] == (1, None)


def test_a_context_needs_a_parent(tmp_path: Path) -> None:
    result = body_of_main(tmp_path, "x = 0", "context.WithCancel(None)")
    assert messages(result) == [
        "main ends the program: panic: cannot create context from nil parent"
    ]


# errgroup


def test_a_group_gives_its_first_error_and_ends_its_context(tmp_path: Path) -> None:
    text = """
class M(Model):
    got = None

    def fails(self):
        return errors.New("a")

    def fails_too(self):
        return errors.New("b")

    @goroutine
    def main(self):
        g, ctx = errgroup.WithContext(context.Background())
        g.Go(self.fails)
        g.Go(self.fails_too)
        self.got = g.Wait().Error()
        assert ctx.Err() == context.Canceled
        assert context.Cause(ctx).Error() == self.got
"""
    result = on_both(tmp_path, text)
    assert messages(result) == []
    assert outcomes(result, "got") == {"'a'", "'b'"}


@pytest.mark.slow
def test_a_limit_keeps_others_waiting(tmp_path: Path) -> None:
    text = """
class M(Model):
    running = atomic.Int32()

    def work(self):
        assert self.running.Add(1) == 1
        self.running.Add(-1)

    @goroutine
    def main(self):
        g = errgroup.Group(limit=1)
        for _ in range(2):
            g.Go(self.work)
        assert g.Wait() is None
"""
    assert messages(on_both(tmp_path, text)) == []
    assert kinds(checked(tmp_path, text.replace("limit=1", "limit=2"))) == ["assertion"]
