"""Files in the user's cache directory: written as a whole or not at all, and few enough.

Several processes may read and write at once. A file is believed if it is as it was written, and if
nobody but the user could have written it.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path

MOST_BYTES = 200_000_000
"""What all files take together, at most: those that were not used for longest go first."""

LARGEST = 50_000_000
"""What one file takes at most."""

_SUFFIX = ".cases"


def cache_directory() -> Path:
    """Where this system has what programs keep for a user and can make anew.

    Raises `OSError` where nobody knows.
    """
    base, inside = os.environ.get("XDG_CACHE_HOME", ""), ".cache"
    if sys.platform == "win32":
        base, inside = os.environ.get("LOCALAPPDATA", ""), "AppData/Local"
    elif sys.platform == "darwin":
        base, inside = "", "Library/Caches"
    try:
        return Path(base if os.path.isabs(base) else Path.home() / inside, "interleave")
    except RuntimeError as error:  # nobody's home
        raise FileNotFoundError(str(error)) from error


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
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            with os.fdopen(os.open(path, flags), "rb") as file:
                found = os.fstat(file.fileno())
                if not (_is_own(found) and _is_own(os.stat(self._folder))):
                    return None
                digest, _, content = file.read(LARGEST + 1).partition(b"\n")
            if _digest(content) != digest:
                return None
            with suppress(OSError):
                os.utime(path)
            return content.decode().split("\n")
        except (OSError, ValueError):
            return None

    def write(self, name: str, lines: list[str]) -> None:
        """Have a file consist of some lines, unless that is too much."""
        content = "\n".join(lines).encode()
        if len(content) > LARGEST:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._folder / f"{name}.{os.getpid()}.{threading.get_ident()}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            try:
                with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                    file.write(_digest(content) + b"\n" + content)
                os.replace(path, self._path(name))
            except BaseException:
                with suppress(OSError):
                    os.unlink(path)
                raise
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


def _digest(content: bytes) -> bytes:
    import hashlib  # which takes a while to load

    return hashlib.sha256(content).hexdigest().encode()


def _is_own(found: os.stat_result) -> bool:
    """Whether a file or folder is the user's, and nobody else can write to it."""
    if not hasattr(os, "getuid"):
        return True
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
