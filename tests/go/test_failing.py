"""What panics at run time in Go: its words, and who recovers from it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from goroutines import checked, kinds, messages

TEXT = """
class M(Model):
    zero = 0
    five = 5
    table = None
    got = None
    mu = go.Mutex()
    rw = go.RWMutex()
    wg = go.WaitGroup()
    ch = go.Chan(1)
    words = "abc"

    def setup(self):
        self.shared = [1, 2, 3]
        self.fixed = array([1, 2, 3])

    @goroutine
    def main(self):
        xs = [1, 2, 3]
        {body}
"""

DIVISION = "runtime error: integer divide by zero"
RANGE = "runtime error: index out of range "
RECOVERABLE = [
    ("1 // self.zero", DIVISION, "ZeroDivisionError"),
    ("1 % self.zero", DIVISION, "ZeroDivisionError"),
    ("self.five /= self.zero", DIVISION, "ZeroDivisionError"),
    ("divmod(1, self.zero)", DIVISION, "ZeroDivisionError"),
    ("1 << -self.five", "runtime error: negative shift amount", "ValueError"),
    ("xs[self.five]", RANGE + "[5] with length 3", "IndexError"),
    ("self.shared[self.five]", RANGE + "[5] with length 3", "IndexError"),
    ("self.shared[self.five] = 1", RANGE + "[5] with length 3", "IndexError"),
    ("self.shared[self.five] += 1", RANGE + "[5] with length 3", "IndexError"),
    ("self.fixed[self.five] = 1", RANGE + "[5] with length 3", "IndexError"),
    ("xs[-self.five]", RANGE + "[-5]", "IndexError"),
    ("self.words[self.five]", RANGE + "[5] with length 3", "IndexError"),
    ("(1, 2)[self.five]", RANGE + "[5] with length 2", "IndexError"),
    ("[xs[i] for i in range(4)]", RANGE + "[3] with length 3", "IndexError"),
    ("self.table[self.five]", RANGE + "[5] with length 0", "IndexError"),
    ("self.table['key'] = 1", "assignment to entry in nil map", "TypeError"),
    ("self.table['key'] += 1", "assignment to entry in nil map", "TypeError"),
    ("self.table.field", "runtime error: invalid memory address or nil pointer dereference",
     "AttributeError"),
    ("go.nil.close()", "close of nil channel", "go.Panic"),
    ("self.ch.close(); self.ch.close()", "close of closed channel", "go.Panic"),
    ("self.ch.close(); self.ch.send(1)", "send on closed channel", "go.Panic"),
    ("self.wg.Done()", "sync: negative WaitGroup counter", "go.Panic"),
    ("go.Chan(-1)", "makechan: size out of range", "go.Panic"),
]  # fmt: skip
FATAL = [
    ("self.mu.Unlock()", "sync: unlock of unlocked mutex"),
    ("self.rw.Unlock()", "sync: Unlock of unlocked RWMutex"),
    ("self.rw.RUnlock()", "sync: RUnlock of unlocked RWMutex"),
    ("go.spawn(self.table)", "go of nil func value"),
]


@pytest.mark.parametrize(("body", "words", "kind"), RECOVERABLE)
def test_a_panic_ends_the_program_or_is_recovered_from(
    tmp_path: Path, body: str, words: str, kind: str
) -> None:
    unhandled = checked(tmp_path, TEXT.format(body=body))
    assert messages(unhandled) == [f"main ends the program: panic: {words}"]
    for caught in ("go.Panic", kind):
        text = f"""
        try:
            {body}
        except {caught} as p:
            self.got = p.value
"""
        assert repr(words) in str(checked(tmp_path, TEXT.format(body=text)).interleavings)


@pytest.mark.parametrize(("body", "words"), FATAL)
def test_nothing_recovers_from_a_fatal_error(tmp_path: Path, body: str, words: str) -> None:
    text = f"""
        try:
            {body}
        except BaseException:
            pass
        finally:
            self.got = 1
"""
    assert messages(checked(tmp_path, TEXT.format(body=text))) == [
        f"main ends the program: fatal error: {words}"
    ]


@pytest.mark.parametrize(
    "body",
    [
        "assert len(self.table) == 0",
        "assert 'key' not in self.table",
        "assert self.table['key'] is None",
        "del self.table['key']",
        "for each in self.table: assert False",
        "self.got = [each for each in self.table]",
        "self.got = [each + 1 for each in range(1) for other in self.table]",
        "assert xs[-1] == self.shared[-1] == self.fixed[-1] == 3",
        "assert xs[1:9] == self.shared[1:9] == [2, 3]",
        "xs[1:9] = [4]; assert xs == [1, 4]",
    ],
)
def test_what_does_not_panic(tmp_path: Path, body: str) -> None:
    assert kinds(checked(tmp_path, TEXT.format(body=body))) == []


WORDS = "From 3.14 on Python says the same of a whole number and of a float"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "1.0 / self.zero",
            marks=pytest.mark.xfail(sys.version_info >= (3, 14), reason=WORDS, strict=True),
        ),
        "[].pop()",
        "{}['key']",
    ],
)
def test_what_only_Python_has_fails_as_in_Python(tmp_path: Path, body: str) -> None:
    (message,) = messages(checked(tmp_path, TEXT.format(body=body)))
    assert message.startswith("main is ended by ")
