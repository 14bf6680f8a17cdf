"""Members of a model: each does what it says, or is an error with a place and a remedy."""

from __future__ import annotations

import itertools
import re
import textwrap
from pathlib import Path

import pytest

from interleave import InterleaveError, check
from interleave.result import Result

HEADER = """
import asyncio, contextlib, functools, multiprocessing, os, queue, random, threading, time, uuid
from abc import abstractmethod
from collections import deque
from dataclasses import dataclass, field
from random import randint
from typing import final
from interleave import *


def fails(self):
    assert self.x == 7


def bare(function):
    def inner(self):
        return function(self)
    return inner


def wrapping(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner


def lost(function):
    return 3


@dataclass
class Box:
    value: object = 0


@dataclass
class ByChance:
    value: float = field(default_factory=random.random)


@dataclass
class ByClock:
    value: float = field(default_factory=time.time)

"""

MODEL = """
class M(Model):
    N = param(2)
    x = 0

    @thread
    def other(self):
        self.x = 1
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "model.py"
    outside = "OUTSIDE = param(7)\n" if "OUTSIDE" in text else ""
    file.write_text(HEADER + outside + text)
    return file


def with_member(folder: Path, member: str, model: str = MODEL) -> Path:
    return written(folder, model + textwrap.indent(member, "    ") + "\n")


def outcome(file: Path, **options: object) -> Result | InterleaveError:
    """What a check gives. An error has a remedy, and its place is a line of the file."""
    try:
        return check(file, **options)  # type: ignore[arg-type]
    except InterleaveError as error:
        assert error.remedy, error
        assert error.place is not None, error
        assert error.place.file == str(file), error
        assert error.place.excerpt(), error
        return error


def kinds(result: Result) -> set[str]:
    return {violation.kind for each in result.models for violation in each.violations}


def line_of(file: Path, error: InterleaveError) -> str:
    assert error.place is not None
    return file.read_text().splitlines()[error.place.line - 1].strip()


# What is marked

MARKS = ("thread", "process", "task", "goroutine", "invariant", "postcondition")

DECORATORS = (
    "staticmethod", "classmethod", "property", "functools.cache", "functools.lru_cache(None)",
    "functools.cached_property", "functools.partialmethod", "functools.singledispatch",
    "functools.singledispatchmethod", "contextlib.contextmanager", "abstractmethod", "final",
    "bare", "wrapping", "lost", "thread", "invariant", "expect('deadlock')", "expect",
)  # fmt: skip

BODY = "    assert self.x == 7\n"

FORMS = {
    "plain": "@MARK\ndef m(self):\n" + BODY,
    "async": "@MARK\nasync def m(self):\n" + BODY,
    "generator": "@MARK\ndef m(self):\n" + BODY + "    yield",
    "async generator": "@MARK\nasync def m(self):\n" + BODY + "    yield",
    "lambda": "m = MARK(lambda self: fails(self))",
    "function": "m = MARK(fails)",
    "partial": "m = MARK(functools.partial(fails))",
    "bound method": "m = MARK(Box().__eq__)",
    "class": "@MARK\nclass m:\n    pass",
    "number": "m = MARK(2.5)",
    "nothing": "m = MARK(None)",
    "in a list": "m = [MARK(lambda self: fails(self))]",
    "in a branch": "if True:\n    @MARK\n    def m(self):\n    " + BODY,
    "in a loop": "for _ in range(2):\n    @MARK\n    def m(self):\n    " + BODY,
    "deleted": "@MARK\ndef m(self):\n" + BODY + "del m",
    "overwritten": "@MARK\ndef m(self):\n" + BODY + "m = 0",
    "private": "@MARK\ndef __m(self):\n" + BODY,
    "in a class": "class A:\n    @MARK\n    def m(self):\n    " + BODY,
    "setup": "@MARK\ndef setup(self):\n" + BODY,
    "inside": "@MARK\ndef inside(self):\n" + BODY,
    "called": "@MARK()\ndef m(self):\n" + BODY,
    "unknown argument": "@MARK(after='other')\ndef m(self):\n" + BODY,
    "two arguments": "@MARK(2, 2)\ndef m(self):\n" + BODY,
    "no self": "@MARK\ndef m():\n    assert False",
    "anything": "@MARK\ndef m(*all):\n    assert False",
    "self and anything": "@MARK\ndef m(self, *all):\n" + BODY,
    "default": "@MARK\ndef m(self, i=0):\n" + BODY,
    "two defaults": "@MARK\ndef m(self, i=0, *, j=2):\n" + BODY,
    "keyword with default": "@MARK\ndef m(self, *, j=2, **more):\n" + BODY,
    "keyword": "@MARK\ndef m(self, *, j):\n" + BODY,
    "three": "@MARK\ndef m(self, i, j):\n" + BODY,
    **{
        f"{decorator} {where}{kind}": (
            "".join(f"@{each}\n" for each in order) + f"{kind}def m(self):\n{BODY}"
        )
        for decorator in DECORATORS
        for kind in ("", "async ")
        for where, order in (("above ", (decorator, "MARK")), ("below ", ("MARK", decorator)))
    },
}  # fmt: skip

WORK = {
    "plain", "lambda", "function", "inside", "in a branch", "private", "default", "two defaults",
    "keyword with default",
    *[
        f"{decorator} {where} "
        for decorator in ("abstractmethod", "final", "wrapping")
        for where in ("above", "below")
    ],
    "bare below ",
}  # fmt: skip
"""What does as a method that is marked, whatever it is marked as but a task."""

ASYNC = {
    "async",
    *[
        f"{decorator} {where} async "
        for decorator in ("abstractmethod", "final")
        for where in ("above", "below")
    ],
}
"""What does as a task."""


def works(mark: str, form: str) -> bool:
    if mark == "task":
        return form in ASYNC
    if form == "called":
        return mark in ("process", "thread", "goroutine")
    if form == "self and anything":
        return mark in ("invariant", "postcondition")
    return form in WORK


@pytest.mark.parametrize("form", FORMS)
def test_what_is_marked_has_effect_or_is_refused(tmp_path: Path, form: str) -> None:
    is_simple = not form.startswith(DECORATORS)
    for mark in MARKS if is_simple else ("thread", "task", "postcondition"):
        kind = mark if mark in ("invariant", "postcondition") else "assertion"
        model = MODEL.replace("@thread", "@goroutine") if mark == "goroutine" else MODEL
        file = with_member(tmp_path, FORMS[form].replace("MARK", mark), model)
        found = outcome(file)
        if works(mark, form):
            assert not isinstance(found, InterleaveError), (mark, found)
            assert kinds(found) & {kind, "exception"}, mark
        else:
            assert isinstance(found, InterleaveError), (mark, found.models)


@pytest.mark.parametrize(
    "count", ["0", "-1", "True", "10**9", "2.5", "None", "[2]", "'2'", "N + 1", "-N", "OUTSIDE"]
)
def test_numbers_of_instances_that_are_none(tmp_path: Path, count: str) -> None:
    for argument in (count, f"count={count}"):
        member = f"@thread({argument})\ndef m(self):\n    self.x = 2"
        error = outcome(with_member(tmp_path, member))
        assert isinstance(error, InterleaveError)


@pytest.mark.parametrize("daemon", ["1", "None", "'yes'"])
def test_daemons_that_are_neither(tmp_path: Path, daemon: str) -> None:
    file = with_member(tmp_path, f"@thread(daemon={daemon})\ndef m(self):\n    self.x = 2")
    error = outcome(file)
    assert isinstance(error, InterleaveError)
    assert line_of(file, error).startswith("@thread")


def test_a_thread_is_given_its_index_where_it_takes_one(tmp_path: Path) -> None:
    for parameters in ("self, i", "self, i, /", "self, i=5", "self, i, j=2", "self, i, **more"):
        member = f"@thread(2)\ndef m({parameters}):\n    assert i == 0"
        found = outcome(with_member(tmp_path, member))
        assert isinstance(found, Result)
        assert [each.threads for each in found.models[0].violations] == [("m[1]",)]


@pytest.mark.parametrize(
    "text",
    [
        "@thread\ndef m(self):\n    pass\n",
        "m = thread(lambda self: None)\n",
        "class A:\n    @thread\n    def m(self):\n        pass\n",
        "class A:\n    @invariant\n    def m(self):\n        return False\n",
    ],
)
def test_marks_outside_of_every_model(tmp_path: Path, text: str) -> None:
    for whole in (MODEL + text, text + MODEL, text):
        error = outcome(written(tmp_path, whole))
        assert isinstance(error, InterleaveError)
        assert "which is no method of a model" in error.what


def test_marks_in_what_a_model_derives_from(tmp_path: Path) -> None:
    mixin = "class A:\n    @invariant\n    def m(self):\n        return False\n"
    found = outcome(written(tmp_path, mixin + MODEL.replace("(Model)", "(A, Model)")))
    assert isinstance(found, Result)
    assert kinds(found) == {"invariant"}


# Two members of one name

DEFINITIONS = {
    "helper": "def m(self):\n    return 1",
    "static": "@staticmethod\ndef m():\n    return 1",
    "property": "@property\ndef m(self):\n    return 1",
    "thread": "@thread\ndef m(self):\n    self.x = 2",
    "task": "@task\nasync def m(self):\n    self.x = 2",
    "invariant": "@invariant\ndef m(self):\n    return True",
    "data": "m = 1",
    "annotated": "m: int = 1",
    "class": "class m:\n    pass",
}


@pytest.mark.parametrize("first", DEFINITIONS)
def test_of_two_members_of_one_name_none_is_lost(tmp_path: Path, first: str) -> None:
    for second in DEFINITIONS.values():
        file = with_member(tmp_path, f"{DEFINITIONS[first]}\n{second}")
        error = outcome(file)
        assert isinstance(error, InterleaveError)
        assert "has two members named m" in error.what
        lines = file.read_text().splitlines()
        last = max(i for i, line in enumerate(lines) if re.search(r"\bm\b.*[:=(]", line))
        assert error.place is not None
        assert error.place.line == last + 1


@pytest.mark.parametrize(
    "member",
    [
        "@property\ndef m(self):\n    return 1\n@m.setter\ndef m(self, value):\n    pass",
        "m = 1\nm += 1",
        "m = 1\nm = [m]",
        "def m(self): ...\nk = m\ndef m(self): ...",
        "if True:\n    m = 1\nelse:\n    m = 2",
        "try:\n    m = 1\nexcept ValueError:\n    m = 2",
        "@functools.singledispatchmethod\ndef m(self, a): ...\n"
        "@m.register\ndef _(self, a: int): ...\n@m.register\ndef _(self, a: str): ...",
        "m = 1\ndel m\nm = 2",
    ],
)
def test_a_name_that_is_used_before_it_is_given_again(tmp_path: Path, member: str) -> None:
    assert isinstance(outcome(with_member(tmp_path, member)), Result)


def test_of_two_models_of_one_name_none_is_lost(tmp_path: Path) -> None:
    for above in ("", "@expect(nothing)"):
        file = written(tmp_path, above + MODEL + above + MODEL)
        error = outcome(file)
        assert isinstance(error, InterleaveError)
        assert "there are two models named M" in error.what
    derived = "class M(M):\n    @thread\n    def m(self):\n        self.x = 2\n"
    assert isinstance(outcome(written(tmp_path, MODEL + derived)), Result)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["thread", "invariant"])
def test_what_takes_the_place_of_a_marked_method_is_marked(tmp_path: Path, first: str) -> None:
    base = MODEL + textwrap.indent(DEFINITIONS[first], "    ") + "\n"
    for second, text in {**DEFINITIONS, "none": "m = None"}.items():
        for derived in (
            f"class D(M):\n{textwrap.indent(text, '    ')}\n",
            f"class A:\n{textwrap.indent(text, '    ')}\nclass D(A, M):\n    pass\n",
        ):
            found = outcome(written(tmp_path, base + derived))
            if second in ("thread", "task", "invariant", "none"):
                assert isinstance(found, Result), second
            else:
                assert isinstance(found, InterleaveError), second
                assert "takes the place of" in found.what


def test_an_override_is_what_counts(tmp_path: Path) -> None:
    for first, second in itertools.permutations(("True", "False")):
        base = textwrap.indent(f"@invariant\ndef m(self):\n    return {first}", "    ")
        derived = textwrap.indent(f"@invariant\ndef m(self):\n    return {second}", "    ")
        found = outcome(written(tmp_path, f"{MODEL}{base}\nclass D(M):\n{derived}\n"))
        assert isinstance(found, Result)
        verdicts = {each.model: each.verdict for each in found.models}
        assert verdicts["D"] == ("verified" if second == "True" else "violated")
        assert verdicts["M"] != verdicts["D"]


# Names that mean something

SETUPS = {
    "property": "@property\ndef setup(self): self.x = 4",
    "static": "@staticmethod\ndef setup(self): self.x = 4",
    "class method": "@classmethod\ndef setup(cls): cls.x = 4",
    "coroutine": "async def setup(self): self.x = 4",
    "generator": "def setup(self):\n    self.x = 4\n    yield",
    "parameter": "def setup(self, y): self.x = y",
    "keyword": "def setup(self, *, y): self.x = y",
    "no self": "def setup(): pass",
    "returns": "def setup(self): return 4",
    "returns a coroutine": "async def later(self): ...\ndef setup(self): return self.later()",
    "data": "setup = 4",
    "None": "setup = None",
    "cached": "@functools.cache\ndef setup(self): self.x = 4",
    "camel": "def setUp(self): self.x = 4",
    "apart": "def set_up(self): self.x = 4",
    "turned": "def setpu(self): self.x = 4",
    "init": "def init(self): self.x = 4",
    "__init__": "def __init__(self): self.x = 4",
    "__new__": "def __new__(cls): return object.__new__(cls)",
    "__post_init__": "def __post_init__(self): self.x = 4",
}


@pytest.mark.parametrize("name", SETUPS)
def test_setup_runs_or_is_refused(tmp_path: Path, name: str) -> None:
    assert isinstance(outcome(with_member(tmp_path, SETUPS[name])), InterleaveError)


@pytest.mark.parametrize(
    "parameters", ["self", "self, /", "self, y=4", "self, *y", "self, *, y=4, **more"]
)
def test_setup_has_effect(tmp_path: Path, parameters: str) -> None:
    member = f"def setup({parameters}): self.x = 4\n@invariant\ndef m(self): return self.x != 4"
    found = outcome(with_member(tmp_path, member))
    assert isinstance(found, Result)
    assert kinds(found) == {"invariant"}


@pytest.mark.parametrize(
    "member",
    [
        "RUNTIME = 'gil'",
        "RUNTIM = 'gil'",
        "MAX_STATES = 3",
        "ORDER = 'fifo'",
        "ORDER = 'fifoo'",
        "PIPE_CAPACTY = 1",
        "PIPE_CAPACITY = -1",
        "SPURIOUS_WAKEUPS = True",
        *[
            f"{text}\n@task\nasync def m(self): self.x = 2"
            for text in (
                "ORDER = 'fifoo'",
                "ORDR = 'fifo'",
                "order = 'fifo'",
                "CANCEL = 5",
                "CANCEL = 'nobody'",
                "CANCELS = 'm'",
                "def setup(self): self.CANCEL = 'm'",
            )
        ],
        "def setup(self): self.PIPE_CAPACITY = 1",
    ],
)
def test_names_of_settings(tmp_path: Path, member: str) -> None:
    file = with_member(tmp_path, member)
    error = outcome(file)
    assert isinstance(error, InterleaveError)
    assert line_of(file, error) == member.splitlines()[0]


@pytest.mark.slow
def test_a_member_that_has_the_name_of_a_question_is_what_it_says(tmp_path: Path) -> None:
    for member, asked in (
        ("def inside(self, name): return 3", "self.inside('a') == 3"),
        ("finished = 3", "self.finished == 3"),
        ("def setup(self): self.inside = 3", "self.inside == 3"),
        ("@property\ndef finished(self): return 3", "self.finished == 3"),
    ):
        for answer in ("", "not "):
            text = f"{member}\n@invariant\ndef m(self): return {answer}({asked})"
            found = outcome(with_member(tmp_path, text))
            assert isinstance(found, Result)
            assert kinds(found) == ({"invariant"} if answer else set())


def test_a_name_that_is_like_a_setting_may_be_used(tmp_path: Path) -> None:
    for name in ("RUNTIM", "ORDER", "order"):
        member = f"{name} = 2\n@thread\ndef m(self):\n    self.x = self.{name}"
        assert isinstance(outcome(with_member(tmp_path, member)), Result)


@pytest.mark.parametrize("name", ["other", "m", "N", "PIPE_CAPACITY"])
@pytest.mark.parametrize(
    "statement",
    ["self.NAME = 3", "self.NAME += 3", "setattr(self, 'NAME', 3)", "vars(self)['NAME'] = 3",
     "self.__dict__.update(NAME=3)", "object.__setattr__(self, 'NAME', 3)", "M.NAME = 3",
     "type(self).NAME = 3", "del self.NAME", "for self.NAME in (1, 2): pass"],
)  # fmt: skip
def test_what_a_model_keeps_is_not_set(tmp_path: Path, name: str, statement: str) -> None:
    if "+=" in statement and name != "N":
        return  # reads what has no number
    line = statement.replace("NAME", name)
    for where in ("def setup(self):", "@thread\ndef k(self):"):
        member = f"@invariant\ndef m(self): return True\n{where}\n    {line}"
        file = with_member(tmp_path, member)
        error = outcome(file)
        assert isinstance(error, InterleaveError), where
        assert line_of(file, error) in (line, where)


# Parameters

USES = (
    "N", "[N]", "(N, 1)", "{1: N}", "{N: 1}", "{N}", "N + 1", "2 * N", "-N", "not N", "N == 2",
    "N is None", "N or 3", "range(N)", "[0] * N", "[i for i in range(N)]", "f'{N}'", "f'{N!r}'",
    "str(N)", "isinstance(N, int)", "N.real", "max([N])", "Box(N)", "deque([N])", "array([N])",
    "threading.Barrier(N)", "threading.Semaphore(N)", "queue.Queue(N)", "asyncio.Queue(N)",
    "multiprocessing.Value('i', N)", "functools.partial(print, N)", "lambda self, n=N: n",
)  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_class_body_does_not_take_the_default_for_the_value(tmp_path: Path, use: str) -> None:
    for name in ("y", "y: object"):
        file = with_member(tmp_path, f"{name} = {use}")
        error = outcome(file, parameters={"N": 5})
        assert isinstance(error, InterleaveError)
        assert line_of(file, error) == f"{name} = {use}"


@pytest.mark.parametrize(
    "member",
    [
        "def helper(self, n=N): return n\n@thread\ndef m(self): self.x = self.helper()",
        "@thread\ndef m(self, n=N): self.x = n",
        "@invariant\ndef m(self, *, n=N): return n != 5",
        "@thread\ndef m(self): self.x = M.N",
        "@thread\ndef m(self): self.x = type(self).N",
        "@invariant\ndef m(self): return M.N == 5",
        "@thread\ndef m(self): self.x = OUTSIDE",
        "def setup(self): self.x = OUTSIDE",
        "def setup(self): self.x = M.N",
        "@thread\ndef m(self): self.x = param(3)",
        "def setup(self): self.x = param(3)",
        "@thread\ndef m(self): thread(self.other)",
        "K = OUTSIDE\nL = OUTSIDE",
        "N2 = N",
        *[
            f"K = param({default})"
            for default in ("[]", "{}", "set()", "object()", "(1, [])", "frozenset()", "", "1, 2")
        ],
    ],
)
def test_a_parameter_is_no_value(tmp_path: Path, member: str) -> None:
    assert isinstance(outcome(with_member(tmp_path, member)), InterleaveError)


def test_a_parameter_outside_of_every_model(tmp_path: Path) -> None:
    file = written(tmp_path, f"UNUSED = param(3)\n{MODEL}")
    error = outcome(file)
    assert isinstance(error, InterleaveError)
    assert line_of(file, error) == "UNUSED = param(3)"


def test_the_value_that_is_given_is_used_everywhere(tmp_path: Path) -> None:
    member = (
        "def setup(self): self.y = [self.N]\n"
        "def helper(self): return self.N\n"
        "@thread(N)\ndef m(self): self.x = self.helper()\n"
        "@invariant\ndef five(self): return self.y == [5] and self.N == 5\n"
        "@postcondition\ndef set(self): return self.x in (1, 5)\n"
    )
    found = outcome(with_member(tmp_path, member), parameters={"N": 5})
    assert isinstance(found, Result)
    assert not kinds(found)


def test_a_parameter_that_a_derived_model_fixes(tmp_path: Path) -> None:
    member = "    @thread(N)\n    def m(self, i): assert i < 2\n"
    text = f"{MODEL}{member}class D(M):\n    N = 3\nclass E(M):\n    N = param(3)\n"
    found = outcome(written(tmp_path, text))
    assert isinstance(found, Result)
    assert [each.verdict for each in found.models] == ["verified", "violated", "violated"]


@pytest.mark.parametrize("value", [[1], {}, object(), (1, [2]), 1.5, True, "a", None])
def test_values_that_a_parameter_cannot_have(tmp_path: Path, value: object) -> None:
    file = with_member(tmp_path, "K = param(None)")
    with pytest.raises(InterleaveError, match="parameter N of M cannot be"):
        check(file, parameters={"N": value})
    if isinstance(value, list | dict) or type(value) is object or value == (1, [2]):
        with pytest.raises(InterleaveError, match="parameter K of M cannot be"):
            check(file, parameters={"K": value})


def test_a_parameter_that_is_unknown(tmp_path: Path) -> None:
    file = with_member(tmp_path, "WORKERS_AT_WORK = param(2)")
    with pytest.raises(InterleaveError) as raised:
        check(file, parameters={"WORKER_AT_WORK": 3})
    assert "did you mean 'WORKERS_AT_WORK'?" in raised.value.remedy


# Properties

RESULTS = {
    "self.x": "bool(...)", "1": "bool(...)", "0": "bool(...)", "'no'": "bool(...)", "[]": "bool",
    "(self.x == 9,)": "bool", "self.helper": "`()`", "self.other": "`()`", "print": "`()`",
    "lambda: False": "`()`", "self.x in (0, 1) and self.x": "bool", "self.later()": "bool",
}  # fmt: skip


@pytest.mark.parametrize("result", RESULTS)
def test_a_property_returns_a_bool(tmp_path: Path, result: str) -> None:
    helpers = "def helper(self): return False\nasync def later(self): return False\n"
    for mark in ("invariant", "postcondition"):
        file = with_member(tmp_path, f"{helpers}@{mark}\ndef m(self):\n    return {result}")
        error = outcome(file)
        assert isinstance(error, InterleaveError)
        assert line_of(file, error) == f"return {result}"
        assert RESULTS[result] in error.remedy


@pytest.mark.parametrize(
    "body",
    ["pass", "...", "'Says nothing.'", "ok = self.x == 9", "return None", "return"],
)
def test_a_property_can_fail(tmp_path: Path, body: str) -> None:
    error = outcome(with_member(tmp_path, f"@invariant\ndef m(self):\n    {body}"))
    assert isinstance(error, InterleaveError)
    assert "it cannot fail" in error.what


SECTIONS = """
@thread
def m(self):
    for i in (0, 1):
        with section(f's{i}'):
            self.x = i
    if self.x == 9:
        with section('rare'):
            self.x = 3
