"""What packages written in C leave to chance, where no call shows it: by what they keep."""

from __future__ import annotations

import sys
from typing import Any

from interleave.errors import ModelError, Place
from interleave.world.table import CHANCE


def drawn() -> object:
    """Where the generator is that all of `numpy.random` shares: drawing from it changes that.

    None where nobody has imported it.
    """
    module: Any = sys.modules.get("numpy.random.mtrand")
    if module is None:
        return None
    state = module._rand.get_state(legacy=False)
    where = state["state"]
    return where["pos"], int(where["key"][0]), state["has_gauss"], state["gauss"]


def was_drawn(since: object) -> bool:
    """Whether somebody has drawn from it since then; what is imported meanwhile begins anew."""
    return since is not None and drawn() != since


def left_to_chance(place: Place | None) -> ModelError:
    """The error where somebody has drawn from it."""
    return ModelError("numpy.random has no modelled counterpart", remedy=CHANCE, place=place)
