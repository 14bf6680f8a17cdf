"""The options of a check: each in one place, with its default, its values and its words.

From the fields of `Options` are made the keywords of `check` and `explore` (`interleave.asked`),
the options of the command line (`interleave.click_options`), the settings in pyproject.toml
(`interleave.project`), and the table in docs/python.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from interleave.errors import UsageError, did_you_mean
from interleave.kinds import (
    Choice,
    Expression,
    Flag,
    Function,
    Kind,
    NameList,
    Seconds,
    Size,
    Values,
    Whole,
)
from interleave.model import ORDERS
from interleave.records import dataclass as record
from interleave.runtimes import ASKED_FOR, DEFAULT, NAMED

if TYPE_CHECKING:
    from interleave.checking import RunFacts
    from interleave.engine.graph import SearchGraph
    from interleave.errors import InterleaveError
    from interleave.result import ModelResult

MOST_STATES = 100_000_000
"""States at most, unless told otherwise: some 2 GB. A model that grows for ever must end."""

ENGINES = ("auto", "native", "reference")
"""How to search.

`reference` runs the Python code of every step. `native` learns each case once, and has a compiled
kernel explore the graph. `auto` learns too, and goes over to the kernel where that pays.
"""

OF_MODELS = ("check", "graph", "steps")
CHANGING = ("locks", "fix")
UNDER_ONE = (*OF_MODELS, "race", "probe", "sharing", *CHANGING)
SEARCHING = ("check", "graph", "race", "compare", "sharing", *CHANGING)
RUNNING = (*UNDER_ONE, "compare")
"""The commands that are given models, those that try changes of them, those that run code under one
runtime, those that search for what there is, and those that run code at all.
"""


@record(frozen=True)
class Option:
    """What there is to say of a field of `Options`."""

    kind: Kind
    help: str
    commands: tuple[str, ...] = ()
    """The commands that take it."""
    is_setting: bool = False
    """Whether pyproject.toml can say it."""
    flags: tuple[str, ...] = ()
    """How the command line calls it, where not by its name."""
    default_words: str = ""
    """What its default is, where that does not say it."""
    none: str = ""
    """What None means, where that is not the default."""
    default: Any = None
    type: str = ""
    """What type checkers see."""

    def read(self, value: object) -> Any:
        """A value as it is kept. Raises `UsageError`."""
        is_none = value is None and (self.none or self.default is None)
        return None if is_none else self.kind.read(value)


def option(default: Any, kind: Kind, help: str, **rest: Any) -> Any:  # noqa: A002
    """A field that is an option."""
    return field(default=default, metadata={"option": Option(kind, help, **rest)})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Options:
    """What is checked, and how."""

    model: str | Iterable[str] | None = option(
        None,
        NameList("NAME"),
        "Only the model of this name. May be repeated.",
        commands=(*OF_MODELS, "probe", "compare", "sharing", *CHANGING),
        flags=("-m", "--model"),
    )
    parameters: Mapping[str, object] | None = option(
        None,
        Values(),
        "Set a parameter of the models that have it, or a constant or a number of a script. May be "
        "repeated.",
        commands=RUNNING,
        flags=("-p", "--param"),
    )
    runtime: str | None = option(
        None,
        Choice(
            "runtime",
            ASKED_FOR,
            "NAME",
            others=tuple(name for name in NAMED if name not in ASKED_FOR),
            why_not="models of tasks, processes or goroutines alone have theirs by themselves",
        ),
        f"When threads can switch: {DEFAULT.name} (default) or {', '.join(ASKED_FOR[1:])}.",
        commands=UNDER_ONE,
        is_setting=True,
    )
    engine: str = option(
        "auto",
        Choice("engine", ENGINES),
        "How to search: by a compiled kernel (native), by plain Python (reference), or by what is "
        "faster. The report is the same.",
        commands=SEARCHING,
        is_setting=True,
    )
    workers: int | None = option(
        None,
        Whole(),
        "Threads of the native engine. The report is the same.",
        commands=SEARCHING,
        is_setting=True,
        default_words="one for each core",
    )
    max_states: int | None = option(
        MOST_STATES,
        Whole(),
        "Give up before state N + 1: inconclusive unless a violation was found.",
        commands=(*SEARCHING, "probe"),
        is_setting=True,
        default_words="100 million",
        none="no limit",
    )
    max_seconds: float | None = option(
        None,
        Seconds(),
        "Give up searching a model after S seconds, and looking through it after S more.",
        commands=RUNNING,
        is_setting=True,
    )
    max_memory: int | str | None = option(
        None,
        Size(),
        "Give up when this process has taken so much memory: 500MB, 2GB.",
        commands=RUNNING,
        is_setting=True,
        default_words="what the machine or the cgroup has, less a margin",
    )
    order: str | None = option(
        None,
        Choice("order", ORDERS, "NAME"),
        "Which of the tasks that are ready an event loop runs next: any (default) or fifo.",
        commands=RUNNING,
        is_setting=True,
    )
    cancel: str | Iterable[str] = option(
        (),
        NameList("TASK"),
        "Let something outside cancel this task at any time. May be repeated.",
        commands=RUNNING,
    )
    fail_fast: bool = option(
        False,
        Flag(),
        "Stop searching at the first violation.",
        commands=("check", "graph", "race"),
    )
    preemptions: int | None = option(
        None,
        Whole(0),
        "Look only at interleavings with N preemptions at most, fewest first, up to the first "
        "violation: a preemption is a switch away from a thread that could go on. Without a "
        "violation it is inconclusive, unless there are no other interleavings.",
        commands=("check", "race"),
        none="no limit",
    )
    races: bool = option(
        False, Flag(), "Look for data races too.", commands=SEARCHING, is_setting=True
    )
    pure: Iterable[str] = option(
        (),
        NameList("NAME", or_one=False, dotted=True),
        "Functions, classes and modules of others that are known to keep nothing.",
        is_setting=True,
    )
    cache: bool = option(
        True,
        Flag(),
        "Know from earlier checks what code does that has not changed. The report is the same.",
        commands=("check", "graph", "compare", "sharing"),
        is_setting=True,
    )
    on_progress: Callable[[SearchGraph], None] | None = option(
        None, Function(), "Is called now and then while a model is searched."
    )
    sizes: Any = None
    """Sizes of arrays to begin with, for tests: no option."""

    @property
    def bytes(self) -> int | None:
        """The number that `max_memory` stands for."""
        return None if self.max_memory is None else Size().read(self.max_memory)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CheckOptions(Options):
    """What `check` can be told besides, which may check several models."""

    on_begin: Callable[[ModelResult], None] | None = option(
        None,
        Function(),
        "Is called before each model, with what there is to say if it never comes back.",
    )
    on_result: Callable[[ModelResult, RunFacts], None] | None = option(
        None, Function(), "Is called after each model."
    )
    on_error: Callable[[InterleaveError], None] | None = option(
        None,
        Function(),
        "Is told of the error of a file or of a model, and the others are checked. Without it, "
        "the first error is raised.",
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RaceOptions(CheckOptions):
    """What `race` can be told besides."""

    threads: int = option(1, Whole(), "So many threads for each of the calls.", commands=("race",))
    observe: str | None = option(
        None,
        Expression(),
        "What counts as the outcome, instead of all results and the state of the object: an "
        "expression of its attributes.",
        commands=("race",),
    )
    linearizable: bool = option(
        False,
        Flag(),
        "Whole calls must also keep the order of calls that did not overlap.",
        commands=("race",),
    )
    pairs: bool = option(
        False,
        Flag(),
        "Race each two public methods, with simple arguments.",
        commands=("race",),
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CompareOptions(CheckOptions):
    """What `compare` can be told besides."""

    scenarios: bool = option(
        False, Flag(), "Only the models that say a SCENARIO.", commands=("compare",)
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FixOptions(CheckOptions):
    """What `fix` can be told besides."""

    candidates: int = option(
        200, Whole(), "Give up for a model after so many changes were tried.", commands=("fix",)
    )
    apply: bool = option(False, Flag(), "Write the changes to the files.", commands=("fix",))


DEFAULTS = Options()


def options_of(kind: type[Options]) -> dict[str, Option]:
    """The options among the fields of `Options`, or of a class that derives from it, by name."""
    return {
        each.name: replace(each.metadata["option"], default=each.default, type=each.type)
        for each in fields(kind)
        if "option" in each.metadata
    }


def read_options(
    known: Mapping[str, Option], given: Mapping[str, object], where: str
) -> dict[str, Any]:
    """Options that were given to what `where` names, as they are kept. Raises `UsageError`."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise UsageError(
                f"{where} has no option {name!r}",
                remedy=f"{did_you_mean(name, known)}the options are {', '.join(known)}",
            )
        try:
            found[name] = known[name].read(value)
        except UsageError as error:
            from interleave.showing import show

            raise said_of(f"{name} = {show(value)} in {where}", error) from None
    return found


def said_of(what: str, error: UsageError) -> UsageError:
    """An error in a value, with what it was given for."""
    return UsageError(f"{what}: {error.what}", remedy=error.remedy)


def refuse_contradictions(options: Options) -> None:
    """Raise `UsageError` for options of which one makes the other pointless."""
    if options.races and options.runtime is not None and NAMED[options.runtime].races is None:
        raise UsageError(
            f"there are no data races under the runtime {options.runtime!r}: of two accesses, one "
            "is always over before the other begins",
            remedy="leave out the one or the other",
        )
