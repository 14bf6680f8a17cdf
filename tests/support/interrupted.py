"""Real Python with a handler that comes in at one place of the main thread, or at none: all ways.

The places are those where CPython 3.11 and 3.12 look whether a signal has come (`eval_breaker` in
Python/ceval.c and Python/bytecodes.c): after a call, on the way back in a loop, where Python code is
entered, and where a thread waits. What is called before each instruction calls the handler there.
"""

from __future__ import annotations

import dis
import queue
import signal
import sys
import threading
import types
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple
from unittest import mock

from interleave.replay.scheduler import Interruptions

_FILES = (threading.__file__, queue.__file__)
_FILE = "interrupted"
_BACK = ("JUMP_BACKWARD", "POP_JUMP_BACKWARD")


class Ended(NamedTuple):
    """What a program has printed, and how it has ended: an exception, "deadlock", or ""."""

    printed: str
    how: str


class _Waits(BaseException):
    """The only thread waits for ever."""


class _Coming:
    """A signal that comes at the place with some number, counted from its installation; or else,
    if it `comes_late`, where the thread waits.
    """

    def __init__(self, place: int, *, anywhere: bool = False, comes_late: bool = False) -> None:
        self.place = place
        self._anywhere = anywhere
        self.passed = 0
        """How many places there were."""
        self.is_stuck = False
        """Whether the thread waits for ever; what it does because it is told so is nothing."""
        self._is_left = comes_late
        self.handler: Any = None
        self._before: dict[types.FrameType, tuple[str, int] | None] = {}

    def install(self, number: int, handler: Any) -> None:
        self.handler = handler

    def reach(self) -> None:
        """Before each instruction: calls the handler at the place where it comes."""
        frame = sys._getframe(2)
        if frame not in self._before:  # it is entered
            self._before[frame] = ("RESUME", -1)
            if frame.f_back is not None:
                self._before[frame.f_back] = None  # after its return nobody looks
        before = self._before[frame]
        self._before[frame] = (dis.opname[frame.f_code.co_code[frame.f_lasti]], frame.f_lasti)
        if before is not None and self._is_after(before, frame.f_lasti):
            self.pass_place()

    def _is_after(self, before: tuple[str, int], now: int) -> bool:
        name, at = before
        if self._anywhere:
            return True
        if name.startswith(_BACK):
            return now < at
        return name.startswith("CALL") or name == "RESUME"

    def pass_place(self) -> None:
        if self.handler is None or self.is_stuck:
            return
        self.passed += 1
        if self.passed == self.place + 1:
            self._is_left = False
            self.handler(signal.SIGTERM, None)

    def wait(self) -> bool:
        """A thread waits: whether the signal comes now, if it has not."""
        if not self._is_left or self.handler is None:
            self.is_stuck = True
            return False
        self._is_left = False
        self.handler(signal.SIGTERM, None)
        return True


def ways(text: str, *, anywhere: bool = False) -> set[Ended]:
    """How a program ends, wherever its signal comes, or does not. `anywhere`: between any two
    instructions, and not only where CPython looks.
    """
    never = _Coming(-1, anywhere=anywhere)
    found = {_run(text, never), _run(text, _Coming(-1, comes_late=True))}
    for place in range(never.passed):
        found.add(_run(text, _Coming(place, anywhere=anywhere)))
    return found


def _instructions(code: types.CodeType) -> range:
    return range(len(code.co_code) if code.co_filename in (_FILE, *_FILES) else 0)


def _run(text: str, coming: _Coming) -> Ended:
    printed: list[str] = []

    def note(*them: object) -> None:
        if not coming.is_stuck:
            printed.append(" ".join(map(str, them)))

    make = _lock_of(coming)
    names: dict[str, Any] = {
        "print": note,
        "signal": types.SimpleNamespace(signal=coming.install, SIGTERM=signal.SIGTERM),
        "queue": queue,
        "threading": threading,
    }
    code = compile(text, _FILE, "exec")
    how = ""
    with mock.patch.multiple(threading, Lock=make, _allocate_lock=make):
        interruptions = Interruptions(_instructions, coming.reach)
        try:
            with interruptions.enabled(), interruptions.of_this_thread():
                exec(code, names)
        except _Waits:
            how = "deadlock"
        except BaseException as error:
            how = type(error).__name__
    return Ended("\n".join(printed), how)


def _lock_of(coming: _Coming) -> Callable[[], Any]:
    """What makes locks of which it is known that nobody else gives them back."""

    class Lock:
        def __init__(self) -> None:
            self._held = False

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            while self._held:
                if not blocking or timeout > 0:
                    return False
                if not coming.wait():
                    raise _Waits
            self._held = True
            return True

        def release(self) -> None:
            if not self._held:
                raise RuntimeError("release unlocked lock")
            self._held = False

        def locked(self) -> bool:
            return self._held

        def __enter__(self) -> bool:
            return self.acquire()

        def __exit__(self, *_: object) -> None:
            self.release()

    return Lock


_SIMPLE = (
    "note({number})",
    "n[0] = n[0] + 1",
    "print({number}, n[0])",
    "q.put({number})",
    "print(q.qsize())",
    "event.set()",
    "print(event.is_set())",
    "free.release()",
    "lock.acquire(); print({number}); lock.release()",
)
_BLOCKS = (
    "with {lock}:\n{body}",
    "{lock}.acquire()\ntry:\n{body}\nfinally:\n    {lock}.release()",
    "for _ in range(2):\n{body}",
    "try:\n{body}\nexcept Stop as stop:\n    print('stop', {number})",
    "try:\n{body}\nfinally:\n    print('end', {number})",
    "within({number})",
    "while not event.is_set():\n    event.set()\n{body}",
)
_LOCKS = ("lock", "lock", "again", "free", "cond")
_HANDLERS = (
    "note('h')",
    "n[0] = n[0] + 10",
    "with {lock}:\n    note('h')",
    "q.put('h')",
    "event.set()",
    "print('h', n[0])",
    "raise Stop",
    "free.release()",
    "print(q.get() if q.qsize() else None)",
)

_TEXT = """
n = [0]
notes = []
lock = threading.Lock()
again = threading.RLock()
cond = threading.Condition()
free = threading.Semaphore(1)
event = threading.Event()
q = queue.Queue()
class Stop(Exception):
    pass
def note(what):
    notes.append(what)
def within(number):
    note(number)
    with lock:
        note(number)
def handler(number, frame):
{handler}
def main():
    signal.signal(signal.SIGTERM, handler)
{body}
main()
print(n, notes, q.qsize())
"""


def program(random: Random) -> str:
    """A program of one thread, with a handler."""

    def lock() -> str:
        return random.choice(_LOCKS)

    def indented(text: str) -> str:
        return "\n".join(f"    {line}" for line in text.splitlines())

    def statement(depth: int) -> str:
        number = random.randrange(1, 9)
        if depth == 0 or random.random() < 0.4:
            return random.choice(_SIMPLE).format(number=number)
        body = indented("\n".join(statement(depth - 1) for _ in range(random.randrange(1, 3))))
        return random.choice(_BLOCKS).format(number=number, lock=lock(), body=body)

    handled = "\n".join(random.choice(_HANDLERS).format(lock=lock()) for _ in range(2))
    body = "\n".join(statement(2) for _ in range(2))
    return _TEXT.format(handler=indented(handled), body=indented(body))
