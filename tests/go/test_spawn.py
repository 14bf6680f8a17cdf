"""`go f(x)` for everything that can be called."""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import checked, kinds

TEXT = """
import functools


def plain(n):
    n.Add(1)


class Callable:
    def __init__(self, n):
        n.Add(1)

    def __call__(self, n):
        n.Add(1)

    @classmethod
    def of_class(cls, n):
        n.Add(1)

    @staticmethod
    def of_nobody(n):
        n.Add(1)


class M(Model):
    n = atomic.Int32()
    mu = go.RWMutex()
    ch = go.Chan()
    room = go.Chan(1)
    m = go.Map()

    def setup(self):
        self.items = []

    def add(self):
        self.n.Add(1)

    @goroutine
    def main(self):
        n, ch, items, mine = self.n, self.ch, self.items, []
        ctx, cancel = context.WithCancel(context.Background())
        ctx2, cancel2 = context.WithCancelCause(ctx)
        once, wg, g, t, m = go.Once(), go.WaitGroup(), errgroup.Group(), time.NewTimer(1), self.m
        {begin}
        {until}
"""

COUNTED = "while n.Load() == 0: pass"
CALLS = [
    ("cancel", "ctx.Done().recv()"),
    ("cancel2, errors.New('why')", "ctx2.Done().recv()"),
    ("functools.partial(cancel)", "ctx.Done().recv()"),
    ("functools.partial(functools.partial(plain), n)", COUNTED),
    ("functools.partial(self.room.send, 1)", "self.room.recv()"),
    ("plain, n", COUNTED),
    ("self.add", COUNTED),
    ("lambda: n.Add(1)", COUNTED),
    ("lambda x: x.Add(1), n", COUNTED),
    ("Callable, n", COUNTED),
    ("Callable(n), n", "while n.Load() < 2: pass"),
    ("Callable.of_class, n", COUNTED),
    ("Callable.of_nobody, n", COUNTED),
    ("n.Add, 1", COUNTED),
    ("ch.send, 1", "ch.recv()"),
    ("ch.close", "ch.recv()"),
    ("ch.recv", "ch.send(1)"),
    ("self.items.append, 1", "time.Sleep(1)"),
    ("mine.append, 1", "time.Sleep(1)"),
    ("once.Do, self.add", COUNTED),
    ("g.Go, self.add", COUNTED),
    ("g.Wait", "time.Sleep(1)"),
    ("wg.Go, self.add", COUNTED),
    ("t.Stop", "time.Sleep(1)"),
    ("m.Store, 1, 2", "while not m.Load(1)[1]: pass"),
    ("m.Range, lambda k, v: True", "time.Sleep(1)"),
    ("ctx.Err", "time.Sleep(1)"),
    ("time.Sleep, 1", "time.Sleep(1)"),
    ("go.Gosched", "time.Sleep(1)"),
    ("go.spawn, self.add", COUNTED),
    ("go.Mutex", "time.Sleep(1)"),
]


@pytest.mark.parametrize(("call", "until"), CALLS)
def test_everything_that_can_be_called_can_be_a_goroutine(
    tmp_path: Path, call: str, until: str
) -> None:
    result = checked(tmp_path, TEXT.format(begin=f"go.spawn({call})", until=until))
    assert kinds(result) == []


@pytest.mark.parametrize(
    "begin", ["{}", "go.defer({})", "once.Do({})", "wg.Go({})", "time.AfterFunc(1, {})"]
)
@pytest.mark.parametrize("call", ["cancel", "self.add", "ch.close", "self.mu.RLocker().Lock"])
def test_so_it_can_be_called_later(tmp_path: Path, begin: str, call: str) -> None:
    begin = begin.format(call) if "(" in begin else f"({call})()"
    assert kinds(checked(tmp_path, TEXT.format(begin=begin, until="time.Sleep(1)"))) == []


def test_the_lock_of_readers_is_unlocked_by_another_goroutine(tmp_path: Path) -> None:
    begin = "r = self.mu.RLocker(); r.Lock(); go.spawn(r.Unlock)"
    assert kinds(checked(tmp_path, TEXT.format(begin=begin, until="self.mu.Lock()"))) == []
