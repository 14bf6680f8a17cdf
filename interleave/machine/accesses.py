"""What the code of a thread reaches, while one step of it runs: the port.

In the middle of a block the thread is not suspended: the block is run again from its beginning,
with a log of what its accesses gave before.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from interleave.compiler import Code
from interleave.compiler.blocks import HIDDEN
from interleave.errors import InterleaveError, ModelError
from interleave.machine.frames import Frame, place_in
from interleave.machine.making import Making, field_being_set
from interleave.machine.step import (
    AccessRecord,
    Touch,
)
from interleave.machine.taint import FlowRecorder
from interleave.machine.tasks import wait_inside_atomic
from interleave.memory.closures import variable
from interleave.memory.coroutine import Coroutine
from interleave.memory.port import WHOLE, AccessKind, Location
from interleave.memory.values import Freezer, Key, Thawer, Uncapturable
from interleave.program import MoreRooms, Written

if TYPE_CHECKING:
    from interleave.machine import Machine

T = TypeVar("T")

LONGEST_LOG = 300
"""Accesses of one block at most."""

STORED = "gave, and has stored what the block had made"
"""First item of a log entry, instead of "gave"."""


class Halt(BaseException):
    """Unwinds a block whose run is over. No code of the model keeps it from ending."""


class Accesses:
    """The accesses of one attempt at a step, and what they read and write.

    `choices` is the prefix of choices to follow; `taken` afterwards has them all, as (choice,
    number of options). `explain` asks for the step's `Flow`.
    """

    tasks: Any
    """The event loop as this step sees it."""

    def __init__(
        self,
        machine: Machine,
        state: tuple[int, ...],
        thread: int,
        *,
        choices: list[int],
        explain: bool = False,
    ) -> None:
        self.thread = thread
        self.taken: list[tuple[int, int]] = []
        self._machine = machine
        self._program = machine.program
        self._heap = machine.program.heap
        self._state = state
        self._choices = choices
        self._written: dict[int, int] = {}
        self.looked_at: dict[int, None] = {}
        self._making = Making(
            self._heap,
            self._program.threads[thread].name,
            state,
            self._written,
            self._look,
            self._program.made_class,
            self._variable_for if machine.program.runtime == "go" else lambda _: "",
        )
        self._accesses: list[AccessRecord] = []
        self._in_effect: AccessRecord | None = None
        self._waits_for: AccessKind | None = None
        self._atomic = 0
        instance = machine.program.threads[thread]
        # A process has a GIL of its own, which keeps no other process waiting.
        self._gil = machine.program.runtime == "gil" and not instance.process
        # While a task runs, its loop runs no other one: only threads can come in between.
        self._alone = instance.kind in ("task", "loop") and not machine.program.has_threads
        self._returned: tuple[str, Any] | None = None
        """How the task has ended, if it has."""
        self._coroutines: list[Coroutine] = []
        """Those that the thread has, or had in this step."""
        self._in_frames: set[int] = set()
        """Ids of what is in the frames as they were last frozen."""
        self.process = instance.process
        self._space = self._program.spaces.get(instance.process, {})
        self._may_switch = True
        """Whether another thread could have run since the last access."""
        self._begun = 0
        """Accesses after which nobody need run: that a task begins is nothing to be seen."""
        self._entered: list[str] = []
        self._over = ""
        self._error: BaseException | None = None
        self._log: list[Key] = []
        self._cursor = 0
        self._frames: list[Frame] = []
        self._constants: dict[str, str] = {}
        """Constants that were looked at: their keys and names."""
        self._raised: list[str] = []
        self._started: list[tuple[int, int]] = []
        self._explain = explain
        self._starting = False
        self._is_returning = False
        """Whether this step is the end of a thread that ends the program."""
        self._flow: FlowRecorder | None = None

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        if self._over:
            raise Halt
        if self._cursor < len(self._log):
            self._cursor += 1
            return self._replay(self._log[self._cursor - 1])
        if self._in_effect is not None:
            self.halt(self._nested(kind))
        if not private or self._starting:
            came_to_one = self._starting or len(self._accesses) > self._begun
            if came_to_one and self._may_switch and not self._atomic:
                self._end("suspended")
            self._may_switch = not (self._gil or self._alone)
            self.tasks.suspending = False
        atomic = kind.atomic or self._atomic > 0
        record = AccessRecord(kind, self._shown(), self._cursor, atomic=atomic)
        self._accesses.append(record)
        self._in_effect = record
        try:
            result = effect()
            if kind.name != "choose":
                record.result = result
            entry = ("gave", self._freeze_alone(result))
        except (Halt, KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # a task that is cancelled raises one that is no Exception
            if self._over:
                raise Halt from None
            entry = ("raised", self._freeze_alone(error))
            record.raised = error
        self._in_effect = None
        self._log.append(entry)
        self._cursor += 1
        if self._flow:
            self._flow.access(len(self._accesses) - 1, self._cursor - 1)
        if len(self._log) > LONGEST_LOG:
            self.halt(
                ModelError(
                    f"this statement performs more than {LONGEST_LOG} accesses",
                    remedy="write it as a loop of the thread: `for ...:` with one access in it",
                )
            )
        return self._replay(entry)

    def _nested(self, kind: AccessKind) -> ModelError:
        outer = self._in_effect.kind.name if self._in_effect else ""
        return ModelError(
            f"an access ({kind.name} {kind.where}) happens inside another one ({outer})",
            remedy="compute what it needs before: a key function or comparison must not touch "
            "shared state",
        )

    def _replay(self, entry: Key) -> Any:
        value = Thawer(self._heap.stand_in).thaw(entry[1])
        if entry[0] == "raised":
            raise value
        return value

    def _freeze_alone(self, value: Any) -> Key:
        try:
            return Freezer(mutable=True, shared=self._making.moved).freeze(value)
        except Uncapturable as error:
            return self.halt(
                ModelError(
                    f"this gives a thread a value that no state can hold: {error.why}",
                    remedy="use numbers, strings, tuples, lists, dicts, sets and the like",
                )
            )

    def locate(self, location: Location) -> Location:
        return self._space.get(location, location)

    def read(self, location: Location, *, part: object = WHOLE) -> Any:
        if self._in_effect is not None and part is not None:
            self._in_effect.reads.append(Touch(location, part))
        index = location.index
        if location.constant and location.home.name not in self._program.parameters:
            self._constants[location.key] = location.name
        if index < 0:
            return self._heap.values[location.initial]
        if index in self._written:
            value = self._heap.values[self._written[index]]
        else:
            self._look(index)
            value = self._heap.values[self._state[index]]
        return value.contents if location.is_room else value

    def _look(self, index: int) -> None:
        self.looked_at[index] = None

    def write(
        self, location: Location, value: object, *, part: object = WHOLE, fresh: bool = False
    ) -> None:
        if location.constant:
            self._end("error", Written(location.key))
        if location.is_room:
            index = location.index
            before = self._written[index] if index in self._written else self._state[index]
            value = self._heap.values[before]._replace(contents=value)
        to = f"shared variable {location.name!r}"
        number = self._sharing(lambda: self._heap.values.id_of(value, self._share), to)
        self._written[location.index] = number
        if self._in_effect is not None:
            self._in_effect.writes.append(Touch(location, part, fresh, number))

    def _hand_over(self, value: Any, to: str) -> Any:
        """A value as another thread sees it: what this one has made is shared from now on."""
        key = self._sharing(lambda: Freezer(share=self._share).freeze(value), to)
        return Thawer(self._heap.stand_in).thaw(key)

    def _sharing(self, freeze: Callable[[], T], to: str) -> T:
        """What `freeze` gives, which moves into rooms what the thread has made."""
        self._making.access = len(self._log)
        try:
            return freeze()
        except (MoreRooms, ModelError) as error:
            self._end("error", error)
        except Uncapturable as error:
            self.halt(
                ModelError(
                    f"{to} is given a value that cannot be shared: {error.why}",
                    remedy="use numbers, strings, bytes, tuples, lists, dicts, sets, deques or "
                    "objects of classes of your own",
                )
            )
        raise AssertionError  # both of these end the run

    def _share(self, value: object) -> object:
        """Move what the thread has made into a room."""
        if any(entry[0] == STORED for entry in self._log):
            self.halt(
                ModelError(
                    "this statement shares what it has made, and other threads can run meanwhile",
                    remedy="give it a name first, in a statement of its own",
                )
            )
        return self._making.share(value)

    def progress(self) -> int:
        return self._cursor

    def written_keys(self) -> list[str]:
        """The keys of the locations that were written."""
        return [self._heap.changing[index].key for index in self._written]

    def forget(self, progress: int) -> None:
        if self._over:
            raise Halt
        del self._log[progress:]
        self._cursor = progress
        if self._flow:
            self._flow.forget(progress)

    def setting(self, name: str) -> Any:
        return self._program.settings[name]

    def block(self, kind: AccessKind | None = None) -> Any:
        self._waits_for = kind
        if len(self._accesses) > 1 and not self._atomic:
            # What came before is done, and others run while it waits.
            self._accesses.pop()
            self._end("suspended")
        self._end("blocked")

    def switch_point(self) -> None:
        self._may_switch |= not self._alone

    def may_suspend(self) -> None:
        """Let whoever can run do so before the next access."""
        if self._atomic:
            self.halt(wait_inside_atomic())
        self._may_switch = True

    def rename(self, kind: AccessKind) -> None:
        """Say what the present access is, where that was not known before."""
        if self._in_effect is not None:
            self._in_effect.kind = kind

    def choose(self, options: Sequence[Any]) -> int:
        place = len(self.taken)
        choice = self._choices[place] if place < len(self._choices) else 0
        self.taken.append((choice, len(options)))
        if self._in_effect is not None:
            self._in_effect.result = options[choice]
        return choice

    def begin_atomic(self) -> None:
        self._atomic += 1

    def end_atomic(self) -> None:
        if not self._over:
            self._atomic -= 1

    def enter(self, section: str) -> None:
        self._entered.append(section)

    def has_just_entered(self, section: str) -> bool:
        return not self._accesses or section in self._entered

    def inside(self, section: str) -> int:
        return self.halt(_only_in_properties("inside"))

    def finished(self, thread: str, index: int | None) -> bool:
        return bool(self.halt(_only_in_properties("finished")))

    def begin_again(self, key: str) -> Any:
        self._end("error", Written(key))

    def halt(self, error: InterleaveError) -> Any:
        self._end("error", error)

    def _end(self, how: str, error: BaseException | None = None) -> Any:
        self._over = how
        self._error = error
        raise Halt

    def _here(self) -> tuple[Code, int]:
        return place_in(self._frames[-1])

    def _shown(self) -> tuple[Code, int]:
        """The innermost block of the user's: that which is being run, or has called what is."""
        shown = (frame for frame in reversed(self._frames) if not frame.code.is_library)
        return place_in(next(shown, self._frames[-1]))

    def _variable_for(self, value: object) -> str:
        """The local variable that holds what was made, or is being assigned; "" if there is none.

        Of a variable that functions share, its own name.
        """
        if isinstance(value, variable):
            return next(iter(vars(value)), "")
        for frame in reversed(self._frames):
            for name, held in frame.names.items():
                if held is value and value is not None and not name.startswith(HIDDEN):
                    return name
        code, at = self._here()
        assigned = [each for each in code.blocks[at].body if isinstance(each, ast.Assign)]
        names = ast.walk(assigned[0].targets[0]) if assigned else ()
        stored = [each.id for each in names if isinstance(each, ast.Name)]
        name = next((name for name in stored if not name.startswith(HIDDEN)), "")
        return field_being_set(name)


def _only_in_properties(name: str) -> ModelError:
    return ModelError(
        f"a thread calls self.{name}()",
        remedy=f"call it from an @invariant or @postcondition; a thread cannot see what {name}() "
        "tells",
    )
