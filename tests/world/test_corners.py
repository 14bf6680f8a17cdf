"""State where Python keeps what functions, classes, modules and library objects are.

It is written by a thread in many ways, and read again. Without a lock that is found or refused,
with one it is verified or refused.
"""

from __future__ import annotations

import copyreg
import decimal
import linecache
import logging
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from bumping import LOCKED, RACY, TWICE
from click.testing import CliRunner

from interleave.cli import main

HEAD = "import threading\nfrom interleave import Model, postcondition, thread\n"


OWNERS = {
    "function": ("def f(n=0, *, k=0):\n    return n", "f"),
    "lambda": ("f = lambda n=0, *, k=0: n", "f"),
    "closure": ("def make(c):\n    return lambda n=0, *, k=0: c\nf = make(1)", "f"),
    "async function": ("async def f(n=0, *, k=0):\n    return n", "f"),
    "generator": ("def f(n=0, *, k=0):\n    yield n", "f"),
    "method": ("class A:\n    def f(self, n=0, *, k=0):\n        return n", "A.f"),
    "class": ("class A:\n    n: int = 0", "A"),
    "class with a metaclass": ("class Meta(type): pass\nclass A(metaclass=Meta): pass", "A"),
    "metaclass": ("class Meta(type): pass\nclass A(metaclass=Meta): pass", "Meta"),
    "dataclass": ("import dataclasses\n@dataclasses.dataclass\nclass A:\n    n: int = 0", "A"),
    "enum": ("import enum\nclass A(enum.Enum):\n    X = 1", "A"),
    "member": ("import enum\nclass A(enum.Enum):\n    X = 1", "A.X"),
    "named tuple": ("from collections import namedtuple\nA = namedtuple('A', 'n')", "A"),
    "exception": ("class A(Exception): pass", "A"),
    "own module": ("import sys", "sys.modules[__name__]"),
    "module": ("import corners_helper", "corners_helper"),
    "instance": ("class A:\n    n = 0\na = A()", "a"),
    "property": ("class A:\n    @property\n    def p(self): return 0", "A.p"),
    "library class": ("import json", "json.JSONEncoder"),
    "library function": ("import textwrap", "textwrap.dedent"),
    "library module": ("import json.decoder", "json.decoder"),
    "modelled class": ("", "threading.Thread"),
    "modelled module": ("", "threading"),
    "modelled object": ("event = threading.Event()", "event"),
    "logger": ("import logging\nlog = logging.getLogger('corners')", "log"),
}
"""What has attributes: what defines it, and the expression for it."""

ATTRIBUTES = {
    "__doc__": ("str({})", "int({})"),
    "__name__": ("'n' + str({})", "int({}[1:])"),
    "__qualname__": ("'n' + str({})", "int({}[1:])"),
    "__module__": ("'n' + str({})", "int({}[1:])"),
    "__defaults__": ("({},)", "{}[0]"),
    "__kwdefaults__": ("dict(k={})", "{}['k']"),
    "__annotations__": ("dict(n={})", "{}['n']"),
    "__match_args__": ("('a',) * ({})", "len({})"),
    "__wrapped__": ("{}", "{}"),
    "__isabstractmethod__": ("{}", "{}"),
    "__version__": ("{}", "{}"),
}
"""Attributes: how a number is written into one, and read again."""

WRITES = {
    "assigned": "OWNER.NAME = NEW",
    "in a loop": "for OWNER.NAME in [NEW]: pass",
    "setattr": "setattr(OWNER, 'NAME', NEW)",
    "a name that is made": "setattr(OWNER, '__' + 'NAME'[2:], NEW)",
    "setattr, kept": "put = setattr\nput(OWNER, 'NAME', NEW)",
    "setattr by map": "list(map(setattr, [OWNER], ['NAME'], [NEW]))",
    "setattr in a key": "sorted([0], key=lambda _: setattr(OWNER, 'NAME', NEW) or 0)",
    "__dict__": "OWNER.__dict__['NAME'] = NEW",
    "vars": "vars(OWNER).update(NAME=NEW)",
    "object.__setattr__": "object.__setattr__(OWNER, 'NAME', NEW)",
    "type.__setattr__": "type.__setattr__(OWNER, 'NAME', NEW)",
    "__setattr__ of its own": "OWNER.__setattr__('NAME', NEW)",
    "__setattr__ of its class": "type(OWNER).__setattr__(OWNER, 'NAME', NEW)",
    "__setattr__, asked for": "getattr(OWNER, '__setattr__')('NAME', NEW)",
}

