"""Identities in states are values of their own: exchanging two threads exchanges all of them.

Where two threads do the same, the state in which they have changed places can be reached as well. A
bare number for a thread, wherever it is kept, would be left behind, and give a state that cannot.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from exchanging import Exchange, explored, instances, without_its_twin
from families import third
from running import load

from interleave import Model
from interleave.loading import load_models, model_files
from interleave.machine import FINISHED, State
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId, ThreadIdent, ThreadName
from interleave.memory.values import Freezer, Thawer

HEADER = """
import asyncio, contextvars, queue, threading, time
import concurrent.futures
import multiprocessing
from interleave import *
from interleave import go
from interleave.go import context, errgroup, time as gotime

"""


def model(folder: Path, text: str, kind: str, *, count: int = 2) -> type[Model]:
    """A model of threads that run the lines after the first empty one; before: its variables."""
    variables, _, body = text.strip("\n").partition("\n\n")
    define = "async def" if kind == "task" else "def"
    lines = [f"    {line}" for line in variables.splitlines()]
    lines += [f"    @{kind}({count})", f"    {define} t(self):"]
    lines += [f"        {line}" for line in body.splitlines()]
    return load(folder / "model.py", HEADER + "class M(Model):\n" + "\n".join(lines) + "\n")


THREADS = {
    "counter": "n = 0\n\nx = self.n\nself.n = x + 1",
    "Lock": "lock = threading.Lock()\nn = 0\n\nwith self.lock:\n    self.n += 1",
    "RLock": "lock = threading.RLock()\n\nwith self.lock:\n    with self.lock:\n        pass",
    "RLock in a Condition": """
c = threading.Condition()

with self.c:
    self.c.wait()
    self.c.notify()
""",
    "Condition": """
c = threading.Condition(threading.Lock())
n = 0

with self.c:
    self.n += 1
    if self.n == 2:
        self.c.notify_all()
    self.c.wait(1)
""",
    "Condition made by a thread": """
c = None

mine = threading.Condition()
self.c = mine
with mine:
    mine.notify()
with self.c:
    self.c.wait(1)
""",
    "Semaphore": "s = threading.Semaphore(1)\n\nwith self.s:\n    pass",
    "Event": "e = threading.Event()\n\nself.e.wait(1)\nself.e.set()\nself.e.clear()\nself.e.wait()",
    "Barrier": "n = 0\ndef act(self):\n    self.n += 1\ndef setup(self):\n    self.b = threading.Barrier(2, self.act)\n\nself.b.wait()\nself.b.wait(1)",
    "local": "l = threading.local()\n\nself.l.x = 1\ntime.sleep(0)\nself.l.y = self.l.x",
    "id": """
known = set()
last = None

mine = [0]
self.last = id(mine)
self.known.add(id(mine))
time.sleep(0)
self.known.add(self.last)
""",
    "contextvars": """
v = contextvars.ContextVar("v", default=0)
token = None

self.token = self.v.set(self)
contextvars.copy_context().run(self.v.get)
time.sleep(0)
self.v.get()
""",
    "local made by a thread": """
l = None

self.l = threading.local()
self.l.x = 1
time.sleep(0)
""",
    "get_ident": "owner = 0\n\nself.owner = threading.get_ident()",
    "get_ident in a list": "seen = []\n\nself.seen.append(threading.get_ident())",
    "get_ident in a set": "seen = set()\n\nself.seen.add(threading.get_ident())\ntime.sleep(0)",
    "get_ident in a local": """
owner = 0

me = threading.get_ident()
if self.owner == 0:
    self.owner = me
    time.sleep(0)
    assert True if self.owner == me else True
""",
    "current_thread": "owner = None\n\nself.owner = threading.current_thread()",
    "name": "owner = None\n\nself.owner = threading.current_thread().name\ntime.sleep(0)",
    "Thread": """
n = 0
def add(self):
    self.n += 1

child = threading.Thread(target=self.add)
child.start()
child.join()
""",
    "Thread that others see": """
n = 0
child = None
def add(self):
    self.n = threading.get_ident()

self.child = threading.Thread(target=self.add)
self.child.start()
""",
    "Timer": """
