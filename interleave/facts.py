"""What accesses of a step do, as reports tell it: their line, what they change, what they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from interleave.compiler import Code
from interleave.machine import Machine
from interleave.machine.moments import Whereabouts
from interleave.machine.step import AccessRecord
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive, Told
from interleave.memory.values import Shared
from interleave.result import Access, Change, Described, Source
from interleave.showing import show
from interleave.view import NOTHING, View
from interleave.world.policy import is_of_others


class Stretch(NamedTuple):
    """Accesses of a step that follow each other, and the writes that lead from `before` to `after`.

    `place` is where they begin; `where` has, for each access, where the thread is then.
    """

    accesses: Sequence[AccessRecord]
    where: Sequence[Whereabouts]
    place: tuple[Code, int]
    before: View
    after: View
    writes: Sequence[tuple[int, int]]

    def named(self) -> list[tuple[AccessRecord, Whereabouts]]:
        """The accesses but for those without a name: nobody would miss them."""
        both = zip(self.accesses, self.where, strict=True)
        return [(access, where) for access, where in both if access.kind.name]


class Facts(NamedTuple):
    """What a report tells of accesses: see `result.TraceStep`."""

    accesses: tuple[Access, ...]
    source: Source
    changes: tuple[Change, ...]
    outcome: str
    looked: str


def facts_of(machine: Machine, stretch: Stretch, raised: Sequence[str] = ()) -> Facts:
    """What accesses do; `raised` names the exceptions that came up besides."""
    before, after = stretch.before, stretch.after
    named = [access for access, _ in stretch.named()]
    changes = changes_in(machine, stretch)
    looked: list[str] = []
    outcomes: list[str] = []
    for access in named:
        if all(after.is_empty(touch.location) for touch in access.writes):
            outcomes += filter(None, [_outcome(machine, access, before, after)])
        elif not looked:
            looked = [*outcomes]
    outcomes += [f"raised {name}" for name in raised]
    outcomes += filter(None, [_said_by(machine, access, after) for access in stretch.accesses])
    return Facts(
        tuple(Access(each.kind.name, _where(each, before, after)) for each in named),
        _line(stretch),
        changes,
        ", ".join(outcomes),
        ", ".join(looked) if changes else "",
    )


def _said_by(machine: Machine, access: AccessRecord, after: View) -> str:
    """What an access that has no name says of itself where it sets a primitive; else ""."""
    for touch in access.writes if not access.kind.name else ():
        owner = machine.program.heap.owner(touch.location)
        if isinstance(owner, Primitive):
            return type(owner).said_of(after.plain(machine.program.heap.values[touch.value]))
    return ""


def changes_in(machine: Machine, stretch: Stretch) -> tuple[Change, ...]:
    """What accesses change, each with its name afterwards.

    What is made and put into a variable is the variable's new value, and no other change. That what
    nothing refers to any more is gone is none.
    """
    before, after = stretch.before, stretch.after
    changing = machine.program.heap.changing
    found: list[tuple[Location, Change]] = []
    for index, value in stretch.writes:
        location, old = changing[index], before.state[index]
        is_gone = after.is_empty(location) and not before.is_empty(location)
        if location.name and not is_gone and not _is_quiet(machine, location, old, value):
            found += [(location, change) for change in _change(stretch, location)]
    told = {change.location for location, change in found if not location.is_room}
    return tuple(
        change
        for location, change in found
        if not (
            before.is_empty(location)
            and (change.location in told or location.owner in after.inside)
        )
    )


def _change(stretch: Stretch, location: Location) -> list[Change]:
    """The changes of a location: of an instance that a thread has made, those of its attributes."""
    before, after = stretch.before, stretch.after
    named = before if after.is_empty(location) or not after.names.is_there(location) else after
    name = named.names.of_location(location)
    old, new = before.attributes(location), after.attributes(location)
    written = [
        touch.part[0]
        for access in stretch.accesses
        for touch in access.writes
        if touch.location is location and isinstance(touch.part, tuple)
    ]
    if old is not None and new is not None and written:
        return [
            Change(f"{name}.{each}", old.get(each, NOTHING), new.get(each, NOTHING))
            for each in dict.fromkeys(written)
        ]
    was = before.at(location)
    is_made = before.is_empty(location) and not after.is_empty(location)
    return [Change(name, was, after.made(location) if is_made else after.at(location))]


def _is_quiet(machine: Machine, location: Location, before: int, after: int) -> bool:
    """Whether a change is of no interest: it is one of something that reports do not speak of."""
    heap = machine.program.heap
    owner = heap.owner(location)
    if location.is_room:
        kinds = {held.kind.stand_in for held in (heap.values[before], heap.values[after]) if held}
        return all(getattr(kind, "is_internal", False) for kind in kinds)
    return isinstance(owner, Primitive) and not owner.tells(heap.values[before], heap.values[after])


def _where(access: AccessRecord, before: View, after: View) -> str | None:
    """What an access is of, as it was called then; as it is called now, if it was made since."""
    location = access.kind.location
    view = after if location is not None and before.is_empty(location) else before
    return view.names.where(access.kind)


def _line(stretch: Stretch) -> Source:
    """The line where accesses begin, with all the statements that they are in."""
    code, block = stretch.place
    source = code.source(block)
    named = stretch.named()
    if code.is_library:
        # What the library does of itself stands in no line of the model.
        done = dict.fromkeys(
            f"{each.kind.name} {_where(each, stretch.before, stretch.after) or ''}".strip()
            for each, _ in named
        )
        return replace(source, text="; ".join(done) or source.text)
    if not named:
        return source
    if len(named) == 1 and named[0][0].kind.name == "return":
        return end_of(code, source)
    texts = dict.fromkeys(_led_to(access.place, where) for access, where in named)
    if len(named) == 1:
        return replace(source, text=next(iter(texts)))
    if named[0][0].kind.name == "atomic":
        opening = f"{source.text} "
        texts.pop(source.text, None)
    else:
        opening = ""
    # Of a compound statement it is the header, after which the next one would look like its body.
    inner = "; ".join(text.removesuffix(":") for text in texts)
    return replace(source, text=f"{opening}{inner}")


def end_of(code: Code, source: Source) -> Source:
    """Where a function comes to its end: at a `return`, or after its last line."""
    is_said = source.text.startswith("return")
    return source if is_said else replace(source, text=f"end of {code.function.__name__}")


def _led_to(place: tuple[Code, int], where: Whereabouts) -> str:
    """The text of a line; of one in the code of somebody else, after the user's that led there.

    That is the innermost one of the calls that the thread is in.
    """
    code, block = place
    line = code.source(block)
    inside = where.inside
    if is_code_of_others(code):
        for caller, at in reversed(where.calls):
            if not (caller.is_library or is_code_of_others(caller)):
                there = f"{code.function.__module__}:{line.line}: {line.text}"
                call = caller.source(at).text
                is_said = call == caller.function.__name__  # the thread is called by it
                return there if is_said else f"{call} ({there})"
        return line.text
    if inside is not None and not code.is_library:
        return f"{line.text} ({inside.module}:{inside.number}: {inside.text})"
    return line.text


def is_code_of_others(code: Code) -> bool:
    """Whether code came with Python or with a package, and is followed all the same."""
    return not code.is_library and is_of_others(code.function.__module__)


def _is_given(machine: Machine, access: AccessRecord) -> bool:
    """Whether code of the model gets what an operation gave, and not only the library."""
    if access.kind.location is None:
        return access.result is not None
    owner = machine.program.heap.owner(access.kind.location)
    if not isinstance(owner, Primitive):
        return True
    method = getattr(type(owner), access.kind.name.rpartition(".")[2], None)
    unsaid = None if access.result is None else object
    returns = getattr(method, "__annotations__", {}).get("return", unsaid)
    return not owner.is_internal and returns not in (None, "None")


def _outcome(machine: Machine, access: AccessRecord, before: View, after: View) -> str:
    """What an access gave, where what it changed does not say."""
    kind, result = access.kind.name, access.result
    if access.raised is not None or getattr(type(result), "is_internal", False):
        return ""
    if kind == "return":
        return "returns: the program ends"
    if kind in ("enter", "leave"):
        return f"{kind}s {access.kind.where}"
    if kind == "next":
        assert isinstance(result, tuple)  # as memory.cursors has it
        if not result:
            return "at the end"
        kind, result = "read", result[0]
    if kind in ("iter", "len"):
        return f"size {result}"
    told = cast(Told, result).told() if issubclass(type(result), Told) else None
    if told is not None:
        if not told:
            return ""
        (result,) = told
        if isinstance(result, Described):
            return result.text
    if result is None and not access.reads:
        return ""
    verb = {"read": "read", "choose": "chose"}.get(kind, "got")
    if verb == "got" and told is None:
        if access.place[0].is_library or not _is_given(machine, access):
            return ""  # nobody but the library
        # Beside a condition, a truth value alone would be taken for that of the condition.
        verb = f"{kind} gave" if isinstance(result, bool) else verb
    if verb == "got" and issubclass(type(result), Shared) and before.lacks(result):
        return ""  # it is made here, which is a change
    return f"{verb} {show(after.plain(result))}"
