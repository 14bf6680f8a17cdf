"""Interruptions from CPython 3.12 on, by `sys.monitoring`.

There, trace functions are built on it too, and are no way for this: of a function that is traced
for the first time, 3.13.0 may leave out the instructions, and 3.12.1 may crash.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

from interleave.replay.points import Points

assert sys.version_info >= (3, 12)  # where mypy takes an earlier one for granted, it ends here

monitoring = sys.monitoring

TOOL = 3
"""Of the numbers of tools, the first that CPython gives no meaning."""

NAME = "interleave.replay"


class Interruptions:
    """`reach` is called at the points of what threads run."""

    def __init__(self, points: Points, reach: Callable[[], None]) -> None:
        self._points = points
        self._reach = reach
        self._threads: set[int] = set()
        self._watched: list[CodeType] = []
        self._ended: dict[int, type[BaseException]] = {}

    @contextmanager
    def enabled(self) -> Iterator[None]:
        """Meanwhile threads can be interrupted."""
        events = monitoring.events
        monitoring.use_tool_id(TOOL, NAME)
        monitoring.register_callback(TOOL, events.PY_START, self._on_start)
        monitoring.register_callback(TOOL, events.INSTRUCTION, self._on_instruction)
        monitoring.set_events(TOOL, events.PY_START)
        try:
            yield
        finally:
            monitoring.set_events(TOOL, events.NO_EVENTS)
            for code in self._watched:
                monitoring.set_local_events(TOOL, code, events.NO_EVENTS)
            monitoring.register_callback(TOOL, events.PY_START, None)
            monitoring.register_callback(TOOL, events.INSTRUCTION, None)
            monitoring.free_tool_id(TOOL)

    @contextmanager
    def of_this_thread(self) -> Iterator[None]:
        """What the calling thread runs meanwhile is interrupted."""
        self._threads.add(get_ident())
        try:
            yield
        finally:
            self._threads.discard(get_ident())

    def end(self, frame: FrameType, error: type[BaseException]) -> None:
        """Raise an exception in a frame of an interrupted thread, as soon as it goes on."""
        self._ended[id(frame.f_code)] = error
        self._watch(frame.f_code)

    def _watch(self, code: CodeType) -> None:
        if not monitoring.get_local_events(TOOL, code):
            monitoring.set_local_events(TOOL, code, monitoring.events.INSTRUCTION)
            self._watched.append(code)

    def _on_start(self, code: CodeType, offset: int) -> None:
        if get_ident() in self._threads and self._points(code):
            self._watch(code)

    def _on_instruction(self, code: CodeType, offset: int) -> None:
        if get_ident() not in self._threads:
            return
        if error := self._ended.get(id(code)):
            raise error
        if offset in self._points(code):
            self._reach()
