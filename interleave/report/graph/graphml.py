"""The state graph as GraphML: all of it, every attribute a text, a number or a truth value.

A variable `counter` is the node attribute "variables.counter", a thread's position
"threads.increment[0]", and a change on an edge is "counter: 0 → 1" in "changes". An attribute has
the same type wherever it occurs: numbers where all its values are, else texts.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from interleave.report.words import change_text
from interleave.result import Change
from interleave.showing import plain_text, show
from interleave.stategraph import StateGraph

if TYPE_CHECKING:
    import networkx

Scalar = bool | int | float | str

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def graphml(graph: StateGraph) -> bytes:
    """The state graph as a GraphML document, which `networkx.read_graphml` reads."""
    import networkx

    flat = flattened(graph.to_networkx())
    buffer = io.BytesIO()
    # The writer that needs no lxml, so that the bytes do not depend on what else is installed.
    networkx.write_graphml_xml(flat, buffer, named_key_ids=False)
    return buffer.getvalue()


def flattened(graph: networkx.MultiDiGraph[int]) -> networkx.MultiDiGraph[int]:
    """The graph of `StateGraph.to_networkx` with attributes that GraphML can hold."""
    import networkx

    flat: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(
        **{
            name: _text(value) if isinstance(value, str) else value
            for name, value in graph.graph.items()
        }
    )
    nodes = [(number, _flat_node(facts)) for number, facts in graph.nodes(data=True)]
    edges = [
        (source, target, _flat_edge(facts)) for source, target, facts in graph.edges(data=True)
    ]
    convert = _converters([*(facts for _, facts in nodes)])
    for number, facts in nodes:
        flat.add_node(number, **{name: convert[name](value) for name, value in facts.items()})
    convert = _converters([facts for _, _, facts in edges])
    for source, target, facts in edges:
        flat.add_edge(
            source, target, **{name: convert[name](value) for name, value in facts.items()}
        )
    return flat


def _flat_node(facts: dict[str, Any]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in facts.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{_text(key)}": item for key, item in value.items()}
        else:
            flat[name] = ", ".join(value) if name == "violations" else value
    return flat


def _flat_edge(facts: dict[str, Any]) -> dict[str, object]:
    changes = (Change(name, *both) for name, both in facts["changes"].items())
    location = facts["location"]
    return {
        **facts,
        "location": "" if location is None else location,
        "changes": "; ".join(map(change_text, changes)),
    }


def _converters(rows: Iterable[dict[str, object]]) -> dict[str, Callable[[object], Scalar]]:
    """How to write each attribute: as it is where all of its values have one type that can be."""
    types: dict[str, set[type]] = {}
    for row in rows:
        for name, value in row.items():
            types.setdefault(name, set()).add(type(value) if _is_scalar(value) else object)
    return {
        name: _same if len(found) == 1 and object not in found else _shown
        for name, found in types.items()
    }


def _is_scalar(value: object) -> bool:
    """Whether GraphML can hold a value as it is: all its readers count with 64 bits."""
    if type(value) is int:
        return -(2**63) <= value < 2**63
    if type(value) is float:
        return math.isfinite(value)
    return type(value) in (bool, str)


def _same(value: object) -> Scalar:
    if isinstance(value, str):
        return _text(value)
    assert isinstance(value, (bool, int, float))
    return value


def _shown(value: object) -> str:
    return _text(show(value))


def _text(text: str) -> str:
    """The text, with the characters that XML has not as escapes."""
    return _NOT_IN_XML.sub(
        lambda found: found[0].encode("unicode_escape").decode("ascii"), plain_text(text)
    )
