"""What a short check costs before it begins: what it imports, and how its classes are made."""

from __future__ import annotations

import copy
import dataclasses
import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from interleave import check
from interleave.records import dataclass

BASELINE = "import click, ast, inspect, threading"
CHECK = (
    "from interleave.cli import main; main(['check', {file!r}, '--quiet'], standalone_mode=False)"
)

HEAVY = {
    "asyncio", "decimal", "fractions", "graphviz", "graphviz_pure", "json", "llvmlite", "logging",
    "multiprocessing", "networkx", "numba", "numbers", "numpy", "random", "rich", "sysconfig",
    "textwrap", "traceback", "typst",
}  # fmt: skip
"""What only some models, reports or engines need."""

MODEL = """
from interleave import Model, thread
{imports}

class Counter(Model):
    counter = {initial}

    @thread(2)
    def increment(self):
        temp = self.counter
        self.counter = temp + 1
"""


def modules_after(code: str) -> set[str]:
    """What Python has imported once it has run `code`."""
    code += "\nimport sys; print('modules:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("modules:")[2].split())


def modules_of_check(folder: Path, imports: str = "", initial: str = "0") -> set[str]:
    """What a check of a small model imports beyond what the baseline does."""
    file = folder / "model.py"
    file.write_text(MODEL.format(imports=imports, initial=initial))
    return modules_after(CHECK.format(file=str(file))) - modules_after(BASELINE)


def test_a_check_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    assert not modules_of_check(tmp_path) & HEAVY
    assert not any(name.startswith("interleave.go") for name in modules_of_check(tmp_path))
    assert not modules_of_check(tmp_path, "from interleave import go") & HEAVY


def test_a_modelled_module_is_imported_by_the_models_that_use_it(tmp_path: Path) -> None:
    modelled = {f"interleave.stdlib.{name}" for name in ("logging", "sys", "threading", "time")}
    assert not modules_of_check(tmp_path) & modelled
    found = modules_of_check(tmp_path, "import threading", "0; lock = threading.Lock()")
    assert found & modelled == {"interleave.stdlib.threading"}


@pytest.mark.parametrize(
    ("imports", "initial", "final"),
    [
        ("from decimal import Decimal", "Decimal('0.10')", "Decimal('2.10')"),
        ("from fractions import Fraction", "Fraction(1, 3)", "Fraction(7, 3)"),
    ],
)
def test_numbers_of_modules_that_only_the_model_imports(
    tmp_path: Path, imports: str, initial: str, final: str
) -> None:
    file = tmp_path / "model.py"
    file.write_text(MODEL.format(imports=imports, initial=initial))
    (result,) = check(file).models
    assert result.interleavings is not None
    assert final in [
        repr(dict(outcome.state)["counter"]) for outcome in result.interleavings.outcomes
    ]


class Fields:
    """A body for both kinds of dataclass."""

    first: int
    second: tuple[object, ...] = ()
    third: list[int] = dataclasses.field(default_factory=list)

    @functools.cached_property
    def cached(self) -> int:
        return self.first


def both() -> tuple[type, type]:
    """The same class, made by interleave and by Python."""

    def body() -> type:
        namespace = {**vars(Fields)}
        for name in ("__dict__", "__weakref__"):
            namespace.pop(name, None)
        return type("Fields", (), namespace)

    return dataclass(frozen=True)(body()), dataclasses.dataclass(frozen=True)(body())


def looked_at(instance: Any) -> Any:
    """An instance that has a cached property in its `__dict__`."""
    assert instance.cached == 1
    return instance


@pytest.mark.parametrize(
    "probe",
    [
        lambda made: repr(made(1, ("a",))),
        lambda made: made(1) == made(1),
        lambda made: made(1) != made(2),
        lambda made: looked_at(made(1, third=())) == made(1, third=()),
        lambda made: hash(looked_at(made(1, third=()))) == hash(made(1, third=())),
        lambda made: repr(looked_at(made(1))),
        lambda made: made(1) == (1, (), []),
        lambda made: hash(made(1, ("a",), 3)) == hash(made(1, ("a",), 3)),
        lambda made: hash(made(1)),
        lambda made: made(second=2),
        lambda made: made(1, 2, 3, 4),
        lambda made: setattr(made(1), "first", 2),
        lambda made: setattr(made(1), "fourth", 2),
        lambda made: delattr(made(1), "first"),
        lambda made: repr(dataclasses.replace(made(1), second=(2,))),
        lambda made: [(each.name, each.default) for each in dataclasses.fields(made)],
        lambda made: dataclasses.asdict(made(1, ("a",))),
        lambda made: repr(copy.deepcopy(made(1, ("a",)))),
        lambda made: made.__match_args__,
        lambda made: made.__dataclass_params__.frozen,
    ],
)
def test_our_frozen_dataclasses_are_like_those_of_python(probe) -> None:  # type: ignore[no-untyped-def]
    def outcome(made: type) -> object:
        try:
            return probe(made)
        except Exception as error:
            return type(error), str(error)

    ours, pythons = both()
    assert outcome(ours) == outcome(pythons)


@pytest.mark.parametrize("made", ["ThreadPoolExecutor(1)", "Future()"])
def test_what_a_library_loads_when_it_is_asked_for_is_no_change(tmp_path: Path, made: str) -> None:
    file = tmp_path / "pool.py"
    file.write_text(
        "import concurrent.futures\n"
        "from interleave import Model, thread\n"
        "class Pool(Model):\n"
        "    n = 0\n"
        "    @thread\n"
        "    def main(self):\n"
        f"        it = concurrent.futures.{made}\n"
        "        self.n = 1\n"
    )
    command = [sys.executable, "-m", "interleave", "check", str(file), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("Pool: verified\n", 0), done.stderr
