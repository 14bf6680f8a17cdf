"""The `itertools` module: what goes through something item by item is a generator here, as it is
written out in its documentation (https://docs.python.org/3/library/itertools.html).

A state can hold that, and threads run between one item and the next. What takes all items when it
is made (`product`, `permutations`, ...) runs as it is. (A state can hold `count` too: see
`memory.counting`.)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from interleave.errors import ModelError
from interleave.memory.cursors import Chained, Cycle, Sliced, is_shared
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive, written_out

PRIMITIVES: dict[type, type[Primitive]] = {}

Items = Generator[Any, None, None]

_END = object()


@written_out("iterable")
def accumulate(iterable: Iterable[Any], func: Any = None, *, initial: Any = None) -> Items:
    """Sums so far, or what `func` makes of two."""
    total = _END if initial is None else initial
    if total is not _END:
        yield total
    for item in iterable:
        if total is _END:
            total = item
        elif func is None:
            total = total + item
        else:
            total = func(total, item)
        yield total


@written_out("data", "selectors")
def compress(data: Iterable[Any], selectors: Iterable[Any]) -> Items:
    """The items that are selected."""
    for item, is_selected in zip(data, selectors, strict=False):
        if is_selected:
            yield item


@written_out("iterable")
def dropwhile(predicate: Callable[[Any], Any], iterable: Iterable[Any], /) -> Items:
    """The items from the first one on that does not meet a condition."""
    is_dropping = True
    for item in iterable:
        if is_dropping and predicate(item):
            continue
        is_dropping = False
        yield item


@written_out("iterable")
def filterfalse(function: Callable[[Any], Any] | None, iterable: Iterable[Any], /) -> Items:
    """The items that do not meet a condition."""
    for item in iterable:
        if not (item if function is None else function(item)):
            yield item


@written_out("iterable")
def pairwise(iterable: Iterable[Any], /) -> Items:
    """Each two items that follow each other."""
    before = _END
    for item in iterable:
        if before is not _END:
            yield before, item
        before = item


@written_out("iterable")
def starmap(function: Callable[..., Any], iterable: Iterable[Iterable[Any]], /) -> Items:
    """What a function gives for each of several tuples of arguments."""
    for arguments in iterable:
        yield function(*arguments)


@written_out("iterable")
def takewhile(predicate: Callable[[Any], Any], iterable: Iterable[Any], /) -> Items:
    """The items up to the first one that does not meet a condition."""
    for item in iterable:
        if not predicate(item):
            break
        yield item


@written_out("*iterables")
def zip_longest(*iterables: Iterable[Any], fillvalue: Any = None) -> Items:
    """Items side by side, until the longest is through."""
    sources: list[Any] = [*iterables]
    left = len(sources)
    while left:
        items = []
        for place, source in enumerate(sources):
            item = fillvalue if source is None else next(source, _END)
            if item is _END:
                sources[place] = None
                item = fillvalue
                left -= 1
                if not left:
                    return
            items.append(item)
        yield tuple(items)


def groupby(iterable: Iterable[Any], key: Callable[[Any], Any] | None = None) -> Iterator[Any]:
    """The same groups, each of which stays: so all items are taken at once."""
    groups = itertools.groupby(_unshared(iterable, "groupby"), key)
    return iter([(each, iter([*group])) for each, group in groups])


def tee(iterable: Iterable[Any], n: int = 2) -> tuple[Iterator[Any], ...]:
    """Iterators of the same items: so all of them are taken at once."""
    items = [*_unshared(iterable, "tee")]
    return tuple([iter(items) for _ in range(n)])


def _unshared(iterable: Iterable[Any], name: str) -> Iterable[Any]:
    """What all items may be taken of at once: others would change it in between."""
    if is_shared(iterable):
        error = ModelError(
            f"itertools.{name}() of what threads share has no modelled counterpart",
            remedy=f"make a list of it first: {name}(list(...))",
        )
        current_port().halt(error)
    return iterable


FUNCTIONS: dict[str, Any] = {
    **{
        each.__name__: each
        for each in (
            accumulate, compress, dropwhile, filterfalse, groupby, pairwise, starmap, takewhile,
            tee, zip_longest,
        )
    },
    "chain": Chained, "cycle": Cycle, "islice": Sliced,
}  # fmt: skip
