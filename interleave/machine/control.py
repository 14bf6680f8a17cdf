"""Control: which block of which function a thread runs next."""

from __future__ import annotations

import types
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from interleave.compiler import Block, BlockKind, Code
from interleave.compiler.generators import (
    GENERATOR,
    NEW,
    Generator,
    Resumable,
    Resumption,
    SharedGenerator,
    as_stepwise,
    resumed,
)
from interleave.compiler.operators import is_operation
from interleave.errors import InterleaveError, ModelError, Place
from interleave.interrupts import Stopped
from interleave.machine.awaiting import begun, runs_by_await
from interleave.machine.frames import Frame, is_interruption
from interleave.machine.halting import Ending, Halt
from interleave.machine.last_uses import CAUGHT, KEPT
from interleave.machine.log import Log
from interleave.machine.methods import by_blocks
from interleave.machine.pictures import ORIGIN
from interleave.machine.port import StepPort
from interleave.machine.signals import Interrupts
from interleave.machine.stack import Stack
from interleave.machine.step import Failure
from interleave.machine.switching import Switches, is_of_this_package
from interleave.machine.tasks import RESULT
from interleave.memory.calling import call
from interleave.memory.coroutine import Coroutine, SharedCoroutine, awaited, awaited_by_hand
from interleave.memory.port import BY_STEPS, AccessKind, Unrecoverable
from interleave.memory.primitive import OPERATES, Primitive, is_marked
from interleave.program import Program, Restart, Swallowed, Written
from interleave.program.interning import LocalStates
from interleave.world import reflection
from interleave.world.refusal import used

DEEPEST_CALL = 200
"""Calls of the model's own functions within each other."""

_SUSPENDED = (Coroutine, SharedCoroutine, Generator, types.GeneratorType, types.AsyncGeneratorType)
"""What code has not run yet that was called."""
_IN_C = (
    types.BuiltinFunctionType, types.MethodDescriptorType, types.MethodWrapperType,
    types.WrapperDescriptorType,
)  # fmt: skip


