"""`itertools` and `functools.reduce`: as in Python, and others run between one item and the next."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

import pytest
from families import crossed
from running import load, unload

from interleave import InterleaveError, check

OVER = {
    "accumulate": "itertools.accumulate({})",
    "accumulate by a function": "itertools.accumulate({}, lambda a, b: b)",
    "accumulate from": "itertools.accumulate({}, initial=100)",
    "compress": "itertools.compress({}, [1, 0, 1, 1])",
    "dropwhile": "itertools.dropwhile(lambda x: x == 51, {})",
    "filterfalse": "itertools.filterfalse(lambda x: x == 52, {})",
    "filterfalse of None": "itertools.filterfalse(None, {})",
    "pairwise": "itertools.pairwise({})",
    "starmap": "itertools.starmap(max, zip({}, (0, 0, 60, 0)))",
    "takewhile": "itertools.takewhile(lambda x: x != 53, {})",
    "zip_longest": "itertools.zip_longest({}, [1], (2, 3), fillvalue=0)",
    "reduce": "[functools.reduce(lambda a, b: a * 100 + b, {}, 7)]",
    "reduce of some": "[functools.reduce(max, {} or [1])]",
    "groupby": "((key, [*group]) for key, group in itertools.groupby([*{}]))",
    "tee": "itertools.tee([*{}])[1]",
    "product": "itertools.product({}, (1, 2))",
}

USES = {
    "list": "found = [*{}]",
    "loop": "for each in {}:\n            found.append(each)",
    "loop that changes it": """for each in {}:
            found.append(each)
            if len(items) < 4:
                items.append(53)
            items[1] = 59""",
    "next": "iterator = iter({})\n        found = [next(iterator, 0), next(iterator, 0), next(iterator, 0)]",
    "unpacked": "first, *found = [0, *{}]",
    "held": "iterator = iter({})\n        for each in iterator:\n            found.append((each, next(iterator, None)))",
}

ALONE = """
import functools, itertools
from interleave import Model, postcondition, thread

class M(Model):
    result = None

    @thread
    def run(self):
        items = [51, 52, 53]
        found = []
        {}
        self.result = repr(found)

    @postcondition
    def as_in_python(self):
        return self.result == {!r}
"""


@pytest.mark.parametrize(
    ("over", "use"), crossed([(each,) for each in OVER], [(each,) for each in USES])
)
def test_as_in_python(tmp_path: Path, over: str, use: str) -> None:
    body = USES[use].format(OVER[over].format("items"))
    names = {"functools": functools, "itertools": itertools, "items": [51, 52, 53], "found": []}
    exec(body.replace("\n        ", "\n"), names)
    (found,) = check(load(tmp_path / "model.py", ALONE.format(body, repr(names["found"])))).models
    assert not found.violations
    unload()


BREAKS = """
import functools, itertools
from interleave import Model, postcondition, thread

def fails(x):
    if x == 52:
        raise {error}
    return True

class M(Model):
    result = None

    @thread
    def run(self):
        found = []
        try:
            made = {over}
            found.append("made")
            for each in made:
                found.append(each)
        except (KeyError, TypeError) as error:
            found.append(type(error).__name__)
        {more}
        self.result = repr(found)

    @postcondition
    def as_in_python(self):
        return self.result == {result!r}
"""

BY = {
    "accumulate": "itertools.accumulate([51, 52, 53], lambda a, b: fails(b) and b)",
    "dropwhile": "itertools.dropwhile(fails, [51, 52, 53])",
    "filterfalse": "itertools.filterfalse(lambda x: not fails(x), [51, 52, 53])",
    "starmap": "itertools.starmap(fails, [(51,), (52,), (53,)])",
    "takewhile": "itertools.takewhile(fails, [51, 52, 53])",
}


def breaking(over: str, error: str = "KeyError(1)", more: str = "pass") -> str:
    """A model in which Python's own result is the one that is asked for."""
    text = BREAKS.format(over=over, error=error, more=more, result="")
    names: dict[str, Any] = {}
    exec(text, names)
    made = names["M"]()
    made.run()
    return BREAKS.format(over=over, error=error, more=more, result=made.result)


@pytest.mark.parametrize("error", ["KeyError(1)", "StopIteration"])
@pytest.mark.parametrize("over", BY.values(), ids=BY)
def test_what_is_called_raises(tmp_path: Path, over: str, error: str) -> None:
    (found,) = check(load(tmp_path / "model.py", breaking(over, error))).models
    assert not found.violations
    unload()


@pytest.mark.parametrize("over", BY.values(), ids=BY)
def test_what_an_exception_has_left_does_not_go_on(tmp_path: Path, over: str) -> None:
    """In CPython it does."""
    text = breaking(over, more="found.append(next(made, None))")
    with pytest.raises(InterleaveError, match="an exception has left this iterator"):
        check(load(tmp_path / "model.py", text))
    unload()


@pytest.mark.parametrize("name", ["accumulate", "compress", "pairwise", "takewhile", "zip_longest"])
def test_iterators_are_made_where_it_is_called(tmp_path: Path, name: str) -> None:
    before = {"compress": "5, ", "takewhile": "fails, "}.get(name, "")
    text = breaking(f"itertools.{name}({before}5)")
    (found,) = check(load(tmp_path / "model.py", text)).models
    assert not found.violations
    unload()


OTHERS = """
import functools, itertools
from interleave import Model, postcondition, thread

class M(Model):
    result = None

    def setup(self):
        self.items = [51, 52, 53, 50]

    @thread
    def goes_through(self):
        found = []
        for each in {}:
            found.append(each)
        self.result = repr(found)

    @thread
    def changes(self):
        self.items[0] = 57
        self.items[3] = 59

    @postcondition
    def not_in_the_wrong_order(self):
        return not {}
"""

SEEN = {
    "accumulate": "'215]' in self.result and '[51,' in self.result",
    "accumulate by a function": "'[51,' in self.result and '59]' in self.result",
    "filterfalse": "'51' in self.result and '59' in self.result",
    "pairwise": "'(51,' in self.result and '59)' in self.result",
    "takewhile": "'[51, 52, 54, 59]' == self.result",
    "zip_longest": "'(51, ' in self.result and '(59, ' in self.result",
    "reduce": "'[751525359]' == self.result",
}
"""Whether the later change was seen, and the earlier one was not."""


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize("over", SEEN)
def test_others_come_in_between(tmp_path: Path, over: str, runtime: str) -> None:
    text = OTHERS.format(OVER[over].format("self.items"), SEEN[over]).replace("!= 53", "!= 99")
    text = text.replace("54, 59]' ==", "53, 59]' ==")
    (found,) = check(load(tmp_path / "model.py", text), runtime=runtime).models
    assert [each.kind for each in found.violations] == ["postcondition"]
    unload()
