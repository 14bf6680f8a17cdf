"""Where state can live: what defines it, and how code reads and writes it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Definitions = Callable[[str], str]
"""From the source of the first value to what stands at module level."""


@dataclass(frozen=True)
class Home:
    """One place for a value.

    `read` and `place` are the expressions that are evaluated and assigned. An attribute has an
    object that is asked for it (`asked`) and one that has it (`holder`), an item has a `container`
    and a `key`. `{owner}` stands for the class that the code is in.
    """

    name: str
    read: str
    place: str
    definitions: Definitions = lambda first: ""
    declare: str = ""
    """A line at the head of each function that writes it."""
    prepare: str = ""
    """A line before all accesses, which is none itself."""
    asked: str = ""
    holder: str = ""
    container: str = ""
    key: str = ""
    parameter: Definitions = lambda first: ""
    """A parameter of each function that accesses it."""
    class_body: Definitions = lambda first: ""
    """A line in the body of the class that the code is in."""
    local: Definitions = lambda first: ""
    """A line in a function around all of the code."""
    apart: bool = False
    """Whether it is defined in a module of its own."""
    owner: str = ""
    """The class that it is in, where the code is in none."""
    marks_itself: bool = False
    """Whether the accesses are in the definitions, and not where the code reads and writes."""
    made_when_missing: bool = False
    """Whether reading it gives it its first value, which is more than one access."""

    @property
    def is_attribute(self) -> bool:
        return bool(self.holder)

    @property
    def is_list(self) -> bool:
        """Whether it is an item that is found by its position."""
        return self.key == "0"


def attribute(
    name: str, holder: str, definitions: Definitions, asked: str = "", **more: object
) -> Home:
    """The attribute `n` of an object."""
    asked = asked or holder
    return Home(
        name,
        read=f"{asked}.n",
        place=f"{holder}.n",
        definitions=definitions,
        asked=asked,
        holder=holder,
        **more,  # type: ignore[arg-type]
    )


def item(name: str, container: str, key: str, definitions: Definitions, **more: object) -> Home:
    """An item of a container."""
    place = f"{container}[{key}]"
    return Home(
        name,
        read=place,
        place=place,
        definitions=definitions,
        container=container,
        key=key,
        **more,  # type: ignore[arg-type]
    )


def by_descriptor(first: str) -> str:
    return f"""
class Held:
    def __init__(self):
        self.n = {first}

    def __get__(self, instance, owner):
        return self.n  # access

    def __set__(self, instance, value):
        self.n = value  # access

    def __delete__(self, instance):
        del self.n  # access


class Store:
    n = Held()


store = Store()
"""


HOMES = [
    Home(
        "global",
        read="n",
        place="n",
        definitions=lambda first: f"n = {first}",
        declare="global n",
        asked="sys.modules[__name__]",
        holder="sys.modules[__name__]",
    ),
    attribute("module", "stock", lambda first: f"n = {first}", apart=True),
    attribute("class", "Store", lambda first: f"class Store:\n    n = {first}"),
    attribute(
        "cls",
        "owner",
        lambda first: f"class Store:\n    n = {first}\n\n\nstore = Store()",
        prepare="owner = {owner}",
        class_body=lambda first: f"n = {first}",
        owner="type(store)",
    ),
    attribute(
        "base",
        "Base",
        lambda first: f"class Base:\n    n = {first}\n\n\nclass Store(Base):\n    pass",
        asked="Store",
    ),
    attribute(
        "instance",
        "store",
        lambda first: f"class Store:\n    pass\n\n\nstore = Store()\nstore.n = {first}",
    ),
    attribute(
        "slot",
        "store",
        lambda first: (
            f'class Store:\n    __slots__ = ("n",)\n\n\nstore = Store()\nstore.n = {first}'
        ),
    ),
    Home(
        "cell",
        read="n",
        place="n",
        declare="nonlocal n",
        local=lambda first: f"n = {first}",
    ),
    attribute(
        "function", "counter", lambda first: f"def counter():\n    pass\n\n\ncounter.n = {first}"
    ),
    item("default", "box", "0", lambda first: "", parameter=lambda first: f"box=[{first}]"),
    item(
        "list in a tuple",
        "box",
        "0",
        lambda first: f'pair = ([{first}], "fixed")',
        prepare="box = pair[0]",
    ),
    item(
        "defaultdict",
        "table",
        '"n"',
        lambda first: (
            "table = collections.defaultdict(int)"
            + ("" if first == "0" else f'\ntable["n"] = {first}')
        ),
        made_when_missing=True,
    ),
    item("deque", "line", "0", lambda first: f"line = collections.deque([{first}])"),
    attribute("descriptor", "store", by_descriptor, marks_itself=True),
    attribute(
        "metaclass",
        "Meta",
        lambda first: (
            f"class Meta(type):\n    n = {first}\n\n\nclass Store(metaclass=Meta):\n    pass"
        ),
        asked="Store",
    ),
]
