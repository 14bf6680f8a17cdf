"""Which files are scripts: every file that is read is asked, and few are."""

from __future__ import annotations

import ast

from interleave.world.policy import is_standard


def names_from_elsewhere(tree: ast.Module) -> set[str]:
    """The names that a file imports from elsewhere than Python."""
    foreign: set[str] = set()
    for node in ast.walk(tree):
        level = 0
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
            modules = {alias.asname or name for alias, name in zip(node.names, names, strict=True)}
        elif isinstance(node, ast.ImportFrom):
            names, level = [(node.module or "").partition(".")[0]], node.level
            modules = {alias.asname or alias.name for alias in node.names}
        else:
            continue
        if not all(map(is_standard, names)) or level:
            foreign |= modules
    return foreign


def is_script(tree: ast.Module) -> bool:
    """Whether a file cannot define a model: it names nothing of this package, and derives no class
    from what it may have from a file that does.
    """
    foreign = names_from_elsewhere(tree)
    modules = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    named = {alias.name for each in modules for alias in each.names}
    named |= {each.module or "" for each in modules if isinstance(each, ast.ImportFrom)}
    if any(name.partition(".")[0] == "interleave" for name in named):
        return False
    classes = [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
    bases = {
        node.id
        for each in classes
        for base in each.bases
        for node in ast.walk(base)
        if isinstance(node, ast.Name)
    }
    return not (bases & foreign or ("*" in foreign and bases))
