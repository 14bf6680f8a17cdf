"""The checks: what a search is looked through for. One file each; `ALL` lists them.

Nothing else knows which there are.
"""

from typing import Any

from interleave.checks.base import Check, Found
from interleave.checks.deadlock import DeadlockCheck
from interleave.checks.endless import EndlessCheck
from interleave.checks.failures import FailureCheck
from interleave.checks.lost_update import LostUpdateCheck
from interleave.checks.never import NeverCheck
from interleave.checks.properties import PropertyCheck
from interleave.checks.races import RaceCheck
from interleave.checks.stuck import StuckCheck
from interleave.model import Model
from interleave.program.settings import refuse_setting, setting_of

__all__ = ["ALL", "Check", "Found", "checks_of"]

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
"""Every check of the package, in the order in which their violations are reported."""


def checks_of(model: type[Model], *, races: bool) -> list[type[Check]]:
    """The checks to make of a model, its own among them.

    Data races are looked for where that is asked for. Raises `ModelError` for what is no check.
    """
    own: tuple[Any, ...] = setting_of(model, "CHECKS")
    for check in own:
        if not issubclass(check, Check):
            refuse_setting(model, "CHECKS", own)
    every: dict[type[Check], None] = dict.fromkeys([*ALL, *own])
    return [check for check in every if races or not check.when_asked]
