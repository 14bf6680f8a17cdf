"""How the run of a block is cut short."""

from __future__ import annotations

from typing import Literal, NoReturn

from interleave.errors import InterleaveError
from interleave.memory.port import Unrecoverable


class Halt(Unrecoverable):
    """Unwinds a block whose run is over. No code of the model keeps it from ending."""


class Ending:
    """Whether the run of the present block was cut short, and by what.

    Code of the model may catch `Halt`. From then on, nothing that it does takes effect.
    """

    __slots__ = ("error", "how")

    def __init__(self) -> None:
        self.how: Literal["", "suspended", "blocked", "error"] = ""
        self.error: BaseException | None = None
        """What the search is to be told, where `how` is "error"."""

    def suspend(self) -> NoReturn:
        """The thread has come to an access that is for its next step."""
        self.how = "suspended"
        raise Halt

    def block(self) -> NoReturn:
        """The access with which the step begins cannot proceed in this state."""
        self.how = "blocked"
        raise Halt

    def fail(self, error: BaseException) -> NoReturn:
        """The model is at fault, or its program must be made again."""
        self.how = "error"
        self.error = error
        raise Halt

    def halt(self, error: InterleaveError) -> NoReturn:
        """The model is at fault: see `Port.halt`."""
        self.fail(error)
