"""Programs of attributes: random classes, whose events real Python and interleave are to agree on.

Whatever gets, sets or deletes an attribute shares a list that it has made, and goes on with it.
"""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

TEXT = """
from interleave import Model, thread

class Here:
    n = 0
    kept = None
    events = ()

    def note(self, *what):
        made = [*what]
        self.kept = made
        self.n += 1
        made.append(self.n)
        self.events += (tuple(made),)

here = Here()

class Both:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        here.note("Both get", self.name, owner.__name__)
        return 1

    def __set__(self, instance, value):
        here.note("Both set", self.name, value)

class Gets:
    def __get__(self, instance, owner):
        here.note("Gets get", owner.__name__)
        return 2

class Keeps(Gets):
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        instance.__dict__[self.name] = super().__get__(instance, owner) + 1
        return instance.__dict__[self.name]

class Deletes(Both):
    def __delete__(self, instance):
        here.note("Deletes delete", self.name)

class A:
    pass
{a}

class B(A):
    pass
{b}

class M(Model):
    events = ()

    def setup(self):
        self.shared = B()

    @thread
    def run(self):
        a, b, shared = A(), B(), self.shared
{run}
        self.events = here.events
"""

GETTER = """
@property
def {name}(self):
    here.note("{kind} get {name}")
    {gets}
"""
SETTER = """
@{name}.setter
def {name}(self, value):
    here.note("{kind} set {name}", value)
"""
DELETER = """
@{name}.deleter
def {name}(self):
    here.note("{kind} delete {name}")
"""
GETS = ["return 3", "raise AttributeError('lost')", "return super().{name}"]
MEMBERS = [
    "{name} = 4",
    *["{name} = " + kind for kind in ("Both()", "Gets()", "Keeps()", "Deletes()")],
    *[GETTER.replace("{gets}", gets) for gets in GETS],
    *[GETTER.replace("{gets}", gets) + SETTER + DELETER for gets in GETS],
]
"""What a class may have by a name."""

HOOKS = [
    """
def __getattr__(self, name):
    here.note("{kind} getattr", name)
    if name == "y":
        raise AttributeError(name)
    return 5
""",
    """
def __getattribute__(self, name):
    if name in ("x", "y"):
        here.note("{kind} getattribute", name)
    return super().__getattribute__(name)
""",
    """
def __setattr__(self, name, value):
    here.note("{kind} setattr", name, value)
    super().__setattr__(name, value)
""",
    """
def __delattr__(self, name):
    here.note("{kind} delattr", name)
    object.__delattr__(self, name)
""",
]

ACTIONS = [
    *["got = {0}.{1}"] * 4,
    "got = getattr({0}, '{1}')",
    "got = getattr({0}, '{1}', 'none')",
    "got = hasattr({0}, '{1}')",
    "got = ({0}.{1}, {0}.{1})",
    "got = str({0}.{1}) + '.'",
    "got = {0}.{1}.__class__.__name__",
    "got = {0}.{1}.bit_length()",
    "got = [{0}.{1} for _ in range(2)]",
    "got = {0}.{1} and {0}.{1} < 3",
    *["got = {0}.{1} = 6"] * 3,
    "got = setattr({0}, '{1}', 7)",
    "got = {0}.{1}, {0}.y = 8, 9",
    "{0}.{1} += 1; got = 'added'",
    *["del {0}.{1}; got = 'deleted'"] * 2,
    "got = delattr({0}, '{1}')",
]


def _class(kind: str) -> st.SearchStrategy[str]:
    names = st.sampled_from(["x", "y", "z"])
    members = st.dictionaries(names, st.sampled_from(MEMBERS), min_size=1)
    hooks = st.lists(st.sampled_from(HOOKS), max_size=2, unique=True)

    def text(chosen: tuple[dict[str, str], list[str]]) -> str:
        named = [
            text.replace("{name}", name).replace("{kind}", kind) for name, text in chosen[0].items()
        ]
        of_all = [text.replace("{kind}", kind) for text in chosen[1]]
        return textwrap.indent("\n".join([*named, *of_all]), "    ")

    return st.tuples(members, hooks).map(text)


def _action(of: tuple[str, str, str]) -> str:
    return f"""try:
    {of[0].format(*of[1:])}
    here.events += (got,)
except Exception as error:
    here.events += ((type(error).__name__, str(error)),)"""


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a model with one thread, `run`, whose `events` tell of all that it met."""
    objects, names = st.sampled_from(["a", "b", "shared"]), st.sampled_from(["x", "y", "z"])
    action = st.tuples(st.sampled_from(ACTIONS), objects, names).map(_action)
    done = draw(st.lists(action, min_size=4, max_size=9))
    return TEXT.format(
        a=draw(_class("A")),
        b=draw(_class("B")),
        run=textwrap.indent("\n".join(done), " " * 8),
    )