n = 0
def add(self):
    self.n += 1

child = threading.Timer(1, self.add)
child.start()
child.cancel()
""",
    "object": """
last = None

made = [1]
self.last = made
made.append(2)
""",
    "lock made by a thread": "last = None\n\nself.last = threading.RLock()\nwith self.last:\n    pass",
    "Queue": "q = queue.Queue(1)\n\nself.q.put(threading.get_ident())\nself.q.get()",
    "PriorityQueue": """
q = queue.PriorityQueue()
def setup(self):
    self.q.put(1)

self.q.get()
self.q.task_done()
self.q.put(1)
self.q.join()
""",
    "pool": """
pool = concurrent.futures.ThreadPoolExecutor(1)
n = 0
def add(self):
    self.n += 1

self.pool.submit(self.add).result()
""",
    "Future": """
f = concurrent.futures.Future()

if not self.f.done():
    self.f.cancel()
""",
    "section": 'n = 0\n\nwith section("s"):\n    self.n += 1',
}

PROCESSES = {
    "counter": "n = 0\n\nx = self.n\nself.n = x + 1",
    "Lock": "lock = multiprocessing.Lock()\n\nwith self.lock:\n    pass",
    "RLock": "lock = multiprocessing.RLock()\n\nwith self.lock:\n    with self.lock:\n        pass",
    "Semaphore": "s = multiprocessing.Semaphore(1)\n\nwith self.s:\n    pass",
    "Event": "e = multiprocessing.Event()\n\nself.e.wait(1)\nself.e.set()\nself.e.clear()\nself.e.wait()",
    "Condition": """
c = multiprocessing.Condition()
v = multiprocessing.Value("i", 0)

with self.c:
    self.c.wait(1)
    self.c.notify()
""",
    "Condition with a Lock": """
lock = multiprocessing.Lock()
c = multiprocessing.Condition(lock)

with self.c:
    self.c.wait(1)
    self.c.notify()
""",
    "Queue": "q = multiprocessing.Queue()\n\nself.q.put(1)\nself.q.get()\nself.q.close()",
    "Queue that is left": "q = multiprocessing.Queue()\n\nself.q.put([1])\nself.q.cancel_join_thread()",
    "JoinableQueue": """
q = multiprocessing.JoinableQueue()

self.q.put(1)
self.q.get()
self.q.task_done()
self.q.join()
""",
    "Pipe": "ends = multiprocessing.Pipe()\n\nself.ends[0].send(1)\nself.ends[0].close()",
    "SimpleQueue": "q = multiprocessing.SimpleQueue()\n\nself.q.put(1)\nself.q.close()",
    "threads": "lock = threading.RLock()\nn = 0\n\nwith self.lock:\n    self.n = 1",
}

TASKS = {
    "sleep": "n = 0\n\nx = self.n\nawait asyncio.sleep(0)\nself.n = x + 1",
    "Lock": "lock = asyncio.Lock()\n\nasync with self.lock:\n    await asyncio.sleep(0)",
    "Event": "e = asyncio.Event()\n\nif not self.e.is_set():\n    await asyncio.sleep(0)\n    self.e.set()\nawait self.e.wait()",
    "Semaphore": "s = asyncio.Semaphore(1)\n\nasync with self.s:\n    await asyncio.sleep(0)",
    "Condition": """
c = asyncio.Condition()

async with self.c:
    self.c.notify()
    await self.c.wait()
""",
    "Barrier": "b = asyncio.Barrier(2)\n\nawait self.b.wait()",
    "Queue": "q = asyncio.Queue(1)\n\nawait self.q.put(1)\nawait self.q.get()",
    "current_task": "last = None\n\nself.last = asyncio.current_task()\nawait asyncio.sleep(0)",
    "get_name": """
last = ""

self.last = asyncio.current_task().get_name()
await asyncio.sleep(0)
""",
    "cancelling the other": """
last = None

if self.last is not None:
    self.last.cancel()
self.last = asyncio.current_task()
await asyncio.sleep(0)
""",
    "cancelled from outside": 'CANCEL = "t"\n\nawait asyncio.sleep(1)',
    "timeout": "n = 0\n\nasync with asyncio.timeout(1):\n    await asyncio.sleep(2)\n    self.n += 1",
    "create_task": """
