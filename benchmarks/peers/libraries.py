"""Model checkers that are libraries in Python: the models are in guarded.py."""

from __future__ import annotations

import json
from pathlib import Path

from cases import Case
from measuring import measure, succeed

from peers.base import Engine, Measured, TooSlow

SCRIPT = Path(__file__).parent / "guarded.py"


class Library(Engine):
    """One of them, with the Python in which it is installed."""

    def __init__(self, name: str, python: str) -> None:
        self.name = name
        self._python = python

    def unavailable(self) -> str:
        found = measure([self._python, "-c", f"import {self.name}"])
        return "" if found.code == 0 else "not installed (see --peer-python)"

    def version(self) -> str:
        asked = f"import importlib.metadata as m; print(m.version({self.name!r}))"
        return f"{self.name} {succeed([self._python, '-c', asked]).out.strip()}"

    def prepare(self, case: Case, folder: Path, limit: float) -> float | None:
        return None

    def run(self, case: Case, folder: Path, limit: float) -> Measured:
        finished = succeed(
            [self._python, SCRIPT, self.name, case.model, *case.setting.split()], folder, limit
        )
        if finished.stopped:
            raise TooSlow
        said = json.loads(finished.out)
        return Measured(
            wall=finished.wall,
            search=said["seconds"],
            cpu=finished.cpu,
            peak=finished.peak,
            states=said["states"],
            transitions=said["transitions"],
        )
