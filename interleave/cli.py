"""The command line: `interleave check`, `interleave steps`, `interleave graph`."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

import interleave
from interleave.asked import Asked, asked
from interleave.click_options import given_in, taking
from interleave.engine.stopping import INTERRUPTED, Guard
from interleave.errors import InterleaveError, UsageError
from interleave.interrupts import AT_POLLS, leaving, listening, take
from interleave.options import CompareOptions, FixOptions, Options, RaceOptions
from interleave.report import formats
from interleave.report.output import Output, tell

if TYPE_CHECKING:
    from interleave.comparing import Comparison
    from interleave.engine.graph import SearchGraph
    from interleave.mending.locks import Locks
    from interleave.mending.results import Fixes
    from interleave.protection.results import Sharing
    from interleave.result import ModelResult, Result
    from interleave.watchdog import End, Watchdog

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_DEFECT = 4

KNOWN_EVERY = 0.25
"""Seconds after which the watchdog is told anew how far a search has come."""

AFTER_INTERRUPT = 2.0
"""Seconds in which the graph of a search is written that somebody has interrupted."""


def _say(text: str, context: click.Context) -> NoReturn:
    """Write what was asked for instead of a check, and end."""
    output = Output()
    output.write(text, color=context.color)
    if output.failure:
        _tell_error(UsageError(output.failure, remedy=_SEE_OUTPUT))
    context.exit(EXIT_USAGE if output.failure else 0)


_SEE_OUTPUT = "see what standard output leads to"


class _Helpful(click.Command):
    """Whose help is written as reports are: to an output that may be full."""

    def get_help_option(self, context: click.Context) -> click.Option | None:
        option = super().get_help_option(context)
        if option is not None:
            option.callback = _say_help
        return option


def _say_help(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not context.resilient_parsing:
        _say(context.get_help(), context)


def _say_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not context.resilient_parsing:
        _say(f"interleave, version {interleave.__version__}", context)


class _Commands(_Helpful, click.Group):
    """Turns what goes wrong into messages and exit codes."""

    command_class = _Helpful

    _is_of_process = False
    """Whether this process was started to run the command, and ends with it."""

    def main(self, args: Any = None, *rest: Any, **extra: Any) -> Any:
        self._is_of_process = args is None
        return super().main(args, *rest, **extra)

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        try:
            return super().parse_args(context, arguments)
        except click.NoSuchOption as error:
            if any(error.option_name in each.opts for each in self.commands["check"].params):
                hint = (
                    f"Options come after the command: interleave check PATH... {error.option_name}"
                )
                raise click.UsageError(f"{error.message} {hint}", context) from None
            raise

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        is_path = {*name} & {*"./\\"} or Path(name).exists() or Path(f"{name}.py").exists()
        if name not in self.commands and is_path:
            raise click.UsageError(
                f"No such command {name!r}. Did you mean 'interleave check {name}'?", context
            )
        return super().resolve_command(context, arguments)

    def invoke(self, context: click.Context) -> Any:
        context.obj = self._is_of_process
        with listening(signal.SIGINT, signal.SIGTERM), leaving(AT_POLLS):
            try:
                with Guard().phase(), leaving(AT_POLLS):
                    return super().invoke(context)
            except InterleaveError as error:
                _tell_error(error)
                context.exit(error.exit_code)
            except (click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except KeyboardInterrupt:
                pass  # a second one, while the first was being answered
            except BaseException:  # SystemExit too: whoever raised it is not to end this
                import traceback

                tell(traceback.format_exc())
                tell(
                    "this is a defect of interleave, not of your model: please report it with the "
                    "text above and the model file"
                )
                context.exit(EXIT_DEFECT)
            finally:
                if self._is_of_process:  # all is said, and the exit code is known
                    for each in (signal.SIGINT, signal.SIGTERM):
                        signal.signal(each, signal.SIG_IGN)
            tell("interrupted")
            raise click.exceptions.Exit(EXIT_INCONCLUSIVE)


def _tell_error(error: InterleaveError) -> None:
    tell(f"{click.style('error', fg='red', bold=True)}: {error}")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-V",
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_say_version,
    help="Show the version and exit.",
)
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


class _Format(click.Option):
    """Whose help lists the formats that there are when it is asked for."""

    def make_metavar(self, ctx: click.Context | None = None) -> str:
        return f"[{'|'.join(formats.reports())}]"


def _known_format(context: click.Context, parameter: click.Parameter, name: str) -> str:
    """A format of those that there are when the command runs."""
    known: str = click.Choice(formats.reports()).convert(name, parameter, context)
    return known


_REPORTING = (
    click.option(
        "--format",
        "format_",
        cls=_Format,
        callback=_known_format,
        default=formats.reports()[0],
        show_default=True,
        help="What to print on standard output.",
    ),
    click.option(
        "--diagram",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=f"Draw each counterexample: {formats.listed(formats.PICTURES)}. A second one goes to "
        "FILE-2.",
    ),
    click.option("--stats", is_flag=True, help="Say on standard error how the search went."),
    click.option("-q", "--quiet", is_flag=True, help="One line for each model."),
    click.option("-v", "--verbose", is_flag=True, help="Also accesses, files and lines."),
)


def _reporting(function: Command) -> Command:
    """Have a function of click take the options that say what is to be told of what is checked."""
    for option in reversed(_REPORTING):
        function = option(function)
    return function


_paths = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)


@main.command()
@_paths
@taking("check")
@_reporting
@click.pass_context
def check(
    context: click.Context,
    /,
    paths: tuple[Path, ...],
    format_: str,
    diagram: Path | None,
    stats: bool,
    quiet: bool,
    verbose: bool,
    **_: Any,
) -> None:
    """Check the models in files and folders.

    A model that says what it expects (@expect) passes if exactly that is found.
    """
    from interleave.checking import check as check_models

    given = given_in(context)
    limits = _limits(paths, asked(Options, given, "interleave check"))
    verbosity = -1 if quiet else 1 if verbose else 0
    reports = _Reports(format_, verbosity, stats=stats)
    _report(context, reports, diagram, limits, partial(check_models, paths, **given))


def _report(
    context: click.Context,
    reports: _Reports,
    diagram: Path | None,
    limits: tuple[float | None, int | None],
    check_all: Callable[..., Result],
) -> NoReturn:
    """Tell of what is checked, draw it where that is wanted, and end.

    `check_all` checks, and takes what is to be called meanwhile, as the options of `check`.
    """
    # What is imported by now stays to the end: the collector need not look through it, least of all
    # when Python ends, which takes 5 ms.
    gc.freeze()
    if diagram is not None:
        from interleave.report.drawing import check_suffix

        check_suffix(diagram)
    seconds, memory = limits
    with _watched(context, memory, reports.begin_import):
        with redirect_stdout(sys.stderr):  # what a model prints is no report
            found = check_all(
                on_begin=reports.begin,
                on_result=reports.add,
                on_progress=reports.go_on if reports.is_asked else None,
                on_error=reports.add_error,
            )
        reports.end(found)
        if diagram is not None:
            guard = Guard(seconds, memory)
            with guard.phase("in drawing"):
                _draw(found.models, diagram)
            if guard.stop is not None:
                tell(str(guard.stop))
                found = replace(found, interrupted=True)
    if take() is INTERRUPTED and not found.interrupted:
        tell("interrupted")
        found = replace(found, interrupted=True)
    context.exit(EXIT_USAGE if reports.failure else found.exit_code)


@main.command()
@click.argument("target", metavar="MODULE:EXPRESSION")
@click.argument("calls", nargs=-1, metavar="CALL...")
@taking("race", RaceOptions)
@_reporting
@click.pass_context
def race(
    context: click.Context,
    /,
    target: str,
    calls: tuple[str, ...],
    format_: str,
    diagram: Path | None,
    stats: bool,
    quiet: bool,
    verbose: bool,
    **_: Any,
) -> None:
    """Make calls of one object in parallel, and compare with the same calls one after the other.

    Each CALL is the text of a call, or of several with a semicolon in between, which a thread of
    its own makes: interleave race 'cachelib:SimpleCache()' 'add("k", 1)' 'add("k", 2)'.
    """
    from interleave.racing.race import race as race_calls

    given = given_in(context, RaceOptions)
    limits = _limits((Path(),), asked(RaceOptions, given, "interleave race"))
    is_brief = quiet or (given.get("pairs", False) and not verbose)
    verbosity = -1 if is_brief else 1 if verbose else 0
    reports = _Reports(format_, verbosity, stats=stats, noun="pairs")
    _report(context, reports, diagram, limits, partial(race_calls, target, *calls, **given))


@main.command()
@click.argument("target", metavar="MODULE:EXPRESSION|PATH")
@click.argument("calls", nargs=-1, metavar="CALL...")
@taking("probe")
@click.pass_context
def probe(context: click.Context, /, target: str, calls: tuple[str, ...], **_: Any) -> None:
    """Say all that stands in the way of a check, and what a check would follow.

    Of an object, two threads make each CALL, or each public method with simple arguments:
    interleave probe 'cachelib:SimpleCache()'. The exit status is 2 where something is refused.
    """
    from interleave.probing import probe as probe_target
    from interleave.report.probed import render_probed

    output = Output()
    given = given_in(context)
    memory = _limits((), asked(Options, given, "interleave probe"))[1]
    with _watched(context, memory, _know_nothing), redirect_stdout(sys.stderr):
        found = probe_target(target, *calls, **given)
    output.write(render_probed(target, found))
    if output.failure:
        _tell_error(UsageError(output.failure, remedy=_SEE_OUTPUT))
        context.exit(EXIT_USAGE)
    is_cut_short = any(each.limit for each in found) or take() is INTERRUPTED
    context.exit(
        EXIT_USAGE if any(each.refused for each in found) else EXIT_INCONCLUSIVE * is_cut_short
    )


def _one_of(writers: Mapping[str, formats.Writer]) -> Callable[[Command], Command]:
    """The option that names one of the writers of a command, the first one if it is not given."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice([*writers]),
        default=next(iter(writers)),
        show_default=True,
        help="What to print on standard output.",
    )


