"""Threads that can never move again although others can, on arrays. See `components`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from interleave.engine.native.graph import NativeGraph
from interleave.engine.native.passes.components import (
    BEGIN,
    ENDLESS,
    Answer,
    Question,
    Visits,
    find_deeds,
    first_waits,
    visit,
)
from interleave.engine.passes import stuck
from interleave.engine.passes.livelock import Deed, Judge
from interleave.engine.passes.stuck import Later, Stuck

AT_ONCE = 1 << 18
"""States, or transitions, after which the kernel comes back, so that it can be interrupted."""

DEEDS_AT_ONCE = 1 << 12
"""Steps of a component that the kernel gives at once."""


@stuck.find_stuck.on(NativeGraph)
def _find_stuck(graph: NativeGraph, later: Later = (), judge: Judge | None = None) -> Stuck:
    """For everything that a thread waits for, the first state in which it is stuck there.

    Each with all threads that are stuck in it, in order.
    """
    question = _question(graph, judge)
    answer = _answer(graph, question, later)
    ends = None if judge is None else _judged(graph, judge, answer)
    found = _first_waits(graph, question, answer)
    if ends is None or not found:
        return found
    # What was taken for a path without an end is one no more.
    return _first_waits(graph, question, _answer(graph, question, later, ends))


@stuck.find_waiting.on(NativeGraph)
def _find_waiting(
    graph: NativeGraph, over: Iterable[int], judge: Judge | None = None
) -> tuple[Later, Stuck]:
    """The initial states, each with the threads that never move again; and for everything that a
    thread waits for, the first state in which it does.
    """
    question = _question(graph, judge)
    answer = _answer(graph, question, [(number, ()) for number in over])
    if judge is not None:
        _judged(graph, judge, answer)
    answer.marks[:] = ENDLESS
    at_start = _unsettled(graph, question, answer, np.arange(graph.initial))
    return at_start, _first_waits(graph, question, answer)


def _question(graph: NativeGraph, judge: Judge | None) -> Question:
    program, layout = graph.machine.program, graph.layout
    threads = [thread.number for thread in program.threads if not thread.daemon]
    waiting = [] if judge is None else sorted(judge.suspects(graph.forest.steps))
    moving = np.full(len(program.threads), -1, np.int64)
    working = np.full(len(program.threads), -1, np.int64)
    moving[threads] = np.arange(len(threads))
    working[waiting] = np.arange(len(threads), len(threads) + len(waiting))
    variables = [0] * layout.words
    places: list[int] = []
    numbers: list[int] = []
    if judge is not None and waiting:
        for place in judge.contents.variables:
            word, shift = layout.slots[place]
            variables[word] |= layout.mask(place) << shift
        for place in judge.contents.partial:
            found = [judge.contents.of(place, value) for value in layout.values(place)]
            if any(each >= 0 for each in found):
                word, shift = layout.slots[place]
                places += [word, shift, layout.mask(place), len(numbers)]
                numbers += found
    return Question(
        moving=moving,
        working=working,
        full=_bits(range(len(threads) + len(waiting))),
        variables=np.array(variables, np.uint64),
        places=np.array(places, np.int64),
        contents=np.array(numbers, np.int64),
        unhurried=_bits(program.unhurried, len(program.threads)),
        everybody=_bits(range(len(program.threads))),
    )


def _bits(numbers: Any, count: int | None = None) -> Any:
    """Bytes in which the bits of some numbers are set, of `count` or of as many as they are."""
    row = np.zeros(len(numbers) if count is None else count, np.uint8)
    row[list(numbers)] = 1
    return np.packbits(row, bitorder="little")


def _answer(graph: NativeGraph, question: Question, later: Later, ends: Any = None) -> Answer:
    space, trees, count = graph.packed.space, graph.forest.trees, len(graph)
    wide, number = len(question.full), graph.packed.number_type
    threads = np.flatnonzero(question.moving >= 0).tolist()
    answer = Answer(
        settled=np.zeros(count * wide, np.uint8),
        active=np.zeros(count * len(question.everybody), np.uint8),
        marks=np.zeros(count, np.uint8),
        component=np.zeros(count, number),
        ends=np.zeros(count, np.uint8) if ends is None else ends,
    )
    for at, never in later:
        row = np.zeros(8 * wide, np.uint8)
        row[: len(threads)] = [thread not in never for thread in threads]
        answer.settled[at * wide : (at + 1) * wide] = np.packbits(row, bitorder="little")
    # What it does not come to use takes no memory.
    visiting = Visits(
        visits=np.zeros(count, number),
        path=np.empty(count, number),
        orders=np.empty(count, number),
        places=np.empty(count, np.int64),
        still_open=np.empty(count, number),
        here=np.empty(space.words, np.uint64),
        made=np.empty(space.words, np.uint64),
        counts=np.zeros(5, np.int64),
    )
    visiting.counts[BEGIN] = count - 1
    arguments = (space, trees, question, answer, visiting)
    while visit(*arguments, AT_ONCE):
        graph.guard.poll()
    return answer


def _judged(graph: NativeGraph, judge: Judge, answer: Answer) -> Any | None:
    """Which states are as good as an end; None where none is."""
    numbers = np.flatnonzero(answer.component)
    if not len(numbers):
        return None
    which = answer.component[numbers]
    order = np.argsort(which, kind="stable")
    starts = np.flatnonzero(np.diff(which[order], prepend=0))
    components = np.split(numbers[order], starts[1:])
    ends = None
    deeds = _Deeds(graph)
    for component in sorted(components, key=lambda each: int(each[0])):
        graph.guard.poll()
        if judge.is_end(int(component[0]), deeds.of(component)):
            ends = np.zeros(len(graph), np.uint8) if ends is None else ends
            ends[component] = 1
    return ends


class _Deeds:
    """The steps within components, each in as many states as tell what it changes in any."""

    def __init__(self, graph: NativeGraph) -> None:
        self._graph = graph
        words = graph.packed.space.words
        self._seen = np.zeros((len(graph.forest.steps), words + 1), np.uint64)
        self._here, self._made = np.empty(words, np.uint64), np.empty(words, np.uint64)
        room = DEEDS_AT_ONCE + graph.forest.most_steps
        self._states, self._steps = np.empty(room, np.int64), np.empty(room, np.int64)

    def of(self, component: Any) -> list[Deed]:
        """The deeds of a component."""
        found: list[tuple[int, int]] = []
        for begin in range(0, len(component), AT_ONCE):
            found += self._among(component[begin : begin + AT_ONCE])
        self._seen[[step for _, step in found]] = 0
        return [(self._graph.state(state), self._graph.forest.steps[step]) for state, step in found]

    def _among(self, numbers: Any) -> Iterator[tuple[int, int]]:
        """The deeds from some states that are not known yet, by numbers of states and steps."""
        space, forest = self._graph.packed.space, self._graph.forest
        trees, most = forest.trees, forest.most_steps
        seen, begin = self._seen.reshape(-1), 0
        room = (self._here, self._made, self._states, self._steps)
        while begin < len(numbers):
            self._graph.guard.poll()
            begin, found = find_deeds(space, trees, numbers, begin, most, seen, *room)
            yield from zip(self._states[:found].tolist(), self._steps[:found].tolist(), strict=True)


def _first_waits(graph: NativeGraph, question: Question, answer: Answer) -> Stuck:
    space, trees, count = graph.packed.space, graph.forest.trees, len(graph)
    seen = np.zeros(len(trees.leaf_first), np.uint8)
    here = np.empty(space.words, np.uint64)
    first, number = np.empty(len(seen), np.int64), 0
    arrays = (len(question.full), answer.settled, answer.marks, seen, first)
    for begin in range(0, count, AT_ONCE):
        graph.guard.poll()
        end = min(begin + AT_ONCE, count)
        number = first_waits(space, trees, question.moving, begin, end, *arrays, number, here)
    return _unsettled(graph, question, answer, first[:number])


def _unsettled(graph: NativeGraph, question: Question, answer: Answer, numbers: Any) -> Stuck:
    """Some states, each with the threads that are not settled in it."""
    threads = np.flatnonzero(question.moving >= 0).tolist()
    rows = np.unpackbits(
        answer.settled.reshape(len(graph), -1)[numbers],
        axis=1,
        count=len(threads),
        bitorder="little",
    )
    return [
        (number, tuple(thread for thread, bit in zip(threads, row, strict=True) if not bit))
        for number, row in zip(numbers.tolist(), rows.tolist(), strict=True)
    ]
