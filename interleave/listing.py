"""`interleave steps`: what each thread was compiled to."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from interleave.blaming import blaming
from interleave.engine.observing import Limits, Observer
from interleave.engine.search import search
from interleave.engine.stopping import INTERRUPTED, Guard
from interleave.facts import end_of
from interleave.interrupts import NOWHERE, leaving, listening
from interleave.loading import checked_runtime, file_of, loop_settings
from interleave.machine import Machine, State, Step
from interleave.machine.step import AccessRecord
from interleave.memory.port import Location
from interleave.model import Model
from interleave.options import DEFAULTS, Options
from interleave.result import Source
from interleave.world.policy import Assumed, assuming

ENOUGH = 20_000
"""States that are looked through for the accesses of each thread."""


@dataclass(frozen=True)
class ListedStep:
    """One step of a thread: its number, what it does to which locations, and where it stands."""

    number: int
    access: str
    locations: tuple[str, ...]
    source: Source


@dataclass(frozen=True)
class ListedThread:
    """The steps of all instances of one thread method, function by function as they are come to,
    each in the order of its text. `kind` is what the decorator calls it: "thread", "task".
    """

    kind: str
    method: str
    instances: int
    steps: tuple[ListedStep, ...]


@dataclass(frozen=True)
class Listing:
    """What `list_steps` gives. `file` is the one that the model is in.

    `complete`: no step can be missing but those never reached. `is_cut_short`: by a limit that was
    asked for, or by Ctrl-C, which is `interrupted`.
    """

    model: str
    threads: tuple[ListedThread, ...]
    complete: bool
    interrupted: bool = False
    is_cut_short: bool = False
    file: str = ""


class _Key(NamedTuple):
    """What makes two accesses one step of a listing: copies of a block are one."""

    code: int
    block: Hashable
    order: int
    name: str


class _Collector(Observer):
    """Notes every access that a search comes by."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.seen: dict[str, dict[_Key, tuple[AccessRecord, dict[str, None]]]]
        self.seen = {thread.method: {} for thread in machine.program.threads}

    def on_end(self, number: int, state: State) -> bool:
        for thread in self._machine.program.threads:
            blocked = self._machine.step(state, thread.number).blocked
            if blocked is not None:
                self._note(thread.method, AccessRecord(blocked.access, blocked.place, 0), state)
        return False

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        method = self._machine.program.threads[step.thread].method
        for access in step.accesses:
            if access.kind.name:
                location = access.kind.location
                # What is made in a step has its name after it.
                is_new = location is not None and self._is_empty(location, state)
                self._note(method, access, self._machine.after(state, step) if is_new else state)
        return False

    def _is_empty(self, location: Location, state: State) -> bool:
        values = self._machine.program.heap.values
        return location.is_room and values[state[location.index]] is None

    def _note(self, method: str, access: AccessRecord, state: State) -> None:
        code, number = access.place
        origin = code.blocks[number].origin if number < len(code.blocks) else None
        block = number if origin is None else origin
        key = _Key(self._machine.locals.code_number(code), block, access.order, access.kind.name)
        known, locations = self.seen[method].get(key, (access, {}))
        self.seen[method][key] = (max(known, access, key=lambda it: it.place[1]), locations)
        where, location = access.kind.where, access.kind.location
        if location is not None and location.is_room:
            where = self._machine.names_in(state).where(access.kind)
        if where:
            locations[where] = None


@blaming()
def list_steps(
    model: type[Model], parameters: Mapping[str, Any], options: Options = DEFAULTS
) -> Listing:
    """The steps of each thread, found by running the model. Raises `ModelError`."""
    guard = Guard(options.max_seconds, options.bytes)
    threads: tuple[ListedThread, ...] = ()
    with listening(), guard.phase(), assuming(Assumed(tuple(options.pure))):
        found = search(
            model,
            {**parameters, **loop_settings(model, options)},
            lambda machine, _: [_Collector(machine)],
            runtime=checked_runtime(options.runtime, model),
            limits=Limits(states=ENOUGH),
            guard=guard,
        )
        with leaving(NOWHERE):
            threads = _threads(found.machine, found.observers[0])
            guard.note(found.graph.stop)
    stop = guard.stop
    is_cut_short = stop is not None and stop.kind != "states"
    return Listing(
        model.__name__,
        threads,
        complete=stop is None,
        interrupted=stop is INTERRUPTED,
        is_cut_short=is_cut_short,
        file=file_of(model),
    )


def _threads(machine: Machine, collector: _Collector) -> tuple[ListedThread, ...]:
    listed = []
    for method, seen in collector.seen.items():
        steps = []
        codes = [*dict.fromkeys(key.code for key in seen)]
        places = {
            # The end of a thread comes after all else that its last block does.
            key: (codes.index(key.code), access.place[1], key.name == "return", key.order, key.name)
            for key, (access, _) in seen.items()
        }
        for number, key in enumerate(sorted(seen, key=lambda each: places[each]), 1):
            access, locations = seen[key]
            code, block = access.place
            names = tuple(sorted(locations, key=_natural))
            source = code.source(block)
            source = end_of(code, source) if key.name == "return" else source
            steps.append(ListedStep(number, key.name, names, source))
        instances = {each.name: each for each in machine.program.threads if each.method == method}
        kind = "" if (first := next(iter(instances.values()))).kind.is_loop else str(first.kind)
        listed.append(ListedThread(kind, method, len(instances), tuple(steps)))
    return tuple(listed)


def _natural(name: str) -> tuple[int, str]:
    return (len(name), name)
