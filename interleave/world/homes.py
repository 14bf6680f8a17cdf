"""Where real Python state lives, and how each such home is looked at and put back.

No code of a user runs here: no `==`, `hash`, `repr`, `len` or `iter` of a class of theirs, nor of a
metaclass. Attributes are read by the descriptors of Python's own types, containers by the methods
of these. What is in a home is its `Contents`: a dict by name or key, a list by place, a set, or
bytes, and in each of them the very objects.
"""

from __future__ import annotations

import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from operator import attrgetter, is_
from typing import Any

Contents = dict[Any, Any] | list[Any] | set[Any] | bytes

MRO: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
CLASS_DICT: Callable[[type], Any] = type.__dict__["__dict__"].__get__
CLASS_NAME: Callable[[type], str] = type.__dict__["__qualname__"].__get__
CLASS_MODULE: Callable[[type], Any] = type.__dict__["__module__"].__get__
_MODULE: Any = types.ModuleType
MODULE_DICT: Callable[[types.ModuleType], dict[str, Any]] = _MODULE.__dict__["__dict__"].__get__
_SET_CLASS: Callable[[object, type], None] = object.__dict__["__class__"].__set__


class Absent:
    """Stands for what is not there: a slot or a cell that is empty, an attribute that is new."""


ABSENT = Absent()

CACHES = frozenset({
    # Of modules.
    "__warningregistry__", "__builtins__", "__cached__", "__conditional_annotations__",
    # Of modules, classes and functions: made when somebody asks.
    "__annotate__", "__annotate_func__", "__annotations_cache__",
    # Of classes.
    "__dict__", "__weakref__", "__static_attributes__", "__firstlineno__", "_abc_impl",
    "_abc_cache", "_abc_negative_cache", "_abc_registry", "__slotnames__",
    # Of functools.singledispatch: what it has looked up.
    "_clear_cache",
    # Of interleave: where a thread has raised an exception first, what a function is lifted to,
    # what a callback is called.
    "_interleave_origin",
    "__interleave_lifted__",
    "__interleave_words__",
})  # fmt: skip
"""Names of attributes that are known to be caches: they change, and nothing depends on it."""


CACHES_OF_LIBRARIES: dict[str, frozenset[str]] = {
    "encodings": frozenset({"_cache"}),
    "linecache": frozenset({"cache"}),
    "os": frozenset({"environ", "environb"}),  # looked at by `watched.reached_by_name`
    "re": frozenset({"_cache", "_cache2"}),
    "sys": frozenset({"meta_path", "modules", "path_hooks", "path_importer_cache"}),
}
"""Names of variables of libraries that are caches too, or are looked at elsewhere, by module."""


def derives(kind: type, base: type) -> bool:
    """Whether a class is a base, or derives from it."""
    return any(each is base for each in MRO(kind))


def name_of_class(kind: type) -> str:
    """Module and name of a class."""
    return f"{CLASS_MODULE(kind)}.{CLASS_NAME(kind)}"


# What is in a home


