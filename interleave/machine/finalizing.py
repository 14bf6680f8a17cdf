"""Objects with a `__del__`: when nothing refers to one any more, and what runs it then.

CPython counts references. So `__del__` runs where the last one goes, in the thread that has let go
of it: as a frame on top of those that are there (`world.calls.finalize`). Where a program has such
objects, those that threads make are in rooms from the beginning, and a frame keeps its locals to
the end of the function. After each block in which something has one reference less, it is looked
whether anything still leads to the objects that it led to. Some moments are no end of a block, or
nobody knows them: what a temporary value holds in the midst of a statement, what a library holds,
what refers to itself in a circle. To let go of an object there is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import permutations
from typing import Any

from interleave.compiler.blocks import HIDDEN, ITERATOR
from interleave.errors import ModelError
from interleave.machine.frames import Frame, is_interruption
from interleave.machine.last_uses import (
    has_iterator,
    has_kind,
    has_raised,
    is_last_use,
    is_mixed,
    keeps_last_item,
    parameters,
    stored_in_own_loop,
    stores_before_the_end,
    stores_in_parallel,
    weakly_in,
)
from interleave.machine.letting_go import Gone, LettingGo, Moment
from interleave.machine.log import Log
from interleave.machine.places import Places
from interleave.machine.referents import Referents
from interleave.memory.containers import SharedDict, SharedSequence
from interleave.memory.made import Held
from interleave.memory.values import Freezer, Key, is_weak
from interleave.program import Program
from interleave.program.interning import Values
from interleave.world.calls import CALL_PARTIAL, FINALIZE, construct
from interleave.world.twins import finalizer_of

_AS_IN_PYTHON = (FINALIZE, construct, CALL_PARTIAL)
"""The functions of this package that hold what CPython holds in their place."""


MOST_IN_ANY_ORDER = 4
"""Objects that may be let go of at one time where nobody knows in which order."""


class Finalizing(LettingGo):
    """What one step of a thread lets go of, and what is to run then.

    `freeze` gives the key of the frames of the thread; `choose` takes one of so many ways. For the
    others see `LettingGo`.
    """

    def __init__(
        self,
        program: Program,
        places: Places,
        thread: int,
        freeze: Callable[[], Key | ModelError],
        log: Log,
        started: list[tuple[Any, int]],
        choose: Callable[[int], int],
    ) -> None:
        super().__init__(program, places, thread, log, started)
        self._freeze = freeze
        self._choose = choose
        self.has_returned = False
        """Whether the block has left its function, with `result`."""
        self.has_thrown = False
        """Whether it has raised something."""
        self._done: set[int] = set()
        """The objects of which `__del__` has run in this step."""

    # Blocks

    def begin(self, frames: Key) -> None:
        """A block begins: with the key of the frames."""
        self._before = Moment(frames, dict(self._places.written))
        self.result, self.has_returned, self.has_thrown = None, False, False

    def throw(self) -> None:
        """The block raises an exception, or one has come to it."""
        self.has_thrown = True

    def leave(self, result: object) -> None:
        """The function is about to be left, with a result."""
        self.result, self.has_returned = result, True

    def check(self) -> None:
        """Raise `ModelError` where a block that is about to perform one more access has let go of
        an object by those that it has performed.
        """
        lost = [number for part in self._lost_in_heap() for number in part.lost]
        gone = self._gone(lost, [self._before.frames, *self._entries])
        if gone:
            raise self._unknown(gone[0], "in the midst of a statement")

    def end(self) -> list[tuple[Any, Any]]:
        """A block is over: the objects whose `__del__` is to run, each with that, the first one
        first; where nobody knows in which order, that is a choice. Raises `ModelError` for an
        object of which nobody knows when it is gone.
        """
        after = self._freeze()
        if isinstance(after, ModelError):
            raise after
        before = self._before.frames
        if len(self._program.threads) > 1:
            self._refuse_shared()
        self._refuse_kept_exception(before)
        for frames in (before, after):
            self._refuse_kept_by_library(frames)
        parts = self._lost(before, after)
        garbage = self._garbage([number for part in parts for number in part.lost], [after])
        done = self._just_done(before, after)
        if done is not None and done not in garbage:
            raise self._unknown(done, "brought back by its __del__", "let it go")
        if not garbage:
            return []
        if done is not None:
            self._done.add(done)
        gone = self._let_go(garbage, parts, done)
        if not gone.pending:
            return []
        if self._ends_script(before, after):
            self._done |= gone.matters
            return []
        self._refuse_unseen(gone)
        self._refuse_unknown(before, after, gone)
        stand_ins = [self._stand_in(number) for number in self._in_turn(gone)]
        return [(it, finalizer_of(type(it))) for it in stand_ins]

    def _in_turn(self, gone: Gone) -> list[int]:
        """The objects in the order in which their turn comes."""
        pending = [*gone.pending]
        if len(pending) == 1 or self._is_ordered(gone):
            return pending
        if len(pending) > MOST_IN_ANY_ORDER:
            raise self._unknown(
                pending[0],
                "with others in an order that nobody knows",
                "let go of one after the other",
            )
        orders = [*permutations(pending)]
        return [*orders[self._choose(len(orders))]]

    def _is_ordered(self, gone: Gone) -> bool:
        parts = [gone.parts[number] for number in dict.fromkeys(gone.pending.values())]
        for part in parts:
            if not (part.is_ordered and gone.matters.isdisjoint(part.held)):
                return False
            if is_mixed(part.key, gone.matters, self._in):
                return False
        if any(self._is_mixed(number, gone.matters) for number in gone.freed):
            return False
        return len(parts) == 1 or [part.where for part in parts] == ["heap", "left"]

    def _is_mixed(self, number: int, matters: Set[int]) -> bool:
        """Whether an object may let go of what it refers to in any order: a set; or an instance,
        whose attributes are in the order in which its class has first had them.
        """
        kind = self._kind(number)
        if kind is None or issubclass(kind, SharedSequence | SharedDict):
            return False
        return sum(each in matters for each in self._within(number)) > 1

    def _refuse_kept_exception(self, frames: Key) -> None:
        """Raise `ModelError` where the block has stored an exception for others, whose traceback
        keeps the locals of the function.
        """
        values = self._heap.values
        if not frames or self._code(frames[-1]).is_library:
            return
        for index, value in self._places.written.items():
            if self._before.written.get(index) != value and has_raised(values.key(value)):
                raise ModelError(
                    "an exception that was raised is shared, where there are objects with a "
                    "__del__: its traceback keeps the locals of functions",
                    remedy="share its text, or make a new one",
                )

    def _refuse_kept_by_library(self, frames: Key) -> None:
        """Raise `ModelError` where code of the library that is no copy of CPython's, as that of a
        pool, holds an object: CPython's may hold it longer.
        """
        if not frames:
            return
        code = self._code(frames[-1])
        if not code.is_library or code.is_in_place_of_c or code.function in _AS_IN_PYTHON:
            return
        lasting = self._program.always_there | self._program.held_for_good
        held = {*self._in_all(frames[-1][2])} - lasting
        found = [number for number in self.led_to(held, lasting) if self._is_finalized(number)]
        if found:
            raise ModelError(
                f"{self._name(min(found))}, which has a __del__, is given to code of the library "
                f"({code.name}), which may hold it longer than a state shows",
                remedy="make it in what that calls, and keep it there; or do without that",
            )

    def _just_done(self, before: Key, after: Key) -> int | None:
        """The object whose `__del__` the block has come back from."""
        if not before or len(after) >= len(before) or not self._is_finalize(before[-1]):
            return None
        return next(self._in(before[-1][2][self._names(before, -1).index("it")]), None)

    def kept(self, frame: Frame) -> list[Any]:
        """What the locals of a frame hold that leads to objects with a `__del__`: an exception that
        leaves it keeps that as long as there is a traceback.
        """
        values = [frame.names[name] for name in frame.code.kept if name in frame.names]
        return [each for each in values if self._leads(each)]

    # The end of a step

    def error(self, before: Iterable[int], after: Iterable[int]) -> ModelError | None:
        """What to raise for what a step has let go of besides. The numbers are those of the local
        states of this thread and of those that it starts or ends: before the step, and after it.
        """
        locals_, values = self._heap.interner.locals, self._heap.values
        mine = [locals_.key(number) for number in after]
        lost = [*self._in_all(map(locals_.key, before))]
        for index in [*self._places.written]:
            lost += self._in(values.key(self._places.before[index]))
        gone = self._gone(lost, mine, started=False)
        gone = [number for number in gone if number not in self._done]
        return self._unknown(gone[0], "in the midst of a statement") if gone else None

    # What is not known

    def _refuse_unknown(self, before: Key, after: Key, gone: Gone) -> None:
        """Raise `ModelError` where the end of a block may not be the moment."""
        first, matters, entries = next(iter(gone.pending)), gone.matters, self._entries
        used = self._used_last()
        passed = [each for each in self._in_all(entries[:-1]) if each != used]
        if not matters.isdisjoint(passed):
            raise self._unknown(first, "in the midst of a statement")
        if not before:
            return
        self._refuse_kept_as_its_object(before, after, gone)
        code, block = self._block(before)
        if code.is_library and code.function not in _AS_IN_PYTHON:
            raise self._unknown(first, f"in the library ({code.name})")
        names = zip(self._names(before, -1), before[-1][2], strict=True)
        held = [name for name, value in names if not matters.isdisjoint(self._in(value))]
        temporary = [name for name in held if name.startswith(HIDDEN)]
        is_entered = len(after) > len(before)
        if temporary and not (
            code.is_library or is_last_use(block, temporary, len(entries), is_entered=is_entered)
        ):
            raise self._unknown(
                first, "by a temporary value, in the midst of a statement", "give it a name first"
            )
        if not self._keeps_no_item(held, before):
            raise self._unknown(first, "where enumerate, zip or items() may hold it")
        variables = [name for name in held if not name.startswith(HIDDEN)]
        is_left = len(after) < len(before)
        if is_left and variables and self.has_returned:
            self._refuse_kept_by_exception(before, first)
        if is_left or not variables or code.is_library:
            return
        if stores_in_parallel(block):
            raise self._unknown(first, "by `a, b = x, y`, which stores in any order")
        if entries and stores_before_the_end(block):
            raise self._unknown(first, "in the midst of a statement")
        if self._is_held_by_caller(before) and not parameters(code).isdisjoint(variables):
            raise self._unknown(
                first, "by a parameter, which whoever has called the function may still hold"
            )
        present = zip(self._names(before, -1), before[-1][2], strict=True)
        loops = [value for name, value in present if name.startswith(ITERATOR)]
        if any(map(keeps_last_item, loops)) and not stored_in_own_loop(code).isdisjoint(variables):
            raise self._unknown(
                first, "by the variable of a loop, of which the loop may still hold the value"
            )

    def _keeps_no_item(self, held: Sequence[str], frames: Key) -> bool:
        """Whether no iterator has a tuple in which it gives items, and keeps the last ones."""
        for name, value in zip(self._names(frames, -1), frames[-1][2], strict=True):
            if (name in held or not name.startswith(HIDDEN)) and has_iterator(value):
                return False
        return True

    def _used_last(self) -> int | None:
        """The object that the last access of the block was one of, if the one before has given it:
        the block holds it until then.
        """
        entries, last = self._entries, self._log.last
        if len(entries) < 2 or last is None or last.location is None:
            return None
        given = [*self._in(entries[-2])]
        owner = last.location.owner
        return owner if given == [owner] and owner not in self._in_all(entries[:-2]) else None

    def _refuse_kept_by_exception(self, before: Key, first: int) -> None:
        """Raise `ModelError` where a function is left whose frame an exception keeps."""
        number, _, values = before[-1]
        given = Freezer(mutable=True).freeze(self.result)
        own = zip(self._names(before, -1), values, strict=True)
        kept = [value for name, value in own if not name.startswith(HIDDEN)]
        if any(has_raised(each, number) for each in (given, *kept)):
            raise self._unknown(first, "by a function whose locals an exception keeps")

    def _refuse_kept_as_its_object(self, before: Key, after: Key, gone: Gone) -> None:
        """Raise `ModelError` where an exception may have the object: an `AttributeError` has the
        one that lacks the attribute; one that comes from code that Python runs as a whole has a
        traceback with the locals of that.
        """
        values = zip(self._names(before, -1), before[-1][2], strict=True)
        held = [value for name, value in values if name.startswith(HIDDEN)]
        is_passed = not gone.matters.isdisjoint(self._in_all([*held, *self._entries]))
        is_thrown = self.has_thrown and is_passed and not has_raised(tuple(held))
        if is_thrown or any(has_kind(frame, AttributeError) for frame in after):
            raise self._unknown(next(iter(gone.pending)), "while an exception may hold it")

    def _ends_script(self, before: Key, after: Key) -> bool:
        """Whether it is the end of a script, whose variables Python keeps until it exits."""
        program = self._program
        is_body = self._thread == program.body and program.is_script
        return is_body and len(before) == 1 and not after

    def _refuse_shared(self) -> None:
        """Raise `ModelError` where other threads can come by an object that a thread has made: each
        of them that has it for a moment may be the last one, and no step shows that moment.
        """
        for number in sorted(self._shared() - self._there_at_first()):
            raise ModelError(
                f"this shares {self._name(number)}, which has a __del__: nobody knows which thread "
                "lets go of it last",
                remedy="keep it in the thread that makes it; or have a method that is called do "
                "what __del__ does",
            )

    def _refuse_unseen(self, gone: Gone) -> None:
        """Raise `ModelError` where there may be what no state shows: a handler of a signal that
        comes in, copies of processes, a function that holds an object which it was made with.
        """
        program, first = self._program, next(iter(gone.pending))
        if program.signals is not None:
            raise self._unknown(
                first, "where handlers of signals come in", "do without one of them"
            )
        if program.spaces:
            raise self._unknown(first, "where processes have copies", "do without one of them")
        if not gone.matters.isdisjoint(self._referred_to_weakly()):
            raise self._unknown(first, "to which something refers weakly", "refer to it as usual")
        for number in gone.pending:
            is_first = number in self._there_at_first()
            if is_first and len(program.threads) > 1:
                raise self._unknown(number, "which another thread may hold for a moment", "keep it")
            if number in self._heap.roots and not is_first:
                raise self._unknown(number, "which a function may hold that was made with it")

    def _referred_to_weakly(self) -> set[int]:
        """What weak references and containers refer to, anywhere but in values of this thread's
        own, of which nobody else knows.
        """
        values, locals_ = self._heap.values, self._heap.interner.locals
        known = self._program.weak_references
        found: set[int] = set()
        for location in self._heap.locations:
            value = location.initial if location.index < 0 else self._places.at(location.index)
            owner = self._heap.owner(location)
            if (type(owner), value) not in known:
                known[type(owner), value] = {*self._weakly_in(type(owner), values, value)}
            found |= known[type(owner), value]
        keys: list[Key] = [self._before.frames, *self._entries]
        if not self.is_start:
            first = len(self._heap.changing)
            keys += [locals_.key(self._places.at(first + e.number)) for e in self._program.threads]
        return found.union(*[weakly_in(key, self._in) for key in keys])

    def _weakly_in(self, kind: type, values: Values, value: int) -> Iterator[int]:
        held = values[value]
        if isinstance(held, Held):
            kind = held.kind.stand_in
            key = Freezer(mutable=True).freeze(held.contents)
        else:
            key = values.key(value)
        return self._in(key) if is_weak(kind) else weakly_in(key, self._in)

    def _there_at_first(self) -> set[int]:
        """What variables have led to before anything ran."""
        program = self._program
        if program.there_at_first is None:
            found: set[int] = set()
            for values in self._heap.initial:
                lasting = program.always_there | program.held_for_good
                found |= Referents(program, Places(values)).led_to(lasting)
            program.there_at_first = found
        return program.there_at_first

    def _is_finalize(self, frame: Key) -> bool:
        return is_interruption(self._code(frame))

    def _unknown(
        self, number: int, how: str, remedy: str = "let go of it in a statement of its own"
    ) -> ModelError:
        return ModelError(
            f"this lets go of {self._name(number)}, which has a __del__, {how}: nobody knows when "
            "that runs",
            remedy=remedy,
        )
