"""Descriptors of functools are followed; what a getter shares is one object, or refused."""

from __future__ import annotations

from pathlib import Path

from verdicts import verdict


def test_cached_property_is_followed(tmp_path: Path) -> None:
    source = """
import functools

class C:
    def __init__(self):
        self.n = 0

    @functools.cached_property
    def doubled(self):
        return self.n * 2

class M(Model):
    def setup(self):
        self.c = C()

    @thread
    def setter(self):
        self.c.n = 1

    @thread
    def reader(self):
        own = C()
        assert own.doubled == 0
        own.n = 7
        assert own.doubled == 0
        del own.doubled
        assert own.doubled == 14
        first = self.c.doubled
        assert first == self.c.doubled
        assert C.doubled.attrname == "doubled"

    @postcondition
    def what_was_kept_is_up_to_date(self):
        return self.c.__dict__["doubled"] == 2
"""
    assert verdict(tmp_path, source) == "postcondition"


def test_partialmethod_is_followed(tmp_path: Path) -> None:
    source = """
import functools

class C:
    n = 0

    def add(self, by, *, more=0):
        self.n = self.n + by + more

    increment = functools.partialmethod(add, 0, more=1)

class M(Model):
    def setup(self):
        self.c = C()

    @thread(2)
    def t(self):
        self.c.increment()

    @postcondition
    def both_count(self):
        return self.c.n == 2
"""
    assert verdict(tmp_path, source) == "lost-update postcondition"


def test_a_getter_goes_on_after_it_has_shared_what_it_made(tmp_path: Path) -> None:
    source = """
class T:
    n = 0

class C:
    def __init__(self):
        self.kept = None
        self.k = 0

    @property
    def thing(self):
        made = T()
        self.kept = made
        self.k = 1
        made.n = 5
        return made

class M(Model):
    def setup(self):
        self.c = C()

    @thread(2)
    def t(self):
        thing = self.c.thing
        assert thing.n == 5
"""
    assert verdict(tmp_path, source) == "verified"
    source = source.replace("self.k = 1", "self.k += 1")
    assert verdict(tmp_path, source) == "lost-update"
