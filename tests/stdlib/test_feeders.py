"""What is changed after `put` of `multiprocessing.Queue`, whose feeder copies it some time later."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from collections import deque
from dataclasses import dataclass
from multiprocessing.queues import Queue as RealQueue
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from interleave import Model, ModelError, check, process, thread
from interleave.result import ModelResult

ENGINES = ("reference", "native")

HEAD = """\
import multiprocessing
from collections import deque
from dataclasses import dataclass
from interleave import *

@dataclass
class Box:
    held: object

def change(x):
    CHANGE

class Sends(Model):
    q = multiprocessing.MADE()

    def setup(self):
        self.x = MAKE

    @process
    def send(self):
        BODY

    @process
    def receive(self):
        assert self.q.get() == EXPECTED
"""


@dataclass
class Box:
    held: object


class FedByHand(RealQueue):  # type: ignore[type-arg]
    """A real queue whose feeder is nobody: `feed` does what it would do."""

    def __init__(self) -> None:
        super().__init__(ctx=multiprocessing.get_context())

    def _start_thread(self) -> None:
        self._thread = threading.current_thread()

    def feed(self) -> Any:
        """The first message, as it would be received."""
        return pickle.loads(pickle.dumps(self._buffer.popleft()))  # type: ignore[attr-defined]


def received(make: str, change: str, body: list[str]) -> list[Any]:
    """What can be received first, as the feeder runs after one statement or another."""
    found: list[Any] = []
    for last in range(1, len(body) + 1):
        names: dict[str, Any] = {"Box": Box, "deque": deque}
        exec(f"def change(x): {change}", names)
        names["self"] = SimpleNamespace(q=FedByHand(), x=eval(make, names))
        exec("\n".join(body[:last]), names)
        if names["self"].q._buffer:
            outcome = names["self"].q.feed()
            found += [outcome] if outcome not in found else []
    return found


KINDS = {
    "list": ("[1]", ["@.append(2)", "@[0] = 2", "@ += [2]", "@.clear()"]),
    "dict": ("{1: 1}", ["@[2] = 2", "@.update({3: 3})", "del @[1]"]),
    "set": ("{1}", ["@.add(2)", "@ |= {2}"]),
    "deque": ("deque([1])", ["@.append(2)", "@.popleft()", "@.appendleft(3)"]),
    "object": ("Box(1)", ["@.held = 2", "setattr(@, 'held', 2)", "@.held += 1"]),
    "in a tuple": ("(1, [1])", ["@[1].append(2)"]),
    "in a list": ("[[1], Box(1)]", ["@[0].append(2)", "@[1].held = 2", "@.pop()"]),
    "in an object": ("Box([1])", ["@.held.append(2)", "@.held = [1, 2]"]),
    "in a dict": ("{1: Box([1])}", ["@[1].held.append(2)"]),
}
"""How each kind of value is made, and what changes it; @ stands for it."""


def bodies(make: str, change: str) -> list[list[str]]:
    """What a process does that puts something, and changes it, or something else."""
    return [
        ["self.q.put(@)", change],
        ["self.q.put(@)", "self.q.put(0)", change],
        ["self.q.put((0, @))", "change(@)"],
        ["y = @", "self.q.put([y])", change],
        ["self.q.put(@)", "self.q.put(@)", change],
        [change, "self.q.put(@)", "y = (@, 1)"],
        ["self.q.put(@)", f"@ = {make}", change],
        ["self.q.put(@)", "y = [0]", "y.append(@)", "y[0] = 5"],
    ]


@pytest.mark.parametrize("where", ["x", "self.x"])
@pytest.mark.parametrize("kind", [*KINDS])
def test_a_change_that_the_feeder_may_see_or_not_is_refused(kind, where, tmp_path: Path) -> None:
    make, changes = KINDS[kind]
    begin = [f"x = {make}"] if where == "x" else ["pass"]
    for change in changes:
        for number, body in enumerate(bodies(make, change)[: None if change == changes[0] else 1]):
            lines = [*begin, *[line.replace("@", where) for line in body]]
            outcomes = received(make, change.replace("@", "x"), lines)
            file = tmp_path / "model.py"
            text = HEAD.replace("CHANGE", change.replace("@", "x")).replace("MADE", "Queue")
            text = text.replace("MAKE", make).replace("BODY", "\n        ".join(lines))
            file.write_text(text.replace("EXPECTED", repr(outcomes[0])))
            for engine in ENGINES[: 1 if number else 2]:
                assert is_refused(file, engine) == (len(outcomes) > 1), (lines, outcomes)


def is_refused(file: Path, engine: str) -> bool:
    """Whether a check says that what was put should be a copy; else it finds nothing wrong."""
    try:
        result = check(file, engine=engine)
    except ModelError as error:
        assert error.remedy == "put a copy, as in q.put(list(items))", error
        assert error.place is not None
        return True
    assert result.models[0].verdict == "verified"
    return False


# What a thread may do with what it has put


def on_both(model: type[Model]) -> ModelResult:
    reference, native = [check(model, engine=engine).models[0] for engine in ENGINES]
    assert (reference.states, reference.transitions) == (native.states, native.transitions)
    return native


def test_what_was_received_may_be_changed_and_put_again() -> None:
    class Answered(Model):
        tasks = multiprocessing.JoinableQueue()
        answers = multiprocessing.Queue()

        @process
        def ask(self):
            items = [0]
            for number in range(3):
                self.tasks.put(items)
                self.answers.get()
                items.append(number)

        @process
        def answer(self):
            for number in range(3):
                assert len(self.tasks.get()) == number + 1
                self.answers.put("yes")

    assert on_both(Answered).verdict == "verified"


def test_what_is_put_in_each_round_of_an_endless_loop_is_remembered_once() -> None:
    class Endless(Model):
        queue = multiprocessing.Queue(1)

        @process
        def put(self):
            item = [1]
            while True:
                self.queue.put((item, [2]))

        @process
        def get(self):
            while True:
                assert self.queue.get() == ([1], [2])

    assert on_both(Endless).verdict == "verified"


class Parent(Model):
    """Two threads of one process, of which one puts what both have."""

    queue = multiprocessing.Queue()
    lock = threading.Lock()
    received = multiprocessing.Event()

    def setup(self):
        self.items = [1]

    @thread
    def put(self):
        with self.lock:
            self.queue.put(self.items)

    @thread
    def change(self):
        with self.lock:
            self.items.append(2)

    @process
    def get(self):
        assert self.queue.get() in ([1], [1, 2])
        self.received.set()


@pytest.mark.slow
def test_another_thread_of_the_process_may_not_change_it_either() -> None:
    class Waits(Parent):
        @thread
        def change(self):
            self.received.wait()
            self.items.append(2)

    class Elsewhere(Parent):
        @process
        def change(self):
            self.items.append(2)

    for engine in ENGINES:
        with pytest.raises(ModelError, match="changes, or shares, what was put into queue"):
            check(Parent, engine=engine)
    assert on_both(Waits).verdict == "verified"
    assert on_both(Elsewhere).verdict == "verified"


def test_what_is_put_is_not_changed_while_put_waits() -> None:
    class Full(Model):
        queue = multiprocessing.Queue(1)
        empty = multiprocessing.Event()

        def setup(self):
            self.items = [1]
            self.queue.put(0)

        @thread
        def put(self):
            self.queue.put(self.items)  # has looked at them when it comes to wait

        @thread
        def change(self):
            self.items.append(2)
            assert self.queue.get() == 0
            self.empty.set()

        @process
        def get(self):
            self.empty.wait()
            assert self.queue.get() in ([1], [1, 2])

    for engine in ENGINES:
        with pytest.raises(ModelError, match="what was put into queue") as caught:
            check(Full, engine=engine)
        assert caught.value.place is not None


@pytest.mark.slow
def test_what_was_put_is_not_shared_before_it_is_received() -> None:
    class Shares(Parent):
        @thread
        def put(self):
            items = [1]
            self.queue.put(items)
            self.items = items

    class SharesLater(Parent):
        @thread
        def put(self):
            items = [1]
            self.queue.put(items)
            self.received.wait()
            self.items = items

    for engine in ENGINES:
        with pytest.raises(ModelError, match="changes, or shares, what was put into queue"):
            check(Shares, engine=engine)
    assert on_both(SharesLater).verdict == "verified"


class Fixed(NamedTuple):
    held: Any


@dataclass(frozen=True)
class Frozen:
    held: Any


@pytest.mark.parametrize("kind", [Box, Fixed, Frozen, list, tuple])
def test_a_message_has_copies_of_what_is_shared_at_any_depth(kind) -> None:
    class Sends(Model):
        queue = multiprocessing.SimpleQueue()
        items: list[int] = []  # noqa: RUF012

        @process
        def send(self):
            self.items.append(1)
            self.queue.put(kind([self.items]) if kind in (list, tuple) else kind(self.items))

        @process
        def receive(self):
            self.items.append(2)
            got = self.queue.get()
            held = got[0] if kind in (list, tuple) else got.held
            assert held == [1]
            held.append(3)
            assert self.items == [2]

    assert on_both(Sends).verdict == "verified"


HOOKS = """\
import multiprocessing
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple
from uuid import UUID
from interleave import *

