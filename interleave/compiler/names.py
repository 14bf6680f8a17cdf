"""Which names a function binds, and what the others stand for."""

from __future__ import annotations

import ast
import builtins
import enum
import functools
import inspect
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from interleave import stdlib
from interleave.errors import ModelError
from interleave.memory import cursors
from interleave.memory.addresses import ObjectId, as_hash
from interleave.memory.containers import CONTAINERS
from interleave.memory.derived import is_instance, is_object, is_subclass
from interleave.memory.output import printed
from interleave.memory.port import current_port
from interleave.memory.primitive import STEPWISE, is_marked
from interleave.memory.streams import stream_for
from interleave.memory.unbound import UNBOUND_TYPES, unbound
from interleave.memory.values import (
    Freezer,
    OrderedFrozenSet,
    OrderedSet,
    Uncapturable,
)
from interleave.model import Model
from interleave.world import policy, reflection
from interleave.world.accessors import ACCESSORS, accessor
from interleave.world.internal import INTERNAL
from interleave.world.policy import Treatment, is_followed

ORDERED_SET = "@set"
ORDERED_FROZEN_SET = "@frozenset"
"""Names under which compiled code finds the sets whose order does not depend on hash seeds."""


def _silent(*values: object, **how: Any) -> None:
    """`print` in a model: the values are looked at, and nothing is printed."""
    printed(*values, **how)


def _variables_of(*owner: Any) -> Any:
    """`vars`: what a shared object has is a view of its locations."""
    if not owner:
        raise ModelError("vars() has no modelled counterpart", remedy="name the variables")
    return reflection.attributes(owner[0])


def _identity_of(value: object, /) -> int:
    """`id`; wherever it only serves `__hash__`, nobody looks at it."""
    if sys._getframe(1).f_code.co_name == "__hash__":
        return id(value)
    return current_port().identity(value)


def _hash_of(value: object, /) -> int:
    """`hash`: of numbers, of what has it from its address, and wherever it only serves `__hash__`,
    which nobody looks at.
    """
    if _is_number(value) or sys._getframe(1).f_code.co_name == "__hash__":
        return hash(value)
    if type(value) is ObjectId:
        return value
    how = type(value).__hash__
    if how is object.__hash__:
        return as_hash(current_port().identity(value))
    if how is None or value is None:
        return hash(value)  # a TypeError, or what it is from Python 3.12 on
    decision = policy.of_builtin("hash")
    error = stdlib.unmodelled("hash() outside of __hash__, of what is no number,", decision)
    found: int = current_port().halt(error)
    return found


def _is_number(value: object) -> bool:
    if type(value) is tuple:
        return all(map(_is_number, value))
    return type(value) in (int, float, bool, complex)


def get_attribute(owner: Any, name: str, /, *default: Any) -> Any:
    """`getattr`, which may look at no more than an expression may."""
    if name == "__dict__":
        return reflection.attributes(owner)
    if name in ACCESSORS:
        return accessor(owner, name)
    try:
        return getattr(reflection.used(owner, name), name, *default)
    except AttributeError:
        if not default:
            raise
        return default[0]


def has_attribute(owner: Any, name: str, /) -> bool:
    """`hasattr`, likewise."""
    return not reflection.is_internal(owner, name) and hasattr(owner, name)


def set_attribute(owner: Any, name: str, value: Any, /) -> None:
    """`setattr`, likewise."""
    setattr(reflection.settable(owner, name), name, value)


def delete_attribute(owner: Any, name: str, /) -> None:
    """`delattr`, likewise."""
    delattr(reflection.settable(owner, name), name)


ATTRIBUTE_FUNCTIONS = tuple(
    each.__code__ for each in (get_attribute, has_attribute, set_attribute, delete_attribute)
)
"""The code of what stands for functions about attributes, which have the name in `name`."""

