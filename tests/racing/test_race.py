"""`race`: calls in parallel compared with whole calls."""

import asyncio
import inspect
import itertools
import json
import linecache
import random
import sys
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import raced_classes as library
from click.testing import CliRunner, Result
from families import sample

import interleave
from interleave.cli import main
from interleave.racing.pairs import pairs_of
from interleave.report.text import render_text
from interleave.result import ModelResult, Source
from interleave.showing import show


def raced(factory: Any, *calls: str, **options: Any) -> ModelResult:
    (result,) = interleave.race(factory, *calls, **options).models
    return result


def kinds(result: ModelResult) -> list[str]:
    return list(dict.fromkeys(each.kind for each in result.violations))


ATOMIC = [
    (library.Counter, ("locked()", "locked()"), 2),
    (library.Counter, ("add()", "get()"), 2),
    (library.Counter, ("locked()", "locked()", "locked()"), 6),
    (library.Counter, ("add()", "take()"), 2),  # what is raised is an outcome
    (library.Cache, ("locked('k', 1)", "locked('k', 2)"), 2),
    (library.Cache, ("add('k', 1); remove('k')",), 1),
    (library.Lazy, ("locked()", "locked()"), 1),
    (library.Pool, ("new()", "new()"), 2),  # which of the two was first
    (library.Lazy, ("fresh()", "fresh()"), 1),  # two objects: always so
    (library.Log, ("copy(1)",), 1),
    (library.Log, ("each()", "each()"), 1),
    (library.Log, ("chain(1)", "chain(2)"), 2),  # what is called is the same thing, at any time
    (library.TwoCopies, ("write(1)", "read_a()", "read_b()"), 4),
    (library.Workers, ("later()", "later()"), 2),  # which run freely
    (library.Turns, ("quick()", "quick()"), 2),
    (library.Turns, ("get()", "put(1)"), 1),
    (library.Turns, ("quick(); quick()", "quick()"), 2),
    (library.Box, ("put(1); put(2)", "get()"), 1),
    (library.Box, ("get()", "put(1)", "put(2)"), 2),
    (library.Ids, ("take()", "take()"), 2),
    (library.Ids, ("take()", "begin_anew()"), 2),
]


@pytest.mark.parametrize(("factory", "calls", "outcomes"), ATOMIC)
def test_atomic_calls(factory: Any, calls: tuple[str, ...], outcomes: int) -> None:
    result = raced(factory, *calls)
    compared = result.compared
    assert compared is not None
    assert (compared.outcomes, compared.explained, compared.why_not) == (outcomes, outcomes, "")
    assert "not-atomic" not in kinds(result)


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize(
    "call",
    [
        "extend()", "extend_by_method()", "add()", "extend_queue()", "update_set()",
        "update_table()", "update_counts()",
    ],
)  # fmt: skip
def test_what_a_generator_gives_is_put_in_item_by_item(call: str, runtime: str) -> None:
    result = raced(library.Filled, call, "look()", runtime=runtime)
    assert kinds(result) == ["not-atomic"]
    (alone,) = raced(library.Filled, call, runtime=runtime).interleavings.outcomes
    sizes = [len(value) for name, value in alone.state if name.startswith("filled.") and value]
    assert sizes == [2]


NOT_ATOMIC = [
    (library.Counter, ("add()", "add()"), True, ("counter.n",)),
    (library.Cache, ("add('k', 1)", "add('k', 2)"), False, ("result of add('k', 1)",)),
    (library.Lazy, ("get()", "get()"), False, ()),  # which objects are the same
    (library.Log, ("add(1)", "add(2)"), False, ("result of add(1)",)),
    (library.TwoCopies, ("write(1)", "write(2)"), True, ("two_copies.b",)),
    (library.Workers, ("both()", "both()"), False, ("result of both()[0]",)),
    (library.Turns, ("slow()", "slow()"), False, ("turns.n",)),
    (library.Turns, ("slow()", "quick(); quick()"), False, None),
    (library.Turns, ("timed()", "timed()"), False, None),
    (library.Elsewhere, ("in_class()", "in_class()"), True, ("Elsewhere.made",)),
    (library.Elsewhere, ("in_module()", "in_module()"), True, ("raced_classes.COUNT",)),
    (library.Slot, ("add()", "add()"), True, ("slot.value",)),
]


