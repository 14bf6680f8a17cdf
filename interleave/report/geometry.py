"""Where things stand in a diagram: lanes side by side, and edges that run between them.

Graphviz draws, but does not lay out: a layout engine moves lanes about to please the edges, and
does so differently from version to version. Here x grows to the right and y downwards, in points.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]

_ARROW = 8.0  # from the end of an edge's line to the tip of its arrow
_BEND = 8.0  # radius of a rounded corner


@dataclass(frozen=True)
class Box:
    """A node: its centre and size, and the lane it stands in (-1: across all of them)."""

    name: str
    x: float
    y: float
    width: float
    height: float
    lane: int = -1

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Columns:
    """Lanes and the gutters around them: gutter i is to the left of lane i, the last one rightmost.

    `lanes` and `gutters` hold widths.
    """

    lanes: tuple[float, ...]
    gutters: tuple[float, ...]

    @property
    def width(self) -> float:
        return sum(self.lanes) + sum(self.gutters)

    def lane_center(self, lane: int) -> float:
        return sum(self.lanes[:lane]) + sum(self.gutters[: lane + 1]) + self.lanes[lane] / 2

    def gutter_center(self, gutter: int) -> float:
        return sum(self.lanes[:gutter]) + sum(self.gutters[:gutter]) + self.gutters[gutter] / 2


def gutters_between(start: int, end: int) -> tuple[int, int]:
    """The gutters by which an edge from lane `start` to lane `end` leaves and arrives."""
    if start < end:
        return start + 1, end
    if start > end:
        return start, end + 1
    return start + 1, start + 1


def between_lanes(
    columns: Columns, start: Box, end: Box, *, leave: float = 0.0, arrive: float = 0.0
) -> list[Point]:
    """Corners of an edge from the side of one node to the side of another, past all other nodes.

    It runs down the gutters, and crosses lanes in the space above `end`. `leave` and `arrive`
    shift its ends down from the middle of the nodes' sides.
    """
    first, last = gutters_between(start.lane, end.lane)
    start_x = start.right if first > start.lane else start.left
    end_x = end.right if last > end.lane else end.left
    start_y, end_y = start.y + leave, end.y + arrive
    first_x, last_x = columns.gutter_center(first), columns.gutter_center(last)
    corners = [(start_x, start_y), (first_x, start_y)]
    if first != last:
        crossing = end.top - 7.0 if start.y < end.y else end.bottom + 7.0
        corners += [(first_x, crossing), (last_x, crossing)]
    return [*corners, (last_x, end_y), (end_x, end_y)]


def spline(corners: list[Point], *, arrow: bool = True) -> str:
    """The `pos` of a Graphviz edge that runs through the corners, rounded, to an arrow's tip."""
    corners = _without_repeats(corners)
    tip = corners[-1]
    line = [*corners[:-1], _toward(tip, corners[-2], _ARROW) if arrow else tip]
    points: list[Point] = [line[0]]
    for before, corner, after in zip(line, line[1:], line[2:], strict=False):
        into, out = _toward(corner, before, _BEND), _toward(corner, after, _BEND)
        points += [*_thirds(points[-1], into), into]
        points += [_toward(corner, into, _BEND / 2), _toward(corner, out, _BEND / 2), out]
    points += [*_thirds(points[-1], line[-1]), line[-1]]
    end = ["e," + position(*tip)] if arrow else []
    return " ".join([*end, *(position(*point) for point in points)])


def position(x: float, y: float) -> str:
    """A point as Graphviz writes it: there, y grows upwards."""
    return f"{x:.1f},{0 - y:.1f}"


def _without_repeats(corners: list[Point]) -> list[Point]:
    """The corners without those where nothing turns, so that every stretch has a length."""
    kept = [corners[0]]
    for index, corner in enumerate(corners[1:], 1):
        if corner == kept[-1]:
            continue
        following = next((other for other in corners[index + 1 :] if other != corner), None)
        if following is not None and (
            kept[-1][0] == corner[0] == following[0] or kept[-1][1] == corner[1] == following[1]
        ):
            continue
        kept.append(corner)
    return kept


def _toward(start: Point, end: Point, distance: float) -> Point:
    """The point `distance` from `start` on the way to `end`, at most half of the way."""
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])  # stretches are upright or level
    if length == 0:
        return start
    share = min(distance / length, 0.5)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _thirds(start: Point, end: Point) -> list[Point]:
    return [
        (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        for share in (1 / 3, 2 / 3)
    ]
