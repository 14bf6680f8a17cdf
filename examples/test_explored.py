"""Functions as tests: pytest checks every interleaving of the threads in them.

    pytest examples/test_explored.py

The body of each function is the setup, the functions in it are the threads, and its variables are
what they share. `interleave check examples/test_explored.py` takes the file just as well. The last
test says, by `@expect`, that a bug is still there.
"""

import asyncio
import threading

import interleave
from interleave import at_end, expect, thread


class Cache:
    """The first who adds a key wins."""

    def __init__(self):
        self.items = {}

    def add(self, key, value):
        if key in self.items:
            return False
        self.items[key] = value
        return True


@interleave.explore
def test_one_wins_under_a_lock(n=2):
    cache, won, lock = Cache(), [], threading.Lock()

    @thread(n)
    def adder(i):
        with lock:
            won.append(cache.add("key", i))

    @at_end
    def one_wins():
        assert won.count(True) == 1


@interleave.explore
def test_a_function_that_starts_its_threads():
    won = []
    lock = threading.Lock()

    def claim(name):
        with lock:
            if not won:
                won.append(name)

    threads = [threading.Thread(target=claim, args=(name,)) for name in ("left", "right")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(won) == 1


@interleave.explore
async def test_tasks():
    lock, counter = asyncio.Lock(), 0

    async def count():
        nonlocal counter
        async with lock:
            before = counter
            await asyncio.sleep(0)
            counter = before + 1

    await asyncio.gather(count(), count())
    assert counter == 2


@expect("lost-update", "postcondition")
@interleave.explore
def test_without_a_lock_two_may_win():
    cache, won = Cache(), []

    @thread(2)
    def adder(i):
        won.append(cache.add("key", i))

    @at_end
    def one_wins():
        assert won.count(True) == 1