@pytest.mark.parametrize(("factory", "calls", "only_state", "differing"), NOT_ATOMIC)
def test_calls_that_are_not_atomic(
    factory: Any, calls: tuple[str, ...], only_state: bool, differing: tuple[str, ...] | None
) -> None:
    result = raced(factory, *calls)
    (found,) = [each for each in result.violations if each.kind == "not-atomic"]
    detail = found.detail
    assert isinstance(detail, interleave.result.NotAtomic)
    assert detail.only_state is only_state
    assert differing is None or set(differing) <= {*detail.differing}
    assert detail.came_in != detail.interrupted
    assert detail.came_in in found.message
    assert detail.interrupted in found.message
    assert detail.before is not None
    assert Path(detail.before.file).resolve() == Path(library.__file__)
    assert found.trace.steps[-1].thread in (detail.came_in, detail.interrupted)


@pytest.mark.parametrize(
    ("factory", "calls"),
    [
        (library.Meeting, ("one()", "two()")),
        ("threading:Barrier(2)", ("wait()", "wait()")),
        ("threading:Barrier(3)", ("wait()", "wait()", "wait()")),
        (library.Exchange, ("ask()", "answer()")),
    ],
)
def test_calls_that_need_each_other(factory: Any, calls: tuple[str, ...]) -> None:
    result = raced(factory, *calls)
    assert result.verdict == "inconclusive"
    assert result.compared is not None
    assert result.compared.why_not == "these calls need each other: not compared"


def test_an_exception_that_whole_calls_raise_is_an_outcome() -> None:
    filled = "raced_classes:Counter()"
    assert raced(filled, "take()", "take()").verdict == "verified"


def test_an_exception_that_no_order_of_whole_calls_raises() -> None:
    result = raced(library.filled_cache, "remove('k')", "remove('k')")
    assert {"exception", "not-atomic"} <= {*kinds(result)}
    (found,) = [each for each in result.violations if each.kind == "exception"]
    assert "raised KeyError('k'), which no order of whole calls does" in found.message
    assert found.source is not None
    assert found.source.text == "del self.kept[key]"


def test_the_order_of_calls_that_do_not_overlap() -> None:
    calls = ("write(1)", "read_a()", "read_b()")
    assert raced(library.TwoCopies, *calls).verdict == "verified"
    result = raced(library.TwoCopies, *calls, linearizable=True)
    (found,) = result.violations
    assert isinstance(found.detail, interleave.result.NotAtomic)
    assert found.detail.order == (("read_a()", "read_b()"),)
    assert raced(library.TwoCopies, *calls[:2], linearizable=True).verdict == "verified"


def test_what_counts_as_the_outcome() -> None:
    calls = ("add('k', 1)", "add('k', 2)")
    assert "not-atomic" in kinds(raced(library.Cache, *calls))
    assert "not-atomic" not in kinds(raced(library.Cache, *calls, observe="sorted(kept)"))
    result = raced(library.TwoCopies, "write(1)", "write(2)", observe="a == b")
    (found,) = [each for each in result.violations if each.kind == "not-atomic"]
    assert isinstance(found.detail, interleave.result.NotAtomic)
    assert [show(value) for _, value in found.detail.outcome.state] == ["False"]


def test_under_a_global_lock() -> None:
    assert raced(library.Counter, "add()", "add()", runtime="gil").verdict == "verified"
    assert "not-atomic" in kinds(raced(library.Lazy, "get()", "get()", runtime="gil"))


def test_several_threads_of_each() -> None:
    result = raced(library.Counter, "locked()", threads=3)
    assert result.compared is not None
    assert result.compared.outcomes == 6


