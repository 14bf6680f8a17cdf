"""How the files of the package may import each other."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Set
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
PROJECT = Path(__file__).parent.parent


def name_of(file: Path) -> str:
    """The name of the module in a file."""
    parts = ["interleave", *file.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(file): file for file in ROOT.rglob("*.py")}


def nodes_of(tree: ast.AST, *, types: bool) -> Iterator[ast.AST]:
    """All that is in some code; without `types`, not what is there for type checkers only."""
    for_types = isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING"
    parts = tree.orelse if for_types and not types else ast.iter_child_nodes(tree)
    yield tree
    for part in parts:
        yield from nodes_of(part, types=types)


def imports_of(text: str, modules: Set[str], *, types: bool) -> set[str]:
    """Those of `modules` that code imports anywhere: at its top and in functions; with `types`, for
    type checkers too.
    """
    found = set()
    for node in nodes_of(ast.parse(text), types=types):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None and not node.level
            # Of a package, either modules in it or names that it has.
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.add(inside if inside in modules else node.module)
    return found & modules


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """A circle of imports; nothing where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", ["engine", "machine", "program", "world"])
def test_no_circles_of_imports(package: str) -> None:
    files = {name: file for name, file in FILES.items() if file.is_relative_to(ROOT / package)}
    assert len(files) > 10
    texts = {name: file.read_text() for name, file in files.items()}
    graph = {name: imports_of(text, {*files}, types=True) for name, text in texts.items()}
    assert not circle_in(graph), "a circle of imports"


HONEST = {
    ("interleave.schedule", "interleave.replaying"): (
        "To replay is a method of a schedule, for whoever has read one from a file. It gives a "
        "trace, which has a schedule."
    ),
}
"""Imports that close a circle, each with the reason for it."""


@pytest.mark.slow
def test_no_circles_in_the_whole_package() -> None:
    """Nor are any hidden by imports in functions. What is there for type checkers runs never."""
    graph = {
        name: imports_of(file.read_text(), FILES.keys(), types=False)
        for name, file in FILES.items()
    }
    for one, other in HONEST:
        graph[one].remove(other)
    assert not circle_in(graph), "a circle of imports"
    for one, other in HONEST:
        assert circle_in({**graph, one: {*graph[one], other}}), f"{one} closes no circle any more"


BELOW = {
    ("runtimes", "go"): "what is raised in Go",
    ("schedule", "replaying"): "`Schedule.replay` searches",
    ("world", "stdlib"): "`world` is in two places",
    ("world", "compiler"): "`world` is in two places",
    ("result", "report"): "the text of a result is its report",
    ("stategraph", "report"): "`StateGraph.to_text` writes as reports do",
}
"""What imports from what is below it in the table of docs/internals.md, with the reason for it."""


@pytest.mark.slow
def test_each_package_imports_from_those_above_it() -> None:
    page = (PROJECT / "docs" / "internals.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    rows = [re.findall(r"`(\w+)`", cell) for cell in cells]
    row = {name: place for place, names in enumerate(rows) for name in names}
    packages = {name.split(".")[1] for name in FILES if "." in name} - {"__main__"}
    assert row.keys() == packages
    below = set()
    for name, file in FILES.items():
        for imported in imports_of(file.read_text(), FILES.keys(), types=False):
            pair = (f"{name}.".split(".")[1], f"{imported}.".split(".")[1])
            if row.get(pair[1], -1) > row.get(pair[0], len(rows)):
                below.add(pair)
    assert below == BELOW.keys()


@pytest.mark.parametrize(
    ("code", "imported"),
    [
        ("import p.a", {"p.a"}),
        ("from p.a import name", {"p.a"}),
        ("from p import a", {"p.a"}),
        ("from p import name, a", {"p", "p.a"}),
        ("def f():\n    from p.a import name", {"p.a"}),
        ("class A:\n    async def f(self):\n        import p.a as it", {"p.a"}),
        ("if TYPE_CHECKING:\n    from p.a import name", set()),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import p.a", {"p.a"}),
        ("import other", set()),
    ],
)
def test_what_is_imported_is_found(code: str, imported: set[str]) -> None:
    assert imports_of(code, {"p", "p.a"}, types=False) == imported


def test_only_the_store_knows_how_states_are_kept() -> None:
    """The kernel asks it by functions; what it may know is how large a state is, and such."""
    native = ROOT / "engine" / "native"
    for file in native.rglob("*.py"):
        if "store" not in (*file.parts, file.stem):
            known = set(re.findall(r"\bspace\.(\w+)", file.read_text()))
            assert known <= {"words", "workers", "room"}, file


@pytest.mark.slow
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
    known = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    options = known["tool"]["pytest"]["ini_options"]
    needed = {"pytest-timeout"} if "timeout" in options else set()
    declared = {each.partition(">")[0] for each in known["project"]["optional-dependencies"]["dev"]}
    assert needed <= {*options["required_plugins"]} <= declared


def test_what_stands_for_an_assert_of_the_library_raises_the_error_itself() -> None:
    """pytest writes more into the texts of asserts, in a package that has a plugin for it."""
    for file in (ROOT / "stdlib").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Assert) and node.msg), f"{file}:{node.lineno}"
