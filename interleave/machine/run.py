"""Running one step of one thread.

A step begins with the access that the thread is about to perform, and runs the thread's own code up
to the next access. In the middle of a block the thread is not suspended: the block is run again
from its beginning, with a log of what its accesses gave before.
"""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from interleave.compiler import Block, BlockKind, Code, Locals
from interleave.compiler.blocks import HIDDEN, ITERATOR
from interleave.errors import EndlessLoop, InterleaveError, ModelError
from interleave.machine.making import Making
from interleave.machine.references import is_referred_to
from interleave.machine.step import (
    FAILED,
    FINISHED,
    AccessRecord,
    Blocked,
    Failure,
    Step,
    Touch,
)
from interleave.machine.switching import noting_python_code
from interleave.machine.taint import FlowRecorder
from interleave.machine.tasks import CANCELLED, RESULT, NoLoop, Tasks, wait_inside_atomic
from interleave.memory.coroutine import Coroutine, awaited
from interleave.memory.made import Kind
from interleave.memory.port import WHOLE, AccessKind, Location
from interleave.memory.values import UNBOUND, Freezer, Key, Thawer, Uncapturable
from interleave.program import MoreRooms, MoreThreads, RoomKey, Written
from interleave.stdlib.threads import ENDED, CurrentThread

if TYPE_CHECKING:
    from interleave.machine import Machine

MOST_STARTED = 20
"""Threads that running threads make, at most."""

LONGEST_LOG = 300
"""Accesses of one block at most."""

MOST_BLOCKS = 50_000
"""Blocks that a thread may run in one step without coming to an access."""

DEEPEST_CALL = 200
"""Calls of the model's own functions within each other."""


_STORED = "gave, and has stored what the block had made"
"""First item of a log entry, instead of "gave"."""

_ORIGIN = "_interleave_origin"
"""Attribute of an exception that a thread has caught: where it was first raised."""


class Halt(BaseException):
    """Unwinds a block whose run is over. No code of the model keeps it from ending."""


class FrameLocals(dict[str, Any]):
    """The locals of a frame; one that is not bound raises what Python raises."""

    def __missing__(self, name: str) -> Any:
        raise UnboundLocalError(
            f"cannot access local variable {name!r} where it is not associated with a value"
        )

    def __delitem__(self, name: str) -> None:
        self[name]
        super().__delitem__(name)


class Frame:
    """A function that is running: where it is, and its locals."""

    __slots__ = ("at", "code", "names")

    def __init__(self, code: Code, at: int, names: Locals) -> None:
        self.code = code
        self.at = at
        self.names = names


