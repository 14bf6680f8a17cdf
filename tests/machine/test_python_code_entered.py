"""Code of the user's that Python enters where the source shows no call: `gil` lets others in there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import ModelError, check

HEADER = """
from collections import ChainMap, Counter, OrderedDict, UserList, defaultdict, deque
from dataclasses import dataclass
from interleave import Model, thread

class K:
    def __hash__(self): return 1
    def __eq__(self, other): return True
    def __index__(self): return 0
    def __lt__(self, other): return True
    def __bool__(self): return True
    def __iter__(self): return iter((1,))
    def __str__(self): return "x"
    def __format__(self, how): return ""
    def __add__(self, other): return 0
    __radd__ = __rmul__ = __iadd__ = __add__
    def keys(self): return (1,)
    def __getitem__(self, key): return 1
    def __contains__(self, key): return True

class Place:
    def __index__(self): return 0

@dataclass
class Pair:
    a: object

def zero():
    return 0
"""

CONTAINERS = {
    "items": "[K(), 2, 3]", "table": "{1: 1}", "kinds": "{1}", "line": "deque([0, 1])",
    "counts": "Counter({1: 1})", "ordered": "OrderedDict({1: 1})", "made": "defaultdict(zero)",
    "fixed": "frozenset((1,))", "text": "'abc'", "pair": "Pair(K())", "key": "K()",
    "chained": "ChainMap({}, {'a': 1})",
}  # fmt: skip

ENTERED = [
    # Of shared containers, which no thread changes.
    "m.items[place]", "m.items[place:]", "m.items < [key]", "m.text[place]", "m.line[place]",
    "m.table == {1: key}", "m.table[key]", "key in m.table", "key in m.fixed", "m.kinds == {key}",
    "m.counts[key]", "m.ordered[key]", "m.made[7]", "m.pair == Pair(key)", "m.key < 1",
    "m.table | {key: 1}", "(m.table, m.kinds)[place]", "key in m.items",
    # Of shared containers that threads change.
    "m.items[place] = 1", "del m.items[place]", "m.items[place:] = [4]", "m.items *= key",
    "m.items *= place", "m.table[key] = 1", "m.table |= {key: 1}", "m.kinds |= {key}",
    "m.kinds -= {key}", "m.made[5] += 1", "m.counts[key] += 1", "m.items += key",
    # Of classes of the library, by operators that classes of the model define as well.
    "m.counts[7]", "c = Counter(); c[7]", "m.chained['a']", "ChainMap({}, {1: 1})[1]", "UserList() + [1]",
    # Of a thread's own.
    "[1][place]", "{1: 1}[key]", "{key}", "(key,) == (1,)", "not key", "[*key]", "{**key}",
    "f'{key}'", "'%s' % key", "1 + key", "[1] * key", "1 in key", "a, = key", "key += 1",
]  # fmt: skip


def verdicts(tmp_path: Path, body: str) -> set[str]:
    used = dict.fromkeys(re.findall(r"m\.(\w+)", body))
    lines = [
        HEADER,
        "class M(Model):",
        "    n = 0",
        *[f"    {name} = {CONTAINERS[name]}" for name in used if name in CONTAINERS],
        "    @thread(2)",
        "    def t(self):",
        "        m, key, place = self, K(), Place()",
        *[f"        {each}" for each in body.split("\n")],
    ]
    model: Any = load(tmp_path / "model.py", "\n".join(lines))
    (result,) = check(model, runtime="gil").models
    return {each.kind for each in result.violations}


@pytest.mark.parametrize("code", ENTERED)
def test_others_come_in_where_python_code_is_entered(tmp_path: Path, code: str) -> None:
    assert "lost-update" in verdicts(tmp_path, f"x = m.n\n{code}\nm.n = x + 1")


@pytest.mark.parametrize(
    "code",
    ["m.items[0]", "m.table[1]", "1 in m.table", "m.made[5] = 1", "m.items + [key]",
     "[key]", "(key, 1)", "m.text[0]", "m.kinds == {1}"],
)  # fmt: skip
def test_others_do_not_come_in_elsewhere(tmp_path: Path, code: str) -> None:
    assert verdicts(tmp_path, f"x = m.n\n{code}\nm.n = x + 1") == set()


BETWEEN = {
    "__str__": ["print(p, q)", "f'{p!s}{q!s}'", "'%s%s' % (p, q)", "[*map(str, (p, q))]"],
    "__repr__": ["str([p, q])", "f'{[p, q]}'"],
    "__eq__": [
        "p == 1 == q",
        "(p, q) == (1, 2)",
        "{1: p, 2: q} == {1: 1, 2: 2}",
        "[p, q] == [1, 2]",
    ],
    "__lt__": ["sorted([1, p, q])", "min(1, p, q)"],
    "__bool__": ["p and q and 1", "not p or not q", "all([p, q])", "[i for i in (p, q) if i]"],
    "__index__": ["'abc'[p:q]", "range(p, q)", "m.items[p] + m.items[q]"],
    "__iter__": ["[*p, *q]", "tuple(p) + tuple(q)", "[i for x in (p, q) for i in x]"],
    "__call__": ["p(); q()", "[*map(p, [1]), *map(q, [2])]", "max(1, 2, key=p); max(1, 2, key=q)"],
    "__hash__": ["{p: 1, q: 2}", "p in m.kinds or q in m.kinds"],
}
"""What calls a method of two objects, by the method."""

GIVEN = {
    "__str__": "'x'", "__repr__": "'x'", "__eq__": "True", "__lt__": "False", "__bool__": "True",
    "__index__": "1", "__iter__": "iter(())", "__call__": "True", "__hash__": "1",
}  # fmt: skip


@pytest.mark.parametrize("runtime", ["gil", "free-threaded"])
@pytest.mark.parametrize(
    ("method", "code"), [(name, each) for name, codes in BETWEEN.items() for each in codes]
)
def test_what_two_objects_touch_is_not_one_step(
    tmp_path: Path, method: str, code: str, runtime: str
) -> None:
    arguments = {"__eq__": "self, o", "__lt__": "self, o", "__call__": "self, *a"}
    text = f"""
from interleave import Model, thread
class Item:
    def __init__(self, model, hold, first):
        self.model, self.hold, self.first = model, hold, first
    def {method}({arguments.get(method, "self")}):
        if self.first:
            self.hold[0] = self.model.n
        else:
            self.model.n = self.hold[0] + 1
        return {GIVEN[method]}
    {"def __eq__(self, o): return self is o" if method == "__hash__" else ""}
class M(Model):
    n, items, kinds = 0, [0, 0], set()
    @thread(2)
    def t(self):
        m, hold = self, [0]
        p, q = Item(self, hold, True), Item(self, hold, False)
        {code}
"""
    model: Any = load(tmp_path / "model.py", text)
    try:
        (result,) = check(model, runtime=runtime).models
    except ModelError as error:
        assert "happens inside another one" in error.what
    else:
        assert "lost-update" in {each.kind for each in result.violations}


def test_keys_that_touch_shared_state_are_refused(tmp_path: Path) -> None:
    text = """
from interleave import Model, thread
class Key:
    def __init__(self, model):
        self.model = model
    def __hash__(self):
        return self.model.n
class M(Model):
    n = 0
    @thread(2)
    def t(self):
        d = {}
        d[Key(self)] = 1
        self.n += 1
        len(d)
"""
    model: Any = load(tmp_path / "model.py", text)
    with pytest.raises(ModelError, match="__hash__ or __eq__ of a key touches shared state"):
        check(model)
