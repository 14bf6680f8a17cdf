"""What locks of all libraries share: how one is taken and given back, and who holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from interleave.memory.primitive import Primitive
from interleave.stdlib.timeouts import begin_waiting


class InWith(Primitive):
    """One that `with` takes and gives back, by `acquire` and `release`."""

    def acquire(self) -> bool:
        """Take it."""
        raise NotImplementedError

    def release(self) -> None:
        """Give it back."""
        raise NotImplementedError

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Holdable(InWith):
    """One that has `take` and `give`.

    What `acquire` takes for arguments, each library has its own rules for.
    """

    def take_or_wait(self, *, waits: bool, timeout: float | None = None) -> bool:
        """Take it. Where it cannot: wait, or return False if not to wait for ever.

        A timeout may expire whenever it is not to be had, so that an acquire with one always has a
        step to take.
        """
        waiting = begin_waiting(timeout)

        def effect() -> bool:
            if self.take():
                return True
            if waits:
                self.block()
            waiting.expire()
            return False

        return bool(self.operate("acquire" if waits else "try acquire", effect))

    def release(self) -> None:
        """Give it back. Raises what the real one raises."""
        self.operate("release", self.give)

    def take(self) -> bool:
        """Take it, within an access; False where it is not to be had."""
        raise NotImplementedError

    def give(self) -> None:
        """Give it back, within an access."""
        raise NotImplementedError


class Unowned(Primitive):
    """A lock that has no owner. State: whether it is locked. Any thread may give it back."""

    excludes = True

    @classmethod
    def describe(cls, state: Any) -> str:
        return "locked" if state else "unlocked"

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        return last_taker(state, history)

    @classmethod
    def holders_after(
        cls, holders: tuple[int, ...], thread: int, before: Any, after: Any
    ) -> tuple[int, ...]:
        return taker(holders, thread, taken_before=before, taken=after)

    def take(self) -> bool:
        """Take it, within an access; False where it is not to be had."""
        if self.state:
            return False
        self.state = True
        return True


def last_taker(
    state: Any,
    history: Iterable[tuple[int, Any, Any]],
    is_taken: Callable[[Any], bool] = bool,
) -> tuple[int, ...]:
    """Who holds a lock that has no owner: whoever took it last. See `Primitive.holders`."""
    takers = [
        thread for thread, before, after in history if is_taken(after) and not is_taken(before)
    ]
    return tuple(takers[-1:]) if is_taken(state) else ()


def taker(
    holders: tuple[int, ...], thread: int, *, taken_before: bool, taken: bool
) -> tuple[int, ...]:
    """The same after an access of `thread`. See `Primitive.holders_after`."""
    if not taken:
        return ()
    return holders if taken_before else (thread,)