STEP = 37
"""One of so many combinations is tried: of every owner, attribute and way of writing, some."""

MODELLED = ("modelled class", "modelled module", "modelled object", "logger")


def combination(owner: str, name: str, write: str) -> str:
    """Code that begins with 0 in an attribute, and defines `bump` and `value`."""
    definition, owned = OWNERS[owner]
    encode, decode = ATTRIBUTES[name]
    read = decode.format(f"{owned}.{name}")
    body = WRITES[write].replace("NEW", encode.format(f"{read} + 1"))
    body = textwrap.indent(body.replace("OWNER", owned).replace("NAME", name), "    ")
    return (
        f"{definition}\n{owned}.{name} = {encode.format(0)}\n"
        f"def bump():\n{body}\ndef value():\n    return {read}\n"
    )


def counts_in_python(code: str) -> bool:
    """Whether Python lets such a thing be written at all, and counts to two with it."""
    names: dict[str, object] = {"__name__": "corners_in_python"}
    sys.modules["corners_in_python"] = type(sys)("corners_in_python")
    vars(sys.modules["corners_in_python"]).update(names)
    names = vars(sys.modules["corners_in_python"])
    try:
        exec(compile(HEAD + code + "bump()\nbump()\ntwice = value() == 2", "<code>", "exec"), names)
    except Exception:
        return False
    return names["twice"] is True


@pytest.fixture(autouse=True)
def _helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corners_helper.py").write_text("n = 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "corners_helper", raising=False)


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    """Python itself writes in the library, to show that it can."""
    arguments, filters, table = [*sys.argv], [*warnings.filters], {**copyreg.dispatch_table}
    modules, digits = {*sys.modules}, decimal.DefaultContext.prec
    yield
    sys.argv[:] = arguments
    warnings.filters[:] = filters  # type: ignore[index]
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(table)
    decimal.DefaultContext.prec = digits
    linecache.clearcache()
    re.purge()
    logging.getLogger("corners").handlers.clear()
    for name in {*sys.modules} - modules:
        if name.startswith("corners"):
            del sys.modules[name]


def check(code: str, model: str, folder: Path) -> tuple[int, str]:
    sys.modules.pop("corners_helper", None)
    file = folder / "model.py"
    file.write_text(HEAD + code + model + TWICE)
    result = CliRunner().invoke(main, ["check", str(file)])
    return result.exit_code, result.output


def assert_never_wrong(code: str, folder: Path) -> None:
    for model, right in ((RACY, 1), (LOCKED, 0)):
        exit_code, text = check(code, model, folder)
        assert exit_code in (right, 2), text
        if exit_code == 2:
            assert "remedy: " in text
            assert "the threads share nothing" not in text, text


COMBINATIONS = [
    (owner, name, write)
    for owner, name, write in product(OWNERS, ATTRIBUTES, WRITES)
    # What stands for something modelled has a name and a docstring of its own.
    if owner not in MODELLED or name in ("__match_args__", "__wrapped__", "__version__")
]
SAMPLE = [*COMBINATIONS[::STEP], *[each for each in COMBINATIONS[::5] if each[0] in MODELLED]]


@pytest.mark.parametrize("owner", OWNERS)
def test_an_attribute_that_means_something(owner: str, tmp_path: Path) -> None:
    tried = 0
    for each, name, write in SAMPLE:
        code = combination(each, name, write)
        if each == owner and counts_in_python(code):
            assert_never_wrong(code, tmp_path)
            tried += 1
    assert tried


