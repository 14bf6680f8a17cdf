"""What Python allows in a class, and what is a mistake in a model.

Each member of a model has a role (`notes.Role`), and each role its rules. What breaks one would be
ignored in silence, or mean something else than it says.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import sys
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from interleave.compiler.source import (
    FUNCTION_OF,
    LAMBDA,
    find_class,
    find_function,
    names_in,
    place_of_assignment,
    place_of_class,
    place_of_function,
)
from interleave.errors import ModelError, Place, closest
from interleave.model import (
    EXPECTATIONS,
    NOTE,
    NOTED,
    UNUSED,
    Model,
    Param,
    ThreadNote,
    parameter_as_value,
)
from interleave.notes import Member, Notes, Role, bodies
from interleave.program.rebinding import lost_definitions, names_used
from interleave.program.settings import LOOPS, SETTINGS, in_effect
from interleave.runtimes import runtimes_of
from interleave.world import policy
from interleave.world.policy import Treatment
from interleave.world.reflection import refuse_to_set


def refuse_misuse(model: type[Model], notes: Notes) -> None:
    """Raise `ModelError` for the first member of a model that is not what it says."""
    for cls in filter(_is_own, bodies(model)):
        _refuse_lost(cls)
        _refuse_uses(cls)
        _refuse_hidden(cls)
    for member in notes.members.values():
        if member.name == "setup" and member.note is not None:
            raise _fault(
                member,
                f"setup is marked with @{_kind(member.note)}, and runs before the threads",
                "give the method another name",
            )
        is_of_library = member.role == "helper" and not _is_own(member.owner)
        if not is_of_library and (check := _RULES.get(member.role)):
            check(member)
    _refuse_unmarked(model, notes)
    _refuse_set_in_setup(notes)
    _refuse_settings(notes)
    _refuse_expectations(model, notes)


def _is_own(cls: type) -> bool:
    """Whether a class is the user's, and came neither with Python nor with a package."""
    return not (policy.is_standard(cls.__module__) or policy.is_installed(cls.__module__))


def kept_names(notes: Notes, known: Collection[str] = ()) -> dict[str, str]:
    """The attributes of a model that nothing may set when it runs, each with what it is.

    `known` has the facts that settings are of: see `Setting`.
    """
    found = dict.fromkeys(in_effect(known), "a setting")
    for name, member in notes.members.items():
        if member.role in ("thread", "property"):
            kind = _kind(member.note)
            found[name] = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        elif member.role == "parameter":
            found[name] = "a parameter"
    return found


def place_of_member(member: Member) -> Place | None:
    """Where a member is defined."""
    if isinstance(member.value, types.FunctionType):
        function = inspect.unwrap(member.value)
        found = find_class(member.owner)
        if found is not None and found[0] == function.__code__.co_filename:
            return place_of_function(function)
    return place_of_assignment(member.owner, member.name)


def _fault(member: Member, what: str, remedy: str) -> ModelError:
    return ModelError(what, remedy=remedy, place=place_of_member(member))


# What Python has lost


def _refuse_lost(cls: type) -> None:
    """Raise `ModelError` for two members of one name in a class body: the first is lost."""
    if (found := find_class(cls)) is None:
        return
    file, definition = found
    for first, second, name in lost_definitions(definition.body):
        raise _lost(cls, name, first.lineno, Place.of_node(file, second))


def _lost(scope: type, name: str, line: int, place: Place) -> ModelError:
    return ModelError(
        f"{scope.__name__} has two members named {name}: that of line {line} is lost",
        remedy="give each a name of its own",
        place=place,
    )


def _refuse_hidden(cls: type) -> None:
    """Raise `ModelError` for a method that was marked in a class body, and is none of the class."""
    own = vars(cls)
    for function in own.get(NOTED, ()):
        note = getattr(function, NOTE)
        members = [Member(name, value, cls) for name, value in own.items()]
        if any(member.note is note for member in members):
            continue
        name, code = function.__name__, function.__code__
        instead = own.get(name)
        if type(instead) is types.FunctionType:
            if instead.__code__.co_qualname == code.co_qualname:
                line = place_of_function(function).line
                raise _lost(cls, name, line, place_of_function(instead))
        marked = f"@{_kind(note)} on {name} has no effect"
        if name not in own:
            what = f"{marked}: {cls.__name__} has no member of that name"
            remedy = "leave it in the class body, under a name of its own"
        elif type(instead) is types.FunctionType:
            what = f"{marked}: what stands above it puts another function in its place"
            remedy = f"put @{_kind(note)} above the other decorators"
        else:
            what = f"{marked}: what stands above it makes it a {type(instead).__name__}"
            remedy = f"leave that out: @{_kind(note)} marks a plain method"
        raise ModelError(what, remedy=remedy, place=place_of_function(function))


