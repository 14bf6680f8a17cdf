"""Turning the syntax of blocks back into Python functions over a dictionary of locals."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator
from typing import Any

from interleave.compiler.blocks import HIDDEN, Block
from interleave.compiler.names import ORDERED_FROZEN_SET, ORDERED_SET, Surroundings
from interleave.compiler.syntax import Transformer, copied
from interleave.errors import ModelError, Place
from interleave.memory.port import current_port
from interleave.memory.sameness import SAME
from interleave.memory.unbound import UNBOUND_NAMES
from interleave.memory.values import is_defined_in_python, mangle
from interleave.world import dates, reflection
from interleave.world.accessors import ACCESSORS

LOCALS = "#L"
UNBOUND_METHOD = "@unbound"
SETTABLE = "@settable"
USABLE = "@usable"
CURSOR = "@cursor"
GONE_THROUGH = "@gone_through"
ATTRIBUTES = "@attributes"
ACCESSOR = "@accessor"
CLASS_OF = "@class_of"
IN_C = "@in_c"
DATED = "@dated"
CONTENTS = "@contents"
INDEXED = "@indexed"
CHANGED = "@changed"
BARE_OBJECT = "@object"
_BIND = "@bind"
_USED = "@used"
MARKED = "@switch"
"""Name among the globals of code that says itself where threads may switch."""
_ROUNDS = "@rounds"
_ITEMS = "@items"


def bind(names: dict[str, Any], name: str, value: Any) -> Any:
    """What `(name := value)` becomes."""
    names[name] = value
    return value


def then_switch(value: Any) -> Any:
    """What `value`, the result of a call, becomes where threads may switch after calls."""
    current_port().switch_point()
    return value


def switch_point() -> ast.expr:
    """An expression that notes that threads may switch."""
    return ast.Call(ast.Name(MARKED, ast.Load()), [ast.Constant(None)], [])


class Rounds:
    """The rounds of a `while` in code that is run as a whole, where threads may switch after each.

    CPython may switch before or after the condition is asked for again, by version.
    """

    def __init__(self) -> None:
        self._is_again = False

    def begin(self) -> bool:
        """Before the condition."""
        return then_switch(True) if self._is_again else True

    def go_on(self) -> bool:
        """After the condition."""
        is_again, self._is_again = self._is_again, True
        return then_switch(True) if is_again else True


def items(iterable: Iterable[Any]) -> Iterator[Any]:
    """The items that a `for` in such code is about; likewise."""
    for item in iterable:
        yield item
        then_switch(None)


class Rewriter(Transformer):
    """Makes `x` into `L['x']` for each local `x` of a block, and notes which it uses and binds.

    With `switches`, the result of each call and comprehension is passed through a function that
    notes that threads may switch. With `in_go`, what is indexed or looked into is as Go has it.
    """

    def __init__(
        self,
        bound: frozenset[str],
        owner: str | None,
        names: Surroundings,
        first: str,
        *,
        switches: bool,
        in_go: bool = False,
    ) -> None:
        self._bound = bound
        self._switches = switches
        self._in_go = in_go
        self._first = first
        self._owner = owner
        self._names = names
        self._hidden: list[frozenset[str]] = []
        self._perhaps = False
        self.uses: set[str] = set()
        self.defines: set[str] = set()
        self.may_define: set[str] = set()
        self.always_defines: set[str] = set()

    def _is_local(self, name: str) -> bool:
        if any(name in names for names in self._hidden):
            return False
        return name in self._bound or name.startswith(HIDDEN)

    def _slot(self, name: str, context: ast.expr_context, node: ast.AST) -> ast.expr:
        slot = ast.Subscript(ast.Name(LOCALS, ast.Load()), ast.Constant(name), context)
        return ast.fix_missing_locations(ast.copy_location(slot, node))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = mangle(node.id, self._owner)
        if not self._is_local(node.id):
            return ast.copy_location(ast.Name(name, node.ctx), node)
        # To unbind a variable that is not bound is an error, so that `del` looks at it too.
        if not isinstance(node.ctx, ast.Store) and node.id not in self.defines:
            self.uses.add(node.id)
        if not isinstance(node.ctx, ast.Load):
            (self.may_define if self._hidden else self.defines).add(node.id)
        return self._slot(node.id, node.ctx, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        owner = node.value
        self.generic_visit(node)
        node.attr = mangle(node.attr, self._owner)
        is_variable = isinstance(owner, ast.Name) and owner.id.startswith("@")
        if not (isinstance(node.ctx, ast.Load) or is_variable):
            return self._looked_at(SETTABLE, node)
        if node.attr in self._names.looked_at or self._is_cache(owner, node.attr):
            return self._looked_at(USABLE, node)
        if node.attr == "__dict__":
            return self._in_other_words(ATTRIBUTES, node, node.value)
        if node.attr in dates.NAMES:
            return self._in_other_words(DATED, node, node.value, ast.Constant(node.attr))
        if node.attr in ACCESSORS:
            return self._in_other_words(ACCESSOR, node, node.value, ast.Constant(node.attr))
        if isinstance(owner, ast.Name) and not self._is_local(owner.id):
            if owner.id in UNBOUND_NAMES and self._names.is_builtin_type(owner.id):
                name = ast.Constant(node.attr)
                return self._in_other_words(UNBOUND_METHOD, node, node.value, name)
        return node

    def _in_other_words(self, helper: str, node: ast.expr, *parts: ast.expr) -> ast.expr:
        call = ast.Call(ast.Name(helper, ast.Load()), [*parts], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def _is_cache(self, owner: ast.expr, name: str) -> bool:
        """Whether an attribute is a variable of a library that the nets do not look at."""
        if not isinstance(owner, ast.Name) or self._is_local(owner.id):
            return False
        return owner.id in self._names and reflection.is_cache(self._names.real(owner.id), name)

    def _looked_at(self, helper: str, node: ast.Attribute) -> ast.expr:
        """An attribute of an object that a function of `world.reflection` looks at before."""
        parts = [node.value, ast.Constant(node.attr)]
        node.value = ast.Call(ast.Name(helper, ast.Load()), parts, [])
        return ast.fix_missing_locations(node)

    def _used(self, node: ast.expr) -> ast.expr:
        made = ast.Call(ast.Name(_USED, ast.Load()), [node], [])
        return ast.fix_missing_locations(ast.copy_location(made, node))

    def _is_in_c(self, node: ast.expr) -> bool:
        """Whether an expression is the name of a function or type in C, in a module or a global."""
        match node:
            case ast.Attribute(ast.Name(name), attribute):
                parts = [attribute]
            case ast.Name(name):
                parts = []
            case _:
                return False
        if self._is_local(name) or name not in self._names:
            return False
        found = self._names.real(name)
        for part in parts:
            found = self._names.member(name, part)
        if isinstance(found, type):
            return not (is_defined_in_python(found) or issubclass(found, BaseException))
        return isinstance(found, types.BuiltinFunctionType)

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        self.generic_visit(node)
        if node.exc is not None:
            node.exc = self._used(node.exc)
        return ast.fix_missing_locations(node)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        node.value = self.visit(node.value)
        node.targets = [self.visit(target) for target in node.targets]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        is_local = isinstance(node.target, ast.Name) and self._is_local(node.target.id)
        if isinstance(node.target, ast.Name) and is_local:
            self.uses.add(node.target.id)
        if isinstance(node.target, ast.Name):
            node.value = self.visit(node.value)
            node.target = self.visit(node.target)
        else:
            node.target = self.visit(node.target)
            node.value = self.visit(node.value)
        if self._in_go and isinstance(node.target, ast.Subscript) and not is_local:
            node.target.value = self._as_in_go(CHANGED, node.target.value)
        # Asked to add itself to a list, a shared one could not know that the list is to grow.
        contents = ast.Call(ast.Name("@plain", ast.Load()), [node.value], [])
        node.value = ast.fix_missing_locations(ast.copy_location(contents, node.value))
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        value = self.visit(node.value)
        if not self._is_local(node.target.id):
            node.value = value
            return node
        if self._perhaps or self._hidden:
            self.may_define.add(node.target.id)
        else:
            self.defines.add(node.target.id)
            self.always_defines.add(node.target.id)
        arguments = [ast.Name(LOCALS, ast.Load()), ast.Constant(node.target.id), value]
        call = ast.Call(ast.Name(_BIND, ast.Load()), arguments, [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def _in_turn(self, always: list[ast.expr], perhaps: list[ast.expr]) -> list[ast.expr]:
        """Visit expressions of which only the first few are always evaluated."""
        made = [self.visit(part) for part in always]
        outside, self._perhaps = self._perhaps, True
        made += [self.visit(part) for part in perhaps]
        self._perhaps = outside
        return made

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        node.values = self._in_turn(node.values[:1], node.values[1:])
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node.test, node.body, node.orelse = self._in_turn([node.test], [node.body, node.orelse])
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        first, *others = node.comparators
        node.left, *node.comparators = self._in_turn([node.left, first], others)
        for number, operator in enumerate(node.ops):
            if isinstance(operator, ast.In | ast.NotIn):
                node.comparators[number] = self._as_in_go(CONTENTS, node.comparators[number])
        return self._of_one_object(node)

    def _of_one_object(self, node: ast.Compare) -> ast.expr:
        """A comparison, by a function if it asks whether two values are one object."""
        match node:
            case ast.Compare(ast.Constant()) | ast.Compare(comparators=[ast.Constant()]):
                return node
            case ast.Compare(one, [ast.Is()], [other]):
                return self._in_other_words(SAME, node, one, other)
            case ast.Compare(one, [ast.IsNot()], [other]):
                asked = self._in_other_words(SAME, node, one, other)
                return ast.copy_location(ast.UnaryOp(ast.Not(), asked), node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        node.value = self._as_in_go(INDEXED, node.value)
        return node

    def _as_in_go(self, helper: str, node: ast.expr) -> ast.expr:
        return self._in_other_words(helper, node, node) if self._in_go else node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        names = frozenset(
            argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)
        )
        node.args = self.visit(node.args)
        return self._inside(names, node, "body")

    def _inside(self, names: frozenset[str], node: Any, *parts: str) -> Any:
        self._hidden.append(names)
        for part in parts:
            setattr(node, part, self.visit(getattr(node, part)))
        self._hidden.pop()
        return node

    def _comprehension(self, node: Any, *parts: str) -> Any:
        node.generators[0].iter = self.visit(node.generators[0].iter)
        names = frozenset(
            name.id
            for generator in node.generators
            for name in ast.walk(generator.target)
            if isinstance(name, ast.Name)
        )
        self._hidden.append(names)
        for number, generator in enumerate(node.generators):
            if number:
                generator.iter = self.visit(generator.iter)
            items = self._as_in_go(CONTENTS, generator.iter)
            generator.iter = self._in_other_words(GONE_THROUGH, items, items)
            generator.ifs = [self.visit(condition) for condition in generator.ifs]
        self._hidden.pop()
        made = self._inside(names, node, *parts)
        setattr(made, parts[-1], self._then_switch(getattr(made, parts[-1])))  # at each round
        return made

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return self._comprehension(node, "elt")

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        return self._then_switch(self._comprehension(node, "elt"))  # it is made by a call

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        return self._comprehension(node, "key", "value")

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        generator = ast.GeneratorExp(node.elt, node.generators)
        made = self._comprehension(ast.copy_location(generator, node), "elt")
        return self._ordered(ORDERED_SET, node, made)

    def visit_Set(self, node: ast.Set) -> ast.expr:
        elements = [self.visit(element) for element in node.elts]
        unpacks = any(isinstance(each, ast.Starred) for each in elements)
        # To unpack something into a list asks how long it is.
        made = ast.Set(elements) if unpacks else ast.List(elements, ast.Load())
        return self._ordered(ORDERED_SET, node, made)

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        pairs = zip(node.keys, node.values, strict=True)
        node.values = [value if key else self._as_mapping(value) for key, value in pairs]
        self.generic_visit(node)
        return node

    def _as_mapping(self, node: ast.expr) -> ast.expr:
        """What C code takes the items of, without asking for them one by one."""
        return self._ordered(IN_C, node, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        is_users = not (isinstance(node.func, ast.Name) and node.func.id.startswith("@"))
        for kind, ordered in ((set, ORDERED_SET), (frozenset, ORDERED_FROZEN_SET)):
            name = kind.__name__
            if not self._is_local(name) and self._names.is_builtin(node.func, name):
                node.func = ast.copy_location(ast.Name(ordered, ast.Load()), node.func)
        is_about_contents = self._names.is_builtin(node.func, "len") or (
            isinstance(node.func, ast.Name) and node.func.id == CURSOR
        )
        if is_about_contents and len(node.args) == 1:
            node.args = [self._as_in_go(CONTENTS, node.args[0])]
        if self._names.is_builtin(node.func, "type") and len(node.args) == 1:
            node.func = ast.copy_location(ast.Name(CLASS_OF, ast.Load()), node.func)
            node.args = [self._used(node.args[0])]
        if self._names.is_builtin(node.func, "dict") and node.args:
            node.args[0] = self._as_mapping(node.args[0])
        if self._names.is_builtin(node.func, "object") and not node.args:
            node.func = ast.copy_location(ast.Name(BARE_OBJECT, ast.Load()), node.func)
        if self._names.is_builtin(node.func, "super") and not node.args:
            node.args = [ast.Name("__class__", ast.Load()), ast.Name(self._first, ast.Load())]
            ast.fix_missing_locations(node)
        is_in_c = self._is_in_c(node.func)
        self.generic_visit(node)
        if is_in_c:
            node.args = [self._used(a) if isinstance(a, ast.Name) else a for a in node.args]
        # Calls that were there before: those that the flattener has made stand for other code.
        return self._then_switch(node) if is_users else node

    def _then_switch(self, node: ast.expr) -> ast.expr:
        if not self._switches:
            return node
        call = ast.Call(ast.Name(MARKED, ast.Load()), [node], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def _ordered(self, name: str, node: ast.expr, inside: ast.expr) -> ast.expr:
        call = ast.Call(ast.Name(name, ast.Load()), [inside], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        # Only values inside patterns are looked up; what a pattern binds stays a Python local, and
        # the block's own statements move it into the locals.
        for value in ast.walk(node.pattern):
            if isinstance(value, ast.Name) and self._is_local(value.id):
                self.uses.add(value.id)
        node.body = [self.visit(statement) for statement in node.body]
        return node


OF_BLOCKS: dict[str, Any] = {_BIND: bind, MARKED: then_switch}
"""What the code of blocks needs among its globals."""


class WholeRewriter(Rewriter):
    """The same for the code of a function that is run by Python as a whole: it keeps its locals.

    With `switches`, the rounds of loops are noted too.
    """

    def __init__(
        self, owner: str | None, names: Surroundings, first: str, *, switches: bool
    ) -> None:
        super().__init__(frozenset(), owner, names, first, switches=switches)
        self._loops = 0

    def visit_While(self, node: ast.While) -> ast.While | list[ast.stmt]:
        self.generic_visit(node)
        if not self._switches:
            return node
        self._loops += 1
        rounds = f"{_ROUNDS}{self._loops}"
        begin, go_on = (
            ast.Call(ast.Attribute(ast.Name(rounds, ast.Load()), name, ast.Load()), [], [])
            for name in ("begin", "go_on")
        )
        node.test = ast.BoolOp(ast.And(), [begin, node.test, go_on])
        made = ast.Call(ast.Name(_ROUNDS, ast.Load()), [], [])
        before = ast.Assign([ast.Name(rounds, ast.Store())], made)
        return [ast.copy_location(before, node), node]

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.iter = self._in_other_words(GONE_THROUGH, node.iter, node.iter)
        if self._switches:
            node.iter = ast.Call(ast.Name(_ITEMS, ast.Load()), [node.iter], [])
        return node


OF_WHOLE: dict[str, Any] = {MARKED: then_switch, _ROUNDS: Rounds, _ITEMS: items}
"""What the code of such a function needs among its globals."""


def emit_whole(
    definition: ast.FunctionDef,
    *,
    owner: str | None,
    names: Surroundings,
    file: str,
    switches: bool,
) -> types.CodeType:
    """The code of a whole function, whose free names are found among its globals when it runs,
    those of `OF_WHOLE` among them.

    Its parameters have no defaults. `switches` says whether the run is to note where threads may
    switch.
    """
    made = copied(definition)
    parameters = [*made.args.posonlyargs, *made.args.args]
    first = parameters[0].arg if parameters else ""
    rewriter = WholeRewriter(owner, names, first, switches=switches)
    made.body = rewriter.visit(ast.Module(made.body, [])).body
    made.decorator_list, made.returns = [], None
    made.args.defaults = []
    made.args.kw_defaults = [None for _ in made.args.kw_defaults]
    for node in ast.walk(made.args):
        if isinstance(node, ast.arg):
            node.annotation = None
            node.arg = mangle(node.arg, owner)
    module = ast.fix_missing_locations(ast.Module([made], []))
    return defined(module, made.name, file)


def defined(module: ast.Module, name: str, file: str) -> types.CodeType:
    """The code of a function without defaults that a module defines."""
    compiled: dict[str, Any] = {}
    exec(compile(module, file, "exec"), compiled)  # noqa: S102  (the user's own function)
    code: types.CodeType = compiled[name].__code__
    return code


def emit(
    blocks: Iterable[Block],
    *,
    bound: frozenset[str],
    owner: str | None,
    first: str,
    names: Surroundings,
    file: str,
    switches: bool,
    in_go: bool,
) -> list[types.CodeType]:
    """The code of each block, whose free names are found among its globals when it runs, those of
    `OF_BLOCKS` among them. Notes which locals each uses and defines.

    `first` is the name of the function's first parameter, which `super()` means; `switches` says
    whether the run is to note where threads may switch, `in_go` whether it is to fail as Go does.
    """
    functions: list[ast.stmt] = []
    for block in blocks:
        rewriter = Rewriter(bound, owner, names, first, switches=switches, in_go=in_go)
        body = [rewriter.visit(copied(statement)) for statement in block.body]
        block.uses = frozenset(rewriter.uses)
        block.defines = frozenset(rewriter.defines)
        block.may_define = frozenset(rewriter.may_define)
        block.always_defines = frozenset(rewriter.always_defines)
        functions.append(_function(f"#{block.number}", body))
    module = ast.fix_missing_locations(ast.Module(functions, []))
    try:
        constants = compile(module, file, "exec").co_consts  # the functions, in order
    except SyntaxError as error:
        place = Place(file, error.lineno or 1)
        raise ModelError(
            f"this cannot be taken apart into steps: {error.msg}",
            remedy="write it as statements of its own",
            place=place,
        ) from None
    return [each for each in constants if isinstance(each, types.CodeType)]


def _function(name: str, body: list[ast.stmt]) -> ast.FunctionDef:
    arguments = ast.arguments([], [ast.arg(LOCALS)], None, [], [], None, [])
    made = ast.FunctionDef(name, arguments, body or [ast.Pass()], [], None)
    setattr(made, "type_params", [])  # noqa: B010  (it has them from Python 3.12 on)
    return ast.copy_location(made, body[0]) if body else made
