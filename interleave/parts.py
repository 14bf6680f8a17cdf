"""A step in which several accesses change something, statement by statement.

Nobody else runs in between: an `atomic()` block is such a step, or what a task does between two
awaits. A part ends with each access that changes something; what is only looked at in between, on
other lines, is a part of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from interleave.facts import Facts, Stretch, changes_in, facts_of
from interleave.machine import Machine, State, Step
from interleave.machine.moments import Whereabouts, moments
from interleave.machine.step import AccessRecord
from interleave.view import View


def step_facts(machine: Machine, state: State, step: Step) -> Facts:
    """What a step taken from a state accesses, its line, what it changes, and what came of it."""
    return facts_of(machine, _whole(machine, state, step), step.raised)


def part_facts(machine: Machine, state: State, step: Step) -> list[Facts]:
    """The same of each part of a step, if more than one access of it changes something; else []."""
    if sum(bool(access.writes) for access in step.accesses) < 2:
        return []
    pieces = _pieces(machine, state, step)
    if sum(piece.changes for piece in pieces) < 2:
        return []
    *most, last = _parts(pieces)
    facts = [facts_of(machine, part) for part in most]
    return [*facts, facts_of(machine, last, step.raised)]


def _whole(machine: Machine, state: State, step: Step) -> Stretch:
    """All of a step."""
    before = View(machine, state)
    after = View(machine, machine.after(state, step), before)
    where = [moment.where for moment in moments(machine, state, step)]
    return Stretch(step.accesses, where, step.place, before, after, step.writes)


class _Piece(NamedTuple):
    """One access of a step: what is written in it, and whether a report tells of a change."""

    access: AccessRecord
    where: Whereabouts
    before: View
    after: View
    writes: dict[int, int]
    changes: bool = False

    @property
    def is_seen(self) -> bool:
        """Whether a report tells of it."""
        return self.changes or bool(self.access.kind.name)


def _pieces(machine: Machine, state: State, step: Step) -> list[_Piece]:
    """The accesses of a step, one by one; what is written at its end goes with the last one."""
    after = machine.after(state, step)
    pieces: list[_Piece] = []
    view, known = View(machine, state), dict[int, int]()
    for access, (written, where) in zip(step.accesses, moments(machine, state, step), strict=True):
        writes = {touch.location.index: touch.value for touch in access.writes}
        writes |= {
            place: value
            for place, value in written.items()
            if value != known.get(place, state[place])
        }
        piece, known = _Piece(access, where, view, view, writes), written
        if writes:
            values = [known.get(place, value) for place, value in enumerate(state)]
            view = View(machine, (*values[: machine.locations], *after[machine.locations :]), view)
            piece = piece._replace(after=view)
            piece = piece._replace(changes=bool(changes_in(machine, _joined([piece]))))
        pieces.append(piece)
    last = pieces[-1]
    end = {place: value for place, value in step.writes if value != known.get(place)}
    pieces[-1] = last._replace(
        writes=last.writes | end, after=View(machine, after, last.before) if end else last.after
    )
    return pieces


def _parts(pieces: list[_Piece]) -> list[Stretch]:
    """The parts that a step has, from its accesses."""
    parts: list[list[_Piece]] = []
    for run in _runs(pieces):
        ends = [at for at, piece in enumerate(run, 1) if piece.changes]
        if not ends and parts and not any(piece.changes for piece in parts[-1]):
            parts[-1] += run  # nothing but looks, on several lines
            continue
        starts = [0, *ends[:-1]]
        parts += [run[start:end] for start, end in zip(starts, [*ends[:-1], len(run)], strict=True)]
    return [_joined(part) for part in parts]


def _runs(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Accesses of one line that follow each other. What nobody sees goes with what comes next."""
    runs: list[list[_Piece]] = []
    unseen: list[_Piece] = []
    line = None
    for piece in pieces:
        unseen.append(piece)
        if piece.is_seen:
            code, block = piece.access.place
            if runs and line == code.source(block):
                runs[-1] += unseen
            else:
                runs.append(unseen)
            line, unseen = code.source(block), []
    runs[-1] += unseen
    return runs


def _joined(pieces: list[_Piece]) -> Stretch:
    seen = next((piece for piece in pieces if piece.is_seen), pieces[0])
    writes: dict[int, int] = {}
    for piece in pieces:
        writes |= piece.writes
    return Stretch(
        [piece.access for piece in pieces],
        [piece.where for piece in pieces],
        seen.access.place,
        pieces[0].before,
        pieces[-1].after,
        [*writes.items()],
    )
