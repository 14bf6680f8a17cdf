"""How the files of the package may import each other."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import interleave

ROOT = Path(interleave.__file__).parent


def name_of(file: Path) -> str:
    """The name of the module in a file."""
    parts = ["interleave", *file.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path, modules: set[str]) -> set[str]:
    """Those of `modules` that a file imports anywhere: at its top, in functions, for type checkers."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None and not node.level
            # Of a package, either a module in it or a name that it has.
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & modules or {node.module}
    return found & modules


@pytest.mark.parametrize("package", ["engine", "machine", "program", "world"])
def test_no_circles_of_imports(package: str) -> None:
    files = {name_of(file): file for file in (ROOT / package).rglob("*.py")}
    assert len(files) > 10
    graph = {name: imports_of(file, {*files}) for name, file in files.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


def test_only_the_store_knows_how_states_are_kept() -> None:
    """The kernel asks it by functions; what it may know is how large a state is, and such."""
    native = ROOT / "engine" / "native"
    for file in native.rglob("*.py"):
        if "store" not in (*file.parts, file.stem):
            known = set(re.findall(r"\bspace\.(\w+)", file.read_text()))
            assert known <= {"words", "workers", "room"}, file
