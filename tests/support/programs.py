"""Random programs for the differential tests: sources of models that real Python can run as well."""

from __future__ import annotations

import textwrap
from random import Random

HEADER = '''
import threading
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from interleave import Model, array, thread


class Color(Enum):
    RED = 1
    GREEN = 2


class Point(NamedTuple):
    x: int
    y: int


@dataclass(frozen=True)
class Pair:
    first: object
    second: object


@dataclass
class Box:
    value: int = 0
    inside: list = field(default_factory=list)

    def put(self, item, *, twice=False):
        self.inside.append(item)
        if twice:
            return self.put(item)
        self.value += item
        return self.value

    def __enter__(self):
        self.value += 1
        return self

    def __exit__(self, kind, error, traceback):
        self.value -= 1
        return kind is KeyError


class Odd(Exception):
    def __init__(self, number):
        super().__init__("odd", number)
        self.number = number


class Guard:
    """Swallows some exceptions, and raises one of its own at times."""

    def __init__(self, model, swallows, fails=False):
        self.model = model
        self.swallows = swallows
        self.fails = fails

    def __enter__(self):
        self.model.note("enter")
        return self.model.n

    def __exit__(self, kind, error, traceback):
        self.model.note(("exit", kind and kind.__name__, str(error)))
        if self.fails:
            raise Odd(7)
        return kind is not None and issubclass(kind, self.swallows)


def shown(value):
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__.lower()[-3:]}{sorted(map(shown, value))}"
    if isinstance(value, tuple):
        return f"({', '.join(shown(item) for item in value)})"
    return repr(value)


def plus(a, b=1, /, c=0, *rest, k=2, **more):
    return a + b + c + sum(rest) + k + sum(more.values())


def fact(n):
    return 1 if n <= 1 else n * fact(n - 1)


def half(n):
    if n % 2:
        raise Odd(n)
    return n // 2


def tries(n):
    try:
        return half(n)
    except Odd as error:
        return -error.number
    finally:
        n += 1


class Base(Model):
    double = 11


class M(Base):
    n = 1
    m = 0
    out = ()
    items = [3, 1, 2]
    rows = [[1], [2, 3]]
    table = {1: 10, 2: 20}
    bag = {1, 2}
    queue = deque([1, 2], maxlen=4)
    cells = array([0, 1, 2])
    box = Box(5)
    lock = threading.RLock()
    color = Color.RED
    __secret = 4

    def note(self, item):
        self.out += (shown(item),)

    def bump(self, by=1):
        self.n += by
        self.note(("bump", by))
        return self.n

    def __hidden(self, x):
        self.__secret += x
        return self.__secret

    def add(self, x, y=0, *others, scale=1):
        return (x + y + sum(others)) * scale

    def find(self, wanted):
        for place, item in enumerate(self.items):
            if item == wanted:
                return place
        else:
            self.note("none")
        return -1

    def sums(self, n):
        if n <= 0:
            return self.m
        self.m += 1
        return n + self.sums(n - 1)

    def cleans(self, n):
        for i in range(3):
            try:
                if i == n:
                    return self.bump(i)
                if i > n:
                    raise Odd(i)
            except Odd:
                continue
            finally:
                self.m += 1
                if self.m > 6:
                    break
        return -1

    @property
    def double(self):
        return self.n * 2

    @double.setter
    def double(self, value):
        self.n = value // 2

    @staticmethod
    def twice(x):
        return x + x

    @classmethod
    def named(cls, x):
        return (cls.__name__, x)

    @thread
    def run(self):
'''

ERRORS = ["KeyError", "IndexError", "ZeroDivisionError", "Odd", "ValueError", "LookupError"]


