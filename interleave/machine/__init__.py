"""The machine: states, and the steps that lead from one to the next."""

from interleave.machine.machine import Machine
from interleave.machine.step import FAILED, FINISHED, Blocked, Moves, State, Step

__all__ = ["FAILED", "FINISHED", "Blocked", "Machine", "Moves", "State", "Step"]
