"""What `.ci/run` leaves behind."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

RUN = Path(__file__).parent.parent / ".ci" / "run"

PYTHON = """#!/usr/bin/env bash
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$3/bin"
for tool in pip mypy python interleave; do printf '#!/bin/sh\\n' >"$3/bin/$tool"; done
cat >"$3/bin/pytest" <<'END'
#!/bin/sh
sleep 60 &
echo $$ $! $PPID >"$PIDS.part" && mv "$PIDS.part" "$PIDS"
wait
END
cat >"$3/bin/ruff" <<'END'
#!/bin/sh
while ! [ -e "$PIDS" ]; do sleep 0.02; done
END
echo "$FAILS" >>"$3/bin/ruff"
chmod +x "$3"/bin/*
"""
"""Stands for Python; the tools in an environment that it makes for such ones."""


def runs(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it is asked there what runs")
@pytest.mark.parametrize("fails", ["exit 1", "kill -TERM $PPID", "kill -INT $PPID; exit 130"])
def test_what_runs_in_the_background_ends_with_it(tmp_path: Path, fails: str) -> None:
    """When lint fails, or somebody ends it."""
    python, pids = tmp_path / "python3", tmp_path / "pids"
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / "temporary").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PIDS": str(pids),
        "FAILS": fails,
        "TMPDIR": str(tmp_path / "temporary"),
    }
    done = subprocess.run(
        ["bash", RUN], env=environment, capture_output=True, timeout=30, check=False
    )
    assert done.returncode
    assert b"lint" in done.stdout
    processes = [*map(int, pids.read_text().split())]
    until = time.monotonic() + 5  # of one that was killed, the system has to take note
    while any(map(runs, processes)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(runs, processes))
    assert not [*(tmp_path / "temporary").iterdir()]
