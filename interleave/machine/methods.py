"""Operators of a class of the model's, block by block.

What stands here does what CPython does (Objects/abstract.c, Objects/typeobject.c), and has a thread
come to the frames of the methods. `by_blocks` says which of it an operation comes to, if any.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from interleave.compiler import names, operators
from interleave.compiler.generators import is_generator
from interleave.compiler.operators import END, REFLECTED, SYMBOLS
from interleave.machine import attributes
from interleave.memory import cursors
from interleave.memory.primitive import in_place_of_c
from interleave.memory.values import is_plain_object
from interleave.world.twins import method_of, twin_of

# Helpers, which run within a block of what is below.


def method(value: Any, name: str) -> types.MethodType:
    """A method that the class of a value defines, as it stands in the class."""
    function = method_of(value, f"__{name}__")
    assert function is not None
    return types.MethodType(function, value)


def half(value: Any, name: str) -> Callable[[Any], Any]:
    """What the left operand makes of the right one: `value.__add__`; perhaps `NotImplemented`.

    The name is "add", or "add=" where that stands in for `__iadd__`.
    """
    name = name.removesuffix("=")
    if (function := _half(value, name)) is not None:
        return types.MethodType(function, value)
    slot = getattr(type(value), f"__{name}__", None)
    return _gives_nothing if slot is None else functools.partial(slot, value)


def _half(value: Any, name: str) -> types.FunctionType | None:
    """The function in Python by which an operand does that; None if it has none."""
    found = method_of(value, f"__{name}__")
    slot: Any = type(value).__ne__
    is_inherited = name == "ne" and slot is object.__ne__
    if found is None and is_inherited and method_of(value, "__eq__") is not None:
        return _is_unequal  # type: ignore[return-value]
    return found


def _gives_nothing(_: Any) -> Any:
    return NotImplemented


def other_half(value: Any, name: str) -> Callable[[Any], Any]:
    """What the right one of them makes of the left one: `value.__radd__`."""
    return half(value, REFLECTED[name.removesuffix("=")])


def unsupported(name: str, left: Any, right: Any) -> TypeError:
    """What Python raises where no operand can do it."""
    symbol = SYMBOLS[name.removesuffix("=")]
    if name.endswith("="):
        symbol = f"{symbol.removesuffix(' or pow()')}="
    names = f"{type(left).__name__!r} and {type(right).__name__!r}"
    return TypeError(f"unsupported operand type(s) for {symbol}: {names}")


def compared_by_none(name: str, left: Any, right: Any) -> bool:
    """What a comparison gives that neither operand defines. Raises the `TypeError` of Python's."""
    if name in ("eq", "ne"):
        return (left is right) == (name == "eq")
    names = f"{type(left).__name__!r} and {type(right).__name__!r}"
    raise TypeError(f"{SYMBOLS[name]!r} not supported between instances of {names}")


def checked(function: Any, result: Any) -> Any:
    """What a built-in function makes of what the method gives that it comes to."""
    return function(_Giving(result))


class _Giving:
    """An object whose methods give a value."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def _give(self) -> Any:
        return self.value

    __abs__ = __bool__ = __float__ = __int__ = __iter__ = __len__ = __repr__ = __str__ = _give


def iterator_of(made: Any) -> Any:
    """What `__iter__` gave, as a state can hold it. Raises the `TypeError` of Python's."""
    if not hasattr(type(made), "__next__"):
        raise TypeError(f"iter() returned non-iterator of type {type(made).__name__!r}")
    return made if is_plain_object(made) else cursors.cursor(made)


@in_place_of_c
def _get_item_by_method(container: Any, key: Any) -> Any:
    return method(container, "getitem")(key)


@in_place_of_c
def _set_item_by_method(value: Any, container: Any, key: Any) -> None:
    method(container, "setitem")(key, value)


@in_place_of_c
def _delete_item_by_method(container: Any, key: Any) -> None:
    method(container, "delitem")(key)


@in_place_of_c
def _unary_by_method(name: str, operand: Any) -> Any:
    return method(operand, name)()


@in_place_of_c
def _by_left(name: str, left: Any, right: Any) -> Any:
    result = half(left, name)(right)
    if result is NotImplemented:
        raise unsupported(name, left, right)
    return result


@in_place_of_c
def _by_left_first(name: str, left: Any, right: Any) -> Any:
    result = half(left, name)(right)
    if result is NotImplemented:
        result = other_half(right, name)(left)
        if result is NotImplemented:
            raise unsupported(name, left, right)
    return result


