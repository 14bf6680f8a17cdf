"""The clock of a model: where it is, and how it goes on.

What is known of it is a value of one location. Only reading it is an access. When it is that a
comparison shows something of moments that are past does not matter: it does so within the step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

from interleave.memory.clock import (
    AT_SETUP,
    MOST_OF_A_THREAD,
    OF_DAY,
    Moment,
    Number,
    after,
    is_one_moment,
    moment,
    moments_in,
)
from interleave.memory.identity import ThreadId
from interleave.memory.port import BY_STEPS
from interleave.memory.values import register_immutable
from interleave.memory.zone import Claim, Zone
from interleave.program.heap import Heap
from interleave.program.interning import Keys
from interleave.stdlib.time import stand_ins

BEGIN = 100_000_000
"""What a clock that goes on by steps shows in `setup`."""

LONG = 10**9
"""Seconds by which it goes on once: past whatever code waits for, so that no wait is endless."""

_UP_TO = "the clock: up to "


class Elapsed(NamedTuple):
    """How much time has passed since `setup` on a clock that goes on by steps, and in how many of
    these.
    """

    time: Fraction = Fraction(0)
    steps: int = 0


register_immutable(
    Elapsed,
    lambda _, known: (Elapsed, *known.time.as_integer_ratio(), known.steps),
    lambda _, key: Elapsed(Fraction(key[1], key[2]), key[3]),
)


def up_to(size: Fraction) -> str:
    """The key of the fact that moments are compared which are so far apart, or nearly."""
    most = 1
    while most < size:
        most *= 2
    return f"{_UP_TO}{most}"


def _most_apart(written: Collection[str]) -> Fraction:
    """How far apart moments are at most that are compared, as far as is known."""
    sizes = [int(key.removeprefix(_UP_TO)) for key in written if key.startswith(_UP_TO)]
    return Fraction(max(sizes, default=0))


class Asker(Protocol):
    """What runs, and asks for the clock."""

    thread: ThreadId

    def read_clock(self) -> Any:
        """What is known of it."""
        ...

    def write_clock(self, known: Any) -> None:
        """The same is known from now on."""
        ...

    def choose_silently(self, count: int) -> int:
        """Which of some ways it goes; every one is explored."""
        ...

    def begin_again(self, key: str) -> Any:
        """Make the program anew with a fact. Does not return."""
        ...


class AnyTime:
    """A clock that shows any time: see `memory.clock`."""

    def __init__(self, most: Fraction, asker: Asker) -> None:
        self._most = most
        self._asker = asker

    def read(self, *, of_day: bool = False) -> Number:
        """One more moment: the present."""
        zone: Zone = self._asker.read_clock()
        name = (self._asker.thread + 1) * MOST_OF_A_THREAD
        while name in zone.names:
            name += 1
        self._asker.write_clock(zone.with_present(name))
        return moment(name, OF_DAY if of_day else 0)

    begin = read

    def pass_until(self, limit: Number) -> None:
        """It is at least so late now."""
        if type(limit) is not Moment:
            return
        if not is_one_moment(limit):
            self._asker.begin_again(BY_STEPS)
        self._narrow((after(limit),))

    def decide(self, ways: Iterable[tuple[Claim, ...]], size: Fraction) -> int:
        """Which of some ways it is, of those that are possible."""
        self._note_size(size)
        zone: Zone = self._asker.read_clock()
        possible = [(way, claims) for way, claims in enumerate(ways) if zone.allows(claims)]
        if len(possible) == 1:
            return possible[0][0]
        way, claims = possible[self._asker.choose_silently(len(possible))]
        self._narrow(claims)
        return way

    def _narrow(self, claims: tuple[Claim, ...]) -> None:
        self._asker.write_clock(self._asker.read_clock().within(claims))

    def _note_size(self, size: Fraction) -> None:
        if size > self._most:
            self._asker.begin_again(up_to(size))


class BySteps:
    """A clock that goes on by steps, so many at most, and once by a `LONG` time.

    What sleeps and timeouts take comes on top of that.
    """

    def __init__(self, step: Fraction, most: int, asker: Asker) -> None:
        self._step = step
        self._most = most
        self._asker = asker

    def read(self, *, of_day: bool = False) -> Number:
        """What it shows, after any number of steps that it has left."""
        known: Elapsed = self._asker.read_clock()
        ways = [
            Elapsed(known.time + more * self._step + much, known.steps + more)
            for much in ((0, LONG) if known.time < LONG else (0,))
            for more in range(max(self._most - known.steps, 0) + 1)
        ]
        known = ways[self._asker.choose_silently(len(ways)) if len(ways) > 1 else 0]
        self._asker.write_clock(known)
        return self._shown(known, OF_DAY if of_day else BEGIN)

    def begin(self) -> Number:
        """What it shows, if it has not gone on."""
        return self._shown(self._asker.read_clock(), BEGIN)

    @staticmethod
    def _shown(known: Elapsed, at_first: int) -> float:
        return float(at_first + known.time)

    def pass_until(self, limit: Number) -> None:
        """It is at least so late now."""
        known: Elapsed = self._asker.read_clock()
        time = Fraction(limit) - BEGIN
        if time > known.time:
            self._asker.write_clock(known._replace(time=time))

    def decide(self, ways: Iterable[tuple[Claim, ...]], size: Fraction) -> int:
        """Nothing is open."""
        raise AssertionError


class SetupClock:
    """The clock while `setup` runs: it stands still."""

    def __init__(self, *, by_steps: bool) -> None:
        self.by_steps = by_steps
        self.stand_ins = stand_ins()
        """What stands for real clocks, by their ids."""

    def read(self, *, of_day: bool = False) -> Number:
        """What it shows."""
        if self.by_steps:
            return float(OF_DAY if of_day else BEGIN)
        return moment(AT_SETUP, OF_DAY if of_day else 0)


class ModelClock:
    """The clock of a program whose code reads it."""

    def __init__(self, heap: Heap, written: Collection[str], settings: Mapping[str, Any]) -> None:
        self.by_steps = BY_STEPS in written
        """Whether it goes on by steps, for code computes with what it shows."""
        self.location = heap.add_location("", 0, Elapsed() if self.by_steps else _at_setup(heap))
        self._settings = settings
        self._most_apart = _most_apart(written)
        self._moments: dict[tuple[Keys, int], tuple[int, ...]] = {}

    def of(self, asker: Asker) -> AnyTime | BySteps:
        """The clock, for what runs now."""
        if not self.by_steps:
            return AnyTime(self._most_apart, asker)
        return BySteps(Fraction(self._settings["CLOCK_STEP"]), self._settings["CLOCK"], asker)

    def moments(self, keys: Keys, number: int) -> tuple[int, ...]:
        """The moments that a value or a local state refers to, as often as it does, but for that of
        `setup`.
        """
        which = (keys, number)
        found = self._moments.get(which)
        if found is None:
            names = moments_in(keys.key(number))
            found = self._moments[which] = tuple([name for name in names if name != AT_SETUP])
        return found

    def settled(self, zone: Zone, before: Iterable[int], after: Iterable[int]) -> Zone:
        """What is known when something refers to other moments than before."""
        return zone.settled(before, after).coarse(self._most_apart)

    def has_run_out(self, known: Any) -> bool:
        """Whether a wait may not end any more, for a clock that goes on by steps has gone far."""
        return self.by_steps and known.time >= LONG

    def may_lack_digits(self, error: BaseException) -> bool:
        """Whether it may be that C code knows no moments, and would have taken a number."""
        return not self.by_steps and isinstance(error, TypeError)


def _at_setup(heap: Heap) -> Zone:
    """What is known as the threads begin. That `setup` has read the clock is known for good."""
    values = heap.values
    is_read = any(moments_in(values.key(number)) for number in range(len(values)))
    zone = Zone().with_present(AT_SETUP) if is_read else Zone()
    return zone.counted({AT_SETUP: 1})
