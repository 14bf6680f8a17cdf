"""What each Python object means in a model: functions, classes, modules, and what they hold.

The names in the code of a model, the members of its classes and the cells of its functions are
asked for here, by the real object that they stand for in Python. What threads share by touching it
has to be captured (see `program.capture`): where that was not done, the program is made anew, with
it among the roots from which it is captured.
"""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import inspect
import sys
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from types import MappingProxyType
from typing import Any

from interleave.compiler import (
    Code,
    Compilations,
    Locals,
    Swallow,
    compile_function,
    compile_whole,
    is_user_function,
)
from interleave.compiler.closures import declared
from interleave.compiler.generators import AsyncGenerator, Generator
from interleave.compiler.imports import Imported, import_statements, imports_of
from interleave.compiler.names import (
    LIBRARY_METHODS,
    Surroundings,
    is_followed_class,
    is_followed_module,
    is_library,
    is_shared_global,
    modelled,
    source_bound,
    source_names,
)
from interleave.compiler.source import DEFINITION, Definition, find_function, place_of_function
from interleave.compiler.variables import CELL, MODULE, module_of, surrounding
from interleave.errors import InterleaveError, ModelError, Place
from interleave.interrupts import begin_anew
from interleave.memory.aliases import Alias, alias_in
from interleave.memory.closures import Closure
from interleave.memory.coroutine import Coroutine
from interleave.memory.cursors import iterate
from interleave.memory.derived import base_of
from interleave.memory.descriptors import is_data_descriptor, member_of
from interleave.memory.port import FINALIZERS, HANDLED, running_port
from interleave.memory.primitive import ITERATES, OPERATES, is_marked, is_written_out
from interleave.memory.values import (
    COPY,
    UNBOUND,
    is_frozen_dataclass,
    members_by_base,
    members_of,
)
from interleave.model import VARIABLES, Model, Param, parameter_as_value
from interleave.runtimes import Scope
from interleave.stdlib import LibraryClass, Namespace, derived
from interleave.world import policy, reflection
from interleave.world.calls import CALL_PARTIAL, construct
from interleave.world.findings import Findings
from interleave.world.holders import (
    BY_SETUP,
    AttributeDict,
    CellObject,
    FunctionObject,
    ModuleNames,
    ModuleObject,
    Variables,
)
from interleave.world.identities import Identities
from interleave.world.instances import KEPT, OF_MODEL, SharedObject
from interleave.world.plans import OF_CLASS, OF_COPY, OF_PROPERTY
from interleave.world.profiling import set_profile
from interleave.world.refusal import Refused, as_descriptor
from interleave.world.snapshot import Snapshot
from interleave.world.twins import (
    Twins,
    TwinType,
    Uncaptured,
    UncapturedDescriptor,
    disguised,
    is_disguised,
    method_of,
    refuse_descriptor,
)

_FACTORIES = ("_dflt_", "__dataclass_dflt_")
"""What begins the names by which code that `dataclass` makes knows what makes default values: up to
CPython 3.11, and from 3.12 on.
"""