REPLACED: dict[Any, Any] = {
    iter: cursors.iterate,
    enumerate: cursors.Enumerated,
    zip: cursors.Zipped,
    map: cursors.Mapped,
    filter: cursors.Filtered,
    isinstance: is_instance,
    issubclass: is_subclass,
    reversed: cursors.reverse,
    min: cursors.least,
    max: cursors.greatest,
    sum: cursors.total,
    any: cursors.any_of,
    all: cursors.all_of,
    hash: _hash_of,
    id: _identity_of,
    print: _silent,
    vars: _variables_of,
    getattr: get_attribute,
    hasattr: has_attribute,
    setattr: set_attribute,
    delattr: delete_attribute,
}
"""Built-in functions that a model sees differently: their iterators can be kept in a state, say."""


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def scope_walk(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every node of one function's own scope: not the insides of nested functions and lambdas."""
    waiting = [iter(body)]
    while waiting:
        for node in waiting[-1]:
            yield node
            if node._fields and not isinstance(node, _SCOPES):
                waiting.append(ast.iter_child_nodes(node))
                break
        else:
            waiting.pop()


def evaluated_nodes(definition: ast.AST) -> Iterator[ast.AST]:
    """Every node of a function's body whose code runs: no annotations."""
    waiting: list[ast.AST] = list(getattr(definition, "body", ()))
    while waiting:
        node = waiting.pop(0)
        yield node
        skipped = (getattr(node, "annotation", None), getattr(node, "returns", None))
        waiting += [child for child in ast.iter_child_nodes(node) if child not in skipped]


def nodes_with_defaults(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Every node of a function's body whose code runs, and those of its parameters' defaults."""
    yield from evaluated_nodes(definition)
    for default in (*definition.args.defaults, *definition.args.kw_defaults):
        if default is not None:
            yield from ast.walk(default)


@lru_cache(maxsize=4096)
def source_nodes(
    definition: ast.FunctionDef | ast.AsyncFunctionDef, *, defaults: bool = False
) -> tuple[ast.AST, ...]:
    """`evaluated_nodes`, or `nodes_with_defaults`, of a definition as it stands in the source.

    It is remembered: not for one that is rewritten.
    """
    return tuple(nodes_with_defaults(definition) if defaults else evaluated_nodes(definition))


@lru_cache(maxsize=4096)
def source_names(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[ast.Name, ...]:
    """The names among `source_nodes`; remembered likewise."""
    return tuple(node for node in source_nodes(definition) if isinstance(node, ast.Name))


@lru_cache(maxsize=4096)
def source_bound(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """`bound_names` of a definition as it stands in the source; remembered likewise."""
    return bound_names(definition)


def names_inside(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """The names in functions inside a function, and those that it declares global or nonlocal."""
    found: set[str] = set()
    for node in scope_walk(definition.body):
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found.update(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
    return frozenset(found)


def bindings(body: Iterable[ast.AST]) -> Iterator[str]:
    """The variables that the statements of a scope bind, each as often as they do; not those that
    are imported.
    """
    nodes = list(scope_walk(body))
    inner = {
        id(name)
        for node in nodes
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
    }
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            if id(node) not in inner:
                yield node.id
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def bound_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """The local variables of a function: parameters and whatever its body binds."""
    arguments = function.args
    names = {
        argument.arg
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    }
    names.update(argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument)
    names.update(bindings(function.body))
    return frozenset(names)


def yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is a generator function."""
    nodes = scope_walk(function.body)
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)


Asked = tuple[Any, ...]
"""A name, and where an attribute of what it stands for was asked for, how, and which."""

_NOTHING = object()


def _attribute(value: Any, name: str) -> Any:
    return getattr(value, name, None)


def _member(value: Any, name: str) -> Any:
    return vars(value).get(name) if isinstance(value, types.ModuleType) else None


class Surroundings:
    """What the free names of a function stand for: its closure, its module, the built-ins."""

    def __init__(self, function: types.FunctionType) -> None:
        self._function = function
        self._closure: dict[str, Any] = {}
        cells = function.__closure__ or ()
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
            try:
                self._closure[name] = cell.cell_contents
            except ValueError:
                continue  # not bound yet
        ours = is_library(function)
        self.looked_at = reflection.USED - INTERNAL if ours else reflection.USED
        if function.__module__ == "contextlib":  # which only has chains of exceptions end somewhere
            self.looked_at -= {reflection.CONTEXT}
        """Names of attributes that its code may not use of all objects."""
        flags = function.__code__.co_flags
        self.may_await = bool(flags & inspect.CO_ITERABLE_COROUTINE)
        """Whether `yield from` takes coroutines: see `types.coroutine`."""
        self.imported: dict[str, Any] = {}
        """Names that the function itself imports."""
        self.asked: dict[Asked, Any] = {}
        """What was asked for, a name or an attribute of one, with the object that it stands for."""

    def __contains__(self, name: str) -> bool:
        return self._ask(name) is not _NOTHING

    def real(self, name: str) -> Any:
        """The Python object a name stands for. Raises `KeyError` where there is none."""
        found = self._ask(name)
        if found is _NOTHING:
            raise KeyError(name)
        return found

    def attribute(self, name: str, attribute: str) -> Any:
        """What an attribute of the object is that a name stands for; None where it has none."""
        return self._ask(name, _attribute, attribute)

    def member(self, name: str, member: str) -> Any:
        """What is known by a name in the module that a name stands for; None for anything else."""
        return self._ask(name, _member, member)

    def agree(self, asked: Mapping[Asked, Any]) -> bool:
        """Whether all that was asked for before stands for the same objects here."""
        return all(self._find(*each) is found for each, found in asked.items())

    def _ask(self, *question: Any) -> Any:
        found = self.asked[question] = self._find(*question)
        return found

    def _find(self, name: str, look: Callable[[Any, str], Any] | None = None, at: str = "") -> Any:
        if look is not None:
            return look(self._find(name), at)
        for names in (self.imported, self._closure, self._function.__globals__):
            if name in names:
                return names[name]
        return getattr(builtins, name, _NOTHING)

    def is_builtin_type(self, name: str) -> bool:
        """Whether a name stands for the type of that name: of Python's, or of `collections`."""
        return name in self and self.real(name) in UNBOUND_TYPES

    def is_builtin(self, node: ast.expr, name: str) -> bool:
        """Whether an expression is the built-in of that name."""
        return (
            isinstance(node, ast.Name)
            and node.id == name
            and name in self
            and self.real(name) is getattr(builtins, name)
        )


_UNBOUND = (types.MethodDescriptorType, types.WrapperDescriptorType)


def modelled(value: Any, name: str) -> Any:
    """What a Python object stands for in a model, known by a name. Raises `ModelError`."""
    if hasattr(builtins, name) and value is getattr(builtins, name):
        decision = policy.of_builtin(name)
        if decision.treatment is Treatment.REFUSED and value not in REPLACED:
            raise stdlib.unmodelled(f"{name}()", decision)
    if isinstance(value, types.BuiltinFunctionType | type) and value in REPLACED:
        return REPLACED[value]
    if type(value) is frozenset:
        return OrderedFrozenSet(value)
    if (stream := stream_for(value)) is not None:
        return stream
    if isinstance(value, _UNBOUND) and value.__objclass__ in UNBOUND_TYPES:
        return unbound(value.__objclass__, value.__name__)
    if isinstance(value, BaseException) and is_followed_class(type(value)):
        raise ModelError(
            f"{name} is an exception that the threads share",
            remedy="make it where it is raised, and keep what changes in an object of its own",
            about=name,
        )
    found = stdlib.modelled(value, name)
    if found is value and not (callable(value) or isinstance(value, types.ModuleType)):
        if not is_constant(value):
            kind = type(value)
            raise ModelError(
                f"{name} is a {kind.__module__}.{kind.__qualname__}, of which the checker cannot "
                "see who changes it",
                remedy="keep what threads share in attributes of the model, in objects of classes "
                "of your own, lists, dicts, sets or deques",
                about=name,
            )
    return found


def is_constant(value: object) -> bool:
    """Whether a Python object is the same for ever: a number, a string, a pattern, a date."""
    kind = type(value)
    home = sys.modules.get(_CONSTANT.get(kind.__qualname__, ""))
    if getattr(home, kind.__qualname__, None) is kind or kind.__module__ == "typing":
        return True
    try:
        Freezer().freeze(value)
    except Uncapturable:
        return False
    return True


_CONSTANT = {
    "Pattern": "re", "Struct": "_struct", "date": "datetime", "datetime": "datetime",
    "time": "datetime", "timedelta": "datetime", "timezone": "datetime", "UUID": "uuid",
    "GenericAlias": "types", "UnionType": "types", "PosixPath": "pathlib",
    "PurePosixPath": "pathlib", "_tuplegetter": "_collections",
    "_HAS_DEFAULT_FACTORY_CLASS": "dataclasses",
}  # fmt: skip
"""Types whose instances never change, and a module that has each: what a type itself says of its
module is not the same in all versions of Python. Unions and the like are typing's.
"""


LIBRARY_METHODS = frozenset(
    name
    for kind in (int, float, str, bytes, bytearray, tuple, list, dict, set, frozenset, deque, range)
    for name in dir(kind)
) | {
    "abort", "acquire", "add_done_callback", "call_soon", "call_soon_threadsafe", "cancel",
    "cancel_join_thread", "cancelled", "cancelling", "close", "create_future", "create_task",
    "done", "empty", "exception", "expired", "full", "getName", "get_lock", "get_loop", "get_name",
    "get_nowait", "get_obj", "isEnabledFor", "isSet", "is_alive", "is_set", "join", "join_thread",
    "locked", "notify", "notifyAll",
    "notify_all", "poll", "put", "put_nowait", "qsize", "recv", "release", "remove_done_callback",
    "reschedule", "reset", "result", "run_in_executor", "running", "send", "set", "set_exception",
    "set_name", "set_result", "shutdown", "start", "submit", "task_done", "uncancel", "wait",
    "wait_for", "when",
    "__ifloordiv__", "__ilshift__", "__imatmul__", "__imod__", "__ipow__", "__irshift__",
    "__itruediv__", "__matmul__", "__next__", "__rmatmul__",
    "Add", "And", "Broadcast", "CompareAndDelete", "CompareAndSwap", "Delete", "Do", "Done", "Err",
    "Error", "Go", "Load", "LoadAndDelete", "LoadOrStore", "Lock", "Or", "RLock", "RLocker",
    "RUnlock", "Range", "Reset", "Signal", "Stop", "Store", "Swap", "TryLock", "TryRLock", "Unlock",
    "Value", "Wait", "recv_ok",
}  # fmt: skip
"""Names of methods of Python's types and of the modelled primitives.

A call of an attribute by another name may be one of code that is followed, and so may one by a name
that some class of the model's gives to a method.
"""


def may_be_followed(value: object) -> bool:
    """Whether calling a Python object may run code that is followed, or share what it is given."""
    if value is id or value is hash:
        return True
    if isinstance(value, functools.partial | types.MethodType):
        return True
    if isinstance(value, type):
        return is_followed_class(value)
    if isinstance(value, types.FunctionType):
        return is_user_function(value) or stdlib.capturing(value) is not None
    if isinstance(value, types.BuiltinFunctionType):
        return stdlib.runs_block_by_block(value)
    return callable(value)


def is_shared_global(value: object) -> bool:
    """Whether a module's global is an object that threads share by touching it."""
    if stdlib.capturing(value) is not None:
        return True
    if isinstance(value, type | types.ModuleType | types.FunctionType | Model):
        return False
    if isinstance(value, functools.partial):
        return True
    if isinstance(value, types.MethodType):
        treatment = policy.of_object(value).treatment
        return treatment in (Treatment.FOLLOWED, Treatment.PURE) or is_shared_global(value.__self__)
    if isinstance(value, types.BuiltinMethodType | types.MethodWrapperType):
        return is_shared_global(value.__self__)
    if isinstance(value, tuple):
        return any(is_shared_global(each) or may_be_followed(each) for each in value)
    return (
        type(value) in CONTAINERS
        or stdlib.primitive_class(value) is not None
        or (is_object(value) and (is_followed(type(value)) or type(value) is types.SimpleNamespace))
        or (type(value).__name__ == "Array" and type(value).__module__ == "interleave.verbs")
    )


def is_followed_class(value: type) -> bool:
    """Whether a class has a twin in a model: one that is written in Python, and no library's."""
    return (is_user_class(value) and value is not Model and not issubclass(value, enum.Enum)) or (
        issubclass(value, Model) and value is not Model
    )


def is_followed_module(value: types.ModuleType) -> bool:
    """Whether the functions of a module are followed."""
    return is_followed(value)


def is_user_class(value: object) -> bool:
    """Whether `value` is a class whose source is part of the model, so to speak."""
    return isinstance(value, type) and not issubclass(value, Model) and is_followed(value)


def is_library(function: types.FunctionType) -> bool:
    """Whether a function belongs to what is modelled here."""
    return (function.__module__ or "").startswith("interleave.")


def is_user_function(value: object) -> bool:
    """Whether `value` is a function whose source is part of the model, so to speak."""
    if isinstance(value, types.MethodType):
        value = value.__func__
    if type(value) is not types.FunctionType:  # which a proxy says that it is
        return False
    return is_marked(value, STEPWISE) or is_followed(value)


SETS = {ORDERED_SET: OrderedSet, ORDERED_FROZEN_SET: OrderedFrozenSet}
