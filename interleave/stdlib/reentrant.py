"""What the `RLock` of `threading` and that of `multiprocessing` have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive


class Reentrant(Primitive):
    """A lock that its owner may take again. State: None, or (owner, how many times it holds it).

    All but what Python asks of a class is done within an access.
    """

    excludes = True

    not_owned: ClassVar[Exception]
    """What is raised by a thread that gives back what it does not hold."""

    @classmethod
    def describe(cls, state: Any) -> str:
        return "unlocked" if state is None else f"locked x {state[1]}"

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        return () if state is None else (state[0],)

    def is_owned(self) -> bool:
        """Whether the running thread holds it."""
        return self.state is not None and self.state[0] == current_port().runner

    def is_free(self) -> bool:
        """Whether the running thread could take it."""
        return self.state is None or self.is_owned()

    def let_go(self) -> int:
        """Give it back altogether; how often it was held."""
        depth: int = self.state[1]
        self.state = None
        return depth

    def take_back(self, depth: int) -> None:
        """Take it as often as `let_go` has said. Nobody may hold it."""
        self.state = (current_port().runner, depth)

    def take(self) -> bool:
        """Take it, or take it once more; False where another thread holds it."""
        if not self.is_free():
            return False
        depth = 0 if self.state is None else self.state[1]
        self.state = (current_port().runner, depth + 1)
        return True

    def give(self) -> None:
        """Give it back once."""
        if not self.is_owned():
            raise type(self.not_owned)(*self.not_owned.args)
        owner, depth = self.state
        self.state = (owner, depth - 1) if depth > 1 else None
