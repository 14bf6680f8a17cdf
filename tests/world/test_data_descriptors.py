"""What descriptors of the user's do, of all kinds and in all places, as Python has it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from running import load
from verdicts import verdict

from interleave import ModelError, check

METHODS = {
    "get": "def __get__(self, of, owner=None): return 1000 + of.seen",
    "set": "def __set__(self, of, value): of.seen = of.seen + value",
    "delete": "def __delete__(self, of): of.seen = of.seen + 100",
}
STATE = "def __init__(self): self.uses = 0"

USES = ("box.limit = 3", "box.limit += 1", "del box.limit", 'box.__dict__["limit"] = 7', "pass")

MODEL = """
class Limit:
    kept = 3
{methods}

class Box:
    limit = Limit()
    seen = 0

def use(box, number):
    before = ""
    after = ""
    try:
{uses}
    except (AttributeError, TypeError) as error:
        before = type(error).__name__
    try:
        got = box.limit
        after = got if isinstance(got, int) else type(got).__name__
    except AttributeError:
        after = "nothing"
    return before, after, box.seen, "limit" in box.__dict__

class M(Model):
    limit = Limit()
    seen = 0
    made = None

    def setup(self):
        self.box = Box()

    def outcome(self):
        out = []
        for number in range({count}):
            made = Box()
            out.append(use(made, number))
            self.made = Box()
            out.append(use(self.made, number))
            out.append(use(self.box, number))
            out.append(use(self, number))
        return out

    @thread
    def run(self):
        assert self.outcome() == EXPECTED
"""

KINDS = [kind for count in range(4) for kind in combinations(METHODS, count)]


def written(kind: tuple[str, ...], *, state: bool) -> str:
    """A model whose thread uses a descriptor with these methods in all ways."""
    lines = [STATE] * state + [METHODS[each] for each in kind]
    uses = (f"        if number == {number}: {use}" for number, use in enumerate(USES))
    methods = (f"    {line}" for line in lines)
    return MODEL.format(methods="\n".join(methods), uses="\n".join(uses), count=len(USES))


CASES = [*((kind, False) for kind in KINDS), (KINDS[-1], True)]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "state"), CASES)
def test_they_do_as_in_python(kind: tuple[str, ...], state: bool, tmp_path: Path) -> None:
    source = written(kind, state=state)
    header = "from interleave import Model, choose, postcondition, thread\n"
    real = load(tmp_path / "real.py", header + source)()
    real.setup()  # type: ignore[attr-defined]
    expected = real.outcome()  # type: ignore[attr-defined]
    assert verdict(tmp_path, f"EXPECTED = {expected!r}\n{source}") == "verified"


TWO_THREADS = """
from interleave import Model, postcondition, thread

class Limit:
    def __get__(self, of, owner=None): return of.seen
    def __set__(self, of, value): of.seen = value

class Box:
    limit = Limit()
    seen = 0

class M(Model):
    box = None
    ready = False

    def setup(self):
        self.box = Box() if {by_setup} else None

    @thread
    def make(self):
        if self.box is None:
            self.box = Box()
        self.ready = True

    @thread(2)
    def run(self):
        while not self.ready:
            pass
        self.box.{name} += 1

    @postcondition
    def both_count(self):
        return self.box.seen == 2
"""


@pytest.mark.parametrize("by_setup", [False, True])
@pytest.mark.parametrize(("name", "is_lost"), [("limit", True), ("seen", False)])
def test_others_run_with_a_gil_before_one_is_entered(
    name: str, is_lost: bool, by_setup: bool, tmp_path: Path
) -> None:
    file = tmp_path / "model.py"
    file.write_text(TWO_THREADS.format(name=name, by_setup=by_setup))
    (found,) = check(file, runtime="gil").models
    assert any(each.kind == "postcondition" for each in found.violations) is is_lost


@pytest.mark.parametrize(
    ("attribute", "setup", "run"),
    [
        ("Limit()", "pass", "Box.limit = 3"),
        ("3", "Box.limit = Limit()", "pass"),
        ("3", "pass", "Box.limit = Limit()"),
        ("3", "pass", "Box.limit = self.limit"),
    ],
)
def test_a_class_is_given_none_and_loses_none(
    attribute: str, setup: str, run: str, tmp_path: Path
) -> None:
    source = f"""
    class Limit:
        def __set__(self, of, value): pass

    class Box:
        limit = {attribute}

    class M(Model):
        n = 0

        def setup(self):
            {setup}
            self.limit = Limit()
            self.box = Box()

        @thread(2)
        def run(self):
            {run}
            self.box.limit = 5
            self.n = 1
    """
    with pytest.raises(ModelError, match=r"Box\.limit is set, and .* descriptor"):
        verdict(tmp_path, source)
