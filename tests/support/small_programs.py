"""Small concurrent programs: a language of a few statements, its texts, and random programs in it.

A statement is a tuple: its name, and its parts. A block is a list of them. A place is the name of a
shared variable, or ("d", key), an item of a shared dict. Expressions:

    ("const", n)   ("local", name)   ("read", place)   ("in", key)   ("add", e, e)
    ("call", helper, e)   ("less", e, e)   ("same", e, e)   ("not", e)

("call") stands alone, and so does what is compared to it: as the whole of a condition or a value.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Node = tuple[Any, ...]

LOCALS = ["t", "u"]
VARIABLES = ["x", "y"]
HELPER = "helper"


class Program:
    """Two threads and a helper with one parameter, `t`; and where their statements stand.

    `lines` gives the line of each statement, by identity.
    """

    def __init__(self, threads: list[list[Node]], helper: list[Node]) -> None:
        self.threads = threads
        self.helper = helper
        self.lines: dict[int, int] = {}
        self._text: list[str] = []
        self._put(0, "from interleave import Model, thread")
        self._put(0, "class Small(Model):")
        self._put(1, "x = 0")
        self._put(1, "y = 0")
        self._put(1, "d = {}")
        self._put(1, f"def {HELPER}(self, t):")
        self._put(2, "u = 0")
        self._block(helper, 2)
        for number, body in enumerate(threads):
            self._put(1, "@thread")
            self._put(1, f"def thread{number}(self):")
            self._put(2, "t = u = 0")
            self._block(body, 2)
        self.text = "\n".join(self._text) + "\n"

    def _put(self, depth: int, text: str) -> None:
        self._text.append("    " * depth + text)

    def _block(self, block: list[Node], depth: int) -> None:
        for statement in block:
            self._statement(statement, depth)
        if not block:
            self._put(depth, "pass")

    def _statement(self, statement: Node, depth: int) -> None:
        self.lines[id(statement)] = len(self._text) + 1
        match statement:
            case ("assign", name, value):
                self._put(depth, f"{name} = {expression(value)}")
            case ("write", place, value):
                self._put(depth, f"{_place(place)} = {expression(value)}")
            case ("add to", place, value):
                self._put(depth, f"{_place(place)} += {expression(value)}")
            case ("if", condition, yes, no):
                self._put(depth, f"if {expression(condition)}:")
                self._block(yes, depth + 1)
                if no:
                    self._put(depth, "else:")
                    self._block(no, depth + 1)
            case ("while", counter, condition, body):
                self._put(depth, f"{counter} = 0")
                self.lines[id(statement)] += 1
                self._put(depth, f"while {counter} < 2 and {expression(condition)}:")
                self._put(depth + 1, f"{counter} = {counter} + 1")
                self._block(body, depth + 1)
            case ("assert", condition):
                self._put(depth, f"assert {expression(condition)}")
            case ("return", value):
                self._put(depth, f"return {expression(value)}")
            case ("raise",):
                self._put(depth, "raise ValueError")
            case ("finally", body, last):
                self._put(depth, "try:")
                self._block(body, depth + 1)
                self._put(depth, "finally:")
                self._block(last, depth + 1)
            case ("except", kind, body, handler):
                self._put(depth, "try:")
                self._block(body, depth + 1)
                self._put(depth, f"except {kind}:".replace(" :", ":"))
                self._block(handler, depth + 1)


def _place(place: Any) -> str:
    return f"self.d[{place[1]!r}]" if isinstance(place, tuple) else f"self.{place}"


def expression(node: Node) -> str:
    """The text of an expression."""
    match node:
        case ("const", value):
            return str(value)
        case ("local", name):
            return str(name)
        case ("read", place):
            return _place(place)
        case ("in", key):
            return f"{key!r} in self.d"
        case ("add", one, two):
            return f"{expression(one)} + {expression(two)}"
        case ("less", one, two):
            return f"{expression(one)} < {expression(two)}"
        case ("same", one, two):
            return f"{expression(one)} == {expression(two)}"
        case ("not", one):
            return f"not ({expression(one)})"
        case ("call", argument):
            return f"self.{HELPER}({expression(argument)})"
    raise AssertionError(node)


# Random programs

_numbers = st.integers(0, 3).map(lambda n: ("const", n))
_locals = st.sampled_from(LOCALS).map(lambda name: ("local", name))
_places = st.sampled_from(["x", "x", "x", "x", "y", ("d", "k")])
_simple = st.one_of(_numbers, _locals)
_reads = _places.map(lambda place: ("read", place))
_values = st.one_of(_simple, _reads, st.tuples(st.just("add"), _reads, _simple))
_calls = st.tuples(st.just("call"), _simple)
_compared = st.tuples(st.sampled_from(["less", "same"]), _reads, _simple)
_plain = st.one_of(
    _compared,
    _compared.map(lambda each: ("not", each)),
    st.tuples(st.sampled_from(["less", "same"]), _locals, _numbers),
    st.just(("in", "k")),
)
_likely = st.tuples(st.just("less"), st.one_of(_reads, _locals), st.just(("const", 5)))


class _Writer:
    """Draws the statements of one function. `calls`: it may call the helper."""

    def __init__(self, draw: st.DrawFn, *, calls: bool) -> None:
        self._draw = draw
        self._values = st.one_of(_values, _calls) if calls else _values
        self._conditions = st.one_of(_plain, _plain, _calls) if calls else _plain

    def block(self, depth: int, *, ways_out: str = "return") -> list[Node]:
        """Some statements, which often end with a write; `ways_out`: how they may leave early."""
        kinds = ["assign", "write", "add to", "assert", "assert"]
        kinds += [*["if", "if", "if", "if", "while", "finally", "except"]] * (depth > 0)
        kinds += [ways_out] * (ways_out != "")
        drawn = self._draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=2))
        found = [self._statement(kind, depth - 1, ways_out) for kind in drawn]
        if self._draw(st.booleans()):
            found.append(("write", self._draw(_places), self._draw(_numbers)))
        return found

    def _statement(self, kind: str, depth: int, ways_out: str) -> Node:
        draw = self._draw
        match kind:
            case "assign":
                return (kind, draw(st.sampled_from(LOCALS)), draw(self._values))
            case "write":
                return (kind, draw(_places), draw(st.one_of(_numbers, self._values)))
            case "add to":
                return (kind, draw(_places), draw(_simple))
            case "if":
                yes = self.block(depth, ways_out=ways_out)
                no = self.block(depth, ways_out=ways_out) if draw(st.booleans()) else []
                return (kind, draw(self._conditions), yes, no)
            case "while":
                counter = f"n{depth}"
                return (
                    kind, counter, draw(self._conditions), self.block(depth, ways_out=ways_out)
                )  # fmt: skip
            case "finally":
                return (kind, self.block(depth, ways_out=ways_out), self.block(depth, ways_out=""))
            case "except":
                body = self.block(depth, ways_out="raise")
                kinds = st.sampled_from(["", "Exception"])
                return (kind, draw(kinds), body, self.block(depth, ways_out=""))
            case "assert":
                return (kind, draw(st.one_of(_likely, _likely, _plain)))
            case "return":
                return (kind, draw(_simple))
        return (kind,)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A program of a thread that looks before it writes, and one that mostly writes."""
    writer = _Writer(draw, calls=True)
    reader = writer.block(2) + writer.block(1)
    writes = st.tuples(st.just("write"), _places, _numbers)
    other = draw(st.lists(writes, min_size=1, max_size=2)) + writer.block(0)
    helper = _Writer(draw, calls=False).block(1)
    return Program([reader, other], [*helper, ("return", draw(_values))])
