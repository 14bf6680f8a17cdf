"""Classes of the model that derive from those of the library, and threads that `setup` makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from container_programs import programs
from hypothesis import Phase, given, settings
from running import load

from interleave import check
from interleave.errors import ModelError
from interleave.result import ModelResult

HEAD = """
import asyncio, collections, concurrent.futures, queue, threading, types
from interleave import *

class Worker(threading.Thread):
    def __init__(self, model, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.model = model

    def run(self):
        assert threading.current_thread() is self and self.is_alive()
        self.model.work()

class Further(Worker):
    def run(self):
        super().run()

class Old(threading.Thread):
    def __init__(self, model):
        threading.Thread.__init__(self)
        self.model = model
    run = Worker.run

class Inherits(threading.Thread):
    pass

class Ticks(threading.Timer):
    def run(self):
        self.finished.wait(self.interval)
        self.function(*self.args)

class Starts(Worker):
    def __init__(self, model):
        super().__init__(model, name="one", daemon=False)
        self.start()

    def start(self):
        if not self.is_alive():
            super().start()

class M(Model):
    n = 0

    def work(self):
        self.n += 1
"""

THREADS = {
    "a function": "threading.Thread(target=self.work)",
    "a subclass": "Worker(self)",
    "a subclass of a subclass": "Further(self)",
    "an __init__ that is called by its class": "Old(self)",
    "a run that is inherited": "Inherits(target=self.work)",
    "a subclass that starts itself": "Starts(self)",
    "a timer": "threading.Timer(1, self.work)",
    "a subclass of a timer": "Ticks(1, self.work)",
}

WHERE = {
    "a thread makes it": """
    @thread
    def main(self):
        t = {made}
        t.start()
        self.n += 1
        t.join()
        assert not t.is_alive() and isinstance(t, threading.Thread)
""",
    "setup makes it": """
    def setup(self):
        self.t = {made}

    @thread
    def main(self):
        self.t.start()
        self.n += 1
        self.t.join()
        assert not self.t.is_alive() and isinstance(self.t, threading.Thread)
""",
    "setup starts it": """
    def setup(self):
        self.t = {made}
        self.t.start()

    @thread
    def main(self):
        self.n += 1
        self.t.join()
        assert not self.t.is_alive() and isinstance(self.t, threading.Thread)
""",
}


def result_of(folder: Path, text: str, **options: Any) -> ModelResult:
    (result,) = check(load(folder / "model.py", text), **options).models
    return result


def outcomes(result: ModelResult, name: str) -> set[str]:
    assert result.interleavings is not None
    return {repr(dict(each.state)[name]) for each in result.interleavings.outcomes}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("made", THREADS)
def test_a_thread_is_one_however_it_is_written(made: str, where: str, tmp_path: Path) -> None:
    body = WHERE[where].format(made=THREADS[made])
    starts_itself = made == "a subclass that starts itself"
    if starts_itself:
        body = body.replace("t.start()", "t.is_alive()")
    text = HEAD + body
    for engine in ("reference", "native"):
        result = result_of(tmp_path, text, engine=engine)
        assert {each.kind for each in result.violations} == {"lost-update"}
        assert outcomes(result, "n") == {"1", "2"}
    begins = [each for each in result.warnings if each.endswith("which begins when setup is over")]
    is_begun = where == "setup starts it" or (where == "setup makes it" and starts_itself)
    assert bool(begins) == is_begun


REFUSED = {
    "setup waits for b, which begins when setup is over": """
    def setup(self):
        self.t = Worker(self, name="b")
        self.t.start()
        self.t.join()
""",
    "runs outside of the model": "    t = threading.Timer(0, print)\n    t.start()\n    t.join()\n",
    "h is a Timer that was cancelled": """
    def setup(self):
        self.h = threading.Timer(1, self.work)
        self.h.cancel()
""",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str, tmp_path: Path) -> None:
    text = HEAD + REFUSED[what] + "\n    @thread\n    def main(self):\n        self.n = 1\n"
    with pytest.raises(ModelError) as caught:
        result_of(tmp_path, text)
    assert what in str(caught.value)
    assert caught.value.remedy


THREAD_ERRORS = """
class Lacks(threading.Thread):
    def __init__(self):
        pass

class N(Model):
    said = ()

    def told(self, call):
        try:
            call()
        except (RuntimeError, AssertionError) as error:
            self.said += ((type(error).__name__, str(error)),)

    @thread
    def run(self):
        self.told(Lacks().start)
        self.told(Lacks().join)
        self.told(Lacks().is_alive)
        fresh = Inherits(target=print)
        self.told(fresh.join)
        fresh.start()
        self.told(fresh.start)
        fresh.join()
"""


def test_threads_raise_what_real_ones_do(tmp_path: Path) -> None:
    model = load(tmp_path / "model.py", HEAD + THREAD_ERRORS)
    real: Any = model()
    real.run()
    (result,) = check(model).models
    assert result.violations == ()
    assert outcomes(result, "said") == {repr(real.said)}


CLASSES = {
    "queue.Queue": "self.it.put(i)\nself.got += (self.it.get(),)",
    "queue.LifoQueue": "self.it.put(i)\nself.got += (self.it.get_nowait(),)",
    "queue.PriorityQueue": "self.it.put(i)\nself.got += (self.it.get(timeout=1),)",
    "threading.Event": "if i:\n    self.it.set()\nelse:\n    self.it.wait()\nself.got += (i,)",
    "threading.Condition": "with self.it:\n    self.it.notify()\n    self.got += (i,)",
    "threading.Semaphore": "with self.it:\n    self.got += (i,)",
    "threading.Timer": "self.it.cancel()\nself.got += (self.it.is_alive(),)",
    "collections.OrderedDict": "self.it[i] = i\nself.got += (*self.it,)",
    "types.SimpleNamespace": "self.it.x = i\nself.got += (self.it.x,)",
    "list": "self.it.append(i)\nself.got += tuple(self.it)",
}
ARGUMENTS = {"threading.Timer": "1, print"}

SAME = """
class Own({base}):
    pass

class N(Model):
    got = ()

    def setup(self):
        self.it = {made}({arguments})

    @thread(2)
    def work(self, i):
        {body}
        assert isinstance(self.it, {base}) and not isinstance(self.it, (int, threading.Barrier))
"""


@pytest.mark.parametrize("base", CLASSES)
def test_a_class_that_only_derives_is_the_same(base: str, tmp_path: Path) -> None:
    found = [
        outcomes(
            result_of(
                tmp_path,
                HEAD
                + SAME.format(
                    base=base,
                    made=made,
                    arguments=ARGUMENTS.get(base, ""),
                    body=CLASSES[base].replace("\n", "\n        "),
                ),
            ),
            "got",
        )
        for made in ("Own", base)
    ]
    assert found[0] == found[1]


OVERRIDING = """
class Unique(queue.Queue):
    def _init(self, maxsize):
        self.queue = set()

    def _put(self, item):
        self.queue.add(item)

    def _get(self):
        return self.queue.pop()

class Inline(concurrent.futures.Executor):
    def submit(self, fn, /, *args):
        made = concurrent.futures.Future()
        made.set_result(fn(*args))
        return made

class Counting(concurrent.futures.ThreadPoolExecutor):
    submitted = 0

    def submit(self, fn, /, *args, **kwargs):
        self.submitted += 1
        return super().submit(fn, *args, **kwargs)

def double(x):
    return 2 * x

class N(Model):
    done = 0

    def setup(self):
        self.q, self.inline, self.pool = Unique(), Inline(), Counting(2)

    @thread(2)
    def main(self, i):
        self.q.put(1)
        if i:
            with self.inline, self.pool:
                assert list(self.inline.map(double, [1, 2])) == [2, 4]
                assert [*self.pool.map(double, [1, 2])] == [2, 4]
            assert self.pool.submitted == 2
            assert isinstance(self.pool, concurrent.futures.Executor)
            assert self.q.get() == 1 and self.q.qsize() <= 1
            self.done += 1
"""


def test_what_is_overridden_runs(tmp_path: Path) -> None:
    result = result_of(tmp_path, HEAD + OVERRIDING)
    assert (result.verdict, outcomes(result, "done")) == ("verified", {"1"})


QUEUE_OF_TASKS = """
class Counting(asyncio.Queue):
    puts = 0

    async def put(self, item):
        self.puts += 1
        await super().put(item)

class N(Model):
    got = ()

    def setup(self):
        self.q = Counting(maxsize=1)

    @task
    async def producer(self):
        for i in range(3):
            await self.q.put(i)
        assert self.q.puts == 3 and isinstance(self.q, asyncio.Queue)

    @task
    async def consumer(self):
        for _ in range(3):
            self.got += (await self.q.get(),)
            self.q.task_done()
        await self.q.join()
"""


def test_a_queue_of_tasks(tmp_path: Path) -> None:
    result = result_of(tmp_path, HEAD + QUEUE_OF_TASKS)
    assert (result.verdict, outcomes(result, "got")) == ("verified", {"(0, 1, 2)"})


@given(programs())
@settings(max_examples=25, phases=[Phase.generate])
def test_containers_are_as_in_real_python(tmp_path: Path, text: str) -> None:
    model = load(tmp_path / "model.py", text)
    real: Any = model()
    real.setup()
    real.run()
    try:
        (result,) = check(model, engine="reference").models
    except ModelError as error:
        assert "may call what" in error.what  # that is up to the version of Python
        return
    assert result.violations == ()
    assert outcomes(result, "events") == {repr(real.events)}


VALUES = """
import array, logging, re
STATE = types.SimpleNamespace(n=0)

class Sub(types.SimpleNamespace):
    def grow(self):
        self.a += 1

class N(Model):
    got = it = None

    def setup(self):
        self.numbers, self.bytes = array.array("d", [1, 2]), bytearray(b"ab")
        self.pattern, self.sub = re.compile("x", re.I), Sub(a=1)
        self.log, self.adapted = logging.getLogger(), logging.LoggerAdapter(logging.getLogger("x"), {})

    @thread
    def run(self):
        self.log.info("%s", self.got)
        self.adapted.warning("x")
        match = re.search("(?P<k>X)(z)?", "aXb")
        STATE.n += 1
        self.it = types.SimpleNamespace(a=1)
        self.it.b = array.array("i", [1])
        self.it.b.append(2)
        self.it.c = bytearray(2)
        self.sub.grow()
        self.numbers += array.array("d", [4])
        self.bytes.extend(b"c")
        self.bytes[0] = 120
        total = 0
        for each in self.numbers:
            total += each
        for each in self.bytes:
            total += each
        self.got = (
            total, repr(self.it), self.sub.a, self.numbers.typecode, self.numbers[1:].tolist(),
            bytes(self.bytes), self.bytes.find(b"c"), self.pattern.sub("-", "aXb"), STATE.n,
            type(self.it) is types.SimpleNamespace, isinstance(STATE, types.SimpleNamespace),
            self.it == types.SimpleNamespace(**vars(self.it)), len(self.it.c), self.it.b[-1],
            match.group(), match[1], match.groups(0), match.groupdict(), match.span("k"),
            match.lastgroup, match.string, match.re.pattern, repr(match), type(match) is re.Match,
        )
"""


def test_values_of_other_types_are_as_in_real_python(tmp_path: Path) -> None:
    model = load(tmp_path / "model.py", HEAD + VALUES)
    (result,) = check(model).models
    real: Any = model()
    real.setup()
    real.run()
    assert result.violations == ()
    assert outcomes(result, "got") == {repr(real.got)}


BUFFERS = ["struct.unpack('2s', self.it)", "memoryview(self.it)", "hashlib.sha256(self.it)"]


@pytest.mark.parametrize("code", BUFFERS)
def test_c_code_does_not_look_into_what_is_shared(code: str, tmp_path: Path) -> None:
    setup = "    def setup(self):\n        self.it = bytearray(b'ab')\n"
    run = (
        f"    @thread\n    def main(self):\n        self.it[0] = 1\n        self.n = bool({code})\n"
    )
    with pytest.raises(ModelError, match="C code looks into what threads share"):
        result_of(tmp_path, f"import hashlib, struct\n{HEAD}{setup}{run}")


LOST = """
class Own({base}):
    def {name}(self, *args):
        return super().{name}(*args)

class N(Model):
    def setup(self):
        self.it = Own({start})

    @thread(2)
    def work(self):
        self.it[0] += 1
"""


@pytest.mark.parametrize(
    ("base", "name", "start"),
    [("list", "append", "[0]"), ("dict", "__getitem__", "{0: 0}"),
     ("collections.defaultdict", "__setitem__", "int"), ("collections.deque", "pop", "[0]")],
)  # fmt: skip
def test_an_update_of_an_item_is_lost(base: str, name: str, start: str, tmp_path: Path) -> None:
    result = result_of(tmp_path, HEAD + LOST.format(base=base, name=name, start=start))
    assert {each.kind for each in result.violations} == {"lost-update"}
