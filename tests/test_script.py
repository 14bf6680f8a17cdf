"""Scripts that know nothing of interleave: what of them is run, and what is found in the rest."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from interleave import InterleaveError, check
from interleave.checking import Result
from interleave.cli import main

OWN = """
import threading
calls = 0
class Counter:
    def __init__(self):
        self.n = 0
    def bump(self):
        self.n += 1
def in_parallel(function):
    global calls
    calls += 1
    threads = [threading.Thread(target=function) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    print("all done")
"""

THREADS = """
import threading, time
counter = 0
lock = threading.Lock()
def increment():
    global counter
    for _ in range(10000):
        with lock:
            temp = counter
            time.sleep(0.0000001)
            counter = temp + 1
threads = [threading.Thread(target=increment) for _ in range(10)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(f"Safe counter: {counter}")
"""

TASKS = """
import asyncio
counter = 0
lock = asyncio.Lock()
async def increment():
    global counter
    for _ in range(10000):
        async with lock:
            temp = counter
            await asyncio.sleep(0.00001)
            counter = temp + 1
async def main():
    tasks = [increment() for _ in range(5)]
    await asyncio.gather(*tasks)
asyncio.run(main())
print(counter)
"""

SMALL = {"10": 2, "10000": 1}

# Text, parameters, kinds, what is printed in some outcome.
FOUND = {
    "threads": (THREADS, SMALL, set(), {"Safe counter: 2"}),
    "threads without a lock": (
        THREADS.replace("with lock", "if True"), SMALL, {"lost-update"},
        {"Safe counter: 1", "Safe counter: 2"},
    ),
    "tasks": (TASKS, {"5": 2, "10000": 1}, set(), {"2"}),
    "tasks without a lock": (
        TASKS.replace("async with lock", "if True"), {"5": 2, "10000": 1}, {"lost-update"},
        {"1", "2"},
    ),
    "main under a guard": (
        """
        import threading
        N: int = 3
        def main():
            seen = []
            def work(i):
                seen.append(i)
            threads = [threading.Thread(target=work, args=(i,)) for i in range(N)]
            for each in threads: each.start()
            for each in threads: each.join()
            print("begin", end=" ")
            print(sorted(seen), __name__, sep="; ")
        if __name__ == "__main__":
            main()
        """,
        {"N": 2}, set(), {"begin [0, 1]; __main__"},
    ),
    "what is printed before": (
        """
        import threading
        print("first")
        def work():
            print("inside")
        thread = threading.Thread(target=work)
        thread.start()
        print("outside")
        thread.join()
        """,
        {}, set(), {"first\ninside\noutside", "first\noutside\ninside"},
    ),
    "a pool": (
        """
        from concurrent.futures import ThreadPoolExecutor
        def square(x):
            return x * x
        with ThreadPoolExecutor(max_workers=2) as pool:
            print(list(pool.map(square, [1, 2])))
        """,
        {}, set(), {"[1, 4]"},
    ),
    "a queue": (
        """
        import queue, threading
        items, total = queue.Queue(), 0
        def work():
            global total
            while (item := items.get()) is not None:
                total += item
        worker = threading.Thread(target=work)
        worker.start()
        for item in [1, 2, None]:
            items.put(item)
        worker.join()
        print(total)
        """,
        {}, set(), {"3"},
    ),
    "an assertion": (
        """
        import threading
        seen = []
        thread = threading.Thread(target=seen.append, args=(1,))
        thread.start()
        assert seen
        """,
        {}, {"assertion"}, {""},
    ),
    "a function that is not there yet": (
        """
        import threading
        def work():
            late()
        thread = threading.Thread(target=work)
        thread.start()
        def late():
            print("late")
        thread.join()
        """,
        {}, {"exception"}, {"late"},
    ),
    "threads that another file starts": (
        """
        import own
        from own import Counter, in_parallel
        counter = Counter()
        in_parallel(counter.bump)
        print(own.calls)
        """,
        {}, {"lost-update"}, {"all done\n1"},
    ),
    "a loop in a function": (
        """
        import sys
        from asyncio import create_task, run as go, sleep
        async def work():
            print("work")
        async def amain():
            task = create_task(work())
            await sleep(0)
            await task
            return "result"
        def main():
            print(go(amain()))
            return 0
        if __name__ == "__main__":
            sys.exit(main())
        """,
        {}, set(), {"work\nresult"},
    ),
    "tasks that are left behind": (
        """
        import asyncio
        async def work():
            print("work")
        async def main():
            task = asyncio.create_task(work())
            other = asyncio.create_task(asyncio.sleep(100))
            print("main")
        asyncio.run(main())
        print("after")
        """,
        {}, set(), {"main\nafter", "main\nwork\nafter"},
    ),
    "the clock": (
        """
        import threading, time
        before = time.time()
        def work():
            while time.time() - before < 1:
                pass
            print("late")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """,
        {}, set(), {"late"},
    ),
    "decorators that name the clock, or what sleeps": (
        """
        import functools, threading, time
        from dataclasses import dataclass
        def timed(function):
            @functools.wraps(function)
            def wrapper(*args):
                begun = time.time()
                return function(*args)
            return wrapper
        def retried(times):
            def outer(function):
                def again(*args):
                    for _ in range(times):
                        time.sleep(1)
                        return function(*args)
                return again
            return outer
        @dataclass
        class Job:
            name: str
            def run(self):
                threading.Thread(target=work).start()
        n = 0
        @timed
        @retried(2)
        def work():
            global n
            n += 1
        threads = [threading.Thread(target=work) for _ in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        print(n)
        """,
        {}, {"lost-update"}, {"1", "2"},
    ),
    "an object that keeps its thread": (
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        class Worker:
            def __init__(self):
                self.n = 0
            def start(self):
                self.thread = threading.Thread(target=self.run)
                self.thread.start()
                self.other = threading.Timer(1, lambda: self.run())
                self.other.start()
            def run(self):
                self.n += 1
            def stop(self):
                self.thread.join()
                self.other.join()
        worker = Worker()
        worker.start()
        worker.stop()
        print(worker.n)
        """,
        {}, {"lost-update"}, {"1", "2"},
    ),
    "a task that is kept": (
        """
        import asyncio
        class Worker:
            def __init__(self):
                self.n = 0
            async def start(self):
                self.task = asyncio.create_task(self.run())
            async def run(self):
                await asyncio.sleep(0)
                self.n += 1
        async def main():
            worker = Worker()
            await worker.start()
            await worker.task
            print(worker.n)
        asyncio.run(main())
        """,
        {}, set(), {"1"},
    ),
    "a global that is changed by what a call gives": (
        """
        import threading
        total = 0
        def work(i):
            return i
        thread = threading.Thread(target=work, args=(1,))
        thread.start()
        for i in range(3):
            total += work(i)
        thread.join()
        print(total)
        """,
        {}, set(), {"3"},
    ),
    "a name in an inner scope": (
        """
        import threading
        values, x = [], 5
        def work():
            values.append(x)
        thread = threading.Thread(target=work)
        thread.start()
        x = [x for x in (7, 8)][0]
        print(x)
        thread.join()
        """,
        {}, set(), {"7"},
    ),
    "variables with types": (
        """
        import threading
        def work():
            values.append(limit)
        thread = threading.Thread(target=work)
        if thread:
            limit: int = 3
            values: list[int]
        values: "list[int]" = []
        thread.start()
        thread.join()
        print(*values)
        """,
        {}, set(), {"3"},
    ),
}  # fmt: skip


@pytest.fixture
def script(tmp_path: Path):
    """Writes a script, beside a module of its own."""

    def write(text: str) -> Path:
        (tmp_path / "own.py").write_text(OWN)
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(text))
        return file

    return write


