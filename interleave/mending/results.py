"""What `fix` gives: for each model the change, what checks say of it, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping

from interleave.errors import InterleaveError
from interleave.records import dataclass
from interleave.result import ModelResult, Outcome, Result, Violation


@dataclass(frozen=True)
class Cost:
    """In how many orders threads can perform their accesses under a runtime, before and after.

    None where there is no end to them, or it takes too much to tell: see `mending.cost`.
    """

    runtime: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Fix:
    """What was found for one model.

    `before` has the results of the checks of the model as it is, one for each runtime, and
    `violations` what they found, each cause once.
    `words` says what the change does, and `diff` is the change of the file, as unified lines; both
    are "" where none was found. `after` has a result for each runtime. `lost` are outcomes, by
    runtime, that were reached without a violation and are not any more; `new` those that were not
    reached before; `untold`: which were reached without one takes too much to tell. `tried` says
    how many texts were checked; `limit` what ended the search for one before all were, else it is
    ""; `most_states` how many states each might have, if none was found. `left` are the violations
    that remain where only some could be removed. `expects`: the model says that it expects what is
    removed. `mended` are the violations of a model that has none any more by the change of one
    before it.
    """

    model: str
    file: str
    before: tuple[ModelResult, ...]
    violations: tuple[Violation, ...]
    words: str = ""
    diff: str = ""
    after: tuple[ModelResult, ...] = ()
    lost: tuple[tuple[str, Outcome], ...] = ()
    new: tuple[tuple[str, Outcome], ...] = ()
    untold: bool = False
    costs: tuple[Cost, ...] = ()
    tried: int = 0
    limit: str = ""
    most_states: int = 0
    left: tuple[Violation, ...] = ()
    expects: bool = False
    mended: tuple[Violation, ...] = ()

    @property
    def is_found(self) -> bool:
        """Whether there is a change after which nothing is found any more."""
        return bool(self.diff) and not self.left


@dataclass(frozen=True)
class Fixes:
    """What `fix` returns: the models in order, with `texts`, what each file would be, by its path,
    and `diffs`, the changes of each that has any, as unified lines.

    `applied` are the paths of the files that were written. `errors` are as in `Result`.
    """

    models: tuple[Fix, ...]
    texts: Mapping[str, str]
    diffs: Mapping[str, str]
    applied: tuple[str, ...] = ()
    interrupted: bool = False
    errors: tuple[InterleaveError, ...] = ()

    @property
    def is_of_any(self) -> bool:
        """Whether it tells of any model."""
        return bool(self.models)

    @property
    def exit_code(self) -> int:
        """2: an error; 1: something is violated for which none was found; 3: something could not be
        told; 0: all that was violated has a change, or nothing was.
        """
        broken = any(each.violations and not each.is_found for each in self.models)
        unknown = any(
            not each.violations and any(not result.complete for result in each.before)
            for each in self.models
        )
        worst = Result(interrupted=self.interrupted or unknown, errors=self.errors)
        return worst.exit_code if worst.exit_code == 2 or not broken else 1
