"""`compare`: what each scenario comes to, under each runtime that it can mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from interleave.asked import Asked, taking
from interleave.checking import check_and_tell
from interleave.engine.stopping import Guard
from interleave.errors import InterleaveError
from interleave.interrupts import AT_POLLS, leaving, listening, take
from interleave.loading import own_options, parameters_of
from interleave.model import Model
from interleave.notes import notes_of
from interleave.options import CompareOptions
from interleave.program.settings import setting_of
from interleave.records import dataclass
from interleave.result import ModelResult, Result
from interleave.runtimes import NAMED, runtimes_of
from interleave.selecting import Errors, Target, find_models, targets_in


@dataclass(frozen=True)
class Scenario:
    """A row of a comparison: what models that say the same `SCENARIO` come to; or what a model
    does that says none, if not `is_said`.

    `refused` has the runtimes under which one of them could not be checked.
    """

    name: str
    is_said: bool
    results: tuple[ModelResult, ...]
    refused: frozenset[str] = frozenset()

    def under(self, runtime: str) -> tuple[ModelResult, ...]:
        """The results under a runtime: none where no model of it can mean that one."""
        return tuple(each for each in self.results if each.runtime == runtime)


@dataclass(frozen=True)
class Comparison:
    """What `compare` returns: first the rows of models that say a `SCENARIO`, then the others, each
    in the order of the models.

    `errors` are those of files that could not be loaded, and of models that could not be run.
    """

    scenarios: tuple[Scenario, ...]
    interrupted: bool = False
    errors: tuple[InterleaveError, ...] = ()

    @property
    def is_of_any(self) -> bool:
        """Whether it tells of any model."""
        return bool(self.scenarios)

    @property
    def runtimes(self) -> tuple[str, ...]:
        """The runtimes that any of the models can mean, in the order of the package."""
        found = {each.runtime for row in self.scenarios for each in row.results}
        found |= {name for row in self.scenarios for name in row.refused}
        return tuple(name for name in (*NAMED, *sorted(found - {*NAMED})) if name in found)

    @property
    def exit_code(self) -> int:
        """2: an error, 3: something is inconclusive, 0: neither. What is found is no failure."""
        results = [each for row in self.scenarios for each in row.results]
        inconclusive = any(each.verdict == "inconclusive" for each in results)
        worst = Result(interrupted=self.interrupted or inconclusive, errors=self.errors)
        return worst.exit_code


@taking(CompareOptions)
def compare(target: Target | Iterable[Target], asked: Asked[CompareOptions]) -> Comparison:
    """Check models under each runtime that their threads can mean, and put beside each other those
    that say the same `SCENARIO`.

    `target` is as for `check`, and so are the options, but for `runtime`, which is set here, and
    `scenarios`: to leave out models that say none.

    Raises `InterleaveError` for a target, an option or a model that is at fault; where `on_error`
    is given, it is told of the error of a file or of a model instead, and the others are checked.
    """
    options = asked.options
    rows: dict[object, _Row] = {}
    errors = Errors(options.on_error)
    guard = Guard()
    with listening(), leaving(AT_POLLS):
        found: list[tuple[type[Model], str]] = []
        with guard.phase():
            found = find_models(targets_in(target), asked, errors)
        for model, file in found:
            with errors.noted():
                _check(model, file, asked, errors, guard, rows)
    told = [row.scenario for row in rows.values() if row.results or row.refused]
    told.sort(key=lambda row: not row.is_said)
    return Comparison(
        tuple(told),
        interrupted=guard.stop is not None,
        errors=tuple(errors.found),
    )


class _Row:
    """A row, as far as it is known."""

    def __init__(self, name: str, *, is_said: bool) -> None:
        self.name = name
        self.is_said = is_said
        self.results: list[ModelResult] = []
        self.refused: set[str] = set()

    @property
    def scenario(self) -> Scenario:
        return Scenario(self.name, self.is_said, tuple(self.results), frozenset(self.refused))


def _check(
    model: type[Model],
    file: str,
    asked: Asked[CompareOptions],
    errors: Errors,
    guard: Guard,
    rows: dict[object, _Row],
) -> None:
    """Check a model under each of its runtimes."""
    # A class that mends its base is no version of the same.
    said = setting_of(model, "SCENARIO") if "SCENARIO" in vars(model) else ""
    if asked.options.scenarios and not said:
        return
    near = asked.near(file, own_options(model))
    parameters = parameters_of(model, asked.options.parameters or {})
    row = rows.setdefault(said or model, _Row(said or model.__name__, is_said=bool(said)))
    kinds = {note.kind for note in notes_of(model).threads.values()}
    results: list[ModelResult] = []
    for runtime in runtimes_of(kinds):
        if guard.stop is not None:
            break
        before = len(results)
        under = replace(near, runtime=runtime.name)
        with errors.noted():
            check_and_tell(model, file, parameters, under, asked.options, results, guard)
        if len(results) == before:
            row.refused.add(runtime.name)
        guard.note(take())
    if all(kind.in_loop for kind in kinds) and len(results) > 1 and _are_same(results):
        del results[1:]
    row.results += results


def _are_same(results: list[ModelResult]) -> bool:
    """Whether a model means the same under its runtimes: its tasks have begun no threads."""
    return len({(each.verdict, each.states, each.transitions) for each in results}) == 1
