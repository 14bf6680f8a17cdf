"""What values the options of a check take: each kind reads those of Python and of TOML.

Text of the command line is made into them by click.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from interleave.errors import UsageError, did_you_mean

LEAST_MEMORY = 1_000_000
"""Bytes. Who writes less than that has left out the unit."""


class Kind:
    """What values an option takes.

    `metavar` stands for one in the help of the command line; "" where that lists all of them.
    """

    metavar = ""

    @property
    def takes(self) -> str:
        """What they are, in words."""
        raise NotImplementedError

    def read(self, value: Any) -> Any:
        """A value as it is kept. Raises `UsageError`."""
        raise NotImplementedError

    def refused(self, why: str = "") -> UsageError:
        """That a value is not one of those that an option takes."""
        return (
            UsageError(why, remedy=f"give {self.takes}")
            if why
            else UsageError(f"it takes {self.takes}")
        )


class Whole(Kind):
    """A whole number, not below `least`."""

    metavar = "N"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    @property
    def takes(self) -> str:
        """What they are, in words."""
        return (
            f"a whole number above {self.least - 1}" if self.least else "0, or a whole number above"
        )

    def read(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < self.least:
            raise self.refused()
        return value


class Seconds(Kind):
    """A length of time."""

    metavar = "S"
    takes = "a number of seconds above 0"

    def read(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self.refused()
        return value


class Size(Kind):
    """A number of bytes, also as text with a unit."""

    metavar = "SIZE"
    takes = 'a size, such as "500MB" or "2GB"'
    _UNITS: Final = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

    def read(self, value: Any) -> int:
        size = value if type(value) is int else self._of_text(value)
        if size <= 0:
            raise self.refused(f"{value!r} is no size, such as 500MB or 2GB")
        if size < LEAST_MEMORY:
            raise self.refused(f"{size} bytes are less than Python itself takes")
        return size

    def _of_text(self, value: object) -> int:
        """The number that a text stands for; 0 where it is none."""
        if not isinstance(value, str):
            return 0
        text = value.strip().upper()
        unit = text.lstrip("0123456789. ")
        try:
            return int(float(text.removesuffix(unit)) * self._UNITS[unit])
        except (ValueError, KeyError, OverflowError):
            return 0


class Choice(Kind):
    """One of some names. Of `others`, a sentence says why they are none of them."""

    def __init__(
        self,
        noun: str,
        names: tuple[str, ...],
        metavar: str = "",
        *,
        others: tuple[str, ...] = (),
        why_not: str = "",
    ) -> None:
        self.noun = noun
        self.names = names
        self.metavar = metavar
        self.others = others
        self.why_not = why_not

    @property
    def takes(self) -> str:
        *names, last = (f'"{name}"' for name in self.names)
        return f"{', '.join(names)} or {last}"

    def read(self, value: Any) -> str:
        if isinstance(value, str) and value in self.names:
            return value
        listed = f"the {self.noun}s are {', '.join(self.names)}"
        if value in self.others:
            raise UsageError(
                f"there is no {self.noun} {value!r} to ask for", remedy=f"{self.why_not}; {listed}"
            )
        raise UsageError(
            f"there is no {self.noun} {value!r}",
            remedy=f"{did_you_mean(value, self.names)}{listed}",
        )


class Flag(Kind):
    """Yes or no."""

    takes = "True or False"

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refused()
        return value


class NameList(Kind):
    """Several names, with `or_one` also a name alone; `dotted` for those of functions."""

    def __init__(self, metavar: str, *, or_one: bool = True, dotted: bool = False) -> None:
        self.metavar = metavar
        self.or_one = or_one
        self.dotted = dotted

    @property
    def takes(self) -> str:
        names = "a list of dotted names" if self.dotted else "a list of names"
        return f"a name, or {names}" if self.or_one else names

    def read(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, str) and self.or_one:
            return (value,)
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            raise self.refused("not a list of names")
        names = [*value]
        for name in names:
            if not isinstance(name, str):
                raise self.refused(f"{name!r} is not a string")
            if self.dotted and not all(part.isidentifier() for part in name.split(".")):
                raise self.refused(f"{name!r} is not a dotted name")
        return tuple(dict.fromkeys(names))


LITERAL = re.compile(r"(?:(\d+):)?(-?\d+)")
"""What names an int literal of a script, with its line if that is said: 10000, 12:10000."""


class Values(Kind):
    """Values by name: a mapping, or what `dict` makes one of."""

    metavar = "NAME=VALUE"
    takes = 'values by name, such as {"N": 3}'

    def read(self, value: Any) -> dict[str, object]:
        pairs = value.items() if isinstance(value, Mapping) else value
        found: dict[str, object] = {}
        try:
            for name, each in pairs:
                if found.setdefault(name, each) != each:
                    raise UsageError(f"{name} is given twice", remedy="leave out one of them")
        except (TypeError, ValueError):
            raise self.refused() from None
        return found


class Expression(Kind):
    """A Python expression."""

    metavar = "EXPR"
    takes = "a Python expression, as text"

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.refused()
        return value.strip()


class Function(Kind):
    """What is called back."""

    takes = "a function"

    def read(self, value: Any) -> Any:
        if not callable(value):
            raise self.refused()
        return value
