"""`asyncio.run`, where the main thread calls it: the main task goes on as the loop's.

After Lib/asyncio/runners.py of CPython 3.12.
"""

from __future__ import annotations

from typing import Any

from interleave.memory.coroutine import Coroutine, stepwise_coroutine
from interleave.stdlib.asyncio.gathering import gather
from interleave.stdlib.asyncio.tasks import all_tasks, current_task


@stepwise_coroutine
async def run(main: Any, *, debug: bool | None = None) -> Any:
    """Await a coroutine; the tasks that it leaves behind are cancelled, and waited for."""
    if not is_coroutine(main):
        raise ValueError(f"a coroutine was expected, got {main!r}")
    try:
        return await main
    finally:
        left = others()
        if left:
            for each in left:
                each.cancel()
            await gather(*left, return_exceptions=True)


def is_coroutine(value: object) -> bool:
    """Whether something can be awaited once."""
    return isinstance(value, Coroutine)


def others() -> list[Any]:
    """The tasks that are not done, but for the present one."""
    return [each for each in all_tasks() if each is not current_task()]
