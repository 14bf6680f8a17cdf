"""What users say in pyproject.toml: `[tool.interleave] pure = ["orjson.dumps"]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from interleave.errors import Place, UsageError

_FILE = "pyproject.toml"
_EXAMPLE = 'write [tool.interleave] with pure = ["orjson.dumps"]: dotted names of functions, '
_EXAMPLE += "classes or modules"


def names_said_to_be_pure(model_file: str) -> tuple[str, ...]:
    """The names in the nearest pyproject.toml, next to or above a model file, that has any.

    Raises `UsageError` for a file that is no TOML, and for a list that holds anything but names.
    """
    for folder in Path(model_file).resolve().parents:
        file = folder / _FILE
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if "tool.interleave" not in text and not ("[tool]" in text and "interleave" in text):
            continue  # spares the import of a parser
        if (found := _settings(file, text)) is not None:
            return _checked(file, found.get("pure", []))
    return ()


def _settings(file: Path, text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"this file is not valid TOML: {error}", remedy=_EXAMPLE, place=Place(str(file), 1)
        ) from None
    tools = document.get("tool")
    found = tools.get("interleave") if isinstance(tools, dict) else None
    return found if isinstance(found, dict) else None


def _checked(file: Path, names: object) -> tuple[str, ...]:
    if not isinstance(names, list):
        raise _wrong(file, names, "not a list of names")
    for name in names:
        if not isinstance(name, str):
            raise _wrong(file, names, f"{name!r} is not a string")
        if not all(part.isidentifier() for part in name.split(".")):
            raise _wrong(file, names, f"{name!r} is not a dotted name")
    return tuple(dict.fromkeys(names))


def _wrong(file: Path, names: object, why: str) -> UsageError:
    return UsageError(
        f"pure = {names!r} in [tool.interleave]: {why}",
        remedy=_EXAMPLE,
        place=Place(str(file), _line_of_pure(file)),
    )


def _line_of_pure(file: Path) -> int:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next(
        (number for number, line in enumerate(lines, 1) if line.strip().startswith("pure")), 1
    )
