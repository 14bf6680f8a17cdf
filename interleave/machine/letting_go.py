"""Objects with a `__del__` that were there before the threads: what lets go of one is refused.

CPython calls `__del__` when the last reference goes, or when the collector comes by. No step shows
that, and references to what was captured are not counted. So where a step has one less to what
leads to such an object, it is looked whether anything still does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from interleave.errors import ModelError
from interleave.machine.places import Places
from interleave.memory.made import Held
from interleave.memory.values import Shared, is_weak
from interleave.program import Program
from interleave.program.interning import FIRST_MADE, Keys


class LettingGo:
    """What a step of a thread lets go, in the state that it has come to."""

    def __init__(self, program: Program, places: Places, thread: int) -> None:
        self._program = program
        self._heap = program.heap
        self._places = places
        locations = len(program.heap.changing)
        self._others = [locations + e.number for e in program.threads if e.number != thread]

    def error(self, before: Iterable[int], after: Iterable[int]) -> ModelError | None:
        """What to raise. The numbers are those of the local states of this thread and of those that
        it starts or ends: before the step, and after it.
        """
        program, places = self._program, self._places
        locals_, values = self._heap.interner.locals, self._heap.values
        mine = [*self._in_all(locals_, after)]
        lost = Counter(self._in_all(locals_, before))
        lost.subtract(mine)
        for index, value in [*places.written.items()]:
            lost.update(self._in_all(values, [places.before[index]]))
            lost.subtract(self._in_all(values, [value]))
        led_to = self._led_to(number for number, count in lost.items() if count > 0)
        if program.finalized.isdisjoint(led_to):
            return None
        others = self._in_all(locals_, map(places.at, self._others))
        held = self._led_to({*program.always_there, *mine, *others})
        gone = sorted(program.finalized & led_to - held)
        return _refused(self._heap.names[gone[0]]) if gone else None

    def _led_to(self, numbers: Iterable[int]) -> set[int]:
        """Some objects, and all that they lead to."""
        waiting = [*numbers]
        found = set(waiting)
        while waiting:
            values = self._within(waiting.pop())
            led_to = {*self._in_all(self._heap.values, values)} - found
            found |= led_to
            waiting += sorted(led_to)
        return found

    def _within(self, number: int) -> Iterator[int]:
        """The values of the locations that belong to an object; none of a weak container."""
        stand_ins, values = self._heap.stand_ins, self._heap.values
        if number < len(stand_ins) and is_weak(type(stand_ins[number])):
            return
        for location in self._heap.locations:
            if location.owner == number:
                value = location.initial if location.index < 0 else self._places.at(location.index)
                held = values[value]
                if not (isinstance(held, Held) and is_weak(held.kind.stand_in)):
                    yield value

    def _in_all(self, keys: Keys, numbers: Iterable[int]) -> Iterator[int]:
        """The objects that some keys refer to, as often as they do."""
        for number in numbers:
            yield from self._in(keys.key(number))

    def _in(self, key: object) -> Iterator[int]:
        if type(key) is not tuple or (key and is_weak(key[0])):
            return
        if len(key) == 2 and key[0] is Shared:
            number: int = key[1]
            yield number if number < FIRST_MADE else self._heap.room(number).location.owner
            return
        for part in key:
            yield from self._in(part)


def _refused(name: str) -> ModelError:
    return ModelError(
        f"this may let go of {name}, which has a __del__: no step shows when that runs",
        remedy="do what it does in a method, and call it; or keep the object",
    )