class Plain:
    def __init__(self):
        self.a = 1

class Says(Plain):
    def __getstate__(self):
        return {}

class Takes(Plain):
    def __setstate__(self, state):
        self.a = 2

class Derived(Takes):
    pass

class Reduced:
    def __reduce__(self):
        return (list, ())

class Slots:
    __slots__ = ("a",)
    def __init__(self):
        self.a = 1

@dataclass(frozen=True, slots=True)
class Frozen:
    a: int = 1

class Fixed(NamedTuple):
    a: int = 1

class Colour(Enum):
    RED = 1

class Wrong(Exception):
    pass

class Needs(Exception):
    def __init__(self, a, b):
        super().__init__(a)

class Sends(Model):
    queue = multiprocessing.QUEUE()

    def setup(self):
        self.kept = MADE

    @process
    def send(self):
        self.queue.put(WHAT)

    @process
    def receive(self):
        self.queue.get()
"""


@pytest.mark.parametrize("queue", ["Queue", "SimpleQueue"])
@pytest.mark.parametrize(
    ("made", "is_sent"),
    [
        ("Plain()", True),
        ("Slots()", True),
        ("Frozen()", True),
        ("Fixed()", True),
        ("Colour.RED", True),
        ("UUID(int=1)", True),
        ("Wrong(1)", True),
        ("Says()", False),
        ("Derived()", False),
        ("[(Takes(),)]", False),
        ("Reduced()", False),
        ("Needs(1, 2)", False),
    ],
)
def test_what_says_itself_how_it_is_pickled_is_refused(made, is_sent, queue, tmp_path) -> None:
    kept = made != "Wrong(1)" and made != "Needs(1, 2)"  # a state holds no exception
    for what in (made, "self.kept") if kept else (made,):
        file = tmp_path / "model.py"
        text = HOOKS.replace("QUEUE", queue).replace("MADE", made if kept else "0")
        file.write_text(text.replace("WHAT", what))
        if is_sent:
            assert check(file).models[0].verdict == "verified"
        else:
            with pytest.raises(ModelError, match="this cannot be sent to another process: "):
                check(file)


@pytest.mark.parametrize("what", ["self.lock", "[self.queue]", "self.own", "lambda: 0"])
def test_what_cannot_be_pickled_is_lost_in_the_feeder(what, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import multiprocessing, threading\nfrom interleave import *\nclass M(Model):\n"
        "    queue = multiprocessing.Queue()\n    lock = multiprocessing.Lock()\n"
        "    own = threading.Lock()\n"
        f"    @process\n    def put(self):\n        self.queue.put({what})\n"
    )
    with pytest.raises(ModelError) as caught:
        check(file)
    assert caught.value.place is not None
    assert caught.value.place.line == 9