@main.command()
@_paths
@taking("compare", CompareOptions)
@_one_of(formats.COMPARISONS)
@click.pass_context
def compare(context: click.Context, /, paths: tuple[Path, ...], format_: str, **_: Any) -> None:
    """Check models under each runtime that they can mean, as a table.

    Models that say the same SCENARIO are one row: the same in Python and in Go, say. What is found
    is no failure: the exit status is 2 for an error, 3 where something is inconclusive, else 0.
    """
    from interleave.comparing import compare as compare_models

    _tell_of_all(context, paths, compare_models, formats.COMPARISONS[format_], CompareOptions)


@main.command()
@_paths
@taking("sharing")
@_one_of(formats.SHARINGS)
@click.pass_context
def sharing(context: click.Context, /, paths: tuple[Path, ...], format_: str, **_: Any) -> None:
    """Say who reads and writes each shared variable, and what protects it.

    A lock, a queue, the order of the threads, the GIL alone, or nothing: taken from every access of
    every interleaving. The exit status is 1 where something is unprotected, under any of the
    runtimes, or where updates of it can be lost; 2 for an error; 3 where not all is known.
    """
    from interleave.protection.sharing import sharing as sharing_of

    _tell_of_all(context, paths, sharing_of, formats.SHARINGS[format_])


