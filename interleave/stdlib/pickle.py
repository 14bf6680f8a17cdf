"""What of the `pickle` module makes bytes of what threads share.

Containers are read as they are gone through. An instance of a class of the model would be pickled
by the name of its class, which stands for another one here: that is refused.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port


def dumps(obj: Any, protocol: int | None = None, **options: Any) -> bytes:
    """`pickle.dumps`."""
    try:
        return pickle.dumps(obj, protocol, **options)
    except pickle.PicklingError as error:
        refused = ModelError(
            f"this cannot be pickled in a model: {error}",
            remedy="copy.deepcopy(x) is what pickle.loads(pickle.dumps(x)) gives",
        )
    halted: bytes = current_port().halt(refused)
    return halted


FUNCTIONS: dict[str, Callable[..., Any]] = {"dumps": dumps}
PRIMITIVES: dict[type, type] = {}
