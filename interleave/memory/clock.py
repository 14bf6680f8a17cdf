"""Readings of the clock as values: numbers that remember when they were read.

A reading, and what code makes of readings by `+` and `-`, and of these with numbers by `*` and `/`,
is a `Moment`: a sum of moments and a number. What two of them have to do with each other is
decided when they are compared, and not before: so every way in which time may pass is explored.
What else code does with one needs a number in digits, which no moment has. Then the program is made
again with a clock that goes on by steps, and readings are plain numbers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, Protocol

from interleave.errors import ModelError
from interleave.memory.port import BY_STEPS, current_port, is_code_of_a_model_running
from interleave.memory.values import AsAnother, Freezer, Key, Thawer, register_immutable
from interleave.memory.zone import NOW, Bound, Claim

AT_SETUP = 0
"""The name of the moment at which `setup` runs."""

Number = Any
"""A `Moment`, or a plain number."""


class Clock(Protocol):
    """The clock, as code of a model reaches it."""

    def read(self, *, of_day: bool = False) -> Number:
        """What it shows, in seconds; with `of_day`, since 1970. Within an access."""
        ...

    def begin(self) -> Number:
        """What it shows as a wait begins. Within an access."""
        ...

    def pass_until(self, limit: Number) -> None:
        """It shows at least this much now. Within an access."""
        ...

    def decide(self, ways: Iterable[tuple[Claim, ...]], size: Fraction) -> int:
        """Which of some ways it is; every one that is possible is explored.

        `size` is how far apart the moments are that it is about.
        """
        ...


class Moment(AsAnother):
    """A sum of moments at which the clock was read, each times a number, and of a number.

    `whole`: in Python it is an `int`; else it is a `float`.
    """

    __slots__ = ("offset", "terms", "whole")

    def __init__(
        self, terms: tuple[tuple[int, Fraction], ...], offset: Fraction, *, whole: bool
    ) -> None:
        self.terms = terms
        self.offset = offset
        self.whole = whole

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int if self.whole else float

    # What it may be asked

    def __add__(self, other: Any) -> Any:
        return _sum(self, other, 1)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return _sum(self, other, -1)

    def __rsub__(self, other: Any) -> Any:
        return _sum(-self, other, 1)

    def __neg__(self) -> Any:
        return _times(self, Fraction(-1), whole=self.whole)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return -self if self < 0 else self

    def __mul__(self, other: Any) -> Any:
        factor = _plain(other)
        if factor is None:
            return self._compute()
        return _times(self, factor, whole=self.whole and isinstance(other, int))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        factor = _plain(other)
        if factor is None:
            return self._compute()
        if not factor:
            raise ZeroDivisionError("float division by zero")
        return _times(self, 1 / factor, whole=False)

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __lt__(self, other: Any) -> Any:
        return _compared(self, other, "<")

    def __le__(self, other: Any) -> Any:
        return _compared(self, other, "<=")

    def __gt__(self, other: Any) -> Any:
        return _compared(self, other, ">")

    def __ge__(self, other: Any) -> Any:
        return _compared(self, other, ">=")

    def __eq__(self, other: object) -> Any:
        if not is_code_of_a_model_running():
            return type(other) is Moment and _key(self) == _key(other)
        return _compared(self, other, "==")

    def __copy__(self) -> Moment:
        return self

    def __deepcopy__(self, _: object) -> Moment:
        return self

    # What needs a number in digits

    def __hash__(self) -> int:
        return self._compute() if is_code_of_a_model_running() else hash(_key(self))

    def __repr__(self) -> str:
        text: str = self._compute() if is_code_of_a_model_running() else _text(self)
        return text

    def __getattr__(self, name: str) -> Any:
        if hasattr(self.__class__, name):
            return self._compute()
        raise AttributeError(f"{self.__class__.__name__!r} object has no attribute {name!r}")

    def _compute(self, *_: object) -> Any:
        return current_port().begin_again(BY_STEPS)


for _name in (
    "__ceil__", "__divmod__", "__float__", "__floor__", "__floordiv__", "__format__", "__index__",
    "__int__", "__mod__", "__pow__", "__rdivmod__", "__reduce_ex__", "__rfloordiv__", "__rmod__",
    "__round__", "__rpow__", "__rtruediv__", "__str__", "__trunc__",
):  # fmt: skip
    setattr(Moment, _name, Moment._compute)


def moment(name: int, offset: Fraction | int = 0) -> Moment:
    """The moment of that name, and so many seconds later."""
    return Moment(((name, Fraction(1)),), Fraction(offset), whole=False)


def moments_in(key: object) -> tuple[int, ...]:
    """The names of the moments that a frozen value is made of, as often as it is."""
    if type(key) is not tuple or not key:
        return ()
    if key[0] is Moment:
        return tuple([name for name, *_ in key[1]])
    return tuple([name for part in key for name in moments_in(part)])


def in_nanoseconds(number: Number) -> Number:
    """What a clock of seconds shows, in whole nanoseconds."""
    if type(number) is Moment:
        return _times(number, Fraction(10**9), whole=True)
    return round(Fraction(number) * 10**9)


def limit_of(since: Number, timeout: Number) -> Number:
    """When a timeout comes that has begun at a moment.

    One that is itself the time that was left at an earlier moment, `limit - now`, counts from then.
    """
    limit = since + timeout
    if type(timeout) is Moment and type(limit) is Moment:
        left = [(name, factor) for name, factor in timeout.terms if factor == -1]
        if len(left) == 1:
            limit = limit + moment(left[0][0]) - since
    return limit


def is_one_moment(number: Number) -> bool:
    """Whether it is some time after a moment, or before."""
    return type(number) is Moment and [factor for _, factor in number.terms] == [1]


def after(number: Moment) -> Claim:
    """That it has come by now what is a number of seconds after a moment."""
    ((name, _),) = number.terms
    return Claim(name, NOW, Bound(-number.offset, closed=True))


def _plain(other: Any) -> Fraction | None:
    """A finite number of Python's own; None for anything else."""
    kind = type(other)
    if issubclass(kind, int) or (issubclass(kind, float) and math.isfinite(other)):
        return Fraction(other)
    return None


