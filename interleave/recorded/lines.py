"""What one check leaves for the next, as lines of text; and what that makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from interleave.errors import InterleaveError
from interleave.machine import Machine
from interleave.memory.identity import ThreadName
from interleave.model import Model
from interleave.program import Discoveries, Program, Restart, RoomOwner, SpawnKey
from interleave.recorded.fingerprint import fingerprint
from interleave.recorded.names import LOST, Unwritable, WrittenNames, find_lasting
from interleave.recorded.reading import Recorded, Unreadable
from interleave.recorded.writing import Lines, followed, written
from interleave.world.snapshot import Snapshot, path_of


def lines_of(machine: Machine, known: Discoveries) -> list[str] | None:
    """What a machine has learnt, whose program was made with what is `known`.

    None where it cannot be written down.
    """
    try:
        record = written(machine)
        findings = [case.findings for case in machine.cases.learnt]
        depends_on = fingerprint(machine.program, followed(machine.program.world, findings))
        facts = json.dumps(_facts(known, machine.program.model, WrittenNames(machine)))
    except Unwritable:
        return None
    return [depends_on, facts, *record.all()]


def machine_of(
    lines: list[str], model: type[Model], make: Callable[[Discoveries], Program]
) -> tuple[Machine, Discoveries] | None:
    """A machine that knows what is in some lines, and what its program was made with.

    None where that is of another program, or of none.
    """
    try:
        depends_on, facts, *rest = lines
        known = _discoveries(json.loads(facts), model, make)
        machine = Machine(make(known))
        recorded = Recorded(machine, Lines.of(rest))
        if fingerprint(machine.program, recorded.followed()) != depends_on:
            return None
    except (InterleaveError, Restart, Unreadable, Unwritable, ValueError, TypeError, *LOST):
        return None
    machine.cases.earlier = recorded
    return machine, known


def _facts(known: Discoveries, model: type[Model], names: WrittenNames) -> Any:
    """What was found out of a program, as plain data. Raises `Unwritable`."""
    paths = _by_path(model) if known.roots else {}
    roots = [(name, _path_of(value, paths)) for name, value in known.roots.items()]
    spawned = []
    for key, count in known.spawned.items():
        who, what = names.lasting(key.function), names.lasting(key.kind)
        spawned.append(([key.maker, who, key.daemon, what, key.process, key.name], count))
    rooms = [([*vars(each).values()], count) for each, count in known.rooms.items()]
    code = sorted(known.method_names), sorted(known.attributes)
    return sorted(known.written), roots, spawned, rooms, code, sorted(known.swallowing)


def _by_path(model: type[Model]) -> dict[str, Any]:
    """What the code of a model can name, by how it can come to it."""
    found: dict[str, Any] = {}
    for record in Snapshot([model]).records:
        found.setdefault(path_of(record), record.it)
    return found


def _path_of(value: object, paths: dict[str, Any]) -> str:
    """How code can come to an object. Raises `Unwritable`."""
    for path, it in paths.items():
        if it is value and "..." not in path:
            return path
    raise Unwritable("code comes by what nothing has a name for")


def _discoveries(
    facts: Any, model: type[Model], make: Callable[[Discoveries], Program]
) -> Discoveries:
    """What `_facts` was given. Raises one of `LOST`, and what `make` raises."""
    known = Discoveries()
    written_, roots, spawned, rooms, (methods, attributes), swallowing = facts
    paths = _by_path(model) if roots else {}
    known.roots = {name: paths[path] for name, path in roots}
    known.written = frozenset(written_)
    known.method_names, known.attributes = frozenset(methods), frozenset(attributes)
    known.swallowing = frozenset([(file, line, column) for file, line, column in swallowing])
    find = find_lasting
    if any(key[1][0] == "inside" for key, _ in spawned):
        # It is there once the function around it is compiled.
        find = WrittenNames(Machine(make(known))).find
    for (maker, function, daemon, kind, process, name), count in spawned:
        key = SpawnKey(maker, find(function), daemon, find(kind), ThreadName(process), name)
        known.spawned[key] = count
    for owner, count in rooms:
        known.rooms[RoomOwner(*owner)] = count
    return known
