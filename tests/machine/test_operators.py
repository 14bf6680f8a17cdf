"""Operators of a class of the model's: what real Python makes of them, and whom they lose updates."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from families import drawn
from hypothesis import Phase
from operator_programs import programs
from running import events, load

from interleave import check


@drawn(8, 50, text=programs(), phases=[Phase.generate])
def test_as_in_real_python(tmp_path: Path, text: str) -> None:
    model = load(tmp_path / "model.py", text)
    real = model()
    real.run()
    (result,) = check(model).models
    assert result.violations == (), result.violations
    (outcome,) = result.interleavings.outcomes
    assert dict(outcome.state)["events"] == real.events


HEAD = """
import threading
from interleave import Model, thread

class Table:
    def __init__(self):
        self.lock = threading.RLock()
        self.used = 0
        self.items = {}

    def use(self, by):
        with self.lock:
            self.used += by
            return self.used

    def __getitem__(self, key):
        self.use(1)
        return self.items.get(key, 0)

    def __setitem__(self, key, value):
        self.items[key] = value
        self.use(1)

    def __delitem__(self, key):
        self.use(1)

    def __contains__(self, key):
        return self.use(1) > 9

    def __add__(self, other):
        return self.use(other)

    def __radd__(self, other):
        return self.use(other)

    def __iadd__(self, other):
        self.use(other)
        return self

    def __neg__(self):
        return self.use(1)

    def __lt__(self, other):
        return self.use(1) < 0

    def __eq__(self, other):
        return self.use(1) < 0

    def __len__(self):
        return self.use(1)

    def __bool__(self):
        return self.use(1) > 0

    def __iter__(self):
        self.use(1)
        return iter([1])

    def __enter__(self):
        return self.use(1)

    def __exit__(self, *_):
        self.use(1)

class Steps:
    def __init__(self, table):
        self.table = table
        self.left = 1

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left = 0
        return self.table.use(1)

class M(Model):
    def setup(self):
        self.table = Table()

    @thread(2)
    def run(self, i):
        table = self.table
"""

OPERATIONS = {
    "get": ("table[i]", "Table.__getitem__(table, i)"),
    "set": ("table[i] = i", "Table.__setitem__(table, i, i)"),
    "change": (
        "table[i] += 1",
        "it = Table.__getitem__(table, i) + 1\nTable.__setitem__(table, i, it)",
    ),
    "delete": ("del table[i]", "Table.__delitem__(table, i)"),
    "in": ("i in table", "Table.__contains__(table, i)"),
    "add": ("table + 1", "Table.__add__(table, 1)"),
    "add to": ("1 + table", "Table.__radd__(table, 1)"),
    "in place": ("table += 1", "Table.__iadd__(table, 1)"),
    "minus": ("-table", "Table.__neg__(table)"),
    "less": ("table < 1", "Table.__lt__(table, 1)"),
    "greater": ("1 > table", "Table.__lt__(table, 1)"),
    "equal": ("table == i", "Table.__eq__(table, i)"),
    "unequal": ("table != i", "Table.__eq__(table, i)"),
    "len": ("len(table)", "Table.__len__(table)"),
    "if": ("if table:\n    pass", "Table.__bool__(table)"),
    "not": ("not table", "Table.__bool__(table)"),
    "and": ("table and i", "Table.__bool__(table)"),
    "iter": ("for _ in table:\n    pass", "Table.__iter__(table)"),
    "next": ("for _ in Steps(table):\n    pass", "table.use(1)"),
    "with": ("with table:\n    pass", "Table.__enter__(table)\nTable.__exit__(table)"),
}


@pytest.mark.parametrize("race", [False, True], ids=["locked", "race"])
@pytest.mark.parametrize("case", OPERATIONS)
def test_as_a_call_of_the_method(tmp_path: Path, case: str, race: bool) -> None:
    results = []
    for number, body in enumerate(OPERATIONS[case]):
        text = HEAD + textwrap.indent(body, " " * 8)
        if race:
            text = text.replace("with self.lock:", "if True:")
        (result,) = check(load(tmp_path / f"model{number}.py", text)).models
        results.append({(each.kind, each.location) for each in result.violations})
    assert results[0] == results[1] == ({("lost-update", "table.used")} if race else set())


def test_both_engines(tmp_path: Path) -> None:
    text = HEAD + "        table[i] += 1\n        return i in table and not -table"
    first, second = (
        check(load(tmp_path / "model.py", text), engine=engine).models[0]
        for engine in ("reference", "native")
    )
    assert (first.states, first.interleavings) == (second.states, second.interleavings)


DICTS = """
from collections import Counter, OrderedDict, defaultdict
from interleave import Model, thread

def dicts():
    return Counter(a=1), Counter(a=2, b=1), {"b": 5}, OrderedDict(a=3), defaultdict(int, a=1)

def put_together(one, other):
    try:
        return [*(one OPERATOR other).items()]
    except TypeError:
        return "TypeError"

class M(Model):
    events = ()

    def setup(self):
        self.dicts = dicts()

    @thread
    def run(self):
        log = []
        for one, own in zip(self.dicts, dicts()):
            for other, other_own in zip(self.dicts, dicts()):
                log.append(put_together(one, other))
                log.append(put_together(own, other))
                log.append(put_together(one, other_own))
        self.events = tuple(map(tuple, log))
"""


@pytest.mark.parametrize("operator", ["|", "+", "-", "&"])
def test_shared_dicts_are_put_together_with_others(tmp_path: Path, operator: str) -> None:
    text = DICTS.replace("OPERATOR", operator)
    by_python, by_interleave = events(tmp_path / "model.py", text)
    assert by_python == by_interleave
