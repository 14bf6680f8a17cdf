"""`asyncio.run`, where the main thread calls it: the main task goes on as the loop's.

After Lib/asyncio/runners.py of CPython 3.12.
"""

from __future__ import annotations

from typing import Any

from interleave.errors import ModelError
from interleave.memory.coroutine import Coroutine, stepwise_coroutine
from interleave.memory.port import AccessKind, current_port
from interleave.stdlib.asyncio.gathering import gather
from interleave.stdlib.asyncio.tasks import create_task


@stepwise_coroutine
async def run(main: Any, *, debug: bool | None = None) -> Any:
    """Run a coroutine in a task of its own; the tasks that are left are cancelled, and waited for.

    Those that are ready when it ends may go on before.
    """
    if not is_coroutine(main):
        raise ValueError(f"a coroutine was expected, got {main!r}")
    try:
        return await begun(main)
    finally:
        left = left_behind()
        if left:
            for each in left:
                each.cancel()
            await gather(*left, return_exceptions=True)


def is_coroutine(value: object) -> bool:
    """Whether something can be awaited once."""
    return isinstance(value, Coroutine)


def left_behind() -> list[Any]:
    """The tasks that are not done, but for the present one."""
    tasks = current_port().tasks

    def effect() -> list[Any]:
        others = (each for each in tasks.all_tasks() if each is not tasks.current())
        return [each for each in others if each.state is not None and not each.is_done()]

    port = current_port()
    found: list[Any] = port.access(AccessKind(""), effect, private=True)
    if found and tasks.loop.fifo:
        port.halt(
            ModelError(
                "asyncio.run ends, and a task that it leaves behind is not done: how far it still "
                "comes is not modelled for the order fifo",
                remedy="await every task; or leave out the order",
            )
        )
    return found


def begun(main: Any) -> Any:
    """The task that runs a coroutine."""
    return create_task(main)
