"""Broken model files, drawn by number: what people write by mistake, and what they never would.

`python tests/support/broken_files.py SECONDS [FIRST]` checks as many as there is time for.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent

from click.testing import CliRunner, Result

from interleave.cli import main

EXPRESSIONS = (
    "1 / 0", "None()", "self", "missing", "10 ** 6000", "-(10 ** 20000)", "'x' * 1_000_000", "...",
    "(lambda: 1)()", "[*range(2000)]", "{'a': {}, 1: [()]}", "float('nan')", "b'\\xff'", "'\\ud800'",
    "'\\x1b[2J'", "object()", "open", "type", "print('hello')", "input()", "exit(7)", "quit()",
    "choose([])", "choose(5)", "choose(range(10**9))", "choose('ab')", "choose(iter([1, 2]))",
    "__import__('os')._exit(9)", "__import__('sys').exit(9)", "eval('1 +')", "exec('x = (')",
    "globals()", "locals()", "super()", "nested(5000)", "nested(300)", "deep(10**6)", "Odd()",
    "iter(int, 1)", "(yield)", "await thing", "self.x", "self.t()", "self.setup()", "Broken.x",
    "threading.Lock()", "threading.Thread(target=print)", "threading.current_thread()", "Model()",
    "__import__('sys').stdout.close()", "__import__('sys').setrecursionlimit(60)", "NotImplemented",
    "max(())", "hash([])", "int('1' * 5000)", "str(10 ** 5000)", "list(range(10**15))", "[0] * 10**16",
)  # fmt: skip

STATEMENTS = (
    "pass", "return 1", "return", "yield 1", "self.x = {e}", "self.x += {e}", "del self.x",
    "self.y", "assert {e}", "assert False, {e}", "raise {e}", "raise KeyboardInterrupt",
    "raise SystemExit({e})", "raise GeneratorExit", "raise MemoryError", "raise RecursionError",
    "raise Odd()", "raise Mute()", "raise ValueError('x' * 1_000_000)", "global x; x = {e}",
    "self.__class__ = int",
    "self.__dict__.clear()", "with {e}: pass", "for i in {e}: pass", "try: {e}\n    except: pass",
    "try: {e}\n    finally: return", "def f(): return f()\n    f()", "class C: {e}",
    "match {e}:\n        case _: pass", "{e}", "print({e})", "lambda: {e}", "x: int = {e}",
    "while not self.x: pass", "while self.x < 3: self.x += 1", "with atomic(): self.x = {e}",
    "with section({e}): self.x", "[{e} for _ in range(3)]", "self.lock.release()",
    "os = __import__('os'); os.abort()", "for _ in range(10): self.x = {e}",
)  # fmt: skip

RARE = (
    "\0",
    "\t pass",
    "break",
    "nonlocal y",
    "from . import x",
    "import nothing_of_the_kind",
    "(",
)

HEADS = (
    "@thread", "@thread(2)", "@thread({e})", "@thread()", "@process", "@task", "@goroutine",
    "@invariant", "@postcondition", "@invariant\n    @thread", "@staticmethod", "@property",
    "@classmethod", "@thread\n    @property", "@{e}", "", "async @thread",
)  # fmt: skip

CLASSES = (
    "class Broken(Model):", "class Broken(Model, {e}):", "@expect({e})\nclass Broken(Model):",
    "@expect\nclass Broken(Model):", "class Broken(Model, metaclass=type):", "class Broken:",
    "@expect('lost-update')\nclass Broken(Model):", "class Broken(Model, int):",
    "@expect(nothing)\nclass Broken(Model):", "class Broken(Model, Refuses):",
)  # fmt: skip

HEADER = """
import threading
from interleave import *

class Odd(BaseException):
    def __str__(self):
        raise SystemExit(5)

class Mute(Exception):
    __str__ = __repr__ = None

class Refuses:
    def __init_subclass__(cls):
        raise KeyboardInterrupt

def nested(depth):
    found = ()
    for _ in range(depth):
        found = (found,)
    return found

def deep(depth):
    return deep(depth - 1) if depth else 0
"""


def broken_file(number: int) -> str:
    """The text of a file: the same for a number, however often it is asked for."""
    draw = random.Random(number)

    def fill(text: str) -> str:
        some = EXPRESSIONS if draw.random() < 0.5 else ("1", "self.x", "None", "[self.x]")
        return text.replace("{e}", draw.choice(some))

    def body(most: int) -> list[str]:
        kind = RARE if draw.random() < 0.05 else STATEMENTS
        return [indent(fill(draw.choice(kind)), 8 * " ") for _ in range(draw.randint(1, most))]

    lines = [*HEADER.splitlines()]
    if draw.random() < 0.05:
        lines.append(fill("{e}"))
    lines += fill(draw.choice(CLASSES) if draw.random() < 0.3 else CLASSES[0]).splitlines()
    lines.append(fill("    x = {e}") if draw.random() < 0.1 else "    x = 0")
    lines.append("    lock = threading.Lock()")
    if draw.random() < 0.1:
        lines.append(fill("    N = param({e})"))
    if draw.random() < 0.3:
        lines += ["    def setup(self):", *body(2)]
    for each in range(draw.randint(1, 3)):
        head = fill(draw.choice(HEADS)) if draw.random() < 0.2 else HEADS[draw.randint(0, 1)]
        arguments = "self"
        if draw.random() < 0.1:
            arguments = draw.choice(("self, i", "", "*a", "self, *, k", "self, /", "self=0"))
        lines += [f"    {head}", f"    def {'tuv'[each]}({arguments}):", *body(4)]
    if draw.random() < 0.3:
        lines += ["    @invariant", "    def holds(self):", *body(2)]
    if draw.random() < 0.1:  # something is lost, or doubled
        at = draw.randrange(len(lines))
        lines[at : at + 1] = draw.choice(([], [lines[at]] * 2, [lines[at][:-1]], [f" {lines[at]}"]))
    return "\n".join(lines) + "\n"


def check(number: int, *options: str) -> Result:
    """What a check of a broken file gives, in the current folder."""
    Path("broken.py").write_text(broken_file(number), "utf-8", "surrogatepass")
    return CliRunner().invoke(main, ["check", "broken.py", "--max-seconds", "2", *options])


def wrong(result: Result) -> str:
    """What is wrong with how a check ended; "" where it ended as it must."""
    if result.exit_code not in (0, 1, 2, 3):
        return f"exit code {result.exit_code}"
    for text in (result.stdout, result.stderr):
        if "Traceback" in text or "Exception ignored" in text:
            return "a traceback"
    return "" if result.stdout or result.stderr else "not a word"


def _search(seconds: float, first: int) -> None:
    ends = time.monotonic() + seconds
    number = first
    slowest = (0.0, first)
    while time.monotonic() < ends:
        started = time.monotonic()
        found = wrong(result := check(number))
        slowest = max(slowest, (time.monotonic() - started, number))
        if found:
            print(f"{number}: {found}\n{result.stderr[-2000:]}")
        number += 1
    print(f"{number - first} files; the slowest, {slowest[1]}, took {slowest[0]:.1f} s")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        _search(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
