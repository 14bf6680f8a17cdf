"""`asyncio.Runner`, after Lib/asyncio/runners.py of CPython 3.12: a loop for several runs."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.coroutine import is_coroutine
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.loop import new_event_loop, set_event_loop


class RunnerState(NamedTuple):
    """Its loop, once it has one."""

    loop: Any = None
    is_closed: bool = False


class Runner(Primitive):
    """`asyncio.Runner`."""

    stands_for = (asyncio.Runner,)
    is_internal = True

    @classmethod
    def describe(cls, state: Any) -> str:
        return "closed" if state.is_closed else "open"

    def __enter__(self) -> Runner:
        self.get_loop()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get_loop(self) -> Any:
        """Its loop."""
        state: RunnerState = self.operate("get_loop", lambda: self.state)
        if state.is_closed:
            raise RuntimeError("Runner is closed")
        if state.loop is not None:
            return state.loop
        made = new_event_loop()
        set_event_loop(made)

        def effect() -> None:
            self.state = RunnerState(made)

        self.operate("get_loop", effect)
        return made

    def run(self, coro: Any, *, context: Any = None) -> Any:
        """Run a coroutine in its loop, and give the result."""
        port = current_port()
        if not is_coroutine(coro):
            raise ValueError(f"a coroutine was expected, got {coro!r}")
        if port.tasks.in_loop:
            raise RuntimeError("Runner.run() cannot be called from a running event loop")
        if context is not None or port.has_contexts:
            port.halt(
                ModelError(
                    "a Runner runs in a context, which its runs have in common",
                    remedy="call asyncio.run for each of them",
                )
            )
        return self.get_loop().run_until_complete(coro)

    def close(self) -> None:
        """Cancel the tasks that are left, wait for them, and close the loop."""

        def effect() -> Any:
            loop = self.state.loop
            self.state = RunnerState(is_closed=loop is not None)
            return loop

        loop = self.operate("close", effect)
        if loop is not None:
            loop.wind_up()


def make_runner(*, debug: bool | None = None, loop_factory: Any = None) -> Any:
    """`asyncio.Runner()`."""
    port = current_port()
    if debug or loop_factory is not None:
        port.halt(
            ModelError(
                "a Runner is asked for a loop in debug mode, or of another kind",
                remedy="leave that out; a model can say ASYNCIO_DEBUG = True",
            )
        )
    return port.make(Kind(Runner), RunnerState())
