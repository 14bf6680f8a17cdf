"""States a second over the number of states, on logarithmic scales, as SVG: a panel a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from table import Row

# Okabe and Ito's colours, which most people can tell apart; the marks do so as well.
COLOURS = ("#000000", "#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#009e73", "#cc79a7", "#999999")

WIDTH, HEIGHT, GAP, LEFT, TOP, LINE = 330, 230, 70, 60, 40, 18


def plot(rows: Sequence[Row]) -> str:
    """The picture of rows, all of which have runs."""
    models = list(dict.fromkeys(row.case.model for row in rows))
    engines = list(dict.fromkeys(row.engine for row in rows))
    x = _Scale([row.case.states for row in rows], WIDTH)
    y = _Scale([row.case.states / row.searching for row in rows], HEIGHT)
    across = min(2, len(models))
    down = math.ceil(len(models) / across)
    width = LEFT + across * (WIDTH + GAP)
    legend = TOP + down * (HEIGHT + GAP)
    height = legend + math.ceil(len(engines) / 2) * LINE + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, model in enumerate(models):
        left = LEFT + number % across * (WIDTH + GAP)
        top = TOP + number // across * (HEIGHT + GAP)
        parts.append(f'<g transform="translate({left} {top})">')
        parts += _axes(model, x, y)
        for index, engine in enumerate(engines):
            points = sorted(
                (x.at(row.case.states), HEIGHT - y.at(row.case.states / row.searching))
                for row in rows
                if row.case.model == model and row.engine == engine
            )
            parts += _line(points, index)
        parts.append("</g>")
    for index, engine in enumerate(engines):
        left = LEFT + index % 2 * (WIDTH + GAP)
        top = legend + index // 2 * LINE
        parts += _line([(left, top), (left + 30, top)], index)
        parts.append(f'<text x="{left + 40}" y="{top + 4}">{escape(engine)}</text>')
    return "\n".join([*parts, "</svg>", ""])


class _Scale:
    """A logarithmic scale over whole powers of ten."""

    def __init__(self, values: Sequence[float], length: float) -> None:
        self._low = math.floor(math.log10(min(values)))
        self._high = max(math.ceil(math.log10(max(values))), self._low + 1)
        self._length = length

    def at(self, value: float) -> float:
        """How far from the start of the axis."""
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return round(share * self._length, 1)

    def marks(self) -> list[tuple[float, float, str]]:
        """Values, where they are, and their names; those between powers of ten have none."""
        powers = range(self._low, self._high)
        found = [(d * 10.0**power, "") for power in powers for d in range(2, 10)]
        found += [(10.0**power, _power(power)) for power in range(self._low, self._high + 1)]
        return [(value, self.at(value), name) for value, name in found]


def _power(power: int) -> str:
    """A power of ten: 100, 100k, 10M."""
    return f"{10 ** (power % 3)}{('', 'k', 'M', 'G')[power // 3]}"


def _axes(model: str, x: _Scale, y: _Scale) -> list[str]:
    parts = [f'<text x="0" y="-12" font-weight="bold">{escape(model)}</text>']
    for _, place, name in x.marks():
        colour = "#bbb" if name else "#eee"
        parts.append(f'<path d="M{place} 0V{HEIGHT}" stroke="{colour}"/>')
        if name:
            parts.append(f'<text x="{place}" y="{HEIGHT + 16}" text-anchor="middle">{name}</text>')
    for _, place, name in y.marks():
        colour, height = "#bbb" if name else "#eee", round(HEIGHT - place, 1)
        parts.append(f'<path d="M0 {height}H{WIDTH}" stroke="{colour}"/>')
        if name:
            parts.append(f'<text x="-6" y="{height + 4}" text-anchor="end">{name}</text>')
    parts.append(f'<text x="{WIDTH}" y="-12" text-anchor="end" fill="#666">states/s</text>')
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT + 32}" text-anchor="end" fill="#666">states</text>')
    return parts


def _line(points: Sequence[tuple[float, float]], index: int) -> list[str]:
    """The points of an engine, joined; every second engine has squares instead of circles."""
    if not points:
        return []
    colour = COLOURS[index % len(COLOURS)]
    path = "L".join(f"{a} {b}" for a, b in points)
    parts = [f'<path d="M{path}" stroke="{colour}" stroke-width="1.5" fill="none"/>']
    for a, b in points:
        parts.append(
            f'<rect x="{a - 3}" y="{b - 3}" width="6" height="6" fill="{colour}"/>'
            if index % 2
            else f'<circle cx="{a}" cy="{b}" r="3.5" fill="{colour}"/>'
        )
    return parts
