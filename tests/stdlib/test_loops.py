"""Event loops that threads make, in scripts that Python runs as well."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from families import sample
from loop_scripts import HUNG, outcomes_in_python, script

from interleave import check
from interleave.errors import ModelError
from interleave.result import ModelResult

LOOP = """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever, daemon=True)
thread.start()
"""

END = """
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
print("end")
"""

IN_THREADS = """
threads = [threading.Thread(target=work) for _ in range(2)]
for each in threads: each.start()
for each in threads: each.join()
"""

LOCKED = """
lock, counter = threading.Lock(), 0
async def main():
    global counter
    await asyncio.sleep(0)
    with lock:
        counter += 1
def work():
    asyncio.run(main())
"""

DOUBLE = """
async def double(i):
    await asyncio.sleep(0)
    return 2 * i
"""

# Text, kinds, all that it may print.
SCRIPTS: dict[str, tuple[str, set[str], set[str]]] = {
    "a loop in each of two threads": (LOCKED + IN_THREADS + "print(counter)", set(), {"2"}),
    "a lost update between two loops": (
        LOCKED.replace("with lock", "if True") + IN_THREADS + "print(counter)",
        {"lost-update"},
        {"1", "2"},
    ),
    "one after the other": (
        DOUBLE
        + """
class Total:
    def add(self, i):
        return i + asyncio.run(double(i))
print(sum([Total().add(i) for i in range(3)]))
""",
        set(),
        {"9"},
    ),
    "a coroutine from another thread": (
        DOUBLE + LOOP + "print(asyncio.run_coroutine_threadsafe(double(21), loop).result())" + END,
        set(),
        {"42\nend"},
    ),
    "a coroutine that raises": (
        """
async def fail():
    raise KeyError(1)
"""
        + LOOP
        + """
try:
    asyncio.run_coroutine_threadsafe(fail(), loop).result()
except KeyError as error:
    print(error)
"""
        + END,
        set(),
        {"1\nend"},
    ),
    "a coroutine that is cancelled from another thread": (
        """
seen = []
async def wait():
    try:
        await asyncio.Event().wait()
    finally:
        seen.append("cancelled")
"""
        + LOOP
        + """
future = asyncio.run_coroutine_threadsafe(wait(), loop)
seen.append(future.cancel())
"""
        + END
        + "print(seen)",
        set(),
        {"end\n[True]", "end\n[True, 'cancelled']", "end\n['cancelled', True]"},
    ),
    "coroutines that threads hand to each other": (
        """
async def show(i):
    print(i)
async def main():
    queue = asyncio.Queue()
    await queue.put(show(1))
    await (await queue.get())
thread = threading.Thread(target=asyncio.run, args=(main(),))
thread.start()
thread.join()
""",
        set(),
        {"1"},
    ),
    "a coroutine that is awaited twice": (
        DOUBLE
        + """
async def main():
    queue = asyncio.Queue()
    coro = double(1)
    for _ in range(2):
        await queue.put(coro)
        try:
            print(await (await queue.get()))
        except RuntimeError as error:
            print(error)
asyncio.run(main())
""",
        set(),
        {"2\ncannot reuse already awaited coroutine"},
    ),
    "a bridge to a loop that runs in a thread": (
        """
class Bridge:
    def __init__(self):
        self.is_ready, self.items = threading.Event(), []
        self.thread = threading.Thread(target=self.run)
    def run(self):
        asyncio.run(self.main())
    async def main(self):
        self.loop, self.queue = asyncio.get_running_loop(), asyncio.Queue()
        self.is_ready.set()
        self.items.append(await self.queue.get())
bridge = Bridge()
bridge.thread.start()
bridge.is_ready.wait()
bridge.loop.call_soon_threadsafe(bridge.queue.put_nowait, 1)
bridge.thread.join()
print(bridge.items)
""",
        set(),
        {"[1]"},
    ),
    "what asyncio.run leaves behind": (
        """
done = []
async def forever():
    try:
        await asyncio.Event().wait()
    finally:
        done.append("task")
async def main():
    asyncio.create_task(forever())
    asyncio.get_running_loop().run_in_executor(None, done.append, "thread")
    await asyncio.sleep(0)
asyncio.run(main())
print(sorted(done))
""",
        set(),
        {"['task', 'thread']", "['thread']"},
    ),
    "the thread that runs a loop": (
        """
