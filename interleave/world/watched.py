"""Types in C that keep something of their own: how that is looked at, and put back.

They are known by name, so that no module is imported for a model that does not use it.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from interleave.world.homes import (
    ABSENT,
    Contents,
    Home,
    Namespace,
    alike,
    changes,
    name_of_class,
)


class Watched(Home):
    """What a type keeps: a dict by how somebody would ask for it, such as `.locked()`."""

    ordered = False

    def __init__(self, base: Any) -> None:
        self.base = base
        """The type, of which methods are called in place of those of the object."""

    def label(self, key: Any) -> str:
        return str(key)


class _Lock(Watched):
    def read(self, it: Any) -> dict[str, Any]:
        return {".locked()": self.base.locked(it)}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        if contents[".locked()"]:
            self.base.acquire(it, False)
        else:
            self.base.release(it)


class _RLock(Watched):
    def read(self, it: Any) -> dict[str, Any]:
        return {".held": self._held(it)}

    def _held(self, it: Any) -> int:
        if not self.base._is_owned(it):
            return 0
        state = self.base._release_save(it)
        self.base._acquire_restore(it, state)
        count: int = state[0]
        return count

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        if self.base._is_owned(it):
            self.base._release_save(it)
        for _ in range(contents[".held"]):
            self.base.acquire(it, False)


class _SemLock(Watched):
    """The semaphore of `multiprocessing`, which is beneath all of its locks."""

    def read(self, it: Any) -> dict[str, Any]:
        if it.kind == self._RECURSIVE:
            return {".held": self.base._count(it)}
        return {".get_value()": self.base._get_value(it)}

    _RECURSIVE = 0

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        (name, wanted), *_ = contents.items()
        taking = (self.read(it)[name] > wanted) != (name == ".held")
        while self.read(it)[name] != wanted:
            try:
                done = self.base.acquire(it, False) if taking else self.base.release(it) is None
            except (ValueError, AssertionError):
                return  # of another thread
            if not done:
                return


class _SimpleQueue(Watched):
    """What is in it can only be seen by taking it out."""

    def read(self, it: Any) -> list[Any]:
        found = [self.base.get_nowait(it) for _ in range(self.base.qsize(it))]
        for each in found:
            self.base.put(it, each)
        return found

    def write(self, it: Any, contents: list[Any]) -> None:
        for _ in range(self.base.qsize(it)):
            self.base.get_nowait(it)
        for each in contents:
            self.base.put(it, each)

    def label(self, key: Any) -> str:
        return f".queue[{key}]"


class _File(Watched):
    """A file in memory."""

    is_all = True

    def read(self, it: Any) -> dict[str, Any]:
        try:
            return {".getvalue()": self.base.getvalue(it), ".tell()": self.base.tell(it)}
        except ValueError:
            return {".closed": True}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        if ".closed" in contents:
            self.base.close(it)
            return
        try:
            self.base.seek(it, 0)
        except ValueError:
            return  # closed: nothing opens it again
        self.base.truncate(it)
        self.base.write(it, contents[".getvalue()"])
        self.base.seek(it, contents[".tell()"])


class _Random(Watched):
    def read(self, it: Any) -> dict[str, Any]:
        return {".getstate()": self.base.getstate(it)}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        self.base.setstate(it, contents[".getstate()"])


class _ContextVar(Watched):
    def read(self, it: Any) -> dict[str, Any]:
        return {".get()": self.base.get(it, ABSENT)}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        if contents[".get()"] is not ABSENT:
            self.base.set(it, contents[".get()"])


class _Reference(Watched):
    def read(self, it: Any) -> list[Any]:
        return [self.base.__call__(it)]

    def label(self, key: Any) -> str:
        return "()"


class _Cache(Watched):
    """`functools.lru_cache`."""

    def read(self, it: Any) -> dict[str, Any]:
        hits, misses, most, size = self.base.cache_info(it)
        return {".hits": hits, ".misses": misses, ".maxsize": most, ".currsize": size}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        if not (contents[".hits"] or contents[".misses"] or contents[".currsize"]):
            self.base.cache_clear(it)

    def label(self, key: Any) -> str:
        return f".cache_info(){key}"


class _Generator(Watched):
    """A generator or coroutine: where it is, and its variables."""

    is_all = True

    def read(self, it: Any) -> dict[str, Any]:
        frame = next(
            getattr(it, name) for name in ("gi_frame", "cr_frame", "ag_frame") if hasattr(it, name)
        )
        if frame is None:
            return {" (a generator)": "ended"}
        return {" (a generator)": f"at instruction {frame.f_lasti}", **dict(frame.f_locals)}

    def label(self, key: Any) -> str:
        return key if key.startswith(" ") else f"'s variable {key}"


class _Memory(Watched):
    """Memory of `ctypes`, that which processes share included."""

    def read(self, it: Any) -> bytes:
        return memoryview(it).tobytes()

    def write(self, it: Any, contents: bytes) -> None:
        ctypes = sys.modules["ctypes"]
        ctypes.memmove(ctypes.addressof(it), contents, len(contents))


class _Array(Watched):
    """An `array.array`."""

    def read(self, it: Any) -> list[Any]:
        return self.base.tolist(it)

    def write(self, it: Any, contents: list[Any]) -> None:
        typecode = self.base.__dict__["typecode"].__get__(it)
        self.base.__setitem__(it, slice(None), self.base(typecode, contents))

    def label(self, key: Any) -> str:
        return f"[{key}]"


class _NumpyArray(Watched):
    def read(self, it: Any) -> Contents:
        if self._field("dtype", it).hasobject:
            return [*self._field("flat", it)]
        return self.base.tobytes(it)

    def write(self, it: Any, contents: Any) -> None:
        numpy = sys.modules["numpy"]
        if type(contents) is bytes:
            saved = numpy.frombuffer(contents, self._field("dtype", it))
            self.base.__setitem__(it, ..., saved.reshape(self._field("shape", it)))
            return
        for place, each in enumerate(contents):
            self._field("flat", it)[place] = each

    def _field(self, name: str, it: Any) -> Any:
        return self.base.__dict__[name].__get__(it)

    def label(self, key: Any) -> str:
        return f".flat[{key}]"


class _DecimalContext(Watched):
    """A context of `decimal`. That an operation was not exact is noted in it, and harmless."""

    is_all = True

    def read(self, it: Any) -> dict[str, Any]:
        found = {f".{name}": getattr(it, name) for name in self._NAMES}
        traps = [kind.__name__ for kind, on in it.traps.items() if on]
        return {**found, ".traps": ", ".join(sorted(traps))}

    _NAMES = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        for name in self._NAMES:
            setattr(it, name, contents[f".{name}"])
        traps = contents[".traps"].split(", ")
        for kind in it.traps:
            it.traps[kind] = kind.__name__ in traps


class _Logger(Watched):
    """A logger. Which levels it has asked its parents for is a cache."""

    is_all = True
    fields = ("level", "disabled", "propagate", "handlers", "filters")

    def read(self, it: Any) -> dict[str, Any]:
        names = object.__getattribute__(it, "__dict__")
        return {f".{name}": names[name] for name in self.fields}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        for name in self.fields:
            object.__setattr__(it, name, contents[f".{name}"])


class _Error(Watched):
    """An exception. Where it was raised last is nothing that a program goes by."""

    def read(self, it: Any) -> dict[str, Any]:
        return {".args": self.base.args.__get__(it)}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        self.base.args.__set__(it, contents[".args"])


class _Iterator(Watched):
    """An iterator of Python's own: what it would be pickled as."""

    is_all = True

    def read(self, it: Any) -> list[Any]:
        return [*_reduced(it, self.base)]

    def is_unchanged(self, it: Any, contents: Any) -> bool:
        return _same_iterator(contents, self.read(it))

    def write(self, it: Any, contents: Any) -> None:
        place = contents[2] if len(contents) > 2 else 0
        if hasattr(self.base, "__setstate__") and type(place) is int:
            self.base.__setstate__(it, place)

    def copied(self, contents: Any) -> Any:
        if not contents:
            return None
        made = contents[0](*contents[1])
        if len(contents) > 2 and contents[2] is not None:
            self.base.__setstate__(made, contents[2])
        return made

    def label(self, key: Any) -> str:
        return " (an iterator)"


