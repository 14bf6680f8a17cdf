"""What was compiled is taken again only where it would be compiled to the same."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from interleave.compiler import Code, Compilations, compile_function, compile_whole
from interleave.compiler.imports import Imported
from interleave.runtimes import Scope

MODULE = types.ModuleType("somewhere")


def calls(x: Any) -> Any:
    return it(x)  # type: ignore[name-defined]  # noqa: F821


def sized(x: Any) -> Any:
    return len(x)


def calls_of_module(x: Any) -> Any:
    return it.part(x)  # type: ignore[name-defined]  # noqa: F821


def loops(x: Any) -> list[Any]:
    found = []
    while x:
        found += [each for each in x.items()]  # noqa: C416
        with x:
            x = it  # type: ignore[name-defined]  # noqa: F821
    return found


def holds_variables(x: Any) -> Any:
    inner = []
    for n in x:
        value = n
        inner.append(lambda: value)  # noqa: B023
    return inner


def closing_over(it: Any) -> types.FunctionType:
    def inner(x: Any) -> Any:
        return it(x)

    return inner  # type: ignore[return-value]


class Asked(NamedTuple):
    """A function, and how it is to be compiled."""

    function: types.FunctionType
    how: dict[str, Any] = {}  # noqa: RUF012


def with_globals(function: Callable[..., Any], **names: Any) -> Asked:
    """The same code, whose free names stand for something else."""
    assert isinstance(function, types.FunctionType)
    made = types.FunctionType(function.__code__, {"__name__": __name__, **names})
    return Asked(made)


def asked(function: Callable[..., Any], **how: Any) -> Asked:
    """A function, compiled so."""
    assert isinstance(function, types.FunctionType)
    return Asked(function, how)


def bound_to(value: object, is_found: bool = True) -> Imported:
    error = None if is_found else ImportError("it")
    return Imported("it", "@it", value, error, "somewhere", "it")


WITH = (calls.__code__.co_filename, loops.__code__.co_firstlineno + 4, 13)
"""The `with` of `loops`."""

PAIRS = {
    "globals": (with_globals(calls, it=calls), with_globals(calls, it=len)),
    "a global that is not there": (with_globals(calls, it=len), with_globals(calls)),
    "a built-in that is hidden": (with_globals(sized, len=calls), with_globals(sized)),
    "closures": (Asked(closing_over(calls)), Asked(closing_over(len))),
    "imports": (
        asked(calls, imports=[bound_to(len)]), asked(calls, imports=[bound_to(calls)])
    ),
    "an import that fails": (
        asked(calls, imports=[bound_to(len)]), asked(calls, imports=[bound_to(len, False)])
    ),
    "runtimes": (asked(loops, switches=True), asked(loops)),
    "Go": (asked(loops, in_go=True), asked(loops)),
    "methods": (
        asked(loops, method_names=frozenset({"items"})), asked(loops)
    ),
    "scopes": (asked(holds_variables, scope=Scope.LOOP), asked(holds_variables)),
    "holders": (asked(calls, holders={"it": "@module:m"}), asked(calls)),
    "what swallows exceptions": (asked(loops, swallowing=frozenset({WITH})), asked(loops)),
}  # fmt: skip
"""What the compiler makes two things of, which have their code in common."""


def outline(code: types.CodeType) -> object:
    constants = [
        outline(each) if isinstance(each, types.CodeType) else each for each in code.co_consts
    ]
    return code.co_name, code.co_code, code.co_names, code.co_freevars, constants


def facts(code: Code) -> object:
    """All that there is to know of a function that was compiled."""
    return [
        (
            block.kind, block.next, block.otherwise, block.handler, block.target, block.swallows,
            block.uses, block.defines, block.live, block.live_in_call, block.depends, block.keeps,
            outline(block.run.__code__),  # type: ignore[attr-defined]
        )
        for block in code.blocks
    ]  # fmt: skip


def compiled(each: Asked, compilations: Compilations) -> Code:
    how: dict[str, Any] = {"method_names": frozenset(), "namespace": {}, **each.how}
    return compile_function(
        each.function, defaults=lambda value: value, compilations=compilations, **how
    )


def whole(each: Asked, compilations: Compilations) -> object:
    """Its code as Python is to run it as a whole."""
    code = compile_whole(
        each.function,
        {},
        each.how.get("holders", {}),
        each.how.get("imports", []),
        switches=each.how.get("switches", False),
        compilations=compilations,
    )
    return code and outline(code)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_the_same_code_is_compiled_anew_where_it_means_something_else(
    pair: tuple[Asked, Asked],
) -> None:
    one, other = (facts(compiled(each, Compilations())) for each in pair)
    assert one != other, "this pair shows nothing"
    together = Compilations()
    for first, second in (pair, pair[::-1]):
        for each in (first, second, second):
            assert facts(compiled(each, together)) == facts(compiled(each, Compilations()))
            assert whole(each, together) == whole(each, Compilations())


@pytest.mark.parametrize("change", ["global", "attribute of a module", "cell", "built-in"])
def test_what_a_name_of_one_function_stands_for_may_change(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if change == "global":
        each = with_globals(calls, it=calls)
        change_it = lambda: each.function.__globals__.update(it=len)  # noqa: E731
    elif change == "attribute of a module":
        monkeypatch.setattr(MODULE, "part", calls, raising=False)
        each = with_globals(calls_of_module, it=MODULE)
        change_it = lambda: monkeypatch.setattr(MODULE, "part", len)  # noqa: E731
    elif change == "cell":
        each = Asked(closing_over(calls))
        (cell,) = each.function.__closure__ or ()
        change_it = lambda: setattr(cell, "cell_contents", len)  # noqa: E731
    else:
        monkeypatch.setattr("builtins.it", calls, raising=False)
        each = with_globals(calls)
        change_it = lambda: monkeypatch.setattr("builtins.it", len)  # noqa: E731
    together = Compilations()
    before = facts(compiled(each, together))
    change_it()
    after = facts(compiled(each, together))
    assert before != after
    assert after == facts(compiled(each, Compilations()))


def test_what_is_the_same_is_compiled_once_and_runs_in_each_program_by_itself() -> None:
    each, together = with_globals(calls, it=len), Compilations()
    first, second = ({"it": len}, {"it": sum})
    one, other = (
        compiled(each._replace(how={"namespace": names}), together) for names in (first, second)
    )
    assert one.blocks is not other.blocks
    for block, same in zip(one.blocks, other.blocks, strict=True):
        assert block.body is same.body  # it was made once
        assert (block.run.__globals__, same.run.__globals__) == (first, second)  # type: ignore[attr-defined]
        assert block.run.__globals__ is first  # type: ignore[attr-defined]
