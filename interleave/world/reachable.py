"""What code can name: found by following references and names from some roots on.

A function names what stands under one of its global names in its module, what stands under any
of its names in a module or class that code can have in hand, and what is in its cells and defaults.
Which object an attribute belongs to is not looked into: a name stands for all that has it.
"""

from __future__ import annotations

import opcode
import sys
import types
from collections import deque
from collections.abc import Collection, Iterable
from typing import Any

from interleave.memory.values import is_defined_in_python
from interleave.world import policy
from interleave.world.homes import (
    CACHES_OF_LIBRARIES,
    CLASS_DICT,
    CLASS_MODULE,
    MODULE_DICT,
    MRO,
    Contents,
    Home,
    derives,
    members,
    put_back_class,
)
from interleave.world.plans import (
    NAMES_OF_CLASS,
    NAMES_OF_MODULE,
    OF_CLASS,
    OF_FUNCTION,
    OF_MODULE,
    Plan,
    Plans,
)
from interleave.world.policy import Treatment
from interleave.world.table import COUNTERPARTS
from interleave.world.watched import reached_by_name


class Record:
    """What is in one home of one object. `parent` is the record that it was met in."""

    __slots__ = ("contents", "home", "it", "kind", "parent")

    def __init__(self, it: Any, home: Home, contents: Contents, parent: Record | None) -> None:
        self.it = it
        self.kind = type(it)
        self.home = home
        self.contents = contents
        self.parent = parent

    @property
    def differs(self) -> bool:
        """Whether it is not what it was."""
        if type(self.it) is not self.kind:
            return True
        return not self.home.is_unchanged(self.it, self.contents)

    def put_back(self) -> None:
        """Make it what it was, where that is possible."""
        if type(self.it) is not self.kind:
            put_back_class(self.it, self.kind)
        if not self.home.is_unchanged(self.it, self.contents):
            self.home.write(self.it, self.contents)

    def begin_with(self, it: Any, home: Home) -> None:
        """Speak of another object, that has taken the place of this one."""
        self.it, self.kind, self.home = it, type(it), home
        self.contents = home.read(it)

    def copy(self) -> Record:
        """The same, to be changed apart."""
        return Record(self.it, self.home, self.contents, self.parent)


def reachable_and_names(roots: Iterable[object]) -> tuple[list[Record], set[str]]:
    """All that code can name from some roots on: modules, classes, functions. With every name that
    is in the code of these roots and of what they reach.

    In a root, everything has a name. Standard modules that are modelled or pure are not gone into,
    and no more is interleave itself. What functions of the others name is their own affair.
    """
    walk = _Walk()
    walk.go_from(roots)
    walk.look_into_libraries()
    return walk.records, walk.names


_ANY_MODULE = frozenset({
    "globals", "eval", "exec", "modules", "import_module", "__import__", "__globals__",
})  # fmt: skip
"""Names of what can name anything in all of the user's modules."""

_ANY_ATTRIBUTE = frozenset({"getattr", "setattr", "delattr", "attrgetter", "vars", "__dict__"})
"""Names of what can name anything in a module that the code holds."""

_ANYTHING = _ANY_MODULE | _ANY_ATTRIBUTE

_CODE = {
    id(kind)
    for kind in (
        types.FunctionType, types.BuiltinFunctionType, staticmethod, classmethod, property,
    )
}  # fmt: skip
"""What only runs if something names it."""