class StepRun:
    """One attempt at a step: the port while the thread's code runs.

    `choices` is the prefix of choices to follow; `taken` afterwards has them all, as (choice,
    number of options). `explain` asks for the step's `Flow`.
    """

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
        )
        self._accesses: list[AccessRecord] = []
        self._in_effect: AccessRecord | None = None
        self._atomic = 0
        instance = machine.program.threads[thread]
        # A process has a GIL of its own, which keeps no other process waiting.
        self._gil = machine.program.runtime == "gil" and not instance.process
        # While a task runs, its loop runs no other one: only threads can come in between.
        self._alone = instance.kind in ("task", "loop") and not machine.program.has_threads
        self.tasks: Any = (
            NoLoop() if self._program.loop is None else Tasks(self, self._program, instance)
        )
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
        self._flow: FlowRecorder | None = None

    # The port

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
        record = AccessRecord(kind, self._here(), self._cursor)
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
        if self._in_effect is not None:
            self._in_effect.writes.append(Touch(location, part, fresh))
        if location.is_room:
            index = location.index
            before = self._written[index] if index in self._written else self._state[index]
            value = self._heap.values[before]._replace(contents=value)
        self._making.access = len(self._log)
        try:
            number = self._heap.values.id_of(value, self._share)
        except (MoreRooms, ModelError) as error:
            self._end("error", error)
        except Uncapturable as error:
            self.halt(
                ModelError(
                    f"shared variable {location.name!r} is given a value that cannot be shared: "
                    f"{error.why}",
                    remedy="use numbers, strings, bytes, tuples, lists, dicts, sets, deques or "
                    "objects of classes of your own",
                )
            )
        self._written[location.index] = number

    def _share(self, value: object) -> object:
        """Move what the thread has made into a room."""
        if any(entry[0] == _STORED for entry in self._log):
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

    def block(self) -> Any:
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

    def make(self, kind: Kind, contents: Any) -> Any:
        def effect() -> Any:
            try:
                return self._making.make(kind, contents)
            except (MoreRooms, ModelError) as error:
                self._end("error", error)

        return self.access(AccessKind(kind.stand_in.__name__), effect, private=True)

    def thread_rooms(self, target: Any, *, daemon: bool | None) -> Sequence[Any]:
        return self._program.rooms_of(self._room_key(target, daemon))

    def more_threads(self, target: Any, *, daemon: bool | None) -> Any:
        self.more_room(self._room_key(target, daemon))

    def more_room(self, key: RoomKey) -> Any:
        """Make room for one more thread. Does not return."""
        if len(self._program.rooms) >= MOST_STARTED:
            self.halt(
                ModelError(
                    f"threads make more than {MOST_STARTED} {key.kind}s",
                    remedy=f"start fewer: a {key.kind} that has ended keeps its room",
                )
            )
        self._end("error", MoreThreads(key))

    def refers_to(self, number: int) -> bool:
        """Whether anything refers to a shared object, in the state as it is now. It looks at all of
        the state.
        """
        here = list(self._state)
        for place in range(len(here)):
            if place in self._written:
                here[place] = self._written[place]
            else:
                self._look(place)
        mine = (self._freeze_frames(self._frames), tuple(self._log), tuple(self._started))
        return is_referred_to(number, self._machine, here, self.thread, mine)

    def _room_key(self, target: Any, daemon: bool | None) -> RoomKey:
        function = self._program.to_flatten(target)
        if function is None:
            return self.halt(
                ModelError(
                    f"a thread is to run {_named(target)}, which is no function of the model",
                    remedy="give it one that stands in the model file: Thread(target=self.work)",
                )
            )
        me = self._program.threads[self.thread]
        return RoomKey(me.name, function, me.daemon if daemon is None else daemon)

    def thread_object(self) -> Any:
        me = self._program.threads[self.thread]
        return me.room or CurrentThread(me.name, me.daemon, self.thread + 1)

    def start_thread(
        self, thread: int, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        function = self._program.to_flatten(target)
        assert function is not None  # it was not when the thread was made
        code = self._program.code(function)
        owner = [target.__self__] if isinstance(target, types.MethodType) else []
        try:
            bound = code.bind(*owner, *args, **kwargs)
        except TypeError as error:
            self.halt(
                ModelError(f"a thread cannot run {code.name}: {error}", remedy="mend its `args`")
            )
        self._begin_thread(thread, code, bound)

    def begin_thread(
        self, thread: int, function: types.FunctionType, names: dict[str, Any]
    ) -> None:
        """Have a thread begin in a function with these locals."""
        self._begin_thread(thread, self._program.code(function), names)

    def _begin_thread(self, thread: int, code: Code, names: dict[str, Any]) -> None:
        frames = self._freeze_frames([Frame(code, 0, FrameLocals(names))])
        if isinstance(frames, ModelError):
            self.halt(frames)
        self._started.append((thread, self._machine.locals.id_of((frames, ()))))

    def begin_again(self, key: str) -> Any:
        self._end("error", Written(key))

    def halt(self, error: InterleaveError) -> Any:
        self._end("error", error)

    def _end(self, how: str, error: BaseException | None = None) -> Any:
        self._over = how
        self._error = error
        raise Halt

    # The run

    def start(self, function: types.FunctionType, arguments: tuple[Any, ...]) -> Step:
        """Begin a thread: run its code up to, not including, its first access."""
        self._starting = True
        code = self._program.code(function)
        names = [
            each.arg for each in (*code.definition.args.posonlyargs, *code.definition.args.args)
        ]
        values = (self._program.stand_in, *arguments)
        self._frames.append(Frame(code, 0, FrameLocals(zip(names, values, strict=False))))
        if self.tasks.in_loop:
            # It begins when the loop comes to it, and may be cancelled before.
            return self._step(
                self._machine.locals.id_of((self._freeze_frames(self._frames), ())), self._here()
            )
        step = self._go()
        assert isinstance(step, Step)
        return step

    def run(self) -> Step | Blocked:
        """Take the step. Raises `ModelError`, `Written`."""
        self._thaw(self._machine.local_key(self._state, self.thread))
        if self._explain:
            self._flow = FlowRecorder(self._frames, len(self._log))
        if self.tasks.in_loop and self.tasks.is_new and (first := self._first_step()) is not None:
            return first
        if self._gil:
            with noting_python_code(self.switch_point):
                return self._go()
        return self._go()

    def _first_step(self) -> Step | Blocked | None:
        """Begin a task. Not None where it does not run now, or not at all."""
        first = self._here()
        try:
            self.tasks.begin()
        except Halt:
            if self._over == "error":
                assert self._error is not None
                raise self._placed(self._error, first) from None
            return self._blocked()
        except BaseException as error:  # it was cancelled before
            self._frames.clear()
            self._returned = (CANCELLED, error.args)
            return self._step(FINISHED, first)
        self._log.clear()
        self._cursor = 0
        self._begun = len(self._accesses)
        return None

    def _go(self) -> Step | Blocked:
        first = self._here()
        seen: set[Any] = set()
        while True:
            start = self._freeze_frames(self._frames)
            changes = (*self._written.items(), len(self.taken))
            progress: Any = (start, (self._atomic and changes) or len(self._accesses))
            if self._alone:
                progress = (start, changes)  # nobody else can change anything
            if not self._log:
                if progress in seen:
                    raise self._never_ends()
                seen.add(progress)
                if len(seen) > MOST_BLOCKS:
                    raise self._too_long()
            ended = self._run_block()
            if not self._over:
                self._coroutines += self.tasks.made
            if self._over == "error":
                assert self._error is not None
                raise self._placed(self._error, first)
            if self._over == "blocked":
                return self._blocked()
            if self._over == "suspended":
                if self._making.moved:
                    start = self._freeze_frames(self._frames)
                if isinstance(start, ModelError):
                    raise start
                return self._step(self._machine.locals.id_of((start, tuple(self._log))), first)
            if isinstance(ended, Failure):
                return self._step(FAILED, first, ended)
            if ended:
                return self._step(FINISHED, first)
            self._log.clear()
            self._cursor = 0
            if self._making.moved:
                self._move()

    def _blocked(self) -> Blocked:
        last = self._accesses[-1]
        return Blocked(self.thread, last.kind, last.place)

    def _step(self, local: int, first: tuple[Code, int], failure: Failure | None = None) -> Step:
        room = self._program.threads[self.thread].room
        if room is not None and self.tasks.task is None and local in (FINISHED, FAILED):
            state = self.read(room.location)
            self.write(room.location, state._replace(phase=ENDED))
        if self.tasks.in_loop and not self._starting:
            self._leave_loop(first, suspended=local not in (FINISHED, FAILED))
        if self._heap.rooms and not self._starting:
            self._settle(local)
        return Step(
            self.thread,
            tuple(self._written.items()),
            tuple(self._started),
            local,
            tuple(self._accesses),
            self._accesses[0].place if self._accesses else first,
            tuple(self._raised),
            failure,
            self._flow.end(len(self._log)) if self._flow else None,
            (*self._never_awaited(local), *self._making.lost),
        )

    def _never_awaited(self, local: int) -> tuple[str, ...]:
        """What Python says of coroutines that the thread has no more, and that have not begun."""
        ended = local in (FINISHED, FAILED)
        return tuple(
            f"coroutine {each.function.__qualname__!r} was never awaited"
            for each in self._coroutines
            if not each.started and each.is_missed and (ended or id(each) not in self._in_frames)
        )

    def _leave_loop(self, first: tuple[Code, int], *, suspended: bool) -> None:
        """Tell the loop that its code has come to the end of this step."""
        try:
            self.tasks.step_ends(self._returned, suspended=suspended)
        except Halt:
            assert self._error is not None
            raise self._placed(self._error, first) from None

    def _settle(self, local: int) -> None:
        """Count the references to what threads have made."""
        locals_ = self._machine.locals
        before = [locals_.rooms(self._machine.local(self._state, self.thread))]
        after = [locals_.rooms(each) for _, each in ((self.thread, local), *self._started)]
        self._making.settle(itertools.chain(*before), itertools.chain(*after))

    def _run_block(self) -> Failure | bool | None:
        """Run the present block and go where it leads. Not None when the thread has ended."""
        frame = self._frames[-1]
        if frame.at >= len(frame.code.blocks):
            return self._return(None)
        block = frame.code.blocks[frame.at]
        self._cursor = 0
        if self._flow:
            self._flow.block(block)
        self.tasks.made = []
        try:
            result = block.run(frame.names)
            if block.kind is BlockKind.CALL and not self._over:
                function = self._program.to_flatten(result[0])
                if function is not None:
                    self._call(block, function, *result)
                    return None
                callee, arguments, keywords = result
                frame.names[block.target] = callee(*arguments, **keywords)
                self.switch_point()
            if block.kind is BlockKind.AWAIT and not self._over:
                if type(result) is Coroutine:
                    result.start()
                    self._enter(block, self._program.code(result.function), result.names, 0)
                    return None
                frame.names[block.target] = awaited(result)
        except Halt:
            return None
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:
            if self._over:
                return None
            if isinstance(error, InterleaveError):
                self._over, self._error = "error", error
                return None
            return self._throw(error)
        if self._over:
            return None
        if block.kind is BlockKind.RETURN:
            return self._return(result)
        if self._flow:
            self._flow.done(block)
        go_on = block.kind is not BlockKind.BRANCH or result
        self._jump(frame, block, block.next if go_on else block.otherwise)
        return None

    def _jump(self, frame: Frame, block: Block, target: int) -> None:
        if self._flow:
            self._flow.jump(block, target)
        if target <= frame.at:
            self.switch_point()
        frame.at = target

    def _call(
        self,
        block: Block,
        function: types.FunctionType,
        callee: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> None:
        """Begin a call of the model's own code; of a coroutine, only where it is awaited."""
        code = self._program.code(function)
        owner = [callee.__self__] if isinstance(callee, types.MethodType) else []
        bound = code.bind(*owner, *arguments, **keywords)
        if code.is_coroutine and not block.is_awaited:
            frame = self._frames[-1]
            frame.names[block.target] = Coroutine(function, bound)
            if self._flow:
                self._flow.done(block)
            self._jump(frame, block, block.next)
            return
        if code.is_coroutine:
            self._frames[-1].at = block.next  # where it is awaited
        self._enter(block, code, bound, len(owner))

    def _enter(self, block: Block, code: Code, bound: dict[str, Any], owners: int) -> None:
        """Push a frame."""
        if len(self._frames) >= DEEPEST_CALL:
            self.halt(
                ModelError(
                    f"{code.function.__qualname__} calls itself more than {DEEPEST_CALL} deep",
                    remedy="end the recursion sooner, or write a loop",
                )
            )
        self.switch_point()
        if self._flow:
            self._flow.call(block, list(bound)[owners:])
        self._frames.append(Frame(code, 0, FrameLocals(bound)))

    def _return(self, value: Any) -> bool | None:
        """Leave the innermost function. True when it was the thread's method itself."""
        if len(self._frames) == 1:
            self._frames.clear()
            self._returned = (RESULT, value)
            return True
        self.switch_point()
        caller = self._frames[-2]
        block = caller.code.blocks[caller.at]
        if self._flow:
            self._flow.returned(block.target)
        self._frames.pop()
        caller.names[block.target] = value
        self._jump(caller, block, block.next)
        return None

    def _throw(self, error: BaseException) -> Failure | bool | None:
        """Take an exception to its handler, or out of the thread."""
        origin = self._origin(error)
        while self._frames:
            frame = self._frames[-1]
            block = frame.code.blocks[frame.at]
            if block.handler is not None:
                frame.names[block.handler_name] = error.with_traceback(None)
                if self._flow:
                    self._flow.caught(block.handler_name)
                frame.at = block.handler
                return None
            if self._flow:
                self._flow.thrown()
            self._frames.pop()
        if self.tasks.in_loop:
            self._returned = self.tasks.ended_by(error)
            if self.tasks.is_for_others(error):
                return True
        if isinstance(error, SystemExit):
            return True  # as in threading: it ends the thread, silently
        code, number = origin
        return Failure(error, origin, isinstance(code.blocks[number].statement, ast.Assert))

    def _origin(self, error: BaseException) -> tuple[Code, int]:
        """The block that first raised an exception, which may have come through handlers since."""
        code, at = self._here()
        if code.blocks[at].raises_again and _ORIGIN in error.__dict__:
            number, at = error.__dict__[_ORIGIN]
            return (self._machine.codes[number], at)
        error.__dict__[_ORIGIN] = (self._machine.code_number(code), at)
        self._raised.append(type(error).__name__)
        return (code, at)

    # Local states

    def _here(self) -> tuple[Code, int]:
        """The block that a thread is at: of the model, if there is one, and not of the library."""
        frames = [each for each in self._frames if not each.code.is_library]
        frame = frames[-1] if frames else self._frames[-1]
        return (frame.code, min(frame.at, len(frame.code.blocks) - 1))

    def _thaw(self, key: Key) -> None:
        frames, log = key
        thawer = Thawer(self._heap.stand_in)
        for place, (number, at, values) in enumerate(frames):
            code = self._machine.codes[number]
            names = FrameLocals()
            for name, value in zip(_live(code, at, place == len(frames) - 1), values, strict=True):
                if value[0] is not type(UNBOUND):
                    names[name] = thawer.thaw(value)
            self._frames.append(Frame(code, at, names))
        self._coroutines += [each for each in thawer.made() if isinstance(each, Coroutine)]
        self._log = list(log)

    def _freeze_frames(self, running: Sequence[Frame]) -> Key | ModelError:
        """The key of all frames; the error to raise, should the thread be suspended here."""
        freezer = Freezer(mutable=True, shared=self._making.moved)
        frames = []
        for place, frame in enumerate(running):
            values = []
            for name in _live(frame.code, frame.at, place == len(running) - 1):
                try:
                    values.append(freezer.freeze(frame.names.get(name, UNBOUND)))
                except Uncapturable as error:
                    return self._uncapturable(name, error.why)
                except RecursionError:
                    return self._uncapturable(name, "it refers to itself, or is too deep")
            frames.append((self._machine.code_number(frame.code), frame.at, tuple(values)))
        for made, place in self._making.stored.items():
            if self._over and made not in freezer.replaced:
                # Made in this statement. Run again, it would make another one.
                self._log[place] = (_STORED, *self._log[place][1:])
        if running is self._frames:
            self._in_frames = freezer.seen()
        return tuple(frames)

    def _move(self) -> None:
        """Have the locals refer to the rooms of what the last block has shared."""
        if not self._making.unchanged():
            self.halt(
                ModelError(
                    "an object is changed in the same statement in which it is shared",
                    remedy="change it in a statement of its own",
                )
            )
        key = self._freeze_frames(self._frames)
        if isinstance(key, ModelError):
            raise key
        self._making.done()
        self._frames.clear()
        self._thaw((key, ()))
        if self._flow:
            self._flow.moved()

    def _uncapturable(self, name: str, why: str) -> ModelError:
        code, at = self._here()
        what = f"local variable {name!r}"
        remedy = "use it within one statement, or keep numbers, strings, tuples, lists and the like"
        if name.startswith(HIDDEN):
            # Where it is made says more than where the thread is.
            makers = (b.number for b in code.blocks if name in b.defines or name == b.target)
            at = next(makers, at)
            what = "a temporary value"
        if name.startswith(ITERATOR):
            what = "what this loop goes through"
            remedy = "make a list of it first: `for x in list(...)`"
        return ModelError(
            f"{what} cannot be kept from one step to the next: {why}",
            remedy=remedy,
            place=code.place(at),
        )

    # Errors

    @staticmethod
    def _program_place(where: tuple[Code, int]) -> Any:
        code, number = where
        return code.place(number)

    def _placed(self, error: BaseException, first: tuple[Code, int]) -> BaseException:
        if isinstance(error, InterleaveError):
            error.at(self._program_place(self._here() if self._frames else first))
        return error

    def _never_ends(self) -> ModelError:
        name = self._program.threads[self.thread].name
        inside = ", inside atomic()" if self._atomic else ""
        remedy = "a loop that waits must look at shared state; one inside atomic() must end"
        if self._alone and not self._atomic:
            remedy = "no other task can run: a loop that waits must await something that suspends"
        if self._constants:
            names = ", ".join(dict.fromkeys(self._constants.values()))
            remedy = f"no thread ever writes what it looks at ({names}): let one of them do so"
            if self._space:
                remedy += "; processes do not share plain attributes (use multiprocessing.Value)"
        return EndlessLoop(
            f"thread {name} never comes to a switch point again{inside}: this loop does not end",
            remedy=remedy,
            place=self._program_place(self._here()),
            constants=frozenset(self._constants),
        )

    def _too_long(self) -> ModelError:
        name = self._program.threads[self.thread].name
        return ModelError(
            f"thread {name} runs more than {MOST_BLOCKS:,} statements without a switch point",
            remedy="end the loop sooner, or compute it in one statement",
            place=self._program_place(self._here()),
        )


def _live(code: Code, at: int, innermost: bool) -> tuple[str, ...]:
    """The locals that a local state keeps of a frame: those that may still be used."""
    if at >= len(code.blocks):
        return ()
    block = code.blocks[at]
    return block.live if innermost else block.live_in_call


def _named(value: object) -> str:
    name = getattr(value, "__qualname__", None) or repr(value)
    return "a lambda" if name.endswith("<lambda>") else name


def _only_in_properties(name: str) -> ModelError:
    return ModelError(
        f"a thread calls self.{name}()",
        remedy=f"call it from an @invariant or @postcondition; a thread cannot see what {name}() "
        "tells",
    )
