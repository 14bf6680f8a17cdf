"""Weak containers: what is said of one key, and of all where none of them is ever let go."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import events, load
from verdicts import verdict

from interleave import ModelError, check

HEAD = """
import weakref
from interleave import *

class Thing:
    pass

class Equal(Thing):
    def __eq__(self, other):
        return True

    __hash__ = Thing.__hash__

THING = Thing()
SET = weakref.WeakSet([THING])

class M(Model):
    events = ()
    n = 0
    late = made = None

    def setup(self):
        self.keys = weakref.WeakKeyDictionary()
        self.values = weakref.WeakValueDictionary()
        self.set = weakref.WeakSet()
        self.one, self.other = Thing(), Thing()
        self.keys[self.one] = self.values[1] = self.one
        self.set.add(self.one)
        self.late = Thing()
"""

RUN = """
    @thread
    def run(self):
        log = []
        one, other, own = self.one, self.other, Thing()
        BODY
        self.events = tuple(log)
"""

AS_IN_PYTHON = {
    "keys": "d = self.keys; d[other] = 2; log.append((d[other], d.get(own), d.get(own, 3), len(d)));"
    "log.append((own in d, other in d, 5 in d, d.pop(other), d.pop(own, 4), d.setdefault(other, 7)));"
    "d[other] += 1; log.append([(k is other, v == 8) for k, v in d.items()]); del d[other];"
    "log.append([k is one for k in d]); log.append([v is one for v in d.values()]);"
    "k, _ = d.popitem(); log.append((k is one, bool(d))); d.update({one: 1, other: 2});"
    "d.update([(one, 5)]); log.append(([*d.values()], [k is one for k in d.keys()])); d.clear();"
    "log.append((len(d), dict(d)))",
    "of its own": "d = self.keys; d[own] = 1; self.made = own; d[own] += 1;"
    "log.append((d[self.made], own in d, Thing() in d)); del d[own]; log.append(len(d))",
    "values": "d = self.values; d[2] = other; log.append((d[2] is other, d.get(3), 2 in d, 3 in d));"
    "log.append((len(d), [*d], d.setdefault(2, one) is other, d.setdefault(5, one) is one));"
    "log.append((d.pop(5) is one, d.pop(6, 7), [(k, v is one) for k, v in d.items()])); del d[2];"
    "log.append(d.popitem()[0]); d.update({8: one}, x=other); log.append(sorted(map(str, d)))",
    "set": "s = self.set; s.add(other); log.append((one in s, other in s, own in s, 5 in s, len(s)));"
    "s.add(other); s.discard(own); s.discard(one); log.append([each is other for each in s]);"
    "s.remove(other); s.update([one, one]); log.append((len(s), THING in SET, len(SET)))",
    "made by a thread": "d = weakref.WeakKeyDictionary({one: 1}); s = weakref.WeakSet([other]);"
    "self.made = (d, s); v = weakref.WeakValueDictionary(); v['x'] = one; self.late = v;"
    "log.append((d[one], self.made[0] is d, other in self.made[1], self.late['x'] is one));"
    "log.append(isinstance(d, weakref.WeakKeyDictionary) and not isinstance(d, dict))",
    "errors": "for step in (lambda: self.keys[5], lambda: self.set.add(5), lambda: self.values[9],"
    "lambda: self.set.remove(own), lambda: self.keys.update({5: 1})):"
    "\n    try:\n        step()\n    except (TypeError, KeyError) as error:"
    "\n        log.append((type(error), str(error) if type(error) is TypeError else ''))",
}


def text_of(body: str) -> str:
    lines = [line.removeprefix(" ") for line in body.split(";")]
    return HEAD + RUN.replace("BODY", "\n".join(lines).replace("\n", "\n        "))


@pytest.mark.parametrize("what", AS_IN_PYTHON)
def test_as_in_real_python(tmp_path: Path, what: str) -> None:
    by_python, by_interleave = events(tmp_path / "model.py", text_of(AS_IN_PYTHON[what]))
    assert by_python == by_interleave


MAY_GO = [
    "self.keys[own] = 1; len(self.keys)",
    "self.keys[own] = 1; [*self.keys]",
    "self.keys[own] = 1; self.keys.popitem()",
    "self.set.add(own); bool(self.set)",
    "self.set.add(own); [1 for _ in self.set]",
    "self.values[3] = own",
    "self.values.setdefault(3, own)",
    "self.keys[self.late] = 1; self.late = None; len(self.keys)",
    "self.values[3] = self.late; self.late = None",
    "self.keys[Equal()] = 1",
    "self.set.add(Equal())",
    "self.set | {one}",
    "self.set == {one}",
    "self.set.copy()",
    "self.keys.keyrefs()",
    "self.set.add(one.__init__)",
    "weakref.WeakSet([own])._pending_removals",
]


@pytest.mark.parametrize("body", MAY_GO)
def test_what_nobody_knows_is_refused(tmp_path: Path, body: str) -> None:
    with pytest.raises(ModelError):
        check(load(tmp_path / "model.py", text_of(body)))


RACE = (
    HEAD
    + """
    @thread
    def adds(self):
        self.keys[self.other] = self.values[2] = self.other
        self.set.add(self.other)

    @thread
    def looks(self):
        LOOKS
"""
)

LOOKS = {
    "for each in self.set: self.n += 1": "exception",
    "self.n = len([*self.keys.items()])": "exception",
    "self.n = sum(1 for each in self.values)": "exception",
    "assert len(self.set) in (1, 2)": "verified",
    "self.values[2] = self.values.setdefault(2, self.one)": "lost-update",
    "assert self.keys.get(self.other) in (None, self.other)": "verified",
}
"""What the other thread does -> what is found."""


@pytest.mark.parametrize("looks", LOOKS)
def test_others_run_in_between(tmp_path: Path, looks: str) -> None:
    assert verdict(tmp_path, RACE.replace("LOOKS", looks)) == LOOKS[looks]


WEAK = [
    "weakref.ref(self.thing)",
    "weakref.WeakSet([self.thing])",
    "weakref.WeakKeyDictionary({self.thing: self.thing})",
    "weakref.WeakValueDictionary({1: self.thing})",
]


@pytest.mark.parametrize("weak", WEAK)
def test_what_has_a_finalizer_is_not_kept_by_what_is_weak(tmp_path: Path, weak: str) -> None:
    text = """
import weakref

class Thing:
    def __del__(self):
        pass

class M(Model):
    def setup(self):
        self.thing = Thing()
        self.weak = MADE

    @thread
    def lets_go(self):
        self.thing = None
"""
    with pytest.raises(ModelError, match="to which something refers weakly"):
        verdict(tmp_path, text.replace("MADE", weak))
    assert verdict(tmp_path, text.replace("MADE", "self.thing")) == "verified"
