"""Where signals come in: what a step has to do with handlers, where a program installs any.

A signal may come at any place of the main thread, from when its handler is installed. Then another
thread, of a kind of its own, runs the handler, and is the main one to all that it does. The main
thread waits until that has ended. It goes on where it was, or raises there what the handler has
raised. A handler may be interrupted in the same way.

A place is the end of a block, with its log as it is then, or the middle of one, before its next
access. What is raised there is raised by this block: as in CPython, which runs handlers at the end
of a call and on the way back in a loop (`eval_breaker`, from 3.11 on), so that none comes between
the entry of a `with` whose context manager is written in C and its body. Where a thread waits, a
handler may come in that wait: that it ever comes is what a program may wait for. But a lock is
given back by a thread, and by no signal. So while one is waited for it may also be decided that no
signal comes any more, and a deadlock is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from interleave.errors import ModelError
from interleave.machine.accesses import Accesses
from interleave.machine.halting import Ending
from interleave.machine.places import Places
from interleave.machine.spawning import Spawning
from interleave.machine.stack import Stack
from interleave.machine.step import AccessRecord
from interleave.machine.switching import Switches
from interleave.machine.taint import FlowRecorder
from interleave.memory.port import AccessKind, Location
from interleave.memory.primitive import Primitive
from interleave.program import Program, ThreadInstance
from interleave.program.choices import Choices
from interleave.stdlib.threads import STARTED, Made

if TYPE_CHECKING:
    from interleave.stdlib.signal import Installed


class Interrupts:
    """The signals that may come in one step of the main thread, or of what stands for it."""

    def __init__(
        self,
        program: Program,
        me: ThreadInstance,
        *,
        choices: Choices,
        stack: Stack,
        accesses: Accesses,
        places: Places,
        spawning: Spawning,
        switches: Switches,
        ending: Ending,
    ) -> None:
        self.pending = False
        """Whether the handler that has interrupted this thread has raised something, which is to be
        raised here.
        """
        self.goes_back = False
        """Whether control has gone back to the block that is about to begin."""
        self.flow: FlowRecorder | None = None
        self._signals = program.signals
        self._me = me
        self._heap = program.heap
        self._threads = program.threads
        self._choices = choices
        self._stack = stack
        self._accesses = accesses
        self._places = places
        self._spawning = spawning
        self._switches = switches
        self._ending = ending
        self._last: AccessKind | None = None
        """The access before, of the present block."""

    def begin(self) -> AccessKind | None:
        """Begin a step. Gives what the thread waits for, where a handler runs meanwhile."""
        state = self._signals.state
        levels = state.threads(self._signals.main)
        if self._me.number not in levels:
            return None  # it has not begun, or has ended
        level = levels.index(self._me.number)
        if level == len(state.running):
            self.pending = state.raised is not None
            return None
        return AccessKind("handler", self._threads[levels[level + 1]].room.location)

    def enter(self) -> None:
        """A block begins, or begins again: a place, where a loop does so in it."""
        self._last = None
        if self.goes_back:
            self.goes_back = False
            if not self._is_in_c():
                self.leave()
        self._switches.has_passed = False

    def leave(self) -> None:
        """Control is about to leave a block: a place, where that has performed an access, or called
        something.
        """
        if self._switches.has_passed and self._switches.is_due and self.come():
            self._ending.suspend()

    def precede(self, kind: AccessKind) -> None:
        """An access is about to be performed: a place, where Python code is entered for it; and
        another one, where that takes a lock.
        """
        if self._is_in_c():
            return
        if self._switches.has_passed and self._switches.is_due and self.come():
            self._ending.suspend()
        if kind.locks and self.come(kind.location):
            self._ending.suspend()

    def suspend(self) -> None:
        """The thread is about to be suspended before an access: a place."""
        if not self._is_in_c():
            self.come()

    def _is_in_c(self) -> bool:
        """Whether the thread is in code that stands for C: no handler comes in there, but where
        that calls Python code.
        """
        return self._stack.here()[0].is_in_place_of_c

    def note(self, kind: AccessKind) -> None:
        """The block comes by an access, performed now or before."""
        self._last = kind

    def wait(self, kind: AccessKind) -> bool:
        """Whether a signal comes while the thread waits for an access; or while that is one of a
        lock, whether it is now that none comes any more.
        """
        coming = self._signals.state.coming()
        ways = len(coming) + self._waits_for_lock(kind)
        choice = self._choices.choose(range(1 + ways)) if coming else 0
        if choice > len(coming):
            self._do(lambda: self._set(none_comes=True))
        elif choice:
            self._begin(coming[choice - 1])
        return choice > 0

    def _waits_for_lock(self, kind: AccessKind) -> bool:
        if kind.location is None:
            return False
        held = self._heap.owner(kind.location)
        if kind.location.is_room:
            held = self._heap.values[self._places.at(kind.location.index)].kind.stand_in
        return getattr(held, "is_lock", False) is True

    def come(self, inside: Location | None = None) -> bool:
        """Whether a signal comes here: each may, or none. One that does has its handler begin.

        `inside`: the thread is using what is there, and holds a lock of it.
        """
        coming = self._signals.state.coming()
        choice = self._choices.choose(range(1 + len(coming))) if coming else 0
        if choice:
            self._begin(coming[choice - 1], -1 if inside is None else inside.number)
        return choice > 0

    def _begin(self, coming: Installed, inside: int = -1) -> None:
        """Have the handler of a signal begin."""
        from interleave.stdlib.signal import Handling, Interrupted, handle, name_of_signal

        name = name_of_signal(coming.number)

        def effect() -> None:
            room = self._spawning.thread_room(Handling, handle, False, None, name)
            room.state = Made(STARTED, None, (), (), room.default_name)
            state = self._signals.state.but(coming._replace(left=coming.left - 1))
            self._signals.state = state
            self._set(running=(*state.running, Interrupted(room.runs, inside)), pausing=False)
            self._spawning.start_thread(room.runs, handle, (coming.handler, coming.number), {})

        self._do(effect)

    def _do(self, effect: Callable[[], None]) -> None:
        """An access of no block."""
        accesses = self._accesses
        accesses.begin(AccessRecord(AccessKind(""), self._stack.shown(), 0))
        effect()
        accesses.present = None
        if self.flow is not None:
            self.flow.interrupted(len(accesses.done) - 1)

    def _set(self, **changes: Any) -> None:
        self._signals.state = self._signals.state._replace(**changes)

    def raises(self, kind: AccessKind) -> Any:
        """Raise here what the handler has raised, in an access of this kind.

        Where that was using something, with a lock held, it may be that nobody gives the lock back:
        a `with` of a `threading.Condition` has entered it by Python code.
        """
        if self._last is not None and self._last.location is kind.location:
            self._refuse_within(kind)
        state = self._signals.state
        error, inside = state.raised
        self._set(raised=None)
        self.pending = False
        if inside >= 0 and self._choices.choose((False, True)):
            self._set(left_locked=(*state.left_locked, inside))
        raise error

    def _refuse_within(self, kind: AccessKind) -> None:
        """Refuse what comes in the midst of an operation of a primitive, unless that is for it."""
        owner = None if kind.location is None else self._heap.owner(kind.location)
        if isinstance(owner, Primitive) and not owner.can_be_left:
            self._ending.halt(
                ModelError(
                    f"a handler raises an exception within {kind.where}.{kind.name}()",
                    remedy="what that leaves behind is not modelled: let the handler set a "
                    "variable, and look at that",
                )
            )

    def end(self, error: BaseException | None) -> None:
        """The handler that this is has ended; with an exception, what it has interrupted raises."""
        *others, last = self._signals.state.running
        raised = None if error is None else (error, last.inside)
        self._set(running=tuple(others), raised=raised)
