"""The diagram of a counterexample, as DOT source for Graphviz.

Time runs down; each thread has a lane; each step is a node in a row of its own. What makes the
violation is drawn in colour, everything else in greys.
"""

from __future__ import annotations

from interleave.report import words
from interleave.report.cells import one_line
from interleave.report.drawing import DiagramError, write_diagram
from interleave.report.geometry import (
    Box,
    Columns,
    Point,
    between_lanes,
    gutters_between,
)
from interleave.report.labels import MONO, Block, Text
from interleave.report.palette import (
    ALARM,
    ALARM_FILL,
    HEADER_FILL,
    INK,
    LANE_FILL,
    RULE,
    SOFT,
    STALE,
    STALE_FILL,
)
from interleave.report.sheet import Sheet, inner_width, outer_width
from interleave.result import (
    ModelResult,
    NotAtomic,
    PendingAccess,
    Source,
    TraceStep,
    Violation,
    Wait,
)

__all__ = ["DiagramError", "counterexample_dot", "write_diagram"]

_STEP = {"style": "rounded,filled", "color": RULE, "fillcolor": "white"}
_ROLES = {
    "read": {**_STEP, "color": STALE, "fillcolor": STALE_FILL, "penwidth": "1.8"},
    "lost": {**_STEP, "color": ALARM, "style": "rounded,filled,dashed", "penwidth": "1.8"},
    "overwrite": {**_STEP, "color": ALARM, "fillcolor": ALARM_FILL, "penwidth": "1.8"},
    "fails": {**_STEP, "color": ALARM, "fillcolor": ALARM_FILL, "penwidth": "1.8"},
}
_ROLE_INKS = {"read": STALE}  # of the others: ALARM

_ROW_GAP = 20.0
_NODE_MARGIN = 10.0  # from a lane's border to its nodes, left and right
_GUTTER = 24.0
_LEAST_NODE = 110.0
_LEAST_WIDTH = 430.0
_LOOP = 24.0  # from one edge below the waiting threads to the next
_SIDE = 9.0  # what two edges at one side of a node are shifted by, up and down

_STALE_BY, _OVERWRITES = "made stale by", "overwritten by"
_AT_ONCE = "at once"


def counterexample_dot(model_result: ModelResult, violation: Violation) -> str:
    """DOT source of the violation's counterexample; the same bytes for the same facts.

    Every node and edge has its place in it, so that all versions of Graphviz draw it alike.
    """
    diagram = _Diagram(violation)
    diagram.heading(one_line(model_result.model))
    diagram.headers()
    diagram.steps()
    diagram.waits()
    diagram.race()
    diagram.grounds()
    diagram.lost_update()
    diagram.holders()
    diagram.at_once()
    diagram.final()
    diagram.footer()
    return diagram.sheet.source()


