"""The command line: `interleave check`, `interleave steps`, `interleave graph`."""

from __future__ import annotations

import gc
import io
import os
import sys
from pathlib import Path
from typing import Any

import click

import interleave
from interleave.engine.stopping import Guard, held_back
from interleave.errors import InterleaveError

EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_DEFECT = 4


class _Commands(click.Group):
    """Turns what goes wrong into messages and exit codes."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with Guard().phase():
                return super().invoke(context)
        except InterleaveError as error:
            click.echo(f"{click.style('error', fg='red', bold=True)}: {error}", err=True)
            context.exit(EXIT_USAGE)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception:
            import traceback

            click.echo(traceback.format_exc(), err=True)
            click.echo(
                "this is a defect of interleave, not of your model: please report it with the "
                "text above and the model file",
                err=True,
            )
            context.exit(EXIT_DEFECT)
        click.echo("interrupted", err=True)
        raise click.exceptions.Exit(EXIT_INCONCLUSIVE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(interleave.__version__, "-V", "--version", prog_name="interleave")
def main() -> None:
    """Check every interleaving of the threads in a model file.

    Exit status: 0 verified, or as the model expects; 1 a violation; 2 wrong usage, or a model that
    cannot be run; 3 inconclusive, for a limit was reached; 4 a defect of interleave.
    """
    _print_any_text()


def _print_any_text() -> None:
    """Let output that the terminal's encoding lacks be replaced, not raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _parameter(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    from interleave.loading import Text

    found: dict[str, Any] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip().isidentifier():
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE, such as N=3")
        found[name.strip()] = Text(text.strip())
    return found


_parameters = click.option(
    "-p",
    "--param",
    "parameters",
    multiple=True,
    callback=_parameter,
    metavar="NAME=VALUE",
    help="Set a parameter of the models that have it. May be repeated.",
)
_model = click.option("-m", "--model", metavar="NAME", help="Only the model of this name.")
_paths = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
_max_states = click.option(
    "--max-states",
    type=click.IntRange(min=1),
    metavar="N",
    show_default="100 million",
    help="Give up before state N + 1: inconclusive unless a violation was found.",
)


