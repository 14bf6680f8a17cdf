"""What docs/limits.md says is run as it is, or refused: as the table has it."""

from __future__ import annotations

import builtins
import importlib
import re
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from interleave.world import policy
from interleave.world.policy import Decision, Treatment
from interleave.world.table import REFUSED

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## What is run as it is") :]
ROWS = SECTION[SECTION.index("| Refused |") :].partition("\n\n")[0].splitlines()[2:]
NAMES = [name for row in ROWS for name in re.findall(r"`([\w.]+)(?:\(\))?`", row)]
PURE = re.findall(r"`(\w+)`", re.search(r"known to be pure \((.*?)\)", SECTION, re.DOTALL)[1])  # type: ignore[index]


def decision(name: str) -> Decision:
    """What happens to a function or module that the page names."""
    if hasattr(builtins, name):
        return policy.of_builtin(name)
    first, _, rest = name.partition(".")
    found: Any = builtins if hasattr(builtins, first) else importlib.import_module(first)
    path = name if found is builtins else rest
    return policy.of_object(attrgetter(path)(found) if path else found)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_calls_refused_is(name: str) -> None:
    assert decision(name).treatment is Treatment.REFUSED


@pytest.mark.parametrize("name", PURE)
def test_what_the_page_calls_pure_is(name: str) -> None:
    assert policy.of_module(name) is Treatment.PURE


def test_the_page_names_every_builtin_that_is_refused() -> None:
    refused = {name.removeprefix("builtins.") for name in REFUSED if name.startswith("builtins.")}
    assert {name for name in refused if hasattr(builtins, name)} <= {*NAMES}


def test_the_page_names_something_of_every_kind_that_is_refused() -> None:
    """Of one kind is what has one remedy."""
    assert {decision(name).remedy for name in NAMES} == {*REFUSED.values()}
