"""Primitives made in the class body, in setup, in `__init__`, and by running goroutines; embedded ones."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from families import crossed
from goroutines import checked, kinds, messages

from interleave.errors import ModelError

MADE = {
    "class body": "{holder}\nclass M(Model):\n    p = {make}\n    @goroutine\n    def main(self):\n"
    "        p = self.p\n        {use}\n",
    "setup": "{holder}\nclass M(Model):\n    def setup(self):\n        self.p = {make}\n"
    "    @goroutine\n    def main(self):\n        p = self.p\n        {use}\n",
    "an __init__ in setup": "{holder}\nclass H:\n    def __init__(self):\n        self.p = {make}\n"
    "class M(Model):\n    def setup(self):\n        self.h = H()\n"
    "    @goroutine\n    def main(self):\n        p = self.h.p\n        {use}\n",
    "an __init__": "{holder}\nclass H:\n    def __init__(self):\n        self.p = {make}\n"
    "class M(Model):\n    @goroutine\n    def main(self):\n        p = H().p\n        {use}\n",
    "running": "{holder}\nclass M(Model):\n    @goroutine\n    def main(self):\n        p = {make}\n"
    "        {use}\n",
    "another goroutine": "{holder}\nclass M(Model):\n    ch = go.Chan()\n    @goroutine\n"
    "    def main(self):\n        p = self.ch.recv()\n        {use}\n"
    "    @goroutine\n    def maker(self):\n        p = {make}\n        self.ch.send(p)\n",
}

WHOLE = "all goroutines are asleep - deadlock! main waits for"

USES = [
    ("go.Mutex()", "p.Lock(); p.Lock()", {"deadlock"}),
    ("go.Mutex()", "p.Lock(); go.spawn(p.Unlock); p.Lock(); p.Unlock()", set()),
    ("go.RWMutex()", "p.RLock(); p.Lock()", {"deadlock"}),
    ("go.RWMutex()", "p.RLock(); go.spawn(p.RUnlock); p.Lock(); p.Unlock()", set()),
    ("go.RWMutex()", "p.Lock(); go.spawn(p.Unlock); p.RLock(); assert not p.TryLock()", set()),
    ("go.RWMutex()", "p.RLocker().Lock(); p.Lock()", {"deadlock"}),
    ("go.WaitGroup()", "p.Add(1); go.spawn(p.Done); p.Wait()", set()),
    ("go.WaitGroup()", "p.Add(1); p.Wait()", {"deadlock"}),
    ("go.WaitGroup()", "p.Go(lambda: None); p.Wait(); p.Done()", {"exception"}),
    ("go.Once()", "p.Do(lambda: p.Do(lambda: None))", {"deadlock"}),
    ("go.Once()", "p.Do(go.Gosched); p.Do(lambda: go.panic('again'))", set()),
    ("go.Map()", "p.Store('k', 1); assert p.Load('k') == (1, True)", set()),
    ("go.Cond()", "p.L = go.Mutex(); p.L.Lock(); p.Wait()", {"deadlock"}),
    ("go.NewCond(go.RWMutex())", "p.L.Lock(); p.Broadcast(); p.L.Unlock()", set()),
    ("go.NewCond(go.RWMutex().RLocker())", "p.L.Lock(); p.L.Lock(); p.L.Unlock()", set()),
    ("go.Chan()", "p.send(1)", {"deadlock"}),
    ("go.Chan(1)", "p.send(1); assert p.recv() == 1", set()),
    ("atomic.Int32()", "p.Add(2); assert p.CompareAndSwap(2, 3)", set()),
    ("atomic.Value()", "p.Store(3); assert p.Load() == 3", set()),
    ("time.NewTimer(1)", "p.C.recv(); p.C.recv()", {"deadlock"}),
    ("time.NewTicker(1)", "p.C.recv(); p.C.recv(); p.Stop(); p.C.recv()", {"deadlock"}),
    ("context.WithCancel(context.Background())", "go.spawn(p[1]); p[0].Done().recv()", set()),
    ("context.WithTimeout(context.Background(), 1)[0]", "p.Done().recv()", set()),
    ("errgroup.Group()", "p.Go(lambda: errors.New('x')); assert p.Wait() is not None", set()),
]


@pytest.mark.parametrize(
    ("make", "use", "expected", "where"),
    crossed(USES, [(where,) for where in MADE]),
)
def test_a_primitive_is_the_same_wherever_it_was_made(
    tmp_path: Path, make: str, use: str, expected: set[str], where: str
) -> None:
    result = checked(tmp_path, MADE[where].format(holder="", make=make, use=use))
    assert set(kinds(result)) == expected


EMBEDDED = [
    ("go.Mutex", "p.Lock(); p.Lock()", {"deadlock"}),
    ("go.Mutex", "p.Lock(); go.spawn(p.Unlock); p.Mutex.Lock()", set()),
    ("go.Mutex", "with p: assert not p.TryLock()", set()),
    ("go.Mutex", "c = go.NewCond(p); c.L.Lock(); c.Wait()", {"deadlock"}),
    ("go.RWMutex", "p.RLock(); p.Lock()", {"deadlock"}),
    ("go.RWMutex", "p.RLocker().Lock(); assert not p.TryLock()", set()),
    ("go.WaitGroup", "p.Add(1); go.spawn(p.Done); p.Wait()", set()),
    ("go.WaitGroup", "p.Go(lambda: None); p.Wait(); p.Done()", {"exception"}),
    ("go.Once", "p.Do(go.Gosched); p.Do(lambda: go.panic('again'))", set()),
    ("go.Map", "p.Store('k', 1); p.Range(lambda k, v: True); assert p.Load('k')[0] == 1", set()),
    ("go.Cond", "p.L = go.Mutex(); p.L.Lock(); p.Wait()", {"deadlock"}),
    ("atomic.Int32", "p.Add(2); assert p.Load() == 2", set()),
    ("go.Mutex, go.WaitGroup", "p.Add(1); go.spawn(p.Done)\n        with p: p.Wait()", set()),
]

STRUCTS = {
    "no __init__": "class S({0}):\n    pass",
    "an __init__": "class S({0}):\n    def __init__(self):\n        self.n = 0",
    "a dataclass": "from dataclasses import dataclass\n@dataclass\nclass S({0}):\n    n: int = 0",
    "a struct that embeds one that does": "class B({0}):\n    n = 0\nclass S(B):\n    pass",
}


@pytest.mark.parametrize(
    ("base", "use", "expected", "where", "struct"),
    crossed(EMBEDDED, [*product(("class body", "setup", "running"), STRUCTS)]),
)
def test_a_class_can_embed_a_primitive(
    tmp_path: Path, base: str, use: str, expected: set[str], where: str, struct: str
) -> None:
    holder = STRUCTS[struct].format(base)
    result = checked(tmp_path, MADE[where].format(holder=holder, make="S()", use=use))
    assert set(kinds(result)) == expected


@pytest.mark.parametrize("where", ["class body", "setup", "running"])
@pytest.mark.parametrize("make", ["S(go.Mutex())", "S(mu=go.Mutex())", "S()"])
def test_a_field_of_a_dataclass_can_be_a_pointer(tmp_path: Path, make: str, where: str) -> None:
    holder = (
        "from dataclasses import dataclass, field\n@dataclass\nclass S:\n"
        "    mu: go.Mutex = field(default_factory=go.Mutex)\n    n: int = 0\n"
    )
    use = "p.mu.Lock(); go.spawn(p.mu.Unlock); p.mu.Lock(); p.n += 1"
    assert kinds(checked(tmp_path, MADE[where].format(holder=holder, make=make, use=use))) == []


def test_an_overridden_method_reaches_what_is_embedded(tmp_path: Path) -> None:
    holder = """
