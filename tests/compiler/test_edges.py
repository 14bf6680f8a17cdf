"""Corners of the language of models, by exact counts of states, final values and verdicts."""

from __future__ import annotations

import enum
import os
import subprocess
import sys
import textwrap
import threading
import types
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
import running
from programs import model as written
from running import load, machine_of, variables

from interleave import (
    Model,
    ModelError,
    ModelResult,
    atomic,
    check,
    choose,
    invariant,
    param,
    postcondition,
    section,
    thread,
)

STACK = [1, 2]
TABLE = {"a": 1}
LOCK = threading.Lock()
LIMIT = 2
NAMES = frozenset({"a", "b"})


def ends(model: type[Model], *names: str) -> set[tuple[object, ...]]:
    """The values of some variables in the states in which no thread can move."""
    machine = machine_of(model)
    found = set()
    seen, waiting = set(), machine.initial()
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        moves = [machine.step(state, t) for t in range(len(machine.program.threads))]
        following = [machine.after(state, step) for each in moves for step in each.steps]
        waiting += following
        if not following:
            left = variables(machine, state, list(names))
            found.add(tuple(bare(left[name]) for name in names))
    return found


def bare(value: object) -> object:
    """A value without the names of types, lists as tuples."""
    kind, inside = value  # type: ignore[misc]
    if isinstance(inside, list):
        return tuple(bare(item) for item in inside)
    return {"int": int, "bool": lambda text: text == "True"}.get(kind, str)(inside)


def result(model: type[Model]) -> ModelResult:
    found = check(model)
    assert found == check(model, engine="reference")
    return found.models[0]


def states(model: type[Model]) -> int:
    return result(model).states


def kinds(model: type[Model]) -> list[str]:
    return [violation.kind for violation in result(model).violations]


# Attributes


class Shape:
    """An ordinary class, instances of which are shared."""

    unit = 3
    seen: list[int] = []  # noqa: RUF012

    def __init__(self, size: int) -> None:
        self.size = size
        self.__hidden = size + 1

    @property
    def area(self) -> int:
        return self.size * self.size

    @area.setter
    def area(self, value: int) -> None:
        self.size = value

    def grow(self, by: int = 1) -> int:
        self.size += by
        self.__hidden += by
        self.unit += 1
        self.seen.append(self.size)
        return self.__hidden

    @staticmethod
    def double(x: int) -> int:
        return x + x

    @classmethod
    def default(cls) -> str:
        return cls.__name__


class Square(Shape):
    def grow(self, by: int = 1) -> int:
        return super().grow(by + 10)


@dataclass
class Account:
    balance: int = 0
    log: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Version:
    major: int
    minor: int = 0


class Point(NamedTuple):
    x: int
    y: int


class Light(enum.Enum):
    RED = 1
    GREEN = 2


class Objects(Model):
    out = ()
    version = Version(1)
    point = Point(1, 2)
    light = Light.RED
    account = Account(5)

    def setup(self) -> None:
        self.shape = Square(2)
        self.same = self.shape
        self.shapes = [Shape(1), self.shape]

    @thread
    def run(self):
        shape = self.shape
        self.out += (shape.grow(), shape.area, shape.double(4), shape.default(), shape.unit)
        shape.area = 7
        self.out += (
            self.same.size,
            self.shapes[1] is shape,
            self.shapes[0].unit,
            len(Shape(1).seen),
        )
        self.version = Version(self.version.major + 1)
        self.point = self.point._replace(x=9)
        self.light = Light(self.light.value + 1)
        self.account.balance += 1
        self.account.log.append(self.account.balance)
        self.out += (
            self.light is Light.GREEN,
            self.version == Version(2),
            isinstance(shape, Shape),
        )


@pytest.mark.slow
def test_objects() -> None:
    assert ends(Objects, "version", "point", "light", "account") == {
        ((2, 0), (9, 2), "Light.GREEN", (6, (6,)))
    }
    ((out,),) = ends(Objects, "out")
    assert out == (14, 169, 8, "Square", 4, 7, True, 3, 1, True, True, True)


