"""How a search went (`--stats`): facts of the run, which differ from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interleave.report.words import count

if TYPE_CHECKING:
    from interleave.checking import RunFacts
    from interleave.result import ModelResult


MANY_STATES = 100_000
"""States from which on an array is about as large as what is in it."""


def render_stats(result: ModelResult, facts: RunFacts) -> str:
    """A few lines: time and speed, what was learnt, and memory where it is known."""
    workers = "" if facts.workers is None else f", {count(facts.workers, 'worker')}"
    per_second = f"{_rate(result.states, facts.search)} states/s"
    transitions = f"{_rate(result.transitions, facts.search)} transitions/s"
    known = f", {facts.known:,} of them in an earlier check" if facts.known else ""
    lines = [
        f"{result.model}: engine {facts.engine}{workers}: search {facts.search:.3f} s, "
        f"{per_second}, {transitions}",
        f"  {count(facts.learnt, 'case')} learnt{known}; {facts.kernel:.3f} s of the search in the "
        f"kernel, {max(0.0, facts.search - facts.kernel):.3f} s in Python",
        f"  besides: {facts.load:.3f} s to load the kernel, {facts.checks:.3f} s for checks of the "
        f"whole graph, {facts.traces:.3f} s for traces, {facts.counts:.3f} s to count "
        f"interleavings; {facts.seconds:.3f} s in all",
    ]
    if not facts.kept:
        lines.append(
            "  the kernel was compiled and could not be kept: there is nowhere to write it"
        )
    if facts.bytes:
        line = f"  {facts.bytes / 1e6:,.1f} MB, {facts.peak_bytes / 1e6:,.1f} MB at the peak"
        if result.states >= MANY_STATES:
            each, most = (size / result.states for size in (facts.bytes, facts.peak_bytes))
            line += f": {each:.1f} bytes a state, {most:.1f} at the peak"
        lines.append(line)
    return "\n".join(lines)


def _rate(number: int, seconds: float) -> str:
    return f"{number / max(seconds, 1e-9):,.0f}"
