"""The `sys` module: `exit`, which ends the thread that calls it, as in CPython."""

from __future__ import annotations

import sys

FUNCTIONS = {"exit": sys.exit}
PRIMITIVES: dict[type, type] = {}