class _Diagram:
    """One diagram while it is drawn, from the top down; `y` is where the next thing may begin."""

    def __init__(self, violation: Violation) -> None:
        self.sheet = Sheet()
        self._grounds = Sheet()
        self._frames = Sheet()
        self._violation = violation
        self._threads, self._hidden = words.participants(violation)
        self._roles = words.roles(violation)
        self._columns = self._measure()
        self._width = max(self._columns.width, _LEAST_WIDTH)
        self._y = 0.0
        self._lanes_top = 0.0
        self._headers: dict[str, Box] = {}
        self._steps: dict[int, Box] = {}
        self._waits: dict[str, Box] = {}
        self._race: dict[str, Box] = {}
        self._lowest: dict[str, Box] = {}  # the last node in each thread's lane so far

    # How wide lanes and gutters must be for what stands in them.

    def _measure(self) -> Columns:
        threads = len(self._threads)
        most_cells = 34 if threads <= 3 else 30 if threads <= 6 else 24
        most = Text("x" * most_cells, INK, font=MONO).natural_width()
        natural = {name: _header(name).natural_width() for name in self._threads}
        for step in self._violation.trace.all_steps:
            width = max(self._step_block(step).natural_width(), _LEAST_NODE)
            natural[step.thread] = max(natural[step.thread], width)
        for thread, block in (*self._wait_blocks(), *self._race_blocks()):
            natural[thread] = max(natural[thread], block.natural_width())
        lanes = [outer_width(min(width, most)) + 2 * _NODE_MARGIN for width in natural.values()]
        gutters = [0.0, *[_GUTTER] * (threads - 1), 0.0] if threads else [0.0]
        for start, end, label in self._links():
            first, last = gutters_between(self._lane(start), self._lane(end))
            gutters[first] = max(gutters[first], _edge_label(label, INK).natural_width() + 22)
            gutters[last] = max(gutters[last], _GUTTER)
        missing = _LEAST_WIDTH - sum(lanes) - sum(gutters)
        if missing > 0 and threads > 1:
            gutters[1:-1] = [width + missing / (threads - 1) for width in gutters[1:-1]]
        return Columns(tuple(lanes), tuple(gutters))

    def _links(self) -> list[tuple[str, str, str]]:
        """The labelled edges that run in gutters: from a thread, to a thread, label."""
        lost = self._violation.lost_update
        if lost is not None:
            return [
                (lost.reader, lost.writer, _STALE_BY),
                (lost.writer, lost.reader, _OVERWRITES),
            ]
        links = [
            (wait.thread, holder, _held(wait))
            for wait in self._violation.waits
            for holder in wait.holders
            if not self._is_below(wait.thread, holder)
        ]
        if race := self._violation.race:
            first, second = self._in_order(race)
            if self._lane(second) - self._lane(first) == 1:
                links.append((first, second, _AT_ONCE))
        return links

    def _is_below(self, thread: str, holder: str) -> bool:
        """Whether the edge to the holder runs below the nodes: both have one, not side by side."""
        waiting = [each for each, _ in self._wait_blocks()]
        distance = abs(self._lane(thread) - self._lane(holder))
        return holder in waiting and distance > 1

    def _in_order(self, race: tuple[PendingAccess, ...]) -> list[str]:
        """The two threads of a data race, from left to right."""
        return sorted((each.thread for each in race), key=self._lane)

    def _lane(self, thread: str) -> int:
        return self._threads.index(thread)

    def heading(self, model: str) -> None:
        """The title, the plain sentence, and the initial values."""
        name = words.violation_name(self._violation)
        initial = words.initial_values(self._violation.trace)
        texts = [
            ("title", Text(f"{model}: {name}", INK, size=18, bold=True, most_lines=3)),
            ("sentence", Text(self._violation.message, INK, size=12, most_lines=8)),
        ]
        if initial:
            texts.append(("start", Text(f"At the start: {initial}", SOFT, most_lines=8)))
        for name, text in texts:
            self._across(name, Block((text,)), color="none")
            self._y += 6
        self._y += 6

    def _across(self, name: str, block: Block, *, padding: float = 0.0, **style: str) -> Box:
        """Draw a node across all lanes."""
        height = block.height(inner_width(self._width)) + padding
        box = Box(name, self._width / 2, self._y + height / 2, self._width, height)
        self.sheet.node(box, block, **style)
        self._y += height
        return box

    def headers(self) -> None:
        """A node with each thread's name."""
        self._lanes_top = self._y
        widths = [inner_width(width) for width in self._columns.lanes]
        blocks = [_header(name) for name in self._threads]
        heights = [block.height(width) for block, width in zip(blocks, widths, strict=True)]
        height = max(heights, default=0.0) + 12
        for lane, (name, block) in enumerate(zip(self._threads, blocks, strict=True)):
            center, width = self._columns.lane_center(lane), self._columns.lanes[lane]
            box = Box(f"thread{lane}", center, self._y + height / 2, width, height, lane)
            self.sheet.node(box, block, style="filled", color="none", fillcolor=HEADER_FILL)
            self._headers[name] = self._lowest[name] = box
        self._y += height + _ROW_GAP

    def steps(self) -> None:
        """A node for each step, in a row of its own, below the step before it in its lane.

        Those of a loop stand in a frame.
        """
        trace = self._violation.trace
        for step in trace.steps:
            self._step(step)
        if trace.loop:
            top = self._y
            self._across("loop", Block((Text("over and over", SOFT),)), padding=6, color="none")
            self._y += _NODE_MARGIN
            for step in trace.loop:
                self._step(step)
            height = self._y - _ROW_GAP + _NODE_MARGIN - top
            frame = Box("frame", self._width / 2, top + height / 2, self._width, height)
            self._frames.node(frame, style="rounded,dashed", color=SOFT)
            self._y += _NODE_MARGIN

    def _step(self, step: TraceStep) -> None:
        """The node of a step."""
        role = self._roles.get(step.number)
        box = self._in_lane(
            f"step{step.number}",
            step.thread,
            self._step_block(step),
            _ROLES[role.name] if role else _STEP,
        )
        self._steps[step.number] = box
        self._y += box.height + _ROW_GAP

    def _in_lane(self, name: str, thread: str, block: Block, style: dict[str, str]) -> Box:
        lane = self._lane(thread)
        width = self._columns.lanes[lane] - 2 * _NODE_MARGIN
        height = block.height(inner_width(width)) + 12
        center = self._columns.lane_center(lane)
        box = Box(name, center, self._y + height / 2, width, height, lane)
        above = self._lowest[thread]
        self.sheet.node(box, block, **style)
        corners = [(center, above.bottom), (center, box.top)]
        self.sheet.edge(above, box, corners, color=RULE)
        self._lowest[thread] = box
        return box

    def _step_block(self, step: TraceStep) -> Block:
        role = self._roles.get(step.number)
        number = f"{step.number}" if role is None else f"{step.number} – {role.note}"
        texts = [Text(number, _ink(role), size=10, bold=role is not None)]
        for part, own in words.rows(self._violation, step):
            texts.append(Text(part.source.text, INK, font=MONO))
            texts += [Text(effect, _ink(own)) for effect in words.effects(part)]
        return Block(tuple(texts))

    def waits(self) -> None:
        """A node for what each blocked thread waits for, or one looks at that gets nowhere: in one
        row, since all of it is so at once.
        """
        self._waits = self._row("wait", self._wait_blocks())

    def race(self) -> None:
        """A node for what each thread of a data race is about to do, side by side."""
        self._race = self._row("race", self._race_blocks())

    def _row(self, name: str, blocks: list[tuple[str, Block]]) -> dict[str, Box]:
        """A node in the lane of each of some threads, all at one height."""
        boxes = {
            thread: self._in_lane(f"{name}{self._lane(thread)}", thread, block, _ROLES["fails"])
            for thread, block in blocks
        }
        if boxes:
            self._y += max(box.height for box in boxes.values()) + _ROW_GAP
        return boxes

    def _wait_blocks(self) -> list[tuple[str, Block]]:
        return [
            *[
                (poll.thread, _last_block(words.poll_text(poll), poll.source))
                for poll in self._violation.polls
            ],
            *[
                (wait.thread, _last_block(words.wait_text(wait), wait.source, wait.note))
                for wait in self._violation.waits
            ],
        ]

    def _race_blocks(self) -> list[tuple[str, Block]]:
        return [
            (each.thread, _last_block(words.pending_text(each), each.source))
            for each in self._violation.race
        ]

    def grounds(self) -> None:
        """The lanes themselves, under all that stands in them."""
        bottom = self._y - _ROW_GAP + _NODE_MARGIN
        for lane, width in enumerate(self._columns.lanes):
            center, height = self._columns.lane_center(lane), bottom - self._lanes_top
            box = Box(f"lane{lane}", center, self._lanes_top + height / 2, width, height, lane)
            self._grounds.node(box, style="filled", color="none", fillcolor=LANE_FILL)
        self.sheet.put_under(self._frames)
        self.sheet.put_under(self._grounds)
        self._y = bottom + _ROW_GAP

    def lost_update(self) -> None:
        """From the stale read to the write that is lost, and from there to the overwrite."""
        lost = self._violation.lost_update
        if lost is None:
            return
        read, write = self._steps[lost.read], self._steps[lost.lost]
        overwrite = self._steps[lost.overwrite]
        corners = between_lanes(self._columns, read, write, arrive=-_SIDE)
        self._downwards(read, write, corners, _STALE_BY, STALE)
        corners = between_lanes(self._columns, write, overwrite, leave=_SIDE)
        self._downwards(write, overwrite, corners, _OVERWRITES, ALARM)

    def _downwards(
        self, start: Box, end: Box, corners: list[Point], label: str, color: str
    ) -> None:
        """Draw an edge with its label on the first stretch that is not level."""
        (_, top), (middle, bottom) = corners[1], corners[2]
        self._labelled(start, end, corners, _edge_label(label, color), (middle, (top + bottom) / 2))

    def _labelled(
        self,
        start: Box,
        end: Box,
        corners: list[Point],
        label: Block,
        label_at: Point,
        *,
        arrow: bool = True,
    ) -> None:
        self.sheet.edge(
            start,
            end,
            corners,
            label=label,
            label_at=label_at,
            arrow=arrow,
            color=label.texts[0].color,
            penwidth="1.8",
        )

    def holders(self) -> None:
        """From each blocked thread to those that hold what it waits for."""
        loops = 0
        lowest = max((box.bottom for box in self._waits.values()), default=0.0)
        for wait in self._violation.waits:
            start, label = self._waits[wait.thread], _held(wait)
            for holder in wait.holders:
                end = self._waits.get(holder)
                if end is None or holder == wait.thread:
                    held = self._holding(wait, holder)
                    corners = between_lanes(self._columns, start, held, leave=-_SIDE)
                    self._downwards(start, held, corners, label, ALARM)
                elif self._is_below(wait.thread, holder):
                    loops += 1
                    self._loop(start, end, lowest + _NODE_MARGIN + loops * _LOOP, label)
                else:
                    self._beside(start, end, label)
        if loops:
            self._y = max(self._y, lowest + _NODE_MARGIN + (loops + 1) * _LOOP)

    def _holding(self, wait: Wait, holder: str) -> Box:
        """The node where a thread that does not wait, or waits for itself, got hold of it."""
        own = [step for step in self._violation.trace.steps if step.thread == holder]
        for step in reversed(own):
            if wait.access.location in [access.location for access in step.accesses]:
                return self._steps[step.number]
        return self._steps[own[-1].number] if own else self._headers[holder]

    def at_once(self) -> None:
        """A line between the two nodes of a data race."""
        if not self._race:
            return
        first, second = (self._race[each] for each in self._in_order(self._violation.race))
        if second.lane - first.lane == 1:
            self._beside(first, second, _AT_ONCE, arrow=False)
            return
        below = max(first.bottom, second.bottom) + _NODE_MARGIN + _LOOP
        self._loop(first, second, below, _AT_ONCE, arrow=False)
        self._y = max(self._y, below + _LOOP)

    def _beside(self, start: Box, end: Box, label: str, *, arrow: bool = True) -> None:
        rightwards = start.x < end.x
        y = max(start.top, end.top) + (12 if rightwards else 28)
        from_x, to_x = (start.right, end.left) if rightwards else (start.left, end.right)
        label_at = ((from_x + to_x) / 2, y)
        corners: list[Point] = [(from_x, y), (to_x, y)]
        self._labelled(start, end, corners, _edge_label(label, ALARM), label_at, arrow=arrow)

    def _loop(self, start: Box, end: Box, y: float, label: str, *, arrow: bool = True) -> None:
        shift = 14.0 if start.x < end.x else -14.0
        corners: list[Point] = [
            (start.x + shift, start.bottom),
            (start.x + shift, y),
            (end.x - shift, y),
            (end.x - shift, end.bottom),
        ]
        label_at = ((start.x + end.x) / 2, y)
        self._labelled(start, end, corners, _edge_label(label, ALARM), label_at, arrow=arrow)

    def final(self) -> None:
        """What fails at the end, for violations that are no story of two or more threads."""
        violation = self._violation
        if words.tells_lines(violation):
            return
        texts = [Text(violation.message, ALARM, size=12, bold=True, most_lines=8)]
        source = violation.source
        if source is not None:
            place = f"{source.file}:{source.line}"
            texts += [Text(source.text, INK, font=MONO), Text(place, SOFT, size=10)]
        if violation.hint:
            texts.append(Text(violation.hint, INK, size=12, most_lines=8))
        if isinstance(violation.detail, NotAtomic):
            outcome, *others = words.call_outcomes(violation.detail)
            texts.append(Text(f"What came of it: {outcome}", ALARM, size=12, most_lines=8))
            for text in others[: len(violation.detail.nearest)]:
                texts.append(Text(f"Whole calls give: {text}", INK, size=12, most_lines=8))
        if violation.kind == "postcondition" and (values := words.final_values(violation)):
            texts.append(Text(f"At the end: {values}", INK, size=12, most_lines=8))
        box = self._across("final", Block(tuple(texts)), padding=16, **_ROLES["fails"])
        self._y += _ROW_GAP
        steps = violation.trace.steps
        if violation.kind == "postcondition":
            ends = [self._lowest[name] for name in self._threads]
        else:
            ends = [self._steps[steps[-1].number]] if steps else []
        for end in ends:
            color = ALARM if violation.kind != "postcondition" else RULE
            self.sheet.edge(end, box, [(end.x, end.bottom), (end.x, box.top)], color=color)

    def footer(self) -> None:
        """How many threads are not shown, and which violations are like this one."""
        texts = [Text(each, SOFT, most_lines=8) for each in words.alike(self._violation)]
        if self._hidden:
            texts.insert(0, Text(words.left_out(self._hidden), SOFT))
        if texts:
            self._across("footer", Block(tuple(texts)), color="none")


def _ink(role: words.Role | None) -> str:
    return SOFT if role is None else _ROLE_INKS.get(role.name, ALARM)


def _held(wait: Wait) -> str:
    return "waits for" if wait.is_run else "held by"


def _header(thread: str) -> Block:
    return Block((Text(thread, INK, size=12, bold=True, most_lines=2),))


def _last_block(sentence: str, source: Source, note: str = "") -> Block:
    """What a thread waits for, or is about to do, where the trace ends."""
    notes = [Text(note, ALARM)] if note else []
    return Block((Text(sentence, ALARM, bold=True), Text(source.text, INK, font=MONO), *notes))


def _edge_label(label: str, color: str) -> Block:
    return Block((Text(label, color),), background="white")