def _reduced(it: Any, base: Any) -> tuple[Any, ...]:
    """What an iterator would be pickled as: a function, its arguments, where it is.

    () where Python does not say.
    """
    try:
        with warnings.catch_warnings():
            if base.__module__ == "itertools":
                warnings.simplefilter("ignore", DeprecationWarning)
            found = base.__reduce__(it)
    except (TypeError, AttributeError):
        return ()
    return found if type(found) is tuple else ()


def _same_iterator(before: Any, now: Any) -> bool:
    """Whether two iterators, pickled, would go on in the same way."""
    if alike(before, now):
        return True
    kind = type(before)
    if kind is not type(now):
        return False
    if kind is list or kind is tuple:
        return len(before) == len(now) and all(map(_same_iterator, before, now))
    if _is_iterator(name_of_class(kind)):
        return _same_iterator(_reduced(before, kind), _reduced(now, kind))
    return False


_ITERATORS = {
    f"builtins.{name}"
    for name in (
        "list_iterator", "list_reverseiterator", "tuple_iterator", "str_iterator",
        "str_ascii_iterator", "bytes_iterator", "bytearray_iterator", "range_iterator",
        "longrange_iterator", "set_iterator", "dict_keyiterator", "dict_valueiterator",
        "dict_itemiterator", "dict_reversekeyiterator", "dict_reversevalueiterator",
        "dict_reverseitemiterator", "enumerate", "zip", "map", "filter", "reversed",
        "callable_iterator", "iterator",
    )
}  # fmt: skip

