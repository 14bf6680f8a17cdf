"""Shared dicts whose code Python calls itself: factories of `defaultdict`, methods of `Counter`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import check
from interleave.errors import ModelError
from interleave.model import Model
from interleave.result import ModelResult

RUNTIMES = ("gil", "free-threaded")

HEADER = """
import functools, threading
from collections import Counter, defaultdict
from interleave import *


class Box:
    def __init__(self):
        self.n = 0
        self.items = []


def make():
    return []


def pair():
    return [], Box()


class M(Model):
    d = DICT
    n = 0
    lock = threading.Lock()

    @thread(2)
    def run(self):
        BODY
"""

LOCKED = """
    @postcondition
    def as_one_after_the_other(self):
        return EXPECTED
"""

CHANGES = {
    "a list": ("list", "self.d['a'].append(1)", "self.d['a'] == [1, 1]"),
    "a list, in place": ("list", "self.d['a'] += [1]", "self.d['a'] == [1, 1]"),
    "two keys": (
        "list",
        "(self.d['a'], self.d['b'])[1].append(1)",
        "self.d == {'a': [], 'b': [1, 1]}",
    ),
    "a list in itself": ("list", "self.d['a'].append(self.d['a'])", "len(self.d['a']) == 2"),
    "what is made meanwhile": ("list", "self.d['a'].append([1])", "self.d['a'] == [[1], [1]]"),
    "a set": ("set", "self.d['a'].add(len(self.d['a']))", "self.d['a'] == {0, 1}"),
    "a dict": ("dict", "self.d['a'][len(self.d['a'])] = 1", "self.d['a'] == {0: 1, 1: 1}"),
    "a function": ("make", "self.d['a'].append(1)", "self.d['a'] == [1, 1]"),
    "a lambda": ("lambda: [0]", "self.d['a'].append(1)", "self.d['a'] == [0, 1, 1]"),
    "a partial": (
        "functools.partial(list, (0,))",
        "self.d['a'].append(1)",
        "self.d['a'] == [0, 1, 1]",
    ),
    "a pair": (
        "pair",
        "self.d['a'][0].append(1); self.d['a'][1].n += 1",
        "self.d['a'][0] == [1, 1] and self.d['a'][1].n == 2",
    ),
    "an instance": ("Box", "self.d['a'].n += 1", "self.d['a'].n == 2"),
    "a part of an instance": ("Box", "self.d['a'].items.append(1)", "self.d['a'].items == [1, 1]"),
    "a defaultdict": (
        "lambda: defaultdict(list)",
        "self.d['a']['b'].append(1)",
        "self.d['a']['b'] == [1, 1]",
    ),
    "a counter": ("Counter", "self.d['a']['b'] += 1", "self.d['a']['b'] == 2"),
    "a number": ("int", "self.d['a'] += 1", "self.d['a'] == 2"),
}
"""What is made for a key -> a factory, what changes it in the same statement, what comes of two."""


def model_of(tmp_path: Path, made: str, body: str, expected: str = "True") -> type[Model]:
    text = (HEADER + LOCKED).replace("DICT", made).replace("EXPECTED", expected)
    return load(tmp_path / "model.py", text.replace("BODY", body.replace("\n", "\n        ")))


def checked(model: type[Model], **options: Any) -> ModelResult:
    (result,) = check(model, **options).models
    return result


def kinds(result: ModelResult) -> set[str]:
    return {violation.kind for violation in result.violations}


def by_python(model: type[Model]) -> bool:
    """Whether what is expected comes of two threads of which one runs after the other."""
    instance: Any = model()
    instance.d = instance.d.copy()
    instance.run()
    instance.run()
    return bool(instance.as_one_after_the_other())


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("what", CHANGES)
def test_what_is_made_for_a_key_is_what_others_see(tmp_path: Path, what: str, runtime: str) -> None:
    factory, change, expected = CHANGES[what]
    body = f"with self.lock:\n    {change}"
    model = model_of(tmp_path, f"defaultdict({factory})", body, expected)
    assert by_python(model)
    for engine in ("reference", "native"):
        assert kinds(checked(model, runtime=runtime, engine=engine)) == set()


@pytest.mark.parametrize("what", CHANGES)
def test_two_that_miss_make_two(tmp_path: Path, what: str) -> None:
    """Without a GIL the second is stored over the first, and what was done to that is lost."""
    factory, change, expected = CHANGES[what]
    model = model_of(tmp_path, f"defaultdict({factory})", change, expected)
    for engine in ("reference", "native"):
        assert "postcondition" in kinds(checked(model, engine=engine))


LOCKS = ("threading.Lock", "threading.RLock", "threading.Condition", "lambda: threading.Lock()")


@pytest.mark.slow
@pytest.mark.parametrize("factory", LOCKS)
def test_a_lock_for_each_key(tmp_path: Path, factory: str) -> None:
    """It keeps nothing apart where both have made one; a GIL keeps those in C from doing so."""
    body = "with self.d['a']:\n    t = self.n\n    self.n = abs(t) + 1"
    model = model_of(tmp_path, f"defaultdict({factory})", body, "self.n == 2")
    for engine in ("reference", "native"):
        assert "postcondition" in kinds(checked(model, engine=engine))
        in_c = factory == "threading.Lock"
        found = kinds(checked(model, runtime="gil", engine=engine))
        assert ("postcondition" in found) != in_c


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_a_statement_cannot_go_on_with_is_refused_with_a_place(
    tmp_path: Path, runtime: str
) -> None:
    model = model_of(tmp_path, "{}", "[*map(self.d.setdefault, 'a', ([],))][0].append(1)")
    with pytest.raises(ModelError) as refused:
        check(model, runtime=runtime)
    assert refused.value.place is not None


SET_DEFAULTS = {
    "self.d.setdefault('a', []).append(1)": "self.d == {'a': [1, 1]}",
    "self.d.setdefault('a', set()).add(threading.get_ident())": "len(self.d['a']) == 2",
    "self.d.setdefault('a', {}).setdefault('b', []).extend([1])": "self.d['a']['b'] == [1, 1]",
    "self.d.setdefault('a', dict(b=[])).get('b').append(1)": "self.d['a']['b'] == [1, 1]",
    "(self.d.setdefault('a', []), self.d)[0].append(1)": "self.d['a'] == [1, 1]",
    "[self.d.setdefault(k, []).append(1) for k in 'ab']": "self.d == {'a': [1, 1], 'b': [1, 1]}",
    "len(self.d.setdefault('a', [])) or self.d['a'].append(1)": "0 < len(self.d['a']) < 3",
}
"""What shares a container, unless another thread has, and changes it -> what comes of two."""


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("change", SET_DEFAULTS)
def test_a_default_that_is_changed_at_once_is_what_others_see(
    tmp_path: Path, change: str, runtime: str
) -> None:
    model = model_of(tmp_path, "{}", change, SET_DEFAULTS[change])
    for engine in ("reference", "native"):
        assert checked(model, runtime=runtime, engine=engine).verdict == "verified"


COUNTS = {
    "a missing key": ("", "self.d['a'] += 1", 2, RUNTIMES),
    "a key that is there": ("a=1", "self.d['a'] += 1", 3, ("free-threaded",)),
    "update with a dict": ("a=1", "self.d.update({'a': 1})", 3, RUNTIMES),
    "update with a counter": ("a=1", "self.d.update(Counter(a=1))", 3, RUNTIMES),
    "update with keywords": ("a=1", "self.d.update(a=1)", 3, RUNTIMES),
    "update with an iterable": ("a=1", "self.d.update('aa')", 5, ("free-threaded",)),
    "subtract a string": ("a=1", "self.d.subtract('a')", -1, RUNTIMES),
    "subtract a dict": ("a=1", "self.d.subtract({'a': 2})", -3, RUNTIMES),
    "subtract keywords": ("a=1", "self.d.subtract(a=1)", -1, RUNTIMES),
    "in place": ("a=1", "self.d += Counter(a=1)", 3, ("free-threaded",)),
    "a comparison": (
        "a=1",
        "if self.d == Counter(a=1):\n    self.d['a'] = 3\nelse:\n    self.d['b'] = 1",
        3,
        RUNTIMES,
    ),
}
"""What threads do -> the counts before, a statement, the count after two, and where two can differ
from one after the other.
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("what", COUNTS)
def test_methods_of_a_counter_are_python_code(tmp_path: Path, what: str, runtime: str) -> None:
    before, change, done, differing = COUNTS[what]
    expected = f"self.d['a'] == {done} and self.d['b'] == {int('else' in change)}"
    model = model_of(tmp_path, f"Counter({before})", change, expected)
    assert by_python(model)
    for engine in ("reference", "native"):
        found = kinds(checked(model, runtime=runtime, engine=engine))
        assert ("postcondition" in found) == (runtime in differing)
    body = "with self.lock:\n    " + change.replace("\n", "\n    ")
    locked = model_of(tmp_path, f"Counter({before})", body, expected)
    assert kinds(checked(locked, runtime=runtime)) == set()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_count_that_both_find_is_taken_out_once(tmp_path: Path, runtime: str) -> None:
    model = model_of(tmp_path, "Counter(a=1)", "del self.d['a']", "self.d['a'] == 0")
    assert by_python(model)
    assert kinds(checked(model, runtime=runtime)) == {"exception"}
