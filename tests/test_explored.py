"""Tests that are functions: what `@explore` makes of one, and how it is run."""

from __future__ import annotations

import gc
import inspect
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path

import pytest

import interleave
from interleave import InterleaveError, check
from interleave.checking import Result
from interleave.loading import load_models

HEADER = """
import asyncio, threading
import interleave
from interleave import always, at_end, choose, expect, nothing, task, thread
from helpers import Counter, LockedCounter, add
N = 2
"""

HELPERS = """
import threading

class Counter:
    def __init__(self):
        self.n = 0
    def bump(self):
        self.n += 1

class LockedCounter(Counter):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
    def bump(self):
        with self.lock:
            super().bump()

def add(items, item):
    items.append(item)
"""


@pytest.fixture
def checked(tmp_path: Path):
    """Checks a file with some tests, by an engine."""

    def run(text: str, engine: str = "auto", **options: object) -> Result:
        (tmp_path / "helpers.py").write_text(HELPERS)
        file = tmp_path / "test_file.py"
        file.write_text(HEADER + textwrap.dedent(text))
        return check(file, engine=engine, **options)

    return run


def kinds(result: Result) -> list[set[str]]:
    return [{each.kind for each in model.violations} for model in result.models]


def explored(*body: str, above: str = "", of: str = "def test_it():") -> str:
    lines = textwrap.indent("\n".join(map(textwrap.dedent, body)), "    ")
    return f"{above}\n@interleave.explore\n{of}\n{lines}\n"


BUMPS = """
@thread(2)
def bumper():
    nonlocal counter
    counter += 1
@at_end
def is_two():
    assert counter == 2
"""

LOST = {"lost-update", "postcondition"}

