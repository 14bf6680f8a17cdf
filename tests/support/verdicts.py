"""The verdict on the model in a source text."""

from __future__ import annotations

import textwrap
from pathlib import Path

from interleave import check


def verdict(folder: Path, source: str) -> str:
    """The kinds of what is found, in order of the alphabet; "verified" where that is nothing."""
    file = folder / "model.py"
    header = "from interleave import Model, choose, postcondition, thread\n"
    file.write_text(header + textwrap.dedent(source))
    (found,) = check(file).models
    assert found.complete
    return " ".join(sorted({each.kind for each in found.violations})) or "verified"
