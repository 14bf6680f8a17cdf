"""The net beneath: what the code of a model can name is compared with what it was.

A search runs copies of the model's functions on what stands for its objects, so that nothing real
ever changes. What changes all the same was hidden from it, and then no verdict speaks of it.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from interleave.compiler.source import place_of_function
from interleave.errors import ModelError, Place
from interleave.interrupts import held_back
from interleave.world.chance import drawn, left_to_chance, was_drawn
from interleave.world.policy import is_standard
from interleave.world.snapshot import Difference, Snapshot

_REMEDY = (
    "keep it in an attribute of the model, or in a list, dict or object that is in one; leave out "
    "what no thread goes by, such as a cache or a log"
)


MOST_CASES = 100_000
"""Cases that are remembered, to be run again where something has changed."""


class _Case(NamedTuple):
    """Code that was run: of whom, in which function, and what runs it again."""

    who: str
    function: Any
    again: Callable[[], object]


class RealState:
    """Knows what real objects were like before a model was run, and what has run since."""

    def __init__(self, model: type) -> None:
        self.before = Snapshot([model])
        self.made = Snapshot()
        """What stands for functions and classes in the program that runs, as it was made."""
        self._cases: deque[_Case] = deque(maxlen=MOST_CASES)
        """What has run since everything was last known to be as it was."""
        self._count = 0
        self._due = 1
        self._is_searching_for_line = False
        self._drawn = drawn()

    def __enter__(self) -> None:
        """Put everything back if an exception leaves this."""

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            with held_back():
                self._restore()

    def _restore(self) -> None:
        self.before.restore()
        self.made.restore()

    def note(self, who: str, function: Any, again: Callable[[], object]) -> None:
        """Note that code was run."""
        if not self._is_searching_for_line:
            self._cases.append(_Case(who, function, again))

    def ran(self, who: str, function: Any, again: Callable[[], object]) -> None:
        """Note that code was run. Compares whenever that was twice as often as the last time.

        Raises `ModelError` where something is not as it was.
        """
        if self._is_searching_for_line:
            return
        self.note(who, function, again)
        self._count += 1
        if self._count >= self._due:
            self._due = 2 * self._count
            self.compare()

    def compare(self) -> None:
        """Raise `ModelError` where something is not as it was. Puts it back."""
        if self._cases and was_drawn(self._drawn):
            raise left_to_chance(place_of_function(self._cases[0].function))
        if not self._cases or (self.before.is_unchanged and self.made.is_unchanged):
            self._cases.clear()
            return
        changed = self.before.changed(self.made)
        differences = changed.differences()
        with self._searching_for_line():
            raise self._error(changed, differences)

    @contextmanager
    def _searching_for_line(self) -> Iterator[None]:
        self._is_searching_for_line = True
        try:
            yield
        finally:
            self._is_searching_for_line = False
            self._cases.clear()
            with held_back():
                self._restore()

    def _error(self, changed: Snapshot, differences: list[Difference]) -> ModelError:
        """Says what has changed, and who changes it: cases are run again to find that out."""
        changed.begin_again()
        for case in self._cases:
            with suppress(Exception):
                case.again()
            if not changed.is_unchanged:
                changed.begin_again()
                place = _line_that_changes(changed, case.again)
                what = _in_words(changed.differences() or differences)
                return ModelError(
                    f"{case.who} changes {what} where interleave does not see it",
                    remedy=_REMEDY,
                    place=place or place_of_function(case.function),
                )
        ran = dict.fromkeys(case.who for case in self._cases)
        by = f"one of {', '.join(ran)}" if len(ran) > 1 else ", ".join(ran) or "something"
        return ModelError(
            f"{by} has changed {_in_words(differences)} where interleave does not see it",
            remedy=_REMEDY,
            place=place_of_function(self._cases[0].function) if self._cases else None,
        )


def _in_words(differences: list[Difference]) -> str:
    first, more = differences[0], len(differences) - 1
    words = f"{first.where} (it was {first.was}, it is {first.now})"
    return f"{words} and {more} more" if more else words


def _line_that_changes(changed: Snapshot, again: Callable[[], object]) -> Place | None:
    """The line of the user's code that changes something, when it is run again."""
    last: Place | None = None
    found: Place | None = None

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal last, found
        if found is None and last is not None and not changed.is_unchanged:
            found = last
        module = str(frame.f_globals.get("__name__"))
        is_made = frame.f_code.co_filename.startswith("<")  # as `namedtuple` makes code of its own
        if is_made or is_standard(module) or module.startswith("interleave."):
            return None
        if event == "line":
            last = Place(frame.f_code.co_filename, frame.f_lineno)
        return trace

    usual = sys.gettrace()
    sys.settrace(trace)
    try:
        again()
    except Exception:  # noqa: S110  (it is only run for what it changes)
        pass
    finally:
        sys.settrace(usual)
    return found or (None if changed.is_unchanged else last)
