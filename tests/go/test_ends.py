"""Goroutines that are left nothing to do end without a step of their own."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from families import sample
from goroutines import checked, go_model, kinds, messages

from interleave import check
from interleave.machine import Machine
from interleave.result import ModelResult


def on_both(folder: Path, text: str) -> ModelResult:
    """The result, which is the same by both engines."""
    model = go_model(folder, text)
    first, second = (check(model, engine=engine).models[0] for engine in ("reference", "native"))
    assert first == second
    return first


SERVER = """
class M(Model):
    n = atomic.Int32()
    never = go.Chan()

    @goroutine
    def main(self):
        {before}
        while True:
            {round}
"""


@pytest.mark.parametrize(
    ("before", "round_"),
    [
        ("pass", "done = go.Chan(); go.spawn(lambda: done.send(True)); done.recv()"),
        ("pass", "done = go.Chan(); go.spawn(done.recv); done.send(True)"),
        ("pass", "done = go.Chan(); go.spawn(done.recv_ok); done.send(True); done.close()"),
        ("pass", "done = go.Chan(1); go.spawn(lambda: done.send(True)); done.recv()"),
        ("done = go.Chan()", "go.spawn(lambda: done.send(True)); done.recv()"),
        (
            "done = go.Chan()",
            "go.spawn(lambda: go.select(go.send(done, 1), go.recv(self.never))); done.recv()",
        ),
        ("done = go.Chan()", "go.spawn(done.send, 1)\n            for _ in range(1): done.recv()"),
        ("pass", "go.spawn(lambda: None)"),
        ("wg = go.WaitGroup()", "wg.Go(lambda: None); wg.Wait()"),
    ],
)
def test_a_server_that_starts_a_helper_in_each_round_is_bounded(
    tmp_path: Path, before: str, round_: str
) -> None:
    result = on_both(tmp_path, SERVER.format(before=before, round=round_))
    assert kinds(result) == []
    assert result.complete
    assert result.states <= 60


HELPER = """
class M(Model):
    ch = go.Chan()
    x = 0
    over = False

    def helper(self):
        {helper}

    @goroutine
    def first(self):
        {first}

    @goroutine
    def second(self):
        self.ch.send(1)
        {second}
"""


@pytest.mark.parametrize(
    ("first", "more"),
    [
        ("self.ch.recv()", 0),
        ("v = self.ch.recv(); v += 1", 0),
        ("assert self.ch.recv() == 1", 0),
        ("for _ in range(1): self.ch.recv()", 0),
        ("go.select(go.recv(self.ch))", 0),
        # Something is left to do.
        ("self.x = self.ch.recv()", 1),
        ("self.ch.recv(); go.Gosched()", 1),
        ("go.defer(go.Gosched); self.ch.recv()", 1),
        ("self.ch.recv(); go.panic('bad')", 1),
        ("assert self.ch.recv() == 2", 1),
    ],
)
def test_who_was_served_ends_with_that_if_nothing_is_left(
    tmp_path: Path, first: str, more: int
) -> None:
    text = HELPER.format(first=first, second="self.over = True", helper="pass")
    result = on_both(tmp_path, text)
    # The receiver parks and is served, the sender parks and is served, or one finds the other.
    assert (result.depth > 3) == bool(more)
    assert set(kinds(result)) <= {"exception", "assertion"}


@pytest.mark.parametrize(
    ("asks", "seen"),
    [
        ("self.finished('first')", True),
        ("self.finished('second')", False),
        ("self.over", False),
        ("return True", False),
    ],
)
def test_an_end_that_a_property_asks_for_is_a_step(tmp_path: Path, asks: str, seen: bool) -> None:
    text = HELPER.format(first="self.ch.recv()", second="self.over = True", helper="pass")
    plain = on_both(tmp_path, text)
    result = on_both(tmp_path, f"{text}\n    @invariant\n    def p(self):\n        {asks}\n")
    assert kinds(result) == []
    assert (result.states > plain.states) == seen


def test_what_one_goroutine_held_is_not_held_by_the_next_in_its_place(tmp_path: Path) -> None:
    text = """
class M(Model):
    x = atomic.Int32()
    ch = go.Chan()

    @goroutine
    def main(self):
        for _ in range(2):
            go.spawn(self.helper)
            self.ch.recv()
            self.x.Store(7)

    def helper(self):
        v = self.x.Load()
        self.x.Store(v + 1)
        self.ch.send(v)
"""
    assert kinds(on_both(tmp_path, text)) == []


def test_a_waiter_that_may_yet_panic_has_a_step_of_its_own(tmp_path: Path) -> None:
    text = """
class M(Model):
    wg = go.WaitGroup()

    @goroutine
    def main(self):
        self.wg.Add(1)
        go.spawn(self.wg.Wait)
        self.wg.Done()
        self.wg.Add(1)
        time.Sleep(1)
"""
    assert any("reused before" in each for each in messages(on_both(tmp_path, text)))


OPERATIONS = [
    "self.a.send(1)",
    "self.a.recv()",
    "self.b.send(2)",
    "v = self.b.recv()",
    "self.b.close()",
    "go.select(go.recv(self.a), go.send(self.b, 3))",
    "go.select(go.recv(self.a), default=True)",
    "for _ in self.b: pass",
    "self.n.Add(1)",
    "self.x = self.x + 1",
    "with self.mu: self.x = 5",
    "self.wg.Add(1)",
    "self.wg.Done()",
    "self.wg.Wait()",
    "go.defer(self.n.Add, 1)",
    "go.spawn(self.helper)",
    "ctx, cancel = context.WithCancel(context.Background()); go.spawn(cancel); ctx.Done().recv()",
]


def drawn(number: int) -> str:
    """A model of goroutines that do a few things each."""
    choice = Random(number).choice
    many = Random(number).randint
    bodies = {name: [choice(OPERATIONS) for _ in range(many(1, 3))] for name in ("main", "other")}
    bodies["helper"] = [choice([each for each in OPERATIONS if "self.helper" not in each])]
    lines = [
        "class M(Model):",
        "    a, b = go.Chan(), go.Chan(1)",
        "    mu, wg, n, x = go.Mutex(), go.WaitGroup(), atomic.Int32(), 0",
    ]
    for name, body in bodies.items():
        mark = [] if name == "helper" else ["    @goroutine"]
        lines += [*mark, f"    def {name}(self):", *[f"        {each}" for each in body]]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("number", sample(15, range(60)))
def test_nothing_else_changes(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(text: str) -> tuple[set[str], set[object]]:
        result = checked(tmp_path, text, engine="reference")
        assert result.complete
        assert result.interleavings is not None
        ends = {(repr(each.state), each.how) for each in result.interleavings.outcomes}
        return set(kinds(result)), {*ends}

    text = drawn(number)
    with_ends = found(text)
    monkeypatch.setattr(Machine, "_with_ends", lambda _, __, step, *___, **____: step)
    assert found(text) == with_ends
