"""Measure what it takes to learn real code: classes of Python's own library, read as a user's.

Seconds of processor time for a check of each, with the interleave that this file belongs to, and
with one in another folder, in turn. With real code, learning what steps do is what a check takes:
its states are few.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

import click
from measuring import succeed

LIBRARY = Path(os.__file__).parent
OWN = Path(__file__).resolve().parent.parent

COPIES = {
    "queue": ("queue.py", ""),
    "functools": ("functools.py", "    from _functools import _lru_cache_wrapper"),
    "futures": ("concurrent/futures/_base.py", ""),
}
"""Files of the library by what their copies are called, with a line of each that puts a function in
C in the place of the one before.
"""

HEAD = "from interleave import Model, postcondition, thread\n"

HARNESSES = {
    "queue.Queue": """
from copied_queue import Queue

class Items(Model):
    def setup(self):
        self.queue = Queue(maxsize=1)
    @thread
    def producer(self):
        for n in range(2):
            self.queue.put(n)
    @thread
    def consumer(self):
        for n in range(2):
            assert self.queue.get() == n
""",
    "queue.PriorityQueue": """
from copied_queue import PriorityQueue

class Items(Model):
    def setup(self):
        self.queue = PriorityQueue()
    @thread(2)
    def producer(self, n):
        self.queue.put(n)
    @thread
    def consumer(self):
        assert {self.queue.get(), self.queue.get()} == {0, 1}
""",
    "functools.lru_cache": """
from copied_functools import _CacheInfo, _lru_cache_wrapper

def square(n):
    return n * n

cached = _lru_cache_wrapper(square, 1, False, _CacheInfo)

class Cached(Model):
    @thread(2)
    def worker(self, n):
        assert cached(n) == n * n
""",
    "functools.cached_property": """
from copied_functools import cached_property

class Holder:
    calls = 0
    @cached_property
    def value(self):
        self.calls += 1
        return self.calls

class Cached(Model):
    def setup(self):
        self.holder = Holder()
    @thread(2)
    def asker(self):
        assert self.holder.value
""",
    "concurrent.futures.Future": """
from copied_futures import Future

class Results(Model):
    def setup(self):
        self.future = Future()
    @thread
    def worker(self):
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(1)
    @thread
    def asker(self):
        assert self.future.result() == 1
""",
}
"""A model for each class."""


def laid_out(folder: Path) -> dict[str, Path]:
    """The copies, and a file for each model, in a folder: the files by name."""
    for name, (file, in_c) in COPIES.items():
        text = (LIBRARY / file).read_text()
        assert in_c in text
        (folder / f"copied_{name}.py").write_text(text.replace(in_c, "    pass") if in_c else text)
    files = {name: folder / f"{name.replace('.', '_')}.py" for name in HARNESSES}
    for name, file in files.items():
        file.write_text(HEAD + HARNESSES[name])
    return files


def seconds(file: Path, tree: Path) -> float:
    """Processor time of one check with the interleave in a folder."""
    path = f"import sys; sys.path.insert(0, {str(tree)!r})"
    run = f"{path}; sys.argv[0] = 'interleave'; import interleave.__main__ as it; it.run()"
    command = [sys.executable, "-c", run, "check", file.name, "--no-cache", "--quiet"]
    return succeed(command, file.parent).cpu


@click.command(help=__doc__)
@click.option("--against", type=click.Path(path_type=Path), help="A folder with another one.")
@click.option("--repeat", default=5, help="Runs of each; the median counts.")
def main(against: Path | None, repeat: int) -> None:
    """Measure each, and print a line for it."""
    trees = [OWN, *([against.resolve()] if against else [])]
    with tempfile.TemporaryDirectory() as folder:
        for name, file in laid_out(Path(folder)).items():
            runs = [[seconds(file, tree) for tree in trees] for _ in range(repeat + 1)][1:]
            medians = [statistics.median(each) for each in zip(*runs, strict=True)]
            told = "  ".join(f"{each:6.3f} s" for each in medians)
            times = f"  {medians[1] / medians[0]:4.2f} times as fast" if against else ""
            click.echo(f"{name:28}{told}{times}")


if __name__ == "__main__":
    main()
