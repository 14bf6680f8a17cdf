"""Real state: what changes is seen, named and put back, wherever it lives; no user code is run."""

from __future__ import annotations

import re
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interleave import ModelError, check
from interleave.loading import load_models
from interleave.world.snapshot import Snapshot

SOURCE = """
import array, collections, contextvars, decimal, functools, io, itertools, logging, os, queue
import random, threading, types, weakref

number = 1
names = ["a"]
table = {"a": [1], 2: "two"}
chosen = {1, 2}
line = collections.deque([1], maxlen=3)
pair = ([1], 2)
frozen = frozenset([("a", 1)])
raw = bytearray(b"ab")
cells = array.array("i", [1, 2])
ordered = collections.OrderedDict(a=1, b=2)
default = collections.defaultdict(list, a=[1])
counted = collections.Counter("aab")
space = types.SimpleNamespace(n=0)


class Names(list):
    pass


named = Names([1])
named.label = "x"


class Whole(int):
    pass


whole = Whole(3)
whole.n = 0


class Meta(type):
    made = 0


class Base:
    inherited = [0]


class Counter(Base, metaclass=Meta):
    made = 0
    seen = []

    @classmethod
    def make(cls):
        cls.made += 1

    @staticmethod
    def static(x=[]):
        return x

    @property
    def n(self, memo={}):
        return memo


class Slotted:
    __slots__ = ("a", "b")


slotted = Slotted()
slotted.a = 1
plain = Counter()
plain.x = 1
plain.deep = [{"in": [1]}]


class Descriptor:
    def __init__(self):
        self.k = 0

    def __get__(self, it, owner):
        self.k += 1
        return self.k


class Described:
    n = Descriptor()


def closed():
    count = 0
    kept = [0]
    if False:
        unset = 1

    def step(by=[1], *, to={"a": 1}):
        nonlocal count
        count += 1
        return kept, lambda: unset

    return step


step = closed()
in_list = [closed()]
partial = functools.partial(closed(), [5])
bound = plain.make
method = names.append


def attributed():
    return attributed.calls


attributed.calls = 0


@functools.lru_cache
def cached(x):
    return x


@functools.singledispatch
def dispatched(x):
    return x


def counting():
    n = 0
    while True:
        yield n
        n += 1


generator = counting()
ids = itertools.count(3)
iterator = iter([1, 2, 3])
in_range = iter(range(3))
keys = iter({"a": 1, "b": 2})
numbered = enumerate("abc")
cycle = itertools.cycle("ab")
text = io.StringIO("abc")
data = io.BytesIO(b"abc")
dice = random.Random(1)
lock = threading.Lock()
rlock = threading.RLock()
event = threading.Event()
semaphore = threading.Semaphore(2)
condition = threading.Condition()
waiting = queue.Queue()
simple = queue.SimpleQueue()
own = threading.local()
own.x = 1
variable = contextvars.ContextVar("variable", default=0)
variable.set(5)
weak = weakref.WeakValueDictionary(plain=plain)
reference = weakref.ref(plain)
error = ValueError("old")
context = decimal.Context(prec=5)
logger = logging.getLogger("interleave.test")
view = types.MappingProxyType({"a": 1})
os.environ["INTERLEAVE_TEST"] = "old"
"""

