"""The closed world: what may run, what is refused where it runs, and what a report says of it."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from interleave import (
    InterleaveError,
    Model,
    ModelError,
    UsageError,
    check,
    expect,
    nothing,
    thread,
)
from interleave.cli import main
from interleave.world import policy, table
from interleave.world.policy import Treatment

MODEL = """
from interleave import Model, thread
{header}

class M(Model):
    n = 0

    @thread(2)
    def t(self):
        v = self.n
        self.n = {value}
"""

HELPER = """
import decimal
import random
import time

current = decimal.Context(prec=1)

def plain(x):
    return x + 1

def later(x, timeout=None):
    if timeout is not None:
        return time.process_time() + timeout
    return x

def swallows(x):
    try:
        return time.process_time()
    except BaseException:
        return x

def kept(x):
    clock = time.process_time
    return x

def compared(x):
    clock = time.process_time
    if clock == x:
        return 1
    return x

def context(x):
    return current.prec + x

def chance(x):
    return random.randint(1, x)

def deep(x):
    return chance(x)

class Box:
    count = 0

    def __init__(self):
        type(self).count += 1

def made(x):
    return Box().count
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "world_helper.py").write_text(HELPER)
    sys.modules.pop("world_helper", None)
    yield tmp_path
    sys.modules.pop("world_helper", None)


def model_file(folder: Path, value: str, header: str = "from world_helper import *") -> Path:
    file = folder / "model.py"
    file.write_text(MODEL.format(value=value, header=textwrap.dedent(header)))
    return file


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("value", ["plain(v)", "later(v)", "kept(v)", "max([v], key=plain)"])
def test_what_no_branch_uses_refuses_nothing(folder: Path, value: str, engine: str) -> None:
    (found,) = check(model_file(folder, value), engine=engine).models
    assert found.complete


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("later(v, 1)", "time.process_time has no modelled counterpart"),
        ("swallows(v)", "time.process_time has no modelled counterpart"),
        ("max([v, 2], key=swallows)", "time.process_time has no modelled counterpart"),
        ("compared(v)", "time.process_time has no modelled counterpart"),
        (
            "context(v)",
            "current is a decimal.Context, of which the checker cannot see who changes it",
        ),
        ("deep(v)", "random.randint has no modelled counterpart"),
    ],
)
def test_what_runs_is_refused_where_it_runs(
    folder: Path, value: str, what: str, engine: str
) -> None:
    file = model_file(folder, value)
    with pytest.raises(ModelError) as raised:
        check(file, engine=engine)
    error = raised.value
    assert error.what == what
    assert error.remedy
    assert error.place is not None
    assert error.place.file == str(folder / "world_helper.py")
    assert error.calls[0].file == str(file)
    assert f"by way of: {file}:11" in str(error)


def test_what_a_class_counts_is_shared(folder: Path) -> None:
    (found,) = check(model_file(folder, "made(v)")).models
    assert "Box.count" in {violation.location for violation in found.violations}


def test_a_refusal_names_each_call_that_led_there(folder: Path) -> None:
    file = model_file(folder, "deep(v)")
    with pytest.raises(ModelError) as raised:
        check(file)
    helper = folder / "world_helper.py"
    assert [(call.file, call.line) for call in raised.value.calls] == [
        (str(file), 11),
        (str(helper), 39),
        (str(helper), 36),
    ]


def test_setup_and_properties_are_looked_at(folder: Path) -> None:
    file = model_file(folder, "v")
    text = file.read_text()
    setup = "\n    def setup(self):\n        self.n = later(0, 1)\n"
    file.write_text(text + setup)
    with pytest.raises(
        ModelError, match=r"time\.process_time has no modelled counterpart"
    ) as raised:
        check(file)
    assert [call.line for call in raised.value.calls] == [14, 13]
    file.write_text(
        text + "\n    @invariant\n    def i(self):\n        return context(self.n) < 9\n"
    )
    file.write_text("from interleave import invariant\n" + file.read_text())
    with pytest.raises(ModelError, match=r"current is a decimal\.Context"):
        check(file)


