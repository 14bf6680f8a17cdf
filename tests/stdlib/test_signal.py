"""Handlers of signals: where they come in, what they do to the main thread, and what is refused."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import check
from interleave.checking import Result

RUNTIMES = ("free-threaded", "gil")

# What each prints or is found to do, with the runtimes under which it is.
FOUND: dict[str, tuple[str, set[str]]] = {
    "a lock that the main thread holds": (
        """
        lock = threading.Lock()
        def handler(number, frame):
            with lock:
                pass
        signal.signal(signal.SIGTERM, handler)
        with lock:
            print(1)
        """,
        {"deadlock"},
    ),
    "a reentrant lock": (
        """
        lock = threading.RLock()
        owners = []
        def handler(number, frame):
            with lock:
                owners.append(threading.get_ident())
        signal.signal(signal.SIGTERM, handler)
        with lock:
            owners.append(threading.get_ident())
        assert len(set(owners)) == 1
        """,
        set(),
    ),
    "a lock that another thread gives back": (
        """
        lock = threading.Lock()
        def handler(number, frame):
            with lock:
                pass
        def worker():
            with lock:
                pass
        signal.signal(signal.SIGTERM, handler)
        threading.Thread(target=worker).start()
        """,
        set(),
    ),
    "a flag": (
        """
        stop = False
        def handler(number, frame):
            global stop
            stop = True
        signal.signal(signal.SIGTERM, handler)
        while not stop:
            time.sleep(1)
        """,
        set(),
    ),
    "a flag that nobody sets": (
        """
        stop = False
        def handler(number, frame):
            pass
        signal.signal(signal.SIGTERM, handler)
        while not stop:
            time.sleep(1)
        """,
        {"livelock"},
    ),
    "a queue that the main thread uses": (
        """
        q = queue.Queue()
        def handler(number, frame):
            q.put(1)
        signal.signal(signal.SIGTERM, handler)
        q.put(2)
        """,
        {"deadlock"},
    ),
    "a queue that is reentrant": (
        """
        q = queue.SimpleQueue()
        def handler(number, frame):
            q.put(1)
        signal.signal(signal.SIGTERM, handler)
        q.put(2)
        """,
        set(),
    ),
    "a queue that only the handler uses": (
        """
        q = queue.Queue()
        def handler(number, frame):
            q.put(1)
            done.append(1)
        done = []
        signal.signal(signal.SIGTERM, handler)
        done.append(2)
        """,
        set(),
    ),
    "an event that the main thread waits for": (
        """
        stop = threading.Event()
        def handler(number, frame):
            stop.set()
        signal.signal(signal.SIGTERM, handler)
        stop.wait()
        """,
        {"deadlock"},  # `set` and `wait` take one lock, which is not reentrant
    ),
    "an event that it looks at": (
        """
        stop = threading.Event()
        def handler(number, frame):
            stop.set()
        signal.signal(signal.SIGTERM, handler)
        while not stop.is_set():
            time.sleep(1)
        """,
        set(),
    ),
    "a semaphore": (
        """
        free = threading.Semaphore(0)
        def handler(number, frame):
            free.release()
        signal.signal(signal.SIGTERM, handler)
        free.acquire()
        """,
        {"deadlock"},
    ),
    "an exception between a lock and the try": (
        """
        lock = threading.Lock()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=lock.acquire).start()
        lock.acquire()
        try:
            print(1)
        finally:
            lock.release()
        """,
        {"deadlock"},
    ),
    "an exception in a with": (
        """
        lock = threading.Lock()
        def worker():
            with lock:
                pass
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=worker).start()
        with lock:
            print(1)
        """,
        set(),
    ),
    "an exception in a with of a condition": (
        """
        lock = threading.Condition()
        def worker():
            with lock:
                pass
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=worker).start()
        with lock:
            print(1)
        """,
        {"deadlock"},  # its `__enter__` is Python code
    ),
    "an exception in a wait": (
        """
        ready = False
        cond = threading.Condition()
        def worker():
            global ready
            with cond:
                ready = True
                cond.notify()
        def main():
            cond.acquire()
            try:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                threading.Thread(target=worker).start()
                while not ready:
                    cond.wait()
            finally:
                cond.release()
        main()
        """,
        set(),
    ),
    "sys.exit in a handler": (
        """
        done = []
        def handler(number, frame):
            sys.exit(0)
        try:
            signal.signal(signal.SIGTERM, handler)
            while True:
                time.sleep(1)
        finally:
            done.append(1)
            assert done == [1]
        """,
        set(),
    ),
    "an exception of its own, handled": (
        """
        class Stop(Exception): pass
        def handler(number, frame):
            raise Stop(number)
        try:
            signal.signal(signal.SIGTERM, handler)
            threading.Event().wait()
        except Stop as stop:
            assert stop.args == (15,)
        """,
        set(),
    ),
    "an exception of its own, not handled": (
        """
        def handler(number, frame):
            raise ValueError
        signal.signal(signal.SIGTERM, handler)
        print(1)
        """,
        {"exception"},
    ),
    "a handler within another": (
        """
        lock = threading.Lock()
        def first(number, frame):
            with lock:
                print("first")
        def second(number, frame):
            with lock:
                print("second")
        signal.signal(signal.SIGTERM, first)
        signal.signal(signal.SIGUSR1, second)
        """,
        {"deadlock"},
    ),
    "a lock of its own, and no signal": (
        """
        lock = threading.Lock()
        def handler(number, frame):
            sys.exit(1)
        signal.signal(signal.SIGTERM, handler)
        lock.acquire()
        lock.acquire()
        """,
        {"deadlock"},  # though the signal would end it
    ),
    "what is installed": (
        """
        def handler(number, frame):
            pass
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
        assert signal.signal(signal.SIGTERM, handler) is signal.SIG_DFL
        assert signal.signal(signal.SIGTERM, signal.SIG_IGN) is handler
        assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_IGN
        for wrong, error in ((signal.SIGKILL, OSError), (4711, ValueError), ("x", TypeError)):
            try:
                signal.signal(wrong, handler)
            except error:
                print("refused")
        """,
        set(),
    ),
    "ignored": (
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(1)
        """,
        set(),
    ),
    "another thread": (
        """
        def worker():
            try:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            except ValueError as error:
                assert "main thread" in str(error)
            else:
                assert False
        threading.Thread(target=worker).start()
        """,
        set(),
    ),
    "sent by the program": (
        """
        seen = []
        def handler(number, frame):
            seen.append(signal.Signals(number).name)
        signal.signal(signal.SIGALRM, handler)
        signal.raise_signal(signal.SIGALRM)
        os.kill(os.getpid(), signal.SIGALRM)
        assert seen == ["SIGALRM", "SIGALRM"]
        """,
        set(),
    ),
    "no timer": (
        """
        def handler(number, frame):
            assert False
        signal.signal(signal.SIGALRM, handler)
        print(1)
        """,
        set(),
    ),
    "a timer": (
        """
        def handler(number, frame):
            assert False
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        print(1)
        """,
        {"assertion"},
    ),
    "a timer that is stopped": (
        """
        late = False
        def handler(number, frame):
            assert not late
        signal.signal(signal.SIGALRM, handler)
        signal.alarm(5)
        print(1)
        signal.alarm(0)
        late = True
        """,
        set(),
    ),
}


def checked(tmp_path: Path, text: str, **options: object) -> Result:
    """What is found of a script."""
    file = tmp_path / "script.py"
    imports = "import os, queue, signal, sys, threading, time\n"
    file.write_text(imports + textwrap.dedent(text))
    return check(str(file), **options)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(("text", "kinds"), FOUND.values(), ids=FOUND)
def test_handlers(tmp_path: Path, text: str, kinds: set[str], runtime: str) -> None:
    (found,) = checked(tmp_path, text, runtime=runtime).models
    assert {each.kind for each in found.violations} == kinds
    assert found.complete