def alike(one: object, other: object) -> bool:
    """Whether two objects are one, or plain values of which nobody can tell which is which."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind is int or kind is str or kind is bytes or kind is range:
        return one == other
    if kind is float or kind is complex:
        return repr(one) == repr(other)
    if kind is tuple:
        ours: Any = one
        theirs: Any = other
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    return False


def _token(key: object) -> object:
    """What tells a key from others, without its own `__hash__` and `__eq__`."""
    kind = type(key)
    is_plain = kind is int or kind is str or kind is bytes or kind is float or kind is bool
    return (kind.__name__, key) if is_plain else id(key)


def same_contents(before: Any, now: Any, *, ordered: bool = True) -> bool:
    """Whether the same objects are in a home, in the same places."""
    if type(before) is not type(now):
        return False
    if type(before) is bytes:
        return bool(before == now)
    if len(before) != len(now):
        return False
    if type(before) is set:
        return {*map(_token, before)} == {*map(_token, now)}
    if type(before) is list:
        return all(map(is_, before, now)) or all(map(alike, before, now))
    if all(map(is_, before, now)) and all(map(is_, before.values(), now.values())):
        return True
    if ordered:
        return all(map(alike, before, now)) and all(map(alike, before.values(), now.values()))
    return not changes(before, now, ordered=False)


def changes(before: Any, now: Any, *, ordered: bool = True) -> list[tuple[Any, Any, Any]]:
    """What differs: (key or place, what was there, what is there).

    The key is ABSENT where the contents differ as a whole.
    """
    if type(before) is not type(now):
        return [(ABSENT, before, now)]
    if type(before) is dict:
        ours = {_token(key): (key, value) for key, value in before.items()}
        theirs = {_token(key): (key, value) for key, value in now.items()}
        found = [
            (key, value, theirs[token][1] if token in theirs else ABSENT)
            for token, (key, value) in ours.items()
            if token not in theirs or not alike(value, theirs[token][1])
        ]
        found += [
            (key, ABSENT, value) for token, (key, value) in theirs.items() if token not in ours
        ]
        if found or not ordered or list(ours) == list(theirs):
            return found
    elif type(before) is list and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [(place, old, new) for place, (old, new) in pairs if not alike(old, new)]
    return [] if same_contents(before, now) else [(ABSENT, before, now)]


def members(contents: Contents) -> Iterable[Any]:
    """Every object in a home."""
    if type(contents) is dict:
        values = contents.values()
        return values if _TEXT.issuperset(map(id, map(type, contents))) else [*values, *contents]
    return () if type(contents) is bytes else contents


_TEXT = {id(str)}


def key_of(contents: Contents, it: object) -> Any:
    """The key or place at which an object is; ABSENT where that cannot be said."""
    if type(contents) is dict:
        return next((key for key, value in contents.items() if value is it), ABSENT)
    if type(contents) is list:
        return next((place for place, value in enumerate(contents) if value is it), ABSENT)
    return ABSENT


def put_in_place(contents: Contents, old: object, new: object) -> bool:
    """Put one object in the place of another, wherever it is. Whether it was anywhere."""
    if type(contents) is dict:
        places: list[Any] = [key for key, value in contents.items() if value is old]
    elif type(contents) is list:
        places = [place for place, value in enumerate(contents) if value is old]
    else:
        return False
    for place in places:
        contents[place] = new
    return bool(places)


# Homes


class Home:
    """One kind of home."""

    is_fixed = False
    """Whether nothing can change it: it is only gone through."""
    names_itself = False
    """Whether its labels say all that there is to say of where it is."""
    is_all = False
    """Whether an object that has it has nothing else to see."""
    ordered = True
    """Whether the order of its keys means something."""

    def read(self, it: Any) -> Contents:
        """What is in it now."""
        raise NotImplementedError

    def write(self, it: Any, contents: Any) -> None:
        """Put back what was in it. Where that cannot be done, it stays as it is."""

    def is_unchanged(self, it: Any, contents: Any) -> bool:
        """Whether in it is what was in it."""
        return same_contents(contents, self.read(it), ordered=self.ordered)

    def label(self, key: Any) -> str:
        """How the path goes on to what is at a key or place."""
        return f"[{shown(key)}]"

    def copied(self, contents: Any) -> Any:
        """What can take its place where it cannot be put back; None where nothing can."""
        return None


class Namespace(Home):
    """A dict of names that attributes are kept in: that of a module, or of an instance."""

    ordered = False

    def __init__(self, get: Callable[[Any], dict[str, Any]]) -> None:
        self._get = get

    def read(self, it: Any) -> dict[Any, Any]:
        found = self._get(it).copy()
        if not CACHES.isdisjoint(found):
            for name in CACHES:
                found.pop(name, None)
        if "_flag_mask_" in found:
            # Of flags: members that are combinations of others, kept once they are met.
            found.pop("_value2member_map_", None)
        if "_value_" in found and "_name_" in found:
            found.pop("_inverted_", None)  # of members of flags: what `~` has given
        annotations = found.get("__annotations__")
        if type(annotations) is dict and not annotations:
            del found["__annotations__"]  # it is made when somebody asks
        return found

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        namespace = self._get(it)
        for name, was, _ in changes(contents, self.read(it), ordered=False):
            if was is ABSENT:
                del namespace[name]
            else:
                namespace[name] = was

    def label(self, key: Any) -> str:
        return f".{key}" if type(key) is str else super().label(key)


def _submodule(name: object, value: object) -> bool:
    is_module = derives(type(value), types.ModuleType)
    return is_module and str(MODULE_DICT(value).get("__name__")).endswith(f".{name}")  # type: ignore[arg-type]


class ModuleNamespace(Namespace):
    """The globals of a module. A submodule appears in it when somebody imports that."""

    def __init__(self) -> None:
        super().__init__(lambda namespace: namespace)

    def is_unchanged(self, it: Any, contents: dict[str, Any]) -> bool:
        now = self.read(it)
        if len(now) > len(contents):
            for name in now.keys() - contents.keys():
                if _submodule(name, now[name]):
                    contents[name] = now[name]
        return same_contents(contents, now, ordered=False)


class ClassNamespace(Namespace):
    """What is in the body of a class."""

    def __init__(self) -> None:
        super().__init__(CLASS_DICT)

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        for name, was, _ in changes(contents, self.read(it), ordered=False):
            if was is ABSENT:
                type.__delattr__(it, name)
            else:
                type.__setattr__(it, name, was)


class Slots(Home):
    """The slots of an instance, empty or not; of a type in C, its fields."""

    def __init__(self, slots: list[Any]) -> None:
        self._slots = slots

    def read(self, it: Any) -> list[Any]:
        found = []
        for slot in self._slots:
            try:
                found.append(slot.__get__(it))
            except AttributeError:
                found.append(ABSENT)
        return found

    def write(self, it: Any, contents: list[Any]) -> None:
        for slot, was, now in zip(self._slots, contents, self.read(it), strict=True):
            if was is not now:
                try:
                    slot.__delete__(it) if was is ABSENT else slot.__set__(it, was)
                except (AttributeError, TypeError):
                    continue  # one that only C writes

    def label(self, key: Any) -> str:
        return f".{self._slots[key].__name__}"


_FUNCTION = (
    "__code__", "__defaults__", "__doc__", "__kwdefaults__", "__module__", "__name__",
    "__qualname__",
)  # fmt: skip
_parts_of_function = attrgetter(*_FUNCTION)


class Function(Home):
    """A function: its code, the defaults of its parameters, its cells."""

    ordered = False

    def read(self, it: types.FunctionType) -> dict[str, Any]:
        found = dict(zip(_FUNCTION, _parts_of_function(it), strict=True))
        for name, cell in zip(it.__code__.co_freevars, it.__closure__ or (), strict=False):
            found[f"__closure__[{name!r}]"] = cell
        return found

    def write(self, it: types.FunctionType, contents: dict[str, Any]) -> None:
        for name in _FUNCTION:
            setattr(it, name, contents[name])

    def label(self, key: Any) -> str:
        return f".{key}"


class Copy(Function):
    """What stands for a function, with its dicts, which nothing else has."""

    _DICTS = ("__annotations__", "__globals__", "__kwdefaults__")

    def read(self, it: types.FunctionType) -> dict[str, Any]:
        found = super().read(it)
        for name in self._DICTS:
            found.update({f"{name}[{key!r}]": each for key, each in self._items(it, name)})
        return found

    def write(self, it: types.FunctionType, contents: dict[str, Any]) -> None:
        super().write(it, contents)
        for name in self._DICTS:
            names: dict[str, Any] = getattr(it, name) or {}
            for key, _ in self._items(it, name):
                label = f"{name}[{key!r}]"
                if label in contents:
                    names[key] = contents[label]
                else:
                    del names[key]

    def _items(self, it: types.FunctionType, name: str) -> list[tuple[str, Any]]:
        return [*(getattr(it, name) or {}).items()]


class Cell(Home):
    """A variable of a function that functions within it use."""

    def read(self, it: types.CellType) -> list[Any]:
        try:
            return [it.cell_contents]
        except ValueError:
            return [ABSENT]

    def write(self, it: types.CellType, contents: list[Any]) -> None:
        if contents[0] is not ABSENT:
            it.cell_contents = contents[0]
        elif self.read(it)[0] is not ABSENT:
            del it.cell_contents

    def label(self, key: Any) -> str:
        return ""


class Parts(Home):
    """What an immutable object is made of."""

    is_fixed = True

    def __init__(self, read: Callable[[Any], list[Any]], label: str = "[{}]") -> None:
        self._read = read
        self._label = label

    def read(self, it: Any) -> list[Any]:
        return self._read(it)

    def label(self, key: Any) -> str:
        return self._label.format(shown(key))


class DictItems(Home):
    """A dict, and all that derives from it."""

    def read(self, it: Any) -> dict[Any, Any]:
        return dict.copy(it)

    def is_unchanged(self, it: Any, contents: dict[Any, Any]) -> bool:
        if dict.__len__(it) != len(contents):
            return False
        if all(map(is_, dict.values(it), contents.values())) and all(
            map(is_, dict.keys(it), contents)
        ):
            return True
        return super().is_unchanged(it, contents)

    def write(self, it: Any, contents: dict[Any, Any]) -> None:
        dict.clear(it)
        dict.update(it, contents)


class ViewedItems(Home):
    """A dict whose class iterates in its own way: copying it would run that."""

    def read(self, it: Any) -> Contents:
        keys, values = [*self._keys(it)], [*dict.values(it)]
        if all(map(_hashes_natively, keys)):
            return dict(zip(keys, values, strict=True))
        return [*keys, *values]

    def _keys(self, it: Any) -> Iterable[Any]:
        return dict.keys(it)

    def write(self, it: Any, contents: Any) -> None:
        if type(contents) is dict:
            dict.clear(it)
            dict.update(it, contents)


class OrderedItems(ViewedItems):
    """An `OrderedDict`: what it is in order by is not the dict beneath."""

    def read(self, it: Any) -> Contents:
        found = super().read(it)
        if type(found) is dict:
            return {key: found[key] for key in OrderedDict.keys(it)}
        return found

    def write(self, it: Any, contents: Any) -> None:
        if type(contents) is dict:
            OrderedDict.clear(it)
            for key, value in contents.items():
                OrderedDict.__setitem__(it, key, value)


def _hashes_natively(key: object) -> bool:
    """Whether no Python code says what a key is equal to."""
    kind = type(key)
    if kind is tuple or kind is frozenset:
        return all(map(_hashes_natively, key))  # type: ignore[call-overload]
    return all(
        type(inherited(kind, name)) is not types.FunctionType for name in ("__hash__", "__eq__")
    )


def inherited(kind: type, name: str) -> Any:
    """What a class has under a name, from itself or a base."""
    bodies = map(CLASS_DICT, MRO(kind))
    return next((body[name] for body in bodies if name in body), None)


class ListItems(Home):
    """A list, and all that derives from it."""

    def read(self, it: Any) -> list[Any]:
        return list.copy(it)

    def is_unchanged(self, it: Any, contents: list[Any]) -> bool:
        return list.__len__(it) == len(contents) and (
            all(map(is_, list.__iter__(it), contents))
            or all(map(alike, list.__iter__(it), contents))
        )

    def write(self, it: Any, contents: list[Any]) -> None:
        list.__setitem__(it, slice(None), contents)


class SetItems(Home):
    """A set, and all that derives from it."""

    def read(self, it: Any) -> set[Any]:
        found: set[Any] = set()
        set.update(found, it)  # from a set, or what derives from it: the hashes are there
        return found

    def write(self, it: Any, contents: set[Any]) -> None:
        set.clear(it)
        set.update(it, contents)

    def label(self, key: Any) -> str:
        return "{...}"


class DequeItems(Home):
    """A deque, and all that derives from it."""

    def read(self, it: Any) -> list[Any]:
        return [*deque.__iter__(it)]

    def write(self, it: Any, contents: list[Any]) -> None:
        deque.clear(it)
        deque.extend(it, contents)


class Bytes(Home):
    """A bytearray."""

    def read(self, it: Any) -> bytes:
        return bytes(bytearray.copy(it))

    def write(self, it: Any, contents: bytes) -> None:
        bytearray.__setitem__(it, slice(None), contents)


def put_back_class(it: object, kind: type) -> None:
    """Make an object an instance of the class again that it was one of."""
    _SET_CLASS(it, kind)


# Words


def shown(value: object, depth: int = 2) -> str:
    """A value as a reader of Python would write it, shortened; no code of the user's writes it."""
    kind = type(value)
    if value is ABSENT:
        return "absent"
    if id(kind) in _SPEAKING:
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if id(kind) in _BRACKETED:
        return _shown_items(value, depth)
    if derives(kind, type):
        return CLASS_NAME(value)  # type: ignore[arg-type]
    if kind is types.FunctionType or kind is types.BuiltinFunctionType:
        return value.__qualname__  # type: ignore[attr-defined]
    if kind is types.ModuleType:
        return f"<module {MODULE_DICT(value).get('__name__')}>"  # type: ignore[arg-type]
    return f"<{CLASS_NAME(kind)}>"


_SPEAKING = {*map(id, (int, str, bytes, bool, float, complex, type(None), range, type(...)))}
_BRACKETED = {*map(id, (list, tuple, dict, set, frozenset))}


def _shown_items(value: Any, depth: int) -> str:
    items = [*value.items()] if type(value) is dict else [*value]
    few = items[:4] if depth else []
    if type(value) is dict:
        parts = [f"{shown(key, depth - 1)}: {shown(item, depth - 1)}" for key, item in few]
    else:
        parts = [shown(item, depth - 1) for item in few]
    if len(few) < len(items):
        parts.append("...")
    inside = ", ".join(parts)
    if type(value) is list:
        return f"[{inside}]"
    if type(value) is tuple:
        return f"({inside},)" if len(items) == 1 else f"({inside})"
    if type(value) is dict or items:
        return f"{{{inside}}}"
    return "set()"
