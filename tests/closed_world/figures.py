"""How many variants come out right, wrong, and refused, by home, way of writing, and reach.

PYTHONPATH=.:tests python -m closed_world.figures [--sample] [--list]
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from closed_world.running import Hangs, by_interleave, by_python
from closed_world.variants import ALL, Variant, sample

RESULTS = ("right", "refused", "verified wrongly", "other endings", "defect")


def result_of(variant: Variant, folder: Path) -> tuple[str, str]:
    """One of `RESULTS`, and what it was in words."""
    real = by_python(variant)
    try:
        checked = by_interleave(variant, folder)
    except (Exception, Hangs) as error:
        return "defect", repr(error)  # a traceback or a hang
    if checked.refusal is not None:
        return "refused", checked.refusal.what
    found = f"{checked.verdict} with {sorted(map(str, checked.endings))}"
    if checked.endings == real or (variant.switches_inside and checked.endings > real):
        return "right", found
    return ("verified wrongly" if checked.verdict == "verified" else "other endings"), found


def main() -> None:
    variants = sample() if "--sample" in sys.argv else ALL
    total: Counter[str] = Counter()
    by_part: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for variant in variants:
            result, words = result_of(variant, Path(folder))
            if "--list" in sys.argv:
                print(f"{result:<17} {variant.name}: {words}")
            total[result] += 1
            lock = "locked" if variant.locked else "unlocked"
            parts = (
                f"home   {variant.home.name}",
                f"write  {variant.write.name}",
                f"reach  {variant.reach.name}",
                f"lock   {lock}",
            )
            for part in parts:
                by_part.setdefault(part, Counter())[result] += 1
    print(f"{'':<24}" + "".join(f"{name:>18}" for name in RESULTS))
    for part, counts in [*sorted(by_part.items()), ("all", total)]:
        print(f"{part:<24}" + "".join(f"{counts[name] or '':>18}" for name in RESULTS))


if __name__ == "__main__":
    main()
