"""What each check flags, and what it does not."""

from __future__ import annotations

import itertools
import textwrap
import threading
import time
from pathlib import Path

import pytest

from interleave import (
    Model,
    ModelError,
    ModelResult,
    array,
    atomic,
    check,
    choose,
    invariant,
    param,
    postcondition,
    section,
    thread,
)


def checked(model: type[Model], **parameters: object) -> ModelResult:
    """The result of checking a model, which is the same from both engines."""
    found = check(model, parameters=parameters)
    assert found == check(model, parameters=parameters, engine="reference")
    return found.models[0]


def kinds(result: ModelResult) -> list[str]:
    return [violation.kind for violation in result.violations]


def test_a_key_that_cannot_be_one() -> None:
    """What a thread looks up with it is no part of the dict; it raises, as in Python."""

    class M(Model):
        def setup(self):
            self.table = {"a": 0}

        @thread
        def wrong(self):
            self.table[["a"]] = 1

        @thread
        def right(self):
            self.table["a"] = 1

    result = checked(M)
    with pytest.raises(TypeError) as in_python:
        {}[["a"]] = 1
    assert [v.message for v in result.violations] == [
        f"wrong is ended by TypeError: {in_python.value}"
    ]


# Lost updates


def lost_updates(tmp_path: Path, body: str, shared: str = "x = 0\n    y = 0", **threads: str):
    """(read, lost, overwrite) line texts of each lost update in a model of two threads `t`.

    `other` replaces the second of them.
    """
    other = threads.get("other")
    count = "" if other else "(2)"
    methods = (
        f"    @thread{count}\n    def t(self):\n{textwrap.indent(textwrap.dedent(body), ' ' * 8)}"
    )
    if other:
        methods += f"\n    @thread\n    def other(self):\n{textwrap.indent(other, ' ' * 8)}"
    text = (
        "import threading\nfrom interleave import *\n\n"
        "def plus_one(n):\n    return n + 1\n\n"
        f"class M(Model):\n    {shared}\n    lock = threading.Lock()\n"
        f"    def add(self, n, m=0):\n        return n + m\n"
        f"    def free(self, n):\n        if self.x != n:\n            raise ValueError\n"
        f"    def looks(self, n):\n        self.free(n)\n"
        f"    def checks(self):\n        assert self.y < 9\n{methods}\n"
    )
    file = tmp_path / "model.py"
    file.write_text(text)
    result, reference = (check(file, engine=engine).models[0] for engine in ("auto", "reference"))
    assert result == reference
    found = []
    for violation in result.violations:
        if violation.kind == "lost-update":
            lost = violation.lost_update
            assert lost is not None
            steps = violation.trace.steps
            assert steps[-1].number == lost.overwrite
            assert steps[lost.read - 1].thread == steps[-1].thread == lost.reader
            assert steps[lost.lost - 1].thread == lost.writer != lost.reader
            assert lost.read < lost.lost < lost.overwrite
            found.append(
                tuple(steps[n - 1].source.text for n in (lost.read, lost.lost, lost.overwrite))
            )
    return found


LOST = {
    "read, write": ("t = self.x\nself.x = t + 1", 1),
    "augmented assignment": ("self.x += 1", 1),
    "one statement": ("self.x = self.x + 1", 1),
    "a second read does not refresh the first": ("t = self.x\nprint(self.x)\nself.x = t + 1", 1),
    "through other locals": ("t = self.x\nu = t + 2\nv = [u]\nself.x = v[0]", 1),
    "into a local list": ("items = []\nitems.append(self.x)\nself.x = len(items) + items[0]", 1),
    "through a function": ("self.x = plus_one(self.x)", 1),
    "through a method": ("t = self.x\nself.x = self.add(t, 1)", 1),
    "by what a condition chose": ("t = 1 if self.x else 2\nself.x = t", 1),
    "two reads, one write": ("t = self.x\nif t:\n    t = self.x\nself.x = t + 1", 1),
    "a comparison loop": ("for i in range(1, 3):\n    if self.x < i:\n        self.x = i", 1),
}


