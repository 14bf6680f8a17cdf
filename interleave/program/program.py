"""A model made ready to run: its threads, its properties, its heap, and what its names mean."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from interleave.compiler import Compilations, Swallow
from interleave.compiler.source import FUNCTION_OF
from interleave.errors import ModelError, did_you_mean
from interleave.memory.addresses import ObjectId
from interleave.memory.identity import MODEL_PROCESS, ThreadName
from interleave.memory.port import BY_STEPS, CLOCK, FINALIZERS, SIGNALS, Location
from interleave.memory.primitive import STEPWISE_METHODS, Primitive
from interleave.memory.values import Shared
from interleave.model import MAIN, OUTPUT, PRINTED, Model
from interleave.notes import notes_of
from interleave.program.capture import capture
from interleave.program.contexts import add_contexts
from interleave.program.heap import Room, RoomOwner
from interleave.program.idle import refuse_idle
from interleave.program.lasting import (
    held_for_good,
    refuse_callbacks_of_collector,
    refuse_surroundings,
)
from interleave.program.loop import add_declared_loop, add_loop, tasks_to_cancel
from interleave.program.misuse import kept_names, refuse_misuse
from interleave.program.processes import Space, copied_at_fork, private_copies
from interleave.program.reach import (
    fields_set,
    reachable_functions,
    shared_globals,
    written_attributes,
)
from interleave.program.restarts import MoreRoots, Written
from interleave.program.sections import Sections
from interleave.program.settings import LOOPS, settings_of
from interleave.program.setup import Lacking, initial_instances, place_of_variable
from interleave.program.spawned import Spawned, SpawnKey, add_captured
from interleave.program.threads import ThreadInstance, declared_properties, declared_threads
from interleave.runtimes import DEFAULT, Runtime
from interleave.world.findings import Findings
from interleave.world.holders import Holder
from interleave.world.net import Net
from interleave.world.real_state import RealState
from interleave.world.twins import finalizer_of
from interleave.world.unseen import Unseen
from interleave.world.world import World


@contextlib.contextmanager
def _beginning_again() -> Iterator[None]:
    """Have the program made again where `setup` lacks something."""
    try:
        yield
    except Lacking as error:
        raise Written(error.key) from None


class Program:
    """Everything a machine needs to know of one model with given parameters.

    What earlier programs of the same model have lacked is given as `restarts.Discoveries` has it:
    `written`, `spawned`, `rooms`, `roots`, `method_names`, `attributes`, `swallowing`. `real` knows
    what real objects were like before, and `compilations` what they have compiled. With
    `all_change`, no variable is taken for a constant, but where there are processes: of each
    variable that changes, these have a copy.
    """

    def __init__(
        self,
        model: type[Model],
        parameters: dict[str, object],
        written: frozenset[str] = frozenset(),
        runtime: Runtime = DEFAULT,
        spawned: Mapping[SpawnKey, int] = MappingProxyType({}),
        rooms: Mapping[RoomOwner, int] = MappingProxyType({}),
        *,
        roots: Mapping[str, Any] = MappingProxyType({}),
        method_names: frozenset[str] = frozenset(),
        attributes: frozenset[str] = frozenset(),
        swallowing: frozenset[Swallow] = frozenset(),
        real: RealState | None = None,
        compilations: Compilations | None = None,
        all_change: bool = False,
    ) -> None:
        self.model = model
        self.runtime = runtime
        self.parameters = parameters
        self.written = written
        self.attributes = attributes
        """The names of attributes that are got and set block by block."""
        self._swallowing = swallowing
        self._compilations = compilations or Compilations()
        self._all_change = all_change
        self.findings = Findings()
        """What was seen while code of the model ran."""
        self.net = Net(self.findings)
        self.sections = Sections(self.findings)
        notes = notes_of(model)
        known = written | ({LOOPS} if notes.has_loops else set())
        refuse_misuse(model, notes)
        refuse_callbacks_of_collector(model.__module__)
        self._kept = kept_names(notes, known)
        self.properties = declared_properties(notes)
        self.threads = declared_threads(model, notes, parameters, runtime)
        named_main = (each.number for each in self.threads if each.method == runtime.main)
        self.main = next(named_main, None)
        """The thread whose return ends the program."""
        bodies = (t for t in self.threads if t.method == MAIN and not t.kind.in_loop)
        self.body = next((t.number for t in bodies if FUNCTION_OF in vars(model)), None)
        """The thread that is the body of a script or of a test, and has run what is before it."""
        self.real = real or RealState(model)
        """Knows what real objects were like before."""
        own_names, shared = self._capture(roots)
        self.spaces: dict[ThreadName, Space] = {}
        """What locations stand for in each process."""
        self.forks: dict[ThreadName, list[tuple[Location, Location]]] = {}
        """What each process takes over from its parent as it begins, which may have changed."""
        processes = [each for each in self.threads if each.process]
        for each in processes:
            self._add_space(each, parent_runs=len(processes) < len(self.threads))
        has_tasks = any(thread.kind.in_loop for thread in self.threads)
        self.settings = settings_of(model, parameters, known)
        """How things are to be modelled, as the model says; None where it does not."""
        primitives: list[Any] = [
            each for each in self.heap.stand_ins if isinstance(each, Primitive)
        ]
        self.queues = [each for each in primitives if hasattr(type(each), "is_to_copy")]
        """The queues that have feeders, which copy some time later what is put into them."""
        is_alone = len(processes) == len(self.threads)
        self.pipes = [each for each in primitives if hasattr(type(each), "notices_ends")]
        """What holds messages of processes."""
        self.left = tuple(each for each in self.pipes if each.notices_ends(alone=is_alone))
        """What the end of a process has to do with."""
        self.stand_in = self.heap.stand_ins[0]
        self.thread_local = [each for each in self.heap.stand_ins if type(each)._of_threads]
        """Shared objects that keep something for each thread, which goes when the thread ends."""
        self.world.know(
            self.real.before.with_replaced(shared),
            own_names | method_names,
            scope=runtime.language.scope(self.settings),
        )
        changing = map(self.heap.owner, self.heap.changing)
        self.net.unseen = Unseen(self.world, changing, self.real.before)
        self.loop: Any = self._add_declared_loop() if has_tasks else None
        """The event loop that runs the declared tasks, where there are any."""
        add_captured(self.threads, self.heap, self.world.to_flatten)
        self.spawned = Spawned(self.threads, self.heap, written, spawned, self._add_made_loop)
        """The threads that running threads make."""
        self.loops = [*filter(None, [self.loop]), *self.spawned.loops]
        """All event loops."""
        for key, made in self.spawned:
            if made.thread_kind.is_process:
                self._add_space(self.threads[made.runs], key.process, parent_runs=True)
        self.has_finalizers = FINALIZERS in written
        """Whether there may be objects with a `__del__`."""
        if self.has_finalizers:
            refuse_surroundings(self.world, self.heap.functions)
        else:
            self.heap.reals = []
        kinds = map(type, self.heap.stand_ins)
        if not self.has_finalizers and any(finalizer_of(each) is not None for each in kinds):
            raise Written(FINALIZERS)
        self.contexts = add_contexts(self.heap, self.threads, written, self.body)
        """Where the context of each thread is, if some code has context variables."""
        self.clock: Any = self._add_clock() if CLOCK in written else None
        """The clock, if some code reads it."""
        self.signals: Any = self._add_signals() if SIGNALS in written else None
        """The handlers of signals, if some code installs any."""
        self._add_rooms(rooms)
        beside = sum(not each.kind.in_loop for each in self.threads)
        self.has_threads = beside > (0 if has_tasks else 1)
        """Whether there are others, processes too, that may run while a task does: than tasks, and
        than the thread that runs their loop.
        """
        self._shared = shared if self.has_finalizers else {}
        self.always_there = self._always_there() if self.has_finalizers else frozenset()
        """The numbers of what is there as long as the program is, and leads to others."""
        self.references: dict[tuple[type, int], list[int]] = {}
        """The objects that a value refers to, by its number, in an object of some class."""
        self.weak_references: dict[tuple[type, int], set[int]] = {}
        """The same of weak references."""
        self.there_at_first: set[int] | None = None
        """What variables lead to in the beginning, once it was looked at."""
        self.is_script = PRINTED in vars(model)
        """Whether the body is that of a script."""
        self.over = None
        if runtime.main is not None:
            self.over = self.heap.add_location("", 0, value=False)
        """Whether the program has ended although threads have not, where it can."""
        self.world.compile(entry.function for entry in self.threads)
        if missing := self.world.missing():
            raise MoreRoots(missing)
        self.begins_with = [*self.heap.stand_ins, *self.world.stood_for()]
        """All that it has before anything runs, in an order that is a function of the model."""

    def identity(self, value: Any) -> ObjectId | None:
        """What tells an object from all others; None for one that only a thread knows so far.

        Raises `ModelError` for what is told from others by its value only.
        """
        identities = self.world.identities
        if issubclass(type(value), Shared):
            return identities.of_shared(value, self.heap.index_of(value))
        return identities.of_other(value)

    def holds(self, value: object) -> bool:
        """Whether a value is one that a state has or a name stands for, or is a part of one."""
        return self.heap.values.holds(value, self.world.constants())

    def _capture(self, roots: Mapping[str, Any]) -> tuple[frozenset[str], dict[int, Any]]:
        """Make the heap of what can be reached from what can run.

        Gives the names of the model's methods, and what stands for the shared globals, by id.
        Shared objects may refer to more functions, which use more globals.
        """
        entries = self._entries()
        setup: Any = self.model.setup
        printed = vars(self.model).get(PRINTED)
        if printed is not None:
            roots = {OUTPUT: printed, **roots}
        refuse_idle(reachable_functions(self.model, [*entries, setup])[0])
        named = reachable_functions(self.model, entries)[0]
        while True:
            reachable, method_names = reachable_functions(self.model, entries)
            if self.runtime.language.functions_are_values:
                method_names |= fields_set(reachable, self.model) | STEPWISE_METHODS
            self.world = World(
                self.model,
                self.written,
                self.findings,
                attributes=self.attributes,
                swallowing=self._swallowing,
                compilations=self._compilations,
                switches=self.runtime.global_lock or SIGNALS in self.written,
                has_nil=self.runtime.language.has_nil,
                kept=self._kept,
            )
            self.real.made = self.world.made
            before, clock = self.real.before, self._setup_clock()
            instances = initial_instances(
                self.model, self.parameters, self.net, before, self._kept, clock
            )
            with contextlib.closing(instances), _beginning_again():
                self.heap, shared = capture(
                    instances,
                    {**shared_globals(reachable, closures_of=named), **roots},
                    self.world,
                    before,
                    written=self.written,
                    assigned=self._written_by(self._entries(processes=False)),
                    place=partial(place_of_variable, self.model, functions=reachable),
                    body=self.body,
                    all_change=self._all_change
                    and not any(t.kind.is_process for t in self.threads),
                )
            # By their code: each run of setup makes functions of its own.
            known = {each.__code__ for each in (*reachable, *entries)}
            more = [each for each in self.heap.functions if each.__code__ not in known]
            if not more:
                if printed is not None:
                    shared = {**shared, id(print): shared[id(printed)]}
                return method_names, shared
            entries = [*entries, *more]
            refuse_idle(more)

    def _always_there(self) -> frozenset[int]:
        """The model, variables, and what was made for the search, but for rooms."""
        heap = self.heap
        rooms = {room.location.owner for room in heap.rooms}
        holders = [number for number, each in enumerate(heap.stand_ins) if isinstance(each, Holder)]
        made = set(range(heap.found, len(heap.stand_ins))) - rooms
        return frozenset({0, *holders, *made})

    @cached_property
    def held_for_good(self) -> frozenset[int]:
        """The numbers of the captured objects that Python refers to as long as the program runs."""
        found = held_for_good(self.world, self._shared)
        return frozenset(each._number for each in found if isinstance(each, Shared))

    @cached_property
    def rooms_by_owner(self) -> dict[int, Room]:
        """The rooms for what threads make, by the number of what stands for each."""
        return {room.location.owner: room for room in self.heap.rooms}

    def locations_of(self, number: int) -> list[Location]:
        """The locations of a shared object, by its number, in order."""
        return self._by_owner.get(number, [])

    @cached_property
    def _by_owner(self) -> dict[int, list[Location]]:
        found: dict[int, list[Location]] = {}
        references = {room.references for room in self.heap.rooms}
        for location in self.heap.locations:
            if location not in references:
                found.setdefault(location.owner, []).append(location)
        return found

    def _add_declared_loop(self) -> Any:
        cancels = tasks_to_cancel(self.model, self.settings["CANCEL"], self.threads)
        return add_declared_loop(
            self.heap,
            self.threads,
            self.written,
            fifo=self.settings["ORDER"] == "fifo",
            debug=self.settings["ASYNCIO_DEBUG"],
            cancels=cancels,
        )

    def _add_made_loop(self, name: str) -> Any:
        fifo = self.settings.get("ORDER") == "fifo"
        debug = self.settings.get("ASYNCIO_DEBUG", False)
        return add_loop(self.heap, self.threads, self.written, name=name, fifo=fifo, debug=debug)

    def _setup_clock(self) -> Any:
        if CLOCK not in self.written:
            return None
        from interleave.program.clock import SetupClock

        return SetupClock(by_steps=BY_STEPS in self.written)

    def _add_clock(self) -> Any:
        from interleave.program.clock import ModelClock  # few models need it

        return ModelClock(self.heap, self.written, self.settings)

    def _add_signals(self) -> Any:
        from interleave.stdlib.signal import Signals, SignalsState, main_thread

        signals = self.heap.add("", Signals, SignalsState())
        signals.main = main_thread(self.threads, MAIN)
        signals.most = self.settings["SIGNALS"]
        return signals

    def _add_rooms(self, rooms: Mapping[RoomOwner, int]) -> None:
        """Make room for the objects that threads make."""
        self.heap.add_rooms(rooms, [thread.name for thread in self.threads])
        for room in self.heap.rooms:
            room.location.known = self.written
            if self.runtime.language.makes_structs:
                room.location.varying = self.written | self._written_by(self._entries())

    def entry(self, thread: ThreadInstance) -> tuple[types.FunctionType, tuple[Any, ...]]:
        """The function that a thread runs, and what follows `self`."""
        forks = self.forks.get(thread.process)
        if not (thread.process and (self.left or forks)):
            return thread.function, thread.arguments
        from interleave.stdlib.multiprocessing.forks import forking
        from interleave.stdlib.multiprocessing.queues import leaving

        run = getattr(self.stand_in, thread.method)
        function: Any = forking if forks else leaving
        return function, (run, thread.arguments, self.left)

    def _entries(self, *, processes: bool = True) -> list[types.FunctionType]:
        """What can run: threads, processes if wanted, and properties."""
        threads = [thread for thread in self.threads if processes or not thread.process]
        functions = dict.fromkeys(thread.function for thread in threads)
        return [*functions, *[each.function for each in self.properties]]

    def _written_by(self, entries: list[types.FunctionType]) -> frozenset[str]:
        return written_attributes(reachable_functions(self.model, entries)[0])

    def _add_space(
        self, main: ThreadInstance, parent: ThreadName = MODEL_PROCESS, *, parent_runs: bool
    ) -> None:
        """Give a process copies of its own, by its main thread."""
        process, known = main.process, self.spaces.get(parent, {})
        self.spaces[process] = private_copies(
            self.heap,
            process,
            self._written_by([main.function]),
            self.written,
            parent=known,
            parent_runs=parent_runs,
        )
        self.forks[process] = copied_at_fork(self.spaces[process], known, self.written)

    def processes(self) -> list[ThreadName]:
        """See `Port.processes`: as the current port shows it."""
        declared = (each.process for each in self.threads if each.room is None)
        made = (room for _, room in self.spawned if room.thread_kind.is_process)
        running = (each.default_name for each in made if each.has_started())
        return [*dict.fromkeys((MODEL_PROCESS, *declared, *running))]

    def thread_number(self, method: str, index: int | None) -> list[int]:
        """The threads that `finished(method, index)` asks about. Raises `ModelError` if none."""
        found = [t for t in self.threads if t.method == method and index in (None, t.index)]
        if not found:
            known = ", ".join(dict.fromkeys(t.method for t in self.threads))
            which = method if index is None else f"{method}[{index}]"
            meant = did_you_mean(method, {t.method: None for t in self.threads})
            raise ModelError(
                f"there is no thread {which}", remedy=f"{meant}the threads are {known}"
            )
        return [thread.number for thread in found]

    @staticmethod
    def end_of(method: str) -> str:
        """The key of the fact that a property asks whether threads have ended."""
        return f"{method}: whether it has finished"

    def is_asked_for(self, thread: int) -> bool:
        """Whether a property is known to ask if a thread has ended."""
        return self.end_of(self.threads[thread].method) in self.written

    @property
    def awaited(self) -> list[int]:
        """The threads that have ended in every final state, if nothing ends the program before.

        That is the one whose return ends the program, if there is one; else all but daemons.
        """
        if self.main is not None:
            return [self.main]
        return [thread.number for thread in self.threads if not thread.daemon]

    @property
    def unhurried(self) -> frozenset[int]:
        """The threads that need not ever move, though they always could: something outside that may
        cancel tasks.
        """
        loops = [thread.number for thread in self.threads if thread.kind.is_loop]
        return frozenset(loops if self.settings.get("CANCEL") else ())

    def ends_with(self, thread: int) -> bool:
        """Whether the program is over when a thread has returned."""
        return thread == self.main
