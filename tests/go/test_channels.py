"""Channels against the table of the Go specification: every operation in every state of a channel.

go.dev/ref/spec: Channel types, Send statements, Receive operator, Close, Length and capacity, Select
statements, For statements with range clause.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import Playing, checked, kinds, messages, outcomes

# How to bring a channel into a state: its making, what another goroutine has done before, and what
# it does then, in which it waits or not.
STATES = {
    "nil": ("go.nil", "pass", "pass"),
    "unbuffered": ("go.Chan(of=int)", "pass", "pass"),
    "unbuffered, receiver parked": ("go.Chan(of=int)", "pass", "self.other = self.ch.recv_ok()"),
    "unbuffered, sender parked": ("go.Chan(of=int)", "pass", "self.ch.send(7)"),
    "buffered, empty": ("go.Chan(2, of=int)", "pass", "pass"),
    "buffered, empty, receiver parked": (
        "go.Chan(2, of=int)",
        "pass",
        "self.other = self.ch.recv_ok()",
    ),
    "buffered, one item": ("go.Chan(2, of=int)", "self.ch.send(1)", "pass"),
    "buffered, full": ("go.Chan(2, of=int)", "self.ch.send(1); self.ch.send(2)", "pass"),
    "buffered, full, sender parked": (
        "go.Chan(2, of=int)",
        "self.ch.send(1); self.ch.send(2)",
        "self.ch.send(3)",
    ),
    "closed": ("go.Chan(of=int)", "self.ch.close()", "pass"),
    "closed, one item left": ("go.Chan(2, of=int)", "self.ch.send(1); self.ch.close()", "pass"),
}

OPERATIONS = {
    "send": "self.ch.send(9)",
    "receive": "self.got = self.ch.recv_ok()",
    "close": "self.ch.close()",
    "len": "self.got = len(self.ch)",
    "cap": "self.got = self.ch.cap()",
    "select send": "self.got = go.select_ok(go.send(self.ch, 9), default=True)",
    "select receive": "self.got = go.select_ok(go.recv(self.ch), default=True)",
    "select send, no default": "self.got = go.select_ok(go.send(self.ch, 9))",
    "select receive, no default": "self.got = go.select_ok(go.recv(self.ch))",
    "range": "self.got = tuple([v for v in self.ch])",
}

CLOSED = "panic: send on closed channel"
DEFAULT = "(-1, None, False)"
SENT = "(0, None, True)"

# For each state, in the order of OPERATIONS: how it comes out, or what was got.
TABLE = {
    "nil": [
        "chan send (nil chan)", "chan receive (nil chan)", "panic: close of nil channel", "0", "0",
        DEFAULT, DEFAULT, "select", "select", "chan receive (nil chan)",
    ],
    "unbuffered": [
        "chan send", "chan receive", "ends", "0", "0", DEFAULT, DEFAULT, "select", "select",
        "chan receive",
    ],
    "unbuffered, receiver parked": [
        "ends", "chan receive", "ends", "0", "0", SENT, DEFAULT, SENT, "select", "chan receive",
    ],
    "unbuffered, sender parked": [
        "chan send", "(7, True)", "ends", "0", "0", DEFAULT, "(0, 7, True)", "select",
        "(0, 7, True)", "chan receive",
    ],
    "buffered, empty": [
        "ends", "chan receive", "ends", "0", "2", SENT, DEFAULT, SENT, "select", "chan receive",
    ],
    "buffered, empty, receiver parked": [
        "ends", "chan receive", "ends", "0", "2", SENT, DEFAULT, SENT, "select", "chan receive",
    ],
    "buffered, one item": [
        "ends", "(1, True)", "ends", "1", "2", SENT, "(0, 1, True)", SENT, "(0, 1, True)",
        "chan receive",
    ],
    "buffered, full": [
        "chan send", "(1, True)", "ends", "2", "2", DEFAULT, "(0, 1, True)", "select",
        "(0, 1, True)", "chan receive",
    ],
    "buffered, full, sender parked": [
        "chan send", "(1, True)", "ends", "2", "2", DEFAULT, "(0, 1, True)", "select",
        "(0, 1, True)", "chan receive",
    ],
    "closed": [
        CLOSED, "(0, False)", "panic: close of closed channel", "0", "0", CLOSED, "(0, 0, False)",
        CLOSED, "(0, 0, False)", "()",
    ],
    "closed, one item left": [
        CLOSED, "(1, True)", "panic: close of closed channel", "1", "2", CLOSED, "(0, 1, True)",
        CLOSED, "(0, 1, True)", "(1,)",
    ],
}  # fmt: skip

MODEL = """
class M(Model):
    ch = {channel}
    got = "nothing"
    other = "nothing"

    @goroutine
    def before(self):
        {before}

    @goroutine
    def other_one(self):
        {other}

    @goroutine
    def user(self):
        {operation}
