"""What a call has given: a primitive that no other thread looks at, which keeps a picture of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, NamedTuple

from interleave.machine.pictures import Picture, words_of
from interleave.memory.own import Own, new
from interleave.memory.port import AccessKind, current_port


class Given(NamedTuple):
    """What came of a call, as it was when it came."""

    how: Literal["returned", "raised"]
    what: Picture


class CallResult(Own):
    """What a call has returned or raised; None before that.

    To keep it is part of the last step of the call: a thread has for itself what it is given.
    """

    @classmethod
    @lru_cache
    def known(cls) -> frozenset[str]:
        return frozenset(("returned", "raised"))

    @classmethod
    def zero(cls) -> Given | None:
        return None

    @classmethod
    def is_told(cls, state: Given | None) -> bool:
        return state is not None

    @classmethod
    def describe(cls, state: Given | None) -> str:
        if state is None:
            return "none yet"
        how = "" if state.how == "returned" else "raised "
        return how + words_of(state.what)

    @classmethod
    def said_of(cls, state: Given | None) -> str:
        if state is None or state.how == "raised":  # of which the step tells
            return ""
        words = cls.describe(state)
        return "" if words == "None" else f"returns {words}"

    def tells(self, before: Any, after: Any) -> bool:
        return False

    def returned(self, value: Any, beyond: Any) -> None:
        """The call has returned a value. What is in `beyond` is no part of it."""
        self._keep("returned", value, beyond)

    def raised(self, error: BaseException, beyond: Any) -> None:
        """The call has raised an exception."""
        self._keep("raised", error, beyond)

    def _keep(self, how: Literal["returned", "raised"], value: Any, beyond: Any) -> None:
        port = current_port()

        def effect() -> None:
            self.overwrite(Given(how, port.picture(value, beyond)))

        port.access(AccessKind("", port.locate(self.location)), effect, private=True)
        port.switch_point()


call_result = new(CallResult)