class Base(Model):
    x = 0
    y = 5

    def step(self):
        self.x += 1

    @thread
    def run(self):
        self.step()


class Derived(Base):
    y = 6

    def step(me):
        super().step()
        me.x += me.y


def test_inheritance() -> None:
    assert ends(Base, "x") == {(1,)}
    assert ends(Derived, "x") == {(7,)}


def test_a_model_in_a_function_sees_what_is_around_it() -> None:
    items = [0]
    lock = threading.Lock()
    by = 3

    def plus(x):
        return x + by

    class Local(Model):
        x = 0

        @property
        def last(self):
            return items[-1]

        @thread(2)
        def run(self):
            with lock:
                self.x = plus(self.x)
                items.append(self.x)

        @postcondition
        def counts(self):
            return self.last == 6 and len(items) == 3

    assert kinds(Local) == []
    assert ends(Local, "x") == {(6,)}
    assert items == [0]


class Globals(Model):
    """Globals of a module: constants, and what threads share."""

    x = 0

    @thread(2)
    def run(self):
        with LOCK:
            STACK.append(LIMIT)
            TABLE["a"] += 1
        self.x = len(STACK) + (TABLE["a"] if "a" in NAMES else 0)

    @postcondition
    def all_seen(self):
        return len(STACK) == 4 and TABLE == {"a": 3}


def test_globals() -> None:
    assert "postcondition" not in kinds(Globals)
    assert STACK == [1, 2]
    assert TABLE == {"a": 1}
    assert not LOCK.locked()


class Imports(Model):
    x = 0

    @thread
    def run(self):
        import math
        import time as clock
        from time import sleep as rest

        clock.sleep(1)
        rest(1)
        self.x = math.gcd(12, 18)


def test_imports_inside_a_method() -> None:
    assert ends(Imports, "x") == {(6,)}
    assert states(Imports) == 4


class Defaults(Model):
    x = 0
    lock = threading.Lock()

    def add(self, by=LIMIT, lock=LOCK, *, name=NAMES):
        with lock:
            self.x += by + len(name)

    @thread(2)
    def run(self):
        self.add()


def test_default_arguments() -> None:
    assert ends(Defaults, "x") == {(8,)}


class InnerDefaults(Model):
    seen: tuple[object, ...] = ()

    @thread
    def run(self):
        kept = [0]

        def inner(first, second=..., /, third=None, *rest, fourth=kept, **more):
            kept.append(len(kept))
            return (second, third, rest, len(fourth), more)

        self.seen += inner(1)
        self.seen += inner(1, None, ..., 4, fourth=[..., ...], fifth=...)
        self.seen += inner(..., 2, fourth=(...,))
        self.seen += ((lambda x=1: x)(...), (lambda *, x=1: x)(x=...), (lambda x=...: x)())


def test_what_is_given_is_told_from_what_is_not() -> None:
    real = types.SimpleNamespace(seen=())
    vars(InnerDefaults)["run"](real)  # as Python runs it
    found = result(InnerDefaults).interleavings
    assert found is not None
    assert [dict(each.state)["seen"] for each in found.outcomes] == [real.seen]


class OneLock(Model):
    locks = [threading.Lock()] * 5

    @thread
    def run(self):
        with self.locks[0], self.locks[1]:
            pass


class FiveLocks(Model):
    def setup(self) -> None:
        self.locks = [threading.Lock() for _ in range(5)]

    @thread
    def run(self):
        with self.locks[0], self.locks[1]:
            pass


def test_identity_of_locks() -> None:
    assert kinds(OneLock) == ["deadlock"]
    assert "holds one Lock 5 times" in result(OneLock).warnings[0]
    assert kinds(FiveLocks) == []
    assert states(FiveLocks) == 5


class Nested(Model):
    def setup(self) -> None:
        row = [0]
        self.rows = [row, row, [5]]
        self.by_name = {"row": row, "deep": {"list": [1]}}
        self.waiting = deque([row])

    @thread
    def run(self):
        self.rows[0].append(1)
        self.by_name["row"].append(2)
        self.waiting[0].append(3)
        self.by_name["deep"]["list"][0] += 1
        self.rows[2] = self.rows[1]


