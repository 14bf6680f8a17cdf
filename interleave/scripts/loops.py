"""`asyncio.run` in a script, which its main thread awaits."""

from __future__ import annotations

import ast
from typing import Any

from interleave.compiler.names import scope_walk
from interleave.errors import ModelError, Place

RUN = "_interleave_run"
"""By which the code of a script has what stands for `asyncio.run`."""


class Loops:
    """Has the main thread await what `asyncio.run` runs: it is the loop's thread for so long.

    A function of the file that calls it is awaited as well, where it is called.
    """

    def __init__(self, tree: ast.Module, file: str) -> None:
        self._tree = tree
        self._file = file
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        self._modules = {
            alias.asname or alias.name
            for node in imports
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name == "asyncio"
        }
        self._functions = {
            alias.asname or alias.name
            for node in imports
            if isinstance(node, ast.ImportFrom) and node.module == "asyncio"
            for alias in node.names
            if alias.name == "run"
        }

    def rewrite(self) -> bool:
        """Whether the main thread runs a loop. Raises `ModelError` where that cannot be seen."""
        runs = [node for node in ast.walk(self._tree) if self._is_run(node)]
        if not runs:
            return False
        if len(runs) > 1:
            raise self._error("asyncio.run is called in two places", runs[1])
        awaited = {id(runs[0])}
        scope, name = self._scope_of(runs[0])
        while name:
            uses = [
                node
                for node in ast.walk(self._tree)
                if isinstance(node, ast.Name) and node.id == name
            ]
            calls = [
                node
                for node in ast.walk(self._tree)
                if isinstance(node, ast.Call) and node.func in uses
            ]
            if not uses:
                return False  # nobody calls it
            if len(uses) > 1 or not calls:
                how = "is used in several places" if len(uses) > 1 else "is not called by the body"
                raise self._error(f"{name} runs an event loop, and {how}", uses[-1])
            self._tree.body[self._tree.body.index(scope)] = _as_async(scope)
            awaited.add(id(calls[0]))
            scope, name = self._scope_of(calls[0])
        _Awaiting(awaited, runs[0]).visit(self._tree)
        return True

    def _is_run(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Attribute):
            owner = node.func.value
            is_asyncio = isinstance(owner, ast.Name) and owner.id in self._modules
            return is_asyncio and node.func.attr == "run"
        return isinstance(node.func, ast.Name) and node.func.id in self._functions

    def _scope_of(self, node: ast.AST) -> tuple[Any, str]:
        """The function that stands at the top level and calls something itself, and its name; the
        file, and "", where that does.
        """
        for each in (self._tree, *self._tree.body):
            is_function = isinstance(each, ast.FunctionDef) and not each.decorator_list
            if (is_function or each is self._tree) and node in scope_walk(each.body):  # type: ignore[attr-defined]
                for loop in scope_walk(each.body):  # type: ignore[attr-defined]
                    if isinstance(loop, ast.For | ast.While) and node in ast.walk(loop):
                        raise self._error("an event loop is run over and over", node)
                return each, getattr(each, "name", "")
        raise self._error("an event loop is run where it cannot be followed", node)

    def _error(self, what: str, node: ast.AST) -> ModelError:
        return ModelError(
            what,
            remedy="call asyncio.run once: in the body of the script, or in a function that the "
            "body calls",
            place=Place.of_node(self._file, node),
        )


def _as_async(function: ast.FunctionDef) -> ast.AsyncFunctionDef:
    made = ast.AsyncFunctionDef.__new__(ast.AsyncFunctionDef)
    vars(made).update(vars(function))
    return made


class _Awaiting(ast.NodeTransformer):
    """Awaits some calls."""

    def __init__(self, awaited: set[int], run: ast.AST) -> None:
        self._awaited = awaited
        self._run = run

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if id(node) not in self._awaited:
            return node
        if node is self._run:
            node.func = ast.copy_location(ast.Name(RUN, ast.Load()), node.func)
        return ast.copy_location(ast.Await(node), node)
