"""What libraries keep in attributes: partials, counters, methods of types, private ones of a lock."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import ModelError, check

HEAD = """
import functools, itertools, os, threading
from interleave import Model, thread

def added(*values, **named):
    return (*values, *sorted(named.items()))

class Plain:
    pass

class M(Model):
    n = 0
    kept = None
    jobs = []
    found = ()
    lock = threading.RLock()
    count = itertools.count(3, 2)
"""

AS_IN_PYTHON = {
    "partial shared": (
        "self.kept = functools.partial(added, self.n, more=2)\nself.n = 7\n"
        "self.found = (self.kept(1), self.kept.func is added, self.kept.args, "
        "self.kept.keywords['more'], isinstance(self.kept, functools.partial), "
        "callable(self.kept), self.kept(2, more=4, less=1))"
    ),
    "partials by identity": (
        "one, other = functools.partial(added, 1), functools.partial(added, 1)\n"
        "self.jobs.append(one)\nself.jobs.append(other)\n"
        "self.found = (one in self.jobs, one == other, self.jobs[0] is one, "
        "self.jobs.index(other))\nself.jobs.remove(one)\nself.n = self.jobs[0] is other"
    ),
    "partial of a partial": (
        "self.kept = functools.partial(added, 1)\nself.kept = functools.partial(self.kept, 2)\n"
        "self.found = self.kept(3)"
    ),
    "partial of a method": (
        "self.kept = functools.partial(self.note, 4)\nself.kept()\nself.kept(5)"
    ),
    "count shared": (
        "self.found = (next(self.count), next(self.count), repr(self.count))\n"
        "for each in self.count:\n    self.n = each\n    if each > 10:\n        break\n"
        "self.found += (next(self.count),)"
    ),
    "count of a thread": (
        "mine = itertools.count(self.n)\nself.n = next(mine)\nself.found += (next(mine),)\n"
        "self.found += (next(mine), [*zip(mine, 'ab')])\nself.kept = mine\n"
        "self.found += (next(mine), next(self.kept))"
    ),
    "method of a type": (
        "init, append = object.__init__, list.append\nself.n += 1\ninit(Plain())\n"
        "self.n += 1\nappend(self.jobs, 3)\nself.kept = Plain.__init__\n"
        "self.found = (init is object.__init__, self.kept is init, init.__name__)"
    ),
    "lock let go": (
        "with self.lock, self.lock:\n    self.found = (self.lock._is_owned(),)\n"
        "    state = self.lock._release_save()\n    self.n = state[0]\n"
        "    self.found += (self.lock._is_owned(),)\n    self.lock._acquire_restore(state)\n"
        "    self.found += (self.lock._is_owned(),)\nself.found += (self.lock._is_owned(),)"
    ),
    "lock not held": "self.lock._release_save()",
    "process": (
        "one = os.getpid()\nself.n += 1\n"
        "self.found = (one == os.getpid(), {one: 3}[os.getpid()], one != 'x')"
    ),
}
HELPERS = "    def note(self, *values):\n        self.found += values\n"


@pytest.mark.parametrize("case", AS_IN_PYTHON)
def test_as_in_python(tmp_path: Path, case: str) -> None:
    text = f"{HEAD}\n{HELPERS}\n    @thread\n    def run(self):\n        try:\n"
    text += textwrap.indent(AS_IN_PYTHON[case], " " * 12)
    text += "\n        except Exception as error:\n            self.found = repr(error)\n"
    model = load(tmp_path / "model.py", text)
    (result,) = check(model).models
    real: Any = model()
    real.run()
    assert result.violations == ()
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    ends = dict(outcome.state)
    assert (ends["found"], ends.get("n", 0)) == (real.found, real.n)


def test_no_number_is_taken_twice(tmp_path: Path) -> None:
    text = HEAD + (
        "    @thread(2)\n    def run(self):\n        number = next(self.count)\n"
        "        self.jobs.append(number)\n"
    )
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert result.violations == ()
    assert result.interleavings is not None
    jobs = {repr(dict(each.state)["jobs"]) for each in result.interleavings.outcomes}
    assert jobs == {"[3, 5]", "[5, 3]"}


def test_a_lock_that_is_let_go_is_had_by_others(tmp_path: Path) -> None:
    text = HEAD + (
        "    @thread\n    def waiter(self):\n        with self.lock:\n"
        "            before = self.lock._release_save()\n"
        "            self.lock._acquire_restore(before)\n            self.found += (0,)\n"
        "    @thread\n    def other(self):\n        with self.lock:\n"
        "            self.found += (1,)\n"
    )
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert result.violations == ()
    assert result.interleavings is not None
    found = {dict(each.state)["found"] for each in result.interleavings.outcomes}
    assert found == {(0, 1), (1, 0)}


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_a_counter_of_a_module_that_setup_counts_with(tmp_path: Path, engine: str) -> None:
    """It cannot be put back: after each run of setup another one takes its place."""
    text = """
import itertools
from interleave import Model, choose, thread
ids = itertools.count()
class M(Model):
    x = 0
    def setup(self):
        if choose([True, False]):
            next(ids)
        self.id = next(ids)
    @thread(2)
    def run(self):
        self.x = next(ids)
"""
    (result,) = check(load(tmp_path / "model.py", text), engine=engine).models
    assert result.interleavings is not None
    found = {(each["id"], each["x"]) for each in map(_state, result.interleavings.outcomes)}
    assert found == {(0, 1), (0, 2), (1, 2), (1, 3)}


def _state(outcome: Any) -> dict[str, Any]:
    return dict(outcome.state)


REFUSED = {
    "changed": (
        "self.kept = functools.partial(added)\n    del self.kept.args",
        "partial is changed",
    ),
    "number from before": ("assert self.n != os.getpid()", "number of another kind"),
    "in setup": ("def setup(self):\n    self.n = os.getpid()", "getpid"),
    "in a process": ("@process\ndef it(self):\n    print(os.getpid())", "another one in each run"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    body, message = REFUSED[case]
    if not body.startswith(("def", "@")):
        body = "@thread\ndef it(self):\n    " + body
    text = HEAD.replace("import Model", "import Model, process") + textwrap.indent(body, "    ")
    text += "\n    @thread\n    def run(self):\n        self.n += 1\n"
    with pytest.raises(ModelError, match=message):
        check(load(tmp_path / "model.py", text))
