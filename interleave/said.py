"""What exceptions say. Code of the user's makes the text, and may do so in any way."""

from __future__ import annotations

from interleave.interrupts import Stopped

MOST = 1_000
"""Characters of a text that are shown."""


def said_by(error: BaseException) -> str:
    """The text of an exception, cut where it has no end."""
    try:
        text = str(error)
    except Stopped:
        raise
    except BaseException:
        return "<its text cannot be had>"
    return text if len(text) <= MOST else f"{text[:MOST]}... ({len(text):,} characters)"


def said(error: BaseException) -> str:
    """An exception in words: its class and its text."""
    text = said_by(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
