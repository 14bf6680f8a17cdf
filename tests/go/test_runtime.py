"""The rules of Go: the end of main, panics, fatal errors, deadlocks, leaks, data races, closures."""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import checked, go_model, kinds, messages, outcomes

from interleave import check
from interleave.errors import ModelError
from interleave.listing import list_steps
from interleave.result import ModelResult

ENGINES = ["reference", "native"]


def on_both(folder: Path, text: str) -> ModelResult:
    """The result, which is the same by both engines."""
    model = go_model(folder, text)
    first, second = (check(model, engine=engine).models[0] for engine in ENGINES)
    assert first == second
    return first


def size(result: ModelResult) -> tuple[int, int]:
    return result.states, result.transitions


# main


def test_the_end_of_main_ends_the_program(tmp_path: Path) -> None:
    text = """
class M(Model):
    n = atomic.Int32()

    @goroutine
    def main(self):
        self.n.Add(1)

    @goroutine
    def other(self):
        for _ in range(3):
            self.n.Add(10)
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    assert outcomes(result, "n") == {"1", "11", "21", "31"}
    # main is about to add, about to return, or has returned; the other one has added 0 to 3 times.
    assert size(result) == (12, 14)


def test_without_main_all_are_waited_for_but_daemons(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan()

    @goroutine(2)
    def sender(self):
        self.ch.send(1)

    @goroutine(daemon=True)
    def server(self):
        while True:
            self.ch.recv()

    @postcondition
    def all_have_sent(self):
        return self.finished("sender")
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    assert result.runtime == "go"


def test_main_can_end_before_it_has_done_anything(tmp_path: Path) -> None:
    text = """
class M(Model):
    x = 0

    @goroutine
    def main(self):
        pass

    @goroutine
    def other(self):
        self.x = 1
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    assert size(result) == (4, 3)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("@goroutine(2)\n    def main(self): pass", "main is not one goroutine"),
        ("@goroutine(daemon=True)\n    def main(self): pass", "main is not one goroutine"),
        (
            "@goroutine\n    def main(self): pass\n    @thread\n    def t(self): pass",
            "has goroutines and threads",
        ),
    ],
)
def test_what_no_model_can_be(tmp_path: Path, body: str, error: str) -> None:
    with pytest.raises(ModelError, match=error):
        checked(tmp_path, f"class M(Model):\n    {body}\n")


# Panics and fatal errors


def test_a_panic_ends_the_program_whoever_panics(tmp_path: Path) -> None:
    text = """
class M(Model):
    x = atomic.Int32()

    @goroutine
    def main(self):
        go.spawn(self.bad)
        self.x.Add(1)
        self.x.Add(1)

    def bad(self):
        go.panic("boom")
"""
    result = on_both(tmp_path, text)
    assert messages(result) == ["bad-1 ends the program: panic: boom"]
    assert outcomes(result, "x") == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'boom'", "boom"),
        ("42", "42"),
        ("True", "true"),
        ("errors.New('bad')", "bad"),
        ("None", "panic called with nil argument (use GODEBUG=panicnil=1 to disable)"),
    ],
)
def test_what_a_panic_prints(tmp_path: Path, value: str, shown: str) -> None:
    text = f"class M(Model):\n    @goroutine\n    def main(self):\n        go.panic({value})\n"
    assert messages(checked(tmp_path, text)) == [f"main ends the program: panic: {shown}"]


