"""The models that are meant: found in what somebody names, by the options of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from interleave.asked import Asked
from interleave.blaming import blaming
from interleave.engine.stopping import INTERRUPTED, Guard
from interleave.errors import InterleaveError, LimitReached, UsageError, did_you_mean
from interleave.interrupts import Interrupted
from interleave.loading import file_of, load_models, model_files, parameters_of, task_methods
from interleave.model import Model
from interleave.options import Options
from interleave.program.misuse import refuse_parameter_outside
from interleave.project import real_path

Target = type[Model] | str | Path


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


def find_models(
    targets: list[Target], asked: Asked[Options], errors: Errors | None = None
) -> list[tuple[type[Model], str]]:
    """The models that targets name, each with its file: once, however often they name it.

    Raises `InterleaveError`, unless `errors` takes note of it; and `UsageError` for options that
    none of the models can heed.
    """
    found: dict[tuple[type[Model], str], None] = {}
    errors = errors or Errors()
    seen: set[Path] = set()
    for target in targets:
        if isinstance(target, type):
            if not issubclass(target, Model):
                raise UsageError(
                    f"{target.__name__} is not a model", remedy="derive it from interleave.Model"
                )
            found[target, file_of(target)] = None
            continue
        with errors.noted():
            path = Path(target)
            files = model_files([path])
            for file in files:
                if real_path(file) in seen:
                    continue
                seen.add(real_path(file))
                with errors.noted():
                    # Next to model files, a folder may hold helpers.
                    is_named = len(files) == 1 and not path.is_dir()
                    loaded = _loaded(file, asked.near(file).max_seconds, required=is_named)
                    found.update(dict.fromkeys((each, str(file)) for each in loaded))
    if errors.found and not found:
        return []
    if not found:
        raise UsageError("there is no model in what was named", remedy="name a model file")
    picked = _named([*found], asked.options)
    _refuse_unheeded(asked.options, [model for model, _ in picked])
    return picked


def _named(found: list[tuple[type[Model], str]], options: Options) -> list[tuple[type[Model], str]]:
    """Those of some models that have the names that are asked for."""
    if options.model is None:
        return found
    known = dict.fromkeys(model.__name__ for model, _ in found)
    for name in options.model:
        if name not in known:
            raise UsageError(
                f"there is no model {name!r}",
                remedy=f"{did_you_mean(name, known)}the models are {', '.join(known)}",
            )
    return [(model, file) for model, file in found if model.__name__ in options.model]


@blaming()
def _loaded(file: Path, max_seconds: float | None, *, required: bool) -> list[type[Model]]:
    """The models of a file, which must be imported within some time."""
    guard = Guard(max_seconds)
    found: list[type[Model]] = []
    with guard.phase():
        found = load_models(file, required=required)
    if guard.stop is None:
        return found
    if guard.stop is INTERRUPTED:
        raise Interrupted
    raise LimitReached(
        f"{file} cannot be imported: {guard.stop}",
        remedy="a model file must be importable in little time and memory",
    )


def _refuse_unheeded(options: Options, models: list[type[Model]]) -> None:
    """Raise `UsageError` for a parameter, a task to cancel or an order that no model has."""
    parameters = dict.fromkeys(name for model in models for name in parameters_of(model, {}))
    for name in options.parameters or {}:
        if name not in parameters:
            refuse_parameter_outside(name, models)
            listed = (
                f"the parameters are {', '.join(parameters)}" if parameters else "there are none"
            )
            remedy = f"{did_you_mean(name, parameters)}{listed}"
            raise UsageError(f"there is no parameter {name!r}", remedy=remedy)
    tasks = dict.fromkeys(name for model in models for name in task_methods(model))
    for name in options.cancel:
        if name.partition("[")[0] not in tasks:
            listed = f"the tasks are {', '.join(tasks)}" if tasks else "no model has tasks"
            raise UsageError(f"there is no task {name!r} to cancel", remedy=listed)
    if options.order not in (None, "any") and not tasks:
        raise UsageError(
            f"there is no event loop that could run tasks in the order {options.order!r}",
            remedy="leave it out: no model has tasks, and threads run in any order",
        )
