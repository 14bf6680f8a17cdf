"""`@dataclass(frozen=True)` at a quarter of its price, for classes that every start makes.

The original writes and compiles six methods for each class. Here it writes `__init__` alone, and
all classes share the others. With some forty classes, that takes 10 ms off the shortest check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses

    def dataclass(*, frozen):
        """What `dataclasses.dataclass(frozen=True)` gives. Fields have no options but a default."""
        assert frozen
        return _frozen

    def _frozen(cls):
        own = set(vars(cls))
        made = dataclasses.dataclass(eq=False, repr=False)(cls)
        made.__dataclass_params__.frozen = True
        for name, method in vars(_Frozen).items():
            if callable(method) and name not in own:
                setattr(made, name, method)
        return made

    class _Frozen:
        """The methods of all frozen dataclasses."""

        def __setattr__(self, name, value):
            if name in vars(self) or name not in self.__dataclass_fields__:
                raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
            vars(self)[name] = value  # for the first time: this is `__init__`

        def __delattr__(self, name):
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

        def __eq__(self, other):
            return _values(self) == _values(other) if type(other) is type(self) else NotImplemented

        def __hash__(self):
            return hash(_values(self))

        def __repr__(self):
            named = zip(self.__dataclass_fields__, _values(self), strict=True)
            shown = ", ".join(f"{name}={value!r}" for name, value in named)
            return f"{type(self).__qualname__}({shown})"

    def _values(record):
        return tuple([getattr(record, name) for name in record.__dataclass_fields__])