def test_the_table_has_no_name_twice() -> None:
    assert not table.PURE & table.REFUSED.keys()
    assert not table.PURE & table.MODELLED.keys()
    assert not table.OPAQUE & set(sys.stdlib_module_names)
    assert all(table.REFUSED.values())


@pytest.mark.parametrize(
    ("value", "treatment"),
    [
        (len, Treatment.PURE),
        ([].append, Treatment.PURE),
        (dict.fromkeys, Treatment.PURE),
        (object.__setattr__, Treatment.PURE),
        ("".__add__, Treatment.PURE),
        (id, Treatment.MODELLED),
        (hash, Treatment.REFUSED),
        (json, Treatment.PURE),
        (json.dumps, Treatment.PURE),
        (sys.exit, Treatment.PURE),
        (sys._getframe, Treatment.REFUSED),
        (plain := lambda: None, Treatment.FOLLOWED),
        (CliRunner, Treatment.FOLLOWED),
        (CliRunner.invoke, Treatment.FOLLOWED),
        (check, Treatment.PURE),
    ],
)
def test_one_decision(value: object, treatment: Treatment) -> None:
    assert policy.of_object(value).treatment is treatment


def test_names_of_users(folder: Path) -> None:
    file = model_file(folder, "later(v, 1) and v")
    (folder / "pyproject.toml").write_text(
        '[tool.interleave]\npure = ["world_helper.later", "world_helper.plain", "not_there.f"]\n'
    )
    (found,) = check(file).models
    assert found.assumed_pure == ("world_helper.later",)
    shown = CliRunner().invoke(main, ["check", str(file)]).output.splitlines()
    assert shown[2] == "assumed pure: world_helper.later"
    done = CliRunner().invoke(main, ["check", "--format", "json", str(file)])
    assert json.loads(done.output)["models"][0]["assumed_pure"] == ["world_helper.later"]


@pytest.mark.parametrize(
    ("pure", "what"),
    [
        ('"json"', "pure = 'json' in [tool.interleave]: not a list of names"),
        ("[1]", "pure = [1] in [tool.interleave]: 1 is not a string"),
        ('["a b"]', "pure = ['a b'] in [tool.interleave]: 'a b' is not a dotted name"),
        ('["world_helper.f"]', "world_helper.f is said to be pure, and world_helper has no f"),
    ],
)
def test_names_of_users_that_are_none(folder: Path, pure: str, what: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.interleave]\npure = {pure}\n")
    with pytest.raises(UsageError) as raised:
        check(model_file(folder, "plain(v)"))
    assert raised.value.what == what
    assert raised.value.remedy


def test_what_was_followed(folder: Path) -> None:
    file = model_file(folder, "plain(v) + max([v], key=later)")
    (found,) = check(file).models
    followed = {each.file: each.functions for each in found.followed}
    assert followed == {
        str(file): ("M.t",),
        str(folder / "world_helper.py"): ("plain", "later"),
    }
    shown = CliRunner().invoke(main, ["check", "-v", str(file)]).output
    assert "".join(f"followed in {file}: M.t".split()) in "".join(shown.split())


class Alone(Model):
    @thread(2)
    def t(self) -> None:
        pass


@expect(nothing)
class SaysSo(Model):
    @thread(2)
    def t(self) -> None:
        pass


class Looks(Model):
    limit = 3

    @thread(2)
    def t(self) -> None:
        assert self.limit > 2


def test_nothing_to_check_is_not_a_pass() -> None:
    with pytest.raises(InterleaveError, match="the threads share nothing that can be seen here"):
        check(Alone)
    assert check(SaysSo).passed
    (found,) = check(Looks).models
    assert found.passed
    assert "the threads look at limit only, which nothing writes" in found.warnings[0]