def test_nested_containers() -> None:
    row = (0, 1, 2, 3)
    assert ends(Nested, "rows") == {((row, row, row),)}


class Choices(Model):
    N = param(2)

    def setup(self) -> None:
        self.x = choose(range(self.N))
        self.y = choose([0, 10]) if self.x else 5

    @thread
    def run(self):
        self.y += self.x


def test_choices_in_setup() -> None:
    assert ends(Choices, "x", "y") == {(0, 5), (1, 1), (1, 11)}
    machine = machine_of(Choices)
    assert len(machine.initial()) == 3
    assert check(Choices, parameters={"N": 4}).models[0].complete


# Atomic steps, choices, sections


class Moves(Model):
    """Two threads; `atomic()` makes one step of what is in it."""

    x = 0
    y = 0
    lock = threading.Lock()

    @thread(2)
    def run(self):
        with atomic():
            with atomic():
                self.x += 1
            self.y += 1

    @invariant
    def same(self):
        return self.x == self.y


def test_atomic() -> None:
    assert kinds(Moves) == []
    assert states(Moves) == 4


def test_atomic_waits_before_it_begins() -> None:
    class Waits(Model):
        x = 0
        lock = threading.Lock()

        @thread
        def holder(self):
            with self.lock:
                self.x = 1
                self.x = 2

        @thread
        def waiter(self):
            with atomic():
                seen = self.x
                with self.lock:
                    assert self.x == seen != 1
                    self.x += 10

    assert kinds(Waits) == []
    assert ends(Waits, "x") == {(2,), (12,)}


def test_leaving_atomic_by_an_exception_or_return() -> None:
    class Leaves(Model):
        x = 0
        y = 0

        def helper(self):
            with atomic():
                self.x += 1
                if self.x:
                    return self.x
            return -1

        @thread
        def run(self):
            try:
                with atomic():
                    self.x += 1
                    raise KeyError
            except KeyError:
                self.y = self.helper()
            self.y = self.y + 1

        @thread
        def other(self):
            self.x = 5

    # The write of 5 comes last; between the atomic blocks; or first.
    assert ends(Leaves, "x", "y") == {(5, 3), (6, 7), (7, 8)}


def test_choose_in_atomic() -> None:
    class Chooses(Model):
        x = 0
        lock = threading.Lock()

        @thread
        def run(self):
            with atomic():
                a = choose([1, 2, 3])
                if a == 3:
                    with self.lock:  # free: a lock that is held would rule this choice out
                        self.x = a + choose([10, 20])
                elif a == 2:
                    self.lock.acquire()
                    self.lock.acquire()
                else:
                    self.x = a

    assert ends(Chooses, "x") == {(1,), (13,), (23,)}
    assert states(Chooses) == 4


def test_choose_gives_back_what_the_thread_made() -> None:
    class Same(Model):
        x = 0

        @thread
        def run(self):
            xs, ys = [1], [2]
            zs = choose([xs, ys])
            zs.append(3)
            self.x = len(xs) * 10 + len(ys)

    assert ends(Same, "x") == {(21,), (12,)}


def test_empty_section() -> None:
    class Sections(Model):
        @thread(2)
        def run(self):
            with section("s"):
                pass

        @invariant
        def alone(self):
            return self.inside("s") < 2

    assert kinds(Sections) == ["invariant"]
    assert states(Sections) == 9


def test_section_in_a_helper() -> None:
    class Sections(Model):
        x = 0
        lock = threading.Lock()

        def work(self):
            with section("s"):
                if self.x > 5:
                    return 1
                self.x += 1
            return 0

        @thread(2)
        def run(self):
            with self.lock:
                self.work()

        @invariant
        def alone(self):
            return self.inside("s") <= 1

    assert kinds(Sections) == []


# Locks


