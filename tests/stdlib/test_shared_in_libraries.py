"""What libraries that are pure make of shared containers and objects: what they make of real ones."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from running import by_interleave, by_python

from interleave import ModelError, check

HEADER = """
import array as arrays, base64, bisect, collections, copy, dataclasses, decimal, fractions, functools
import heapq, itertools, json, math, operator, pickle, pprint, reprlib, statistics, string, struct
from dataclasses import asdict, astuple
from interleave import Model, thread

@dataclasses.dataclass
class Point:
    x: int = 0
    more: list = dataclasses.field(default_factory=lambda: [1, (2, {3: [4]})])

Pair = collections.namedtuple("Pair", "a b")

class Encoder(json.JSONEncoder):
    def default(self, o):
        return [sorted(o)] if isinstance(o, set) else super().default(o)

class M(Model):
    got = None

    def setup(self):
        self.L, self.D, self.S = [3, 1, 2], {"a": 1, "b": [2]}, {1, 2}
        self.W, self.Q, self.P = ["x", "yz"], collections.deque([1, 2]), Point()

    @thread
    def run(self):
        # They are written, so that looking at them is an access.
        self.L.append(0), self.L.pop(), self.S.add(0), self.S.discard(0), self.W.append(""), self.W.pop()
        self.D["c"] = 0
        del self.D["c"]
        self.Q.append(0), self.Q.pop()
        self.P.x = 5
        self.P.more.append(0), self.P.more.pop()
        got = []
"""

EXPRESSIONS = """
json.dumps(self.D)
json.dumps([self.L, {"a": (self.D,)}], indent=1)
json.dumps(self.D, default=str, sort_keys=True)
json.dumps([self.S], default=sorted)
json.dumps(Pair(self.L, {"a": Pair(self.D, 1)}))
pickle.loads(pickle.dumps((self.L, self.Q)))
json.dumps({"s": self.S}, cls=Encoder)
json.dumps(self.P, default=lambda p: p.more)
pickle.loads(pickle.dumps(self.D))
pickle.loads(pickle.dumps([self.L, self.S, self.Q], 0))
asdict(self.P)
astuple(self.P)
dataclasses.asdict(self.P, dict_factory=lambda pairs: [*pairs])
dataclasses.replace(self.P, x=7).x + dataclasses.replace(self.P).x
[each.name for each in dataclasses.fields(self.P)]
dataclasses.is_dataclass(self.P)
copy.copy(self.D), copy.deepcopy(self.D), copy.copy(self.P).x, copy.deepcopy(self.P).more
str(self.D), repr(self.L), f"{self.L} {self.D!r}", "%s" % self.D, "{a}".format(**self.D)
pprint.pformat(self.D), reprlib.repr(self.L)
string.Template("$a").substitute(self.D)
statistics.mean(self.L), math.prod(self.L), math.fsum(self.L), functools.reduce(pow, self.L)
[*itertools.chain(self.L, self.W)], [*itertools.product(self.L, self.W)]
[*itertools.accumulate(self.L)], [*itertools.zip_longest(self.L, self.W)]
collections.Counter(self.W), collections.ChainMap(self.D)["a"], collections.deque(self.L, 2)
operator.itemgetter("a")(self.D), operator.concat(self.L, self.L), operator.eq(self.L, [3, 1, 2])
bytes(self.L), arrays.array("i", self.L), struct.pack("3i", *self.L), base64.b64encode(bytes(self.L))
bisect.bisect(self.L, 2), heapq.nlargest(2, self.L), heapq.nsmallest(1, self.D.items())
fractions.Fraction(*self.L[:2]), decimal.Decimal(self.L[0])
type(self.L) is list, isinstance(self.D, collections.abc.Mapping), (self.L,) == ([3, 1, 2],)
"""


def model(body: str) -> str:
    return HEADER + textwrap.indent(body, 8 * " ") + "\n        self.got = tuple(got)\n"


def texts(value: Any) -> list[str]:
    """What a tuple of texts holds, of which the types are told as well."""
    kind, items = value
    assert kind == "tuple"
    return [text for _, text in items]


@pytest.mark.slow
def test_a_shared_value_is_what_a_real_one_is(tmp_path: Path) -> None:
    expressions = EXPRESSIONS.strip().splitlines()
    text = model("\n".join(f"got.append(repr(({each})))" for each in expressions))
    here, real = (by(tmp_path / "model.py", text) for by in (by_interleave, by_python))
    assert (here.raised, real.raised) == (None, None)
    found, wanted = (texts(each.variables["got"]) for each in (here, real))
    assert [*zip(expressions, found, strict=True)] == [*zip(expressions, wanted, strict=True)]


@pytest.mark.parametrize("copied", ["asdict", "astuple"])
def test_a_field_that_is_a_defaultdict_is_copied_as_this_version_of_python_does(
    tmp_path: Path, copied: str
) -> None:
    text = f"""
from collections import defaultdict
from dataclasses import {copied}, dataclass, field
from interleave import Model, thread

@dataclass
class Counts:
    by: dict = field(default_factory=lambda: defaultdict(list, {{1: [2]}}))

class M(Model):
    got = None

    def setup(self):
        self.counts = Counts()

    @thread
    def run(self):
        self.counts.by[3] = 4
        try:
            self.got = repr({copied}(self.counts))
        except TypeError as error:
            self.got = str(error)
"""
    here, real = (by(tmp_path / "model.py", text) for by in (by_interleave, by_python))
    assert (here.raised, real.raised) == (None, None)
    assert here.variables["got"] == real.variables["got"]


@pytest.mark.parametrize("value", ["self.P", "[self.P]", "Point", "lambda: 1"])
def test_what_cannot_be_pickled_in_a_model_is_refused(tmp_path: Path, value: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(model(f"pickle.dumps({value})"))
    with pytest.raises(ModelError, match="deepcopy"):
        check(file)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("json.dumps(self.S)", "TypeError: Object of type set is not JSON serializable"),
        ("json.dumps([self.P])", "TypeError: Object of type Point is not JSON serializable"),
        ("asdict(self.L)", "TypeError: asdict() should be called on dataclass instances"),
    ],
)
def test_what_is_wrong_in_python_is_wrong_in_its_words(
    tmp_path: Path, value: str, error: str
) -> None:
    file = tmp_path / "model.py"
    file.write_text(model(value))
    (violation,) = check(file).models[0].violations
    assert violation.message == f"run is ended by {error}"
