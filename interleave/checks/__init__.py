"""The checks: what a search is looked through for. One file each; `ALL` lists them.

Nothing else knows which there are, but for `checks_for`, which leaves out what nobody asked for.
"""

from interleave.checks.base import Check, Found
from interleave.checks.deadlock import DeadlockCheck
from interleave.checks.endless import EndlessCheck
from interleave.checks.failures import FailureCheck
from interleave.checks.lost_update import LostUpdateCheck
from interleave.checks.never import NeverCheck
from interleave.checks.properties import PropertyCheck
from interleave.checks.races import RaceCheck
from interleave.checks.stuck import StuckCheck

__all__ = ["ALL", "Check", "Found", "checks_for"]

ALL: tuple[type[Check], ...] = (
    LostUpdateCheck,
    DeadlockCheck,
    StuckCheck,
    FailureCheck,
    PropertyCheck,
    RaceCheck,
    NeverCheck,
    EndlessCheck,
)
"""Every check, in the order in which their violations are reported."""


def checks_for(*, races: bool) -> list[type[Check]]:
    """The checks to make: data races are looked for where that is asked for."""
    return [check for check in ALL if races or check is not RaceCheck]