def _made(terms: dict[int, Fraction], offset: Fraction, *, whole: bool) -> Number:
    left = tuple([(name, terms[name]) for name in sorted(terms) if terms[name]])
    if left:
        return Moment(left, offset, whole=whole)
    return int(offset) if whole else float(offset)


def _sum(one: Any, other: Any, sign: int) -> Number:
    if type(one) is not Moment:  # it has become a plain number
        return one + other if sign > 0 else one - other
    if type(other) is Moment:
        terms = dict(one.terms)
        for name, factor in other.terms:
            terms[name] = terms.get(name, Fraction(0)) + sign * factor
        return _made(terms, one.offset + sign * other.offset, whole=one.whole and other.whole)
    plain = _plain(other)
    if plain is not None:
        whole = one.whole and isinstance(other, int)
        return Moment(one.terms, one.offset + sign * plain, whole=whole)
    return sign * other if issubclass(type(other), float) else NotImplemented


def _times(one: Moment, factor: Fraction, *, whole: bool) -> Number:
    terms = {name: each * factor for name, each in one.terms}
    return _made(terms, one.offset * factor, whole=whole)


def _compared(one: Moment, other: Any, how: str) -> Any:
    """What a comparison gives; where that is open, each answer is explored."""
    kind = type(other)
    if issubclass(kind, float) and not math.isfinite(other):
        return _SIGNS[how](0, other)  # no time is infinite
    if kind is not Moment and _plain(other) is None:
        is_number = any(hasattr(kind, name) for name in ("__float__", "__index__", "__complex__"))
        return one._compute() if is_number else NotImplemented
    apart = one - other
    if type(apart) is not Moment:
        return _SIGNS[how](apart, 0)
    if len(apart.terms) == 1:
        ((_, factor),) = apart.terms
        number = -apart.offset / factor
        _refuse_kept(number)
        return _SIGNS[how](factor if number < NEVER else -factor, 0)
    if len(apart.terms) > 2 or apart.terms[0][1] != -apart.terms[1][1]:
        return one._compute()
    (first, factor), (second, _) = apart.terms
    if factor < 0:
        first, second, factor = second, first, -factor
    size = -apart.offset / factor
    ways = [_claims(first, second, size, each) for each in _WAYS[how]]
    return current_port().clock.decide(ways, abs(size)) == 0


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "==": lambda one, other: one == other,
}

