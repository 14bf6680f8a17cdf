"""Measure interleave beside other model checkers, on the same state graphs.

`python benchmarks/run.py --help` says how; docs/benchmarks.md says what the figures mean.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import machine
import table
from cases import CASES, MODELS, QUICK, Case
from measuring import Failed, measure
from outputs import Report
from peers import NOT_COMPARED, all_engines
from peers.base import Engine, Measured, TooSlow
from table import Result, Row


@dataclass
class Entry:
    """An engine that takes part in a case."""

    engine: Engine
    folder: Path
    row: Row
    spent: list[float] = field(default_factory=list)
    """Seconds for each run."""


@dataclass
class Bench:
    """How to measure, and what is known already."""

    engines: Sequence[Engine]
    repeat: int
    budget: float
    ceiling: bool
    """Whether to measure how two bare threads scale, in each round."""
    rates: dict[tuple[str, str], float] = field(default_factory=dict)
    """(Model, engine) -> seconds a state, in the largest case so far."""
    wrong: list[str] = field(default_factory=list)
    """Counts that do not agree, in words."""

    def result(self, case: Case) -> Result:
        """Run every engine on a case, in turn, again and again."""
        ceilings: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            entries = [
                Entry(engine, Path(folder) / str(number), Row(case, engine.name))
                for number, engine in enumerate(self.engines)
            ]
            for entry in entries:
                entry.folder.mkdir()
                self._prepare(case, entry)
            for number in range(self.repeat):
                for entry in entries:
                    _tell(f"{case}, run {number + 1} of {self.repeat}: {entry.engine.name}")
                    self._run(case, entry)
                ceilings += self._ceiling()
        _tell("")
        return Result(case, [entry.row for entry in entries], ceilings)

    def _prepare(self, case: Case, entry: Entry) -> None:
        name = entry.engine.name
        expected = self.rates.get((case.model, name), 0) * case.states
        if expected > self.budget:
            entry.row.skipped = f"left out: it would take some {expected:,.0f} s"
            return
        _tell(f"{case}, preparing: {name}")
        with self._judging(case, entry):
            entry.row.compile = entry.engine.prepare(case, entry.folder, self.budget)

    def _run(self, case: Case, entry: Entry) -> None:
        row, spent = entry.row, entry.spent
        if row.skipped or (spent and sum(spent) + spent[-1] > self.budget):
            row.runs.append(None)
            return
        row.runs.append(None)
        with self._judging(case, entry):
            run = entry.engine.run(case, entry.folder, self.budget)
            spent.append(run.wall)
            row.runs[-1] = run
            self.rates[case.model, row.engine] = run.wall / case.states
            self._compare(case, row.engine, run)

    @contextlib.contextmanager
    def _judging(self, case: Case, entry: Entry) -> Iterator[None]:
        """Around what an engine does: if it fails or is too slow, its row says so."""
        try:
            yield
        except TooSlow:
            entry.row.skipped = f"stopped after {self.budget:,.0f} s"
            self.rates[case.model, entry.row.engine] = self.budget / case.states
        except Failed as error:
            entry.row.skipped = f"failed: {str(error).splitlines()[0]}"
            click.echo(f"\n{error}", err=True)

    def _ceiling(self) -> list[float]:
        """How two bare threads scale just now, where that is asked for and can be told."""
        if not self.ceiling:
            return []
        found = measure([sys.executable, Path(__file__).parent / "ceiling.py"])
        return [float(found.out)] if found.code == 0 else []

    def _compare(self, case: Case, engine: str, run: Measured) -> None:
        off = abs(run.transitions - case.transitions)
        if run.states != case.states or off > run.rounded:
            found = f"{engine} on {case}: {run.states:,} states, {run.transitions:,} transitions"
            if found not in self.wrong:
                self.wrong.append(found)


def _tell(what: str) -> None:
    """Where the measuring has got to, on a line of its own that is written over."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{what[:100]}", nl=False, err=True)


