"""The clock: against every time that there may be, and against real Python."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from random import Random

import pytest

from interleave import ModelResult, check, explore
from interleave.errors import ModelError
from interleave.loading import load_models
from tests.support.clock_oracle import as_model, drawn, outcomes


def found(folder: Path, text: str, engine: str = "auto") -> set[tuple[object, ...]]:
    """The values of variables called out0, out1, ... in all final states."""
    file = folder / "model.py"
    file.write_text(text)
    graph = explore(load_models(file)[-1], engine=engine, cache=False)
    return {
        tuple(value for name, value in sorted(state.variables.items()) if name.startswith("out"))
        for state in graph.states()
        if state.final
    }


def checked(folder: Path, body: str, **options: object) -> ModelResult:
    """The result of a model with this in its body."""
    file = folder / "model.py"
    head = "import json, threading, time, queue\nfrom interleave import *\n\nclass M(Model):\n"
    file.write_text(head + textwrap.indent(textwrap.dedent(body), "    "))
    (result,) = check(file, cache=False, **options).models  # type: ignore[arg-type]
    return result


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_comes_of_a_program_comes_of_it_at_some_times(
    tmp_path: Path, seed: int, engine: str
) -> None:
    program = drawn(Random(seed))
    assert found(tmp_path, as_model(program), engine) == outcomes(program)
