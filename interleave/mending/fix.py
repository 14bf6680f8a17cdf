"""`fix`: the smallest change of a file that removes what a check finds in it."""

from __future__ import annotations

from collections.abc import Iterable

from interleave.asked import Asked, taking
from interleave.engine.stopping import Guard
from interleave.interrupts import AT_POLLS, leaving, listening
from interleave.mending.differences import diff
from interleave.mending.results import Fix, Fixes
from interleave.mending.search import Search
from interleave.mending.trying import Bench
from interleave.model import Model
from interleave.options import FixOptions
from interleave.selecting import Errors, Target, with_each_model


@taking(FixOptions)
def fix(target: Target | Iterable[Target], asked: Asked[FixOptions]) -> Fixes:
    """Find the smallest change of each model that removes what a check finds in it.

    Each change that comes into question is checked under every runtime that the model can mean, or
    the one that is asked for; one whose check does not come to its end counts for nothing.
    `target` is as for `check`. Nothing is written, unless `apply`.

    Raises `InterleaveError` for a target, an option or a model that is at fault; where `on_error`
    is given, it is told of that instead, and the others are looked at.
    """
    errors = Errors(asked.options.on_error)
    guard = Guard()
    found: list[Fix] = []
    benches: dict[str, Bench] = {}
    texts: dict[str, str] = {}
    done: list[str] = []

    def one(model: type[Model], file: str) -> None:
        with guard.phase():
            if file not in benches:
                benches[file] = Bench(file, asked)
            bench = benches[file]
            present = texts.get(file, bench.original.text)
            mended, texts[file] = Search(bench, model.__name__, present).found()
            found.append(mended)

    with listening(), leaving(AT_POLLS):
        with_each_model(target, asked, errors, guard, one)
        if asked.options.apply and guard.stop is None:
            for file, text in texts.items():
                if text != benches[file].original.text:
                    with errors.noted():
                        benches[file].original.overwrite(text)
                        done.append(file)
    diffs = {file: diff(file, benches[file].original.text, text) for file, text in texts.items()}
    return Fixes(
        tuple(found),
        texts,
        {file: text for file, text in diffs.items() if text},
        tuple(done),
        guard.stop is not None,
        tuple(errors.found),
    )
