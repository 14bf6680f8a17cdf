"""The net beneath: all code that runs is looked at, and what is not known is an error.

While a thread, a property or setup runs, a profile function sees each frame of Python code and each
call of C code. Threads run copies of functions, whose globals are namespaces of their own. So a
frame whose globals are those of a real module was not followed, unless the table names it.

Not seen are calls that C code makes to C code, and, in CPython, calls of types and of slot wrappers
such as `object.__setattr__`.
"""

from __future__ import annotations

import gc
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from interleave.errors import InterleaveError, ModelError, Place
from interleave.interrupts import whole
from interleave.world import policy, table
from interleave.world.findings import Findings
from interleave.world.policy import OURS, Decision, Treatment
from interleave.world.profiling import set_profile

if TYPE_CHECKING:
    from interleave.world.unseen import Unseen

_PASSING_ON = str(Path(OURS, "memory", "calling.py"))
"""The file of this package that calls C code which the model has given it."""

_IMPORTING = ("importlib._bootstrap", "importlib._bootstrap_external")
"""What imports modules: what a module does when it is imported, it does once, and for all."""


class _Ours(dict[str, bool]):
    """Whether a file is one of this package."""

    def __missing__(self, file: str) -> bool:
        found = self[file] = file.startswith(OURS)
        return found


_is_ours = _Ours()


class Net:
    """What is known of what runs while code of one program does."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.known_code: dict[int, CodeType] = {}
        """Code of real modules that may run in any case, by id."""
        self.known_calls: set[Any] = set()
        """C code that may run in any case: functions, or a type and the name of a method."""
        self.unseen: Unseen | None = None
        """What code that runs as it is must not read, once that is known."""


class watching:
    """`with watching(net, halt):` looks at what runs.

    `halt` is given the error where something must not run, and raises what ends it; whatever code
    of the model makes of that, it is given the error again at the end. `path` tells where the
    thread is, outermost call first, but for the Python frames that run. `in_setup`: real modules
    run, as long as they are followed or modelled. `note` is given each frame that is entered.
    """

    def __init__(
        self,
        net: Net,
        halt: Callable[[InterleaveError], Any],
        *,
        path: Callable[[], Sequence[Place]] = tuple,
        in_setup: bool = False,
        note: Callable[[FrameType], None] | None = None,
    ) -> None:
        self._net = net
        self._halt = halt
        self._path = path
        self._in_setup = in_setup
        self._note = note
        self._error: InterleaveError | None = None

    @whole
    def __enter__(self) -> None:
        # What Python collects runs code of others: callbacks, finalizers.
        self._collected = gc.isenabled()
        gc.disable()
        self._outside = sys._getframe(1)
        self._before: Any = sys.getprofile()
        sys.setprofile(self._on_event)

    @whole
    def __exit__(self, *_: object) -> None:
        set_profile(self._before)
        if self._collected:
            gc.enable()
        if self._error is not None:
            error, self._error = self._error, None
            self._halt(error)

    def _on_event(self, frame: FrameType, event: str, called: Any) -> None:
        # Most of what runs is code of this package, and this is all that is done about it.
        if event == "call":
            if not _is_ours[frame.f_code.co_filename]:
                if self._note is not None:
                    self._note(frame)
                self._enter(frame)
        elif event == "c_call":
            file = frame.f_code.co_filename
            if not _is_ours[file] or file == _PASSING_ON:
                self._call(frame, called)

    def _enter(self, frame: FrameType) -> None:
        code = frame.f_code
        if not _is_real(frame):
            if not code.co_name.startswith("#"):
                self._net.findings.followed[code] = None
            return
        if id(code) in self._net.known_code:
            return
        decision = policy.of_code(code, frame.f_globals)
        if decision.treatment is Treatment.PURE:
            _note_assumed(decision)
            if decision.assumed and not self._in_setup:
                self._refuse_to_read(code, frame, decision)
            if not (decision.assumed and self._in_setup):
                self._net.known_code[id(code)] = code
            return
        if self._runs_for_real(decision):
            return
        if policy.is_generated(code):
            self._net.known_code[id(code)] = code
            return
        if not self._is_part_of_known(frame.f_back, decision):
            self._refuse(frame.f_back, decision, *_why_not_followed(code, decision))

    def _call(self, frame: FrameType, called: Any) -> None:
        owner = called.__self__
        kind = type(owner)
        key = called
        if kind is not types.ModuleType and owner is not None:
            key = (owner if isinstance(owner, type) else kind, called.__name__)
        if key in self._net.known_calls:
            return
        decision = policy.of_object(called)
        if decision.treatment is Treatment.PURE:
            self._net.known_calls.add(key)
            _note_assumed(decision)
            return
        if self._runs_for_real(decision):
            return
        if not self._is_part_of_known(frame, decision):
            self._refuse(frame, decision, *_why_not_called(decision))

    def _runs_for_real(self, decision: Decision) -> bool:
        """Whether setup may run something, which makes real locks and runs real functions."""
        is_known = decision.treatment in (Treatment.FOLLOWED, Treatment.MODELLED)
        return self._in_setup and is_known and decision.name not in table.OF_RUNNING_THREADS

    def _is_part_of_known(self, caller: FrameType | None, decision: Decision) -> bool:
        """Whether code that is called runs as a part of code that is known.

        That is so for code of the library in code of the library, for all that code runs which the
        user has said is pure, and for what is done to import a module.
        """
        is_library = policy.is_standard(decision.name)
        direct = True
        while caller is not None:
            code = caller.f_code
            if code.co_filename.startswith("<frozen importlib"):
                return True
            if code.co_filename.startswith(OURS):
                return is_library and direct and code.co_filename != _PASSING_ON
            if direct and (_makes_parts(code) or _rewrites_assertions(caller, decision)):
                return True
            if not _is_real(caller):
                return False
            if caller.f_globals["__name__"] in _IMPORTING:
                return True
            known = policy.of_code(code, caller.f_globals)
            if known.assumed:
                return True
            if known.treatment is Treatment.FOLLOWED:
                # That of the library runs as it is where code that is known has called it.
                direct = direct and policy.is_standard(known.name)
            elif direct and is_library:
                return True
            caller = caller.f_back
        return False

    def _refuse_to_read(self, code: CodeType, frame: FrameType, decision: Decision) -> None:
        """Refuse what is said to be pure and can read what is not the same for the threads."""
        # Whoever names a function, and not all of a module, knows what it does with its locks.
        by_name = policy.assumed().is_named(decision.name)
        unseen = self._net.unseen
        found = unseen and unseen.read_by(code, takes_locks=by_name)
        if found:
            remedy = (
                f"take {decision.assumed} out of [tool.interleave] pure, or hand over what it reads"
            )
            if not by_name:
                remedy += f"; if it only has locks of its own, name {decision.name} itself"
            why = f"{decision.name} is said to be pure, and can come by {found}"
            self._refuse(frame.f_back, decision, why, remedy)

    def _refuse(self, caller: FrameType | None, decision: Decision, why: str, remedy: str) -> None:
        remedy = remedy or decision.remedy or table.UNKNOWN_PYTHON
        self._error = ModelError(why, remedy=remedy, about=decision.name)
        self._error.through(self._calls(caller))
        self._halt(self._error)

    def _calls(self, frame: FrameType | None) -> list[Place]:
        """Where the model's code is that led to a frame, outermost call first."""
        inner: list[Place] = []
        outer = [*self._path()]
        while frame is not None and frame is not self._outside:
            code = frame.f_code
            if not (code.co_filename.startswith(OURS) or policy.is_generated(code)):
                decision = policy.of_code(code, frame.f_globals)
                if not _is_real(frame) or decision.treatment is Treatment.FOLLOWED:
                    inner.append(Place.of_frame(frame))
                if code.co_name.startswith("#"):
                    outer = outer[:-1]  # the same call, by its statement only
                    break
            frame = frame.f_back
        return [*outer, *reversed(inner)]


