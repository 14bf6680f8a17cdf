"""Interruptions up to CPython 3.11: each thread has a trace function that sees its instructions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from interleave.replay.points import Points


class Interruptions:
    """`reach` is called at the points of what threads run."""

    def __init__(self, points: Points, reach: Callable[[], None]) -> None:
        self._points = points
        self._reach = reach

    @contextmanager
    def enabled(self) -> Iterator[None]:
        """Meanwhile threads can be interrupted."""
        yield

    @contextmanager
    def of_this_thread(self) -> Iterator[None]:
        """What the calling thread runs meanwhile is interrupted."""
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(before)

    def end(self, frame: FrameType, error: type[BaseException]) -> None:
        """Raise an exception in a frame of an interrupted thread, as soon as it goes on."""

        def on_event(frame: FrameType, event: str, argument: object) -> None:
            raise error

        frame.f_trace = on_event
        frame.f_trace_lines = True

    def _on_call(self, frame: FrameType, event: str, argument: object) -> Any:
        points = self._points(frame.f_code)
        if not points:
            return None

        def at_instruction(frame: FrameType, event: str, argument: object) -> Any:
            if event == "opcode" and frame.f_lasti in points:
                self._reach()
            return at_instruction

        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return at_instruction
