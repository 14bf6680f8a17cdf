"""Goroutines, by the rules of Go: its memory model, its language, and the end of its programs.

Sources: go.dev/ref/mem, of data races; go.dev/ref/spec, "Program execution" and "For statements".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interleave.runtimes.base import Language, Races, Runtime, Scope, ThreadKind, Words


def is_go_before(version: str, minor: int) -> bool:
    """Whether a version of Go, as in a go.mod, is before 1.`minor`; "" is the newest one."""
    return version != "" and int(version.partition(".")[2]) < minor


def _scope(settings: Mapping[str, Any]) -> Scope:
    return Scope.LOOP if is_go_before(settings["GO_VERSION"], 22) else Scope.ROUND


def _raised(error: BaseException) -> BaseException:
    from interleave.go.failing import in_go

    return in_go(error)


GO = Runtime(
    "go",
    main="main",
    # Elements of a slice are variables of their own, those of a map are not; neither has a lock.
    races=Races(always=True, guarded=False, undivided=(dict, set)),
    receives=("chan receive", "select"),
    words=Words(
        deadlock="all goroutines are asleep - deadlock! ",  # as the Go runtime says it
        to_end="when a channel is closed, say: close(ch), or a channel `done`",
        nothing_comes="All that could give more to do have ended: close the channel when "
        "everything is sent, close(ch), and receive in a loop over it; or say so by a channel "
        "`done`.",
    ),
    language=Language(_scope, _raised, functions_are_values=True, makes_structs=True, has_nil=True),
)

GOROUTINE = ThreadKind(
    "goroutine", (GO,), mixes=False, example="go.spawn({})", example_with_argument="go.spawn({}, i)"
)
