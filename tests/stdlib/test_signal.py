"""Handlers of signals: where they come in, what they do to the main thread, and what is refused."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from random import Random
from typing import Any

import pytest
from families import sample
from interrupted import Ended, program, ways

from interleave import InterleaveError, check
from interleave.checking import Result
from interleave.report.words import signals
from interleave.result import ModelResult

RUNTIMES = ("free-threaded", "gil")

# What each prints or is found to do, with the runtimes under which it is.
FOUND: dict[str, tuple[str, set[str]]] = {
    "one that a thread has sent before there was a handler": (
        """
        lock = threading.Lock()
        def handler(number, frame):
            with lock:
                pass
        sender = threading.Thread(target=signal.raise_signal, args=(signal.SIGINT,))
        came = False
        try:
            sender.start()
            sender.join()
            sender.join()
        except KeyboardInterrupt:
            came = True
        if came:
            signal.signal(signal.SIGINT, handler)
            with lock:
                print()
        """,
        {"deadlock"},
    ),
    "one that a thread sends whose target is os.kill": (
        """
        lock = threading.Lock()
        def handler(number, frame):
            with lock:
                pass
        signal.signal(signal.SIGUSR1, handler)
        sender = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGUSR1))
        sender.start()
        with lock:
            sender.join()
        """,
        {"deadlock"},
    ),
    "a signal that an event loop has handled before": (
        """
        import asyncio
        lock = threading.Lock()
        async def main():
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, print)
            loop.remove_signal_handler(signal.SIGTERM)
        def handler(number, frame):
            with lock:
                pass
        asyncio.run(main())
        signal.signal(signal.SIGTERM, handler)
        with lock:
            print()
        """,
        {"deadlock"},
    ),
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
    "a pool that the main thread uses": (
        """
        from concurrent.futures import ThreadPoolExecutor
        def work():
            pass
        def handler(number, frame):
            pool.submit(work)
        pool = ThreadPoolExecutor(1)
        signal.signal(signal.SIGTERM, handler)
        pool.submit(work)
        """,
        {"deadlock"},
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
    "partials and functions that a function defines": (
        """
        class Server:
            def __init__(self):
                self.running = False
                self.seen = []
            def stop(self, name, number, frame):
                self.seen.append((name, number))
                self.running = False
            def serve(self):
                self.running = True
                before = signal.signal(signal.SIGTERM, functools.partial(self.stop, "term"))
                def nested(number, frame):
                    self.stop("nested", number, frame)
                    assert not callable(before)
                signal.signal(signal.SIGINT, nested)
                while self.running:
                    time.sleep(1)
                assert self.seen
        Server().serve()
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
    "a pause": (
        """
        stop = False
        def handler(number, frame):
            global stop
            stop = True
        signal.signal(signal.SIGTERM, handler)
        signal.pause()
        assert stop
        """,
        {"deadlock"},  # it may have come before
    ),
    "an exception within an operation": (
        """
        class Stop(Exception): pass
        def handler(number, frame):
            raise Stop
        free = threading.Semaphore()
        try:
            signal.signal(signal.SIGTERM, handler)
            free.release()
        except Stop:
            pass
        free.release()
        """,
        {"deadlock", "exception"},  # a lock within it is left behind; it comes only afterwards
    ),
    "an exception among what only the main thread has": (
        """
        mine = []
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            mine.append(1)
            mine.append(2)
        except KeyboardInterrupt:
            assert len(mine) != 1
        """,
        {"assertion"},
    ),
    "an exception where code is entered without a call": (
        """
        class Stop(Exception): pass
        class Box:
            @property
            def size(self):
                return 1
        box = Box()
        sizes = []
        def handler(number, frame):
            raise Stop
        try:
            signal.signal(signal.SIGTERM, handler)
            try:
                sizes.append(box.size)
            except Stop:
                assert sizes
        except Stop:
            pass
        """,
        {"assertion"},
    ),
    "an exception as the handler is taken back": (
        """
        class Stop(Exception): pass
        def handler(number, frame):
            raise Stop
        try:
            signal.signal(signal.SIGTERM, handler)
            print(1)
        except Stop:
            pass
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        """,
        {"exception"},  # it is Python code
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


REFUSED = {
    "the frame": (
        """
        signal.signal(signal.SIGTERM, lambda number, frame: print(frame.f_lineno))
        """,
        "frame that its signal has interrupted",
    ),
    "an event loop": (
        """
        import asyncio
        async def main():
            signal.signal(signal.SIGTERM, print)
        asyncio.run(main())
        """,
        "code that an event loop runs",
    ),
    "a signal sent to an event loop": (
        """
        import asyncio
        async def main():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
            os.kill(os.getpid(), signal.SIGTERM)
        asyncio.run(main())
        """,
        "an event loop handles SIGTERM",
    ),
    "a handler after that of an event loop": (
        """
        import asyncio
        async def main():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
        asyncio.run(main())
        signal.signal(signal.SIGTERM, print)
        """,
        "an event loop handles SIGTERM",
    ),
    "the default action": (
        """
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
        """,
        "SIGTERM is sent, for which no handler is installed",
    ),
    "another process": (
        """
        signal.signal(signal.SIGTERM, print)
        os.kill(1, signal.SIGTERM)
        """,
        "os.kill",
    ),
    "a handler in a process": (
        """
        import multiprocessing
        def child():
            signal.signal(signal.SIGTERM, print)
        multiprocessing.Process(target=child).start()
        """,
        "a process installs a handler",
    ),
    "a process that has the handler of its parent": (
        """
        import multiprocessing
        signal.signal(signal.SIGTERM, lambda *_: None)
        def nothing():
            pass
        child = multiprocessing.Process(target=nothing)
        child.start()
        child.terminate()
        """,
        "which has its parent's handler",
    ),
    "a mask": (
        """
        signal.signal(signal.SIGTERM, print)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        """,
        "pthread_sigmask has no modelled counterpart",
    ),
    "two timers": (
        """
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.alarm(1)
        signal.alarm(1)
        """,
        "a timer is set that may not have come yet",
    ),
    "an exception within a barrier": (
        """
        barrier = threading.Barrier(2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=barrier.wait).start()
        barrier.wait()
        """,
        "a handler raises an exception within barrier.wait",
    ),
}

LOOP = """
import asyncio
async def main():
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, print, "int")
    await stop.wait()
    assert loop.remove_signal_handler(signal.SIGINT)
    assert not loop.remove_signal_handler(signal.SIGUSR1)
asyncio.run(main())
"""

IMPORTS = """
import signal, threading
from interleave import Model, explore, param, thread
"""

TEST = """
@explore
def test_of_a_lock():
    lock = threading.Lock()
    def handler(number, frame):
        with lock:
            pass
    signal.signal(signal.SIGTERM, handler)
    with lock:
        pass
"""

MODEL = """
class Twice(Model):
    SIGNALS = param(2)
    calls = 0

    def handler(self, number, frame):
        with self.lock:
            self.calls += 1

    def setup(self):
        self.lock = threading.RLock()

    @thread
    def main(self):
        signal.signal(signal.SIGTERM, self.handler)
        with self.lock:
            pass
"""


def checked(tmp_path: Path, text: str, **options: Any) -> Result:
    """What is found of a script."""
    file = tmp_path / "script.py"
    imports = "import functools, os, queue, signal, sys, threading, time\n"
    file.write_text(imports + textwrap.dedent(text))
    return check(str(file), **options)


def printed(found: ModelResult) -> set[Ended]:
    """What is printed on the ways to each end."""
    ends = set()
    assert found.interleavings is not None
    for outcome in found.interleavings.outcomes:
        shown = str(dict(outcome.state)["print"])
        lines = ast.literal_eval(f"({shown},)") if shown != "nothing" else ()
        ends.add(Ended("\n".join(lines), outcome.how))
    return ends


def ends(text: str, **how: bool) -> set[Ended]:
    """The same in real Python, in the words of an outcome."""
    words = {"": "finished", "deadlock": "deadlock"}
    return {each._replace(how=words.get(each.how, "failed")) for each in ways(text, **how)}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(("text", "kinds"), FOUND.values(), ids=FOUND)
def test_handlers(tmp_path: Path, text: str, kinds: set[str], runtime: str) -> None:
    (found,) = checked(tmp_path, text, runtime=runtime).models
    assert {each.kind for each in found.violations} == kinds
    assert found.complete
    assert ("SIGNALS", 1) in found.bounds


@pytest.mark.parametrize(("text", "what"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InterleaveError, match=what):
        checked(tmp_path, text)


@pytest.mark.parametrize("seed", sample(4, range(100)))
def test_python_does_the_same(tmp_path: Path, seed: int) -> None:
    text = program(Random(seed))
    possible = ends(text, anywhere=True)
    found = {
        runtime: printed(checked(tmp_path, text, runtime=runtime).models[0]) for runtime in RUNTIMES
    }
    real = ends(text)
    if len({each.how for each in found["gil"]} & {"deadlock"}):  # for whichever reason
        real = {each for each in real if each.how != "deadlock"}
    assert real <= found["gil"] <= possible
    assert real <= found["free-threaded"]


def test_a_lost_update_of_a_handler(tmp_path: Path) -> None:
    text = """
    n = 0
    def handler(number, frame):
        global n
        n += 1
    signal.signal(signal.SIGTERM, handler)
    n += 1
    """
    kinds = {"free-threaded": ["lost-update"], "gil": []}  # CPython does not look in between
    for runtime, known in kinds.items():
        (found,) = checked(tmp_path, text, runtime=runtime).models
        assert [each.kind for each in found.violations] == known


@pytest.mark.parametrize("name", ["a lock that the main thread holds", "sys.exit in a handler"])
def test_engines_agree(tmp_path: Path, name: str) -> None:
    first, second = [
        checked(tmp_path, FOUND[name][0], engine=each, parameters={"SIGNALS": 2}).models[0]
        for each in ("reference", "native")
    ]
    assert first.bounds == second.bounds == (("SIGNALS", 2),)
    assert (first.states, first.transitions) == (second.states, second.transitions)
    assert first.interleavings == second.interleavings
    assert first.violations == second.violations


def model_of(tmp_path: Path, text: str) -> ModelResult:
    """What is found of one model."""
    file = tmp_path / "model.py"
    file.write_text(IMPORTS + text)
    (found,) = check(str(file)).models
    return found


def test_a_callback_of_an_event_loop(tmp_path: Path) -> None:
    (found,) = checked(tmp_path, LOOP).models
    assert found.passed
    assert found.bounds == (("SIGNALS", 1),)
    assert printed(found) == {Ended("", "finished"), Ended("int", "finished")}


def test_a_test(tmp_path: Path) -> None:
    # CPython does not look between the entry of a `with` and its body.
    assert model_of(tmp_path, TEST).passed


def test_a_model_has_a_bound(tmp_path: Path) -> None:
    found = model_of(tmp_path, MODEL)
    # One handler may interrupt the other, with a lock that is reentrant.
    assert [each.kind for each in found.violations] == ["lost-update"]
    assert found.interleavings is not None
    calls = {dict(each.state)["calls"] for each in found.interleavings.outcomes}
    assert calls == {0, 1, 2}
    assert found.bounds == (("SIGNALS", 2),)


@pytest.mark.parametrize("most", [0, 1])
def test_what_the_program_sends_is_besides(tmp_path: Path, most: int) -> None:
    text = """
        calls = []
        signal.signal(signal.SIGTERM, lambda *_: calls.append(1))
        signal.raise_signal(signal.SIGTERM)
    """
    (found,) = checked(tmp_path, text, parameters={"SIGNALS": most}).models
    assert found.interleavings is not None
    calls = [dict(each.state)["calls"] for each in found.interleavings.outcomes]
    assert sorted(calls) == [[1] * each for each in range(1, 2 + most)]
    assert signals(found) == (
        f"bounded by SIGNALS={most}: how often each signal comes, at most, besides those that the "
        "program sends"
    )


def test_a_model_says_who_is_the_main_thread(tmp_path: Path) -> None:
    with pytest.raises(InterleaveError, match="no thread of the model is the main one"):
        model_of(tmp_path, MODEL.replace("def main(self)", "def other(self)"))


def test_nothing_is_different_without_a_handler(tmp_path: Path) -> None:
    text = "import signal\nthreading.Thread(target=print, args=(signal.SIGTERM.name,)).start()"
    (found,) = checked(tmp_path, text).models
    assert found.passed
    assert found.bounds == ()
    assert printed(found) == {Ended("SIGTERM", "finished")}