"""

PAIRS = [
    (state, operation, expected)
    for state, row in TABLE.items()
    for operation, expected in zip(OPERATIONS, row, strict=True)
]


@pytest.mark.parametrize(("state", "operation", "expected"), PAIRS)
def test_an_operation(tmp_path: Path, state: str, operation: str, expected: str) -> None:
    channel, before, other = STATES[state]
    text = MODEL.format(
        channel=channel, before=before, other=other, operation=OPERATIONS[operation]
    )
    text += "\n    @goroutine\n    def keeps_all_variables(self):\n"
    text += "        self.got = self.other = self.ch = None\n"
    playing = Playing(tmp_path, text)
    assert playing.run("before") == "ends"
    playing.run("other_one")
    how = playing.run("user")
    got = repr(playing["got"])
    if how == "ends" and got != "'nothing'":
        how = got
    assert how == expected


def played(folder: Path, channel: str, **goroutines: str) -> Playing:
    text = f"class M(Model):\n    ch = {channel}\n    got = ()\n"
    for name, body in goroutines.items():
        text += f"\n    @goroutine\n    def {name}(self):\n        {body}\n"
    return Playing(folder, text)


RECEIVE = "x = self.ch.recv_ok(); self.got = (*self.got, x)"


def test_a_parked_receiver_gets_what_is_sent_before_others(tmp_path: Path) -> None:
    playing = played(tmp_path, "go.Chan(1, of=int)", a=RECEIVE, s="self.ch.send(1)", b=RECEIVE)
    assert playing.run("a") == "chan receive"
    assert playing.run("s") == "ends"
    assert playing.run("b") == "chan receive"  # it has gone past the buffer, to a
    assert playing.run("a") == "ends"
    assert playing["got"] == ((1, True),)


def test_those_that_are_parked_are_served_in_order(tmp_path: Path) -> None:
    two = "self.ch.send(1); self.ch.send(2)"
    playing = played(tmp_path, "go.Chan(of=int)", a=RECEIVE, b=RECEIVE, s=two)
    playing.run("b")
    playing.run("a")
    playing.run("s")
    playing.run("a")
    playing.run("b")
    assert playing["got"] == ((2, True), (1, True))


def test_a_full_buffer_lets_a_parked_sender_in_when_something_is_taken(tmp_path: Path) -> None:
    playing = played(
        tmp_path, "go.Chan(1, of=int)", s="self.ch.send(1); self.ch.send(2)", a=RECEIVE, b=RECEIVE
    )
    assert playing.run("s") == "chan send"
    playing.run("a")
    assert playing.run("s") == "ends"
    playing.run("b")
    assert playing["got"] == ((1, True), (2, True))


def test_close_wakes_receivers_with_the_zero_value_and_senders_with_a_panic(tmp_path: Path) -> None:
    playing = played(tmp_path, "go.Chan(of=str)", a=RECEIVE, c="self.ch.close()")
    playing.run("a")
    playing.run("c")
    assert playing.run("a") == "ends"
    assert playing["got"] == (("", False),)
    playing = played(tmp_path, "go.Chan(of=str)", s="self.ch.send('x')", c="self.ch.close()")
    assert playing.run("s") == "chan send"
    playing.run("c")
    assert playing.run("s") == "panic: send on closed channel"


def test_a_select_that_was_served_waits_nowhere_else(tmp_path: Path) -> None:
    text = """
class M(Model):
    a = go.Chan()
    b = go.Chan()
    got = ()

    @goroutine
    def selects(self):
        self.got = go.select(go.recv(self.a), go.send(self.b, 2), go.recv(go.nil))

    @goroutine
    def sends(self):
        self.a.send(1)

    @goroutine
    def receives(self):
        self.b.recv()
"""
    playing = Playing(tmp_path, text)
    assert playing.run("selects") == "select"
    assert repr(playing["a"]) == "empty (1 receiving)"
    assert repr(playing["b"]) == "empty (1 sending)"
    assert playing.run("sends") == "ends"
    assert repr(playing["b"]) == "empty"
    assert playing.run("receives") == "chan receive"
    assert playing.run("selects") == "ends"
    assert playing["got"] == (0, 1)


def test_one_goroutine_can_wait_for_one_channel_both_ways(tmp_path: Path) -> None:
    text = """
