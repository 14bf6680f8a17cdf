"""A primitive that somebody brings in a file of their own."""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import Path

import pytest
from running import load

from interleave import Model, check
from interleave.memory.identity import ThreadId
from interleave.memory.values import Freezer, Thawer
from interleave.memory.wait_line import FIRST_COME, IN_ANY_ORDER, WaitLine

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
PRIMITIVE = re.findall(
    r"^# fair_lock\.py\n(.*?)^class Transfer", PAGE.read_text(), re.DOTALL | re.MULTILINE
)[0]

USES = {
    "in a class body": """
class M(Model):
    lock = fair_lock()
    n = 0
""",
    "in setup": """
class M(Model):
    n = 0
    def setup(self):
        self.lock = fair_lock()
""",
    "in a thread": """
class M(Model):
    n = 0
    lock = None
    def get(self):
        with atomic():
            if self.lock is None:
                self.lock = fair_lock()
        return self.lock
""",
}
WORK = """
    @thread(2)
    def work(self):
        lock = {lock}
        lock.acquire()
        self.n += 1
        {inside}
        lock.release()

    @postcondition
    def counted(self):
        return self.n == 2
"""


def model(folder: Path, where: str, *, inside: str = "pass") -> type[Model]:
    lock = "self.get()" if where == "in a thread" else "self.lock"
    body = USES[where] + WORK.format(lock=lock, inside=inside)
    header = PRIMITIVE.replace(
        "import Model, thread", "import Model, atomic, postcondition, thread"
    )
    return load(folder / "model.py", header + body)


@pytest.mark.parametrize("where", USES)
def test_it_works_wherever_it_is_made(tmp_path: Path, where: str) -> None:
    states = set()
    for engine in ("reference", "native"):
        (found,) = check(model(tmp_path, where), engine=engine).models
        assert found.verdict == "verified"
        states.add(found.states)
    assert len(states) == 1


def test_the_order_of_a_line_is_part_of_the_state_where_it_matters() -> None:
    def keys(line: WaitLine) -> set[object]:
        orders = itertools.permutations(map(ThreadId, range(3)))
        return {
            Freezer().freeze(functools.reduce(WaitLine.joined, order, line)) for order in orders
        }

    assert (len(keys(FIRST_COME)), len(keys(IN_ANY_ORDER))) == (6, 1)


@pytest.mark.parametrize("line", [FIRST_COME, IN_ANY_ORDER])
def test_a_line(line: WaitLine) -> None:
    one, two, three = map(ThreadId, range(3))
    full = functools.reduce(WaitLine.joined, (three, one, two), line)
    woken = full.after_waking(one)
    assert ({*woken.waiting}, woken.woken) == ({two, three}, (one,))
    assert woken.left(one) == full.left(one)
    assert woken.after_waking(*woken.waiting).waiting == ()
    key = Freezer().freeze(full)
    assert Freezer().freeze(Thawer(lambda _: None).thaw(key)) == key


@pytest.mark.parametrize("name", ["state", "operate", "get_in_line", "missing"])
def test_the_rest_of_it_is_not_for_models(tmp_path: Path, name: str) -> None:
    (found,) = check(model(tmp_path, "in a class body", inside=f"lock.{name}")).models
    errors = [v.message for v in found.violations if v.kind == "exception"]
    assert errors and all(f"has no attribute '{name}'" in each for each in errors)


def test_what_stands_beside_it_is_followed(tmp_path: Path) -> None:
    text = (
        PRIMITIVE
        + """
class Plain:
    def __init__(self):
        self.n = 0
    def add(self):
        self.n += 1

class M(Model):
    plain = Plain()
    @thread(2)
    def work(self):
        self.plain.add()
"""
    )
    (found,) = check(load(tmp_path / "model.py", text)).models
    assert {v.kind for v in found.violations} == {"lost-update"}
