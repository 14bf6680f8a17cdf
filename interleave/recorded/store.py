"""Files of lines in the user's cache directory, and few enough of them."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path

from interleave import kept
from interleave.kept import cache_directory

MOST_BYTES = 200_000_000
"""What all files take together, at most: those that were not used for longest go first."""

LARGEST = 50_000_000
"""What one file takes at most."""

_SUFFIX = ".cases"


class Store:
    """The files in one folder, by their names. One with which something goes wrong is not there."""

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder

    @cached_property
    def _folder(self) -> Path:
        return self._given or cache_directory() / "cases"

    def read(self, name: str) -> list[str] | None:
        """The lines of a file; None where there is none that can be believed."""
        try:
            content = kept.read(self._path(name), private=True, most=LARGEST)
            return None if content is None else content.decode().split("\n")
        except (OSError, ValueError):
            return None

    def write(self, name: str, lines: list[str]) -> None:
        """Have a file consist of some lines, unless that is too much."""
        content = "\n".join(lines).encode()
        with suppress(OSError):
            if len(content) <= LARGEST:
                kept.write(self._path(name), content, private=True, most=MOST_BYTES)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"
