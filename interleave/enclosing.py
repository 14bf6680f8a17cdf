"""A model made of a function: its variables are the shared ones, functions inside it the threads.

The variables that inner functions capture become attributes of the model, and the functions that
stand in the body itself its methods: wherever one of these names is used, it is looked up in the
model. What is left of the body is `setup`. All of it keeps its lines, and reports show the source.

Where no inner function is marked, the body is the one thread that there is to begin with.
"""

from __future__ import annotations

import ast
import builtins
import types
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interleave.compiler.closures import VariableRewriter
from interleave.compiler.imports import import_statements, imported_by, imports_of
from interleave.compiler.names import bindings, scope_walk
from interleave.compiler.source import (
    FUNCTION_OF,
    Definition,
    find_function,
    no_source,
    place_of_function,
    written_as,
)
from interleave.compiler.syntax import copied
from interleave.errors import InterleaveError, ModelError, Place, UsageError, did_you_mean
from interleave.model import (
    MAIN,
    VARIABLES,
    Model,
    Param,
    goroutine,
    invariant,
    param,
    postcondition,
    process,
    task,
    thread,
)

SELF = "_interleave_model"
"""By which the code has the model."""

_THREADS = (thread, task, process, goroutine)
_PROPERTIES = (invariant, postcondition)


def model_of(function: types.FunctionType, parameters: Mapping[str, object]) -> type[Model]:
    """The model that a function stands for, with some of its parameters set.

    Raises `ModelError` for a function that stands for none.
    """
    return _Enclosing(function, parameters).model()


