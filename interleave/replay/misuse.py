"""Errors of programs that a scheduler cannot follow, placed in the program's own code."""

from __future__ import annotations

import sys
from types import FrameType
from typing import NoReturn

from interleave.errors import ModelError, Place


def refuse(what: str, remedy: str) -> NoReturn:
    """Raise a `ModelError` at the line of the program that led here."""
    raise ModelError(what, remedy=remedy, place=place_of(sys._getframe(1)))


def place_of(frame: FrameType) -> Place:
    """Where the program is, from a frame of its own, or of the scheduler that it has called."""
    while frame.f_globals.get("__package__") == __package__ and frame.f_back is not None:
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)
