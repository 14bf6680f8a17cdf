"""Following what a thread has read through one step of it: where it is kept, what it decides.

Within a block everything that is assigned derives from all that the block was given and read (its
code is opaque); between blocks, values travel by assignment, and conditions by control dependence.
"""

from __future__ import annotations

import ast
import types
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from functools import partial
from typing import Any

from interleave.compiler import Block, BlockKind, Code
from interleave.compiler.blocks import decided_between, handled, looks_into
from interleave.compiler.generators import NEW, Generator, Resumable, names_kept
from interleave.machine.frames import Frame, live
from interleave.machine.step import Carrier, Flow, Sources
from interleave.memory.closures import Closure
from interleave.memory.values import UNBOUND, Shared, attributes_of, is_plain_object
from interleave.world.refusal import Refused

_NONE: Sources = frozenset()


def _attributes(value: object) -> tuple[str, ...]:
    """The names of the attributes of an object of the thread's own; () for other values."""
    return tuple(_parts_of(value))


def _parts_of(value: object, outside: tuple[object, ...] = ()) -> dict[str, Any]:
    """The attributes of an object of the thread's own, by name; of a generator, what its frame
    keeps: the locals, and what was decided. The same of a generator that is one of them: "name.x".
    """
    if issubclass(type(value), _IMMUTABLE) or not is_plain_object(value):
        return {}
    if isinstance(value, Generator):
        parts: dict[str, Any] = {name: value.names.get(name) for name in value.kept_names}
        if not (value.runs or value.at < 0):
            parts |= dict.fromkeys(map(_DECIDED.format, value.code.blocks[value.at].keeps))
    else:
        parts = attributes_of(value)
    for name, each in [*parts.items()]:
        if isinstance(each, Generator) and each not in outside:
            inside = _parts_of(each, (*outside, value))
            parts |= {f"{name}.{part}": inner for part, inner in inside.items()}
    return parts


def _ways_to(generator: Resumable, variable: str, value: object) -> list[str]:
    """How a variable, which has some value, leads to a generator: "x", or "x.gen"."""
    if value is generator:
        return [variable]
    return [f"{variable}.{name}" for name, each in _parts_of(value).items() if each is generator]


_DECIDED = "#decided {}"
"""The part of a generator that is what a branch of its code was decided by."""

_SIMPLE = (ast.Name, ast.Constant, ast.expr_context)
_IMMUTABLE = (int, float, complex, str, bytes, type(None), tuple, frozenset, range, Shared, Refused)

_UNCHANGING = (*_IMMUTABLE, type, types.FunctionType, types.ModuleType)
_WITHOUT_PARTS = tuple([each for each in _UNCHANGING if each not in (tuple, frozenset)])
_BOUND = (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)
_CONTAINERS = (list, tuple, set, frozenset, deque)


def _inside(it: object) -> Iterable[Any]:
    """The parts of something of the thread's own."""
    if issubclass(type(it), Shared):
        return ()
    if isinstance(it, dict):
        return it.values()
    if isinstance(it, _CONTAINERS):
        return it
    if isinstance(it, Closure):
        return it.captured
    if isinstance(it, _BOUND):
        return (it.__self__,)
    if isinstance(it, BaseException):
        return (*it.args, *vars(it).values(), it.__cause__)
    if isinstance(it, partial):
        return (it.func, *it.args, *it.keywords.values())
    return _parts_of(it).values()


def _with_parts(values: Iterable[Any]) -> dict[int, Any]:
    """Some values, their parts, the parts of these, and so on, by id."""
    found: dict[int, Any] = {}
    waiting = [*values]
    while waiting:
        it = waiting.pop()
        if id(it) not in found:
            found[id(it)] = it
            waiting += _inside(it)
    return found


def _is_in(value: object, it: object) -> bool:
    """Whether an object is something of the thread's own, or a part of it, or a part of a part."""
    return id(value) in _with_parts([it])


def _changeable(values: Iterable[Any]) -> set[int]:
    """The ids of what can change among some values and all their parts."""
    parts = _with_parts(values)
    return {number for number, each in parts.items() if not isinstance(each, _UNCHANGING)}


def _is_empty(value: object) -> bool:
    """Whether a value is an empty dict of the thread's own: to look into others is an access."""
    return type(value) is dict and not value


_NO_DATA = (Shared, type, types.FunctionType, types.ModuleType, Refused)
"""Types of what a call can be of, besides what it is given, and of which nothing is computed."""