class _Enclosing:
    """Takes one function apart."""

    def __init__(self, function: types.FunctionType, given: Mapping[str, object]) -> None:
        found = find_function(function)
        if found is None:
            raise no_source(function)
        self._function = function
        self._definition = copied(found[0])
        if found[1] is not None:
            self._leave_out_owner()
        self._imports = [
            node
            for node in scope_walk(self._definition.body)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        self._parameters = self._read_parameters(given)
        self._names = self._read_names()
        self._marked = [each for each in self._inner() if self._marks(each)]
        self._check_body()

    # What it is given

    def _leave_out_owner(self) -> None:
        """A method of a class of tests takes an instance of it, which says nothing of a model."""
        arguments = self._definition.args
        listed = arguments.posonlyargs or arguments.args
        if len(listed) == len(arguments.defaults):  # a static method
            return
        name = listed.pop(0).arg
        for node in ast.walk(self._definition):
            if isinstance(node, ast.Name) and node.id == name:
                raise self._error(
                    f"{self._function.__name__} uses {name}, the object that a class of tests is "
                    "made for: it is no part of a model",
                    "make what the threads share in the body of the function; and compare with "
                    "`assert`",
                    node,
                )

    def _read_parameters(self, given: Mapping[str, object]) -> dict[str, Param]:
        """What it takes, which must have a default: each is a parameter of the model."""
        arguments, function = self._definition.args, self._function
        listed = [*arguments.posonlyargs, *arguments.args]
        defaults = function.__defaults__ or ()
        known: dict[str, Any] = dict(
            zip([each.arg for each in listed][len(listed) - len(defaults) :], defaults, strict=True)
        )
        known.update(function.__kwdefaults__ or {})
        more = (arguments.vararg, arguments.kwarg)
        for each in (*listed, *arguments.kwonlyargs, *filter(None, more)):
            if each.arg not in known:
                raise self._error(
                    f"{function.__name__} takes {each.arg}, which nobody gives: each run of its "
                    "body is to begin alike",
                    f"make it in the body, in place of a fixture; or write {each.arg}=... with a "
                    "number, a string or a bool, and it is a parameter of the model",
                    each,
                )
        for name in given:
            if name not in known:
                listing = ", ".join(known) or "none"
                raise UsageError(
                    f"{function.__name__} has no parameter {name!r}",
                    remedy=f"{did_you_mean(name, known)}its parameters are: {listing}",
                )
        found = {}
        for name, value in {**known, **given}.items():
            try:
                found[name] = param(value)
            except ModelError as error:
                raise error.at(place_of_function(function)) from None
            assert isinstance(found[name], Param)
        return found

    def _read_names(self) -> dict[str, Any]:
        """What names mean in the body before it has run: its imports, and all around it."""
        function = self._function
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        found = {**vars(builtins), **function.__globals__}
        for name, cell in cells:
            try:
                found[name] = cell.cell_contents
            except ValueError:
                continue  # not bound yet
        for each in imports_of(import_statements(self._definition), function.__globals__):
            found[each.name] = each.value
        return found

    # Inner functions

    def _inner(self) -> Iterator[Definition]:
        """The functions that stand in the body itself."""
        return (each for each in self._definition.body if isinstance(each, Definition))

    def _marks(self, inner: Definition) -> list[Any]:
        """The decorators of interleave on an inner function."""
        means = map(self._meaning, inner.decorator_list)
        return [each for each in means if each in (*_THREADS, *_PROPERTIES)]

    def _meaning(self, decorator: ast.expr) -> Any:
        """What a decorator is, if it is named as a global, or called under its name; else None."""
        if isinstance(decorator, ast.Call):
            return self._meaning(decorator.func)
        if isinstance(decorator, ast.Attribute):
            owner = self._meaning(decorator.value)
            return getattr(owner, decorator.attr, None) if _is_module(owner) else None
        return self._names.get(decorator.id) if isinstance(decorator, ast.Name) else None

    def _is_helper(self, inner: Definition) -> bool:
        """Whether an inner function can be a method: its name means nothing else, and to define it
        is no more than that.
        """
        has_defaults = inner.args.defaults or any(inner.args.kw_defaults)
        is_plain = not (inner.decorator_list or has_defaults or hasattr(Model, inner.name))
        return is_plain and self._bound[inner.name] == 1

    @property
    def _bound(self) -> Counter[str]:
        """How often the body binds each name."""
        declared = (
            name
            for node in ast.walk(self._definition)
            if isinstance(node, ast.Nonlocal)
            for name in node.names
        )
        return Counter([*bindings(self._definition.body), *declared])

    # What it must not be

    def _check_body(self) -> None:
        name = self._function.__name__
        for node in scope_walk(self._definition.body):
            if isinstance(node, ast.Yield | ast.YieldFrom):
                raise self._error(
                    f"{name} yields: it is no function that runs from its start to its end",
                    "leave `yield` out: what is to come at the end is a function with @at_end",
                    node,
                )
            if isinstance(node, ast.Return) and (node.value is not None or self._marked):
                what = "gives something back, which nobody takes"
                if node.value is None:
                    what = "may end before its threads are there"
                raise self._error(
                    f"{name} {what}",
                    "leave `return` out: what must hold at the end is an assert in a function "
                    "with @at_end",
                    node,
                )
            if isinstance(node, Definition) and node not in self._definition.body:
                for mark in self._marks(node):
                    raise self._error(
                        f"@{mark.__name__} marks {node.name} inside another statement of {name}",
                        "define it in the body itself: @thread(2) makes two of them, and "
                        "@thread(n) with a parameter n as many as that says",
                        node,
                    )
        if self._marked and isinstance(self._definition, ast.AsyncFunctionDef):
            raise self._error(
                f"{name} is `async def`, and its body runs before any task",
                "write `def`, and await in the functions with @task",
                self._definition,
            )

    def _error(self, what: str, remedy: str, node: ast.AST) -> ModelError:
        place = Place.of_node(self._function.__code__.co_filename, node)
        return ModelError(what, remedy=remedy, place=place)

    # What is made of it

    def model(self) -> type[Model]:
        function = self._function
        members: dict[str, Any] = {
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "__doc__": function.__doc__,
            FUNCTION_OF: (function,),
            VARIABLES: frozenset(),
            **self._parameters,
        }
        if self._marked:
            self._add_methods(members)
        else:
            self._add_main(members)
        return type(function.__name__, (Model,), members)

    def _add_main(self, members: dict[str, Any]) -> None:
        """The body as the one thread."""
        rewriter = _Rewriter(dict.fromkeys(self._parameters, SELF))
        body = [rewriter.visit(each) for each in self._definition.body]
        made_of = self._definition
        members[MAIN] = self._compiled(made_of, body)
        mark = task if isinstance(made_of, ast.AsyncFunctionDef) else thread
        decorator = ast.Name(f"@{mark.__name__}", ast.Load())
        self._mark(members, MAIN, [ast.copy_location(decorator, made_of)], made_of)

    def _add_methods(self, members: dict[str, Any]) -> None:
        """The inner functions as methods, and the rest of the body as setup."""
        methods = [each for each in self._inner() if each in self._marked or self._is_helper(each)]
        shared = {
            *self._function.__code__.co_cellvars,
            *self._parameters,
            *(each.name for each in methods),
        }
        shared -= {name for node in self._imports for name in imported_by(node)}
        rewriter = _Rewriter(dict.fromkeys(shared, SELF))
        for each in methods:
            if each.name in members or hasattr(Model, each.name):
                raise self._error(
                    f"{each.name} is the name of something else in {self._function.__name__}",
                    "give each a name of its own",
                    each,
                )
            members[each.name] = self._method(each, rewriter)
            if each in self._marked:
                self._check_marked(each)
                self._mark(members, each.name, self._decorators_of(each), each)
        rest = [each for each in self._definition.body if each not in methods]
        body = [part for each in rest for part in _listed(rewriter.visit(each))]
        members[VARIABLES] = frozenset(shared - {*self._parameters, *members})
        members["setup"] = self._compiled(self._definition, body)

    def _method(self, inner: Definition, rewriter: _Rewriter) -> types.FunctionType:
        names = {node.id for node in ast.walk(inner) if isinstance(node, ast.Name)}
        imports = [each for each in self._imports if names.intersection(imported_by(each))]
        made = rewriter.visit(copied(inner))
        found = next(each for each in _listed(made) if isinstance(each, Definition))
        return self._compiled(found, [*map(copied, imports), *found.body])

    def _compiled(self, definition: Definition, body: Sequence[ast.stmt]) -> types.FunctionType:
        """A function of the model with the name of another one, and a body."""
        is_outer = definition is self._definition
        outer = self._function
        taken = ast.arguments([], [], None, [], [], None, []) if is_outer else definition.args
        made = copied(definition)
        made.args = copied(taken)
        made.args.posonlyargs.insert(0, ast.copy_location(ast.arg(SELF), definition))
        made.body = [*body] or [ast.copy_location(ast.Pass(), definition)]
        made.decorator_list = []
        made.returns = None
        for each in ast.walk(made.args):
            if isinstance(each, ast.arg):
                each.annotation = None
        # Named as it would be in the module, but with the variables around the function.
        around = ast.arguments(
            [], [ast.arg(name) for name in outer.__code__.co_freevars], None, [], [], None, []
        )
        maker = ast.FunctionDef("@made", around, [ast.Global([made.name]), made], [], None)
        vars(maker)["type_params"] = []  # from Python 3.12 on
        tree = ast.fix_missing_locations(ast.Module([maker], []))
        file = outer.__code__.co_filename
        whole = compile(tree, file, "exec", _flags(outer), dont_inherit=True)
        (code,) = _codes(_codes(whole, "@made")[0], made.name)
        if not is_outer:
            qualified = f"{outer.__qualname__}.<locals>.{made.name}"
            code = code.replace(co_qualname=qualified)
        written_as(code, made)
        cells = dict(zip(outer.__code__.co_freevars, outer.__closure__ or (), strict=True))
        closure = tuple(cells[name] for name in code.co_freevars)
        function = types.FunctionType(code, outer.__globals__, made.name, None, closure)
        function.__module__ = outer.__module__
        return function

    # Marks

    def _decorators_of(self, inner: Definition) -> list[ast.expr]:
        """Its decorators, with @task in place of @thread where it is `async def`."""
        found: list[ast.expr] = []
        for each in inner.decorator_list:
            if isinstance(inner, ast.AsyncFunctionDef) and self._meaning(each) is thread:
                as_task = ast.copy_location(ast.Name("@task", ast.Load()), each)
                if isinstance(each, ast.Call):
                    each = ast.copy_location(ast.Call(as_task, each.args, each.keywords), each)
                else:
                    each = as_task
            found.append(each)
        return found

    def _check_marked(self, inner: Definition) -> None:
        """Raise `ModelError` for a thread or a property that takes too much, or has other marks."""
        (mark, *_) = self._marks(inner)
        arguments, name = inner.args, inner.name
        listed = [*arguments.posonlyargs, *arguments.args]
        others = (*arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        most = 1 if mark in _THREADS else 0
        if len(listed) > most or any(others) or arguments.defaults:
            kind = mark.__name__
            raise self._error(
                f"the {kind} {name} takes more than it is given",
                f"write `def {name}():`"
                + (f", or `def {name}(i):` for its instance index" if most else ""),
                inner,
            )
        local = set(bindings(self._definition.body)) - set(self._parameters)
        for node in (part for each in inner.decorator_list for part in ast.walk(each)):
            if isinstance(node, ast.Name) and node.id in local:
                raise self._error(
                    f"how many instances of {name} there are, the body says only when it runs",
                    f"let {node.id} be a parameter of {self._function.__name__}, with a default, "
                    "or a global",
                    node,
                )
        if len(inner.decorator_list) > 1:
            other = next(each for each in inner.decorator_list if self._meaning(each) is not mark)
            raise self._error(
                f"{name} has another decorator besides @{mark.__name__}",
                "leave it out: a thread or a property is a plain function",
                other,
            )

    def _mark(
        self, members: dict[str, Any], name: str, decorators: list[ast.expr], place: ast.AST
    ) -> None:
        """Decorate a member, as the body of the class would."""
        value: ast.expr = ast.copy_location(ast.Name(name, ast.Load()), place)
        for each in reversed(decorators):
            value = ast.copy_location(ast.Call(copied(each), [value], []), each)
        target = ast.copy_location(ast.Name(name, ast.Store()), place)
        statement = ast.copy_location(ast.Assign([target], value), place)
        tree = ast.fix_missing_locations(ast.Module([statement], []))
        file = self._function.__code__.co_filename
        names = {**self._names, "@task": task, "@thread": thread}
        try:
            exec(compile(tree, file, "exec"), names, members)  # noqa: S102  (the user's own file)
        except InterleaveError as error:
            raise error.at(Place.of_node(file, place)) from None
        except Exception as error:
            raise self._error(
                f"the decorator of {name} raises {type(error).__name__}: {error}",
                "let what it is given be a number, a parameter of the function, or a global",
                decorators[0],
            ) from None


class _Rewriter(VariableRewriter):
    """Makes `x` into an attribute of the model, for its variables; in the body, and in all that is
    defined there.
    """

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        node.names = [name for name in node.names if name not in self._shared]
        return node if node.names else ast.copy_location(ast.Pass(), node)

    def visit_FunctionDef(self, node: Definition) -> Any:
        return self.defined(node, super().visit_FunctionDef(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        outside = self._shared
        own = set(bindings(node.body))
        node.bases = [self.visit(each) for each in node.bases]
        node.keywords = [self.visit(each) for each in node.keywords]
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        body: list[Any] = []
        for each in node.body:
            if isinstance(each, Definition):  # which does not see the variables of the class body
                body.append(super().visit_FunctionDef(each))
            else:
                self._shared = {name: it for name, it in outside.items() if name not in own}
                body += _listed(self.visit(each))
                self._shared = outside
        node.body = body
        return self.defined(node, node)


def _listed(made: Any) -> list[Any]:
    return made if isinstance(made, list) else [made]


def _is_module(value: object) -> bool:
    return isinstance(value, types.ModuleType)


def _codes(code: types.CodeType, name: str) -> list[types.CodeType]:
    """The functions of a name that are defined in some code."""
    inside = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return [each for each in inside if each.co_name == name]


def _flags(function: types.FunctionType) -> int:
    """What the file of a function has asked of the compiler."""
    return function.__code__.co_flags & annotations.compiler_flag
