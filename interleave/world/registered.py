"""Classes that count as derived from an abstract one because they were registered with it.

`Sequence.register(C)` says so to `Sequence`, and leaves no trace in C. Source: PEP 3119.
"""

from __future__ import annotations

from _abc import _abc_register, _get_dump  # type: ignore[import-not-found]
from abc import ABCMeta, get_cache_token
from functools import lru_cache
from weakref import ref

from interleave.memory.values import members_of


def registered_with(abstract: type) -> list[type]:
    """The classes that were registered with an abstract class, by name; no twins among them."""
    found = [each for reference in _get_dump(abstract)[0] if (each := reference()) is not None]
    real = [each for each in found if "_twin" not in members_of(each)]
    return sorted(real, key=lambda each: (each.__module__, each.__qualname__))


def register(abstract: type, member: type) -> None:
    """Have a class count as derived from an abstract one, in which no code of its runs."""
    _abc_register(abstract, member)


def registers_of(cls: type) -> list[type]:
    """The abstract classes that a class was registered with."""
    pairs = _pairs(get_cache_token())
    return [found for it, each in pairs if it() is cls and (found := each()) is not None]


@lru_cache(maxsize=1)
def _pairs(_: object) -> list[tuple[ref[type], ref[type]]]:
    """Each registered class, and what it was registered with, as of a token of `abc`'s."""
    # By identity: a metaclass may say what is equal to its classes, as that of typing does.
    classes: dict[int, type] = {id(object): object}
    waiting: list[type] = [object]
    while waiting:
        derived: list[type] = type.__subclasses__(waiting.pop())
        new = {id(each): each for each in derived if id(each) not in classes}
        classes.update(new)
        waiting += new.values()
    abstract = [each for each in classes.values() if issubclass(type(each), ABCMeta)]
    return [(ref(it), ref(each)) for each in abstract for it in registered_with(each)]
