"""What only looks like a function, a class or a property is never run as if it were one."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

PROXY = '''
class Proxy:
    """What a decorator of such libraries puts around a function or a class: it adds one."""

    def __init__(self, wrapped):
        self.wrapped = wrapped

    @property
    def __class__(self):
        return type(self.wrapped)

    def __getattr__(self, name):
        return getattr(self.wrapped, name)

    def __get__(self, instance, owner):
        return Proxy(self.wrapped.__get__(instance, owner))

    def __call__(self, *args):
        return self.wrapped(*args) + 1

'''

PROXIES = {
    "a function of the module": """
    @Proxy
    def call():
        return 1

    class M(Model):
        @thread
        def go(self):
            assert call() == 1
    """,
    "a method": """
    class C:
        @Proxy
        def call(self):
            return 1

    class M(Model):
        def setup(self):
            self.c = C()

        @thread
        def go(self):
            assert self.c.call() == 1
    """,
    "a static method": """
    class C:
        call = staticmethod(Proxy(lambda: 1))

    class M(Model):
        @thread
        def go(self):
            assert C.call() == 1
    """,
    "a class": """
    @Proxy
    class C(int):
        pass

    class M(Model):
        @thread
        def go(self):
            assert C() == 0
    """,
    "a function that an object keeps": """
    class M(Model):
        def setup(self):
            self.call = Proxy(lambda: 1)

        @thread
        def go(self):
            assert self.call() == 1
    """,
    "a thread": """
    class M(Model):
        @thread
        @Proxy
        def go(self):
            pass
    """,
    "what was a thread": """
    class M(Model):
        @Proxy
        @thread
        def go(self):
            pass
    """,
}


@pytest.mark.parametrize("case", PROXIES)
def test_a_proxy_is_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(ModelError, match=r"__class__|not a plain method|makes it a Proxy"):
        verdict(tmp_path, PROXY + textwrap.dedent(PROXIES[case]))


GETTERS = {"property": "self.n", "classmethod": "0", "staticmethod": "0"}


@pytest.mark.parametrize("kind", GETTERS)
def test_a_descriptor_that_derives_from_one_of_pythons(tmp_path: Path, kind: str) -> None:
    """One that adds a name is what it derives from; one that gets another value is refused."""
    first = "" if kind == "staticmethod" else "self"
    read = "self.c.it" if kind == "property" else "self.c.it()"
    source = f"""
    class own({kind}):
        note = "one more name"

    class C:
        n = 0

        @own
        def it({first}):
            return {GETTERS[kind]}

    class M(Model):
        def setup(self):
            self.c = C()

        @thread
        def go(self):
            assert {read} == 0
    """
    assert verdict(tmp_path, source) == "verified"
    getting = "def __get__(self, instance, owner=None): return lambda: 1"
    with pytest.raises(ModelError):
        verdict(tmp_path, source.replace('note = "one more name"', getting))
