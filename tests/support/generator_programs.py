"""Programs of generators: random ones, whose events real Python and interleave are to agree on.

`NESTED` and `OUTER` are generator functions, `run` resumes what they make. Each event is noted, and
between events the program looks at what is shared, so that each state of a generator is one that a
state of the model holds.
"""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

TEXT = """
import asyncio
from interleave import Model, task, thread

class Manager:
    def __init__(self, model, log):
        self.model = model
        self.log = log

    def __enter__(self):
        self.log.append("enter")
        self.model.n += 1

    def __exit__(self, kind, error, traceback):
        self.model.n += 1
        self.log.append(("exit", repr(error)))
        return isinstance(error, KeyError)

class M(Model):
    n = 0
    events = ()

    def nested(self, log):
{nested}
        yield "last"

    def outer(self, log):
{outer}
        yield "last"

    @thread
    def run(self):
        log = []
        made = [self.outer(log), self.nested(log)]
{run}
        for each in made:
            while True:
                try:
                    each.close()
                    break
                except Exception as error:
                    log.append(repr(error))
        self.events = tuple(log)
"""

SIMPLE = [
    'log.append(("sent", (yield 1)))',
    "yield self.n",
    "self.n += 1",
    'log.append("here")',
    'raise ValueError("raised")',
    'raise KeyError("raised")',
    "return 5",
    "yield from [7, 8]",
]
ASYNC_SIMPLE = [*SIMPLE[:6], "return", "await asyncio.sleep(0)"]
DELEGATION = 'log.append(("result", (yield from self.nested(log))))'
BLOCKS = [
    "try:\n{}\nfinally:\n{}",
    "try:\n{}\nexcept ValueError as error:\n    log.append(repr(error))\n{}",
    "try:\n{}\nexcept GeneratorExit:\n{}\n    raise",
    "for i in range(2):\n    yield i\n{}\nelse:\n{}",
    "with Manager(self, log):\n{}\n    self.n += 1\nif True:\n{}",
    "while self.n % 3:\n    self.n += 1\n{}\nif self.n:\n{}",
]
ACTIONS = [
    "next({})",
    "next({}, None)",
    "{}.send(3)",
    '{}.throw(ValueError("thrown"))',
    "{}.throw(KeyError)",
    "{}.close()",
    "list({})",
    "[each for each in {}]",
    "sum(1 for _ in {})",
]
ASYNC_ACTIONS = [
    "await anext({})",
    "await {}.asend(3)",
    'await {}.athrow(ValueError("thrown"))',
    "await {}.athrow(KeyError)",
    "await {}.aclose()",
    "[each async for each in {}]",
]
GENERATORS = ["made[0]", "made[1]"]


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def _bodies(simple: list[str]) -> st.SearchStrategy[str]:
    def blocks(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        block = st.tuples(st.sampled_from(BLOCKS), inside, inside).map(
            lambda parts: parts[0].format(indented(parts[1]), indented(parts[2]))
        )
        return st.lists(st.one_of(st.sampled_from(simple), block), min_size=1, max_size=3).map(
            "\n".join
        )

    return st.recursive(
        st.lists(st.sampled_from(simple), min_size=1, max_size=2).map("\n".join),
        blocks,
        max_leaves=5,
    )


def _action(of: tuple[str, str]) -> str:
    doing = of[0].format(of[1])
    return f"""try:
    log.append(("got", {doing}))
except BaseException as error:
    log.append(("met", repr(error), repr(error.__cause__), self.n))"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a model with one thread, `run`, whose `events` tell of all that it met."""
    return _text(draw, SIMPLE, [*SIMPLE, DELEGATION], ACTIONS)


@st.composite
def async_programs(draw: st.DrawFn) -> str:
    """The same with one task, and asynchronous generators."""
    text = _text(draw, ASYNC_SIMPLE, ASYNC_SIMPLE, ASYNC_ACTIONS)
    for name in ("nested", "outer", "run"):
        text = text.replace(f"def {name}(", f"async def {name}(")
    return text.replace("@thread", "@task").replace("each.close()", "await each.aclose()")


def _text(draw: st.DrawFn, nested: list[str], outer: list[str], actions: list[str]) -> str:
    action = st.tuples(st.sampled_from(actions), st.sampled_from(GENERATORS)).map(_action)
    parts = {
        "nested": draw(_bodies(nested)),
        "outer": draw(_bodies(outer)),
        "run": "\n".join(draw(st.lists(action, min_size=2, max_size=7))),
    }
    return TEXT.format(**{name: textwrap.indent(part, " " * 8) for name, part in parts.items()})
