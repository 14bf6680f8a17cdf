"""How the files of the package may import each other."""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import interleave
from interleave.runtimes import (
    KINDS,
    NAMED,
    Runtime,
    ThreadKind,
    asyncio,
    free_threaded,
    gil,
    go,
    process,
)

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


def test_nothing_asks_which_runtime_it_is() -> None:
    """What differs between runtimes, and between kinds of threads, is said by fields of these."""
    for file in ROOT.rglob("*.py"):
        if file.parent.name != "runtimes":
            for node in ast.walk(ast.parse(file.read_text())):
                assert not asks_for(node), f"{file}:{node.lineno}"


NAMES = {*NAMED, *map(str, KINDS), str(asyncio.LOOP)}

VALUES = {
    name
    for module in (asyncio, free_threaded, gil, go, process)
    for name, value in vars(module).items()
    if isinstance(value, Runtime | ThreadKind)
}
"""The names of the runtimes and of the kinds of thread in code."""


def asks_for(node: ast.AST) -> bool:
    """Whether something is compared with one of the runtimes or the kinds of thread, or with the
    name of one; or looked up by it.
    """
    if isinstance(node, ast.Compare):
        parts = [part for side in (node.left, *node.comparators) for part in ast.walk(side)]
    elif isinstance(node, ast.Match):
        parts = [part for case in node.cases for part in ast.walk(case.pattern)]
        parts += ast.walk(node.subject)
    elif isinstance(node, ast.Subscript):
        parts = [*ast.walk(node.value), *ast.walk(node.slice)]
    else:
        return False
    variables = {part.id for part in parts if isinstance(part, ast.Name)}
    attributes = {part.attr for part in parts if isinstance(part, ast.Attribute)}
    constants = {str(part.value) for part in parts if isinstance(part, ast.Constant)}
    is_asked = any(re.search("runtime|kind|noun", word) for word in variables | attributes)
    return not VALUES.isdisjoint(variables) or (is_asked and not NAMES.isdisjoint(constants))


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("program.runtime == 'go'", True),
        ("me.kind in ('task', 'loop')", True),
        ("thread.kind is LOOP", True),
        ("{'go': 1}[runtime]", True),
        ("match runtime:\n    case 'gil': pass", True),
        ("program.runtime.main == name", False),
        ("violation.kind == 'stuck'", False),
    ],
)
def test_what_would_ask_is_found(code: str, asks: bool) -> None:
    assert any(asks_for(node) for node in ast.walk(ast.parse(code))) is asks


def test_pytest_asks_for_the_plugins_whose_options_are_set() -> None:
    known = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))
    options = known["tool"]["pytest"]["ini_options"]
    needed = {"pytest-timeout"} if "timeout" in options else set()
    declared = {each.partition(">")[0] for each in known["project"]["optional-dependencies"]["dev"]}
    assert needed <= {*options["required_plugins"]} <= declared
