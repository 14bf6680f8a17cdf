"""Iterators that are kept and shared: the items that they give, one by one, as real Python does."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import events, load

from interleave import ModelError, check

MODEL = """
import itertools
from interleave import Model, thread

class M(Model):
    events = ()
    n = 0
    it = other = None
    items = ()

    def setup(self):
        self.items = [1, 2, 3]
        {setup}

    def numbers(self):
        it = iter((1, 2, 3, 4))
        for each in it:
            yield each
            self.n += next(it)

    @thread
    def run(self):
        {run}
        log = []
        self.items.append(4)
        for _ in range(6):
            try:
                log.append(next(self.it))
                self.n += 1
            except StopIteration:
                log.append("end")
            if self.other:
                log.append(next(self.other, None))
        self.events = tuple(log)
"""

MADE = [
    "self.it = iter(self.items)",
    "self.it = iter((5, 6))",
    "self.it = iter('ab')",
    "self.it = iter(range(2, 9, 3))",
    "self.it = itertools.cycle([1, 2])",
    "self.it = itertools.cycle(self.items)",
    "self.it = itertools.cycle(())",
    "self.it = enumerate(self.items, 3)",
    "self.it = zip(self.items, 'abc')",
    "self.other = iter(self.items); self.it = enumerate(self.other)",
    "self.it = self.other = itertools.cycle('xyz')",
    "it = iter(self.items); next(it); self.it = zip(it, it)",
    "self.it = itertools.cycle('xyz'); next(self.it)",
    "self.it = iter([]); next(self.it, 0)",
]


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("where", ["setup", "run"])
def test_as_in_real_python(tmp_path: Path, made: str, where: str) -> None:
    parts = {"setup": "pass", "run": "pass", where: made.replace("; ", "\n        ")}
    by_python, by_interleave = events(tmp_path / "model.py", MODEL.format(**parts))
    assert by_python == by_interleave


MADE_BY_THREADS = [
    "itertools.chain(self.items, 'ab', ())",
    "itertools.chain.from_iterable([self.items, (), range(2)])",
    "itertools.chain(itertools.chain([], self.items), enumerate('x'))",
    "itertools.chain()",
    "itertools.islice(self.items, 3)",
    "itertools.islice(self.items, 1, None, 2)",
    "itertools.islice(iter(self.items), 1, 6, 2)",
    "itertools.islice(itertools.cycle('ab'), 2, 9)",
]


@pytest.mark.parametrize("made", MADE_BY_THREADS)
def test_one_that_a_thread_makes(tmp_path: Path, made: str) -> None:
    text = MODEL.format(setup="pass", run=f"self.it = {made}")
    loop = f"self.it = {made}\n        self.n = sum(1 for each in {made})"
    loop += f"\n        for each in {made}:\n            self.n += 1\n            self.items = [*{made}]"
    for each in (text, MODEL.format(setup="pass", run=loop)):
        by_python, by_interleave = events(tmp_path / "model.py", each)
        assert by_python == by_interleave


def test_an_iterator_in_a_shared_generator(tmp_path: Path) -> None:
    """That of a loop is a part of its frame, but for one that has a name as well."""
    text = MODEL.format(setup="pass", run="self.it = self.numbers()")
    by_python, by_interleave = events(tmp_path / "model.py", text)
    assert by_python == by_interleave


LOOKS_IN_A_LOOP = """
import itertools
from interleave import Model, thread

class M(Model):
    seen = 0

    def setup(self):
        self.one, self.other = [1], [2]

    @thread
    def adds(self):
        self.other.append(3)
        self.one.append(4)

    @thread
    def looks(self):
        self.seen = TOTAL
"""


def test_a_chain_is_gone_through_item_by_item(tmp_path: Path) -> None:
    text = LOOKS_IN_A_LOOP.replace("TOTAL", "sum([*itertools.chain(self.one, self.other)])")
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert result.interleavings is not None
    seen = {dict(each.state)["seen"] for each in result.interleavings.outcomes}
    assert seen == {1 + 2, 1 + 2 + 3, 1 + 4 + 2 + 3}


ROUND_ROBIN = """
import itertools
from interleave import Model, thread

class M(Model):
    got = ()

    def setup(self):
        self.hosts = itertools.cycle(["a", "b"])

    @thread(2)
    def run(self):
        host = next(self.hosts)
        self.got += (host,)
"""


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_each_item_goes_to_one_thread(tmp_path: Path, engine: str) -> None:
    (result,) = check(load(tmp_path / "model.py", ROUND_ROBIN), engine=engine).models
    assert result.interleavings is not None
    got = {dict(each.state)["got"] for each in result.interleavings.outcomes}
    assert got == {("a", "b"), ("b", "a"), ("a",), ("b",)}


@pytest.mark.parametrize(
    "made",
    ["self.it = iter({1: 2})", "self.it = itertools.chain([1], [2])", "self.it = map(abs, [1])"],
)
def test_refused(tmp_path: Path, made: str) -> None:
    with pytest.raises(ModelError, match="cannot be part of a state"):
        check(load(tmp_path / "model.py", MODEL.format(setup=made, run="pass")))