def _kind(note: object) -> str:
    return str(note.kind)  # type: ignore[attr-defined]


def _refuse_uses(cls: type) -> None:
    """Raise `ModelError` for a parameter whose value a class body asks for: it has none yet."""
    found = find_class(cls)
    parameters = {name: each for name, each in vars(cls).items() if isinstance(each, Param)}
    if found is None or not parameters:
        return
    file, definition = found
    for node in names_used(definition.body):
        if node.id in parameters:
            raise parameter_as_value(parameters[node.id], place=Place.of_node(file, node))


def _refuse_set_in_setup(notes: Notes) -> None:
    """Raise `ModelError` for an attribute that is set in setup, and that nothing may set.

    Setup may set it in other ways: what it was is compared when setup has run.
    """
    function = notes.methods.get("setup")
    found = None if function is None else find_function(function)
    if function is None or found is None:
        return
    definition, _ = found
    kept, parameters = kept_names(notes), definition.args
    first = [each.arg for each in (*parameters.posonlyargs, *parameters.args)][:1]
    for node in ast.walk(definition):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            is_own = isinstance(node.value, ast.Name) and [node.value.id] == first
            if is_own and node.attr in kept:
                error = refuse_to_set(f"self.{node.attr}", node.attr, kept[node.attr])
                raise error.at(Place.of_node(function.__code__.co_filename, node))


def refuse_outside(
    module: types.ModuleType,
    definitions: ast.Module,
    models: Sequence[type[Model]],
    elsewhere: Sequence[type[Model]] = (),
) -> None:
    """Raise `ModelError` for a thread, a property or a model of a file that belongs to none.

    `models` are those that the file defines, and `definitions` is what was read of it; `elsewhere`
    are the models of other files.
    """
    own = vars(module)
    for first, second, name in lost_definitions(definitions.body):
        if isinstance(first, ast.ClassDef) and _is_model(first, own):
            raise ModelError(
                f"there are two models named {name}: that of line {first.lineno} is lost",
                remedy="give each a name of its own",
                place=Place.of_node(module.__file__ or "?", second),
            )
    _refuse_parameters(own, module.__file__ or "?", definitions)
    _refuse_hidden_expectations(own.values(), models)
    noted = list(own.get(NOTED, ()))
    for value in own.values():
        is_own = isinstance(value, type) and value.__module__ == module.__name__
        if is_own and not issubclass(value, Model):
            noted += vars(value).get(NOTED, ())
    refuse_unused_marks(noted, models, elsewhere)


def _refuse_parameters(own: Mapping[str, object], file: str, definitions: ast.Module) -> None:
    """Raise `ModelError` for a parameter outside of every class body, which nothing uses: what uses
    one is told of there.
    """
    for name, value in own.items():
        if type(value) is not Param or value.name:
            continue
        nodes = [node for node in ast.walk(definitions) if getattr(node, "id", None) == name]
        if any(isinstance(getattr(node, "ctx", None), ast.Load) for node in nodes):
            continue
        raise _parameter_of_no_model(name, file, nodes)


def refuse_parameter_outside(name: str, models: Iterable[type[Model]]) -> None:
    """Raise `ModelError` where a parameter of that name is in a file of the models, but in none."""
    for module in dict.fromkeys(sys.modules.get(model.__module__) for model in models):
        if module is not None and type(vars(module).get(name)) is Param:
            file = getattr(module, "__file__", None) or "?"
            definitions = ast.walk(ast.parse("".join(linecache.getlines(file))))
            nodes = [node for node in definitions if getattr(node, "id", None) == name]
            raise _parameter_of_no_model(name, file, nodes)


def _parameter_of_no_model(name: str, file: str, nodes: Sequence[ast.AST]) -> ModelError:
    return ModelError(
        f"{name} is a parameter of no model",
        remedy=f"write `{name} = param(...)` in the body of a model, and self.{name} in its "
        "setup and methods",
        place=Place.of_node(file, nodes[0]) if nodes else None,
    )


