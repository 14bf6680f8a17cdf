"""A script that knows nothing of interleave: its body is the main thread, its globals are shared.

What the body does before it first starts a thread, a process, a pool or a loop is run as it is when
the file is read: nobody else exists yet. The rest is a function, which the main thread runs.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import linecache
import sys
import types
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from interleave.compiler.names import scope_walk
from interleave.compiler.source import FUNCTION_OF, Definition, written_as
from interleave.errors import InterleaveError, ModelError, Place, UsageError
from interleave.kinds import LITERAL
from interleave.memory.output import output
from interleave.model import BOUNDS, MAIN, PRINTED, Model, task, thread
from interleave.world.findings import Findings
from interleave.world.net import Net, watching
from interleave.world.policy import is_standard
from interleave.world.snapshot import Snapshot

BODY = "<module>"
"""What the function is called that the main thread runs, as in Python's own tracebacks."""

RUN = "_interleave_run"
"""By which the code of a script has what stands for `asyncio.run`."""

STARTERS = frozenset({
    "Manager", "Pool", "Process", "ProcessPoolExecutor", "Runner", "Thread", "ThreadPool",
    "ThreadPoolExecutor", "Timer", "fork", "get_event_loop", "new_event_loop", "run",
    "run_forever", "run_until_complete", "start", "start_new_thread", "submit", "to_thread",
})  # fmt: skip
"""Names of what makes threads, processes, pools and loops, or starts them."""

CLOCKS = frozenset({
    "monotonic", "monotonic_ns", "now", "perf_counter", "perf_counter_ns", "time", "time_ns",
    "today", "utcnow",
})  # fmt: skip
"""Names of what reads the clock, which is the clock of the threads."""

DYNAMIC = frozenset({
    "__dict__", "__import__", "__main__", "eval", "exec", "globals", "import_module", "locals",
    "modules", "vars",
})  # fmt: skip
"""Names of what may look at a variable without naming it."""


def _foreign(tree: ast.Module) -> set[str]:
    """The names that a file imports from elsewhere than Python."""
    foreign: set[str] = set()
    for node in ast.walk(tree):
        level = 0
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
            modules = {alias.asname or name for alias, name in zip(node.names, names, strict=True)}
        elif isinstance(node, ast.ImportFrom):
            names, level = [(node.module or "").partition(".")[0]], node.level
            modules = {alias.asname or alias.name for alias in node.names}
        else:
            continue
        if not all(map(is_standard, names)) or level:
            foreign |= modules
    return foreign


