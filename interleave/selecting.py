"""The models that are meant: found in what somebody names, by the options of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from interleave.asked import Asked
from interleave.blaming import blaming
from interleave.engine.stopping import INTERRUPTED, Guard
from interleave.errors import InterleaveError, LimitReached, UsageError, did_you_mean
from interleave.explored import Test, explored
from interleave.interrupts import AT_POLLS, Interrupted, leaving, listening, take
from interleave.loading import (
    ModelFile,
    Noted,
    file_of,
    model_files,
    models_in,
    parameters_of,
    read_file,
    task_methods,
)
from interleave.model import BOUNDS, Model
from interleave.notes import notes_of
from interleave.options import Options
from interleave.program.misuse import refuse_parameter_outside
from interleave.project import real_path
from interleave.said import shown_by

Target = type[Model] | Test | str | Path

Made = TypeVar("Made")


class Errors:
    """The errors of files and models where the others are gone on with.

    Where nobody is to be told of them, the first one is raised. One that several files or models
    have in common, such as that of a pyproject.toml, is told once.
    """

    def __init__(self, tell: Callable[[InterleaveError], None] | None = None) -> None:
        self.found: list[InterleaveError] = []
        self._tell = tell

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take note of an error in what is done here."""
        try:
            yield
        except InterleaveError as error:
            if self._tell is None:
                raise
            if str(error) not in map(str, self.found):
                self.found.append(error)
                self._tell(error)


def targets_in(target: Target | Iterable[Target]) -> list[Target]:
    """The targets that were given: one, or several."""
    if isinstance(target, type | str) or not isinstance(target, Iterable):
        return [target]
    return [*target]


def with_each_model(
    target: Target | Iterable[Target],
    asked: Asked[Options],
    errors: Errors,
    guard: Guard,
    use: Callable[[type[Model], str], None],
) -> None:
    """Use each model that `target` names, with its file, one after the other, until something ends
    that. The others are gone on with where `errors` takes note of the error of one.
    """
    found: list[tuple[type[Model], str]] = []
    with guard.phase():
        found = find_models(targets_in(target), asked, errors)
    for model, file in found:
        if guard.stop is not None:
            break
        with errors.noted():
            use(model, file)
        guard.note(take())


def find_models(
    targets: list[Target], asked: Asked[Options], errors: Errors | None = None
) -> list[tuple[type[Model], str]]:
    """The models that targets name, each with its file: once, however often they name it.

    Raises `InterleaveError`, unless `errors` takes note of it; and `UsageError` for options that
    none of the models can heed.
    """
    errors = errors or Errors()
    # Of models that are named, those of others do not matter, unless one that is named is missing.
    of_classes = errors if asked.options.model is None else Errors(lambda _: None)
    seen: set[Path] = set()
    named: list[type[Model] | tuple[ModelFile, bool]] = []
    for target in targets:
        if (test := explored(target)) is not None:
            target = test.model
        if isinstance(target, type):
            if not issubclass(target, Model):
                raise UsageError(
                    f"{target.__name__} is not a model", remedy="derive it from interleave.Model"
                )
            named.append(target)
            continue
        if not isinstance(target, str | Path):
            raise UsageError(
                f"there is nothing to check in {shown_by(target)}",
                remedy="name a model class, a file or a folder",
            )
        with errors.noted():
            path = Path(target)
            files = model_files([path])
            for file in files:
                if real_path(file) in seen:
                    continue
                seen.add(real_path(file))
                # Next to model files, a folder may hold helpers.
                required = len(files) == 1 and not path.is_dir()
                with errors.noted():
                    seconds = asked.near(file).max_seconds
                    given = (asked.options.parameters or {}) if required else None
                    named.append((_run(file, seconds, of_classes.noted, given), required))
    found: dict[tuple[type[Model], str], None] = {}
    run = [each[0] for each in named if isinstance(each, tuple)]
    for each in named:
        if isinstance(each, type):
            found[each, file_of(each)] = None
            continue
        home, required = each
        with errors.noted(), blaming():
            others = [other for other in run if other is not home]
            models = models_in(home, others, required=required, noted=of_classes.noted)
            found.update(dict.fromkeys((model, str(home.file)) for model in models))
    known = {model.__name__ for model, _ in found}
    if of_classes is not errors and not known >= {*(asked.options.model or ())}:
        for error in of_classes.found:
            with errors.noted():
                raise error
    if errors.found and not found:
        return []
    if not found:
        raise UsageError("there is no model in what was named", remedy="name a model file")
    broken = frozenset[str]().union(*[home.broken for home in run])
    picked = _named([*found], asked.options, broken)
    _refuse_unheeded(asked.options, [model for model, _ in picked], errors)
    return picked