"""


@pytest.mark.parametrize(
    ("name", "exists"),
    [("'s0'", True), ("'s1'", True), ("'rare'", True), ("'s2'", False), ("'rar'", False),
     ("3", False), ("None", False), ("['s0']", False)],
)  # fmt: skip
def test_a_section_that_is_asked_for_exists(tmp_path: Path, name: str, *, exists: bool) -> None:
    for holds in ("== 0", "< 9"):
        member = f"{SECTIONS}@invariant\ndef k(self): return self.inside({name}) {holds}"
        found = outcome(with_member(tmp_path, member))
        assert isinstance(found, Result if exists else InterleaveError)


@pytest.mark.slow
def test_the_native_engine_knows_which_sections_exist(tmp_path: Path) -> None:
    for name, exists in (("s1", True), ("rar", False)):
        member = f"{SECTIONS}@invariant\ndef k(self): return self.inside({name!r}) < 9"
        found = outcome(with_member(tmp_path, member), engine="native")
        assert isinstance(found, Result if exists else InterleaveError)


def test_a_thread_that_is_asked_for_exists(tmp_path: Path) -> None:
    for asked in ("'othr'", "'other', 1", "3", "self.other"):
        member = f"@invariant\ndef k(self): return self.finished({asked}) in (True, False)"
        error = outcome(with_member(tmp_path, member))
        assert isinstance(error, InterleaveError)
        assert "there is no thread" in error.what
        assert "the threads are other" in error.remedy


# Expectations


@pytest.mark.parametrize(
    "arguments",
    ["['deadlock']", "('deadlock',)", "{'deadlock'}", "3", "None", "True", "", "'Deadlock'",
     "'deadlok'", "nothing, 'deadlock'", "nothing, nothing", "'deadlock', None",
     "'deadlock', runtime='gli'", "'deadlock', runtime=['gil']", "'deadlock', runtime='go'",
     "'deadlock', runtime='asyncio'", "'deadlock', rutime='gil'", "nothing, races=1",
     "'data-race', runtime='gil'"],
)  # fmt: skip
def test_expectations_that_can_never_be(tmp_path: Path, arguments: str) -> None:
    error = outcome(written(tmp_path, f"@expect({arguments}){MODEL}"))
    assert isinstance(error, InterleaveError)
    is_slip = arguments in ("'Deadlock'", "'deadlok'")
    assert ("did you mean 'deadlock'?" in error.remedy) is is_slip


@pytest.mark.parametrize(
    "text",
    [
        f"@expect{MODEL}",
        f"@expect('deadlock')\n@expect('stuck'){MODEL}",
        f"@expect('deadlock', runtime='gil')\n@expect('stuck', runtime='gil'){MODEL}",
        f"{MODEL}@expect('deadlock')\ndef f(): pass",
        f"{MODEL}@expect('deadlock')\nclass A: pass",
        "def derived(model):\n    class D(model): pass\n    return D\n"
        f"@derived\n@expect('deadlock'){MODEL}",
    ],
)
def test_expectations_that_would_be_lost(tmp_path: Path, text: str) -> None:
    assert isinstance(outcome(written(tmp_path, text)), InterleaveError)


def test_expectations_for_two_runtimes(tmp_path: Path) -> None:
    file = written(tmp_path, f"@expect('deadlock', runtime='gil')\n@expect(nothing){MODEL}")
    for runtime, passes in (("free-threaded", True), ("gil", False)):
        found = outcome(file, runtime=runtime)
        assert isinstance(found, Result)
        assert found.models[0].expected is passes


# Nothing is left to chance


@pytest.mark.parametrize(
    "value",
    ["random.random()", "random.randint(1, 3)", "randint(1, 3)", "random.choice([1])",
     "random.Random(3).randint(1, 3)", "uuid.uuid4()", "os.urandom(1)", "ByChance().value",
     "threading.get_ident()", "threading.current_thread().name"],
)  # fmt: skip
def test_setup_does_not_depend_on_chance(tmp_path: Path, value: str) -> None:
    file = with_member(tmp_path, f"def setup(self):\n    self.x = {value}")
    error = outcome(file)
    assert isinstance(error, InterleaveError)
    assert line_of(file, error) == f"self.x = {value}"


@pytest.mark.parametrize("where", ["def setup(self):", "@thread\ndef m(self):"])
def test_no_field_has_a_default_by_chance(tmp_path: Path, where: str) -> None:
    file = with_member(tmp_path, f"y = None\n{where}\n    self.y = ByChance()")
    error = outcome(file)
    assert isinstance(error, InterleaveError)
    assert line_of(file, error) == "self.y = ByChance()"
    assert "random.Random.random has no modelled counterpart" in error.what


@pytest.mark.parametrize("where", ["def setup(self):", "@thread\ndef m(self):"])
def test_a_field_may_have_what_the_clock_shows(tmp_path: Path, where: str) -> None:
    file = with_member(tmp_path, f"y = None\n{where}\n    self.y = ByClock()")
    assert not isinstance(outcome(file), InterleaveError)


@pytest.mark.parametrize("value", ["time.time()", "time.monotonic()", "ByClock().value"])
def test_setup_may_read_the_clock(tmp_path: Path, value: str) -> None:
    body = f"self.z = {value} - {value}\n    assert self.z == 0"
    file = with_member(tmp_path, f"def setup(self):\n    {body}")
    assert isinstance(outcome(file), Result)


@pytest.mark.parametrize(
    ("member", "is_run"),
    [
        ("def audit(self): assert self.x == 7", False),
        ("def invariant(self): return self.x == 7", False),
        ("async def audit(self): self.x = 7", False),
        ("def audit(self): self.x = 7\ndef setup(self): self.audit()", True),
        ("def audit(self): self.x = 7\ndef setup(self): getattr(self, 'audit')()", True),
        ("@property\ndef audit(self): return self.x", True),
        ("def __repr__(self): return 'm'", True),
    ],
)
def test_a_method_that_nothing_runs_is_warned_of(tmp_path: Path, member: str, is_run: bool) -> None:
    found = outcome(with_member(tmp_path, member))
    assert isinstance(found, Result)
    (result,) = found.models
    assert any("is not run: nothing calls it" in each for each in result.warnings) != is_run


def test_what_a_base_of_another_file_calls_is_run(tmp_path: Path) -> None:
    base = tmp_path / f"base_of_{tmp_path.name}.py"
    base.write_text(
        "class Base:\n    def step(self): ...\n    def run(self):\n        self.step(), self.hook()\n"
    )
    text = f"from {base.stem} import Base\n\nclass M(Base, Model):\n    x = 0\n    @thread\n"
    text += "    def t(self): self.run()\n"
    text += "    def step(self): self.x = 1\n    def hook(self): self.x = 2\n"
    found = outcome(written(tmp_path, text))
    assert isinstance(found, Result)
    assert found.models[0].warnings == ()