def _names(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in value.split(",") if name.strip())


def _sizes(context: click.Context, parameter: click.Parameter, value: str) -> tuple[float, ...]:
    known = sorted({case.size for case in CASES} - {QUICK})
    try:
        sizes = tuple(float(size) for size in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers") from None
    for size in sizes:
        if size not in known:
            raise click.BadParameter(f"{size:g} is none of {', '.join(f'{n:g}' for n in known)}")
    return sizes


def _picked(engines: Sequence[Engine], peers: tuple[str, ...]) -> Iterator[Engine]:
    """The engines that take part; says why others do not."""
    for engine in engines:
        wanted = not engine.peer or "all" in peers or engine.name.lower().split(",")[0] in peers
        if not wanted:
            continue
        if missing := engine.unavailable():
            click.echo(f"{engine.name}: {missing}", err=True)
            continue
        yield engine
    if "all" in peers:
        for name, why in NOT_COMPARED.items():
            click.echo(f"{name}: not compared, {why}", err=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--models",
    default=",".join(MODELS),
    show_default=True,
    callback=_names,
    metavar="NAMES",
    help="Which models.",
)
@click.option(
    "--sizes",
    default="1e5,1e6,4e6,1e7",
    show_default=True,
    callback=_sizes,
    metavar="NUMBERS",
    help="About how many states. Also: 4e6.",
)
@click.option(
    "--repeat",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="How often each is run.",
)
@click.option(
    "--peers",
    default="all",
    show_default=True,
    callback=_names,
    metavar="NAMES",
    help="With which peers: all, none, or some of spin,rumur,minicheck,musil.",
)
@click.option(
    "--peer-python",
    default=sys.executable,
    metavar="FILE",
    help="The Python that has minicheck and musil. Default: this one.",
)
@click.option("--skip", multiple=True, metavar="ENGINE", help="Leave this one out, e.g. reference.")
@click.option(
    "--budget",
    default=120.0,
    show_default=True,
    metavar="S",
    help="Seconds for one engine and one case: beyond, it is run less often or not at all.",
)
@click.option("--quick", is_flag=True, help="Tiny sizes, run once: does it all work?")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Also write figures.md, figures.json and figures.svg there.",
)
@click.option("--write-docs", is_flag=True, help="Put the figures into docs/benchmarks.md.")
def main(
    models: tuple[str, ...],
    sizes: tuple[float, ...],
    repeat: int,
    peers: tuple[str, ...],
    peer_python: str,
    skip: tuple[str, ...],
    budget: float,
    quick: bool,
    out: Path | None,
    write_docs: bool,
) -> None:
    """Measure interleave beside other model checkers, on the same state graphs."""
    if unknown := set(models) - set(MODELS):
        raise click.UsageError(f"no model {', '.join(unknown)}: there are {', '.join(MODELS)}")
    if quick:
        sizes, repeat = (QUICK,), 1
    cases = [case for case in CASES if case.model in models and case.size in sizes]
    taking_part = [
        engine
        for engine in _picked(all_engines(peer_python), peers)
        if not any(each.lower() in engine.name.lower() for each in skip)
    ]
    ceiling = not quick and any("2 workers" in engine.name for engine in taking_part)
    bench = Bench(taking_part, repeat, budget, ceiling)
    results = []
    for case in cases:
        results.append(bench.result(case))
        click.echo(table.plain(results[-1]) + "\n")
    agreed = not bench.wrong
    verdict = (
        "All that ran agree on the states and transitions of every case."
        if agreed
        else "NOT AGREED:\n" + "\n".join(bench.wrong)
    )
    click.echo(verdict)
    report = Report(machine.describe(taking_part), results, [verdict])
    if out is not None:
        report.write(out)
    if write_docs and agreed:
        report.write_docs()
    failed = [row for result in results for row in result.rows if row.skipped.startswith("failed")]
    sys.exit(0 if agreed and not failed else 1)


if __name__ == "__main__":
    main()
