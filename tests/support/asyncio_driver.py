"""The real asyncio under a driver that decides what the event loop does next.

The loop has a virtual clock: at each turn the driver picks the ready handle that is run, or the
timer that fires, or the task that is cancelled from outside. `every_outcome` tries all there are,
one after another, by running the program anew for each.

A thread of a program is a list of methods, `THREAD`. Each is called as a whole between two turns, as
by another thread than the loop's. Whether it wakes a loop that sleeps is up to the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from interleave import check
from interleave.loading import load_models
from interleave.model import NOTE, ThreadNote
from interleave.program.choices import next_choices
from interleave.showing import show

Values = tuple[tuple[str, str], ...]
Outcome = tuple[str, Values]
"""How a program ended ("finished", "failed" or "deadlock"), and the variables that it left."""


class DrivenLoop(asyncio.SelectorEventLoop):
    """A loop of which only `turn` runs anything. `fifo`: handles in the order of the real one."""

    def __init__(self, *, fifo: bool) -> None:
        super().__init__()
        self._fifo = fifo
        self.set_exception_handler(lambda *_: None)
        self.sleeps = False
        """Whether it is in `select`, until a timer or something from outside wakes it."""
        self._is_woken = False

    def _write_to_self(self) -> None:
        self._is_woken = True

    def call_in_thread(self, function: Callable[[], None]) -> bool:
        """Call a function as another thread does. Gives whether the loop got something to do, and
        may have been asleep.
        """
        was_idle = not self._ready and not self.sleeps  # type: ignore[attr-defined]
        self._is_woken = False
        asyncio._set_running_loop(None)
        self._thread_id = -1
        try:
            function()
        finally:
            self._thread_id = None
            asyncio._set_running_loop(self)
            self.sleeps &= not self._is_woken
        return was_idle and not self._is_woken and bool(self._ready)  # type: ignore[attr-defined]

    def time(self) -> float:
        return 0.0

    def options(self) -> list[Any]:
        """What could be next: handles and timers."""
        ready = [each for each in self._ready if not each._cancelled]  # type: ignore[attr-defined]
        timers = [each for each in self._scheduled if not each._cancelled]  # type: ignore[attr-defined]
        timers.sort(key=lambda each: (each._when, str(each)))
        if self.sleeps:
            return timers
        return [*(ready[:1] if self._fifo else ready), *timers]

    def turn(self, handle: Any) -> None:
        """Run a handle, or have a timer fire."""
        self.sleeps = False
        if handle in self._ready:  # type: ignore[attr-defined]
            self._ready.remove(handle)  # type: ignore[attr-defined]
            handle._run()
            return
        self._scheduled.remove(handle)  # type: ignore[attr-defined]
        handle._scheduled = False
        if self._fifo:
            self._ready.append(handle)  # type: ignore[attr-defined]
        else:
            handle._run()

    def forget(self) -> None:
        """Drop what is left."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with contextlib.suppress(BaseException):
                task.get_coro().close()
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]


async def wait_for(fut: Any, timeout: float | None) -> Any:
    """`asyncio.wait_for` as from 3.12 on."""
    if timeout is not None and timeout <= 0:
        future = asyncio.ensure_future(fut)
        if not future.done():
            future.cancel()
            await asyncio.wait([future])
        try:
            return future.result()
        except asyncio.CancelledError as error:
            raise TimeoutError from error
    async with asyncio.timeout(timeout):
        return await fut


@contextmanager
def _as_from_312() -> Iterator[None]:
    before = asyncio.wait_for
    if sys.version_info < (3, 12):
        asyncio.wait_for = wait_for  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        asyncio.wait_for = before


