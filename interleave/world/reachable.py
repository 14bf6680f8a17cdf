"""What code can name: found by following references and names from some roots on.

A function names what stands under one of its names in its module, in a module or class that
something names, and in its cells and defaults. Which object an attribute belongs to is not looked
into: a name stands for all that has it.
"""

from __future__ import annotations

import opcode
import sys
import types
from collections import deque
from collections.abc import Collection, Iterable
from typing import Any

from interleave import stdlib
from interleave.world.homes import (
    CLASS_DICT,
    CLASS_MODULE,
    MODULE_DICT,
    MRO,
    NAMES_OF_CLASS,
    NAMES_OF_MODULE,
    OF_CLASS,
    OF_FUNCTION,
    OF_MODULE,
    Contents,
    Home,
    Plan,
    Plans,
    derives,
    members,
    put_back_class,
)
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


def reachable(roots: Iterable[object]) -> list[Record]:
    """All that code can name from some roots on: modules, classes, functions.

    In a root, everything has a name. Standard modules that are modelled or pure are not gone into,
    and no more is interleave itself. What functions of the others name is their own affair.
    """
    walk = _Walk()
    walk.go_from(roots)
    return walk.records


_ANYTHING = frozenset({
    "globals", "vars", "eval", "exec", "getattr", "setattr", "delattr", "__dict__", "__globals__",
    "modules", "attrgetter", "import_module", "__import__",
})  # fmt: skip
"""Names of what can name anything in the user's own modules."""

_CODE = {
    id(kind)
    for kind in (
        types.FunctionType, types.BuiltinFunctionType, staticmethod, classmethod, property,
    )
}  # fmt: skip
"""What only runs if something names it."""

_IMPORT = opcode.opmap["IMPORT_NAME"]


class _Walk:
    def __init__(self) -> None:
        self.records: list[Record] = []
        self._plans = Plans()
        self._seen: set[int] = set()
        self._waiting: deque[tuple[Any, Plan, Record | None]] = deque()
        """Found and not gone into: what is nearest comes first, and so names are short."""
        self._spaces: list[Record] = []
        """Modules and classes: what in them is gone into depends on names."""
        self._names: set[str] = set()
        self._new_names: set[str] = set()
        self._names_anything = False
        self._known_modules: dict[str, bool] = {}

    def go_from(self, roots: Iterable[object]) -> None:
        for root in roots:
            self._root(root)
        while self._new_names:
            fresh, self._new_names = self._new_names, set()
            for space in [*self._spaces]:
                self._open(space, fresh)
            self._go()
        for it, home in reached_by_name(self._names):
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
            self._module(sys.modules.get(CLASS_MODULE(root)), None)
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
        if self._is_followed(namespace.get("__name__")):
            self._record(function, own, parent)
            self._globals(namespace, None)
            if not stdlib.is_standard(namespace.get("__name__")):
                self._read(function.__code__, of_user=_is_of_user(namespace))
        else:  # of a decorator, say: what it keeps is its own affair, but not whom it calls
            record = Record(function, own, own.read(function), parent)
            cells = [cell.cell_contents for cell in function.__closure__ or () if _is_set(cell)]
            self._push([each for each in cells if type(each) is types.FunctionType], record)

    def _read(self, code: types.CodeType, *, of_user: bool) -> None:
        """Take in the names in a function, and in those within it."""
        found = {name for name in code.co_names if "@" not in name}  # not those of pytest
        for constant in code.co_consts:
            if type(constant) is str and constant.isidentifier():
                found.add(constant)
            elif type(constant) is types.CodeType:
                self._read(constant, of_user=of_user)
        modules = _imported(code)
        if of_user and not _ANYTHING.isdisjoint(found):
            modules |= found
            self._name_anything()
        for name in sorted(modules):
            self._module(sys.modules.get(name), None)
        found -= self._names
        self._names |= found
        self._new_names |= found

    def _name_anything(self) -> None:
        if not self._names_anything:
            self._names_anything = True
            for space in [*self._spaces]:
                self._open_data(space)

    # Modules and classes

    def _module(self, module: Any, parent: Record | None) -> None:
        if module is not None and derives(type(module), types.ModuleType):
            self._globals(MODULE_DICT(module), parent)

    def _globals(self, namespace: dict[str, Any], parent: Record | None) -> None:
        if id(namespace) not in self._seen and self._is_followed(namespace.get("__name__")):
            self._seen.add(id(namespace))
            self._space(namespace, NAMES_OF_MODULE, parent)

    def _class(self, cls: type, parent: Record | None) -> None:
        if self._is_followed(CLASS_MODULE(cls)):
            space = self._space(cls, NAMES_OF_CLASS, parent)
            self._open_data(space)
            self._open(space, [name for name in CLASS_DICT(cls) if _is_special(name)])
            self._push((type(cls), *MRO(cls)[1:]), None)

    def _space(self, it: Any, home: Home, parent: Record | None) -> Record:
        space = Record(it, home, home.read(it), parent)
        self.records.append(space)
        self._spaces.append(space)
        self._open(space, self._names)
        if self._names_anything:
            self._open_data(space)
        return space

    def _open(self, space: Record, names: Collection[str]) -> None:
        """Go into what has one of these names."""
        contents: Any = space.contents
        self._push([contents[name] for name in sorted(contents.keys() & names)], space)

    def _open_data(self, space: Record) -> None:
        """Go into what can be looked at without a name: in a class, or a module of the user's."""
        contents: Any = space.contents
        if space.home is NAMES_OF_MODULE and not _is_of_user(contents):
            return
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
    top = module.partition(".")[0]
    if top == "interleave":
        return False
    if not stdlib.is_standard(module):
        return True
    return not (stdlib.is_pure(module) or {module, top} & stdlib.MODELLED.keys())


def _is_of_user(namespace: dict[str, Any]) -> bool:
    """Whether a module is neither installed nor Python's own."""
    file = namespace.get("__file__")
    is_installed = type(file) is str and "-packages" in file
    return not (is_installed or stdlib.is_standard(namespace.get("__name__")))


def _imported(code: types.CodeType) -> set[str]:
    """The modules that a function imports."""
    instructions = code.co_code
    if _IMPORT not in instructions[::2]:
        return set()
    pairs = zip(instructions[::2], instructions[1::2], strict=True)
    places = [argument for operation, argument in pairs if operation == _IMPORT]
    return {code.co_names[place] for place in places if place < len(code.co_names)}


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