@in_place_of_c
def _by_right_first(name: str, left: Any, right: Any) -> Any:
    result = other_half(right, name)(left)
    if result is NotImplemented:
        result = half(left, name)(right)
        if result is NotImplemented:
            raise unsupported(name, left, right)
    return result


@in_place_of_c
def _compare_by_left_first(name: str, left: Any, right: Any) -> Any:
    result = half(left, name)(right)
    if result is NotImplemented:
        result = other_half(right, name)(left)
        if result is NotImplemented:
            return compared_by_none(name, left, right)
    return result


@in_place_of_c
def _compare_by_right_first(name: str, left: Any, right: Any) -> Any:
    result = other_half(right, name)(left)
    if result is NotImplemented:
        result = half(left, name)(right)
        if result is NotImplemented:
            return compared_by_none(name, left, right)
    return result


@in_place_of_c
def _is_unequal(self: Any, other: Any) -> Any:
    result = half(self, "eq")(other)
    if result is NotImplemented:
        return result
    return not result


def without_in_place(name: str, left: Any, right: Any) -> Callable[..., Any]:
    """What does what `+=` does where there is no `__iadd__`, or that gives nothing."""
    return _choose_binary(name, left, right) or _added_in_c


def _added_in_c(name: str, left: Any, right: Any) -> Any:
    plain = name.removesuffix("=")
    try:
        return operators.binary(plain, left, right)
    except TypeError as error:
        if str(error) == str(unsupported(plain, left, right)):
            raise unsupported(name, left, right) from None
        raise


@in_place_of_c
def _in_place(name: str, left: Any, right: Any) -> Any:
    return without_in_place(name, left, right)(f"{name}=", left, right)


@in_place_of_c
def _in_place_by_method(name: str, left: Any, right: Any) -> Any:
    result = method(left, f"i{name}")(right)
    if result is NotImplemented:
        result = without_in_place(name, left, right)(f"{name}=", left, right)
    return result


@in_place_of_c
def _contains_by_method(item: Any, container: Any) -> bool:
    return bool(method(container, "contains")(item))


@in_place_of_c
def _contains_by_items(item: Any, container: Any) -> bool:
    return any(each is item or each == item for each in container)


@in_place_of_c
def _truth_by_method(value: Any) -> bool:
    return checked(bool, method(value, "bool")())


@in_place_of_c
def _truth_by_length(value: Any) -> bool:
    return checked(len, method(value, "len")()) != 0


@in_place_of_c
def _length(value: Any) -> Any:
    return checked(len, method(value, "len")())


@in_place_of_c
def _absolute(value: Any) -> Any:
    return checked(abs, method(value, "abs")())


@in_place_of_c
def _as_float(value: Any) -> Any:
    return checked(float, method(value, "float")())


@in_place_of_c
def _as_int(value: Any) -> Any:
    return checked(int, method(value, "int")())


@in_place_of_c
def _shown(value: Any) -> Any:
    return checked(repr, method(value, "repr")())


@in_place_of_c
def _as_text(value: Any) -> Any:
    return checked(str, method(value, "str")())


@in_place_of_c
def _cursor_by_method(iterable: Any) -> Any:
    return iterator_of(method(iterable, "iter")())


@in_place_of_c
def _next_by_method(iterator: Any) -> Any:
    return method(iterator, "next")()


@in_place_of_c
def _item_or_end(iterator: Any) -> Any:
    try:
        return iterator.__next__()
    except StopIteration:
        return END


@in_place_of_c
def _next_or(iterator: Any, default: Any, /) -> Any:
    try:
        return iterator.__next__()
    except StopIteration:
        return default


# Which of them, if any.

_Choice = Callable[..., Any] | None

_NUMBERS = (int, float, bool, complex, type(None))
"""Types that give `NotImplemented` to what they do not know."""


def _choose_binary(name: str, left: Any, right: Any) -> _Choice:
    reflected = REFLECTED[name]
    if method_of(left, f"__{name}__") is None and method_of(right, f"__{reflected}__") is None:
        return None
    if not (_takes_part(left, name) and _takes_part(right, reflected)):
        return None
    first, second = twin_of(type(left)), twin_of(type(right))
    if first is second:
        return _by_left
    is_overloaded = method_of(right, f"__{reflected}__") is not method_of(left, f"__{reflected}__")
    return _by_right_first if first in second.__mro__ and is_overloaded else _by_left_first


def _takes_part(value: Any, name: str) -> bool:
    """Whether it is known what an operand makes of the other one: sequences come last in C, too."""
    if type(value) in _NUMBERS or method_of(value, f"__{name}__") is not None:
        return True
    return not hasattr(type(value), f"__{name}__")


