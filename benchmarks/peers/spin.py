"""SPIN: Promela, compiled to C by `spin -a`, and by gcc to a program called pan."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

from cases import Case
from measuring import Failed, Finished, succeed

from peers.base import TEXTS, Engine, Measured, TooSlow

FLAGS = ("-O2", "-DNOREDUCE", "-DSAFETY")
"""NOREDUCE: no partial order reduction, so every state. SAFETY: no search for cycles: faster."""


class Spin(Engine):
    """Depth-first, as SPIN searches by default, or breadth-first, as interleave does."""

    def __init__(self, breadth_first: bool) -> None:
        self.name = "SPIN, breadth-first" if breadth_first else "SPIN"
        self._flags = [*FLAGS, "-DBFS"] if breadth_first else [*FLAGS]
        self._breadth_first = breadth_first
        self._depths: dict[str, int] = {}

    def unavailable(self) -> str:
        missing = [program for program in ("spin", "gcc") if shutil.which(program) is None]
        return f"{' and '.join(missing)} not found" if missing else ""

    def version(self) -> str:
        said = succeed(["spin", "-V"]).out.split()
        return f"SPIN {said[2]}"

    def prepare(self, case: Case, folder: Path, limit: float) -> float | None:
        text = TEXTS / f"{case.model}.pml"
        defined = [f"-D{name}={value}" for name, value in case.parameters.items()]
        made = succeed(["spin", *defined, "-a", text], folder)
        built = succeed(["gcc", *self._flags, "-o", "pan", "pan.c"], folder)
        if not self._breadth_first:
            # The stack of a depth-first search has a fixed size. No path is longer than there are
            # states, but so large a stack costs time and memory: take what is needed, as somebody
            # would who knows SPIN.
            finished = self._search(case, folder, case.states + 10, limit)
            self._depths[case.key] = int(_first(r"depth reached (\d+)", finished.out)) + 10
        return made.wall + built.wall

    def run(self, case: Case, folder: Path, limit: float) -> Measured:
        finished = self._search(case, folder, self._depths.get(case.key, 1000), limit)
        # It counts the start as a transition that stores a state, and rounds to 8 digits.
        transitions = float(_first(r"([\d.e+]+) transitions \(= stored\+matched\)", finished.out))
        return Measured(
            wall=finished.wall,
            search=float(_first(r"elapsed time ([\d.e+-]+) seconds", finished.out)),
            cpu=finished.cpu,
            peak=finished.peak,
            states=round(float(_first(r"([\d.e+]+) states, stored", finished.out))),
            transitions=round(transitions) - 1,
            rounded=round(10 ** (math.floor(math.log10(transitions)) - 7)),
        )

    def _search(self, case: Case, folder: Path, depth: int, limit: float) -> Finished:
        slots = max(10, math.ceil(math.log2(case.states)))
        finished = succeed([folder / "pan", f"-m{depth}", f"-w{slots}"], folder, limit)
        if finished.stopped:
            raise TooSlow
        said = finished.out + finished.err
        if "too small" in said or "errors: 0" not in said or "Warning: Search not comp" in said:
            raise Failed(f"{self.name} on {case} did not search everything:\n{said}")
        return finished


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise Failed(f"pan did not say {pattern!r}:\n{text}")
    return found[1]
