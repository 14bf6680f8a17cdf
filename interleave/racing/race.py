"""`race`: from an object and some calls of it to a result."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from interleave.asked import Asked, asked
from interleave.blaming import blaming, raised_at
from interleave.checking import check_and_tell
from interleave.engine.stopping import Guard
from interleave.errors import (
    InterleaveError,
    ModelError,
    UsageError,
    did_you_mean,
)
from interleave.interrupts import AT_POLLS, Stopped, leaving, listening, take
from interleave.literals import read_literal
from interleave.loading import module_named, read_file
from interleave.memory.streams import before_threads
from interleave.model import Model
from interleave.options import RaceOptions, options_of
from interleave.program.settings import GIVEN
from interleave.racing.building import Making, Origin, Race
from interleave.racing.calls import Names, read_calls, read_expression
from interleave.racing.check import AtomicityCheck
from interleave.result import ModelResult, Result
from interleave.said import said
from interleave.selecting import Errors, made_in_time
from interleave.world.snapshot import Snapshot


def race(factory: str | Callable[[], Any], *calls: str, **options: Any) -> Result:
    """Make calls of one object in parallel, and compare what comes of it with whole calls.

    `factory` makes the object: a class or a function without arguments, or text as on the command
    line, "cachelib:SimpleCache()". Each of `calls` is the text of the calls of one thread. The
    options are those of `interleave race`; docs/race.md lists them.

    Raises `InterleaveError` for what is at fault; where `on_error` is given, it is told of the
    error of one of several races instead, and the others are made.
    """
    wanted = asked(RaceOptions, _checked(options), "race()")
    with listening(), leaving(AT_POLLS):
        return _raced(factory, calls, wanted)


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    known = options_of(RaceOptions)
    for name in options:
        if name in known and known[name].commands and "race" not in known[name].commands:
            raise UsageError(f"race() has no option {name!r}", remedy="leave it out")
    return options


def _raced(
    factory: str | Callable[[], Any], texts: Sequence[str], wanted: Asked[RaceOptions]
) -> Result:
    options = replace(wanted.near(Path()), cache=False)  # no name of what is made here lasts
    guard, errors = Guard(), Errors(options.on_error)
    results: list[ModelResult] = []
    parameters = _settings(options)
    origin, making = begun(factory, options.max_seconds)
    races = _races(making, texts, options, origin)
    for each in races:
        if guard.stop is not None:
            break
        with errors.noted(), _naming(each, races):
            model = _model(making, each, options)
            check_and_tell(model, origin.where, parameters, options, options, results, guard)
        guard.note(take())
    return Result(tuple(results), interrupted=guard.stop is not None, errors=tuple(errors.found))


@contextmanager
def _naming(race_: Race, races: Sequence[Race]) -> Iterator[None]:
    """Say which of several races an error is of."""
    try:
        yield
    except InterleaveError as error:
        if len(races) > 1:
            error.what = f"{race_.name}: {error.what}"
        raise


def _races(
    making: Making, texts: Sequence[str], options: RaceOptions, origin: Origin
) -> list[Race]:
    """What is to be raced: the calls that were given, or each two methods."""
    if options.pairs and texts:
        raise UsageError(
            "there are calls beside --pairs, which makes its own", remedy="leave out one of them"
        )
    if options.pairs:
        pairs = [*making.pairs()]
        if not pairs:
            raise UsageError(
                f"{origin.text} has no public methods that could be called with simple arguments",
                remedy=f"name the calls of each thread: {EXAMPLE}",
            )
        groups = [(read_calls(pair), " | ".join(pair)) for pair in pairs]
    elif texts:
        groups = [(read_calls(texts), origin.text)]
    else:
        raise UsageError(
            "there are no calls to race", remedy=f"name those of each thread, {EXAMPLE}; or --pairs"
        )
    found = [making.race(calls, options.threads, name) for calls, name in groups]
    if not any(each.in_loop for each in found):
        if options.cancel:
            raise UsageError(
                f"there is no task {next(iter(options.cancel))!r} to cancel",
                remedy="leave it out: none of these calls is of an async method",
            )
        if options.order not in (None, "any"):
            raise UsageError(
                f"there is no event loop that could run tasks in the order {options.order!r}",
                remedy="leave it out: none of these calls is of an async method",
            )
    return found


EXAMPLE = """'add("k", 1)' 'add("k", 2)'"""


def _model(making: Making, race_: Race, options: RaceOptions) -> type[Model]:
    """The model of a race, with its check."""
    is_one_after_the_other = race_.in_loop and (
        options.order not in (None, "any") or any(len(each.places) > 1 for each in race_.threads)
    )
    paused = None
    if is_one_after_the_other:
        paused = making.model(race_, (), options.observe, paused=True), race_
    members = {
        "race": race_,
        "is_chosen": not options.pairs,
        "observed": options.observe,
        "linearizable": options.linearizable,
        "paused": paused,
    }
    check: Any = type(AtomicityCheck.__name__, (AtomicityCheck,), members)
    return making.model(race_, (check,), options.observe, paused=False)


def _settings(options: RaceOptions) -> dict[str, Any]:
    """How things are to be modelled, as `-p` says. Raises `UsageError`."""
    found: dict[str, Any] = {}
    for name, value in (options.parameters or {}).items():
        if name not in GIVEN:
            raise UsageError(
                f"there is no parameter {name!r}",
                remedy=f"{did_you_mean(name, GIVEN)}a race has {', '.join(GIVEN)}; all "
                "else is in the expression that makes the object",
            )
        found[name] = read_literal(value)
    if options.cancel:
        found["CANCEL"] = tuple(options.cancel)
    return found


def begun(factory: str | Callable[[], Any], max_seconds: float | None) -> tuple[Origin, Making]:
    """What makes the object, and what makes models of it. Raises `InterleaveError`.

    The object is made once, which must come to an end within these seconds.
    """
    return made_in_time(
        lambda: _begun(factory),
        max_seconds,
        what="the object cannot be made",
        remedy="name one that can be made in little time and memory",
    )


@blaming()
def _begun(factory: str | Callable[[], Any]) -> tuple[Origin, Making]:
    """What makes the object, and what makes models of it. Raises `InterleaveError`."""
    origin = _named(factory) if isinstance(factory, str) else _given(factory)
    return origin, Making(origin, _sample(origin))


def _named(text: str) -> Origin:
    """What MODULE:EXPRESSION stands for."""
    name, colon, expression = text.partition(":")
    name = name.strip()
    is_file = name.endswith(".py")
    if not colon or not (is_file or all(part.isidentifier() for part in name.split("."))):
        raise UsageError(
            f"{text!r} names no object",
            remedy="write MODULE:EXPRESSION, such as 'cachelib:SimpleCache()'; or FILE:EXPRESSION",
        )
    read_expression(expression)
    module = read_file(Path(name)).module if is_file else module_named(name)
    return Origin(expression.strip(), text, module, vars(module))


def _given(factory: Callable[[], Any]) -> Origin:
    if not callable(factory):
        raise UsageError(
            f"there is nothing to call in an object of type {type(factory).__name__}",
            remedy="give a class, a function that makes the object, or 'module:Expression()'",
        )
    module = sys.modules.get(getattr(factory, "__module__", None) or "")
    names = {**getattr(factory, "__globals__", getattr(module, "__dict__", {}))}
    called = getattr(factory, "__name__", "factory")
    called = called if called.isidentifier() else "factory"
    names[called] = factory
    text = f"{called}()"
    space = _Namespace(names)
    return Origin(text, f"{getattr(module, '__name__', '?')}:{text}", space, names)


class _Namespace:
    """The names that a factory knows, as attributes."""

    def __init__(self, names: dict[str, Any]) -> None:
        vars(self).update(names)


def _sample(origin: Origin) -> Any:
    """An object, made once to see what it has; all else is as it was. Raises `InterleaveError`."""
    holder = type("holder", (), {"__module__": getattr(origin.module, "__name__", "?")})
    before = Snapshot([holder, *([origin.module] if origin.module else [])])
    names = Names(origin.text, (), "", origin.names, "module")
    tree = ast.fix_missing_locations(ast.Expression(names.meant(origin.node)))
    try:
        with before_threads():
            found = eval(compile(tree, origin.where, "eval"), {"module": origin.module})  # noqa: S307
    except (Stopped, InterleaveError):
        raise
    except BaseException as error:
        raise ModelError(
            f"{origin.text} raises {said(error)}",
            remedy="name an expression that makes the object",
            place=raised_at(error),
        ) from error
    finally:
        before.restore()
    if isinstance(found, type):
        raise UsageError(
            f"{origin.text} is a class, and no object", remedy=f"call it: {origin.text}()"
        )
    return found
