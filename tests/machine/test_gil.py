"""The runtime `gil`: where CPython with a GIL lets threads switch, and where it does not."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import check
from interleave.model import Model
from interleave.result import ModelResult

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()

HEADER = """
import threading, time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from interleave import *


def plus_one(x):
    return x + 1


class Color(Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: int


class Money:
    def __init__(self, cents):
        self.cents = cents

    def __add__(self, other):
        return self.cents + other


class M(Model):
    n = 0
    other = 0
    cells = array([0, 0])
    items = []
    queue = deque([1, 2, 3])
    counts = {"a": 0, 7: 0, Color.RED: 0, Point(1): 0}
    flag = False
    lock = threading.Lock()
    lock2 = threading.Lock()

    @property
    def doubled(self):
        return self.n * 2

    @property
    def both(self):
        return self.n + self.other

    def get(self):
        return self.n

    @thread(2)
    def run(self):
        BODY
"""

ONE_STEP = {
    "add to a number": "self.n += 1",
    "read, then write": "t = self.n\nself.n = t + 1",
    "two variables": "self.n += 1\nself.other = self.n",
    "an array element": "self.cells[0] += 1",
    "a key that is a string": 'self.counts["a"] += 1',
    "a key that is a number": "self.counts[7] += 1",
    "a property is entered before it reads": "self.n = self.doubled + 1",
    "an operator is over before it reads": "m = Money(1)\nself.n = (m + 0) + self.n",
    "a condition": "if self.n == 0:\n    self.n = 5\nelse:\n    self.n += 1",
    "each round of a loop": "for _ in range(2):\n    self.n += 1",
    "append": "self.items.append(1)",
    "popleft": "t = self.queue.popleft()\nself.n += t",
}
"""What threads run -> in which no update is lost."""

MORE_STEPS = {
    "sleep": "t = self.n\ntime.sleep(0)\nself.n = t + 1",
    "a call": "self.n = plus_one(self.n)",
    "a call of C code": "self.n = abs(self.n) + 1",
    "a set that is made": "t = self.n\nset()\nself.n = t + 1",
    "an object that is made": "t = self.n\nobject()\nself.n = t + 1",
    "the type of something": "t = self.n\ntype(t)\nself.n = t + 1",
    "a generator that is made": "t = self.n\ng = (y for y in (1,))\nself.n = t + 1",
    "a method": "self.n = self.get() + 1",
    "a loop in between": "t = self.n\nfor _ in range(2):\n    pass\nself.n = t + 1",
    "while": "t = self.n\nwhile t < 2:\n    t += 1\nself.n = t",
    "a comprehension": "t = self.n\nu = [0 for _ in range(2)]\nself.n = t + 1",
    "a generator": "t = self.n\nu = sum(0 for _ in range(2))\nself.n = t + 1",
    "a lock in between": "t = self.n\nwith self.lock:\n    pass\nself.n = t + 1",
    "a key that is a member of an Enum": "self.counts[Color.RED] += 1",
    "a key that is a dataclass": "self.counts[Point(1)] += 1",
    "an operator of a class": "m = Money(1)\nself.n = m + self.n\nself.n = m + self.n",
    "len": "self.n = len(self.items) + self.n\nself.n = max(1, self.n) + 1",
    "two properties": "self.n = self.doubled + self.both + 1",
}
"""What threads run -> in which an update is lost."""

EVERY = {**ONE_STEP, **MORE_STEPS}


def model_of(tmp_path: Path, body: str) -> type[Model]:
    indented = body.replace("\n", "\n        ")
    return load(tmp_path / "model.py", HEADER.replace("BODY", indented))


def checked(model: type[Model], **options: Any) -> ModelResult:
    (result,) = check(model, **options).models
    return result


def kinds(result: ModelResult) -> set[str]:
    return {violation.kind for violation in result.violations}


@pytest.mark.parametrize("what", ONE_STEP)
def test_what_is_one_step(tmp_path: Path, what: str) -> None:
    model = model_of(tmp_path, ONE_STEP[what])
    assert kinds(checked(model, runtime="gil")) == set()


@pytest.mark.parametrize("what", MORE_STEPS)
def test_what_is_more_than_one_step(tmp_path: Path, what: str) -> None:
    model = model_of(tmp_path, MORE_STEPS[what])
    for engine in ("reference", "native"):
        assert kinds(checked(model, runtime="gil", engine=engine)) == {"lost-update"}


@pytest.mark.parametrize("what", EVERY)
def test_without_a_gil_there_is_more(tmp_path: Path, what: str) -> None:
    model = model_of(tmp_path, EVERY[what])
    listed, more = checked(model, runtime="gil"), checked(model)
    assert set(outcomes(listed)) <= set(outcomes(more))
    assert listed.states <= more.states


def test_states_of_one_step_are_counted(tmp_path: Path) -> None:
    result = checked(model_of(tmp_path, "self.n += 1"), runtime="gil")
    assert (result.states, result.transitions) == (4, 4)
    slow = model_of(tmp_path, "t = self.n\ntime.sleep(0)\nself.n = t + 1")
    result = checked(slow, runtime="gil")
    free = checked(model_of(tmp_path, "t = self.n\nself.n = t + 1"))
    assert (result.states, result.transitions) == (free.states, free.transitions) == (12, 14)
    assert sorted(dict(each)["n"] for each in outcomes(result)) == ["1", "2"]


def test_a_lock_that_is_taken_is_waited_for_in_the_middle_of_a_step(tmp_path: Path) -> None:
    """What the step did before is done while the thread waits."""
    body = "self.n += 1\nwith self.lock:\n    self.other += self.n\n    time.sleep(0)"
    result = checked(model_of(tmp_path, body), runtime="gil")
    assert kinds(result) == set()
    found = {(dict(each)["n"], dict(each)["other"]) for each in outcomes(result)}
    assert found == {("2", "3"), ("2", "4")}


def test_two_locks_still_deadlock(tmp_path: Path) -> None:
    body = """
        first, second = (self.lock, self.lock2) if i else (self.lock2, self.lock)
        with first:
            with second:
                self.n += 1
"""
    text = HEADER.replace("def run(self):", "def run(self, i):").replace("BODY", body.strip())
    model = load(tmp_path / "model.py", text)
    for engine in ("reference", "native"):
        result = checked(model, runtime="gil", engine=engine)
        assert kinds(result) == {"deadlock"}


def test_a_spinning_thread_lets_others_run(tmp_path: Path) -> None:
    body = """
        if i == 0:
            self.flag = True
        while not self.flag:
            pass
        self.n += 1
"""
    text = HEADER.replace("def run(self):", "def run(self, i):").replace("BODY", body.strip())
    result = checked(load(tmp_path / "model.py", text), runtime="gil")
    assert result.verdict == "verified"


def test_the_condition_of_a_later_round_can_be_stale(tmp_path: Path) -> None:
    """CPython asks at the end of a round, and may switch before the next; not before the first."""
    body = "while self.n < {most}:\n    self.n += 1"
    for most, ends in ((1, {"1"}), (2, {"2", "3"}), (3, {"3", "4"})):
        result = checked(model_of(tmp_path, body.format(most=most)), runtime="gil")
        assert {dict(each)["n"] for each in outcomes(result)} == ends


# Code that is run as a whole

BETWEEN = {
    "nothing": "pass",
    "a for": "for _ in range(1): pass",
    "a while": "k = 0\nwhile k < 1: k += 1",
    "a call": "plus_one(1)",
    "a call of C code": "abs(1)",
    "a type": "float(1)",
    "a set": "set()",
    "a frozen set": "frozenset((1,))",
    "an object": "object()",
    "the type of something": "type(v)",
    "a generator that is made": "g = (0 for _ in ())",
    "a comprehension": "[0 for _ in range(1)]",
    "a lambda": "(lambda: 1)()",
    "a helper with a loop": "loops()",
}
"""What stands between reading and writing -> code."""

WAYS = {
    "an operator": ("def __iadd__(self, more):\nBODY\nreturn self", "t += 1"),
    "a reflected operator": ("def __radd__(self, more):\nBODY\nreturn 0", "1 + t"),
    "a getter": ("@property\ndef it(self):\nBODY", "t.it"),
    "a setter": ("@property\ndef it(self): pass\n@it.setter\ndef it(self, v):\nBODY", "t.it = 1"),
    "an item": ("def __getitem__(self, key):\nBODY", "t[1]"),
    "a comparison": ("def __lt__(self, other):\nBODY\nreturn True", "t < 1"),
    "membership": ("def __contains__(self, other):\nBODY\nreturn True", "1 in t"),
    "the length": ("def __len__(self):\nBODY\nreturn 1", "len(t)"),
    "truth": ("def __bool__(self):\nBODY\nreturn True", "not t"),
    "text": ("def __format__(self, how):\nBODY\nreturn ''", "f'{t}'"),
    "a context": ("def __enter__(self): pass\ndef __exit__(self, *how):\nBODY", "with t: pass"),
}
"""How the code is reached -> the methods of a class, and what threads do with its instance."""

WHOLE = """
import functools
from interleave import *


def plus_one(x):
    return x + 1


def loops():
    for _ in range(1):
        pass


class Total:
    def __init__(self):
        self.n = 0

    METHODS


class M(Model):
    def setup(self):
        self.total = Total()

    @thread(2)
    def run(self):
        t = self.total
        USE
"""


def indented(text: str, depth: int) -> str:
    return text.replace("\n", "\n" + "    " * depth)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("between", BETWEEN)
def test_code_that_python_calls_has_the_same_switch_points(
    tmp_path: Path, way: str, between: str
) -> None:
    methods, use = WAYS[way]
    body = f"    v = self.n\n{BETWEEN[between]}\nself.n = v + 1"
    methods = methods.replace("BODY", indented(body, 1))
    methods = methods.replace("\nreturn", "\n    return")
    source = WHOLE.replace("METHODS", indented(methods, 1)).replace("USE", use)
    found = kinds(checked(load(tmp_path / "model.py", source), runtime="gil"))
    assert found == (set() if between == "nothing" else {"lost-update"})


# Code that something else calls

CALLS = {
    "map": "list(map(it, (1,)))",
    "filter": "list(filter(it, (1,)))",
    "filter by truth": "list(filter(None, (it,)))",
    "iter": "next(iter(it, 1), 0)",
    "a lambda": "(lambda: it())()",
    "a lambda as a key": "sorted((1,), key=lambda _: it())",
    "a partial": "partial(it)()",
    "getattr": 'getattr(it, "bumps")',
    "hasattr": 'hasattr(it, "bumps")',
    "setattr": 'setattr(it, "bumps", 1)',
    "print": "print(it)",
    "a format": "f'{it!r}'",
    "min": "min((it, it))",
    "max by a key": "max((1, 2), key=it)",
    "any": "any((it,))",
    "sum": "sum((it,))",
    "in a list": "it in [1]",
}
"""What calls a method that writes what the thread has read before -> code."""

CALLED = """
from functools import partial
from interleave import *


class It:
    def __init__(self, m, n):
        self.m, self.n = m, n

    def __call__(self, *_):
        self.m.n = self.n
        return 0

    bumps = property(__call__, __call__)
    __lt__ = __gt__ = __eq__ = __radd__ = __call__
    __hash__ = None

    def __bool__(self):
        return bool(self())

    def __repr__(self):
        self.m.n = self.n
        return ""


class M(Model):
    n = 0

    @thread(2)
    def run(self):
        it = It(self, 0)
        it.n = self.n + 1
        CALL
"""


@pytest.mark.parametrize("what", CALLS)
def test_code_is_entered_whatever_calls_it(tmp_path: Path, what: str) -> None:
    source = CALLED.replace("CALL\n", f"{CALLS[what]}\n")
    assert kinds(checked(load(tmp_path / "model.py", source), runtime="gil")) == {"lost-update"}


# Code that runs as it is

CHANGES = {"+=": 1, "-=": 1, "|=": 7, "&=": 3}
"""Operators of a `Counter` that change it -> the count that they are given for a 5."""

LOOKS = {
    "+": "Counter(a=1, b=1) + self.counts",
    "-": "Counter(a=9, b=9) - self.counts",
    "|": "Counter(a=1, b=1) | self.counts",
    "&": "Counter(a=9, b=9) & self.counts",
    "a lambda": "sorted([self], key=keep)[0].kept",
    "a chain of dicts": "looked_up(ChainMap(self.empty, self.counts))",
}
"""Expressions that look at two counts, one after the other."""

AS_IT_IS = """
from collections import ChainMap, Counter
from interleave import *

keep = lambda m: setattr(m, "kept", (m.counts["a"], abs(1), m.counts["b"])) or 0


def looked_up(chain):
    return chain["a"], chain["b"]


class M(Model):
    counts = Counter(a=5, b=5)
    empty = {}
    kept = seen = None

    @thread
    def change(self):
        CHANGE

    @thread
    def look(self):
        self.seen = LOOK
"""


def seen(tmp_path: Path, change: str, look: str) -> set[str]:
    """What a thread can have seen at the end."""
    source = AS_IT_IS.replace("CHANGE", indented(change, 2)).replace("LOOK", look)
    model = load(tmp_path / "model.py", source)
    results = [checked(model, runtime="gil", engine=each) for each in ("reference", "native")]
    assert outcomes(results[0]) == outcomes(results[1])
    return {dict(each)["seen"] for each in outcomes(results[0])}


@pytest.mark.parametrize("operator", CHANGES)
def test_a_counter_is_changed_in_a_loop(tmp_path: Path, operator: str) -> None:
    count = CHANGES[operator]
    change = f"counts = self.counts\ncounts {operator} Counter(a={count}, b={count})"
    new = eval(f"5 {operator[0]} {count}") if operator in ("+=", "-=") else count
    found = seen(tmp_path, change, 'self.counts["a"], self.counts["b"]')
    assert found == {"(5, 5)", f"({new}, 5)", f"({new}, {new})"}


@pytest.mark.parametrize("operator", CHANGES)
def test_one_count_is_changed_in_one_step(tmp_path: Path, operator: str) -> None:
    change = f"counts = self.counts\ncounts {operator} Counter(a={CHANGES[operator]})"
    source = AS_IT_IS.replace("@thread\n    def change", "@thread(2)\n    def change")
    source = source.replace("CHANGE", indented(change, 2)).replace("LOOK", "None")
    model = load(tmp_path / "model.py", source.replace("a=5, b=5", "a=5"))
    assert kinds(checked(model, runtime="gil")) == set()


@pytest.mark.parametrize("what", LOOKS)
def test_what_looks_twice_can_see_two_moments(tmp_path: Path, what: str) -> None:
    change = 'self.counts["a"], self.counts["b"] = 2, 2'
    assert len(seen(tmp_path, change, LOOKS[what])) == 3


UNRELATED = """
from collections import Counter, defaultdict
from interleave import *


class Unrelated:
    def METHOD(self, *_):
        return NotImplemented


class M(Model):
    made = defaultdict(list)
    counts = Counter(a=1)
    n = 0

    @thread(2)
    def run(self):
        LINE
"""

BUILT_IN = {
    "self.made['k'].append(1)": ("__getitem__",),
    "self.n += self.counts['a']": ("__getitem__", "__iadd__", "__radd__"),
    "self.counts['a'] += 1": ("__getitem__", "__setitem__", "__add__"),
    "self.n = self.n + 1 if self.made else self.n + 1": ("__bool__", "__len__", "__radd__"),
    "self.n = self.n + (self.n == 0) + (-self.n in self.counts)": ("__eq__", "__contains__"),
    "del self.counts['a']": ("__delitem__",),
}
"""Lines that are about built-in types -> methods that their operators come to elsewhere."""


@pytest.mark.parametrize("line", BUILT_IN)
def test_another_class_adds_no_place_to_switch(tmp_path: Path, line: str) -> None:
    numbers = []
    for method in ("unrelated", *BUILT_IN[line]):
        source = UNRELATED.replace("METHOD", method).replace("LINE", line)
        result = checked(load(tmp_path / "model.py", source), runtime="gil")
        numbers.append((result.states, result.transitions, kinds(result)))
    assert set(map(str, numbers)) == {str(numbers[0])}


# The real interpreter

Values = tuple[tuple[str, str], ...]

RUNS = 300
"""How often the real interpreter runs each program."""


def outcomes(result: ModelResult) -> list[Values]:
    """How a check says that a model can end."""
    assert result.interleavings is not None
    return [
        tuple((name, str(value)) for name, value in each.state if "lock" not in name)
        for each in result.interleavings.outcomes
    ]


def run_for_real(model: type[Model], names: list[str]) -> Values:
    """How a model ends when its two threads are real ones."""
    instance: Any = model()
    for name in ("items", "queue", "counts"):
        setattr(instance, name, getattr(instance, name).copy())
    instance.cells = list(instance.cells)
    ready = threading.Barrier(2)

    def run() -> None:
        ready.wait()
        instance.run()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return tuple((name, str(eval(f"i.{name}", {"i": instance}))) for name in names)


@pytest.mark.skipif(not GIL, reason="this Python has no GIL")
@pytest.mark.parametrize("what", EVERY)
def test_the_real_interpreter_does_nothing_else(tmp_path: Path, what: str) -> None:
    model = model_of(tmp_path, EVERY[what])
    listed = set(outcomes(checked(model, runtime="gil")))
    names = [name for name, _ in next(iter(listed))]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        found = {run_for_real(model, names) for _ in range(RUNS)}
    finally:
        sys.setswitchinterval(before)
    assert found <= listed