FOUND = {
    "a variable": (explored("counter = 0", BUMPS), LOST),
    "a lock": (
        explored("counter, lock = 0, threading.Lock()", BUMPS.replace("counter += 1",
        "with lock:\n        counter += 1")), set(),
    ),
    "a list": (
        explored("items = []", "@thread(2)\ndef t(i):\n    items.append(i)",
                 "@at_end\ndef e():\n    return len(items) == 2"), set(),
    ),
    "an imported class": (
        explored("c = Counter()", "@thread(2)\ndef t():\n    c.bump()",
                 "@at_end\ndef e():\n    assert c.n == 2"), LOST,
    ),
    "an imported class with a lock": (
        explored("c = LockedCounter()", "@thread(2)\ndef t():\n    c.bump()",
                 "@at_end\ndef e():\n    assert c.n == 2"), set(),
    ),
    "functions of the module": (
        explored("items = []", "@thread(2)\ndef t(i):\n    add(items, i)",
                 "@at_end\ndef e():\n    assert items == [0, 1]"), {"postcondition"},
    ),
    "a helper in the body": (
        explored("counter = 0", "def bump():\n    nonlocal counter\n    counter += 1",
                 "@thread(N)\ndef t():\n    bump()", "@always\ndef e():\n    return counter <= 2"),
        {"lost-update"},
    ),
    "functions that the body makes": (
        explored("counter, by = 0, choose([1, 2])",
                 "def bump(more=0):\n    nonlocal counter\n    counter += by + more",
                 "table = [bump, lambda: bump(1)]",
                 "@thread\ndef t():\n    table[0]()", "@thread\ndef u():\n    table[1]()",
                 "@at_end\ndef e():\n    assert counter == 2 * by + 1"), LOST,
    ),
    "a class in the body": (
        explored("counter = 1",
                 "class Own:\n    counter = 10\n    def bump(self):\n        nonlocal counter\n"
                 "        counter += self.counter", "own = Own()",
                 "@thread\ndef t():\n    own.bump()", "@at_end\ndef e():\n    assert counter == 11"),
        set(),
    ),
    "an import in the body": (
        explored("import threading as t, queue", "lock, q = t.Lock(), queue.Queue()",
                 "@thread\ndef putter():\n    q.put(1)",
                 "@thread\ndef getter():\n    try:\n        q.get_nowait()\n"
                 "    except queue.Empty:\n        raise"), {"exception"},
    ),
    "a name in a comprehension": (
        explored("x = 1", "seen = [x for x in (5, 6)]",
                 "@thread\ndef t():\n    nonlocal x\n    x = sum(x for x in seen)",
                 "@at_end\ndef e():\n    assert x == 11 and seen == [5, 6]"), set(),
    ),
    "a count that a name in a comprehension hides": (
        explored("seen = [N for N in (5, 6, 7)]", "@thread(N)\ndef t():\n    seen.pop()",
                 "@at_end\ndef e():\n    assert seen == [5]"), set(),
    ),
    "a variable without a value": (
        explored("@thread\ndef t():\n    print(late)", "@thread\ndef u():\n    nonlocal late\n"
                 "    late = 1", "if choose([False, True]):\n    late = 2"), {"exception"},
    ),
    "tasks": (
        explored("counter = 0",
                 "@thread(2)\nasync def t():\n    nonlocal counter\n    c = counter\n"
                 "    await asyncio.sleep(0)\n    counter = c + 1",
                 "@at_end\ndef e():\n    assert counter == 2"), LOST,
    ),
    "tasks with a lock": (
        explored("counter, lock = 0, asyncio.Lock()",
                 "@task(2)\nasync def t():\n    nonlocal counter\n    async with lock:\n"
                 "        c = counter\n        await asyncio.sleep(0)\n        counter = c + 1",
                 "@at_end\ndef e():\n    assert counter == 2"), set(),
    ),
    "threads that the body starts": (
        explored("counter = 0", "def t():\n    nonlocal counter\n    counter += 1",
                 "ts = [threading.Thread(target=t) for _ in range(2)]",
                 "for t in ts:\n    t.start()", "for t in ts:\n    t.join()",
                 "assert counter == 2"), {"lost-update", "assertion"},
    ),
    "threads that the body starts, with a lock": (
        explored("counter, lock = 0, threading.Lock()",
                 "def t(by):\n    nonlocal counter\n    with lock:\n        counter += by",
                 "u = threading.Thread(target=t, args=(2,))", "u.start()", "t(1)", "u.join()",
                 "assert counter == 3"), set(),
    ),
    "tasks that the body makes, with a lock": (
        explored("lock = asyncio.Lock()",
                 "async def t(items):\n    async with lock:\n        items.append(len(items))",
                 "items = []", "await asyncio.gather(t(items), t(items))",
                 "assert items == [0, 1]", of="async def test_it():"), set(),
    ),
    "tasks that the body makes": (
        explored("counter = 0",
                 "async def t():\n    nonlocal counter\n    c = counter\n"
                 "    await asyncio.sleep(0)\n    counter = c + 1",
                 "await asyncio.gather(t(), t())", "assert counter == 2",
                 of="async def test_it():"), {"lost-update", "assertion"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("case", FOUND)
def test_what_is_found(checked, case: str, engine: str) -> None:
    text, wanted = FOUND[case]
    result = checked(text, engine)
    assert kinds(result) == [wanted]
    assert result.models[0].model == "test_it"


def test_lines_and_names_are_those_of_the_source(checked) -> None:
    (lost, end) = checked(FOUND["a variable"][0]).models[0].violations
    assert "wrote counter at" in lost.message
    assert end.message == "is_two does not hold when all threads have finished"
    steps = [(each.thread, each.source.line, each.source.text) for each in lost.trace.steps]
    assert {each[0] for each in steps} == {"bumper[0]", "bumper[1]"}
    line = HEADER.count("\n") + explored("counter = 0", BUMPS).split("counter +=")[0].count("\n")
    assert {each[1:] for each in steps} == {(line + 1, "counter += 1")}


def test_a_thread_that_the_body_starts_is_beside_main(checked) -> None:
    (first, _) = checked(FOUND["threads that the body starts"][0]).models[0].violations
    assert [each.thread for each in first.trace.steps][:2] == ["main", "main"]


def test_expectations_options_and_parameters(checked) -> None:
    text = f"""
@expect(nothing, runtime="gil")
@expect("lost-update", "postcondition", runtime="free-threaded")
@interleave.explore(runtime="gil")
def test_gil(by=1):
    counter = 0
{textwrap.indent(BUMPS.replace("+= 1", "+= by").replace("== 2", "== 2 * by"), "    ")}

@expect("lost-update", "postcondition")
@interleave.explore(parameters={{"n": 3}})
def test_given(n=1):
    counter = 0
    @thread(n)
    def t():
        nonlocal counter
        counter += 1
    @at_end
    def e():
        assert counter == n
"""
    first, second = checked(text).models
    assert (first.runtime, first.passed, dict(first.parameters)) == ("gil", True, {"by": 1})
    assert (second.passed, dict(second.parameters)) == (True, {"n": 3})
    first, second = checked(text, runtime="free-threaded", parameters={"n": 2, "by": 4}).models
    assert (first.runtime, first.passed, dict(first.parameters)) == (
        "free-threaded",
        True,
        {"by": 4},
    )
    assert (second.passed, dict(second.parameters)) == (True, {"n": 2})


def test_the_same_test_may_be_read_twice(tmp_path: Path) -> None:
    file = tmp_path / "test_file.py"
    file.write_text(HEADER.replace("from helpers", "# ") + explored("counter = 0", BUMPS))
    before, after = load_models(file), load_models(file)
    gone = weakref.ref(vars(before[0])["bumper"].__code__)
    del before
    gc.collect()
    assert gone() is None
    assert kinds(check(after)) == [LOST]


MISTAKES = {
    "a fixture": (explored("pass", of="def test_it(tmp_path):"), "takes tmp_path, which nobody"),
    "the object of a class of tests": (
        "class TestIt:\n" + textwrap.indent(
            explored("@thread\ndef t(): self.x = 1", of="def test_it(self):"), "    "
        ), "uses self, the object that a class of tests",
    ),
    "any arguments": (explored("pass", of="def test_it(*items):"), "takes items, which nobody"),
    "a result": (explored("@thread\ndef t(): pass", "return 3"), "gives something back"),
    "a result of main": (explored("return 3"), "gives something back"),
    "an early end": (explored("@thread\ndef t(): pass", "return"), "may end before its threads"),
    "a yield": (explored("yield 3"), "test_it yields"),
    "no threads": (explored("assert 1"), "test_it starts no thread"),
    "a thread that is not started": (
        explored("def t(): pass", "threading.Thread(target=t)", "u = threading.Thread(target=t)",
                 "u.start()"), "t-1 is made, and never started",
    ),
    "a thread in a loop": (
        explored("for i in range(2):\n    @thread\n    def t(): pass"), "inside another statement",
    ),
    "a number that is not known": (
        explored("n = 2", "@thread(n)\ndef t(): pass"), "the body says only when it runs",
    ),
    "a number that is none": (explored("@thread(-1)\ndef t(): pass"), "is negative"),
    "a thread with too much": (explored("@thread\ndef t(a, b): pass"), "takes more than"),
    "a property with an argument": (
        explored("@thread\ndef t(): pass", "@at_end\ndef e(i): return 1"), "takes more than",
    ),
    "a name of a model": (explored("@thread\ndef setup(): pass"), "is the name of something else"),
    "two marks": (
        explored("@thread\n@staticmethod\ndef t(): pass"), "has another decorator besides @thread",
    ),
    "a body that raises": (
        explored("x = [][0]", "@thread\ndef t(): pass"), "the body of test_it raises IndexError",
    ),
    "threads in async def": (
        explored("@task\nasync def t(): pass", of="async def test_it():"), "is `async def`",
    ),
    "an option that there is not": (
        explored("pass").replace("explore", "explore(runtine='gil')"), "no option 'runtine'",
    ),
    "a parameter that there is not": (
        explored("pass").replace("explore", "explore(parameters={'m': 1})"), "no parameter 'm'",
    ),
    "an expectation that there is not": (
        explored("@thread\ndef t(): pass", above="@expect('lost')"), "no such kind of violation",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(checked, case: str) -> None:
    text, words = MISTAKES[case]
    with pytest.raises(InterleaveError) as error:
        checked(text)
    assert words in str(error.value)
    assert error.value.remedy
    assert case.startswith(("an option", "a parameter", "an expectation")) or error.value.place


def test_pytest_runs_them_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text(HELPERS)
    file = tmp_path / "test_both.py"
    file.write_text(
        HEADER
        + FOUND["a variable"][0].replace("test_it", "test_fails")
        + FOUND["a lock"][0].replace("test_it", "test_passes")
        + explored("pass", of="def test_takes(a_fixture):")
        + "def test_called():\n    import pytest\n"
        "    with pytest.raises(AssertionError, match='lost-update on counter'):\n"
        "        test_fails()\n    assert interleave.check(test_passes).passed\n"
        "    assert len(interleave.explore(test_passes)) > 5\n"
    )
    plain = ["-p", "no:cacheprovider", "-p", "no:interleave"]
    arguments = ["-m", "pytest", "-q", *plain, file.name]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "2 failed, 2 passed" in done.stdout, done.stdout
    assert "AssertionError: test_fails: violated - lost-update on counter" in done.stdout
    assert "takes a_fixture, which nobody gives" in done.stdout
    assert "enclosing.py" not in done.stdout


CLASSES = {
    "a method": ("class TestIt:", "def test_it(self):"),
    "a method with a parameter": ("class TestIt:", "def test_it(self, many=2):"),
    "a static method": ("class TestIt:", "def test_it():"),
    "of unittest": ("import unittest\nclass TestIt(unittest.TestCase):", "def test_it(self):"),
}


@pytest.mark.parametrize("case", CLASSES)
def test_methods_of_classes_of_tests(tmp_path: Path, case: str) -> None:
    above, begin = CLASSES[case]
    method = explored("n = 0", "@thread(2)\ndef t():\n    nonlocal n\n    n += 1", of=begin)
    if "static" in case:
        method = f"@staticmethod\n{method.lstrip()}"
    file = tmp_path / "test_class.py"
    header = HEADER.replace("from helpers", "# from helpers")
    file.write_text(f"{header}\n{above}\n{textwrap.indent(method, '    ')}")
    result = check(file)
    assert kinds(result) == [{"lost-update"}]
    assert result.models[0].model == "test_it"
    plain = ["-p", "no:cacheprovider", "-p", "no:interleave"]
    arguments = ["-m", "pytest", "-q", *plain, file.name]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "test_it: violated - lost-update on n" in done.stdout, done.stdout


def test_the_function_stays_what_it_is() -> None:
    @interleave.explore
    def test_it(n: int = 2) -> None:
        """Its words."""

    assert (test_it.__name__, test_it.__doc__) == ("test_it", "Its words.")
    assert list(inspect.signature(test_it).parameters) == ["n"]