# What changes something -> where it is.
MUTATIONS = {
    # Modules
    "number = 2": "number",
    "del number": "number",
    "new = 1": "new",
    "names = list(names)": "names",
    # Containers
    "names.append('b')": "names",
    "names[0] = 'z'": "names[0]",
    "names.clear()": "names",
    "table['b'] = 1": "table['b']",
    "del table[2]": "table[2]",
    "table['a'].append(2)": "table['a']",
    "table['a'] = [1]": "table['a']",
    "table[2] = 2": "table[2]",
    "table['a'] = table.pop('a')": "table",
    "chosen.add(3)": "chosen",
    "chosen.discard(1)": "chosen",
    "line.append(2)": "line",
    "line.rotate(0); line[0] = 5": "line[0]",
    "pair[0].append(1)": "pair[0]",
    "raw[0] = 1": "raw",
    "raw.extend(b'c')": "raw",
    "cells[1] = 9": "cells[1]",
    "cells.append(9)": "cells",
    "ordered.move_to_end('a')": "ordered",
    "ordered['c'] = 1": "ordered['c']",
    "default['b']": "default['b']",
    "default.default_factory = None": "default.default_factory",
    "counted['b'] += 1": "counted['b']",
    "space.n = 1": "space.n",
    "space.m = 1": "space.m",
    "named.append(2)": "named",
    "named.label = 'y'": "named.label",
    "whole.n = 1": "whole.n",
    # Classes
    "Counter.made = 1": "Counter.made",
    "Counter.make()": "Counter.made",
    "Counter.new = 1": "Counter.new",
    "del Counter.seen": "Counter.seen",
    "Counter.seen.append(1)": "Counter.seen",
    "Counter.inherited.append(1)": "Base.inherited",
    "Base.other = 1": "Base.other",
    "Meta.made = 1": "Meta.made",
    "Counter.make = None": "Counter.make",
    "Counter.static().append(1)": "Counter.static.__defaults__[0]",
    "Counter.n.fget.__defaults__[0]['x'] = 1": "Counter.n.__defaults__[0]['x']",
    # Instances
    "plain.x = 2": "plain.x",
    "plain.y = 2": "plain.y",
    "del plain.x": "plain.x",
    "plain.__dict__['x'] = 3": "plain.x",
    "plain.deep[0]['in'].append(2)": "plain.deep[0]['in']",
    "plain.__class__ = type('Other', (Counter,), {})": "plain.__class__",
    "slotted.a = 2": "slotted.a",
    "slotted.b = 2": "slotted.b",
    "del slotted.a": "slotted.a",
    "Described.n": "Described.n.k",
    # Functions
    "step()": "closed.<locals>.step.__closure__['count']",
    "step()[0].append(1)": "closed.<locals>.step.__closure__['kept']",
    "step.__closure__[2].cell_contents = 1": "closed.<locals>.step.__closure__['unset']",
    "del step.__closure__[0].cell_contents": "closed.<locals>.step.__closure__['count']",
    "step.__defaults__[0].append(2)": "closed.<locals>.step.__defaults__[0]",
    "step.__defaults__ = ()": "closed.<locals>.step.__defaults__",
    "step.__kwdefaults__['to']['a'] = 2": "closed.<locals>.step.__kwdefaults__['to']['a']",
    "step.tag = 1": "closed.<locals>.step.tag",
    "in_list[0]()": "closed.<locals>.step.__closure__['count']",
    "partial()": "closed.<locals>.step.__closure__['count']",
    "partial.args[0].append(1)": "partial.args[0]",
    "partial.keywords['to'] = 1": "partial.keywords['to']",
    "bound()": "Counter.made",
    "method('b')": "names",
    "attributed.calls += 1": "attributed.calls",
    "attributed.__code__ = (lambda: 1).__code__": "attributed.__code__",
    "cached(1)": "cached.cache_info().misses",
    "dispatched.register(int, len)": "dispatched.registry[int]",
    # Types in C
    "next(ids)": "ids (an iterator)",
    "next(iterator)": "iterator (an iterator)",
    "next(keys)": "keys (an iterator)",
    "next(numbered)": "numbered (an iterator)",
    "text.write('x')": "text.getvalue()",
    "text.read()": "text.tell()",
    "data.write(b'x')": "data.getvalue()",
    "dice.random()": "dice.getstate()",
    "lock.acquire()": "lock.locked()",
    "rlock.acquire(); rlock.acquire()": "rlock.held",
    "event.set()": "event._flag",
    "semaphore.acquire()": "semaphore._value",
    "condition.acquire()": "condition._lock.held",
    "waiting.put(1)": "waiting.queue",
    "simple.put(1)": "simple",
    "own.x = 2": "own.x",
    "own.y = 2": "own.y",
    "variable.set(6)": "variable.get()",
    "weak['other'] = Counter": "weak.data['other']",
    "reference().x = 5": "plain.x",
    "error.args = ('new',)": "error.args",
    "error.note = 1": "error.note",
    "context.prec = 6": "context.prec",
    "context.traps[decimal.Inexact] = True": "context.traps",
    "logger.setLevel(10)": "logger.level",
    "logger.addHandler(logging.NullHandler())": "logger.handlers",
    "os.environ['INTERLEAVE_TEST'] = 'new'": "os.environ['INTERLEAVE_TEST']",
    "os.environ['INTERLEAVE_NEW'] = 'new'": "os.environ['INTERLEAVE_NEW']",
    "decimal.getcontext().prec += 1": "decimal.getcontext().prec",
    "logging.getLogger('interleave.new').setLevel(10)": "logging.getLogger('interleave.new').level",
}

