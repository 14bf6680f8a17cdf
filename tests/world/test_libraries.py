"""What a thread sets in a module or a class of a library, which runs as it is, is no secret."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import ModelError, check
from interleave.loading import load_models

# The last two are of the model's own: of what Python itself knows of classes and functions.
HOMES = {
    "a module by another name": ("m = math\nm.hits = 0", "m.hits = m.hits + 1"),
    "a module by setattr": ("math.hits = 0", 'setattr(math, "hits", math.hits + 1)'),
    "a module by its dictionary": ("math.hits = 0", 'vars(math)["hits"] = math.hits + 1'),
    "a class": ("json.JSONEncoder.hits = 0", "json.JSONEncoder.hits += 1"),
    "a class that was imported": ("Fraction.hits = 0", "Fraction.hits += 1"),
    "annotations": (
        "class A:\n    n: int\nA.__annotations__['n'] = 0",
        "A.__annotations__['n'] += 1",
    ),
    "the name of a function": (
        "def f():\n    pass",
        'setattr(f, "__name__", f.__name__ + "x")',
    ),
}


@pytest.mark.parametrize("home", HOMES)
def test_what_is_set_in_a_library_is_refused(tmp_path: Path, home: str) -> None:
    begin, bump = HOMES[home]
    file = tmp_path / "model.py"
    text = f"""
        import json, math
        from fractions import Fraction
        from interleave import Model, thread
        {{begin}}
        class M(Model):
            @thread(2)
            def run(self):
                {bump}
    """
    file.write_text(textwrap.dedent(text).replace("{begin}", begin))
    with pytest.raises(ModelError) as raised:
        check(load_models(file)[-1])
    assert raised.value.place is not None
    assert raised.value.remedy
