"""Files of lines in the user's cache directory, and few enough of them."""

from __future__ import annotations

import os
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
            path = self._path(name)
            content = kept.read(path, private=True, most=LARGEST)
            if content is None:
                return None
            with suppress(OSError):
                os.utime(path)
            return content.decode().split("\n")
        except (OSError, ValueError):
            return None

    def write(self, name: str, lines: list[str]) -> None:
        """Have a file consist of some lines, unless that is too much."""
        content = "\n".join(lines).encode()
        with suppress(OSError):
            if len(content) <= LARGEST and kept.write(self._path(name), content, private=True):
                self._make_room()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _make_room(self) -> None:
        found = []
        for each in os.scandir(self._folder):
            with suppress(OSError):
                facts = each.stat(follow_symlinks=False)
                found.append((facts.st_mtime_ns, facts.st_size, each.path))
        rest = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if rest <= MOST_BYTES:
                return
            rest -= size
            with suppress(OSError):
                os.unlink(path)
