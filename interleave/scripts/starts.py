"""Where a script starts a thread, a process or a loop: what comes before that is run as it is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

STARTERS = frozenset({
    "Manager", "Pool", "Process", "ProcessPoolExecutor", "Runner", "Thread", "ThreadPool",
    "ThreadPoolExecutor", "Timer", "fork", "get_event_loop", "new_event_loop", "run",
    "run_forever", "run_until_complete", "start", "start_new_thread", "submit", "to_thread",
})  # fmt: skip
"""Names of what makes threads, processes, pools and loops, or starts them."""

_STARTING = (
    ("threading", "Thread", "start"),
    ("multiprocessing.process", "BaseProcess", "start"),
    ("asyncio", "BaseEventLoop", "run_forever"),
)
"""Where Python starts threads, processes and loops: module, class, method."""


class Starts(BaseException):
    """A statement has come to where it starts a thread, a process or a loop."""


@contextlib.contextmanager
def nobody_starts() -> Iterator[None]:
    """Raise `Starts` where something is started."""

    def starts(*_: object, **__: object) -> NoReturn:
        raise Starts

    usual: list[tuple[Any, str, Any]] = []
    for module, kind, method in _STARTING:
        owner: Any = getattr(sys.modules.get(module), kind, None)
        if owner is not None:
            usual.append((owner, method, vars(owner)[method]))
            setattr(owner, method, starts)
    try:
        yield
    finally:
        for owner, method, function in usual:
            setattr(owner, method, function)
