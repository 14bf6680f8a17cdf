"""State in odd homes: with a lock around it a model is verified, or refused; without it, never."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bumping import LOCKED, RACY, TWICE
from click.testing import CliRunner

from interleave.cli import main


@dataclass
class Case:
    """Code that defines `bump`, which counts, and `value`, which tells how often it has."""

    code: str
    refused: str = ""
    """What the error says, if it is refused."""
    files: dict[str, str] = field(default_factory=dict)


def setter(head: str, attribute: str, bump: str, value: str) -> Case:
    code = f"{head}\ndef bump():\n    {bump}\ndef value():\n    return {value}\n"
    return Case(code, f"{attribute} is ")


CASES = {
    "the name of a class": setter(
        "class A: pass\nA.__name__ = '0'", "__name__",
        "A.__name__ = str(int(A.__name__) + 1)", "int(A.__name__)",
    ),
    "the bases of a class": setter(
        "class A: n = 0\nclass B: n = 1\nclass C: n = 2\nclass X(A): pass", "__bases__",
        "X.__bases__ = (C if X.n else B,)", "X.n",
    ),
    "the class of an object": setter(
        "class A: n = 0\nclass B: n = 1\nclass C: n = 2\na = A()", "__class__",
        "a.__class__ = C if a.n else B", "a.n",
    ),
    "the dict of an object": setter(
        "class A:\n    s = {'n': 0}\n    def __init__(self): self.__dict__ = self.s", "__dict__",
        "a = A(); a.n = a.n + 1", "A().n",
    ),
    "the code of a function": setter(
        "def f(): return 0\ndef g(): return 1\ndef h(): return 2", "__code__",
        "f.__code__ = (h if f() else g).__code__", "f()",
    ),
    "the defaults of a function": setter(
        "def f(n=0): return n", "__defaults__", "f.__defaults__ = (f() + 1,)", "f()",
    ),
    "the docstring of a function": setter(
        "def f(): '0'", "__doc__", "f.__doc__ = str(int(f.__doc__) + 1)", "int(f.__doc__)",
    ),
    "the globals of a function": setter(
        "n = 0\ndef f(): pass", "__globals__", "f.__globals__['n'] = f.__globals__['n'] + 1", "n",
    ),
    "a cell": setter(
        "def make():\n    n = 0\n    return lambda: n\nget = make()", "__closure__",
        "get.__closure__[0].cell_contents = get() + 1", "get()",
    ),
    "a slot by its descriptor": setter(
        "class A: __slots__ = ('n',)\na = A()\na.n = 0", "__get__",
        "A.n.__set__(a, A.n.__get__(a) + 1)", "a.n",
    ),
    "an attribute of a pure module": setter(
        "import math\nmath.counted = 0", "counted", "math.counted = math.counted + 1",
        "math.counted",
    ),
    "an attribute of a modelled module": setter(
        "threading.counted = 0", "counted", "threading.counted = threading.counted + 1",
        "threading.counted",
    ),
    "a registry of an abstract class": Case(
        """
        import abc
        class Base(abc.ABC): pass
        class X: pass
        class Y: pass
        def bump():
            Base.register(Y if issubclass(X, Base) else X)
        def value():
            return issubclass(X, Base) + issubclass(Y, Base)
        """,
        "register",
    ),
    "an exception that threads share": Case(
        """
        class E(Exception):
            n = 0
        error = E()
        def bump():
            try:
                raise error
            except E as caught:
                caught.n = caught.n + 1
        def value():
            return error.n
        """,
        "error is an exception that the threads share",
    ),
    "what C code is given": Case(
        """
        import struct
        data = bytearray(4)
        def bump():
            n, = struct.unpack_from("i", data)
            struct.pack_into("i", data, 0, n + 1)
        def value():
            return struct.unpack_from("i", data)[0]
        """,
        "C code looks into what threads share",
    ),
    "a dict behind a view": Case(
        """
        import types
        base = {"n": 0}
        view = types.MappingProxyType(base)
        def bump():
            base["n"] = view["n"] + 1
        def value():
            return view["n"]
        """,
        "view is a builtins.mappingproxy",
    ),
    "a property of a metaclass": Case(
        """
        class Meta(type):
            @property
            def count(cls): return cls.n
            @count.setter
            def count(cls, n): cls.n = n
        class A(metaclass=Meta):
            n = 0
        def bump():
            A.count = A.count + 1
        def value():
            return A.count
        """
    ),
    "an attribute that a class has from its metaclass": Case(
        """
        class Meta(type):
            n = 0
            def count(cls):
                cls.n += 1
        class A(metaclass=Meta): pass
        def bump():
            A.count()
        def value():
            return A.n
        """
    ),
    "a property of a metaclass that deletes": Case(
        """
        class Meta(type):
            @property
            def x(cls): return cls.n
            @x.deleter
            def x(cls): cls.n = cls.n + 1
        class A(metaclass=Meta):
            n = 0
        def bump():
            del A.x
        def value():
            return A.x
        """
    ),
    "a generic class": Case(
        """
        from typing import Generic, TypeVar
        T = TypeVar("T")
        class Box(Generic[T]):
            made = 0
            def __init__(self):
                Box.made = Box.made + 1
        def bump():
            Box()
        def value():
            return Box.made
        """
    ),
    "a lambda that becomes a method": Case(
        """
        class A:
            def f(self): return 0
        a = A()
        def bump():
            A.f = (lambda self: 2) if a.f() else (lambda self: 1)
        def value():
            return a.f()
        """
    ),
    "a method of a list that is a wrapper": Case(
        """
        items = []
        size = items.__len__
        def bump():
            items.insert(size(), size())
        def value():
            return 2 if items == [0, 1] else 0
        """
    ),
    "a global that is deleted": Case(
        """
        p = q = 1
        def bump():
            global p, q
            try:
                p
            except NameError:
                del q
            else:
                del p
        def value():
            return 2 - ("p" in globals()) - ("q" in globals())
        """
    ),
    "a module with __getattr__": Case(
        """
        import hostile_lazy
        def bump():
            hostile_lazy.store["n"] = hostile_lazy.n + 1
        def value():
            return hostile_lazy.n
        """,
        files={
            "hostile_lazy.py": "store = {'n': 0}\ndef __getattr__(name):\n    return store[name]\n"
        },
    ),
    "a module that is imported in functions only": Case(
        """
        def bump():
            import hostile_late
            hostile_late.n = hostile_late.n + 1
        def value():
            import hostile_late
            return hostile_late.n
        """,
        files={"hostile_late.py": "n = 0\n"},
    ),
    "a variable that is imported in functions": Case(
        """
        import hostile_names
        def bump():
            from hostile_names import n
            hostile_names.n = n + 1
        def value():
            from hostile_names import n as now
            return now
        """,
        files={"hostile_names.py": "n = 0\n"},
    ),
}  # fmt: skip


def run(case: Case, model: str, folder: Path) -> tuple[int, str]:
    for name, text in case.files.items():
        (folder / name).write_text(text)
    head = "import threading\nfrom interleave import Model, postcondition, thread\n"
    file = folder / "model.py"
    file.write_text(head + textwrap.dedent(case.code) + model + TWICE)
    result = CliRunner().invoke(main, ["check", str(file)])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", CASES)
def test_a_race_is_found_or_refused(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    code, text = run(case, RACY, tmp_path)
    assert code == (2 if case.refused else 1), text
    assert case.refused in text
    assert "remedy: " in text or not case.refused


@pytest.mark.parametrize("name", CASES)
def test_a_lock_makes_it_right(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    code, text = run(case, LOCKED, tmp_path)
    assert code == (2 if case.refused else 0), text
    assert case.refused in text
