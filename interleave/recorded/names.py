"""Names for what cases refer to: functions, classes, modules, locations, blocks.

A name is plain data. It leads to the same thing in any program that is made of the same model in
the same way: by what Python calls it, by its number, or by its place among what a new program has.
"""

from __future__ import annotations

import importlib
import sys
import types
from contextlib import suppress
from enum import Enum
from typing import Any

from interleave.compiler import Block, Code
from interleave.machine import Machine
from interleave.memory.made import MadeObject
from interleave.memory.port import Location
from interleave.memory.values import Same, members_of
from interleave.program import Program
from interleave.world.refusal import Refused
from interleave.world.twins import TwinType

Name = list[Any]


LOST = (KeyError, IndexError, AttributeError, ImportError)
"""What it raises to look for something by a name that nothing has."""

_MOST_WRAPPERS = 3


class Unwritable(Exception):
    """Something has no name by which another run could find it."""


class WrittenNames:
    """The names that things have in one program."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._program: Program = machine.program
        self._world = machine.program.world
        self._functions: dict[int, types.FunctionType] = {}
        """The function of each block, by the id of that."""
        self._numbers = {id(each): number for number, each in enumerate(self._program.begins_with)}

    def of(self, it: Any) -> Name:
        """The name of something. Raises `Unwritable`."""
        try:
            name = self._of(it)
            is_found = self._is(self.find(name), it)
        except LOST as error:
            raise Unwritable(str(error)) from None
        if not is_found:
            raise Unwritable(f"{name} is not what it is called")
        return name

    def lasting(self, it: Any) -> Name:
        """The name of a function or class that it has in any program of the model, however that is
        made. Raises `Unwritable`.
        """
        around = self._world.around(it)
        if around is not None:
            return ["inside", self.lasting(around), self._world.inside(around).index(it)]
        return ["named", *named(it)]

    def _is(self, found: Any, it: Any) -> bool:
        return found is it or (type(it) is Same and found == it)

    def _of(self, it: Any) -> Name:
        kind = type(it)
        if kind is Same:
            return ["same", self._of(it.it)]
        if kind is Code:
            return ["code", self._of(it.function)]
        if kind is Block:
            return self._of_block(it)
        if isinstance(it, Location):
            return ["location", it.number]
        if kind is Refused or isinstance(it, Same):
            raise Unwritable("what is refused has no name")
        if isinstance(it, Enum):
            return ["member", self._of(kind), object.__getattribute__(it, "_name_")]
        if isinstance(it, types.ModuleType):
            return ["module", it.__name__]
        if (real := self._of_what_stands_for(it)) is not None:
            return real
        if isinstance(it, types.FunctionType) and (around := self._world.around(it)) is not None:
            return ["inside", self._of(around), self._world.inside(around).index(it)]
        if id(it) in self._numbers:
            return ["known", self._numbers[id(it)]]
        return ["named", *named(it)]

    def _of_what_stands_for(self, it: Any) -> Name | None:
        if isinstance(it, type) and (kind := self._world.kind_made(it)) is not None:
            return ["made", self._of(kind)]
        if isinstance(it, TwinType):
            return ["twin", self._of(self._world.real_class(it))]
        if isinstance(it, types.FunctionType) and (real := self._world.original(it)) is not None:
            return ["copy", self._of(real)]
        return None

    def _of_block(self, block: Block) -> Name:
        if id(block) not in self._functions:
            for code in self._world.codes():
                self._functions.update(dict.fromkeys(map(id, code.blocks), code.function))
        return ["block", self._of(self._functions[id(block)]), block.number]

    def find(self, name: Name) -> Any:
        """What has a name. Raises one of `LOST`."""
        return getattr(self, f"_find_{name[0]}")(*name[1:])

    def _find_same(self, name: Name) -> Any:
        return Same(self.find(name))

    def _find_code(self, name: Name) -> Any:
        return self._world.code(self.find(name))

    def _find_block(self, name: Name, number: int) -> Any:
        return self._world.code(self.find(name)).blocks[number]

    def _find_location(self, number: int) -> Any:
        return self._program.heap.locations[number]

    def _find_member(self, name: Name, member: str) -> Any:
        return members_of(self.find(name))["_member_map_"][member]

    def _find_module(self, name: str) -> Any:
        return sys.modules[name]

    def _find_twin(self, name: Name) -> Any:
        return self._world.twin(self.find(name))

    def _find_made(self, name: Name) -> Any:
        return self._world.made_class(self.find(name), MadeObject)

    def _find_copy(self, name: Name) -> Any:
        return self._world.copy(self.find(name))

    def _find_inside(self, name: Name, number: int) -> Any:
        around = self.find(name)
        self._world.code(around)
        return self._world.inside(around)[number]

    def _find_known(self, number: int) -> Any:
        return self._program.begins_with[number]

    def _find_named(self, module: str, path: str, depth: int) -> Any:
        return find_named(module, path, depth)


def named(it: Any) -> Name:
    """Where something is that Python knows by its name: module, path, and behind how many wrappers.

    Raises `Unwritable`.
    """
    module, path = getattr(it, "__module__", None), getattr(it, "__qualname__", None)
    if type(module) is str and type(path) is str:
        with suppress(*LOST):
            for depth in range(_MOST_WRAPPERS):
                if find_named(module, path, depth) is it:
                    return [module, path, depth]
    raise Unwritable(f"{module}.{path} is something else than a {type(it).__name__}")


def find_lasting(name: Name) -> Any:
    """What has a name that is "named". Raises one of `LOST`."""
    return find_named(*name[1:])


def find_named(module: str, path: str, depth: int) -> Any:
    """What is there. Raises one of `LOST`."""
    if module.partition(".")[0] == "interleave":
        importlib.import_module(module)
    found: Any = sys.modules[module]
    for part in path.split("."):
        found = members_of(found)[part] if isinstance(found, type) else getattr(found, part)
        found = getattr(found, "__func__", found)
    for _ in range(depth):
        found = found.__wrapped__
    return found