@pytest.mark.parametrize("name", LOST)
def test_lost_update_is_found(tmp_path, name) -> None:
    body, count = LOST[name]
    found = lost_updates(tmp_path, body)
    assert len(found) >= count
    assert all("self.x" in text for texts in found for text in texts)


ON_A_CONDITION = {
    "on a condition": "if self.x == 0:\n    self.x = 1",
    "after an early return": "if self.x:\n    return\nself.x = 1",
    "by a branch": "if self.x:\n    t = 5\nelse:\n    t = 7\nself.x = t",
    "from the call of a helper": "if self.add(self.x):\n    pass\nelse:\n    self.x = 1",
    "after a raise": "if self.x:\n    raise ValueError\nself.x = 1",
    "in a handler": "try:\n    if self.x == 0:\n        raise ValueError\nexcept ValueError:\n    self.x = 1",
    "in a handler of all": "try:\n    1 // self.x\nexcept:\n    self.x = 1",
    "where an assertion fails": "try:\n    assert self.x\nexcept AssertionError:\n    self.x = 1",
    "where a helper raises": "try:\n    self.free(5)\nexcept ValueError:\n    self.x = 1",
    "where a helper does not raise": "self.free(0)\nself.x = 1",
    "where a helper of a helper does not raise": "self.looks(0)\nself.x = 1",
    "where a helper does not raise, in a try": (
        "try:\n    self.free(0)\nexcept ValueError:\n    return\nself.x = 1"
    ),
    "by the case of a match": "match self.x:\n    case 0:\n        self.x = 1",
    "with an assertion between": "if self.x == 0:\n    assert self.y < 9\n    self.x = 1",
    "with one in a helper between": "if self.x == 0:\n    self.checks()\n    self.x = 1",
    "with one in a try between": (
        "if self.x == 0:\n    try:\n        assert self.y < 9\n    finally:\n        self.y = 2\n"
        "    self.x = 1"
    ),
    "with a raise in a block between": (
        "if self.x == 0:\n    with self.lock:\n        if self.y > 9:\n            raise ValueError\n"
        "    self.x = 1"
    ),
}
"""Bodies that overwrite 5, which they would not, had they seen it."""


@pytest.mark.parametrize("name", ON_A_CONDITION)
def test_lost_update_on_a_condition(tmp_path, name) -> None:
    body = ON_A_CONDITION[name]
    assert len(lost_updates(tmp_path, body, other="self.x = 5\nself.y = 1")) == 1
    # Two that write the same lose nothing; nor does one that would have done just the same.
    assert lost_updates(tmp_path, body) == []


OVERWRITTEN = {
    "a blind write": ("t = self.x", "self.x = 3\nself.x = t + 1", 0),
    "by a method": ("t = self.x", "self.x = self.add(3)\nself.x = t + 1", 0),
    "of what another variable has": ("t = self.x", "self.x = self.y\nself.x = t + 1", 0),
    "on a fresh look": ("t = self.x", "if self.x < 9:\n    self.x = 3\nself.x = t + 1", 0),
    "in one step": ("t = self.x", "with atomic():\n    self.x = 3\n    self.x = t + 1", 0),
    "with a condition": ("t = self.x", "self.x = 3\nif t == 0:\n    self.x = 1", 0),
    "in a dict": ("t = self.d['k']", "self.d['k'] = 3\nself.d['k'] = t + 1", 0),
    "the first of two": ("t = self.x", "self.x = t + 1\nself.x = t + 2", 1),
    "the first of two on a condition": (
        "t = self.x == 0", "if t:\n    self.x = 1\n    self.x = 2", 1
    ),
    "what was there is in it": ("t = self.x", "self.x += 1\nself.x = t + 1", 1),
    "by another variable": ("t = self.x", "u = self.x\nself.x = u\nself.x = t + 1", 1),
    "by an atomic step": (
        "t = self.x", "with atomic():\n    self.x = self.x * 2\nself.x = t + 1", 1
    ),
    "of another variable": ("t = self.x", "self.y = 3\nself.x = t + 1", 1),
    "of another item": ("t = self.d['k']", "self.d['j'] = 3\nself.d['k'] = t + 1", 1),
}  # fmt: skip
"""What a thread reads, and what it writes later while nobody else can; how much of what was written
between the two is lost by a write that comes from the read."""