n = 0
async def add(self):
    await asyncio.sleep(0)
    self.n += 1

await asyncio.create_task(self.add())
""",
    "gather": """
n = 0
async def add(self):
    self.n += 1

await asyncio.gather(self.add(), self.add())
""",
    "TaskGroup": """
n = 0
async def add(self):
    self.n += 1

async with asyncio.TaskGroup() as group:
    group.create_task(self.add())
""",
    "callback": """
n = 0
def add(self):
    self.n += 1

asyncio.get_running_loop().call_soon(self.add)
await asyncio.sleep(0)
""",
    "timers": """
n = 0
def add(self):
    self.n += 1

asyncio.get_running_loop().call_later(1, self.add)
await asyncio.sleep(0)
""",
    "to_thread": """
n = 0
def add(self):
    self.n += 1

await asyncio.to_thread(self.add)
""",
}

GOROUTINES = {
    "Mutex": "mu = go.Mutex()\n\nwith self.mu:\n    pass",
    "RWMutex": "mu = go.RWMutex()\nn = 0\n\nself.mu.RLock()\nself.mu.RUnlock()\nself.mu.Lock()\nself.mu.Unlock()",
    "RWMutex that is tried": "mu = go.RWMutex()\n\nif self.mu.TryLock():\n    self.mu.Unlock()",
    "WaitGroup": """
wg = go.WaitGroup()

self.wg.Add(1)
self.wg.Done()
self.wg.Wait()
""",
    "Once": "once = go.Once()\nn = 0\ndef add(self):\n    self.n += 1\n\nself.once.Do(self.add)",
    "Cond": """
mu = go.Mutex()
def setup(self):
    self.c = go.sync.NewCond(self.mu)

self.mu.Lock()
self.c.Broadcast()
self.c.Wait()
self.mu.Unlock()
""",
    "channel": """
ch = go.Chan()

match go.select(go.recv(self.ch), go.send(self.ch, 1)):
    case _:
        self.ch.close()
""",
    "buffered channel": "ch = go.Chan(1)\n\nself.ch.send(1)\nself.ch.send(2)\nself.ch.recv()",
    "closed channel": "ch = go.Chan()\nstop = go.Chan()\n\ngo.select(go.recv(self.ch), go.recv(self.stop))",
    "go": "n = 0\ndef add(self):\n    self.n += 1\n\ngo.spawn(self.add)",
    "context": """
n = 0

ctx, cancel = context.WithCancel(context.Background())
cancel()
ctx.Done().recv()
""",
    "errgroup": """
n = 0
def add(self):
    self.n += 1

group = errgroup.Group()
group.Go(self.add)
group.Wait()
""",
}

CASES = [
    pytest.param(text, kind, id=f"{kind} {name}")
    for kind, texts in (
        ("thread", THREADS),
        ("process", PROCESSES),
        ("task", TASKS),
        ("goroutine", GOROUTINES),
    )
    for name, text in texts.items()
]


@pytest.mark.parametrize(("text", "kind"), CASES)
def test_two_threads_that_do_the_same_can_be_exchanged(
    tmp_path: Path, text: str, kind: str
) -> None:
    graph = explored(model(tmp_path, text, kind))
    exchange = Exchange(graph.machine, 0, 1)
    assert len(graph) > 3
    assert graph.stop is None
    assert without_its_twin(graph, exchange.state) == 0


POOLS = {
    "tasks that wait": """
pool = concurrent.futures.ThreadPoolExecutor(2)
n = 0
def add(self):
    self.n = 1

self.pool.submit(self.add).result()
""",
    "tasks that are cancelled": """
pool = concurrent.futures.ThreadPoolExecutor(2)
n = 0
def add(self):
    self.n = 1

if self.n == 0:
    self.pool.submit(self.add)
else:
    self.pool.shutdown(cancel_futures=True)