lock, local = threading.RLock(), threading.local()
async def nested():
    with lock:
        print(local.value, threading.current_thread() is thread)
async def main():
    local.value = 1
    with lock:
        await nested()
thread = threading.Thread(target=lambda: asyncio.run(main()))
thread.start()
thread.join()
""",
        set(),
        {"1 True"},
    ),
    "a loop that is set for a thread": (
        DOUBLE
        + """
def work():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    seen.append(asyncio.get_event_loop() is loop)
    seen.extend(loop.run_until_complete(asyncio.gather(double(1), double(2))))
    seen.append(loop.run_until_complete(asyncio.ensure_future(double(3))))
    seen.append(asyncio.run(double(4)))
    try:
        asyncio.get_event_loop()
    except RuntimeError:
        seen.append("none")
seen = []
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(seen)
""",
        set(),
        {"[True, 2, 4, 6, 8, 'none']"},
    ),
    "a runner, and what it leaves behind": (
        DOUBLE
        + """
seen = []
async def forever():
    try:
        await asyncio.Event().wait()
    finally:
        seen.append("cancelled")
async def main():
    asyncio.create_task(forever())
    await asyncio.sleep(0)
with asyncio.Runner() as runner:
    print(runner.run(double(1)), runner.run(double(2)))
    runner.run(main())
try:
    runner.get_loop()
except RuntimeError as error:
    print(error, seen)
""",
        set(),
        {"2 4\nRunner is closed ['cancelled']", "2 4\nRunner is closed []"},
    ),
    "a loop that is shut down by hand": (
        DOUBLE
        + """
def work():
    loop = asyncio.new_event_loop()
    try:
        print(loop.run_until_complete(double(1)))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
thread = threading.Thread(target=work)
thread.start()
thread.join()
""",
        set(),
        {"2"},
    ),
    "a loop that two threads run": (
        """
loop, seen = asyncio.new_event_loop(), []
def work():
    coro = asyncio.sleep(0)
    try:
        loop.run_until_complete(coro)
        seen.append("ran")
    except RuntimeError as error:
        coro.close()
        seen.append(str(error))
"""
        + IN_THREADS
        + "print(sorted(seen))",
        set(),
        {"['ran', 'ran']", "['This event loop is already running', 'ran']"},
    ),
    "a loop that is closed": (
        DOUBLE
        + """
loop = asyncio.new_event_loop()
future = loop.create_future()
threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, 1)).start()
print(loop.run_until_complete(future), loop.run_until_complete(loop.create_task(double(2))))
loop.close()
coro = double(3)
for use, given in ((loop.call_soon, print), (loop.create_task, coro), (asyncio.run, None)):
    try:
        use(given)
    except (RuntimeError, ValueError) as error:
        print(error, loop.is_running(), loop.is_closed())
""",
        set(),
        {
            "1 4\nEvent loop is closed False True\nEvent loop is closed False True"
            "\na coroutine was expected, got None False True"
        },
    ),
}

BESIDE_A_PROCESS = """
import multiprocessing
async def add(value):
    value.value += 1
def reset(value):
    value.value = 5
if __name__ == "__main__":
    value = multiprocessing.RawValue("i", 0)
    process = multiprocessing.Process(target=reset, args=(value,))
    process.start()
    asyncio.run(add(value))
    process.join()
    print(value.value)
"""

DONE = """
done = threading.Event()
"""

# Text, kinds, part of what is said.
MISTAKES: dict[str, tuple[str, set[str], str]] = {
    "call_soon from another thread": (
        DONE + LOOP + "loop.call_soon(done.set)\ndone.wait()",
        {"deadlock"},
        "main waits for done",
    ),
    "stop from another thread": (
        LOOP + "loop.stop()\nthread.join()",
        {"deadlock"},
        "the event loop sleeps, and the thread did not wake it",
    ),
    "a future that another thread sets": (
        """
async def main():
    future = asyncio.get_running_loop().create_future()
    threading.Thread(target=future.set_result, args=(1,)).start()
    await future
asyncio.run(main())
""",
        {"deadlock"},
        "the event loop sleeps, and the thread did not wake it",
    ),
    "a queue that another thread puts into": (
        """
