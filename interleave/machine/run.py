"""Running one step of one thread.

A step begins with the access that the thread is about to perform, and runs the thread's own code up
to the next access. In the middle of a block the thread is not suspended: the block is run again
from its beginning, with a log of what its accesses gave before.
"""

from __future__ import annotations

import ast
import itertools
import types
from typing import TYPE_CHECKING, Any

from interleave.compiler import Block, BlockKind, Code
from interleave.errors import EndlessLoop, InterleaveError, ModelError
from interleave.machine.accesses import Halt
from interleave.machine.frames import Frame, FrameLocals, given_first
from interleave.machine.local_state import LocalState
from interleave.machine.step import (
    FAILED,
    FINISHED,
    Blocked,
    Failure,
    Step,
)
from interleave.machine.switching import noting_python_code
from interleave.machine.taint import FlowRecorder
from interleave.machine.tasks import CANCELLED, RESULT, NoLoop, Tasks
from interleave.memory.coroutine import Coroutine, awaited
from interleave.memory.port import AccessKind, Unrecoverable
from interleave.memory.values import Key

if TYPE_CHECKING:
    from interleave.machine import Machine

MOST_BLOCKS = 50_000
"""Blocks that a thread may run in one step without coming to an access."""

DEEPEST_CALL = 200
"""Calls of the model's own functions within each other."""

_ORIGIN = "_interleave_origin"
"""Attribute of an exception that a thread has caught: where it was first raised."""


class StepRun(LocalState):
    """One attempt at a step: begins, or goes on, up to the next access of its thread."""

    def __init__(
        self,
        machine: Machine,
        state: tuple[int, ...],
        thread: int,
        *,
        choices: list[int],
        explain: bool = False,
    ) -> None:
        super().__init__(machine, state, thread, choices=choices, explain=explain)
        if self._program.loop is None:
            self.tasks = NoLoop()
        else:
            self.tasks = Tasks(self, self._program, self._program.threads[thread])

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
                self._machine.locals.id_of((self._freeze_frames(self._frames), ())), self._shown()
            )
        step = self._go()
        assert isinstance(step, Step)
        return step

    def run(self) -> Step | Blocked:
        """Take the step. Raises `ModelError`, `Written`."""
        self._thaw(self._machine.local_key(self._state, self.thread))
        last = self._frames[0]
        self._is_returning = last.at >= len(last.code.blocks)
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
        first = self._shown()
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
        first = self._shown()
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
            if ended and self._program.ends_with(self.thread) and not self._is_returning:
                return self._step(self._machine.locals.id_of(self._about_to_return()), first)
            if ended:
                return self._step(FINISHED, first)
            self._log.clear()
            self._cursor = 0
            if self._making.moved:
                self._move()

    def _about_to_return(self) -> Key:
        """The local state of a thread whose end is a step of its own, for it ends the program."""
        code = self._program.code(self._program.threads[self.thread].function)
        return (((self._machine.code_number(code), len(code.blocks), ()),), ())

    def _blocked(self) -> Blocked:
        last = self._accesses[-1]
        return Blocked(self.thread, self._waits_for or last.kind, last.place)

    def _step(self, local: int, first: tuple[Code, int], failure: Failure | None = None) -> Step:
        if local in (FINISHED, FAILED):
            self._leave()
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

    def _leave(self) -> None:
        """Do what the end of a thread does to what is shared."""
        room = self._program.threads[self.thread].room
        if self.tasks.task is not None:
            return  # which tells the loop
        if room is not None:
            self.write(room.location, room.ended(self.read(room.location)))
        if room is None or not room.comes_back:
            for each in self._program.thread_local:
                type(each).forget(each, self.thread)

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
            if self._is_returning:
                self.access(AccessKind("return"), lambda: None, private=True)
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
        owner = given_first(callee)
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
            self._flow.returned(block)
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
            if block.handler is not None and not isinstance(error, Unrecoverable):
                frame.names[block.handler_name] = error.with_traceback(None)
                if self._flow:
                    self._flow.caught(block)
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
        code, at = self._shown()
        error.__dict__[_ORIGIN] = (self._machine.code_number(code), at)
        self._raised.append(type(error).__name__)
        return (code, at)

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