def _why_not_called(decision: Decision) -> tuple[str, str]:
    """Why C code is refused, and what to do instead where the table has nothing."""
    if decision.name in table.OF_RUNNING_THREADS:
        return f"setup calls {decision.name}, and no thread of the model runs yet", table.IN_THREAD
    return f"{decision.name} has no modelled counterpart", ""


def _why_not_followed(code: CodeType, decision: Decision) -> tuple[str, str]:
    """Why a function of Python's is refused, and what to do instead where the table has nothing."""
    if decision.treatment is not Treatment.FOLLOWED:
        if decision.name in table.OF_RUNNING_THREADS:
            return _why_not_called(decision)
        return f"{decision.name} has no modelled counterpart", ""
    name = code.co_qualname
    if code.co_flags & inspect.CO_GENERATOR:
        why = f"the generator {name} is run by code of the library: a state cannot hold it"
        return why, table.GENERATOR
    return f"{name} runs as it is, so that what it shares cannot be seen", table.UNKNOWN_PYTHON


def _note_assumed(decision: Decision) -> None:
    if decision.assumed:
        policy.assumed().used[decision.assumed] = None


def _is_real(frame: FrameType) -> bool:
    """Whether the globals of a frame are those of a real module."""
    names = frame.f_globals
    if _is_module(names.get("__name__", ""), names):
        return True
    # A module may call itself by another name: `_collections_abc` does.
    return _is_module(getattr(names.get("__spec__"), "name", ""), names)


def _is_module(name: str, names: dict[str, Any]) -> bool:
    module = sys.modules.get(name)
    return module is not None and module.__dict__ is names


def _makes_parts(code: CodeType) -> bool:
    """Whether code is made by `dataclass`, and calls only what that needs: not what makes the
    default values of fields, which users choose.
    """
    return policy.is_generated(code) and code.co_name != "__init__"


def _rewrites_assertions(frame: FrameType, decision: Decision) -> bool:
    """Whether it is pytest that asks for the locals, to say why an assertion fails."""
    return decision.name == "builtins.locals" and "@pytest_ar" in frame.f_code.co_names
