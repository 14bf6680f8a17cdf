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


def pairs_of(methods: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts of two calls, for each two methods, and for each of them with itself.

    The last one of several arguments differs. What needs others than simple ones is left out.
    """
    signatures = {name: _arguments(method) for name, method in methods.items()}
    known = [name for name, found in signatures.items() if found is not None]
    for first, second in itertools.combinations_with_replacement(known, 2):
        yield _text(first, signatures[first], 0), _text(second, signatures[second], 1)


def _text(name: str, arguments: Any, which: int) -> str:
    chosen = [each[0] for each in arguments]
    if len(arguments) > 1:
        chosen[-1] = arguments[-1][which]
    return f"{name}({', '.join(chosen)})"


def _arguments(method: Any) -> list[tuple[str, str]] | None:
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
        is_needed = each.default is each.empty
        if each.kind is each.KEYWORD_ONLY and is_needed:
            return None
        if is_needed and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD):
            kind = getattr(each.annotation, "__name__", str(each.annotation))
            if each.annotation is not each.empty and kind not in (*_SIMPLE, "Any", "object"):
                kind = "int" if kind.isidentifier() and len(kind) <= 2 else kind
            simple = _SIMPLE.get(kind, _SIMPLE["int"])
            found.append(simple)
    return found
