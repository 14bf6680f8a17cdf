"""The classes of the modelled primitives that code of a model can have at hand."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache

import interleave.go
import interleave.racing.results  # noqa: F401  (likewise)
from interleave.memory.primitive import Primitive
from interleave.stdlib import registry
from interleave.world.table import COUNTERPARTS


def _derived(kind: type[Primitive]) -> Iterator[type[Primitive]]:
    for each in kind.__subclasses__():
        yield each
        yield from _derived(each)


def primitives() -> list[type[Primitive]]:
    """All of them."""
    for module in COUNTERPARTS:
        registry.counterpart(module)
    return [kind for kind in dict.fromkeys(_derived(Primitive)) if kind.known()]


def internal(kind: type[Primitive]) -> set[str]:
    """What one has for the library only."""
    names = set(dir(kind)).union(*map(_set_by, kind.__mro__))
    return {name for name in names if not name.startswith("__")} - kind.known()


@cache
def _set_by(cls: type) -> frozenset[str]:
    """The attributes that a class of the package declares, or that its methods set."""
    if not cls.__module__.startswith("interleave."):
        return frozenset()
    module = ast.parse(inspect.getsource(sys.modules[cls.__module__]))
    code = next(each for each in module.body if getattr(each, "name", "") == cls.__name__)
    stored = {
        node.attr
        for node in ast.walk(code)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    return frozenset(stored.union(vars(cls).get("__annotations__", ())))
