"""The state graph as data: one JSON document, schema 1. It is always all of the graph.

Keys may be added to a schema; none is renamed or removed without a new schema number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from interleave.result import Change
from interleave.showing import plain_text, to_json
from interleave.stategraph import Counterexample, GraphState, StateGraph, Transition

SCHEMA = 1

Document = dict[str, Any]
"""A JSON object: what it holds passes `json.dumps(..., allow_nan=False)`."""


def graph_document(graph: StateGraph) -> Document:
    """The state graph as a JSON object.

    Values that JSON has are themselves, tuples and deques are lists, and any other value (a set,
    NaN, the state of a lock) is the text that reports show. A state lists the properties that do
    not hold in it as "violations", with "deadlock" where it is one; a thread has the "line" that it
    is about to run, or null where its "status" is not "running".
    """
    result = graph.result
    return {
        "schema": SCHEMA,
        "model": plain_text(result.model),
        "file": plain_text(result.file),
        "runtime": result.runtime,
        "parameters": _values(result.parameters),
        "complete": graph.complete,
        "limit": plain_text(result.limit),
        "states": [_state(state) for state in graph.states()],
        "transitions": [_transition(transition) for transition in graph.transitions()],
        "counterexamples": [_counterexample(example) for example in graph.counterexamples],
    }


def graph_json(graph: StateGraph) -> bytes:
    """`graph_document` as JSON: each state, transition and counterexample on a line of its own."""
    document = graph_document(graph)

    def entries() -> Iterator[str]:
        for key, value in document.items():
            if isinstance(value, list) and value:
                items = ",\n    ".join(map(_dumps, value))
                yield f"{_dumps(key)}: [\n    {items}\n  ]"
            else:
                yield f"{_dumps(key)}: {_dumps(value)}"

    return ("{\n  " + ",\n  ".join(entries()) + "\n}\n").encode()


def _dumps(value: object) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def _state(state: GraphState) -> Document:
    return {
        "number": state.number,
        "variables": _values(state.variables),
        "threads": {
            plain_text(name): {
                "status": position.status,
                "line": None if position.source is None else position.source.line,
            }
            for name, position in state.threads.items()
        },
        "initial": state.initial,
        "final": state.final,
        "deadlock": state.deadlock,
        "violations": [plain_text(name) for name in state.violations],
    }


def _transition(transition: Transition) -> Document:
    return {
        "source": transition.source,
        "target": transition.target,
        "thread": plain_text(transition.thread),
        "accesses": [
            {"kind": plain_text(access.kind), "location": _name(access.location)}
            for access in transition.accesses
        ],
        "line": transition.line.line,
        "text": plain_text(transition.line.text),
        "changes": _changes(transition.changes),
        "outcome": plain_text(transition.outcome),
        "failure": plain_text(transition.failure),
    }


def _changes(changes: Iterable[Change]) -> Document:
    """Location to [before, after], over the whole step where it changes a location twice."""
    document: Document = {}
    for change in changes:
        name = plain_text(change.location)
        before = document.get(name, [to_json(change.before)])[0]
        document[name] = [before, to_json(change.after)]
    return document


def _counterexample(example: Counterexample) -> Document:
    return {
        "kind": example.violation.kind,
        "message": plain_text(example.violation.message),
        "states": list(example.states),
    }


def _name(name: str | None) -> str | None:
    return None if name is None else plain_text(name)


def _values(values: Mapping[str, object]) -> Document:
    return {plain_text(name): to_json(value) for name, value in values.items()}