@pytest.mark.parametrize("name", OVERWRITTEN)
def test_a_blind_write_is_what_others_lose_by(tmp_path, name) -> None:
    reads, writes, count = OVERWRITTEN[name]
    body = f"{reads}\nwith self.lock:\n{textwrap.indent(writes, '    ')}"
    other = "with self.lock:\n    self.x = 5\n    self.d['k'] = 5"
    found = lost_updates(tmp_path, body, "x = y = 0\n    d = {'k': 0, 'j': 0}", other=other)
    assert len(found) == count


def test_what_is_written_after_a_blind_write_is_lost_all_the_same(tmp_path) -> None:
    found = lost_updates(tmp_path, "t = self.x\nself.x = 3\nself.x = t + 1", other="self.x = 5")
    assert found == [("t = self.x", "self.x = 5", "self.x = t + 1")]


@pytest.mark.parametrize(
    ("shared", "body"),
    [
        ("d = {'a': 0}", "self.d['a'] += 1"),
        ("d = {'a': 0}", "t = self.d.get('a')\nself.d['a'] = t + 1"),
        ("d = {}", "if 'a' not in self.d:\n    self.d['a'] = 1"),
        ("items = [0, 0]", "self.items[-1] += 1"),
        ("items = [0, 0]", "t = list(self.items)\nt[0] += 1\nself.items[:] = t"),
        ("a = array([0, 0])", "self.a[1] += 1"),
    ],
)
def test_lost_update_in_a_container(tmp_path, shared, body) -> None:
    other = "self.d['a'] = 5" if "d =" in shared else "self.items[-1] = 7"
    if "list(" in body:
        other = "self.items[0] = 9"
    if "array" in shared:
        other = "self.a[1] = 5"
    assert len(lost_updates(tmp_path, body, shared, other=other)) == 1


NOT_LOST = {
    "a write that does not come from the read": "log = self.x\nself.x = 0",
    "under a lock": "with self.lock:\n    self.x += 1",
    "in one step": "with atomic():\n    self.x += 1",
    "read again in the step that writes": "t = self.x\nwith atomic():\n    t = self.x\n    self.x = t + 1",
    "after a loop that waits": "while self.x:\n    pass\nself.x = 1",
    "from the other of two values": "a, b = self.x, self.y\nself.x = 5 + b",
    "after an assertion": "assert self.x >= 0\nself.x = 5",
    "an argument that is not used": "t = self.x\nself.x = self.add(5)",
    "another location": "t = self.x\nself.y = t + 1",
    "read again": "t = self.x\nt = 3\nself.x = t",
    "after both branches": "if self.x:\n    self.y = 1\nself.x = 4",
    "after an assertion in a loop": "while self.x:\n    assert self.y >= 0\nself.x = 5",
    "after an assertion in a branch": "if self.x:\n    assert self.y >= 0\nself.x = 5",
    "after an exception that is caught": "try:\n    1 // self.x\nexcept ArithmeticError:\n    pass\nself.x = 5",
    "after one that is raised": (
        "try:\n    if self.x:\n        raise KeyError\nexcept LookupError:\n    pass\nself.x = 5"
    ),
    "after a handler that begins with a call": (
        "try:\n    1 // self.x\nexcept ArithmeticError:\n    self.add(1)\nself.x = 5"
    ),
    "in a finally": "try:\n    if self.x:\n        return\nfinally:\n    self.x = 5",
    "in one after a raise": "try:\n    if self.x:\n        raise KeyError\nfinally:\n    self.x = 5",
    "a condition that would decide the same": "if self.x != 9:\n    self.y = 1\n    self.x = 5",
    "one that would do so in a helper": "t = self.x\nif self.add(t) != 9:\n    self.x = 5",
}


