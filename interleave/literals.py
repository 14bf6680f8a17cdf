"""Values of parameters as text, which stands for just one of them, and runs nothing."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable

_NAMED = {"inf": math.inf, "nan": math.nan}

_PLAIN = (type(None), bool, int, float, str, bytes)

_BY_CALL: dict[str, Callable[..., object]] = {"complex": complex, "slice": slice}


def written(value: object) -> str:
    """The text of a value, which `read` reads. Raises `ValueError` where there is none: for an
    instance of a class of one's own, an `IntEnum`, say; and for what is nested too deeply.
    """
    try:
        text = _text(value)
        if _text(read(text)) == text:
            return text
    except (SyntaxError, RecursionError, MemoryError):
        pass
    raise ValueError("it is nested too deeply")


def read(text: str) -> object:
    """The value that a text stands for. Raises `ValueError` or `SyntaxError` where it is none."""
    return _value(ast.parse(text, mode="eval").body)


def _text(value: object) -> str:
    if type(value) is tuple:
        return f"({', '.join(map(_text, value))}{',' * (len(value) == 1)})"
    if type(value) is complex:
        return f"complex({value.real!r}, {value.imag!r})"
    if type(value) is slice:
        return f"slice({', '.join(map(_text, (value.start, value.stop, value.step)))})"
    if type(value) is int and value.bit_length() > 2_000:
        return hex(value)  # which of any length is read
    if type(value) not in _PLAIN:
        raise ValueError(f"an instance of {type(value).__name__} has no text")
    return repr(value)


def _value(node: ast.expr) -> object:
    match node:
        case ast.Tuple(elts=parts):
            return tuple(map(_value, parts))
        case ast.Name(id=name) if name in _NAMED:
            return _NAMED[name]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name() as named):
            value = _value(named)
            assert isinstance(value, float)
            return -value
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in _BY_CALL:
            try:
                return _BY_CALL[name](*map(_value, parts))
            except TypeError as error:
                raise ValueError(str(error)) from None
    value = ast.literal_eval(node)
    if type(value) not in (*_PLAIN, complex):
        raise ValueError(f"an instance of {type(value).__name__} is no value of a parameter")
    return value


def is_literal(text: object) -> bool:
    """Whether something is the text of a literal of Python's."""
    if not isinstance(text, str):
        return False
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def read_literal(value: object) -> object:
    """A value that may be given as the text of a literal, as the command line has it."""
    if is_literal(value):
        return ast.literal_eval(str(value))
    return str(value) if isinstance(value, str) else value
