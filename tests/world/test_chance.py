"""What is left to chance is refused, in threads and in setup, though no call shows it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

pytest.importorskip("numpy")

MODEL = """
import random
import numpy
import numpy.random as by_name
from numpy.random import default_rng, randint


class M(Model):
    n = 0

    def setup(self):
        {setup}

    @thread(2)
    def run(self):
        {thread}
        self.n = 1
"""

DRAWS = (
    "numpy.random.randint(10)",
    "by_name.rand()",
    "randint(10)",
    "numpy.random.shuffle([1, 2])",
    "numpy.random.permutation(3)",
    "default_rng()",
    "random.random()",
)


@pytest.mark.parametrize(("draw", "where"), [*product(DRAWS, ("setup", "thread"))])
def test_what_draws_is_refused(tmp_path: Path, draw: str, where: str) -> None:
    code = {"setup": "pass", "thread": "pass", where: draw}
    with pytest.raises(ModelError) as raised:
        verdict(tmp_path, MODEL.format(**code))
    assert raised.value.place is not None
    assert raised.value.remedy


def test_a_generator_that_is_given_a_seed_is_none(tmp_path: Path) -> None:
    setup = "self.n = int(default_rng(3).integers(10))"
    assert verdict(tmp_path, MODEL.format(setup=setup, thread="pass")) == "verified"
