"""Who is at fault when something is raised that nobody has expected: this package, or the model.

Python runs code of a class on many occasions: `__class__` where somebody asks for the type,
`__getattr__` where somebody looks for an attribute. What such code raises is the model's error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from interleave.errors import InterleaveError, ModelError, Place
from interleave.interrupts import Stopped
from interleave.said import said
from interleave.world.policy import is_standard

_OURS = str(Path(__file__).parent)


@contextmanager
def blaming() -> Iterator[None]:
    """Raise `ModelError` for what code of a model raises here, and for all that ends a process.

    Only Python itself may raise `MemoryError`; a defect of this package stays what it is.
    """
    try:
        yield
    except (InterleaveError, Stopped, MemoryError):
        raise
    except BaseException as error:
        place = raised_at(error)
        if place is None and isinstance(error, Exception):
            raise
        raise ModelError(
            f"code of the model raises {said(error)} where it is only looked at",
            remedy="let special methods and descriptors raise nothing but AttributeError",
            place=place,
        ) from error


def raised_at(error: BaseException) -> Place | None:
    """The line of the user's code that has raised an exception; None if this package has, but for
    an `InterleaveError`: it has the line that led to it.

    What a library does, it does for the one or the other.
    """
    found: Place | None = None
    traceback = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename.startswith(_OURS):
            found = found if isinstance(error, InterleaveError) else None
        elif not _is_of_library(frame):
            found = Place(frame.f_code.co_filename, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def _is_of_library(frame: FrameType) -> bool:
    is_installed = "-packages" in frame.f_code.co_filename  # also while it is imported
    return is_installed or is_standard(str(frame.f_globals.get("__name__")))