@pytest.mark.parametrize("name", NOT_LOST)
def test_no_lost_update(tmp_path, name) -> None:
    assert lost_updates(tmp_path, NOT_LOST[name]) == []


@pytest.mark.parametrize(
    ("shared", "body", "other"),
    [
        ("d = {'a': 0, 'b': 0}", "self.d['a'] += 1", "self.d['b'] = 5"),
        ("items = [0, 0]", "self.items[0] += 1", "self.items[1] = 5"),
        ("a = array([0, 0])", "self.a[0] += 1", "self.a[1] = 5"),
        ("items = []", "if 1 not in self.items:\n    self.items.append(1)", "self.items.append(2)"),
        ("d = {'a': 0}", "t = self.d.pop('a')\nself.d['b'] = t", "self.d['c'] = 1"),
        ("d = {'a': 1, 'b': 1}", "t = sum(self.d.values())\nself.d['a'] = t", "self.d['b'] = 2"),
        ("x = 1", "t = self.x\nself.x = t + 1", "self.x = 1"),
    ],
)
def test_no_lost_update_where_nothing_is_lost(tmp_path, shared, body, other) -> None:
    assert lost_updates(tmp_path, body, shared, other=other) == []


def test_lost_updates_are_told_once_for_each_cause(tmp_path) -> None:
    body = "t = self.x\nself.x = t + 1\nu = self.y\nself.y = u + 1"
    assert lost_updates(tmp_path, body) == [
        ("t = self.x", "self.x = t + 1", "self.x = t + 1"),
        ("u = self.y", "self.y = u + 1", "self.y = u + 1"),
    ]


class Account:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 0


class MadeByWhoeverComesFirst(Model):
    """Whoever looked before looks for a lock that is not there, had it found no account."""

    account = None

    @thread(2)
    def deposit(self):
        if self.account is None:
            self.account = Account()
        with self.account.lock:
            self.account.balance += 1


def test_a_thread_that_would_have_ended_is_not_run_further() -> None:
    (result,) = check(MadeByWhoeverComesFirst).models
    assert next(v.location for v in result.violations if v.lost_update) == "account"


def test_the_shortest_schedule_with_the_fewest_switches(tmp_path) -> None:
    class Late(Model):
        n = 0
        x = 0

        @thread(2)
        def t(self):
            self.n += 1
            t = self.x
            time.sleep(1)
            self.x = t + 1

    (on_n, on_x) = checked(Late).violations
    assert (on_n.location, on_x.location) == ("n", "x")
    threads = [step.thread for step in on_x.trace.steps]
    assert len(threads) == 10
    assert sum(a != b for a, b in itertools.pairwise(threads)) == 2


# Deadlocks


class Transfer(Model):
    a = threading.Lock()
    b = threading.Lock()

    @thread
    def there(self):
        with self.a, self.b:
            pass

    @thread
    def back(self):
        with self.b, self.a:
            pass


def test_a_deadlock_names_who_waits_for_what_held_by_whom() -> None:
    result = checked(Transfer)
    (violation,) = result.violations
    assert violation.kind == "deadlock"
    assert violation.cycle
    assert violation.message == ("there waits for b, held by back; back waits for a, held by there")
    assert [(w.thread, w.access.location, w.holders) for w in violation.waits] == [
        ("there", "b", ("back",)),
        ("back", "a", ("there",)),
    ]
    assert [step.thread for step in violation.trace.steps] == ["there", "back"]


def test_waiting_for_a_thread_that_has_ended() -> None:
    class Leaves(Model):
        lock = threading.Lock()

        @thread
        def first(self):
            self.lock.acquire()

        @thread
        def second(self):
            with self.lock:
                pass

    (violation,) = checked(Leaves).violations
    assert violation.message == "second waits for lock, held by first, which has ended"
    assert not violation.cycle


def test_a_lock_taken_twice_by_one_thread() -> None:
    class Twice(Model):
        lock = threading.Lock()
        again = threading.RLock()

        @thread
        def t(self):
            with self.again, self.again, self.lock, self.lock:
                pass

    (violation,) = checked(Twice).violations
    assert violation.message == "t waits for lock, which it holds itself"


