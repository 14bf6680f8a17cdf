"""Context variables: what real threads and the real event loop make of them, and refusals."""

from __future__ import annotations

import contextvars
from pathlib import Path

import pytest
from asyncio_driver import every_outcome, listed
from context_programs import noted_by_a_thread, of_one_thread, of_tasks
from families import sample
from running import load

from interleave import check
from interleave.errors import ModelError
from interleave.result import ModelResult

HEADER = """
import asyncio, contextvars, threading
import concurrent.futures, multiprocessing
from contextvars import ContextVar, Token, copy_context
from interleave import *

v = ContextVar("v", default=0)
v.set(40)
common = ContextVar("common", default={})
CONTEXT = copy_context()
VARS = {"v": v, "w": ContextVar("w")}
NAMES = {VARS["v"]: "v"}


class Within:
    def __init__(self, var, value):
        self.var, self.value = var, value

    def __enter__(self):
        self.token = self.var.set(self.value)

    def __exit__(self, *_):
        self.var.reset(self.token)


class M(Model):
    log = ()
    token = None
    lock = threading.Lock()
    results = multiprocessing.Queue()
    own = ContextVar("own", default=None)

    def note(self, *values):
        self.log = (*self.log, *values)

    def work(self):
        self.note(v.get())
        v.set(9)
        self.note(v.get())

    def add(self):
        v.set(v.get() + 1)
"""


def checked(
    folder: Path, body: str, engine: str = "auto", runtime: str | None = None
) -> ModelResult:
    model = load(folder / "model.py", HEADER + body)
    (found,) = check(model, engine=engine, runtime=runtime).models
    return found


def logs(outcomes: set[tuple[str, tuple[tuple[str, str], ...]]]) -> set[tuple[str, str]]:
    return {(how, dict(values)["log"]) for how, values in outcomes}


@pytest.mark.parametrize("seed", sample(15, range(60)))
def test_one_thread_does_what_it_does_in_python(tmp_path: Path, seed: int) -> None:
    text = of_one_thread(seed)
    real = noted_by_a_thread(load(tmp_path / "real.py", text))
    assert logs(listed(tmp_path / "model.py", text, "any")) == {("finished", repr(real))}


@pytest.mark.parametrize("order", ["any", "fifo"])
@pytest.mark.parametrize("seed", sample(6, [1, 2, 3, 4, 5, 6, 7, 9, 10, 14]))
def test_tasks_and_callbacks_do_what_they_do_in_python(
    tmp_path: Path, seed: int, order: str
) -> None:
    text = of_tasks(seed)
    found = contextvars.copy_context().run(every_outcome, text, fifo=order == "fifo", runs=1500)
    real, is_whole = found
    assert is_whole
    assert logs(listed(tmp_path / "model.py", text, order)) == logs(real)


