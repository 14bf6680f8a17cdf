"""Deadlocks of consumers that wait for more to do when nobody is left who could give them any.

They go round in a loop without an end (in Go, in one that receives), and what they wait for was
given by threads that have ended, or by others like them. So all work is done, and no end is made.
"""

from __future__ import annotations

from collections.abc import Sequence

from interleave.checks.ways_out import WaysOut
from interleave.machine import FINISHED, Blocked, Machine, State, Step


class Consumers:
    """Notes which threads give what, and says of deadlocks whether that is the cause."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._ways_out = WaysOut(machine)
        self._givers: dict[int, set[tuple[int, str]]] = {}
        """The threads that change something at each place of the states, each with how it does."""

    def note(self, step: Step) -> None:
        """Note what a step gives."""
        for access in step.accesses:
            for touch in access.writes:
                givers = self._givers.setdefault(touch.location.index, set())
                givers.add((step.thread, access.kind.name))

    def hint(self, state: State, blocked: Sequence[Blocked]) -> str:
        """What to do about a deadlock, if all who are blocked in it are such consumers; else ""."""
        threads = self._machine.program.threads
        needed = [wait for wait in blocked if not threads[wait.thread].daemon]
        runtime = self._machine.program.runtime
        consumes = self._takes_in_a_loop if runtime.receives else self._goes_on_for_ever
        if not (needed and all(consumes(state, wait) for wait in needed)):
            return ""
        done = self._done(state, {wait.thread: self._from_whom(wait, blocked) for wait in blocked})
        if not all(wait.thread in done for wait in needed):
            return ""
        return runtime.words.nothing_comes

    def _goes_on_for_ever(self, state: State, wait: Blocked) -> bool:
        return not self._ways_out.has_one(self._machine.local(state, wait.thread))

    def _takes_in_a_loop(self, state: State, wait: Blocked) -> bool:
        local = self._machine.local(state, wait.thread)
        receives = self._machine.program.runtime.receives
        return wait.access.name in receives and self._ways_out.is_in_loop(local)

    def _from_whom(self, wait: Blocked, blocked: Sequence[Blocked]) -> set[int]:
        """Who could give what a thread waits for, in another way than by waiting for it too."""
        location, how = wait.access.location, wait.access.name
        waiting = {each.thread for each in blocked if each.access.location is location}
        at_it = self._givers.get(location.index, set()) if location is not None else set()
        # What a select waits for, or is woken by, are all places that it changes.
        besides = [each for each in self._givers.values() if (wait.thread, how) in each]
        for givers in (at_it, set().union(*besides)):
            if found := {thread for thread, other in givers if other != how}:
                return found - waiting
        return set()

    def _done(self, state: State, idle: dict[int, set[int]]) -> set[int]:
        """The threads that have ended, and those that can only get more from these, in the end."""
        done: set[int] = {
            thread.number
            for thread in self._machine.program.threads
            if self._machine.local(state, thread.number) == FINISHED
        }
        left = {**idle}
        while ready := [thread for thread, givers in left.items() if givers and givers <= done]:
            done.update(ready)
            left = {thread: givers for thread, givers in left.items() if thread not in ready}
        return done
