"""The functions that a thread is in while a step of it runs: thawed, run, and frozen again."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from interleave.compiler import BlockKind, Code, Locals
from interleave.compiler.blocks import HIDDEN, ITERATOR
from interleave.compiler.generators import Generator
from interleave.errors import ModelError, Place
from interleave.machine.frames import Frame, FrameLocals, live, place_in
from interleave.machine.making import field_being_set
from interleave.machine.unsent import Unsent, unsent_in
from interleave.memory.closures import variable
from interleave.memory.coroutine import Coroutine
from interleave.memory.values import UNBOUND, Freezer, Key, Thawer, Uncapturable
from interleave.program import Heap
from interleave.program.interning import LocalStates

Moved = Mapping[int, tuple[object, object]]
"""What has moved into a room: see `Making.moved`."""


class Stack:
    """The frames of one thread, the innermost one last."""

    def __init__(self, heap: Heap, locals_: LocalStates) -> None:
        self.frames: list[Frame] = []
        self.suspended: list[Coroutine | Generator] = []
        """The coroutines and generators that the thread has, or had in this step."""
        self.unsent: list[Unsent] = []
        """What the thread has put into queues and still has."""
        self.is_thawing = False
        """Whether values are made anew: what code this runs is that of keys, to be put in dicts."""
        self._just_put: list[Unsent] = []
        """The same of the present block."""
        self._heap = heap
        self._locals = locals_
        self._freezer = Freezer()
        """The one that the frames were last frozen with."""

    def push(self, code: Code, names: Locals) -> None:
        """Begin in a function with these locals."""
        self.frames.append(Frame(code, 0, FrameLocals(names)))

    def here(self) -> tuple[Code, int]:
        """The innermost block."""
        return place_in(self.frames[-1])

    def shown(self) -> tuple[Code, int]:
        """The innermost block of the user's: that which is being run, or has called what is."""
        for frame in reversed(self.frames):
            if not frame.code.is_library:
                return place_in(frame)
        return place_in(self.frames[-1])

    def calls(self) -> list[Place]:
        """Where each of the user's functions is, outermost call first."""
        shown = [place_in(frame) for frame in self.frames if not frame.code.is_library]
        return [code.place(at) for code, at in shown]

    def callers(self) -> list[tuple[str, int, str]]:
        """The same, each with the name of the function: file, line, name."""
        shown = [frame for frame in self.frames if not frame.code.is_library]
        places = zip(self.calls(), shown, strict=True)
        return [(at.file, at.line, each.code.function.__name__) for at, each in places]

    def thaw(self, key: Key, unsent: Key) -> None:
        """Add the frames of a local state, and what is unsent in it."""
        self.is_thawing = True
        thawer = Thawer(self._heap.stand_in)
        codes = [self._locals.codes[number] for number, *_ in key]
        for code, above, (_, at, values) in zip(codes, [*codes[1:], None], key, strict=True):
            names = FrameLocals()
            self.frames.append(Frame(code, at, names))
            for name, value in zip(live(code, at, above), values, strict=True):
                if value[0] is not type(UNBOUND):
                    names[name] = thawer.thaw(value)
        self.unsent = [Unsent(thawer.thaw(queue), thawer.thaw(value)) for queue, value in unsent]
        self.is_thawing = False
        self.suspended += [e for e in thawer.made() if isinstance(e, Coroutine | Generator)]

    def freeze(self, moved: Moved) -> Key | ModelError:
        """The key of all frames; the error to raise, should the thread be suspended here.

        `moved` has what is to be replaced by a reference to its room.
        """
        self._freezer = Freezer(mutable=True, shared=moved)
        return self._frozen(self.frames, self._freezer)

    def freeze_unsent(self) -> Key:
        """The key of what is unsent, as far as the frames had it as they were last frozen."""
        if not self.unsent:
            return ()
        self.unsent = [each for each in self.unsent if self.keeps(each.value)]
        freeze = self._freezer.freeze
        return tuple([(freeze(each.queue), freeze(each.value)) for each in self.unsent])

    def note_put(self, queue: object, message: object) -> None:
        """The present block has put a message into a queue whose feeder will copy it."""
        self._just_put += unsent_in(queue, message)

    def changed(self, moved: Moved) -> list[Unsent]:
        """What is unsent and was changed since, or has moved to where others can change it."""
        if not (self.unsent or self._just_put):
            return []
        return [
            each
            for each in (*self.unsent, *self._just_put)
            if id(each.value) in moved or each.is_changed
        ]

    def end_block(self, changed: Sequence[Unsent]) -> None:
        """What the block has put is unsent now, but for what the feeder had copied before."""
        for each in self._just_put:
            if not any(map(each.is_as, self.unsent)):
                self.unsent.append(each)
        self.unsent = [each for each in self.unsent if each not in changed]
        self._just_put = []

    def freeze_start(self, code: Code, names: Locals, moved: Moved) -> Key | ModelError:
        """The key of the one frame that another thread begins with."""
        freezer = Freezer(mutable=True, shared=moved)
        return self._frozen([Frame(code, 0, FrameLocals(names))], freezer)

    def keeps(self, value: object) -> bool:
        """Whether a mutable value was in the frames as they were last frozen."""
        return id(value) in self._freezer.seen()

    def has_replaced(self, value_id: int) -> bool:
        """Whether a value that has moved, by its id, was in the frames as they were last frozen."""
        return value_id in self._freezer.replaced

    def _frozen(self, frames: Sequence[Frame], freezer: Freezer) -> Key | ModelError:
        found = []
        last = len(frames) - 1
        for place, frame in enumerate(frames):
            is_innermost = place == last
            above = None if is_innermost else frames[place + 1].code
            if frame.frozen is not None and not is_innermost:
                found.append(frame.frozen)
                continue
            values = []
            freeze, value_of = freezer.freeze, frame.names.get
            freezer.met_mutable = False
            name = ""
            try:
                for name in live(frame.code, frame.at, above):
                    values.append(freeze(value_of(name, UNBOUND)))
            except Uncapturable as error:
                return self._uncapturable(name, error.why)
            except RecursionError:
                return self._uncapturable(name, "it refers to itself, or is too deep")
            key = (self._locals.code_number(frame.code), frame.at, tuple(values))
            frame.frozen = None if is_innermost or freezer.met_mutable else key
            found.append(key)
        return tuple(found)

    def _uncapturable(self, name: str, why: str) -> ModelError:
        code, at = self.here()
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

    def variable_for(self, value: object) -> str:
        """The local variable that holds what was made, or is being assigned; "" if there is none.

        Of a variable that functions share, its own name.
        """
        if isinstance(value, variable):
            return next(iter(vars(value)), "")
        users = [frame for frame in self.frames if not frame.code.is_library] or self.frames
        for frame in reversed(users):
            for name, held in frame.names.items():
                if held is value and value is not None and not name.startswith(HIDDEN):
                    return name
        return field_being_set(_being_assigned(users))


def _being_assigned(frames: Sequence[Frame]) -> str:
    """What the innermost of some frames assigns, in words: `s`, or `s.mu` inside of `s = S()`."""
    *outer, frame = frames
    code, at = place_in(frame)
    body = code.blocks[at].body
    if code.blocks[at].kind is BlockKind.CALL and code.blocks[at].next < len(code.blocks):
        body = code.blocks[code.blocks[at].next].body  # which takes the result
    assigned = next((each for each in body if isinstance(each, ast.Assign)), None)
    target = assigned.targets[0] if assigned else None
    if code.function.__name__ == "__init__" and isinstance(target, ast.Attribute):
        made = next(iter(frame.names.values()), None)
        if isinstance(target.value, ast.Name) and frame.names.get(target.value.id) is made:
            owner = (_being_assigned(outer) if outer else "") or type(made).__name__
            return f"{owner}.{target.attr}"
    stored = [each.id for each in ast.walk(target) if isinstance(each, ast.Name)] if target else []
    return next((name for name in stored if not name.startswith(HIDDEN)), "")
