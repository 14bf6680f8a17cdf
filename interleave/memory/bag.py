"""Bags: tuples whose order says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from interleave.memory.values import order_of, register_immutable

T = TypeVar("T")


class Bag(tuple[T, ...]):
    """A multiset: in a state, its elements are in an order that depends on them only.

    So two threads that have joined it leave the same state, whoever was first; and where threads
    are exchanged in a state, the order is restored. A line, in which it matters who came first, is
    a plain tuple.
    """

    __slots__ = ()

    def plus(self, *elements: T) -> Bag[T]:
        """The bag with more in it."""
        return Bag((*self, *elements))

    def where(self, is_kept: Callable[[T], bool]) -> Bag[T]:
        """The bag of those elements of which something holds."""
        return Bag(each for each in self if is_kept(each))

    def minus(self, element: T) -> Bag[T]:
        """The bag without what equals an element."""
        return self.where(lambda each: each != element)


register_immutable(
    Bag,
    lambda freezer, bag: (Bag, tuple(sorted(map(freezer.freeze, bag), key=order_of))),
    lambda thawer, key: Bag(map(thawer.thaw, key[1])),
)
