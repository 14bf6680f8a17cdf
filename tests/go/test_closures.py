"""Functions that others are given: returned, passed to constructors, kept in fields, sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import checked, kinds

TEXT = """
class Keeper:
    def __init__(self, f, *more):
        self.f = f
        self.more = more

    def call(self, *args):
        return self.f(*args)


class Spawner:
    def __init__(self, f):
        self.f = f
        go.spawn(self.run)

    def run(self):
        self.f()


class Balancer:
    def __init__(self):
        self.mu = go.Mutex()
        self.n = 0

    def up(self):
        return lambda: self.mu.Lock()

    def counter(self):
        def count():
            with self.mu:
                self.n += 1
        return count

    def adder(self):
        def by(k):
            def add():
                with self.mu:
                    self.n += k
            return add
        return by


class Conn:
    def __init__(self, balancer):
        self.down = balancer.up()
        self.count = balancer.counter()


class M(Model):
    ch = go.Chan(1)
    box = atomic.Pointer()

    def setup(self):
        self.b = Balancer()
        self.kept = Keeper(self.b.counter(), lambda: self.b.mu)
        self.conn = Conn(self.b)
        self.hooks = {{}}

    def locker(self):
        mu = go.Mutex()
        return mu.Lock, mu.Unlock

    @goroutine
    def main(self):
        b, made = self.b, Balancer()
        {body}
"""


@pytest.mark.parametrize(
    "body",
    [
        "f = {b}.counter(); go.spawn(f); f()",
        "go.spawn({b}.counter()); {b}.counter()()",
        "f = {b}.adder()(3); go.spawn(f); f(); go.Gosched()",
        "k = Keeper({b}.counter()); go.spawn(k.call); k.f(); k.call()",
        "k = Keeper({b}.adder()(2)); go.spawn(k.f); k.call()",
        "k = Keeper(lambda v: self.ch.send(v), {b}.up()); go.spawn(k.call, 1); self.ch.recv()",
        "k = Keeper(Keeper(lambda: 1).call, Keeper); go.spawn(k.call); assert k.call() == 1",
        "c = Conn({b}); go.spawn(c.count); c.down(); {b}.mu.Unlock()",
        "c = Conn(Balancer()); go.Gosched(); c.down()",
        "Spawner({b}.counter()); {b}.counter()()",
        "Spawner(lambda: {b}.mu.Lock())",
        "{b}.keeper = Keeper({b}.counter()); go.spawn({b}.keeper.call); {b}.keeper.f()",
        "self.ch.send({b}.counter()); self.ch.recv()()",
        "self.hooks['a'] = {b}.counter(); go.spawn(self.hooks['a']); self.hooks['a']()",
        "self.box.Store({b}.counter()); go.spawn(self.box.Load()); self.box.Load()()",
        "fs = [{b}.counter(), {b}.adder()(2)]; go.spawn(fs[1]); fs[0]()",
        "lock, unlock = self.locker(); lock(); go.spawn(unlock); lock()",
        "go.spawn(self.kept.call); self.kept.f(); assert self.kept.more[0]() is self.b.mu",
        "go.spawn(self.conn.count); self.conn.count()",
    ],
)
@pytest.mark.parametrize("b", ["b", "made"])
def test_a_closure_does_what_it_does_wherever_it_is_kept(tmp_path: Path, body: str, b: str) -> None:
    result = checked(tmp_path, TEXT.format(body=body.replace("{b}", b)))
    assert kinds(result) == []


def test_what_a_closure_shares_is_shared_by_all_that_keep_it(tmp_path: Path) -> None:
    body = """n = 0
        def more():
            nonlocal n
            n += 1
            return n
        first, second = Keeper(more), Keeper(more)
        first.call()
        second.call()
        assert more() == n == 3"""
    assert kinds(checked(tmp_path, TEXT.format(body=body))) == []
