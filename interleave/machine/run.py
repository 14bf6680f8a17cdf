"""Running one step of one thread.

A step begins with the access that the thread is about to perform, and runs the thread's own code up
to the next access. In the middle of a block the thread is not suspended: the block is run again
from its beginning, with a log of what its accesses gave before.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from interleave.compiler import Code, is_library
from interleave.compiler.generators import Generator, given_up
from interleave.compiler.source import place_of_function
from interleave.errors import EndlessLoop, InterleaveError, ModelError, Place
from interleave.machine.accesses import Accesses
from interleave.machine.control import Control
from interleave.machine.finalizing import Finalizing
from interleave.machine.halting import Ending, Halt
from interleave.machine.log import Log
from interleave.machine.making import Making
from interleave.machine.places import Places
from interleave.machine.port import StepPort
from interleave.machine.spawning import Spawning
from interleave.machine.stack import Stack
from interleave.machine.step import FAILED, FINISHED, Blocked, Failure, State, Step
from interleave.machine.switching import Switches, noting_frames, noting_python_code
from interleave.machine.taint import FlowRecorder
from interleave.machine.tasks import CANCELLED
from interleave.machine.unsent import Unsent
from interleave.memory.coroutine import Coroutine, never_awaited
from interleave.memory.made import MadeObject
from interleave.memory.port import AccessKind
from interleave.memory.values import Key
from interleave.program import Program
from interleave.program.choices import Choices
from interleave.program.interning import LocalStates
from interleave.world.calls import FINALIZE
from interleave.world.net import watching

MOST_BLOCKS = 50_000
"""Blocks that a thread may run in one step without coming to an access."""


class StepRun:
    """One attempt at a step: begins, or goes on, up to the next access of its thread.

    With `explain`, the step has its `flow`; with `watched`, all code that runs is looked at.
    `make_port` makes the port.
    """

    def __init__(
        self,
        program: Program,
        locals_: LocalStates,
        state: State,
        thread: int,
        choices: Choices,
        *,
        explain: bool = False,
        watched: bool = True,
        make_port: Callable[..., StepPort] = StepPort,
    ) -> None:
        me = program.threads[thread]
        self.places = Places(state)
        self._program = program
        self._locals = locals_
        self._me = me
        self._choices = choices
        self._explain = explain
        self._ending = Ending()
        self._log = Log()
        self._accesses = Accesses()
        self._stack = Stack(program.heap, locals_)
        self._switches = Switches(
            self._ending,
            # While a task runs, its loop runs no other one: only threads can come in between.
            alone=me.kind.in_loop and not program.has_threads,
            # A process has a GIL of its own, which keeps no other process waiting.
            gil=program.runtime.global_lock and not me.process,
            interrupted=program.signals is not None,
        )
        self._making = Making(
            program.heap,
            me.name,
            self.places,
            self._log,
            self._ending,
            lambda twin: program.world.made_class(twin, MadeObject),
            self._stack.variable_for if program.runtime.language.makes_structs else lambda _: "",
        )
        self._spawning = Spawning(
            program,
            me,
            locals_,
            self.places,
            self._stack,
            self._log,
            self._making,
            self._ending,
        )
        self.port = make_port(
            program,
            me,
            choices,
            stack=self._stack,
            log=self._log,
            places=self.places,
            accesses=self._accesses,
            making=self._making,
            spawning=self._spawning,
            switches=self._switches,
            ending=self._ending,
        )
        self._finalizing: Finalizing | None = None
        if program.has_finalizers:
            self._finalizing = self.port.finalizing = Finalizing(
                program,
                self.places,
                thread,
                lambda: self._stack.freeze(self._making.moved),
                self._log,
                self._spawning.started,
                lambda count: choices.choose(range(count)),
            )
        self._tasks = self.port.tasks
        self._interrupts = self.port.interrupts
        note = noting_frames(self._switches.note_point) if self._switches.notes_code else None
        watch: AbstractContextManager[None] = nullcontext()
        if watched:
            watch = watching(
                program.net,
                self._ending.halt,
                path=self._stack.calls,
                note=note,
            )
        self._control = Control(
            program,
            locals_,
            self._stack,
            self._log,
            self.port,
            self._switches,
            self._ending,
            watch,
            is_handler=me.kind.interrupts,
        )
        self._before = FINISHED
        """The local state that the step begins from."""
        self._is_start = False

    def start(self, function: types.FunctionType, arguments: tuple[Any, ...]) -> Step:
        """Begin a thread: run its code up to, not including, its first access."""
        self._is_start = True
        self.port.first = -1
        if self._finalizing is not None:
            self._finalizing.is_start = True
        self._enter(function, arguments)
        if self._tasks.task is not None:
            # It begins when the loop comes to it, and may be cancelled before.
            frames = self._stack.freeze(self._making.moved)
            return self._step(self._locals.id_of((frames, (), ())), self._stack.shown())
        step = self._go()
        assert isinstance(step, Step)
        return step

    def begin(self, room: Any) -> Step:
        """Begin a thread that `setup` has started: it runs no code as yet."""
        self._is_start = True
        if self._finalizing is not None:
            self._finalizing.is_start = True
        made = self.port.read(room.location)
        self.places.written[room.location.index] = self._program.heap.values.id_of(room.begun(made))
        self._spawning.start_thread(self._me.number, *room.entry(made))
        ((_, local),) = self._spawning.started
        code = self._program.world.code(self._me.function)
        return self._step(local, (code, 0))._replace(starts=())

    def _enter(self, function: types.FunctionType, arguments: tuple[Any, ...]) -> None:
        """Put the first frame of the thread on its stack."""
        code = self._program.world.code(function)
        self._stack.push(code, code.bind(self._program.stand_in, *arguments))

    def run(self, local: int) -> Step | Blocked:
        """Take the step from a local state. Raises `ModelError`, `Restart`."""
        self._before = local
        frames, log, unsent = self._locals[local]
        try:
            self._stack.thaw(frames, unsent)
        except Halt:
            raise self._error(self._stack.shown()) from None
        self._log.entries += log
        last = self._stack.frames[0]
        self._control.is_returning = last.at >= len(last.code.blocks)
        if self._explain:
            self.port.flow = FlowRecorder(self._stack.frames, len(log))
            if self._interrupts is not None:
                self._interrupts.flow = self.port.flow
        if self._interrupts is not None and (handler := self._interrupts.begin()) is not None:
            return Blocked(self._me.number, handler, self._stack.shown())
        if self._tasks.in_loop and self._tasks.is_new and (first := self._first_step()) is not None:
            return first
        if self._switches.notes_code:
            with noting_python_code(self._switches.note_point):
                return self._go()
        return self._go()

    @property
    def written_keys(self) -> list[str]:
        """The keys of the locations that were written."""
        changing = self._program.heap.changing
        return [changing[index].key for index in self.places.written]

    @property
    def has_chosen(self) -> bool:
        """Whether it could have gone another way."""
        return bool(self._choices.taken)

    def _first_step(self) -> Step | Blocked | None:
        """Begin a task. Not None where it does not run now, or not at all."""
        first = self._stack.shown()
        task = self._tasks.task
        try:
            self.port.access(AccessKind("", task.location), task.go_on)
        except Halt:
            if self._ending.how == "error":
                raise self._error(first) from None
            return self._blocked()
        except BaseException as error:  # it was cancelled before
            self._stack.frames.clear()
            self._control.returned = (CANCELLED, error.args)
            return self._step(FINISHED, first)
        self._log.cut(0)
        self.port.first = len(self._accesses.done)  # that a task begins is nothing to be seen
        return None

    def _go(self) -> Step | Blocked:
        first = self._stack.shown()
        try:
            return self._run_blocks(first)
        except Halt:  # in what is done after a block
            raise self._error(first) from None

    def _run_blocks(self, first: tuple[Code, int]) -> Step | Blocked:
        stack, log, ending, moved = self._stack, self._log, self._ending, self._making.moved
        seen: set[Any] = set()
        while True:
            start, unsent = stack.freeze(moved), stack.freeze_unsent()
            waiting: list[Coroutine] = []
            if stack.suspended:
                coroutines = [each for each in stack.suspended if isinstance(each, Coroutine)]
                waiting = [each for each in coroutines if not each.started]
            here = stack.here()
            if not log.entries:
                self._note_progress(seen, start)
            if self._finalizing is not None and not isinstance(start, ModelError):
                self._finalizing.begin(start)
            shown = stack.shown()
            ended = self._control.run_block()
            changed = stack.changed(moved)
            if ending.how in ("", "suspended"):
                self._check_unsent(changed, here)
            if not ending.how:
                stack.end_block(changed)
                stack.suspended += self._tasks.made
            elif ending.how == "error":
                raise self._error(first)
            elif ending.how == "blocked":
                return self._waits(first)
            else:
                if moved:
                    for each in waiting:
                        each.started = False  # the block will be run again
                    start, unsent = stack.freeze(moved), stack.freeze_unsent()
                if isinstance(start, ModelError):
                    raise start
                self._making.refuse_unmoved()
                if moved:
                    # What was stored and is in no local was made in this statement.
                    stored = self._making.stored.items()
                    in_locals = {made for made, _ in stored if stack.has_replaced(made)}
                    log.mark_stored(at for made, at in stored if made not in in_locals)
                    if in_locals:
                        log.mark_kinds()
                return self._step(self._locals.id_of((start, tuple(log.entries), unsent)), first)
            if isinstance(ended, Failure):
                if self._me.kind.is_loop:
                    return self._loop_goes_on(ended)
                return self._step(FAILED, first, ended)
            if self._finalizing is not None:
                ended = self._finalize(self._finalizing, shown) and ended
            if (
                ended
                and self._program.ends_with(self._me.number)
                and not self._control.is_returning
            ):
                return self._step(self._locals.id_of(self._about_to_return()), first)
            if ended:
                return self._step(FINISHED, first)
            log.cut(0)
            if moved:
                self._refer_to_rooms()

    def _finalize(self, finalizing: Finalizing, place: tuple[Code, int]) -> bool:
        """Have `__del__` run next of what the last block has let go of, which stands at a place.
        Whether there is none.
        """
        stack, moved = self._stack, self._making.moved
        stack.freeze(moved)
        self._making.move_finalized(stack.keeps)
        if moved and stack.frames:
            self._refer_to_rooms()
        try:
            gone = finalizing.end()
        except ModelError as error:
            code, at = place
            raise (error if code.is_library else error.at(code.place(at))) from None
        for it, function in reversed(gone):
            self._control.interrupt(FINALIZE, (it, function))
        return not gone

    def _waits(self, first: tuple[Code, int]) -> Step | Blocked:
        """The thread waits for what the step begins with, unless a signal comes meanwhile."""
        interrupts, blocked = self._interrupts, self._blocked()
        if interrupts is None:
            return blocked
        self._ending.how = ""
        self._accesses.done.clear()
        self._accesses.present = None
        self.places.written.clear()
        return self._step(self._before, first) if interrupts.wait(blocked.access) else blocked

    def _loop_goes_on(self, failure: Failure) -> Step | Blocked:
        """The loop tells of an exception that a callback has raised, and goes on to the next one.

        See `BaseEventLoop.call_exception_handler`.
        """
        self._stack.frames.clear()
        self._log.cut(0)
        self._enter(*self._program.entry(self._me))
        step = self._go()
        return step._replace(failure=failure) if isinstance(step, Step) else step

    def _note_progress(self, seen: set[Any], start: Key | ModelError) -> None:
        """Raise `ModelError` for a loop that never comes to an access that others may run before.

        `seen` has how the step was when it came to earlier blocks, `start` how it is now.
        """
        changes = (*self.places.written.items(), len(self._choices.taken))
        progress: Any = (start, (self._switches.atomic and changes) or len(self._accesses.done))
        if self._switches.alone:
            progress = (start, changes)  # nobody else can change anything
        if progress in seen:
            raise self._never_ends()
        seen.add(progress)
        if len(seen) > MOST_BLOCKS:
            raise self._too_long()

    def _refer_to_rooms(self) -> None:
        """Have the locals refer to the rooms of what the last block has shared."""
        if not self._making.unchanged():
            self.port.refuse_as_a_whole(
                self.port.sharing,
                ModelError(
                    "an object is changed in the same statement in which it is shared",
                    remedy="change it in a statement of its own",
                ),
            )
        key = self._stack.freeze(self._making.moved)
        if isinstance(key, ModelError):
            raise key
        unsent = self._stack.freeze_unsent()
        self._making.done()
        self._stack.frames.clear()
        self._stack.thaw(key, unsent)
        if self.port.flow:
            self.port.flow.moved()

    def _about_to_return(self) -> Key:
        """The local state of a thread whose end is a step of its own, for it ends the program."""
        code = self._program.world.code(self._me.function)
        return (((self._locals.code_number(code), len(code.blocks), ()),), (), ())

    def _check_unsent(self, changed: Sequence[Unsent], here: tuple[Code, int]) -> None:
        """Raise `ModelError` for what a block has changed that a feeder may not have copied yet."""
        for each in changed:
            if each.queue.is_feeding():
                code, at = here
                error: ModelError = each.queue.changed_too_soon()
                error.at(code.place(at))
                error.led_to_by(self._stack.calls())
                raise error

    def _blocked(self) -> Blocked:
        last = self._accesses.done[-1]
        return Blocked(self._me.number, self.port.waits_for or last.kind, last.place)

    def _step(self, local: int, first: tuple[Code, int], failure: Failure | None = None) -> Step:
        if local in (FINISHED, FAILED):
            self._leave(failed=local == FAILED)
        if self._tasks.in_loop and not self._is_start:
            self._leave_loop(first, suspended=local not in (FINISHED, FAILED))
        if self._finalizing is not None and not self._is_start and local != FAILED:
            self._check_let_go(self._finalizing, local)
        if self._program.heap.rooms and not self._is_start:
            self._settle(local)
        if self._program.clock is not None and not self._is_start:
            self._settle_clock(local)
        self._check_given_up(local)
        accesses = self._accesses.done
        return Step(
            self._me.number,
            tuple(self.places.written.items()),
            tuple(self._spawning.started),
            local,
            tuple(accesses),
            accesses[0].place if accesses else first,
            tuple(self._control.raised),
            failure,
            self.port.flow.end(len(self._log.entries)) if self.port.flow else None,
            (*self._never_awaited(local), *self._making.lost),
            constants=tuple(self.places.looks),
        )

    def _leave(self, *, failed: bool) -> None:
        """Do what the end of a thread does to what is shared."""
        room = self._me.room
        is_task = self._tasks.task is not None
        if self._me.kind.interrupts and self._interrupts is not None:
            self._interrupts.end(self._control.left_by)
        if room is not None and not is_task:
            ended = room.ended(self.port.read(room.location), failed=failed)
            self.port.write(room.location, ended)
        if room is not None and not is_task and room.comes_back:
            return
        if self.port.has_contexts:
            from interleave.stdlib.contextvars import begin_in  # few models need it

            begin_in(None)
        if not is_task:  # of which the loop is told
            for each in self._program.thread_local:
                type(each).forget(each, self._me.number)

    def _never_awaited(self, local: int) -> tuple[str, ...]:
        """What Python says of coroutines that the thread has no more, and that have not begun."""
        ended = local in (FINISHED, FAILED)
        return tuple(
            never_awaited(each.function)
            for each in self._stack.suspended
            if isinstance(each, Coroutine) and not each.started and each.is_missed
            if ended or not self._stack.keeps(each)
        )

    def _check_given_up(self, local: int) -> None:
        """Raise `ModelError` for a generator that nothing refers to any more, and that would run
        code of its own when Python closes it.
        """
        ended = local in (FINISHED, FAILED)
        for each in self._stack.suspended:
            if isinstance(each, Generator) and each.is_protected:
                if ended or not self._stack.keeps(each):
                    raise given_up(each.code, each.at)

    def _leave_loop(self, first: tuple[Code, int], *, suspended: bool) -> None:
        """Tell the loop that its code has come to the end of this step."""
        try:
            self._tasks.step_ends(self._control.returned, suspended=suspended)
        except Halt:
            raise self._error(first) from None

    def _settle(self, local: int) -> None:
        """Count the references to what threads have made."""
        rooms = self._locals.rooms
        before, after = [*rooms(self._before)], [*rooms(local)]
        for _, started in self._spawning.started:
            after += rooms(started)
        for killed in self._spawning.killed:
            before += rooms(killed)
        self._making.settle(before, after)

    def _check_let_go(self, finalizing: Finalizing, local: int) -> None:
        """Raise `ModelError` where a `__del__` may have to run that nothing runs."""
        spawning, accesses = self._spawning, self._accesses.done
        before = [self._before, *spawning.killed]
        error = finalizing.error(before, [local, *[each for _, each in spawning.started]])
        if error is not None:
            code, at = accesses[0].place if accesses else self._stack.shown()
            raise error.at(code.place(at))

    def _settle_clock(self, local: int) -> None:
        """Forget what is known of moments to which nothing refers any more."""
        clock, places = self._program.clock, self.places
        values, locals_, place = self._program.heap.values, self._locals, clock.location.index
        if clock.by_steps:
            return
        before = [*clock.moments(locals_, self._before)]
        after = [*clock.moments(locals_, local)]
        for _, started in self._spawning.started:
            after += clock.moments(locals_, started)
        for killed in self._spawning.killed:
            before += clock.moments(locals_, killed)
        for index, value in [*places.written.items()]:
            if index != place:
                places.looked_at[index] = None
                before += clock.moments(values, places.before[index])
                after += clock.moments(values, value)
        if sorted(before) != sorted(after) or place in places.written:
            self.port.write_clock(clock.settled(self.port.read_clock(), before, after))

    def _error(self, first: tuple[Code, int]) -> BaseException:
        """What the search is to be told, placed where the thread is; else where it was at first."""
        error = self._ending.error
        assert error is not None
        if isinstance(error, InterleaveError):
            code, at = self._stack.shown() if self._stack.frames else first
            runs = self._me.function
            is_between = code.is_library and not is_library(runs)  # before or after what it runs
            error.at(place_of_function(runs) if is_between else code.place(at))
            if not error.calls:
                error.led_to_by(self._stack.calls())
        return error

    def _here(self) -> Place:
        code, at = self._stack.here()
        return code.place(at)

    def _never_ends(self) -> ModelError:
        name = self._me.name
        inside = ", inside atomic()" if self._switches.atomic else ""
        remedy = "a loop that waits must look at shared state; one inside atomic() must end"
        if self._switches.alone and not self._switches.atomic:
            remedy = "no other task can run: a loop that waits must await something that suspends"
        if self.places.constants:
            names = ", ".join(dict.fromkeys(self.places.constants.values()))
            remedy = f"no thread ever writes what it looks at ({names}): let one of them do so"
            if self._me.process:
                remedy += "; processes do not share plain attributes (use multiprocessing.Value)"
        return EndlessLoop(
            f"thread {name} never comes to a switch point again{inside}: this loop does not end",
            remedy=remedy,
            place=self._here(),
            constants=frozenset(self.places.constants),
        )

    def _too_long(self) -> ModelError:
        name = self._me.name
        return ModelError(
            f"thread {name} runs more than {MOST_BLOCKS:,} statements without a switch point",
            remedy="end the loop sooner, or compute it in one statement",
            place=self._here(),
        )