CANNOT_BE_PUT_BACK = {
    "next(generator)": "generator (a generator)",
    "contextvars.ContextVar.set(unset, 1)": "unset.get()",
}

HARMLESS = (
    "__import__('json.decoder')",
    "names.append(1); names.pop()",
    "plain.x = 1",
    "number = int('1')",
    "plain.z = 1; del plain.z",
    "decimal.Decimal(1) / 3",
    "dispatched(1)",
    "__import__('copy').copy(plain)",
    "logger.isEnabledFor(10)",
    "logging.getLogger('interleave.other')",
    "Counter.__annotations__",
    "exec('try:\\n raise error\\nexcept ValueError: pass')",
)


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    made = types.ModuleType("__interleave_model__.homes")
    sys.modules[made.__name__] = made
    exec(SOURCE + "unset = contextvars.ContextVar('unset')\n", made.__dict__)
    yield made
    del sys.modules[made.__name__]


def places(snapshot: Snapshot) -> list[str]:
    return [difference.where for difference in snapshot.differences()]


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_what_changes_is_seen_named_and_put_back(module: Any, mutation: str) -> None:
    exec("def all_of_it():\n    os.environ, decimal.getcontext(), logging", module.__dict__)
    snapshot = Snapshot([module])
    assert snapshot.differences() == []
    exec(mutation, module.__dict__)
    assert MUTATIONS[mutation] in places(snapshot)
    assert not snapshot.is_unchanged
    assert snapshot.restore() == []
    assert snapshot.differences() == []
    assert Snapshot([module]).differences() == []
    exec(mutation, module.__dict__)
    assert MUTATIONS[mutation] in places(snapshot)
    assert snapshot.restore() == []


@pytest.mark.parametrize("mutation", CANNOT_BE_PUT_BACK)
def test_what_cannot_be_put_back_is_told(module: Any, mutation: str) -> None:
    snapshot = Snapshot([module])
    exec(mutation, module.__dict__)
    assert CANNOT_BE_PUT_BACK[mutation] in [each.where for each in snapshot.restore()]


@pytest.mark.parametrize("code", HARMLESS)
def test_what_changes_nothing_is_no_difference(module: Any, code: str) -> None:
    exec("def all_of_it():\n    os.environ, decimal.getcontext(), logging", module.__dict__)
    snapshot = Snapshot([module])
    exec(code, module.__dict__)
    assert snapshot.differences() == []


def test_an_iterator_goes_on_where_it_stood(module: Any) -> None:
    snapshot = Snapshot([module])
    for _ in range(2):
        assert (next(module.ids), next(module.numbered), next(module.iterator)) == (3, (0, "a"), 1)
        # Up to CPython 3.11 it is moved back, and from 3.12 on another takes its place.
        assert (next(module.in_range), next(module.in_range)) == (0, 1)
        snapshot.restore()


def test_what_was_and_what_is(module: Any) -> None:
    snapshot = Snapshot([module])
    module.names.append("b")
    del module.Counter.made
    module.plain.x = list(range(100))
    assert sorted(map(str, snapshot.differences())) == [
        "Counter.made was 0 and is absent",
        "names was ['a'] and is ['a', 'b']",
        "plain.x was 1 and is [0, 1, 2, 3, ...]",
    ]