def printed(result: Result) -> set[str]:
    """What is printed in each outcome."""
    (model,) = result.models
    assert model.interleavings is not None
    found = [dict(outcome.state)["print"] for outcome in model.interleavings.outcomes]
    lines = [re.findall(r"'([^']*)'", str(each)) for each in found]
    return {"\n".join(each) for each in lines}


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("case", FOUND)
def test_what_is_found(script, case: str, engine: str) -> None:
    text, parameters, kinds, wanted = FOUND[case]
    result = check(script(text), engine=engine, parameters=parameters)
    assert {each.kind for each in result.models[0].violations} == kinds
    outputs = printed(result)
    assert wanted <= outputs
    assert kinds or wanted == outputs
    assert result.models[0].model == "program"


@pytest.mark.parametrize("case", ["main under a guard", "a pool", "a queue", "a loop in a function",
                                  "tasks that are left behind", "a name in an inner scope"])  # fmt: skip
def test_what_python_prints_is_an_outcome(script, case: str) -> None:
    text, parameters, _, _ = FOUND[case]
    file = script(text.replace("N: int = 3", "N: int = 2") if parameters else text)
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in printed(check(file))


KEPT = """
import contextvars, threading
class Own(threading.local):
    def __init__(self, begins):
        self.kept = begins
class Bare(threading.local):
    kept = 1
plain, own, bare = threading.local(), Own(1), Bare()
variable = contextvars.ContextVar("variable", default=1)
plain.kept = own.kept = bare.kept = many = [2]
variable.set(many)
def look():
    print(hasattr(plain, "kept"), own.kept, bare.kept, variable.get())
thread = threading.Thread(target=look)
thread.start()
thread.join()
assert plain.kept is own.kept is bare.kept is variable.get() is many
look()
"""