def test_except_recovers_from_a_panic_and_from_what_misuse_panics_with(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan()

    def recovers(self, f):
        try:
            f()
        except go.Panic as p:
            return p.value

    def bad(self):
        go.panic(7)

    def close_twice(self):
        self.ch.close()
        self.ch.close()

    @goroutine
    def main(self):
        assert self.recovers(self.bad) == 7
        assert self.recovers(self.close_twice) == "close of closed channel"
"""
    assert kinds(on_both(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("go.Mutex().Unlock()", "sync: unlock of unlocked mutex"),
        ("go.RWMutex().Unlock()", "sync: Unlock of unlocked RWMutex"),
        ("go.RWMutex().RUnlock()", "sync: RUnlock of unlocked RWMutex"),
    ],
)
def test_a_fatal_error_is_not_recovered_from_and_runs_nothing(
    tmp_path: Path, statement: str, message: str
) -> None:
    text = f"""
class M(Model):
    ran = False

    @goroutine
    def main(self):
        try:
            {statement}
        except BaseException:
            self.ran = True
        finally:
            self.ran = True
"""
    result = on_both(tmp_path, text)
    assert messages(result) == [f"main ends the program: fatal error: {message}"]
    assert outcomes(result, "ran") == {"False"}


def test_deferred_calls_are_made_last_first_whatever_happens(tmp_path: Path) -> None:
    text = """
class M(Model):
    order = ()

    def note(self, what):
        self.order = (*self.order, what)

    def returns(self):
        for i in range(2):
            go.defer(self.note, i)
        self.note("body")
        return 7

    def panics(self):
        go.defer(self.note, "last")
        go.defer(go.panic, "second")
        go.defer(self.note, "before")
        go.panic("first")

    @goroutine
    def main(self):
        assert self.returns() == 7
        assert self.order == ("body", 1, 0)
        self.order = ()
        try:
            self.panics()
        except go.Panic as p:
            assert p.value == "second"
        assert self.order == ("before", "last")
"""
    assert messages(on_both(tmp_path, text)) == []


def test_the_arguments_of_a_deferred_call_are_evaluated_where_it_stands(tmp_path: Path) -> None:
    text = """
class M(Model):
    seen = 0

    def see(self, x):
        self.seen = x

    def f(self):
        x = 1
        go.defer(self.see, x)
        x = 2

    @goroutine
    def main(self):
        self.f()
        assert self.seen == 1
"""
    assert messages(on_both(tmp_path, text)) == []


def test_a_deferred_call_must_be_a_statement(tmp_path: Path) -> None:
    text = "class M(Model):\n    @goroutine\n    def main(self):\n        x = go.defer(print)\n"
    with pytest.raises(ModelError, match="a call is deferred within another statement"):
        checked(tmp_path, text)


def test_Goexit_ends_a_goroutine_after_its_deferred_calls(tmp_path: Path) -> None:
    text = """
class M(Model):
    done = go.Chan()

    def f(self):
        go.defer(self.done.close)
        go.Goexit()
        assert False

    @goroutine
    def main(self):
        go.spawn(self.f)
        self.done.recv()
"""
    assert messages(on_both(tmp_path, text)) == []


# Deadlocks and leaks

WAITS = """
class M(Model):
    ch = go.Chan()
    mu = go.Mutex()
    rw = go.RWMutex()
    wg = go.WaitGroup()
    cond = go.NewCond(go.Mutex())
    once = go.Once()

    def hold(self):
        self.mu.Lock()
        self.rw.RLock()
        self.wg.Add(1)

    def again(self):
        self.once.Do(self.again)

    @goroutine
    def main(self):
        self.hold()
        {statement}
"""


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("self.ch.recv()", "chan receive"),
        ("self.ch.send(1)", "chan send"),
        ("go.select(go.recv(self.ch), go.send(self.ch, 1))", "select"),
        ("self.mu.Lock()", "sync.Mutex.Lock"),
        ("self.rw.Lock()", "sync.RWMutex.Lock"),
        ("self.wg.Wait()", "sync.WaitGroup.Wait"),
        ("self.cond.L.Lock(); self.cond.Wait()", "sync.Cond.Wait"),
        ("self.again()", "sync.Mutex.Lock"),
    ],
)
def test_a_deadlock_names_what_each_goroutine_waits_for(
    tmp_path: Path, statement: str, reason: str
) -> None:
    result = on_both(tmp_path, WAITS.format(statement=statement))
    (violation,) = result.violations
    assert violation.kind == "deadlock"
    assert violation.message.startswith("all goroutines are asleep - deadlock! main waits for ")
    assert [(wait.thread, wait.access.kind) for wait in violation.waits] == [("main", reason)]


def test_who_waits_for_a_reader_is_told_who_reads(tmp_path: Path) -> None:
    result = on_both(tmp_path, WAITS.format(statement="self.rw.Lock()"))
    assert [wait.holders for wait in result.violations[0].waits] == [("main",)]


def test_no_deadlock_while_somebody_waits_for_a_timer(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan()

    @goroutine
    def main(self):
        go.select(go.recv(self.ch), go.recv(time.After(time.Second)))
"""
    assert kinds(on_both(tmp_path, text)) == []
    waits_once_more = text.replace(
        "go.select(go.recv(self.ch), go.recv(time.After(time.Second)))",
        "t = time.After(1); t.recv(); t.recv()",
    )
    assert kinds(on_both(tmp_path, waits_once_more)) == ["deadlock"]


LEAK = """
class M(Model):
    ch = go.Chan()
    done = go.Chan()

    @goroutine
    def main(self):
        go.spawn(self.other)
        {main}

    def other(self):
        {other}
"""


@pytest.mark.parametrize(
    ("main", "other", "leaks"),
    [
        # It is parked, or will be, when main returns.
        ("pass", "self.ch.send(1)", True),
        # It would have gone on.
        ("pass", "go.Gosched(); go.Gosched()", False),
        # main has let it go on, in its last step.
        ("self.done.close()", "self.done.recv()", False),
        # It goes on for a while, and comes to where nobody helps it.
        ("self.done.close()", "self.done.recv(); self.ch.recv()", True),
        # A context that is not cancelled, and one that has a deadline.
        ("pass", "context.WithCancel(context.Background())[0].Done().recv()", True),
        ("pass", "context.WithTimeout(context.Background(), 1)[0].Done().recv()", False),
    ],
)
def test_goroutines_that_could_not_go_on_if_main_had_waited_are_leaked(
    tmp_path: Path, main: str, other: str, leaks: bool
) -> None:
    result = on_both(tmp_path, LEAK.format(main=main, other=other))
    assert kinds(result) == (["stuck"] if leaks else [])
    if leaks:
        (violation,) = result.violations
        assert violation.leaked
        assert violation.threads == ("other-1",)
        assert violation.message.endswith(
            "it never moves again, even if the program went on after main: leaked"
        )


def test_interleavings_that_leak_are_counted(tmp_path: Path) -> None:
    text = LEAK.format(main="go.select(go.recv(self.ch), default=True)", other="self.ch.send(1)")
    result = on_both(tmp_path, text)
    assert kinds(result) == ["stuck"]
    assert result.interleavings is not None
    # It leaks unless the send is parked when main looks.
    assert (result.interleavings.total, result.interleavings.violating) == (3, 2)


@pytest.mark.parametrize(
    ("other", "first", "ends"),
    [
        ("def other(self): self.x = 1", "def main(self): pass", {"returned"}),
        ("def other(self): self.x = 1", "def main(self): self.done.recv()", {"deadlock"}),
        ("def other(self): assert self.x", "def main(self): self.x = 1", {"failed", "returned"}),
        ("def other(self): self.x = 1", "def first(self): pass", {"finished"}),
    ],
)
def test_outcomes_say_that_main_has_returned(tmp_path, other, first, ends) -> None:
    text = f"""
class M(Model):
    x = 0
    done = go.Chan()

    @goroutine
    {first}

    @goroutine
    {other}
"""
    counted = on_both(tmp_path, text).interleavings
    assert counted is not None
    assert {outcome.how for outcome in counted.outcomes} == ends


def test_that_what_leaks_is_too_much_to_count_is_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("interleave.checks.leaks.MOST_COUNTED", 0)
    text = LEAK.format(main="pass", other="self.ch.send(1)")
    counted = on_both(tmp_path, text).interleavings
    assert counted is not None and counted.violating is None
    assert counted.uncounted == "there are more than 0 states after the end of main"


def test_a_goroutine_that_waits_while_others_go_on_for_ever_is_stuck(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan()
    tick = go.Chan()

    @goroutine
    def main(self):
        go.spawn(self.waits)
        while True:
            go.Gosched()

    def waits(self):
        self.ch.recv()
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == ["stuck"]
    assert not result.violations[0].leaked
    assert result.violations[0].message == (
        "waits-1 waits for ch: it never moves again, although others can go on for ever"
    )


def test_what_main_does_at_its_very_end_counts_for_who_waits_while_it_spins(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan()
    flag = atomic.Bool()

    @goroutine
    def main(self):
        go.spawn(self.waits)
        while not self.flag.Load():
            pass
        self.ch.close()

    @goroutine
    def sets(self):
        self.flag.Store(True)

    def waits(self):
        self.ch.recv()
"""
    assert kinds(on_both(tmp_path, text)) == []


def test_a_daemon_is_never_leaked(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan()

    @goroutine
    def main(self):
        pass

    @goroutine(daemon=True)
    def server(self):
        self.ch.recv()
"""
    assert kinds(on_both(tmp_path, text)) == []


# Data races

RACE = """
class M(Model):
    x = 0
    d = {{}}
    xs = [0, 0]
    p = array([0, 0])
    n = atomic.Int32()
    mu = go.Mutex()
    ch = go.Chan()

    @goroutine
    def a(self):
        {a}

    @goroutine
    def b(self):
        {b}
"""


@pytest.mark.parametrize(
    ("a", "b", "races"),
    [
        ("self.x = 1", "self.x = 2", True),
        ("self.x = 1", "y = self.x", True),
        ("y = self.x", "y = self.x; self.x", False),
        ("self.d['a'] = 1", "self.d['b'] = 2", True),  # a map is one variable
        ("self.d['a'] = 1", "self.d.get('b')", True),
        ("self.xs[0] = 1", "self.xs[1] = 2", False),  # elements of a slice are variables
        ("self.xs[0] = 1", "self.xs[0] = 2", True),
        ("self.xs.append(1)", "self.xs.append(2)", True),
        ("self.xs.append(1)", "y = self.xs[0]", True),
        ("self.p[0] = 1", "self.p[1] = 2", False),
        ("self.n.Store(1)", "self.n.Store(2)", False),
        ("with self.mu: self.x = 1", "with self.mu: self.x = 2", False),
        ("with self.mu: self.x = 1", "self.x = 2", True),
        ("self.x = 1; self.ch.send(0)", "self.ch.recv(); self.x = 2", False),
        ("self.x = 1; self.ch.close()", "self.ch.recv(); self.x = 2", False),
        ("self.ch.send(0); self.x = 1", "self.ch.recv(); self.x = 2", True),
    ],
)
def test_data_races_are_always_looked_for(tmp_path: Path, a: str, b: str, races: bool) -> None:
    result = on_both(tmp_path, RACE.format(a=a, b=b))
    assert ("data-race" in kinds(result)) == races


# Goroutines and functions


def test_a_goroutine_that_has_ended_gives_its_room_to_the_next_one(tmp_path: Path) -> None:
    text = """
class M(Model):
    wg = go.WaitGroup()

    @goroutine
    def main(self):
        while True:
            self.wg.Add(1)
            go.spawn(self.wg.Done)
            self.wg.Wait()
"""
    result = on_both(tmp_path, text)
    assert kinds(result) == []
    assert size(result) == (6, 7)


def test_what_cannot_be_a_goroutine(tmp_path: Path) -> None:
    text = "class M(Model):\n    @goroutine\n    def main(self):\n        go.spawn(3)\n"
    with pytest.raises(ModelError, match="which is no function of the model"):
        checked(tmp_path, text)
    lambdas = text.replace("go.spawn(3)", "[go.spawn(lambda: None) for _ in range(2)]")
    with pytest.raises(ModelError, match="made in a comprehension"):
        checked(tmp_path, lambdas)


CLOSURES = """
class M(Model):
    GO_VERSION = "{version}"
    mu = go.Mutex()
    seen = ()

    def see(self, x):
        with self.mu:
            self.seen = (*self.seen, x)

    @goroutine
    def main(self):
        {body}

    @postcondition
    def as_expected(self):
        return sorted(self.seen) == {expected}
"""


@pytest.mark.parametrize(
    ("body", "expected", "version"),
    [
        # Arguments, results, recursion.
        ("""
        def add(a, b=None):
            return a
        self.see(add(1))
        """, "[1]", "1.25"),
        # A default value is made where the function is defined, once.
        ("""
        fs = []
        for i in range(2):
            fs.append(lambda n=i: n)
        i = 7
        self.see(fs[0]())
        self.see(fs[1]())
        self.see(fs[0](5))
        """, "[0, 1, 5]", "1.21"),
        ("""
        n = 1
        def f(a, /, b=n, *, c=n + 1):
            self.see(a)
            return b + c
        n = 5
        self.see(f(0))
        self.see(f(0, c=8))
        """, "[0, 0, 3, 9]", "1.25"),
        ("""
        def f(into=[]):
            into.append(len(into))
            self.see(0)
            return into
        f()
        for each in f():
            self.see(each)
        """, "[0, 0, 0, 1]", "1.25"),
        ("""
        def outer(n=2):
            def inner(m=n, *rest):
                return m + len(rest)
            return inner
        self.see(outer()())
        self.see(outer(5)())
        self.see(outer()(1, 1))
        """, "[2, 2, 5]", "1.25"),
        ("""
        def double(x):
            return 2 * x
        self.see(double(double(3)))
        """, "[12]", "1.25"),
        ("""
        def factorial(n):
            return 1 if n == 0 else n * factorial(n - 1)
        self.see(factorial(4))
        """, "[24]", "1.25"),
        # A captured variable is shared both ways.
        ("""
        n = 0
        def add(k):
            nonlocal n
            n += k
        add(1)
        n += 10
        add(100)
        self.see(n)
        """, "[111]", "1.25"),
        ("""
        n = 1
        def get():
            return n
        n = 2
        self.see(get())
        """, "[2]", "1.25"),
        # Each round has its own, and one that belongs to the function is one.
        ("""
        fs = []
        for i in range(2):
            def f():
                return i
            fs.append(f)
        for f in fs:
            self.see(f())
        """, "[0, 1]", "1.22"),
        ("""
        fs = []
        for i in range(2):
            def f():
                return i
            fs.append(f)
        for f in fs:
            self.see(f())
        """, "[1, 1]", "1.21"),
        ("""
        fs = []
        for i in range(2):
            x = i * 10
            def f():
                return x
            fs.append(f)
        for f in fs:
            self.see(f())
        """, "[0, 10]", "1.21"),
        ("""
        fs = []
        x = None
        for i in range(2):
            x = i * 10
            def f():
                return x
            fs.append(f)
        for f in fs:
            self.see(f())
        """, "[10, 10]", "1.25"),
        # Functions inside functions, lambdas, patterns, exceptions, comprehensions of the same name.
        ("""
        x = 1
        def outer():
            def inner():
                nonlocal x
                x += 1
                return x
            return inner()
        outer()
        self.see(outer() + x)
        """, "[6]", "1.25"),
        ("""
        n = 3
        f = lambda k: n + k
        n = 4
        self.see(f(1))
        """, "[5]", "1.25"),
        ("""
        fs = []
        for x in ((1, "a"), (2, "b")):
            match x:
                case 1, y:
                    pass
                case 2, y:
                    pass
            def f():
                return y
            fs.append(f)
        for f in fs:
            self.see(f())
        """, "['a', 'b']", "1.25"),
        ("""
        x = 5
        def f():
            return x
        x = [x * 2 for x in range(3)][2]
        self.see(f())
        """, "[4]", "1.25"),
        ("""
        def f():
            return e
        try:
            go.panic("p")
        except go.Panic as p:
            e = p.value
        self.see(f())
        """, "['p']", "1.25"),
        # In goroutines.
        ("""
        done = go.Chan()
        n = 0
        def f():
            nonlocal n
            n = 5
            done.close()
        go.spawn(f)
        done.recv()
        self.see(n)
        """, "[5]", "1.25"),
        ("""
        ch = go.Chan()
        for i in range(2):
            go.spawn(lambda: ch.send(i))
        self.see(ch.recv())
        self.see(ch.recv())
        """, "[0, 1]", "1.25"),
    ],
)  # fmt: skip
def test_functions_inside_functions(tmp_path: Path, body: str, expected: str, version: str) -> None:
    text = CLOSURES.format(body=body, expected=expected, version=version)
    assert messages(on_both(tmp_path, text)) == []


def test_a_version_of_Go_that_is_none(tmp_path: Path) -> None:
    text = CLOSURES.format(body="pass", expected="[]", version="two")
    with pytest.raises(ModelError, match="GO_VERSION is 'two'"):
        checked(tmp_path, text)


def test_a_captured_variable_is_named_in_a_report(tmp_path: Path) -> None:
    text = """
class M(Model):
    @goroutine
    def main(self):
        err = None
        done = go.Chan()

        def f():
            nonlocal err
            err = "bad"
            done.close()

        go.spawn(f)
        err = "good"
        done.recv()
"""
    result = on_both(tmp_path, text)
    assert messages(result) == [
        "main is about to write err at line 19 while f-1 is about to write it at line 15"
    ]
    assert size(result) == (13, 16)


def test_what_a_goroutine_makes_is_called_by_its_variable(tmp_path: Path) -> None:
    text = """
class Server:
    def __init__(self):
        self.mu = go.Mutex()
        self.jobs = go.Chan(1)

    def lock_twice(self):
        self.mu.Lock()
        self.mu.Lock()


class M(Model):
    @goroutine
    def main(self):
        wg = go.WaitGroup()
        wg.Add(1)
        s = Server()
        go.spawn(s.lock_twice)
        s.jobs.send(1)
        wg.Wait()
"""
    result = on_both(tmp_path, text)
    (violation,) = result.violations
    waits = [(wait.thread, wait.access.location) for wait in violation.waits]
    assert waits == [("lock_twice-1", "s.mu"), ("main", "wg")]
    assert {name for name, _ in violation.trace.final} == {"wg", "s", "s.mu", "s.jobs"}


def test_the_steps_of_goroutines_are_listed(tmp_path: Path) -> None:
    text = """
class M(Model):
    wg = go.sync.WaitGroup()
    x = 0

    def work(self):
        go.defer(self.wg.Done)
        self.x = 1

    @goroutine
    def main(self):
        self.wg.Add(1)
        go.spawn(self.work)
        self.wg.Wait()
"""
    listing = list_steps(go_model(tmp_path, text), {})
    assert [(each.method, [step.access for step in each.steps]) for each in listing.threads] == [
        (
            "main",
            [
                "sync.WaitGroup.Add", "go", "sync.WaitGroup.Wait", "sync.WaitGroup.Wait", "return",
            ],
        ),
        ("work-1", ["write", "sync.WaitGroup.Done"]),
    ]  # fmt: skip


def test_a_channel_that_is_replaced_keeps_its_name(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan(1)

    @goroutine
    def main(self):
        self.ch.send(1)
        self.ch = go.nil
"""
    result = on_both(tmp_path, text)
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    assert [name for name, _ in outcome.state] == ["ch"]


# What there is not


@pytest.mark.parametrize(
    "name",
    [
        "go.Pool", "go.sync.OnceFunc", "go.atomic.Uintptr", "go.context.AfterFunc",
        "go.errgroup.Nothing", "go.errors.Is2", "go.time.Now",
    ],
)  # fmt: skip
def test_what_is_not_modelled_is_refused_and_no_violation(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=f"{name} is not modelled") as refused:
        checked(tmp_path, f"class M(Model):\n    @goroutine\n    def main(self):\n        {name}\n")
    assert refused.value.place is not None
    assert refused.value.remedy


@pytest.mark.parametrize(("timeout", "over"), [("0", {True}), ("-1", {True}), ("1", {True, False})])
def test_a_timeout_of_nothing_has_passed(tmp_path: Path, timeout: str, over: set[bool]) -> None:
    text = f"""
class M(Model):
    over = None

    @goroutine
    def main(self):
        ctx, cancel = context.WithTimeout(context.Background(), {timeout})
        self.over = ctx.Err() == context.DeadlineExceeded
        cancel()
"""
    found = set(outcomes(checked(tmp_path, text), "over"))
    assert {str(each) for each in found} == {str(each) for each in over}
