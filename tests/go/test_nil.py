"""What goes wrong with nil, in the words of Go's runtime."""

from __future__ import annotations

from pathlib import Path

import pytest
from goroutines import checked, kinds, messages

TEXT = """
class Node:
    def __init__(self):
        self.next = {nil}

    def visit(self):
        return self.next.visit()


class M(Model):
    got = None

    def setup(self):
        self.shared = Node()

    @goroutine
    def main(self):
        node = Node()
        {body}
"""

DEREFERENCE = "panic: runtime error: invalid memory address or nil pointer dereference"


@pytest.mark.parametrize("nil", ["None", "go.nil"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("node.next.visit()", DEREFERENCE),
        ("node.visit()", DEREFERENCE),
        ("self.shared.next.visit()", DEREFERENCE),
        ("self.got = node.next.value", DEREFERENCE),
        ("node.next.value = 1", DEREFERENCE),
        ("self.shared.next.value = 1", DEREFERENCE),
        ("node.next.value += 1", DEREFERENCE),
        ("del node.next.value", DEREFERENCE),
        ("node.next()", DEREFERENCE),
        ("self.shared.next()", DEREFERENCE),
        ("go.defer(node.next)", DEREFERENCE),
        ("go.defer(node.next.visit)", DEREFERENCE),
        ("node.next.Lock()", DEREFERENCE),
        ("with node.next: pass", DEREFERENCE),
        ("go.spawn(node.visit); go.select()", DEREFERENCE),
        ("go.spawn(node.next.visit)", DEREFERENCE),
        ("go.spawn(node.next)", "fatal error: go of nil func value"),
        ("node.next['key'] = 1", "panic: assignment to entry in nil map"),
    ],
)
def test_using_nil(tmp_path: Path, nil: str, body: str, words: str) -> None:
    result = checked(tmp_path, TEXT.format(nil=nil, body=body))
    who = "visit-1" if "spawn(node.visit)" in body else "main"
    assert messages(result) == [f"{who} ends the program: {words}"]


@pytest.mark.parametrize("recovers", ["except go.Panic as p", "except Exception as p"])
def test_it_can_be_recovered_from(tmp_path: Path, recovers: str) -> None:
    text = TEXT.format(
        nil="None",
        body=f"""
        try:
            node.visit()
        {recovers}:
            assert p.value == "runtime error: invalid memory address or nil pointer dereference"
""",
    )
    assert kinds(checked(tmp_path, text)) == []


@pytest.mark.parametrize("body", ["node.nxt", "node.next = 3; node.next()", "3 .visit()"])
def test_what_is_not_nil_goes_wrong_in_words_of_Python(tmp_path: Path, body: str) -> None:
    (message,) = messages(checked(tmp_path, TEXT.format(nil="None", body=body)))
    assert "Error" in message
    assert "nil" not in message
