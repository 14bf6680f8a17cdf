"""Instances of classes: what they have themselves, what their class has, copies, and kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError


def test_attributes_of_the_class_are_not_in_the_instance(tmp_path: Path) -> None:
    source = """
class C:
    n = 0
    __slots__ = ("slot", "__dict__")

class M(Model):
    def setup(self):
        self.c = C()

    @thread(2)
    def t(self):
        self.c.slot = 1
        assert "slot" not in self.c.__dict__
        assert "n" not in vars(self.c) or self.c.n == 1
        self.c.n = 1
        assert "n" in self.c.__dict__
"""
    assert verdict(tmp_path, source) == "verified"


def test_an_attribute_of_the_class_cannot_be_deleted_from_the_instance(tmp_path: Path) -> None:
    source = """
class C:
    n = 0

class M(Model):
    x = 0

    def setup(self):
        self.c = C()

    @thread
    def t(self):
        self.x = 1
        del self.c.n
"""
    assert verdict(tmp_path, source) == "exception"


def test_the_dict_of_an_object_that_a_thread_made(tmp_path: Path) -> None:
    source = """
class C:
    def __init__(self):
        self.n = 0

class M(Model):
    c = None

    @thread
    def t(self):
        c = C()
        self.c = c
        self.c.__dict__["n"] = self.c.__dict__["n"] + 1
        assert sorted(vars(self.c)) == ["n"]

    @thread
    def u(self):
        if self.c is not None:
            self.c.n = self.c.n + 1
"""
    assert verdict(tmp_path, source) == "lost-update"


def test_what_a_method_of_the_library_makes_of_the_class_of_a_shared_object(
    tmp_path: Path,
) -> None:
    source = """
import collections.abc

class Bag(collections.abc.Set):
    def __init__(self, items):
        self.items = [*items]

    def __contains__(self, item):
        return item in self.items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)

class M(Model):
    done = False

    def setup(self):
        self.bag = Bag([1, 2])

    @thread
    def t(self):
        made = self.bag & {2, 3}
        assert type(made) is Bag and made.items == [2]
        self.done = True
"""
    assert verdict(tmp_path, source) == "verified"


def test_copies(tmp_path: Path) -> None:
    source = """
import copy

class C:
    __slots__ = ("n", "inside")

    def __init__(self):
        self.n = 0
        self.inside = [1]

class WithState(C):
    def __getstate__(self):
        return {"n": 5}

    def __setstate__(self, state):
        self.n = state["n"]

class Reduced(C):
    def __reduce__(self):
        return (Reduced, ())

class M(Model):
    x = 0

    def setup(self):
        self.c = C()
        self.others = [WithState(), Reduced(), {"a": [1]}]

    @thread(2)
    def t(self):
        shallow = copy.copy(self.c)
        assert shallow.inside is self.c.inside and type(shallow) is C
        deep = copy.deepcopy(self.c)
        deep.inside.append(2)
        assert len(self.c.inside) == 1
        first, second, table = copy.deepcopy(self.others)
        table["a"].append(2)
        assert (first.n, second.n, len(self.others[2]["a"])) == (5, 0, 1)
        self.x = 1
"""
    assert verdict(tmp_path, source) == "verified"


def test_a_lock_is_not_copied(tmp_path: Path) -> None:
    source = """
import copy
import threading

class M(Model):
    x = 0

    def setup(self):
        self.locks = [threading.Lock()]

    @thread
    def t(self):
        same = copy.copy(self.locks)
        assert same[0] is self.locks[0]
        self.x = 1
        copy.deepcopy(self.locks)
"""
    assert verdict(tmp_path, source) == "exception"


def test_an_instance_is_sent_to_another_process(tmp_path: Path) -> None:
    source = """
import multiprocessing
from interleave import process

class C:
    kind = 3

    def __init__(self):
        self.n = 0

class M(Model):
    def setup(self):
        self.q = multiprocessing.Queue()
        self.c = C()

    @process
    def a(self):
        self.c.n = 4
        self.q.put(self.c)

    @process
    def b(self):
        c = self.q.get()
        assert (c.n, c.kind, type(c)) == (4, 3, C)
        assert self.c.n == 0
"""
    assert verdict(tmp_path, source) == "verified"


def test_dataclasses(tmp_path: Path) -> None:
    source = """
import threading
from dataclasses import dataclass, field

@dataclass(order=True)
class P:
    x: int
    tags: list = field(default_factory=list)
    lock: object = field(default_factory=threading.Lock, compare=False)

@dataclass(frozen=True)
class Key:
    name: str

class M(Model):
    def setup(self):
        self.p = P(1)
        self.counts = {Key("a"): 0}

    @thread(2)
    def t(self):
        own = P(0)
        own.tags.append(1)
        with own.lock:
            assert P(0) < P(0, [1]) == own
        self.counts[Key("a")] = self.counts[Key("a")] + 1

    @postcondition
    def all_are_counted(self):
        return self.counts[Key("a")] == 2
