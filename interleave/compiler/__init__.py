"""From a function to blocks: `compile_function`."""

from __future__ import annotations

import ast
import dis
import types
from collections.abc import Callable, Hashable, Mapping, Set
from types import MappingProxyType
from typing import Any, NamedTuple

from interleave.compiler.blocks import HIDDEN, Block, BlockKind, Code, Locals, Swallow
from interleave.compiler.closures import UNGIVEN, lift
from interleave.compiler.compilations import Compilations
from interleave.compiler.defers import with_defers
from interleave.compiler.emit import (
    CHANGED,
    CONTENTS,
    GONE_THROUGH,
    IN_C,
    INDEXED,
    OF_BLOCKS,
    OF_WHOLE,
    defined,
    emit,
    emit_whole,
)
from interleave.compiler.finalizers import with_finalizers
from interleave.compiler.flow import find_dependences, find_live
from interleave.compiler.generators import GENERATOR, RESUMING
from interleave.compiler.groups import HELPERS, is_one_of
from interleave.compiler.imports import Imported, with_imports
from interleave.compiler.lazily import with_generators
from interleave.compiler.names import (
    SETS,
    Surroundings,
    bound_names,
    is_library,
    is_user_function,
    yields,
)
from interleave.compiler.operators import END, OPERATIONS
from interleave.compiler.source import Definition, find_function, no_source
from interleave.compiler.statements import StatementFlattener
from interleave.compiler.syntax import copied
from interleave.compiler.variables import MODULE, module_of, with_holders
from interleave.memory.closures import NOT_GIVEN, Closure, cell, with_defaults
from interleave.memory.containers import plain
from interleave.memory.coroutine import as_iterable, is_awaiting
from interleave.memory.cursors import gone_through
from interleave.memory.derived import in_c
from interleave.memory.sameness import SAME, same
from interleave.memory.unbound import UNBOUND_NAMES, Bare, class_of, unbound
from interleave.runtimes import Scope
from interleave.world import dates, reflection
from interleave.world.accessors import ACCESSORS, accessor
from interleave.world.refusal import used

__all__ = [
    "Block",
    "BlockKind",
    "Code",
    "Compilations",
    "Locals",
    "Swallow",
    "compile_function",
    "compile_whole",
    "is_library",
    "is_user_function",
]

_WHOLE_IN_OTHER_WORDS = UNBOUND_NAMES | reflection.USED | reflection.SET | ACCESSORS | dates.NAMES
"""Names in code that cannot be run as it is."""


_IN_OTHER_WORDS = {dis.opmap["GET_ITER"], dis.opmap["IS_OP"]}


def _goes_through_or_asks(code: types.CodeType) -> bool:
    """Whether code may go through something, or ask what is one object: itself, or a comprehension
    or a function in it.
    """
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    is_found = not _IN_OTHER_WORDS.isdisjoint(code.co_code[::2])
    return is_found or any(map(_goes_through_or_asks, inner))


def _matches(exception: BaseException, kinds: Any) -> bool:
    """Whether `except kinds:` catches an exception."""
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(
                "catching classes that do not inherit from BaseException is not allowed"
            )
    return is_one_of(exception, kinds)


def _unpacked(callee: Any, mapping: Any) -> dict[Any, Any]:
    """What `**mapping` adds to the arguments of a call."""
    if not hasattr(type(mapping), "keys"):
        kind = type(mapping).__name__
        raise TypeError(f"{_called(callee)}() argument after ** must be a mapping, not {kind}")
    return {**in_c(mapping)}


def _called(callee: Any) -> str:
    """What Python calls a callee in messages."""
    name: str = getattr(callee, "__qualname__", repr(callee))
    module = getattr(callee, "__module__", None)
    return name if module in (None, "builtins") else f"{module}.{name}"