EACH_ITS_OWN = {
    "threads begin with an empty context": """
    @thread(2)
    def run(self):
        assert v.get() == 0
        self.add()
        assert v.get() == 1
""",
    "so do those that they start": """
    @thread
    def run(self):
        v.set(3)
        for target in (self.work, copy_context().run):
            made = threading.Thread(target=target, args=(self.work,) * (target != self.work))
            made.start()
            made.join()
        assert self.log == (0, 9, 3, 9)
        assert v.get() == 3
""",
    "a worker of a pool keeps its context": """
    @thread
    def run(self):
        v.set(3)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(self.work).result()
            pool.submit(self.work).result()
        assert self.log == (0, 9, 9, 9)
""",
    "tasks begin with that of the main thread": """
    @task(2)
    async def run(self):
        assert v.get() == 40
        self.add()
        await asyncio.sleep(0.1)
        assert v.get() == 41
""",
    "and those of setup": """
    def setup(self):
        v.set(choose([1, 2]))
        self.first = v.get()

    @task
    async def run(self):
        assert v.get() == self.first

    @postcondition
    def is_kept(self):
        return v.get() == self.first
""",
    "a process has that of its parent": """
    @process(2)
    def run(self):
        assert v.get() == 40
        self.add()
        assert v.get() == 41
""",
    "to_thread copies, run_in_executor does not": """
    @task
    async def run(self):
        v.set(3)
        await asyncio.to_thread(self.work)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.work)
        await loop.run_in_executor(None, copy_context().run, self.work)
        assert v.get() == 3
        assert self.log == (3, 9, 0, 9, 3, 9)
""",
    "a property sees the main thread's": """
    @thread
    def run(self):
        self.add()
        self.note(v.get())

    @postcondition
    def sees(self):
        return v.get() == 40
""",
    "tokens in an object for each thread": """
    @thread(2)
    def run(self, i):
        with Within(v, i):
            with Within(v, i + 2):
                assert v.get() == i + 2
            assert v.get() == i
        assert v.get() == 0
""",
    "variables that a thread makes": """
    @thread
    def run(self):
        w = ContextVar("w", default=[])
        w.get().append(1)
        assert (w.get(), w.name) == ([1], "w")
        mine = []
        assert w.get(mine) is mine
        token = w.set(mine)
        assert w.get() is mine and token.old_value is Token.MISSING
        assert isinstance(token, Token) and isinstance(w, ContextVar)
        self.own.set(self)
        assert self.own.get() is self
""",
    "variables and tokens in containers": """
    @thread(2)
    def run(self, i):
        tokens = [(var, var.set(i)) for var in VARS.values()]
        assert [var.get() for var in VARS.values()] == [i, i]
        for var, token in reversed(tokens):
            var.reset(token)
        assert v.get() == 0 and NAMES[VARS["v"]] == "v"
        try:
            VARS["w"].get()
        except LookupError as error:
            assert error.args == (VARS["w"],)
        else:
            assert False
""",
    "a context that setup has copied": """
    def setup(self):
        VARS["w"].set([1])
        self.context = copy_context()
        VARS["w"].set([2])

    @thread
    def run(self):
        get = VARS["w"].get
        assert self.context[VARS["w"]] == self.context.run(get) == [1]
        self.context.run(get).append(3)
        assert self.context.get(VARS["w"]) == [1, 3]
        assert get(None) is None
""",
    "what a pool, a timer and a key function see": """
    @thread
    def run(self):
        v.set(-1)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, self.work).result()
            pool.submit(self.work).result()
        made = threading.Timer(1, self.work)
        made.start()
        made.join()
        assert self.log == (-1, 9, 0, 9, 0, 9)
        assert sorted([1, 3, 2], key=lambda x: x * v.get()) == [3, 2, 1]
""",
    "one after the other in one context": """
    @thread(2)
    def run(self):
        with self.lock:
            CONTEXT.run(self.add)

    @postcondition
    def both(self):
        return CONTEXT[v] == 42
""",
    "the token of another callback": """
    ORDER = "fifo"

    def first(self):
        self.token = v.set(5)

    def second(self):
        try:
            v.reset(self.token)
        except ValueError:
            self.note(v.get())

    @task
    async def run(self):
        loop = asyncio.get_running_loop()
        loop.call_soon(self.first)
        await asyncio.sleep(0)
        loop.call_soon(self.second)
        await asyncio.sleep(0)

    @postcondition
    def is_refused(self):
        return self.log == (40,)
""",
    "the token of a task that has ended": """
    async def child(self):
        try:
            v.reset(self.token)
        except ValueError:
            self.note("other")
        except TypeError:
            self.token = v.set(3)

    @task
    async def run(self):
        for _ in range(2):
            await asyncio.create_task(self.child())
        assert self.log == ("other",)
""",
}


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("body", EACH_ITS_OWN.values(), ids=EACH_ITS_OWN)
def test_contexts_are_each_ones_own(tmp_path: Path, body: str, engine: str) -> None:
    found = checked(tmp_path, body, engine)
    assert found.complete
    assert not [violation.message for violation in found.violations]


COMMON = {
    "a default is one object": (
        "common.get()['n'] = common.get().get('n', 0) + 1",
        {"lost-update"},
    ),
    "a context can be entered once at a time": ("CONTEXT.run(self.add)", {"exception"}),
    "nothing is lost where each has its own": (
        "self.own.set(self.own.get(0) + 1)\n        assert self.own.get() == 2",
        {"assertion"},
    ),
}


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(("line", "kinds"), COMMON.values(), ids=COMMON)
def test_what_is_common_and_what_is_not(
    tmp_path: Path, line: str, kinds: set[str], engine: str, runtime: str
) -> None:
    found = checked(
        tmp_path, f"\n    @thread(2)\n    def run(self):\n        {line}\n", engine, runtime
    )
    assert {violation.kind for violation in found.violations} == kinds


REFUSED = {
    "TOKEN is a contextvars.Token that was made before the threads start": """
TOKEN = v.set(1)

class N(M):
    @thread
    def run(self):
        v.reset(TOKEN)
""",
    "a property sets a context variable": """
    @thread
    def run(self):
        self.note(v.get())

    @invariant
    def sets(self):
        v.set(1)
""",
    "the event loop is given a context, which a thread could enter meanwhile": """
    @thread
    def other(self):
        self.note(1)

    @task
    async def run(self):
        asyncio.get_running_loop().call_soon(self.work, context=copy_context())
""",
}


@pytest.mark.parametrize(("what", "body"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_refused(tmp_path: Path, what: str, body: str) -> None:
    with pytest.raises(ModelError) as raised:
        checked(tmp_path, body)
    assert raised.value.what == what
    assert raised.value.remedy
    assert raised.value.place is not None


@pytest.mark.parametrize(
    ("mark", "what", "call"),
    [
        ("thread", "def", "self.inner()"),
        ("task", "async def", "await asyncio.to_thread(self.inner)"),
        ("task", "async def", "await asyncio.get_running_loop().run_in_executor(None, self.inner)"),
    ],
)
def test_a_variable_without_a_value_is_named(
    tmp_path: Path, mark: str, what: str, call: str
) -> None:
    text = f"""
import asyncio
from contextvars import ContextVar
from interleave import Model, task, thread

user = ContextVar("user")

class M(Model):
    out = 0

    def inner(self):
        self.out = user.get()

    @{mark}
    {what} handler(self):
        {call}
"""
    file = tmp_path / "model.py"
    file.write_text(text)
    (result,) = check(file).models
    (violation,) = result.violations
    assert "LookupError: <ContextVar name='user'" in violation.message
