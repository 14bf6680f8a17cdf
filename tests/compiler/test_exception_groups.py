"""`except*`: what Python does, and what interleave does, with the same groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import by_interleave, by_python

HEADER = """
from interleave import *


class M(Model):
    log = ""

    def note(self, what):
        self.log += str(what)

    @thread
    def run(self):
"""

GROUP = 'ExceptionGroup("g", [ValueError(1), KeyError(2), ExceptionGroup("h", [ValueError(3)])])'

PROGRAMS = {
    "each has its part": f"""
try:
    raise {GROUP}
except* ValueError as error:
    self.note(repr(error))
except* (KeyError, TypeError) as error:
    self.note(repr(error))
else:
    self.note("else")
finally:
    self.note("finally")
""",
    "nothing is raised": """
try:
    self.note("fine")
except* ValueError:
    self.note("no")
else:
    self.note("else")
finally:
    self.note("finally")
""",
    "a single exception": """
try:
    raise ValueError(1)
except* ValueError as error:
    self.note(repr(error))
""",
    "a single exception that nobody handles": """
try:
    raise KeyError(2)
except* ValueError:
    self.note("no")
""",
    "a single exception, raised again": """
try:
    try:
        raise ValueError(1)
    except* ValueError:
        raise
except ExceptionGroup as error:
    self.note(repr(error))
""",
    "what is left goes on": f"""
try:
    raise {GROUP}
except* ValueError:
    self.note("some")
""",
    "raised again in part": f"""
try:
    try:
        raise {GROUP}
    except* ValueError:
        raise
    except* KeyError:
        pass
except ExceptionGroup as error:
    self.note(repr(error))
""",
    "raised again, and something new": f"""
try:
    try:
        raise {GROUP}
    except* ValueError:
        raise
    except* KeyError:
        raise RuntimeError("new")
except ExceptionGroup as error:
    self.note(repr(error))
""",
    "something new alone": f"""
try:
    raise {GROUP}
except* (ValueError, KeyError):
    raise TypeError(5)
""",
    "groups are not caught": f"""
try:
    raise {GROUP}
except* ExceptionGroup:
    pass
""",
    "only exceptions are caught": f"""
try:
    raise {GROUP}
except* 5:
    pass
""",
    "in a loop": """
for number in range(3):
    try:
        if number:
            raise ExceptionGroup("g", [ValueError(number)])
    except* ValueError as error:
        self.note(error.exceptions[0])
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_in_python(tmp_path: Path, name: str) -> None:
    lines = PROGRAMS[name].strip().splitlines()
    text = HEADER + "".join(f"        {line}\n" for line in lines)
    file = tmp_path / "model.py"
    assert by_interleave(file, text) == by_python(file, text)
