"""`multiprocessing.Process` as classes of the model derive from it.

An instance is an object like any other, of which the process has a copy: what it was when `start`
was called. What is behind it is a modelled process, which runs `run` of that copy.
"""

from __future__ import annotations

from typing import Any, NoReturn

from interleave.errors import ModelError
from interleave.memory.derived import BEHIND, inner_of
from interleave.memory.values import UNBOUND
from interleave.stdlib.multiprocessing import processes
from interleave.stdlib.registry import Base
from interleave.stdlib.threading.derived import Runs, called_by_class, kept_by_instance


class ProcessBehind(processes.Process):
    """The process behind an instance, which says itself what it runs when it is started."""

    kept = staticmethod(kept_by_instance)
    called = staticmethod(called_by_class)


class Process(Runs):
    """What a class derives from in place of `multiprocessing.Process`."""

    _kind = ProcessBehind

    def start(self) -> None:
        self._behind()._start({"target": self.run})

    def join(self, timeout: float | None = None) -> None:
        self._behind().join(timeout)

    def is_alive(self) -> bool:
        return self._behind().is_alive()

    def terminate(self) -> None:
        self._behind().terminate()

    def kill(self) -> None:
        self._behind().kill()

    @property
    def exitcode(self) -> int | None:
        return self._behind().exitcode

    @property
    def pid(self) -> Any:
        return self._behind().pid

    ident = pid

    @property
    def name(self) -> str:
        return self._behind("_name").name

    @name.setter
    def name(self, value: str) -> None:
        if not isinstance(value, str):
            raise AssertionError("name must be a string")
        self._behind("_name").name = value

    @property
    def daemon(self) -> bool:
        return self._behind("_config").daemon

    @daemon.setter
    def daemon(self, value: bool) -> None:
        self._behind("_config").daemon = value

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name!r}>"

    def _behind(self, lacking: str = "_closed") -> ProcessBehind:
        """The process behind it. Raises what Python does where `__init__` was not called."""
        found = inner_of(self, BEHIND)
        if found is UNBOUND:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {lacking!r}")
        behind: ProcessBehind = found
        return behind


def _taken_over(_: Any, real: Any, path: str) -> NoReturn:
    raise ModelError(
        f"{path} is a {type(real).__name__}, a process that was made before the threads",
        remedy="make it in a thread",
    )


BASE = Base(Process, _taken_over)
