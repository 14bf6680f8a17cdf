"""Random scripts in which threads run event loops, and what Python makes of them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import textwrap

HUNG = "hung"

STATEMENTS = (
    "await asyncio.sleep(0)",
    "log.append('{name}')",
    "seen = len(log); await asyncio.sleep(0); log.append(seen)",
    "async with alock: log.append('a'); await asyncio.sleep(0)",
    "with lock: log.append('l')",
    "await queue.put(1)",
    "log.append(await queue.get())",
    "log.append(await asyncio.to_thread(len, log))",
    "log.append(await asyncio.create_task(child()))",
    "asyncio.create_task(child())",
    "asyncio.get_running_loop().call_soon(log.append, 'c')",
    "raise KeyError(7)",
)
"""What coroutines do."""

FROM_OUTSIDE = (
    "loop.call_soon_threadsafe(log.append, 't')",
    "loop.call_soon(log.append, 's')",
    "log.append(futures[0].cancel())",
    "loop.call_soon_threadsafe(queue.put_nowait, 2)",
    "queue.put_nowait(3)",
)
"""What another thread does with the loop."""

HEAD = """
import asyncio, threading
lock, alock, queue, log = threading.RLock(), asyncio.Lock(), asyncio.Queue(), []
async def child():
    await asyncio.sleep(0)
    return 'r'
"""

TWO = """
def work(coro):
    try:
        log.append(asyncio.run(coro()))
    except Exception as error:
        log.append(type(error).__name__)
threads = [threading.Thread(target=work, args=(each,), daemon=True) for each in (p, q)]
for each in threads: each.start()
for each in threads: each.join()
"""

ONE = """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever, daemon=True)
thread.start()
futures = [asyncio.run_coroutine_threadsafe(each(), loop) for each in (p, q)]
{outside}
for each in futures:
    try:
        log.append(each.result())
    except BaseException as error:
        log.append(type(error).__name__)
loop.call_soon_threadsafe(loop.stop)
thread.join()
"""


def script(seed: int) -> str:
    """A script: two threads that each run a loop, or one that is given coroutines."""
    chance = random.Random(seed)
    text = HEAD
    for name in ("p", "q"):
        body = chance.choices(STATEMENTS, k=chance.randint(1, 2))
        lines = [each.format(name=name) for each in (*body, "return '{name}'")]
        text += f"async def {name}():\n" + textwrap.indent("\n".join(lines), "    ") + "\n"
    outside = chance.choices(FROM_OUTSIDE, k=chance.randint(0, 1))
    text += TWO if seed % 2 else ONE.format(outside="\n".join(outside))
    return text + "print(log)\n"


RUN = f"""
import io, json, logging, sys, threading, warnings
text, runs = json.load(sys.stdin)
code = compile(text, "script", "exec")
logging.disable()
warnings.simplefilter("ignore")
sys.setswitchinterval(1e-6)
found = []
for _ in range(runs):
    printed = io.StringIO()
    names = {{"__name__": "__main__", "print": lambda *args: print(*args, file=printed)}}
    thread = threading.Thread(target=exec, args=(code, names), daemon=True)
    thread.start()
    thread.join(3)
    found.append({HUNG!r} if thread.is_alive() else printed.getvalue().strip())
    if thread.is_alive():
        break
print(json.dumps(found), flush=True)
import os
os._exit(0)
"""


def outcomes_in_python(text: str, runs: int) -> set[str]:
    """What a script prints in some runs; `HUNG` where it does not come to an end."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([text, runs]),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(json.loads(done.stdout))