async def main():
    queue = asyncio.Queue()
    threading.Thread(target=queue.put_nowait, args=(1,)).start()
    await queue.get()
asyncio.run(main())
""",
        {"deadlock"},
        "the event loop sleeps, and the thread did not wake it",
    ),
    "a result that is waited for in the thread of the loop": (
        DOUBLE
        + """
async def main():
    loop = asyncio.get_running_loop()
    return asyncio.run_coroutine_threadsafe(double(1), loop).result()
asyncio.run(main())
""",
        {"deadlock"},
        "it blocks the whole event loop",
    ),
    "a loop that stops before it has run what it was given": (
        DOUBLE
        + LOOP
        + """
threading.Thread(target=loop.call_soon_threadsafe, args=(loop.stop,)).start()
asyncio.run_coroutine_threadsafe(double(1), loop).result()
""",
        {"deadlock"},
        "double-1 waits for event loop-1: no thread runs that",
    ),
    "a loop that is closed while it is given something": (
        DOUBLE
        + """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=lambda: asyncio.run_coroutine_threadsafe(double(1), loop))
thread.start()
loop.close()
thread.join()
""",
        {"exception"},
        "Event loop is closed",
    ),
    "asyncio.run in a task": (
        DOUBLE
        + """
async def main():
    asyncio.run(double(1))
asyncio.run(main())
""",
        {"exception"},
        "asyncio.run() cannot be called from a running event loop",
    ),
    "a future of another loop": (
        """
future = asyncio.new_event_loop().create_future()
async def main():
    await future
asyncio.run(main())
""",
        {"exception"},
        "attached to a different loop",
    ),
    "state of a loop that another thread changes": (
        """
n = 0
async def count():
    global n
    n += 1
def work():
    global n
    n += 1
thread = threading.Thread(target=work)
thread.start()
asyncio.run(count())
""",
        {"lost-update"},
        "the write of",
    ),
}

# What binds it to a loop.
BOUND = {
    "lock": ("asyncio.Lock()", "async with it: await asyncio.sleep(0)"),
    "condition": ("asyncio.Condition()", "async with it: await it.wait()"),
    "joined queue": ("asyncio.Queue()", "it.put_nowait(1); await it.join()"),
    "semaphore": ("asyncio.Semaphore(1)", "async with it: await asyncio.sleep(0)"),
    "event": ("asyncio.Event()", "await it.wait()"),
    "queue": ("asyncio.Queue()", "await it.get()"),
}


def found_in(folder: Path, text: str, engine: str = "auto") -> ModelResult:
    """The result of the check of a script."""
    (found,) = check(written(folder, text), engine=engine).models
    return found


def written(folder: Path, text: str) -> Path:
    """A script in a folder."""
    file = folder / "script.py"
    file.write_text("import asyncio, threading\n" + text)
    return file


def printed(found: ModelResult) -> set[str]:
    """What is printed in each outcome."""
    assert found.interleavings is not None
    texts = [str(dict(each.state)["print"]) for each in found.interleavings.outcomes]
    lines = [ast.literal_eval(f"({each},)") if each != "nothing" else () for each in texts]
    return {"\n".join(each).strip() for each in lines}


@pytest.mark.parametrize("case", SCRIPTS)
def test_what_is_found(tmp_path: Path, case: str) -> None:
    text, kinds, wanted = SCRIPTS[case]
    first, second = (found_in(tmp_path, text, each) for each in ("reference", "native"))
    assert {each.kind for each in first.violations} == kinds
    assert printed(first) == wanted
    assert (first.states, first.interleavings) == (second.states, second.interleavings)


@pytest.mark.parametrize("case", [each for each in SCRIPTS if not SCRIPTS[each][1]])
def test_what_is_printed_by_python(tmp_path: Path, case: str) -> None:
    text, _, outcomes = SCRIPTS[case]
    file = written(tmp_path, text)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() in outcomes, done.stderr


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(tmp_path: Path, case: str) -> None:
    text, kinds, said = MISTAKES[case]
    found = found_in(tmp_path, text)
    assert {each.kind for each in found.violations} == kinds
    assert any(said in each.message for each in found.violations)


@pytest.mark.parametrize("seed", sample(2, [4, 7, *range(8, 40)]))
def test_random_scripts(tmp_path: Path, seed: int) -> None:
    """What comes of them in Python is among what comes of them here, on both engines."""
    file = tmp_path / "script.py"
    file.write_text(script(seed))
    (first,), (second,) = (check(file, engine=each).models for each in ("reference", "native"))
    assert (first.states, first.interleavings) == (second.states, second.interleavings)
    real = outcomes_in_python(script(seed), runs=8)
    assert {"" if each == HUNG else each for each in real} <= printed(first)


def test_a_process_runs_between_two_lines_of_a_task(tmp_path: Path) -> None:
    assert printed(found_in(tmp_path, BESIDE_A_PROCESS)) == {"1", "5", "6"}


ENDS_OF_DAEMONS = """
async def main():
    threading.Thread(target=threading.Event().wait).start()
