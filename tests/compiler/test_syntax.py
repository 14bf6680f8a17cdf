"""Copies of syntax trees."""

from __future__ import annotations

import ast
import copy
import inspect
import statistics
import textwrap

import pytest

from interleave.compiler.syntax import copied


@pytest.mark.parametrize("module", [ast, statistics, textwrap])
def test_a_copy_is_a_deep_copy(module) -> None:
    tree = ast.parse(inspect.getsource(module))
    before = ast.dump(tree, include_attributes=True)
    made = copied(tree)
    assert ast.dump(made, include_attributes=True) == before
    assert ast.dump(copy.deepcopy(tree), include_attributes=True) == before
    shared = {*ast.walk(tree)} & {*ast.walk(made)}
    assert not [each for each in shared if each._fields or each._attributes]
    for node in ast.walk(made):
        for name, value in vars(node).items():
            if isinstance(value, list):
                value.clear()
            elif not isinstance(value, ast.AST):
                setattr(node, name, None)
    assert ast.dump(tree, include_attributes=True) == before