def _refuse_hidden_expectations(found: Iterable[object], models: Iterable[type[Model]]) -> None:
    """Raise `ModelError` for a model with an expectation that a decorator has hidden in another."""
    known = [each for each in found if isinstance(each, type)]
    for model in models:
        for base in bodies(model):
            is_here = base.__module__ == model.__module__ and base.__qualname__.isidentifier()
            is_here = is_here and FUNCTION_OF not in vars(base)
            if is_here and base not in known and EXPECTATIONS in vars(base):
                raise ModelError(
                    f"@expect on {base.__name__} has no effect: what stands above it puts another "
                    "class in its place",
                    remedy="put @expect above the other decorators",
                    place=place_of_class(base),
                )


def _is_model(definition: ast.ClassDef, names: Mapping[str, Any]) -> bool:
    """Whether a class that is gone derived from a model."""
    bases = [names.get(getattr(base, "id", "")) for base in definition.bases]
    return any(isinstance(base, type) and issubclass(base, Model) for base in bases)


def refuse_unused_marks(
    noted: Iterable[types.FunctionType],
    models: Iterable[type[Model]],
    elsewhere: Iterable[type[Model]] = (),
) -> None:
    """Raise `ModelError` for a method that was marked outside of every model.

    `elsewhere` are the models of other files.
    """
    used = {
        id(member.note)
        for model in models
        for cls in bodies(model)
        for member in (Member(name, value, cls) for name, value in vars(cls).items())
    }
    # A file that another one imports has been run twice, and its functions are there twice.
    places = {
        _definition(function)
        for model in elsewhere
        for cls in bodies(model)
        for function in vars(cls).get(NOTED, ())
    }
    for function in noted:
        if id(getattr(function, NOTE)) not in used and _definition(function) not in places:
            kind = _kind(getattr(function, NOTE))
            raise ModelError(
                f"@{kind} marks {function.__qualname__}, which is no method of a model",
                remedy="put it into a class that derives from Model, or from which one derives",
                place=place_of_function(function),
            )


def _definition(function: types.FunctionType) -> tuple[str, int]:
    """Where a function stands in the source."""
    code = inspect.unwrap(function).__code__
    return os.path.realpath(code.co_filename), code.co_firstlineno


def _refuse_unmarked(model: type[Model], notes: Notes) -> None:
    """Raise `ModelError` for what takes the place of a thread or a property, and is none."""
    for member in notes.members.values():
        if member.note is not None or member.value is None:
            continue
        for cls in bodies(model):
            above = Member(member.name, vars(cls).get(member.name), cls)
            if above.note is not None:
                kind = _kind(above.note)
                raise _fault(
                    member,
                    f"{member.name} takes the place of the {kind} of that name of {cls.__name__}, "
                    "and is none itself",
                    f"put @{kind} above it, or another name; to do without the {kind}, write "
                    f"{member.name} = None",
                )


# What each role asks for


def takes(function: types.FunctionType, number: int) -> bool:
    """Whether a function can be called with that many arguments, by its parameters for each."""
    signature = _signature(function)
    try:
        bound = signature.bind(*range(number))
    except TypeError:
        return False
    kinds = (signature.parameters[name].kind for name in bound.arguments)
    return inspect.Parameter.VAR_POSITIONAL not in kinds


def _takes_any(function: types.FunctionType) -> bool:
    """Whether a function takes any number of arguments, so that none says if it wants an index."""
    return _passes_on(_signature(function)) and not takes(function, 2)


def _signature(function: types.FunctionType) -> inspect.Signature:
    """What a function takes, or the one that it passes everything on to."""

    def own(each: Any) -> inspect.Signature:
        return inspect.signature(each, follow_wrapped=False)

    return own(inspect.unwrap(function, stop=lambda each: not _passes_on(own(each))))


def _passes_on(signature: inspect.Signature) -> bool:
    kinds = {each.kind for each in signature.parameters.values()}
    return inspect.Parameter.VAR_POSITIONAL in kinds


def _suspended(function: types.FunctionType) -> str:
    """What a call of a function gives, where it does not run the function; "" where it does."""
    for each in (function, inspect.unwrap(function)):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            return "a generator"
        if inspect.iscoroutinefunction(each):
            return "`async def`"
    return ""


def _check_followed(member: Member) -> None:
    """Raise `ModelError` for a marked method that a library has made."""
    decision = policy.of_function(member.value)
    if decision.treatment is not Treatment.FOLLOWED or policy.is_standard(decision.name):
        kind = _kind(member.note)
        raise _fault(
            member,
            f"the {kind} {member.name} is what {decision.name.partition('.<locals>')[0]} has made",
            f"leave that decorator out: @{kind} marks a plain method",
        )