@main.command()
@_paths
@taking("locks")
@_one_of(formats.LOCKS)
@click.pass_context
def locks(context: click.Context, /, paths: tuple[Path, ...], format_: str, **_: Any) -> None:
    """Say of each lock whether it is needed, by taking it away and checking again.

    The same is said of each stretch of code that holds it, and around which lines it is enough to
    hold it. What is found is no failure: the exit status is 2 for an error, 3 where something could
    not be told, else 0.
    """
    from interleave.mending.locks import locks as judge_locks

    _tell_of_all(context, paths, judge_locks, formats.LOCKS[format_])


@main.command()
@_paths
@taking("fix", FixOptions)
@_one_of(formats.FIXES)
@click.pass_context
def fix(context: click.Context, /, paths: tuple[Path, ...], format_: str, **_: Any) -> None:
    """Find the smallest change that removes what a check finds, each candidate checked in full.

    A diff is printed, and nothing is written without --apply. Exit status: 0 all that is violated
    has such a change, or nothing is; 1 for something none was found; 2 an error; 3 inconclusive.
    """
    from interleave.mending.fix import fix as fix_models

    _tell_of_all(context, paths, fix_models, formats.FIXES[format_], FixOptions)


def _tell_of_all(
    context: click.Context,
    paths: tuple[Path, ...],
    find: Callable[..., Comparison | Sharing | Locks | Fixes],
    write: formats.Writer,
    kind: type[Options] = Options,
) -> NoReturn:
    """Write what a function finds of all models at once, by the options of its command, and end."""
    given = given_in(context, kind)
    memory = _limits(paths, asked(kind, given, f"interleave {context.command.name}"))[1]
    output = Output()
    color, width = _wants_color(), _width_of_output()
    with _watched(context, memory, _know_nothing), redirect_stdout(sys.stderr):
        found = find(paths, on_error=_tell_error, **given)
    if not found.errors or found.is_of_any:
        output.write(write(found, color=color, width=width, version=interleave.__version__))
    if output.failure:
        _tell_error(UsageError(output.failure, remedy=_SEE_OUTPUT))
        context.exit(EXIT_USAGE)
    is_cut_short = take() is INTERRUPTED or found.interrupted
    if is_cut_short:
        tell("interrupted")
    context.exit(found.exit_code or EXIT_INCONCLUSIVE * is_cut_short)


