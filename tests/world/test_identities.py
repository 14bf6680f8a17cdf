"""`id()`, and `hash()` where the address decides it: compared, and used as keys."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from asyncio_driver import listed
from context_programs import noted_by_a_thread
from families import sample
from identity_programs import program
from running import load

from interleave import check
from interleave.errors import ModelError
from interleave.result import ModelResult

HEADER = """
import asyncio, queue, re, threading
from dataclasses import dataclass
from enum import Enum
from interleave import *


class Account:
    def __init__(self):
        self.lock = threading.Lock()
        self.balance = 0


class Node:
    def __init__(self):
        self.number = id(self)


class Keyed:
    def __hash__(self):
        return id(self) >> 4

    def __eq__(self, other):
        return id(self) == id(other)


@dataclass(frozen=True)
class Point:
    x: int = 0


class Color(Enum):
    RED = 1


def one():
    pass


A, B = Account(), Account()
LATE = [Account()]
PATTERN = re.compile("a")
OF_CLASS = {id(Account): "Account"}
AS_TEXT = {str(id(A)): "A"}
POINT = Point(id(B))
"""


def checked(
    folder: Path, body: str, engine: str = "auto", runtime: str | None = None
) -> ModelResult:
    (found,) = check(
        load(folder / "model.py", HEADER + body), engine=engine, runtime=runtime
    ).models
    return found


@pytest.mark.parametrize("seed", sample(10, range(40)))
def test_identities_tell_objects_apart_as_in_python(tmp_path: Path, seed: int) -> None:
    text = program(seed)
    real = noted_by_a_thread(load(tmp_path / "real.py", text))
    ours = listed(tmp_path / "model.py", text, "any")
    assert {(how, dict(values)["log"]) for how, values in ours} == {("finished", repr(real))}


HOLDS = {
    "an order of all accounts": """
    def setup(self):
        self.accounts = [Account(), Account(), Account()]

    @thread(3)
    def move(self, i):
        pair = self.accounts[i], self.accounts[(i + 1) % 3]
        first, second = sorted(pair, key=id)
        with first.lock, second.lock:
            pair[0].balance -= 1
            pair[1].balance += 1

    @postcondition
    def nothing_is_lost(self):
        return sum(each.balance for each in self.accounts) == 0
""",
    "what threads make": """
    def setup(self):
        self.nodes, self.made = {}, []

    @thread(2)
    def run(self):
        node = Node()
        assert node.number == id(node)
        self.nodes[node.number] = node
        assert self.nodes[id(node)] is node
        mine = [[], []]
        self.made.append({id(each): each for each in mine})
        assert len({id(each) for each in mine}) == 2

    @postcondition
    def each_is_known(self):
        made = [id(each) == key for known in self.made for key, each in known.items()]
        nodes = [id(each) == key for key, each in self.nodes.items()]
        return made == [True] * 4 and nodes == [True] * 2
""",
    "what another thread is handed": """
    items = queue.Queue()
    number = None

    @thread
    def gives(self):
        item = []
        self.number = id(item)
        self.items.put(item)

    @thread
    def takes(self):
        assert id(self.items.get()) == self.number
""",
    "what is no shared object": """
    n = 0

    @thread
    def run(self):
        things = [
            None, True, 1, "a", b"", (1, A), Account, Node, one, len, int, Color.RED, Color,
            threading, re, self, threading.Lock, threading.Event, queue.Queue,
            threading.current_thread(),
        ]
        self.n = [id(each) for each in things]
        assert len(set(self.n)) == len(things)
        assert self.n == [id(each) for each in things]
        assert id(type(A)) == id(Account) == id(A.__class__)
        assert id(PATTERN) == id(PATTERN) and id(PATTERN) not in self.n
""",
    "as text, as a key, in __hash__": """
    known = {}

    @thread
    def run(self):
        x, y = Keyed(), Keyed()
        assert len({x, y}) == 2 and x in {x} and x != y
        self.known[f"{id(A):x}"] = hex(id(B))
        assert self.known[f"{id(A):x}"] == hex(id(B))
        assert hash(id(A)) == id(A) and hash(A) != id(A) and hash(A) != hash(B)
        lock = id
        assert list(map(lock, [A, B])) == [id(A), id(B)]
""",
    "addresses in what is no container": """
    n = 0
    of_a = id(A)

    def setup(self):
        self.pair = (id(A), (id(B), frozenset([id(LATE[0])])))

    @thread(2)
    def run(self):
        assert self.of_a == id(A) != id(B)
        assert self.pair[0] == id(A) and self.pair[1][0] == id(B)
        assert id(LATE[0]) in self.pair[1][1]
        assert POINT.x == id(B)
        self.n = id(self)
""",
    "objects of each choice in setup": """
    def setup(self):
        self.all = [Account() for _ in range(choose([1, 2]))]
        self.at = {id(each): place for place, each in enumerate(self.all)}

    @thread
    def run(self):
        for place, each in enumerate(self.all):
            assert self.at[id(each)] == place