_WAYS = {
    "<": ("<", ">="),
    "<=": ("<=", ">"),
    ">": (">", "<="),
    ">=": (">=", "<"),
    "==": ("==", "<", ">"),
}
"""For each comparison, in which ways it may go: that it holds comes first."""


def _claims(first: int, second: int, size: Fraction, how: str) -> tuple[Claim, ...]:
    """That two moments are so far apart, or less, or more."""
    found = []
    if how in ("<", "<=", "=="):
        found.append(Claim(first, second, Bound(size, closed=how != "<")))
    if how in (">", ">=", "=="):
        found.append(Claim(second, first, Bound(-size, closed=how != ">")))
    return tuple(found)


OF_DAY = 4_102_444_800
"""Seconds from 1970 to 2100: what `time.time` shows more than `time.monotonic`."""

NEVER = 10**9
"""Seconds that no clock shows: what stands for no time at all. All smaller numbers are past."""

_LATELY = 3600
_IN_THE_END = 10**7


def _refuse_kept(number: Fraction) -> None:
    """Stop where a reading is compared with one that the file has kept as it was imported."""
    for shown in (time.monotonic(), time.perf_counter(), time.time() - OF_DAY):
        is_near = -_LATELY < number - Fraction(shown) < _IN_THE_END
        if is_near and abs(number * 1000 - round(number * 1000)) > Fraction(1, 1000):
            current_port().halt(
                ModelError(
                    "this compares a reading of the clock with one from before the threads, which "
                    "is another number in each run",
                    remedy="read the clock in setup",
                )
            )


def _key(one: Moment) -> tuple[Any, ...]:
    return (one.terms, one.offset, one.whole)


def _text(one: Moment) -> str:
    """What reports show: `t1 + 5`."""
    found, offset = "", one.offset
    since_1970 = OF_DAY * sum(factor for _, factor in one.terms)
    if abs(offset - since_1970) < abs(offset):
        offset -= since_1970
    for name, factor in sorted(one.terms, key=lambda term: term[1] < 0):
        times = "" if abs(factor) == 1 else f"{_digits(abs(factor))}*"
        sign = " - " if factor < 0 else " + " if found else ""
        found += f"{sign.lstrip() if not found else sign}{times}{name_of(name)}"
    if offset:
        found += f" {'-' if offset < 0 else '+'} {_digits(abs(offset))}"
    return found


def _digits(number: Fraction) -> str:
    return str(number.numerator) if number.denominator == 1 else repr(float(number))


MOST_OF_A_THREAD = 1_000
"""So many moments of one thread are told from each other."""


def name_of(name: int) -> str:
    """A moment as reports have it: `t0` is that of `setup`, `t2` the first of the second thread."""
    thread, number = divmod(name, MOST_OF_A_THREAD)
    return f"t{thread}.{number + 1}" if number else f"t{thread}"


def _freeze(_: Freezer, one: Moment) -> Key:
    terms = tuple([(name, *factor.as_integer_ratio()) for name, factor in one.terms])
    return (Moment, terms, *one.offset.as_integer_ratio(), one.whole)


def _thaw(_: Thawer, key: Key) -> Moment:
    terms = tuple([(name, Fraction(*factor)) for name, *factor in key[1]])
    return Moment(terms, Fraction(key[2], key[3]), whole=key[4])


register_immutable(Moment, _freeze, _thaw)
