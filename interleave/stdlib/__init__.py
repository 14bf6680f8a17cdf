"""The standard library as models see it. See `interleave.stdlib.registry`.

(Nothing else can stand here: importing `interleave.stdlib.sys` binds `sys` in this package.)
"""

from interleave.stdlib.registry import (
    LibraryClass,
    Namespace,
    base_for,
    capturing,
    counterpart,
    derived,
    is_pure,
    modelled,
    modelled_attribute,
    primitive_class,
    runs_block_by_block,
    unmodelled,
)

__all__ = [
    "LibraryClass",
    "Namespace",
    "base_for",
    "capturing",
    "counterpart",
    "derived",
    "is_pure",
    "modelled",
    "modelled_attribute",
    "primitive_class",
    "runs_block_by_block",
    "unmodelled",
]