_IMPORT, _LOAD = opcode.opmap["IMPORT_NAME"], opcode.opmap["LOAD_GLOBAL"]
_BY_PLACE = {
    opcode.opmap.get(name)
    for name in ("STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
}
_EXTENDED = opcode.opmap["EXTENDED_ARG"]


class _Space(Record):
    """A module or a class: what in it is gone into depends on names."""

    __slots__ = ("is_held",)

    def __init__(self, it: Any, home: Home, parent: Record | None) -> None:
        super().__init__(it, home, home.read(it), parent)
        self.is_held = home is NAMES_OF_CLASS
        """Whether code can have it in hand, so that attributes are looked up in it."""


class _Walk:
    def __init__(self) -> None:
        self.records: list[Record] = []
        self._plans = Plans()
        self._seen: set[int] = set()
        self._shallowly: set[int] = set()
        """The modules and classes of libraries of which only the names are looked at."""
        self._waiting: deque[tuple[Any, Plan, Record | None]] = deque()
        """Found and not gone into: what is nearest comes first, and so names are short."""
        self._spaces: list[_Space] = []
        self._modules: dict[int, _Space] = {}
        """The spaces of modules, by the identity of their globals."""
        self.names: set[str] = set()
        """Names of attributes, and what may be one."""
        self._new_names: set[str] = set()
        self._opening: set[str] = set()
        """Of `_ANY_MODULE` and `_ANY_ATTRIBUTE`, what code of the user's uses."""
        self._known_modules: dict[str, bool] = {}

    def go_from(self, roots: Iterable[object]) -> None:
        for root in roots:
            self._root(root)
        while self._new_names:
            fresh, self._new_names = self._new_names, set()
            for space in self._spaces:
                if space.is_held:
                    self._open(space, fresh)
            self._go()
        for it, home in reached_by_name(self.names):
            self._record(it, home, None)
            self._go()

    def _root(self, root: Any) -> None:
        self._push((root,), None)
        self._go()
        whole: set[int] = set()
        if derives(type(root), types.ModuleType):
            namespace = MODULE_DICT(root)
            whole = {id(namespace), *map(id, _classes_of(namespace))}
        elif derives(type(root), type):
            whole = {*map(id, MRO(root))}
            module = sys.modules.get(CLASS_MODULE(root))
            if module is not None:
                self._globals(MODULE_DICT(module), None)
        for space in self._spaces:  # which grow meanwhile
            if id(space.it) in whole:
                self._push(members(space.contents), space)
                self._go()

    def _go(self) -> None:
        waiting = self._waiting
        while waiting:
            it, plan, parent = waiting.popleft()
            if plan is OF_CLASS:
                self._class(it, parent)
            elif plan is OF_MODULE:
                self._module(it, parent)
            elif plan is OF_FUNCTION:
                self._function(it, parent)
            else:
                for home in plan:
                    self._record(it, home, parent)
                if id(type(it)) not in self._seen:
                    self._push((type(it),), None)

    def _push(self, values: Iterable[Any], parent: Record | None) -> None:
        get, seen = self._plans.get, self._seen
        for value in values:
            plan = get(id(type(value)))
            if plan is None:
                plan = self._plans.make(type(value))
            if plan and id(value) not in seen:
                seen.add(id(value))
                self._waiting.append((value, plan, parent))

    def _record(self, it: Any, home: Home, parent: Record | None) -> None:
        contents = home.read(it)
        record = Record(it, home, contents, parent)
        self.records.append(record)
        if contents:
            self._push(members(contents), record)

    # Names

    def _function(self, function: types.FunctionType, parent: Record | None) -> None:
        own, attributes = OF_FUNCTION
        self._record(function, attributes, parent)
        namespace = function.__globals__
        space = self._globals(namespace, None)
        if space is not None:
            self._record(function, own, parent)
            if not policy.is_standard(namespace.get("__name__")):
                self._read(function.__code__, space)
        else:  # of a decorator, say: what it keeps is its own affair, but not whom it calls
            record = Record(function, own, own.read(function), parent)
            cells = [cell.cell_contents for cell in function.__closure__ or () if _is_set(cell)]
            self._push([each for each in cells if type(each) is types.FunctionType], record)

    def _read(self, code: types.CodeType, space: _Space) -> None:
        """Take in the names in a function of some module, and in those within it."""
        names = code.co_names
        places, imports = _named(code.co_code)
        of_pytest = {name for name in names if "@" in name}  # in assertions
        self._open(space, {names[place] for place in places} - of_pytest)
        found = {*names} - of_pytest
        modules = {names[place] for place in imports}
        for constant in code.co_consts:
            if type(constant) is str and constant.isidentifier():
                found.add(constant)
            elif type(constant) is types.CodeType:
                self._read(constant, space)
        if not _ANYTHING.isdisjoint(found) and _is_of_user(space.it):
            if not _ANY_MODULE.isdisjoint(found):
                modules |= found
            if not found & _ANYTHING <= self._opening:
                self._opening |= found & _ANYTHING
                for each in self._spaces:
                    self._open_if_asked(each)
        for name in sorted(modules):
            self._module(sys.modules.get(name), None)
        found -= self.names
        self.names |= found
        self._new_names |= found

    def _open_if_asked(self, space: _Space) -> None:
        """Go into all of a module of the user's if names alone do not tell what code uses of it."""
        opening = self._opening if space.is_held else self._opening & _ANY_MODULE
        if opening and space.home is NAMES_OF_MODULE and _is_of_user(space.it):
            self._open_data(space)

    # Modules and classes

    def _module(self, module: Any, parent: Record | None) -> None:
        if module is None or not derives(type(module), types.ModuleType):
            return
        namespace = MODULE_DICT(module)
        space = self._globals(namespace, parent)
        if space is None:
            self._shallow(namespace, NAMES_OF_MODULE, namespace.get("__name__"), parent)
        elif not space.is_held:
            space.is_held = True
            self._open(space, self.names)
            self._open_if_asked(space)

    def _globals(self, namespace: dict[str, Any], parent: Record | None) -> _Space | None:
        """The space of a module; None where it is not gone into."""
        space = self._modules.get(id(namespace))
        if space is None and self._is_followed(namespace.get("__name__")):
            self._seen.add(id(namespace))
            space = self._modules[id(namespace)] = self._space(namespace, NAMES_OF_MODULE, parent)
            self._open_if_asked(space)
        return space

    def _class(self, cls: type, parent: Record | None) -> None:
        if self._is_followed(CLASS_MODULE(cls)):
            space = self._space(cls, NAMES_OF_CLASS, parent)
            self._open_data(space)
            self._open(space, self.names)
            self._open(space, [name for name in CLASS_DICT(cls) if _is_special(name)])
            combinations = CLASS_DICT(cls).get("_value2member_map_")  # of flags, met so far
            if type(combinations) is dict:
                self._push([*combinations.values()], space)
            self._push((type(cls), *MRO(cls)[1:]), None)
        elif is_defined_in_python(cls):
            self._shallow(cls, NAMES_OF_CLASS, CLASS_MODULE(cls), None)

    def look_into_libraries(self) -> None:
        """Take in what libraries have under names that are in the code: classes, modules, data."""
        looked_at = 0
        while looked_at < len(self.records):  # which grow meanwhile
            record = self.records[looked_at]
            looked_at += 1
            if id(record.it) in self._shallowly:
                self._load(record)
                contents: Any = record.contents
                caches = CACHES_OF_LIBRARIES.get(str(contents.get("__name__")), frozenset())
                names = contents.keys() & self.names - caches
                for name in sorted(names):
                    self._in_library(contents[name], record)
                self._go()

    def _load(self, record: Record) -> None:
        """Have a module load what it loads when it is asked for first, by names in the code; and by
        all names, where what is modelled asks too: `concurrent.futures.ThreadPoolExecutor`. After
        the picture that would be a change.
        """
        namespace: Any = record.it
        if type(namespace) is dict and "__getattr__" in namespace:
            name = namespace.get("__name__", "")
            module = sys.modules.get(name)
            loaded = {*namespace.get("__all__", ())} - namespace.keys()
            if name not in COUNTERPARTS:
                loaded &= self.names
            if module is not None and MODULE_DICT(module) is namespace and loaded:
                for each in sorted(loaded):
                    hasattr(module, each)
                record.contents = record.home.read(namespace)

    def _in_library(self, found: Any, record: Record) -> None:
        kind = type(found)
        if derives(kind, type):
            if is_defined_in_python(found):
                self._shallow(found, NAMES_OF_CLASS, CLASS_MODULE(found), record)
        elif derives(kind, types.ModuleType):
            self._module(found, record)
        elif id(kind) not in _CODE:
            self._push((found,), record)

    def _shallow(self, it: Any, home: Home, module: Any, parent: Record | None) -> None:
        """Take in a module or class of a library that runs as it is: what its names stand for."""
        if id(it) not in self._shallowly and str(module).partition(".")[0] != "interleave":
            self._shallowly.add(id(it))
            self.records.append(Record(it, home, home.read(it), parent))

    def _space(self, it: Any, home: Home, parent: Record | None) -> _Space:
        space = _Space(it, home, parent)
        self.records.append(space)
        self._spaces.append(space)
        return space

    def _open(self, space: Record, names: Collection[str]) -> None:
        """Go into what has one of these names."""
        contents: Any = space.contents
        self._push([contents[name] for name in sorted(contents.keys() & names)], space)

    def _open_data(self, space: Record) -> None:
        """Go into all that is neither a function nor a module."""
        contents: Any = space.contents
        self._push(
            [
                value
                for value in contents.values()
                if id(type(value)) not in _CODE and not derives(type(value), types.ModuleType)
            ],
            space,
        )

    def _is_followed(self, module: Any) -> bool:
        """Whether what stands in a module is gone into."""
        if type(module) is not str:
            return True
        known = self._known_modules.get(module)
        if known is None:
            known = self._known_modules[module] = _is_followed(module)
        return known


def _is_followed(module: str) -> bool:
    # What users say is pure is believed to keep nothing, and looked at all the same.
    return bool(policy.of_module(module) is Treatment.FOLLOWED or policy.assumed().covering(module))


def _is_of_user(namespace: dict[str, Any]) -> bool:
    """Whether a module is neither installed nor Python's own."""
    file = namespace.get("__file__")
    is_installed = type(file) is str and "-packages" in file
    return not (is_installed or policy.is_standard(namespace.get("__name__")))


def _named(instructions: bytes) -> tuple[list[int], list[int]]:
    """Which of the names of a function are those of globals, and of modules that it imports."""
    globals_, imports = [], []
    extended = 0
    for operation, argument in zip(instructions[::2], instructions[1::2], strict=True):
        place = extended | argument
        extended = place << 8 if operation == _EXTENDED else 0
        if operation == _LOAD:
            globals_.append(place >> 1)
        elif operation in _BY_PLACE:
            globals_.append(place)
        elif operation == _IMPORT:
            imports.append(place)
    return globals_, imports


def _is_set(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _classes_of(namespace: dict[str, Any]) -> list[type]:
    """The classes that a module defines."""
    name = namespace.get("__name__")
    classes = [each for each in namespace.values() if derives(type(each), type)]
    return [cls for cls in classes if CLASS_MODULE(cls) == name]


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
