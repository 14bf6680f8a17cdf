"""Each thing that a model may not do: where it is, what is wrong with it, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from programs import model
from running import load

from interleave import InterleaveError, ModelError, check


@dataclass
class Case:
    body: str
    at: str
    what: str
    remedy: str
    parts: dict[str, str] = field(default_factory=dict)


def case(body: str, *, at: str, what: str, remedy: str, **parts: str) -> Case:
    return Case(body, at, what, remedy, parts)


CASES = {
    "an object of C that changes": case(
        "self.x = next(CYCLE)",
        header="import itertools\nCYCLE = itertools.cycle([1])",
        at="CYCLE",
        what="CYCLE is a itertools.cycle, of which the checker cannot see who changes it",
        remedy="keep what threads share in attributes of the model, in objects of classes of your own, lists, dicts, sets or deques",
    ),
    "an attribute that no code could name": case(
        "setattr(self, 'a|b', 1)",
        at="setattr(self, 'a|b', 1)",
        what="this sets an attribute named 'a|b', which is no name that code could have",
        remedy="keep what has such a name in a dict",
    ),
    "an object that says what its class is": case(
        "self.x = isinstance(Proxy(), int)",
        header="class Proxy:\n    @property\n    def __class__(self):\n        return int",
        at="Proxy()",
        what="a Proxy says itself what its __class__ is, which has no modelled counterpart",
        remedy="use what it stands for",
    ),
    "local lambda in a comprehension": case(
        "k = 2\nfs = [lambda v=1: v + k for _ in (1,)]\nself.x = 1\nself.x = fs[0]()",
        at="self.x = 1",
        what="local variable 'fs' cannot be kept from one step to the next: a lambda is made by a running thread or holds variables of its surroundings",
        remedy="use it within one statement, or keep numbers, strings, tuples, lists and the like",
    ),
    "for map lambda in a comprehension": case(
        "for i in map([lambda v: v + self.x for _ in 'a'][0], [1, 2]):\n    self.x = i",
        at="for i in map([lambda v: v + self.x for _ in 'a'][0], [1, 2]):",
        what="what this loop goes through cannot be kept from one step to the next: a lambda is made by a running thread or holds variables of its surroundings",
        remedy="make a list of it first: `for x in list(...)`",
    ),
    "shared lambda in a comprehension": case(
        "self.x = [lambda: v for v in (1, 2)]",
        at="[lambda: v for v in (1, 2)]",
        what="a temporary value cannot be kept from one step to the next: a lambda is made by a running thread or holds variables of its surroundings",
        remedy="use it within one statement, or keep numbers, strings, tuples, lists and the like",
    ),
    "random by another name": case(
        "self.x = sorted([1, 2], key=chance)[0]",
        header="import random\ndef chance(x): return (1 +\n    random.random())",
        at="random.random",
        what="random.random has no modelled counterpart",
        remedy="use choose([...]): every possibility is then explored",
    ),
    "a thread that never comes to a switch point": case(
        "n = 0\nwhile True:\n    n = 1 - n",
        at="while True:",
        what="thread run never comes to a switch point again: this loop does not end",
        remedy="a loop that waits must look at shared state; one inside atomic() must end",
    ),
    "local file": case(
        "import io\nf = io.StringIO()\nself.x = 1\nf.write('a')",
        at="io.StringIO",
        what="io.StringIO has no modelled counterpart",
        remedy="do it outside the model, or write down what it does in the model",
    ),
    "shared view": case(
        "self.x = memoryview(b'')",
        at="self.x = memoryview(b'')",
        what="shared variable 'x' is given a value that cannot be shared: a memoryview cannot be kept in a state",
        remedy="use numbers, strings, bytes, tuples, lists, dicts, sets, deques or objects of classes of your own",
    ),
    "object local": case(
        "m = memoryview(b'a')\nself.x = 1\nself.x = len(m)",
        at="self.x = 1",
        what="local variable 'm' cannot be kept from one step to the next: a memoryview cannot be kept in a state",
        remedy="use it within one statement, or keep numbers, strings, tuples, lists and the like",
    ),
    "for takewhile": case(
        "import itertools\nfor i in itertools.takewhile(lambda i: self.x == 0, [1, 2]):\n    self.x = i",
        shared="x=0",
        at="for i in itertools.takewhile(lambda i: self.x == 0, [1, 2]):",
        what="a loop over 'takewhile' touches shared state when it takes items",
        remedy="make a list of it first: `for x in list(...)`, or write the loops out",
    ),
    "shared uncapturable": case(
        "self.x = 1",
        shared="x = 0\nf = iter({})",
        at="f",
        what="shared variable 'f' holds a dict_keyiterator, which cannot be part of a state",
        remedy="keep numbers, strings, None, enums, tuples, frozen dataclasses, lists, dicts, sets, deques or modelled primitives in shared variables",
    ),
    "store a view": case(
        "self.x = memoryview(b'a')",
        at="self.x = memoryview(b'a')",
        what="shared variable 'x' is given a value that cannot be shared: a memoryview cannot be kept in a state",
        remedy="use numbers, strings, bytes, tuples, lists, dicts, sets, deques or objects of classes of your own",
    ),
    "store file in list": case(
        "self.items.append({1: memoryview(b'')})",
        shared="items = []",
        at="self.items.append({1: memoryview(b'')})",
        what="shared variable 'items' is given a value that cannot be shared: a memoryview cannot be kept in a state",
        remedy="use numbers, strings, bytes, tuples, lists, dicts, sets, deques or objects of classes of your own",
    ),
    "yield": case(
        "yield self.x",
        at="def run(self):",
        what="thread run is a generator: to call it runs nothing",
        remedy="leave `yield` out: what it gives, nobody takes",
    ),
    "nested class": case(
        "class A:\n    pass\nself.x = 1",
        at="class A:",
        what="a class is defined inside a thread: A",
        remedy="define it at the top of the file",
    ),
    "async thread": case(
        "self.x = 1",
        methods="@thread\nasync def t(self):\n    self.x = 2",
        at="async def t(self):",
        what="thread t is `async def`",
        remedy="mark it with @task: an event loop runs it",
    ),
    "shared coroutine": case(
        "self.x = self.f()",
        methods="async def f(self):\n    return 2",
        at="self.x = self.f()",
        what="shared variable 'x' is given a value that cannot be shared: a coroutine is for the "
        "task that made it (make it a task)",
        remedy="use numbers, strings, bytes, tuples, lists, dicts, sets, deques or objects of "
        "classes of your own",
    ),
    "random": case(
        "self.x = random.random()",
        header="import random",
        at="random.random",
        what="random.random has no modelled counterpart",
        remedy="use choose([...]): every possibility is then explored",
    ),
    "random from": case(
        "self.x = randint(1, 2)",
        header="from random import randint",
        at="randint",
        what="randint has no modelled counterpart",
        remedy="use choose([...]): every possibility is then explored",
    ),
    "open": case(
        "open('f')",
        at="open",
        what="open() has no modelled counterpart",
        remedy="keep what it needs in shared variables",
    ),
    "time": case(
        "self.x = time.process_time()",
        at="time.process_time",
        what="time.process_time has no modelled counterpart",
        remedy="a model has one clock: time.time(), time.monotonic() and time.perf_counter() read it",
    ),
    "hash": case(
        "self.x = hash('a')",
        at="hash('a')",
        what="hash() outside of __hash__, of what is no number, has no modelled counterpart",
        remedy="it differs between runs: use the value itself",
    ),
    "dir": case(
        "self.x = len(dir())",
        at="dir",
        what="dir() has no modelled counterpart",
        remedy="name the variables",
    ),
    "strftime": case(
        "self.x = time.strftime('%H')",
        at="time.strftime",
        what="time.strftime has no modelled counterpart",
        remedy="a model has one clock: time.time(), time.monotonic() and time.perf_counter() read it",
    ),
    "stack size": case(
        "s = threading.stack_size()",
        at="threading.stack_size",
        what="threading.stack_size has no modelled counterpart",
        remedy="do it outside the model, or write down what it does in the model",
    ),
    "bare raise": case(
        "raise",
        at="raise",
        what="`raise` alone stands outside `except`",
        remedy="name the exception: pass it to the function that is to raise it again",
    ),
    "inside": case(
        "self.x = self.inside('a')",
        at="self.inside('a')",
        what="a thread calls self.inside()",
        remedy="call it from an @invariant or @postcondition; a thread cannot see what inside() tells",
    ),
    "choose none": case(
        "choose([])",
        at="choose([])",
        what="choose() has nothing to choose from",
        remedy="give it one option or more",
    ),
    "recursion": case(
        "self.f()",
        methods="def f(self):\n    self.f()",
        at="self.f()",
        what="M.f calls itself more than 200 deep",
        remedy="end the recursion sooner, or write a loop",
    ),
    "nested access": case(
        "self.items[At(self)] = 1",
        header="class At:\n    def __init__(self, model): self.model = model\n"
        "    def __index__(self): return self.model.x",
        shared="items = [2, 1]\nx = 0",
        methods="@thread\ndef w(self): self.x = 1",
        at="self.items[At(self)] = 1",
        what="an access (read x) happens inside another one (write)",
        remedy="compute what it needs before: a key function or comparison must not touch shared state; "
        "tuples (priority, number, item) of different numbers compare without the items, and so do "
        "objects of a @dataclass(order=True, frozen=True)",
    ),
    **{
        f"the text of a container: {text}": case(
            f"self.items{adds}\nself.x = {text}",
            shared=f"items = {items}\nx = 0",
            at=text,
            what="an access (read run#1) happens inside another one (read): the text of items is made in one "
            "access, and there are objects in it that threads share",
            remedy="make a text of its items one by one, in a `for` loop; or json.dumps of all",
        )
        for text, items, adds in [
            ("str(self.items)", "[]", ".append({1: 2})"),
            ("f'{self.items}'", "{}", "[0] = [1]"),
            ("'%r' % [self.items]", "[]", ".append([1])"),
        ]
    },
    "set of objects": case(
        "s = {A(), A()}\nself.x = 1\nself.x = len(s)",
        header="class A: pass",
        at="self.x = 1",
        what="local variable 's' cannot be kept from one step to the next: a set of a A has no order that is always the same",
        remedy="use it within one statement, or keep numbers, strings, tuples, lists and the like",
    ),
    "iterate set of objects": case(
        "for _ in {A(), A()}: self.x = 1",
        header="class A: pass",
        at="for _ in {A(), A()}: self.x = 1",
        what="this set has no order that is the same in every run: it holds an A",
        remedy="use a list, or a dict with numbers or strings as keys",
    ),
    "shared set of locks": case(
        "self.x = 1",
        shared="x = 0\nlocks = {threading.Lock()}",
        at="locks",
        what="this set has no order that is the same in every run: it holds a lock",
        remedy="use a list, or a dict with numbers or strings as keys",
    ),
    "exec": case(
        "exec('self.x = 1')",
        at="exec",
        what="exec() has no modelled counterpart",
        remedy="write the code out",
    ),
    "infinite iterator": case(
        "import itertools\nfor i in itertools.repeat(3):\n    self.x = i",
        at="for i in itertools.repeat(3):",
        what="this loop iterates over more than 100,000 items that cannot be kept in a state",
        remedy="iterate over a range, tuple or list, or use a `while` loop",
    ),
    "section name": case(
        "with section(1):\n    pass",
        at="section(1)",
        what="section(1): the name is not a string",
        remedy='write section("critical")',
    ),
    "more accesses than a statement may have": case(
        "self.cells[0] = 1\nself.x = sum((self.cells[i % 2] for i in range(400)), 0)",
        shared="cells = array([0, 1])\nx = 0",
        at="self.x = sum((self.cells[i % 2] for i in range(400)), 0)",
        what="this statement performs more than 300 accesses",
        remedy="write it as a loop of the thread: `for ...:` with one access in it",
    ),
    "a loop in atomic that does not end": case(
        "with atomic():\n    while self.x == 0:\n        pass",
        at="self.x == 0",
        what="thread run never comes to a switch point again, inside atomic(): this loop does not end",
        remedy="a loop that waits must look at shared state; one inside atomic() must end",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_error(tmp_path: Path, name: str) -> None:
    wrong = CASES[name]
    file = tmp_path / "model.py"
    file.write_text(model(wrong.body, **wrong.parts))
    with pytest.raises(InterleaveError) as raised:
        check(file)
    error = raised.value
    assert isinstance(error, ModelError)
    assert (error.what, error.remedy) == (wrong.what, wrong.remedy)
    place = error.place
    assert place is not None
    assert place.file == str(file)
    line = file.read_text().splitlines()[place.line - 1]
    assert line[place.column : place.end_column] == wrong.at
    assert str(error).startswith(f"{file}:{place.line}:{line.index(wrong.at) + 1}: {wrong.what}\n")
    assert f"| {line.expandtabs(4)}\n" in str(error)
    assert "^" * len(wrong.at) in str(error)


@pytest.mark.parametrize(
    "code", ["raise ValueError(Thing())", "raise KeyError([Thing()])", "{}[Thing()]"]
)
def test_where_an_object_is_does_not_matter(tmp_path: Path, code: str) -> None:
    text = f"""