class Run:
    """One run of a program. `choices` is what the driver decides, as far as that is given."""

    def __init__(self, text: str, choices: list[int], *, fifo: bool, most: int) -> None:
        self.taken: list[tuple[int, int]] = []
        self.failed = False
        module = types.ModuleType("driven")
        sys.modules["driven"] = module
        self.loop = DrivenLoop(fifo=fifo)
        asyncio.set_event_loop(self.loop)  # which get_event_loop gives the threads too
        try:
            exec(compile(text, "driven", "exec"), module.__dict__)
            model = list(module.__dict__.values())[-1]
            self._run(model, choices, most)
        finally:
            self.loop.forget()
            self.loop.close()
            asyncio.set_event_loop(None)
            del sys.modules["driven"]

    def _run(self, model: Any, choices: list[int], most: int) -> None:
        instance = model()
        instance.setup()
        self.loop.set_debug(getattr(model, "ASYNCIO_DEBUG", False))
        asyncio._set_running_loop(self.loop)
        try:
            tasks = {}
            for name, method in vars(model).items():
                note = getattr(method, NOTE, None)
                if isinstance(note, ThreadNote) and note.kind.in_loop:
                    for index in range(note.count):  # type: ignore[arg-type]
                        wants = method.__code__.co_argcount - 1
                        coroutine = getattr(instance, name)(*(index,) * wants)
                        shown = f"{name}[{index}]" if note.count != 1 else name
                        tasks[shown] = self.loop.create_task(coroutine)
            cancels = [tasks[each] for each in getattr(model, "CANCEL", ())]
            calls = [getattr(instance, name) for name in getattr(model, "THREAD", ())]
            self._drive(cancels, calls, choices, most)
        finally:
            asyncio._set_running_loop(None)
        ended = [each.done() for each in tasks.values()]
        failed = [
            each.done() and not each.cancelled() and each.exception() is not None
            for each in tasks.values()
        ]
        self.failed |= any(failed)
        self.how = "deadlock" if not all(ended) else "failed" if self.failed else "finished"
        self.values = values_of(model, instance)

    def _drive(self, cancels: list[Any], calls: list[Any], choices: list[int], most: int) -> None:
        def choose(options: list[Any]) -> int:
            place = len(self.taken)
            # Sets of futures are in the order of addresses: a run may differ from the one before.
            chosen = min(choices[place] if place < len(choices) else 0, len(options) - 1)
            self.taken.append((chosen, len(options)))
            return chosen

        while len(self.taken) < most:
            handles = self.loop.options()
            able = [each for each in cancels if not each.done()]
            # That something may be cancelled does not mean that it is.
            stop = [] if handles or calls else [None]
            options = [*handles, *able, *calls[:1], *stop]
            chosen = choose(options)
            if options[chosen] is None:
                return
            if chosen < len(handles):
                self.loop.turn(handles[chosen])
            elif options[chosen] in calls:
                try:
                    if self.loop.call_in_thread(calls.pop(0)) and choose(["awake", "asleep"]):
                        self.loop.sleeps = True
                except Exception:
                    self.failed, calls = True, []
            else:
                self.loop.sleeps = False
                options[chosen].cancel()
                cancels.remove(options[chosen])
        raise RuntimeError("a program that does not end")


def values_of(model: Any, instance: Any) -> Values:
    """The variables of a model that hold plain values, as text."""
    return tuple(
        (name, show(getattr(instance, name)))
        for name, value in vars(model).items()
        if is_plain(name, value)
    )


def is_plain(name: str, value: object) -> bool:
    """Whether an attribute of a model is one whose value both can show."""
    plain = name.islower() and not name.startswith("_")
    return plain and (value is None or type(value) in (int, str, bool, tuple))


def every_outcome(text: str, *, fifo: bool = False, runs: int) -> tuple[set[Outcome], bool]:
    """The outcomes of a program that some choices of the driver lead to, and whether that are all.

    `text` defines the model last. At most so many `runs`.
    """
    found: set[Outcome] = set()
    choices: list[int] | None = []
    with _as_from_312():
        for _ in range(runs):
            run = Run(text, choices, fifo=fifo, most=300)
            found.add((run.how, run.values))
            choices = next_choices(run.taken)
            if choices is None:
                return found, True
    return found, False


def listed(file: Path, text: str, order: str, **options: Any) -> set[Outcome]:
    """The outcomes of a program that interleave lists."""
    file.write_text(text)
    model = load_models(file)[-1]
    (result,) = check(model, order=order, **options).models
    assert result.interleavings is not None
    names = [name for name, value in vars(model).items() if is_plain(name, value)]
    found = set()
    for each in result.interleavings.outcomes:
        state = dict(each.state)
        values = {name: state.get(name, getattr(model, name)) for name in names}
        found.add((each.how, tuple((name, show(value)) for name, value in values.items())))
    return found