def _limits(paths: tuple[Path, ...], options: Asked[Any]) -> tuple[float | None, int | None]:
    """The seconds and the bytes that are given, or set for one of the paths: the least of them."""
    limits: list[Options] = []
    for path in paths:
        with suppress(UsageError):  # it comes again when the models are looked for
            limits.append(options.near(path if os.path.exists(path) else "."))
    seconds = [each.max_seconds for each in limits if each.max_seconds is not None]
    memory = [each.bytes for each in limits if each.bytes is not None]
    return min(seconds, default=None), min(memory, default=None)


class _Reports:
    """Tells of each model when it was checked, and of all of them at the end."""

    def __init__(self, format_: str, verbosity: int, *, stats: bool, noun: str = "models") -> None:
        self._noun = noun
        self._format = format_
        self._is_whole = format_ in formats.RESULTS
        """Whether all models are told of in one, at the end."""
        self._verbosity = verbosity
        self._stats = stats
        self._color = _wants_color()
        self._width = _width_of_output()
        self._output = Output()
        self._told: list[ModelResult] = []
        self._errors: list[InterleaveError] = []
        self._unfinished: ModelResult | None = None
        self._known_at = 0.0
        self._progress: Any = None
        """What shows how far a search has come, on a terminal."""
        self.watchdog: Watchdog | None = None
        if sys.stderr is not None and sys.stderr.isatty():
            from interleave.report.progress import Progress

            self._progress = Progress()

    @property
    def failure(self) -> str:
        """Why the reports cannot be written; "" where they can."""
        return self._output.failure

    def begin_import(self, watchdog: Watchdog) -> None:
        """Files are imported; the watchdog looks on from now on."""
        from interleave.result import Result

        self.watchdog = watchdog
        nothing = Result(interrupted=True)
        text = f"{self._whole(nothing)}\n" if self._is_whole else ""
        message = "interrupted: to import a model file took too long, or too much memory\n"
        watchdog.know("limit", text, nothing.exit_code, message=message)
        watchdog.know("interrupt", text, nothing.exit_code, message=f"{INTERRUPTED}\n")

    def begin(self, unfinished: ModelResult) -> None:
        """A model is begun. `unfinished` is what there is to say if nothing more comes."""
        self._unfinished = unfinished
        if self.watchdog is not None:
            from interleave.result import Result

            stopped = replace(unfinished, limit=str(INTERRUPTED), interrupted=True)
            ends: dict[End, ModelResult] = {"limit": unfinished, "interrupt": stopped}
            for end, result in ends.items():
                known = Result((*self._told, result), errors=tuple(self._errors))
                text = self._whole(known) if self._is_whole else self._text(result)
                self.watchdog.know(end, f"{text}\n", known.exit_code)

    @property
    def is_asked(self) -> bool:
        """Whether anybody wants to know how far a search has come."""
        return self._progress is not None or self.watchdog is not None

    def go_on(self, graph: SearchGraph) -> None:
        """A search has come so far."""
        if self._progress is not None:
            self._progress(graph)
        if self.watchdog is not None and time.monotonic() > self._known_at + KNOWN_EVERY:
            assert self._unfinished is not None
            self.begin(
                replace(
                    self._unfinished,
                    states=len(graph),
                    transitions=graph.transitions,
                    depth=graph.depth,
                )
            )
            self._known_at = time.monotonic()

    def add(self, result: ModelResult, facts: Any) -> None:
        """A model was checked."""
        self._end_progress()
        if not self._is_whole:
            self._output.write(self._text(result), color=self._color)
        if self._stats:
            from interleave.report.stats import render_stats

            tell(render_stats(result, facts))
        self._told.append(result)

    def add_error(self, error: InterleaveError) -> None:
        """A file or a model is at fault."""
        self._end_progress()
        _tell_error(error)
        self._errors.append(error)

    def end(self, found: Result) -> None:
        """All were checked."""
        self._end_progress()
        many = len(found.models) + len(found.errors) > 1
        if self._is_whole:
            self._output.write(self._whole(found))
        elif many and found.models:
            passed = sum(result.passed for result in found.models)
            line = f"{passed} of {len(found.models)} {self._noun} pass"
            if found.errors:
                line += f", and {len(found.errors)} could not be checked"
            self._output.write(("" if self._verbosity < 0 else "\n") + line)
        if self.failure:
            _tell_error(UsageError(self.failure, remedy=_SEE_OUTPUT))
        if found.interrupted and not any(result.interrupted for result in found.models):
            tell("interrupted")

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.close()

    def _text(self, result: ModelResult) -> str:
        write = formats.MODELS[self._format]
        text = write(result, color=self._color, verbosity=self._verbosity, width=self._width)
        return f"\n{text}" if self._told and self._verbosity >= 0 else text

    def _whole(self, found: Result) -> str:
        text: str = formats.RESULTS[self._format](found, version=interleave.__version__)
        return text


