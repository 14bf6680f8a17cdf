"""A script that knows nothing of interleave: its body is the main thread, its globals are shared.

What the body does before it first starts a thread, a process, a pool or a loop is run as it is when
the file is read: nobody else exists yet. The rest is a function, which the main thread runs.
"""

from __future__ import annotations

import ast
import functools
import io
import sys
import types
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from interleave.compiler.imports import bound_in
from interleave.compiler.source import FUNCTION_OF, Definition, written_as
from interleave.errors import InterleaveError, ModelError, Place
from interleave.literals import read_literal
from interleave.memory.output import output
from interleave.memory.streams import before_threads
from interleave.model import BOUNDS, LOOPS, MAIN, PRINTED, Model, thread
from interleave.scripts.exits import AT_EXIT, Exits, with_exit
from interleave.scripts.recognizing import names_from_elsewhere
from interleave.scripts.starts import STARTERS, Starts, nobody_starts
from interleave.scripts.values import is_setting, replaced
from interleave.world.findings import Findings
from interleave.world.net import Net, watching
from interleave.world.snapshot import Snapshot

BODY = "<module>"
"""What the function is called that the main thread runs, as in Python's own tracebacks."""

CLOCKS = frozenset({
    "monotonic", "monotonic_ns", "now", "perf_counter", "perf_counter_ns", "time", "time_ns",
    "today", "utcnow",
})  # fmt: skip
"""Names of what reads the clock, which is the clock of the threads."""

SIGNALS = frozenset({"alarm", "setitimer", "signal"})
"""Names of what installs a handler of a signal, which may run from then on, or sets a timer."""

DYNAMIC = frozenset({
    "__dict__", "__import__", "__main__", "eval", "exec", "globals", "import_module", "locals",
    "modules", "vars",
})  # fmt: skip
"""Names of what may look at a variable without naming it."""


