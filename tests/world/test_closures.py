"""Functions that setup makes, what they hold, and partials of functions."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

COUNTER = """
def make(start, lock=None):
    n = start
    def inc():
        nonlocal n
        n = n + 1
    def get():
        return n
    return inc, get
"""

LOCKED = """
import threading

def make():
    log = [0]
    lock = threading.Lock()
    def add():
        with lock:
            log[0] = log[0] + 1
    def get():
        with lock:
            return log[0]
    return add, get
"""


def test_setup_makes_closures_over_a_variable(tmp_path: Path) -> None:
    source = f"""
{COUNTER}
class M(Model):
    def setup(self):
        self.k = choose([5, 6])
        self.inc, self.get = make(self.k)
        self.other, self.get_other = make(0)

    @thread(2)
    def t(self):
        self.inc()

    @postcondition
    def both_count(self):
        return self.get() == self.k + 2 and self.get_other() == 0
"""
    assert verdict(tmp_path, source) == "lost-update postcondition"


def test_setup_makes_closures_over_a_list_and_a_lock(tmp_path: Path) -> None:
    source = f"""
{LOCKED}
class M(Model):
    def setup(self):
        self.k = choose([1, 2])
        self.add, self.get = make()
        self.add_other, self.get_other = make()

    @thread(2)
    def t(self):
        self.add()
        if self.k == 1:
            self.add_other()

    @thread
    def reader(self):
        assert self.get() <= 2
        assert self.k == 1 or self.get_other() == 0
"""
    assert verdict(tmp_path, source) == "verified"


def test_setup_makes_lambdas_with_defaults(tmp_path: Path) -> None:
    source = """
class M(Model):
    x = 0

    def setup(self):
        self.early = [lambda i, k=k: i + k for k in range(3)]
        self.late = [lambda i: i + k for k in range(3)]

    @thread(2)
    def t(self, i):
        assert self.early[0](i) == i
        assert self.late[0](i) == i + 2
        self.x = 1
"""
    assert verdict(tmp_path, source) == "verified"


def test_partials_keep_their_identity_and_lead_to_shared_objects(tmp_path: Path) -> None:
    source = """
import functools

def add(counts, name, by=5):
    counts[name] = counts[name] + by

class M(Model):
    n = 0

    def setup(self):
        self.counts = {"a": 0}
        self.add = functools.partial(functools.partial(add, self.counts), "a", by=1)
        self.all = [self.add]

    @thread(2)
    def t(self, i):
        own = functools.partial(self.add, by=1)
        same = own
        self.add()
        assert self.add is self.all[0]
        assert own is same
        assert self.all.index(self.add) == 0

    @postcondition
    def both_count(self):
        return self.counts["a"] == 2
"""
    assert verdict(tmp_path, source) == "lost-update postcondition"


@pytest.mark.parametrize("before", ["go.n = 0", "pass"])
def test_attributes_of_partials_are_refused(tmp_path: Path, before: str) -> None:
    source = f"""
import functools

def add():
    pass

go = functools.partial(add)
{before}

class M(Model):
    x = 0

    @thread(2)
    def t(self, i):
        self.x = 1
        go.n = 1
"""
    with pytest.raises(ModelError, match=r"functools\.partial"):
        verdict(tmp_path, source)