class Control:
    """Runs the blocks of a thread, and goes from each to the next: by jumps, calls, returns and
    exceptions.
    """

    def __init__(
        self,
        program: Program,
        locals_: LocalStates,
        stack: Stack,
        log: Log,
        port: StepPort,
        switches: Switches,
        ending: Ending,
        watch: AbstractContextManager[None],
        *,
        is_handler: bool,
    ) -> None:
        self.is_returning = False
        """Whether this step is the end of a thread that ends the program."""
        self.returned: tuple[str, Any] | None = None
        """How the task has ended, if it has."""
        self.left_by: BaseException | None = None
        """The exception that has left the handler of a signal."""
        self.raised: list[str] = []
        """The exceptions that came up, by name."""
        self._program = program
        self._locals = locals_
        self._stack = stack
        self._log = log
        self._port = port
        self._switches = switches
        self._ending = ending
        self._watch = watch
        self._is_handler = is_handler

    def run_block(self) -> Failure | bool | None:
        """Run the present block and go where it leads. Not None when the thread has ended."""
        try:
            return self._run_block()
        except Halt as halt:
            if isinstance(self._ending.error, InterleaveError):
                self._ending.error.at(_place_in(halt))
            return None

    def _run_block(self) -> Failure | bool | None:
        frame = self._stack.frames[-1]
        if frame.at >= len(frame.code.blocks):
            if self.is_returning:
                self._port.access(AccessKind("return"), lambda: None, private=True)
            return self._return(None)
        block = frame.code.blocks[frame.at]
        self._log.cursor = 0
        if self._port.flow:
            self._port.flow.block(block)
        self._port.tasks.made = []
        if (interrupts := self._port.interrupts) is not None:
            interrupts.enter()
        try:
            with self._watch:
                result = block.run(frame.names)
            if self._port.flow:
                self._port.flow.evaluated(block)
            if block.kind is BlockKind.CALL and not self._ending.how:
                callee, arguments, keywords = result
                callee, arguments = as_stepwise(callee, arguments)
                callee = by_blocks(callee, arguments, keywords)
                if (resuming := resumed(callee, arguments)) is not None:
                    if interrupts is not None:
                        self._pass_entry(interrupts)
                    return self._resume(*resuming)
                if (found := self._program.world.to_flatten(callee)) is not None:
                    if interrupts is not None and not is_marked(found[0], OPERATES):
                        self._pass_entry(interrupts)
                    self._call(block, *found, arguments, keywords)
                    return None
                if isinstance(callee, _IN_C):
                    for each in arguments:
                        call(used, (each,), {})
                with self._watch:
                    frame.names[block.target] = call(callee, arguments, keywords)
                if not (is_operation(callee) or frame.code.is_in_place_of_c):
                    self._switches.note_point()
            if block.kind is BlockKind.AWAIT and not self._ending.how:
                if type(result) is Resumption and not result.is_in_vain:
                    return self._resume(*result.use())
                if not runs_by_await(self._stack.frames):
                    self._ending.halt(awaited_by_hand())
                if (coroutine := begun(result)) is not None:
                    code = self._program.world.code(coroutine.function)
                    self._enter(block, code, coroutine.names, 0)
                    return None
                in_vain = type(result) is Resumption
                frame.names[block.target] = None if in_vain else awaited(result)
            if block.kind is BlockKind.RETURN and isinstance(result, _SUSPENDED):
                self._refuse_unrun(frame, block, result)
            if interrupts is not None and not self._ending.how:
                self._pass_end(interrupts, block, result)
        except (Halt, Stopped, MemoryError):
            raise
        except BaseException as error:
            if self._ending.how:
                return None
            if isinstance(error, InterleaveError | Restart):
                if isinstance(error, InterleaveError):
                    error.at(_place_in(error))
                self._ending.how, self._ending.error = "error", error
                return None
            clock = self._program.clock
            if clock is not None and clock.may_lack_digits(error):
                self._ending.how, self._ending.error = "error", Written(BY_STEPS)
                return None
            if (lacking := reflection.lacking(error)) is not None:
                self._ending.how, self._ending.error = "error", lacking.at(_place_in(error))
                return None
            return self._throw(error)
        if self._ending.how:
            return None
        if block.kind is BlockKind.YIELD:
            self._yield(frame, result)
            return None
        if (missing := self._program.world.given_attribute()) is not None:
            self._ending.how, self._ending.error = "error", Written(missing)
            return None
        if block.kind is BlockKind.RETURN:
            return self._return(result)
        if self._port.flow:
            self._port.flow.done(block)
        go_on = block.kind is not BlockKind.BRANCH or result
        if go_on and block.swallows is not None:
            self._ending.how, self._ending.error = "error", Swallowed(block.swallows)
            return None
        self._jump(frame, block, block.next if go_on else block.otherwise)
        return None

    def _pass_entry(self, interrupts: Interrupts) -> None:
        """Python code is entered, where a handler may come in: the call raises what that does."""
        self._raise_pending(interrupts)
        self._switches.note_point()
        interrupts.leave()

    def _pass_end(self, interrupts: Interrupts, block: Block, result: Any) -> None:
        """The end of a block, where a handler may come in."""
        self._raise_pending(interrupts)
        if block.enters and not (block.kind is BlockKind.CALL and _is_python(result[0])):
            return
        if not self._stack.here()[0].is_in_place_of_c:
            interrupts.leave()

    def _raise_pending(self, interrupts: Interrupts) -> None:
        """Raise what the handler has that came in here."""
        if interrupts.pending:
            self._port.access(AccessKind(""), lambda: None)

    def _refuse_unrun(self, frame: Frame, block: Block, value: object) -> None:
        """Refuse what a thread returns that would have to be run."""
        if len(self._stack.frames) > 1 or self._port.tasks.in_loop or self._ending.how:
            return
        error = ModelError(
            f"a thread returns a {type(value).__name__}, which nobody runs",
            remedy="call what it comes from in the thread; an event loop runs `async def` methods "
            "that are marked with @task",
        )
        file = frame.code.function.__code__.co_filename
        self._ending.halt(error.at(Place.of_node(file, block.statement)))

    def _jump(self, frame: Frame, block: Block, target: int) -> None:
        if self._port.flow:
            self._port.flow.jump(block, target)
        if target <= frame.at and not frame.code.is_in_place_of_c:
            self._switches.note_point()
            if self._port.interrupts is not None:
                self._port.interrupts.goes_back = True
        frame.at = target

    def _call(
        self,
        block: Block,
        function: types.FunctionType,
        owner: tuple[Any, ...],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
    ) -> None:
        """Begin a call of the model's own code; of a coroutine, only where it is awaited."""
        code = self._program.world.code(function)
        bound = code.bind(*owner, *arguments, **keywords)
        if code.is_coroutine and not block.is_awaited:
            frame = self._stack.frames[-1]
            frame.names[block.target] = Coroutine(function, bound)
            if self._port.flow:
                self._port.flow.done(block)
            self._jump(frame, block, block.next)
            return
        if code.is_coroutine:
            self._stack.frames[-1].at = block.next  # where it is awaited
        self._enter(block, code, bound, len(owner))

    def _enter(self, block: Block, code: Code, bound: dict[str, Any], owners: int) -> None:
        """Push a frame."""
        self._begin(code)
        if self._port.flow:
            self._port.flow.call(block, code, bound, owners)
        self._stack.push(code, bound)

    def interrupt(self, function: types.FunctionType, arguments: tuple[Any, ...]) -> None:
        """Have a function of the library run before the block that would be next."""
        code = self._program.world.code(function)
        self._begin(code)
        self._stack.push(code, code.bind(*arguments))

    def _begin(self, code: Code) -> None:
        """Refuse to go too deep. Threads may switch where code is entered."""
        if len(self._stack.frames) >= DEEPEST_CALL:
            self._ending.halt(
                ModelError(
                    f"{code.function.__qualname__} calls itself more than {DEEPEST_CALL} deep",
                    remedy="end the recursion sooner, or write a loop",
                )
            )
        if not code.is_in_place_of_c:
            self._switches.note_point()

    def _resume(
        self, generator: Resumable, value: Any, error: BaseException | None
    ) -> Failure | bool | None:
        """Have a generator go on: push its frame. `value` is sent, or `error` thrown."""
        code, at, names = generator.begin(value, error)
        self._begin(code)
        if self._port.flow:
            self._port.flow.resumed(generator, code, at, names, value)
        self._stack.push(code, names)
        if at == NEW:
            return None
        frame = self._stack.frames[-1]
        frame.at = at
        if error is not None:
            return self._throw(error)
        waiting = code.blocks[at]
        self._jump(frame, waiting, waiting.next)
        return None

    def _yield(self, frame: Frame, value: Any) -> None:
        """Leave a generator where it is, and give a value to who has resumed it."""
        generator: Resumable = frame.names[GENERATOR]
        self._switches.note_point()
        if type(generator) is SharedGenerator:
            generator.pause(frame.code, frame.at, frame.names)
        caller = self._stack.frames[-2]
        block = caller.code.blocks[caller.at]
        if self._port.flow:
            self._port.flow.yielded(block, generator, value)
        self._stack.frames.pop()
        if type(generator) is not SharedGenerator:
            generator.pause(frame.code, frame.at, frame.names)
        caller.names[block.target] = value
        self._jump(caller, block, block.next)

    def _return(self, value: Any) -> Failure | bool | None:
        """Leave the innermost function. True when it was the thread's method itself."""
        if self._port.finalizing is not None:
            self._port.finalizing.leave(value)
        if (generator := self._stack.frames[-1].names.get(GENERATOR)) is not None:
            self._switches.note_point()
            if type(generator) is SharedGenerator:
                generator.end()
            if self._port.flow:
                self._port.flow.thrown()
            self._leave_generator(generator)
            given = [] if value is None else [value]
            return self._throw(generator.STOPS(*given), is_end=True)
        if is_interruption(self._stack.frames[-1].code):
            if self._port.flow:
                self._port.flow.thrown()
            self._stack.frames.pop()
            return not self._stack.frames or None
        if len(self._stack.frames) == 1:
            self._stack.frames.clear()
            self.returned = (RESULT, value)
            return True
        caller = self._stack.frames[-2]
        block = caller.code.blocks[caller.at]
        if not (block.is_operator or caller.code.is_in_place_of_c):
            self._switches.note_point()
        if self._port.flow:
            self._port.flow.returned(block, value)
        self._stack.frames.pop()
        caller.names[block.target] = value
        self._jump(caller, block, block.next)
        return None

    def _leave_generator(self, generator: Resumable) -> None:
        """The innermost frame is that of a generator, which has ended; all know so of one that is
        shared.
        """
        self._stack.frames.pop()
        if type(generator) is not SharedGenerator:
            generator.end()

    def _end_shared(self, error: BaseException) -> None:
        """End the shared generators that an exception is about to leave."""
        for frame in reversed(self._stack.frames):
            block = frame.code.blocks[frame.at]
            if block.handler is not None and not isinstance(error, Unrecoverable):
                return
            if type(generator := frame.names.get(GENERATOR)) is SharedGenerator:
                generator.end()

    def _throw(self, error: BaseException, *, is_end: bool = False) -> Failure | bool | None:
        """Take an exception to its handler, or out of the thread.

        `is_end`: it is what says that a generator has ended, and nothing to tell of.
        """
        error = self._program.runtime.language.raised(error)
        origin = self._stack.shown() if is_end else self._origin(error)
        self._end_shared(error)
        if self._port.finalizing is not None:
            self._port.finalizing.throw()
            self._keep_context(error)
        while self._stack.frames:
            frame = self._stack.frames[-1]
            block = frame.code.blocks[frame.at]
            if block.handler is not None and not isinstance(error, Unrecoverable):
                frame.names[block.handler_name] = error.with_traceback(None)
                if self._port.finalizing is not None:
                    number = self._locals.code_number(frame.code)
                    known = error.__dict__.get(CAUGHT, ())
                    error.__dict__[CAUGHT] = (*known, *([] if number in known else [number]))
                if self._port.flow:
                    self._port.flow.caught(block)
                frame.at = block.handler
                return None
            if self._port.flow:
                self._port.flow.thrown()
            if self._port.finalizing is not None:
                self._keep(error, self._port.finalizing.kept(frame))
            if (generator := frame.names.get(GENERATOR)) is None:
                self._stack.frames.pop()
            else:
                self._leave_generator(generator)
                error = generator.left_by(error)
        if self._port.tasks.in_loop:
            self.returned = self._port.tasks.ended_by(error)
            if self._port.tasks.is_for_others(error):
                return True
        interrupts = self._port.interrupts
        if interrupts is not None and self._is_handler:
            self.left_by = error
            return True
        if isinstance(error, SystemExit):
            return True  # as in threading: it ends the thread, silently
        if interrupts is not None and isinstance(error, KeyboardInterrupt):
            return True  # it ends the program, as whoever has sent the signal wants
        code, number = origin
        # What the message of an assertion raises, and what its condition does, is no assertion.
        asserted = code.blocks[number].is_failed_assertion and type(error) is AssertionError
        return Failure(error, origin, asserted, self._port.text_then(error))

    def _keep(self, error: BaseException, values: Sequence[Any]) -> None:
        """Have an exception keep what its traceback does of a frame that it leaves."""
        if found := (*error.__dict__.get(KEPT, ()), *values):
            error.__dict__[KEPT] = found

    def _keep_context(self, error: BaseException) -> None:
        """Have an exception that is raised keep the one that is handled meanwhile."""
        for frame in reversed(self._stack.frames):
            at = frame.at
            block = frame.code.blocks[at] if at < len(frame.code.blocks) else None
            if block is not None and block.raises_again:
                return
            if block is not None and block.handles:
                context = frame.names.get(block.handles)
                if isinstance(context, BaseException) and context is not error:
                    self._keep(error, context.__dict__.get(KEPT, ()))
                return

    def _origin(self, error: BaseException) -> tuple[Code, int]:
        """The block that first raised an exception, which may have come through handlers since."""
        code, at = self._stack.here()
        passes_on = code.blocks[at].raises_again or code.blocks[at].kind is BlockKind.YIELD
        came_in = self._port.came_in(error)
        if came_in:
            self.raised.append(type(error).__name__)
        if (passes_on or came_in) and ORIGIN in error.__dict__:
            number, at = error.__dict__[ORIGIN]
            return (self._locals.codes[number], at)
        code, at = self._stack.shown()
        error.__dict__[ORIGIN] = (self._locals.code_number(code), at)
        self.raised.append(type(error).__name__)
        return (code, at)


def _is_python(method: object) -> bool:
    """Whether a method is one of a primitive of which the real one is written in Python."""
    owner = getattr(method, "__self__", None)
    return isinstance(owner, Primitive) and owner.written_in_python


def _place_in(error: BaseException) -> Place | None:
    """The part of a block of the user's in which an exception came up."""
    found = None
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_name.startswith("#") and not is_of_this_package(code.co_filename):
            found = Place.of_instruction(code, traceback.tb_lasti, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