from interleave import Model, thread
class Thing:
    def __init__(self):
        self.x = 1
class M(Model):
    @thread(2)
    def t(self):
        {code}
"""
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert {each.kind for each in result.violations} == {"exception"}
    assert "0x" not in str([each.message for each in result.violations])


def test_a_step_that_is_not_deterministic(tmp_path: Path) -> None:
    settings = '[tool.interleave]\npure = ["random.random"]'
    (tmp_path / "pyproject.toml").write_text(settings)
    file = tmp_path / "model.py"
    file.write_text(model("self.x = random.random()", header="import random"))
    with pytest.raises(ModelError) as raised:
        check(file)
    error = raised.value
    assert error.what == (
        "this step is not deterministic: run twice on the same state, it gave two results"
    )
    assert error.remedy == (
        "a step may depend only on shared variables and locals of its thread; "
        "let choose([...]) decide what is open"
    )
    assert error.place is not None
    line = file.read_text().splitlines()[error.place.line - 1]
    assert line[error.place.column : error.place.end_column] == "self.x = random.random()"


def test_setup_that_fails(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(model("self.x = 1", methods="def setup(self):\n    self.x = 1 // 0"))
    with pytest.raises(ModelError, match="setup raises ZeroDivisionError") as raised:
        check(file)
    assert "self.x = 1 // 0" in str(raised.value)


@pytest.mark.parametrize(
    ("methods", "at", "what", "remedy"),
    [
        (
            "def __init__(self):\n    self.x = 1",
            "def __init__(self):",
            "model M has an __init__, which is not run",
            "call it setup: `def setup(self):`",
        ),
        (
            "@invariant\ndef low(self):\n    self.x <= 2",
            "self.x <= 2",
            "the invariant low neither returns anything nor asserts: it cannot fail",
            "write `return self.x <= 2`",
        ),
        (
            "@postcondition\ndef low(self):\n    most = 2\n    all(self.x <= n for n in [most])",
            "all(self.x <= n for n in [most])",
            "the postcondition low neither returns anything nor asserts: it cannot fail",
            "write `return all((self.x <= n for n in [most]))`",
        ),
    ],
)
def test_methods_that_would_do_nothing(
    tmp_path: Path, methods: str, at: str, what: str, remedy: str
) -> None:
    file = tmp_path / "model.py"
    file.write_text(model("self.x = 1", methods=methods))
    with pytest.raises(ModelError) as raised:
        check(file)
    error = raised.value
    assert (error.what, error.remedy) == (what, remedy)
    assert error.place is not None
    line = file.read_text().splitlines()[error.place.line - 1]
    assert line.strip() == at


@pytest.mark.parametrize(
    "body",
    [
        "self.at_most_two()",
        "at_most_two(self)",
        "assert self.x <= 2",
        "if self.x > 2:\n        raise AssertionError",
    ],
)
def test_a_property_may_leave_it_to_others_to_assert(tmp_path: Path, body: str) -> None:
    file = tmp_path / "model.py"
    helpers = "def at_most_two(self):\n    assert self.x <= 2"
    methods = f"{helpers}\n@invariant\ndef low(self):\n    {body}"
    file.write_text(model("self.x = 3", methods=methods, header=helpers))
    (found,) = check(file).models
    assert [violation.kind for violation in found.violations] == ["invariant"]


def test_setup_that_is_atomic(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(model("self.x = 1", methods="def setup(self):\n    with atomic(): pass"))
    with pytest.raises(ModelError, match=r"setup cannot use atomic\(\)"):
        check(file)


@pytest.mark.slow
def test_a_step_that_takes_too_long(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(model("n = 0\nwhile n < 60000:\n    n += 1\nself.x = n"))
    with pytest.raises(ModelError, match="runs more than 50,000 statements"):
        check(file)


def test_annotations_and_names_of_comprehensions_are_no_uses(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    text = model(
        "when: datetime.date\nself.x = len([hash for hash in (1, 2)]) + (lambda open: open)(1)",
        header="import datetime",
        methods="def helper(self, t: datetime.time) -> datetime.date: ...",
    )
    file.write_text(text)
    assert check(file).models[0].verdict == "verified"


def test_a_method_of_a_lock_that_is_its_own(tmp_path: Path) -> None:
    header = "import threading\nrelease = threading.RLock()._at_fork_reinit"
    file = tmp_path / "model.py"
    file.write_text(model("self.x = release()", header=header))
    with pytest.raises(InterleaveError, match="release is the method _at_fork_reinit of a RLock"):
        check(file)