def test_a_lock_released_by_another_thread() -> None:
    class Signal(Model):
        x = 0
        lock = threading.Lock()

        def setup(self) -> None:
            self.lock.acquire()

        @thread
        def waits(self):
            self.lock.acquire()
            self.x += 1

        @thread
        def signals(self):
            self.x = 5
            self.lock.release()

    assert ends(Signal, "x") == {(6,)}
    assert kinds(Signal) == []
    assert states(Signal) == 6


def test_rlock() -> None:
    class Again(Model):
        x = 0
        lock = threading.RLock()

        @thread(2)
        def run(self):
            with self.lock, self.lock:
                self.x += 1

    assert ends(Again, "x") == {(2,)}
    assert kinds(Again) == []

    class Stolen(Model):
        lock = threading.RLock()

        @thread
        def takes(self):
            self.lock.acquire()

        @thread
        def gives(self):
            self.lock.release()

    (violation,) = result(Stolen).violations
    assert violation.kind == "exception"
    assert "cannot release un-acquired lock" in violation.message


def test_acquire_that_does_not_wait() -> None:
    class Tries(Model):
        x = 0
        lock = threading.Lock()

        @thread
        def run(self):
            if self.lock.acquire(timeout=1):
                self.x += 1
            elif not self.lock.acquire(False):
                self.x += 10

        @thread
        def other(self):
            with self.lock:
                self.x += 100

    # It gets the lock and keeps it (1, or 101 where the other was done); or does not and never has
    # it: 110, of which either half may be lost; or gets it the second time: 100.
    assert ends(Tries, "x") == {(1,), (101,), (110,), (10,), (100,)}
    assert set(kinds(Tries)) == {"deadlock", "lost-update"}


# What a state holds


def spin(body: str, methods: str) -> type[Model]:
    text = written(
        body,
        shared="flag = False\nn = 0",
        methods=f"{methods}\n@thread\ndef setter(self):\n    self.flag = True",
    )
    folder = Path(os.environ["PYTEST_CURRENT_TEST_FOLDER"])
    return load(folder / "spin.py", text)


@pytest.mark.parametrize(
    ("body", "methods"),
    [
        ("while not self.flag:\n    pass", ""),
        ("self.wait()", "def wait(self):\n    while not self.flag:\n        pass"),
        (
            "self.wait(3)",
            "def wait(self, n):\n    while True:\n        if self.flag:\n            return n",
        ),
        ("while not (x := self.flag):\n    pass\nprint(x)", ""),
        ("while True:\n    x = self.flag\n    if x: break", ""),
        (
            "while True:\n    if self.get(): break",
            "def get(self, *, a=[][:0] or 0):\n    return self.flag",
        ),
        ("while not self.get:\n    pass", "@property\ndef get(self):\n    return self.flag"),
        ("while not any(self.flag for _ in range(1)):\n    pass", ""),
        ("while not [self.flag][0]:\n    pass", ""),
        ("done = False\nwhile not done:\n    done = self.flag", ""),
        ("while not self.flag:\n    try:\n        pass\n    finally:\n        pass", ""),
    ],
)
def test_a_spin_loop_has_three_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, methods: str
) -> None:
    monkeypatch.setenv("PYTEST_CURRENT_TEST_FOLDER", str(tmp_path))
    assert states(spin(body, methods)) == 3


def test_dead_locals_are_no_part_of_a_state() -> None:
    class Dead(Model):
        x = 0
        y = 0

        @thread
        def run(self):
            a = choose([1, 2, 3])
            b = choose([1, 2, 3])
            self.x = a % 1
            del b
            self.y = 1
            self.y = 2

    # b lives until `del` (which may fail), and not any longer: 1 + 3 + 9 + 1 + 1 + 1.
    assert states(Dead) == 1 + 3 + 9 + 1 + 1 + 1


IN_A_WITH = {
    "bound again in it": "kept = self.n\nself.n = kept",
    "bound again in a loop in it": "for kept in (4, 5):\n    self.n = kept",
    "bound again after a condition": "if self.n:\n    pass\nkept = 5",
    "bound again where it raises": "self.n = 1\nkept = self.table[self.n]",
    "left by a return": "if self.n > 3:\n    return\nkept = 5",
    "used in it": "self.n = kept\nkept = 5",
}
"""Bodies that bind `kept`, which is used behind them."""