def is_script(tree: ast.Module) -> bool:
    """Whether a file cannot define a model: it names nothing of this package, and derives no class
    from what it may have from a file that does.
    """
    foreign = _foreign(tree)
    modules = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    named = {alias.name for each in modules for alias in each.names}
    named |= {each.module or "" for each in modules if isinstance(each, ast.ImportFrom)}
    if any(name.partition(".")[0] == "interleave" for name in named):
        return False
    classes = [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
    bases = {
        node.id
        for each in classes
        for base in each.bases
        for node in ast.walk(base)
        if isinstance(node, ast.Name)
    }
    return not (bases & foreign or ("*" in foreign and bases))


class Script:
    """A script that was read: what of it is run first, and what the main thread runs."""

    def __init__(self, tree: ast.Module, file: str, given: Mapping[str, object]) -> None:
        self._tree = tree
        self._file = file
        self.bounds = tuple(_replaced(tree, file, given))
        """What was put in place of what stands in the file, by name or as LINE:NUMBER."""
        _NameOfMain().visit(tree)
        self._foreign = _foreign(tree)
        if not self._foreign and not any(self._names(each, STARTERS) for each in tree.body):
            raise self._no_model()
        known = STARTERS | CLOCKS
        first = (n for n, each in enumerate(tree.body) if self._names(each, known))
        self._first = next(first, None)
        asked = [each for each in tree.body if getattr(each, "module", "") == "__future__"]
        is_asked = any(alias.name == "annotations" for each in asked for alias in each.names)  # type: ignore[attr-defined]
        self._flags = annotations.compiler_flag if is_asked else 0
        self._is_async = _Loops(tree, file).rewrite()

    def _no_model(self) -> ModelError:
        return ModelError(
            f"there is no model in {self._file}, and as a script it starts no thread",
            remedy="define one: `class Counter(Model):`, with `from interleave import Model`; "
            "or name a script that starts threads, processes, a pool or an event loop",
        )

    # Where the main thread begins

    def _names(self, statement: ast.stmt, known: frozenset[str]) -> bool:
        """Whether a statement may do something, by what it names and what that names."""
        named = () if _only_defines(statement) else self._named_by(statement)
        return any(self._aliases.get(name, name) in known for name in named)

    def _named_by(self, statement: ast.stmt) -> set[str]:
        """The names in a statement, and in all of the file that these may stand for."""
        waiting: list[ast.AST] = [statement]
        seen: set[str] = set()
        while waiting:
            for node in ast.walk(waiting.pop()):
                name: str = getattr(node, "attr", "") or getattr(node, "id", "")
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
            with contextlib.redirect_stdout(printed):
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
        mark: Any = task if self._is_async else thread
        return type(
            module.__name__.rpartition(".")[2],
            (Model,),
            {
                "__module__": module.__name__,
                "__doc__": module.__doc__,
                FUNCTION_OF: (function,),
                BOUNDS: self.bounds,
                PRINTED: output(printed.getvalue()),
                MAIN: mark(function),
            },
        )

    def _defined_anyway(self, rest: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The definitions that might as well stand before all that the main thread runs."""
        bound = Counter(_bound_in(self._tree.body))
        named: set[str] = set()
        found = []
        for each in rest:
            names = set(_bound_in([each]))
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
            with _nobody_starts(), watching(Net(Findings()), _raise, in_setup=True):
                exec(code, vars(module))  # noqa: S102
        except InterleaveError as error:
            place = Place.of_error(self._file, error) or Place.of_node(self._file, statement)
            raise error.at(place) from None

    def _main(self, rest: Sequence[ast.stmt], module: types.ModuleType) -> types.FunctionType:
        """The function that the main thread runs."""
        names = sorted({*_bound_in(rest)} - self._local_names(rest))
        first = rest[0]
        if self._is_async:
            from interleave.stdlib.asyncio.running import run

            vars(module)[RUN] = run
        kind: Any = ast.AsyncFunctionDef if self._is_async else ast.FunctionDef
        taken = ast.arguments([ast.arg("_")], [], None, [], [], None, [])
        declared = [ast.copy_location(ast.Global(names), first)] if names else []
        made = ast.copy_location(kind(BODY, taken, [*declared, *rest], [], None), first)
        made.type_params = []
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
                elsewhere.update(_bound_in([each]))
                elsewhere.update(node.id for node in ast.walk(each) if isinstance(node, ast.Name))
        return {*_bound_in(rest)} - elsewhere


def _raise(error: InterleaveError) -> NoReturn:
    raise error


class Starts(BaseException):
    """A statement has come to where it starts a thread, a process or a loop."""


@contextlib.contextmanager
def _nobody_starts() -> Iterator[None]:
    """Raise `Starts` where something is started."""

    def starts(*_: object, **__: object) -> NoReturn:
        raise Starts

    usual: list[tuple[Any, str, Any]] = []
    for module, kind, method in _STARTS:
        owner: Any = getattr(sys.modules.get(module), kind, None)
        if owner is not None:
            usual.append((owner, method, vars(owner)[method]))
            setattr(owner, method, starts)
    try:
        yield
    finally:
        for owner, method, function in usual:
            setattr(owner, method, function)


_STARTS = (
    ("threading", "Thread", "start"),
    ("multiprocessing.process", "BaseProcess", "start"),
    ("asyncio", "BaseEventLoop", "run_forever"),
)
"""Where Python starts threads, processes and loops: module, class, method."""


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def _only_defines(statement: ast.stmt) -> bool:
    """Whether a statement runs nothing of what it defines."""
    if isinstance(statement, Definition | ast.ClassDef):
        return not statement.decorator_list
    return _is_import(statement)


def _can_go_first(statement: ast.stmt) -> bool:
    """Whether a definition looks at nothing that the main thread may have done."""
    if isinstance(statement, Definition):
        has_defaults = statement.args.defaults or any(statement.args.kw_defaults)
        return not (statement.decorator_list or has_defaults)
    return _is_import(statement)


def _imported_by(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.asname or alias.name.partition(".")[0] for alias in node.names]


def _bound_in(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The variables that statements of a module bind, each as often as they do."""
    hidden = {
        id(name)
        for node in scope_walk(body)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
    }
    for node in scope_walk(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            if id(node) not in hidden:
                yield node.id
        elif isinstance(node, Definition | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imported_by(node)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest


class _NameOfMain(ast.NodeTransformer):
    """`__name__` is "__main__" in a script."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "__name__" and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant("__main__"), node)
        return node


# Numbers made small from outside


def _replaced(
    tree: ast.Module, file: str, given: Mapping[str, Any]
) -> Iterator[tuple[str, object]]:
    """Put values in place of constants and literals; what was replaced, by what."""
    for name, value in given.items():
        if found := LITERAL.fullmatch(name):
            line, number = found.groups()
            at = int(line) if line else None
            yield _replace_literal(tree, file, at, int(number), value)
        else:
            yield _replace_constant(tree, file, name, value)


def _replace_literal(
    tree: ast.Module, file: str, line: int | None, number: int, value: Any
) -> tuple[str, object]:
    given = _as_int(f"the literal {number}", value)
    places = [each for each in _literals(tree) if _value_of(each) == number]
    lines = sorted({each.lineno for each in places})
    here = [each for each in places if line in (None, each.lineno)]
    if not here:
        where = f"line {line} of {file}" if line is not None else file
        known = sorted({_value_of(each) for each in _literals(tree)})
        listed = ", ".join(map(str, known))
        if lines:
            remedy = f"it stands in {_on_lines(lines)}"
        else:
            remedy = f"the int literals are {listed}" if known else "there is no int literal in it"
        raise UsageError(f"there is no literal {number} in {where}", remedy=remedy)
    if len(lines) > 1 and line is None:
        shown = "\n".join(f"  {each}: {linecache.getline(file, each).strip()}" for each in lines)
        raise UsageError(
            f"the literal {number} stands in {_on_lines(lines)} of {file}:\n{shown}",
            remedy=f"say which: -p {lines[0]}:{number}={given}",
        )
    for each in here:
        _put(each, given)
    return f"{here[0].lineno}:{number}", given


def _on_lines(lines: Sequence[int]) -> str:
    *most, last = map(str, lines)
    return f"lines {', '.join(most)} and {last}" if most else f"line {last}"


def _literals(tree: ast.Module) -> list[ast.expr]:
    """The int literals of a file, each with the minus before it."""
    negated = {
        id(node.operand)
        for node in ast.walk(tree)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and _value_of(node) is not None and id(node) not in negated
    ]


def _value_of(node: ast.expr) -> Any:
    """The number that an int literal stands for; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value_of(node.operand)
        return None if value is None else -value
    is_int = isinstance(node, ast.Constant) and type(node.value) is int
    return node.value if is_int else None  # type: ignore[attr-defined]


def _put(node: Any, value: Any) -> None:
    """Make an expression a literal with another value."""
    if isinstance(node, ast.UnaryOp):
        node.op, node.operand = ast.UAdd(), ast.copy_location(ast.Constant(value), node)
    else:
        node.value = value


def _as_int(what: str, value: Any) -> int:
    read = ast.literal_eval(value) if _is_literal(value) else value
    if type(read) is not int:
        raise UsageError(f"{what} cannot be {read!r}", remedy="give a whole number: -p 10000=3")
    return read


def _is_literal(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _replace_constant(tree: ast.Module, file: str, name: str, value: Any) -> tuple[str, object]:
    bound = [each for each in _bound_anywhere(tree) if each[0] == name]
    assigned = [
        each
        for each in tree.body
        if isinstance(each, ast.Assign | ast.AnnAssign) and _target_of(each) == name
    ]
    if not bound:
        constants = [_target_of(each) for each in tree.body if _constant_of(each) is not None]
        listed = ", ".join(str(each) for each in constants) or "none"
        raise UsageError(
            f"there is no constant {name!r} in {file}",
            remedy=f"the constants that are assigned a literal at the top level are: {listed}; "
            "a number where it stands: -p 10000=3",
        )
    if len(bound) > 1 or len(assigned) != 1:
        raise UsageError(
            f"{name} is no constant of {file}: it is set in "
            f"{_on_lines(sorted({line for _, line in bound}))}",
            remedy="name one that is assigned once, at the top level; or a number where it "
            "stands: -p 10000=3",
        )
    (statement,) = assigned
    literal = _constant_of(statement)
    if literal is None:
        place = Place.of_node(file, statement)
        raise UsageError(
            f"{name} is not assigned a literal", remedy="name one that is", place=place
        )
    usual = ast.literal_eval(literal)
    is_text = isinstance(usual, str) or not _is_literal(value)
    read = value if is_text else ast.literal_eval(value)
    if isinstance(usual, float) and type(read) is int:
        read = float(read)
    read = str(read) if isinstance(usual, str) and isinstance(read, str) else read
    if type(read) is not type(usual) and usual is not None:
        raise UsageError(
            f"{name} cannot be {read!r}: it is of type {type(usual).__name__}",
            remedy=f"give a value like the one in the file, {usual!r}",
        )
    statement.value = ast.copy_location(ast.Constant(read), literal)
    return name, read


def _bound_anywhere(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The variables of the module that are bound, at the top level or by who declares them global,
    with the lines.
    """
    for statement in tree.body:
        for name in _bound_in([statement]):
            yield name, statement.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from ((name, node.lineno) for name in node.names)


def _target_of(statement: ast.AST) -> str | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _constant_of(statement: Any) -> Any:
    """The literal that a statement assigns to one variable; None where it does something else."""
    value = getattr(statement, "value", None)
    if _target_of(statement) is None or not isinstance(value, ast.Constant | ast.UnaryOp):
        return None
    try:
        ast.literal_eval(value)
    except ValueError:
        return None
    return value


# Event loops


class _Loops:
    """Has the main thread await what `asyncio.run` runs: it is the loop's thread for so long.

    A function of the file that calls it is awaited as well, where it is called.
    """

    def __init__(self, tree: ast.Module, file: str) -> None:
        self._tree = tree
        self._file = file
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        self._modules = {
            alias.asname or alias.name
            for node in imports
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name == "asyncio"
        }
        self._functions = {
            alias.asname or alias.name
            for node in imports
            if isinstance(node, ast.ImportFrom) and node.module == "asyncio"
            for alias in node.names
            if alias.name == "run"
        }

    def rewrite(self) -> bool:
        """Whether the main thread runs a loop. Raises `ModelError` where that cannot be seen."""
        runs = [node for node in ast.walk(self._tree) if self._is_run(node)]
        if not runs:
            return False
        if len(runs) > 1:
            raise self._error("asyncio.run is called in two places", runs[1])
        awaited = {id(runs[0])}
        scope, name = self._scope_of(runs[0])
        while name:
            uses = [
                node
                for node in ast.walk(self._tree)
                if isinstance(node, ast.Name) and node.id == name
            ]
            calls = [
                node
                for node in ast.walk(self._tree)
                if isinstance(node, ast.Call) and node.func in uses
            ]
            if not uses:
                return False  # nobody calls it
            if len(uses) > 1 or not calls:
                how = "is used in several places" if len(uses) > 1 else "is not called by the body"
                raise self._error(f"{name} runs an event loop, and {how}", uses[-1])
            self._tree.body[self._tree.body.index(scope)] = _as_async(scope)
            awaited.add(id(calls[0]))
            scope, name = self._scope_of(calls[0])
        _Awaiting(awaited, runs[0]).visit(self._tree)
        return True

    def _is_run(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Attribute):
            owner = node.func.value
            is_asyncio = isinstance(owner, ast.Name) and owner.id in self._modules
            return is_asyncio and node.func.attr == "run"
        return isinstance(node.func, ast.Name) and node.func.id in self._functions

    def _scope_of(self, node: ast.AST) -> tuple[Any, str]:
        """The function that stands at the top level and calls something itself, and its name; the
        file, and "", where that does.
        """
        for each in (self._tree, *self._tree.body):
            is_function = isinstance(each, ast.FunctionDef) and not each.decorator_list
            if (is_function or each is self._tree) and node in scope_walk(each.body):  # type: ignore[attr-defined]
                for loop in scope_walk(each.body):  # type: ignore[attr-defined]
                    if isinstance(loop, ast.For | ast.While) and node in ast.walk(loop):
                        raise self._error("an event loop is run over and over", node)
                return each, getattr(each, "name", "")
        raise self._error("an event loop is run where it cannot be followed", node)

    def _error(self, what: str, node: ast.AST) -> ModelError:
        return ModelError(
            what,
            remedy="call asyncio.run once: in the body of the script, or in a function that the "
            "body calls",
            place=Place.of_node(self._file, node),
        )


def _as_async(function: ast.FunctionDef) -> ast.AsyncFunctionDef:
    made = ast.AsyncFunctionDef.__new__(ast.AsyncFunctionDef)
    vars(made).update(vars(function))
    return made


class _Awaiting(ast.NodeTransformer):
    """Awaits some calls."""

    def __init__(self, awaited: set[int], run: ast.AST) -> None:
        self._awaited = awaited
        self._run = run

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if id(node) not in self._awaited:
            return node
        if node is self._run:
            node.func = ast.copy_location(ast.Name(RUN, ast.Load()), node.func)
        return ast.copy_location(ast.Await(node), node)
