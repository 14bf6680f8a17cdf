"""Objects with a `__del__`, which runs where the last reference goes: as in CPython, or refused."""

from __future__ import annotations

import gc
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from families import sample
from finalizer_programs import HEAD, finalizer_program
from running import load

from interleave import InterleaveError, check
from interleave.replay import Program, at_lines, outcomes

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""What `__del__` raises on real threads, where a lock is left behind for ever."""

FUNCTIONS = """
    def fails(self, name):
        t = self.make(name)
        raise ValueError(name)

    def gives(self):
        a, b = self.make("given"), self.make("local")
        return a

    def takes(self, it):
        it = None
        self.note("took")

    def yields(self):
        for name in "pq":
            yield self.make(name)
"""

EXACT = {
    "variables": """
        a = b = self.make("a")
        a = None
        self.note("kept")
        b = self.make("b")
        del b
        a, b = self.make("c"), self.make("d")
        a, b = b, a
        self.note("swapped")
    """,
    "attributes and items": """
        self.x = self.y = None
        self.note("x")
        self.items[0] = self.items.pop()
        self.items.append(self.make("k"))
        self.items.clear()
        self.table[1] = self.make("t2")
        self.table.pop(1)
        self.note("end")
    """,
    "what leads to others": """
        a = self.make("outer")
        a.child = [(self.make("first"), {"k": self.make("second")}), self.make("third")]
        self.note("made")
        a = None
        self.note("end")
    """,
    "calls": """
        self.takes(self.make("argument"))
        self.gives()
        self.note("in between")
        a = self.gives()
        self.note(self.gives().name)
        self.gives().__enter__().__exit__()
        f = lambda: a
        a = None
        self.note("captured")
        f = None
        self.note("end")
    """,
    "an exception that is handled": """
        try:
            self.fails("a")
        except ValueError:
            self.events.append("handled")
        try:
            self.fails("b")
        except ValueError as error:
            self.note("handled")
        finally:
            self.note("finally")
        self.note("end")
    """,
    "an exception that another one has as its context": """
        try:
            try:
                self.fails("a")
            except ValueError as error:
                self.note("inner")
                raise KeyError(1)
        except KeyError:
            self.note("outer")
        self.note("end")
    """,
    "loops": """
        for a in [self.make("a"), self.make("b")]:
            self.note("list")
        for a in (self.make("c"), self.make("d")):
            self.note("tuple")
            break
        for a in self.yields():
            self.note("generator")
        while self.items:
            a = self.items.pop()
        self.note("end")
    """,
    "with": """
        with self.make("a"):
            self.note("inside")
        with self.make("b") as b:
            self.note("inside")
        self.note("end")
    """,
    "what __del__ raises": """
        a = self.make("a")
        a.log = None
        del a
        self.note("end")
    """,
}
"""What a thread does, in the one order in which CPython does it."""


def by_python(file: Path, text: str) -> list[object]:
    """What the thread `run` of a model notes."""
    model: Any = load(file, text)()
    model.setup()
    model.run()
    found = [*model.events]
    model.events.clear()
    return found


def by_interleave(file: Path, text: str) -> list[object]:
    """The same, in each of its interleavings."""
    (result,) = check(load(file, text), max_states=3000).models
    assert result.interleavings is not None
    assert not result.violations
    return [dict(each.state)["events"] for each in result.interleavings.outcomes]


def model(body: str) -> str:
    return f"{HEAD}{FUNCTIONS}\n    @thread\n    def run(self):\n" + textwrap.indent(
        textwrap.dedent(body), " " * 8
    )


@pytest.mark.parametrize("body", EXACT.values(), ids=EXACT)
def test_it_runs_where_cpython_runs_it(tmp_path: Path, body: str) -> None:
    assert by_interleave(tmp_path / "m.py", model(body)) == [
        by_python(tmp_path / "r.py", model(body))
    ]


OPEN = {
    "attributes": "b = Box()\nb.x, b.y = self.make('a'), self.make('b')\nb = None",
    "several items": "self.items += [self.make('a'), self.make('b')]\ndel self.items[1:]",
}


@pytest.mark.parametrize("body", OPEN.values(), ids=OPEN)
def test_an_order_that_nobody_knows_is_a_choice(tmp_path: Path, body: str) -> None:
    text = model(body).replace("class M(", "class Box:\n    pass\n\nclass M(")
    found = by_interleave(tmp_path / "m.py", text)
    assert len(found) > 1
    assert by_python(tmp_path / "r.py", text) in found


REFUSED = {
    "in the midst of a statement": "self.note([self.make('a'), self.make('b')][0] is None)",
    "by a temporary value": "self.note(str(self.make('a').name))",
    "may find it at any time": "a = self.make('a')\na.child = a\na = None",
    "finds it at any time": "a = [self.make('a')]\na.append(a)\na = None",
    "brought back by its __del__": "a = Back(self.items, 'a')\na = None",
    "where enumerate, zip or items": "for i, a in enumerate([self.make('a'), 1]):\n    a = None",
    "by the variable of a loop": "for i, a in enumerate(self.yields()):\n    a = None",
    "by a parameter": "def f(a):\n    a = None\nf(*[self.make('a')])",
    "an exception that was raised is shared": "try:\n    self.fails('a')\n"
    "except ValueError as error:\n    self.x = error",
    "whose locals an exception keeps": "def f():\n    a = self.make('a')\n    try:\n"
    "        self.fails('b')\n    except ValueError as error:\n        return error\nf()",
    "while an exception may hold it": "a = self.make('a')\ntry:\n    a.missing\n"
    "except AttributeError:\n    a = None\n    self.note(1)",
    "by `a, b = x, y`": "a, b = self.make('a'), self.make('b')\na, b = 1, 2",
    "made in the midst of a statement": "self.note(len(sorted('ab', key=lambda name: self.make(name).name)))",
}
BACK = """class Back(Thing):
    def __del__(self):
        self.log.append(self)