class FlowRecorder:
    """Keeps, while a step runs, what each carrier derives from."""

    def __init__(self, frames: list[Frame], log_length: int) -> None:
        self._frames = frames
        self._now: dict[Carrier, Sources] = {}
        self._writes: list[Sources] = []
        self._way: list[Block | int] = []
        self._inputs: Sources = _NONE
        self._read: set[Any] = set()
        for carrier in self._present(log_length):
            self._now[carrier] = frozenset({(carrier, False)})
        self._replayed = log_length
        self._outside: list[Sources] = [_NONE]
        """For each frame, what decided that control came to those outside of it, as far as known:
        it stays the same until one of these is the innermost again."""

    def _present(self, log_length: int) -> list[Carrier]:
        """The carriers that the present local state has."""
        found: list[Carrier] = [("log", place) for place in range(log_length)]
        codes = [frame.code for frame in self._frames]
        for depth, (frame, above) in enumerate(zip(self._frames, [*codes[1:], None], strict=False)):
            if frame.at >= len(frame.code.blocks):
                continue
            block = frame.code.blocks[frame.at]
            for name in live(frame.code, frame.at, above):
                found.append(("local", depth, name))
                inside = _attributes(frame.names.get(name))
                found += [("local", depth, f"{name}.{each}") for each in inside]
            found += [("control", depth, branch) for branch in sorted(block.keeps)]
        return found

    def _condition(self) -> Sources:
        """What decided that control came here."""
        last = len(self._frames) - 1
        outside = self._outside
        while len(outside) <= last:
            outside.append(outside[-1] | self._condition_in(len(outside) - 1))
        return outside[last] | self._condition_in(last)

    def _condition_in(self, depth: int) -> Sources:
        """What decided that control came to where it is in one frame."""
        frame = self._frames[depth]
        if frame.at >= len(frame.code.blocks):
            return _NONE
        return self._decided(depth, frame.code.blocks[frame.at].depends)

    def _decided(self, depth: int, branches: frozenset[int]) -> Sources:
        """What some branches of a function were decided by."""
        if not branches:
            return _NONE
        sources = {self._now.get(("control", depth, branch), _NONE) for branch in branches}
        return frozenset([(source, True) for each in sources for source, _ in each])

    def _of_names(self, names: Iterable[str], into: Mapping[str, set[str]]) -> Sources:
        """What variables derive from; of an object of the thread's own of which code only looks
        `into` some attributes, what these do.
        """
        depth = len(self._frames) - 1
        found: set[Any] = set()
        for name in names:
            found |= self._now.get(("local", depth, name), _NONE)
            attributes = _attributes(self._frames[depth].names.get(name))
            wanted = into.get(name, set())
            is_partial = bool(wanted) and wanted <= {*attributes}
            for each in attributes:
                if not is_partial or each.partition(".")[0] in wanted:
                    found |= self._now.get(("local", depth, f"{name}.{each}"), _NONE)
        return frozenset(found)

    def _may_change(self, name: str, block: Block) -> set[int]:
        """The ids of what a block may change of the thread's own, by way of a variable."""
        value = self._frames[-1].names.get(name)
        if block.passes_on or isinstance(value, _WITHOUT_PARTS):
            return set()
        fields = _parts_of(value)
        wanted = block.looks_into.get(name, set())
        is_look = bool(wanted) and wanted <= fields.keys()
        if not is_look:
            return _changeable([value])
        return _changeable([fields[each] for each in wanted])

    def _given(self) -> Sources:
        return self._inputs | self._read

    def block(self, block: Block) -> None:
        """A block begins, or begins again after a suspension."""
        del self._outside[len(self._frames) :]
        self._way.append(block)
        self._inputs = self._of_names(block.uses, block.looks_into)
        self._read = set()
        for place in range(self._replayed):
            self._read |= self._now.get(("log", place), _NONE)

    def access(self, number: int, place: int) -> None:
        """Access `number` of the step has been performed, as entry `place` of the block's log."""
        self._writes.append(self._given() | self._condition())
        self._way.append(number)
        self._read.add((number, False))
        self._now["log", place] = frozenset({(number, False)})

    def interrupted(self, number: int) -> None:
        """Access `number` of the step is that a signal comes, which nothing has decided."""
        self._writes.append(_NONE)
        self._way.append(number)

    def looked_at(self, depth: int, name: str) -> None:
        """The block has been given a variable of some frame that it does not name."""
        self._inputs |= self._now.get(("local", depth, name), _NONE)

    def forget(self, log_length: int) -> None:
        """A round of a loop within a block is over, and leaves no more than this in its log."""
        places = [each for each in self._now if each[0] == "log" and each[1] >= log_length]
        for carrier in places:
            del self._now[carrier]
        self._replayed = min(self._replayed, log_length)
        self._read = set()
        for place in range(log_length):
            self._read |= self._now.get(("log", place), _NONE)

    def evaluated(self, block: Block) -> None:
        """The expression of a block has been evaluated, which may leave the function, or enter one:
        calls in it have changed what they were given of the thread's own.
        """
        if block.in_calls:
            self._note_changed(block, block.in_calls & block.uses)

    def _note_changed(self, block: Block, names: Iterable[str]) -> None:
        sources = self._given() | self._condition()
        for name in names:
            if changed := self._may_change(name, block):
                self._add_to_all(self._frames[-1].names.get(name), "", sources, changed)

    def done(self, block: Block) -> None:
        """A block has run to its end, and control is about to move on."""
        depth = len(self._frames) - 1
        frame = self._frames[-1]
        condition = self._condition()
        sources = self._given() | condition
        if attribute := self._attribute_set(block):
            name, given = attribute
            owner, _, field = name.partition(".")
            self._add_to_all(frame.names[owner], f".{field}", given)
            self._now["local", depth, name] = given
            self._forget_log()
            return
        self._note_changed(block, block.uses)
        for name in block.may_define:
            self._add(("local", depth, name), sources)
        for name in block.defines | ({block.target} if block.target else frozenset()):
            made = self._copy_of(frame.names.get(name), depth, block.uses - {name})
            for field, each in (made or {"": self._given()}).items():
                self._now["local", depth, f"{name}{field}"] = each | condition
        if block.kind is BlockKind.BRANCH:
            self._now["control", depth, block.number] = sources
        self._forget_log()

    def _attribute_set(self, block: Block) -> tuple[str, Sources] | None:
        """For `x.name = ...`, where x is an object of the thread's own: "x.name", and its sources.

        What that attribute was before is gone, which matters to a loop that tries again.
        """
        if block.sets_attribute is None:
            return None
        owner, name, value = block.sets_attribute
        if name not in _attributes(self._frames[-1].names.get(owner)):  # a property may set others
            return None
        names = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
        into = looks_into(value)
        given = self._of_names(names & block.uses, into) | frozenset(self._read) | self._condition()
        return f"{owner}.{name}", given

    def moved(self) -> None:
        """Objects of the thread's own are shared from now on: their attributes are locations."""
        for carrier in [each for each in self._now if each[0] == "local" and "." in each[2]]:
            _, depth, name = carrier
            owner = name.partition(".")[0]
            if not _attributes(self._frames[depth].names.get(owner)):
                self._add(("local", depth, owner), self._now.pop(carrier))

    def jump(self, block: Block, target: int) -> None:
        """Control of the innermost function goes from a block to `target`.

        Where a loop begins again, its conditions do too: the next round depends on what it reads.
        """
        depth = len(self._frames) - 1
        for branch in decided_between(target, block.number):
            self._now.pop(("control", depth, branch), None)

    def _add(self, carrier: Carrier, sources: Sources) -> None:
        self._now[carrier] = self._now.get(carrier, _NONE) | sources

    def _add_to_all(
        self, value: object, field: str, sources: Sources, changed: Set[int] = frozenset()
    ) -> None:
        """Add sources to all variables that hold one object of the thread's own, or to a field; and
        to those of which it is a part, or something that is `changed`.
        """
        if not sources:
            return
        of = {id(value), *changed}
        for depth, frame in enumerate(self._frames):
            for name, each in frame.names.items():
                if each is value:
                    self._add(("local", depth, f"{name}{field}"), sources)
                elif issubclass(type(each), _WITHOUT_PARTS):
                    continue
                elif not of.isdisjoint(_with_parts([each])):
                    self._add(("local", depth, name), sources)

    def _copy_of(
        self, value: object, depth: int, among: Iterable[str] | None = None
    ) -> dict[str, Sources] | None:
        """What an object of the thread's own derives from, and each of its attributes, as a frame
        has it; None where no variable of that frame holds it, or none of some.
        """
        variables = self._frames[depth].names
        names = variables if among is None else among
        known = next((name for name in names if variables.get(name, UNBOUND) is value), None)
        if known is None or isinstance(value, _IMMUTABLE):
            return None
        fields = ("", *[f".{each}" for each in _attributes(value)])
        return {each: self._now.get(("local", depth, f"{known}{each}"), _NONE) for each in fields}

    def call(self, block: Block, code: Code, bound: Mapping[str, Any], owners: int) -> None:
        """A call of the model's own code begins, with these parameters.

        The first `owners` of them are what the call is of: the object that a method has, what a
        function has captured, what a partial was given.
        """
        names = [*bound][owners:]
        expression = block.body[0]
        assert isinstance(expression, ast.Return)
        if block.kind is BlockKind.AWAIT:
            for name in names:
                self._now["local", len(self._frames), name] = self._given()
            self._forget_log()
            return
        assert isinstance(expression.value, ast.Tuple)
        callee, positional, keywords = expression.value.elts
        assert isinstance(positional, ast.Tuple)
        given = None if self._has_any(keywords) else self._of_each(positional)
        to = len(self._frames)
        for name in names:
            self._now["local", to, name] = self._given() if given is None else _NONE
        if given is not None:
            arguments = code.definition.args
            named = len(arguments.posonlyargs) + len(arguments.args) - owners
            for name, sources in zip(names[: max(named, 0)], given, strict=False):
                self._now["local", to, name] = sources
            if (rest := arguments.vararg) is not None:
                first = len(bound[rest.arg]) - len(given[max(named, 0) :])  # of the owners
                self._now["local", to, rest.arg] = _NONE.union(*given[max(named, 0) :])
                for place, sources in enumerate(given[max(named, 0) :], first):
                    self._now["local", to, f"{rest.arg}.{place}"] = sources
        for name in [*bound][:owners]:
            self._own(name, bound[name], self._of_argument(callee))
        self._forget_log()

    def _has_any(self, keywords: ast.expr) -> bool:
        """Whether a call gives arguments by keyword."""
        if isinstance(keywords, ast.Dict):
            return bool(keywords.keys)
        assert isinstance(keywords, ast.Call)  # see `ExpressionFlattener._starred_keywords`
        names = self._frames[-1].names
        return not all(
            isinstance(part, ast.Call)
            and isinstance(part.args[1], ast.Name)
            and _is_empty(names.get(part.args[1].id))
            for part in keywords.args[1:]
        )

    def _of_each(self, positional: ast.Tuple) -> list[Sources] | None:
        """What each positional argument of a call derives from; None where that cannot be said."""
        found: list[Sources] = []
        for argument in positional.elts:
            if not isinstance(argument, ast.Starred):
                found.append(self._of_argument(argument))
                continue
            name = argument.value.id if isinstance(argument.value, ast.Name) else ""
            value = self._frames[-1].names.get(name)
            if type(value) is not tuple:
                return None
            depth, whole = len(self._frames) - 1, self._of_names([name], {})
            found += [
                self._now.get(("local", depth, f"{name}.{place}"), whole)
                for place in range(len(value))
            ]
        return found

    def _own(self, name: str, value: object, sources: Sources) -> None:
        """A parameter of the function that is about to be called is part of what the call is of."""
        if isinstance(value, _NO_DATA):
            return
        depth = len(self._frames)
        for field, found in (self._copy_of(value, depth - 1) or {"": sources}).items():
            self._now["local", depth, f"{name}{field}"] = found

    def _of_argument(self, argument: ast.expr) -> Sources:
        names = [node.id for node in ast.walk(argument) if isinstance(node, ast.Name)]
        simple = all(isinstance(node, _SIMPLE) for node in ast.walk(argument))
        found = self._of_names(names, looks_into(argument))
        return found | (_NONE if simple else frozenset(self._read))

    def resumed(
        self, generator: Resumable, code: Code, at: int, names: Mapping[str, Any], sent: object
    ) -> None:
        """The frame of a generator, which has waited at a block, is about to be pushed.

        Nothing is sent to it by `next`, nor by `yield from` for a caller who sends nothing.
        """
        to = len(self._frames)
        held = self._of_generator(generator)
        for name in names_kept(code, at):
            for field in ("", *[f".{each}" for each in _attributes(names.get(name))]):
                self._now["local", to, f"{name}{field}"] = held(f"{name}{field}")
        if at != NEW:
            block = code.blocks[at]
            self._now["local", to, block.target] = _NONE if sent is None else self._given()
            for branch in block.keeps:
                self._now["control", to, branch] = held(_DECIDED.format(branch))
        self._forget_log()

    def _of_generator(self, generator: Resumable) -> Callable[[str], Sources]:
        """What gives what a part of a generator derives from: by a variable that leads to it, else
        by all that hold what it is a part of; of one that is shared, it was read where that is.
        """
        if not isinstance(generator, Generator):
            given = self._given()
            return lambda _: given
        whole = set[Any]()
        for depth, frame in enumerate(self._frames):
            for variable, each in frame.names.items():
                for way in _ways_to(generator, variable, each):
                    return partial(self._of_part, depth, way)
                if _is_in(generator, each):
                    for field in ("", *[f".{part}" for part in _attributes(each)]):
                        whole |= self._now.get(("local", depth, f"{variable}{field}"), _NONE)
        return lambda _: frozenset(whole)

    def _of_part(self, depth: int, way: str, part: str) -> Sources:
        ways = {way.partition(".")[0], way, f"{way}.{part}"}
        return _NONE.union(*[self._now.get(("local", depth, each), _NONE) for each in ways])

    def yielded(self, call: Block, generator: Resumable, value: object) -> None:
        """A generator is about to wait at the block where it is, its value going to the target of
        the call that has resumed it.
        """
        depth = len(self._frames) - 1
        frame = self._frames[-1]
        condition = self._condition()
        made = self._copy_of(value, depth) or {"": self._given()}
        parts = {
            _DECIDED.format(branch): self._now.get(("control", depth, branch), _NONE)
            for branch in frame.code.blocks[frame.at].keeps
        }
        for name in names_kept(frame.code, frame.at):
            for field in ("", *[f".{each}" for each in _attributes(frame.names.get(name))]):
                of_field = self._now.get(("local", depth, f"{name}{field}"), _NONE)
                parts[f"{name}{field}"] = of_field
        self._leave(depth)
        everything = _NONE.union(*parts.values())
        is_own = isinstance(generator, Generator)  # the frame of another one is a shared value
        for outside, caller in enumerate(self._frames[:-1] if is_own else ()):
            for variable, each in caller.names.items():
                ways = _ways_to(generator, variable, each)
                for way in ways:
                    self._now["local", outside, way] = _NONE
                    for part, sources in parts.items():
                        self._now["local", outside, f"{way}.{part}"] = sources
                if not ways and _is_in(generator, each):
                    self._add(("local", outside, variable), everything)
        for field, sources in made.items():
            self._now["local", depth - 1, f"{call.target}{field}"] = sources | condition

    def returned(self, call: Block, value: object) -> None:
        """A function is about to be left, its result going to the target of a call."""
        depth = len(self._frames) - 1
        condition = self._condition()
        made = self._copy_of(value, depth) or {"": self._given()}
        decided = self._decided(depth, self._frames[-1].code.returns_on)
        self._leave(depth)
        for field, sources in made.items():
            self._now["local", depth - 1, f"{call.target}{field}"] = sources | condition
        if decided:
            self._now["control", depth - 1, call.number] = decided | self._condition()

    def caught(self, block: Block) -> None:
        """An exception from a block of the innermost function is about to go to its handler."""
        depth = len(self._frames) - 1
        sources = self._given() | self._condition()
        self._now["local", depth, block.handler_name] = sources
        assert block.handler is not None
        self._now["control", depth, handled(block.handler)] = sources
        self._forget_log()

    def thrown(self) -> None:
        """An exception leaves the innermost function, for a reason that it takes along."""
        self._inputs = self._given() | self._condition()
        self._leave(len(self._frames) - 1)

    def _leave(self, depth: int) -> None:
        self._now = {
            carrier: sources
            for carrier, sources in self._now.items()
            if carrier[0] == "log" or carrier[1] < depth
        }
        self._forget_log()

    def _forget_log(self) -> None:
        for carrier in [carrier for carrier in self._now if carrier[0] == "log"]:
            del self._now[carrier]
        self._replayed = 0

    def end(self, log_length: int) -> Flow:
        """What the step did, now that it is over."""
        present = self._present(log_length)
        kept = {carrier: self._now.get(carrier, _NONE) for carrier in present}
        return Flow(
            {carrier: sources for carrier, sources in kept.items() if sources},
            tuple(self._writes),
            tuple(self._way),
        )
