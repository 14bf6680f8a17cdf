"""Every model in models/ does what it says: its expectation, and the sizes that are known."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from families import third
from library import FILES, FOLDER, MODELS, name_of, row, written_rows

from interleave import Model, check, param, postcondition, thread
from interleave.checking import RunFacts
from interleave.loading import checked_runtime, load_models
from interleave.model import EXPECTATIONS
from interleave.recorded import memory
from interleave.report.document import render_json
from interleave.runtimes import ASKED_FOR

ROWS = written_rows()


class TotalIsAboveTwo(Model):
    """AtLeastTwo of counter/many_increments.py, with a postcondition that does not hold."""

    K = param(2)
    counter = 0

    @thread(2)
    def increment(self):
        for _ in range(self.K):
            current = self.counter
            self.counter = current + 1

    @postcondition
    def more_than_two(self):
        return self.counter > 2


def names(parameter: object) -> str:
    if isinstance(parameter, Path):
        return name_of(parameter)
    return getattr(parameter, "__name__", str(parameter))


def runtimes_of(model: type[Model]) -> list[str]:
    """The runtimes that can be asked for and differ; what is the default first."""
    different: dict[str, str] = {}
    for runtime in ASKED_FOR:
        different.setdefault(checked_runtime(runtime, model).name, runtime)
    return list(different.values())


RUNS = [(file, model, runtimes_of(model)[0]) for file, model in MODELS]
OTHERS = [(file, model, other) for file, model in MODELS for other in runtimes_of(model)[1:]]


@pytest.mark.parametrize(("file", "model", "runtime"), [*RUNS, *third(OTHERS)], ids=names)
def test_a_model_is_as_it_expects_and_as_written_down(
    file: Path, model: type[Model], runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "FEWEST", 0)
    result = check(file, model=model.__name__, runtime=runtime)
    (found,) = result.models
    kinds = {violation.kind for violation in found.violations}
    assert found.expected is True, f"expected {found.expectation}, found {kinds or 'nothing'}"
    assert found.complete
    if runtime == ASKED_FOR[0]:
        remedy = "If this is as it should be: python tests/support/golden.py"
        assert row(found) == ROWS[name_of(file), found.model], remedy
        facts: list[RunFacts] = []
        again = check(file, model=model.__name__, on_result=lambda _, each: facts.append(each))
        assert facts[0].known == facts[0].learnt > 0, "code runs that ran before"
        assert render_json(again, version="") == render_json(result, version="")


@pytest.mark.parametrize("file", FILES, ids=names)
def test_a_file_explains_itself(file: Path) -> None:
    """A file has a paragraph or more for the newcomer, and each model a line of its own."""
    explanation = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert explanation is not None
    assert "\n\n" in explanation
    for model in load_models(file):
        assert model.__doc__, model.__name__
        assert EXPECTATIONS in vars(model), model.__name__


def test_the_list_of_models_names_every_file() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = [line.split("](")[1].split(")")[0] for line in page.splitlines() if "](" in line]
    assert sorted(listed) == sorted(name_of(file) for file in FILES)


# States and transitions. Each acquire, release, read, write and sleep is one step.
SIZES = [
    ("counter/without_lock.py", "CounterWithoutLock", {}, 12, 14),
    # By hand: the start; for each of two orders 3 states with the lock held by the first, 1 in
    # between, 3 with it held by the second; the end. 8 steps in each order.
    ("counter/with_lock.py", "CounterWithLock", {}, 16, 16),
    ("counter/with_rlock.py", "HelperWithLock", {}, 3, 2),
    ("counter/many_increments.py", "ManyIncrements", {"N": 2, "K": 1}, 12, 14),
    ("counter/many_increments.py", "ManyIncrements", {"N": 2, "K": 2}, 57, 82),
    ("counter/many_increments.py", "ManyIncrements", {"N": 2, "K": 5}, 1_277, 2_228),
    ("counter/many_increments.py", "ManyIncrements", {"N": 3, "K": 1}, 59, 99),
    ("counter/many_increments.py", "ManyIncrements", {"N": 3, "K": 2}, 904, 1_977),
    ("deadlock/dining_philosophers.py", "LastOneReversed", {"N": 2}, 7, 8),
    ("deadlock/dining_philosophers.py", "LastOneReversed", {"N": 3}, 24, 46),
    ("deadlock/dining_philosophers.py", "LastOneReversed", {"N": 4}, 79, 208),
    ("deadlock/dining_philosophers.py", "LastOneReversed", {"N": 5}, 261, 876),
    ("basics/no_lock_needed.py", "ImmutableSnapshot", {}, 4, 4),
]


@pytest.mark.parametrize(("file", "model", "parameters", "states", "transitions"), SIZES)
def test_sizes(
    file: str, model: str, parameters: dict[str, int], states: int, transitions: int
) -> None:
    (found,) = check(FOLDER / file, model=model, parameters=parameters).models
    assert (found.states, found.transitions) == (states, transitions)


@pytest.mark.parametrize(("threads", "increments"), [(1, 3), (2, 2), (4, 3), (5, 2), (10, 1)])
def test_with_a_lock_the_size_is_a_formula(threads: int, increments: int) -> None:
    """Nobody has the lock: each thread has done 0 to K increments. Or one has it, at one of three
    places, in one of its K increments; and the others are as before.
    """
    (found,) = check(
        FOLDER / "counter/many_increments.py",
        model="ManyIncrementsWithLock",
        parameters={"N": threads, "K": increments},
    ).models
    assert found.expected is True
    held = threads * increments * (increments + 1) ** (threads - 1)
    assert found.states == (increments + 1) ** threads + 3 * held
    assert found.transitions == 4 * held


@pytest.mark.parametrize(
    ("file", "model", "parameters"),
    [
        ("threading/producer_consumer.py", "EachTakesOne", {"ITEMS": 4}),
        ("threading/producer_consumer.py", "WaitForTheQueue", {"ITEMS": 4}),
        ("threading/poison_pill.py", "PillForEach", {"ITEMS": 3, "CONSUMERS": 3}),
        ("threading/poison_pill.py", "PillPassedOn", {"ITEMS": 3, "CONSUMERS": 3}),
        ("threading/bounded_buffer.py", "TwoConditions", {"PRODUCERS": 3, "CONSUMERS": 2}),
        ("threading/bounded_buffer.py", "NotifyAll", {"PRODUCERS": 3, "CAPACITY": 2}),
        ("threading/barrier.py", "CountAndRound", {"N": 3}),
        ("threading/barrier.py", "BarrierOfTheLibrary", {"N": 4, "ROUNDS": 3}),
        ("threading/thread_pool_starvation.py", "TwoPools", {"REQUESTS": 3}),
        ("threading/thread_pool_starvation.py", "TwoPools", {"WORKERS": 1}),
        ("threading/start_and_join.py", "LockAndJoin", {"THREADS": 4}),
        ("classics/readers_writers.py", "ReadersWriters", {"READERS": 4}),
        ("classics/readers_writers.py", "NoWriterWaitsForEver", {"READERS": 3}),
        ("classics/readers_writers.py", "ReadersWriters", {"READERS": 1, "WRITERS": 3}),
        ("classics/sleeping_barber.py", "CustomersAreCounted", {"CUSTOMERS": 4}),
        ("classics/cigarette_smokers.py", "Helpers", {"ROUNDS": 4}),
        ("deadlock/dining_philosophers.py", "OneLessAtTheTable", {"N": 4}),
        ("deadlock/dining_philosophers.py", "PutsTheForkBack", {"N": 6}),
        ("lock_free/michael_scott_queue.py", "LinkWithoutLooking", {"PRODUCERS": 3}),
        ("trading/nonce_allocation.py", "LockUntilItIsSent", {"ORDERS": 5}),
        ("trading/nonce_allocation.py", "OneThreadSends", {"ORDERS": 3}),
    ],
)
def test_a_model_is_as_it_expects_for_other_parameters(
    file: str, model: str, parameters: dict[str, int]
) -> None:
    (found,) = check(FOLDER / file, model=model, parameters=parameters).models
    assert found.expected is True


@pytest.mark.slow
def test_a_pool_that_is_large_enough_hides_the_mistake() -> None:
    """What thread_pool_starvation.py says: it works in tests."""
    file = FOLDER / "threading/thread_pool_starvation.py"
    for workers, kinds in ((1, {"deadlock"}), (2, {"deadlock"}), (3, set())):
        (found,) = check(file, model="OnePool", parameters={"WORKERS": workers}).models
        assert {violation.kind for violation in found.violations} == kinds


@pytest.mark.parametrize(
    ("file", "model", "violating", "interleavings"),
    [
        ("lock_free/treiber_stack.py", "NodesUsedAgain", 39, 73_628),
        ("threading/barrier.py", "CountOnly", 2, 402),
        ("threading/bounded_buffer.py", "NotifyInPlaceOfNotifyAll", 4, 60),
        ("classics/sleeping_barber.py", "WakeUpCallIsLost", 2, 354),
        ("trading/nonce_allocation.py", "LockAroundTheCounter", 2, 14),
    ],
)
def test_mistakes_that_hardly_ever_show(
    file: str, model: str, violating: int, interleavings: int
) -> None:
    (found,) = check(FOLDER / file, model=model).models
    assert found.interleavings is not None
    assert (found.interleavings.violating, found.interleavings.total) == (violating, interleavings)


@pytest.mark.parametrize("philosophers", [2, 3, 4, 5])
def test_philosophers_wait_in_one_circle(philosophers: int) -> None:
    """Each has the fork on his left: one deadlock, after one step each."""
    (found,) = check(
        FOLDER / "deadlock/dining_philosophers.py",
        model="LeftForkFirst",
        parameters={"N": philosophers},
    ).models
    (deadlock,) = found.violations
    assert deadlock.cycle
    assert len(deadlock.trace.steps) == philosophers
    assert [(wait.thread, wait.access.location, wait.holders) for wait in deadlock.waits] == [
        (f"philosopher[{i}]", f"forks[{j}]", (f"philosopher[{j}]",))
        for i in range(philosophers)
        for j in [(i + 1) % philosophers]
    ]


@pytest.mark.parametrize("increments", [2, 3, 4])
def test_a_total_of_two_can_be_reached(increments: int) -> None:
    """However many increments there are: what many_increments.py says."""
    (found,) = check(
        FOLDER / "counter/many_increments.py",
        model="AtLeastTwo",
        parameters={"K": increments},
    ).models
    assert {violation.kind for violation in found.violations} == {"lost-update"}
    (found,) = check(TotalIsAboveTwo, parameters={"K": increments}).models
    assert "postcondition" in {violation.kind for violation in found.violations}


def test_with_one_increment_each_the_total_can_be_one() -> None:
    file = FOLDER / "counter/many_increments.py"
    (found,) = check(file, model="AtLeastTwo", parameters={"K": 1}).models
    assert found.expected is False


SIZE = re.compile(r"# (?:(?P<parameters>\w+=\d+(?:, \w+=\d+)*): )?(?P<states>[\d,]+) states, "
                  r"(?P<transitions>[\d,]+) transitions")  # fmt: skip


def written_sizes(file: Path) -> list[tuple[str, dict[str, int], int, int]]:
    """The sizes in comments above the models of a file: `# N=2, K=1: 12 states, 14 transitions`.

    They stand directly above a class and its decorators, one for each choice of parameters.
    """
    lines = file.read_text(encoding="utf-8").splitlines()
    found = []
    for each in ast.parse("\n".join(lines)).body:
        if not isinstance(each, ast.ClassDef):
            continue
        first = min([each.lineno, *(decorator.lineno for decorator in each.decorator_list)])
        above = lines[: first - 1]
        while above and (match := SIZE.fullmatch(above.pop())):
            settings = (match["parameters"] or "").split(", ")
            pairs = [setting.split("=") for setting in settings if setting]
            parameters = {name: int(value) for name, value in pairs}
            states, transitions = (
                int(match[name].replace(",", "")) for name in ("states", "transitions")
            )
            found.append((each.name, parameters, states, transitions))
    return found


def sizes_in(line: str) -> tuple[int, int]:
    """The states and transitions in a line of the table: after the name, and the parameters."""
    _, *cells = line.split()
    states, transitions, *_ = [cell.replace(",", "") for cell in cells if "=" not in cell]
    return int(states), int(transitions)


SIZES_IN = {file: written_sizes(file) for file in FILES}
LARGE = 1_000
"""States from which on a model is checked for other parameters before a release only."""
WRITTEN = [
    pytest.param(
        file, *size, marks=[pytest.mark.exhaustive] * (bool(parameters) and states >= LARGE)
    )
    for file, sizes in SIZES_IN.items()
    for size in sizes
    for _, parameters, states, _ in [size]
]
SMALL = 300
"""States up to which the reference engine is asked as well, about the smallest size of a model."""
SMALLEST = {
    (file, model): min(states for name, _, states, _ in sizes if name == model)
    for file, sizes in SIZES_IN.items()
    for model, *_ in sizes
}


@pytest.mark.parametrize(("file", "model", "parameters", "states", "transitions"), WRITTEN)
def test_written_sizes(
    file: Path, model: str, parameters: dict[str, int], states: int, transitions: int
) -> None:
    engines = ["reference"] if states == SMALLEST[file, model] <= SMALL else []
    if parameters:
        engines.append("auto")
    else:  # what the line of the table says is compared with what `auto` finds, above
        assert sizes_in(ROWS[name_of(file), model]) == (states, transitions)
    for engine in engines:
        (found,) = check(file, model=model, parameters=parameters, engine=engine).models
        assert (found.states, found.transitions) == (states, transitions), engine
        assert found.expected is True


@pytest.mark.parametrize("file", FILES, ids=names)
def test_no_written_size_is_overlooked(file: Path) -> None:
    """A comment with a size is one that `written_sizes` finds; each model has one."""
    text = file.read_text(encoding="utf-8")
    comments = [line for line in text.splitlines() if re.search(r"#.*\d states", line)]
    found = written_sizes(file)
    assert len(found) == len(comments)
    assert {name for name, *_ in found} == {model.__name__ for model in load_models(file)}


ROUNDS = """
import threading
from interleave import Model, thread


class Rounds(Model):
    condition = threading.Condition()
    ready = False
    seen = None

    @thread
    def waiter(self):
        with self.condition:
            self.seen = self.condition.wait_for(lambda: self.ready, timeout=1)

    @thread(daemon=True)
    def notifier(self):
        while True:
            with self.condition:
                self.ready = not self.ready
                self.condition.notify()
"""
"""`wait_for` is also the name of a function of asyncio, which is modelled in another way."""


def test_what_was_checked_before_makes_no_difference(tmp_path: Path) -> None:
    """Modules of the standard library are modelled when they are needed, and leave nothing."""
    last = tmp_path / "rounds.py"
    last.write_text(ROUNDS)
    counts = []
    for before in ((), ("asyncio/pool.py", "go/once_reentry.py", "multiprocessing/value.py")):
        code = (
            "import sys; from pathlib import Path; from interleave import check\n"
            "*before, last = [check(Path(each)) for each in sys.argv[1:]]\n"
            "print([(m.states, m.transitions) for m in last.models])"
        )
        files = [*[FOLDER / name for name in before], last]
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, files)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        counts.append(done.stdout)
    assert counts[0] == counts[1]
