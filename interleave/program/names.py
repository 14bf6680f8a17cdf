"""What the names in the code of a model stand for, and its functions with those names in them."""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import types
from collections.abc import Collection, Mapping
from typing import Any

from interleave.compiler import Code, compile_function, is_user_function
from interleave.compiler.names import (
    Surroundings,
    bound_names,
    evaluated_nodes,
    inner_names,
    is_library,
    is_shared_global,
    scope_walk,
)
from interleave.compiler.source import find_function, place_of_function
from interleave.errors import InterleaveError, ModelError, Place
from interleave.memory.closures import Closure
from interleave.memory.coroutine import Coroutine
from interleave.memory.made import MadeObject
from interleave.memory.values import OrderedFrozenSet
from interleave.program.objects import stand_in_class
from interleave.program.refused import is_frozen, refuse_attributes, refuse_classes
from interleave.world.refusal import Refused


class Names:
    """The functions of one program, copied or compiled, so that names mean what they do in it.

    What no model may use is refused when a function of the model's own `file` is compiled, and
    elsewhere where it runs: there are branches that no model takes.

    Copies can be asked for at once, and get their names when it is known what these stand for: see
    `know`.
    """

    def __init__(self, file: str, *, switches: bool, lambdas: bool) -> None:
        self._file = file
        self._switches = switches
        self._lambdas = lambdas
        self._codes: dict[types.FunctionType, Code] = {}
        self._copies: dict[types.FunctionType, types.FunctionType] = {}
        self._originals: dict[types.FunctionType, types.FunctionType] = {}
        self._made_classes: dict[type, type] = {}

    def know(
        self, shared: dict[int, Any], method_names: frozenset[str], *, one_per_loop: bool
    ) -> None:
        """Say what stands for the shared globals (by id), and what methods of the model are called.

        `one_per_loop`: a loop has one variable for all its rounds.
        """
        self._shared = shared
        self._method_names = method_names
        self._one_per_loop = one_per_loop
        self._fill_copies()

    def made_class(self, cls: type) -> type:
        """The class of the stand-ins for instances of `cls` that threads make and share."""
        if cls not in self._made_classes:
            self._made_classes[cls] = stand_in_class(cls, self.copy, MadeObject)
            self._fill_copies()
        return self._made_classes[cls]

    def code(self, function: types.FunctionType) -> Code:
        """A function, compiled (once). Raises `ModelError`."""
        found = self._codes.get(function)
        if found is None:
            found = self._codes[function] = compile_function(
                function,
                method_names=self._method_names,
                namespace=self._namespace(
                    function, strict=function.__code__.co_filename == self._file
                ),
                defaults=lambda value: self._default(value, function),
                inner=self.copy,
                switches=self._switches,
                lambdas=self._lambdas,
                one_per_loop=self._one_per_loop,
            )
            self._fill_copies()
        return found

    def followed(self, ran: Collection[types.CodeType]) -> list[types.FunctionType]:
        """The functions of the model that were run: block by block, or as copies, which `ran`."""
        compiled = [each for each in self._codes if not is_library(each)]
        copied = [each for each in self._copies if each.__code__ in ran and each not in self._codes]
        return [*compiled, *copied]

    def to_flatten(self, callee: object) -> types.FunctionType | None:
        """The function to run block by block when `callee` is called; None to call it as it is."""
        function = callee.__func__ if isinstance(callee, types.MethodType) else callee
        function = function.function if isinstance(function, Closure) else function
        if not isinstance(function, types.FunctionType):
            return None
        function = self._originals.get(function, function)
        if not is_user_function(function):
            return None
        if function.__code__.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
            return None
        return function if find_function(function) is not None else None

    def copy(self, function: types.FunctionType) -> types.FunctionType:
        """The function with the names in it as the model sees them; one of a library as it is."""
        if function in self._originals or not is_user_function(function):
            return function
        if function not in self._copies and function.__code__.co_flags & inspect.CO_COROUTINE:
            copy = self._coroutines_of(function)
            self._copies[function] = copy
            self._originals[copy] = function
        if function not in self._copies:
            copy = types.FunctionType(
                function.__code__,
                {},
                function.__name__,
                function.__defaults__,
                function.__closure__ and tuple(types.CellType() for _ in function.__closure__),
            )
            copy.__kwdefaults__ = function.__kwdefaults__
            copy.__qualname__ = function.__qualname__
            copy.__module__ = function.__module__
            self._copies[function] = copy
            self._originals[copy] = function
        return self._copies[function]

    def _coroutines_of(self, function: types.FunctionType) -> types.FunctionType:
        """What code that is not run block by block calls instead of an `async def` function."""

        def make(*args: Any, **kwargs: Any) -> Coroutine:
            return Coroutine(function, self.code(function).bind(*args, **kwargs))

        # Without a closure, so that a state can hold it.
        call = types.FunctionType(_call_it.__code__, {"it": make}, function.__name__)
        call.__qualname__ = function.__qualname__
        call.__module__ = function.__module__
        return call

    def _default(self, value: Any, function: types.FunctionType) -> Any:
        """What the default value of a parameter stands for. Raises `ModelError`."""
        if id(value) in self._shared:
            return self._shared[id(value)]
        if isinstance(value, types.FunctionType) and is_user_function(value):
            return self.copy(value)
        if is_shared_global(value) and not is_frozen(value):
            raise ModelError(
                f"{function.__qualname__} has a {type(value).__name__} as a default argument, "
                "which all of its calls would share",
                remedy="make None the default, and make a new one inside; or use a shared variable",
                place=place_of_function(function),
            )
        return OrderedFrozenSet(value) if type(value) is frozenset else value

    def _fill_copies(self) -> None:
        """Give each copy what its names stand for (which may make more copies)."""
        while empty := [f for f, copy in self._copies.items() if not copy.__globals__]:
            for function in empty:
                copy = self._copies[function]
                copy.__globals__.update(self._namespace(function, strict=False))
                for name, cell, real in zip(
                    function.__code__.co_freevars,
                    copy.__closure__ or (),
                    function.__closure__ or (),
                    strict=True,
                ):
                    if name in copy.__globals__:
                        cell.cell_contents = copy.__globals__[name]
                    elif real is not None:
                        _share_cell(cell, real)

    def _namespace(self, function: types.FunctionType, *, strict: bool) -> dict[str, Any]:
        found = find_function(function)
        file = function.__code__.co_filename
        names = Surroundings(function)
        namespace: dict[str, Any] = {"__builtins__": builtins, "__name__": function.__module__}
        if found is None:
            return {**function.__globals__}
        definition = found[0]
        names.imported.update(_imports(definition, function.__globals__, file, strict=strict))
        bound = bound_names(definition)
        inner = inner_names(definition)
        for node in evaluated_nodes(definition):
            name = node.id if isinstance(node, ast.Name) else None
            if name is None or name in namespace or (name in bound and name not in names.imported):
                continue
            if name in names:
                refuses = strict and name not in inner
                namespace[name] = self._meaning(names, node, file, strict=refuses)
        if "__class__" in function.__code__.co_freevars:
            namespace["__class__"] = names.real("__class__")
        if strict:
            refuse_attributes(definition, names, bound | inner, file)
            refuse_classes(definition, names, bound | inner, file)
        else:
            # Names that are in the code and not in the source: pytest rewrites assertions.
            for name in function.__code__.co_names:
                if name not in namespace and name in function.__globals__ and "@" in name:
                    namespace[name] = function.__globals__[name]
        return namespace

    def _meaning(self, names: Surroundings, node: Any, file: str, *, strict: bool) -> Any:
        real = names.real(node.id)
        if id(real) in self._shared:
            return self._shared[id(real)]
        if isinstance(real, types.FunctionType) and is_user_function(real):
            return self.copy(real)
        try:
            return names.modelled(node, file)
        except InterleaveError as error:
            if strict:
                raise
            return Refused(error)


def _call_it(*args: Any, **kwargs: Any) -> Any:
    return it(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


def _imports(
    definition: ast.FunctionDef | ast.AsyncFunctionDef,
    globals_: Mapping[str, Any],
    file: str,
    *,
    strict: bool,
) -> dict[str, Any]:
    """What import statements in a function bind. `strict`: raise `ModelError` if they fail."""
    found: dict[str, Any] = {}
    for node in scope_walk(definition.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = ast.Module([node], [])
            try:
                exec(compile(module, "<import>", "exec"), {**globals_}, found)  # noqa: S102
            except Exception as error:
                if strict:
                    raise ModelError(
                        f"this import raises {type(error).__name__}: {error}",
                        remedy="import what there is, at the top of the file",
                        place=Place.of_node(file, node),
                    ) from error
    return found


def _share_cell(cell: types.CellType, real: types.CellType) -> None:
    with contextlib.suppress(ValueError):  # not bound yet
        cell.cell_contents = real.cell_contents
