"""Programs of operators: random classes, whose events real Python and interleave are to agree on.

Each class defines some of the methods, each of which notes that it was called, looks at what is
shared, and gives `NotImplemented` or something else.
"""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

TEXT = """
from interleave import Model, thread

class A:
    def __init__(self, model, log):
        self.model = model
        self.log = log
{a}

class B(A):
    pass
{b}

class C:
    def __init__(self, model, log):
        self.model = model
        self.log = log
{c}

class M(Model):
    n = 0
    events = ()

    @thread
    def run(self):
        log = []
        a, b, c = A(self, log), B(self, log), C(self, log)
        plain, number, nothing = [7, 8], 2, None
{run}
        self.events = tuple(log)
"""

METHOD = """
    def __{name}__(self{others}):
        self.log.append(("{kind}", "{name}"))
        self.model.n += 1
        return {result}
"""

BINARY = ["add", "sub", "mul", "and"]
COMPARED = ["eq", "ne", "lt", "gt", "le", "ge"]
SYMBOLS = dict(
    zip(BINARY + COMPARED, ["+", "-", "*", "&", "==", "!=", "<", ">", "<=", ">="], strict=True)
)
RESULTS = {
    **{f"{prefix}{name}": ["NotImplemented", "5", "self"] for name in BINARY for prefix in "r"},
    **{name: ["NotImplemented", "6", "self"] for name in BINARY},
    **{f"i{name}": ["NotImplemented", "4", "self"] for name in BINARY},
    **{name: ["NotImplemented", "True", "False", "0", "self"] for name in COMPARED},
    "neg": ["5", "self"],
    "bool": ["True", "False", "3"],
    "len": ["0", "2", "-1", "'x'"],
    "int": ["3", "None"],
    "str": ["'text'", "4"],
    "abs": ["self", "4"],
    "getitem": ["7", "key"],
    "setitem": ["None"],
    "delitem": ["None"],
    "contains": ["0", "'yes'", "self"],
    "iter": ["iter([1, 2])", "self", "3"],
    "next": ["7 if self.model.n % 3 else next(iter([]))"],
}
"""Methods, and what each may give."""

_ONE = ["neg", "bool", "len", "int", "str", "abs", "iter", "next"]
_KEYED = {"getitem": ", key", "setitem": ", key, value", "delitem": ", key", "contains": ", key"}

OPERANDS = ["a", "b", "c", "number", "plain", "nothing"]
ACTIONS = [
    *[f"{{0}} {SYMBOLS[name]} {{1}}" for name in BINARY + COMPARED],
    *[f"({{0}}, each := {{0}}) and (each {SYMBOLS[name]} {{1}})" for name in ("add", "lt")],
    "{0} in {1}",
    "{0} not in {1}",
    "{0}[{1}]",
    "{0}[1:2]",
    "{0} < {1} < 3",
    "{0} and {1}",
    "{0} or {1}",
    "1 if {0} else 2",
    "not {0}",
    "-{0}",
    "len({0})",
    "bool({0})",
    "int({0})",
    "str({0})[:2]",
    "abs({0})",
    "next(iter({0}))",
    "next({0}, None)",
    "[each for _, each in zip(range(3), {0})]",
    "[each + 1 for each in ({0}, 2)]",
]
STATEMENTS = [
    "{0}[{1}] = 5",
    "{0}[{1}] += 5",
    "del {0}[{1}]",
    "{0} += {1}",
    "{0} -= {1}",
    "for each in {0}:\n        log.append(repr(each)[:3])\n        if len(log) > 90: break",
    "if {0}:\n        log.append('true')",
    "while {0} and len(log) < 20:\n        log.append('round')",
    "assert {0}",
]


def _methods(kind: str) -> st.SearchStrategy[str]:
    def text(chosen: dict[str, str]) -> str:
        return "".join(
            METHOD.format(
                kind=kind,
                name=name,
                result=result,
                others="" if name in _ONE else _KEYED.get(name, ", other"),
            )
            for name, result in sorted(chosen.items())
        )

    each = st.sampled_from(sorted(RESULTS)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(RESULTS[name]))
    )
    return st.lists(each, min_size=5, max_size=14).map(dict).map(text)


def _action(of: tuple[str, str, str]) -> str:
    expression = of[0].format(*of[1:])
    return _tried(f"log.append(('got', shown({expression})))")


def _statement(of: tuple[str, str, str]) -> str:
    return _tried(of[0].format(*of[1:]))


def _tried(statement: str) -> str:
    return f"""try:
    {statement}
except Exception as error:
    log.append(("met", type(error).__name__, str(error), self.n))"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a model with one thread, `run`, whose `events` tell of all that it met."""
    operand = st.sampled_from(OPERANDS)
    action = st.tuples(st.sampled_from(ACTIONS), operand, operand).map(_action)
    target = st.sampled_from(["a", "b", "c", "plain"])
    statement = st.tuples(st.sampled_from(STATEMENTS), target, operand).map(_statement)
    done = draw(st.lists(st.one_of(action, statement), min_size=4, max_size=10))
    text = TEXT.format(
        a=draw(_methods("A")),
        b=draw(_methods("B")),
        c=draw(_methods("C")),
        run=textwrap.indent("\n".join(done), " " * 8),
    )
    return f"{SHOWN}\n{text}"


SHOWN = """
def shown(value):
    return type(value).__name__ if isinstance(value, (A, C)) else value
"""
