"""rumur: Murphi, compiled to C by `rumur`, and by gcc to a program that checks."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

from cases import Case
from measuring import Failed, succeed

from peers.base import TEXTS, Engine, Measured, TooSlow

FLAGS = ("-std=c11", "-march=native", "-O3")
"""As its manual has it."""


class Rumur(Engine):
    """Breadth-first, one thread, no symmetry reduction, states not compressed: that is faster."""

    name = "rumur"

    def unavailable(self) -> str:
        missing = [program for program in ("rumur", "gcc") if shutil.which(program) is None]
        return f"{' and '.join(missing)} not found" if missing else ""

    def version(self) -> str:
        return succeed(["rumur", "--version"]).out.strip().replace("Rumur version", "rumur")

    def prepare(self, case: Case, folder: Path, limit: float) -> float | None:
        text = (TEXTS / f"{case.model}.m").read_text(encoding="utf-8")
        for name, value in case.parameters.items():
            text, found = re.subn(rf"(?m)^  {name}: \d+;$", f"  {name}: {value};", text)
            if found != 1:
                raise Failed(f"{case.model}.m has no constant {name}")
        (folder / "model.m").write_text(text, encoding="utf-8")
        options = ["--quiet", "--threads", "1", "--symmetry-reduction", "off"]
        options += ["--pack-state", "off"]
        options += ["--deadlock-detection", "stuck" if case.endless else "off"]
        # So many bytes that the set of states need not grow: 8 for each, three quarters full. Less
        # than its default is of no use, and much less makes it crash.
        capacity = 2 ** math.ceil(math.log2(case.states * 8 / 0.75))
        options += ["--set-capacity", str(max(capacity, 2**23))]
        made = succeed(["rumur", *options, "--output", "model.c", "model.m"], folder)
        built = succeed(["gcc", *FLAGS, "-o", "model", "model.c", "-lpthread"], folder)
        return made.wall + built.wall

    def run(self, case: Case, folder: Path, limit: float) -> Measured:
        finished = succeed([folder / "model"], folder, limit)
        if finished.stopped:
            raise TooSlow
        found = re.search(r"(\d+) states, (\d+) rules fired in", finished.out)
        if found is None or "No error found" not in finished.out:
            raise Failed(f"rumur on {case}:\n{finished.out}")
        return Measured(
            wall=finished.wall,
            search=finished.wall,
            cpu=finished.cpu,
            peak=finished.peak,
            states=int(found[1]),
            transitions=int(found[2]),
        )
