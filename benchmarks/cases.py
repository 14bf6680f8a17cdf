"""What is measured: four models, each near 100,000, a million and ten million states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

ENDLESS = ("philosophers", "bounded_buffer")
"""Models whose threads run for ever: a state without a way on is a deadlock in all of them."""

QUICK = 0.0
"""The size of the cases of `--quick`."""


@dataclass(frozen=True)
class Case:
    """A model with its parameters, and how large its state graph is."""

    model: str
    size: float
    """What it is picked by: about how many states it has."""
    parameters: Mapping[str, int]
    states: int
    transitions: int

    def __str__(self) -> str:
        return f"{self.model} {self.setting}"

    @property
    def setting(self) -> str:
        """The parameters: "N=3 K=5"."""
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())

    @property
    def key(self) -> str:
        """A name for files: "counter-N3-K5"."""
        return "-".join([self.model, *(f"{name}{n}" for name, n in self.parameters.items())])

    @property
    def file(self) -> Path:
        """The model as interleave reads it."""
        return HERE / "models" / f"{self.model}.py"

    @property
    def endless(self) -> bool:
        """Whether the threads run for ever."""
        return self.model in ENDLESS


CASES = (
    Case("counter", QUICK, {"N": 3, "K": 2}, 904, 1_977),
    Case("counter", 1e5, {"N": 3, "K": 5}, 169_771, 460_203),
    Case("counter", 1e6, {"N": 3, "K": 7}, 1_448_448, 4_070_139),
    Case("counter", 4e6, {"N": 4, "K": 4}, 3_892_125, 13_955_872),
    Case("counter", 1e7, {"N": 3, "K": 9}, 7_231_391, 20_683_839),
    Case("philosophers", QUICK, {"N": 5}, 261, 876),
    Case("philosophers", 1e5, {"N": 10}, 102_571, 714_868),
    Case("philosophers", 1e6, {"N": 12}, 1_118_878, 9_415_128),
    Case("philosophers", 1e7, {"N": 14}, 12_205_087, 120_343_304),
    Case("filter_lock", QUICK, {"N": 3, "ROUNDS": 1}, 1_661, 4_500),
    Case("filter_lock", 1e5, {"N": 4, "ROUNDS": 1}, 85_878, 322_080),
    Case("filter_lock", 1e6, {"N": 3, "ROUNDS": 8}, 1_160_476, 3_440_471),
    Case("filter_lock", 1e7, {"N": 4, "ROUNDS": 3}, 12_543_438, 49_240_874),
    Case("bounded_buffer", QUICK, {"SIZE": 1}, 448, 1_424),
    Case("bounded_buffer", 1e5, {"SIZE": 3}, 228_618, 770_355),
    Case("bounded_buffer", 1e6, {"SIZE": 4}, 1_594_680, 5_738_356),
    Case("bounded_buffer", 1e7, {"SIZE": 5}, 8_453_670, 31_815_505),
)

MODELS = tuple(dict.fromkeys(case.model for case in CASES))
