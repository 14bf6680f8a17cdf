"""Lost updates of small programs, by brute force: an oracle that shares no code with the package.

It interprets the statements of `small_programs` itself, tries every interleaving, and for each write
asks of each read that it derives from whether the write loses what another thread has written since.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from small_programs import Node, Program

ABSENT = "absent"
Sources = frozenset[tuple[int, bool]]
"""Reads of the thread, by number: True where what derives from one does so by way of a condition."""
NONE: Sources = frozenset()

Cause = tuple[str, int, int, int]
"""Location, and the lines of the read, of the lost write, and of the write that lost it."""


class Access(NamedTuple):
    """What a thread is about to do. A write has the value, and what it derives from."""

    kind: str
    place: Any
    line: int
    value: Any = None
    sources: Sources = NONE


class _Raised(Exception):
    def __init__(self, sources: Sources) -> None:
        super().__init__()
        self.sources = sources


class _Returned(Exception):
    def __init__(self, value: Any, sources: Sources) -> None:
        super().__init__()
        self.value = value
        self.sources = sources


def _decided(sources: Sources) -> Sources:
    return frozenset((read, True) for read, _ in sources)


def _may_leave(node: Any) -> bool:
    """Whether there is a way out of a statement, or a block, that passes by what follows it."""
    if isinstance(node, list):
        return any(_may_leave(each) for each in node)
    if node[0] in ("return", "raise"):
        return True
    if node[0] == "except":  # what is raised in it is caught in it
        return False
    return any(_may_leave(part) for part in node[1:] if isinstance(part, list))


Running = Generator[Any, Any, Any]


class _Thread:
    """Runs one thread: gives its accesses, and what it decides on the way, one by one.

    An access is given as such, and is answered with what is there. Everything else is a mark, and
    is not answered.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._reads = 0

    def run(self, body: list[Node]) -> Running:
        try:
            yield from self._block(body, {"t": (0, NONE), "u": (0, NONE)}, NONE, NONE)
        except (_Raised, _Returned):
            pass

    def _block(self, block: list[Node], env: Any, outer: Sources, control: Sources) -> Running:
        """Run a block that stands under conditions; gives those that hold for what follows it.

        `outer` are those under which the function was called.
        """
        for statement in block:
            control = yield from self._statement(statement, env, outer, control)
        return control

    def _statement(self, node: Node, env: Any, outer: Sources, control: Sources) -> Running:
        line = self._program.lines[id(node)]
        under = outer | control

        def evaluate(value: Node) -> Running:
            return self._evaluate(value, env, under, line)

        match node:
            case ("assign", name, value):
                result, sources = yield from evaluate(value)
                env[name] = (result, sources | under)
            case ("write", place, value):
                result, sources = yield from evaluate(value)
                yield Access("write", place, line, result, sources | under)
            case ("add to", place, value):
                result, sources = yield from evaluate(("add", ("read", place), value))
                yield Access("write", place, line, result, sources | under)
            case ("assert", condition):
                holds, sources = yield from evaluate(condition)
                yield ("branch", line, bool(holds))
                if not holds:
                    yield ("raises", line)
                    raise _Raised(_decided(sources) | under)
            case ("raise",):
                yield ("raises", line)
                raise _Raised(under)
            case ("return", value):
                result, sources = yield from evaluate(value)
                raise _Returned(result, sources | under)
            case ("if", condition, yes, no):
                holds, sources = yield from evaluate(condition)
                yield ("branch", line, bool(holds))
                inside = control | _decided(sources)
                inside = yield from self._block(yes if holds else no, env, outer, inside)
                if _may_leave(node):
                    return inside
            case ("while", counter, condition, body):
                return (yield from self._while(node, counter, condition, body, env, outer, control))
            case ("finally", body, last):
                return (yield from self._finally(node, body, last, env, outer, control))
            case ("except", _, body, handler):
                try:
                    yield from self._block(body, env, outer, control)
                except _Raised as raised:
                    inside = control | _decided(raised.sources)
                    yield from self._block(handler, env, outer, inside)
        return control

    def _while(
        self,
        node: Node,
        counter: str,
        condition: Node,
        body: list[Node],
        env: Any,
        outer: Sources,
        control: Sources,
    ) -> Running:
        line = self._program.lines[id(node)]
        env[counter] = (0, outer | control)
        while True:
            number, sources = env[counter]
            yield ("branch", line, number < 2)
            inside = control | _decided(sources)
            if number < 2:
                holds, sources = yield from self._evaluate(condition, env, outer | inside, line)
                yield ("branch", line, bool(holds))
                inside |= _decided(sources)
            if number >= 2 or not holds:
                return inside if _may_leave(body) else control
            env[counter] = (number + 1, env[counter][1] | outer | inside)
            yield from self._block(body, env, outer, inside)

    def _finally(
        self,
        node: Node,
        body: list[Node],
        last: list[Node],
        env: Any,
        outer: Sources,
        control: Sources,
    ) -> Running:
        left: _Raised | _Returned | None = None
        after = control
        try:
            after = yield from self._block(body, env, outer, control)
        except (_Raised, _Returned) as error:
            left = error
        yield ("finally", self._program.lines[id(node)], type(left))
        yield from self._block(last, env, outer, control)  # whichever way one comes to it
        if left is not None:
            raise left
        return after if _may_leave(body) else control

    def _evaluate(self, node: Node, env: Any, under: Sources, line: int) -> Running:
        """The value of an expression, and what it derives from."""
        if node[0] == "call":
            argument, sources = yield from self._evaluate(node[1], env, under, line)
            inner = {"t": (argument, sources), "u": (0, under)}
            try:
                yield from self._block(self._program.helper, inner, under, NONE)
            except _Returned as returned:
                return returned.value, returned.sources
            raise AssertionError("a helper ends with a return")
        given = frozenset[tuple[int, bool]]().union(*[env[name][1] for name in _names(node)])
        return (yield from self._plain(node, env, under, line, given))

    def _plain(self, node: Node, env: Any, under: Sources, line: int, given: Sources) -> Running:
        def part(inner: Node) -> Running:
            return self._plain(inner, env, under, line, given)

        match node:
            case ("const", value):
                return value, given
            case ("local", name):
                return env[name][0], given
            case ("read", place):
                found = yield Access("read", place, line)
                self._reads += 1
                sources = given | {(self._reads - 1, False)}
                if found == ABSENT:
                    yield ("raises", line)
                    raise _Raised(sources | under)
                return found, sources
            case ("in", key):
                found = yield Access("read", ("d", key), line)
                self._reads += 1
                return found != ABSENT, given | {(self._reads - 1, False)}
            case ("not", inner):
                value, sources = yield from part(inner)
                return not value, sources
            case (operator, one, two):
                value, sources = yield from part(one)
                other, more = yield from part(two)
                results = {"add": value + other, "less": value < other, "same": value == other}
                return results[operator], sources | more
        raise AssertionError(node)


