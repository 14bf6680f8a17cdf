"""Functions that are defined inside a function, lifted out of it.

A captured variable becomes a parameter of the lifted function. It is copied if its one assignment
comes before the definition; else it becomes a `memory.closures.variable`, and what is captured is
that. In Go, a variable that occurs only in the body of one loop is a new one in each round, and so
is the variable of a `for` loop (up to Go 1.21, it is one for the whole loop).
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from interleave.compiler.lazily import GENEXPR, generates, yielding
from interleave.compiler.names import bound_names, scope_walk
from interleave.compiler.source import DEFINITION, LAMBDA, LIFTED, Definition
from interleave.compiler.syntax import Transformer, copied
from interleave.memory.closures import NOT_GIVEN
from interleave.runtimes import Scope

Inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Loops = tuple[ast.AST, ...]
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Node = TypeVar("Node", bound=ast.AST)


class Lifted(NamedTuple):
    """A definition without inner functions, and these, by the names under which it finds them."""

    definition: Definition
    functions: dict[str, types.FunctionType]


class _Use(NamedTuple):
    """An occurrence of a variable: inside which loops, and in which inner function, if any."""

    stores: bool
    loops: Loops
    place: tuple[int, int]
    inner: Inner | None


def lift(
    function: types.FunctionType,
    definition: Definition,
    owner: str | None,
    *,
    scope: Scope,
    holders: Mapping[str, str],
) -> Lifted:
    """The definition of a function with the functions inside it lifted out of it.

    `holders` is what was done to the definition (see `variables`). Raises `ModelError`. For one
    function it gives the same functions each time. Lambdas in comprehensions stay where they are.
    """
    found: dict[Any, Lifted] = function.__dict__.setdefault(LIFTED, {})
    key = (scope, frozenset(holders.items()))
    if key not in found:
        if not any(isinstance(each, Inner) for each in _inside(definition)):
            return Lifted(definition, {})
        found[key] = _Lifter(function, definition, owner, scope).lifted()
    return found[key]


def _inside(definition: Definition) -> Iterator[ast.AST]:
    return (each for statement in definition.body for each in ast.walk(statement))


class _Lifter:
    """Lifts the functions inside one function."""

    def __init__(
        self,
        function: types.FunctionType,
        definition: Definition,
        owner: str | None,
        scope: Scope,
    ) -> None:
        self._function = function
        self._defaults = _Defaults()
        self._definition = copied(definition)
        self._definition.body = self._defaults.of_statements(self._definition.body)
        self._owner = owner
        self._of_variables = scope
        self._bound = bound_names(self._definition)
        arguments = ast.walk(self._definition.args)
        self._parameters = {each.arg for each in arguments if isinstance(each, ast.arg)}
        self._uses: dict[str, list[_Use]] = {}
        self._stored: dict[int, tuple[int, int]] = {}
        self._inner: list[Inner] = []
        for loops, node in _in_order(self._definition.body, ()):
            if isinstance(node, Inner):
                self._inner.append(node)
            self._note(loops, node)

    def lifted(self) -> Lifted:
        if not self._inner:
            return Lifted(self._definition, {})
        captured = {id(each): sorted(_free(each) & self._bound) for each in self._inner}
        names = sorted({name for found in captured.values() for name in found})
        shared = {name: self._scope(name) for name in names if not self._is_copied(name)}
        functions, hidden = {}, {}
        for number, each in enumerate(self._inner, 1):
            name = getattr(each, "name", "func")
            hidden[id(each)] = f"@{name}{number}"
            made = self._made(each, name, captured[id(each)], frozenset(shared))
            functions[hidden[id(each)]] = made
        rewriter = VariableRewriter({each: each for each in shared}, hidden, captured)
        self._definition.body = [rewriter.visit(each) for each in self._definition.body]
        self._make_variables(shared)
        return Lifted(ast.fix_missing_locations(self._definition), functions)

    # Which variables are captured, and how

    def _note(self, loops: Loops, node: ast.AST) -> None:
        place = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            # Its targets are stored once its value is there.
            end = (node.end_lineno or 0, node.end_col_offset or 0)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                self._stored.update({id(each): end for each in ast.walk(target)})
        place = self._stored.get(id(node), place)
        for name in _bound_by(node):
            self._uses.setdefault(name, []).append(_Use(True, loops, place, None))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._uses.setdefault(node.id, []).append(_Use(False, loops, place, None))
        if isinstance(node, Inner):
            stored = _stored_outside(node)
            for name in _free(node):
                use = _Use(name in stored, loops, place, node)
                self._uses.setdefault(name, []).append(use)

    def _scope(self, name: str) -> Loops:
        """The loops in whose body a variable is: it is a new one in each round of the last."""
        if self._of_variables is Scope.FUNCTION:
            return ()
        ways = [use.loops for use in self._uses[name]]
        if name in self._parameters:
            ways.append(())
        scope: Loops = ()
        for each in zip(*ways, strict=False):
            if any(loop is not each[0] for loop in each):
                break
            scope += (each[0],)
        if self._of_variables is Scope.LOOP and scope and name in _targets(scope[-1]):
            scope = scope[:-1]
        return scope

    def _is_copied(self, name: str) -> bool:
        """Whether nobody assigns it once a function has captured it."""
        uses = self._uses[name]
        stores = [use for use in uses if use.stores]
        if any(use.inner for use in stores):
            return False
        scope = self._scope(name)
        first = min(use.place for use in uses if use.inner)
        if name in self._parameters:
            return not stores
        return len(stores) == 1 and stores[0].loops == scope and stores[0].place < first

    # Making the lifted functions

    def _made(
        self, inner: Inner, name: str, captured: Sequence[str], shared: frozenset[str]
    ) -> types.FunctionType:
        file = self._function.__code__.co_filename
        arguments = copied(inner.args)
        arguments.posonlyargs[:0] = [_at(inner, ast.arg(each)) for each in captured]
        if isinstance(inner, Definition):
            body = inner.body
        elif generates(inner):
            name, body = GENEXPR, yielding(inner)
        else:
            body = [ast.Return(inner.body)]
        body = [*self._defaults.first_in(inner), *body]
        own = _own(inner)
        kind = ast.FunctionDef if isinstance(inner, ast.Lambda) else type(inner)
        inside = VariableRewriter({each: each for each in shared if each not in own})
        made = _at(
            inner,
            kind(
                name,
                arguments,
                [inside.visit(copied(_at(inner, each))) for each in body],
                [],
                None,
            ),
        )
        vars(made)["type_params"] = []  # from Python 3.12 on
        _NoOuter(frozenset(captured)).visit(made)
        namespace: dict[str, Any] = {UNGIVEN: NOT_GIVEN}
        module = ast.fix_missing_locations(ast.Module([made], []))
        exec(compile(module, file, "exec"), namespace)  # noqa: S102  (the user's own function)
        known_as = LAMBDA if isinstance(inner, ast.Lambda) and not generates(inner) else name
        code = namespace[name].__code__
        function = types.FunctionType(code, self._function.__globals__, known_as)
        function.__qualname__ = f"{self._function.__qualname__}.{name}"
        function.__defaults__ = namespace[name].__defaults__
        function.__kwdefaults__ = namespace[name].__kwdefaults__
        function.__dict__[DEFINITION] = (made, self._owner)
        return function

    # Making variables

    def _make_variables(self, shared: dict[str, Loops]) -> None:
        """Have each variable made where its scope begins: that of the function, or of a round."""
        rounds: dict[int, tuple[ast.AST, list[str]]] = {}
        outside = []
        for name, scope in shared.items():
            if scope:
                rounds.setdefault(id(scope[-1]), (scope[-1], []))[1].append(name)
            else:
                outside.append(name)
        for loop, names in rounds.values():
            self._begin_rounds(loop, names)
        first = self._definition.body[0]
        self._definition.body[:0] = [
            _cell(
                first,
                name,
                [_at(first, ast.Name(name, ast.Load()))] if name in self._parameters else [],
            )
            for name in outside
        ]

    def _begin_rounds(self, loop: Any, names: Sequence[str]) -> None:
        """Have each round of a loop begin with new variables."""
        targets = _targets(loop)
        first = loop.body[0]
        made = []
        for name in names:
            if name in targets:
                loop.target = _Renamer(name).visit(loop.target)
                made.append(_cell(first, name, [_at(first, ast.Name(f"#{name}", ast.Load()))]))
            else:
                made.append(_cell(first, name, []))
        loop.body[:0] = made


def _cell(place: ast.AST, name: str, value: Sequence[ast.expr]) -> ast.stmt:
    """`name = cell("name", value)`."""
    maker = _at(place, ast.Name("@cell", ast.Load()))
    call = _at(place, ast.Call(maker, [_at(place, ast.Constant(name)), *value], []))
    return _at(place, ast.Assign([_at(place, ast.Name(name, ast.Store()))], call))


def _at(place: ast.AST, node: Node) -> Node:
    return ast.copy_location(node, place) if not hasattr(node, "lineno") else node


def _in_order(body: Sequence[ast.AST], loops: Loops) -> Iterator[tuple[Loops, ast.AST]]:
    """The nodes of a function's own scope, each with the loops in whose body it is."""
    for node in body:
        yield loops, node
        if isinstance(node, Inner | ast.ClassDef):
            continue
        if isinstance(node, ast.For):
            yield from _in_order([node.iter], loops)
            yield from _in_order([node.target, *node.body], (*loops, node))
            yield from _in_order(node.orelse, loops)
        elif isinstance(node, ast.While):
            yield from _in_order([node.test], loops)
            yield from _in_order(node.body, (*loops, node))
            yield from _in_order(node.orelse, loops)
        elif isinstance(node, _COMPREHENSIONS):
            hidden = _comprehension_names(node)
            first, *parts = _parts_of(node)
            yield from _in_order([first], loops)
            for inside, each in _in_order(parts, loops):
                if not (isinstance(each, ast.Name) and each.id in hidden):
                    if not isinstance(each, ast.Lambda):
                        yield inside, each
        else:
            yield from _in_order(list(ast.iter_child_nodes(node)), loops)


