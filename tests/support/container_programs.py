"""Programs of classes that derive from Python's containers: random ones, whose events real Python
and interleave are to agree on.

Some methods are overridden, each of which notes that it was called and hands over to `super()`, or
to the method of the container itself. Half of the objects are shared, the others the thread's own.
"""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

TEXT = """
from collections import Counter, OrderedDict, defaultdict, deque
from interleave import Model, thread

class Own({base}):
    def __init__(self, *args, **kwargs):
        self.calls = 0
        super().__init__(*args, **kwargs)
{methods}

class Further(Own):
    pass

class M(Model):
    n = 0
    events = ()

    def setup(self):
        self.shared = {kind}({start})

    @thread
    def run(self):
        log = []
        x = {made}
        self.n += 1
{run}
        log += [repr(x), x.calls, isinstance(x, {base}), type(x).__name__]
        self.events = tuple(log)
"""

OVERRIDDEN = """
def {name}(self, *args):
    self.calls += 1
    return {through}.{name}({me}*args)
"""

_OF_LISTS = [
    "x.append(3)", "x.extend([4, 1])", "log.append(x.pop())", "x[0] = 7", "log.append(x[0])",
    "log.append(x[-1])", "log.append(len(x))", "log.append(2 in x)", "log.append(list(x))",
    "x += [5]", "for each in x:\n    log.append(each)", "log.append(x == [1, 2])",
    "x.remove(1)", "log.append(x.index(2))", "log.append(sorted(x))", "x.reverse()", "x.clear()",
    "log.append(sum(x))", "log.append(bool(x))", "log.append([each for each in reversed(x)])",
    "x.insert(1, 9)", "del x[0]", "log.append(x.count(1))", "first, *rest = x\nlog.append(rest)",
]  # fmt: skip
_OF_DICTS = [
    "x['a'] = 3", "log.append(x['a'])", "log.append(x.get('b'))", "log.append(x.get('z', 4))",
    "log.append(len(x))", "log.append('a' in x)", "log.append(list(x))", "x.update(a=5, c=6)",
    "for each in x:\n    log.append(each)", "log.append(x == {'a': 1})", "del x['a']",
    "log.append(x.pop('a'))", "log.append(x.pop('z', 1))", "log.append(list(x.items()))",
    "log.append(sorted(x.values()))", "log.append(dict(x))", "log.append({'z': 0, **x})",
    "log.append((lambda **given: given)(**x))", "x.clear()",
    "log.append(x.setdefault('d', 9))", "log.append(bool(x))", "x['n'] = x.get('n', 0) + 1",
    "log.append(x.popitem())",
]  # fmt: skip
_OF_SETS = [
    "x.add(3)", "x.discard(1)", "x.remove(2)", "log.append(1 in x)", "log.append(len(x))",
    "x.update([4, 5])", "log.append(sorted(x))", "log.append(x == {1, 2})", "x |= {6}",
    "log.append(x.issubset({1, 2, 3}))", "x.clear()", "log.append(bool(x))", "x -= {1}",
    "log.append({0} | {*x})", "log.append(x.isdisjoint([7]))", "log.append(x <= {1, 2})",
]  # fmt: skip

KINDS: dict[str, tuple[str, list[str], list[str]]] = {
    "list": ("[1, 2]", _OF_LISTS, ["append", "pop", "__getitem__", "__setitem__"]),
    "deque": (
        "[1, 2]", [*_OF_LISTS, "x.appendleft(8)", "log.append(x.popleft())", "x.rotate(1)"],
        ["append", "pop", "__getitem__", "__contains__"],
    ),
    "dict": (
        "a=1, b=2", _OF_DICTS,
        ["__getitem__", "__setitem__", "__delitem__", "get", "__contains__", "update"],
    ),
    "OrderedDict": (
        "a=1, b=2", [*_OF_DICTS, "x.move_to_end('a')", "log.append(x.popitem(last=False))"],
        ["__getitem__", "__setitem__", "move_to_end", "__contains__"],
    ),
    "defaultdict": (
        "int, a=1, b=2", [*_OF_DICTS, "x['q'] += 1", "log.append(x['y'])"],
        ["__getitem__", "__setitem__", "__missing__"],
    ),
    "Counter": (
        "a=1, b=2", [*_OF_DICTS, "x['q'] += 1", "log.append(x['y'])", "log.append(x.total())"],
        ["__getitem__", "__setitem__"],
    ),
    "set": ("[1, 2]", _OF_SETS, ["add", "discard", "__contains__", "update"]),
}  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program, as the text of a model file."""
    base = draw(st.sampled_from(sorted(KINDS)))
    start, statements, names = KINDS[base]
    methods = ""
    for name in draw(st.lists(st.sampled_from(names), max_size=3, unique=True)):
        by_super = draw(st.booleans())
        through, me = ("super()", "") if by_super else (base, "self, ")
        methods += OVERRIDDEN.format(name=name, through=through, me=me)
    if base == "dict" and draw(st.booleans()):
        methods += (
            "\ndef __missing__(self, key):\n    self[key] = found = len(key)\n    return found\n"
        )
    kind = draw(st.sampled_from(["Own", "Further"]))
    made = draw(st.sampled_from(["self.shared", f"{kind}({start})", f"{kind}()"]))
    run = []
    for statement in draw(st.lists(st.sampled_from(statements), min_size=1, max_size=7)):
        lines = ["try:", textwrap.indent(statement, "    ")]
        lines += ["except Exception as error:", "    log.append(type(error).__name__)"]
        run += [*lines, "self.n += 1"]
    return TEXT.format(
        base=base,
        kind=kind,
        start=start,
        made=made,
        methods=textwrap.indent(methods, "    "),
        run=textwrap.indent("\n".join(run), "        "),
    )