def test_containers_keep_their_identity(module: Any) -> None:
    before = {name: id(value) for name, value in vars(module).items()}
    snapshot = Snapshot([module])
    module.names.clear()
    module.table.clear()
    module.chosen.clear()
    module.line.clear()
    snapshot.restore()
    assert {name: id(value) for name, value in vars(module).items()} == before
    assert (module.names, module.chosen, [*module.line]) == (["a"], {1, 2}, [1])
    assert [*module.table.items()] == [("a", [1]), (2, "two")]


HOSTILE = """
class Hostile(Exception):
    pass

def refuse(*args, **kwargs):
    raise Hostile

NAMES = (
    "__eq__", "__hash__", "__repr__", "__len__", "__iter__", "__bool__", "__getattr__",
    "__getattribute__", "__setattr__", "__delattr__", "__getitem__", "__contains__",
    "__instancecheck__", "__subclasscheck__", "__reduce__", "__reduce_ex__", "__copy__",
    "__deepcopy__", "__missing__", "__call__", "__str__", "__lt__", "__index__",
)

class Refuses(type):
    pass

def made(name, *bases):
    return Refuses(name, bases, {"__class__": property(refuse)})

classes = [made("A"), made("L", list), made("D", dict), made("S", set), made("T", tuple),
           made("I", int), made("F", frozenset), made("O", __import__("collections").OrderedDict),
           made("Q", __import__("collections").deque), made("B", bytearray), made("E", Exception)]
things = [cls() for cls in classes]
inner = [object.__new__(classes[0]) for _ in range(4)]
holder = list(things)
by_key = {one: 1 for one in inner}
keys = {*inner}
things[1].append(inner[0])
dict.__setitem__(things[2], "key", inner[2])
set.add(things[3], inner[3])
for one in things[:1] + things[-1:]:
    object.__setattr__(one, "x", inner[0])

def use():
    return things, holder, by_key, keys, classes

def arm():
    for cls in (Refuses, *classes):
        for name in NAMES:
            type.__setattr__(cls, name, refuse)
"""


def test_no_code_of_the_user_is_run() -> None:
    module: Any = types.ModuleType("__interleave_model__.hostile")
    exec(HOSTILE, module.__dict__)
    module.arm()
    snapshot = Snapshot([module])
    assert snapshot.differences() == []
    things, inner = module.things, module.inner
    list.append(things[1], inner[1])
    dict.clear(things[2])
    set.clear(things[3])
    object.__setattr__(things[0], "x", inner[1])
    object.__setattr__(things[0], "y", inner[1])
    module.by_key.clear()
    module.keys.clear()
    type.__setattr__(module.classes[0], "new", inner[0])
    assert sorted(places(snapshot)) == [
        "A.new",
        "by_key[<A>]",
        "by_key[<A>]",
        "by_key[<A>]",
        "by_key[<A>]",
        "keys",
        "things[0].x",
        "things[0].y",
        "things[1]",
        "things[2]['key']",
        "things[3]",
    ]
    assert snapshot.restore() == []
    assert list.__len__(things[1]) == 1
    assert len(module.by_key) == len(module.keys) == 4


def test_numpy_arrays_are_compared_by_bytes(module: Any) -> None:
    numpy = pytest.importorskip("numpy")
    module.grid = numpy.zeros((2, 2))
    module.objects = numpy.array([[1], None], dtype=object)
    snapshot = Snapshot([module])
    module.grid[1, 1] = 5
    module.objects[1] = 7
    module.objects[0].append(2)
    assert sorted(places(snapshot)) == ["grid", "objects.flat[0]", "objects.flat[1]"]
    assert snapshot.restore() == []
    assert module.grid.sum() == 0
    assert [*module.objects] == [[1], None]