@contextmanager
def _watched(
    context: click.Context, memory: int | None, begin: Callable[[Watchdog], None]
) -> Iterator[None]:
    """Have another process look on, which ends this one where it cannot do so itself.

    `begin` tells it what is known at first. Only where the process is the command's own.
    """
    if not context.obj:
        yield
        return
    from interleave.watchdog import Watchdog

    watchdog = Watchdog(memory)
    try:
        begin(watchdog)
        yield
    finally:
        watchdog.close()


def _know_nothing(watchdog: Watchdog) -> None:
    """Have the watchdog say that there is no output, and why."""
    message = "interrupted: code of the model took too long, or too much memory\n"
    watchdog.know("limit", "", EXIT_INCONCLUSIVE, message=message)
    watchdog.know("interrupt", "", EXIT_INCONCLUSIVE, message=f"{INTERRUPTED}\n")


def _draw(results: tuple[Any, ...], file: Path) -> None:
    from interleave.report.diagram import counterexample_dot, write_diagram

    number = 0
    for result in results:
        for violation in result.violations:
            number += 1
            name = file if number == 1 else file.with_stem(f"{file.stem}-{number}")
            write_diagram(counterexample_dot(result, violation), name)
            tell(f"{result.model}, {violation.kind}: drawn to {name}")
    if not number:
        tell(f"no counterexample to draw: {file} is not written")


