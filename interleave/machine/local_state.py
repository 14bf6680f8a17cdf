"""Local states: the frames of a thread, and what no other thread sees; and the threads it makes."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any

from interleave.compiler import Code, is_library
from interleave.compiler.blocks import HIDDEN, ITERATOR
from interleave.errors import ModelError
from interleave.machine.accesses import STORED, Accesses
from interleave.machine.frames import Frame, FrameLocals, given_first, live
from interleave.machine.references import is_referred_to
from interleave.memory.coroutine import Coroutine
from interleave.memory.identity import ThreadId, ThreadIdent, ThreadName
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind
from interleave.memory.values import UNBOUND, Freezer, Key, Shared, Thawer, Uncapturable
from interleave.program import MoreRooms, MoreThreads, RoomKey
from interleave.stdlib.threads import CurrentThread, call

MOST_STARTED = 20
"""Threads that running threads make, at most."""


class LocalState(Accesses):
    """Freezes and thaws the frames of the thread, and begins those of others."""

    def make(self, kind: Kind, contents: Any) -> Any:
        def effect() -> Any:
            try:
                return self._making.make(kind, contents)
            except (MoreRooms, ModelError) as error:
                self._end("error", error)

        # Nobody misses it among what else a step does.
        name = "" if self._accesses and self._program.runtime == "go" else kind.stand_in.__name__
        return self.access(AccessKind(name), effect, private=True)

    def thread_room(
        self, kind: Any, target: Any, *, daemon: bool | None = None, maker: Any = None
    ) -> Any:
        me = self._program.threads[self.thread]
        function = self._thread_function(target)
        daemon = me.daemon if daemon is None else daemon
        name = me.name if maker is None else self._heap.lasting_name_of(maker)
        key = RoomKey(name, function, daemon, kind, me.process, target.__name__)
        for room in self._program.rooms_of(key):
            if room.state is None:
                return room
        return self.more_room(key)

    def more_room(self, key: RoomKey) -> Any:
        """Make room for one more thread. Does not return."""
        if len(self._program.rooms) >= MOST_STARTED:
            self.halt(
                ModelError(
                    f"threads make more than {MOST_STARTED} {key.kind.noun}s",
                    remedy=f"start fewer: a {key.kind.noun} that has ended keeps its room",
                )
            )
        self._end("error", MoreThreads(key))

    def refers_to(self, number: int) -> bool:
        """Whether anything refers to a shared object, in the state as it is now. It looks at all of
        the state.
        """
        here = list(self._state)
        for place in range(len(here)):
            if place in self._written:
                here[place] = self._written[place]
            else:
                self._look(place)
        mine = (self._freeze_frames(self._frames), tuple(self._log), tuple(self._started))
        return is_referred_to(number, self._machine, here, self.thread, mine)

    def _thread_function(self, target: Any) -> types.FunctionType:
        """The function behind what a thread is to run: the model's, or one of a modelled module."""
        found: Any = self._program.to_flatten(target)
        if found is None and isinstance(target, types.FunctionType) and is_library(target):
            found = target
        if found is None and isinstance(target, types.MethodType):
            found = call if issubclass(type(target.__self__), Shared) else None
        if found is None:
            self.halt(
                ModelError(
                    f"a thread is to run {_named(target)}, which is no function of the model",
                    remedy="give it one that stands in the model file: Thread(target=self.work)",
                )
            )
        function: types.FunctionType = found
        return function

    def thread_object(self) -> Any:
        me = self._program.threads[self.thread]
        return me.room or CurrentThread(ThreadName(me.name), me.daemon, ThreadIdent.of(self.thread))

    def start_thread(
        self, thread: ThreadId, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        function = self._thread_function(target)
        code = self._program.code(function)
        first = [target] if function is call else given_first(target)
        given = (*first, *args), tuple(kwargs.items())
        args, named = self._hand_over(given, f"a thread that runs {code.name}")
        try:
            bound = code.bind(*args, **dict(named))
        except TypeError as error:
            self.halt(
                ModelError(f"a thread cannot run {code.name}: {error}", remedy="mend its `args`")
            )
        self._begin_thread(thread, code, bound)

    def begin_thread(
        self, thread: ThreadId, function: types.FunctionType, names: dict[str, Any]
    ) -> None:
        """Have a thread begin in a function with these locals."""
        self._begin_thread(thread, self._program.code(function), names)

    def _begin_thread(self, thread: ThreadId, code: Code, names: dict[str, Any]) -> None:
        frames = self._freeze_frames([Frame(code, 0, FrameLocals(names))])
        if isinstance(frames, ModelError):
            self.halt(frames)
        self._started.append((thread, self._machine.locals.id_of((frames, ()))))

    def _thaw(self, key: Key) -> None:
        frames, log = key
        thawer = Thawer(self._heap.stand_in)
        for place, (number, at, values) in enumerate(frames):
            code = self._machine.codes[number]
            names = FrameLocals()
            for name, value in zip(live(code, at, place == len(frames) - 1), values, strict=True):
                if value[0] is not type(UNBOUND):
                    names[name] = thawer.thaw(value)
            self._frames.append(Frame(code, at, names))
        self._coroutines += [each for each in thawer.made() if isinstance(each, Coroutine)]
        self._log = list(log)

    def _freeze_frames(self, running: Sequence[Frame]) -> Key | ModelError:
        """The key of all frames; the error to raise, should the thread be suspended here."""
        freezer = Freezer(mutable=True, shared=self._making.moved)
        frames = []
        for place, frame in enumerate(running):
            values = []
            for name in live(frame.code, frame.at, place == len(running) - 1):
                try:
                    values.append(freezer.freeze(frame.names.get(name, UNBOUND)))
                except Uncapturable as error:
                    return self._uncapturable(name, error.why)
                except RecursionError:
                    return self._uncapturable(name, "it refers to itself, or is too deep")
            frames.append((self._machine.code_number(frame.code), frame.at, tuple(values)))
        for made, place in self._making.stored.items():
            if self._over and made not in freezer.replaced:
                # Made in this statement. Run again, it would make another one.
                self._log[place] = (STORED, *self._log[place][1:])
        if running is self._frames:
            self._in_frames = freezer.seen()
        return tuple(frames)

    def _move(self) -> None:
        """Have the locals refer to the rooms of what the last block has shared."""
        if not self._making.unchanged():
            self.halt(
                ModelError(
                    "an object is changed in the same statement in which it is shared",
                    remedy="change it in a statement of its own",
                )
            )
        key = self._freeze_frames(self._frames)
        if isinstance(key, ModelError):
            raise key
        self._making.done()
        self._frames.clear()
        self._thaw((key, ()))
        if self._flow:
            self._flow.moved()

    def _uncapturable(self, name: str, why: str) -> ModelError:
        code, at = self._here()
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


def _named(value: object) -> str:
    name = getattr(value, "__qualname__", None) or repr(value)
    return "a lambda" if name.endswith("<lambda>") else name
