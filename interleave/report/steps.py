"""The listing of `interleave steps` as text."""

from __future__ import annotations

from interleave.listing import ListedStep, ListedThread, Listing
from interleave.report.cells import one_line


def render_listing(listing: Listing) -> str:
    """A table for each thread: number, access, source line."""
    parts = [listing.model]
    for thread in listing.threads:
        parts += ["", _heading(thread), *_rows(thread.steps)]
    if not listing.complete:
        parts += ["", "The model is large: steps that are reached late may be missing."]
    return "\n".join(parts)


def _heading(thread: ListedThread) -> str:
    many = f" ({thread.instances} instances)" if thread.instances > 1 else ""
    return f"thread {thread.method}{many}"


def _rows(steps: tuple[ListedStep, ...]) -> list[str]:
    if not steps:
        return ["  no steps: it touches nothing shared"]
    accesses = [one_line(f"{step.access} {', '.join(step.locations)}").strip() for step in steps]
    width = max(len(access) for access in accesses)
    lines = max(len(str(step.source.line)) for step in steps)
    return [
        f"  {step.number:>{len(str(len(steps)))}}  {access:<{width}}  "
        f"{_line(step, lines)}  {step.source.text}"
        for step, access in zip(steps, accesses, strict=True)
    ]


def _line(step: ListedStep, width: int) -> str:
    """Where it stands; blank for a step of the library that stands in no line of the model."""
    line = step.source.line
    return f"line {line:>{width}}" if line else " " * (len("line ") + width)
