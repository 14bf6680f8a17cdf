"""What Python does is what a thread does: one thread against real Python."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from families import drawn
from hypothesis import strategies as st
from programs import model, source
from running import by_interleave, by_python, load, machine_of
from schedules import Found, Writer, brute_force

from interleave import check
from interleave.machine.properties import PropertyPort
from interleave.memory.port import using_port


def agree(file: Path, text: str) -> None:
    expected = by_python(file, text)
    assert by_interleave(file, text) == expected


@pytest.mark.slow
@drawn(20, 120, seed=st.integers(0, 10**9), size=st.sampled_from([6, 10, 16, 24]))
def test_random_programs(tmp_path: Path, seed: int, size: int) -> None:
    agree(tmp_path / "program.py", source(Random(seed), size))


SHARED = """
n = 0
out = ()
items = [1, 2, 3]
table = {1: 10, 2: 20}
bag = {1, 2}
queue = deque([1, 2, 3])
rows = [[1], [2, 3]]
cells = array([0, 1, 2])
__secret = 1
"""

METHODS = """
def note(self, item):
    self.out += (item,)
    return item

def bump(self, by=1):
    self.n += by
    return self.n

def fails(self, *args):
    self.note("fails")
    raise KeyError("no")
"""

HEADER = """
import functools
import itertools
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

class Fault(Exception):
    def __init__(self, code, *, hint):
        super().__init__(f"fault {code}")
        self.hint = hint

class Manager:
    def __init__(self, model, name, swallow=False, fails=""):
        self.model, self.name, self.swallow, self.failing = model, name, swallow, fails
    def __enter__(self):
        self.model.note(f"enter {self.name}")
        if self.failing == "enter":
            raise ValueError(self.name)
        return self
    def __exit__(self, kind, error, trace):
        self.model.note((f"exit {self.name}", kind and kind.__name__, str(error)))
        if self.failing == "exit":
            raise ValueError(self.name)
        return self.swallow

class Half:
    def __enter__(self): return 1

class Count:
    def __init__(self, stop): self.at, self.stop = 0, stop
    def __iter__(self): return self
    def __next__(self):
        if self.at == self.stop: raise StopIteration
        self.at += 1
        return self.at

def reraise(error):
    raise error

def noted(model, what):
    model.note(("decorator", what))
    def decorate(f):
        @functools.wraps(f)
        def inner(*args, **kwargs):
            model.note((what, f.__name__))
            return f(*args, **kwargs)
        return inner
    return decorate

def default(x, y=1, *rest, z=2, **more):
    return (x, y, rest, z, tuple(more.items()))
