"""Variables that are told of as one: objects of a class, and elements that are protected alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from interleave.protection.results import PROTECTIONS, SharedVariable


def by_name(variables: Iterable[SharedVariable]) -> list[SharedVariable]:
    """Those of one name as one: the objects of a class. What is worst of them counts."""
    found: dict[str, SharedVariable] = {}
    for each in variables:
        known = found.get(each.name, each)
        worse = min(known, each, key=lambda it: PROTECTIONS.index(it.protection))
        accesses = tuple(dict.fromkeys((*known.accesses, *each.accesses)))
        found[each.name] = replace(worse, accesses=accesses)
    return [*found.values()]


_ELEMENT = re.compile(r"(.+)\[([^\[\]]+)\]")


def alike(variables: Iterable[SharedVariable]) -> list[SharedVariable]:
    """Elements of one container that are protected alike as one."""
    groups: dict[object, list[SharedVariable]] = {}
    for each in variables:
        element = _ELEMENT.fullmatch(each.name)
        key: object = each.name
        if element is not None:
            key = (element[1], each.protection, each.kind, *_locks_by_index(each, element[2]))
        groups.setdefault(key, []).append(each)
    return [_one_for(group) for group in groups.values()]


def container_of(name: str) -> tuple[str, ...]:
    """The name of the container that a variable is an element of, as a tuple of one; else ()."""
    element = _ELEMENT.fullmatch(name)
    return () if element is None else (element[1],)


def without_containers(variables: Sequence[SharedVariable]) -> list[SharedVariable]:
    """Those but for containers that never change, where their elements are told of."""
    inside = {name for each in variables for name in container_of(each.name)}
    return [
        each
        for each in variables
        if not (each.protection == "never-written" and each.name in inside)
    ]


def _locks_by_index(variable: SharedVariable, index: str) -> tuple[str, ...]:
    """Locks, with "[i]" for those that have the index of the element itself."""
    return tuple(lock.replace(f"[{index}]", "[i]") for lock in variable.locks)


def _one_for(group: list[SharedVariable]) -> SharedVariable:
    first = group[0]
    element = _ELEMENT.fullmatch(first.name)
    if len(group) == 1 or element is None:
        return first
    return replace(
        first,
        name=f"{element[1]}[i]",
        elements=tuple(each.name for each in group),
        locks=_locks_by_index(first, element[2]),
        accesses=tuple(dict.fromkeys(access for each in group for access in each.accesses)),
        apart=tuple(dict.fromkeys(access for each in group for access in each.apart)),
    )
