"""Where refusals are placed, what they say, and the ways out that they name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import interleave
from interleave import ModelError
from interleave.result import ModelResult

MODEL = """
from interleave import Model, thread
{head}

class M(Model):
    n = 0
{setup}

    @thread(2)
    def run(self):
        self.n = self.n + 1
        {line}
"""


def check(folder: Path, line: str = "pass", head: str = "", setup: str = "") -> ModelResult:
    file = folder / "remedies.py"
    file.write_text(MODEL.format(head=head, setup=setup, line=line))
    (found,) = interleave.check(file).models
    return found


STREAM = "import io, json, re\nconnection = io.StringIO('1')"
ITEMS = "class Box:\n    def __init__(self): self.items = iter({1})\nbox = Box()"
GENERATOR = ITEMS.replace("iter({1})", "(1 for _ in '1')")

REFUSALS = {
    "what a library uses": (STREAM, "self.n = json.load(connection)", "connection is a"),
    "a callback of a library": (
        STREAM, "re.sub('a', connection.write, 'a')", "connection is a",
    ),
    "a global that holds an iterator": (ITEMS, "next(box.items)", "'box' holds a set_iterator"),
    "a tree in a global": ("import ast\ntree = ast.parse('1')", "len(tree.body)", "a ast.Module"),
    "a tree": ("import ast", "self.n = ast.parse('1')", "a Module cannot be kept in a state"),
    "a traceback": (
        "import traceback", "self.n = traceback.format_exc()", "format_exc has no modelled",
    ),
    "a generator": (GENERATOR, "next(box.items)", "'box' holds a generator"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_at_the_line_that_needs_it(name: str, tmp_path: Path) -> None:
    head, line, what = REFUSALS[name]
    with pytest.raises(ModelError, match=what) as raised:
        check(tmp_path, line, head)
    error = raised.value
    assert error.place is not None
    text = Path(error.place.file).read_text().splitlines()[error.place.line - 1]
    assert text.strip() == line


def test_a_tree_that_setup_makes(tmp_path: Path) -> None:
    setup = "    def setup(self):\n        self.tree = ast.parse('1')"
    with pytest.raises(ModelError, match=r"'tree' holds an ast\.Module") as raised:
        check(tmp_path, head="import ast", setup=setup)
    assert raised.value.place is not None


def test_setup_imports_what_is_next_to_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside_the_model.py").write_text("first = 3")
    monkeypatch.delitem(sys.modules, "beside_the_model", raising=False)
    setup = (
        "    def setup(self):\n        from beside_the_model import first\n        self.n = first"
    )
    assert check(tmp_path, setup=setup).verdict == "violated"


@pytest.mark.parametrize(
    "made", ["[1]", "{0: 1}", "collections.deque([1])", "collections.OrderedDict({0: 1})"]
)
def test_a_deep_copy_of_what_is_in_itself(made: str, tmp_path: Path) -> None:
    setup = (
        f"    def setup(self):\n        self.items = {made}\n        items = self.items\n"
        "        items.update({1: items}) if isinstance(items, dict) else items.append(items)"
    )
    line = "made = copy.deepcopy(self.items); assert made[1] is made is not self.items"
    assert check(tmp_path, line, "import collections, copy", setup).violations[0].kind == (
        "lost-update"
    )


PURE = "def look(n):\n    with lock:\n        return n\n"


@pytest.mark.parametrize("name", ["remedies.look", "__interleave_model__.remedies.look"])
def test_a_function_in_the_file_of_the_model_is_pure(name: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.interleave]\npure = [{name!r}]\n")
    found = check(tmp_path, "look(self.n)", "def look(n):\n    return n\n")
    assert found.assumed_pure == (name,)


def test_a_name_that_the_file_of_the_model_has_not(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.interleave]\npure = ['remedies.nothing']\n")
    with pytest.raises(interleave.UsageError, match="and remedies has no nothing"):
        check(tmp_path)


@pytest.mark.parametrize("name", ["remedies_library.look", "remedies_library"])
def test_who_names_a_function_answers_for_its_locks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import threading\nlock = threading.Lock()\n" + PURE
    (tmp_path / "remedies_library.py").write_text(text)
    monkeypatch.delitem(sys.modules, "remedies_library", raising=False)
    (tmp_path / "pyproject.toml").write_text(f"[tool.interleave]\npure = [{name!r}]\n")
    line, head = "remedies_library.look(self.n)", "import remedies_library"
    if name.endswith("look"):
        assert check(tmp_path, line, head).assumed_pure == (name,)
    else:
        with pytest.raises(ModelError, match="which is modelled elsewhere") as raised:
            check(tmp_path, line, head)
        assert "remedies_library.look" in str(raised.value.remedy)