def test_primitives_of_multiprocessing(module: Any) -> None:
    exec(
        "import multiprocessing\n"
        "mlock = multiprocessing.Lock(); mrlock = multiprocessing.RLock()\n"
        "msem = multiprocessing.Semaphore(2); value = multiprocessing.Value('i', 3)\n"
        "mevent = multiprocessing.Event()",
        module.__dict__,
    )
    snapshot = Snapshot([module])
    exec("mlock.acquire(); mrlock.acquire(); msem.release(); value.value = 5", module.__dict__)
    module.mevent.set()
    assert sorted(places(snapshot))[:1] != []
    assert snapshot.restore() == []
    exec(
        "assert mlock.acquire(False) and value.value == 3 and not mevent.is_set()", module.__dict__
    )


def load(folder: Path, text: str, **helpers: str) -> Any:
    for name, helper in helpers.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(helper))
        sys.modules.pop(name, None)
    file = folder / "model.py"
    file.write_text("from interleave import *\n" + textwrap.dedent(text))
    return load_models(file)[-1]


NAMED = """
    import threading
    import helper
    unused = [1]
    lock = threading.Lock()

    class M(Model):
        x = 0

        @thread
        def run(self):
            with lock:
                helper.act()
"""
HELPER = """
    import threading
    state = [0]
    other = [0]
    inner = threading.RLock()

    def act():
        with inner:
            state.append(1)

    def never():
        other.append(1)
"""


def test_what_no_function_can_name_is_not_gone_into(tmp_path: Path) -> None:
    model = load(tmp_path, NAMED, helper=HELPER)
    module: Any = sys.modules[model.__module__]
    snapshot = Snapshot([model])
    module.helper.other.append(1)
    module.unused.append(1)
    assert snapshot.differences() == []
    module.helper.state.append(1)
    assert places(snapshot) == ["helper.state"]


SETUP = """
    import itertools, queue, threading

    log = []
    lock = threading.Lock()
    waiting = queue.Queue()
    ids = itertools.count()

    class Registry:
        made = 0
        all = []

    def numbered(memo=[]):
        memo.append(1)
        numbered.calls = getattr(numbered, "calls", 0) + 1
        return len(memo), numbered.calls

    class M(Model):
        x = 0
        own = []

        def setup(self):
            k = choose([0, 1])
            log.append(k)
            self.own.append(k)
            if k:
                lock.acquire()
                waiting.put(7)
            Registry.made += 1
            Registry.all.append(Registry.made)
            self.id = next(ids)
            self.number = numbered()
            self.made = Registry.made
            self.all = tuple(Registry.all)

        @thread
        def run(self):
            self.x = len(log) + waiting.qsize()
            lock.acquire()
"""


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_every_run_of_setup_begins_where_import_left_off(tmp_path: Path, engine: str) -> None:
    model = load(tmp_path, SETUP)
    for runtime in ("free-threaded", "gil", "free-threaded"):
        (found,) = check(model, engine=engine, runtime=runtime).models
        starts = [dict(trace.initial) for trace in (each.trace for each in found.violations)]
        assert len(starts) == 1
        assert starts[0]["log"] == [1]
        # What is the same after each run of setup is constant, and not shown.
        names = ("log", "x", "own", "lock", "waiting")
        assert [dict(each.state).keys() for each in found.interleavings.outcomes] == [{*names}] * 2
        logs = sorted(dict(each.state)["log"] for each in found.interleavings.outcomes)
        assert logs == [[0], [1]]
    module: Any = sys.modules[model.__module__]
    assert (module.log, module.lock.locked(), module.waiting.qsize()) == ([], False, 0)
    assert (module.Registry.made, module.Registry.all, next(module.ids)) == (0, [], 0)
    assert (module.numbered.__defaults__, vars(module.numbered), model.own) == (([],), {}, [])


def test_what_setup_changes_is_put_back_when_it_fails(tmp_path: Path) -> None:
    text = """
        log = []
        class M(Model):
            def setup(self):
                log.append(1)
                {}
            @thread
            def run(self):
                log.append(2)
    """
    for failing in ("raise ValueError", "self.x = object.__new__(type(self).__class__)"):
        model = load(tmp_path, text.format(failing))
        with pytest.raises(ModelError):
            check(model)
        assert sys.modules[model.__module__].log == []  # type: ignore[attr-defined]


