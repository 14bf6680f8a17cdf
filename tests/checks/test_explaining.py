"""Why a property is false: the parts of its expression, with their values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interleave import Model, check, invariant, postcondition, thread
from interleave.cli import main
from interleave.result import Described, ExpressionPart, FailedProperty
from interleave.showing import show

HEAD = """
from interleave import Model, invariant, postcondition, thread
seen = []

class Box:
    def __init__(self, value):
        self.value = value
        self.__inner = value

    @property
    def twice(self):
        return 2 * self.value

    def get(self):
        return self.value

    def is_small(self):
        return self.__inner < 1

class Base(Model):
    n = 0
    boxes = [Box(0), Box(7)]
    words = {"a": 1}
    __own = 4

    @thread
    def step(self):
        self.n = 3
        self.boxes[0].value = 2
        self.words["b"] = 5
        seen.append(1)

    def helper(self):
        return self.n

    def late(self, limit=9):
        return self.n > limit
"""


def parts_of(tmp_path, body: str, name: str = "p") -> tuple[ExpressionPart, ...]:
    file = tmp_path / "model.py"
    file.write_text(f"{HEAD}\nclass M(Base):\n    @postcondition\n    def {name}(self):\n{body}")
    (found,) = check(file, model="M").models[0].violations
    assert isinstance(found.detail, FailedProperty)
    return found.detail.why


CASES = {
    "self.n == 2": ["self.n == 2: False", "self.n = 3 @1"],
    "self.n == 3 and self.n < 0": ["self.n < 0: False", "self.n = 3 @1"],
    "self.n < 0 or self.n > 7": [
        "self.n < 0: False", "self.n = 3 @1", "self.n > 7: False", "self.n = 3 @1",
    ],
    "not self.n": ["not self.n: False", "self.n = 3 @1"],
    "self.helper() == 4": ["self.helper() == 4: False", "self.helper() = 3"],
    "all(box.value > 5 for box in self.boxes)": [
        "all(box.value > 5 for box in self.boxes): False", "box.value > 5 = False",
        "box.value = 2 @2",
    ],
    "any(box.get() == 1 for box in self.boxes)": ["any(box.get() == 1 for box in self.boxes): False"],
    "self.boxes[0].twice == 2 * self.n": [
        "self.boxes[0].twice == 2 * self.n: False", "self.boxes[0].twice = 4 @2",
        "2 * self.n = 6", "self.n = 3 @1",
    ],
    "0 <= self.n < len(self.words) < 2": [
        "0 <= self.n < len(self.words) < 2: False", "self.n = 3 @1", "len(self.words) = 2",
        "self.words = {'a': 1, 'b': 5} @3",
    ],
    "'b' not in self.words": [
        "'b' not in self.words: False", "self.words = {'a': 1, 'b': 5} @3",
    ],
    "len(seen) == 2": ["len(seen) == 2: False", "len(seen) = 1", "seen = [1] @4"],
    "self.boxes[1].is_small()": ["self.boxes[1].is_small(): False"],
    "(lambda q: q + self.n)(1) == 3": [
        "(lambda q: q + self.n)(1) == 3: False", "(lambda q: q + self.n)(1) = 4",
    ],
    "f'{self.n}' == '4'": ["f'{self.n}' == '4': False", "self.n = 3 @1"],
    "super().late()": ["super().late(): False"],
    "self.late(limit=self.n + 1)": [
        "self.late(limit=self.n + 1): False", "self.n + 1 = 4", "self.n = 3 @1",
    ],
}  # fmt: skip


def in_words(part: ExpressionPart) -> str:
    value = show(part.value)
    if part.is_false:
        return f"{part.text}: {value}"
    return f"{part.text} = {value}" + (f" @{part.changed_at}" if part.changed_at else "")


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize(
    "form", ["return {0}", "assert {0}, 'no'", "if self.n:\n            return {0}"]
)
def test_the_values_within_what_is_false(tmp_path, text: str, form: str) -> None:
    parts = parts_of(tmp_path, f"        {form.format(text)}\n        return True\n")
    # What is in two operands is told once.
    assert [in_words(part) for part in parts] == [*dict.fromkeys(CASES[text])]


def test_only_the_expression_that_decides_is_told(tmp_path) -> None:
    body = (
        "        total = self.n + 1\n        assert self.n == 3\n        return total == self.n\n"
    )
    assert [in_words(part) for part in parts_of(tmp_path, body)] == [
        "total == self.n: False",
        "total = 4",
        "self.n = 3 @1",
    ]


def test_the_line_is_that_which_has_returned_false(tmp_path) -> None:
    body = (
        "        if self.n > 0:\n"
        "            for word in self.words:\n"
        "                if word == 'a':\n"
        "                    return False\n"
        "        return True\n"
    )
    assert parts_of(tmp_path, body) == ()
    (found,) = check(tmp_path / "model.py", model="M").models[0].violations
    assert found.source is not None and found.source.text == "return False"


def test_operands_that_are_shared_are_true_as_in_python(tmp_path) -> None:
    body = "        assert seen and self.boxes and self.n == 4\n"
    assert [in_words(part) for part in parts_of(tmp_path, body)] == [
        "self.n == 4: False",
        "self.n = 3 @1",
    ]


def test_names_of_a_class_and_of_a_function_around(tmp_path) -> None:
    def make(limit: int) -> type[Model]:
        class Closure(Model):
            n = 0
            __own = 1

            @thread
            def step(self) -> None:
                self.n = 2

            @invariant
            def below(self) -> bool:
                return self.n < limit and self.__own == 1

        return Closure

    (found,) = check(make(2)).models[0].violations
    assert isinstance(found.detail, FailedProperty)
    assert [in_words(each) for each in found.detail.why] == [
        "self.n < limit: False",
        "self.n = 2 @1",
        "limit = 2",
    ]


def test_what_cannot_be_told_is_left_out() -> None:
    """Without its source, a property is false all the same."""
    names: dict[str, object] = {"__name__": __name__}
    exec(
        "from interleave import *\n"
        "class M(Model):\n"
        "    n = 0\n"
        "    @postcondition\n"
        "    def p(self): return self.n == 1\n",
        names,
    )

    class WithAThread(names["M"]):  # type: ignore[misc, name-defined]
        @thread
        def step(self) -> None:
            self.n = 2

    (found,) = check(WithAThread).models[0].violations
    assert found.kind == "postcondition" and isinstance(found.detail, FailedProperty)
    assert found.detail.why == ()


NAMES = ("self.a", "self.b", "self.c")
leaves = st.sampled_from([*NAMES, "1", "2"])
comparisons = st.builds("{} {} {}".format, leaves, st.sampled_from(["<", "==", ">="]), leaves)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


class Values(Model):
    a = 0
    b = 1
    c = 2

    @thread
    def step(self) -> None:
        self.a = 2

    @postcondition
    def p(self) -> bool:
        return True


@pytest.mark.slow
@given(conditions)
def test_each_part_has_the_value_that_python_gives_it(tmp_path_factory, text: str) -> None:
    values = Values()
    values.a = 2
    if eval(text, {"self": values}):
        return
    file = tmp_path_factory.mktemp("drawn") / "model.py"
    file.write_text(
        "from interleave import Model, postcondition, thread\n"
        "class M(Model):\n    a = 0\n    b = 1\n    c = 2\n"
        "    @thread\n    def step(self): self.a = 2\n"
        f"    @postcondition\n    def p(self): return {text}\n"
    )
    (found,) = check(file, engine="reference").models[0].violations
    assert isinstance(found.detail, FailedProperty)
    parts = found.detail.why
    assert parts and parts[0].is_false
    for part in parts:
        assert part.value == eval(part.text, {"self": values}), part
        assert not (part.is_false and part.value)
        assert part.changed_at == (1 if part.text == "self.a" else None)


def test_it_is_in_the_report_and_in_the_document(tmp_path, capsys) -> None:
    parts_of(tmp_path, "        return self.n == 2 and self.n\n", "named")
    for options in ([], ["--format", "json"]):
        with pytest.raises(SystemExit):
            main(["check", str(tmp_path / "model.py"), "-m", "M", *options])
    text, _, document = capsys.readouterr().out.partition("{\n")
    assert "self.n == 2 is False: self.n = 3, since step 1" in text
    (violation,) = json.loads("{\n" + document)["models"][0]["violations"]
    assert violation["why"] == [
        {"text": "self.n == 2", "value": False, "is_false": True, "changed_at": None},
        {"text": "self.n", "value": 3, "is_false": False, "changed_at": 1},
    ]
    assert not any(isinstance(each, Described) for each in violation["why"])
