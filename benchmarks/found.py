"""What `interleave race` finds in libraries, seen on CPython itself.

    pip install circuitbreaker==2.1.3 ...        (docs/found.md has the list)
    python benchmarks/found.py [NAME...]

Each finding is raced, and the same calls are made by real threads. These are switched where CPython
may switch (`gil`), or at any instruction that touches what threads may share (`free-threaded`).
Where there are few schedules, all are run, and the outcomes are compared both ways. Else those with
two preemptions are run, until an outcome is seen that interleave names and no order of whole calls
has. An outcome that interleave does not name would be a defect of it: exit code 1.
"""

from __future__ import annotations

import dis
import functools
import importlib
import itertools
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from operator import attrgetter
from pathlib import Path
from types import CodeType
from typing import Any

import found_objects

import interleave
from interleave.replay import Points, Program, Run, at_instructions, every_run, replay

ALL = 4_000
"""So many schedules are run at most to have all of them."""


@dataclass(frozen=True)
class Finding:
    """Calls of two threads on one object, and what of the object tells how they ended."""

    package: str
    """The name and version; "" for Python's own library."""
    make: str
    """As for `interleave race`."""
    calls: tuple[str, str]
    modules: tuple[str, ...]
    """Whose code is interrupted."""
    runtime: str = "gil"
    observe: str = ""
    """An attribute of the object."""

    @property
    def name(self) -> str:
        return self.package or self.modules[0]


Outcome = tuple[str, ...]
"""What each call gave, and then what is observed, each as text; of an exception only the type."""


FREE = "free-threaded"

FINDINGS = (
    Finding(
        "circuitbreaker==2.1.3", "circuitbreaker:CircuitBreaker(failure_threshold=5)",
        ("__exit__(ValueError, ValueError(), None)",) * 2,
        ("circuitbreaker",), FREE, "_failure_count",
    ),
    Finding(
        "vine==5.1.0", "found_objects:Listener()", ("fulfil()", "listen()"),
        ("vine",), FREE, "got",
    ),
    Finding(
        "cachetools==8.0.2", "cachetools:LRUCache(maxsize=1)",
        ('__setitem__("a", 1)', '__setitem__("b", 2)'), ("cachetools",),
    ),
    Finding("Events==0.5", "found_objects:Changes()", ("listen(); listeners()",) * 2, ("events",)),
    Finding(
        "kink==0.9.0", "found_objects:Services()", ("get()", "get()"),
        ("kink",), observe="made",
    ),
    Finding("purgatory==3.0.1", "found_objects:Circuits()", ("get()", "get()"), ("purgatory",)),
    Finding("tinydb==4.9.0", "found_objects:Documents()", ("insert(1)", "insert(2)"), ("tinydb",)),
    Finding("transitions==0.9.3", "found_objects:Matter()", ("melt()", "melt()"), ("transitions",)),
    Finding("statsd==4.0.1", "found_objects:Batch()", ("send()", "send()"), ("statsd",)),
    Finding(
        "more-itertools==11.2.1", "found_objects:Numbers()", ("take()", "take()"),
        ("more_itertools",), FREE,
    ),
    Finding(
        "toolz==1.2.0", "found_objects:Squares()", ("get()", "get()"),
        ("toolz",), observe="calls",
    ),
    Finding(
        "signalslot==0.2.0", "found_objects:Receivers()", ("connect(); connected()",) * 2,
        ("signalslot",),
    ),
    Finding("bidict==0.24.1", "found_objects:Two()", ('put("a")', 'put("b")'), ("bidict",)),
    Finding(
        "boltons==26.2.0", "boltons.setutils:IndexedSet()", ("add(1)", "add(2)"),
        ("boltons",), observe="item_index_map",
    ),
    Finding(
        "sortedcontainers==2.4.0", "sortedcontainers:SortedList()", ("add(1)", "add(2)"),
        ("sortedcontainers",), FREE, "_len",
    ),
    Finding("", "found_objects:Tasks()", ("take()", "take()"), ("graphlib",)),
    Finding(
        "", "collections:UserDict()", ('setdefault("k", 1)', 'setdefault("k", 2)'),
        ("collections", "_collections_abc"),
    ),
)  # fmt: skip


# By interleave


def by_interleave(finding: Finding) -> set[Outcome]:
    """Every outcome that interleave names."""
    (result,) = interleave.race(finding.make, *finding.calls, runtime=finding.runtime).models
    assert result.complete
    assert result.interleavings is not None
    return {_named(finding, dict(each.state)) for each in result.interleavings.outcomes}


def _named(finding: Finding, state: dict[str, object]) -> Outcome:
    """The same of an outcome with all results and variables, each with its name."""
    results = [repr(state[name]) for name in state if name.startswith("result ")]
    raised = [re.sub(r"^raised (\w+).*", r"raised \1", each, flags=re.DOTALL) for each in results]
    of_object = {name.partition(".")[2]: value for name, value in state.items() if "." in name}
    observed = [repr(of_object[finding.observe])] if finding.observe else []
    return (*raised, *observed)


# By CPython


def setup_of(finding: Finding) -> Callable[[], Program]:
    """What makes the object anew, with two threads that call it."""
    name, _, expression = finding.make.partition(":")
    names = vars(importlib.import_module(name))

    def setup() -> Program:
        it = eval(expression, names)  # noqa: S307  (of the table)
        results = [["", ""] for _ in finding.calls]

        def thread(number: int) -> None:
            results[number] = [_call(it, text, names) for text in finding.calls[number].split("; ")]

        def observe() -> Outcome:
            given = [each for calls in zip(*results, strict=True) for each in calls]
            more = [repr(attrgetter(finding.observe)(it))] if finding.observe else []
            return (*given, *more)

        return Program([functools.partial(thread, number) for number in range(2)], observe)

    return setup


