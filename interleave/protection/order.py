"""What comes between two accesses that never happen at the same time: a start, a join, a queue."""

from __future__ import annotations

from collections.abc import Iterator

from interleave.machine import Machine, Step
from interleave.protection.uses import Node, Pair, Use, Uses


def order_of(machine: Machine, uses: Uses, pair: Pair) -> tuple[Use, str] | None:
    """The one of two uses that comes after the other, and what its thread has done in between, or
    what was done with it: on the shortest way to it. None where neither is seen to, or where
    nothing was done.
    """
    for use, other in (pair, pair[::-1]):
        if said := _between(machine, uses, use, other):
            return use, said
    return None


def _between(machine: Machine, uses: Uses, use: Use, other: Use) -> str:
    """The last that a thread has done before a use and after the other one, which looks at what
    others have changed meanwhile; "" for nothing. To take a lock is told where it is all.
    """
    way = [*_way(uses, uses.first[use])]
    since = max((at for at, (_, step) in enumerate(way) if _has(step, other)), default=None)
    if since is None:
        return ""
    said = of_lock = ""
    locks = {index for each in uses.first for index, _ in each.locks}
    written = {index for index, _ in way[since][1].writes}
    for node, step in way[since:]:
        if any(thread == use.thread for thread, _ in step.starts):
            said = "start"
        if step.thread != use.thread:
            written |= {index for index, _ in step.writes}
            continue
        names = machine.names_in(node.state)
        for access in step.accesses:
            for location in dict.fromkeys(touch.location for touch in access.reads):
                if location.index in written and location.name and location is not use.location:
                    what = f"{access.kind.name} of {names.of_location(location)}"
                    if location.index in locks:
                        of_lock = what
                    else:
                        said = what
    return said or of_lock


def _way(uses: Uses, node: Node) -> Iterator[tuple[Node, Step]]:
    """The steps from an initial state to a node, each with the node that it is taken from."""
    steps: list[tuple[Node, Step]] = []
    while (came := uses.parents[node]) is not None:
        steps.append(came)
        node = came[0]
    yield from reversed(steps)


def _has(step: Step, use: Use) -> bool:
    """Whether a use is part of a step."""
    return step.thread == use.thread and any(
        access.place == use.place
        and any(touch.location is use.location for touch in (*access.writes, *access.reads))
        for access in step.accesses
    )
