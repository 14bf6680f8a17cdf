"""Class methods of `datetime` that read the clock: nothing stands for the classes themselves."""

from __future__ import annotations

import types
from typing import Any

from interleave.world import policy, table

NAMES = frozenset(name.rpartition(".")[2] for name in table.DATES)
"""The names of these methods."""


def dated(owner: Any, name: str) -> Any:
    """What `owner.now` and the like give in a model."""
    found = getattr(owner, name)
    if type(found) is types.BuiltinMethodType and policy.full_name(found) in table.DATES:
        from interleave.stdlib import dates  # few models need it

        return types.MethodType(getattr(dates, name), found.__self__)
    return found
