"""interleave itself, by its command line."""

from __future__ import annotations

import functools
import json
import re
import sys
from pathlib import Path

from cases import CASES, QUICK, Case
from measuring import Failed, Finished, succeed

from peers.base import Engine, Measured, TooSlow

COMMAND = (sys.executable, "-m", "interleave")
MOST_STATES = 1_000_000_000
"""More than any case has: interleave ends at ten million unless told otherwise."""


class Interleave(Engine):
    """One of its engines. All its default checks are on."""

    peer = False

    def __init__(self, engine: str, workers: int | None = None) -> None:
        self.name = f"interleave {engine}"
        self._options = ["--engine", engine]
        if workers is not None:
            self.name += f", {workers} worker{'s' if workers > 1 else ''}"
            self._options += ["--workers", str(workers)]

    def unavailable(self) -> str:
        return ""

    def version(self) -> str:
        return succeed([*COMMAND, "--version"]).out.strip().replace(", version", "")

    def prepare(self, case: Case, folder: Path, limit: float) -> float | None:
        # What is compiled once and kept on disk is not to be paid for by the first run.
        small = next(each for each in CASES if each.model == case.model and each.size == QUICK)
        self._check(small, limit)
        return None

    def run(self, case: Case, folder: Path, limit: float) -> Measured:
        finished = self._check(case, limit)
        (model,) = json.loads(finished.out)["models"]
        if not model["complete"] or not model["expected"]:
            raise Failed(f"{case}: {model['verdict']}, {model['limit'] or 'not as expected'}")
        return Measured(
            wall=finished.wall,
            search=seconds_in(finished.err),
            cpu=finished.cpu,
            peak=finished.peak,
            states=model["states"],
            transitions=model["transitions"],
        )

    def _check(self, case: Case, limit: float) -> Finished:
        command: list[str | Path] = [*COMMAND, "check", case.file, *self._options]
        for name, value in case.parameters.items():
            command += ["-p", f"{name}={value}"]
        command += ["--max-states", str(MOST_STATES), "--format", "json", "--stats"]
        finished = succeed(command, limit=limit)
        if finished.stopped:
            raise TooSlow
        return finished


def seconds_in(stats: str) -> float:
    """The seconds of search that `--stats` tells: "Counter: engine native, ...: search 0.292 s"."""
    found = re.search(r"search ([\d.,]+) s\b", stats)
    if found is None:
        raise Failed(f"no seconds in what --stats says: {stats!r}")
    return float(found[1].replace(",", ""))


@functools.cache
def engines() -> tuple[Interleave, ...]:
    """Those that this version has; the first is what all others are compared with."""
    said = succeed([*COMMAND, "check", "--help"]).out
    if "native" in said and "--workers" in said:
        first = [Interleave("native", 1), Interleave("native", 2)]
    else:
        first = [Interleave("auto")]
    return (*first, Interleave("reference"))