class World:
    """The functions, classes, modules and cells of one program, as its code sees them.

    `written` has the keys of the variables that some code writes (see `world.holders`), and `kept`
    the attributes of the model that none may, with what they are; `attributes` has the names of
    those that are got and set block by block. Copies of
    functions and twins of classes can be asked for at once, and get their names and attributes when
    it is known what these stand for: see `know`.
    """

    def __init__(
        self,
        model: type[Model],
        written: Iterable[str],
        findings: Findings,
        *,
        attributes: frozenset[str] = frozenset(),
        swallowing: Set[Swallow] = frozenset(),
        compilations: Compilations,
        switches: bool,
        has_nil: bool = False,
        kept: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._attributes_called = attributes
        self.swallowing = swallowing
        """Each `with` that is known to swallow exceptions."""
        self._compilations = compilations
        self.keeps_handled = not {HANDLED, FINALIZERS}.isdisjoint(written)
        """Whether a frame keeps an exception as long as it is being handled."""
        self.keeps_locals = FINALIZERS in written
        """Whether a frame keeps its locals to the end of the function."""
        self._model = model
        self._findings = findings
        self._kept = kept
        self._switches = switches
        self._has_nil = has_nil
        self._written: dict[str, list[str]] = {}
        for key in sorted({key.removeprefix(BY_SETUP) for key in written}):
            holder, colon, name = key.rpartition(":")
            if colon:
                self._written.setdefault(holder, []).append(name)
        self._shared: Mapping[int, Any] = {}
        self._missing: dict[str, Any] = {}
        self.more_names: set[str] = set()
        """Names of methods that the compiler did not know of, and took for a library's."""
        self._by_key: dict[str, Variables] = {}
        self._keys: dict[str, int] = {}
        self._codes: dict[types.FunctionType, Code] = {}
        self._copies: dict[types.FunctionType, types.FunctionType] = {}
        self._originals: dict[types.FunctionType, types.FunctionType] = {}
        self._inside: dict[types.FunctionType, list[types.FunctionType]] = {}
        self._around: dict[types.FunctionType, types.FunctionType] = {}
        self._unfilled: list[types.FunctionType] = []
        self._modules: dict[str, ModuleObject] = {}
        self._cells: dict[int, str] = {}
        self._cell_variables: dict[str, tuple[types.CellType, Variables]] = {}
        self._holders: dict[str, Any] = {}
        """The holders of cells, by the names that compiled code has for them."""
        self._objects: dict[types.FunctionType, FunctionObject] = {}
        """What stands for functions that have attributes."""
        self._attributes: list[tuple[dict[str, Any], Variables]] = []
        """The attributes that copies of other functions have been given, and their variables."""
        self.holders: list[tuple[Variables, Callable[[str], Any]]] = []
        """The holders that have variables to be captured, each with what gives their real values.
        """
        self.is_laid_out = False
        """Whether everything has been captured."""
        self._made: dict[type, type] = {}
        self._stand_ins: dict[type, type] = {}
        self.identities = Identities(self._real)
        self._twins = Twins(is_followed_class, self.copy, self._member, self._class_variables)
        self.made = Snapshot()
        """Copies and twins, as they were made: nothing but variables of theirs is to change."""

    def know(
        self,
        shared: Mapping[int, Any],
        method_names: frozenset[str],
        *,
        scope: Scope,
    ) -> None:
        """Say what stands for what was captured (by id), and what methods of the model are called.

        `scope` says where the variables of a function begin.
        """
        self._shared = shared
        self._method_names = method_names
        self._scope = scope
        self.is_laid_out = True
        self._fill()

    def constants(self) -> Iterable[Any]:
        """What stands for Python objects that never change."""
        return self._shared.values()

    def missing(self) -> dict[str, Any]:
        """What was asked for and has not been captured, by name; no more than once."""
        missing, self._missing = self._missing, {}
        return missing

    # What an object means

    def meaning(self, value: Any, name: str) -> Any:
        """What stands for a Python object, which is known by that name here."""
        if id(value) in self._shared:
            return self._shared[id(value)]
        if isinstance(value, Param):
            raise parameter_as_value(value)
        if type(value) is Refused:  # the library's own code has it
            return value
        if is_disguised(value):
            return Refused(disguised(type(value)))
        if isinstance(value, types.FunctionType) and is_user_function(value):
            return self.copy(value)
        if isinstance(value, type) and is_followed_class(value):
            return self._twins.twin(value)
        if isinstance(value, types.ModuleType) and is_followed_module(value):
            return self.module(value)
        if type(value) is Alias:
            return alias_in(lambda part: self.meaning(part, name), value)
        if is_shared_global(value):
            self._missing[name] = value
            return None
        return self.identities.translated(self.modelled(value, name))

    def _real(self, value: Any) -> Any:
        """The object of Python's that a class, a function or a module stands for; any other is its
        own.
        """
        if isinstance(value, TwinType):
            return self._twins.real(value)
        if isinstance(value, Namespace):
            return value._module
        if type(value) is LibraryClass:
            return value._real
        if type(value) is ModuleObject:
            return object.__getattribute__(value, "_real")
        if type(value) is FunctionObject:
            value = value.copy_of()
        return self._originals.get(value, value) if isinstance(value, types.FunctionType) else value

    def _member(self, value: Any, name: str) -> Any:
        """What stands for an attribute of a class."""
        if isinstance(value, Param):
            return as_descriptor(Refused(parameter_as_value(value)))
        if is_shared_global(value) and id(value) not in self._shared:
            kind = UncapturedDescriptor if is_data_descriptor(value) else Uncaptured
            return kind(lambda: self.now(value, name))
        found = self.meaning(value, name)
        is_descriptor = type(found) is Refused and hasattr(type(value), "__get__")
        return as_descriptor(found) if is_descriptor else found

    def now(self, value: Any, name: str) -> Any:
        """What stands for a Python object that code has come by."""
        found = self.meaning(value, name)
        self._fill()
        self._require()
        return found

    def modelled(self, value: Any, name: str) -> Any:
        try:
            found = modelled(value, name)
        except InterleaveError as error:
            return Refused(error)
        return self.copy(found) if is_written_out(found) else found

    def rebound_by_setup(self, before: Snapshot) -> str | None:
        """The key of a variable that has another value than before, and no location; None if none.

        Only those of modules, classes and cells that this program has met: no others matter.
        """
        for owner, name in before.rebound():
            key = self._key_of(owner)
            if isinstance(owner, types.CellType):
                name = key.rpartition(".")[2]
            if key and name in reflection.SET and not isinstance(owner, types.CellType):
                raise reflection.refusal(name)
            if key and name not in self._written.get(key, ()):
                return f"{BY_SETUP}{key}:{name}"
        return None

    def variables_written_in(self, owner: object) -> Collection[str]:
        """The variables that some code writes in a module (its namespace), a class, a function or a
        cell, by name.
        """
        return self._written.get(self._key_of(owner), ())

    def _key_of(self, owner: object) -> str:
        """The key of a holder of variables; "" for anything else, and for cells not met."""
        if isinstance(owner, dict):
            return f"module {owner.get('__name__')}"
        if isinstance(owner, type):
            return f"class {owner.__module__}.{owner.__qualname__}"
        if isinstance(owner, types.FunctionType):
            return f"function {module_of(owner)}.{owner.__qualname__}"
        return self._cells.get(id(owner), "").removeprefix(CELL)

    def stand_in_of(self, value: object) -> Any:
        """What stands for an object that was captured; None for any other."""
        return self._shared.get(id(value))

    # Classes

    def twin(self, cls: type) -> type:
        """What stands for a class that is followed."""
        twin = self._twins.twin(cls)
        if self.is_laid_out:
            self._fill()
        return twin

    def stand_in_class(self, cls: type) -> type:
        """The class of what stands for shared instances of `cls`."""
        if cls not in self._stand_ins:
            more: dict[str, Any] = {}
            if issubclass(cls, Model):
                own = (name for name in OF_MODEL if getattr(cls, name) is getattr(Model, name))
                more = {name: OF_MODEL[name] for name in own}
                more.update({KEPT: self._kept, VARIABLES: vars(cls).get(VARIABLES, ())})
            self._stand_ins[cls] = self._twins.stand_in(cls, SharedObject, more)
        return self._stand_ins[cls]

    def made_class(self, twin: type, mixin: type) -> type:
        """The class of what stands for instances of a twin that threads make and share."""
        if twin not in self._made:
            if isinstance(twin, TwinType):
                made = self._twins.stand_in(self._twins.real(twin), mixin, {})
            else:
                members = {"__module__": twin.__module__, "__class__": property(lambda _: twin)}
                made = type(twin.__name__, (base_of(twin) or twin, mixin), members)
            self._made[twin] = made
            self._fill()
            self._require()
        return self._made[twin]

    def kind_made(self, made: type) -> type | None:
        """The class of which threads make instances that another class stands for; None for a class
        that is no such thing.
        """
        return next((kind for kind, each in self._made.items() if each is made), None)

    def variables_of(self, cls: type) -> frozenset[str]:
        """The attributes of a class or of its bases that some code sets in the class."""
        bases = members_by_base(self._twins.twin(cls))
        return frozenset(
            name for own in bases if "_of_class" in own for name in own["_of_class"].wanted
        )

    def _class_variables(self, cls: type) -> Variables:
        return self._variables(
            self._key_of(cls),
            f"{cls.__qualname__}.",
            lambda name: _variable_of(cls, name),
            cls,
            kept=self._kept if issubclass(cls, Model) else {},
        )

    # Modules and cells

    def module(self, module: types.ModuleType) -> ModuleObject:
        """What stands for a module that is followed."""
        found = self._modules.get(module.__name__)
        if found is None:
            variables = self._module_variables(module)
            found = self._modules[module.__name__] = self._add(
                module.__name__,
                lambda number: ModuleObject(
                    number,
                    module,
                    variables,
                    lambda real, name: self.now(vars(real)[name], name),
                ),
            )
        return found

    def _module_variables(self, module: types.ModuleType) -> Variables:
        key = self._key_of(vars(module))
        found = self._by_key.get(key)
        if found is None:
            own = module.__name__ == self._model.__module__
            found = self._by_key[key] = self._variables(
                key,
                "" if own else f"{module.__name__}.",
                lambda name: vars(module).get(name, UNBOUND),
                module,
            )
        return found

    def begin(self, add: Callable[[str, Callable[[int], Any]], Any]) -> None:
        """Begin with the variables of modules, which are known by name.

        `add` adds a stand-in to the heap, by a name and what makes it, given its number.
        """
        self._add = add
        for key in self._written:
            kind, _, name = key.partition(" ")
            if kind == "module" and name in sys.modules:
                self._module_variables(sys.modules[name])

    def _variables(
        self,
        key: str,
        prefix: str,
        real: Callable[[str], Any],
        owner: object,
        *,
        kept: Mapping[str, str] = MappingProxyType({}),
    ) -> Variables:
        """The variables of one holder; `real` gives the real value of one, or `UNBOUND`."""
        count = self._keys[key] = self._keys.get(key, 0) + 1
        key = key if count == 1 else f"{key}'{count}"
        made = Variables(key, prefix, self._written.get(key, ()), kept)
        if made.wanted:
            if self.is_laid_out:
                self._missing[made.key] = owner  # too late for locations
            self.holders.append((made, real))
        return made

    def _cell(self, cell: types.CellType, name: str, function: types.FunctionType) -> str:
        """The name of the holder of a cell in compiled code."""
        found = self._cells.get(id(cell))
        if found is None:
            outer = surrounding(function)
            variables = self._variables(
                f"cell {function.__module__}.{outer}.{name}",
                f"{outer}.",
                lambda _: _content(cell),
                function,
            )
            found = self._cells[id(cell)] = CELL + variables.key
            self._cell_variables[found] = (cell, variables)
        return found

    def _holder(self, name: str) -> Any:
        """The holder that compiled code knows by a name."""
        if name.startswith(MODULE):
            return ModuleNames(self.module(sys.modules[name.removeprefix(MODULE)]))
        if name not in self._holders:
            cell, variables = self._cell_variables[name]
            self._holders[name] = self._add(
                variables.prefix.rstrip("."),
                lambda number: CellObject(number, cell, variables, self.now),
            )
        return self._holders[name]

    # Functions

    def compile(self, functions: Iterable[types.FunctionType]) -> None:
        """Compile functions before anything runs."""
        entries = list(functions)
        while True:
            self._method_names |= self.more_names
            self.more_names.clear()
            for function in entries:
                self.code(function)
            if not self.more_names:
                return
            self._codes.clear()

    def code(self, function: types.FunctionType) -> Code:
        """A function, compiled (once). Raises `ModelError`."""
        self._findings.compiled[function] = None
        found = self._codes.get(function)
        if found is None:
            profile = sys.getprofile()
            sys.setprofile(None)  # what compiles it is no code of the model
            begin_anew()
            try:
                found = self._codes[function] = self._compiled(function)
                self._fill()
            finally:
                begin_anew()
                set_profile(profile)
            self._require()
        return found

    def _compiled(self, function: types.FunctionType) -> Code:
        return compile_function(
            function,
            method_names=self._method_names,
            attributes=frozenset() if is_library(function) else self._attributes_called,
            namespace=self._namespace(function),
            defaults=lambda value: self.default(value, function),
            inner=lambda inside: self._inner(function, inside),
            switches=self._switches and not is_marked(function, OPERATES),
            in_go=self._has_nil,
            scope=self._scope,
            holders=self._holders_in(function),
            imports=self._imports(function),
            swallowing=self.swallowing,
            keeps_handled=self.keeps_handled,
            keeps_locals=self.keeps_locals,
            compilations=self._compilations,
        )

    def _inner(self, function: types.FunctionType, inside: types.FunctionType) -> Any:
        """What stands for a function that is defined inside another one."""
        known = self._inside.setdefault(function, [])
        if inside not in known:
            known.append(inside)
            self._around.setdefault(inside, function)
        return self.copy(inside)

    def inside(self, function: types.FunctionType) -> list[types.FunctionType]:
        """The functions that are defined inside another one, which was compiled."""
        return self._inside.get(function, [])

    def around(self, function: types.FunctionType) -> types.FunctionType | None:
        """The function inside of which another one is defined that was lifted out of it."""
        return self._around.get(function)

    def codes(self) -> Iterable[Code]:
        """The functions that were compiled."""
        return self._codes.values()

    def copies(self) -> Iterable[types.FunctionType]:
        """The copies of functions."""
        return self._copies.values()

    def original(self, copy: Any) -> types.FunctionType | None:
        """The function that a copy is one of; None for what is none."""
        return self._originals.get(copy)

    def real_class(self, twin: type) -> type:
        """The class that a twin is one of; any other class is its own."""
        return self._twins.real(twin)

    def stood_for(self) -> list[Any]:
        """Everything that stands for an object of Python's, or has something that does, in the
        order in which it was made.
        """
        return [*self._shared.values(), *self._copies, *self._copies.values(), *self._twins.all()]

    def _require(self) -> None:
        """While code runs: have what it has come by captured."""
        if (self._missing or self.more_names) and (port := running_port()) is not None:
            port.lacks(self.missing(), frozenset(self.more_names))

    def followed(self) -> list[types.FunctionType]:
        """The functions of the model that were run: block by block, or as copies."""
        findings = self._findings
        compiled = [each for each in findings.compiled if not is_library(each)]
        copied = [
            each
            for each, copy in self._copies.items()
            if copy.__code__ in findings.followed and each not in findings.compiled
        ]
        return [*compiled, *copied]

    def to_flatten(self, callee: Any) -> tuple[types.FunctionType, tuple[Any, ...]] | None:
        """The function to run block by block when `callee` is called, and what goes before its
        arguments; None to call it as it is.
        """
        if isinstance(callee, types.MethodType):
            return self._after((callee.__self__,), callee.__func__)
        if isinstance(callee, functools.partial):
            parts = (callee.func, callee.args, {**callee.keywords})
            return (CALL_PARTIAL, parts) if self.to_flatten(callee.func) else None
        first: tuple[Any, ...] = ()
        if type(callee) is FunctionObject:
            callee = callee.copy_of()
        elif isinstance(callee, Closure):
            first, callee = callee.captured, callee.function
        elif isinstance(callee, TwinType):
            _refuse_derived(callee)
            first, callee = (callee,), _constructor(callee)
        elif (function := method_of(callee, "__call__")) is not None:
            first, callee = (callee,), function
        if not isinstance(callee, types.FunctionType):
            return None
        function = self._originals.get(callee, callee)
        is_made_by_code = function is callee and COPY in callee.__globals__
        if is_made_by_code or not is_user_function(function):
            return None
        if function.__code__.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
            return None
        return (function, first) if find_function(function) is not None else None

    def _after(
        self, first: tuple[Any, ...], callee: Any
    ) -> tuple[types.FunctionType, tuple[Any, ...]] | None:
        """The same with something before the arguments."""
        found = self.to_flatten(callee)
        return found and (found[0], (*found[1], *first))

    def copy(self, function: types.FunctionType) -> Any:
        """The function with the names in it as the model sees them; one of a library as it is."""
        if function in self._originals or not is_user_function(function):
            return function
        found = self._copies.get(function)
        if found is None:
            if function.__code__.co_flags & inspect.CO_COROUTINE:
                found = self._making(function, Coroutine)
            elif function.__code__.co_flags & inspect.CO_GENERATOR:
                found = self._making(function, self._generator)
            elif function.__code__.co_flags & inspect.CO_ASYNC_GENERATOR:
                found = self._making(function, self._async_generator)
            else:
                found = self._copied(function)
            self._unfilled.append(function)
            found.__doc__ = function.__doc__
            found.__qualname__ = function.__qualname__
            found.__module__ = function.__module__
            self._copies[function] = found
            self._originals[found] = function
            self._add_attributes(function, found)
        return self._objects.get(function, found)

    def _add_attributes(self, function: types.FunctionType, copy: types.FunctionType) -> None:
        """Give a copy what its function has of attributes, as shared variables."""
        own = own_attributes(function)
        real = vars(function)
        variables = self._variables(
            self._key_of(function),
            f"{function.__qualname__}.",
            lambda name: real.get(name, UNBOUND),
            function,
        )
        if own or variables.wanted:
            self._objects[function] = self._add(
                function.__qualname__,
                lambda number: FunctionObject(number, copy, own, variables, self.now),
            )
        else:
            self._attributes.append((vars(copy), variables))

    def given_attribute(self) -> str | None:
        """The key of an attribute that code has given to a function which had none; None mostly."""
        for given, variables in self._attributes:
            if given:
                name = next(iter(given))
                given.clear()
                return variables.key_of(name)
        return None

    def _copied(self, function: types.FunctionType) -> types.FunctionType:
        namespace: dict[str, Any] = {}
        code = compile_whole(
            function,
            namespace,
            self._holders_in(function),
            self._imports(function),
            switches=self._switches,
            compilations=self._compilations,
        )
        cells = None
        if code is None:
            code = function.__code__
            cells = function.__closure__ and tuple(types.CellType() for _ in function.__closure__)
        copy = types.FunctionType(code, namespace, function.__name__, None, cells)
        namespace[COPY] = copy
        return copy

    def _making(
        self, function: types.FunctionType, make: Callable[[types.FunctionType, Locals], Any]
    ) -> types.FunctionType:
        """What code that is not run block by block calls instead of a function whose calls only
        `make` what will run it.
        """

        def made_by(*args: Any, **kwargs: Any) -> Any:
            return make(function, self.code(function).bind(*args, **kwargs))

        # Without a closure, so that a state can hold it.
        names: dict[str, Any] = {"it": made_by}
        names[COPY] = types.FunctionType(_call_it.__code__, names, function.__name__)
        made: types.FunctionType = names[COPY]
        return made

    def _generator(self, function: types.FunctionType, names: Locals) -> Generator:
        for name in vars(function).get(ITERATES, ()):
            if name.startswith("*"):
                names = {**names, name[1:]: tuple(map(iterate, names[name[1:]]))}
            else:
                names = {**names, name: iterate(names[name])}
        return Generator(self.code(function), names)

    def _async_generator(self, function: types.FunctionType, names: Locals) -> AsyncGenerator:
        return AsyncGenerator(self.code(function), names)

    def default(self, value: Any, function: types.FunctionType) -> Any:
        """What the default value of a parameter stands for."""
        try:
            return self.meaning(value, f"{function.__qualname__}.defaults")
        except ModelError as error:
            raise error.at(place_of_function(function)) from None

    def _holders_in(self, function: types.FunctionType) -> dict[str, str]:
        """The holders of the variables in a function that some code writes, by name."""
        found = find_function(function)
        if found is None or hasattr(function, DEFINITION):
            return {}
        definition = found[0]
        holders = {}
        module = MODULE + module_of(function)
        variables = self._by_key.get(f"module {module_of(function)}")
        if variables and variables.wanted:
            bound = source_bound(definition) | {each.name for each in self._imports(function)}
            holders.update(dict.fromkeys({*variables.wanted} - bound, module))
        freevars = function.__code__.co_freevars
        nonlocals = _declared(definition, ast.Nonlocal) if freevars else frozenset()
        cells = zip(freevars, function.__closure__ or (), strict=True)
        for name, cell in cells:
            holder = self._cell(cell, name, function)
            holders.pop(name, None)
            if name in nonlocals or name in self._cell_variables[holder][1].wanted:
                holders[name] = holder
        holders.update(dict.fromkeys(_declared(definition, ast.Global), module))
        return holders

    def _imports(self, function: types.FunctionType) -> list[Imported]:
        """What the import statements in a function bind."""
        found = find_function(function)
        statements = _import_statements(found[0]) if found else ()
        imports = imports_of(statements, function.__globals__)
        return [
            each._replace(varies=each.variable in self._written.get(f"module {each.module}", ()))
            for each in imports
        ]

    def _imported(self, each: Imported) -> Any:
        """What an import statement gives when it runs."""
        if each.varies:
            return getattr(self.module(sys.modules[each.module]), each.variable)
        return self.now(each.value, each.name)

    def _fill(self) -> None:
        """Give each copy what its names stand for, each twin its attributes; which makes more."""
        while self._unfilled or (twins := self._twins.fill()):
            if self._unfilled:
                function = self._unfilled.pop(0)
                self._fill_copy(function)
                self.made.add(self._copies[function], *OF_COPY)
                name = function.__name__
                if name in LIBRARY_METHODS and name not in self._method_names:
                    if find_function(function) is not None:
                        self.more_names.add(name)
                if function.__code__.co_flags & inspect.CO_GENERATOR:
                    self.more_names |= {"__next__", "close", "send"} - self._method_names
            else:
                for twin in twins:
                    self.made.add(twin, *OF_CLASS)
                    for member in members_of(twin).values():
                        if type(member) is property:
                            self.made.add(member, *OF_PROPERTY)

    def _fill_copy(self, function: types.FunctionType) -> None:
        copy = self._copies[function]
        copy.__defaults__ = function.__defaults__ and tuple(
            self.default(value, function) for value in function.__defaults__
        )
        copy.__kwdefaults__ = function.__kwdefaults__ and {
            name: self.default(value, function) for name, value in function.__kwdefaults__.items()
        }
        if copy.__code__ is _call_it.__code__:
            return
        namespace = self._namespace(function)
        copy.__globals__.update({**namespace, **copy.__globals__})
        cells = zip(copy.__code__.co_freevars, copy.__closure__ or (), strict=True)
        for name, cell in cells:
            if name in namespace:
                cell.cell_contents = namespace[name]

    def _namespace(self, function: types.FunctionType) -> dict[str, Any]:
        """What the free names of a function stand for."""
        found = find_function(function)
        names = Surroundings(function)
        namespace: dict[str, Any] = {
            "__builtins__": builtins,
            "__name__": module_of(function),
            COPY: None,
        }
        if found is None:
            for name in _names_in(function.__code__):
                if name in names:
                    real = names.real(name)
                    known = policy.full_name(real) if name.startswith(_FACTORIES) else name
                    namespace[name] = self.meaning(real, known)
            if policy.is_generated(function.__code__):
                namespace["hash"] = hash
            return namespace
        definition = found[0]
        imports = self._imports(function)
        imported = {each.name: each.value for each in imports if each.error is None}
        names.imported.update(imported)
        bound = source_bound(definition)
        holders = self._holders_in(function)
        for each in imports:
            if each.error is not None:
                namespace[each.key] = _raising(each.error)
            else:
                namespace[each.key] = lambda each=each: self._imported(each)
        for node in source_names(definition):
            name = node.id
            if name.startswith((MODULE, CELL)):  # in a function that was lifted out of another one
                holders = {**holders, name: name}
            if name in namespace or (name in bound and name not in imported):
                continue
            if name not in names or name in holders:
                continue
            if names.real(name) is globals:
                module = sys.modules[module_of(function)]
                namespace[name] = lambda module=module: AttributeDict(self.module(module))
            else:
                try:
                    namespace[name] = self.meaning(names.real(name), name)
                except ModelError as error:
                    raise error.at(Place.of_node(function.__code__.co_filename, node)) from None
        if "__class__" in function.__code__.co_freevars:
            namespace["__class__"] = self.meaning(names.real("__class__"), "__class__")
        inside = {MODULE + module_of(function)} if _declares_inside(definition) else set()
        for holder in {*holders.values()} | inside:
            namespace[holder] = self._holder(holder)
        # Names that are in the code and not in the source: pytest rewrites assertions.
        for name in function.__code__.co_names:
            if name not in namespace and name in function.__globals__ and "@" in name:
                namespace[name] = function.__globals__[name]
        return namespace


def _variable_of(cls: type, name: str) -> Any:
    """The value of an attribute of a class that some code sets. Raises `ModelError`."""
    if is_data_descriptor(member_of(cls, name)):
        raise refuse_descriptor(cls, name)
    return members_of(cls).get(name, UNBOUND)


def own_attributes(function: types.FunctionType) -> dict[str, Any]:
    """What code has given a function of attributes, but for those of this package."""
    return {
        name: value for name, value in vars(function).items() if not name.startswith("__interleave")
    }


def _refuse_derived(twin: type) -> None:
    """Refuse to make what inherits code that knows real locks and real threads only."""
    if (base := derived(twin)) is not None and (port := running_port()) is not None:
        port.halt(
            ModelError(
                f"a thread makes a {twin.__name__}, which derives from {base}",
                remedy=f"use {base} as it is, and write what {twin.__name__} does in methods of "
                "the model",
            )
        )


def _constructor(twin: type) -> Any:
    """What is run block by block to make an instance of a twin; None if Python may do so."""
    if (own := method_of(twin, "__call__")) is not None:
        return own
    if is_frozen_dataclass(twin):
        return None  # no value until it is complete
    for name in ("__new__", "__init__"):
        for base in twin.__mro__:
            member = members_of(base).get(name)
            if member is not None:
                member = getattr(member, "__func__", member)
                if isinstance(base, TwinType) and isinstance(member, types.FunctionType):
                    return construct
                break
    return None


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return UNBOUND


def _raising(error: Exception) -> Callable[[], Any]:
    def raise_it() -> Any:
        raise copy.copy(error)

    return raise_it


def _names_in(code: types.CodeType) -> list[str]:
    """The free names in a code object, and in those inside it."""
    found = [*code.co_names, *code.co_freevars]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found += _names_in(constant)
    return list(dict.fromkeys(found))


_declared = functools.lru_cache(maxsize=4096)(declared)
_import_statements = functools.lru_cache(maxsize=4096)(import_statements)
"""The same of a definition as it stands in the source, which is remembered."""


@functools.lru_cache(maxsize=4096)
def _declares_inside(definition: Definition) -> bool:
    return any(isinstance(node, ast.Global) for node in ast.walk(definition))


def _call_it(*args: Any, **kwargs: Any) -> Any:
    return it(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821
