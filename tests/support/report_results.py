"""Results made by hand, each the smallest that shows one thing a report must get right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from interleave.result import (
    Access,
    Change,
    DataRace,
    Described,
    LostUpdate,
    ModelResult,
    PendingAccess,
    Source,
    Trace,
    TraceStep,
    Violation,
    Wait,
    Waits,
)

Make = Callable[[], ModelResult]

LINES = {
    "read": Source("counter.py", 9, "temp = self.counter"),
    "write": Source("counter.py", 10, "self.counter = temp + 1"),
}


def model(name: str = "Counter", *violations: Violation, **facts: Any) -> ModelResult:
    defaults: dict[str, Any] = {
        "file": f"{name.lower()}.py",
        "runtime": "free-threaded",
        "parameters": {},
        "verdict": "violated" if violations else "verified",
        "expected": None,
        "complete": True,
        "states": 11,
        "transitions": 14,
        "depth": 4,
    }
    return ModelResult(model=name, violations=violations, **{**defaults, **facts})


def step(
    number: int,
    thread: str,
    kind: str,
    location: str | None,
    source: Source | str,
    *changes: Change,
    outcome: str = "",
) -> TraceStep:
    if isinstance(source, str):
        source = Source("model.py", number, source)
    return TraceStep(number, thread, (Access(kind, location),), source, changes, outcome)


def lost_update_violation(threads: Sequence[str] = ("increment[0]", "increment[1]")) -> Violation:
    first, second = threads[0], threads[1]
    steps = (
        step(1, first, "read", "counter", LINES["read"], outcome="read 0"),
        step(2, second, "read", "counter", LINES["read"], outcome="read 0"),
        step(3, second, "write", "counter", LINES["write"], Change("counter", 0, 1)),
        step(4, first, "write", "counter", LINES["write"], Change("counter", 1, 1)),
    )
    return Violation(
        kind="lost-update",
        message=f"{first} overwrites what {second} wrote to counter, without having seen it",
        location="counter",
        threads=(first, second),
        trace=Trace(tuple(threads), (("counter", 0),), steps),
        source=LINES["write"],
        detail=LostUpdate(first, second, read=1, lost=3, overwrite=4),
    )


def lost_update() -> ModelResult:
    return model("Counter", lost_update_violation())


def bystanders() -> ModelResult:
    """A lost update of two threads out of six."""
    return model("Counter", lost_update_violation([f"increment[{i}]" for i in range(6)]))


def philosophers(count: int = 5) -> ModelResult:
    names = [f"philosopher[{i}]" for i in range(count)]
    left = Source("philosophers.py", 14, "with self.forks[i]:")
    right = Source("philosophers.py", 15, "with self.forks[(i + 1) % N]:")
    free, taken = Described("free"), [Described(f"held by {name}") for name in names]
    steps = tuple(
        step(i + 1, name, "acquire", f"forks[{i}]", left, Change(f"forks[{i}]", free, taken[i]))
        for i, name in enumerate(names)
    )
    waits = tuple(
        Wait(name, Access("acquire", f"forks[{(i + 1) % count}]"), right, (names[(i + 1) % count],))
        for i, name in enumerate(names)
    )
    violation = Violation(
        kind="deadlock",
        message=f"{count} threads wait for one another's locks, so none of them can ever move",
        location=None,
        threads=tuple(names),
        trace=Trace(tuple(names), tuple((f"forks[{i}]", free) for i in range(count)), steps),
        detail=Waits(waits, cycle=True),
    )
    return model(
        "Philosophers", violation, states=392, transitions=1225, depth=15, parameters={"N": count}
    )


def data_race(*between: str) -> ModelResult:
    """Two threads, and others declared `between` them, each of which takes a step."""
    names = ("maker", *between, "user")
    steps = [
        step(number, name, "write", name, f"self.{name} = 1", Change(name, 0, 1))
        for number, name in enumerate(names[:-1], 1)
    ]
    write = Source("publish.py", 12, "self.ready = True")
    read = Source("publish.py", 16, "while not self.ready:")
    violation = Violation(
        kind="data-race",
        message="maker is about to write ready at line 12 while user is about to read it at "
        "line 16",
        location="ready",
        threads=("maker", "user"),
        trace=Trace(names, (*((name, 0) for name in names[:-1]), ("ready", False)), tuple(steps)),
        source=write,
        detail=DataRace(
            (
                PendingAccess("maker", Access("write", "ready"), write, writes=True),
                PendingAccess("user", Access("read", "ready"), read, writes=False),
            )
        ),
    )
    return model("Publish", violation, states=5, transitions=6)


def race_between_others() -> ModelResult:
    return data_race("another", "a third")


def waiting_for_nobody() -> ModelResult:
    """A deadlock without a circle: an empty queue, and a lock whose owner has finished."""
    get = Source("pipe.py", 8, "item = self.queue.get()")
    lock = Source("pipe.py", 12, "self.lock.acquire()")
    steps = (
        step(
            1,
            "owner",
            "acquire",
            "lock",
            lock,
            Change("lock", Described("free"), Described("held")),
        ),
    )
    return model(
        "Pipe",
        Violation(
            kind="deadlock",
            message="getter and locker wait for what nobody can give them",
            location=None,
            threads=("getter", "locker"),
            trace=Trace(
                ("getter", "locker", "owner"), (("queue", []), ("lock", Described("free"))), steps
            ),
            detail=Waits(
                (
                    Wait("getter", Access("get", "queue"), get),
                    Wait("locker", Access("acquire", "lock"), lock, ("owner",)),
                )
            ),
        ),
    )


def exception() -> ModelResult:
    """An exception inside an `atomic()` block, that had changed something before."""
    source = Source("bank.py", 20, "self.account['bob'] -= amount")
    steps = (
        step(
            1, "audit", "read", "account", "total = sum(self.account.values())", outcome="read 100"
        ),
        TraceStep(
            2,
            "withdraw",
            (Access("write", "log"), Access("read", "account")),
            source,
            (Change("log", (), ("withdraw",)),),
            "raised KeyError: 'bob'",
        ),
    )
    return model(
        "Bank",
        Violation(
            kind="exception",
            message="KeyError: 'bob' leaves withdraw",
            location=None,
            threads=("withdraw",),
            trace=Trace(("audit", "withdraw"), (("account", {"alice": 100}), ("log", ())), steps),
            source=source,
        ),
    )


def postcondition() -> ModelResult:
    lost = lost_update_violation()
    return model(
        "Counter",
        replace(
            lost,
            kind="postcondition",
            message="every_increment_counts is false when all threads have finished",
            location=None,
            detail=None,
            trace=replace(lost.trace, final=(("counter", 1),)),
            source=Source("counter.py", 14, "return self.counter == 2"),
        ),
    )


def invariant_at_the_start() -> ModelResult:
    return model(
        "Empty",
        Violation(
            kind="invariant",
            message="never_empty is false",
            location=None,
            threads=(),
            trace=Trace(("worker",), (("items", []),), ()),
            source=Source("empty.py", 9, "return len(self.items) > 0"),
        ),
        states=1,
        transitions=0,
        depth=0,
    )


def crowd(count: int = 10) -> ModelResult:
    """Ten threads that all take part."""
    names = [f"increment[{i}]" for i in range(count)]
    reads = [
        step(i + 1, name, "read", "counter", LINES["read"], outcome="read 0")
        for i, name in enumerate(names)
    ]
    writes = [
        step(
            count + 1 + i,
            name,
            "write",
            "counter",
            LINES["write"],
            Change("counter", int(i > 0), 1),
        )
        for i, name in enumerate(names)
    ]
    return model(
        "Crowd",
        replace(
            lost_update_violation(),
            threads=(names[1], names[0]),
            message=f"{names[1]} overwrites what {names[0]} wrote to counter",
            trace=Trace(tuple(names), (("counter", 0),), (*reads, *writes)),
            detail=LostUpdate(names[1], names[0], read=2, lost=11, overwrite=12),
        ),
        states=1234567,
        transitions=9876543,
        depth=20,
    )


NASTY = 'a "quoted" \\n \\N \\ <b>&amp;</b> {x|y} %s'


def nasty() -> ModelResult:
    """Text that HTML, DOT, terminals and fixed columns each have trouble with."""
    source = Source(
        "名前.py", 3, f"self.näme = [\n    {NASTY!r},\n    '中文 🎉',\n]\n# \x1b[31m red \x00"
    )
    steps = (
        step(1, "写入者", "write", "näme", source, Change("näme", "e\u0301", "中文 🎉")),
        step(2, '<reader> & "co"', "read", "näme", "x = self.näme  # <i>", outcome=f"read {NASTY}"),
    )
    return model(
        "Näme<T>",
        Violation(
            kind="assertion",
            message=f"x is {NASTY} and not 中文 🎉",
            location=None,
            threads=('<reader> & "co"',),
            trace=Trace(("写入者", '<reader> & "co"'), (("näme", "e\u0301"), ("<&>", "\\")), steps),
            source=steps[-1].source,
        ),
        file="名前.py",
    )


def verified() -> ModelResult:
    return model("Locked", states=1, transitions=1, depth=1)


def inconclusive() -> ModelResult:
    return model(
        "Endless",
        verdict="inconclusive",
        complete=False,
        limit="--max-states 1000 reached",
        states=1000,
        transitions=2345,
        depth=37,
        warnings=("[Lock()] * 5 is one lock, five times",),
    )


def expected() -> ModelResult:
    return replace(lost_update(), expected=True, expectation="lost-update")


def not_as_expected() -> ModelResult:
    return replace(lost_update(), expected=False, expectation="deadlock")


def expected_but_not_found() -> ModelResult:
    return replace(verified(), expected=False, expectation="lost-update")


def far_apart() -> ModelResult:
    """A lost update between the first and the last of four lanes, with others at work between."""
    first, other, third, last = (f"worker[{i}]" for i in range(4))
    steps = (
        step(1, last, "read", "counter", LINES["read"], outcome="read 0"),
        step(2, other, "read", "flag", "if self.flag:", outcome="read False"),
        step(3, third, "read", "flag", "if self.flag:", outcome="read False"),
        step(4, first, "write", "counter", "self.counter = 7", Change("counter", 0, 7)),
        step(5, other, "write", "flag", "self.flag = True", Change("flag", False, True)),
        step(6, third, "write", "flag", "self.flag = True", Change("flag", True, True)),
        step(7, last, "write", "counter", LINES["write"], Change("counter", 7, 1)),
    )
    return model(
        "Workers",
        Violation(
            kind="lost-update",
            message=f"{last} overwrites what {first} wrote to counter",
            location="counter",
            threads=(last, first),
            trace=Trace((first, other, third, last), (("counter", 0), ("flag", False)), steps),
            detail=LostUpdate(last, first, read=1, lost=4, overwrite=7),
        ),
    )


def held_by_itself() -> ModelResult:
    """A thread that acquires its own lock again, and one that waits for it too."""
    first, again = (
        Source("own.py", 7, "self.lock.acquire()"),
        Source("own.py", 9, "with self.lock:"),
    )
    taken = Change("lock", Described("free"), Described("held by owner"))
    return model(
        "Own",
        Violation(
            kind="deadlock",
            message="owner waits for a lock that it holds itself",
            location="lock",
            threads=("waiter", "owner"),
            trace=Trace(
                ("waiter", "owner"),
                (("lock", Described("free")),),
                (step(1, "owner", "acquire", "lock", first, taken),),
            ),
            detail=Waits(
                (
                    Wait("waiter", Access("acquire", "lock"), first, ("owner",)),
                    Wait("owner", Access("acquire", "lock"), again, ("owner",)),
                )
            ),
        ),
    )
