"""Calls of each two public methods, with simple arguments: a first look at a class."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

_SIMPLE = {
    "int": ("1", "2"),
    "float": ("1.0", "2.0"),
    "str": ("'a'", "'b'"),
    "bytes": ("b'a'", "b'b'"),
    "bool": ("True", "False"),
}

_Arguments = list[tuple[str, str]]
"""Two texts for each argument that must be given."""


def pairs_of(methods: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of two calls, for each two methods, and for each of them with itself.

    The last one of several arguments differs. What says not what it takes is left out.
    """
    known = _known(methods)
    for first, second in itertools.combinations_with_replacement(known, 2):
        yield _text(first, known[first], 0), _text(second, known[second], 1)


def simple_calls(methods: Mapping[str, Any]) -> list[str]:
    """The text of a call of each method; what says not what it takes is left out."""
    return [_text(name, found, 0) for name, found in _known(methods).items()]


def _known(methods: Mapping[str, Any]) -> dict[str, _Arguments]:
    known: dict[str, _Arguments] = {}
    for name, method in methods.items():
        if (found := _arguments(method)) is not None:
            known[name] = found
    return known


def _text(name: str, arguments: _Arguments, which: int) -> str:
    chosen = [each[0] for each in arguments]
    if len(arguments) > 1:
        chosen[-1] = arguments[-1][which]
    return f"{name}({', '.join(chosen)})"


def _arguments(method: Any) -> _Arguments | None:
    """Two simple values for each argument that must be given; None where there are none."""
    function = method.__func__ if isinstance(method, staticmethod | classmethod) else method
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return None
    if not isinstance(method, staticmethod):
        parameters = parameters[1:]
    found = []
    for each in parameters:
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            kind = getattr(each.annotation, "__name__", str(each.annotation))
            simple = _SIMPLE.get(kind, _SIMPLE["int"])
            by = f"{each.name}=" if each.kind is each.KEYWORD_ONLY else ""
            found.append((by + simple[0], by + simple[1]))
    return found
