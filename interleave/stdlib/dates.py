"""What tells the date and the time of day: `datetime.now`, `utcnow` and `today`.

A date has digits, so that the clock goes on by steps. Where it is not said, the time zone is UTC.
"""

from __future__ import annotations

import datetime
from typing import Any

from interleave.stdlib.time import reading


def now(cls: Any, tz: datetime.tzinfo | None = None) -> Any:
    """`datetime.datetime.now`."""
    seconds = float(reading(of_day=True))
    found = cls.fromtimestamp(seconds, tz or datetime.UTC)
    return found if tz else found.replace(tzinfo=None)


def utcnow(cls: Any) -> Any:
    """`datetime.datetime.utcnow`."""
    return now(cls)


def today(cls: Any) -> Any:
    """`datetime.date.today`, and `datetime.datetime.today`."""
    if issubclass(cls, datetime.datetime):
        return now(cls)
    found = now(datetime.datetime)
    return cls(found.year, found.month, found.day)