class Writer:
    """Writes the body of one method."""

    def __init__(self, random: Random, size: int = 9) -> None:
        self.random = random
        self.lines: list[str] = []
        self.indent = 2
        self.left = size
        self.loops = 0
        self.handlers = 0
        self.finals = 0
        self.names = 0

    # Tools

    def pick(self, *options):
        return self.random.choice(options)

    def one_of(self, *makers):
        return self.random.choice(makers)()

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def put(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def fresh(self) -> str:
        self.names += 1
        return f"v{self.names}"

    def text(self) -> str:
        return "\n".join(self.lines)

    # Expressions

    def number(self, depth: int = 2) -> str:
        n = self.number
        if depth <= 0 or self.chance(25):
            return self.pick("0", "1", "2", "3", "a", "b", "c", "self.n", "self.m", "len(xs)")
        d = depth - 1
        if self.chance(12):
            return self.risky_number(d)
        return self.one_of(
            lambda: f"({n(d)} + {n(d)})",
            lambda: f"({n(d)} - {n(d)})",
            lambda: f"({n(d)} % 4)",
            lambda: f"self.bump({n(d)})",
            lambda: "self.bump()",
            lambda: f"self.add({n(d)}, {n(d)})",
            lambda: f"self.add({n(d)}, *[{n(d)}, {n(d)}], scale={n(d)})",
            lambda: f"self.add(*xs, 1, **{{'scale': {n(d)}}})",
            lambda: f"plus({n(d)}, {n(d)}, k={n(d)}, z={n(d)})",
            lambda: f"plus(*ys, {n(d)}, **{{'c': {n(d)}}}, k={n(d)})",
            lambda: f"self.__hidden({n(d)})",
            lambda: "self.__secret",
            lambda: f"fact({n(d)} % 4)",
            lambda: f"tries({n(d)})",
            lambda: f"self.find({n(d)})",
            lambda: f"self.sums({n(d)} % 3)",
            lambda: f"self.cleans({n(d)} % 4)",
            lambda: f"self.twice({n(d)})",
            lambda: "self.double",
            lambda: f"self.cells[{n(d)} % 3]",
            lambda: f"self.table.get({n(d)}, {n(d)})",
            lambda: f"d.get({n(d)}, {n(d)})",
            lambda: f"({n(d)} if {self.test(d)} else {n(d)})",
            lambda: f"({n(d)} or {n(d)})",
            lambda: f"({n(d)} and {n(d)})",
            lambda: f"({self.pick('a', 'b', 'c')} := {n(d)})",
            lambda: f"len({self.sequence(d)})",
            lambda: f"sum({self.sequence(d)})",
            lambda: f"sum({n(d)} for x in {self.sequence(d)} if {self.test(d)})",
            lambda: f"max({n(d)}, {n(d)})",
            lambda: f"min({self.sequence(d)}, default={n(d)})",
            lambda: f"box.put({n(d)}, twice={self.test(0)})",
            lambda: f"self.box.put({n(d)})",
            lambda: f"{self.pick('box', 'self.box')}.value",
            lambda: f"(lambda x, y=1: x + y)({n(d)})",
            lambda: f"sum(map(lambda x: x + {n(0)}, {self.sequence(d)}))",
            lambda: f"self.items[{n(d)} % len(self.items)]",
            lambda: f"xs[{n(d)} % len(xs)]",
            lambda: f"next(iter({self.sequence(d)}), {n(d)})",
            lambda: f'len(f"{{{n(0)}}}{{self.bump({n(0)}):0>2}}{{a!r:{{b}}}}")',
            lambda: f"Point({n(d)}, {n(d)}).x",
            lambda: f"Pair({n(d)}, {n(d)}).second",
        )

    def risky_number(self, d: int) -> str:
        """A number, or an exception."""
        n = self.number
        return self.one_of(
            lambda: f"({n(d)} // {n(d)})",
            lambda: f"half({n(d)})",
            lambda: f"self.items[{n(d)}]",
            lambda: f"xs[{n(d)}]",
            lambda: f"self.table[{n(d)}]",
            lambda: f"d[{n(d)}]",
            lambda: f"self.rows[{n(d)} % 2][{n(d)}]",
            lambda: f"self.queue[{n(d)}]",
            lambda: "self.queue.popleft()",
            lambda: "self.items.pop()",
            lambda: f"xs.pop({n(d)})",
        )

    def index(self) -> str:
        return self.pick("0", "0", "-1", self.number(1))

    def test(self, depth: int = 2) -> str:
        n, t = self.number, self.test
        if depth <= 0:
            return self.pick("True", "a < b", "xs", "self.n > 1", "self.items", "not c")
        d = depth - 1
        return self.one_of(
            lambda: f"{n(d)} {self.pick('<', '==', '!=', '>=')} {n(d)}",
            lambda: f"{n(d)} < {n(d)} <= {n(d)}",
            lambda: f"{n(d)} <= {n(d)} != {n(d)} > {n(d)}",
            lambda: f"{n(d)} in {self.sequence(d)}",
            lambda: f"{n(d)} not in self.bag",
            lambda: f"({t(d)} and {t(d)})",
            lambda: f"({t(d)} or {t(d)})",
            lambda: f"not {t(d)}",
            lambda: f"any({n(d)} == x for x in {self.sequence(d)})",
            lambda: f"all({t(d)} for x in {self.sequence(d)} if x)",
            lambda: "xs is ys",
            lambda: f"isinstance({self.thing(d)}, {self.pick('int', 'list', '(str, tuple)')})",
            lambda: "self.color is Color.RED",
            lambda: f"({self.pick('a', 'b')} := {n(d)}) > 1",
        )

    def sequence(self, depth: int = 2) -> str:
        n, s = self.number, self.sequence
        if depth <= 0:
            return self.pick("xs", "ys", "self.items", "self.cells", "range(3)", "self.queue", "it")
        d = depth - 1
        return self.one_of(
            lambda: s(0),
            lambda: f"[{n(d)}, {n(d)}]",
            lambda: f"({n(d)}, *{s(d)})",
            lambda: f"[*{s(d)}, {n(d)}]",
            lambda: f"sorted({s(d)})",
            lambda: f"list(reversed({self.pick('xs', 'self.items', 'ys', 'it', '(1, 2)')}))",
            lambda: f"list({s(d)})[{n(d)}:{n(d)}]",
            lambda: "self.items[1:]",
            lambda: f"[{n(d)} for x in {s(d)}]",
            lambda: f"[x + y for x in {s(d)} if {self.test(d)} for y in {s(d)}]",
            lambda: f"[sum([x for x in {s(d)}]) for x in {s(0)}]",
            lambda: f"sorted({{x % 3 for x in {s(d)}}})",
            lambda: f"list({{x: {n(d)} for x in {s(d)}}}.values())",
            lambda: "list(self.table)",
            lambda: "sorted(self.bag)",
            lambda: "list(self.table.values())",
            lambda: f"[i * x for i, x in enumerate({s(d)})]",
            lambda: f"[x + y for x, y in zip({s(d)}, {s(d)})]",
            lambda: f"(xs if {self.test(d)} else ys)",
            lambda: f"list(filter(None, {s(d)}))",
            lambda: "box.inside",
        )

    def thing(self, depth: int = 2) -> str:
        """Any value."""
        n, t = self.number, self.thing
        if depth <= 0:
            return n(0)
        d = depth - 1
        return self.one_of(
            lambda: n(depth),
            lambda: self.test(depth),
            lambda: f"({n(d)}, {t(d)})",
            lambda: f"tuple({self.sequence(d)})",
            lambda: f"Point({n(d)}, {n(d)})",
            lambda: f"Pair({n(d)}, {t(d)})",
            lambda: f"frozenset({self.sequence(d)})",
            lambda: f"f'{{self.bump()}}:{{self.add({n(0)})!r:>4}}{{self.n}}'",
            lambda: f"self.named({n(d)})",
            lambda: "Color.GREEN",
            lambda: f"sorted((d | {{{n(d)}: {n(d)}}}).items())[0]",
            lambda: f"repr({self.pick('xs', 'd', 'self.items', 'self.table', 'q')})",
            lambda: "str(sorted(s))",
        )

    # Statements

    def body(self, most: int = 3, must: str = "") -> None:
        self.indent += 1
        for _ in range(self.random.randint(1, most)):
            self.statement()
        if must:
            self.put(must)
        elif self.chance(15):
            self.leave()
        self.indent -= 1

    def leave(self) -> None:
        """A jump, as the last statement of a body."""
        options = ["return", f"raise {self.error()}", "raise Odd(9) from KeyError(1)"]
        if self.loops:
            options += ["break", "continue", "break", "continue"]
        if self.handlers:
            options += ["raise", "raise"]
        self.put(self.random.choice(options))

    def error(self) -> str:
        name = self.random.choice(ERRORS)
        return f"{name}({self.number(1)})" if self.chance(80) or name == "Odd" else name

    def statement(self) -> None:
        self.left -= 1
        simple = (self.assign, self.augment, self.unpack, self.change, self.note, self.alias)
        if self.left < 0 or self.chance(50):
            self.random.choice(simple)()
            return
        self.random.choice(
            (
                *simple,
                self.if_,
                self.if_,
                self.while_,
                self.for_,
                self.for_,
                self.try_,
                self.try_,
                self.try_,
                self.with_,
                self.with_,
                self.match,
                self.assert_,
                self.delete,
                self.checks,
            )  # fmt: skip
        )()

    def note(self) -> None:
        self.put(f"self.note({self.thing()})")

    def assign(self) -> None:
        n = self.number
        self.put(
            self.one_of(
                lambda: f"{self.pick('a', 'b', 'c')} = {n()}",
                lambda: f"self.{self.pick('n', 'm')} = {n()}",
                lambda: f"self.cells[{n(1)} % 3] = {n()}",
                lambda: f"self.items[{self.index()}] = {n()}",
                lambda: f"xs[{self.index()}] = {n()}",
                lambda: f"d[{n(1)}] = {n()}",
                lambda: f"self.table[{n(1)}] = {n()}",
                lambda: f"a = self.m = xs[{self.index()}] = {n()}",
                lambda: f"ys = xs[{n(0)}:] = [{n()}]",
                lambda: f"self.double = {n()}",
                lambda: f"self.__secret = {n()}",
                lambda: f"box.value = {n()}",
                lambda: f"self.box.value = {n()}",
                lambda: f"xs[{n(1)}:{n(1)}] = {self.sequence(1)}",
                lambda: f"c: int = {n()}",
                lambda: "self.color = Color.GREEN",
            )
        )

    def augment(self) -> None:
        n = self.number
        self.put(
            self.one_of(
                lambda: f"{self.pick('a', 'b', 'c')} {self.pick('+=', '-=')} {n()}",
                lambda: f"self.n += {n()}",
                lambda: f"self.cells[{n(1)} % 3] += {n()}",
                lambda: f"self.items[{self.index()}] += {n()}",
                lambda: f"d[{self.pick(1, 3, n(1))}] -= {n()}",
                lambda: f"self.table[{self.pick(1, 2, n(1))}] += {n()}",
                lambda: f"xs += {self.sequence(1)}",
                lambda: f"self.items += {self.sequence(1)}",
                lambda: f"self.bag |= {{{n(1)}}}",
                lambda: f"it += [{n(1)}]",
                lambda: f"self.box.value += {n()}",
                lambda: f"xs[:{n(1)}] += [{n()}]",
                lambda: f"s {self.pick('|=', '&=', '-=', '^=')} {{{n(1)}, 2}}",
            )
        )

    def unpack(self) -> None:
        n, s = self.number, self.sequence
        self.put(
            self.one_of(
                lambda: f"a, b = {n(1)}, {n(1)}",
                lambda: "a, b = b, a",
                lambda: f"a, self.n = self.n, {n(1)}",
                lambda: f"a, *_ = {s()}",
                lambda: f"a, (b, *xs) = {n(1)}, {s(1)}",
                lambda: f"[a, b] = {s()}",
                lambda: f"self.cells[{n(1)} % 3], b = {n(1)}, {n(1)}",
                lambda: f"a, b = c, a = {n(1)}, {n(1)}",
                lambda: f"xs[0], c = {n(1)}, {n(1)}",
            )
        )

    def alias(self) -> None:
        self.put(
            self.pick(
                "ys = xs",
                "xs = ys",
                "it = self.items",
                "it = xs",
                "ys = list(xs)",
                "q = self.queue",
                "q = deque(xs, 3)",
                "d = dict(self.table)",
                "s = set(self.items)",
                "box = self.box",
                "box = Box(1, xs)",
                "me = self; me.n += 1",
                "put = xs.append; put(a)",
                "put = self.items.append; put(a)",
                "f = self.bump; a = f(2)",
                "f = plus; a = f(b)",
                "it = self.rows[0]",
                "a = super().double + 1",
                "ys = box.inside",
                "xs = [a, [b]][1]",
                "d = {a: b, c: a}",
                "q.append(a); q.rotate(1)",
            )  # fmt: skip
        )

    def change(self) -> None:
        n, s = self.number, self.sequence
        where = self.pick("xs", "self.items", "ys", "it", "box.inside")
        self.put(
            self.one_of(
                lambda: f"{where}.append({n()})",
                lambda: f"{where}.extend({s(1)})",
                lambda: f"{where}.insert({n(1)}, {n(1)})",
                lambda: f"{where}.remove({n(1)})",
                lambda: f"{where}.reverse()",
                lambda: f"{where}.sort(key=lambda x: -x)",
                lambda: f"a = {where}.pop()",
                lambda: f"a = {where}.index({n(1)})",
                lambda: (
                    f"{self.pick('q', 'self.queue')}.{self.pick('append', 'appendleft')}({n()})"
                ),
                lambda: (
                    f"{self.pick('s', 'self.bag')}.{self.pick('add', 'discard', 'remove')}({n()})"
                ),
                lambda: f"{self.pick('d', 'self.table')}.update({{{n(1)}: {n(1)}}})",
                lambda: f"a = {self.pick('d', 'self.table')}.setdefault({n(1)}, {n(1)})",
                lambda: f"a = {self.pick('d', 'self.table')}.pop({n(1)}, {n(1)})",
                lambda: f"a = {self.pick('d', 'self.table')}.pop({n(1)})",
                lambda: f"self.rows[{n(1)}].append({n(1)})",
                lambda: f"{n()}",
            )
        )

    def delete(self) -> None:
        n = self.number
        name = self.fresh()
        if self.chance(40):
            self.put(f"{name} = {n(1)}")
            self.put(f"self.note({name})")
            self.put(f"del {name}")
            self.put(f"self.note({name})" if self.chance(10) else "pass")
        else:
            self.put(
                self.pick(
                    f"del xs[{self.index()}]",
                    f"del self.items[{self.index()}]",
                    f"del d[{n(1)}], xs[0]",
                    f"del self.table[{n(1)}]",
                    "del xs[1:]",
                    "a = 1; del a; a = 2",
                )
            )

    def checks(self) -> None:
        """Calls that fail before they begin."""
        self.put(
            self.pick(
                "self.add()",
                "self.bump(1, 2)",
                "plus(a=1)",
                "self.add(1, y=2, **{'y': 3})",
                "self.sums(m=1)",
                "undefined_name",
                "self.nothing",
                "fact(1)(2)",
                "f'{xs:d}'",
                "a.b = 1",
                "len(5)",
                "{}[xs]",
                "for_each()",
            )  # fmt: skip
            if self.chance(50)
            else "pass"
        )

    def assert_(self) -> None:
        message = f", {self.thing(1)}" if self.chance(50) else ""
        self.put(f"assert {self.test()} or a or b{message}")

    def if_(self) -> None:
        self.put(f"if {self.test()}:")
        self.body()
        if self.chance(40):
            self.put(f"elif {self.test()}:")
            self.body()
        if self.chance(50):
            self.put("else:")
            self.body()

    def while_(self) -> None:
        if self.loops >= 2:
            return self.note()
        counter = self.fresh()
        self.put(f"{counter} = 0")
        first = f"({counter} := {counter} + 1) < {self.pick(3, 4)}"
        self.put(f"while {self.pick(first, f'{first} and {self.test(1)}')}:")
        self.loop_body()
        return None

    def loop_body(self) -> None:
        self.loops += 1
        self.body()
        self.loops -= 1
        if self.chance(40):
            self.put("else:")
            self.body(2)

    def for_(self) -> None:
        if self.loops >= 2:
            return self.note()
        s = self.sequence
        self.put(
            self.one_of(
                lambda: (
                    f"for {self.pick('a', 'b', 'self.m', 'self.cells[0]')} in tuple({s()})[:4]:"
                ),
                lambda: f"for a in {self.pick('list(self.items)[:4]', 'self.cells', 'range(3)')}:",
                lambda: "for ys in self.rows:",
                lambda: f"for b, c in enumerate(tuple({s()})[:3], {self.number(1)}):",
                lambda: f"for a, b in zip(self.cells, list({s()})[:3]):",
                lambda: (
                    f"for a in ({self.number(1)} for x in tuple({s(1)})[:3] if {self.test(1)}):"
                ),
                lambda: "for a, b in list(d.items())[:3]:",
                lambda: "for a in d:" if self.chance(50) else "for _ in s:",
                lambda: "for a, b in d.items():",
                lambda: "for a in self.table:",
                lambda: "for a, b in self.table.items():",
                lambda: "for _ in self.bag:",
                lambda: "for a in self.queue:",
                lambda: "for a in q:",
                lambda: "for a in reversed(self.cells):",
                lambda: f"for a in map(self.bump, tuple({s(1)})[:3]):",
                lambda: (
                    f"for a in iter(iter(tuple({s(1)})[:3]).__next__, 2):"
                    if self.chance(5)
                    else "for a in sorted(s):"
                ),
            )
        )
        self.loop_body()
        return None

    def try_(self) -> None:
        self.put("try:")
        self.body()
        finish = self.chance(50)
        handlers = self.random.randint(0 if finish else 1, 2)
        for number in range(handlers):
            kind = self.random.choice(ERRORS)
            last = number == handlers - 1
            clause = self.one_of(
                lambda kind=kind: f"except {kind}:",
                lambda kind=kind: f"except {kind} as e:",
                lambda: (
                    f"except ({self.random.choice(ERRORS)}, {self.random.choice(ERRORS)}) as e:"
                ),
                lambda last=last: "except:" if last else "except LookupError:",
                lambda: "except Exception as e:",
            )
            self.put(clause)
            self.handlers += 1
            if "as e" in clause and self.chance(60):
                self.indent += 1
                self.put(
                    self.pick(
                        "self.note((type(e).__name__, str(e)))",
                        "self.note(e.args)",
                        "self.note(repr(e.__cause__))",
                        "b = getattr(e, 'number', 0)",
                    )
                )
                self.indent -= 1
            self.body(2)
            self.handlers -= 1
        if handlers and self.chance(30):
            self.put("else:")
            self.body(2)
        if finish:
            self.put("finally:")
            outside = self.handlers
            self.handlers = 0
            self.body(2)
            self.handlers = outside
        if self.chance(15):
            self.put("self.note(a)")

    def with_(self) -> None:
        makers = (
            lambda: f"Guard(self, {self.pick('KeyError', 'Exception', 'Odd', '()')})",
            lambda: f"Guard(self, Odd, fails={self.test(0)}) as a",
            lambda: f"Guard(self, (LookupError, Odd)) as {self.pick('b', 'self.m', 'xs[9]')}",
            lambda: "self.lock",
            lambda: "Box(3) as box",
            lambda: "self.box",
            lambda: "self.n" if self.chance(10) else "box",
        )
        items = [self.random.choice(makers)() for _ in range(self.random.randint(1, 2))]
        self.put(f"with {', '.join(items)}:")
        self.body()

    def match(self) -> None:
        n = self.number
        subject = self.pick(
            "xs", "self.items", "d", "self.table", f"({n(1)}, {n(1)})", n(1), "Point(a, b)",
            "Pair(a, (b, c))", "self.color", "box", "self.box", "a", f"[{n(1)}, xs]", "self.queue",
        )  # fmt: skip
        self.put(f"match {subject}:")
        self.indent += 1
        patterns = [
            "0 | 1", "[x]", "[x, y, *zs]", "(x, y)", "{1: x, **others}", "{2: x}", "Point(x, y=1)",
            "Point(x=x)", "Pair(first=x, second=(y, _))", "int(x)", "Color.RED", "Box(value=x)",
            "Box(value=5, inside=[])", "[x, [y, *zs]]", "str() | None", "x", "[_, _] as x",
            "self.n", "(1 | 2) as x", "Box(x)", "[]", "{}",
        ]  # fmt: skip
        for _ in range(self.random.randint(1, 3)):
            pattern = self.random.choice([p for p in patterns if p != "x"])
            guard = f" if {self.test(1)}" if self.chance(35) else ""
            self.put(f"case {pattern}{guard}:")
            if "x" in pattern.replace("index", ""):
                self.indent += 1
                self.put("self.note(repr(x))")
                self.indent -= 1
            self.body(2)
        if self.chance(50):
            self.put("case _:")
            self.body(2)
        self.indent -= 1


def source(random: Random, size: int = 9) -> str:
    """The source of a model with one thread."""
    writer = Writer(random, size)
    for line in (
        "a, b, c = 1, 2, 3",
        "xs, ys, it = [1, 2], [5], self.items",
        "d, s, q = {1: 2, 3: 4}, {1, 2, 3}, deque([7, 8])",
        "box = Box(2)",
        "e = x = y = 0",
    ):
        writer.put(line)
    while writer.left > 0:
        if random.randrange(10) < 7:
            # Else most programs end soon, with an exception.
            writer.put("try:")
            writer.indent += 1
            writer.statement()
            writer.indent -= 1
            writer.put("except Exception as error:")
            writer.put("    self.note((type(error).__name__, str(error)))")
        else:
            writer.statement()
    writer.put("self.note((a, b, c, tuple(xs), tuple(ys), sorted(d.items()), sorted(s), tuple(q)))")
    writer.put("self.note((box.value, tuple(box.inside), xs is ys, it is self.items))")
    return HEADER.lstrip("\n") + writer.text() + "\n"


def model(body: str, *, shared: str = "x = 0", header: str = "", methods: str = "") -> str:
    """The source of a model whose one thread runs `body`."""
    return (
        "import threading\nimport time\nfrom collections import deque\n"
        "from interleave import *\n"
        f"{textwrap.dedent(header)}\n\nclass M(Model):\n"
        f"{textwrap.indent(textwrap.dedent(shared), '    ')}\n"
        f"{textwrap.indent(textwrap.dedent(methods), '    ')}\n"
        f"    @thread\n    def run(self):\n{textwrap.indent(textwrap.dedent(body), ' ' * 8)}\n"
    )