class Script:
    """A script that was read: what of it is run first, and what the main thread runs.

    `flags`: what the file asks of the compiler. `given` has what is to be replaced in it.
    """

    def __init__(
        self, tree: ast.Module, file: str, flags: int, given: Mapping[str, object]
    ) -> None:
        self._tree = tree
        self._file = file
        self._flags = flags
        self._settings = {
            name: read_literal(value) for name, value in given.items() if is_setting(tree, name)
        }
        self.bounds = tuple(replaced(tree, file, given))
        """What was put in place of what stands in the file, by name or as LINE:NUMBER."""
        _NameOfMain().visit(tree)
        self._has_exits = Exits(tree).rewrite()
        self._foreign = names_from_elsewhere(tree)
        runs_beside = STARTERS | (SIGNALS if _imports(tree, "signal") else frozenset())
        if not self._foreign and not any(self._names(each, runs_beside) for each in tree.body):
            raise self._no_model()
        known = runs_beside | CLOCKS
        first = (n for n, each in enumerate(tree.body) if self._names(each, known))
        self._first = next(first, None)

    def _no_model(self) -> ModelError:
        return ModelError(
            f"there is no model in {self._file}, and as a script it starts no thread",
            remedy="define one: `class Counter(Model):`, with `from interleave import Model`; "
            "or name a script that starts threads, processes, a pool or an event loop",
        )

    # Where the main thread begins

    def _names(self, statement: ast.stmt, known: frozenset[str]) -> bool:
        """Whether a statement may do something, by what it names and what that names."""
        named: Iterable[str] = ()
        if isinstance(statement, Definition | ast.ClassDef):
            for each in statement.decorator_list:
                named = {*named, *self._named_by(each, decorates=True)}
        elif not _is_import(statement):
            named = self._named_by(statement)
        return any(self._aliases.get(name, name) in known for name in named)

    def _named_by(self, node: ast.AST, *, decorates: bool = False) -> set[str]:
        """The names in a piece of code, and in all of the file that these may stand for. What
        `decorates` something runs nothing of a function that it only gives back.
        """
        waiting: list[ast.AST] = [node]
        seen: set[str] = set()
        while waiting:
            for each in _nodes_run(waiting.pop()) if decorates else ast.walk(waiting.pop()):
                name: str = getattr(each, "attr", "") or getattr(each, "id", "")
                if name and name not in seen:
                    seen.add(name)
                    waiting += self._definitions.get(name, ())
        return seen

    @functools.cached_property
    def _definitions(self) -> dict[str, list[ast.AST]]:
        """The functions and classes of the file, by name."""
        found: dict[str, list[ast.AST]] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, Definition | ast.ClassDef):
                found.setdefault(node.name, []).append(node)
        return found

    @functools.cached_property
    def _aliases(self) -> dict[str, str]:
        """What imported names are called where they come from."""
        return {
            alias.asname: alias.name
            for node in ast.walk(self._tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.asname
        }

    # What is made of it

    def model(self, module: types.ModuleType) -> type[Model]:
        """Run what comes first, in a module, and give the model of the rest.

        Raises what that raises.
        """
        printed = io.StringIO()
        arguments, sys.argv = sys.argv, [self._file]
        try:
            with before_threads(printed):
                rest = self._tree.body[self._run_first(module) :]
                moved = self._defined_anyway(rest)
                for each in moved:
                    self._run(each, module)
        finally:
            sys.argv = arguments
        rest = [each for each in rest if each not in moved]
        if not rest:
            raise self._no_model()
        function = self._main(rest, module)
        return type(
            module.__name__.rpartition(".")[2],
            (Model,),
            {
                "__module__": module.__name__,
                "__doc__": module.__doc__,
                FUNCTION_OF: (function,),
                BOUNDS: self.bounds,
                PRINTED: output(printed.getvalue()),
                MAIN: thread(function),
                **({LOOPS: True} if _imports(self._tree, "asyncio") else {}),
                **self._settings,
            },
        )

    def _defined_anyway(self, rest: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The definitions that might as well stand before all that the main thread runs."""
        bound = Counter(bound_in(self._tree.body))
        named: set[str] = set()
        found = []
        for each in rest:
            names = set(bound_in([each]))
            is_first = _can_go_first(each) and not names & named
            if is_first and all(bound[name] == 1 for name in names):
                found.append(each)
            else:
                named |= self._named_by(each)
        return found

    def _run_first(self, module: types.ModuleType) -> int:
        """Run the body up to where it first starts something; at which statement that is.

        What it imports may do that, too: a statement that comes to it is taken back.
        """
        for number, statement in enumerate(self._tree.body[: self._first]):
            calls = any(isinstance(node, ast.Call) for node in ast.walk(statement))
            is_only_here = not self._foreign or _is_import(statement) or not calls
            before = Snapshot(() if is_only_here else [module])
            try:
                self._run(statement, module)
            except Starts:
                if is_only_here or before.restore():
                    raise ModelError(
                        "something is started here that cannot be followed from its start",
                        remedy="start threads by threading.Thread, or by concurrent.futures",
                        place=Place.of_node(self._file, statement),
                    ) from None
                return number
        return len(self._tree.body) if self._first is None else self._first

    def _run(self, statement: ast.stmt, module: types.ModuleType) -> None:
        """Run a statement of the body as it is. Raises `Starts` where it starts something."""
        single = ast.Module([statement], [])
        code = compile(single, self._file, "exec", self._flags, dont_inherit=True)
        written_as(code, statement)
        if _is_import(statement):
            exec(code, vars(module))  # noqa: S102  (it is the user's own file)
            return
        try:
            with nobody_starts(), watching(Net(Findings()), _raise, in_setup=True):
                exec(code, vars(module))  # noqa: S102
        except InterleaveError as error:
            place = Place.of_error(self._file, error) or Place.of_node(self._file, statement)
            raise error.at(place) from None

    def _main(self, rest: Sequence[ast.stmt], module: types.ModuleType) -> types.FunctionType:
        """The function that the main thread runs."""
        names = sorted({*bound_in(rest)} - self._local_names(rest))
        first = rest[0]
        if self._has_exits:
            from interleave.stdlib.threads import call_at_exit

            vars(module)[AT_EXIT] = call_at_exit
        taken = ast.arguments([ast.arg("_")], [], None, [], [], None, [])
        declared = [ast.copy_location(ast.Global(names), first)] if names else []
        body = [_Unannotated().visit(each) for each in rest]
        if self._has_exits:
            body = with_exit(body)
        made = ast.FunctionDef(BODY, taken, [*declared, *body], [], None)
        ast.copy_location(made, first)
        vars(made)["type_params"] = []  # from Python 3.12 on
        tree = ast.fix_missing_locations(ast.Module([made], []))
        whole = compile(tree, self._file, "exec", self._flags, dont_inherit=True)
        (code,) = (each for each in whole.co_consts if isinstance(each, types.CodeType))
        written_as(code, made)
        function = types.FunctionType(code, vars(module), BODY)
        function.__module__ = module.__name__
        return function

    def _local_names(self, rest: Sequence[ast.stmt]) -> set[str]:
        """The variables that nothing but the rest of the body can name: nobody else sees them."""
        elsewhere: set[str] = set()
        for node in ast.walk(self._tree):
            if DYNAMIC & {getattr(node, field, None) for field in ("id", "attr", "name")}:
                return set()
            if isinstance(node, Definition | ast.ClassDef):
                elsewhere.update(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
                elsewhere.update(
                    name
                    for each in ast.walk(node)
                    if isinstance(each, ast.Global)
                    for name in each.names
                )
        for each in self._tree.body:
            if each not in rest:
                elsewhere.update(bound_in([each]))
                elsewhere.update(node.id for node in ast.walk(each) if isinstance(node, ast.Name))
        return {*bound_in(rest)} - elsewhere


def _raise(error: InterleaveError) -> NoReturn:
    raise error


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _imports(tree: ast.Module, module: str) -> bool:
    """Whether a file imports a module of Python's, or something of it."""
    imports = (n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom))
    names = (getattr(each, "module", None) or part.name for each in imports for part in each.names)
    return any(name.partition(".")[0] == module for name in names)


def _nodes_run(code: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a piece of code but for functions in it that it only gives back."""
    returned = {id(node.value) for node in ast.walk(code) if isinstance(node, ast.Return)}
    names = [node for node in ast.walk(code) if isinstance(node, ast.Name)]
    used = {node.id for node in names if id(node) not in returned}
    waiting = [code]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Definition) and node is not code and node.name not in used:
            waiting += node.decorator_list
        elif not (id(node) in returned and isinstance(node, ast.Name) and node.id not in used):
            yield node
            waiting += ast.iter_child_nodes(node)


def _can_go_first(statement: ast.stmt) -> bool:
    """Whether a definition looks at nothing that the main thread may have done."""
    if isinstance(statement, Definition):
        has_defaults = statement.args.defaults or any(statement.args.kw_defaults)
        return not (statement.decorator_list or has_defaults)
    return _is_import(statement)


class _NameOfMain(ast.NodeTransformer):
    """`__name__` is "__main__" in a script."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "__name__" and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant("__main__"), node)
        return node


class _Unannotated(ast.NodeTransformer):
    """Assignments without types, which no variable may have that a function declares global."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        made = ast.Pass() if node.value is None else ast.Assign([node.target], node.value)
        return ast.copy_location(made, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node
