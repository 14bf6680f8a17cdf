"""Hidden state behind code that runs as it is: the net beneath turns it into an error.

Nothing is followed that the user says is pure, and nothing stands for what is in there. It keeps
state all the same, and so no verdict may be given.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

import interleave
from closed_world.homes import HOMES, Home
from closed_world.running import Checked, by_interleave
from closed_world.test_variants import SAMPLE, named
from closed_world.variants import ALL, Variant
from interleave import ModelError

SPREAD = SAMPLE[::5]


def assert_refused(checked: Checked, folder: Path) -> None:
    assert checked.refusal is not None, checked
    assert checked.refusal.place is not None
    assert checked.refusal.place.file.startswith(str(folder))
    assert checked.refusal.remedy


@pytest.mark.parametrize("variant", SPREAD, ids=named)
def test_code_that_is_not_followed(variant: Variant, tmp_path: Path) -> None:
    assert_refused(by_interleave(variant, tmp_path, pure=variant.code_names()), tmp_path)


@pytest.mark.parametrize("variant", SPREAD, ids=named)
def test_neither_code_nor_state_is_followed(variant: Variant, tmp_path: Path) -> None:
    pure = variant.code_names() + variant.home_names()
    assert_refused(by_interleave(variant, tmp_path, pure=pure), tmp_path)


@pytest.mark.parametrize("variant", [each for each in SPREAD if each.home_names()], ids=named)
def test_state_that_nothing_stands_for(variant: Variant, tmp_path: Path) -> None:
    """Code that is followed may not come by it, unless what is in there can be seen all the same:
    in an instance that was made by followed code.
    """
    checked = by_interleave(variant, tmp_path, pure=variant.home_names())
    if checked.refusal is None:
        assert checked.endings == by_interleave(variant, tmp_path).endings
    else:
        assert_refused(checked, tmp_path)


def test_a_function_that_no_state_can_have(tmp_path: Path) -> None:
    (variant,) = [each for each in ALL if each.name == "cell-rebind-lambda"]
    checked = by_interleave(variant, tmp_path, pure=variant.code_names())
    assert_refused(checked, tmp_path)


READING = """
from interleave import Model, thread


class M(Model):
    a = None
    b = None

    @thread
    def left(self):
        self.a = bump()

    @thread
    def right(self):
        self.b = bump()
"""


def reading(home: Home) -> dict[str, str]:
    """Module names and texts, with `look`, which reads the home, and `bump`, which writes it."""
    prepare = home.prepare.format(owner=home.owner)
    look = f"def look():\n    {prepare}\n    return {home.read}\n"
    bump = (
        f"def bump():\n    {home.declare}\n    {prepare}\n"
        f"    v = look()\n    {home.place} = v + 1\n    return v\n"
    )
    stem = home.name.replace(" ", "_")
    imports, definitions, files = "import collections\n", home.definitions("0"), {}
    if home.apart:
        files[f"read_stock_{stem}"] = definitions
        imports, definitions = f"import read_stock_{stem} as stock\n", ""
    functions = look + bump
    if local := home.local("0"):
        inner = textwrap.indent(f"{local}\n{functions}return look, bump", "    ")
        functions = f"def make():\n{inner}\n\nlook, bump = make()\n"
    files[f"read_{stem}"] = f"{imports}{definitions}\n{functions}{READING}"
    return files


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize(
    "home", [each for each in HOMES if not each.parameter("0")], ids=lambda home: home.name
)
def test_what_is_said_to_be_pure_reads_what_threads_write(
    home: Home, engine: str, tmp_path: Path
) -> None:
    files = reading(home)
    for name, text in files.items():
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        sys.modules.pop(name, None)
    pure = f"__interleave_model__.{name}.look"
    (tmp_path / "pyproject.toml").write_text(f"[tool.interleave]\npure = [{pure!r}]\n")
    with pytest.raises(ModelError) as raised:
        interleave.check(file, engine=engine)
    error = raised.value
    if home.made_when_missing:  # reading it is writing it
        assert "interleave does not see" in error.what
    else:
        assert "is said to be pure, and can come by" in error.what
        assert error.what.endswith(", which threads change")
        assert error.place is not None
        assert "v = look()" in text.splitlines()[error.place.line - 1]
    assert error.remedy


CONSTANT = """
from interleave import Model, thread

limits = [3]
other = [0]
start = []


def look():
    return limits[0] {more}


class M(Model):
    n = 0

    def setup(self):
        start.append(1)

    @thread(2)
    def run(self):
        other[0] = 1
        self.n = look() + limits[0]
"""


def test_what_is_said_to_be_pure_reads_what_nobody_writes(tmp_path: Path) -> None:
    file = tmp_path / "read_constant.py"
    file.write_text(CONSTANT.format(more=""))
    pure = "__interleave_model__.read_constant.look"
    (tmp_path / "pyproject.toml").write_text(f"[tool.interleave]\npure = [{pure!r}]\n")
    (found,) = interleave.check(file).models
    assert (found.verdict, found.assumed_pure) == ("verified", (pure,))


def test_what_is_said_to_be_pure_reads_what_setup_changes(tmp_path: Path) -> None:
    file = tmp_path / "read_setup.py"
    file.write_text(CONSTANT.format(more="+ len(start)"))
    pure = "__interleave_model__.read_setup.look"
    (tmp_path / "pyproject.toml").write_text(f"[tool.interleave]\npure = [{pure!r}]\n")
    with pytest.raises(ModelError, match="can come by start, which setup changes"):
        interleave.check(file)
