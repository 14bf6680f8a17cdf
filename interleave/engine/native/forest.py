"""Decision trees as the kernel walks them: arrays of numbers.

What `machine.trees` learns is copied here, case by case. Branches are tables of what can be at a
place; where a slot is too wide for that, they are in one hash table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from interleave.engine.native import walking
from interleave.engine.native.store.layout import Layout, slot_arrays
from interleave.engine.observing import Change
from interleave.engine.predicates import Pairs, Predicate
from interleave.engine.product import Product
from interleave.machine import Moves, State, Step
from interleave.machine.properties import View

WIDEST = 8
"""Bits of a slot up to which the branches of a node are a table."""

UNKNOWN = 0


@dataclass(slots=True)
class _Node:
    """Looks at a place, or, by a view, at something about it: children are by what is seen."""

    place: int
    view: View | None = None
    children: dict[int, int] = field(default_factory=dict)


class Growing:
    """A numpy array that things are added to at the end."""

    def __init__(self, kind: Any) -> None:
        self.array: Any = np.zeros(16, kind)
        self.length = 0

    def add(self, *values: int) -> None:
        end = self.length + len(values)
        if end > len(self.array):
            self.room(end)
        for place, value in enumerate(values, self.length):
            self.array[place] = value
        self.length = end

    def room(self, end: int) -> None:
        """Make room for `end` values; what is new there is 0."""
        if end > len(self.array):
            grown = np.zeros(max(end, 2 * len(self.array)), self.array.dtype)
            grown[: self.length] = self.array[: self.length]
            self.array = grown


class Table:
    """A hash table for the kernel: numbers by keys, neither of which is 0."""

    def __init__(self) -> None:
        self._keys: Any = np.zeros(16, np.uint64)
        self._values: Any = np.zeros(16, np.int32)
        self._count = 0
        self._waiting: list[tuple[int, int]] = []

    def put(self, key: int, value: int) -> None:
        """Have `value` stand for `key`, whatever stood for it before."""
        self._waiting.append((key, value))

    @property
    def arrays(self) -> tuple[Any, Any]:
        """Keys and values, with all that was put in."""
        if self._waiting:
            self._count += len(self._waiting)
            if 2 * self._count > len(self._keys):
                self._grow(1 << (4 * self._count - 1).bit_length())
            keys = np.array([key for key, _ in self._waiting], np.uint64)
            values = np.array([value for _, value in self._waiting], np.int32)
            walking.put_all(self._keys, self._values, keys, values)
            self._waiting = []
        return self._keys, self._values

    def _grow(self, size: int) -> None:
        keys, values = self._keys, self._values
        self._keys, self._values = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        used = keys != 0
        walking.put_all(self._keys, self._values, keys[used], values[used])


class Forest:
    """The trees of all threads, then those of all properties, then those of followers.

    Of the changes that `watched` gives for a step, the kernel notes under which local states of
    other threads they happen; of `pairs`, in which state two threads are first about to do each.
    """

    def __init__(
        self,
        layout: Layout,
        threads: Sequence[int],
        awaited: Iterable[int],
        predicates: Sequence[Predicate],
        watched: Callable[[Step], Iterable[Change]],
        product: Product | None,
        pairs: Pairs | None,
    ) -> None:
        self.layout = layout
        self.threads = threads
        self.steps: list[Step] = []
        self.ranks: list[int] = []
        """The place of each step among those of its leaf."""
        self._awaited = set(awaited)
        self._when_final = np.array([each.when_final for each in predicates], np.int64)
        self._product = product or Product(())
        self._watched = watched
        self._changes: dict[Change, int] = {}
        self._step_changes: list[list[int]] = []
        self._nodes: list[_Node] = []
        self._leaves: list[tuple[int, int, int]] = []
        self._writes: list[tuple[tuple[int, int], ...]] = []
        self._roots = [UNKNOWN] * (len(threads) + len(predicates))
        self._follow_roots: list[int] = []
        self._most: list[int] = [0] * len(threads)
        self.marks = 0
        """How many marks there are."""
        self._step_marks: list[int] = []
        self._pairs = pairs
        self._paired: set[int] = {0}
        """What threads may be about to do, of which all pairs are in the table."""
        self._pair_table = Table()
        self.build()

    @property
    def most_steps(self) -> int:
        """Steps that a state can have at most, as far as is known."""
        return max(1, sum(self._most))

    # Learning

    def knows(self, state: State, tree: int, step: int, follower: int) -> bool:
        """Whether a tree has a leaf for a state: that of a thread or a property, or, where a step
        is given, that of a follower.
        """
        child = self._roots[tree] if step < 0 else self._follow_roots[self._follow(step, follower)]
        while child > 0:
            number = child - 1
            node = self._nodes[number]
            value = state[node.place]
            code = self.layout.code(node.place, value)
            if node.view is None:
                child = node.children.get(code, UNKNOWN)
            else:
                # Of a local state that is new, nobody has asked yet what the view sees in it.
                child = node.children.get(node.view(value), UNKNOWN)
                if child != UNKNOWN:
                    self._branch(number, code, child)
        return child < 0

    def learn_moves(self, thread: int, state: State, moves: Moves) -> None:
        """Learn what a thread does in a state, and in all that look the same to it."""
        code = self.layout.code
        leaf = self._leaf(len(self.steps), len(moves.steps), self._about(moves))
        self._most[thread] = max(self._most[thread], len(moves.steps))
        for rank, step in enumerate(moves.steps):
            self.steps.append(step)
            self.ranks.append(rank)
            locals_ = [*step.starts, (thread, step.local)]
            writes = [*step.writes, *[(self.threads[each], local) for each, local in locals_]]
            self._writes.append(tuple((place, code(place, value)) for place, value in writes))
            self._step_marks.append(self._mark(step))
            changes = dict.fromkeys(self._watched(step))
            self._step_changes.append(
                [self._changes.setdefault(each, len(self._changes)) for each in changes]
            )
            for follower in self._product.followers:
                affected = follower.affects(step)
                self._follow_roots.append(self._node(follower.place) if affected else UNKNOWN)
            self._add_step(len(self.steps) - 1)
        looked_at = [place for place in moves.looked_at if place != self.threads[thread]]
        self._add_path(thread, state, [self.threads[thread], *looked_at], leaf)

    def _about(self, moves: Moves) -> int:
        """What a thread is about to do; its pairs with what others may be about to do are known."""
        about = 0 if self._pairs is None else self._pairs.about(moves)
        if self._pairs is not None and about not in self._paired:
            self._paired.add(about)
            for rival in self._pairs.rivals(about):
                # One that no tree has yet has its turn later.
                if rival in self._paired:
                    key = min(about, rival) << 32 | max(about, rival)
                    self._pair_table.put(key, self._new_mark() + 1)
        return about

    def learn_property(
        self, number: int, state: State, looked_at: Sequence[int | View], *, fails: bool
    ) -> None:
        """Learn whether a property fails in a state, and in all that look the same to it."""
        leaf = self._leaf(-1, int(fails))
        self._add_path(len(self.threads) + number, state, looked_at, leaf)

    def learn_follower(self, number: int, step: int, state: State) -> None:
        """Learn what a follower makes of a step from a state, and from all that look the same."""
        follower = self._product.followers[number]
        held, met, looked_at = follower.look(state, self.steps[step])
        mark = walking.UNMARKED
        if met and self._product.clean:
            mark = walking.DROPPED
        elif met:
            mark = self._new_mark()
        leaf = self._leaf(self.layout.code(follower.place, held), mark)
        if not self.layout.fits(follower.place):
            self._fits = False
        self._grow(self._follow_roots[self._follow(step, number)], state, looked_at, leaf)

    def _follow(self, step: int, follower: int) -> int:
        return step * len(self._product.followers) + follower

    def _mark(self, step: Step) -> int:
        if self._product.clean:
            return walking.UNMARKED if step.failure is None else walking.DROPPED
        return walking.UNMARKED if self._product.followers else self._new_mark()

    def _new_mark(self) -> int:
        self.marks += 1
        return self.marks - 1

    @property
    def fits(self) -> bool:
        """Whether every code that was learnt fits into its slot. If not: repack, and `build`."""
        return self._fits

    def _leaf(self, first: int, count: int, about: int = 0) -> int:
        self._leaves.append((first, count, about))
        self._lay_leaf(first, count, about)
        return len(self._leaves) - 1

    def _lay_leaf(self, first: int, count: int, about: int) -> None:
        self._leaf_first.add(first)
        self._leaf_count.add(count)
        if self._pairs is not None:
            self._leaf_about.add(about)

    def _add_path(self, tree: int, state: State, places: Sequence[int | View], leaf: int) -> None:
        if not places:
            self._roots[tree] = self._root_array[tree] = -leaf - 1
            return
        if self._roots[tree] == UNKNOWN:
            self._roots[tree] = self._root_array[tree] = self._node(places[0])
        self._grow(self._roots[tree], state, places, leaf)

    def _grow(self, child: int, state: State, places: Sequence[int | View], leaf: int) -> None:
        """Add the nodes on the way from a node, which looks at the first place, to a leaf."""
        for depth, place in enumerate(places):
            number = child - 1
            node = self._nodes[number]
            assert (node.view or node.place) == place
            value = state[node.place]
            code = self.layout.code(node.place, value)
            seen = code if node.view is None else node.view(value)
            if depth + 1 == len(places):
                child = -leaf - 1
            elif seen in node.children:
                child = node.children[seen]
                self._branch(number, code, child)
                continue
            else:
                child = self._node(places[depth + 1])
            node.children[seen] = child
            self._branch(number, code, child)

    # The arrays

    def build(self) -> None:
        """Make the arrays, as the layout is now."""
        layout = self.layout
        self.version = layout.version
        self._fits = True
        self._node_array = Growing(np.int64)
        self._branches = Growing(np.int32)
        self._wide = Table()
        self._leaf_first, self._leaf_count = Growing(np.int64), Growing(np.int64)
        self._leaf_about = Growing(np.int64)
        self._keep, self._put = Growing(np.uint64), Growing(np.uint64)
        self._marks = Growing(np.int64)
        self._follow_array = Growing(np.int32)
        self._watch_first, self._watch_count = Growing(np.int64), Growing(np.int64)
        self._watch_words, self._watch_flags = Growing(np.int64), Growing(np.int64)
        self._watch_masks = Growing(np.uint64)
        self._root_array = np.array(self._roots, np.int32)
        slots = [(*layout.slots[place], layout.mask(place)) for place in self.threads]
        self._local_words, self._local_shifts, self._local_masks = slot_arrays(layout, self.threads)
        self._follower_words, self._follower_shifts, self._follower_masks = slot_arrays(
            layout, [follower.place for follower in self._product.followers]
        )
        unfinished = [0] * layout.words
        for thread, (word, shift, mask) in enumerate(slots):
            if thread in self._awaited:
                unfinished[word] |= (mask & ~1) << shift  # FINISHED and FAILED are 0 and 1
        self.unfinished = np.array(unfinished, np.uint64)
        self._local_bases = np.cumsum([0, *(mask + 1 for _, _, mask in slots)])
        for number in range(len(self._nodes)):
            self._lay_node(number)
        for number, node in enumerate(self._nodes):
            for seen, child in node.children.items():
                if node.view is None:
                    self._branch(number, seen, child)
            if node.view is not None:
                for code, value in enumerate(layout.values(node.place)):
                    if (child := node.children.get(node.view(value), UNKNOWN)) != UNKNOWN:
                        self._branch(number, code, child)
        for leaf in self._leaves:
            self._lay_leaf(*leaf)
        for step in range(len(self.steps)):
            self._add_step(step)

    @property
    def under_room(self) -> int:
        """How many flags there are for changes under local states."""
        return len(self._changes) * int(self._local_bases[-1])

    def changed_under(self, flags: Any) -> list[tuple[Change, int, int]]:
        """What flags say: a change, a thread, and its local state when another made the change."""
        found = []
        changes = list(self._changes)
        for flag in np.flatnonzero(flags).tolist():
            change, place = divmod(flag, int(self._local_bases[-1]))
            thread = int(np.searchsorted(self._local_bases, place, side="right")) - 1
            code = place - int(self._local_bases[thread])
            local = self.layout.value(self.threads[thread], code)
            found.append((changes[change], thread, local))
        return found

    def _node(self, look: int | View) -> int:
        node = _Node(look.place, look) if isinstance(look, View) else _Node(look)
        self._nodes.append(node)
        self._lay_node(len(self._nodes) - 1)
        return len(self._nodes)

    def _lay_node(self, number: int) -> None:
        place = self._nodes[number].place
        word, shift = self.layout.slots[place]
        base = -1
        if self.layout.widths[place] <= WIDEST:
            base = self._branches.length
            self._branches.room(base + (1 << self.layout.widths[place]))
            self._branches.length = base + (1 << self.layout.widths[place])
        self._node_array.add(word, shift, self.layout.mask(place), base)

    def _branch(self, number: int, code: int, child: int) -> None:
        place = self._nodes[number].place
        if code >> self.layout.widths[place]:
            self._fits = False
            return
        base = int(self._node_array.array[4 * number + 3])
        if base >= 0:
            self._branches.array[base + code] = child
        else:
            self._wide.put((number + 1) << 32 | code, child)

    def _add_step(self, step: int) -> None:
        layout, writes = self.layout, self._writes[step]
        self._marks.add(self._step_marks[step])
        followers = len(self._product.followers)
        self._follow_array.add(*self._follow_roots[step * followers : (step + 1) * followers])
        keep, put = [2**64 - 1] * layout.words, [0] * layout.words
        for place, code in writes:
            word, shift = layout.slots[place]
            if code >> layout.widths[place]:
                self._fits = False
                code = 0
            keep[word] &= ~(layout.mask(place) << shift)
            put[word] |= code << shift
        self._keep.add(*keep)
        self._put.add(*put)
        changes = self._step_changes[step]
        self._watch_first.add(self._watch_words.length)
        self._watch_count.add(len(changes))
        all_changes = list(self._changes)
        for change in changes:
            place, _ = all_changes[change]
            word, shift = layout.slots[place]
            self._watch_words.add(word)
            self._watch_masks.add(layout.mask(place) << shift)
            self._watch_flags.add(change * int(self._local_bases[-1]))

    @property
    def trees(self) -> walking.Trees:
        """The arrays, for the kernel."""
        wide_keys, wide_children = self._wide.arrays
        pair_keys, pair_marks = self._pair_table.arrays
        return walking.Trees(
            threads=len(self.threads),
            properties=len(self._when_final),
            followers=len(self._product.followers),
            watches=int(self._watch_words.length > 0),
            nodes=self._node_array.array,
            branches=self._branches.array,
            wide_mask=len(wide_keys) - 1,
            wide_keys=wide_keys,
            wide_children=wide_children,
            roots=self._root_array,
            leaf_first=self._leaf_first.array,
            leaf_count=self._leaf_count.array,
            keep=self._keep.array,
            put=self._put.array,
            marks=self._marks.array,
            watch_first=self._watch_first.array,
            watch_count=self._watch_count.array,
            watch_words=self._watch_words.array,
            watch_masks=self._watch_masks.array,
            watch_flags=self._watch_flags.array,
            local_words=self._local_words,
            local_shifts=self._local_shifts,
            local_masks=self._local_masks,
            local_bases=self._local_bases,
            follower_words=self._follower_words,
            follower_shifts=self._follower_shifts,
            follower_masks=self._follower_masks,
            follow_roots=self._follow_array.array,
            unfinished=self.unfinished,
            when_final=self._when_final,
            stop_at_failures=int(self._product.clean),
            asks_pairs=int(self._pairs is not None),
            leaf_about=self._leaf_about.array,
            pair_mask=len(pair_keys) - 1,
            pair_keys=pair_keys,
            pair_marks=pair_marks,
        )

    @property
    def bytes(self) -> int:
        """What the arrays take."""
        return sum(int(array.nbytes) for array in self.trees if isinstance(array, np.ndarray))
