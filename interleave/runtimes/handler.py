"""Handlers of signals, and what else the main thread is interrupted by to run it."""

from __future__ import annotations

from interleave.runtimes.base import ThreadKind

HANDLER = ThreadKind("handler", interrupts=True)
"""What stands for the main thread while that runs a handler: it goes on when this has ended."""