def _named(
    found: list[tuple[type[Model], str]], options: Options, broken: Set[str]
) -> list[tuple[type[Model], str]]:
    """The models with the names that `options` ask for. The errors of those that are `broken` were
    told.
    """
    if options.model is None:
        return found
    known = dict.fromkeys(model.__name__ for model, _ in found)
    for name in options.model:
        if name not in known and name not in broken:
            raise UsageError(
                f"there is no model {name!r}",
                remedy=f"{did_you_mean(name, known)}the models are {', '.join(known)}",
            )
    return [(model, file) for model, file in found if model.__name__ in options.model]


def models_by_file(
    files: list[Path], asked: Asked[Options], *, is_named: bool
) -> dict[Path, tuple[list[type[Model]], list[InterleaveError]]]:
    """The models of each file, and its errors.

    What `is_named` may be a script, and must have a model; else it may be a helper of the others.
    Raises `KeyboardInterrupt`.
    """
    errors = {file: Errors(lambda _: None) for file in files}
    homes: dict[Path, ModelFile] = {}
    found: dict[Path, list[type[Model]]] = {file: [] for file in files}
    guard = Guard()
    with listening(), leaving(AT_POLLS), guard.phase():
        for file in files:
            with errors[file].noted():
                seconds = asked.near(file).max_seconds
                homes[file] = _run(file, seconds, errors[file].noted, {} if is_named else None)
        for file, home in homes.items():
            others = [other for other in homes.values() if other is not home]
            noted = errors[file].noted
            with noted(), blaming():
                found[file] = models_in(home, others, required=is_named, noted=noted)
    if guard.stop is not None:
        raise KeyboardInterrupt
    return {file: (found[file], errors[file].found) for file in files}


@blaming()
def _run(
    file: Path, max_seconds: float | None, noted: Noted, script: Mapping[str, object] | None
) -> ModelFile:
    """Run a file, which must be imported within some time. See `read_file`."""
    return made_in_time(
        lambda: read_file(file, noted=noted, script=script),
        max_seconds,
        what=f"{file} cannot be imported",
        remedy="a model file must be importable in little time and memory",
    )


def made_in_time(
    make: Callable[[], Made], max_seconds: float | None, *, what: str, remedy: str
) -> Made:
    """What `make` gives. Raises `LimitReached` where it takes too long, or too much memory, with
    `what` cannot be done then; and `Interrupted`.
    """
    guard = Guard(max_seconds)
    found: list[Made] = []
    with guard.phase():
        found = [make()]
    if guard.stop is None:
        return found[0]
    if guard.stop is INTERRUPTED:
        raise Interrupted
    raise LimitReached(f"{what}: {guard.stop}", remedy=remedy)


def _refuse_unheeded(options: Options, models: list[type[Model]], errors: Errors) -> None:
    """Raise `UsageError` for a parameter, a task to cancel or an order that no model has."""
    parameters: dict[str, None] = {}
    tasks: dict[str, None] = {}
    has_loops = False
    for model in models:
        with errors.noted():
            parameters.update(dict.fromkeys(parameters_of(model, {})))
            tasks.update(dict.fromkeys(task_methods(model)))
            has_loops = has_loops or notes_of(model).has_loops
    is_script = any(BOUNDS in vars(model) for model in models)  # which has refused what it has not
    for name in options.parameters or {}:
        if name not in parameters and not is_script:
            refuse_parameter_outside(name, models)
            listed = (
                f"the parameters are {', '.join(parameters)}" if parameters else "there are none"
            )
            remedy = f"{did_you_mean(name, parameters)}{listed}"
            raise UsageError(f"there is no parameter {name!r}", remedy=remedy)
    for name in options.cancel:
        if name.partition("[")[0] not in tasks:
            listed = f"the tasks are {', '.join(tasks)}" if tasks else "no model has tasks"
            raise UsageError(f"there is no task {name!r} to cancel", remedy=listed)
    if options.order not in (None, "any") and not has_loops:
        raise UsageError(
            f"there is no event loop that could run tasks in the order {options.order!r}",
            remedy="leave it out: no model has tasks, and threads run in any order",
        )
