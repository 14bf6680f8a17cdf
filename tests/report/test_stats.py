"""What `--stats` says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import report_results as results

from interleave.checking import NO_FACTS
from interleave.report.stats import MANY_STATES, render_stats


@pytest.mark.parametrize(
    ("states", "line"),
    [
        (10, "  5.0 MB, 7.0 MB at the peak"),
        (MANY_STATES, "  5.0 MB, 7.0 MB at the peak: 50.0 bytes a state, 70.0 at the peak"),
    ],
)
def test_what_a_state_takes_is_said_where_there_are_many(states, line) -> None:
    facts = replace(NO_FACTS, bytes=5_000_000, peak_bytes=7_000_000)
    assert render_stats(replace(results.verified(), states=states), facts).splitlines()[-1] == line