class S(go.Mutex):
    def __init__(self):
        self.taken = 0

    def Lock(self):
        self.Mutex.Lock()
        self.taken += 1
"""
    use = "p.Lock(); p.Unlock(); p.Lock(); assert p.taken == 2"
    text = MADE["running"].format(holder=holder, make="S()", use=use)
    assert kinds(checked(tmp_path, text)) == []


@pytest.mark.parametrize("where", ["setup", "running"])
def test_an_embedded_primitive_is_named_as_the_field_that_it_is(tmp_path: Path, where: str) -> None:
    text = MADE[where].format(
        holder="class S(go.Mutex):\n    pass", make="S()", use="p.Lock(); p.Lock()"
    )
    assert messages(checked(tmp_path, text)) == [
        f"{WHOLE} p.Mutex, which it holds itself",
    ]


SETUP = """
class M(Model):
    def setup(self):
        self.p = p = {make}
        {before}

    @goroutine
    def main(self):
        p = self.p
        {use}
"""


@pytest.mark.parametrize(
    ("make", "before", "use"),
    [
        ("go.WaitGroup()", "p.Add(1)", "go.spawn(p.Done); p.Wait()"),
        ("go.Mutex()", "p.Lock()", "assert not p.TryLock(); p.Unlock()"),
        ("go.RWMutex()", "p.Lock()", "assert not p.TryRLock(); p.Unlock()"),
        ("go.RWMutex()", "p.RLock()", "assert p.TryRLock(); assert not p.TryLock()"),
        ("go.Map()", "p.Store(1, 2)", "assert p.Load(1) == (2, True)"),
        ("atomic.Int32()", "p.Store(3); p.Add(1)", "assert p.Load() == 4"),
        ("atomic.Value()", "p.Store(3)", "assert p.Load() == 3"),
        ("go.Cond()", "p.L = go.Mutex()", "p.L.Lock(); p.L.Unlock()"),
        ("go.Chan(2)", "assert p.cap() == 2", "assert len(p) == 0"),
        ("go.Chan()", "p.close()", "assert p.recv_ok() == (None, False)"),
        ("time.NewTimer(1)", "assert p.C is p", "p.C.recv()"),
    ],
)
def test_setup_can_use_what_it_makes(tmp_path: Path, make: str, before: str, use: str) -> None:
    assert kinds(checked(tmp_path, SETUP.format(make=make, before=before, use=use))) == []


@pytest.mark.parametrize(
    ("make", "before", "error"),
    [
        ("go.Mutex()", "p.Lock(); p.Lock()", "a Mutex is waited for, and no other thread runs"),
        ("go.Chan()", "p.send(1)", "setup cannot chan send"),
        ("go.Chan()", "p.nothing()", "no attribute 'nothing'"),
    ],
)
def test_what_setup_cannot_do(tmp_path: Path, make: str, before: str, error: str) -> None:
    with pytest.raises(ModelError, match=error):
        checked(tmp_path, SETUP.format(make=make, before=before, use="pass"))


def test_who_holds_what_setup_has_taken_is_nobody(tmp_path: Path) -> None:
    text = SETUP.format(make="go.RWMutex()", before="p.Lock()", use="p.RLock()")
    assert messages(checked(tmp_path, text)) == [f"{WHOLE} p"]
