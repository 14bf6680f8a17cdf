"""Going through a dict that is changed meanwhile: as Python does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from interleave import check
from interleave.memory.cursors import cursor

Change = Callable[[dict[int, int]], object]


def again(key: int) -> Change:
    return lambda items: items.update({key: items.pop(key, 0)})


def instead(key: int, other: int) -> Change:
    return lambda items: items.update({other: items.pop(key, 0)})


CHANGES: dict[str, Change] = {
    "nothing": lambda items: None,
    **{f"{key} again": again(key) for key in (0, 1, 2)},
    **{f"{key} out": lambda items, key=key: items.pop(key, None) for key in (0, 2)},  # type: ignore[misc]
    "7 for 0": instead(0, 7),
    "8 for 1": instead(1, 8),
    "9 for 2": instead(2, 9),
    "9 in": lambda items: items.update({9: 0}),
}


def gone_through(iterate: Callable[[Any], Iterator[int]], size: int, names: list[str]) -> list[str]:
    items = {0: 0, 1: 0} if size == 2 else {0: 0, 1: 0, 2: 0}
    iterator = iterate(items)
    found = []
    changes = [CHANGES[name] for name in names]
    for change in [*changes, *[CHANGES["nothing"]] * size]:
        try:
            found.append(str(next(iterator)))
        except StopIteration:
            return [*found, "end"]
        except RuntimeError as error:
            return [*found, str(error)]
        change(items)
    return found


@pytest.mark.parametrize("size", [2, 3])
def test_a_dict_of_a_thread(size: int) -> None:
    for names in product(CHANGES, repeat=2):
        if (size, names[1]) == (2, "1 again"):
            continue  # the last one, put in again after it was met: that leaves no trace
        as_python = gone_through(iter, size, [*names])
        assert gone_through(cursor, size, [*names]) == as_python, names


SHARED = """
import collections
from interleave import Model, thread

class M(Model):
    def setup(self):
        self.items = {made}

    @thread
    def look(self):
        for each in {view}:
            pass

    @thread
    def change(self):
        self.items[3] = self.items.pop(1)
"""


@pytest.mark.parametrize("view", ["self.items", "self.items.items()", "self.items.values()"])
@pytest.mark.parametrize("kind", ["dict", "collections.Counter", "collections.OrderedDict"])
def test_a_shared_dict(kind: str, view: str, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    made = f"{kind}([(1, 1), (2, 2)])" if kind != "collections.Counter" else f"{kind}([1, 2])"
    file.write_text(SHARED.format(made=made, view=view))
    (found,) = check(file).models
    said = " ".join(each.message for each in found.violations)
    if kind == "collections.OrderedDict":
        assert "OrderedDict mutated during iteration" in said
    else:
        assert "dictionary changed size during iteration" in said
        assert "dictionary keys changed during iteration" in said
