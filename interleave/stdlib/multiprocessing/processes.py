"""`multiprocessing.Process`, made and started by a running thread.

After docs.python.org/3.12/library/multiprocessing.html#process-and-exceptions and
Lib/multiprocessing/process.py of CPython 3.12, by `fork`: what the parent has when it calls `start`
is copied then (`machine.forking`). A program has room for as many processes as it was found to
start, as for threads.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from interleave.errors import ModelError
from interleave.memory.identity import ThreadName
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.runtimes.process import PROCESS
from interleave.stdlib.signal import refuse_inherited
from interleave.stdlib.threads import ENDED, NEW, STARTED, Made, Thread, made_thread
from interleave.stdlib.timeouts import begin_waiting


class Process(Thread):
    """A process made by a running thread. All processes have this one object of it."""

    stands_for = (multiprocessing.Process,)
    thread_kind = PROCESS
    _between_processes = True
    in_daemon = False
    """Whether the process that makes it is a daemon, which may not have children."""

    def operate(self, kind: str, effect: Callable[[], Any]) -> Any:
        return Primitive.operate(self, kind, effect)

    def _start(self, changes: dict[str, Any]) -> None:
        """Fork. Raises `AssertionError` where it was started before."""

        def effect() -> None:
            made: Made = self.state
            if made.phase != NEW:
                raise AssertionError("cannot start a process twice")
            self._check("can only start a process object created by current process")
            if self.in_daemon:
                raise AssertionError("daemonic processes are not allowed to have children")
            made = made._replace(**changes)
            self.state = self.begun(made)
            current_port().start_thread(self.runs, *self.entry(made))

        self.operate("start", effect)

    def entry(self, made: Made) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        return run, (self, made.target, made.args, made.kwargs), {}

    def join(self, timeout: float | None = None) -> None:
        """Wait until the process has ended. A timeout may expire whenever it has not."""

        waiting = begin_waiting(timeout)

        def effect() -> None:
            self._check("can only join a child process")
            if self.state.phase == NEW:
                raise AssertionError("can only join a started process")
            if self.state.phase == STARTED:
                if timeout is None:
                    self.block()
                waiting.expire()

        self.operate("join", effect)

    def terminate(self) -> None:
        """Send it SIGTERM, which ends it some time later, wherever it is."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """The same, with SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        sent = self.operate("terminate", lambda: self.state.phase)
        if sent == NEW or current_port().process != self.made_in:
            raise AttributeError("'NoneType' object has no attribute 'terminate'")
        if sent == STARTED:
            refuse_inherited(int(number))
            made_thread(Thread, arrives, (self, int(number)), {}, daemon=False).start()

    def die(self, number: int) -> None:
        """What the signal does when it arrives. What the feeders have not moved is lost."""
        port = current_port()

        def effect() -> None:
            if not self.has_started():
                return
            if any(each.has_started() for each in port.started_in(self.runs_in)):
                port.halt(
                    ModelError(
                        f"process {self.default_name} is killed while what it has started runs",
                        remedy="have it wait for that, and tell it to end by an Event",
                    )
                )
            for each in port.feeding():
                each.lose(self.runs_in)
            self.state = self.state._replace(phase=ENDED, code=-number)
            port.kill(self.runs)

        self.operate("die", effect)

    def is_alive(self) -> bool:
        """Whether the process was started and has not ended."""

        def effect() -> bool:
            if current_port().process == self.runs_in:
                return True
            self._check("can only test a child process")
            return bool(self.state.phase == STARTED)

        return bool(self.operate("is_alive", effect))

    @property
    def exitcode(self) -> int | None:
        """0, or what `sys.exit` was given, once it has ended; 1 where an exception has ended it."""

        def effect() -> int | None:
            self._check("can only ask for the exit code of a child process")
            return self.state.code if self.state.phase == ENDED else None

        return self.operate("exitcode", effect)

    @property
    def runs_in(self) -> ThreadName:
        """The process itself."""
        return self.default_name

    @property
    def ident(self) -> Any:
        """Not modelled: raises `ModelError`."""
        raise ModelError(
            "the number of a process is asked for, which is another one in each run",
            remedy="ask for its name",
        )

    pid = native_id = ident

    @staticmethod
    def ended(state: Any, *, failed: bool) -> Any:
        return state._replace(phase=ENDED, code=1 if failed else state.code)

    def exits(self, code: object) -> None:
        """Note what `sys.exit` was given, in the process itself."""
        number = 0 if code is None else code if isinstance(code, int) else 1

        def effect() -> None:
            self.state = self.state._replace(code=number)

        current_port().access(AccessKind("", self._location), effect, private=True)

    def end(self) -> tuple[Any, ...]:
        """Wait for the threads and the processes that the process itself has started. Gives the
        queues that it has to wait for, too.
        """
        port = current_port()
        started = port.started_in(self.runs_in)
        if not (started or port.has_feeders):
            return ()

        def effect() -> tuple[Any, ...]:
            running = [each for each in started if each.has_started()]
            if any(not each.daemon_room for each in running):
                self.block()
            if running:
                port.halt(
                    ModelError(
                        f"process {self.default_name} ends while a daemon that it has started runs",
                        remedy="wait for it, or start it in the process of the script",
                    )
                )
            return tuple(port.feeding())

        found: tuple[Any, ...] = port.access(
            AccessKind("end", self._location), effect, private=not started
        )
        return found

    def _check(self, message: str) -> None:
        if current_port().process != self.made_in:
            raise AssertionError(message)


def current_process() -> Any:
    """`multiprocessing.current_process`."""
    return current_port().process_object()


def run(
    process: Process,
    target: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
) -> None:
    """What a process runs."""
    try:
        target(*args, **dict(kwargs))
    except SystemExit as error:
        process.exits(error.code)
    finally:
        for each in process.end():
            each.leave()


def arrives(process: Process, number: int) -> None:
    """What brings a signal to a process: a thread of nobody's, for it comes when it comes."""
    process.die(number)


arrives.__name__ = "signal"


def make_process(
    group: None = None,
    target: Callable[..., Any] | None = None,
    name: str | None = None,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    daemon: bool | None = None,
) -> Thread:
    """`multiprocessing.Process(...)` in a running thread."""
    if group is not None:
        raise AssertionError("group argument must be None for now")
    if target is None:
        raise ModelError(
            "a Process is made without a target", remedy="say what it runs: Process(target=...)"
        )
    return made_thread(Process, target, args, kwargs, name=name, daemon=bool(daemon))