"""

SNIPPETS = {
    **{
        f"a constant condition comes first: {first}": f"""
        {first}
            self.note("inside")
        else:
            self.note("else")
        self.note("after")
    """
        for first in (
            "if False:",
            "if 0:",
            "if None:",
            "if 1:",
            "if not True:",
            "if False or 0:",
            "if True and False:",
            "while False:",
            "while 0:",
        )
    },
    "a constant condition of an expression comes first": """
        self.note(1 if False else 2)
    """,
    "the name of an exception is unbound after its handler": """
        error = 1
        try:
            self.n // 0
        except ZeroDivisionError as error:
            self.note(str(error))
        self.note(error)
    """,
    "and when the handler is left by continue": """
        for i in range(2):
            try:
                self.n // 0
            except ZeroDivisionError as e:
                continue
        try:
            self.note(e)
        except NameError as wrong:
            self.note(str(wrong))
    """,
    "bare raise in finally": """
        try:
            try:
                self.fails()
            finally:
                self.note(1)
                raise
        except KeyError as e:
            self.note(str(e))
    """,
    "return in finally overrides an exception and a return": """
        def_ = 0
        for i in range(3):
            try:
                if i == 0:
                    continue
                if i == 1:
                    self.fails()
                return
            except KeyError:
                self.note(("caught", i))
            else:
                self.note("else")
            finally:
                self.note(i)
                if i == 2:
                    break
        else:
            self.note("no")
        self.note("end")
    """,
    "an exception in an except clause goes to the outer handler": """
        try:
            try:
                self.fails()
            except KeyError:
                self.table[9]
            finally:
                self.note("inner")
        except LookupError as e:
            self.note(e.args)
    """,
    "an exception in a finally replaces the first": """
        try:
            try:
                self.fails()
            finally:
                self.items[9]
        except Exception as e:
            self.note(type(e).__name__)
    """,
    "except with what is no exception": """
        try:
            self.fails()
        except (KeyError, 5):
            self.note("key")
        try:
            self.fails()
        except (5, KeyError):
            self.note("never")
    """,
    "cause and arguments survive a switch": """
        try:
            try:
                self.fails()
            except KeyError as e:
                raise Fault(3, hint=[1, 2]) from e
        except Fault as f:
            self.note(1)
            self.note((str(f), tuple(f.hint), repr(f.__cause__), f.args))
        try:
            raise OSError(2, "gone", "name")
        except OSError as e:
            self.note(0)
            self.note((e.errno, e.strerror, e.filename, str(e)))
        try:
            raise SystemExit(4)
        except SystemExit as e:
            self.note(0)
            self.note(e.code)
        try:
            raise Fault(1, hint=1) from None
        except Fault as e:
            self.note(0)
            self.note(e.__suppress_context__)
    """,
    "system exit ends a thread": "self.note(1)\nraise SystemExit(3)",
    "managers swallow, fail, and nest": """
        with Manager(self, "a", swallow=True), Manager(self, "b") as b:
            self.note(b.name)
            self.fails()
        try:
            with Manager(self, "c", swallow=True), Manager(self, "d", fails="enter"):
                self.note("never")
            with Manager(self, "e", fails="exit"):
                self.fails()
        except ValueError as e:
            self.note(str(e))
        for i in range(3):
            with Manager(self, i):
                if i == 1:
                    break
                continue
        with Manager(self, "f", swallow=True):
            with Manager(self, "g", fails="exit"):
                return
    """,
    "the target of a with is inside it": """
        with Manager(self, "a", swallow=True) as self.items[7]:
            self.note("never")
        with (Manager(self, "b") as x, Manager(self, x.name + "c") as y):
            self.note(y.name)
    """,
    "with what is no context manager": """
        try:
            with 5:
                pass
        except TypeError as e:
            self.note(str(e))
        with Half():
            pass
    """,
    "arguments are evaluated in order, once": """
        self.note(default(self.bump(), *[self.bump(), self.bump()], z=self.bump(), q=self.bump()))
        self.note({self.bump(): self.bump(), **{5: self.bump()}, self.bump(): 1}[5])
        d = {"y": 1}
        self.note(default(1, **d, z=d.update(y=2)))
        self.note(tuple({**d, "k": d.update(y=3)}.values()))
        x = 1
        self.note((x, (x := self.bump()), x))
        self.note([x, *(y for y in [self.bump()]), self.bump()][1:] == [7, 8])
    """,
    "what a call gets wrong": """
        for call in (0, 1, 2, 3, 4, 5):
            try:
                match call:
                    case 0: default()
                    case 1: self.bump(1, 2)
                    case 2: default(1, x=2)
                    case 3: default(1, **{"z": 1}, **{"z": 2})
                    case 4: default(1, **{3: 1})
                    case 5: self.note(item=1, other=2)
            except TypeError as e:
                self.note(str(e))
    """,
    "del": """
        x = 1
        self.note(x)
        del x
        try:
            self.note(x)
        except UnboundLocalError as e:
            self.note(str(e))
        x = y = 2
        self.note(3)
        del x, y
        del x
    """,
    "del of items": """
        del self.items[0], self.table[1], self.rows[1][0]
        del self.items[self.bump() :]
        xs = [1, 2, 3, 4]
        del xs[:: self.bump()]
        self.note(tuple(xs))
        self.queue.clear()
        del self.queue[0]
    """,
    "augmented assignments": """
        xs = ys = [1]
        xs += self.items
        self.note((ys is xs, tuple(ys)))
        xs += self.queue
        xs[self.bump() :] += [self.bump()]
        self.note(tuple(ys))
        self.items[self.bump() - 3] += self.bump()
        self.items += self.cells
        self.items *= 2
        self.bag |= {5}
        s = t = {1, 9}
        s |= self.bag
        self.note((s is t, 5 in t))
        self.table |= {3: 30}
        d = e = {}
        d |= self.table
        self.note((d is e, len(e)))
        self.n += self.bump()
        self.cells[self.bump() % 3] += self.bump()
        self.__secret += self.bump()
        q = r = deque([1], 3)
        q += self.queue
        self.note((q is r, tuple(r)))
    """,
    "aliases of shared containers": """
        me = self
        it = me.items
        put = it.append
        put(4)
        row = self.rows[0]
        row.append(7)
        self.rows.append(it)
        self.note((self.rows[2] is self.items, it is self.items, it == [1, 2, 3, 4]))
        self.rows[2][0] = 9
        self.items = row
        self.items.append(8)
        del self.rows[2]
    """,
    "aliases of local lists": """
        xs = [[0]] * 2
        ys = xs[0]
        self.note(0)
        ys.append(1)
        self.note((tuple(xs[1]), xs[0] is xs[1]))
        xs.append(xs)
        self.note(1)
        self.note(xs[2] is xs)
        put = ys.append
        self.note(2)
        put(5)
        self.note(tuple(xs[0]))
        d = {"a": ys}
        d["d"] = d
        self.note(3)
        d["a"].append(6)
        self.note((len(ys), d["d"] is d))
    """,
    "iterating a list that changes": """
        xs = [1, 2, 3]
        for x in xs:
            self.note(x)
            if x < 3:
                xs.append(x + 3)
            if x == 2:
                xs.remove(1)
        for x in self.items:
            self.note(x)
            if x == 1:
                self.items.append(9)
            if x == 2:
                del self.items[0]
        for x in reversed(xs):
            self.note(x)
            xs.insert(0, 0)
            if len(xs) > 8:
                xs.clear()
        for x in reversed(self.items):
            self.note(x)
            self.items[0] = 5
    """,
    "iterating a dict, set or deque that changes": """
        for kind in ("dict", "set", "deque", "table", "bag", "queue", "values", "last"):
            d, s, q = {1: 1, 2: 2}, {1, 2}, deque([1, 2])
            try:
                match kind:
                    case "dict":
                        for x in d:
                            self.note(x)
                            d[x + 5] = 1
                    case "set":
                        for x in s:
                            self.note(0)
                            s.add(8)
                    case "deque":
                        for x in q:
                            self.note(x)
                            q.append(1)
                    case "table":
                        for x in self.table:
                            self.note(x)
                            self.table[x + 5] = 1
                    case "bag":
                        for _ in self.bag:
                            self.note(0)
                            self.bag.add(8)
                    case "queue":
                        for x in self.queue:
                            self.note(x)
                            self.queue.append(1)
                    case "values":
                        for x, y in d.items():
                            self.note((x, y))
                            d[2] += 5
                        for y in d.values():
                            self.note(y)
                            del d[1]
                    case "last":
                        for x in d:
                            if x == 2:
                                self.note(x)
                                del d[1]
            except RuntimeError as e:
                self.note((kind, str(e)))
    """,
    "iterators by hand": """
        it = iter(self.items)
        self.note(next(it))
        for x in it:
            self.note(x)
        self.items.append(4)
        self.note(next(it, "end"))
        both = iter([1, 2, 3, 4])
        for x, y in zip(both, both):
            self.note((x, y))
        e = enumerate(self.cells, 5)
        self.note(next(e))
        self.note(next(e))
        for x in iter(self.queue.popleft, 3):
            self.note(x)
        r = reversed([1, 2])
        self.note(next(r))
        self.note(next(r))
        next(r)
    """,
    "user-defined iterators": """
        c = Count(3)
        for x in c:
            self.note(x)
            if x == 2:
                c.stop = 5
        self.note(tuple(Count(2)))
        for x, y in zip(Count(3), self.items):
            self.note((x, y))
    """,
    "map, filter and generator expressions are lazy": """
        total = 0
        for x in map(self.bump, [1, 2]):
            self.note((x, self.n))
        for x in (self.bump() + total for i in range(3) if i + self.n != 4):
            total += 10
            if x > 20:
                continue
            self.note(x)
        for x in (y for y in self.items for z in self.rows[0]):
            self.note(x)
            if x == 2:
                break
        else:
            self.note("never")
        for x in filter(self.bump, [-4, 0, 5]):
            self.note((x, self.n))
        self.note(sum(map(lambda v: v + self.bump(), self.items)))
        for x, y in itertools.product(self.items, "ab"):
            self.note((x, y))
    """,
    "zip": """
        for strict in (0, 1, 2):
            try:
                match strict:
                    case 0:
                        for x in zip([1, 2], [3], strict=True):
                            self.note(x)
                    case 1:
                        for x in zip([1], [3], [4, 5], strict=True):
                            self.note(x)
                    case 2:
                        for x in zip([1], [3], (), strict=True):
                            self.note(x)
            except ValueError as e:
                self.note(str(e))
        self.note(tuple(zip()))
        zip(5)
    """,
    "comprehensions have names of their own": """
        x = 5
        ys = [(x, [x for x in range(x)]) for x in range(3) if self.bump()]
        self.note((x, len(ys), tuple(ys[2][1])))
        fs = [(lambda x: x + 1)(self.bump()) for x in range(2)]
        self.note(tuple(fs))
        self.note(tuple([(lambda y: x + y)(self.bump()) for x in range(2)]))
        self.note([last := self.bump(i) for i in range(3)][0] + last)
        self.note({x: y for x in self.items for y in [self.bump()] if x != y}[1])
        self.note(any((seen := i) > 1 for i in self.items) and seen)
        self.note(all(self.bump(-100) for _ in self.items) or self.n)
        self.note(sorted({x % 2 for x in self.items if self.bump()})[0])
        id = [id for id in range(2)]
        self.note(len([hash for hash in self.items]))
    """,
    "conditions": """
        self.note(1 < self.bump() < self.bump() < 0 < self.bump())
        self.note(self.bump() and 0 and self.bump())
        self.note((0 or self.bump()) and (self.n if not self.items else -1))
        if not (self.n > 5 and self.bump()) and (self.items or self.bump()):
            self.note("yes")
        while (x := self.bump()) < 9 and x != 7:
            self.note(x)
        else:
            self.note("never")
        self.note((y := self.n) + (y := y + self.bump()) + y)
        assert self.n < 0 or self.bump() == 0, f"n is {self.bump()}"
    """,
    "decorated functions": """
        total = 0
        @noted(self, "outer")
        @noted(self, "inner")
        def add(by, *, more=1):
            nonlocal total
            total += by + more + self.bump()
            return add.__name__ if by > 1 else add(by + 1)
        self.note(add(1))
        self.note((total, add.__name__))
        for k in range(2):
            @(lambda f: (f, k))
            def pair(): return k + total
            self.note((pair[0](), pair[1]))
        @functools.wraps(len)
        def size(): return 3
        @noted(self, "generator")
        def numbers():
            yield self.bump()
        self.note((size.__name__, size(), tuple(numbers())))
        @self.fails
        def never(): pass
    """,
    "unpacking into what is looked up by calls": """
        (self.cells[self.bump()], y), self.table[self.bump()], *rest = (self.note(5), 6), 7, 8, 9
        self.note((y, tuple(self.cells), self.table[2], tuple(rest)))
        try:
            self.cells[self.bump(-1)], self.cells[self.fails()] = 8, self.note(9)
        except KeyError:
            self.note(tuple(self.cells))
