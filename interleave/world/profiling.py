"""Looking at what runs, and looking away."""

from __future__ import annotations

import sys
from typing import Any

Profile = Any
"""What looks at what runs; None where nothing does."""


def pause() -> Profile:
    """Look away while code of this package runs that runs none of the model's."""
    # From Python 3.12 on, to begin anew takes longer than looking on.
    if sys.version_info >= (3, 12):
        return None
    profile = sys.getprofile()
    if profile is not None:
        sys.setprofile(None)
    return profile


def resume(profile: Profile) -> None:
    """Go on after a pause."""
    if profile is not None:
        set_profile(profile)


def set_profile(profile: Profile) -> None:
    """Have something look at what runs that `sys.getprofile` gave: a profiler in C has a way of its
    own to begin.
    """
    if profile is None or callable(profile):
        sys.setprofile(profile)
    else:
        profile.enable()