asyncio.run(main())
"""


def test_a_thread_that_a_task_starts_is_waited_for(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, ENDS_OF_DAEMONS).violations
    assert found.kind == "deadlock"


REFUSED = {
    "loop.run_until_complete(asyncio.get_event_loop().create_future())": "none is running",
    "asyncio.run(asyncio.sleep(0), debug=True)": "debug mode",
    "asyncio.Runner(debug=True)": "debug mode",
    "asyncio.wrap_future(future)": "asyncio.wrap_future",
    "asyncio.run(both())": "futures of several event loops",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_refused(tmp_path: Path, statement: str) -> None:
    text = f"""
loop = asyncio.new_event_loop()
future = loop.create_future()
async def both():
    await asyncio.wait([future, asyncio.get_running_loop().create_future()])
thread = threading.Thread(target=print)
thread.start()
{statement}
"""
    with pytest.raises(ModelError, match=REFUSED[statement]) as error:
        found_in(tmp_path, text)
    assert error.value.remedy
    assert error.value.place is not None


SIGNALS = """
import signal
async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
"""


def test_signals_are_for_the_loop_of_the_main_thread(tmp_path: Path) -> None:
    text = SIGNALS + "thread = threading.Thread(target=lambda: asyncio.run(main()))\nthread.start()"
    (found,) = found_in(tmp_path, text).violations
    assert "set_wakeup_fd only works in main thread" in found.message


def test_a_loop_in_a_thread_that_a_handler_interrupts_is_refused(tmp_path: Path) -> None:
    text = SIGNALS + "signal.signal(signal.SIGTERM, print)\nasyncio.run(main())"
    with pytest.raises(ModelError, match="that a handler of a signal interrupts"):
        found_in(tmp_path, text)


def test_a_process_that_makes_a_loop_is_refused(tmp_path: Path) -> None:
    text = BESIDE_A_PROCESS.replace("    value.value = 5", "    asyncio.run(add(value))")
    with pytest.raises(ModelError, match="a process makes an event loop"):
        found_in(tmp_path, text)


@pytest.mark.parametrize("case", sample(3, [*BOUND]))
def test_what_is_bound_to_a_loop(tmp_path: Path, case: str) -> None:
    makes, uses = BOUND[case]
    text = f"""
it = {makes}
async def use():
    {uses}
async def main():
    tasks = [asyncio.create_task(use()) for _ in range(2)]
    await asyncio.sleep(0.01)
    for each in tasks:
        each.cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    print([type(each).__name__ for each in found if isinstance(each, RuntimeError)])
asyncio.run(main())
asyncio.run(main())
"""
    ours = printed(found_in(tmp_path, text))
    done = subprocess.run(
        [sys.executable, written(tmp_path, text)], capture_output=True, text=True, timeout=20
    )
    assert "RuntimeError" in done.stdout
    assert done.stdout.strip() in ours


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("import asyncio as aio", "aio.run(main())"),
        ("from asyncio import run", "run(main())"),
        ("import asyncio\ndef helper(): asyncio.run(main())", "helper()"),
        ("import asyncio\nclass Client:\n    def go(self): asyncio.run(main())", "Client().go()"),
    ],
)
def test_the_order_is_for_loops_that_anything_makes(tmp_path: Path, head: str, body: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        f"from interleave import Model, thread\n{head}\nasync def main(): pass\n"
        f"class M(Model):\n    @thread\n    def go(self):\n        {body}\n"
    )
    (found,) = check(file, order="fifo").models
    assert found.parameters == {"ORDER": "fifo"}