@pytest.mark.slow
def test_pairs() -> None:
    result = interleave.race(library.Cache, pairs=True)
    found = {each.model: each.verdict for each in result.models}
    assert found["add(1, 1) | add(1, 2)"] == "violated"
    assert found["locked(1, 1) | locked(1, 2)"] == "verified"
    assert len(found) == 6


def test_pairs_give_by_name_what_can_be_given_in_no_other_way() -> None:
    def put(self, key: str, *keys: str, value, also=0): ...

    assert [*pairs_of({"put": put})] == [("put('a', value=1)", "put('a', value=2)")]


@pytest.mark.parametrize("call", ["later()", "lazily()"])
def test_a_result_without_a_value_is_not_compared(call: str) -> None:
    result = raced(library.Log, call, call)
    assert result.verdict == "inconclusive"
    assert result.compared is not None
    assert result.compared.why_not.startswith("there is no value to compare in result of ")


def test_calls_that_never_end() -> None:
    result = raced("threading:Event()", "wait()", "wait()")
    assert kinds(result) == ["deadlock"]
    assert result.compared is not None
    assert result.compared.why_not == "these calls never come to an end: not compared"


@pytest.mark.parametrize("limit", [{"max_states": 3}, {"max_states": 1}])
def test_no_limit_is_a_pass(limit: dict[str, int]) -> None:
    result = raced(library.Counter, "locked()", "locked()", **limit)
    assert result.verdict == "inconclusive"
    assert result.compared is None


@pytest.mark.parametrize("preemptions", [0, 1])
@pytest.mark.parametrize(("factory", "calls"), [each[:2] for each in ATOMIC])
def test_whole_calls_may_take_more_preemptions_than_are_looked_at(
    factory: Any, calls: tuple[str, ...], preemptions: int
) -> None:
    result = raced(factory, *calls, preemptions=preemptions)
    assert "not-atomic" not in kinds(result)
    assert result.complete or result.compared is None or not result.compared.outcomes


MISTAKES = [
    (("raced_class:Cache()", "add()"), "there is no module 'raced_class'", "'raced_classes'?"),
    (("raced_classes:Cash()", "add()"), "there is no 'Cash'", "did you mean 'Cache'?"),
    (("raced_classes:Cache", "add()"), "Cache is a class", "call it: Cache()"),
    (("raced_classes:Cache(1)", "add()"), "Cache(1) raises TypeError", "makes the object"),
    (("raced_classes:Cache(", "add()"), "is not a Python expression", "write one"),
    (("raced_classes", "add()"), "names no object", "MODULE:EXPRESSION"),
    (("raced_classes:Cache()", "ad()"), "has no method 'ad'", "did you mean 'add'?"),
    (("raced_classes:Cache()", "kept()"), "cannot be called: it is of type dict", "call a method"),
    (("raced_classes:Cache()", "kept"), "is not a call", "write it as"),
    (("raced_classes:Cache()", "x = add()"), "is not a call", "write it as"),
    (("raced_classes:Cache()", "add("), "is not Python", "write it as"),
    (("raced_classes:Cache()", "add(Cash, 1)"), "there is no 'Cash'", "did you mean 'Cache'?"),
    (("raced_classes:Cache()", ""), "no call in an empty text", "write it as"),
    (("raced_classes:Lazy()", "nothing()", "nothing()"), "there is nothing to observe", "name"),
    (("no_such_file.py:Cache()", "add()"), "no file that can be read", ""),
    (("raced_classes:Cache()",), "there are no calls to race", "--pairs"),
    (("raced_classes:Cache()", "add(1, 2)", "--pairs"), "beside --pairs", "leave out"),
    (("builtins:object()", "--pairs"), "has no public methods", "name the calls"),
    (("raced_classes:Cache()", "add(1, 2)", "--observe", "kep"), "there is no 'kep'", "'kept'?"),
    (("raced_classes:Cache()", "add(1, 2)", "--observe", "kept +"), "is not a Python", ""),
    (("raced_classes:Cache()", "add(1, 2)", "--observe", "kept[5]"), "raises KeyError", ""),
    (("raced_classes:Cache()", "add(1)", "add(1, 2)"), "add(1) raises TypeError(", "arguments"),
    (("collections:deque()", "append(1)", "extend(5)"), "extend(5) raises TypeError(", "types"),
    (("raced_classes:Cache()", "add(1, 2)", "-p", "N=3"), "no parameter 'N'", "a race has"),
    (("raced_classes:Cache()", "add(1, 2)", "--cancel", "add"), "there is no task 'add'", ""),
    (("raced_classes:Cache()", "add(1, 2)", "--order", "fifo"), "there is no event loop", ""),
]


