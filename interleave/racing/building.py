"""A model that is made in memory: its setup makes an object, and its threads call it.

Its text is the expression on the first line, and each call on a line of its own: so reports show
what the user has written. What is compiled is made of that: see `compiler.source.DEFINITION`.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import itertools
import linecache
import re
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interleave.checks.base import Check
from interleave.compiler.source import DEFINITION
from interleave.errors import MODEL_FILES, UsageError, did_you_mean
from interleave.model import NOTE, Model, PropertyNote, ThreadNote
from interleave.racing.calls import Call, Calls, Names, attributes_known, read_expression
from interleave.racing.pairs import pairs_of, simple_calls
from interleave.racing.results import call_result
from interleave.records import dataclass
from interleave.runtimes.asyncio import TASK
from interleave.runtimes.free_threaded import THREAD

RESULT = "call_result"
MODULE = "module_of_the_object"
PAUSE = "pause"
"""Names among the globals of the model's functions."""

OBSERVE, OBSERVED = "observe", "observed"
"""Methods of the model: what counts as the outcome, and the property that there is such a thing."""

FIRST_PAUSE = 1_000_000
"""What is added to the line of a call for that of the pause before it."""


@dataclass(frozen=True)
class Origin:
    """What makes the object: an expression.

    `where` is how reports call the file that the model is in. `names` is what its names mean, which
    are attributes of `module`.
    """

    text: str
    where: str
    module: Any
    names: Mapping[str, Any]

    @property
    def node(self) -> ast.expr:
        """Its syntax."""
        return ast.parse(self.text, mode="eval").body


@dataclass(frozen=True)
class RacedCall:
    """A call among those of a race: the line that it stands on, and where its result is kept."""

    line: int
    call: Call
    result: str
    """The attribute of the model."""


@dataclass(frozen=True)
class Caller:
    """A method of the model that is a thread: how many instances of it make which calls."""

    name: str
    count: int
    places: tuple[RacedCall, ...]


@dataclass(frozen=True)
class Race:
    """Calls of one object in parallel, as a model."""

    name: str
    target: str
    """The attribute of the model that is the object."""
    in_loop: bool
    """Whether the threads are tasks."""
    threads: tuple[Caller, ...]