ITEM = "d = {0}\nd['n'] = d.get('n', 0) + 1"
INSTANCE = "class A:\n    n = 0\na = A()\na.n = 0"

PLACES: dict[str, tuple[str, str, str]] = {
    # In the dicts of functions and classes.
    **{
        f"annotations of a class, by {found}": (
            "import operator\nclass A:\n    x: int = 0",
            ITEM.format(found),
            "A.__annotations__.get('n', 0)",
        )
        for found in (
            "getattr(A, '__annotations__')",
            "vars(A)['__annotations__']",
            "type.__getattribute__(A, '__annotations__')",
            "operator.attrgetter('__annotations__')(A)",
        )
    },
    **{
        f"{name} of a function, by attrgetter": (
            "import operator\ndef f(*, n=0):\n    return n",
            f"d = operator.attrgetter('{name}')(f)\nd['n'] = d.get('n', 0) + 1",
            f"operator.attrgetter('{name}')(f)['n']",
        )
        for name in ("__globals__", "__kwdefaults__")
    },
    "annotations of a module": ("x: int = 0", ITEM.format("__annotations__"), "__annotations__['n']"),
    "a cell": (
        "def make(n):\n    return lambda: n\nf = make(0)",
        "setattr(getattr(f, '__closure__')[0], 'cell_contents', f() + 1)",
        "f()",
    ),
    "slots that are a list": (
        "class A:\n    __slots__ = ['n']", "A.__slots__.append('m')", "len(A.__slots__) - 1",
    ),
    # By the methods that get and set attributes.
    **{
        f"an instance, by {put}": (INSTANCE, put, "a.n")
        for put in (
            "A.__setattr__(a, 'n', a.n + 1)",
            "a.n = A.__getattribute__(a, 'n') + 1",
            "type(a).__setattr__(a, 'n', a.n + 1)",
            "a.__setattr__('n', a.__getattribute__('n') + 1)",
            "f = getattr(A, '__setattr__')\nf(a, 'n', a.n + 1)",
            "sorted([0], key=lambda _: A.__setattr__(a, 'n', a.n + 1) or 0)",
        )
    },
    **{
        f"the class of an instance, by {put}": (
            "class A: n = 0\nclass B: n = 1\nclass C: n = 2\na = A()", put, "a.n",
        )
        for put in (
            "object.__setattr__(a, '__class__', C if a.n else B)",
            "a.__setattr__('__class__', C if a.n else B)",
        )
    },
    "a frozen value, by its dict": (
        "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass P:\n    n: int\np = P(0)",
        "p.__dict__['n'] = p.n + 1",
        "p.n",
    ),
    "a combination of flags": (
        "import enum\nclass E(enum.Flag):\n    X = 1\n    Y = 2\n(E.X | E.Y).n = 0",
        "(E.X | E.Y).n = (E.X | E.Y).n + 1",
        "(E.X | E.Y).n",
    ),
    # In libraries.
    "a list of a modelled module": (
        "import sys\nsize = len(sys.argv)", "sys.argv.append(0)", "len(sys.argv) - size",
    ),
    "modules": (
        "import sys\nsys.modules['corners_n'] = 0",
        "sys.modules['corners_n'] = sys.modules['corners_n'] + 1",
        "sys.modules['corners_n']",
    ),
    "a list of a library": (
        "import warnings\nsize = len(warnings.filters)",
        "warnings.filters.append(0)",
        "len(warnings.filters) - size",
    ),
    "a dict of a library": (
        "import copyreg\ncopyreg.dispatch_table['n'] = 0",
        "copyreg.dispatch_table['n'] = copyreg.dispatch_table['n'] + 1",
        "copyreg.dispatch_table['n']",
    ),
    "a cache of a library": (
        "import re\nre._cache['n'] = 0", "re._cache['n'] = re._cache['n'] + 1", "re._cache['n']",
    ),
    "a cache of a library that no model may use": (
        "import linecache\nlinecache.cache['n'] = 0",
        "linecache.cache['n'] = linecache.cache['n'] + 1",
        "linecache.cache['n']",
    ),
    "an object of a library": (
        "import decimal\nfirst = decimal.DefaultContext.prec",
        "decimal.DefaultContext.prec = decimal.DefaultContext.prec + 1",
        "decimal.DefaultContext.prec - first",
    ),
    # In what stands for objects of the library.
    "an event": ("e = threading.Event()\ne.n = 0", "e.n = e.n + 1", "e.n"),
    "the value of a semaphore": (
        "s = threading.Semaphore(0)", "s._value = s._value + 1", "s._value",
    ),
    "a cached function": (
        "import functools\n@functools.cache\ndef f(): pass\nf.n = 0",
        "f.__dict__['n'] = f.n + 1",
        "f.n",
    ),
    "a defaultdict": (
        "import collections\ndef one(): return 1\ndef two(): return 2\n"
        "d = collections.defaultdict(int)",
        "d.default_factory = two if d.default_factory() else one",
        "d.default_factory()",
    ),
    "what a partial adds": (
        "import functools\nf = functools.partial(dict, n=0)",
        "f.keywords['n'] = f.keywords['n'] + 1",
        "f.keywords['n']",
    ),
    "a partial": (
        "import functools\nf = functools.partial(int, 0)",
        "f.__setstate__((int, (f() + 1,), {}, {}))",
        "f()",
    ),
    # In C code that is given something.
    "memory": ("b = bytearray(1)", "m = memoryview(b)\nm[0] = m[0] + 1", "b[0]"),
    "packed bytes": (
        "import struct\nb = bytearray(4)\ns = struct.Struct('i')",
        "s.pack_into(b, 0, s.unpack_from(b)[0] + 1)",
        "s.unpack_from(b)[0]",
    ),
    "a method that is kept": (
        "put = list.append\nbox = []", "put(box, len(box))", "2 * (box == [0, 1])",
    ),
    "a method in a partial": (
        "import functools\nbox = [0]\nget = functools.partial(list.__getitem__, box)",
        "box[0] = get(0) + 1",
        "box[0]",
    ),
    # In code that Python runs when it likes, or somebody else.
    **{
        f"a finalizer, {make}": (
            "class A:\n    n = 0\n    def __init__(self, *_): pass\n"
            "    def __del__(self):\n        A.n = A.n + 1",
            make,
            "A.n",
        )
        for make in ("A()", "list(map(A, [1]))")
    },
    "a handler of a logger": (
        "import logging\ngot = []\nclass Keeps(logging.Handler):\n"
        "    def createLock(self): self.lock = None\n"
        "    def emit(self, record): got.append(len(got))\n"
        "log = logging.getLogger('corners')\nlog.handlers = [Keeps()]",
        "log.warning('x')",
        "2 * (got == [0, 1])",
    ),
    "a module with __getattr__": (
        "import sys, types\nlazy = types.ModuleType('corners_lazy')\n"
        "sys.modules['corners_lazy'] = lazy\n"
        "exec('def __getattr__(name):\\n    return 0', vars(lazy))",
        "lazy.n = lazy.n + 1",
        "lazy.n",
    ),
    "a function that a thread defines": (
        "box = [0]",
        "def f(): pass\nf.n = box[0]\nbox[0] = f.n + 1",
        "box[0]",
    ),
}  # fmt: skip
"""Where else state can be: a definition, how it is written, how it is read."""


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_nobody_has_thought_of(name: str, tmp_path: Path) -> None:
    definition, bump, value = PLACES[name]
    body = textwrap.indent(bump, "    ")
    code = f"{definition}\ndef bump():\n{body}\ndef value():\n    return {value}\n"
    assert counts_in_python(code)
    assert_never_wrong(code, tmp_path)
