"""Following what a thread has read through one step of it: where it is kept, what it decides.

Within a block everything that is assigned derives from all that the block was given and read (its
code is opaque); between blocks, values travel by assignment, and conditions by control dependence.
"""

from __future__ import annotations

import ast
from typing import Any

from interleave.compiler import Block, BlockKind
from interleave.compiler.blocks import decided_between, handled
from interleave.machine.frames import Frame
from interleave.machine.step import Carrier, Flow, Sources
from interleave.memory.values import Shared, attributes_of, is_plain_object
from interleave.world.refusal import Refused

_NONE: Sources = frozenset()


def _attributes(value: object) -> tuple[str, ...]:
    """The names of the attributes of an object of the thread's own; () for other values."""
    if issubclass(type(value), _IMMUTABLE) or not is_plain_object(value):
        return ()
    return tuple(attributes_of(value))


_SIMPLE = (ast.Name, ast.Constant, ast.expr_context)
_IMMUTABLE = (int, float, complex, str, bytes, type(None), tuple, frozenset, range, Shared, Refused)


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

    def _present(self, log_length: int) -> list[Carrier]:
        """The carriers that the present local state has."""
        found: list[Carrier] = [("log", place) for place in range(log_length)]
        last = len(self._frames) - 1
        for depth, frame in enumerate(self._frames):
            if frame.at >= len(frame.code.blocks):
                continue
            block = frame.code.blocks[frame.at]
            names = block.live if depth == last else block.live_in_call
            for name in names:
                found.append(("local", depth, name))
                inside = _attributes(frame.names.get(name))
                found += [("local", depth, f"{name}.{each}") for each in inside]
            found += [("control", depth, branch) for branch in sorted(block.keeps)]
        return found

    def _condition(self) -> Sources:
        """What decided that control came here."""
        found: set[Any] = set()
        for depth, frame in enumerate(self._frames):
            if frame.at < len(frame.code.blocks):
                found |= self._decided(depth, frame.code.blocks[frame.at].depends)
        return frozenset(found)

    def _decided(self, depth: int, branches: frozenset[int]) -> Sources:
        """What some branches of a function were decided by."""
        found: set[Any] = set()
        for branch in branches:
            sources = self._now.get(("control", depth, branch), _NONE)
            found |= {(source, True) for source, _ in sources}
        return frozenset(found)

    def _of_names(self, names: Any) -> Sources:
        depth = len(self._frames) - 1
        found: set[Any] = set()
        for name in names:
            found |= self._now.get(("local", depth, name), _NONE)
            for each in _attributes(self._frames[depth].names.get(name)):
                found |= self._now.get(("local", depth, f"{name}.{each}"), _NONE)
        return frozenset(found)

    def _given(self) -> Sources:
        return self._inputs | self._read

    def block(self, block: Block) -> None:
        """A block begins, or begins again after a suspension."""
        self._way.append(block)
        self._inputs = self._of_names(block.uses)
        self._read = set()
        for place in range(self._replayed):
            self._read |= self._now.get(("log", place), _NONE)

    def access(self, number: int, place: int) -> None:
        """Access `number` of the step has been performed, as entry `place` of the block's log."""
        self._writes.append(self._given() | self._condition())
        self._way.append(number)
        self._read.add((number, False))
        self._now["log", place] = frozenset({(number, False)})

    def forget(self, log_length: int) -> None:
        """A round of a loop within a block is over, and leaves no more than this in its log."""
        places = [each for each in self._now if each[0] == "log" and each[1] >= log_length]
        for carrier in places:
            del self._now[carrier]
        self._replayed = min(self._replayed, log_length)
        self._read = set()
        for place in range(log_length):
            self._read |= self._now.get(("log", place), _NONE)

    def done(self, block: Block) -> None:
        """A block has run to its end, and control is about to move on."""
        depth = len(self._frames) - 1
        frame = self._frames[-1]
        sources = self._given() | self._condition()
        if attribute := self._attribute_set(block):
            name, given = attribute
            self._now["local", depth, name] = given
            self._forget_log()
            return
        for name in block.uses:
            if not isinstance(frame.names.get(name), _IMMUTABLE):
                self._add(("local", depth, name), sources)
        for name in block.may_define:
            self._add(("local", depth, name), sources)
        for name in block.defines | ({block.target} if block.target else frozenset()):
            self._now["local", depth, name] = sources
        if block.kind is BlockKind.BRANCH:
            self._now["control", depth, block.number] = sources
        self._forget_log()

    def _attribute_set(self, block: Block) -> tuple[str, Sources] | None:
        """For `x.name = ...`, where x is an object of the thread's own: "x.name", and its sources.

        What that attribute was before is gone, which matters to a loop that tries again.
        """
        statement = block.body[0] if len(block.body) == 1 else None
        if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1):
            return None
        target = statement.targets[0]
        if not (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)):
            return None
        owner = target.value.id
        if not _attributes(self._frames[-1].names.get(owner)):
            return None
        names = {each.id for each in ast.walk(statement.value) if isinstance(each, ast.Name)}
        given = self._of_names(names & block.uses) | frozenset(self._read) | self._condition()
        return f"{owner}.{target.attr}", given

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

    def call(self, block: Block, names: list[str]) -> None:
        """A call of the model's own code begins; `names` are the parameters it fills."""
        expression = block.body[0]
        assert isinstance(expression, ast.Return)
        if block.kind is BlockKind.AWAIT:
            for name in names:
                self._now["local", len(self._frames), name] = self._given()
            self._forget_log()
            return
        assert isinstance(expression.value, ast.Tuple)
        _, positional, keywords = expression.value.elts
        assert isinstance(positional, ast.Tuple)
        plain = isinstance(keywords, ast.Dict) and not keywords.keys
        one_by_one = plain and not any(
            isinstance(argument, ast.Starred) for argument in positional.elts
        )
        given = [self._of_argument(argument) for argument in positional.elts]
        everything = self._given()
        if one_by_one:
            by_name = dict(zip(names, given, strict=False))
        else:
            by_name = dict.fromkeys(names, everything)
        for name in names:
            self._now["local", len(self._frames), name] = by_name.get(name, _NONE)
        self._forget_log()

    def _of_argument(self, argument: ast.expr) -> Sources:
        names = [node.id for node in ast.walk(argument) if isinstance(node, ast.Name)]
        simple = all(isinstance(node, _SIMPLE) for node in ast.walk(argument))
        return self._of_names(names) | (_NONE if simple else frozenset(self._read))

    def returned(self, call: Block) -> None:
        """A function is about to be left, its result going to the target of a call."""
        depth = len(self._frames) - 1
        sources = self._given() | self._condition()
        decided = self._decided(depth, self._frames[-1].code.returns_on)
        self._leave(depth)
        self._now["local", depth - 1, call.target] = sources
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
