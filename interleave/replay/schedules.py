"""All schedules of a program, each run from a fresh set-up: no state is kept between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from interleave.errors import ModelError
from interleave.replay.points import Points
from interleave.replay.scheduler import Outcome, Program, Run, Scheduler

MOST_STEPS = 10_000
"""Steps of one schedule at most: threads that wait for each other in a loop have endless ones."""


def outcomes(setup: Callable[[], Program], points: Points) -> frozenset[Outcome]:
    """Every outcome that a program has under any schedule."""
    return frozenset(run.outcome for run in every_run(setup, points))


def every_run(setup: Callable[[], Program], points: Points) -> Iterator[Run]:
    """Every schedule of a program with what came of it, in the order of the threads' numbers.

    `setup` makes the program anew, with all that its threads share. A switch can happen at `points`
    and before each operation of a lock. Raises `ModelError` where the same schedule does not lead
    to the same choices again, and where a schedule does not come to an end.
    """
    run = replay(setup, points)
    if replay(setup, points) != run:
        raise _not_deterministic()
    while True:
        yield run
        # The last step at which another thread, not tried so far, could have run instead.
        for step in reversed(range(len(run.schedule))):
            later = [other for other in run.enabled[step] if other > run.schedule[step]]
            if later:
                break
        else:
            return
        known = run.enabled[: step + 1]
        run = replay(setup, points, (*run.schedule[:step], later[0]))
        if run.enabled[: step + 1] != known:
            raise _not_deterministic()


def _not_deterministic() -> ModelError:
    return ModelError(
        "the program is not deterministic: the same schedule has led to something else",
        remedy="let `setup` make everything anew that the threads change",
    )


def replay(setup: Callable[[], Program], points: Points, schedule: Sequence[int] = ()) -> Run:
    """Run one schedule; where it ends before the program, the first thread that can runs on.

    Raises `ModelError` where the schedule wants a thread to run that cannot.
    """
    chosen: list[int] = []
    enabled: list[tuple[int, ...]] = []

    def choose(able: tuple[int, ...]) -> int:
        step = len(chosen)
        if step == MOST_STEPS:
            raise ModelError(
                f"a schedule has not ended after {MOST_STEPS:,} steps",
                remedy="let no thread wait for another in a loop",
            )
        thread = schedule[step] if step < len(schedule) else able[0]
        if thread not in able:
            raise ModelError(f"thread {thread} cannot run at step {step + 1} of the schedule")
        chosen.append(thread)
        enabled.append(able)
        return thread

    outcome = Scheduler(points).run(setup, choose)
    return Run(tuple(chosen), tuple(enabled), outcome)
