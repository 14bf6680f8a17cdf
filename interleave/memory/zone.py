"""What is known of the moments at which a clock was read: bounds on how far they are apart.

The clock of a model is not a number that goes up: between two steps any time may pass. What is
known is only that it never goes back, and what comparisons of readings have shown since. That is a
difference-bound matrix (Dill, 1989; Bengtsson and Yi, "Timed Automata: Semantics, Algorithms and
Tools", 2004): for each two moments, how far the one is after the other at most. It is kept closed,
so that what is the same is equal, and that what is possible can be read off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from interleave.memory.values import Freezer, Key, Thawer, register_immutable

NOW = -1
"""The name of the present moment, which all others came before."""


class Bound(NamedTuple):
    """How far a moment is after another one at most; with `closed`, it may be just as far."""

    most: Fraction
    closed: bool

    def plus(self, other: Bound) -> Bound:
        """What follows from both, one after the other."""
        return Bound(self.most + other.most, self.closed and other.closed)


SAME = Bound(Fraction(0), True)
"""Not after it at all."""


class Claim(NamedTuple):
    """That a moment is after another one by no more than a bound says."""

    moment: int
    other: int
    bound: Bound


class Zone(NamedTuple):
    """The moments that something refers to, by name, how often, and the bounds between them.

    `bounds[i][j]` is how far moment `i` of `names` is after moment `j` at most, None where nothing
    is known. After them all comes the present, of which only how early it may be is ever known.
    """

    names: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    bounds: tuple[tuple[Bound | None, ...], ...] = ((SAME,),)

    def _place(self, name: int) -> int:
        return len(self.names) if name == NOW else self.names.index(name)

    def with_present(self, name: int) -> Zone:
        """The same, with one more moment: this one. Nothing refers to it yet."""
        size = len(self.names)
        rows = [[*row[:size], row[size], row[size]] for row in self.bounds]
        now = rows.pop()
        rows.append([*now[:size], SAME, SAME])
        rows.append([*[None] * (size + 1), SAME])
        return Zone((*self.names, name), (*self.counts, 0), _frozen(rows))._in_order()

    def allows(self, claims: Iterable[Claim]) -> bool:
        """Whether each of some claims may hold."""
        for moment, other, bound in claims:
            back = self.bounds[self._place(other)][self._place(moment)]
            if back is not None and bound.plus(back) < SAME:
                return False
        return True

    def within(self, claims: Iterable[Claim]) -> Zone:
        """What is known when some claims hold that may hold."""
        rows = [[*row] for row in self.bounds]
        for moment, other, bound in claims:
            _tighten(rows, self._place(moment), self._place(other), bound)
        return self._replace(bounds=_frozen(rows))

    def settled(self, before: Iterable[int], after: Iterable[int]) -> Zone:
        """The same when what has referred to some moments refers to others instead."""
        changes = Counter(after)
        changes.subtract(before)
        return self.counted(changes)

    def counted(self, changes: Mapping[int, int]) -> Zone:
        """The same with more or fewer references; moments without any are left out."""
        counts = {
            name: count + changes.get(name, 0)
            for name, count in zip(self.names, self.counts, strict=True)
        }
        kept = [place for place, name in enumerate(self.names) if counts[name] > 0]
        places = [*kept, len(self.names)]
        return Zone(
            tuple([self.names[place] for place in kept]),
            tuple([counts[self.names[place]] for place in kept]),
            tuple([tuple([self.bounds[i][j] for j in places]) for i in places]),
        )

    def coarse(self, most: Fraction) -> Zone:
        """The same without what is of no interest where nothing is compared with more than `most`.

        So that endless loops have an end: the extrapolation of timed automata.
        """

        def coarsened(bound: Bound | None) -> Bound | None:
            if bound is None or bound.most > most:
                return None
            return Bound(-most, False) if bound.most < -most else bound

        rows = [
            [bound if i == j else coarsened(bound) for j, bound in enumerate(row)]
            for i, row in enumerate(self.bounds)
        ]
        for place in range(len(rows)):
            for row in rows:
                _pass_through(row, row[place], rows[place])
        return self._replace(bounds=_frozen(rows))

    def _in_order(self) -> Zone:
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        places = [*order, len(self.names)]
        return Zone(
            tuple([self.names[place] for place in order]),
            tuple([self.counts[place] for place in order]),
            tuple([tuple([self.bounds[i][j] for j in places]) for i in places]),
        )


def _tighten(rows: list[list[Bound | None]], one: int, other: int, bound: Bound) -> None:
    """Add a bound, and what follows from it and what was known."""
    known = rows[one][other]
    if known is not None and known <= bound:
        return
    for row in rows:
        to_one = row[one]
        _pass_through(row, to_one and to_one.plus(bound), rows[other])


def _pass_through(row: list[Bound | None], way: Bound | None, onwards: list[Bound | None]) -> None:
    """Tighten the bounds of one moment by what another one shows that is `way` from it."""
    for place, bound in enumerate(onwards if way is not None else ()):
        if bound is not None:
            assert way is not None
            found, known = way.plus(bound), row[place]
            if known is None or found < known:
                row[place] = found


def _frozen(rows: list[list[Bound | None]]) -> tuple[tuple[Bound | None, ...], ...]:
    return tuple(map(tuple, rows))


def _freeze(_: Freezer, zone: Zone) -> Key:
    bounds = tuple([
        tuple([bound and (*bound.most.as_integer_ratio(), bound.closed) for bound in row])
        for row in zone.bounds
    ])  # fmt: skip
    return (Zone, zone.names, zone.counts, bounds)


def _thaw(_: Thawer, key: Key) -> Zone:
    rows = [[bound and Bound(Fraction(*bound[:2]), bound[2]) for bound in row] for row in key[3]]
    return Zone(key[1], key[2], _frozen(rows))


register_immutable(Zone, _freeze, _thaw)