class Making:
    """Makes the models of one object. `sample` is such an object, which nobody else has."""

    def __init__(self, origin: Origin, sample: Any) -> None:
        self._origin = origin
        self._known = attributes_known(sample)
        self._is_open = hasattr(type(sample), "__getattr__")
        self._kind = type(sample)

    def _is_async(self, call: Call) -> bool:
        member = self._known.get(call.method)
        function: Any = (
            member.__func__ if isinstance(member, staticmethod | classmethod) else member
        )
        is_direct = isinstance(call.node.func, ast.Name)
        return is_direct and inspect.iscoroutinefunction(inspect.unwrap(function))

    def _check(self, call: Call) -> None:
        """Raise `UsageError` for a call of what the object does not have."""
        if call.method in self._known or self._is_open:
            member = self._known.get(call.method)
            is_direct = isinstance(call.node.func, ast.Name)
            if is_direct and member is not None and not _is_callable(member):
                raise UsageError(
                    f"{call.method!r} of a {self._kind.__name__} cannot be called: it is of type "
                    f"{type(member).__name__}",
                    remedy=f"call a method: {', '.join(self.methods())}",
                )
            return
        raise UsageError(
            f"a {self._kind.__name__} has no method {call.method!r}",
            remedy=f"{did_you_mean(call.method, self._known)}its methods are "
            f"{', '.join(self.methods())}",
        )

    def methods(self) -> list[str]:
        """The public methods of the object."""
        return [
            name
            for name, member in self._known.items()
            if name[0] != "_" and _is_callable(member) and not isinstance(member, type)
        ]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The texts of two calls, for each two public methods."""
        return pairs_of({name: self._known[name] for name in self.methods()})

    def each(self) -> list[str]:
        """The text of a call of each public method."""
        return simple_calls({name: self._known[name] for name in self.methods()})

    def race(self, all_calls: Sequence[Calls], times: int, name: str) -> Race:
        """Some calls in parallel: so many threads for each of them. Raises `UsageError`."""
        counts: dict[str, int] = {}
        by_name: dict[str, Calls] = {}
        for each in all_calls:
            for call in each.calls:
                self._check(call)
            counts[each.name] = counts.get(each.name, 0) + times
            by_name[each.name] = each
        lines = itertools.count(2)
        threads: list[Caller] = []
        for text, each in by_name.items():
            places = []
            for number, call in enumerate(each.calls, 1):
                of = f" {number}" if len(each.calls) > 1 else ""
                places.append(RacedCall(next(lines), call, f"result{of} of {text}"))
            threads.append(Caller(text, counts[text], tuple(places)))
        in_loop = any(self._is_async(call) for each in all_calls for call in each.calls)
        return Race(name, _variable_for(self._kind), in_loop, tuple(threads))

    def model(
        self, race: Race, checks: tuple[type[Check], ...], observe: str | None, *, paused: bool
    ) -> type[Model]:
        """The model of a race. `observe` is the expression of what counts of a final state, if not
        all does; `paused`: other tasks may run between the calls of one.
        """
        origin, file = self._origin, self._origin.where
        texts = [place.call.text for each in race.threads for place in each.places]
        lines = [f"{line}\n" for line in (origin.text, *texts)]
        linecache.cache[file] = (0, None, lines, file)
        module = types.ModuleType(f"{MODEL_FILES}{file}")
        module.__file__ = file
        vars(module).update({RESULT: call_result, MODULE: origin.module, PAUSE: asyncio.sleep})
        sys.modules[module.__name__] = module
        members: dict[str, Any] = {"__module__": module.__name__, "CHECKS": checks}
        members["setup"] = self._setup(module, race)
        if observe is not None:
            members |= self._observing(module, race, observe)
        for caller in race.threads:
            function = self._thread(module, caller, race, paused=paused)
            note = ThreadNote(caller.count, kind=TASK if race.in_loop else THREAD)
            setattr(function, NOTE, note)
            members[caller.name] = function
        return type(race.name, (Model,), members)

    def _names(self, text: str, target: str, of_object: Any = ()) -> Names:
        return Names(text, of_object, target, self._origin.names, MODULE)

    def _setup(self, module: types.ModuleType, race: Race) -> types.FunctionType:
        origin, target = self._origin, race.target
        definition = _template("def setup(self): pass")
        made = self._names(origin.text, target).meant(origin.node)
        definition.body = [_assigned(target, made)]
        for caller in race.threads:
            one = f"{RESULT}()"
            each = one if caller.count == 1 else f"[{', '.join([one] * caller.count)}]"
            for place in caller.places:
                new = ast.parse(each, mode="eval").body
                definition.body.append(_assigned(place.result, new))
        _put_on_line(definition, 1, origin.text)
        return _compiled(definition, module)

    def _observing(
        self, module: types.ModuleType, race: Race, text: str
    ) -> dict[str, types.FunctionType]:
        """The methods by which a final state is observed."""
        value = self._names(text, race.target, self._known).meant(read_expression(text))
        observe = _template(f"def {OBSERVE}(self): return None")
        observe.body = [ast.Return(value)]
        look = _template(f"def {OBSERVED}(self):\n self.{OBSERVE}()\n return True")
        for each in (observe, look):
            _put_on_line(each, 1, text)
        found = {each.name: _compiled(each, module) for each in (observe, look)}
        setattr(found[OBSERVED], NOTE, PropertyNote("postcondition"))
        return found

    def _thread(
        self, module: types.ModuleType, caller: Caller, race: Race, *, paused: bool
    ) -> types.FunctionType:
        """The method that makes the calls of one text, and keeps what they give."""
        begin = "async def" if race.in_loop else "def"
        index = ", i" if caller.count > 1 else ""
        definition = _template(f"{begin} thread(self{index}): pass")
        definition.name = caller.name
        definition.body = []
        first = caller.places[0]
        for place in caller.places:
            if paused and place is not first:
                pause = _template(f"async def pause(): await {PAUSE}(0)").body[0]
                _put_on_line(pause, FIRST_PAUSE + place.line, "")
                definition.body.append(pause)
            result: ast.expr = _of_self(place.result)
            if index:
                result = ast.Subscript(result, ast.Name("i", ast.Load()), ast.Load())
            meant = {
                "CALL": self._called(place.call, race.target),
                "RESULT": result,
                "OBJECT": _of_self(race.target),
            }
            awaits = "await " if race.in_loop and self._is_async(place.call) else ""
            for each in ast.parse(_RECORDED.format(awaits=awaits)).body:
                filled = _Filled(meant).visit(each)
                _put_on_line(filled, place.line, place.call.text)
                definition.body.append(filled)
        _put_on_line(definition, first.line, first.call.text, inside=False)
        return _compiled(definition, module)

    def _called(self, call: Call, target: str) -> ast.expr:
        node = ast.parse(call.text, mode="eval").body
        assert isinstance(node, ast.Call)
        names = self._names(call.text, target)
        node.args = [names.meant(each) for each in node.args]
        for keyword in node.keywords:
            keyword.value = names.meant(keyword.value)
        function: Any = node.func
        if isinstance(function, ast.Name):
            node.func = ast.Attribute(_of_self(target), function.id, ast.Load())
        else:
            node.func = self._names(call.text, target, [call.method]).meant(function)
        return node


_RECORDED = """
try:
    result = {awaits}CALL
except Exception as error:
    RESULT.raised(error, OBJECT)
    return
except BaseException as error:
    RESULT.raised(error, OBJECT)
    raise
RESULT.returned(result, OBJECT)
"""


class _Filled(ast.NodeTransformer):
    def __init__(self, meant: Mapping[str, ast.expr]) -> None:
        self._meant = meant

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._meant.get(node.id, node)


def _template(text: str) -> Any:
    return ast.parse(text).body[0]


def _of_self(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load())


def _assigned(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Attribute(ast.Name("self", ast.Load()), name, ast.Store())], value)


def _put_on_line(node: ast.AST, line: int, text: str, *, inside: bool = True) -> None:
    """Have a definition, or a statement with all that is in it, stand on a line."""
    for each in ast.walk(node) if inside else [node]:
        if "lineno" in each._attributes:
            placed: Any = each
            placed.lineno = placed.end_lineno = line
            placed.col_offset, placed.end_col_offset = 0, len(text.encode())


def _compiled(definition: Any, module: types.ModuleType) -> types.FunctionType:
    ast.fix_missing_locations(definition)
    whole = ast.Module([definition], [])
    file = module.__file__ or "?"
    exec(compile(whole, file, "exec", dont_inherit=True), vars(module))  # noqa: S102
    function: types.FunctionType = vars(module).pop(definition.name)
    setattr(function, DEFINITION, (definition, None))
    return function


def _is_callable(member: object) -> bool:
    return callable(member) or isinstance(member, staticmethod | classmethod)


def _variable_for(kind: type) -> str:
    """A name for an instance of a class: `simple_cache` for one of `SimpleCache`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__.strip("_")).lower()
    return f"{words}_" if hasattr(Model, words) else words