@pytest.mark.parametrize("name", IN_A_WITH)
def test_a_with_has_the_states_of_acquire_and_release(tmp_path: Path, name: str) -> None:
    def model(inside: str) -> type[Model]:
        return load(
            tmp_path / "locks.py",
            "import threading\nfrom interleave import Model, choose, thread\n\n\n"
            "class Locks(Model):\n    n = 0\n    table = {0: 5, 1: 6}\n"
            "    lock = threading.Lock()\n\n    @thread(2)\n    def run(self):\n"
            "        kept = choose([0, 1, 2])\n" + textwrap.indent(inside, " " * 8) + "\n"
            "        self.n = kept\n",
        )

    body = textwrap.indent(IN_A_WITH[name], " " * 4)
    by_hand = f"self.lock.acquire()\ntry:\n{body}\nfinally:\n    self.lock.release()"
    assert states(model(f"with self.lock:\n{body}")) == states(model(by_hand))


def test_choosing_in_atomic_forgets_what_was_chosen_before() -> None:
    class Chooses(Model):
        x = 0

        @thread
        def run(self):
            q = choose([0, 1, 2])
            with atomic():
                q = choose([4, 5])
            self.x = q

    # Nobody knows any more, when the block begins, what q was: 1 + 1 + 2 + 2.
    assert states(Chooses) == 1 + 1 + 2 + 2


SWALLOWING = {
    "a manager of one's own": "Swallows()",
    "suppress": "suppress(KeyError)",
    "the inner one of two": "self.lock, Swallows()",
    "the outer one of two": "Swallows(), self.lock",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SWALLOWING)
def test_where_an_exception_is_swallowed_locals_are_as_before_it(tmp_path: Path, name: str) -> None:
    model = load(
        tmp_path / "swallows.py",
        "import threading\nfrom contextlib import suppress\n"
        "from interleave import Model, choose, thread\n\n\n"
        "class Swallows:\n    def __enter__(self):\n        return self\n\n"
        "    def __exit__(self, kind, error, trace):\n        return kind is KeyError\n\n\n"
        "class Reads(Model):\n    x = y = 0\n    table = {}\n    lock = threading.Lock()\n\n"
        "    @thread(2)\n    def run(self, i):\n        self.table[7] = 0\n"
        f"        q = choose([1, 2])\n        with {SWALLOWING[name]}:\n"
        "            self.y = 1\n            q = self.table[choose([7, 8])]\n"
        "        self.x = q + 4 * i\n",
    )
    assert ends(model, "x") == {(n + 4 * i,) for n in (0, 1, 2) for i in (0, 1)}
    results = [check(model, engine=engine).models[0] for engine in ("reference", "native")]
    assert results[0] == results[1]


def test_an_exception_is_forgotten_after_its_handler() -> None:
    class Forgets(Model):
        x = 0

        @thread
        def run(self):
            try:
                raise KeyError(choose([1, 2, 3]))
            except KeyError as error:
                self.x = 0 * error.args[0]
            self.x = 5

    assert states(Forgets) == 1 + 3 + 1 + 1


def test_suspending_cannot_be_observed() -> None:
    """Whatever opaque code does when it is suspended, it is suspended, and nothing comes of it."""

    class Stubborn:
        def __init__(self, model):
            self.model = model

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.model.x += 100
            return True

    class Keeps(Model):
        x = 0
        y = 0

        @property
        def stubborn(self):
            with Stubborn(self):
                try:
                    self.y += 1
                    self.x += 1
                except:  # noqa: E722
                    self.x = 50
                finally:
                    self.y += 10
            return self.x

        @thread
        def run(self):
            self.x = self.stubborn + 1

        @thread
        def other(self):
            self.y = 1000

    # 1000 is written after, between the two, before, or between a read and a write.
    assert ends(Keeps, "x", "y") == {(102, 1000), (102, 1010), (102, 1011), (102, 11)}