"""
    assert verdict(tmp_path, source) == "lost-update postcondition"


def test_hash_of_what_is_no_number_is_for_dicts_only(tmp_path: Path) -> None:
    source = """
class M(Model):
    x = 0

    @thread(2)
    def t(self, i):
        assert hash((1, 2.5)) == hash((1, 2.5))
        self.x = hash("a") % 2
"""
    with pytest.raises(ModelError, match=r"hash\(\) outside of __hash__"):
        verdict(tmp_path, source)


def test_named_tuples(tmp_path: Path) -> None:
    source = """
from typing import NamedTuple

class P(NamedTuple):
    x: int
    y: int = 0

    def moved(self, by):
        return self._replace(x=self.x + by)

    @property
    def sum(self):
        return self.x + self.y

    @classmethod
    def origin(cls):
        return cls(0)

class M(Model):
    at = P(0)

    @thread(2)
    def t(self):
        self.at = self.at.moved(1)
        assert P.origin().sum == 0 and isinstance(self.at, P)

    @postcondition
    def both_moved(self):
        return self.at == (2, 0)
"""
    assert "postcondition" in verdict(tmp_path, source)


def test_generic_and_abstract_classes_and_protocols(tmp_path: Path) -> None:
    source = """
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")

class Box(Generic[T]):
    made = 0

    def __init__(self, value: T) -> None:
        self.value = value
        Box.made = Box.made + 1

class IntBox(Box[int]):
    pass

@runtime_checkable
class HasValue(Protocol):
    value: int

class Base(ABC):
    @abstractmethod
    def step(self): ...

class Registered:
    pass

Base.register(Registered)

class M(Model):
    @thread(2)
    def t(self):
        box = IntBox(1)
        assert isinstance(box, HasValue) and isinstance(box, Box)
        assert isinstance(Registered(), Base) and issubclass(Registered, Base)

    @postcondition
    def all_are_counted(self):
        return Box.made == 2
"""
    assert verdict(tmp_path, source) == "lost-update postcondition"


REGISTERED = """
import collections.abc
import contextlib
import numbers
import os
from abc import ABC, ABCMeta

class Own(ABC):
    pass

class Derived(collections.abc.Sequence):
    pass

class EqualToObject(ABCMeta):
    def __eq__(self, other):
        return other is object or other is self

    def __hash__(self):
        return hash(object)

class Equal(metaclass=EqualToObject):
    pass

class C:
    def __init__(self):
        self.n = 0

{registers}.register(C)
kept = C()

class M(Model):
    @thread(2)
    def t(self):
        if {asks}:
            kept.n += 1
"""
REGISTERS = {  # with what C is registered, and what it then counts as derived from too
    "collections.abc.Sequence": "collections.abc.Sequence",
    "collections.abc.MutableMapping": "collections.abc.Collection",
    "numbers.Integral": "numbers.Number",
    "contextlib.AbstractContextManager": "contextlib.AbstractContextManager",
    "os.PathLike": "os.PathLike",
    "Own": "Own",
    "Derived": "collections.abc.Sequence",
    "Equal": "Equal",
}


@pytest.mark.parametrize(
    "asks", ["isinstance(kept, {})", "isinstance(C(), {})", "issubclass(C, {})"]
)
@pytest.mark.parametrize("registers", REGISTERS)
def test_what_a_class_is_registered_with_it_counts_as_derived_from(
    tmp_path: Path, registers: str, asks: str
) -> None:
    asked = asks.format(REGISTERS[registers])
    assert verdict(tmp_path, REGISTERED.format(registers=registers, asks=asked)) == "lost-update"
    other = asks.format("collections.abc.Set")
    source = REGISTERED.format(registers=registers, asks=f"not {other}")
    assert verdict(tmp_path, source) == "lost-update"


def test_classes_are_registered_at_import_only(tmp_path: Path) -> None:
    source = """
from abc import ABC

class Base(ABC):
    pass

class C:
    pass

class M(Model):
    is_one = True

    @thread
    def t(self):
        Base.register(C)

    @thread
    def u(self):
        self.is_one = isinstance(C(), Base)
"""
    with pytest.raises(ModelError, match=r"ABCMeta\.register"):
        verdict(tmp_path, source)


def test_a_key_whose_hash_looks_at_what_can_change_is_refused(tmp_path: Path) -> None:
    source = """
from dataclasses import dataclass

@dataclass(unsafe_hash=True)
class Key:
    a: int

class M(Model):
    def setup(self):
        self.counts = {Key(1): 0}

    @thread(2)
    def t(self):
        self.counts[Key(1)] = 1
"""
    with pytest.raises(ModelError, match="has a Key as a key"):
        verdict(tmp_path, source)
