"""Lost updates whose stale value travels through calls, captured variables and objects."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

MODEL = """
import contextlib
import sys
from functools import partial


class Total:
    def __init__(self):
        self.n = 0

    def put(self, value):
        self.n = value


class Job:
    def __init__(self, total, value):
        self.total = total
        self.value = value

    def run(self):
        self.total.n = self.value

    def clear(self):
        self.total.n = 0

    def take(self, *values):
        self.total.n = values[-1]

    __call__ = run


class Looks:
    def __init__(self, total):
        self.total = total

    def look(self):
        self.seen = self.total.n

    def write(self):
        self.total.n = self.seen + 1


def fill(job, value):
    job.value = value


def fill_through(job, value):
    fill(job, value)


def made(total, value):
    job = Job(total, 0)
    job.value = value
    return job


class Slow:
    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        self._value = value


@contextlib.contextmanager
def adding(total):
    value = total.n
    yield
    total.n = value + 1


def second(first, *others):
    return others[0]


class M(Model):
    def setup(self):
        self.total = Total()

    @thread(2)
    def run(self):
        t = self.total
        {body}
"""

LOSES = {
    "a partial": "partial(t.put, t.n + 1)()",
    "a partial in a variable": "f = partial(t.put, t.n + 1)\nf()",
    "a lambda": "v = t.n + 1\n(lambda: t.put(v))()",
    "a function inside": "v = t.n + 1\ndef f():\n    t.put(v)\nf()",
    "nonlocal": "v = 0\ndef f():\n    nonlocal v\n    v = t.n + 1\nf()\nt.n = v",
    "a bound method in a list": "f = [t.put]\nf[0](t.n + 1)",
    "a method": "j = Job(t, 0)\nj.value = t.n + 1\nj.run()",
    "what was given when it was made": "Job(t, t.n + 1).run()",
    "a call of an object": "Job(t, t.n + 1)()",
    "an object that a function fills": "j = Job(t, 0)\nfill(j, t.n + 1)\nt.n = j.value",
    "one that fills it through another": "j = Job(t, 0)\nfill_through(j, t.n + 1)\nt.n = j.value",
    "another name of an object": "j = Job(t, 0)\nk = j\nk.value = t.n + 1\nt.n = j.value",
    "another name of a list": "j = []\nk = j\nk.append(t.n + 1)\nt.n = j[0]",
    "a list in an object": "j = Job(t, [])\nk = j.value\nk.append(t.n + 1)\nt.n = j.value[0]",
    "an object in an object": "j = Job(t, Job(t, 0))\nfill(j.value, t.n + 1)\nt.n = j.value.value",
    "an object in a list": "j = [Job(t, 0)]\nfor k in j:\n    k.value = t.n + 1\nt.n = j[0].value",
    "what a function has made": "t.n = made(t, t.n + 1).value",
    "one of many arguments": "t.n = second(0, t.n + 1)",
    "one of many of a method": "Job(t, 0).take(0, t.n + 1)",
    "a list in a tuple": "j = ([], [])\nk = j[1]\nj[1].append(t.n + 1)\nt.n = k[0]",
    "methods of a list": "j = []\nf, g = j.append, j.pop\nf(t.n + 1)\nt.n = g()",
    "methods of one object": "j = Job(t, 0)\nf, g = partial(fill, j), j.run\nf(t.n + 1)\ng()",
    "methods that look": "j = Looks(t)\nf, g = j.look, j.write\nf()\ng()",
    "what a return changes": "j = []\nf = lambda: j.append(t.n + 1)\nf()\nt.n = j[0]",
    "what an argument changes": "j = []\nsecond(0, j.append(t.n + 1))\nt.n = j[0]",
    "a property": "j = Slow()\nj.value = t.n + 1\nt.n = j.value",
    "what an exception has": "j = []\ntry: raise KeyError(j)\n"
    "except KeyError as e: e.args[0].append(t.n + 1)\nt.n = j[0]",
    "the exception that is handled": "try: raise KeyError(t.n + 1)\n"
    "except KeyError: t.n = sys.exc_info()[1].args[0]",
    "a generator in a method in a tuple": "j = adding(t)\nj.__enter__()\nk = [(1, j.__exit__)]\n"
    "j = None\n_, f = k.pop()\nf(None, None, None)",
    "what is to be left": "j = contextlib.ExitStack()\nj.enter_context(adding(t))\nj.close()",
    "one by keyword": "j = Job(total=t, value=t.n + 1)\nj.run()",
}
"""How a stale value comes to be written -> code."""

LOSES_NOTHING = {
    "something else that was captured": "v, w = t.n, 5\n(lambda: t.put(w))()",
    "another argument": "t.n = second(t.n, 0)",
    "another attribute": "j = Job(t, t.n)\nj.clear()",
}
"""How something else is written -> code."""


def found(tmp_path: Path, body: str) -> str:
    return verdict(tmp_path, MODEL.format(body=body.replace("\n", "\n        ")))


@pytest.mark.parametrize("way", LOSES)
def test_a_stale_value_is_followed(tmp_path: Path, way: str) -> None:
    assert found(tmp_path, LOSES[way]) == "lost-update"


@pytest.mark.parametrize("way", LOSES_NOTHING)
def test_what_goes_along_with_it_is_not_stale(tmp_path: Path, way: str) -> None:
    assert found(tmp_path, LOSES_NOTHING[way]) == "verified"
