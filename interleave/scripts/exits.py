"""`atexit` in a script: what is registered is called when the main thread is through.

After docs.python.org/3.12/library/atexit.html. The file has a list of its own for it, and functions
that stand for those of the module wherever the file names them.
"""

from __future__ import annotations

import ast

AT_EXIT = "_interleave_at_exit"
"""By which the code of a script has what the main thread calls in the end."""

_CALLS = "atexit_calls"
"""The list."""

_SOURCE = f"""
{_CALLS} = []

def _interleave_register(func, /, *args, **kwargs):
    {_CALLS}.append((func, args, kwargs))
    return func

def _interleave_unregister(func, /):
    {_CALLS}[:] = [each for each in {_CALLS} if each[0] != func]
"""
_OURS = {"register": "_interleave_register", "unregister": "_interleave_unregister"}


class Exits(ast.NodeTransformer):
    """Has a file register with itself, by what it imports."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._modules: set[str] = set()
        self._functions: dict[str, str] = {}
        self._imports: list[ast.stmt] = []
        for node in tree.body:
            if isinstance(node, ast.Import):
                names = [each.asname or each.name for each in node.names if each.name == "atexit"]
                self._modules.update(names)
                self._imports += [node] if names else []
            elif isinstance(node, ast.ImportFrom) and node.module == "atexit":
                known = [each for each in node.names if each.name in _OURS]
                self._functions.update({each.asname or each.name: each.name for each in known})
                self._imports.append(node)

    def rewrite(self) -> bool:
        """Whether the file registers anything."""
        if not self._imports:
            return False
        self.visit(self._tree)
        first = self._imports[0]
        added = ast.parse(_SOURCE).body
        for each in added:
            for node in ast.walk(each):
                ast.copy_location(node, first)
        place = self._tree.body.index(first) + 1
        self._tree.body[place:place] = added
        return True

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        is_module = isinstance(node.value, ast.Name) and node.value.id in self._modules
        if is_module and node.attr in _OURS:
            return ast.copy_location(ast.Name(_OURS[node.attr], ast.Load()), node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self._functions and isinstance(node.ctx, ast.Load):
            ours = _OURS[self._functions[node.id]]
            return ast.copy_location(ast.Name(ours, ast.Load()), node)
        return node


def with_exit(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body after which the main thread calls what is registered, however it ends."""
    call = ast.Expr(ast.Call(ast.Name(AT_EXIT, ast.Load()), [ast.Name(_CALLS, ast.Load())], []))
    for node in ast.walk(call):
        ast.copy_location(node, body[-1])
    return [ast.copy_location(ast.Try(body, [], [], [call]), body[0])]