def _keywords(callee: Any, *parts: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a call, from those before, in and after each `**`."""
    found: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if not isinstance(name, str):
                raise TypeError("keywords must be strings")
            if name in found:
                raise TypeError(
                    f"{_called(callee)}() got multiple values for keyword argument {name!r}"
                )
            found[name] = value
    return found


def _manager(value: Any) -> Any:
    """`value`, if `with` can use it. Raises the `TypeError` that Python raises."""
    return _with_methods(value, "context manager", "__enter__", "__exit__")


def _async_manager(value: Any) -> Any:
    """`value`, if `async with` can use it. Raises the `TypeError` that Python raises."""
    return _with_methods(value, "asynchronous context manager", "__aenter__", "__aexit__")


def _with_methods(value: Any, protocol: str, enter: str, leave: str) -> Any:
    kind = type(value)
    what = f"{kind.__name__!r} object does not support the {protocol} protocol"
    if not hasattr(kind, enter):
        raise TypeError(what)
    if not hasattr(kind, leave):
        raise TypeError(f"{what} (missed {leave} method)")
    return value


def _async_iterable(value: Any) -> Any:
    """`value`, if `async for` can use it. Raises the `TypeError` that Python raises."""
    if not hasattr(type(value), "__aiter__"):
        kind = type(value).__name__
        raise TypeError(f"'async for' requires an object with __aiter__ method, got {kind}")
    return value


def _async_iterator(value: Any) -> Any:
    """What `__aiter__` gave, if it is an iterator. Raises the `TypeError` that Python raises."""
    if not hasattr(type(value), "__anext__"):
        raise TypeError(
            "'async for' received an object from __aiter__ that does not implement __anext__: "
            f"{type(value).__name__}"
        )
    return value


def _assigned(holder: Any, name: str, value: Any) -> Any:
    """What `(x := value)` becomes where `x` is an attribute of what holds it."""
    setattr(holder, name, value)
    return value


_HELPERS: dict[str, Any] = {
    "@assigned": _assigned,
    "@cell": cell,
    "@closure": Closure,
    "@keywords": _keywords,
    "@manager": _manager,
    "@async_manager": _async_manager,
    "@async_iterable": _async_iterable,
    "@async_iterator": _async_iterator,
    "@plain": plain,
    "@attributes": reflection.attributes,
    "@settable": reflection.settable,
    "@usable": reflection.used,
    "@used": used,
    "@class_of": class_of,
    "@awaitable": as_iterable,
    "@is_awaiting": is_awaiting,
    "@dated": dates.dated,
    "@object": Bare,
    "@accessor": accessor,
    "@unbound": unbound,
    "@unpacked": _unpacked,
    "@with_defaults": with_defaults,
    UNGIVEN: NOT_GIVEN,
    "@slice": slice,
    SAME: same,
    GONE_THROUGH: gone_through,
    "@end": END,
    "@matches": _matches,
    "@type": type,
    "@AssertionError": AssertionError,
    "@BaseException": BaseException,
    "@StopIteration": StopIteration,
    "@StopAsyncIteration": StopAsyncIteration,
    **OPERATIONS,
    **RESUMING,
    **HELPERS,
    **SETS,
    IN_C: in_c,
}


def _binder(function: types.FunctionType, definition: Definition) -> types.CodeType:
    """The code of a function with the parameters of `function` that returns them as a dict."""
    arguments = copied(definition.args)
    for node in ast.walk(arguments):
        if isinstance(node, ast.arg):
            node.annotation = None
    arguments.defaults = []
    arguments.kw_defaults = [None for _ in arguments.kw_defaults]
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    listed += [each for each in (arguments.vararg, arguments.kwarg) if each]
    parameters = ast.Dict(
        [ast.Constant(each.arg) for each in listed],
        [ast.Name(each.arg, ast.Load()) for each in listed],
    )
    made = ast.FunctionDef(function.__name__, arguments, [ast.Return(parameters)], [], None)
    made.type_params = []  # type: ignore[attr-defined]  # from Python 3.12 on
    module = ast.fix_missing_locations(ast.Module([made], []))
    return defined(module, function.__name__, function.__code__.co_filename)


def _bind(
    function: types.FunctionType, code: types.CodeType, defaults: Callable[[Any], Any]
) -> Callable[..., Locals]:
    """That function, with the defaults of `function` as they are in the model."""
    bind = types.FunctionType(code, {}, function.__name__)
    bind.__qualname__ = function.__qualname__
    bind.__defaults__ = function.__defaults__ and tuple(map(defaults, function.__defaults__))
    keyword_only = function.__kwdefaults__ or {}
    bind.__kwdefaults__ = {name: defaults(value) for name, value in keyword_only.items()}
    return bind


class Flattened(NamedTuple):
    """A function as blocks that cannot run yet: what its names mean is up to a program."""

    definition: Definition
    """Without the functions inside, which `functions` has by the names that stand for them."""
    functions: dict[str, types.FunctionType]
    blocks: list[Block]
    bodies: list[types.CodeType]
    """The code of each block."""
    bind: types.CodeType
    returns_on: frozenset[int]
    is_generator: bool
    kept: tuple[str, ...]

    def in_program(
        self,
        function: types.FunctionType,
        namespace: dict[str, Any],
        defaults: Callable[[Any], Any],
    ) -> Code:
        """The function as it runs in a program, where names stand for what `namespace` has."""
        bind = _bind(function, self.bind, defaults)
        blocks = [
            block.running(types.FunctionType(body, namespace))
            for block, body in zip(self.blocks, self.bodies, strict=True)
        ]
        file = function.__code__.co_filename
        return Code(
            function,
            self.definition,
            file,
            bind,
            blocks,
            self.returns_on,
            self.is_generator,
            self.kept,
        )


def compile_function(
    function: types.FunctionType,
    *,
    method_names: frozenset[str],
    attributes: frozenset[str] = frozenset(),
    namespace: dict[str, Any],
    defaults: Callable[[Any], Any],
    compilations: Compilations,
    inner: Callable[[types.FunctionType], types.FunctionType] = lambda function: function,
    switches: bool = False,
    in_go: bool = False,
    scope: Scope = Scope.FUNCTION,
    holders: Mapping[str, str] = MappingProxyType({}),
    imports: list[Imported] | None = None,
    swallowing: Set[Swallow] = frozenset(),
    keeps_handled: bool = False,
    keeps_locals: bool = False,
) -> Code:
    """Compile a function to blocks.

    `method_names` are the names of the model's own methods, calls of which are flattened, and
    `attributes` those of what is flattened where it is got or set;
    `namespace` gives what global names stand for, and is where the code of the blocks will run;
    `defaults` gives what the default value of a parameter stands for, `inner` what a function that
    is defined inside does; `scope` says where its variables begin; `switches` asks
    for code that notes where threads may switch (see `machine.run`), `in_go` for code that fails as
    Go does; `holders` gives, for the names
    of variables of the module and of closures that have one, that of what holds them; `imports` is
    what its import statements bind; `swallowing` has each `with` that is known to swallow
    exceptions; with `keeps_handled`, an exception is kept as long as it is being handled, and with
    `keeps_locals`, a local as long as its function runs.
    `compilations` knows what was compiled before.
    Raises `ModelError`, placed, for what cannot be compiled.
    """
    found = find_function(function)
    if found is None:
        raise no_source(function)
    definition, owner = found
    names, imports = Surroundings(function), imports or []
    names.imported.update({each.name: each.value for each in imports if each.error is None})

    def flatten() -> Flattened:
        return _flattened(
            function,
            definition,
            owner,
            names,
            method_names=method_names,
            attributes=attributes,
            switches=switches,
            in_go=in_go,
            scope=scope,
            holders=holders,
            imports=imports,
            swallowing=swallowing,
            keeps_handled=keeps_handled,
            keeps_locals=keeps_locals,
        )

    how = (
        *_asked_for(function, holders, imports),
        method_names,
        attributes,
        switches,
        in_go,
        scope,
        frozenset(swallowing),
        keeps_handled,
        keeps_locals,
    )
    flattened = compilations.get(how, definition, names, flatten)
    namespace.update(_HELPERS)
    namespace.update(OF_BLOCKS)
    if in_go:
        from interleave.go.indexing import changed, contents, indexed

        namespace.update({CHANGED: changed, CONTENTS: contents, INDEXED: indexed})
    namespace.update({name: inner(each) for name, each in flattened.functions.items()})
    return flattened.in_program(function, namespace, defaults)


def _asked_for(
    function: types.FunctionType, holders: Mapping[str, str], imports: list[Imported]
) -> tuple[Hashable, ...]:
    """What the compiler is asked to make of a function."""
    imported = tuple((each.name, each.key, each.error is None, each.varies) for each in imports)
    return (function, is_library(function), module_of(function), *holders.items(), imported)


def _flattened(
    function: types.FunctionType,
    definition: Definition,
    owner: str | None,
    names: Surroundings,
    *,
    method_names: frozenset[str],
    attributes: frozenset[str],
    switches: bool,
    in_go: bool,
    scope: Scope,
    holders: Mapping[str, str],
    imports: list[Imported],
    swallowing: Set[Swallow],
    keeps_handled: bool,
    keeps_locals: bool,
) -> Flattened:
    file = function.__code__.co_filename
    definition = with_imports(definition, imports)
    if keeps_locals:
        definition = with_finalizers(definition)
    definition = with_defers(definition, names, file)
    definition = with_holders(definition, holders, MODULE + module_of(function))
    definition = with_generators(definition, names, bound_names(definition))
    definition, functions = lift(function, definition, owner, scope=scope, holders=holders)
    bound = bound_names(definition)
    flattener = StatementFlattener(
        file,
        names,
        bound,
        method_names,
        attributes,
        owner=owner,
        statement=definition,
        switches=switches,
    )
    flattener.body(definition.body)
    flattener.finish()
    blocks = flattener.blocks
    parameters = [*definition.args.posonlyargs, *definition.args.args]
    bodies = emit(
        blocks,
        bound=bound,
        owner=owner,
        first=parameters[0].arg if parameters else "",
        names=names,
        file=file,
        switches=switches,
        in_go=in_go,
    )
    for block in blocks:
        if block.swallows in swallowing:
            block.swallows = None
    is_generator = yields(definition)
    always = frozenset({GENERATOR} if is_generator else ())
    kept = frozenset[str]()
    if keeps_locals and not is_library(function):
        kept = frozenset(name for name in bound if name[0] not in (HIDDEN, "@"))
    find_live(
        blocks, always | kept, keeps_handled=keeps_handled, keeps_iterators=bool(keeps_locals)
    )
    handlers = [(handler.at, after.at) for handler, after in flattener.handlers]
    returns_on = find_dependences(blocks, handlers)
    bind = _binder(function, definition)
    return Flattened(
        definition,
        functions,
        blocks,
        bodies,
        bind,
        returns_on,
        is_generator,
        tuple(sorted(always | kept)),
    )


def compile_whole(
    function: types.FunctionType,
    namespace: dict[str, Any],
    holders: Mapping[str, str],
    imports: list[Imported],
    *,
    switches: bool,
    compilations: Compilations,
) -> types.CodeType | None:
    """The code of a function that is run by Python as a whole, where its own would not do.

    Its free names are found in `namespace` when it runs. `switches` asks for code that notes where
    threads may switch. None where its own code does, with cells. `compilations` knows what was
    compiled before.
    """
    found = find_function(function)
    code = function.__code__
    needed = (
        switches
        or bool(holders or imports)
        or not _WHOLE_IN_OTHER_WORDS.isdisjoint(code.co_names)
        or _goes_through_or_asks(code)
    )
    if found is None or not needed or not isinstance(found[0], ast.FunctionDef):
        return None
    source, owner = found
    names = Surroundings(function)
    names.imported.update({each.name: each.value for each in imports if each.error is None})

    def make() -> types.CodeType:
        definition = with_imports(source, imports)
        definition = with_holders(definition, holders, MODULE + module_of(function))
        assert isinstance(definition, ast.FunctionDef)
        return emit_whole(
            definition, owner=owner, names=names, file=code.co_filename, switches=switches
        )

    how = (*_asked_for(function, holders, imports), "whole", switches)
    namespace.update(_HELPERS)
    namespace.update(OF_WHOLE)
    return compilations.get(how, source, names, make)
