"""Running one model in two ways: by real Python on a plain object, and by interleave."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections import deque
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from interleave import check
from interleave.loading import load_models, parameters_of
from interleave.machine import Machine, State
from interleave.machine.properties import PropertyPort
from interleave.memory.containers import SharedArray, SharedContainer
from interleave.memory.port import using_port
from interleave.memory.values import Shared
from interleave.model import Model
from interleave.program import Discoveries, MoreNames, Program, Swallowed, Written
from interleave.verbs import Array


@dataclass(frozen=True)
class Outcome:
    """How a thread ended: what it raised (type and message), and the variables it left behind."""

    raised: tuple[str, str] | None
    variables: dict[str, object]


def load(file: Path, text: str) -> type[Model]:
    """The last model of a source text, which is written to a file."""
    file.write_text(text)
    return load_models(file)[-1]


def by_python(file: Path, text: str) -> Outcome:
    """What the method `run` of the last model does when Python runs it."""
    model = load(file, text)
    instance: Any = model()
    instance.setup()
    raised = None
    try:
        instance.run()
    except SystemExit:
        pass  # it ends a thread, silently
    except Exception as error:
        raised = (type(error).__name__, str(error))
    return Outcome(raised, {name: plain(getattr(instance, name)) for name in names_of(model)})


def by_interleave(file: Path, text: str) -> Outcome:
    """What the one thread of the last model does when interleave runs it."""
    model = load(file, text)
    machine = machine_of(model)
    (state,) = machine.initial()
    failures = [step.failure for step in machine.failures_at_start(state)]
    while steps := machine.step(state, 0, explain=True).steps:
        (step,) = steps
        failures.append(step.failure)
        state = machine.after(state, step)
    raised = [(type(f.exception).__name__, str(f.exception)) for f in failures if f is not None]
    return Outcome(raised[0] if raised else None, variables(machine, state, names_of(model)))


def events(file: Path, text: str) -> tuple[object, object]:
    """What the last model notes in `events`, as real Python has it and as interleave does."""
    model = load(file, text)
    real: Any = model()
    real.setup()
    if inspect.iscoroutinefunction(model.run):  # type: ignore[attr-defined]
        asyncio.run(real.run())
    else:
        real.run()
    (result,) = check(model).models
    assert result.violations == (), result.violations
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    return real.events, dict(outcome.state)["events"]


def machine_of(model: type[Model]) -> Machine:
    """A machine for a model, every location that is written known as such."""
    known = Discoveries()
    while True:
        program = Program(
            model,
            parameters_of(model, {}),
            known.written,
            swallowing=known.swallowing,
            method_names=known.method_names,
        )
        machine = Machine(program)
        try:
            _run_through(machine)
        except (Written, Swallowed, MoreNames) as found:
            found.add_to(known)
        else:
            return machine


def _run_through(machine: Machine) -> None:
    seen: set[State] = set()
    waiting = machine.initial()
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        for thread in range(len(machine.program.threads)):
            waiting += [machine.after(state, s) for s in machine.step(state, thread).steps]


def variables(machine: Machine, state: State, names: list[str]) -> dict[str, object]:
    """Plain values of the attributes of the model in a state."""
    with using_port(PropertyPort(machine, state)):
        return {name: plain(getattr(machine.program.stand_in, name)) for name in names}


def names_of(model: type[Model]) -> list[str]:
    """The shared variables in the body of a model's own class."""
    return [
        name
        for name, value in vars(model).items()
        if not callable(value)
        and not hasattr(value, "__get__")
        and not (name.startswith("__") and name.endswith("__"))
        and not hasattr(value, "acquire")
    ]


def plain(value: Any) -> object:
    """A value as tuples of type names and texts, the same for real objects and stand-ins."""
    kind = type(value)
    if issubclass(kind, SharedContainer):
        value = value.snapshot()
        kind = type(value)
    if issubclass(kind, SharedArray | Array):
        return ("array", [plain(item) for item in value])
    if kind in (list, deque):
        return (kind.__name__, [plain(item) for item in value])
    if isinstance(value, dict):
        return ("dict", [(plain(key), plain(item)) for key, item in value.items()])
    if isinstance(value, set | frozenset):
        name = "set" if isinstance(value, set) else "frozenset"
        return (name, sorted(repr(plain(item)) for item in value))
    if isinstance(value, tuple):
        return (kind.__name__, [plain(item) for item in value])
    if is_dataclass(value):
        return (kind.__name__, [plain(getattr(value, field.name)) for field in fields(value)])
    if issubclass(kind, Shared) or (hasattr(value, "__dict__") and not isinstance(value, Enum)):
        return (kind.__name__, "")
    return (kind.__name__, str(value))


def unload() -> None:
    """Forget the modules of model files."""
    for name in [name for name in sys.modules if name.startswith("__interleave_model__")]:
        del sys.modules[name]
