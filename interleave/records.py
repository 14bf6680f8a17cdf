"""`@dataclass(frozen=True)` at a quarter of its price, for classes that every start makes.

The original writes and compiles six methods for each class. Here it writes `__init__` alone, when
the first instance is made, and all classes share the others: few of them are used in any one check.
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
        made = dataclasses.dataclass(init=False, eq=False, repr=False)(cls)
        made.__dataclass_params__.frozen = made.__dataclass_params__.init = True
        if "__init__" not in own:
            made.__init__ = _begun(made)
        for name, method in vars(_Frozen).items():
            if callable(method) and name not in own:
                setattr(made, name, method)
        return made

    def _begun(made):
        """An `__init__` that has the one of a dataclass written, which takes its place."""

        def begin(self, *values, **named):
            made.__init__ = _written(made)
            made.__init__(self, *values, **named)

        return begin

    def _written(made):
        """What the original writes for a class with the same fields."""
        body = {"__module__": made.__module__, "__qualname__": made.__qualname__, "__doc__": ""}
        body["__annotations__"] = {each.name: each.type for each in dataclasses.fields(made)}
        for each in dataclasses.fields(made):
            if each.default is not dataclasses.MISSING:
                body[each.name] = each.default
            elif each.default_factory is not dataclasses.MISSING:
                body[each.name] = dataclasses.field(default_factory=each.default_factory)
        return dataclasses.dataclass(eq=False, repr=False)(type(made.__name__, (), body)).__init__

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
