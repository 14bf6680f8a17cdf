"""Models of a file whose text is changed in memory, and what a check says of them then."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from interleave.asked import Asked
from interleave.checking import Checked, checked_model
from interleave.checks import Check
from interleave.counting import clean_outcomes, outcome_key
from interleave.engine.search import Searched
from interleave.errors import InterleaveError, ModelError, UsageError
from interleave.interrupts import Interrupted
from interleave.kinds import LITERAL
from interleave.loading import own_options, parameters_of, read_file, standing_in
from interleave.mending.texts import FileText, read_text
from interleave.model import Model
from interleave.notes import notes_of
from interleave.options import Options
from interleave.project import real_path
from interleave.records import dataclass
from interleave.result import Described, ModelResult, Outcome, Violation
from interleave.runtimes import runtimes_of
from interleave.world.homes import CLASS_MODULE
from interleave.world.policy import is_standard

Outcomes = tuple[Outcome, ...]


@dataclass(frozen=True)
class Trial:
    """What a check says of one model under one runtime.

    `outcomes` are those of interleavings that meet no violation; None where they cannot be told.
    """

    result: ModelResult
    outcomes: Outcomes | None
    searched: Searched[Check] | None

    @property
    def causes(self) -> set[tuple[str, str]]:
        """The kind of each violation and what it is about; and the warnings."""
        found = {*map(cause_of, self.result.violations)}
        return found | {("warning", text) for text in self.result.warnings}


def cause_of(violation: Violation) -> tuple[str, str]:
    """The kind of a violation, and what it is about: the same whichever step or thread shows it."""
    return violation.kind, violation.location or re.sub(r"\d+", "", violation.message)


def each_once(results: Iterable[ModelResult]) -> tuple[Violation, ...]:
    """The violations of several results, each cause once."""
    found: dict[tuple[str, str], Violation] = {}
    for result in results:
        for each in result.violations:
            found.setdefault(cause_of(each), each)
    return tuple(found.values())


class Bench:
    """A file, where changed texts of it are tried: nothing is written.

    Raises `UsageError` for a file that cannot be read, and for one that takes part otherwise.
    """

    def __init__(self, file: str, asked: Asked[Any]) -> None:
        self.file = file
        self.asked = asked
        self.original: FileText = read_text(file)
        self._is_alone = False
        given = asked.options.parameters or {}
        for name in given:
            if LITERAL.fullmatch(str(name)):
                raise UsageError(
                    f"{name} names a line, and the text is to be changed",
                    remedy="give the number a name in the file, and set that",
                )

    @contextmanager
    def models(self, text: str) -> Iterator[dict[str, type[Model]]]:
        """The models that the file has with this text, by name; until the end of the `with`."""
        file = Path(self.file)
        with standing_in(file, text):
            home = read_file(file, script=self.asked.options.parameters or {}, text=text)
            if not self._is_alone:
                self._refuse_imported(home.module)
                self._is_alone = True
            yield {model.__name__: model for model in home.defined}

    def model_in(self, models: Mapping[str, type[Model]], name: str) -> type[Model]:
        """The model of a name. Raises `UsageError` where the file does not define it."""
        if name not in models:
            raise UsageError(
                f"{self.file} has no model {name}", remedy="name the file that defines it"
            )
        return models[name]

    def _refuse_imported(self, home: types.ModuleType) -> None:
        """Raise `ModelError` where the file uses a module that was made of this file, too, by
        importing it: that one would not have the change.
        """
        here = real_path(Path(self.file))
        for module in _modules_used(home):
            file = vars(module).get("__file__") if module is not home else None
            if type(file) is str and _is_same(file, here):
                raise ModelError(
                    f"{self.file} is imported as {module.__name__} too, which a change would not "
                    "reach",
                    remedy="keep the models in a file that no other one imports",
                )

    def runtimes(self, model: type[Model]) -> list[str]:
        """The names of the runtimes that a model is checked under: all that it can mean, or the one
        that was asked for.
        """
        kinds = {note.kind for note in notes_of(model).threads.values()}
        possible = [runtime.name for runtime in runtimes_of(kinds)]
        asked = self._near(model).runtime
        if "runtime" in self.asked.given and asked in possible:
            return [asked]
        # Tasks alone mean the same under each: see `compare`.
        return possible[:1] if all(kind.in_loop for kind in kinds) else possible

    def _near(self, model: type[Model]) -> Options:
        options: Options = self.asked.near(self.file, own_options(model))
        return replace(options, cache=False)

    def trial_of(
        self,
        model: type[Model],
        runtime: str,
        *,
        fail_fast: bool = False,
        max_states: int | None = None,
    ) -> Trial:
        """Check a model of the present text. Raises `InterleaveError`; and `Interrupted`."""
        options = replace(self._near(model), runtime=runtime, fail_fast=fail_fast)
        if max_states is not None:
            most = min(max_states, options.max_states or max_states)
            options = replace(options, max_states=most)
        parameters = parameters_of(model, self.asked.options.parameters or {})
        checked = checked_model(model, self.file, parameters, options)
        if checked.result.interrupted:
            raise Interrupted
        return Trial(checked.result, _outcomes(checked), checked.searched)

    def tried(
        self,
        text: str,
        name: str,
        before: Mapping[str, Trial],
        *,
        max_states: int | None = None,
        ends: Callable[[Trial], bool] = lambda _: False,
    ) -> dict[str, Trial | InterleaveError]:
        """What checks of a model say of a text, by runtime; or the error where there is none.

        `before` has what they said of the text as it was. The first violation of what had none is
        enough; and `ends` says of a trial whether the others need not be made.
        """
        found: dict[str, Trial | InterleaveError] = {}
        try:
            with self.models(text) as models:
                if name not in models:
                    raise ModelError(f"{name} is no model any more", remedy="undo the change")
                for runtime, earlier in before.items():
                    try:
                        found[runtime] = trial = self.trial_of(
                            models[name],
                            runtime,
                            fail_fast=not earlier.result.violations,
                            max_states=max_states,
                        )
                        if ends(trial):
                            break
                    except InterleaveError as error:
                        found[runtime] = error
        except InterleaveError as error:
            return dict.fromkeys(before, error)
        return found


def _modules_used(home: types.ModuleType) -> list[types.ModuleType]:
    """A module, and those that its globals come from, and theirs, but for the standard library."""
    found = {id(home): home}
    waiting = [home]
    while waiting:
        for value in [*vars(waiting.pop()).values()]:
            kind = type(value)
            if issubclass(kind, types.ModuleType):
                module: object = value
            elif issubclass(kind, types.FunctionType):
                module = sys.modules.get(str(value.__module__))
            elif issubclass(kind, type):
                module = sys.modules.get(str(CLASS_MODULE(value)))  # it is asked nothing
            else:
                continue
            if not isinstance(module, types.ModuleType) or id(module) in found:
                continue
            if not is_standard(str(vars(module).get("__name__"))):
                found[id(module)] = module
                waiting.append(module)
    return [*found.values()]


def _is_same(file: str, here: Path) -> bool:
    try:
        return real_path(Path(file)) == here
    except OSError:
        return False


def _outcomes(checked: Checked) -> Outcomes | None:
    """How interleavings end that meet no violation."""
    result = checked.result
    if not result.complete or result.interleavings is None or checked.searched is None:
        return None
    if not result.violations:
        return result.interleavings.outcomes
    return clean_outcomes(checked.searched)


_ABSENT = "absent"


def missing(
    before: Sequence[Outcome], after: Sequence[Outcome], aside: Set[str] = frozenset()
) -> list[Outcome]:
    """The outcomes of `before` that are not among those of `after`.

    Variables that only one of the two has are left out where they are primitives, such as a lock
    that one of them does without; and so are those that are to be left `aside`.
    """
    told = [outcome_key(each) for each in (*before, *after)]
    shown = [dict(each.state) for each in (*before, *after)]
    first, second = told[: len(before)], told[len(before) :]
    one = {name for _, values in first for name in values}
    other = {name for _, values in second for name in values}
    alone = {
        name
        for name in one ^ other
        if all(isinstance(each.get(name, Described("")), Described) for each in shown)
    }
    names = sorted((one | other) - alone - aside)
    known = {_key(each, names) for each in second}
    return [
        outcome for outcome, key in zip(before, first, strict=True) if _key(key, names) not in known
    ]


def _key(told: tuple[str, Mapping[str, Hashable]], names: Sequence[str]) -> Hashable:
    how, values = told
    return how, tuple(_by_name(values.get(name, _ABSENT)) for name in names)


def _by_name(told: Any) -> Hashable:
    """The same for values of two texts, of which each has its own classes."""
    if isinstance(told, tuple):
        return tuple(map(_by_name, told))
    return told.__qualname__ if isinstance(told, type) else told