_WATCHED: dict[str, Callable[[Any], Watched]] = {
    **dict.fromkeys(
        ("builtins.generator", "builtins.coroutine", "builtins.async_generator"), _Generator
    ),
    "_thread.lock": _Lock,
    "_thread.RLock": _RLock,
    "_multiprocessing.SemLock": _SemLock,
    "_queue.SimpleQueue": _SimpleQueue,
    "_io.StringIO": _File,
    "_io.BytesIO": _File,
    "_random.Random": _Random,
    "_contextvars.ContextVar": _ContextVar,
    "weakref.ReferenceType": _Reference,
    "functools._lru_cache_wrapper": _Cache,
    "_ctypes._CData": _Memory,
    "array.array": _Array,
    "numpy.ndarray": _NumpyArray,
    "decimal.Context": _DecimalContext,
    "logging.Logger": _Logger,
    "builtins.BaseException": _Error,
}


def home(base: type) -> Home | None:
    """Where a type keeps something that only it can look at; None where it does not."""
    name = name_of_class(base)
    if name == "_thread._local":
        of_thread: Any = base
        return Namespace(lambda it: of_thread.__getattribute__(it, "__dict__"))
    make = _Iterator if _is_iterator(name) else _WATCHED.get(name)
    return None if make is None else make(base)


def _is_iterator(name: str) -> bool:
    return name in _ITERATORS or name.startswith("itertools.")


# What code can reach without holding it


class _Current(Watched):
    """The context of `decimal` that this thread has now."""

    names_itself = True

    def read(self, it: Any) -> dict[str, Any]:
        return {"decimal.getcontext()": it.getcontext()}

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        it.setcontext(contents["decimal.getcontext()"])


class _Environment(Watched):
    """The variables that this process was given."""

    names_itself = True

    def read(self, it: Any) -> dict[Any, Any]:
        return {it.decodekey(key): it.decodevalue(value) for key, value in it._data.items()}

    def write(self, it: Any, contents: dict[Any, Any]) -> None:
        for name, was, _ in changes(contents, self.read(it)):
            if was is ABSENT:
                del it[name]
            else:
                it[name] = was

    def label(self, key: Any) -> str:
        return f"os.environ[{key!r}]"


class _Loggers(Watched):
    """All loggers: what of them is not as it is in the beginning."""

    names_itself = True

    def read(self, it: Any) -> dict[str, Any]:
        found: dict[str, Any] = {"logging.disable": it.disable}
        loggers = {"root": it.root, **it.loggerDict}
        for name, logger in loggers.items():
            names = object.__getattribute__(logger, "__dict__")
            for field, usual in self._USUAL.items():
                value = self._value(names, field)
                if value != usual:
                    found[f"logging.getLogger({name!r}).{field}"] = value
        return found

    _USUAL: ClassVar[dict[str, Any]] = {
        "level": 0, "disabled": False, "propagate": True, "handlers": (), "filters": ()
    }  # fmt: skip

    def write(self, it: Any, contents: dict[str, Any]) -> None:
        it.disable = contents["logging.disable"]
        loggers = {"root": it.root, **it.loggerDict}
        for name, logger in loggers.items():
            names = object.__getattribute__(logger, "__dict__")
            for field, usual in self._USUAL.items():
                value = contents.get(f"logging.getLogger({name!r}).{field}", usual)
                if field in names and self._value(names, field) != value:
                    names[field] = list(value) if type(value) is tuple else value
            names.get("_cache", {}).clear()

    def _value(self, names: dict[str, Any], field: str) -> Any:
        value = names.get(field, self._USUAL[field])
        return tuple(value) if type(value) is list else value


def reached_by_name(names: set[str]) -> list[tuple[object, Home]]:
    """What functions of the standard library give to whoever asks, of those with such names."""
    found: list[tuple[object, Home]] = []
    if names & {"environ", "environb", "getenv", "putenv", "unsetenv"}:
        found.append((os.environ, _Environment(None)))
    if "decimal" in sys.modules and names & {"getcontext", "setcontext", "localcontext"}:
        found.append((sys.modules["decimal"], _Current(None)))
    if "logging" in sys.modules and names & {"getLogger", "logging", "getLevelName"}:
        found.append((sys.modules["logging"].Logger.manager, _Loggers(None)))
    return found
