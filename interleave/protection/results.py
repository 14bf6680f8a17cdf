"""What `sharing` gives: for each shared variable who reads and writes it, and what protects it."""

from __future__ import annotations

from typing import Literal, get_args

from interleave.errors import InterleaveError
from interleave.records import dataclass
from interleave.result import ModelResult, Result, Source

Protection = Literal[
    "unprotected",
    "gil",
    "event-loop",
    "unknown",
    "ordered",
    "lock",
    "atomic",
    "primitive",
    "private",
    "one-thread",
    "never-written",
]
PROTECTIONS: tuple[Protection, ...] = get_args(Protection)
"""What can protect a variable, in the order of reports: what needs a look comes first."""

OF_VARIABLES = ("lost-update", "data-race")
"""The kinds of violation that are of one variable."""


@dataclass(frozen=True)
class SharedAccess:
    """What a thread does to a variable at one line: `kind` is "read", "write", or the name of the
    operation. `locks` are those that it holds every time.
    """

    thread: str
    method: str
    kind: str
    source: Source
    reads: bool
    writes: bool
    locks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Whole:
    """A read, and a write that derives from it, between which nothing can come under a runtime."""

    read: Source
    write: Source


@dataclass(frozen=True)
class Ordered:
    """An access that comes after others, and what its thread does between these and it: "start",
    "join of worker-1", "get of tasks".
    """

    access: SharedAccess
    after: str


@dataclass(frozen=True)
class SharedVariable:
    """A variable, an element of a container, an attribute, or a primitive, under one runtime.

    `name` has "[i]" for elements that are alike, which are the `elements`. `kind` is the class of a
    primitive. `locks` are those that keep conflicting accesses apart, `apart` the accesses that
    none of them does, but that never happen at the same time as one they conflict with; `order`
    says what comes in between.

    Where it is "unprotected", `sides` has two accesses that can happen at the same time, a write
    first; or, where one thread runs at a time, `sides` has three: a read, the write of another
    thread that can come then, and the write that derives from the read. Under "gil" and
    "event-loop", `sides` are two that only the runtime keeps apart, and `whole` what ends that if
    others can run in between.

    `found` are the kinds of violation that the check has found of it.
    """

    name: str
    protection: Protection
    accesses: tuple[SharedAccess, ...] = ()
    kind: str = ""
    elements: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    sides: tuple[SharedAccess, ...] = ()
    whole: tuple[Whole, ...] = ()
    apart: tuple[SharedAccess, ...] = ()
    order: tuple[Ordered, ...] = ()
    rule: str = ""
    found: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether something protects it, and the check has found nothing of it."""
        return self.protection not in ("unprotected", "unknown") and not self.found


@dataclass(frozen=True)
class ModelSharing:
    """The shared variables of a model under the runtime of `result`, which the check has given.

    `limit` says what kept this from being known of every interleaving; "" where nothing did.
    """

    result: ModelResult
    variables: tuple[SharedVariable, ...]
    limit: str = ""


@dataclass(frozen=True)
class Sharing:
    """What `sharing` returns: each model under each runtime, those of one model together.

    `errors` are those of files that could not be loaded, and of models that could not be run.
    """

    models: tuple[ModelSharing, ...]
    interrupted: bool = False
    errors: tuple[InterleaveError, ...] = ()

    @property
    def is_of_any(self) -> bool:
        """Whether it tells of any model."""
        return bool(self.models)

    @property
    def exit_code(self) -> int:
        """2: an error, 1: something is unprotected, 3: not all is known, 0: all is protected."""
        every = [variable for each in self.models for variable in each.variables]
        if self.errors:
            return Result(errors=self.errors).exit_code
        kinds = {found.kind for each in self.models for found in each.result.violations}
        is_open = any(each.protection == "unprotected" for each in every)
        if is_open or not kinds.isdisjoint(OF_VARIABLES):
            return 1
        return 3 if self.interrupted or any(each.limit for each in self.models) else 0
