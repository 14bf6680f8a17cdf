"""Attributes by which a model says how something is to be modelled."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from interleave.errors import ModelError
from interleave.memory.port import BY_STEPS, SIGNALS
from interleave.model import ORDERS, Model
from interleave.program.setup import place_of_attribute
from interleave.records import dataclass

LOOPS = "event loops"
"""The fact that a model has tasks, or threads that make event loops."""


@dataclass(frozen=True)
class Setting:
    """One such attribute: what it is where the model does not say, and which values it can have.

    `of` is the fact without which it is an ordinary attribute of a model: that there are event
    loops (`LOOPS`), a clock that goes on by steps (`BY_STEPS`), handlers of signals (`SIGNALS`).
    """

    default: object
    fits: Callable[[Any], bool]
    remedy: str
    of: str = ""


def _number(meaning: str, least: int) -> Setting:
    return Setting(
        None,
        lambda value: value is None or (type(value) is int and value >= least),
        f"it is {meaning}: a whole number from {least}",
    )


def _is_tuple_of_names(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)


SETTINGS = {
    "CHECKS": Setting(
        (),
        lambda value: (
            isinstance(value, tuple | list) and all(isinstance(each, type) for each in value)
        ),
        "it lists classes that are derived from interleave.checks.Check, to be made of this model: "
        "CHECKS = (BelowZero,)",
    ),
    "SCENARIO": Setting(
        "",
        lambda value: isinstance(value, str),
        "it says of what a model is a version, as other models do: a text",
    ),
    "PIPE_CAPACITY": _number("how many messages a pipe of multiprocessing holds", 1),
    "SPURIOUS_WAKEUPS": _number(
        "how many waits on each threading.Condition end without a notify", 0
    ),
    "GO_VERSION": Setting(
        "",
        lambda value: (
            value == "" or (isinstance(value, str) and bool(re.fullmatch(r"1\.\d+", value)))
        ),
        'write the version as in go.mod: GO_VERSION = "1.21"',
    ),
    "ORDER": Setting(
        ORDERS[0],
        lambda value: value in ORDERS,
        f"it says which task the event loop runs next: {' or '.join(map(repr, ORDERS))}",
        of=LOOPS,
    ),
    "ASYNCIO_DEBUG": Setting(
        False,
        lambda value: type(value) is bool,
        "it says whether the event loop is in debug mode: True or False",
        of=LOOPS,
    ),
    "CLOCK": Setting(
        2,
        lambda value: type(value) is int and value >= 0,
        "it is how often the clock goes on at most, besides what sleeps take: a whole number from "
        "0",
        of=BY_STEPS,
    ),
    "CLOCK_STEP": Setting(
        1,
        lambda value: type(value) in (int, float) and 0 < value < math.inf,
        "it is how many seconds the clock goes on at a time: a number above 0",
        of=BY_STEPS,
    ),
    "SIGNALS": Setting(
        1,
        lambda value: type(value) is int and value >= 0,
        "it is how often each signal comes at most that has a handler, besides those that the "
        "program sends: a whole number from 0",
        of=SIGNALS,
    ),
    # Whether there are tasks of these names is seen when the event loop is made.
    "CANCEL": Setting(
        (),
        lambda value: isinstance(value, str) or _is_tuple_of_names(value),
        "it names the tasks that something outside may cancel: a string, or a tuple of strings",
        of=LOOPS,
    ),
}


GIVEN = ("CLOCK", "CLOCK_STEP", "SPURIOUS_WAKEUPS", "PIPE_CAPACITY", "ASYNCIO_DEBUG", "SIGNALS")
"""Those that `-p` gives where no class says them: for a race, and a script."""


def in_effect(known: Collection[str]) -> list[str]:
    """The settings of a model of which some facts are known."""
    return [name for name, setting in SETTINGS.items() if not setting.of or setting.of in known]


def settings_of(
    model: type[Model], parameters: Mapping[str, object], known: Collection[str]
) -> dict[str, Any]:
    """What a model says of how things are to be modelled: by a parameter, or an attribute.

    `known` has the facts that are. Raises `ModelError`.
    """
    return {name: setting_of(model, name, parameters) for name in in_effect(known)}


def setting_of(
    model: type[Model], name: str, parameters: Mapping[str, object] = MappingProxyType({})
) -> Any:
    """What a model says of one setting. Raises `ModelError`."""
    setting = SETTINGS[name]
    value = parameters.get(name, getattr(model, name, setting.default))
    if not setting.fits(value):
        refuse_setting(model, name, value)
    return value


def refuse_setting(model: type[Model], name: str, value: object) -> NoReturn:
    """Raise `ModelError` for a value that a setting cannot have."""
    raise ModelError(
        f"{name} is {value!r}",
        remedy=SETTINGS[name].remedy,
        place=place_of_attribute(model, name),
    )