def _width_of_output() -> int:
    """How many cells wide a report may be: the terminal's; 100 where output goes elsewhere."""
    if sys.stdout is None or not sys.stdout.isatty():
        return 100
    with suppress(OSError, ValueError):
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    return 100


def _wants_color() -> bool:
    """Whether standard output is a terminal that takes colour (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


@main.command()
@_paths
@taking("steps")
@click.pass_context
def steps(context: click.Context, /, paths: tuple[Path, ...], **_: Any) -> None:
    """Print the steps that each thread is compiled to."""
    from interleave.listing import list_steps
    from interleave.loading import own_options, parameters_of
    from interleave.report.steps import render_listing
    from interleave.selecting import Errors, find_models

    output, errors = Output(), Errors(_tell_error)
    is_cut_short = False
    given = asked(Options, given_in(context), "interleave steps")
    memory = _limits(paths, given)[1]
    with _watched(context, memory, _know_nothing):
        for number, (model, file) in enumerate(find_models(list(paths), given, errors)):
            with errors.noted():
                options = given.near(file, own_options(model))
                parameters = parameters_of(model, options.parameters or {})
                with redirect_stdout(sys.stderr):
                    listing = list_steps(model, parameters, options)
                output.write(("\n" if number else "") + render_listing(listing))
                is_cut_short |= listing.is_cut_short
                if listing.interrupted:
                    break
    if output.failure:
        _tell_error(UsageError(output.failure, remedy=_SEE_OUTPUT))
        context.exit(EXIT_USAGE)
    if take() is INTERRUPTED:
        tell("interrupted")
        is_cut_short = True
    codes = {error.exit_code for error in errors.found} | {EXIT_INCONCLUSIVE * is_cut_short}
    context.exit(EXIT_USAGE if EXIT_USAGE in codes else max(codes))


@main.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"What to write: {formats.listed([*formats.PICTURES, *formats.GRAPHS])}.",
)
@click.option(
    "--by",
    metavar="EXPR",
    help="Draw states as one that give the same value for a Python expression of the shared "
    "variables and of the threads (by name: the line each is at): 'counter % 2'.",
)
@click.option("--full", is_flag=True, help="Draw every state, however many there are.")
@taking("graph")
@click.pass_context
def graph(
    context: click.Context,
    /,
    path: Path,
    output: Path,
    by: str | None,
    full: bool,
    **_: Any,
) -> None:
    """Draw the state graph of a model, or write it for another program.

    Runs of states without a choice are folded into one edge. A graph that is too large to be looked
    at is drawn as a quotient: states with the same shared variables are one node. The exit status
    is 0 also for a model with violations, and 3 where the search was not complete.
    """
    from interleave.report.graph import check_suffix, write_graph
    from interleave.report.words import count
    from interleave.stategraph import SeveralModels, explore

    check_suffix(output, by=by, full=full)
    given = given_in(context)
    seconds, memory = _limits((path,), asked(Options, given, "interleave graph"))
    with redirect_stdout(sys.stderr), _watched(context, memory, _know_nothing):
        try:
            found = explore(path, **given)
        except SeveralModels as error:
            raise SeveralModels(error.names, by="-m NAME") from None
    what = f"{found.result.model}: {count(len(found), 'state')}"
    if found.result.interrupted:
        seconds = min(seconds or AFTER_INTERRUPT, AFTER_INTERRUPT)
    with Guard(seconds, memory).phase() as drawing:
        shown = write_graph(found, output, by=by, full=full)
        tell(f"{what}{shown and f', {shown}'}: written to {output}")
    if drawing.stop is not None:
        tell(f"{what}: not written to {output}: {drawing.stop}")
    if not found.result.complete:
        tell(f"the search is incomplete: {found.result.limit}")
    if drawing.stop is not None or not found.result.complete:
        context.exit(EXIT_INCONCLUSIVE)
