"""Lost updates whose stale value travels through calls, captured variables and objects."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

MODEL = """
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


def fill(job, value):
    job.value = value


def fill_through(job, value):
    fill(job, value)


def made(total, value):
    job = Job(total, 0)
    job.value = value
    return job


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
