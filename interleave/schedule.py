"""A schedule: which thread takes each step of a trace, and how the choices in it go.

It can be stored, read back, and replayed against the model, which gives the same trace again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from interleave.errors import UsageError
from interleave.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from interleave.model import Model
    from interleave.result import Trace

FORMAT = 1

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Turn:
    """One step: the thread that takes it, and which of its options each choice in it takes, from 0.

    `which` says which one of those that share the name: an event loop has several.
    `does` has its accesses in words ("write counter"): a model in which the thread would do
    something else is not the one that the schedule is of.
    """

    thread: str
    which: int = 0
    choices: tuple[int, ...] = ()
    does: str = ""


@dataclass(frozen=True)
class Schedule:
    """A path in the state graph of a model, as data.

    `initial` counts the initial states from 0, of which there are several where `setup` chooses.
    `loop` is what goes on for ever at the end. `states` is None if the search that the schedule
    comes from was complete, else how many states it came to; `constants` names the variables that
    the trace tells of although nothing writes them; `pure` what was said to be pure.
    """

    model: str
    runtime: str
    parameters: tuple[tuple[str, object], ...] = ()
    initial: int = 0
    turns: tuple[Turn, ...] = ()
    loop: tuple[Turn, ...] = ()
    states: int | None = None
    constants: tuple[str, ...] = ()
    pure: tuple[str, ...] = ()

    def replay(self, target: type[Model] | str | Path) -> Trace:
        """Take these steps in a model, and tell of them.

        `target` is the model, or the path of a file that has one of this name. What a step is in it
        is found out by a search, as for a check.

        Raises `UsageError` where the schedule does not fit the model, and `InterleaveError` for a
        model that cannot be run.
        """
        from interleave.replaying import replayed

        return replayed(self, target)

    def to_document(self) -> dict[str, Any]:
        """The schedule as a JSON object. Parameters are in it as Python writes them.

        Raises `UsageError` where one of them cannot be written so that it can be read back.
        """
        document = {
            "format": FORMAT,
            "model": self.model,
            "runtime": self.runtime,
            "parameters": {name: _written(name, value) for name, value in self.parameters},
            "initial": self.initial,
            "turns": [*map(_turn_to_document, self.turns)],
            "loop": [*map(_turn_to_document, self.loop)],
            "states": self.states,
            "constants": [*self.constants],
        }
        return {**document, "pure": [*self.pure]} if self.pure else document

    def to_json(self) -> str:
        """The schedule as JSON text, which `from_json` reads. Raises what `to_document` does."""
        import json

        return json.dumps(self.to_document(), ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Schedule:
        """The schedule that a JSON text stands for. Raises `UsageError` for any other text."""
        import json

        try:
            return cls.from_document(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise _no_schedule(f"it is no JSON: {error}") from None

    @classmethod
    def from_document(cls, document: object) -> Schedule:
        """The schedule that a JSON object stands for. Raises `UsageError` for any other one."""
        if not isinstance(document, Mapping):
            raise _no_schedule("it is no JSON object")
        if document.get("format") != FORMAT:
            raise _no_schedule(f"its format is {document.get('format')!r}, and not {FORMAT}")
        from interleave import literals

        try:
            return cls(
                _checked(str, document["model"]),
                _checked(str, document["runtime"]),
                tuple(
                    (_checked(str, name), literals.read(_checked(str, each)))
                    for name, each in document["parameters"].items()
                ),
                _checked(int, document["initial"]),
                _turns(document["turns"]),
                _turns(document["loop"]),
                None if document["states"] is None else _checked(int, document["states"]),
                tuple(_checked(str, name) for name in document["constants"]),
                tuple(_checked(str, name) for name in document.get("pure", ())),
            )
        except KeyError as error:
            raise _no_schedule(f"it has no {error.args[0]!r}") from None
        except (TypeError, AttributeError, ValueError, SyntaxError) as error:
            raise _no_schedule(str(error)) from None
        except (RecursionError, MemoryError):
            raise _no_schedule("a parameter is nested too deeply") from None


def _written(name: str, value: object) -> str:
    from interleave import literals

    try:
        return literals.written(value)
    except ValueError as why:
        raise UsageError(
            f"this schedule cannot be stored: {why}, and is in the parameter {name}",
            remedy="give the parameter a number, a string, a bool, None, or a tuple of these, and "
            "make other things of it in setup",
        ) from None


def _turn_to_document(turn: Turn) -> dict[str, Any]:
    return {
        "thread": turn.thread,
        "which": turn.which,
        "choices": [*turn.choices],
        "does": turn.does,
    }


def _turns(documents: Iterable[Mapping[str, Any]]) -> tuple[Turn, ...]:
    return tuple(
        Turn(
            _checked(str, each["thread"]),
            _checked(int, each["which"]),
            tuple(_checked(int, choice) for choice in each["choices"]),
            _checked(str, each["does"]),
        )
        for each in documents
    )


def _checked(kind: type[Kind], value: object) -> Kind:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} stands where there should be a value of type {kind.__name__}")
    return value


def _no_schedule(why: str) -> UsageError:
    return UsageError(f"this is no schedule: {why}", remedy="store what `to_json` gives")
