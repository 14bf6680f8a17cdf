"""What the code of a thread reaches, while one step of it runs: the port.

In the middle of a block the thread is not suspended: the block is run again from its beginning,
with a log of what its accesses gave before.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from interleave.compiler import Swallow
from interleave.errors import InterleaveError, ModelError
from interleave.interrupts import Stopped
from interleave.machine.accesses import Accesses
from interleave.machine.entered import attribute_entered
from interleave.machine.finalizing import Finalizing
from interleave.machine.halting import Ending, Halt
from interleave.machine.log import GAVE, INTERRUPTED, RAISED, Log
from interleave.machine.making import Making
from interleave.machine.pictures import Picture, Pictures, words_of
from interleave.machine.places import Places
from interleave.machine.signals import Interrupts
from interleave.machine.spawning import Spawning
from interleave.machine.stack import Stack
from interleave.machine.step import AccessRecord, Exclusive, Touch
from interleave.machine.switching import Switches
from interleave.machine.taint import FlowRecorder
from interleave.machine.tasks import NoLoop, Tasks
from interleave.memory.addresses import ObjectId
from interleave.memory.containers import SharedContainer
from interleave.memory.identity import ThreadId, ThreadIdent, ThreadName
from interleave.memory.made import Kind, MadeObject
from interleave.memory.port import (
    BETWEEN,
    CLOCK,
    CONTEXTS,
    FINALIZERS,
    FORK,
    HANDLED,
    SIGNALS,
    WHOLE,
    AccessKind,
    Location,
)
from interleave.memory.primitive import Primitive
from interleave.memory.values import Freezer, Key, Thawer, Uncapturable
from interleave.program import (
    MoreAttributes,
    MoreNames,
    MoreRoots,
    Program,
    Swallowed,
    ThreadInstance,
    Written,
)
from interleave.program.choices import Choices
from interleave.stdlib.threads import CurrentProcess, seen_by_itself
from interleave.world.instances import SharedObject
from interleave.world.profiling import Profile, pause, resume

LONGEST_LOG = 300
"""Accesses of one block at most."""


class StepPort:
    """The `Port` of a thread, for one attempt at a step."""

    def __init__(
        self,
        program: Program,
        me: ThreadInstance,
        choices: Choices,
        *,
        stack: Stack,
        log: Log,
        places: Places,
        accesses: Accesses,
        making: Making,
        spawning: Spawning,
        switches: Switches,
        ending: Ending,
    ) -> None:
        acting = me.kind.interrupts
        self.thread: ThreadId = program.signals.main if acting else me.number
        self.process = me.process
        self.is_started = me.room is not None
        self.tasks: Any = NoLoop()
        if program.loop is not None or program.spawned.loops:
            self.tasks = Tasks(program, me, switches, accesses, spawning)
        self.interrupts: Interrupts | None = None
        if program.signals is not None and (acting or me.number == program.signals.main):
            self.interrupts = Interrupts(
                program,
                me,
                choices=choices,
                stack=stack,
                accesses=accesses,
                places=places,
                spawning=spawning,
                switches=switches,
                ending=ending,
            )
        self._came_in: BaseException | None = None
        """What a handler has raised in the present block."""
        self.first = 0
        """The number of the access that the step begins with: others may run before those that
        follow. -1 where a thread begins, which ends before it has performed any.
        """
        self.has_clock = program.clock is not None
        self.has_signals = program.signals is not None
        self.has_feeders = bool(program.queues) or BETWEEN in program.written
        self.has_contexts = bool(program.contexts)
        self.flow: FlowRecorder | None = None
        self.served: dict[ThreadId, None] = {}
        """The threads that were parked, and that the step has served."""
        self.sharing: str | None = None
        """The attribute by which a block has last shared something that it has made, if any."""
        self.finalizing: Finalizing | None = None
        self.waits_for: AccessKind | None = None
        """What a thread waits for that is blocked, where that is not what it is to do."""
        self._program = program
        self._heap = program.heap
        self._clock = program.clock and program.clock.of(self)
        self._space = program.spaces.get(me.process, {})
        self._me = me
        self._choices = choices
        self._stack = stack
        self._log = log
        self._places = places
        self._accesses = accesses
        self._making = making
        self._spawning = spawning
        self._switches = switches
        self._ending = ending

    @property
    def runner(self) -> ThreadId:
        return self.tasks.runner if self.tasks.in_loop else self.thread

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        watch = pause()
        try:
            return self._access(kind, effect, watch, private=private)
        finally:
            resume(watch)

    def _access(
        self, kind: AccessKind, effect: Callable[[], Any], watch: Profile, *, private: bool
    ) -> Any:
        if self._ending.how:
            raise Halt
        if self._stack.is_thawing:
            self._ending.halt(_by_key(kind))
        log, accesses, switches = self._log, self._accesses, self._switches
        if switches.notes_code:
            switches.note_caller(sys._getframe(1))
        try:
            known = log.take(kind)
        except ValueError:
            self._ending.halt(_shared_too_late())
        if self.interrupts is not None and known is not None:
            self.interrupts.note(kind)
        if known is not None:
            return self._replay(known)
        if log.has_stored:
            self.refuse_as_a_whole(
                attribute_entered(sys._getframe(1)),
                ModelError(
                    "this statement goes on after it has shared what it made",
                    remedy="make it before the threads begin, in setup or __init__; or make it in "
                    "a method of its own, and call that",
                ),
            )
        if accesses.present is not None:
            self._ending.halt(_nested(kind, accesses.present.kind))
        interrupts = self.interrupts
        if self.finalizing is not None and log.cursor:
            try:
                self.finalizing.check()
            except ModelError as error:
                self._ending.halt(error)
        if not private or self.first < 0:
            if len(accesses.done) > self.first and switches.is_due:
                if interrupts is not None and log.cursor:
                    interrupts.suspend()
                self._ending.suspend()
            if interrupts is not None and not interrupts.pending:
                interrupts.precede(kind)
            switches.note_access()
            self.tasks.suspending = False
        raises = RAISED
        if interrupts is not None and interrupts.pending:
            raises, effect = INTERRUPTED, partial(interrupts.raises, kind)
        elif kind.locks and self.has_signals:
            effect = partial(self._under_lock, kind, effect)
        atomic = kind.atomic or switches.atomic > 0
        record = AccessRecord(kind, self._stack.shown(), log.cursor, atomic=atomic)
        accesses.begin(record)
        moved = len(self._making.moved)
        try:
            resume(watch)
            try:
                result = effect()
            finally:
                pause()
            if kind.name != "choose":
                record.result = result
            entry = (GAVE, self._freeze_alone(result))
        except (Halt, Stopped, MemoryError):
            raise
        except BaseException as error:  # a task that is cancelled raises one that is no Exception
            if self._ending.how:
                raise Halt from None
            entry = (raises, self._freeze_alone(error))
            record.raised = error
        accesses.present = None
        if len(self._making.moved) > moved:
            self.sharing = attribute_entered(sys._getframe(1))
        log.add(entry)
        if self.flow:
            self.flow.access(len(accesses.done) - 1, log.cursor - 1)
        if log.cursor > LONGEST_LOG:
            code, at = self._stack.here()
            self.refuse_as_a_whole(
                attribute_entered(sys._getframe(1)),
                ModelError(
                    f"this statement performs more than {LONGEST_LOG} accesses",
                    remedy="write it as a loop of the thread: `for ...:` with one access in it",
                    place=code.place(at),
                ),
            )
        return self._replay(entry)

    def refuse_as_a_whole(self, name: str | None, error: ModelError) -> NoReturn:
        """End the run of a block that does too much: what an attribute comes to, if it does that by
        one, is to be done block by block.
        """
        if name is None or name in self._program.attributes:
            self._ending.halt(error)
        self._ending.fail(MoreAttributes(frozenset([name])))

    def _under_lock(self, kind: AccessKind, effect: Callable[[], Any]) -> Any:
        """An operation for which the library takes a lock, which an interrupted thread may hold."""
        assert kind.location is not None
        if self._program.signals.state.is_locked(kind.location.number):
            self.block()
        return effect()

    def came_in(self, error: BaseException) -> bool:
        return error is self._came_in

    def _replay(self, entry: Key) -> Any:
        self._stack.is_thawing = True
        value = Thawer(self._heap.stand_in).thaw(entry[1])
        self._stack.is_thawing = False
        if entry[0] == INTERRUPTED:
            self._came_in = value
        if entry[0] in (RAISED, INTERRUPTED):
            raise value
        return value

    def _freeze_alone(self, value: Any) -> Key:
        try:
            return Freezer(mutable=True, shared=self._making.moved).freeze(value)
        except Uncapturable as error:
            self._ending.halt(
                ModelError(
                    f"this gives a thread a value that no state can hold: {error.why}",
                    remedy="use numbers, strings, tuples, lists, dicts, sets and the like",
                )
            )

    def fork(self) -> None:
        self.access(AccessKind(FORK), self._fork)

    def _fork(self) -> None:
        places = self._places
        for home, copy in self._program.forks[self._me.process]:
            value = places.at(home.index)
            if self._heap.values.rooms(value):
                self._ending.halt(
                    ModelError(
                        f"process {self._me.name} begins when {home.name} refers to an object that "
                        "a thread has made",
                        remedy="make it in setup, or let the process not look at it",
                    )
                )
            if places.at(copy.index) != value:
                places.written[copy.index] = value

    def locate(self, location: Location) -> Location:
        return self._space.get(location, location)

    def read(self, location: Location, *, part: object = WHOLE) -> Any:
        present = self._accesses.present
        if present is not None and part is not None:
            present.reads.append(Touch(location, part))
        if location.constant:
            places = self._places
            if location.home.name in self._program.parameters:
                places.parameters[location.key] = location.name
            else:
                places.constants[location.key] = location.name
                if self._stack.frames:  # else it is the end of the thread that looks
                    places.looks[location, self._stack.shown()] = None
        if location.lacks_fork:
            self._ending.fail(Written(location.at_fork))  # type: ignore[attr-defined]
        index = location.index
        if index < 0:
            return self._heap.values[location.initial]
        value = self._heap.values[self._places.at(index)]
        return value.contents if location.is_room else value

    def write(
        self, location: Location, value: object, *, part: object = WHOLE, fresh: bool = False
    ) -> None:
        if location.constant:
            self._ending.fail(Written(location.key))
        places, present = self._places, self._accesses.present
        index = location.index
        if location.is_room:
            before = places.written[index] if index in places.written else places.before[index]
            value = self._heap.values[before]._replace(contents=value)
        is_primitive = isinstance(self._heap.owner(location), Primitive)
        number = self._making.id_of(
            value, f"shared variable {location.name!r}", to_primitive=is_primitive
        )
        self._check_unsent(location, number)
        places.written[index] = number
        if present is not None:
            present.writes.append(Touch(location, part, fresh, number))

    def serve(self, thread: ThreadId) -> None:
        self.served[thread] = None

    def exclude(self, location: Location, rule: str, *, writes: bool) -> None:
        present = self._accesses.present
        assert present is not None
        present.exclusive.append(Exclusive(location, writes, rule))

    def _check_unsent(self, location: Location, number: int) -> None:
        """Stop where this changes what the feeder of a queue may not have copied yet."""
        queues = self.feeding()
        if not queues or self._heap.owner(location)._between_processes:
            return
        if location.owner and self._places.at(location.index) != number:
            for queue in queues:
                if queue.is_to_copy(location):
                    self._ending.halt(queue.changed_too_soon())

    def put_off(self, queue: Any, message: object) -> None:
        self._stack.note_put(queue, message)

    def switch_point(self) -> None:
        self._switches.note_point()

    @property
    def others_run(self) -> bool:
        return not (self._switches.alone or self._switches.atomic)

    def progress(self) -> int:
        return self._log.cursor

    def forget(self, progress: int) -> None:
        if self._ending.how:
            raise Halt
        self._log.cut(progress)
        if self.flow:
            self.flow.forget(progress)

    def setting(self, name: str) -> Any:
        return self._program.settings[name]

    def block(self, kind: AccessKind | None = None) -> Any:
        self.waits_for = kind
        if len(self._accesses.done) > 1 and not self._switches.atomic:
            # What came before is done, and others run while it waits.
            self._accesses.done.pop()
            self._ending.suspend()
        self._ending.block()

    def choose(self, options: Sequence[Any]) -> int:
        choice = self._choices.choose(options)
        if self._accesses.present is not None:
            self._accesses.present.result = options[choice]
        return choice

    def begin_atomic(self) -> None:
        self._switches.atomic += 1

    def end_atomic(self) -> None:
        if not self._ending.how:
            self._switches.atomic -= 1

    def enter(self, section: str) -> None:
        self._accesses.entered.append(section)
        self._program.sections.enter(section)

    def has_just_entered(self, section: str) -> bool:
        return not self._accesses.done or section in self._accesses.entered

    def inside(self, section: str) -> int:
        self._ending.halt(_only_in_properties("inside"))

    def finished(self, thread: str, index: int | None) -> bool:
        self._ending.halt(_only_in_properties("finished"))

    def make(self, kind: Kind, contents: Any, *, field: str = "") -> Any:
        # Nobody misses it among what else a step does.
        is_silent = self._accesses.done and self._program.runtime.language.makes_structs
        name = "" if is_silent else kind.stand_in.__name__
        return self.access(
            AccessKind(name), lambda: self._making.make(kind, contents, field), private=True
        )

    def thread_room(
        self,
        kind: Any,
        target: Any,
        *,
        daemon: bool | None = None,
        maker: Any = None,
        name: str = "",
    ) -> Any:
        if daemon is None:
            runner = self._program.threads[self.runner]
            # A loop that no other thread runs is run by the main one.
            daemon = runner.daemon and not runner.kind.in_loop
        return self._spawning.thread_room(kind, target, daemon, maker, name)

    def loop_room(self, kind: Any, function: Callable[..., Any], name: str) -> Any:
        return self._spawning.loop_room(kind, function, name)

    def thread_object(self) -> Any:
        me = self._program.threads[self.runner]
        if me.room is not None and not (me.kind.is_process or me.kind.in_loop):
            return me.room.seen_from_inside()
        return seen_by_itself(ThreadName(me.name), me.daemon, ThreadIdent.of(me.number))

    def callers(self) -> list[tuple[str, int, str]]:
        return self._stack.callers()

    def process_object(self) -> Any:
        made = (room for _, room in self._program.spawned if room.default_name == self.process)
        if self.process and (found := next(made, None)) is not None:
            return found
        is_daemon = bool(self.process) and self._me.daemon
        return CurrentProcess(self.process or "MainProcess", is_daemon)

    def start_thread(
        self, thread: ThreadId, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self._spawning.start_thread(thread, target, args, kwargs)

    def kill(self, thread: ThreadId) -> None:
        self._spawning.kill(thread)

    def started_in(self, process: ThreadName) -> list[Any]:
        spawned = self._program.spawned
        return [
            made for key, made in spawned if key.process == process and not made.thread_kind.in_loop
        ]

    def holding(self) -> list[Any]:
        return [*self._program.pipes, *self._made_between("notices_ends")]

    def feeding(self) -> list[Any]:
        return [*self._program.queues, *self._made_between("is_to_copy")]

    def processes(self) -> list[ThreadName]:
        return self._program.processes()

    def _made_between(self, method: str) -> Iterator[Any]:
        """What is in rooms that processes share, and has a method of some name."""
        if BETWEEN not in self._program.written:
            return
        for room in self._heap.rooms:
            held = self._heap.values[self._places.at(room.location.index)]
            if held is not None and held.kind.is_primitive and hasattr(held.kind.stand_in, method):
                yield self._heap.made(room, held.kind)

    def context(self, thread: ThreadId | None = None) -> Location:
        found = self._program.contexts.get(self.thread if thread is None else thread)
        return self.begin_again(CONTEXTS) if found is None else found

    @property
    def clock(self) -> Any:
        return self.begin_again(CLOCK) if self._clock is None else self._clock

    @property
    def signals(self) -> Any:
        return self._program.signals or self.begin_again(SIGNALS)

    def read_clock(self) -> Any:
        return self._heap.values[self._places.at(self._program.clock.location.index)]

    def write_clock(self, known: Any) -> None:
        number, index = self._heap.values.id_of(known), self._program.clock.location.index
        if self._places.at(index) != number:
            self._places.written[index] = number

    def choose_silently(self, count: int) -> int:
        choice = self._choices.choose(range(count))
        if choice >= count:  # a step is taken again, of a thread that has come another way
            self._ending.halt(ModelError("there are fewer ways than there were"))
        return choice

    def know(self, key: str) -> None:
        if key not in self._program.written:
            self.begin_again(key)

    def begin_again(self, key: str) -> Any:
        self._ending.fail(Written(key))

    def swallows(self, which: Swallow) -> Any:
        self._ending.fail(Swallowed(which))

    def handled(self, code: types.CodeType | None) -> BaseException | None:
        for depth, frame in reversed([*enumerate(self._stack.frames)]):
            block = frame.code.blocks[frame.at]
            if code is not None and block.run.__code__ is not code:
                self.halt(handled_in_whole_code())
            code = None
            if block.handles and not self._program.world.keeps_handled:
                self.begin_again(HANDLED)
            if block.handles:
                if self.flow:
                    self.flow.looked_at(depth, block.handles)
                found: BaseException = frame.names[block.handles]
                return found
        return None

    @property
    def in_access(self) -> bool:
        return self._accesses.present is not None

    def is_lasting(self, shared: Any) -> bool:
        return not self._heap.is_made(shared) and self._heap.is_fixed(shared)

    def knows_references(self, shared: Any) -> bool:
        return self._heap.is_made(shared) or self.is_lasting(shared)

    def lacks(self, roots: dict[str, Any], names: frozenset[str]) -> Any:
        self._ending.fail(MoreRoots(roots) if roots else MoreNames(names))

    def identity(self, value: Any) -> ObjectId:
        try:
            found = self._program.identity(value)
        except ModelError as error:
            self._ending.halt(error)
        if found is not None and not self._program.heap.is_made(value):
            return found
        # The same access, whether the thread has it for itself or shares it by now.
        shared = value
        if self._accesses.present is None:
            shared = self.access(AccessKind(""), lambda: self._shared(value), private=True)
        elif found is None:
            shared = self._shared(value)
        number = self._program.identity(shared)
        assert number is not None
        return number

    def _shared(self, value: Any) -> Any:
        return self._making.hand_over(value, "id()")

    def note_finalized(self, made: Any) -> None:
        self.know(FINALIZERS)
        if self.interrupts is not None:
            self._ending.halt(
                ModelError(
                    f"this makes a {type(made).__name__}, which has a __del__, where handlers of "
                    "signals come in",
                    remedy="do without one of them; or make it in setup, or in another thread",
                )
            )
        # A thread that begins makes nothing that others can come by before its first step.
        self.access(AccessKind(""), lambda: None, private=True)
        self._making.finalized.append(made)

    @property
    def has_finalizers(self) -> bool:
        return self._program.has_finalizers

    def give_away(self, value: Any, to: str) -> Any:
        return self._making.give_away(value, to)

    def meaning(self, real: Any, name: str) -> Any:
        return self._program.world.now(real, name)

    def picture(self, value: Any, beyond: Any) -> Picture:
        is_beyond = self._heap.index_of(beyond).__eq__
        try:
            return Pictures(self._heap, self._places.at, is_beyond).take(value)
        except Exception as error:  # ours: the model is not to see it
            self._ending.fail(error)

    def text_then(self, error: BaseException) -> str:
        """The text of an exception that shows what is in shared objects; "" if it shows none."""
        is_made_in_c = type(error).__str__ in (BaseException.__str__, KeyError.__str__)
        if not is_made_in_c or all(type(each) is str for each in error.args):
            return ""
        shown = error.args[0] if len(error.args) == 1 else error.args
        picture = Pictures(self._heap, self._places.at, lambda _: False).take(shown)
        kinds = [type(each) for each, _ in picture.inside]
        is_shown = all(
            issubclass(each, SharedContainer | SharedObject | MadeObject) for each in kinds
        )
        return words_of(picture) if kinds and is_shown else ""

    def holds(self, value: object) -> bool:
        return self._program.holds(value)

    def halt(self, error: InterleaveError) -> Any:
        self._ending.halt(error)


def _shared_too_late() -> ModelError:
    return ModelError(
        "this statement looks at an object, shares it, and goes on while other threads can run",
        remedy="give what it has made a name, and do the rest in a statement of its own",
    )


def _by_key(kind: AccessKind) -> ModelError:
    return ModelError(
        f"__hash__ or __eq__ of a key touches shared state ({kind.name} {kind.where}): a dict or "
        "set of a thread's own is made anew in each of its steps",
        remedy="let keys be hashed and compared by what never changes",
    )


def _nested(inner: AccessKind, outer: AccessKind) -> ModelError:
    what = f"an access ({inner.name} {inner.where}) happens inside another one ({outer.name})"
    if outer.text:
        return ModelError(
            f"{what}: the text of {outer.where} is made in one access, and there are objects in it "
            "that threads share",
            remedy="make a text of its items one by one, in a `for` loop; or json.dumps of all",
        )
    return ModelError(
        what,
        remedy="compute what it needs before: a key function or comparison must not touch "
        "shared state; tuples (priority, number, item) of different numbers compare without the "
        "items, and so do objects of a @dataclass(order=True, frozen=True)",
    )


def handled_in_whole_code() -> ModelError:
    """What to say where code that is run as a whole asks which exception is being handled."""
    return ModelError(
        "sys.exc_info() or sys.exception() is called by code that Python runs as a whole",
        remedy="give the exception a name: `except Exception as error`",
    )


def _only_in_properties(name: str) -> ModelError:
    return ModelError(
        f"a thread calls self.{name}()",
        remedy=f"call it from an @invariant or @postcondition; a thread cannot see what {name}() "
        "tells",
    )