class M(Model):
    a = go.Chan(of=int)
    one_got = other_got = ()

    @goroutine
    def one(self):
        self.one_got = go.select(go.recv(self.a), go.send(self.a, 1))

    @goroutine
    def other(self):
        self.other_got = go.select(go.recv(self.a), go.send(self.a, 2))
"""
    result = checked(tmp_path, text)
    assert kinds(result) == []
    assert outcomes(result, "one_got") == {"(0, 2)", "(1, None)"}
    assert outcomes(result, "other_got") == {"(0, 1)", "(1, None)"}


def test_the_operands_of_a_select_are_evaluated_once_and_in_order(tmp_path: Path) -> None:
    text = """
class M(Model):
    a = go.Chan(1)
    order = ()

    def note(self, what, value):
        self.order = (*self.order, what)
        return value

    @goroutine
    def main(self):
        go.select(
            go.recv(self.note("first", go.nil)),
            go.send(self.note("second", self.a), self.note("third", 3)),
        )
        assert self.order == ("first", "second", "third")
        assert self.a.recv() == 3
"""
    assert kinds(checked(tmp_path, text)) == []


BOTH_READY = """
class M(Model):
    a = go.Chan(1, of=int)
    b = go.Chan(1, of=int)
    got = ()

    @goroutine
    def main(self):
        self.a.send(1)
        self.b.send(2)
        self.got = go.select(go.recv(self.a), go.recv(self.b){default})
"""


@pytest.mark.parametrize("default", ["", ", default=True"])
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_every_case_that_is_ready_may_be_taken(tmp_path: Path, default: str, engine: str) -> None:
    result = checked(tmp_path, BOTH_READY.format(default=default), engine)
    assert outcomes(result, "got") == {"(0, 1)", "(1, 2)"}
    assert (result.states, result.transitions) == (9, 8)


def test_a_ready_case_is_always_taken_before_the_default(tmp_path: Path) -> None:
    text = BOTH_READY.format(default=", default=True").replace("self.a.send(1)", "pass")
    assert outcomes(checked(tmp_path, text), "got") == {"(1, 2)"}


def test_a_select_with_default_sees_only_who_is_parked(tmp_path: Path) -> None:
    text = """
class M(Model):
    ch = go.Chan(of=int)
    got = ()

    @goroutine
    def receiver(self):
        self.ch.recv()

    @goroutine(daemon=True)
    def sender(self):
        self.got = go.select(go.send(self.ch, 1), default=True)
"""
    result = checked(tmp_path, text)
    assert outcomes(result, "got") == {"(0, None)", "(-1, None)"}


def test_a_send_on_a_closed_channel_panics_only_if_it_is_chosen(tmp_path: Path) -> None:
    text = """
class M(Model):
    closed = go.Chan()
    other = go.Chan(1)

    @goroutine
    def main(self):
        self.closed.close()
        go.select(go.send(self.closed, 1), go.send(self.other, 1))
"""
    result = checked(tmp_path, text)
    assert messages(result) == ["main ends the program: panic: send on closed channel"]
    assert result.interleavings is not None
    assert (result.interleavings.total, result.interleavings.violating) == (2, 1)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("go.select()", "select (no cases)"),
        ("go.select(go.recv(None))", "select"),
        ("go.nil.recv()", "chan receive (nil chan)"),
        ("go.nil.send(1)", "chan send (nil chan)"),
        ("[v for v in go.nil]", "chan receive (nil chan)"),
    ],
)
def test_what_waits_for_ever(tmp_path: Path, statement: str, reason: str) -> None:
    text = f"class M(Model):\n    @goroutine\n    def main(self):\n        {statement}\n"
    result = checked(tmp_path, text)
    assert kinds(result) == ["deadlock"]
    assert [wait.access.kind for wait in result.violations[0].waits] == [reason]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("go.select(self.ch)", "a select is given"),
        ("go.select(go.recv(3))", "which is no channel"),
        ("go.Chan('2')", "a channel is made with capacity '2'"),
        ("self.ch.buffer = 1", "a running thread sets ch.buffer"),
    ],
)
def test_misuse_is_an_error(tmp_path: Path, statement: str, error: str) -> None:
    from interleave.errors import ModelError

    text = "class M(Model):\n    ch = go.Chan()\n    @goroutine\n    def main(self):\n"
    with pytest.raises(ModelError, match=error):
        checked(tmp_path, f"{text}        {statement}\n")


def test_a_negative_capacity_panics(tmp_path: Path) -> None:
    text = "class M(Model):\n    @goroutine\n    def main(self):\n        go.Chan(-1)\n"
    assert messages(checked(tmp_path, text)) == [
        "main ends the program: panic: makechan: size out of range"
    ]