def _call(it: object, text: str, names: dict[str, Any]) -> str:
    try:
        return repr(eval(f"it.{text}", names, {"it": it}))  # noqa: S307  (of the table)
    except Exception as error:
        return f"raised {type(error).__name__}"


BETWEEN_CALLS = at_instructions(
    lambda code, instruction: code is _call.__code__ and instruction.argval == "repr"
)
"""Before the first thing that is done for a call."""


def switches(finding: Finding) -> Points:
    """Where a thread is switched in the library's code, and in what calls it."""
    files = [Path(found_objects.__file__).resolve()]
    for name in finding.modules:
        file = Path(importlib.import_module(name).__file__ or "")
        files.append(file.parent if file.name == "__init__.py" else file)

    @functools.cache
    def is_meant(name: str) -> bool:
        path = Path(name)
        return any(path == file or file in path.parents for file in files)

    def wanted(code: CodeType, instruction: dis.Instruction) -> bool:
        if not is_meant(code.co_filename):
            return False
        if finding.runtime == "gil":
            return instruction.offset in _after_a_look(code)
        return not instruction.opname.startswith(_OF_THREADS_OWN)

    return at_instructions(wanted)


_OF_THREADS_OWN = (
    "LOAD_FAST", "STORE_FAST", "LOAD_CONST", "PUSH_NULL", "POP_", "SWAP", "COPY", "RESUME",
    "PRECALL", "KW_NAMES", "JUMP", "RETURN", "NOP", "CACHE", "IS_OP",
)  # fmt: skip
"""Instructions that no other thread can see, nor see anything of others."""


@functools.cache
def _after_a_look(code: CodeType) -> frozenset[int]:
    """The instructions before which CPython has just looked whether another thread wants to run.

    It does so at the beginning of a function, after a call, and when it jumps back.
    """
    found = set()
    before = ""
    for instruction in dis.get_instructions(code):
        is_call = before.startswith("CALL") and not before.startswith("CALL_INTRINSIC")
        if is_call or before == "RESUME":
            found.add(instruction.offset)
        if "JUMP_BACKWARD" in instruction.opname:
            found.add(instruction.argval)
        before = instruction.opname
    return frozenset(found)


def two_preemptions(setup: Callable[[], Program], points: Points) -> Iterator[Run]:
    """The first thread for some steps, the second for some, and then each to its end."""
    alone = replay(setup, points)
    for first in range(len([*itertools.takewhile(lambda thread: thread == 0, alone.schedule)]) + 1):
        schedule = (0,) * first
        while True:
            run = replay(setup, points, schedule)
            yield run
            if len(run.enabled) == len(schedule) or 1 not in run.enabled[len(schedule)]:
                break
            schedule = (*schedule, 1)


# Both


@dataclass(frozen=True)
class Confirmed:
    """What became of a finding. `seen`: an outcome of CPython's that no whole calls have."""

    seen: Outcome | None
    runs: int
    is_all: bool
    unnamed: frozenset[Outcome]
    """Outcomes of CPython's that interleave does not name."""
    unseen: frozenset[Outcome]
    """Outcomes that interleave names, where all schedules were run, and CPython does not have."""

    def in_words(self) -> Iterator[str]:
        """A line for what was seen, and one for each difference."""
        seen = "NOT SEEN" if self.seen is None else f"seen: {', '.join(self.seen)}"
        yield f"{seen} ({'all' if self.is_all else 'of few preemptions'}: {self.runs:,} schedules)"
        for outcome in sorted(self.unnamed):
            yield f"NOT NAMED by interleave: {', '.join(outcome)}"
        for outcome in sorted(self.unseen):
            yield f"named, and in no schedule: {', '.join(outcome)}"


def confirm(finding: Finding) -> Confirmed:
    """Look for an outcome that interleave names and that no order of whole calls has."""
    named = by_interleave(finding)
    setup, points = setup_of(finding), switches(finding)
    whole = {run.outcome.observed for run in every_run(setup, BETWEEN_CALLS)}
    alone = replay(setup, points).schedule
    is_all = math.comb(len(alone), alone.count(0)) <= ALL
    seen: set[Outcome] = set()
    wrong, runs = None, 0
    for run in (every_run if is_all else two_preemptions)(setup, points):
        runs += 1
        outcome: Any = run.outcome.observed
        seen.add(outcome)
        if outcome in named - whole:
            wrong = wrong or outcome
            if not is_all:
                break
    unseen = named - seen if is_all else set()
    return Confirmed(wrong, runs, is_all, frozenset(seen - named), frozenset(unseen))


def main(names: list[str]) -> int:
    """Confirm the findings of which a name is given; all, where none is."""
    defects = False
    for finding in FINDINGS:
        if names and not any(name in finding.name for name in names):
            continue
        package, _, version = finding.package.partition("==")
        try:
            installed = metadata.version(package) if package else ""
        except metadata.PackageNotFoundError:
            print(f"{finding.name}: not installed")
            continue
        note = "" if installed == version else f", with {installed}"
        print(f"{finding.name}{note}, {finding.runtime}: {' | '.join(finding.calls)}")
        found = confirm(finding)
        for line in found.in_words():
            print(f"  {line}")
        defects = defects or found.seen is None or bool(found.unnamed)
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