class M("""


@pytest.mark.parametrize(("words", "body"), sample(3, [*REFUSED.items()]))
def test_a_moment_that_nobody_knows_is_refused(tmp_path: Path, words: str, body: str) -> None:
    with pytest.raises(InterleaveError) as caught:
        by_interleave(tmp_path / "m.py", model(body).replace("class M(", BACK))
    assert words in caught.value.what
    assert caught.value.place is not None


@pytest.mark.slow
@pytest.mark.parametrize("seed", sample(4, range(200)))
def test_random_programs(tmp_path: Path, seed: int) -> None:
    text = finalizer_program(seed)
    try:
        found = by_interleave(tmp_path / "m.py", text)
    except InterleaveError as error:
        assert "__del__" in error.what
        return
    assert by_python(tmp_path / "r.py", text) in found


POOL = """
import threading
from interleave import Model, thread

class Pool:
    def __init__(self):
        self.lock = threading.Lock()
        self.idle = []

    def take(self):
        with self.lock:
            return Handle(self, self.idle.pop() if self.idle else "new")

    def put(self, connection):
        with self.lock:
            self.idle.append(connection)

class Handle:
    def __init__(self, pool, connection):
        self.pool = pool
        self.connection = connection

    def __del__(self):
        self.pool.put(self.connection)

class M(Model):
    def setup(self):
        self.events = []
        self.pool = Pool()

    def seen(self):
        return tuple(self.pool.idle)

    @thread
    def one(self):
        ONE

    @thread
    def two(self):
        TWO
"""

THREADS = {
    "each its own": ("a = self.pool.take()", "b = self.pool.take()"),
    "with its lock": (
        "a = self.pool.take()\nwith self.pool.lock:\n    a = None",
        "b = self.pool.take()",
    ),
}
"""What two threads do with what has a `__del__` that takes a lock."""


@pytest.mark.slow
@pytest.mark.parametrize(("one", "two"), THREADS.values(), ids=THREADS)
def test_real_threads_have_no_other_outcome(tmp_path: Path, one: str, two: str) -> None:
    text = POOL
    for name, body in (("ONE", one), ("TWO", two)):
        text = text.replace(name, textwrap.indent(body, " " * 8).strip())
    file = tmp_path / "m.py"
    known = load(file, text)
    kept: list[Any] = []

    def setup() -> Program:
        made: Any = known()
        made.setup()
        kept.append(made)  # else it is let go of while others run
        return Program([made.one, made.two], made.seen)

    (result,) = check(known).models
    assert result.interleavings is not None
    ours = {
        (each.how, tuple(dict(each.state).get("pool.idle", ())))
        for each in result.interleavings.outcomes
    }
    real = {(e.end, e.observed) for e in outcomes(setup, at_lines(str(file), range(1, 100)))}
    del sys.modules[known.__module__].Handle.__del__  # with locks that nobody gives back
    assert real <= ours
    has_deadlock = "deadlock" in {end for end, _ in ours}
    assert has_deadlock == ((one, two) == THREADS["with its lock"])


RES = """
import gc, threading, queue
from concurrent.futures import ThreadPoolExecutor

class Base:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("base", self.name)

class Res(Base):
    def __del__(self):
        print("del", self.name)
        if self.name == "own":
            super().__del__()
"""
SCRIPTS = {
    "what a thread has": (
        "kept = Res('kept')\ndef work(*given):\n    mine = Res('mine')\n    print('work')\n"
        "t = threading.Thread(target=work, args=(kept,))\nt.start()\nt.join()\nprint('end')\n",
        "'work', 'del mine', 'end'",
    ),
    "what calls super": (
        "def work():\n    it = Res('own')\n    it.__del__()\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()\n",
        "'del own', 'base own', 'del own', 'base own'",
    ),
}
REFUSED_SCRIPTS = {
    "gc.callbacks has work": "def work(*_): pass\ngc.callbacks.append(work)\n"
    "t = threading.Thread(target=work)\nt.start()\ngc.callbacks.remove(work)\n",
}
SHARED = {
    "a variable": "kept = Res('a')\n",
    "an attribute": "holder.it = Res('a')\n",
    "a list": "items.append(Res('a'))\n",
    "a dict": "table['a'] = Res('a')\n",
    "within another object": "mine = Holder()\nmine.it = Res('a')\nitems.append(mine)\n",
    "a queue": "q.put(Res('a'))\n",
    "a thread": "threading.Thread(target=print, args=(Res('a'),)).start()\n",
    "a pool": "ThreadPoolExecutor(1).submit(len, [Res('a')])\n",
}
"""Ways of having another thread come by what a thread has made."""

AT_FIRST = ("kept = None", "del kept", "holder.it = None", "items.clear()", "table.pop('a')")
"""Ways of letting go of what was there before the threads."""

SHARING = """
class Holder: pass

holder, items, table, q = Holder(), [], {{}}, queue.Queue()
kept = None
{made}

def work():
    global kept
{body}

threads = [threading.Thread(target=work), threading.Thread(target=print)]
for each in threads:
    each.start()
"""


def sharing(body: str, made: str = "") -> str:
    """A script whose thread does this, after what was made before."""
    return RES + SHARING.format(body=textwrap.indent(body, "    "), made=made)


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize("way", SHARED)
def test_what_others_can_come_by_is_refused(tmp_path: Path, way: str, runtime: str) -> None:
    """Whoever has it for a moment may be the last one."""
    file = tmp_path / "script.py"
    file.write_text(sharing(SHARED[way]))
    with pytest.raises(InterleaveError, match=r"this shares .*, which has a __del__"):
        check(str(file), runtime=runtime)


@pytest.mark.parametrize("way", AT_FIRST)
def test_what_was_there_is_not_let_go_of(tmp_path: Path, way: str) -> None:
    file = tmp_path / "script.py"
    made = "kept = holder.it = Res('a')\nitems.append(Res('b'))\ntable['a'] = Res('c')"
    made += "\nholder.it = Res('d')"
    file.write_text(sharing(way, made))
    with pytest.raises(InterleaveError, match="which has a __del__"):
        check(str(file))


@pytest.mark.parametrize(("text", "printed"), SCRIPTS.values(), ids=SCRIPTS)
def test_scripts(tmp_path: Path, text: str, printed: str) -> None:
    file = tmp_path / "script.py"
    file.write_text(RES + text)
    (result,) = check(str(file)).models
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    assert str(dict(outcome.state)["print"]) == printed


@pytest.mark.parametrize(("words", "text"), REFUSED_SCRIPTS.items(), ids=REFUSED_SCRIPTS)
def test_scripts_that_are_refused(tmp_path: Path, words: str, text: str) -> None:
    file = tmp_path / "script.py"
    file.write_text(RES + text)
    before = [*gc.callbacks]
    try:
        with pytest.raises(InterleaveError, match=words):
            check(str(file))
    finally:
        gc.callbacks[:] = before
