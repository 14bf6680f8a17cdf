"""`check`: from a model, or a file of models, to a result."""

from __future__ import annotations

import gc
import time
from collections.abc import Hashable, Iterable, Iterator, Set
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from interleave.asked import Asked, taking
from interleave.blaming import blaming
from interleave.checks import Check, Found, checks_of
from interleave.checks.alike import folded
from interleave.compiler.source import FUNCTION_OF, place_of_class, place_of_function
from interleave.counting import count_interleavings
from interleave.engine.engines import Engine
from interleave.engine.needs import serves
from interleave.engine.observing import Limits
from interleave.engine.passes.shortest import Path as StatePath
from interleave.engine.passes.shortest import goal_key, path_by_search, paths_to
from interleave.engine.search import Searched, search
from interleave.engine.stopping import INTERRUPTED, Guard, Stop
from interleave.errors import ModelError, Place
from interleave.interrupts import AT_POLLS, leaving, listening, whole
from interleave.loading import (
    checked_runtime,
    expectation_of,
    file_of,
    loop_settings,
    own_options,
    parameters_of,
)
from interleave.machine import State
from interleave.model import BOUNDS, MAIN, Expectation, Model
from interleave.notes import notes_of
from interleave.options import CheckOptions, Options
from interleave.program import Program
from interleave.program.misuse import unused_methods
from interleave.recorded.memory import Memory
from interleave.records import dataclass
from interleave.result import Followed, Interleavings, ModelResult, Result, Verdict, Violation
from interleave.runtimes import Runtime
from interleave.selecting import Errors, Target, with_each_model
from interleave.stdlib.threads import Thread
from interleave.tracing import make_trace
from interleave.world.policy import Assumed, assumed, assuming

MANY_VALUES = 500
"""Values of one variable that are worth a word where a search has not come to its end."""


@dataclass(frozen=True)
class RunFacts:
    """What differs from run to run, and so is no part of a result. Times are in seconds.

    `engine` is the one that ended the search; `workers` None but for the native one. `load` is the
    time to load or compile its kernel, `kernel` the time spent in it, which is part of `search`.
    `search` is the time of the search with what checks do meanwhile, `checks` that which they take
    when it is over, `traces` that to find the ways to what was found, `counts` that to count
    interleavings, and `seconds` all together. `learnt` is how many cases were learnt by running
    Python code. `bytes` and `peak_bytes` are what all arrays take at the end of the search, and
    took at most in it; 0 where it did not come to have any. `known` is how many cases were known
    from an earlier check. `kept` says whether a kernel that had to be compiled is there for the
    next run.
    """

    engine: str
    workers: int | None
    seconds: float
    load: float
    search: float
    kernel: float
    checks: float
    traces: float
    counts: float
    learnt: int
    known: int
    bytes: int
    peak_bytes: int
    kept: bool = True


