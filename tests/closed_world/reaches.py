"""How code is reached from a thread: what it stands in, and the expression that runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reach:
    """One way to a piece of code.

    In `template`, `$body` stands for the code, `$class` for lines in the class it is in, `$only`
    for a parameter, and `$more` for one after others. `entry` is what the thread's expression
    `call` begins with, `give` how the code hands over its value, `owner` the class that it is in.
    """

    name: str
    template: str
    call: str
    entry: str
    give: str = "return {}"
    owner: str = ""
    importing: str = ""
    """How the model imports it, where it stands in a module of its own."""

    def definitions(self, body: str, *, class_body: str, parameter: str) -> str:
        """The code in what it stands in."""
        more = f", {parameter}" if parameter else ""
        text = self.template.strip("\n").replace("$only", parameter).replace("$more", more)
        for mark, lines in (("$class", class_body), ("$body", body)):
            text = re.sub(
                rf"^( *)\{mark}\n",
                lambda found, lines=lines: "".join(  # type: ignore[misc]
                    f"{found[1]}{line}\n" for line in lines.splitlines()
                ),
                text + "\n",
                flags=re.MULTILINE,
            ).rstrip("\n")
        return text


FUNCTION = """
def bump($only):
    $body
"""

REACHES = [
    Reach("function", FUNCTION, "bump()", "bump"),
    Reach("module", FUNCTION, "{helper}.bump()", "bump", importing="import {helper}"),
    Reach("from import", FUNCTION, "bump()", "bump", importing="from {helper} import bump"),
    Reach(
        "classmethod",
        """
class Reached:
    $class

    @classmethod
    def bump(cls$more):
        $body
""",
        "Reached.bump()",
        "Reached",
        owner="cls",
    ),
    Reach(
        "staticmethod",
        """
class Reached:
    @staticmethod
    def bump($only):
        $body
""",
        "Reached.bump()",
        "Reached",
    ),
    Reach(
        "init",
        """
class Reached:
    $class

    def __init__(self$more):
        $body
""",
        "Reached().value",
        "Reached",
        give="self.value = {}",
        owner="type(self)",
    ),
    Reach(
        "new",
        """
class Reached:
    $class

    def __new__(cls$more):
        made = super().__new__(cls)
        $body
        return made
""",
        "Reached().value",
        "Reached",
        give="made.value = {}",
        owner="cls",
    ),
    Reach(
        "property",
        """
class Reached:
    $class

    @property
    def value(self$more):
        $body


reached = Reached()
""",
        "reached.value",
        "reached",
        owner="self.__class__",
    ),
    Reach(
        "operator",
        """
class Reached:
    $class

    def __add__(self, other$more):
        $body


reached = Reached()
""",
        "reached + 1",
        "reached",
        owner="type(self)",
    ),
    Reach(
        "call",
        """
class Reached:
    $class

    def __call__(self$more):
        $body


reached = Reached()
""",
        "reached()",
        "reached",
        owner="type(self)",
    ),
    Reach(
        "lambda",
        FUNCTION + '\n\nhooks = {"bump": lambda: bump()}\n',
        'hooks["bump"]()',
        "hooks",
    ),
    Reach(
        "partial",
        """
def bump(amount$more):
    $body


step = functools.partial(bump, 1)
""",
        "step()",
        "step",
    ),
    Reach(
        "wraps",
        """
def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@logged
def bump($only):
    $body
""",
        "bump()",
        "bump",
    ),
    Reach(
        "bound method",
        """
class Reached:
    $class

    def bump(self$more):
        $body


class Holder:
    def __init__(self):
        self.take = Reached().bump


holder = Holder()
""",
        "holder.take()",
        "holder",
        owner="type(self)",
    ),
    Reach(
        "nested class",
        """
def make_class():
    class Reached:
        $class

        def bump(self$more):
            $body

    return Reached


reached = make_class()()
""",
        "reached.bump()",
        "reached",
        owner="type(self)",
    ),
    Reach(
        "callback",
        """
def bump(item$more):
    $body
""",
        "list(map(bump, [1]))[0]",
        "bump",
    ),
    Reach(
        "metaclass call",
        """
class Calls(type):
    def __call__(cls$more):
        $body


class Reached(metaclass=Calls):
    $class
    pass
""",
        "Reached()",
        "Reached",
        owner="cls",
    ),
    Reach(
        "init_subclass",
        """
class Root:
    $class

    def __init_subclass__(cls$more):
        $body


def bump():
    class Derived(Root):
        pass

    return Derived.value
""",
        "bump()",
        "bump",
        give="cls.value = {}",
        owner="cls.__base__",
    ),
]