""",
}


@pytest.mark.parametrize("text", POOLS.values(), ids=POOLS)
def test_workers_of_a_pool_can_be_exchanged(tmp_path: Path, text: str) -> None:
    """While both of them work; else it is always the first that does."""
    graph = explored(model(tmp_path, text, "thread", count=3))
    workers = [each.number for each in graph.machine.program.threads if each.room is not None]
    assert len(workers) == 2
    assert graph.stop is None

    def both_work(state: State) -> bool:
        return FINISHED not in [graph.machine.local(state, worker) for worker in workers]

    assert without_its_twin(graph, Exchange(graph.machine, *workers).state, of=both_work) == 0


BARE = {
    "a number": "owner = 0\n\nself.owner = int(threading.get_ident())\ntime.sleep(0)",
    "a number in a local": """
n = 0

me = threading.get_ident() - 1
self.n = 5
self.n = me - me
""",
    "a text": """
owner = ""

self.owner = "thread " + threading.current_thread().name
time.sleep(0)
""",
    "an order": """
seen = ()

me = threading.get_ident()
self.seen = tuple(sorted([*self.seen, me]))
time.sleep(0)
""",
}


@pytest.mark.parametrize("text", BARE.values(), ids=BARE)
def test_what_is_computed_from_an_identity_is_none(tmp_path: Path, text: str) -> None:
    """So it stays as it is when threads are exchanged, and threads cannot be."""
    graph = explored(model(tmp_path, text, "thread"))
    assert without_its_twin(graph, Exchange(graph.machine, 0, 1).state) > 0


def test_numbers_and_texts_that_look_like_an_identity_are_not_exchanged(tmp_path: Path) -> None:
    exchange = Exchange(explored(model(tmp_path, THREADS["counter"], "thread")).machine, 0, 1)

    def exchanged(value: object) -> object:
        return Thawer(lambda number: number).thaw(exchange.key(Freezer().freeze(value)))

    alike = (0, 1, 2, True, 1.0, "t[0]", "t[1]", frozenset({0, 1}), (1, 0))
    assert exchanged(alike) == alike
    identities = (
        ThreadId(0),
        ThreadId(-1),
        ThreadIdent(1),
        ThreadName("t[0]"),
        Bag((ThreadId(1),)),
    )
    assert exchanged(identities) == (1, -1, 2, "t[1]", (0,))


def test_an_identity_is_the_number_or_text_that_it_looks_like() -> None:
    for identity, plain in ((ThreadId(1), 1), (ThreadIdent(2), 2), (ThreadName("t"), "t")):
        key = Freezer().freeze(identity)
        thawed = Thawer(lambda number: number).thaw(key)
        assert key != Freezer().freeze(plain)
        assert identity == plain == thawed
        assert type(identity) is type(thawed)
        assert (repr(identity), f"{identity}", hash(identity)) == (
            repr(plain),
            f"{plain}",
            hash(plain),
        )


def test_a_bag_has_no_order() -> None:
    freezer = Freezer()
    one, other = (
        Bag((ThreadId(2), ThreadId(10), ThreadId(2))),
        Bag((ThreadId(10),)).plus(ThreadId(2), ThreadId(2)),
    )
    assert freezer.freeze(one) == freezer.freeze(Bag(reversed(one)))
    assert Thawer(lambda number: number).thaw(freezer.freeze(Bag(reversed(one)))) == (2, 2, 10)
    assert one.minus(ThreadId(2)) == (10,) == other.minus(ThreadId(2))
    assert freezer.freeze(one) != freezer.freeze(tuple(one))


FOLDER = Path(__file__).parents[2] / "models"
MODELS = [each for file in model_files([FOLDER]) for each in load_models(file)]


@pytest.mark.parametrize("each", third(MODELS), ids=lambda each: each.__name__)
def test_instances_of_a_thread_can_be_exchanged(each: type[Model]) -> None:
    """Of all models of fewer than 2,000 states, in which threads are not told their index."""
    if not [*instances(explored(each, states=1).machine)]:
        pytest.skip("no two threads do the same")
    graph = explored(each)
    if graph.stop is not None:
        pytest.skip(str(graph.stop))
    for pair in instances(graph.machine):
        assert without_its_twin(graph, Exchange(graph.machine, *pair).state) == 0
