"""Numbers of objects: what `id()` gives, and what `hash()` gives where the address decides it.

An address is another one in each run, so that all that code may do with it is to compare it and
to use it as a key. A shared object has a number that comes of that of its stand-in; a class, a
function or a constant has one that comes of what it is. Addresses that real code has kept, before
the threads began, are translated where they are captured, or refused where they cannot be.
"""

from __future__ import annotations

import re
from binascii import crc32
from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any

from interleave.compiler.names import is_constant
from interleave.errors import ModelError
from interleave.memory.addresses import ObjectId, as_hash
from interleave.memory.identity import ThreadIdent, ThreadName
from interleave.memory.process import ProcessIdent
from interleave.memory.values import (
    Freezer,
    Key,
    Same,
    Shared,
    Uncapturable,
    is_frozen_dataclass,
)
from interleave.stdlib import LibraryClass, Namespace
from interleave.stdlib.threads import CurrentThread
from interleave.world.holders import FunctionObject, ModuleObject
from interleave.world.instances import Inherited
from interleave.world.refusal import Refused, used

LEAST_ADDRESS = 1 << 16
"""No object has a lower one."""

_IN_TEXT = re.compile(r"[0-9a-f]{5,}")
"""What may be an address in a text."""

_VALUES = frozenset(
    (int, str, bool, bytes, float, complex, range, None, type(...), type(NotImplemented),
     ObjectId, ProcessIdent, ThreadIdent, ThreadName, re.Pattern)
)  # fmt: skip
"""Kinds of values of which Python may have one object wherever they are equal."""

_ONE_EACH = frozenset(
    (Enum, LibraryClass, Namespace, Shared, CurrentThread, object, "named object")
)
"""Kinds of keys that stand for one object each."""


def may_be_address(value: object) -> bool:
    """Whether a number may be an address, or a text or a set have one in it."""
    kind = type(value)
    if kind is int:
        return value >= LEAST_ADDRESS  # type: ignore[operator]
    return kind is frozenset or (kind is str and _IN_TEXT.search(value) is not None)  # type: ignore[call-overload]


class Identities:
    """The numbers of the objects of one program.

    `real` gives the object of Python's that a class, a function or a module stands for.
    """

    def __init__(self, real: Callable[[Any], Any]) -> None:
        self._real = real
        self._constants: dict[Key, ObjectId] = {}
        self._taken: set[int] = set()
        self._kept: dict[int, ObjectId] = {}
        """What real code may have kept of captured objects: addresses, and hashes made of them."""
        self._in_texts: dict[ObjectId, str] = {}
        """Texts that have an address in them."""
        self._unknown: set[int] = set()
        """Numbers that real code has kept, and that may be addresses of other objects."""
        self._given: set[int] = set()
        """What these may not be."""

    def of_shared(self, stand_in: Any, index: int) -> ObjectId:
        """The number of a shared object, by the one that its heap has for it."""
        if type(stand_in) in (FunctionObject, ModuleObject):
            self._note_given(self._real(stand_in))
        number = ObjectId.of_shared(index)
        if number in self._in_texts:
            raise _kept_as_text(self._in_texts[number])
        return number

    def of_other(self, value: Any) -> ObjectId | None:
        """The number of what is no shared object; None where it could become one.

        Raises `ModelError` where a state does not say which of several objects something is.
        """
        if type(value) is Refused:
            used(value)
        try:
            key = Freezer().freeze(value)
        except Uncapturable:
            if not is_constant(value):
                return None
            key = (object, Same(value))
        if not _is_one(key):
            raise ModelError(
                f"this asks for the identity of a {type(value).__name__}, which is told from "
                "others by its value only",
                remedy="compare values, or give such objects a number of their own",
            )
        self._note_given(self._real(value))
        return self._of_key(key)

    def _of_key(self, key: Key) -> ObjectId:
        found = self._constants.get(key)
        if found is None:
            number = crc32(repr(key).encode())
            while number in self._taken:  # called the same: `<lambda>`
                number += 1
            self._taken.add(number)
            found = self._constants[key] = ObjectId.of_constant(number)
        return found

    def _note_given(self, real: object) -> None:
        address = id(real)
        kept = {address, _hash_of(address)}
        if kept & self._unknown:
            raise _not_translated()
        self._given |= kept

    # What real code has kept

    def add(self, address: int, real: object, index: int) -> None:
        """Note where a real object was, or is, that is captured."""
        number = ObjectId.of_shared(index)
        self._kept[address] = number
        if type(real).__hash__ is object.__hash__:
            self._kept[_hash_of(address)] = as_hash(number)

    def translated(self, value: Any) -> Any:
        """What real code has kept, with numbers in place of addresses.

        Raises `ModelError` where it has some of an object whose number was given already.
        """
        kind = type(value)
        if kind is int:
            return self._number(value)
        if kind is str:
            self._look_into(value)
            return value
        parts = _parts(value)
        translated = [self.translated(each) for each in parts]
        if all(new is old for new, old in zip(translated, parts, strict=True)):
            return value
        if kind is Inherited:
            return Inherited(*translated)
        if issubclass(kind, tuple):
            return tuple.__new__(kind, translated)
        if issubclass(kind, frozenset):
            return kind(translated)
        made = object.__new__(kind)
        for field, part in zip(fields(kind), translated, strict=True):
            object.__setattr__(made, field.name, part)
        return made

    def _number(self, value: int) -> int:
        if value < LEAST_ADDRESS:
            return value
        found = self._kept.get(value)
        if found is None:
            if value in self._given:
                raise _not_translated()
            self._unknown.add(value)
            return value
        return found

    def _look_into(self, text: str) -> None:
        for digits in _IN_TEXT.findall(text):
            for base in (10, 16) if digits.isdigit() else (16,):
                number = self._kept.get(int(digits, base))
                if number is not None:
                    self._in_texts[number] = text


def _parts(value: Any) -> list[Any]:
    """What an immutable value is made of."""
    kind = type(value)
    if issubclass(kind, Shared):
        return []
    if issubclass(kind, tuple):
        return list(value)
    if issubclass(kind, frozenset):
        return list(frozenset.__iter__(value))
    if kind is Inherited:
        return [value.value]
    if kind is not Refused and is_frozen_dataclass(kind):
        return [getattr(value, field.name) for field in fields(kind)]
    return []


def _hash_of(address: int) -> int:
    """What `object.__hash__` makes of an address, in 64 bits."""
    return address >> 4 | (address & 15) << 60


def _is_one(key: Key) -> bool:
    kind = key[0]
    if kind in (tuple, frozenset):
        return all(map(_is_one, key[1]))
    return kind in _VALUES or kind in _ONE_EACH


def _kept_as_text(text: str) -> ModelError:
    return ModelError(
        f"this asks for the identity of an object whose address is kept in a text, {text!r}, from "
        "before the threads",
        remedy="keep the number that id() gives, or give such objects a number of their own",
    )


def _not_translated() -> ModelError:
    return ModelError(
        "this asks for the identity of what is no shared object, and its address is kept from "
        "before the threads",
        remedy="use the class, the function or the value itself as a key",
    )
