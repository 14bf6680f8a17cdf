"""What of the `json` module goes into containers that threads share.

Its encoder is written in C and knows real containers only. So each shared one is read first, which
is an access, as deep as they are within each other; what is no container is left to `json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from interleave.memory.containers import SharedContainer


def dumps(obj: Any, **options: Any) -> str:
    """`json.dumps`."""
    return json.dumps(_read(obj), **_reading(options))


def dump(obj: Any, fp: Any, **options: Any) -> None:
    """`json.dump`, to anything with a method `write`."""
    json.dump(_read(obj), fp, **_reading(options))


def _reading(options: dict[str, Any]) -> dict[str, Any]:
    """The options, of which what stands for other objects is read as well."""
    encoder = options.get("cls") or json.JSONEncoder
    default = options.get("default")

    class Reading(encoder):  # type: ignore[misc, valid-type]  # it is a class
        def default(self, o: Any) -> Any:
            return _read(super().default(o))

    read = None if default is None else lambda value: _read(default(value))
    return {**options, "cls": Reading, "default": read}


def _read(value: Any) -> Any:
    """A value with real containers in place of the shared ones."""
    real = value.snapshot() if issubclass(type(value), SharedContainer) else value
    if isinstance(real, dict):
        return {key: _read(each) for key, each in real.items()}
    if isinstance(real, list | tuple):
        return [_read(each) for each in real]
    return real


FUNCTIONS: dict[str, Callable[..., Any]] = {"dump": dump, "dumps": dumps}
PRIMITIVES: dict[type, type] = {}
