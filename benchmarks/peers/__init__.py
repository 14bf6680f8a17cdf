"""The engines that are measured: interleave's own, and its peers."""

from __future__ import annotations

from peers.base import Engine
from peers.interleave import engines
from peers.libraries import Library
from peers.rumur import Rumur
from peers.spin import Spin

NOT_COMPARED = {
    "Harmony": "the package index that this was written with does not have it",
    "ploom": "it runs schedules and keeps no states, so there are none to count",
}
"""Others that one might look for, and why they are not here."""


def all_engines(peer_python: str) -> list[Engine]:
    """Everything there is, the one that the others are compared with first."""
    libraries = [Library(name, peer_python) for name in ("minicheck", "musil")]
    return [*engines(), Spin(False), Spin(True), Rumur(), *libraries]