@pytest.mark.parametrize(("arguments", "what", "remedy"), MISTAKES)
def test_mistakes(arguments: tuple[str, ...], what: str, remedy: str) -> None:
    found = CliRunner().invoke(main, ["race", *arguments])
    assert found.exit_code == 2, found.output
    assert what in found.stderr
    assert remedy in found.stderr
    assert "Traceback" not in found.output


def test_the_command() -> None:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["race", "raced_classes:Cache()", *arguments])

    found = run("locked('k', 1)", "locked('k', 2)")
    assert found.exit_code == 0
    assert "these calls are atomic: 2 outcomes, both explained" in found.stdout
    found = run("add('k', 1)", "add('k', 2)", "--format", "json")
    assert found.exit_code == 1
    (model,) = json.loads(found.stdout)["models"]
    assert model["atomic"] is False
    assert model["compared"] == {"outcomes": 4, "explained": 2, "why_not": ""}
    detail = model["violations"][-1]["not_atomic"]
    assert {*detail["outcome"]["results"].values()} == {True}
    assert [*detail["nearest"][0]["results"].values()].count(False) == 1
    found = run("--pairs")
    assert found.stdout.endswith("of 6 pairs pass\n")


def test_a_file_in_place_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "queue.py").write_text(  # which is the name of a module of Python
        "class Counter:\n    n = 0\n    def add(self):\n        self.n += 1\n"
    )
    monkeypatch.chdir(tmp_path)
    (found,) = [
        each
        for each in raced("queue.py:Counter()", "add()", "add()").violations
        if each.kind == "not-atomic"
    ]
    assert isinstance(found.detail, interleave.result.NotAtomic)
    assert found.detail.before == Source("queue.py", 4, "self.n += 1")


def test_in_the_order_of_a_loop() -> None:
    calls = ("slow()", "quick(); quick()")
    result = raced(library.Turns, *calls, order="fifo")  # whole calls are made in any order
    assert "not-atomic" in kinds(result)
    assert result.parameters["ORDER"] == "fifo"


def test_how_the_clock_goes() -> None:
    text = """
import time
class Thing:
    def look(self):
        return int(time.time())
"""
    thing = made_of("looks_at_the_clock", text)
    found = raced(thing, "look()", parameters={"CLOCK": 1, "CLOCK_STEP": 4})
    assert dict(found.bounds) == {"CLOCK": 1, "CLOCK_STEP": 4}
    assert len(found.interleavings.outcomes) == 4
    assert len(raced(thing, "look()", parameters={"CLOCK": 0}).interleavings.outcomes) == 2


def test_few_preemptions() -> None:
    calls = ("add('k', 1)", "add('k', 2)")
    assert raced(library.Cache, *calls, preemptions=0).verdict == "inconclusive"
    assert "not-atomic" in kinds(raced(library.Cache, *calls, preemptions=1))


def test_what_making_the_object_does_is_put_back() -> None:
    before = library.Elsewhere.made
    raced("raced_classes:made_and_counted()", "in_class()")
    assert library.Elsewhere.made == before


STATEMENTS = [
    "self.a += {n}",
    "self.a = self.b + {n}",
    "self.b = {n}",
    "self.items.append({n})",
    "if self.a == {n}: self.b += 1",
    "if self.items: return self.items.pop()",
    "if {n} not in self.seen: self.seen[{n}] = self.a",
    "self.seen.pop({n})",
    "return self.a",
    "return len(self.items)",
]


