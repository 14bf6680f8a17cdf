"""How nodes and edges of a state graph are marked, and what the legend says of each mark."""

from __future__ import annotations

from dataclasses import dataclass, field

from interleave.report.graph import heading
from interleave.report.graph.heading import Key
from interleave.report.palette import ALARM, ALARM_FILL, INITIAL_FILL, INK, RULE

Attributes = dict[str, str]
"""Attributes of a node or an edge, as Graphviz names them."""

_NODE = {"style": "rounded,filled", "color": RULE, "fillcolor": "white"}
_INITIAL = {"fillcolor": INITIAL_FILL, "color": INK}
_FINAL = {"peripheries": "2", "color": INK}
_ENDS = {"color": ALARM, "penwidth": "1.8"}
_WRONG = {**_ENDS, "fillcolor": ALARM_FILL}

_FAILING = {"color": ALARM, "style": "dashed"}
_OTHER_PATH = {"color": ALARM, "penwidth": "1.4"}
_PATH = {"color": ALARM, "penwidth": "3"}


@dataclass(frozen=True)
class NodeMarks:
    """What a node is marked as.

    `broken`: a property does not hold; `ends`: the counterexample of a violation that is no
    property of a state ends here.
    """

    initial: bool = False
    final: bool = False
    deadlock: bool = False
    broken: bool = False
    ends: bool = False


@dataclass(frozen=True)
class EdgeMarks:
    """What an edge is marked as. `path` is part of the first counterexample, `other` of another."""

    failing: bool = False
    path: bool = False
    other: bool = False


@dataclass
class Styles:
    """The attributes that show marks; it remembers which marks have occurred."""

    _seen: set[str] = field(default_factory=set)

    def node(self, marks: NodeMarks) -> Attributes:
        """The attributes of a node."""
        attributes = dict(_NODE)
        if marks.initial:
            attributes |= self._use("initial", _INITIAL)
        if marks.final:
            attributes |= self._use("final", _FINAL)
        if marks.ends:
            attributes |= self._use("ends", _ENDS)
        for mark, is_so in (("deadlock", marks.deadlock), ("broken", marks.broken)):
            if is_so:
                self._seen.add("wrong")
                attributes |= self._use(mark, _WRONG)
        return attributes

    def edge(self, marks: EdgeMarks, color: str) -> Attributes:
        """The attributes of an edge that has a colour of its own."""
        attributes = {"color": color}
        if marks.failing:
            attributes |= self._use("failing", _FAILING)
        if marks.path:
            attributes |= self._use("path", _PATH)
        elif marks.other:
            attributes |= self._use("other", _OTHER_PATH)
        return attributes

    def legend(self, *, groups: bool, path: str) -> list[Key]:
        """A row for each mark that has occurred.

        `path` names the violation of the first counterexample; `groups` says that nodes are groups
        of states, of which at least one is what the mark says.
        """
        one = "with " if groups else ""
        rows = {
            "initial": Key(heading.INITIAL, f"{one}an initial state"),
            "final": Key(heading.FINAL, f"{one}a final state: the threads have ended"),
            "wrong": Key(heading.WRONG, one + " or ".join(self._wrong())),
            "ends": Key(heading.ENDS, f"{one}the end of a counterexample"),
            "failing": Key(heading.dashes(ALARM), "a step that an exception ends"),
            "path": Key(heading.line(ALARM, 4), f"the shortest way to: {path}"),
            "other": Key(heading.line(ALARM, 2), "the ways to the other violations"),
        }
        return [key for mark, key in rows.items() if mark in self._seen]

    def _wrong(self) -> list[str]:
        """What the one look of all wrong states means here."""
        texts = {"deadlock": "a deadlock", "broken": "a state that breaks a property"}
        return [text for mark, text in texts.items() if mark in self._seen]

    def _use(self, mark: str, attributes: Attributes) -> Attributes:
        self._seen.add(mark)
        return attributes
