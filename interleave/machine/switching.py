"""When other threads may run between two accesses of a thread.

From CPython 3.11 on, a thread that holds the GIL may have to give it up on entering or resuming
Python code, after a call, at the back-edge of a loop, and where it waits. Calls and loops can be
seen in the source; a property, an operator, a comparison or a hash of a class of the user's cannot.
What code does that runs as it is, its instructions tell (`machine.unmarked`).
Source: Python/ceval.c and Python/bytecodes.c, CPython 3.12: the places that check `eval_breaker`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from interleave.compiler.emit import MARKED
from interleave.errors import ModelError
from interleave.machine.halting import Ending
from interleave.machine.unmarked import UnmarkedCode
from interleave.memory.looking import LOOKS_ONLY
from interleave.world.profiling import set_profile

_OURS = str(Path(__file__).parent.parent)
"""Where this package is."""

_PASSING_ON = tuple(
    str(Path(_OURS, *parts))
    for parts in (
        ("memory", ""),
        ("stdlib", ""),
        ("world", "instances.py"),
        ("world", "twins.py"),
        ("world", "accessors.py"),
        ("world", "reflection.py"),
        ("compiler", "__init__.py"),
        ("compiler", "names.py"),
        ("compiler", "operators.py"),
        ("machine", "attributes.py"),
    )
)
"""Folders and files of it that call the user's code where Python itself would: a property, a key
function, the `__eq__` of an element. Only what is marked `looks_only` in them does not.
"""

_OURS_TOO = ("abc", "_py_abc", "_collections_abc", "collections")
"""Modules that these files, but that of operators, call for themselves: to ask whether something is
of a class, or for a part of what a container of the library does, of which they have the switches.
"""

_OPERATORS = str(Path(_OURS, "compiler", "operators.py"))
_CONTROL = str(Path(_OURS, "machine", "control.py"))


class Switches:
    """Whether others may run before the next access of a thread.

    `alone`: nobody can, but where a task is suspended. `gil`: only where CPython with a GIL may
    switch threads. `interrupted`: handlers of signals may run there, too, also without a GIL.
    """

    __slots__ = (
        "_ending",
        "_gil",
        "_may_switch",
        "_unmarked",
        "alone",
        "atomic",
        "has_passed",
        "notes_code",
    )

    def __init__(self, ending: Ending, *, alone: bool, gil: bool, interrupted: bool) -> None:
        self.alone = alone
        self._gil = gil
        self.notes_code = gil or interrupted
        """Whether what code comes by between two accesses matters: calls, loops, what it enters."""
        self.atomic = 0
        """How many `with atomic()` the thread is inside of."""
        self.has_passed = False
        """Whether the present block has come by a place where others may run, or a handler."""
        self._may_switch = True
        self._unmarked = UnmarkedCode()
        self._ending = ending

    @property
    def is_due(self) -> bool:
        """Whether others may run now."""
        return self._may_switch and not self.atomic

    def note_access(self) -> None:
        """An access is performed, which others can see."""
        self._may_switch = self.has_passed = not (self._gil or self.alone)

    def note_caller(self, frame: FrameType | None) -> None:
        """Some code performs an access, which `frame` is to do for it.

        What the machine itself has called, an operator say, performs it for no code of the user's.
        """
        while frame is not None and frame.f_code.co_filename.startswith(_OURS):
            if frame.f_code.co_filename == _CONTROL:
                return
            frame = frame.f_back
        if frame is None or MARKED in frame.f_globals:
            return
        if self._unmarked.has_passed_switch(frame):
            self.note_point()

    def note_point(self) -> None:
        """See `Port.switch_point`."""
        if not self.alone:
            self._may_switch = self.has_passed = True

    def suspend(self) -> None:
        """Let whoever can run do so before the next access, for a task awaits something."""
        if self.atomic:
            self._ending.halt(
                ModelError(
                    "a task awaits inside atomic(), where nothing else can run",
                    remedy="end the `with atomic()` before: tasks switch only at an await as it is",
                )
            )
        self._may_switch = True


class noting_python_code:
    """`with noting_python_code(note):` calls `note` whenever code of the user's is entered.

    Not for blocks (their names begin with "#"), nor for code that only this package runs, to look
    at values as Python would not.
    """

    def __init__(self, note: Callable[[], None]) -> None:
        self._note_frame = noting_frames(note)

    def __enter__(self) -> None:
        self._before: Any = sys.getprofile()
        sys.setprofile(self._on_event)

    def __exit__(self, *_: object) -> None:
        set_profile(self._before)

    def _on_event(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            self._note_frame(frame)


def noting_frames(note: Callable[[], None]) -> Callable[[FrameType], None]:
    """What is to be called with each frame that is entered, to call `note` with the user's."""

    def note_frame(frame: FrameType) -> None:
        if not _is_ours(frame) and _runs_for_user(frame):
            note()

    return note_frame


def is_of_this_package(file: str) -> bool:
    """Whether code stands in this package."""
    return file.startswith(_OURS)


def _is_ours(frame: FrameType) -> bool:
    code = frame.f_code
    return (
        code.co_filename.startswith(_OURS)
        or code.co_name.startswith("#")
        # What makes a named tuple, ours or the user's, touches nothing that is shared.
        or frame.f_globals.get("__name__", "").startswith("namedtuple_")
    )


def _runs_for_user(frame: FrameType) -> bool:
    """Whether the user's code has entered a frame, directly or through a library."""
    first, caller = frame, frame.f_back
    while caller is not None and not _is_ours(caller):
        first, caller = caller, caller.f_back
    if caller is None:
        return False
    if caller.f_code.co_name.startswith("#"):
        return True
    is_for_ours = first.f_globals.get("__name__") in _OURS_TOO
    return _passes_on(caller) and (not is_for_ours or caller.f_code.co_filename == _OPERATORS)


def _passes_on(ours: FrameType) -> bool:
    """Whether a frame of this package calls what Python itself would call there."""
    if not ours.f_code.co_filename.startswith(_PASSING_ON):
        return False
    each: FrameType | None = ours
    while each is not None and each.f_code.co_filename.startswith(_OURS):
        if each.f_code in LOOKS_ONLY:
            return False
        each = each.f_back
    return True