""",
    "unpacking": """
        a, *b, c = self.items
        self.note((a, tuple(b), c))
        (self.n, self.cells[self.n % 3]), *rest = (2, 7), *self.rows
        self.note(len(rest))
        a, self.items[a] = 1, 8
        [a, (b, c)] = "x", self.rows[1]
        self.note((a, b, c))
        for a, (b, *c) in [(1, "xyz"), (2, self.items)]:
            self.note((a, b, tuple(c)))
        for self.n, self.table[self.n] in enumerate(self.items):
            pass
        a, b = self.bump(), self.fails()
    """,
    "patterns": """
        for x in (1, (1, 2), [3, [4, 5, 6]], {"k": 1, "z": 2}, "text", None, self.items, self.table,
                  self.rows, Manager(self, "m"), 2.5, True, self.queue):
            match x:
                case 1 | 2.5 as y:
                    self.note(("number", y))
                case (int(a), b) if self.bump() > 1:
                    self.note(("pair", a, str(b)))
                case [a, [b, *c]]:
                    self.note((a, b, tuple(c)))
                case {"k": k, **others}:
                    self.note((k, tuple(others)))
                case {1: y, 2: z} | {"never": y, "ever": z}:
                    self.note((y, z))
                case [[y], [_, z]]:
                    self.note((y, z))
                case Manager(name=name, model=m):
                    self.note((name, m is self))
                case str() | None:
                    self.note("s")
                case [first, *_] if first == self.items[0]:
                    self.note(first)
                case other:
                    self.note(str(type(other).__name__)[:4])
        y = 0
        match self.n:
            case y if y > 100:
                self.note("never")
        self.note(y)
        match self.table:
            case {9: _}:
                self.note("never")
            case {2: z, **rest}:
                self.note((z, tuple(rest)))
    """,
    "dict methods": """
        xs = []
        got = self.table.get(9, xs)
        got.append(1)
        self.note((got is xs, len(xs), self.table.pop(9, xs) is xs))
        self.note(self.table.setdefault(3, 5))
        self.note(self.table.pop(1))
        self.note(tuple(self.table.items()) + tuple(reversed(self.table)))
        self.note(len(self.table.keys() & {2, 3}) + len({7} | self.table.keys()))
        self.note(20 in self.table.values() and (3, 5) in self.table.items())
        self.note(tuple({**self.table, 5: 1}) + tuple(dict(self.table)))
        self.table.update({7: 1}, **{"a": 2})
        self.note(self.table == {2: 20, 3: 5, 7: 1, "a": 2})
        self.note(self.table.popitem())
        try:
            self.table[[1]]
        except TypeError as e:
            self.note(str(e))
        self.table.clear()
        self.note(bool(self.table))
        self.table[5]
    """,
    "list, set and deque methods": """
        self.note(tuple([0] + self.items + [4]) + tuple(self.items[::-1]))
        self.note((self.items.index(2), self.items.count(3), 2 in self.items, max(self.items)))
        self.items[1:2] = [7, 8]
        self.items.sort(reverse=True)
        self.items.extend(self.cells)
        self.items.extend(x for x in self.rows[1])
        self.note(self.items < [9] and self.items.copy() == list(self.items))
        self.note(tuple(sorted(self.bag | {5}) + sorted({2, 3} - self.bag)))
        self.note(self.bag <= {1, 2, 3} and {1} < self.bag and self.bag.isdisjoint({7}))
        self.bag ^= {2, 9}
        self.bag.symmetric_difference_update([1, 4])
        self.note(self.bag.pop() in (4, 9))
        self.queue.rotate(1)
        self.queue.extendleft([8, 9])
        self.note((self.queue.pop(), self.queue.popleft(), self.queue.maxlen, self.queue[-1]))
        self.queue += [1]
        self.note(tuple(self.queue + deque([2])) + tuple(deque([3]) + self.queue))
        self.note(isinstance(self.items, list) and isinstance(self.queue, deque))
        self.bag.remove(77)
    """,
    "arrays": """
        self.note((self.cells[-1], tuple(self.cells[1:]), len(self.cells), 2 in self.cells))
        self.cells[-1] = 5
        for place, x in enumerate(self.cells):
            self.cells[place] = x + 1
        self.note(sum(self.cells) + max(self.cells))
        a, b, c = self.cells
        self.note(tuple(reversed(self.cells)))
        try:
            self.cells[3]
        except IndexError:
            self.note("no")
    """,
    "strings": """
        x, width = 3, 6
        self.note(f"{self.n} {self.bump()!r:>{width}} {x=} {self.bump() + x:03d}{{}}")
        self.note(f"{self.items} {self.table} {self.bag!r}")
        self.note("%s %d" % (self.bump(), self.n) + "{}".format(self.queue))
        self.note(", ".join(str(self.bump(i)) for i in self.items))
    """,
    "recursion, and functions passed about": """
        def_ = default
        self.note(def_(1, 2, 3, z=self.bump(), k=0))
        f = self.bump
        self.note(f() + f(2))
        self.note([g(1) for g in (self.bump, abs)][0])
        fs = {"b": self.bump}
        self.note(fs["b"](3))
        reraise(Fault(1, hint=0))
    """,
    "a statement that is a name": "self.note(1)\nundefined",
    "annotations mean nothing": """
        x: unknown.thing = self.bump()
        y: int
        self.n: also.unknown = x + 1
        self.note(y)
    """,
    "private names": """
        self.__secret += 1
        d = {"_M__secret": 1}
        self.note((self.__secret, self._M__secret))
    """,
    "star arguments of shared containers": """
        self.note(default(*self.items, *self.queue, **{"k": 1}))
        self.note(max(*self.items, *self.cells))
        self.note((*self.table, *self.rows[1]))
    """,
    "empty loops": """
        for _ in ():
            self.note("never")
        else:
            self.note("else")
        while False:
            self.note("never")
        else:
            self.note("else")
        while 0 or self.n:
            pass
        for _ in self.items:
            pass
        while True:
            break
        else:
            self.note("never")
    """,
    "nested functions of finally": """
        for i in range(4):
            try:
                try:
                    if i == 0: continue
                    if i == 1: self.fails()
                    if i == 2: break
                finally:
                    try:
                        self.note(("in", i))
                        if i == 1: raise ValueError(i)
                    finally:
                        self.note(("in in", i))
            except ValueError as e:
                self.note(str(e))
            finally:
                self.note(("out", i))
        self.note(i)
    """,
}


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet(tmp_path: Path, name: str) -> None:
    text = model(SNIPPETS[name], shared=SHARED, header=HEADER, methods=METHODS)
    agree(tmp_path / "snippet.py", text)


# Several threads, against every schedule by brute force


def explored(file: Path, text: str) -> tuple[Found, set[str]]:
    """What interleave makes of a program, in the same terms; and the kinds of violation."""
    cls = load(file, text)
    machine = machine_of(cls)
    found = Found()
    waiting, seen = machine.initial(), set()
    for state in waiting:
        for step in machine.failures_at_start(state):
            note_failure(found, step)
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        with using_port(PropertyPort(machine, state)):
            s = machine.program.stand_in
            values = (
                s.x, s.y, tuple(s.items), tuple(s.cells), s.table["k"], tuple(s.queue)
            )  # fmt: skip
        found.reachable.add(values)
        moves = [machine.step(state, thread) for thread in range(len(machine.program.threads))]
        for step in [step for each in moves for step in each.steps]:
            note_failure(found, step)
            waiting.append(machine.after(state, step))
        if not any(each.steps for each in moves):
            final = machine.is_final(state)
            assert final == (not any(each.blocked for each in moves))
            (found.final if final else found.deadlocks).add(values)
    return found, {violation.kind for violation in check(cls).models[0].violations}


def note_failure(found: Found, step) -> None:
    if step.failure:
        error = step.failure.exception
        found.raised.add((step.thread, type(error).__name__, str(error)))


@pytest.mark.slow
@drawn(
    40,
    200,
    seed=st.integers(0, 10**9),
    shape=st.sampled_from([(2, 3), (2, 4), (2, 5), (3, 2), (3, 3)]),
)
def test_every_schedule(tmp_path: Path, seed: int, shape: tuple[int, int]) -> None:
    program = Writer(Random(seed)).program(*shape)
    expected = brute_force(program, most=3000)
    if expected is None:
        return
    found, kinds = explored(tmp_path / "program.py", program.model())
    assert found.final == expected.final
    assert found.reachable == expected.reachable
    assert found.deadlocks == expected.deadlocks
    assert found.raised == expected.raised
    assert ("deadlock" in kinds) == bool(expected.deadlocks)
    assert ("exception" in kinds) == bool(expected.raised)
