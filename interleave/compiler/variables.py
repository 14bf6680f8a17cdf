"""Variables of modules and of closures in the code of a function, as attributes of their holders.

A global that some code writes, and one that the function declares, is an attribute of the module;
a variable of a function that has ended is one of its cell (see `world.holders`).
"""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping
from typing import Any

from interleave.compiler.closures import VariableRewriter
from interleave.compiler.source import Definition
from interleave.compiler.syntax import copied

MODULE = "@module:"
CELL = "@cell:"
"""What the names of holders begin with, in compiled code."""


def module_of(function: types.FunctionType) -> str:
    """The module whose globals a function uses; `__module__` may be that of one it wraps."""
    name: str = function.__globals__.get("__name__", "builtins")  # as Python has it
    return name


def surrounding(function: types.FunctionType) -> str:
    """The name of the function that a function was made in; its own where there is none."""
    return function.__qualname__.rpartition(".<locals>")[0] or function.__qualname__


def with_holders(definition: Definition, holders: Mapping[str, str], module: str) -> Definition:
    """A function's definition in which `x` is `holder.x`, for each name that has a holder.

    Functions inside that declare variables global find them in the holder `module`.
    """
    if not (holders or any(isinstance(node, ast.Global) for node in ast.walk(definition))):
        return definition
    made = copied(definition)
    rewriter = _HolderRewriter(holders, module=module)
    rewriter.generic_visit(ast.Module(made.body, []))
    return ast.fix_missing_locations(made)


class _HolderRewriter(VariableRewriter):
    def visit_Global(self, node: ast.Global) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_FunctionDef(self, node: Definition) -> Any:
        return self.defined(node, super().visit_FunctionDef(node))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        node.names = [name for name in node.names if name not in self._shared]
        return node if node.names else ast.copy_location(ast.Pass(), node)
