"""Tuples that grow and shrink: bags, whose order says nothing, and lines, in which it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

from interleave.memory.values import order_of, register_immutable

T = TypeVar("T")


class _Elements(tuple[T, ...]):
    """What both can do."""

    __slots__ = ()

    def plus(self, *elements: T) -> Self:
        """The same with more in it, at the end."""
        return type(self)((*self, *elements))

    def where(self, is_kept: Callable[[T], bool]) -> Self:
        """Those elements of which something holds."""
        return type(self)(each for each in self if is_kept(each))

    def minus(self, element: T) -> Self:
        """The same without what equals an element."""
        return self.where(lambda each: each != element)


class Bag(_Elements[T]):
    """A multiset: in a state, its elements are in an order that depends on them only.

    So two threads that have joined it leave the same state, whoever was first; and where threads
    are exchanged in a state, the order is restored.
    """

    __slots__ = ()


class Line(_Elements[T]):
    """A line, in which it matters who came first."""

    __slots__ = ()


def _in_order(elements: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(elements, key=order_of))


register_immutable(
    Bag,
    lambda freezer, bag: (Bag, _in_order(map(freezer.freeze, bag))),
    lambda thawer, key: Bag(map(thawer.thaw, key[1])),
)
register_immutable(
    Line,
    lambda freezer, line: (Line, tuple(map(freezer.freeze, line))),
    lambda thawer, key: Line(map(thawer.thaw, key[1])),
)