ASKS_ITSELF = """
class Job:
    def __init__(self, owner):
        self.call = owner.add

class Owner:
    def __init__(self):
        self.names = ["a"]
        self.jobs = []

    def __getattr__(self, name):
        for each in self.names:
            if name == each:
                return 1
        raise AttributeError(name)

    def add(self):
        self.jobs.append(Job(self))
        return len(self.jobs)

class Thing:
    def __init__(self):
        self.owner = Owner()

    def add(self):
        return self.owner.add()
"""


def test_a_report_does_not_ask_a_class_for_attributes() -> None:
    module = types.ModuleType("asks_itself")
    module.__file__ = "asks_itself.py"
    library_of(module, ASKS_ITSELF)
    assert kinds(raced(module.Thing, "add()", "add()")) == ["not-atomic"]


def random_class(chance: random.Random, *, is_async: bool) -> str:
    """The text of a class with a few methods, some of them under a lock."""
    lines = [
        "import asyncio, threading",
        "class Thing:",
        "    def __init__(self):",
        "        self.a = self.b = 0",
        "        self.items, self.seen = [1], {2: 0}",
        f"        self.lock = {'asyncio.Lock' if is_async else 'threading.RLock'}()",
    ]
    begin = "async " if is_async else ""
    for name in ("one", "two", "three"):
        body = [chance.choice(STATEMENTS).format(n=chance.randint(1, 2)) for _ in range(2)]
        if is_async and chance.random() < 0.7:
            body.insert(1, "await asyncio.sleep(0)")
        margin = "        "
        lines.append(f"    {begin}def {name}(self):")
        if chance.random() < 0.4:
            lines.append(f"        {begin}with self.lock:")
            margin += "    "
        lines += [margin + each for each in body]
    return "\n".join(lines)


def made_of(name: str, text: str) -> Any:
    """The class `Thing` of a module that consists of a text."""
    module = types.ModuleType(name)
    module.__file__ = f"{name}.py"
    library_of(module, text)
    return module.Thing


RESULTS = [
    ("(lambda: 1)", "(lambda: 2)"),
    ("self.one.add", "self.one.pop"),
    ("self.one.add", "self.two.add"),
    ("[1].append", "[2].append"),
    ("deque([1], maxlen=2)", "deque([1], maxlen=3)"),
    ("deque([1])", "deque([1], maxlen=1)"),
    ("defaultdict(int)", "defaultdict(list)"),
    ("Inside.Empty()", "Outside.Empty()"),
    ("{1}", "frozenset({1})"),
    ("1", "True"),
    # Things that Python calls by one name.
    ("ONE", "TWO"),
    ("ONE()", "TWO()"),
    ("ONE().run", "TWO().run"),
    ("ONE.run", "TWO.run"),
    ("adding(1)", "adding(2)"),
    ("ADD_ONE", "ADD_TWO"),
    ("self.first", "self.second"),
]


@pytest.mark.parametrize(("one", "other"), RESULTS)
def test_results_that_are_told_apart(one: str, other: str) -> None:
    text = f"""
from collections import defaultdict, deque
class Inside:
    class Empty: pass
class Outside:
    class Empty: pass
def made():
    class Made:
        def run(self): pass
    return Made
ONE, TWO = made(), made()
def adding(n):
    return lambda x: x + n
ADD_ONE, ADD_TWO = adding(1), adding(2)
def wrapped(function):
    def wrapper(self):
        return function(self)
    return wrapper
class Thing:
    def __init__(self):
        self.a = self.b = 0
        self.one, self.two = {{1}}, {{1}}
    def both(self):
        self.a = 1
        self.b = 1
    def give(self):
        return {one} if self.a == self.b else {other}
    def same(self):
        found = {one}
        return found if self.a == self.b else found
    @wrapped
    def first(self): return 1
    @wrapped
    def second(self): return 2
"""
    thing = made_of("results_told_apart", text)
    assert kinds(raced(thing, "both()", "give()")) == ["not-atomic"]
    assert raced(thing, "both()", "same()").verdict == "verified"


