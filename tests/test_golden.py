"""The files in golden/ say what is found now."""

from __future__ import annotations

import pytest
from golden import GOLDEN, GRAPHS, Counter, differences, graph_text
from library import TABLE, table_text, written_rows

from interleave import Model, explore, thread


def fail_if(difference: str) -> None:
    """Fail with the difference, and with what to do if it is meant."""
    if difference:
        remedy = "If this is as it should be: python tests/support/golden.py"
        pytest.fail(f"{difference}\n\n{remedy}", pytrace=False)


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_is_as_written_down(name: str, engine: str) -> None:
    fail_if(differences(name, graph_text(name, engine)))


def test_the_table_has_every_model_and_nothing_else() -> None:
    """What its lines say is compared in test_models."""
    fail_if(differences(TABLE.name, table_text(written_rows())))


def test_no_file_is_left_over() -> None:
    assert sorted(file.name for file in GOLDEN.iterdir()) == sorted([TABLE.name, *GRAPHS])


def test_a_difference_is_shown_as_lines() -> None:
    text = graph_text("counter.txt").replace("counter: 1 → 2", "counter: 1 → 3")
    lines = differences("counter.txt", text).splitlines()[2:]
    changed = [line for line in lines if line[0] in "+-"]
    assert changed == [
        "-  6 -> 10 | increment[1] | write counter | counter: 1 → 2",
        "+  6 -> 10 | increment[1] | write counter | counter: 1 → 3",
        "-  9 -> 10 | increment[0] | write counter | counter: 1 → 2",
        "+  9 -> 10 | increment[0] | write counter | counter: 1 → 3",
    ]


def test_lines_of_the_file_do_not_matter() -> None:
    """A comment more or less changes nothing."""

    class Counter(Model):
        counter = 0

        @thread(2)
        def increment(self):
            # One more line.
            current = self.counter

            self.counter = current + 1

    assert explore(Counter).to_text() == graph_text("counter.txt")


def test_an_incomplete_graph_says_so() -> None:
    first, *_, last = explore(Counter, max_states=4).to_text().splitlines()
    assert first == "Counter: 4 states, 3 transitions - reached the limit of 4 states"
    assert last.startswith("3 | ")
