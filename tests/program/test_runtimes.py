"""A runtime, and a kind of thread, that somebody brings in a file of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import load

from interleave import ModelError, check
from interleave.result import ModelResult

ENGINES = ("reference", "native")

FILE = """
from functools import partial
from interleave import Model, atomic, expect, invariant, nothing, thread
from interleave.model import marked
from interleave.runtimes import Language, Races, Runtime, ThreadKind, Words

def as_value_error(error):
    return ValueError(*error.args)

FIBERS = Runtime("fibers", {runtime})
FIBER = ThreadKind("fiber", (FIBERS,), {kind})
fiber = partial(marked, FIBER)

{above}
class M(Model):
    n = 0
    ready = False
    xs = {{}}
    {body}
"""

COUNTS = "@fiber(2)\n    def work(self): self.n += 1"
ENDS = """
    @fiber
    def boss(self): self.ready = True
    @fiber
    def work(self):
        while not self.ready: pass
        assert self.n
"""
WAITS = """
    @fiber(2)
    def work(self):
        while not self.ready: pass
"""
ITEMS = """
    @fiber
    def one(self): self.xs["a"] = 1
    @fiber
    def other(self): self.xs["b"] = 1
"""
RAISES = "@fiber\n    def work(self): return self.xs['a']"


def source(body: str, runtime: str = "", kind: str = "", above: str = "") -> str:
    return FILE.format(body=body, runtime=runtime, kind=kind, above=above)


def checked(folder: Path, text: str, engine: str = "auto") -> ModelResult:
    (result,) = check(load(folder / "model.py", text), engine=engine).models
    assert result.runtime == "fibers"
    return result


CASES = {
    "before every access": ("", COUNTS, ["lost-update"]),
    "where a lock is given up": ("global_lock=True", COUNTS, []),
    "all are waited for": ("", ENDS, ["assertion"]),
    "one ends the program": ("main='boss'", ENDS.replace("assert self.n", "self.n = 1"), []),
    "races are mistakes": (
        "races=Races(always=True)",
        COUNTS,
        ["data-race", "lost-update"],
    ),
    "elements are variables": ("races=Races(always=True)", ITEMS, []),
    "elements are none": (
        "races=Races(always=True, guarded=False, undivided=(dict,))",
        ITEMS,
        ["data-race"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rules(tmp_path: Path, name: str) -> None:
    runtime, body, kinds = CASES[name]
    found = [checked(tmp_path, source(body, runtime), engine) for engine in ENGINES]
    assert [sorted({v.kind for v in each.violations}) for each in found] == [kinds, kinds]
    assert len({each.states for each in found}) == 1


def test_words_and_exceptions(tmp_path: Path) -> None:
    rules = "words=Words(deadlock='all fibers sleep: '), language=Language(raised=as_value_error)"
    result = checked(tmp_path, source(RAISES, rules))
    assert [v.message for v in result.violations] == ["work is ended by ValueError: a"]
    waits = "lock = __import__('threading').Lock()\n    @fiber\n    def work(self):\n"
    waits += "        with self.lock:\n            with self.lock: pass"
    (violation,) = checked(tmp_path, source(waits, rules)).violations
    assert violation.message.startswith("all fibers sleep: ")


@pytest.mark.parametrize("runtime", ["FIBERS", "'free-threaded'", "'fibers'"])
def test_what_is_expected_under_it(tmp_path: Path, runtime: str) -> None:
    text = source(COUNTS, above=f"@expect(nothing, runtime={runtime})")
    if runtime == "FIBERS":
        assert checked(tmp_path, text).expected is False
        return
    with pytest.raises(ModelError, match="runtime"):
        checked(tmp_path, text)


@pytest.mark.parametrize("kind", ["", "mixes=False"])
def test_beside_threads(tmp_path: Path, kind: str) -> None:
    body = f"{COUNTS}\n    @thread\n    def other(self): pass"
    file = tmp_path / "model.py"
    model = load(file, source(body, kind=kind))
    if not kind:
        assert check(model).models[0].runtime == "free-threaded"
        return
    with pytest.raises(ModelError, match="model M has fibers and threads"):
        check(model)


def test_without_a_runtime_of_its_own(tmp_path: Path) -> None:
    text = source(COUNTS).replace("(FIBERS,)", "()")
    assert check(load(tmp_path / "model.py", text)).models[0].runtime == "free-threaded"