NO_FACTS = RunFacts("python", None, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
"""Of a search that has not begun."""


@taking(CheckOptions)
def check(target: Target | Iterable[Target], asked: Asked[CheckOptions]) -> Result:
    """Check every interleaving of one model or more.

    `target` is a model class, the path of a model file or of a folder of them, or several of these.
    The options are those of `interleave check`; docs/python.md lists them. What is cut short by one
    of them, or by Ctrl-C, is never "verified".

    Raises `InterleaveError` for a target, an option or a model that is at fault; where `on_error`
    is given, it is told of the error of a file or of a model instead, and the others are checked.
    """
    options = asked.options
    results: list[ModelResult] = []
    errors = Errors(options.on_error)
    guard = Guard()

    def one(model: type[Model], file: str) -> None:
        near = asked.near(file, own_options(model))
        parameters = parameters_of(model, options.parameters or {})
        check_and_tell(model, file, parameters, near, options, results, guard)

    with listening(), leaving(AT_POLLS):
        with_each_model(target, asked, errors, guard, one)
    return Result(tuple(results), interrupted=guard.stop is not None, errors=tuple(errors.found))


def check_and_tell(
    model: type[Model],
    file: str,
    parameters: dict[str, Any],
    near: Options,
    told: CheckOptions,
    results: list[ModelResult],
    guard: Guard,
) -> None:
    """Check one model with the options that are `near` its file, add what comes of it to the
    results, and tell whom `told` names before and after.
    """
    if told.on_begin is not None:
        told.on_begin(unfinished(model, file, parameters, near))
    checked = checked_model(model, file, parameters, near)
    results.append(checked.result)
    if checked.result.interrupted:
        guard.note(INTERRUPTED)
    if told.on_result is not None:
        with guard.finishing():
            told.on_result(checked.result, checked.facts)


@dataclass(frozen=True)
class Checked:
    """One model, checked, with the search that its result comes from."""

    result: ModelResult
    facts: RunFacts
    searched: Searched[Check] | None
    """None where it was cut short before there was a program to search."""
    ways: list[tuple[Violation, tuple[State, ...]]]
    """Each violation with the states that its trace goes through."""

    @property
    def is_cut_short(self) -> bool:
        """Whether the search came to some limit other than that of preemptions."""
        return self.result.limit_kind != "preemptions"


@contextmanager
@whole
def collecting_seldom() -> Iterator[None]:
    """Have Python look for garbage in cycles less often.

    A search makes much that stays, and hardly any cycle: looking through it over and over takes a
    third of the time of a model with many cases.
    """
    usual = gc.get_threshold()
    gc.set_threshold(max(usual[0], 100_000), *usual[1:2], 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@blaming()
def checked_model(
    model: type[Model], file: str, parameters: dict[str, Any], options: Options
) -> Checked:
    """Check one model, up to where it is cut short. Raises `InterleaveError`."""
    with listening(), leaving(AT_POLLS), assuming(Assumed(tuple(options.pure))):
        if options.preemptions is not None:
            return _few_first(model, file, parameters, options)
        return _checked_model(model, file, parameters, options)


def _few_first(
    model: type[Model], file: str, parameters: dict[str, Any], options: Options
) -> Checked:
    """Check the interleavings with few preemptions, fewest first, up to the first violation.

    Where there are no others, they are checked as ever: a state says no more whose turn it was.
    """
    started = time.monotonic()
    for most in range((options.preemptions or 0) + 1):
        checked = _checked_model(model, file, parameters, _in_time(options, started), most)
        if checked.result.complete:
            return _checked_model(model, file, parameters, _in_time(options, started))
        if checked.result.violations or checked.is_cut_short:
            break
    return checked


def _in_time(options: Options, started: float) -> Options:
    """The same, with the seconds that are left."""
    if options.max_seconds is None:
        return options
    left = options.max_seconds - (time.monotonic() - started)
    return replace(options, max_seconds=max(left, 0.001))


@collecting_seldom()
def _checked_model(
    model: type[Model],
    file: str,
    parameters: dict[str, Any],
    options: Options,
    preemptions: int | None = None,
) -> Checked:
    """Check every interleaving, or those with so many `preemptions` at most."""
    started = time.monotonic()
    runtime = checked_runtime(options.runtime, model)
    expectation = expectation_of(model, runtime)
    races = options.races or (expectation is not None and expectation.races)
    races = runtime.races is not None and (races or runtime.races.always)
    parameters = {**parameters, **loop_settings(model, options)}
    limits = Limits(options.max_states, first_violation=options.fail_fast)
    checks = checks_of(model, races=races)
    guard = Guard(options.max_seconds, options.bytes)
    memory: Memory | None = None
    if options.cache and options.engine != "reference" and preemptions is None:
        asked = (runtime.name, *parameters.items(), races, options.max_states, options.fail_fast)
        memory = Memory(model, file, (*asked, *options.pure))
    found: Searched[Check] | None = None
    with guard.phase(), naming_what_is_too_deep(model):
        found = search(
            model,
            parameters,
            lambda machine, steps: [kind(machine, steps) for kind in checks],
            runtime=runtime,
            engine=Engine(options.engine, options.workers, options.sizes, options.on_progress),
            limits=limits,
            guard=guard,
            memory=memory,
            preemptions=preemptions,
        )
    if found is None:
        known = _nothing_known(model, file, runtime, parameters, expectation, guard.stop)
        return Checked(known, NO_FACTS, None, [])
    searched = time.monotonic()
    guard.note(found.graph.stop)
    guard.renew()
    assert serves(found.graph.keeps, found.observers)
    causes: list[Found] = []
    for check in found.observers:
        with guard.phase():
            causes += check.found(found.graph)
    looked_through = time.monotonic()
    ways = _violations(found, causes)
    violations = folded(violation for violation, _ in ways)
    traced = time.monotonic()
    graph = found.graph
    interleavings: Interleavings | None = None
    if guard.stop is None:
        with guard.phase():
            interleavings = count_interleavings(found, any_violation=bool(violations))
    with guard.finishing():
        found.machine.program.real.compare()
    counted = time.monotonic()
    warnings = _not_looked_for(runtime, expectation)
    kinds = {violation.kind for violation in violations}
    with guard.phase():
        warnings = [*_warnings(found, kinds), *warnings]
    stop, complete = guard.stop, guard.stop is None
    compared = next((check.compared for check in found.observers if check.compared), None)
    shows_all = complete and not (compared and compared.why_not)
    verdict: Verdict = "violated" if violations else "verified" if shows_all else "inconclusive"
    if complete:
        found.machine.program.sections.refuse_unknown(model)
    if complete and not kinds and FUNCTION_OF in vars(model):
        _refuse_unstarted(model, found)
    if not kinds and (expectation is None or expectation.kinds):
        _refuse_nothing_to_check(model, found)
    wanted = None if expectation is None else set(expectation.kinds)
    # A search that stopped early has not shown that there is nothing else to find; one that was
    # told to stop at the first violation need not.
    first_only = options.fail_fast or preemptions is not None
    shown = kinds == wanted if complete else first_only and bool(kinds)
    contrary = wanted is not None and not kinds <= wanted
    result = ModelResult(
        model=model.__name__,
        file=file,
        runtime=runtime.name,
        parameters=parameters,
        verdict=verdict,
        expected=None if wanted is None else shown and not contrary,
        complete=complete,
        states=len(graph),
        transitions=graph.transitions,
        depth=graph.depth,
        violations=tuple(violations),
        interleavings=interleavings,
        expectation="" if expectation is None else str(expectation),
        contrary=contrary,
        limit="" if stop is None else str(stop),
        limit_kind="" if stop is None else stop.kind,
        warnings=tuple(warnings),
        interrupted=stop is INTERRUPTED,
        assumed_pure=tuple(assumed().used),
        bounds=tuple((name, value) for name, value in _bounds(found) if value is not None),
        followed=followed_in(found.machine.program),
        compared=compared,
    )
    if memory is not None and complete and not assumed().used:
        with guard.finishing():
            memory.keep(found.machine, found.known)
    facts = RunFacts(
        engine=graph.kind,
        workers=graph.workers,
        seconds=time.monotonic() - started,
        load=graph.spent.loading,
        search=searched - started - graph.spent.loading,
        kernel=graph.spent.kernel,
        checks=looked_through - searched,
        traces=traced - looked_through,
        counts=counted - traced,
        learnt=found.steps.learnt + sum(check.cases for check in found.observers),
        known=found.machine.cases.known,
        bytes=graph.bytes,
        peak_bytes=graph.peak_bytes,
        kept=graph.is_kept,
    )
    return Checked(result, facts, found, ways)


@blaming()
def unfinished(
    model: type[Model], file: str, parameters: dict[str, Any], options: Options
) -> ModelResult:
    """What there is to say of a model whose code does not come back in time."""
    runtime = checked_runtime(options.runtime, model)
    expectation = expectation_of(model, runtime)
    stop = Stop("seconds", "code of the model took too long, or too much memory")
    return _nothing_known(model, file, runtime, parameters, expectation, stop)


def _nothing_known(
    model: type[Model],
    file: str,
    runtime: Runtime,
    parameters: dict[str, Any],
    expectation: Expectation | None,
    stop: Stop | None,
) -> ModelResult:
    """What there is to say of a model that was cut short before its search began."""
    return ModelResult(
        model=model.__name__,
        file=file,
        runtime=runtime.name,
        parameters=parameters,
        verdict="inconclusive",
        expected=None if expectation is None else False,
        complete=False,
        states=0,
        transitions=0,
        depth=0,
        expectation="" if expectation is None else str(expectation),
        limit=str(stop),
        interrupted=stop is INTERRUPTED,
    )


@contextmanager
def naming_what_is_too_deep(model: type[Model]) -> Iterator[None]:
    """Say what is at fault where Python has no stack left for what is in a state."""
    try:
        yield
    except RecursionError as error:
        raise ModelError(
            f"{model.__name__} has a value or an expression that is nested too deeply",
            remedy="keep it flat: a list of its parts, say",
            place=Place.of_error(file_of(model), error) or place_of_class(model),
        ) from None


def _not_looked_for(runtime: Runtime, expectation: Expectation | None) -> list[str]:
    if expectation is None or "data-race" not in expectation.kinds or runtime.races is not None:
        return []
    why = f"there are none under the runtime {runtime.name}"
    return [f"data-race is expected, but not looked for: {why}"]


def _bounds(found: Searched[Check]) -> list[tuple[str, object]]:
    settings = found.machine.program.settings
    replaced: tuple[tuple[str, object], ...] = vars(found.machine.program.model).get(BOUNDS, ())
    names = ("PIPE_CAPACITY", "SPURIOUS_WAKEUPS", "CLOCK", "CLOCK_STEP", "SIGNALS")
    return [*replaced, *((name, settings.get(name)) for name in names)]


def followed_in(program: Program) -> tuple[Followed, ...]:
    """The functions that were run, file by file."""
    by_file: dict[str, dict[tuple[int, str], None]] = {}
    for function in program.world.followed():
        code = function.__code__
        lines = by_file.setdefault(code.co_filename, {})
        lines[code.co_firstlineno, code.co_qualname] = None
    return tuple(
        Followed(file, tuple([name for _, name in sorted(by_file[file])]))
        for file in sorted(by_file)
    )


def _takes_no_step(found: Searched[Check]) -> bool:
    """Whether the threads have ended, all of them, before they came to an access."""
    initial = range(found.graph.initial)
    return not (found.graph.stop is not None or found.graph.transitions) and not any(
        found.machine.failures_at_start(found.graph.state(number)) for number in initial
    )


def _refuse_unstarted(model: type[Model], found: Searched[Check]) -> None:
    """Raise `ModelError` where a function is checked that starts no thread, or one that it makes
    never.
    """
    program = found.machine.program
    started = program.findings.started
    for key, room in program.spawned if BOUNDS not in vars(model) else ():  # a script may do that
        is_thread = issubclass(key.kind, Thread) and not key.kind.comes_back
        if is_thread and (name := program.threads[room.runs].name) not in started:
            raise ModelError(
                f"{name} is made, and never started",
                remedy="call its start()",
                place=place_of_function(key.function),
            )
    if program.signals is None and not started and list(notes_of(model).threads) == [MAIN]:
        raise ModelError(
            f"{model.__name__} starts no thread: there is nothing to interleave",
            remedy="put @thread above functions in it, or have it start some: "
            "threading.Thread(...).start()",
            place=place_of_class(model),
        )


def _refuse_nothing_to_check(model: type[Model], found: Searched[Check]) -> None:
    """Raise `ModelError` where the threads neither take a step nor look at a constant."""
    if _takes_no_step(found) and not found.machine.program.findings.constants:
        raise ModelError(
            "the threads share nothing that can be seen here: none of them takes a step, or looks "
            "at a shared variable",
            remedy="keep what they share in attributes of the model, or in objects that these "
            "refer to; if nothing is what you expect, say so: @expect(nothing)",
            place=place_of_class(model),
        )


def _warnings(found: Searched[Check], kinds: Set[str]) -> list[str]:
    """What a verdict alone would not tell."""
    program = found.machine.program
    warnings = list(program.heap.warnings)
    warnings += [each for check in found.observers for each in check.warnings(kinds)]
    for name in unused_methods(program.model, notes_of(program.model)):
        warnings.append(
            f"{name} is not run: nothing calls it, and no @thread or @invariant marks it"
        )
    if found.graph.stop is not None:
        return warnings + _growing(found)
    if _takes_no_step(found):
        names = ", ".join(dict.fromkeys(program.findings.constants.values()))
        only = f"the threads look at {names} only, which nothing writes"
        warnings.append(f"no thread takes a step: {only if names else 'they share nothing'}")
    return warnings


def _growing(found: Searched[Check]) -> list[str]:
    """That a variable may be what keeps an incomplete search from coming to an end."""
    locations = [each for each in found.machine.program.heap.changing if each.shown]
    varieties = {each.name: found.graph.variety(each.index) for each in locations}
    most = max(varieties, key=lambda name: varieties[name], default="")
    if not most or varieties[most] < MANY_VALUES:
        return []
    return [
        f"{most} has had {varieties[most]:,} different values so far: if nothing bounds it, "
        "the search has no end"
    ]


def _violations(
    found: Searched[Check], causes: list[Found]
) -> list[tuple[Violation, tuple[State, ...]]]:
    """What the checks have found in a search, each with the states on the way to it.

    After an interrupt, this is still done; a second one leaves out what is being worked on.
    """
    guard = found.graph.guard
    goals = {
        goal_key(*cause.goal): cause.goal
        for cause in causes
        if not isinstance(cause.goal, StatePath)
    }
    paths: dict[Hashable, StatePath] = {}
    with guard.phase():
        paths = paths_to(found.graph, goals) if goals else {}
    violations = []
    for cause in causes:
        with guard.finishing():
            if isinstance(cause.goal, StatePath):
                path = cause.goal
                start = path.steps[0][0]
            else:
                path = paths.get(goal_key(*cause.goal)) or path_by_search(found.graph, *cause.goal)
                start = path.steps[0][0] if path.steps else found.graph.state(cause.goal[0])
            states = None if found.graph.stop is None else len(found.graph)
            which = found.graph.number(start) or 0
            trace = make_trace(found.machine, start, path, which=which, states=states)
            passed = (start, *[found.machine.after(state, step) for state, step in path.steps])
            violations.append((cause.describe(path, trace), passed))
    return violations