def _names(node: Node) -> set[str]:
    if node[0] == "local":
        return {node[1]}
    parts = [part for part in node[1:] if isinstance(part, tuple) and node[0] != "read"]
    return set().union(*[_names(part) for part in parts])


class _Reading(NamedTuple):
    """A read of a thread that has been done, and the line of the write that made it stale, if any."""

    place: Any
    value: Any
    line: int
    changed: int | None


class Oracle:
    """Finds the causes of all lost updates of a program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._runs: dict[tuple[int, tuple[Any, ...]], tuple[list[Any], Access | None]] = {}

    def _run(self, thread: int, answers: tuple[Any, ...]) -> tuple[list[Any], Access | None]:
        """What a thread does, given what its accesses found; and the access it is about to do."""
        key = (thread, answers)
        if key not in self._runs:
            running = _Thread(self._program).run(self._program.threads[thread])
            waiting = list(answers)
            seen: list[Any] = []
            found: Access | None = None
            try:
                given = next(running)
                while True:
                    if not isinstance(given, Access):
                        seen.append(given)
                        given = next(running)
                        continue
                    if not waiting:
                        found = given
                        break
                    answer = waiting.pop(0)
                    seen.append((given.kind, given.place, given.line))
                    if (answer is None) is not (given.kind == "write"):
                        break  # it has gone astray: these are answers to other accesses
                    given = running.send(answer)
            except StopIteration:
                pass
            self._runs[key] = (seen, found)
        return self._runs[key]

    def causes(self) -> set[Cause]:
        """The causes, over all interleavings."""
        found: set[Cause] = set()
        memory = (("x", 0), ("y", 0), (("d", "k"), ABSENT))
        waiting: list[Any] = [(memory, ((), ()), ((), ()))]
        known = set(waiting)
        while waiting:
            state = waiting.pop()
            for thread in range(2):
                following = self._step(state, thread, found)
                if following is not None and following not in known:
                    known.add(following)
                    waiting.append(following)
        return found

    def _step(self, state: Any, thread: int, found: set[Cause]) -> Any:
        memory, answers, readings = state
        _, access = self._run(thread, answers[thread])
        if access is None:
            return None
        there = dict(memory)
        present = there[access.place]
        answer = None
        mine, others = readings[thread], readings[1 - thread]
        if access.kind == "read":
            answer = present
            mine = (*mine, _Reading(access.place, present, access.line, None))
        else:
            found |= self._lost(thread, answers[thread], mine, access, present)
            if _is_blind(mine, access):
                mine = tuple(_overwritten(each, access) for each in mine)
            there[access.place] = access.value
            if access.value != present:
                others = tuple(_changed(each, access) for each in others)
        both = (mine, others) if thread == 0 else (others, mine)
        more = (*answers[thread], answer)
        done = (more, answers[1]) if thread == 0 else (answers[0], more)
        return (tuple(there.items()), done, both)

    def _lost(
        self,
        thread: int,
        answers: tuple[Any, ...],
        readings: tuple[_Reading, ...],
        write: Access,
        present: Any,
    ) -> set[Cause]:
        concerned = [
            (number, by_condition)
            for number, by_condition in write.sources
            if readings[number].place == write.place
        ]
        stale = [each for each in concerned if readings[each[0]].changed is not None]
        blamed = [number for number, by_condition in stale if not by_condition]
        if not blamed and len(stale) == len(concerned) and write.value != present:
            blamed = [
                number
                for number, _ in stale
                if not self._comes_again(thread, answers, number, present)
            ]
        name = write.place[0]
        return {
            (name, readings[each].line, readings[each].changed or 0, write.line) for each in blamed
        }

    def _comes_again(self, thread: int, answers: tuple[Any, ...], read: int, present: Any) -> bool:
        """Whether the thread comes to where it is by the same way if a read finds what is there."""
        seen, access = self._run(thread, answers)
        reads = [
            number
            for number, each in enumerate(each for each in seen if each[0] in ("read", "write"))
            if each[0] == "read"
        ]
        place = reads[read]
        again, other = self._run(thread, (*answers[:place], present, *answers[place + 1 :]))
        assert access is not None
        return seen == again and other is not None and other[:3] == access[:3]


def _changed(reading: _Reading, write: Access) -> _Reading:
    if reading.place != write.place:
        return reading
    return reading._replace(changed=None if reading.value == write.value else write.line)


def _is_blind(readings: tuple[_Reading, ...], write: Access) -> bool:
    """Whether a write takes nothing from what others have written: no value that is up to date."""
    return not any(
        readings[number].place == write.place and readings[number].changed is None
        for number, by_condition in write.sources
        if not by_condition
    )


def _overwritten(reading: _Reading, write: Access) -> _Reading:
    """A reading of a thread that has overwritten what was there: nothing is left to be lost."""
    return reading._replace(changed=None) if reading.place == write.place else reading
