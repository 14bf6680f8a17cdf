"""How pools of processes hand calls over to their workers.

A thread of the parent pickles them, some time after they were given: see `multiprocessing.queues`,
whose feeder does so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.identity import ThreadName
from interleave.memory.port import BETWEEN, Location, current_port
from interleave.memory.primitive import stepwise
from interleave.stdlib.multiprocessing.locks import Between
from interleave.stdlib.multiprocessing.messages import Packed, pack


class Handing(Between):
    """What hands calls over to worker processes. Its state has `tasks`: triples, of which the last
    item is a message with a function and the arguments of calls.
    """

    WHAT = "a pool"

    def on_their_way(self) -> tuple[Any, ...]:
        """The messages that may have to be pickled yet, within an access: those of the tasks."""
        return tuple(message for _, _, message in self.state.tasks)

    def is_feeding(self) -> bool:
        """Whether there are any."""
        return bool(self.on_their_way())

    def is_to_copy(self, location: Location) -> bool:
        """Whether what is at a location is a part of one."""
        return any(type(each) is Packed and each.copies(location) for each in self.on_their_way())

    def changed_too_soon(self) -> ModelError:
        """What is to be said of a change that a worker may see, or not."""
        return ModelError(
            f"this changes, or shares, what {self.WHAT} was given for a call, while it may have to "
            "be pickled yet: either arrives, what it was or what it becomes",
            remedy="give it a copy, as in submit(work, list(items))",
        )

    def leave(self) -> None:
        """The end of a process waits for nothing here: the parent's threads do."""

    def lose(self, process: ThreadName) -> None:
        """A process that is killed gives no calls."""

    def _packed(self, func: Callable[..., Any], calls: Any) -> Any:
        """A message with calls of a function. Raises `ModelError` for what cannot be pickled."""
        if getattr(func, "__name__", "") == "<lambda>":
            raise ModelError(
                f"{self.WHAT} is given a lambda, which cannot be pickled",
                remedy="give it a function with a name, at the top level of the file",
            )
        current_port().know(BETWEEN)
        return pack((func, calls), late=True)

    def _check_unchanged(self, message: Any, func: Callable[..., Any], calls: Any) -> None:
        """Stop where others have changed what was packed, within the access that gives it."""
        if type(message) is Packed and not message.is_as((func, calls)):
            current_port().halt(self.changed_too_soon())


@stepwise
def results_of(function: Callable[..., Any], calls: list[Any]) -> list[Any]:
    """What calls of a function give."""
    results = []
    for args, kwargs in calls:
        given = function(*args, **kwargs)
        results.append(given)
    return results