def test_a_daemon_need_not_finish() -> None:
    class Serve(Model):
        lock = threading.Lock()

        @thread(1, daemon=True)
        def server(self):
            self.lock.acquire()
            self.lock.acquire()

        @thread
        def client(self):
            pass

    assert checked(Serve).verdict == "verified"


def test_atomic_waits_before_its_beginning() -> None:
    class Inside(Model):
        lock = threading.Lock()
        x = 0

        @thread
        def t(self):
            with atomic():
                self.x = 1
                with self.lock:
                    self.x = 2

        @thread
        def holder(self):
            self.lock.acquire()

    (violation,) = checked(Inside).violations
    assert violation.kind == "deadlock"
    assert [step.thread for step in violation.trace.steps] == ["holder"]
    assert violation.waits[0].access.location == "lock"


# Exceptions, assertions, properties


def test_an_exception_is_told_once_for_each_line() -> None:
    class Raises(Model):
        lock = threading.Lock()
        n = 0

        @thread(3)
        def t(self):
            self.lock.release()

        @thread
        def u(self):
            if self.n == 0:
                raise ValueError("zero")

    result = checked(Raises)
    assert [(v.kind, v.message) for v in result.violations] == [
        ("exception", "u is ended by ValueError: zero"),  # `n` is a constant: at once
        ("exception", "t[0] is ended by RuntimeError: release unlocked lock"),
    ]
    assert [len(v.trace.steps) for v in result.violations] == [0, 1]


def test_an_assertion_through_finally_and_with_keeps_its_line() -> None:
    class Fails(Model):
        lock = threading.Lock()
        x = 0

        @thread
        def t(self):
            with self.lock:
                try:
                    assert self.x == 1, "not one"
                finally:
                    self.x = 2

    (violation,) = checked(Fails).violations
    assert (violation.kind, violation.message) == ("assertion", "t fails an assertion: not one")
    assert violation.source is not None
    assert violation.source.text == 'assert self.x == 1, "not one"'
    assert len(violation.trace.steps) == 4


def test_failing_before_the_first_access() -> None:
    class Early(Model):
        x = 0

        @thread
        def t(self):
            raise KeyError("x")

        @thread
        def u(self):
            self.x = 1

    (violation,) = checked(Early).violations
    assert violation.message == "t is ended by KeyError: 'x'"
    assert violation.trace.steps == ()


def test_a_failed_thread_is_no_reason_for_a_postcondition_to_fail() -> None:
    class Fails(Model):
        n = 0

        @thread
        def t(self):
            if self.n == 0:
                raise ValueError
            self.n = 1

        @postcondition
        def done(self):
            return self.n == 1

    assert kinds(checked(Fails)) == ["exception"]


def test_properties() -> None:
    class Properties(Model):
        N = param(2)
        n = 0

        def setup(self):
            self.flags = array([False] * self.N)
            self.lock = threading.Lock()

        @thread(N)
        def t(self, i):
            with section("cs"):
                pass
            self.flags[i] = True

        @invariant
        def at_most_one(self):
            return self.inside("cs") <= 1

        @invariant
        def one_first(self):
            return not self.flags[1] or self.finished("t", 0)

        @invariant
        def always(self):
            assert not self.lock.locked()
            assert self.n == 0

        @postcondition
        def all_set(self):
            assert all(self.flags), "not all"
            return self.finished("t")

        @postcondition
        def never(self):
            assert self.n == 1, f"n is {self.n}"

    result = checked(Properties)
    assert [(v.kind, v.message, len(v.trace.steps)) for v in result.violations] == [
        ("invariant", "at_most_one does not hold after step 2", 2),
        ("invariant", "one_first does not hold after step 3", 3),
        ("postcondition", "never does not hold when all threads have finished: n is 0", 6),
    ]


def test_an_empty_section_is_seen_and_one_with_steps_costs_no_more() -> None:
    class Empty(Model):
        @thread
        def t(self):
            with section("cs"):
                pass

    class Busy(Model):
        x = 0

        @thread
        def t(self):
            with section("cs"):
                self.x = 1

    assert checked(Empty).states == 3
    assert checked(Busy).states == 3


