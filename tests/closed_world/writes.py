"""How state is read and then written, in steps between which another thread can come.

Each way gives lines of code that leave in `v` how many came before. Lines that access the home say
so in a comment: `# access` where an instruction does it, `# access by call` where a call does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from closed_world.homes import Home

ACCESS = "  # access"
BY_CALL = "  # access by call"


@dataclass(frozen=True)
class Write:
    """A way to write: its lines for a home, None where the home cannot be written so."""

    name: str
    lines: Callable[[Home], list[str] | None]
    first: str = "0"
    """The source of the value before the first write."""
    definitions: str = ""
    """What stands at module level, beside the code."""


def plain(home: Home) -> list[str]:
    mark = "" if home.marks_itself else ACCESS
    return [f"v = {home.read}{mark}", f"{home.place} = v + 1{mark}"]


def augmented(home: Home) -> list[str]:
    mark = "" if home.marks_itself else ACCESS
    return [f"{home.place} += 1{mark}", f"v = {home.read}{mark}", "v = v - 1"]


def dynamic(home: Home) -> list[str] | None:
    """By a name that is known at run time only; of items, by the methods behind the brackets."""
    mark = "" if home.marks_itself else BY_CALL
    if home.is_attribute:
        return [
            f"asked = {home.asked}",
            f"holder = {home.holder}",
            'name = "n"',
            f"v = getattr(asked, name){mark}",
            f"setattr(holder, name, v + 1){mark}",
        ]
    if home.container:
        return [
            f"v = {home.container}.__getitem__({home.key}){mark}",
            f"{home.container}.__setitem__({home.key}, v + 1){mark}",
        ]
    return None  # a cell has a name in the source only


def namespace(home: Home) -> list[str] | None:
    """Past attribute access: in the dictionary of an object, or by the methods of `object`."""
    spaces = {
        "global": "globals()",
        "module": "vars(stock)",
        "instance": "store.__dict__",
        "function": "vars(counter)",
        "descriptor": "vars(vars(Store)['n'])",
    }
    if home.name in spaces:
        return [
            f"space = {spaces[home.name]}",
            f'v = space["n"]{ACCESS}',
            f'space["n"] = v + 1{ACCESS}',
        ]
    if home.name == "slot":
        return [
            f'v = object.__getattribute__(store, "n"){BY_CALL}',
            f'object.__setattr__(store, "n", v + 1){BY_CALL}',
        ]
    if home.is_attribute:  # of a class, whose dictionary cannot be written
        return [
            f"space = vars({home.holder})",
            f'v = space["n"]{ACCESS}',
            f'type.__setattr__({home.holder}, "n", v + 1){BY_CALL}',
        ]
    return None  # items and cells are in no namespace


def check(home: Home) -> list[str]:
    """An object made by whoever finds that there is none yet."""
    mark = "" if home.marks_itself else ACCESS
    return [
        "v = 1",
        f"if {home.read} is None:{mark}",
        f"    {home.place} = Made(){mark}",
        "    v = 0",
    ]


def append(home: Home) -> list[str]:
    return [f"log = {home.read}", f"v = len(log){BY_CALL}", f"log.append(v){BY_CALL}"]


def mapping(home: Home) -> list[str]:
    return [
        f"counts = {home.read}",
        f'v = counts.get("k", 0){BY_CALL}',
        f'counts["k"] = v + 1{ACCESS}',
    ]


def rebind(home: Home) -> list[str]:
    """Taken away, and put back: who comes in between finds nothing."""
    mark = "" if home.marks_itself else ACCESS
    if home.is_list:
        return [
            f"v = {home.container}.pop(){BY_CALL}",
            f"{home.container}.append(v + 1){BY_CALL}",
        ]
    return [
        f"v = {home.read}{mark}",
        f"del {home.place}{mark}",
        f"{home.place} = v + 1{mark}",
    ]


WRITES = [
    Write("plain", plain),
    Write("augmented", augmented),
    Write("dynamic", dynamic),
    Write("namespace", namespace),
    Write("check", check, first="None", definitions="class Made:\n    pass"),
    Write("append", append, first="[]"),
    Write("mapping", mapping, first="{}"),
    Write("rebind", rebind),
]