def test_what_the_body_keeps_for_itself_before_the_threads(script) -> None:
    """What it has put into a `local` or a context variable is there afterwards, for no other."""
    result = check(script(KEPT))
    assert result.exit_code == 0
    real = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=True)
    assert printed(result) == {real.stdout.strip()}


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
def test_the_report_begins_with_what_was_replaced(script, monkeypatch, runtime: str) -> None:
    file = script(THREADS)
    monkeypatch.chdir(file.parent)
    arguments = ["check", file.name, "-p", "10=2", "-p", "10000=1", "--runtime", runtime]
    lines = CliRunner().invoke(main, arguments).output.splitlines()
    assert lines[:2] == ["program: verified", f"program.py, runtime {runtime}, 12:10=2, 7:10000=1"]
    assert re.fullmatch(r"  prints 'Safe counter: 2' in all of \d+", lines[-1])
    (model,) = check(file, parameters=SMALL).models
    assert model.bounds[:2] == (("12:10", 2), ("7:10000", 1))


def test_a_schedule_is_replayed(script) -> None:
    text, parameters, *_ = FOUND["threads without a lock"]
    file = script(text)
    (model,) = check(file, parameters=parameters).models
    (lost,) = model.violations
    assert lost.schedule.replay(file).steps == lost.trace.steps


def test_variables_are_shared_where_something_may_look_at_all(script) -> None:
    text = """
    import threading
    def work():
        print(globals()["late"])
    late = 1
    thread = threading.Thread(target=work)
    thread.start()
    late = 2
    """
    assert printed(check(script(text))) == {"1", "2"}


def test_the_text_of_a_value_is_code_between_which_threads_switch(script) -> None:
    text = """
    import threading
    class Pair:
        one = other = 0
        def __str__(self):
            return str(self.other)
    pair = Pair()
    def work():
        pair.one = 1
        pair.other = 1
    thread = threading.Thread(target=work)
    thread.start()
    print(pair.one, pair)
    """
    assert printed(check(script(text), runtime="gil")) == {"0 0", "0 1", "1 1"}


def test_steps_tell_what_is_printed(script) -> None:
    text, *_ = FOUND["an assertion"]
    file = script(text.replace("assert seen", "print(len(seen)); assert seen"))
    output = CliRunner().invoke(main, ["check", str(file)]).output
    assert "prints '0'" in output
    assert "At the start: seen = []" in output
    assert "At the start: prints" not in output


NUMBERS = """
import threading
N = 3
NAME = "a"
M = N + 1
K = 4
K = 5
def work():
    return (7, 7, -1)
print(7)
threading.Thread(target=work).start()
"""

