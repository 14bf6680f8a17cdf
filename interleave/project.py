"""What users say in pyproject.toml: `[tool.interleave]`, with options of a check.

They stand for what nobody says on the command line or in Python.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interleave.errors import Place, UsageError
from interleave.options import (
    Options,
    options_of,
    read_options,
    refuse_contradictions,
)

_FILE = "pyproject.toml"
_WHERE = "[tool.interleave]"


def settings_near(path: Path) -> dict[str, Any]:
    """The settings in the nearest pyproject.toml that has any: next to or above a model file, in or
    above a folder.

    Raises `UsageError` for a file that is no TOML, for a setting that there is not, and for a value
    that it does not take.
    """
    path = real_path(path)
    for folder in (path, *path.parents):
        file = folder / _FILE
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if "tool.interleave" not in text and not ("[tool]" in text and "interleave" in text):
            continue  # spares the import of a parser
        if (found := _table(file, text)) is not None:
            return _read(found, file, text)
    return {}


def real_path(path: Path) -> Path:
    """Where a path leads to, as far as it does: symbolic links may lead to each other."""
    return Path(os.path.realpath(path))  # `resolve` raises for these, before Python 3.13


def _table(file: Path, text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"this file is not valid TOML: {error}",
            remedy=f'write {_WHERE} with settings such as pure = ["orjson.dumps"]',
            place=Place(str(file), 1),
        ) from None
    tools = document.get("tool")
    found = tools.get("interleave") if isinstance(tools, dict) else None
    return found if isinstance(found, dict) else None


def _read(table: Mapping[str, object], file: Path, text: str) -> dict[str, Any]:
    known = {name: each for name, each in options_of(Options).items() if each.is_setting}
    found: dict[str, Any] = {}
    for name, value in table.items():
        try:
            found |= read_options(known, {name: value}, _WHERE)
        except UsageError as error:
            raise error.at(Place(str(file), _line_of(name, text))) from None
    refuse_contradictions(Options(**found))
    return found


def _line_of(name: str, text: str) -> int:
    """The first line of a text that gives a value to a name."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"""\s*["']?{re.escape(name)}["']?\s*=""", line):
            return number
    return 1
