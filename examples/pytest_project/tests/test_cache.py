"""A function under `@explore` is a test as it is; others assert what a check must find."""

import interleave
import pytest
from cache import Cache, LockedCache
from interleave import Model, at_end, thread


@interleave.explore
def test_one_wins(n=2):
    cache, won = LockedCache(), []

    @thread(n)
    def adder(i):
        won.append(cache.add("key", i))

    @at_end
    def one_wins():
        assert won.count(True) == 1


class TwoAdders(Model):
    cache = Cache()

    @thread(2)
    def adder(self, i):
        self.cache.add("key", i)


class TwoLockedAdders(TwoAdders):
    cache = LockedCache()


def test_a_lock_is_needed():
    interleave.assert_violates(TwoAdders, "lost-update")


def test_a_lock_is_enough():
    interleave.assert_verified(TwoLockedAdders)


@pytest.mark.interleave(runtime="gil", max_states=1_000)
def test_the_gil_hides_that():
    interleave.assert_verified(TwoAdders)
