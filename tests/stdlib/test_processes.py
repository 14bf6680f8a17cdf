"""Processes that scripts and tests make as they run: what they share, and what each has for itself."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from interleave import InterleaveError, check
from interleave.result import ModelResult

HEAD = """
import multiprocessing, os, queue, sys, threading
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed, wait
from multiprocessing import Process, Queue, Value

def run(*processes):
    for each in processes:
        each.start()
    for each in processes:
        each.join()
"""

SCRIPTS: dict[str, tuple[str, set[str], set[str]]] = {
    "a global is copied": (
        """
        n, items = 0, []
        def work():
            global n
            n += 1
            items.append(n)
            print(n, items)
        def main():
            global n
            n = 5
            items.append(0)
            run(Process(target=work))
            print(n, items)
        main()
        """,
        set(),
        {"6 [0, 6]\n5 [0]"},
    ),
    "what a process logs, by a queue": (
        """
        import logging, logging.handlers
        log, logged = logging.getLogger("logs"), Queue()
        log.handlers[:] = [logging.handlers.QueueHandler(logged)]  # it is read twice
        def work():
            log.warning("%d", 1)
        def main():
            p = Process(target=work)
            p.start()
            record = logged.get()
            p.join()
            print(record.getMessage(), record.levelname, record.funcName)
        main()
        """,
        set(),
        {"1 WARNING work"},
    ),
    "a class that derives from Process": (
        """
        class Counts(Process):
            def __init__(self, v, n):
                super().__init__(name=f"counts {n}")
                self.v, self.items, self.found = v, [n], None
            def run(self):
                self.items.append(self.found)
                print(self.items, self.name, multiprocessing.current_process().name)
                self.v.value += sum(self.items)
                sys.exit(self.items[0])
        class Inherits(Process):
            pass
        def main():
            v = Value("i", 0)
            p = Counts(v, 3)
            p.found = 4
            p.start()
            p.found = 5
            p.join()
            run(Inherits(target=print, args=("inherits",)))
            print(v.value, p.items, p.found, p.exitcode, p.is_alive(), p.daemon)
            print(isinstance(p, Process), isinstance(p, threading.Thread), Counts(v, 1).is_alive())
        main()
        """,
        set(),
        {"[3, 4] counts 3 counts 3\ninherits\n7 [3] 5 3 False False\nTrue False False"},
    ),
    "an executor": (
        """
        seen = []
        def start(word):
            seen.append(word)
        def work(x, y=1):
            seen.append(x)
            return f"{x * y} {seen}"
        def main():
            with ProcessPoolExecutor(1, initializer=start, initargs=("begun",)) as ex:
                seen.append("before")
                future = ex.submit(work, 2, y=3)
                seen.append("after")
                print(future.result(), list(ex.map(work, [4, 5], [6, 7])), future.done())
            print(seen, isinstance(ex, ProcessPoolExecutor), isinstance(ex, Executor))
            try:
                ex.submit(work, 1)
            except RuntimeError as error:
                print(error)
        main()
        """,
        set(),
        {
            "6 ['before', 'begun', 2] [\"24 ['before', 'begun', 2, 4]\", "
            "\"35 ['before', 'begun', 2, 4, 5]\"] True\n['before', 'after'] True True\n"
            "cannot schedule new futures after shutdown"
        },
    ),
    "workers of an executor": (
        """
        v = Value("i", 0)
        def work():
            v.value += 1
        def main():
            with ProcessPoolExecutor(2) as ex:
                for _ in range(2):
                    ex.submit(work)
            print(v.value)
        main()
        """,
        {"lost-update"},
        {"2", "1"},
    ),
    "what tasks of an executor raise, and callbacks": (
        """
        def work(x):
            return 6 // x
        def exits():
            sys.exit(3)
        def main():
            called = []
            ex = ProcessPoolExecutor(1)
            futures = [ex.submit(work, 2), ex.submit(work, 0), ex.submit(exits)]
            futures[0].add_done_callback(lambda each: called.append(each.result()))
            done, left = wait(futures)
            print(len(done), len(left), [type(each.exception()).__name__ for each in futures])
            got = []
            try:
                for each in ex.map(work, [3, 1, 0, 2], chunksize=2):
                    got.append(each)
            except ZeroDivisionError as error:
                print(got, error)
            print([each.result() for each in as_completed([futures[0]])])
            ex.shutdown()
            print(called)
        main()
        """,
        set(),
        {
            "3 0 ['NoneType', 'ZeroDivisionError', 'SystemExit']\n"
            "[2, 6] integer division or modulo by zero\n[3]\n[3]"
        },
    ),
    "an executor that nobody shuts down": (
        """
        def work(x):
            print("worked", flush=True)
            return x
        def main():
            ProcessPoolExecutor(1).submit(work, 1)
        main()
        """,
        set(),
        {"worked"},
    ),
    "a task that is cancelled": (
        """
        done = Value("i", 0)
        def work():
            with done.get_lock():
                done.value += 1
        def main():
            with ProcessPoolExecutor(1) as ex:
                futures = [ex.submit(work) for _ in range(2)]
                cancelled = futures[1].cancel()
            print(cancelled, done.value, futures[1].cancelled())
        main()
        """,
        set(),
        {"True 1 True", "False 2 False"},
    ),
    "a lock that the parent holds when an executor begins: a deadlock": (
        """
        lock = threading.Lock()
        def work():
            with lock:
                print("worked")
        def main():
            with ProcessPoolExecutor(1) as ex:
                with lock:
                    future = ex.submit(work)
                future.result()
        main()
        """,
        {"deadlock"},
        {""},
    ),
    "what classes that derive from Process raise": (
        """
        class Forgets(Process):
            def __init__(self): pass
        class Named(Process):
            def run(self): pass
        def main():
            p = Named()
            p.start()
            for does in (
                p.start, Forgets().start, Forgets().join, lambda: Forgets().name, Named().join,
                Named().terminate,
            ):
                try:
                    does()
                except (AssertionError, AttributeError) as error:
                    print(error)
            print(p.name, repr(p).startswith("<Named name='Named-1'"))
            p.join()
        main()
        """,
        set(),
        {
            "cannot start a process twice\n'Forgets' object has no attribute '_closed'\n"
            "'Forgets' object has no attribute '_closed'\n"
            "'Forgets' object has no attribute '_name'\ncan only join a started process\n"
            "'NoneType' object has no attribute 'terminate'\nNamed-1 True"
        },
    ),
    "a value without its lock": (
        """
        def work(v):
            v.value += 1
        def main():
            v = Value("i", 0)
            run(*[Process(target=work, args=(v,)) for _ in range(2)])
            print(v.value)
        main()
        """,
        {"lost-update"},
        {"2", "1"},
    ),
    "a value under its lock": (
        """
        def work(v):
            with v.get_lock():
                v.value += 1
        def main():
            v = Value("i", 3)
            run(*[Process(target=work, args=(v,)) for _ in range(2)])
            print(v.value)
        main()
        """,
        set(),
        {"5"},
    ),
    "elements of an array": (
        """
        def work(a, i):
            a[i] += 1
        def main():
            a = multiprocessing.Array("i", [5, 6], lock=False)
            run(*[Process(target=work, args=(a, i)) for i in range(2)])
            print(a[:])
        main()
        """,
        set(),
        {"[6, 7]"},
    ),
    "one element of an array": (
        """
        def work(a):
            a[1] += 1
        def main():
            a = multiprocessing.Array("i", 2)
            run(*[Process(target=work, args=(a,)) for i in range(2)])
            print(a[:])
        main()
        """,
        {"lost-update"},
        {"[0, 2]", "[0, 1]"},
    ),
    "arguments are copied at the start": (
        """
        def work(items, box, seen):
            items.append(2)
            print(items, box["items"] is items, seen)
        def main():
            items, seen = [1], []
            p = Process(target=work, args=(items, {"items": items}, seen))
            seen.append("late")
            run(p)
            print(items)
        main()
        """,
        set(),
        {"[1, 2] True ['late']\n[1]"},
    ),
    "what setup and main have made": (
        """
        class Node:
            def __init__(self, other):
                self.other = other
        first = Node(None)
        known = {}
        def work():
            print(known["a"].other.other is known["a"], known["a"].other.other is first)
            known["a"].other.other = None
        def main():
            first.other = Node(first)
            known["a"] = first
            run(Process(target=work))
            print(first.other.other is first)
        main()
        """,
        set(),
        {"True True\nTrue"},
    ),
    "a function of main": (
        """
        def main():
            total, lock = 0, threading.Lock()
            def work():
                nonlocal total
                with lock:
                    total += 1
                print(total)
            run(Process(target=work))
            print(total)
        main()
        """,
        set(),
        {"1\n0"},
    ),
    "a lock that another thread holds": (
        """
        lock = threading.Lock()
        def hold():
            with lock:
                pass
        def work():
            with lock:
                print("child")
        thread = threading.Thread(target=hold)
        thread.start()
        run(Process(target=work))
        thread.join()
        """,
        {"deadlock"},
        {"child", ""},
    ),
    "a lock that the thread itself holds": (
        """
        lock, plain = threading.RLock(), threading.Lock()
        def work():
            with lock:
                plain.release()
                print("child")
        with lock, plain:
            run(Process(target=work))
        """,
        set(),
        {"child"},
    ),
    "a queue, joined too early": (
        """
        def work(q):
            q.put("x")
            q.put("y")
        def main():
            q = Queue()
            p = Process(target=work, args=(q,))
            p.start()
            print(q.get(), q.get())
            p.join()
        main()
        """,
        set(),
        {"x y"},
    ),
    "poison": (
        """
        def work(tasks, results):
            while (task := tasks.get()) is not None:
                results.put(task * task)
        def main():
            tasks, results = Queue(), Queue()
            p = Process(target=work, args=(tasks, results), daemon=True)
            p.start()
            tasks.put(2)
            tasks.put(None)
            print(results.get())
        main()
        """,
        set(),
        {"4"},
    ),
    "a pipe that everybody has closed": (
        """
        def work(end):
            end.send("x")
            end.close()
        def main():
            mine, its = multiprocessing.Pipe()
            p = Process(target=work, args=(its,))
            p.start()
            its.close()
            print(mine.recv())
            try:
                mine.recv()
            except EOFError:
                print("closed")
            p.join()
        main()
        """,
        set(),
        {"x\nclosed"},
    ),
    "a pipe that main keeps open": (
        """
        def work(end):
            end.send("x")
        def main():
            mine, its = multiprocessing.Pipe(duplex=False)
            run(Process(target=work, args=(its,)))
            print(mine.recv())
            mine.recv()
        main()
        """,
        {"deadlock"},
        {"x"},
    ),
    "how it has ended": (
        """
        def work(code):
            sys.exit(code)
        def main():
            ps = [Process(target=work, args=(each,)) for each in (0, 3, None, "text")]
            print([p.exitcode for p in ps], [p.is_alive() for p in ps])
            for p in ps:
                p.start()
                p.join()
            print([p.exitcode for p in ps], [p.is_alive() for p in ps])
        main()
        """,
        set(),
        {f"{[None] * 4} {[False] * 4}\n[0, 3, 0, 1] {[False] * 4}"},
    ),
    "what is not asked so": (
        """
        def work(other):
            for ask in (other.join, other.start):
                try:
                    ask()
                except AssertionError as error:
                    print(error)
        def main():
            p = Process(target=print)
            try:
                p.join()
            except AssertionError as error:
                print(error)
            run(Process(target=work, args=(p,)))
            run(p)
            try:
                p.start()
            except AssertionError as error:
                print(error)
        main()
        """,
        set(),
        {
            "can only join a started process\ncan only join a child process\ncan only start a"
            " process object created by current process\n\ncannot start a process twice"
        },
    ),
    "a process of a process": (
        """
        n = 0
        def inner():
            print(n)
        def outer():
            global n
            n += 1
            p = Process(target=inner)
            p.start()
            n += 1
            p.join()
        def main():
            global n
            n = 10
            run(Process(target=outer))
            print(n)
        main()
        """,
        set(),
        {"11\n10"},
    ),
    "a daemon has no children": (
        """
        def work():
            try:
                Process(target=print).start()
            except AssertionError as error:
                print(error)
        run(Process(target=work, daemon=True))
        """,
        set(),
        {"daemonic processes are not allowed to have children"},
    ),
    "threads of a process": (
        """
        n = 0
        def add():
            global n
            n += 1
        def work():
            threads = [threading.Thread(target=add) for _ in range(2)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            print(n)
        run(Process(target=work))
        print(n)
        """,
        {"lost-update"},
        {"2\n0", "1\n0"},
    ),
    "a method of what main has made": (
        """
        class Account:
            def __init__(self):
                self.balance = 0
            def add(self):
                self.balance += 1
                print("in it", self.balance)
        if __name__ == "__main__":
            account = Account()
            run(Process(target=account.add))
            print(account.balance)
        """,
        set(),
        {"in it 1\n0"},
    ),
    "what is given to a queue": (
        """
        def main():
            q = multiprocessing.JoinableQueue()
            run(Process(target=q.put, args=([1],)))
            print(q.get(), multiprocessing.current_process().name)
            q.task_done()
            q.join()
        main()
        """,
        set(),
        {"[1] MainProcess"},
    ),
    "an event and a semaphore": (
        """
        def work(event, room):
            with room:
                event.wait()
                print("go")
        def main():
            event, room = multiprocessing.Event(), multiprocessing.Semaphore(0)
            p = Process(target=work, args=(event, room))
            p.start()
            room.release()
            event.set()
            p.join()
        main()
        """,
        set(),
        {"go"},
    ),
    "a condition": (
        """
        def work(ready, n):
            with ready:
                n.value = 1
                ready.notify()
        def main():
            ready, n = multiprocessing.Condition(), multiprocessing.RawValue("i")
            p = Process(target=work, args=(ready, n))
            with ready:
                p.start()
                ready.wait_for(lambda: n.value)
            p.join()
            print(n.value)
        main()
        """,
        set(),
        {"1"},
    ),
    "killed with a lock": (
        """
        def work(lock, v):
            with lock:
                v.value += 1
        def main():
            lock, v = multiprocessing.Lock(), Value("i", 0)
            p = Process(target=work, args=(lock, v))
            p.start()
            p.terminate()
            p.join()
            print(p.exitcode, v.value)
            with lock:
                print("got it")
        main()
        """,
        {"deadlock"},
        {"0 1\ngot it", "-15 0\ngot it", "-15 0", "-15 1"},
    ),
    "killed with messages that were not moved": (
        """
        def work(q, done):
            q.put("x")
            done.set()
            done.wait()
            q.put("y")
        def main():
            q, done = Queue(), multiprocessing.Event()
            p = Process(target=work, args=(q, done))
            p.start()
            done.wait()
            p.kill()
            p.join()
            found = []
            try:
                while True:
                    found.append(q.get_nowait())
            except queue.Empty:
                print(found)
        main()
        """,
        set(),
        {"[]", "['x']", "['x', 'y']"},
    ),
    "a pool that is left at work": (
        """
        v = multiprocessing.RawValue("i", 0)
        def work(n):
            v.value += n
        if __name__ == "__main__":
            with multiprocessing.Pool(1) as pool:
                pool.apply_async(work, (1,))
            print(v.value)
        """,
        set(),
        {"0", "1"},
    ),
    "a pool": (
        """
        seen = []
        def square(x):
            seen.append(x)
            return x * x
        if __name__ == "__main__":
            with multiprocessing.Pool(2) as pool:
                print(pool.map(square, [1, 2, 3]), list(pool.imap(square, [4])), seen)
        """,
        set(),
        {"[1, 4, 9] [16] []"},
    ),
    "what workers have": (
        """
        base, late = 0, "before"
        def begin(n):
            global base
            base = n
        def add(a, b=0):
            return base + a + b, late
        def main():
            global late
            pool = multiprocessing.Pool(processes=2, initializer=begin, initargs=(10,))
            late = "after"
            result = pool.apply_async(add, (1,), {"b": 2})
            print(result.get(), pool.starmap(add, [(1, 2), (3, 4)]), base)
            pool.close()
            pool.join()
        main()
        """,
        set(),
        {"(13, 'before') [(13, 'before'), (17, 'before')] 0"},
    ),
    "what a pool raises": (
        """
        def half(x):
            return 1 / x
        def main():
            pool = multiprocessing.Pool(1)
            result = pool.map_async(half, [1, 0])
            result.wait()
            print(result.ready(), result.successful())
            for ask in (result.get, pool.join):
                try:
                    ask()
                except (ZeroDivisionError, ValueError) as error:
                    print(error)
            pool.close()
            try:
                pool.apply(half, (1,))
            except ValueError as error:
                print(error)
        main()
        """,
        set(),
        {"True False\ndivision by zero\nPool is still running\nPool not running"},
    ),
    "workers that share a value": (
        """
        total = Value("i", 0)
        def add(n):
            total.value += n
        if __name__ == "__main__":
            with multiprocessing.Pool(2) as pool:
                pool.map(add, [1, 1])
            print(total.value)
        """,
        {"lost-update"},
        {"1", "2"},
    ),
}
"""Each with what is found in it, and all that it may print."""


MODEL = """
import multiprocessing
from interleave import Model, postcondition, process

class M(Model):
    n = 0
    v = multiprocessing.Value("i", 0)

    @process(2)
    def outer(self, i):
        self.n += i + 1
        p = multiprocessing.Process(target=self.inner, args=(i,))
        p.start()
        self.n += 10
        p.join()
        assert self.n == i + 11

    def inner(self, i):
        assert self.n == i + 1
        self.n += 100
        with self.v.get_lock():
            self.v.value += self.n

    @postcondition
    def both_are_in_it(self):
        return self.v.value == 203
"""


def checked(tmp_path: Path, text: str) -> ModelResult:
    file = tmp_path / "script.py"
    file.write_text(HEAD + textwrap.dedent(text))
    found = [check(file, engine=engine).models[0] for engine in ("reference", "native")]
    assert found[0] == found[1]
    return found[0]


def printed(result: ModelResult) -> set[str]:
    """What is printed in each outcome."""
    assert result.interleavings is not None
    found = [str(dict(each.state)["print"]) for each in result.interleavings.outcomes]
    lines = [ast.literal_eval(f"({each},)") if each != "nothing" else () for each in found]
    return {"\n".join(each) for each in lines}


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_found(tmp_path: Path, name: str) -> None:
    text, kinds, outcomes = SCRIPTS[name]
    result = checked(tmp_path, text)
    assert {each.kind for each in result.violations} == kinds
    assert printed(result) == outcomes


@pytest.mark.parametrize("name", [each for each in SCRIPTS if "deadlock" not in SCRIPTS[each][1]])
def test_what_is_printed_by_python(tmp_path: Path, name: str) -> None:
    text, _, outcomes = SCRIPTS[name]
    file = tmp_path / "script.py"
    file.write_text(f"{HEAD}multiprocessing.set_start_method('fork')\n{textwrap.dedent(text)}")
    python = [sys.executable, "-u", str(file)]
    done = subprocess.run(python, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.strip() in outcomes, done.stderr


def test_a_lock_at_the_fork_is_nobody_s(tmp_path: Path) -> None:
    text, _, _ = SCRIPTS["a lock that another thread holds"]
    (violation,) = checked(tmp_path, text).violations
    (wait,) = (each for each in violation.waits if each.thread == "work-1")
    assert wait.holders == ()
    assert "it was locked when work-1 was forked" in wait.note


def test_processes_of_a_model_start_others(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(MODEL)
    found = [check(file, engine=each).models[0] for each in ("reference", "native")]
    assert found[0] == found[1]
    assert (found[0].violations, found[0].states) == ((), 880)


REFUSED = {
    "its number": ("p.start()\nprint(p.pid)", "the number of a process is asked for"),
    "a daemon that it leaves": (
        "def work():\n    threading.Thread(target=print, daemon=True).start()\n"
        "Process(target=work).start()",
        r"(?s)def work.*ends while a daemon|ends while a daemon.*def work",
    ),
    "workers without a number": ("multiprocessing.Pool()", "as many workers as there are"),
    "what cannot be pickled": (
        "def main():\n    def f(x): return x\n    multiprocessing.Pool(1).map(f, [1])\nmain()",
        "cannot be sent to another process",
    ),
    "a lambda": ("f = lambda x: x\nmultiprocessing.Pool(1).map(f, [1])", "is given a lambda"),
    "a result that cannot be pickled": (
        "def f(x): return lambda: x\nmultiprocessing.Pool(1).map(f, [1])",
        "cannot be sent to another process",
    ),
    "what a task was given is changed": (
        "def main():\n    items = [1]\n    p = ProcessPoolExecutor(1)\n    p.submit(sum, items)\n"
        "    items.append(1)\nmain()",
        "changes, or shares, what a ProcessPoolExecutor was given for a call",
    ),
    "what a task of a pool was given is changed": (
        "def main():\n    items = [1]\n    p = multiprocessing.Pool(1)\n"
        "    p.map_async(sum, [items])\n    items.append(1)\nmain()",
        "changes, or shares, what a Pool was given for a call",
    ),
    "whether a task runs": (
        "ProcessPoolExecutor(1).submit(sum, [1]).running()",
        "is asked whether a task",
    ),
    "all tasks are cancelled": (
        "ProcessPoolExecutor(1).shutdown(cancel_futures=True)",
        "shut down with cancel_futures",
    ),
    "an executor without a number": ("ProcessPoolExecutor()", "as many workers as there are"),
    "a lambda in an executor": (
        "f = lambda x: x\nProcessPoolExecutor(1).submit(f, 1)",
        "is given a lambda",
    ),
    "an executor of the parent": (
        "ex = ProcessPoolExecutor(1)\ndef work():\n    ex.submit(sum, [1])\n"
        "Process(target=work).start()",
        "a process uses a ProcessPoolExecutor of another one",
    ),
    "a callback": (
        "multiprocessing.Pool(1).map_async(sorted, [[1]], callback=print)",
        "given a callback",
    ),
    "a thread of the parent": (
        "t = threading.Thread(target=print)\nt.start()\nProcess(target=t.join).start()",
        "a process asks a thread of another one",
    ),
}


def test_a_process_of_setup_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        "import multiprocessing\nfrom interleave import *\nclass P(multiprocessing.Process): pass\n"
        "class M(Model):\n    def setup(self):\n        self.p = P()\n"
        "    @thread\n    def t(self):\n        self.p.start()\n"
    )
    with pytest.raises(InterleaveError, match="p is a P, a process that was made before"):
        check(file)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(tmp_path: Path, name: str) -> None:
    body, message = REFUSED[name]
    with pytest.raises(InterleaveError, match=message):
        checked(tmp_path, f"p = Process(target=print)\n{body}")