def _check_thread(member: Member) -> None:
    _check_followed(member)
    function, note = member.value, member.note
    assert isinstance(note, ThreadNote)
    if not (takes(function, 1) or takes(function, 2)) or _takes_any(function):
        raise _fault(
            member,
            f"{note.kind} {member.name} must take `self`, or `self` and its instance index",
            f"write `def {member.name}(self):` or `def {member.name}(self, i):`",
        )
    how = _suspended(function)
    if how == "a generator":
        raise _fault(
            member,
            f"{note.kind} {member.name} is a generator: to call it runs nothing",
            "leave `yield` out: what it gives, nobody takes",
        )
    is_async = inspect.iscoroutinefunction(function)
    if is_async if note.kind.in_loop else not how:
        return
    if note.kind.in_loop and how:
        what = "decorated by what is not `async def`, and awaits nothing"
        remedy = "write `async def` in the decorator too, or leave it out"
    elif note.kind.in_loop:
        what = "not `async def`"
        remedy = f"write `async def {member.name}(self):`, or mark it with @thread"
    else:
        what, remedy = "`async def`", "mark it with @task: an event loop runs it"
    raise _fault(member, f"{note.kind} {member.name} is {what}", remedy)


def _check_property(member: Member) -> None:
    _check_followed(member)
    kind, function = _kind(member.note), member.value
    if not takes(function, 1):
        raise _fault(
            member,
            f"the {kind} {member.name} takes parameters besides self",
            f"write `def {member.name}(self):`",
        )
    if how := _suspended(function):
        raise _fault(
            member,
            f"the {kind} {member.name} is {how}: to call it runs nothing, and it cannot fail",
            f"write `def {member.name}(self):`, and return a bool or use assert",
        )
    _refuse_silence(kind, function)


def _check_setup(member: Member) -> None:
    function = member.value
    if not isinstance(function, types.FunctionType):
        how = f"of type {type(function).__name__}"
    elif not takes(function, 1):
        how = "called with self alone, and takes something else"
    elif not (how := _suspended(function)):
        return
    raise _fault(
        member, f"setup is {how}: it cannot be run before the threads", "write `def setup(self):`"
    )


def _check_parameter(member: Member) -> None:
    if member.value.name != member.name:
        raise _fault(
            member,
            f"{member.name} is the parameter {member.value.name} by another name, and would not "
            "follow it",
            f"write `self.{member.name} = self.{member.value.name}` in `def setup(self)`",
        )


def _check_special(member: Member) -> None:
    if member.name in ("__init__", "__new__", "__post_init__"):
        article = "an" if member.name == "__init__" else "a"
        raise _fault(
            member,
            f"model {member.owner.__name__} has {article} {member.name}, which is not run",
            "call it setup: `def setup(self):`",
        )


def _check_helper(member: Member) -> None:
    if getattr(member.value, UNUSED, False) is True:
        raise _fault(
            member,
            f"{member.name} is a decorator that marks no method",
            "write it above a method: `@thread(2)` above `def ...(self):`",
        )
    meant = {"setup": "", "init": "did you mean setup? If not, leave it out"}
    _refuse_slip(member, member.name.replace("_", "").lower(), meant)


_OPTIONS = {
    name: f"say so where the check is started: --{name.lower().replace('_', '-')}"
    for name in ("RUNTIME", "ENGINE", "WORKERS", "RACES", "FAIL_FAST", "MAX_STATES", "MAX_SECONDS")
}
"""What is said of a check, and not of a model."""


def _refuse_settings(notes: Notes) -> None:
    """Raise `ModelError` for what looks like a setting of a model, and is none of this one."""
    possible = [name for name, it in SETTINGS.items() if notes.has_loops or it.of != LOOPS]
    for member in notes.members.values():
        name = member.name
        if member.role != "variable" or name in possible or not _is_own(member.owner):
            continue
        if name in SETTINGS:
            if not _is_mentioned(member):
                raise _fault(
                    member,
                    f"{name} is a setting of the event loop, and the model has no tasks",
                    "leave it out, or mark `async def` methods with @task",
                )
        elif name.isupper() or name.upper() in possible:
            meant = {**dict.fromkeys(possible, ""), **_OPTIONS}
            _refuse_slip(member, name.upper(), meant)


