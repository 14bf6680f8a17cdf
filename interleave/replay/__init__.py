"""Real threads, run one at a time by a given schedule: what Python itself makes of an interleaving.

Nothing here knows of models, states or engines: a program is a few functions and an observation.
"""

from interleave.replay.points import Points, at_instructions, at_lines
from interleave.replay.scheduler import Outcome, Program, Raised, Run
from interleave.replay.schedules import every_run, outcomes, replay

__all__ = [
    "Outcome",
    "Points",
    "Program",
    "Raised",
    "Run",
    "at_instructions",
    "at_lines",
    "every_run",
    "outcomes",
    "replay",
]