def test_choices_are_explored_and_shown() -> None:
    class Chooses(Model):
        x = 0

        def setup(self):
            self.y = choose([1, 2])

        @thread
        def t(self):
            self.x = choose("ab")

        @invariant
        def never_b2(self):
            return not (self.x == "b" and self.y == 2)

    result = checked(Chooses)
    assert (result.states, result.transitions) == (2 * 5, 2 * 4)
    (violation,) = result.violations
    assert dict(violation.trace.initial)["y"] == 2
    assert violation.trace.steps[0].outcome == "chose 'b'"


def test_an_invariant_that_fails_at_the_start() -> None:
    class Wrong(Model):
        x = 0

        @thread
        def t(self):
            self.x = 1

        @invariant
        def one(self):
            return self.x == 1

    (violation,) = checked(Wrong).violations
    assert violation.message == "one does not hold in the initial state"
    assert violation.trace.steps == ()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("self.x = 1", "a property changes 'x'"),
        ("self.items.append(1)", "a property changes 'items'"),
        ("self.lock.acquire()", "a property changes 'lock'"),
        ("choose([1])", "a property cannot choose"),
        ("return 1 / self.x", "the invariant p raises ZeroDivisionError"),
        ("return self.finished('u') == 0", "there is no thread u"),
    ],
)
def test_a_property_may_only_look(tmp_path, body, message) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import threading\nfrom interleave import *\nclass M(Model):\n    x = 0\n    items = [0]\n"
        "    lock = threading.Lock()\n    @thread\n    def t(self): pass\n"
        f"    @invariant\n    def p(self):\n        {body}\n"
    )
    with pytest.raises(ModelError) as caught:
        check(file)
    assert caught.value.what.startswith(message)
    assert caught.value.place is not None
    assert caught.value.place.line == 11
    takes_a_lock = "lock" in body
    assert ("without taking the lock" in caught.value.remedy) == takes_a_lock


def test_fail_fast_stops_at_the_first_violation() -> None:
    class Counter(Model):
        N = param(3)
        counter = 0

        @thread(N)
        def t(self):
            for _ in range(2):
                self.counter += 1

        @invariant
        def small(self):
            return self.counter < 2

    (whole,) = check(Counter).models
    (quick,) = check(Counter, fail_fast=True).models
    assert whole.complete
    assert not quick.complete
    assert quick.limit == "stopped at the first violation"
    assert 0 < quick.states < whole.states
    assert kinds(quick)


# Constants


class WaitsForElement(Model):
    go = array([False, False])

    @thread
    def waiter(self):
        while not self.go[0]:
            pass

    @thread
    def setter(self):
        self.go[0] = True


class WaitsForItem(Model):
    items: list[int] = []  # noqa: RUF012

    @thread
    def waiter(self):
        while not self.items:
            pass

    @thread
    def setter(self):
        self.items.append(1)


@pytest.mark.parametrize("model", [WaitsForElement, WaitsForItem])
def test_waiting_for_what_is_written_later_is_no_endless_loop(model) -> None:
    result = checked(model)
    assert (result.states, result.transitions, result.verdict) == (3, 3, "verified")


def test_looking_at_a_constant_is_no_step() -> None:
    class Looks(Model):
        table = {"a": [1, 2]}  # noqa: RUF012
        n = 0

        @thread(2)
        def t(self):
            if self.table["a"][1] == 2:
                self.n = 1

    assert checked(Looks).states == 4


def test_waiting_for_what_nobody_writes_says_so() -> None:
    class Never(Model):
        ready = False
        n = 0

        @thread
        def waiter(self):
            while not self.ready:
                pass

        @thread
        def other(self):
            self.n = 1

    with pytest.raises(ModelError) as caught:
        check(Never)
    assert caught.value.what == (
        "thread waiter never comes to a switch point again: this loop does not end"
    )
    assert "no thread ever writes what it looks at (ready)" in caught.value.remedy
