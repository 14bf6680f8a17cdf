"""Small programs of several threads, and every schedule of them by brute force.

Each instruction is written down twice: as the source of a model, and as a piece of a Python
generator that yields before each access. Nothing here knows how interleave works.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any

Lines = list[str]
Running = Generator[tuple[Callable[[], bool], int], int, None]

MODEL = """
import threading, time
from collections import deque
from interleave import Model, array, atomic, choose, thread


class M(Model):
    x = 0
    y = 1
    items = [4]
    cells = array([0, 0])
    table = {{"k": 1}}
    queue = deque([2])
    lock = threading.Lock()
    second = threading.Lock()
    other = threading.RLock()
{threads}
"""


@dataclass
class Program:
    """Some threads: for each, the source of its method and of a generator."""

    sources: list[Lines] = field(default_factory=list)
    generators: list[Lines] = field(default_factory=list)

    def model(self) -> str:
        threads = ""
        for number, lines in enumerate(self.sources):
            body = textwrap.indent("\n".join(lines), " " * 8)
            threads += f"\n    @thread\n    def t{number}(self):\n{body}\n"
        return MODEL.format(threads=threads)

    def functions(self) -> list[Callable[[Any], Running]]:
        """For each thread, what makes its generator from the shared state."""
        made = []
        for number, lines in enumerate(self.generators):
            body = textwrap.indent("\n".join(lines), "    ")
            names: dict[str, Any] = {"me": number, "GO": (lambda: True, 1)}
            exec(f"def run(S):\n    t = 0\n{body}\n    if 0: yield\n", names)
            made.append(names["run"])
        return made


class Writer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.locks = random.random() < 0.4

    def program(self, threads: int, accesses: int) -> Program:
        made = Program()
        for _ in range(threads):
            self.left = accesses
            source, generator = self.body()
            made.sources.append(["t = 0", *source])
            made.generators.append(generator)
        return made

    def body(self) -> tuple[Lines, Lines]:
        source: Lines = []
        generator: Lines = []
        while self.left > 0:
            one, other = self.instruction()
            source += one
            generator += other
            if self.random.random() < 0.15:
                break
        return source or ["pass"], generator or ["pass"]

    def inside(self) -> tuple[Lines, Lines]:
        if self.left <= 0:
            return ["    pass"], ["    pass"]
        source, generator = self.body()
        return [f"    {line}" for line in source], [f"    {line}" for line in generator]

    def instruction(self) -> tuple[Lines, Lines]:
        k = self.random.randint(0, 2)
        v = self.random.choice("xy")
        kinds = ["read", "read", "write", "write", "add", "if", "append", "with", "rlock", "cell"]
        kinds += [
            "len",
            "pop",
            "sleep",
            "while",
            "iterate",
            "try",
            "atomic",
            "choose",
            "dict",
            "move",
        ]
        kinds += ["swap", "release", "deque", "except", "second"]
        if self.locks:
            kinds = ["with", "with", "second", "second", "rlock", "try", "add", "release", "read"]
        kind = self.random.choice(kinds)
        self.left -= {
            "add": 2,
            "with": 2,
            "rlock": 2,
            "iterate": 2,
            "second": 2,
            "move": 2,
            "swap": 4,
        }.get(kind, 1)
        match kind:
            case "read":
                return [f"t = self.{v}"], ["yield GO", f"t = S.{v}"]
            case "write":
                return [f"self.{v} = t + {k}"], ["yield GO", f"S.{v} = t + {k}"]
            case "add":
                return [f"self.{v} += {k}"], [
                    "yield GO",
                    f"u = S.{v}",
                    "yield GO",
                    f"S.{v} = u + {k}",
                ]
            case "move":
                other = "y" if v == "x" else "x"
                return [f"self.{v} = self.{other} - t"], [
                    "yield GO", f"u = S.{other} - t", "yield GO", f"S.{v} = u",
                ]  # fmt: skip
            case "swap":
                return ["self.x, self.y = self.y, self.x"], [
                    "yield GO", "u = S.y", "yield GO", "w = S.x",
                    "yield GO", "S.x = u", "yield GO", "S.y = w",
                ]  # fmt: skip
            case "if":
                source, generator = self.inside()
                return (
                    [f"if self.{v} == {k}:", *source],
                    ["yield GO", f"c = S.{v} == {k}", "if c:", *generator],
                )
            case "while":
                source, generator = self.inside()
                return (
                    [f"while t < {k} and self.{v} > 0:", "    t += 1", *source],
                    ["while True:", f"    if not t < {k}: break", "    yield GO",
                     f"    if not S.{v} > 0: break", "    t += 1", *generator],
                )  # fmt: skip
            case "append":
                return ["self.items.append(t)"], ["yield GO", "S.items.append(t)"]
            case "len":
                return ["t = len(self.items)"], ["yield GO", "t = len(S.items)"]
            case "pop":
                return ["t = self.items.pop()"], ["yield GO", "t = S.items.pop()"]
            case "deque":
                return ["self.queue.append(self.queue.popleft() + 1)"], [
                    "yield GO", "u = S.queue.popleft() + 1", "yield GO", "S.queue.append(u)",
                ]  # fmt: skip
            case "iterate":
                return (
                    ["for item in self.items:", "    t += item"],
                    ["i = 0", "while True:", "    yield GO", "    if i >= len(S.items): break",
                     "    t += S.items[i]", "    i += 1"],
                )  # fmt: skip
            case "cell":
                return (
                    [f"self.cells[{k % 2}] = self.cells[1] + t"],
                    ["yield GO", "u = S.cells[1] + t", "yield GO", f"S.cells[{k % 2}] = u"],
                )
            case "dict":
                return (
                    [f"self.table['k'] += {k}"],
                    ["yield GO", f"u = S.table['k'] + {k}", "yield GO", "S.table['k'] = u"],
                )
            case "sleep":
                return ["time.sleep(0)"], ["yield GO"]
            case "choose":
                return [f"t = choose([0, {k}, 2])"], [f"t = [0, {k}, 2][(yield (lambda: True, 3))]"]
            case "with":
                source, generator = self.inside()
                return (
                    ["with self.lock:", *source],
                    ["yield (lambda: not S.lock, 1)", "S.lock = True", "try:", *generator,
                     # Not `finally`: it would run when a generator is thrown away, too.
                     "except Exception:", "    yield GO", "    S.lock = S.free(S.lock)", "    raise",
                     "yield GO", "S.lock = S.free(S.lock)"],
                )  # fmt: skip
            case "second":
                source, generator = self.inside()
                return (
                    ["self.second.acquire()", *[line[4:] for line in source], "self.second.release()"],
                    ["yield (lambda: not S.second, 1)", "S.second = True",
                     *[line[4:] for line in generator],
                     "yield GO", "S.second = S.free(S.second)"],
                )  # fmt: skip
            case "rlock":
                source, generator = self.inside()
                return (
                    ["with self.other:", *source],
                    ["yield (lambda: S.owner in (None, me), 1)",
                     "S.owner = me; S.depth += 1", "try:", *generator,
                     "except Exception:", "    yield GO", "    S.depth -= 1",
                     "    S.owner = me if S.depth else None", "    raise",
                     "yield GO", "S.depth -= 1", "S.owner = me if S.depth else None"],
                )  # fmt: skip
            case "try":
                source, generator = self.inside()
                return (
                    ["if self.lock.acquire(blocking=False):", *source, "    self.lock.release()"],
                    ["yield GO", "c = not S.lock", "S.lock = True", "if c:", *generator,
                     "    yield GO", "    S.lock = S.free(S.lock)"],
                )  # fmt: skip
            case "release":
                return ["self.lock.release()"], ["yield GO", "S.lock = S.free(S.lock)"]
            case "except":
                source, generator = self.inside()
                return (
                    ["try:", *source, "    t = self.items.pop()", "except (IndexError, RuntimeError):",
                     "    t = 5"],
                    ["try:", *generator, "    yield GO", "    t = S.items.pop()",
                     "except (IndexError, RuntimeError):", "    t = 5"],
                )  # fmt: skip
            case _:  # atomic, of things that never wait
                return (
                    ["with atomic():", f"    if self.{v} != {k}:", f"        self.{v} += 1",
                     "    self.items.append(self.x)"],
                    ["yield GO", f"if S.{v} != {k}: S.{v} += 1", "S.items.append(S.x)"],
                )  # fmt: skip


Shared = tuple[Any, ...]


@dataclass
class Found:
    """What all schedules together come to."""

    reachable: set[Shared] = field(default_factory=set)
    final: set[Shared] = field(default_factory=set)
    deadlocks: set[Shared] = field(default_factory=set)
    raised: set[tuple[int, str, str]] = field(default_factory=set)
    schedules: int = 0


def brute_force(program: Program, most: int) -> Found | None:
    """Run a program under every schedule; None if there are more than `most`, or long ones."""
    found = Found()
    functions = program.functions()
    waiting: list[list[tuple[int, int]]] = [[]]
    while waiting:
        prefix = waiting.pop()
        shared = _shared()
        threads = _Threads([run(shared) for run in functions], found)
        for thread, choice in prefix:
            threads.go_on(thread, choice)
        values = _values(shared)
        found.reachable.add(values)
        ready = [thread for thread, (enabled, _) in threads.waiting.items() if enabled()]
        for thread in ready:
            for choice in range(threads.waiting[thread][1]):
                waiting.append([*prefix, (thread, choice)])
        if not ready:
            found.schedules += 1
            (found.deadlocks if threads.waiting else found.final).add(values)
        if found.schedules + len(waiting) > most or len(prefix) > 30:
            return None
    return found


class _Threads:
    def __init__(self, running: list[Running], found: Found) -> None:
        self._running = running
        self._found = found
        self.waiting: dict[int, tuple[Callable[[], bool], int]] = {}
        for number in range(len(running)):
            self.go_on(number, None)

    def go_on(self, number: int, choice: int | None) -> None:
        self.waiting.pop(number, None)
        try:
            self.waiting[number] = self._running[number].send(choice)  # type: ignore[arg-type]
        except StopIteration:
            pass
        except Exception as error:
            self._found.raised.add((number, type(error).__name__, str(error)))


def _shared() -> Any:
    from collections import deque

    def free(lock: bool) -> bool:
        if not lock:
            raise RuntimeError("release unlocked lock")
        return False

    return SimpleNamespace(
        x=0, y=1, items=[4], cells=[0, 0], table={"k": 1}, queue=deque([2]), lock=False, second=False, owner=None,
        depth=0, free=free,
    )  # fmt: skip


def _values(s: Any) -> Shared:
    return (s.x, s.y, tuple(s.items), tuple(s.cells), s.table["k"], tuple(s.queue))
