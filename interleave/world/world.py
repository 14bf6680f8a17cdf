"""What each Python object means in a model: functions, classes, modules, and what they hold.

The names in the code of a model, the members of its classes and the cells of its functions are
asked for here, by the real object that they stand for in Python. What threads share by touching it
has to be captured (see `program.heap`): where it has not been, the program is made anew, with it
among the roots that it is captured from.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from interleave.compiler import Code, is_user_function
from interleave.compiler.closures import VariableRewriter
from interleave.compiler.names import (
    Surroundings,
    bound_names,
    evaluated_nodes,
    inner_names,
    is_followed_class,
    is_followed_module,
    is_shared_global,
    scope_walk,
)
from interleave.compiler.source import Definition, find_function
from interleave.errors import InterleaveError, ModelError, Place
from interleave.memory.coroutine import Coroutine
from interleave.memory.values import OrderedFrozenSet
from interleave.program.objects import OF_MODEL
from interleave.program.restarts import MoreRoots
from interleave.world.holders import CellObject, ModuleObject, Variables
from interleave.world.twins import Twins, Uncaptured
from interleave.model import Model

MODULE = "@module:"
CELL = "@cell:"
"""What the names of holders begin with, in compiled code."""


class Refused:
    """Stands for a name that has no modelled counterpart, in code that may never run."""

    def __init__(self, error: InterleaveError) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Any:
        raise self._error

    def __call__(self, *_: object, **__: object) -> Any:
        raise self._error


class World:
    """The functions, classes, modules and cells of one program.

    `written` has the keys of the variables that some code writes (see `world.holders`), `add` takes
    a maker of a stand-in, given its number, and a name for it, `code` compiles a function.
    """

    def __init__(
        self,
        model: type[Model],
        written: frozenset[str],
        add: Callable[[str, Callable[[int], Any]], Any],
        code: Callable[[types.FunctionType], Code],
    ) -> None:
        self._model = model
        self._add = add
        self._code = code
        self._written: dict[str, list[str]] = {}
        for key in sorted(written):
            holder, colon, name = key.rpartition(":")
            if colon:
                self._written.setdefault(holder, []).append(name)
        self.captured: dict[int, Any] = {}
        """What was captured, by the id of the real object."""
        self._missing: dict[str, Any] = {}
        self.is_laid_out = False
        """Whether every location has been made."""
        self.holders: list[tuple[Variables, Callable[[str], Any]]] = []
        """All holders that have locations, and what gives the real value of a variable."""
        self._keys: dict[str, int] = {}
        self._copies: dict[types.FunctionType, types.FunctionType] = {}
        self._originals: dict[types.FunctionType, types.FunctionType] = {}
        self._modules: dict[str, ModuleObject] = {}
        self._cells: dict[int, tuple[types.CellType, str]] = {}
        self.by_name: dict[str, Any] = {}
        """Holders by the names that compiled code has for them."""
        self.twins = Twins(is_followed_class, self.copy, self._member, self._class_variables)
        self._unfilled: list[types.FunctionType] = []

    # What a real object means

    def meaning(self, value: Any, name: str, otherwise: Callable[[], Any]) -> Any:
        """What stands for a Python object; `otherwise()` where that is decided by its name."""
        if id(value) in self.captured:
            return self.captured[id(value)]
        if isinstance(value, types.FunctionType) and is_user_function(value):
            return self.copy(value)
        if isinstance(value, type) and is_followed_class(value):
            return self.twins.twin(value)
        if isinstance(value, types.ModuleType) and is_followed_module(value):
            return self.module(value)
        if is_shared_global(value):
            self._missing.setdefault(name, value)
            return None
        return otherwise()

    def _member(self, value: Any, name: str) -> Any:
        """What stands for an attribute of a class."""
        if is_shared_global(value) and id(value) not in self.captured:
            return Uncaptured(lambda: self._captured_now(value, name))
        return self.meaning(value, name, lambda: value)

    def _captured_now(self, value: Any, name: str) -> Any:
        if id(value) not in self.captured:
            from interleave.memory.port import current_port

            current_port().begin_again_with({name: value})
        return self.captured[id(value)]

    def require(self) -> None:
        """Raise `MoreRoots` where something that was asked for has not been captured."""
        if self._missing:
            missing, self._missing = self._missing, {}
            raise MoreRoots(missing)

    # Holders

    def _variables(self, key: str, prefix: str, real: Callable[[str], Any]) -> Variables:
        """The variables of a holder. `real` gives the real value of one, or `UNBOUND`."""
        count = self._keys[key] = self._keys.get(key, 0) + 1
        made = Variables(key if count == 1 else f"{key}'{count}", prefix)
        if self._written.get(made.key):
            self.holders.append((made, real))
        return made

    def wanted(self, variables: Variables) -> list[str]:
        """The variables of a holder that some code writes."""
        return self._written.get(variables.key, [])
