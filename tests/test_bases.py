"""Which models of a file are there only to be derived from."""

from __future__ import annotations

from pathlib import Path

import pytest

from interleave import check
from interleave.errors import ModelError, UsageError
from interleave.loading import load_models

HEADER = """
import abc
from interleave import Model, expect, nothing, param, thread

"""

BASE = """
class Base(Model{bases}):
    x = 0
    @thread(2)
    def t(self):
        {uses}
{more}
"""

BASES = {
    "an abstract method": (
        BASE.format(
            bases=", abc.ABC",
            uses="self.step()",
            more="    @abc.abstractmethod\n    def step(self): ...",
        ),
        "class Derived(Base):\n    def step(self):\n        self.x += 1",
    ),
    "a metaclass": (
        BASE.format(
            bases=", metaclass=abc.ABCMeta",
            uses="self.step()",
            more="    @abc.abstractmethod\n    def step(self): ...",
        ),
        "class Derived(Base):\n    def step(self):\n        self.x += 1",
    ),
    "a method that is missing": (
        BASE.format(bases="", uses="self.step()", more=""),
        "class Derived(Base):\n    def step(self):\n        self.x += 1",
    ),
    "a method of a mixin": (
        BASE.format(bases="", uses="self.step()", more=""),
        "class Mixin:\n    def step(self):\n        self.x += 1\nclass Derived(Mixin, Base):\n    pass",
    ),
    "a method that is not implemented": (
        BASE.format(
            bases="",
            uses="self.step()",
            more='    def step(self):\n        """Later."""\n        raise NotImplementedError("step")',
        ),
        "class Derived(Base):\n    def step(self):\n        self.x += 1",
    ),
    "an attribute": (
        BASE.format(bases="", uses="self.x += self.by", more=""),
        "class Derived(Base):\n    by = 1",
    ),
    "an attribute with a type": (
        BASE.format(bases="", uses="self.x += self.by", more="    by: int"),
        "class Derived(Base):\n    by = 1",
    ),
    "a parameter": (
        BASE.format(bases="", uses="self.x += self.BY", more=""),
        "class Derived(Base):\n    BY = param(1)",
    ),
    "an attribute of setup": (
        BASE.format(bases="", uses="self.x += self.by", more=""),
        "class Derived(Base):\n    def setup(self):\n        self.by = 1",
    ),
    "in two steps": (
        BASE.format(bases="", uses="self.step()", more=""),
        "class Middle(Base):\n    def step(self):\n        self.x += self.by\n"
        "class Derived(Middle):\n    by = 1",
    ),
}


@pytest.mark.parametrize("case", BASES)
def test_a_base_is_not_checked(tmp_path: Path, case: str) -> None:
    base, derived = BASES[case]
    file = tmp_path / "model.py"
    file.write_text(HEADER + base + derived)
    (result,) = check(file).models
    assert result.model == "Derived"
    assert [each.kind for each in result.violations] == ["lost-update"]


WHOLE = {
    "nothing is missing": (
        BASE.format(bases="", uses="self.x += 1", more=""),
        "class Derived(Base):\n    y = 1",
    ),
    "nobody has it": (
        BASE.format(bases="", uses="self.step()", more=""),
        "class Derived(Base):\n    y = 1",
    ),
    "another one has it": (
        BASE.format(bases="", uses="self.step()", more=""),
        "class Derived(Model):\n    step = 1\n    @thread\n    def t(self):\n        self.step = 2",
    ),
    "it is expected": (
        "@expect('exception')" + BASE.format(bases="", uses="self.step()", more=""),
        "class Derived(Base):\n    def step(self):\n        self.x += 1",
    ),
    "a hook": (
        BASE.format(bases="", uses="self.step()", more="    def step(self): ..."),
        "class Derived(Base):\n    def step(self):\n        self.x += 1",
    ),
    "abc without abstract methods": (
        BASE.format(bases=", abc.ABC", uses="self.x += 1", more=""),
        "class Derived(Base):\n    y = 1",
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_what_lacks_nothing_is_checked(tmp_path: Path, case: str) -> None:
    base, derived = WHOLE[case]
    file = tmp_path / "model.py"
    file.write_text(HEADER + base + derived)
    assert [each.__name__ for each in load_models(file)] == ["Base", "Derived"]


def test_an_abstract_class_alone(tmp_path: Path) -> None:
    base, _ = BASES["an abstract method"]
    file = tmp_path / "model.py"
    file.write_text(HEADER + base)
    with pytest.raises(UsageError, match="there is no model in what was named"):
        check(file)
    file.write_text(HEADER + base + "class Derived(Base):\n    def step(self): ...")
    (derived,) = load_models(file)
    with pytest.raises(ModelError, match="Base is abstract: it lacks step"):
        check(derived.__mro__[1])


MIXIN = """
class Marked:
    y = 0
    @thread
    def u(self):
        self.y = 1
"""


@pytest.mark.parametrize(("package", "names"), [(True, "ab"), (False, "ba")])
@pytest.mark.parametrize("case", BASES)
def test_bases_of_several_files(tmp_path: Path, case: str, package: bool, names: str) -> None:
    """A file that another one imports is run twice: what it defines is there twice."""
    base, derived = BASES[case]
    folder = tmp_path / f"of_{tmp_path.name}"  # modules that were imported stay so
    first, second = (folder / f"{name}_{tmp_path.name}.py" for name in names)
    folder.mkdir()
    if package:
        (folder / "__init__.py").touch()
    first.write_text(HEADER + base + MIXIN)
    imported = f"from {'.' if package else ''}{first.stem} import *\n"
    both = "\nclass Both(Marked, Derived):\n    z = 0\n"
    second.write_text(HEADER + imported + derived + both)
    for together in (folder, [first, second], [second, first]):
        found = check(together).models
        assert [each.model for each in found] == ["Derived", "Both"]
    with pytest.raises(ModelError, match="no method of a model"):
        check(first)
