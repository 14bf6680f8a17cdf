"""Small state graphs in full, and the size of every model, as they are written down in golden/.

`python tests/support/golden.py` writes the files anew. What they differ in is for a person to look
at: each line of a graph is a state or a transition, each line of the table a model.
"""

from __future__ import annotations

import difflib
import sys
import threading
from pathlib import Path

from library import FOLDER, TABLE, present_rows, table_text

from interleave import Model, explore, invariant, section, thread

GOLDEN = TABLE.parent


class Counter(Model):
    """Two threads, one increment each."""

    counter = 0

    @thread(2)
    def increment(self):
        current = self.counter
        self.counter = current + 1


class SpinFlag(Model):
    """One thread waits in a loop for the other."""

    ready = False
    data = 0

    @thread
    def writer(self):
        self.data = 1
        self.ready = True

    @thread
    def reader(self):
        while not self.ready:
            pass
        assert self.data == 1


class TwoLocks(Model):
    """Each thread takes the two locks in its own order."""

    a = threading.Lock()
    b = threading.Lock()

    @thread
    def forwards(self):
        with self.a, self.b:
            pass

    @thread
    def backwards(self):
        with self.b, self.a:
            pass


class OneFlag(Model):
    """Both threads can get into the section; and one of them fails."""

    occupied = False

    @thread(2)
    def worker(self, i):
        while self.occupied:
            pass
        self.occupied = True
        with section("critical"):
            pass
        if i:
            raise ValueError

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1


GRAPHS: dict[str, type[Model] | tuple[Path, str]] = {
    "counter.txt": Counter,
    "spin_flag.txt": SpinFlag,
    "two_locks.txt": TwoLocks,
    "one_flag.txt": OneFlag,
    "peterson.txt": (FOLDER / "classics" / "peterson.py", "Peterson"),
}


def graph_text(name: str, engine: str = "auto") -> str:
    """The state graph of one of the models above."""
    chosen = GRAPHS[name]
    if isinstance(chosen, tuple):
        file, model = chosen
        return explore(file, model=model, engine=engine).to_text()
    return explore(chosen, engine=engine).to_text()


def differences(name: str, now: str) -> str:
    """What is not as it is written down; "" if nothing is."""
    file = GOLDEN / name
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    lines = difflib.unified_diff(
        before.splitlines(), now.splitlines(), f"golden/{name}", "now", lineterm=""
    )
    return "\n".join(lines)


def write() -> None:
    """Bring the files up to date, and say what changed."""
    GOLDEN.mkdir(exist_ok=True)
    for name in [TABLE.name, *GRAPHS]:
        text = table_text(present_rows()) if name == TABLE.name else graph_text(name)
        if difference := differences(name, text):
            print(difference, end="\n\n")
        (GOLDEN / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(write())
