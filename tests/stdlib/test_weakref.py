"""Weak references to what is never let go, and the others, which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from running import events, load

from interleave import ModelError, check

HEAD = """
import weakref
from interleave import Model, thread

class Thing:
    def __init__(self, n):
        self.n = n

    def get(self):
        return self.n

THING = Thing(1)
HELD = weakref.ref(THING)

def function():
    return 2

class M(Model):
    events = ()
    n = 0
    things = ()
    late = None

    def setup(self):
        self.thing = Thing(3)
        self.late = Thing(4)
        self.held = weakref.ref(self.thing)
        self.ending = weakref.finalize(self.thing, len, "gone")

    def gone(self, ref):
        self.n = 100
"""
RUN = """
    @thread
    def run(self):
        self.n += 1
        log = []
        {}
        self.events = tuple(log)
"""

AS_IN_PYTHON = [
    "log.append(weakref.ref(function)() is function)",
    "log.append(weakref.ref(Thing)() is Thing)",
    "r = weakref.ref(self.thing, self.gone); self.n += 1; log.append(r().n)",
    "r = weakref.ref(THING); self.n += 1; log.append((r() is THING, r().get()))",
    "log.append((HELD() is THING, HELD == weakref.ref(THING), isinstance(HELD, weakref.ref)))",
    "log.append((self.held().n, self.held() is self.thing, self.ending.alive))",
    "m = weakref.WeakMethod(self.thing.get); self.n += 1; log.append((m()(), type(m).__name__))",
    "log.append(len({weakref.ref(THING): 1, weakref.ref(THING): 2, HELD: 3}))",
    "f = weakref.finalize(self.thing, self.gone, 1); self.n += 1; log.append(f.alive)",
    "self.thing.n += 1; log.append(self.held().n)",
    "d = {}; d[1] = weakref.ref(self.thing); self.d = d; log.append(self.d[1]().n)",
]


@pytest.mark.parametrize("body", AS_IN_PYTHON)
def test_as_in_real_python(tmp_path: Path, body: str) -> None:
    text = HEAD + RUN.format(body.replace("; ", "\n        "))
    model: Any = load(tmp_path / "real.py", text)
    real = model()
    real.setup()
    real.run()
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert result.violations == ()
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    assert dict(outcome.state)["events"] == real.events


MAY_GO = [
    "self.things += (weakref.ref(Thing(5)),)",
    "t = Thing(5); self.late = t; r = weakref.ref(t)",
    "r = weakref.ref(self.late); self.late = None; log.append(r())",
    "self.late = weakref.WeakMethod(Thing(5).get)",
    "weakref.finalize(self.late, self.gone, 1); self.late = None",
    "weakref.ref(lambda: self.n)()",
    "weakref.ref(self.thing.get)()",
    "weakref.WeakValueDictionary()[1] = Thing(5)",
    "weakref.proxy(self.thing).n",
    "self.ending()",
]


@pytest.mark.parametrize("body", MAY_GO)
def test_what_may_go_is_refused(tmp_path: Path, body: str) -> None:
    text = HEAD + RUN.format(body.replace("; ", "\n        "))
    with pytest.raises(ModelError):
        check(load(tmp_path / "model.py", text))


def test_of_what_there_are_none(tmp_path: Path) -> None:
    text = HEAD + RUN.format(
        "for each in (1, 'a', (1,), [1], {}, None):\n            try:\n"
        "                weakref.ref(each)\n            except TypeError as error:\n"
        "                log.append(str(error))"
    )
    by_python, by_interleave = events(tmp_path / "model.py", text)
    assert by_python == by_interleave


CALLED = """
    def called(self, *_):
        self.n = 1

    @thread
    def run(self):
        self.late = None
"""


@pytest.mark.parametrize(
    "made",
    [
        "weakref.finalize(self.late, self.called)",
        "self.kept = weakref.ref(self.late, self.called)",
        "self.kept = weakref.ref(self.late, lambda _: self.called())",
        "self.kept = weakref.WeakMethod(self.late.get, self.called)",
    ],
)
def test_what_is_to_be_called_is_not_passed_over(tmp_path: Path, made: str) -> None:
    line = "        self.ending = "
    text = HEAD.replace(line, f"        {made}\n{line}") + CALLED
    with pytest.raises(ModelError, match="something is to be called when"):
        check(load(tmp_path / "model.py", text))
    kept = text.replace("\n    late = None\n", "\n").replace("self.late = None", "self.n = 2")
    (result,) = check(load(tmp_path / "kept.py", kept)).models
    assert result.violations == ()


def test_one_to_what_setup_has_a_copy_of(tmp_path: Path) -> None:
    text = HEAD.replace("    n = 0\n", "    n = 0\n    own = Thing(1)\n    to = weakref.ref(own)\n")
    with pytest.raises(ModelError, match="what each run of setup has a copy of"):
        check(load(tmp_path / "model.py", text + RUN.format("self.n += self.to().n")))


@pytest.mark.parametrize(
    "container", ["WeakSet([LATE])", "WeakKeyDictionary({LATE: 1})",
                  "WeakValueDictionary({1: LATE})"],
)  # fmt: skip
def test_weak_containers_that_no_thread_looks_at(tmp_path: Path, container: str) -> None:
    line = "        self.ending = "
    text = HEAD.replace("class M(", f"LATE = Thing(5)\nKEPT = weakref.{container}\nclass M(")
    text = text.replace(line, "        self.late = LATE\n" + line) + CALLED
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert result.violations == ()
    looks = text.replace("self.late = None", "self.late = None; len(KEPT)")
    with pytest.raises(ModelError):
        check(load(tmp_path / "looks.py", looks))
