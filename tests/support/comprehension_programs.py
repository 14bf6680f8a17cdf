"""Programs of comprehensions and generator expressions within each other: random ones, whose
results real Python and interleave are to agree on. Names are few, so that they hide each other.
"""

from __future__ import annotations

from random import Random

TEXT = """
from interleave import Model, thread

class M(Model):
    n = 1
    events = ()

    @thread
    def run(self):
        self.n += 1
        a, b = 3, [self.n, 4]
        items = [5, a]
{lines}
"""


def program(seed: int) -> str:
    """The program of a seed."""
    random = Random(seed)
    lines = [f"self.events += (repr({_value(random, 3)}),)" for _ in range(3)]
    return TEXT.format(lines="\n".join(f"        {line}" for line in lines))


def _value(random: Random, depth: int) -> str:
    """An expression that gives a value which can be shown."""
    inside = _generator(random, depth)
    return random.choice(
        [
            f"[{inside}]", f"list({inside})", f"sum({inside})", f"sum(({inside}), 5)",
            f"any({inside})", f"sorted({inside})", f"max(({inside}), default=0)",
            f"next(({inside}), None)", f"[*({inside})]", f"sorted({{{inside}}})",
            f"list(enumerate({inside}))", f"[*map(str, ({inside}))]",
        ]
    )  # fmt: skip


def _generator(random: Random, depth: int, *, is_first: bool = True) -> str:
    """What stands between the brackets of a comprehension; what it gives are numbers.

    `is_first`: only loops that come first are around it.
    """
    first, second = random.choice("ab"), random.choice("ab")
    loops = f"for {first} in {_iterable(random, depth, is_first=is_first)}"
    used = {first}
    if random.random() < 0.3:
        loops += f" for {second} in {_iterable(random, depth - 1, of=first, is_first=False)}"
        used.add(second)
    if random.random() < 0.3:
        loops += f" if {first} != self.n"
    name = random.choice(sorted(used))
    given = random.choice([name, f"{name} + self.n", f"{name} * 2"])
    if depth > 1 and random.random() < 0.2:
        given = f"sum({_generator(random, depth - 2, is_first=False)}) + {name}"
    return f"{given} {loops}"


def _iterable(random: Random, depth: int, *, of: str = "", is_first: bool) -> str:
    plain = ["items", "range(self.n)", "[1, self.n]"] + ([f"({of}, self.n)"] if of else [])
    if depth <= 0 or random.random() < 0.2:
        return random.choice(plain)
    inside = _generator(random, depth - 1, is_first=is_first)
    return random.choice(
        [f"({inside})"] * 3
        + [f"[{inside}]", f"iter(sorted({inside}))"]
        + ([] if not is_first else [f"filter(None, ({inside}))"])
    )
