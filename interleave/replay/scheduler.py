"""Running real threads one at a time: one schedule, from a fresh program to its outcome.

One thread has the baton and runs; all others are parked, each in front of what it does next. At a
switch point a thread hands the baton back and says what it waits for, if for anything. So which
thread runs is never left to the operating system, and no time passes that anybody looks at.
"""

from __future__ import annotations

import sys
import threading
import traceback
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

from interleave.errors import InterleaveError, ModelError
from interleave.records import dataclass
from interleave.replay.locks import cooperative
from interleave.replay.misuse import place_of, refuse
from interleave.replay.points import Points

if sys.version_info >= (3, 12):
    from interleave.replay.monitoring import Interruptions
else:
    from interleave.replay.tracing import Interruptions

PATIENCE = 10.0
"""Seconds until a thread that comes to no switch point is taken for one that never will."""


@dataclass(frozen=True)
class Program:
    """What is run: one function for each thread, and what to look at when no thread can move.

    `observe` gives the values that tell one outcome from another.
    """

    threads: Sequence[Callable[[], object]]
    observe: Callable[[], Hashable]


@dataclass(frozen=True)
class Raised:
    """The exception that ended a thread, in the words of a traceback's last line."""

    thread: int
    text: str


End = Literal["finished", "failed", "deadlock"]


@dataclass(frozen=True)
class Outcome:
    """How one schedule ended, with what was observed then.

    "deadlock": `blocked` threads wait, for ever; "failed": an exception has left a thread.
    """

    end: End
    observed: Hashable
    raised: tuple[Raised, ...] = ()
    blocked: tuple[int, ...] = ()


@dataclass(frozen=True)
class Run:
    """One schedule: the thread that ran from each switch point, and those that could have."""

    schedule: tuple[int, ...]
    enabled: tuple[tuple[int, ...], ...]
    outcome: Outcome


class Unwound(BaseException):
    """Raised in a thread that will not run on, so that it ends."""


def _always() -> bool:
    return True


class _Worker:
    """A real thread, parked until it is given the baton."""

    def __init__(self, number: int, function: Callable[[], object]) -> None:
        self.number = number
        self.function = function
        self.baton = allocate_lock()
        self.baton.acquire()
        self.can_run: Callable[[], bool] = _always
        self.ended = False
        self.raised: Raised | None = None
        self.fault: InterleaveError | None = None
        self.thread: threading.Thread

    @property
    def ident(self) -> int:
        assert self.thread.ident is not None
        return self.thread.ident


class Scheduler:
    """The threads of one program, for one schedule."""

    def __init__(self, points: Points) -> None:
        self._interruptions = Interruptions(points, self.switch)
        self._master = get_ident()
        self._returned = allocate_lock()
        self._returned.acquire()
        self._workers: dict[int, _Worker] = {}
        self._unwinding = False

    def run(
        self,
        setup: Callable[[], Program],
        choose: Callable[[tuple[int, ...]], int],
    ) -> Outcome:
        """Run a fresh program to its end. `choose` picks one of the threads that can run.

        Raises what `setup`, `choose` and `observe` raise, and `ModelError` where a thread does what
        a scheduler cannot follow. No thread outlives the call, unless it waits in the operating
        system for something that nobody does.
        """
        with cooperative(self):
            program = setup()
        workers = [_Worker(number, function) for number, function in enumerate(program.threads)]
        with self._interruptions.enabled():
            blocked, observed = self._run(workers, program.observe, choose)
        raised = tuple(w.raised for w in workers if w.raised is not None)
        end: End = "deadlock" if blocked else "failed" if raised else "finished"
        return Outcome(end, observed, raised, blocked)

    def _run(
        self,
        workers: list[_Worker],
        observe: Callable[[], Hashable],
        choose: Callable[[tuple[int, ...]], int],
    ) -> tuple[tuple[int, ...], Hashable]:
        """Those that are blocked in the end, and what is observed then."""
        try:
            # A thread is started with real locks of its own, before ours take their place.
            for worker in workers:
                worker.thread = threading.Thread(
                    target=self._work, args=(worker,), name=f"replayed-{worker.number}", daemon=True
                )
                worker.thread.start()
                self._workers[worker.ident] = worker
            with cooperative(self):
                for worker in workers:
                    self._resume(worker)
                while enabled := tuple(w.number for w in workers if not w.ended and w.can_run()):
                    self._resume(workers[choose(enabled)])
                blocked = tuple(w.number for w in workers if not w.ended)
                return blocked, observe()
        finally:
            with cooperative(self):
                self._unwind()

    def manages_this_thread(self) -> bool:
        """Whether the calling thread is one of the program, or the one that sets it up."""
        ident = get_ident()
        return ident == self._master or ident in self._workers

    def switch(self, can_run: Callable[[], bool] = _always) -> None:
        """Let others run, and go on when chosen again, which is never while `can_run()` is false.

        In setup and observations, where nobody else is there to run, this returns at once.
        """
        worker = self._workers.get(get_ident())
        if worker is None:
            if get_ident() != self._master:
                refuse(
                    "a thread that is not part of the program uses a lock of it",
                    "let `setup` make every lock anew, and give every thread to the program",
                )
            if not can_run():
                refuse(
                    "the set-up or the observation waits for a lock that is held",
                    "use no lock there",
                )
            return
        if not self._unwinding:
            worker.can_run = can_run
            self._returned.release()
            worker.baton.acquire()
        if self._unwinding:
            raise Unwound

    def _work(self, worker: _Worker) -> None:
        worker.baton.acquire()
        try:
            if not self._unwinding:
                with self._interruptions.of_this_thread():
                    worker.function()
        except (SystemExit, Unwound):
            pass  # SystemExit ends a thread, silently
        except InterleaveError as error:
            worker.fault = error
        except BaseException as error:
            text = "".join(traceback.format_exception_only(error)).strip()
            worker.raised = Raised(worker.number, text)
        finally:
            worker.ended = True
            if not self._unwinding:
                self._returned.release()

    def _resume(self, worker: _Worker) -> None:
        worker.baton.release()
        if not self._returned.acquire(timeout=PATIENCE):
            raise self._stalled(worker)
        if worker.fault is not None:
            raise worker.fault

    def _stalled(self, worker: _Worker) -> ModelError:
        frame = sys._current_frames().get(worker.ident)
        place = None if frame is None else place_of(frame)
        # Ends a loop. A thread that waits in the operating system is left behind, and ends when it
        # goes on; where nobody monitors it any more, at its next lock or sleep. (An exception sent
        # to it would stay pending: CPython 3.11 then hangs at the next call that any thread makes
        # under a trace or profile function.)
        while frame is not None and frame.f_code is not Scheduler._work.__code__:
            self._interruptions.end(frame, Unwound)
            frame = frame.f_back
        return ModelError(
            f"thread {worker.number} has come to no switch point for {PATIENCE:g} s: it loops, or "
            "waits for something that is not made under the scheduler",
            remedy="let `setup` make every lock, queue and event anew",
            place=place,
        )

    def _unwind(self) -> None:
        self._unwinding = True
        for worker in self._workers.values():
            if not worker.ended and worker.baton.locked():
                worker.baton.release()
            worker.thread.join(PATIENCE)