def test_atomic_inside_opaque_code() -> None:
    class Opaque(Model):
        x = 0
        y = 0

        @property
        def both(self):
            with atomic():
                self.x += 1
                self.y += 1
            self.x += 0
            return self.x

        @thread(2)
        def run(self):
            print(self.both)

        @invariant
        def y_counts(self):
            return self.y <= 2

    # What comes after atomic() is not atomic: `x += 0` may undo the other's increment.
    assert kinds(Opaque) == ["lost-update"]
    assert ends(Opaque, "x", "y") == {(2, 2), (1, 2)}


def test_copies_of_mutable_locals_are_the_thread_s_own() -> None:
    class Own(Model):
        x = 0

        @thread(2)
        def run(self):
            xs = []
            ys = xs
            for i in range(2):
                xs.append(i)
                self.x = len(ys)

    assert ends(Own, "x") == {(2,)}


# The same order everywhere

SETS = """
from enum import Enum
from interleave import Model, choose, thread

class Color(Enum):
    RED = "r"
    GREEN = "g"
    BLUE = "b"

NAMES = frozenset({"x", "yy", "zzz", "w"})

class M(Model):
    out = ()
    names = {"one", "two", "three", "four"}
    colors = {Color.RED, Color.GREEN, Color.BLUE}
    fixed = frozenset({("a", 1), ("b", 2), ("c", 3)})

    @thread
    def run(self):
        for name in self.names:
            self.out = (name,)
        for color in self.colors | {Color.RED}:
            self.out = (color,)
        for pair in self.fixed - {("a", 1)}:
            self.out = pair
        local = {"p", "q", "r", "s"}
        more = local.union({"t"}) ^ {"u"}
        self.out = tuple(more) + tuple(NAMES) + tuple(x for x in local & more)
        while local:
            self.out = (local.pop(), str(local))
        self.out = (choose({"k", "l", "m"}), choose(list({"e", "f"})), next(iter(NAMES)))
        self.out = tuple({n: 1 for n in self.names}) + tuple({n[0] for n in NAMES})

    @thread
    def other(self):
        self.names.add("five")
        self.out = (self.names.pop(), str(self.names), tuple(self.names))
"""

DUMP = """
import sys
from pathlib import Path
sys.path.insert(0, {support!r})
from running import machine_of
from interleave.loading import load_models
machine = machine_of(load_models(Path({file!r}))[0])
seen, waiting = dict(), machine.initial()
for state in waiting:
    if state in seen:
        continue
    seen[state] = len(seen)
    for thread in range(len(machine.program.threads)):
        waiting += [machine.after(state, s) for s in machine.step(state, thread).steps]
values = machine.program.heap.values
for state in seen:
    print([repr(values[i]) for i in state[:machine.locations]])
    print(state)
"""


@pytest.mark.slow
def test_hash_seeds_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "sets.py"
    file.write_text(SETS)
    script = DUMP.format(file=str(file), support=str(Path(running.__file__).parent))
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    ]
    assert len(outputs[0].splitlines()) > 100
    assert len(set(outputs)) == 1


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize(
    "looks",
    [
        "f = lambda: x\nself.out = f()",
        "def f(): return x\nself.out = f()",
        "def f():\n    def g(): return x\n    return g()\nself.out = f()",
        "self.out = [f() for f in (lambda: x,)][0]",
        "self.out = max(7, 8, key=lambda _: 0) and (lambda n: x + n)(0)",
        "def f(y=1): return x * y\nself.out = f()",
    ],
)
def test_inner_functions_see_globals_that_others_write(
    tmp_path: Path, looks: str, engine: str
) -> None:
    text = f"""
from interleave import Model, thread
x = 0
class M(Model):
    out = None
    @thread
    def writes(self):
        global x
        x = 1
    @thread
    def looks(self):
{textwrap.indent(looks, " " * 8)}
"""
    (result,) = check(load(tmp_path / "model.py", text), engine=engine).models
    assert result.violations == ()
    assert {dict(each.state)["out"] for each in result.interleavings.outcomes} == {0, 1}