def _choose_in_place(name: str, left: Any, right: Any) -> _Choice:
    if method_of(left, f"__i{name}__") is not None:
        return _in_place_by_method
    if hasattr(type(left), f"__i{name}__") or _choose_binary(name, left, right) is None:
        return None
    return _in_place


def _choose_compare(name: str, left: Any, right: Any) -> _Choice:
    if _half(left, name) is None and _half(right, REFLECTED[name]) is None:
        return None
    first, second = twin_of(type(left)), twin_of(type(right))
    is_derived = first is not second and first in second.__mro__
    return _compare_by_right_first if is_derived else _compare_by_left_first


def _choose_contains(item: Any, container: Any) -> _Choice:
    if method_of(container, "__contains__") is not None:
        return _contains_by_method
    is_known = hasattr(type(container), "__contains__") or method_of(container, "__iter__") is None
    return None if is_known else _contains_by_items


def _choose_truth(value: Any) -> _Choice:
    if method_of(value, "__bool__") is not None:
        return _truth_by_method
    is_known = hasattr(type(value), "__bool__") or method_of(value, "__len__") is None
    return None if is_known else _truth_by_length


def _choose_item(iterator: Any) -> _Choice:
    return _item_or_end if _is_by_blocks(iterator) else None


def _choose_next(iterator: Any, *default: Any) -> _Choice:
    if not _is_by_blocks(iterator):
        return None
    return _next_or if default else _next_by_method


def _is_by_blocks(iterator: Any) -> bool:
    return is_generator(iterator) or method_of(iterator, "__next__") is not None


def _if_defined(place: int, name: str, function: Callable[..., Any]) -> Callable[..., _Choice]:
    """What chooses a function where the operand at some place has a method in Python."""

    def choose(*operands: Any) -> _Choice:
        return function if method_of(operands[place], f"__{name}__") is not None else None

    return choose


def _choose_unary(name: str, operand: Any) -> _Choice:
    return _unary_by_method if method_of(operand, f"__{name}__") is not None else None


_CHOICES: dict[tuple[Any, int], Callable[..., _Choice]] = {
    (operators.get_attribute, 2): attributes.choose_get,
    (operators.set_attribute, 3): attributes.choose_set,
    (operators.delete_attribute, 2): attributes.choose_delete,
    (operators.get_item, 2): _if_defined(0, "getitem", _get_item_by_method),
    (operators.set_item, 3): _if_defined(1, "setitem", _set_item_by_method),
    (operators.delete_item, 2): _if_defined(0, "delitem", _delete_item_by_method),
    (operators.binary, 3): _choose_binary,
    (operators.in_place, 3): _choose_in_place,
    (operators.unary, 2): _choose_unary,
    (operators.compare, 3): _choose_compare,
    (operators.contains, 2): _choose_contains,
    (operators.truth, 1): _choose_truth,
    (bool, 1): _choose_truth,
    (operators.item_of, 1): _choose_item,
    (names.get_attribute, 2): attributes.choose_get,
    (names.get_attribute, 3): attributes.choose_get_or,
    (names.has_attribute, 2): attributes.choose_has,
    (names.set_attribute, 3): attributes.choose_set_by_name,
    (names.delete_attribute, 2): attributes.choose_delete,
    (next, 1): _choose_next,
    (next, 2): _choose_next,
    (len, 1): _if_defined(0, "len", _length),
    (abs, 1): _if_defined(0, "abs", _absolute),
    (float, 1): _if_defined(0, "float", _as_float),
    (int, 1): _if_defined(0, "int", _as_int),
    (repr, 1): _if_defined(0, "repr", _shown),
    (str, 1): _if_defined(0, "str", _as_text),
    (cursors.cursor, 1): _if_defined(0, "iter", _cursor_by_method),
    (cursors.iterate, 1): _if_defined(0, "iter", _cursor_by_method),
}
"""What chooses how each is run block by block, by the number of operands: by itself, if None is
chosen.
"""

_KINDS = (types.FunctionType, types.BuiltinFunctionType, type)


def by_blocks(callee: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """What to call instead, block by block; the callee itself where no code of the model's runs."""
    if keywords:
        return callee
    if (choice := attributes.choose_accessor(callee, arguments)) is not None:
        return choice
    if type(callee) not in _KINDS:
        return callee
    choose = _CHOICES.get((callee, len(arguments)))
    return callee if choose is None else choose(*arguments) or callee