def _parts_of(node: Any) -> list[ast.AST]:
    """The parts of a comprehension: first what is evaluated outside of it."""
    first, *others = node.generators
    values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    return [first.iter, first.target, *first.ifs, *others, *values]


def _comprehension_names(node: Any) -> frozenset[str]:
    return frozenset(
        name.id
        for generator in node.generators
        for name in ast.walk(generator.target)
        if isinstance(name, ast.Name)
    )


def _bound_by(node: ast.AST) -> list[str]:
    """The variables that a node itself binds."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar | Definition):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    return []


def _targets(loop: ast.AST) -> frozenset[str]:
    if not isinstance(loop, ast.For):
        return frozenset()
    return frozenset(each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name))


def _outer_names(inner: Inner) -> frozenset[str]:
    """What an inner function declares nonlocal, or global."""
    if isinstance(inner, ast.Lambda):
        return frozenset()
    return declared(inner, ast.Nonlocal) | declared(inner, ast.Global)


def declared(definition: Definition, kind: type[ast.Global] | type[ast.Nonlocal]) -> frozenset[str]:
    """The names that a function declares global, or nonlocal."""
    return frozenset(
        name
        for node in scope_walk(definition.body)
        if isinstance(node, kind)
        for name in node.names
    )


def _own(inner: Inner) -> frozenset[str]:
    """The variables of an inner function itself."""
    if isinstance(inner, Definition):
        return bound_names(inner) - _outer_names(inner)
    return frozenset(each.arg for each in ast.walk(inner.args) if isinstance(each, ast.arg))


def _free(inner: Inner) -> frozenset[str]:
    """The names in an inner function, and in those inside it, that are not its own."""
    found: set[str] = set()
    body: Sequence[ast.AST] = inner.body if isinstance(inner, Definition) else [inner.body]
    for _, node in _in_order(body, ()):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, Inner):
            found |= _free(node)
    return frozenset(found - _own(inner) | _outer_names(inner))


def _stored_outside(inner: Inner) -> frozenset[str]:
    """The variables of its surroundings that an inner function assigns."""
    found = set(_outer_names(inner))
    body: Sequence[ast.AST] = inner.body if isinstance(inner, Definition) else [inner.body]
    for _, node in _in_order(body, ()):
        if isinstance(node, Inner):
            found |= _stored_outside(node) - _own(inner)
    return frozenset(found)


UNGIVEN = "@not_given"
"""The name by which code knows that an argument was not given."""


class _Defaults(Transformer):
    """Has the default values of inner functions made where these are defined.

    Each becomes a parameter that goes before the others, which `@with_defaults` captures. Where an
    argument is not given, it is what that has.
    """

    def __init__(self) -> None:
        self._first: dict[int, list[ast.stmt]] = {}

    def of_statements(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The statements, changed so."""
        module = ast.Module([*statements], [])
        self.generic_visit(module)
        return module.body

    def first_in(self, inner: Inner) -> list[ast.stmt]:
        """What the body of an inner function begins with."""
        return self._first.get(id(inner), [])

    def visit_FunctionDef(self, node: Definition) -> Any:
        values = self._taken_from(node)
        if not values:
            return node
        made = self._with(_at(node, ast.Name(node.name, ast.Load())), values, node)
        target = ast.copy_location(ast.Name(node.name, ast.Store()), node)
        return [node, ast.copy_location(ast.Assign([target], made), node)]

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        values = self._taken_from(node)
        return self._with(node, values, node) if values else node

    def visit(self, node: ast.AST) -> Any:
        return node if isinstance(node, _COMPREHENSIONS) else super().visit(node)

    def _with(self, function: ast.expr, values: list[ast.expr], node: ast.AST) -> ast.expr:
        maker = ast.copy_location(ast.Name("@with_defaults", ast.Load()), node)
        return ast.copy_location(ast.Call(maker, [function, *values], []), node)

    def _taken_from(self, node: Inner) -> list[ast.expr]:
        """The default values of an inner function, which from now on has none of its own."""
        arguments = node.args
        listed = [*arguments.posonlyargs, *arguments.args]
        positional = listed[len(listed) - len(arguments.defaults) :]
        pairs = [*zip(positional, arguments.defaults, strict=True)]
        pairs += [
            (each, value)
            for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if value is not None
        ]
        unset = _at(node, ast.Name(UNGIVEN, ast.Load()))
        arguments.defaults = [unset for _ in arguments.defaults]
        arguments.kw_defaults = [value and unset for value in arguments.kw_defaults]
        first: list[ast.stmt] = []
        for each, _ in pairs:
            given = ast.Compare(_at(node, ast.Name(each.arg, ast.Load())), [ast.Is()], [unset])
            value = ast.IfExp(
                _at(node, given),
                _at(node, ast.Name(f"#{each.arg}", ast.Load())),
                _at(node, ast.Name(each.arg, ast.Load())),
            )
            target = _at(node, ast.Name(each.arg, ast.Store()))
            first.append(_at(node, ast.Assign([target], _at(node, value))))
        arguments.posonlyargs[:0] = [_at(node, ast.arg(f"#{each.arg}")) for each, _ in pairs]
        self._first[id(node)] = first
        return [self.visit(value) for _, value in pairs]