""",
    "tasks": """
    seen = set()

    @task(2)
    async def run(self):
        mine = object()
        self.seen.add(id(asyncio.current_task()))
        await asyncio.sleep(0)
        assert id(asyncio.current_task()) in self.seen

    @postcondition
    def two(self):
        return len(self.seen) == 2
""",
}


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("body", HOLDS.values(), ids=HOLDS)
def test_what_holds_of_addresses_holds_of_numbers(tmp_path: Path, body: str, engine: str) -> None:
    found = checked(tmp_path, f"\nclass M(Model):{body}", engine)
    assert found.complete
    assert {v.kind for v in found.violations} <= {"lost-update"}, found.violations[0].message


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize("key", ["id(self.what)", "hash(self.what)", "id(type(self.what))"])
def test_an_update_at_a_key_is_lost(tmp_path: Path, key: str, runtime: str) -> None:
    found = checked(
        tmp_path,
        f"""
class M(Model):
    count = {{}}
    what = A

    @thread(2)
    def run(self):
        key = {key}
        count = self.count.get(key, 0)
        self.count[key] = count + 1
""",
        runtime=runtime,
    )
    assert {violation.kind for violation in found.violations} == {"lost-update"}


def test_locks_in_no_order_meet_in_a_deadlock(tmp_path: Path) -> None:
    body = HOLDS["an order of all accounts"].replace("sorted(pair, key=id)", "pair")
    found = checked(tmp_path, f"\nclass M(Model):{body}")
    assert "deadlock" in {violation.kind for violation in found.violations}


REFUSED = {
    "id(A) % 4": "this computes with what id() or hash() gives",
    "7 + id(A)": "this computes with what id() or hash() gives",
    "hash(A) & 3": "this computes with what id() or hash() gives",
    "int(id(A))": "this computes with what id() or hash() gives",
    "hash('a')": "hash() outside of __hash__",
    "hash(Color.RED)": "hash() outside of __hash__",
    "id(Point())": "this asks for the identity of a Point",
    "id(self.run)": "this asks for the identity of a method",
    "id(lambda: self)": "this asks for the identity of a Closure",
    "id(memoryview(b''))": "id() is given a value that cannot be shared",
    "OF_CLASS.get(id(Account))": "this asks for the identity of what is no shared object, and its",
    "AS_TEXT.get(str(id(A)))": "this asks for the identity of an object whose address is kept in",
}


@pytest.mark.parametrize(("expression", "what"), REFUSED.items(), ids=REFUSED)
def test_what_addresses_alone_could_tell_is_refused(
    tmp_path: Path, expression: str, what: str
) -> None:
    body = (
        f"\nclass M(Model):\n    n = 0\n\n    @thread\n    def run(self):\n        {expression}\n"
    )
    with pytest.raises(ModelError) as raised:
        checked(tmp_path, body)
    assert raised.value.what.startswith(what)
    assert raised.value.remedy
    assert raised.value.place is not None


REGISTERED = """
class Entry:
    known = {}
    count = 0

    def __init__(self):
        Entry.known[id(self)] = self
        self.number = id(self)

    def __lt__(self, other):
        return id(self) < id(other)


E, F = Entry(), Entry()
BY_PAIR = {(id(E), id(F)): [1]}
LAST = id(E)


def is_e(x, key=id(E)):
    return id(x) == key


def closure():
    inside = Entry()
    key = id(inside)
    return (lambda: inside), (lambda x: id(x) == key)


INSIDE, IS_INSIDE = closure()


class M(Model):
    n = 0

    @thread(2)
    def run(self, i):
        global LAST
        assert Entry.known[id(F)] is F and E.number == id(E)
        assert is_e(E) and not is_e(F)
        assert IS_INSIDE(INSIDE()) and not IS_INSIDE(E)
        mine = Entry()
        assert Entry.known[id(mine)] is mine and sorted([mine, F, E])[-1] is mine
        assert BY_PAIR[id(E), id(F)] == [1]
        assert LAST in (id(E), id(F))
        LAST = id(F)
        self.n += 1
"""


def test_registries_of_all_kinds_and_reports_that_are_always_the_same(tmp_path: Path) -> None:
    found = [checked(tmp_path, REGISTERED) for _ in range(2)]
    for result in found:
        assert [(each.kind, each.location) for each in result.violations] == [("lost-update", "n")]
    alive, again = [[each.trace for each in result.violations] for result in found]
    assert alive == again


def test_the_address_of_a_module_or_of_a_function_with_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "identities_helper.py").write_text("n = 0\n\ndef f():\n    return n\n\nf.x = 1\n")
    text = """
import identities_helper as helper
KEPT = {{id(helper.f): 1, id(helper): 2}}

class M(Model):
    n = 0

    @thread
    def run(self):
        self.n = KEPT[id({what})]
"""
    for what in ("helper", "helper.f"):
        with pytest.raises(ModelError, match="its address is kept from before the threads"):
            checked(tmp_path, text.format(what=what))
    monkeypatch.delitem(sys.modules, "identities_helper")