LOSES = {
    "groups": (
        "",
        "n = self.n\n"
        "longest = max(len(list(group)) for _, group in itertools.groupby('aab'))\n"
        "self.n = n + longest",
    ),
    "groups in a loop": (
        "",
        "n = self.n\n"
        "for key, group in itertools.groupby([1, 3, 2], lambda x: x % 2):\n"
        "    n += len([*group])\n"
        "self.n = n",
    ),
    "what print writes to": (
        "class Log:\n"
        "    def __init__(self): self.n = 0\n"
        "    def write(self, text): self.n += len(text)\n"
        "LOG = Log()\n",
        "print('a', 'b', sep='-', file=LOG)",
    ),
    "an asynchronous comprehension": (
        "class Rows:\n"
        "    def __init__(self): self.left = 2\n"
        "    def __aiter__(self): return self\n"
        "    async def __anext__(self):\n"
        "        await asyncio.sleep(0)\n"
        "        self.left -= 1\n"
        "        if self.left < 0: raise StopAsyncIteration\n"
        "        return self.left\n",
        "rows, n = Rows(), self.n\ngot = [row async for row in rows]\nself.n = n + len(got)",
    ),
}


@pytest.mark.parametrize("case", LOSES)
def test_what_is_lost_on_the_way_of_a_library(case: str) -> None:
    above, body = LOSES[case]
    begin = "async def" if "async" in body else "def"
    text = f"""
import asyncio, itertools
{above}
class Thing:
    def __init__(self):
        self.n = 0
    {begin} add(self):
{textwrap.indent(body, " " * 8)}
"""
    thing = made_of(f"loses_{case.replace(' ', '_')}", text)
    assert "lost-update" in kinds(raced(thing, "add()", "add()"))


def test_what_only_looks_the_same_is_told_apart_in_the_report() -> None:
    text = """
def named():
    return lambda: 1
ONE, TWO = named(), named()
class Thing:
    def __init__(self):
        self.a = self.b = 0
    def both(self):
        self.a = 1
        self.b = 1
    def give(self):
        return ONE if self.a == self.b else TWO
"""
    result = raced(made_of("looks_the_same", text), "both()", "give()")
    assert "<locals>.<lambda>> (another one than below)" in " ".join(render_text(result).split())


def test_what_setup_makes_anew_is_the_same_in_whole_calls_that_pause() -> None:
    text = """
import asyncio
def Thing():
    class Inside: pass
    def one(): return 1
    class Outside:
        def __init__(self):
            self.kind, self.function = Inside, one
        async def give(self):
            await asyncio.sleep(0)
            return self.kind, self.function, lambda: 1
    return Outside()
"""
    thing = made_of("made_anew", text)
    assert raced(thing, "give(); give()", "give()").verdict == "verified"


def test_what_a_generator_gives_is_not_known() -> None:
    text = """
class Thing:
    def __init__(self):
        self.items = [1]
    def each(self):
        yield from self.items
"""
    result = raced(made_of("gives_generators", text), "each()", "each()")
    assert result.verdict == "inconclusive"
    assert result.compared is not None
    assert result.compared.why_not.endswith("(generator)")


WHOLE = [
    "','.join(x for x in self.items)",
    "dict.fromkeys(x for x in self.items)",
    "{'1', '2'}.difference(x for x in self.items)",
    "list(map(lambda _: [x for x in self.items], [0]))",
    "sorted('ab', key=self.key)",
    "self.looped",
    "self.listed",
    "self.viewed",
    "'2' in self",
    "str(self)",
    "self == ['1']",
    "self[:]",
]


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize("expression", WHOLE)
def test_loops_in_code_that_is_run_as_a_whole(expression: str, runtime: str) -> None:
    """Another thread takes the first item between the first round and the second one."""
    text = f"""
class Thing:
    def __init__(self):
        self.items = ["1", "2"]
        self.kept = {{"1": 1, "2": 2}}
    def take(self):
        del self.kept["1"]
        return self.items.pop(0)
    def look(self):
        return {expression}
    @property
    def looped(self):
        found = []
        for x in self.items:
            found.append(x)
        return found
    @property
    def listed(self):
        return [x for x in self.items]
    @property
    def viewed(self):
        return sum(x for x in self.kept.values())
    def key(self, x):
        return -ord(x) if self.listed == ["1"] else ord(x)
    def __contains__(self, item):
        for x in self.items:
            if x == item:
                return True
        return False
    def __eq__(self, other):
        return self.listed == other
    def __str__(self):
        return "".join([x for x in self.items])
    def __getitem__(self, which):
        return [x for x in self.items][which]
"""
    result = raced(made_of("run_as_a_whole", text), "take()", "look()", runtime=runtime)
    assert "not-atomic" in kinds(result)


