"""Variables that belong to no instance: those of modules, of classes, of functions, of closures.

A holder has a location for each of its variables that some code writes. The others are constants:
code that writes one has the program made anew, with a location for it.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from types import CellType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from interleave.memory.containers import delete_location, read_location, write_location
from interleave.memory.port import Location, current_port
from interleave.memory.values import UNBOUND, Same, Shared, register_immutable
from interleave.world import reflection

BY_SETUP = "setup "
"""What the key of a variable begins with that setup gives another value, and maybe no thread."""

_get = object.__getattribute__
_set = object.__setattr__


class VariableLocation(Location):
    """The location of one variable of a holder."""

    def __init__(self, name: str, owner: int, key: str, number: int) -> None:
        super().__init__(name, owner, (key,), "", number)
        self._key = key

    @property
    def key(self) -> str:
        return self._key


class Variables:
    """The variables of one module, class, function or cell that some code writes, by name.

    `key` names the holder among all, `prefix` is what the names of its variables begin with in
    reports, `wanted` has the names of those that some code writes, `kept` of those that none may,
    with what they are.
    """

    def __init__(
        self,
        key: str,
        prefix: str,
        wanted: Iterable[str],
        kept: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.key = key
        self._kept = kept
        self.prefix = prefix
        self.wanted = tuple(wanted)
        self.locations: dict[str, Location] = {}

    def key_of(self, name: str) -> str:
        """What names a variable among everything that can be written."""
        return f"{self.key}:{name}"

    def read(self, name: str) -> Any:
        """The value of a variable that has a location; `UNBOUND` where it has none."""
        return read_location(self.locations[name])

    def write(self, name: str, value: object) -> None:
        """Give a variable a value."""
        location = self._location(name)
        if location is None:
            current_port().begin_again(self.key_of(name))
        else:
            write_location(location, value)

    def delete(self, name: str, error: Exception) -> None:
        """Leave a variable without a value. Raises `error` where it has none."""
        location = self._location(name)
        if location is None:
            current_port().begin_again(self.key_of(name))
        else:
            delete_location(location, error)

    def _location(self, name: str) -> Location | None:
        if name in reflection.SET and not self.key.startswith("cell "):
            current_port().halt(reflection.refusal(name))
        if name in self._kept:
            where = f"{self.prefix}{name}"
            current_port().halt(reflection.refuse_to_set(where, name, self._kept[name]))
        return self.locations.get(name)


class Holder(Shared):
    """What stands for the holder of some variables: code sets them as its attributes.

    `meaning` gives what the value of a variable stands for that no code writes.
    """

    __slots__ = ("_meaning", "_number", "_variables")

    def __init__(self, number: int, variables: Variables, meaning: Callable[..., Any]) -> None:
        _set(self, "_number", number)
        _set(self, "_variables", variables)
        _set(self, "_meaning", meaning)

    def __setattr__(self, name: str, value: object) -> None:
        variables: Variables = _get(self, "_variables")
        variables.write(name, value)


class ModuleObject(Holder):
    """What stands for a module that is followed: its variables are shared."""

    __slots__ = ("_own", "_real")
    __class__ = property(lambda _: ModuleType)

    def __init__(
        self, number: int, real: ModuleType, variables: Variables, meaning: Callable[..., Any]
    ) -> None:
        super().__init__(number, variables, meaning)
        _set(self, "_real", real)
        _set(self, "_own", vars(real))

    def __getattribute__(self, name: str) -> Any:
        if name in ("_number", "__class__"):
            return _get(self, name)
        if name == "__dict__":
            return AttributeDict(self)
        real: ModuleType = _get(self, "_real")
        variables: Variables = _get(self, "_variables")
        if name in variables.locations:
            value = variables.read(name)
            if value is not UNBOUND:
                return value
        elif name in vars(real):
            return _get(self, "_meaning")(real, name)
        if "__getattr__" in vars(real) and name != "__getattr__":
            return _get(self, "_meaning")(real, "__getattr__")(name)
        raise AttributeError(f"module {real.__name__!r} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        variables: Variables = _get(self, "_variables")
        variables.delete(name, AttributeError(name))

    def __repr__(self) -> str:
        return f"<module {_get(self, '_real').__name__!r}>"


class ModuleNames:
    """The variables of a module as its own code has them: by name."""

    __slots__ = ("_module",)

    def __init__(self, module: ModuleObject) -> None:
        _set(self, "_module", module)

    def __getattribute__(self, name: str) -> Any:
        try:
            return AttributeDict(_get(self, "_module"))[name]
        except KeyError:
            if hasattr(builtins, name):
                return getattr(builtins, name)
            raise NameError(f"name {name!r} is not defined") from None

    def __setattr__(self, name: str, value: object) -> None:
        setattr(_get(self, "_module"), name, value)

    def __delattr__(self, name: str) -> None:
        variables: Variables = _get(_get(self, "_module"), "_variables")
        variables.delete(name, NameError(f"name {name!r} is not defined"))


register_immutable(
    ModuleNames, lambda _, value: (ModuleNames, Same(value)), lambda _, key: key[1].it
)


class AttributeDict(MutableMapping[str, Any]):
    """`__dict__` of a module that is followed, or of a function: a view of its variables."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def __getitem__(self, name: str) -> Any:
        variables: Variables = _get(self._owner, "_variables")
        if name not in variables.locations and name not in _get(self._owner, "_own"):
            raise KeyError(name)
        try:
            return getattr(self._owner, name)
        except AttributeError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, value: object) -> None:
        setattr(self._owner, name, value)

    def __delitem__(self, name: str) -> None:
        try:
            delattr(self._owner, name)
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        variables: Variables = _get(self._owner, "_variables")
        for name in dict.fromkeys([*_get(self._owner, "_own"), *variables.locations]):
            if name not in variables.locations or variables.read(name) is not UNBOUND:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)


