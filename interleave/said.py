"""What exceptions and other objects say of themselves. Code of the user's makes the text, and may
do so in any way, or never come back.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from interleave.errors import as_users_know
from interleave.interrupts import heard

MOST = 1_000
"""Characters of a text that are shown."""

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""What the `repr` of an object says of where it is, which is another place in each run."""

class_name: Callable[[type], str] = type.__dict__["__name__"].__get__
"""The name of a class, whatever its metaclass makes of `__name__`."""


def said_by(error: BaseException) -> str:
    """The text of an exception, the same on every run, cut where it has no end."""
    text = heard(lambda: str(error), type(error))
    if text is None:
        return "<its text cannot be had>"
    text = ADDRESS.sub("", as_users_know(text))
    return text if len(text) <= MOST else f"{text[:MOST]}... ({len(text):,} characters)"


def shown_by(value: object) -> str:
    """The `repr` of an object, the same on every run, or its class, where that cannot be had."""
    kind = type(value)
    if kind is str or kind is int:
        return repr(value)
    if type(value) is tuple:
        inside = ", ".join(map(shown_by, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    text = heard(lambda: repr(value), kind)
    return f"<{class_name(kind)}>" if text is None else ADDRESS.sub("", text)


def said(error: BaseException) -> str:
    """An exception in words: its class and its text."""
    name, text = class_name(type(error)), said_by(error)
    return f"{name}: {text}" if text else name