@main.command()
@_paths
@_model
@_parameters
@click.option(
    "--runtime", metavar="NAME", help="When threads can switch: free-threaded (default) or gil."
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "native", "reference"]),
    default="auto",
    show_default=True,
    help="How to search: by a compiled kernel (native), by plain Python (reference), or by what is "
    "faster. The report is the same.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    show_default="one for each core",
    help="Threads of the native engine. The report is the same.",
)
@_max_states
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Give up searching a model after S seconds, and looking through it after S more.",
)
@click.option(
    "--order",
    metavar="NAME",
    help="Which of the tasks that are ready an event loop runs next: any (default) or fifo.",
)
@click.option(
    "--cancel",
    multiple=True,
    metavar="TASK",
    help="Let something outside cancel this task at any time. May be repeated.",
)
@click.option("--fail-fast", is_flag=True, help="Stop searching at the first violation.")
@click.option("--races", is_flag=True, help="Look for data races too.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print on standard output.",
)
@click.option(
    "--diagram",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw each counterexample: .dot .gv .svg .png or .pdf. A second one goes to FILE-2.",
)
@click.option("--stats", is_flag=True, help="Say on standard error how the search went.")
@click.option("-q", "--quiet", is_flag=True, help="One line for each model.")
@click.option("-v", "--verbose", is_flag=True, help="Also accesses, files and lines.")
@click.pass_context
def check(
    context: click.Context,
    paths: tuple[Path, ...],
    model: str | None,
    parameters: dict[str, Any],
    runtime: str | None,
    engine: str,
    workers: int | None,
    max_states: int | None,
    max_seconds: float | None,
    order: str | None,
    cancel: tuple[str, ...],
    fail_fast: bool,
    races: bool,
    format_: str,
    diagram: Path | None,
    stats: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Check the models in files and folders.

    A model that says what it expects (@expect) passes if exactly that is found.
    """
    from interleave.checking import MOST_STATES, RunFacts
    from interleave.checking import check as check_models
    from interleave.report.text import render_text
    from interleave.result import ModelResult

    # What is imported by now stays to the end: the collector need not look through it, least of all
    # when Python ends, which takes 5 ms.
    gc.freeze()
    if diagram is not None:
        from interleave.report.drawing import check_suffix

        check_suffix(diagram)
    color = _wants_color()
    count = 0

    progress = None
    if sys.stderr.isatty():
        from interleave.report.progress import Progress

        progress = Progress()

    @held_back()
    def show(result: ModelResult, facts: RunFacts) -> None:
        nonlocal count
        if progress is not None:
            progress.close()
        if format_ == "text":
            if count and not quiet:
                click.echo()
            verbosity = -1 if quiet else 1 if verbose else 0
            click.echo(render_text(result, color=color, verbosity=verbosity), color=color)
        if stats:
            from interleave.report.stats import render_stats

            click.echo(render_stats(result, facts), err=True)
        count += 1

    found = check_models(
        paths,
        model=model,
        parameters=parameters,
        runtime=runtime,
        engine=engine,
        workers=workers,
        max_states=max_states or MOST_STATES,
        max_seconds=max_seconds,
        fail_fast=fail_fast,
        races=races,
        order=order,
        cancel=cancel,
        on_result=show,
        on_progress=progress,
    )
    if progress is not None:
        progress.close()
    if format_ == "json":
        from interleave.report.document import render_json

        with held_back():
            click.echo(render_json(found, version=interleave.__version__))
    elif len(found.models) > 1:
        passed = sum(result.passed for result in found.models)
        click.echo(("" if quiet else "\n") + f"{passed} of {len(found.models)} models pass")
    if diagram is not None:
        _draw(found.models, diagram)
    if found.interrupted and not any(result.interrupted for result in found.models):
        click.echo("interrupted", err=True)
    context.exit(found.exit_code)


def _draw(results: tuple[Any, ...], file: Path) -> None:
    from interleave.report.diagram import counterexample_dot, write_diagram

    number = 0
    for result in results:
        for violation in result.violations:
            number += 1
            name = file if number == 1 else file.with_stem(f"{file.stem}-{number}")
            write_diagram(counterexample_dot(result, violation), name)
            click.echo(f"{result.model}, {violation.kind}: drawn to {name}", err=True)
    if not number:
        click.echo(f"no counterexample to draw: {file} is not written", err=True)


def _wants_color() -> bool:
    """Whether standard output is a terminal that takes colour (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


@main.command()
@_paths
@_model
@_parameters
@click.pass_context
def steps(
    context: click.Context, paths: tuple[Path, ...], model: str | None, parameters: dict[str, Any]
) -> None:
    """Print the steps that each thread is compiled to."""
    from interleave.checking import find_models, reject_unknown
    from interleave.listing import list_steps
    from interleave.loading import parameters_of
    from interleave.report.steps import render_listing

    models = find_models(list(paths), model)
    reject_unknown(parameters, models)
    for number, (each, _) in enumerate(models):
        if number:
            click.echo()
        listing = list_steps(each, parameters_of(each, parameters))
        click.echo(render_listing(listing))
        if listing.interrupted:
            context.exit(EXIT_INCONCLUSIVE)


@main.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What to write: .dot .gv .svg .png .pdf .graphml or .json.",
)
@_model
@_parameters
@click.option(
    "--by",
    metavar="EXPR",
    help="Draw states as one that give the same value for a Python expression of the shared "
    "variables and of the threads (by name: the line each is at): 'counter % 2'.",
)
@click.option("--full", is_flag=True, help="Draw every state, however many there are.")
@_max_states
@click.pass_context
def graph(
    context: click.Context,
    path: Path,
    output: Path,
    model: str | None,
    parameters: dict[str, Any],
    by: str | None,
    full: bool,
    max_states: int | None,
) -> None:
    """Draw the state graph of a model, or write it for another program.

    Runs of states without a choice are folded into one edge. A graph that is too large to be looked
    at is drawn as a quotient: states with the same shared variables are one node. The exit status
    is 0 also for a model with violations, and 3 where the search was not complete.
    """
    from interleave.checking import MOST_STATES
    from interleave.report.graph import check_suffix, write_graph
    from interleave.report.words import count
    from interleave.stategraph import explore

    check_suffix(output, by=by, full=full)
    found = explore(path, model=model, parameters=parameters, max_states=max_states or MOST_STATES)
    what = f"{found.result.model}: {count(len(found), 'state')}"
    with Guard().phase() as drawing:
        shown = write_graph(found, output, by=by, full=full)
        click.echo(f"{what}{shown and f', {shown}'}: written to {output}", err=True)
    if drawing.stop is not None:
        click.echo(f"{what}: not written to {output}: {drawing.stop}", err=True)
    if not found.result.complete:
        click.echo(f"the search is incomplete: {found.result.limit}", err=True)
    if drawing.stop is not None or not found.result.complete:
        context.exit(EXIT_INCONCLUSIVE)
