"""How a plain Python value is written, for people and in JSON: always in the same way.

`repr` would not do: it shows sets in hash order, and plain objects with their address.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path

from interleave.errors import as_users_know
from interleave.interrupts import heard
from interleave.result import Described
from interleave.said import ADDRESS, class_name

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What `json.dumps(..., allow_nan=False)` accepts."""


LONGEST = 5_000
"""Characters of a value that are shown."""

DEEPEST = 100
"""Containers within each other that are shown."""

_MOST_DIGITS = 1_000


def show(value: object) -> str:
    """The value as a Python reader would write it, the same on every run.

    What is too long to be read is cut, and says how long it is.
    """
    text = _show(value, ())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"


def to_json(value: object) -> Json:
    """The value as JSON has it (tuples and deques as lists); where it has not, `show(value)`."""
    return _to_json(value, ())


def plain_text(text: str) -> str:
    """The text with lone surrogates, which no file can hold, as the escapes that `repr` has."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _show(value: object, within: tuple[int, ...]) -> str:
    kind = type(value)
    if kind is int:
        return _show_int(value)  # type: ignore[arg-type]
    if id(kind) in _CONTAINERS:
        return _show_container(value, within)
    text = heard(lambda: _show_object(value, within), kind)
    return f"<{class_name(kind)}>" if text is None else text


def _show_object(value: object, within: tuple[int, ...]) -> str:
    """What may be written by code of the user's."""
    if isinstance(value, Described):
        return value.text
    if isinstance(value, Enum) and getattr(type(value).__repr__, "__module__", "enum") == "enum":
        return f"{type(value).__name__}.{value._name_ or value._value_}"
    if _is_plain_dataclass(value):
        return _show_container(value, within)
    return ADDRESS.sub("", as_users_know(repr(value)))


def _show_int(value: int) -> str:
    """An integer in digits: the first and the last of them, where there are very many."""
    # A digit is more than three bits; Python refuses to write, and takes long for, many of them.
    if value.bit_length() < 3 * _MOST_DIGITS:
        return str(value)
    size = abs(value)
    digits = size.bit_length() * 30103 // 100000  # log10(2), a bit too small
    while 10**digits <= size:
        digits += 1
    first, last = size // 10 ** (digits - 20), size % 10**20
    return f"{'-' if value < 0 else ''}{first}...{last:020} ({digits:,} digits)"


_CONTAINERS = frozenset(map(id, (list, tuple, set, frozenset, dict, deque)))
"""Containers of Python's own, by id: classes of the user's may define what is equal to them."""


def _show_container(value: object, around: tuple[int, ...]) -> str:
    if id(value) in around or len(around) == DEEPEST:
        return "..."
    within = (*around, id(value))

    def items(values: Iterable[object]) -> str:
        return ", ".join(_show(item, within) for item in values)

    if isinstance(value, list):
        return f"[{items(value)}]"
    if isinstance(value, tuple):
        return f"({items(value)},)" if len(value) == 1 else f"({items(value)})"
    if isinstance(value, (set, frozenset)):
        body = f"{{{items(_in_order(value, within))}}}" if value else ""
        if isinstance(value, frozenset):
            return f"frozenset({body})"
        return body or "set()"
    if isinstance(value, dict):
        pairs = (f"{_show(key, within)}: {_show(item, within)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, deque):
        limit = "" if value.maxlen is None else f", maxlen={value.maxlen}"
        return f"deque([{items(value)}]{limit})"
    assert is_dataclass(value)
    named = (f"{f.name}={_show(getattr(value, f.name), within)}" for f in fields(value) if f.repr)
    return f"{type(value).__name__}({', '.join(named)})"


def _is_plain_dataclass(value: object) -> bool:
    """Whether the value's repr is the one that `dataclass` wrote, and not the user's own."""
    if not is_dataclass(value) or isinstance(value, type):
        return False
    code = getattr(type(value).__repr__, "__code__", None)
    return code is not None and Path(code.co_filename).name in ("dataclasses.py", "reprlib.py")


def _in_order(values: Iterable[object], within: tuple[int, ...]) -> list[object]:
    numbers = [value for value in values if type(value) in (int, float, bool)]
    rest = [value for value in values if type(value) not in (int, float, bool)]

    def by_size(value: object) -> tuple[bool, float | int]:
        assert isinstance(value, (int, float))
        return (True, 0) if math.isnan(value) else (False, value)

    return [
        *sorted(numbers, key=by_size),
        *sorted(rest, key=lambda value: (class_name(type(value)), _show(value, within))),
    ]


def _to_json(value: object, within: tuple[int, ...]) -> Json:
    if value is None or type(value) in (bool, int, str):
        if isinstance(value, str):
            return plain_text(value)
        assert value is None or isinstance(value, int)
        is_long = value is not None and value.bit_length() >= 3 * _MOST_DIGITS
        return show(value) if is_long else value
    if type(value) is float:
        return value if math.isfinite(value) else show(value)
    if id(value) in within or len(within) == DEEPEST:
        return "..."
    if type(value) in (list, tuple, deque):
        assert isinstance(value, (list, tuple, deque))
        return [_to_json(item, (*within, id(value))) for item in value]
    if type(value) is dict:
        return {
            plain_text(key if isinstance(key, str) else show(key)): _to_json(
                item, (*within, id(value))
            )
            for key, item in value.items()
        }
    return plain_text(show(value))