class _Renamer(Transformer):
    """Gives a variable, where it is bound, a name of the compiler's own."""

    def __init__(self, name: str) -> None:
        self._name = name

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        # It is a shared variable by now: x.x.
        if isinstance(node.value, ast.Name) and node.value.id == node.attr == self._name:
            return ast.copy_location(ast.Name(f"#{self._name}", node.ctx), node)
        return node


class _NoOuter(Transformer):
    """Leaves out that variables are nonlocal which are captured."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        node.names = [each for each in node.names if each not in self._names]
        return node if node.names else ast.copy_location(ast.Pass(), node)


class VariableRewriter(Transformer):
    """Makes `x` into `holder.x` for shared variables, and inner functions into closures.

    `shared` gives for the name of each shared variable the name of the object that holds it,
    `module` is what holds the variables that inner functions declare global.
    """

    def __init__(
        self,
        shared: Mapping[str, str],
        functions: Mapping[int, str] = MappingProxyType({}),
        captured: Mapping[int, list[str]] = MappingProxyType({}),
        *,
        module: str = "",
    ) -> None:
        self._shared = shared
        self._module = module
        self._functions = functions
        self._captured = captured

    def visit_Name(self, node: ast.Name) -> ast.expr:
        holder = self._shared.get(node.id)
        return node if holder is None else variable_of(holder, node.id, node, node.ctx)

    def defined(self, node: Any, made: Any) -> Any:
        """What is made of a definition; where its name is shared, the variable is set after it."""
        holder = self._shared.get(node.name)
        if holder is None:
            return made
        target = variable_of(holder, node.name, node, ast.Store())
        value = ast.copy_location(ast.Name(node.name, ast.Load()), node)
        return [made, ast.copy_location(ast.Assign([target], value), node)]

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        value = self.visit(node.value)
        holder = self._shared.get(node.target.id)
        if holder is None:
            node.value = value
            return node
        parts = (
            ast.Name("@assigned", ast.Load()),
            ast.Name(holder, ast.Load()),
            ast.Constant(node.target.id),
        )
        maker, *target = (ast.copy_location(part, node.target) for part in parts)
        return ast.copy_location(ast.Call(maker, [*target, value], []), node)

    def visit_FunctionDef(self, node: Definition) -> Any:
        if id(node) in self._functions:
            target = self.visit(ast.copy_location(ast.Name(node.name, ast.Store()), node))
            value = self._closure(node)
            for decorator in reversed(node.decorator_list):
                value = ast.copy_location(ast.Call(self.visit(decorator), [value], []), decorator)
            return ast.copy_location(ast.Assign([target], value), node)
        return self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        if id(node) in self._functions:
            return self._closure(node)
        return self._inside(node)

    def _inside(self, node: Any) -> Any:
        outside, self._shared = self._shared, _without(self._shared, _own(node))
        if self._module and isinstance(node, Definition):
            globals_ = declared(node, ast.Global)
            self._shared = {**self._shared, **dict.fromkeys(globals_, self._module)}
        self.generic_visit(node)
        self._shared = outside
        return node

    def _closure(self, node: Inner) -> ast.expr:
        names = [self._functions[id(node)], *self._captured[id(node)]]
        parts: list[ast.expr] = [ast.copy_location(ast.Name(n, ast.Load()), node) for n in names]
        maker = ast.copy_location(ast.Name("@closure", ast.Load()), node)
        return ast.copy_location(ast.Call(maker, parts, []), node)

    def visit_ListComp(self, node: ast.ListComp) -> Any:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> Any:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> Any:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Any:
        return self._comprehension(node)

    def _comprehension(self, node: Any) -> Any:
        first, *others = node.generators
        first.iter = self.visit(first.iter)
        hidden = _comprehension_names(node)
        outside, self._shared = self._shared, _without(self._shared, hidden)
        first.target, first.ifs = self.visit(first.target), [*map(self.visit, first.ifs)]
        node.generators = [first, *map(self.visit, others)]
        for part in ("key", "value", "elt"):
            if hasattr(node, part):
                setattr(node, part, self.visit(getattr(node, part)))
        self._shared = outside
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        names = {each for part in ast.walk(node.pattern) for each in _bound_by(part)}
        moved = []
        for part in ast.walk(node.pattern):
            for field in ("name", "rest"):
                name: Any = getattr(part, field, None)
                if name in self._shared:
                    setattr(part, field, f"#{name}")
                    moved.append(_move(self._shared[name], name, node.body[0]))
        if node.guard is not None and names & self._shared.keys():
            node.guard = _Hidden(frozenset(names & self._shared.keys())).visit(node.guard)
        self.generic_visit(node)
        node.body[:0] = moved
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        self.generic_visit(node)
        if node.name is not None and node.name in self._shared:
            node.body.insert(0, _move(self._shared[node.name], node.name, node.body[0]))
            node.name = f"#{node.name}"
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.target = self.visit(node.target)
        node.value = node.value and self.visit(node.value)
        node.simple = int(isinstance(node.target, ast.Name))
        return node


class _Hidden(Transformer):
    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self._names:
            return ast.copy_location(ast.Name(f"#{node.id}", node.ctx), node)
        return node


def _without(shared: Mapping[str, str], hidden: frozenset[str]) -> Mapping[str, str]:
    return {name: holder for name, holder in shared.items() if name not in hidden}


def variable_of(holder: str, name: str, place: ast.AST, context: ast.expr_context) -> ast.expr:
    """`holder.x`: what is in a shared variable."""
    variable = ast.copy_location(ast.Name(holder, ast.Load()), place)
    return ast.copy_location(ast.Attribute(variable, name, context), place)


def _move(holder: str, name: str, place: ast.AST) -> ast.stmt:
    """`holder.x = #x`."""
    value = ast.copy_location(ast.Name(f"#{name}", ast.Load()), place)
    target = variable_of(holder, name, place, ast.Store())
    return ast.copy_location(ast.Assign([target], value), place)