MISTAKES = {
    "a literal in several places": ({"7": 1}, "stands in lines 9 and 10", "-p 9:7=1"),
    "a literal that is not there": ({"8": 1}, "no literal 8", "are -1, 1, 3, 4, 5, 7"),
    "a line without it": ({"3:7": 1}, "no literal 7 in line 3", "lines 9 and 10"),
    "no number": ({"3": "x"}, "cannot be 'x'", "whole number"),
    "no constant": ({"L": 1}, "no constant 'L'", "N, NAME, K, K"),
    "a constant that is set twice": ({"K": 1}, "set in lines 6 and 7", "assigned once"),
    "no literal": ({"M": 1}, "M is not assigned a literal", "name one"),
    "another type": ({"N": "x"}, "N cannot be 'x'", "like the one in the file, 3"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_cannot_be_replaced(script, case: str) -> None:
    given, what, remedy = MISTAKES[case]
    with pytest.raises(InterleaveError) as error:
        check(script(NUMBERS), parameters=given)
    assert what in error.value.what
    assert remedy in error.value.remedy


def test_what_is_replaced(script) -> None:
    file = script(NUMBERS)
    (model,) = check(file, parameters={"N": 2, "NAME": "b", "9:7": 1, "-1": -2}).models
    assert model.parameters == {"N": 2, "NAME": "b", "9:7": 1, "9:-1": -2}


REFUSED = {
    "no threads": ("print('x')\nopen('touched', 'w')", "there is no model"),
    "no threads after all": (
        "from own import Counter\nc = Counter()\nc.bump()", "there is no model",
    ),
    "a manager": ("import multiprocessing as m\nprint(m.Manager())", "multiprocessing.Manager"),
    "chance": (
        "import random, threading\nx = random.random()\n"
        "threading.Thread(target=print).start()", "random",
    ),
    "what raises": (
        "import threading\nx = [][0]\nthreading.Thread(target=print).start()",
        "the file raises IndexError",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(script, case: str, monkeypatch) -> None:
    text, words = REFUSED[case]
    file = script(text)
    monkeypatch.chdir(file.parent)
    with pytest.raises(InterleaveError) as error:
        check(file)
    assert words in str(error.value)
    assert error.value.remedy
    assert not Path("touched").exists()


SHARES = """
import threading
from concurrent.futures import ThreadPoolExecutor
class Own:
    def __init__(self):
        self.n = 3
        self.items = [3]
    def work(self, n):
        seen.append(n)
        return n
    def go(self):
        return STATEMENT
seen = []
pool = ThreadPoolExecutor(1)
done = Own().go()
pool.shutdown()
print(done, seen)
"""
"""Something that a method shares, after it has looked at it, in one statement."""

SHARED = {
    "pool.submit(self.work, self.n).result()": {"3 [3]"},
    "list(pool.map(self.work, self.items))": {"[3] [3]"},
    "threading.Thread(target=self.work, args=(self.n,)).start()": {"None []", "None [3]"},
    "threading.Timer(0, self.work, (self.n,)).start()": {"None []", "None [3]"},
}


@pytest.mark.parametrize("statement", SHARED)
def test_what_a_statement_shares_after_it_has_looked_at_it(script, statement: str) -> None:
    result = check(script(SHARES.replace("STATEMENT", statement)))
    assert result.models[0].violations == ()
    assert printed(result) == SHARED[statement]


def test_to_go_on_with_what_a_statement_has_shared_is_refused(script) -> None:
    file = script(SHARES.replace("STATEMENT", "[self.n, seen.append(self), len(seen), len(seen)]"))
    with pytest.raises(InterleaveError, match="looks at an object, shares it, and goes on"):
        check(file)


def test_in_a_folder_only_models_are_looked_for(script) -> None:
    file = script("import threading\nopen('touched', 'w')\nthreading.Thread(target=print).start()")
    file.write_text(file.read_text().replace("open('touched', 'w')", "pass"))
    with pytest.raises(InterleaveError, match="there is no model in what was named"):
        check(file.parent)


def test_how_the_clock_goes_is_said_on_the_command_line(script) -> None:
    file = script("""
        import threading, time
        seen = []
        def look():
            seen.append(int(time.time()))
        threads = [threading.Thread(target=look) for _ in range(2)]
        for each in threads: each.start()
        for each in threads: each.join()
        print(abs(seen[0] - seen[1]))
    """)
    assert printed(check(file, parameters={"CLOCK": 0})) == {"0", "1000000000"}
    assert printed(check(file, parameters={"CLOCK": 1, "CLOCK_STEP": 3})) >= {"0", "3"}
    with pytest.raises(InterleaveError, match="CLOCK is 'x'"):
        check(file, parameters={"CLOCK": "x"})
