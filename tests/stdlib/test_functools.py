"""Functions that functools makes: generic ones, whose choice is followed, and those with a cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from verdicts import verdict

from interleave import ModelError

TILL = """
import collections.abc
import functools

class Money:
    def __init__(self, n):
        self.n = n

class Euro(Money):
    pass

total = 0

@functools.{decorator}
def put({this}x):
    raise TypeError(x)

@put.register
def _({this}x: int):
    global total
    t = total
    total = t + x

@put.register(Money)
def put_money({this}x):
    {call}(x.n)

@put.register(collections.abc.Sequence)
def put_all({this}x):
    for each in x:
        {call}(each)
"""

FUNCTION = TILL.format(decorator="singledispatch", this="", call="put")
METHOD = "class Till:\n" + "".join(
    f"    {line}\n"
    for line in TILL.partition("total = 0\n")[2]
    .format(decorator="singledispatchmethod", this="self, ", call="self.put")
    .splitlines()
)
METHOD = TILL.partition("@functools")[0] + METHOD

MODEL = """
from threading import Lock

class M(Model):
    def setup(self):
        self.lock = Lock()
        {setup}

    @thread
    def one(self):
        {before}{put}({one})

    @thread
    def other(self):
        {before}{put}({other})

    @postcondition
    def both(self):
        return total == 3
"""


@pytest.mark.parametrize(("one", "other"), [("1", "2"), ("[1]", "Euro(2)"), ("Money(1)", "(2,)")])
@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize(
    ("source", "setup", "put"),
    [
        (FUNCTION, "pass", "put"),
        (FUNCTION, "self.put = put", "self.put"),
        (METHOD, "self.till = Till()", "self.till.put"),
    ],
)
def test_what_the_type_chooses_is_followed(
    tmp_path: Path, source: str, setup: str, put: str, one: str, other: str, locked: bool
) -> None:
    before = "with self.lock: " if locked else ""
    model = MODEL.format(setup=setup, before=before, put=put, one=one, other=other)
    assert verdict(tmp_path, source + model) == (
        "verified" if locked else "lost-update postcondition"
    )


LOOKS = """
import collections.abc, enum, functools

class A: pass
class B(A): pass
class Kind(enum.Enum):
    ONE = 1

@functools.singledispatch
def kind(x, *, more=""):
    return "any" + more

for _type in (int, A, list, collections.abc.Mapping, enum.Enum, type(None)):
    kind.register(_type)(lambda x, name=_type.__name__, more="": name + more)

class M(Model):
    @thread
    def looks(self):
        self.seen = [
            kind(each, more="!") for each in (1, True, 1.5, A(), B(), [], {{}}, Kind.ONE, None, "")
        ]
        self.seen += [kind.dispatch(bool)(0), kind.__name__, kind.__wrapped__(0)]
        try:
            kind()
        except TypeError as error:
            self.seen.append(str(error))

    @postcondition
    def as_in_python(self):
        return self.seen == {seen}
"""


def test_it_chooses_as_python_does(tmp_path: Path) -> None:
    space: dict[str, Any] = {}
    definitions = LOOKS.partition("class M")[0].format()
    exec(definitions, space)
    kind: Any = space["kind"]
    given = [1, True, 1.5, space["A"](), space["B"](), [], {}, space["Kind"].ONE, None, ""]
    seen = [kind(each, more="!") for each in given]
    seen += [kind.dispatch(bool)(0), kind.__name__, kind.__wrapped__(0)]
    seen.append("kind requires at least 1 positional argument")
    assert verdict(tmp_path, LOOKS.format(seen=seen)) == "verified"


@pytest.mark.parametrize(
    "change",
    ["put.register(float, print)", "put.n = 1", "setattr(put, '__doc__', '')", "del put.n"],
)
def test_a_generic_function_that_changes_is_refused(tmp_path: Path, change: str) -> None:
    model = MODEL.format(setup="pass", before="", put="put", one="1", other="2")
    with pytest.raises(ModelError, match="put") as refused:
        verdict(tmp_path, FUNCTION + model.replace("put(1)", change))
    assert refused.value.place is not None
    assert refused.value.remedy


@pytest.mark.parametrize(
    "decorator", ["cache", "lru_cache", "lru_cache(maxsize=None)", "lru_cache(maxsize=4)"]
)
def test_a_cached_function_of_a_module(tmp_path: Path, decorator: str) -> None:
    source = f"""
import functools

@functools.{decorator}
def make(x: int) -> list:
    return [x]

class M(Model):
    @thread
    def one(self):
        self.first = make(1)

    @thread
    def other(self):
        self.second = make(1)

    @postcondition
    def the_same(self):
        return self.first is self.second
"""
    assert verdict(tmp_path, source) == "postcondition"
