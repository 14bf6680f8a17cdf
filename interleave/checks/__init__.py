"""The checks: what a search is looked through for. One file each; `ALL` lists them."""

from interleave.checks.base import Check, Found
from interleave.checks.deadlock import DeadlockCheck
from interleave.checks.failures import FailureCheck
from interleave.checks.lost_update import LostUpdateCheck
from interleave.checks.never import NeverCheck
from interleave.checks.properties import PropertyCheck
from interleave.checks.stuck import StuckCheck

__all__ = ["ALL", "Check", "Found"]

ALL: tuple[type[Check], ...] = (
    LostUpdateCheck,
    DeadlockCheck,
    StuckCheck,
    FailureCheck,
    PropertyCheck,
    NeverCheck,
)
"""Every check, in the order in which their violations are reported."""