def test_what_setup_cannot_undo_is_an_error(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        """
        numbers = (n for n in range(5))
        class M(Model):
            def setup(self):
                self.x = next(numbers)
            @thread
            def run(self):
                self.x += 1
        """,
    )
    with pytest.raises(ModelError, match=r"cannot be put back .*numbers \(a generator\)") as error:
        check(model)
    assert error.value.place is not None
    assert error.value.place.line == 5


# What the user says is pure, what that changes, and in which line.
HIDDEN = {
    "a class": (
        "class C:\n    n = 0\ndef bump():\n    setattr(C, 'n', C.n + 1)",
        "model.bump",
        "C.n",
        5,
    ),
    "an iterator": (
        "numbers = iter([*range(99)])\ndef bump():\n    return next(numbers)",
        "model.bump",
        "numbers (an iterator)",
        4,
    ),
    "a lambda": (
        "store = [0]\nbump = lambda: store.append(1)",
        "model.bump",
        "store",
        3,
    ),
    "a closure": (
        "def make():\n    n = 0\n    def bump():\n        nonlocal n\n        n += 1\n"
        "    return bump\nimport functools\nbump = functools.partial(make())",
        "model.make",
        "make.<locals>.bump.__closure__['n']",
        6,
    ),
    "a helper": (
        "import hidden_helper\ndef bump():\n    hidden_helper.bump()",
        "hidden_helper.bump",
        "hidden_helper.n",
        0,
    ),
    "a module": (
        "import hidden_helper\ndef bump():\n    hidden_helper.bump()",
        "hidden_helper",
        "hidden_helper.n",
        0,
    ),
    "the environment": (
        "import os\ndef bump():\n    os.environ['INTERLEAVE_BUMPED'] = '1'",
        "model.bump",
        "os.environ['INTERLEAVE_BUMPED']",
        4,
    ),
}


def say_pure(folder: Path, *names: str) -> None:
    full = [re.sub(r"^model\.", "__interleave_model__.model.", name) for name in names]
    (folder / "pyproject.toml").write_text(f"[tool.interleave]\npure = {full}\n")


@pytest.mark.parametrize("engine", ["auto", "native", "reference"])
@pytest.mark.parametrize("home", HIDDEN)
def test_what_changes_unseen_is_an_error(tmp_path: Path, home: str, engine: str) -> None:
    header, pure, where, line = HIDDEN[home]
    say_pure(tmp_path, pure)
    body = textwrap.dedent(
        """
        class M(Model):
            x = 0
            @thread
            def first(self):
                self.x = 1
                self.x = 2
            @thread
            def second(self):
                if self.x == 2:
                    bump()
                    self.x = 3
        """
    )
    helper = "n = [0]\ndef bump():\n    n.append(1)\n"
    model = load(tmp_path, f"{header}\n{body}", hidden_helper=helper)
    before = Snapshot([model])
    with pytest.raises(ModelError) as raised:
        check(model, engine=engine)
    error = raised.value
    assert where in error.what
    assert error.what.startswith("second ")
    assert "interleave does not see" in error.what
    assert error.remedy.startswith("keep it in an attribute of the model")
    assert error.place is not None
    name, wanted = ("hidden_helper.py", 3) if not line else ("model.py", line)
    assert (Path(error.place.file).name, error.place.line) == (name, wanted)
    assert before.differences() == []


def test_a_property_that_changes_something_real_is_an_error(tmp_path: Path) -> None:
    model = load(
        tmp_path,
        """
        asked = iter(range(100))
        def ask():
            next(asked)
        class M(Model):
            x = 0
            @thread
            def run(self):
                self.x = 1
            @invariant
            def holds(self):
                ask()
                return self.x < 2
        """,
    )
    say_pure(tmp_path, "model.ask")
    with pytest.raises(ModelError, match="the invariant holds changes asked") as raised:
        check(model)
    assert raised.value.place is not None
    assert raised.value.place.line == 5
