"""Goroutines that end in the step of another one, which leaves them nothing to do.

One that was parked goes on when it has been served, in a step of its own. If it has only to take
what it was given, and then ends, nobody can tell when it does so: it ends in the step that serves
it. So it is with one that begins and does nothing. A server that starts a helper in each round then
has no more states the more of its helpers are about to end.
"""

from __future__ import annotations

from interleave.machine.run import StepRun
from interleave.machine.step import FINISHED, Step
from interleave.memory.streams import running


def left_by(step: Step, run: StepRun) -> list[tuple[int, int]]:
    """The threads that a step, which was `run`, may leave nothing to do, each with the number of
    accesses that it has left then: to be served takes the one in which the thread was parked.
    """
    return [*((thread, 1) for thread in run.port.served), *((each, 0) for each, _ in step.starts)]


def quiet_end(run: StepRun, local: int, accesses: int) -> Step | None:
    """The step from a local state by which a thread ends, if it does with so many accesses, and
    there is nothing else to be told of it.
    """
    with running(run.port):
        step = run.run(local)
    if not isinstance(step, Step) or step.local != FINISHED or len(step.accesses) > accesses:
        return None
    is_told = step.raised or step.warnings or step.starts or run.has_chosen or run.port.served
    return None if is_told else step
