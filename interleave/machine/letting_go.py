"""What a block takes the last reference from: CPython's counting of references, done again.

A state has no counts. Where something has one reference less, it is looked whether anything still
leads to the objects that it led to; of those that are gone, the references among themselves are
counted, and taken away in the order in which CPython does so.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from interleave.compiler import Block, BlockKind, Code
from interleave.compiler.blocks import HIDDEN
from interleave.errors import ModelError
from interleave.machine.frames import live
from interleave.machine.last_uses import has_contents, parameters
from interleave.machine.log import Log
from interleave.machine.places import Places
from interleave.machine.referents import Referents
from interleave.memory.containers import SharedContainer
from interleave.memory.made import Held
from interleave.memory.values import Key
from interleave.program import Program


class Part(NamedTuple):
    """References that a block may have taken away, in the order in which CPython does so, if that
    is known: those from a location, from a local, from all locals of a frame, from the log.
    """

    where: Literal["heap", "log", "local", "left"]
    lost: list[int]
    key: Key
    is_ordered: bool = True
    held: Sequence[int] = ()
    """Those of them that somebody else may hold longer: a caller, who has passed arguments."""


class Gone(NamedTuple):
    """What a block has let go of: `pending` are the objects whose `__del__` is to run, each with
    the number of the part of which the last reference was one; `freed` is gone, and `matters` is
    what has led to one of them.
    """

    pending: dict[int, int]
    freed: set[int]
    matters: set[int]
    parts: Sequence[Part]


class Moment(NamedTuple):
    """How things are when a block begins: the key of the frames, and what the step has written."""

    frames: Key
    written: dict[int, int]


class LettingGo(Referents):
    """What one step of a thread lets go of.

    `log` is that of the block; `started` has the threads that begin or end in the step, each with
    its local state.
    """

    def __init__(
        self,
        program: Program,
        places: Places,
        thread: int,
        log: Log,
        started: list[tuple[Any, int]],
    ) -> None:
        super().__init__(program, places)
        self._thread = thread
        self._log = log
        self._entries = log.entries
        self._before = Moment((), {})
        self._started = started
        self.is_start = False
        """Whether the step is the beginning of its thread, before all others."""
        self.result: object = None
        """What the block has left its function with."""

    def _lost(self, before: Key, after: Key) -> list[Part]:
        """What has been referred to and may be no more, in the order in which CPython lets go."""
        return [*self._lost_in_heap(), *self._lost_in_log(), *self._lost_in_frames(before, after)]

    def _lost_in_heap(self) -> Iterator[Part]:
        """What was referred to from each location that the block has written."""
        values = self._heap.values
        for index, value in [*self._places.written.items()]:
            old = self._before.written.get(index, self._places.before[index])
            if old != value:
                owner = self._heap.owner(self._heap.changing[index])
                key = values.key(old)
                lost = [*self._contents(type(owner), key, values[old])]
                held = values[old]
                kind = held.kind.stand_in if isinstance(held, Held) else type(owner)
                now = values[value].contents if isinstance(values[value], Held) else values[value]
                is_part = issubclass(kind, SharedContainer) and bool(now)
                yield Part("heap", lost, key, not is_part)

    def _lost_in_log(self) -> Iterator[Part]:
        for entry in self._entries:
            yield Part("log", [*self._in(entry)], entry)

    def _lost_in_frames(self, before: Key, after: Key) -> Iterator[Part]:
        """What each local has referred to; those together of a frame that has been left."""
        left: list[int] = []
        keys: list[Key] = []
        held: list[int] = []
        for depth, (number, _, values) in enumerate(before):
            names = self._names(before, depth)
            if depth < len(after):
                now = dict(zip(self._names(after, depth), after[depth][2], strict=True))
                for name, value in zip(names, values, strict=True):
                    is_whole = name not in now or not has_contents(now[name])
                    yield Part("local", [*self._in(value)], value, is_whole)
                continue
            code = self._heap.interner.locals.codes[number]
            order = {name: at for at, name in enumerate(code.function.__code__.co_varnames)}
            pairs = sorted(
                zip(names, values, strict=True),
                key=lambda pair: (
                    -1 if pair[0].startswith(HIDDEN) else order.get(pair[0], len(order))
                ),
            )
            left[:0] = self._in_all([value for _, value in pairs])
            keys += values
            if self._is_held_by_caller(before[: depth + 1]):
                own = parameters(code)
                given = [value for name, value in pairs if name in own]
                held += self._in_all(given)
        left += self._in_value(self.result)
        yield Part("left", left, tuple(keys), held=held)

    def _is_held_by_caller(self, frames: Key) -> bool:
        """Whether what has called a function may hold its arguments as long as it runs."""
        if len(frames) == 1:
            return True
        caller, block = self._block(frames[:-1])
        if caller.is_library or block is None:
            return True
        match block.body:
            case [ast.Return(ast.Tuple([_, ast.Tuple(arguments), ast.Dict(names)]))]:
                return None in names or any(isinstance(e, ast.Starred) for e in arguments)
        return block.kind is BlockKind.CALL

    def _names(self, frames: Key, depth: int) -> tuple[str, ...]:
        """The names of the locals that the key of a frame has."""
        codes = self._heap.interner.locals.codes
        number, at, _ = frames[depth]
        is_last = depth in (-1, len(frames) - 1)
        return live(codes[number], at, None if is_last else codes[frames[depth + 1][0]])

    def _gone(
        self, lost: Sequence[int], mine: Iterable[object], *, started: bool = True
    ) -> list[int]:
        """The objects with a `__del__` among those that nothing leads to any more."""
        return sorted(filter(self._is_finalized, self._garbage(lost, mine, started=started)))

    def _garbage(
        self, lost: Sequence[int], mine: Iterable[object], *, started: bool = True
    ) -> set[int]:
        """What nothing leads to any more of what something was lost to. Empty if there is nothing
        among it that has a `__del__`, or leads to something that has.
        """
        led_to = self.led_to(lost)
        if not any(map(self._is_finalized, led_to)):
            return set()
        program = self._program
        held = [*mine, *self._others(started=started)]
        garbage = led_to - self.led_to([*program.always_there, *self._in_all(held)])
        if garbage:  # to know what is held for good takes long
            garbage -= self.led_to(program.held_for_good)
        return garbage

    def _others(self, *, started: bool) -> list[Key]:
        """The local states of the other threads; with those that the step has `started`."""
        locals_, first = self._heap.interner.locals, len(self._heap.changing)
        found: list[Key] = []
        if not self.is_start:
            threads = [each.number for each in self._program.threads if each.number != self._thread]
            found = [locals_.key(self._places.at(first + number)) for number in threads]
        return found + [locals_.key(local) for _, local in self._started if started]

    def _shared(self) -> set[int]:
        """The objects with a `__del__` that other threads can come by since the block has written
        something, or started a thread.
        """
        values, locals_ = self._heap.values, self._heap.interner.locals
        numbers = [*self._in_all([locals_.key(local) for _, local in self._started])]
        for index, value in [*self._places.written.items()]:
            if self._before.written.get(index, self._places.before[index]) != value:
                owner = self._heap.owner(self._heap.changing[index])
                numbers += self._contents(type(owner), values.key(value), values[value])
        found = {*filter(self._is_finalized, self.led_to(numbers))}
        if found:
            program, others = self._program, self._in_all(self._others(started=True))
            found &= self.led_to([*program.always_there, *program.held_for_good, *others])
        return found

    def _let_go(self, garbage: set[int], parts: Sequence[Part], done: int | None) -> Gone:
        """What CPython does with references that are lost, in order. `done` is an object of which
        `__del__` has run. Raises `ModelError` for what a circle of references keeps.
        """
        lost = [(number, at) for at, part in enumerate(parts) for number in part.lost]
        waiting = [each for each in reversed(lost) if each[0] in garbage]
        counts = Counter(number for number, _ in waiting)
        for number in garbage:
            counts.update(each for each in self._within(number) if each in garbage)
        pending: dict[int, int] = {}
        freed: set[int] = set()
        while waiting:
            number, at = waiting.pop()
            counts[number] -= 1
            if counts[number]:
                continue
            if self._is_finalized(number) and number != done:
                pending[number] = at
                continue
            freed.add(number)
            inside = [(each, at) for each in self._within(number) if each in garbage]
            waiting += reversed(inside)
        in_circle = garbage - freed - self.led_to(pending)
        kept = [number for number in self.led_to(in_circle) if self._is_finalized(number)]
        if kept:
            raise self._in_circle(min(kept))
        return Gone(pending, freed, self._leading_to(garbage, pending), parts)

    def _leading_to(self, garbage: set[int], pending: Iterable[int]) -> set[int]:
        """What leads to one of some objects, among what is gone."""
        found = set(pending)
        is_more = True
        while is_more:
            more = {n for n in garbage - found if not found.isdisjoint(self._within(n))}
            found |= more
            is_more = bool(more)
        return found

    def _block(self, frames: Key) -> tuple[Code, Block | None]:
        code = self._code(frames[-1])
        at = frames[-1][1]
        return code, code.blocks[at] if at < len(code.blocks) else None

    def _code(self, frame: Key) -> Code:
        return self._heap.interner.locals.codes[frame[0]]

    def _in_circle(self, number: int) -> ModelError:
        return ModelError(
            f"this lets go of what refers to itself in a circle, and to {self._name(number)}, "
            "which has a __del__: the garbage collector may find it at any time",
            remedy="break the circle before",
        )

    def _name(self, number: int) -> str:
        name = self._heap.names[number]
        kind = self._kind(number)
        return name or (kind.__name__ if kind else "an object")