@pytest.mark.parametrize("handler", ["except Odd", "except (KeyError, Odd)", "except* Odd"])
def test_a_handler_does_not_ask_the_metaclass_of_what_it_is_for(
    tmp_path: Path, handler: str
) -> None:
    text = f"""
from interleave import Model, thread

class Meta(type):
    def __instancecheck__(cls, value):
        return True

    def __subclasscheck__(cls, other):
        return True

class Odd(Exception, metaclass=Meta):
    pass

class M(Model):
    n = 0

    @thread
    def run(self):
        try:
            raise ValueError
        {handler}:
            pass
        self.n = 1
"""
    assert running.by_interleave(tmp_path / "model.py", text) == running.by_python(
        tmp_path / "model.py", text
    )


def test_a_metaclass_is_asked_by_the_model_alone(tmp_path: Path) -> None:
    text = """
from interleave import Model, thread

class Box:
    n = 0

BOX = Box()

class Meta(type):
    def __getattr__(cls, name):
        BOX.n += 1
        return BOX.n

class Asked(metaclass=Meta):
    pass

class M(Model):
    seen = 0

    def setup(self):
        self.box = BOX

    @thread
    def run(self):
        kind = Asked
        self.seen += kind.some
        self.seen += kind.other
"""
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    assert dict(outcome.state) == {"box.n": 2, "seen": 3}


@pytest.mark.parametrize(
    ("attribute", "code"),
    [
        ("lst = LIST", "LIST.append(1)\nassert not self.lst"),
        ("lst = LIST", "put(1)\nassert not self.lst"),
        ("box = BOX", "BOX.n = 1\nassert self.box.n == 0"),
        ("boxes = [BOX]", "BOX.n = 1\nassert self.boxes[0].n == 0"),
        ("boxes = {1: (BOX,)}", "self.boxes[1][0].n = 1\nassert BOX.n == 0"),
        ("lock = LOCK", "self.lock.acquire()\nassert not LOCK.locked()"),
        ("lst = LIST", "self.lst.append(1)\nassert self.lst is not LIST"),
    ],
)
def test_what_the_body_of_a_model_has_of_the_module_is_one_object(
    tmp_path: Path, attribute: str, code: str
) -> None:
    text = f"""
import threading
from interleave import Model, thread
class Box:
    def __init__(self):
        self.n = 0
LIST, BOX, LOCK = [], Box(), threading.Lock()
def put(x):
    LIST.append(x)
class M(Model):
    {attribute}
    @thread
    def t(self):
{textwrap.indent(code, " " * 8)}
"""
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert {each.kind for each in result.violations} == {"assertion"}


@pytest.mark.parametrize(
    ("attribute", "code", "is_refused"),
    [
        ("lst = LIST", "LIST.append(1)", True),
        ("box = BOX", "BOX.n = 1", True),
        ("boxes = [BOX]", "BOX.n = 1", True),
        ("lock = LOCK", "LOCK.acquire()", True),
        ("boxes = [BOX]", "self.boxes[0].n = 1", False),
        ("other = [BOX]", "LIST.append(1)", False),
    ],
)
def test_setup_changes_what_the_body_of_a_model_has_by_way_of_that(
    tmp_path: Path, attribute: str, code: str, is_refused: bool
) -> None:
    text = f"""
import threading
from interleave import Model, thread
class Box:
    def __init__(self):
        self.n = 0
LIST, BOX, LOCK = [], Box(), threading.Lock()
class M(Model):
    {attribute}
    def setup(self):
        {code}
    @thread
    def t(self):
        assert not (LIST or BOX.n or LOCK.locked())
"""
    model = load(tmp_path / "model.py", text)
    if is_refused:
        with pytest.raises(ModelError, match="by another way than self, and the body of M has it"):
            check(model)
    else:
        (result,) = check(model).models
        assert {each.kind for each in result.violations} == {"assertion"}