def _refuse_slip(member: Member, spelt: str, meant: Mapping[str, str]) -> None:
    """Raise `ModelError` for a name that no code mentions, and that is close to one which means
    something to a model.

    `meant` has these, each with what else to do where a model cannot say it.
    """
    close = closest(spelt, meant)
    if close is None or _is_mentioned(member):
        return
    raise _fault(
        member,
        f"nothing uses {member.name}, and to a model it means nothing",
        meant[close] or f"did you mean {close}? If not, leave it out",
    )


def unused_methods(model: type[Model], notes: Notes) -> list[str]:
    """The methods of a model that no code names, and that nothing marks: they are never run."""
    unmarked = [
        each.name
        for each in notes.members.values()
        if each.role == "helper"
        and each.owner is model
        and isinstance(each.value, types.FunctionType)
    ]
    if not unmarked:
        return []
    bases = model.__mro__[1:]
    files = {found and found[0] for found in map(find_class, filter(_is_own, bodies(model)))}
    mentioned = frozenset[str]().union(*(names_in(file) for file in files if file))
    return [
        name
        for name in unmarked
        if None not in files
        and name not in mentioned
        and not any(name in vars(base) for base in bases)
    ]


def _is_mentioned(member: Member) -> bool:
    """Whether the file that defines a member names it anywhere else, or has no source."""
    found = find_class(member.owner)
    return found is None or member.name in names_in(found[0])


def _check_class(member: Member) -> None:
    inside = member.value
    if inside.__qualname__ != f"{member.owner.__qualname__}.{inside.__name__}":
        return  # only named here
    if issubclass(inside, Model):
        raise _fault(
            member,
            f"the model {member.name} is inside of another one, where no check finds it",
            "define it at the top of the file",
        )
    refuse_unused_marks(vars(inside).get(NOTED, ()), ())


_RULES: dict[Role, Callable[[Member], None]] = {
    "thread": _check_thread,
    "property": _check_property,
    "setup": _check_setup,
    "parameter": _check_parameter,
    "helper": _check_helper,
    "class": _check_class,
    "special": _check_special,
}


def _refuse_expectations(model: type[Model], notes: Notes) -> None:
    """Raise `ModelError` for an expectation under a runtime that the model never has."""
    kinds = {note.kind for note in notes.threads.values()}
    for expectation in notes.expectations:
        possible = [runtime.name for runtime in runtimes_of(kinds)]
        if kinds and expectation.runtime not in (None, *possible):
            raise ModelError(
                f"{model.__name__} expects something under the runtime {expectation.runtime}, and "
                "is never checked under it",
                remedy=f"its threads run under {' or '.join(possible)}",
                place=place_of_class(model),
            )


# Properties that say nothing


def _refuse_silence(kind: str, function: types.FunctionType) -> None:
    """Raise `ModelError` for a property that neither returns anything nor can fail."""
    found = find_function(function)
    if found is None or found[0].name == LAMBDA:
        return
    definition, _ = found
    nodes = [node for statement in definition.body for node in ast.walk(statement)]
    last = definition.body[-1]
    is_value = isinstance(last, ast.Expr) and _gives_a_bool(last.value)
    # What it calls may assert, but for that of which only the value counts.
    if any(map(_may_fail, nodes)) or (not is_value and any(map(_may_act, nodes))):
        return
    raise ModelError(
        f"the {kind} {function.__name__} neither returns anything nor asserts: it cannot fail",
        remedy=f"write `return {ast.unparse(last)}`"
        if is_value
        else "return a bool, or use assert",
        place=Place.of_node(function.__code__.co_filename, last),
    )


def _gives_a_bool(value: ast.expr) -> bool:
    """Whether an expression is there for what it gives, and not for what it does."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in ("all", "any", "bool")
    return isinstance(value, ast.Compare | ast.BoolOp | ast.UnaryOp)


def _may_act(node: ast.AST) -> bool:
    """Whether a node may do more than to compute a value."""
    is_stored = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
    is_looked_at = isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute)
    is_called = isinstance(node, ast.Call)
    return is_called or is_looked_at or (is_stored and not isinstance(node, ast.Name))


def _may_fail(node: ast.AST) -> bool:
    if isinstance(node, ast.Return):
        is_none = isinstance(node.value, ast.Constant) and node.value.value is None
        return node.value is not None and not is_none
    return isinstance(node, ast.Assert | ast.Raise)
