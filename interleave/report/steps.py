"""The listing of `interleave steps` as text."""

from __future__ import annotations

from pathlib import Path

from interleave.listing import ListedStep, ListedThread, Listing
from interleave.report.cells import one_line
from interleave.result import Source


def render_listing(listing: Listing) -> str:
    """A table for each thread: number, access, source line."""
    parts = [listing.model]
    for thread in listing.threads:
        parts += ["", _heading(thread), *_rows(thread.steps, listing.file)]
    if not listing.complete:
        parts += ["", "The model is large: steps that are reached late may be missing."]
    return "\n".join(parts)


def _heading(thread: ListedThread) -> str:
    many = f" ({thread.instances} instances)" if thread.instances > 1 else ""
    return f"{thread.kind} {thread.method}{many}".strip()


def _rows(steps: tuple[ListedStep, ...], file: str) -> list[str]:
    if not steps:
        return ["  no steps: it touches nothing shared"]
    accesses = [one_line(f"{step.access} {', '.join(step.locations)}").strip() for step in steps]
    width = max(len(access) for access in accesses)
    digits = max(len(str(step.source.line)) for step in steps)
    lines = [_line(step.source, file, digits) for step in steps]
    longest = max(map(len, lines))
    return [
        f"  {step.number:>{len(str(len(steps)))}}  {access:<{width}}  "
        f"{line:<{longest}}  {step.source.text}"
        for step, access, line in zip(steps, accesses, lines, strict=True)
    ]


def _line(source: Source, file: str, digits: int) -> str:
    """Where it stands, with the file if it is another one than the model's; blank for a step of the
    library that stands in no line of the model.
    """
    if not source.line:
        return ""
    of_file = "" if source.file == file else f" of {Path(source.file).name}"
    return f"line {source.line:>{digits}}{of_file}"