def library_of(module: types.ModuleType, text: str) -> None:
    """Have a module consist of a text that is in no file."""
    file = module.__file__ or "?"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), vars(module))
    sys.modules[module.__name__] = module


def orders(threads: list[list[str]]) -> Iterator[list[tuple[int, str]]]:
    """Every order of some calls that keeps each thread's own, each call with its thread."""
    marks = [number for number, calls in enumerate(threads) for _ in calls]
    for order in sorted(set(itertools.permutations(marks))):
        left = [iter(calls) for calls in threads]
        yield [(number, next(left[number])) for number in order]


def outcomes_of_whole_calls(kind: type, threads: list[list[str]]) -> set[object]:
    """What real calls give, in every order."""
    return {asyncio.run(outcome_of(kind, len(threads), order)) for order in orders(threads)}


async def outcome_of(kind: type, threads: int, order: list[tuple[int, str]]) -> object:
    """What real calls give in one order."""
    thing: Any = kind()
    given: dict[int, list[str]] = {number: [] for number in range(threads)}
    ended = set()
    for number, call in order:
        if number in ended:
            continue
        try:
            result = getattr(thing, call)()
            result = await result if inspect.iscoroutine(result) else result
            given[number].append(repr(result))
        except Exception as error:
            given[number].append(f"raised {error!r}")
            ended.add(number)
    state = (thing.a, thing.b, repr(thing.items), repr(thing.seen))
    return state, tuple(tuple(each) for each in given.values())


def outcomes_in_parallel(result: ModelResult, threads: list[list[str]]) -> set[object]:
    """What interleavings end with, as a search counts them."""
    found = set()
    assert result.interleavings is not None
    for outcome in result.interleavings.outcomes:
        state = {"thing.a": 0, "thing.b": 0, "thing.items": [1], "thing.seen": {2: 0}}
        state |= {name: value for name, value in outcome.state if name in state}
        values = {name: show(value) for name, value in outcome.state}
        given = []
        for calls in threads:
            text = "; ".join(f"{each}()" for each in calls)
            names = [f"result {n + 1} of {text}" for n in range(len(calls))]
            names = names if len(calls) > 1 else [f"result of {text}"]
            given.append(tuple(values[name] for name in names if name in values))
        shown = (state["thing.a"], state["thing.b"], repr(state["thing.items"]))
        found.add(((*shown, repr(state["thing.seen"])), tuple(given)))
    return found


@pytest.mark.parametrize("seed", sample(8, range(32)))
def test_random_classes_against_real_calls(seed: int) -> None:
    chance = random.Random(seed)
    text = random_class(chance, is_async=seed % 4 == 3)
    module = types.ModuleType(f"random_class_{seed}")
    module.__file__ = f"random_class_{seed}.py"
    library_of(module, text)
    threads = [["one"], ["two", "three"]] if seed % 2 else [["one"], ["two"], ["three"]]
    calls = ["; ".join(f"{each}()" for each in one) for one in threads]
    result = raced(module.Thing, *calls, engine="reference" if seed % 3 else "auto")
    whole = outcomes_of_whole_calls(module.Thing, threads)
    parallel = outcomes_in_parallel(result, threads)
    if seed % 4 != 3:  # two calls of a task have no other one in between, if none of them waits
        assert parallel >= whole
    assert result.compared is not None, text
    assert result.compared.outcomes == len(parallel), text
    assert result.compared.explained == len(parallel & whole), text
    assert ("not-atomic" in kinds(result)) is (not parallel <= whole)