register_immutable(
    AttributeDict,
    lambda freezer, value: (AttributeDict, freezer.freeze(value._owner)),
    lambda thawer, key: AttributeDict(thawer.thaw(key[1])),
)


class FunctionObject(Holder):
    """What stands for a function that has attributes: they are shared."""

    __slots__ = ("_copy", "_own")
    __class__ = property(lambda _: FunctionType)

    def __init__(
        self,
        number: int,
        copy: FunctionType,
        own: Mapping[str, Any],
        variables: Variables,
        meaning: Callable[..., Any],
    ) -> None:
        super().__init__(number, variables, meaning)
        _set(self, "_copy", copy)
        _set(self, "_own", own)

    def copy_of(self) -> FunctionType:
        """The function itself, with names as the model sees them."""
        found: FunctionType = _get(self, "_copy")
        return found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _get(self, "_copy")(*args, **kwargs)

    def __copy__(self) -> FunctionObject:
        return self

    def __deepcopy__(self, _: object) -> FunctionObject:
        return self

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __getattribute__(self, name: str) -> Any:
        if name in ("_number", "__class__", "copy_of"):
            return _get(self, name)
        if name == "__dict__":
            return AttributeDict(self)
        variables: Variables = _get(self, "_variables")
        if name in variables.locations:
            value = variables.read(name)
            if value is not UNBOUND:
                return value
        elif name in (own := _get(self, "_own")):
            return _get(self, "_meaning")(own[name], name)
        return getattr(_get(self, "_copy"), name)

    def __delattr__(self, name: str) -> None:
        variables: Variables = _get(self, "_variables")
        error = AttributeError(f"'function' object has no attribute {name!r}")
        variables.delete(name, error)


class CellObject(Holder):
    """What stands for a variable of a function that has ended, which others made in it still use.

    Its one attribute has the name of the variable.
    """

    __slots__ = ("_cell",)

    def __init__(
        self, number: int, cell: CellType, variables: Variables, meaning: Callable[..., Any]
    ) -> None:
        super().__init__(number, variables, meaning)
        _set(self, "_cell", cell)

    def __getattribute__(self, name: str) -> Any:
        if name in ("_number", "__class__"):
            return _get(self, name)
        variables: Variables = _get(self, "_variables")
        if name in variables.locations:
            value = variables.read(name)
            if value is not UNBOUND:
                return value
        else:
            try:
                return _get(self, "_meaning")(_get(self, "_cell").cell_contents, name)
            except ValueError:  # empty
                pass
        raise NameError(
            f"cannot access free variable {name!r} where it is not associated with a value in "
            "enclosing scope"
        )

    def __delattr__(self, name: str) -> None:
        variables: Variables = _get(self, "_variables")
        variables.delete(name, NameError(f"free variable {name!r} is not bound"))
