"""Files that are kept from one run to the next, and can be made anew.

Each is written as a whole or not at all, and is believed if it is as it was written. Of those of
one kind in a folder there are only so many: the ones last used. Several processes may read, write
and make room at once. The worst that comes of it is that something is made anew.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path


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


def read(path: Path, *, private: bool, most: int = -1) -> bytes | None:
    """What was written to a file; None where it cannot be believed, or is longer than `most`.

    A `private` one is believed only if nobody but the user could have written it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if private:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if private and not (_is_own(os.fstat(file.fileno())) and _is_own(os.stat(path.parent))):
                return None
            written = os.fstat(file.fileno()).st_mtime_ns
            digest, _, content = file.read(most + 1 if most >= 0 else -1).partition(b"\n")
    except OSError:
        return None
    with suppress(OSError):  # who may read it may not always say so
        os.utime(path, ns=(time.time_ns(), written))
    return content if _digest(content) == digest else None


def write(path: Path, content: bytes, *, private: bool, most: int) -> bool:
    """Have a file consist of something. False where that cannot be, or `read` would not believe it.

    A `private` one is for the user alone, and so is its folder, if that has to be made. All files
    of its kind in the folder, those with its suffix, take `most` bytes together.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
        if private and not _is_own(os.stat(path.parent)):
            return False
        try:
            with os.fdopen(os.open(part, flags, 0o600 if private else 0o666), "wb") as file:
                file.write(_digest(content) + b"\n" + content)
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
        _make_room(path.parent, path.suffix, most)
    except OSError:
        return False
    return True


def _make_room(folder: Path, suffix: str, most: int) -> None:
    """Have the files with a suffix, and parts of such, take no more than so many bytes: those go
    first that were not used for longest.
    """
    found = []
    for each in os.scandir(folder):
        if suffix in each.name:
            with suppress(OSError):
                facts = os.stat(each.path, follow_symlinks=False)
                found.append((_last_used(facts), facts.st_size, each.path))
    rest = sum(size for _, size, _ in found)
    for used, size, path in sorted(found):
        if rest <= most:
            return
        rest -= size
        with suppress(OSError):
            # Another process may have used it meanwhile, or put another one in its place.
            if _last_used(os.stat(path, follow_symlinks=False)) == used:
                os.unlink(path)


def _last_used(facts: os.stat_result) -> int:
    return max(facts.st_atime_ns, facts.st_mtime_ns)


def _digest(content: bytes) -> bytes:
    import hashlib  # which takes a while to load

    return hashlib.sha256(content).hexdigest().encode()


def _is_own(found: os.stat_result) -> bool:
    """Whether a file or folder is the user's, and nobody else can write to it."""
    if not hasattr(os, "getuid"):
        return True
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
