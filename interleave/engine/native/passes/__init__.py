"""Passes over packed graphs, on arrays: faster ways to ask what `engine.passes` asks.

Imported, they are what these passes do with a `NativeGraph`.
"""

from interleave.engine.native.passes import endings, stuck

__all__ = ["endings", "stuck"]
