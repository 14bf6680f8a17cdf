"""Flattening expressions: what may hold a call of the model's own code becomes blocks of its own.

Everything else stays one expression inside one block. Order of evaluation is Python's.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import Any

from interleave.compiler.blocks import HANDLED, ITERATOR, Block, BlockKind
from interleave.compiler.builder import Builder, Label, at, load
from interleave.compiler.generators import RESUMING
from interleave.compiler.names import LIBRARY_METHODS, may_be_followed
from interleave.compiler.operators import (
    BUILT_IN,
    OPERATIONS,
    TRUE,
    as_call,
    call_of,
    methods_of,
)
from interleave.compiler.syntax import Transformer, copied
from interleave.memory.values import mangle

_PURE_NODES = (
    ast.Name, ast.Constant, ast.expr_context, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.Tuple, ast.List, ast.IfExp,
    ast.comprehension, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr,
    ast.FormattedValue,
)  # fmt: skip
"""What a comprehension may hold and still be sure to touch nothing shared."""

_CONSUMERS = frozenset({"sum", "list", "tuple", "set", "frozenset", "sorted", "min", "max", "dict"})
"""Built-ins that take all of their argument: a generator given to them may as well be a list."""

_OF_ATTRIBUTES = frozenset({"getattr", "hasattr", "setattr", "delattr"})

_ITERABLE_BUILTINS = frozenset(
    {"dict", "enumerate", "filter", "frozenset", "list", "map", "range", "set", "sorted", "tuple",
     "zip"}
)  # fmt: skip
"""Built-ins of which the results have iterators in C."""


class ExpressionFlattener(Builder):
    """Adds to a builder: `simple(expression)`, `condition(test, yes, no)`."""

    def simple(self, node: ast.expr) -> ast.expr:
        """An expression of the same value that is fit for one block; lays down what precedes it."""
        self._refuse(node)
        if not self.needs_blocks(node):
            return node
        if self.operates(node) and not _is_chain(node):
            return self.simple(as_call(node, self.owner))
        match node:
            case ast.Call(ast.Attribute(value=shares, attr=name)) if _asks_what_shares(node):
                given = self.keep(self.simple(shares), shares)
                asks = at(node.func, ast.Attribute(given, name, ast.Load()))
                return self.simple(at(node, ast.Call(asks, node.args, node.keywords)))
            case ast.Call() if _shares_one_by_one(node) and not self._may_be_ours(node.func):
                kept = [self.keep(self.simple(each), each) for each in node.args]
                return self.simple(at(node, ast.Call(node.func, kept, node.keywords)))
            case ast.Call() if _gives_what_it_shares(node) and not self._may_be_ours(node.func):
                return self.keep(self._in_order(node), node)
            case ast.Call():
                return self._call(node)
            case ast.Await():
                return self.awaited(self.simple(node.value), node)
            case ast.Yield():
                value = node.value or at(node, ast.Constant(None))
                return self.yielded(self.simple(value), node)
            case ast.YieldFrom():
                return self.delegated(self.simple(node.value), node)
            case ast.BoolOp():
                return self._by_branches(node)
            case ast.UnaryOp(op=ast.Not()):
                return at(node, ast.UnaryOp(node.op, self._truth(node.operand)))
            case ast.IfExp():
                return self._if_expression(node)
            case ast.Compare() if _is_chain(node):
                return self._chain(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp():
                return self._comprehension(node)
            case ast.NamedExpr():
                value = self.simple(node.value)
                self.assign(node.target.id, value, node)
                return self.keep(load(node.target.id, node), node)
        return self._in_order(node)

    def _refuse(self, node: ast.expr) -> None:
        for inner in ast.walk(node):
            match inner:
                case ast.GeneratorExp() if _is_asynchronous(inner):
                    raise self.error(
                        "this makes an asynchronous generator: a state cannot hold a running one",
                        "make a list of it: [... for ... in ...]",
                        inner,
                    )

    def needs_blocks(self, node: ast.expr) -> bool:
        """Whether an expression holds something that must be flattened."""
        if isinstance(node, ast.Lambda | ast.GeneratorExp):
            # Called piece by piece from code that is opaque: so are these.
            return False
        if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Call) and (
            self._calls_ours(node) or self._is_scan(node) or _gives_what_it_shares(node)
        ):
            return True
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
            return _is_asynchronous(node) or not self._is_local_only(node)
        if _asks_what_shares(node) or _shares_one_by_one(node):
            return True
        return self.operates(node) or any(
            self.needs_blocks(child) for child in _expressions_of(node)
        )

    def operates(self, node: ast.AST) -> bool:
        """Whether an operator, or getting an attribute, may come to code of the model's own."""
        if isinstance(node, ast.Attribute):
            return isinstance(node.ctx, ast.Load) and self.enters(node)
        methods = self.operator_methods
        return bool(methods) and not methods.isdisjoint(methods_of(node))

    def enters(self, node: ast.Attribute) -> bool:
        """Whether an attribute is one that is got and set by a call."""
        if not self.attributes or mangle(node.attr, self.owner) not in self.attributes:
            return False
        match node.value:
            case ast.Name(name) if name not in self.bound and name in self.names:
                return not isinstance(self.names.real(name), types.ModuleType)
        return True

    def _calls_ours(self, node: ast.Call) -> bool:
        """Whether a call may be of the model's own code, or resume a generator."""
        if isinstance(node.func, ast.Name) and node.func.id not in self.bound:
            if node.func.id in _OF_ATTRIBUTES and self._may_enter(node):
                return self.names.is_builtin(node.func, node.func.id)
            methods = BUILT_IN.get(node.func.id, frozenset())
            if methods and self.names.is_builtin(node.func, node.func.id):
                return not self.method_names.isdisjoint(methods)
        return self._may_be_ours(node.func)

    def _may_enter(self, node: ast.Call) -> bool:
        """Whether a call like `getattr` may be about one of these attributes."""
        match node.args:
            case [_, ast.Constant(name), *_]:
                return name in self.attributes
        return bool(self.attributes)

    def _may_be_ours(self, callee: ast.expr) -> bool:
        """Whether a call may be of the model's own code, which is flattened and not run as one."""
        match callee:
            case ast.Lambda():
                return False  # part of the block it is in
            case ast.Name(id=name) if name.startswith("@"):
                return name in RESUMING or name in OPERATIONS  # helpers of the compiler's own
            case ast.Name(id=name) if name not in self.bound and name in self.names:
                return may_be_followed(self.names.real(name))
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if (
                name not in self.bound
                and name in self.names
                and isinstance(self.names.real(name), types.ModuleType)
            ):
                return may_be_followed(self.names.attribute(name, attribute))
            case ast.Attribute(attr=attribute):
                name = mangle(attribute, self.owner)
                return name in self.method_names or name not in LIBRARY_METHODS
        return True

    def _is_scan(self, call: ast.Call) -> bool:
        """Whether a call takes a generator that must be flattened: any(...), sum(...), ..."""
        if len(call.args) != 1 or not isinstance(call.args[0], ast.GeneratorExp):
            return False
        known = _CONSUMERS | {"any", "all"}
        return (
            isinstance(call.func, ast.Name)
            and call.func.id in known
            and call.func.id not in self.bound
            and self.names.is_builtin(call.func, call.func.id)
            and not self._is_local_only(call.args[0])
        )

    def _is_local_only(self, node: ast.expr) -> bool:
        return all(
            isinstance(inner, _PURE_NODES) and not self.operates(inner) for inner in ast.walk(node)
        )

    # Calls

    def _call(self, node: ast.Call) -> ast.expr:
        if self._is_scan(node):
            return self._scan(node)
        if not self._calls_ours(node):
            return self._in_order(node)
        # The callee and the arguments are evaluated in one block of their own where they are
        # simple, so that the call itself begins with nothing left to do.
        node = self._in_order(node)
        names: list[ast.expr | None] = [
            at(node, ast.Constant(keyword.arg)) for keyword in node.keywords if keyword.arg
        ]
        if len(names) == len(node.keywords):
            keywords: ast.expr = at(node, ast.Dict(names, [k.value for k in node.keywords]))
        else:
            keywords = self._starred_keywords(node)
        parts: list[ast.expr] = [node.func, at(node, ast.Tuple(node.args, ast.Load())), keywords]
        block = self.value(BlockKind.CALL, node, at(node, ast.Tuple(parts, ast.Load())))
        block.target = self.temporary()
        block.is_operator = isinstance(node.func, ast.Name) and node.func.id in OPERATIONS
        return load(block.target, node)

    def awaited(self, value: ast.expr, node: ast.AST) -> ast.expr:
        """Lay down the awaiting of a simple expression; gives an expression for the result."""
        last = self.blocks[-1] if self.blocks else None
        if last is not None and last.kind is BlockKind.CALL and self.follows(last):
            last.is_awaited = isinstance(value, ast.Name) and value.id == last.target
        block = self.value(BlockKind.AWAIT, node, value)
        block.target = self.temporary()
        return load(block.target, node)

    def yielded(self, value: ast.expr, node: ast.AST) -> ast.expr:
        """Lay down the yielding of a simple expression; gives an expression for what is sent."""
        block = self.value(BlockKind.YIELD, node, value)
        block.target = self.temporary()
        return load(block.target, node)

    def delegated(self, value: ast.expr, node: ast.AST) -> ast.expr:
        """Lay down `yield from` a simple expression; gives an expression for its result."""
        raise NotImplementedError

    def _starred_keywords(self, node: ast.Call) -> ast.expr:
        """A dict of the keyword arguments of a call with `**` in it."""
        node.func = self.keep(node.func, node)
        unpack = at(node, ast.Name("@unpacked", ast.Load()))
        parts = [
            at(node, ast.Dict([at(node, ast.Constant(keyword.arg))], [keyword.value]))
            if keyword.arg
            else at(node, ast.Call(unpack, [node.func, keyword.value], []))
            for keyword in node.keywords
        ]
        merge = at(node, ast.Name("@keywords", ast.Load()))
        return at(node, ast.Call(merge, [node.func, *parts], []))

    def _scan(self, call: ast.Call) -> ast.expr:
        assert isinstance(call.func, ast.Name)
        generator = call.args[0]
        assert isinstance(generator, ast.GeneratorExp)
        if call.func.id not in ("any", "all"):
            listed = at(generator, ast.ListComp(generator.elt, generator.generators))
            argument = self._comprehension(listed)
            return at(call, ast.Call(call.func, [argument], call.keywords))
        wanted = call.func.id == "any"
        result = self.temporary()
        done, after = Label(), Label()

        def each(element: ast.expr) -> None:
            go_on = Label()
            if wanted:
                self.condition(element, done, go_on)
            else:
                self.condition(element, go_on, done)
            self.place(go_on)

        self._loops(generator, [generator.elt], lambda parts: each(parts[0]))
        self.assign(result, at(call, ast.Constant(not wanted)), call)
        self.jump(after)
        self.place(done)
        self.assign(result, at(call, ast.Constant(wanted)), call)
        self.place(after)
        return load(result, call)

    # Short circuits

    def condition(self, node: ast.expr, yes: Label, no: Label) -> None:
        """Lay down a test: control goes to `yes` or `no`."""
        match node:
            case ast.BoolOp(op=operator, values=values):
                for value in values[:-1]:
                    go_on = Label()
                    if isinstance(operator, ast.And):
                        self.condition(value, go_on, no)
                    else:
                        self.condition(value, yes, go_on)
                    self.place(go_on)
                self.condition(values[-1], yes, no)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.condition(operand, no, yes)
            case ast.Constant(value=value):
                if not self.blocks:  # control must come in somewhere
                    self.plain(node, at(node, ast.Pass()))
                self.jump(yes if value else no)
            case _:
                self.branch(node, self._truth(node), yes, no)

    def _truth(self, node: ast.expr) -> ast.expr:
        """A simple expression that is true where another one is."""
        return self.simple(call_of("@truth", [node], node) if self._asks_ours(node) else node)

    def _asks_ours(self, node: ast.expr) -> bool:
        """Whether to ask for the truth of an expression may come to a method of the model's own."""
        return not (self.method_names.isdisjoint(TRUE) or _is_true_or_false(node))

    def _by_branches(self, node: ast.BoolOp) -> ast.expr:
        result = self.temporary()
        after = Label()
        for value in node.values[:-1]:
            self.assign(result, self.simple(value), value)
            go_on = Label()
            test = self._truth(load(result, value))
            if isinstance(node.op, ast.And):
                self.branch(value, test, go_on, after)
            else:
                self.branch(value, test, after, go_on)
            self.place(go_on)
        self.assign(result, self.simple(node.values[-1]), node.values[-1])
        self.place(after)
        return load(result, node)

    def _if_expression(self, node: ast.IfExp) -> ast.expr:
        result = self.temporary()
        yes, no, after = Label(), Label(), Label()
        self.condition(node.test, yes, no)
        self.place(yes)
        self.assign(result, self.simple(node.body), node.body)
        self.jump(after)
        self.place(no)
        self.assign(result, self.simple(node.orelse), node.orelse)
        self.place(after)
        return load(result, node)

    def _chain(self, node: ast.Compare) -> ast.expr:
        result = self.temporary()
        after = Label()
        left = self.keep(self.simple(node.left), node.left)
        for number, (operator, comparator) in enumerate(
            zip(node.ops, node.comparators, strict=True), 1
        ):
            right = self.keep(self.simple(comparator), comparator)
            compared = at(node, ast.Compare(left, [operator], [right]))
            self.assign(result, self.simple(compared), node)
            if number < len(node.ops):
                go_on = Label()
                self.branch(node, self._truth(load(result, node)), go_on, after)
                self.place(go_on)
            left = right
        self.place(after)
        return load(result, node)

    # Comprehensions

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> ast.expr:
        result = self.temporary()
        if isinstance(node, ast.DictComp):
            empty: ast.expr = ast.Dict([], [])
            parts = [node.key, node.value]
        else:
            empty = ast.List([], ast.Load()) if isinstance(node, ast.ListComp) else ast.Set([])
            parts = [node.elt]
        self.assign(result, at(node, empty), node)

        def each(values: list[ast.expr]) -> None:
            made = load(result, node)
            if isinstance(node, ast.DictComp):
                slot = at(node, ast.Subscript(made, values[0], ast.Store()))
                self.plain(node, at(node, ast.Assign([slot], values[1])))
                return
            adder = "append" if isinstance(node, ast.ListComp) else "add"
            method = at(node, ast.Attribute(made, adder, ast.Load()))
            self.plain(node, at(node, ast.Expr(at(node, ast.Call(method, [values[0]], [])))))

        self._loops(node, parts, lambda found: each([self.simple(part) for part in found]))
        return load(result, node)

    def _loops(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        parts: list[ast.expr],
        each: Callable[[list[ast.expr]], None],
    ) -> None:
        """The loops of a comprehension; `each` lays down what is done with `parts` inside them."""
        renamed: dict[str, str] = {}
        ends: list[tuple[Label, Label]] = []
        for generator in node.generators:
            self._loop(generator, renamed, ends, node)
        each([rename(part, renamed) for part in parts])
        for again, leave in reversed(ends):
            self.jump(again)
            self.place(leave)

    def _loop(
        self,
        generator: ast.comprehension,
        renamed: dict[str, str],
        ends: list[tuple[Label, Label]],
        node: ast.expr,
    ) -> None:
        """One `for` of a comprehension, with its conditions; one that goes through a generator
        expression is the loops of that.

        `renamed` and `ends` get what the loops bind, and where each goes on and ends.
        """
        made, iterable = None, generator.iter
        if isinstance(iterable, ast.GeneratorExp):
            own = {**renamed}
            for inner in iterable.generators:
                self._loop(inner, own, ends, node)
            made = self.simple(rename(iterable.elt, own))
        else:
            iterable = self.simple(rename(iterable, renamed))
        for name in ast.walk(generator.target):
            if isinstance(name, ast.Name):
                renamed[name.id] = self.temporary(f"{name.id}@")
        target = rename(generator.target, renamed)
        again, inside, leave = Label(), Label(), Label()
        if made is not None:
            self.plain(node, at(node, ast.Assign([target], made)))
            again, _ = ends[-1]
        elif generator.is_async:
            iterator = self.begin_async_loop(iterable, node)
            self.place(again)
            item = self.next_async_item(iterator, node, leave)
            self.plain(node, at(node, ast.Assign([target], item)))
        else:
            iterator = self.begin_loop(iterable, node, "@")
            self.place(again)
            self.next_item(iterator, target, node, inside, leave)
        if made is None:
            ends.append((again, leave))
        self.place(inside)
        for condition in generator.ifs:
            go_on = Label()
            self.condition(rename(condition, renamed), go_on, again)
            self.place(go_on)

    def begin_loop(self, iterable: ast.expr, node: ast.AST, of: str = "") -> str:
        """Lay down the making of an iterator; gives its name. `of` is "@" in a comprehension."""
        name = self.temporary(f"{ITERATOR[1:]}{of}")
        is_known = self._is_in_c(iterable)
        if is_known or "__next__" not in self.method_names:
            self.simple_iterators.add(name)
        made: ast.expr = call_of("@cursor", [iterable], node)
        if not is_known and "__iter__" in self.method_names:
            made = self.simple(made)
        self.assign(name, made, node)
        return name

    def next_item(
        self, iterator: str, target: ast.expr, node: ast.AST, inside: Label, leave: Label
    ) -> Block:
        """Lay down the taking of one item: to `inside` with `target` bound, or to `leave`."""
        taking = call_of("@item_of", [load(iterator, node)], node)
        body: list[ast.stmt] = []
        if iterator in self.simple_iterators:
            # Names with `@` are Python locals of this one block, never locals of the frame.
            item: ast.expr = at(node, ast.Name("@item", ast.Load()))
            body = [at(node, ast.Assign([at(node, ast.Name("@item", ast.Store()))], taking))]
        else:
            item = self.simple(taking)
        at_end = at(node, ast.Compare(item, [ast.Is()], [at(node, ast.Name("@end", ast.Load()))]))
        body += [
            at(node, ast.If(at_end, [at(node, ast.Return(at(node, ast.Constant(False))))], [])),
            at(node, ast.Assign([target], item)),
            at(node, ast.Return(at(node, ast.Constant(True)))),
        ]
        return self.test(node, body, inside, leave)

    def _is_in_c(self, iterable: ast.expr) -> bool:
        """Whether to go through what an expression gives is known to come to no method of the
        model's, and to resume no generator: then it takes one block.
        """
        if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name):
            name = iterable.func.id
            is_known = name in _ITERABLE_BUILTINS and name not in self.bound
            return is_known and self.names.is_builtin(iterable.func, name)
        return isinstance(iterable, ast.Tuple | ast.List | ast.Set | ast.Dict | ast.Constant)

    def begin_async_loop(self, iterable: ast.expr, node: ast.AST) -> str:
        """Lay down the making of an asynchronous iterator; gives its name."""
        name = self.temporary()
        checked = at(node, ast.Name("@async_iterable", ast.Load()))
        owner = self.keep(at(node, ast.Call(checked, [iterable], [])), node)
        made = self.simple(_method_call(owner, "__aiter__", node))
        checked = at(node, ast.Name("@async_iterator", ast.Load()))
        self.assign(name, at(node, ast.Call(checked, [made], [])), node)
        return name

    def next_async_item(self, iterator: str, node: ast.AST, leave: Label) -> ast.expr:
        """Lay down the taking of one item: gives an expression for it, or goes to `leave`."""
        caught, after, mine = Label(), Label(), Label()
        name = self.temporary(HANDLED[1:])
        with self.handling(caught, name):
            call = self.simple(_method_call(load(iterator, node), "__anext__", node))
            item = self.awaited(call, node)
        self.jump(after)
        self.place(caught)
        again = Label()
        ends = at(node, ast.Name("@StopAsyncIteration", ast.Load()))
        matches = at(node, ast.Name("@matches", ast.Load()))
        test = at(node, ast.Call(matches, [load(name, node), ends], []))
        self.branch(node, test, mine, again)
        self.place(mine)
        self.jump(leave)
        self.place(again)
        self.raise_again(name, node)
        self.place(after)
        return item

    # Everything else

    def _in_order(self, node: ast.expr) -> Any:
        """Flatten the parts of an expression; those before the last flattened one are kept."""
        node = _copy(node)
        if isinstance(node, ast.Call) and self.operates(node.func):
            node.func = self.keep(self.simple(node.func), node.func)
        slots = _slots_of(node)
        last = max((i for i, slot in enumerate(slots) if self.needs_blocks(slot.get())), default=-1)
        for number, slot in enumerate(slots):
            part = slot.get()
            if number < last:
                slot.set(self._keep_part(part, unpacked=slot.unpacked))
            elif number == last:
                slot.set(self._part(part))
        return node

    def _keep_part(self, part: ast.expr, *, unpacked: bool = False) -> ast.expr:
        if unpacked:
            return self.keep(at(part, ast.Dict([None], [self.simple(part)])), part)
        if isinstance(part, ast.Starred):
            made = at(
                part,
                ast.Tuple([at(part, ast.Starred(self.simple(part.value), ast.Load()))], ast.Load()),
            )
            return at(part, ast.Starred(self.keep(made, part), ast.Load()))
        return self.keep(self.simple(part), part)

    def _part(self, part: ast.expr) -> ast.expr:
        if isinstance(part, ast.Starred):
            return at(part, ast.Starred(self.simple(part.value), ast.Load()))
        return self.simple(part)


def _is_asynchronous(node: ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp) -> bool:
    """Whether a comprehension waits; of a generator expression, what it makes is asynchronous."""
    return any(each.is_async for each in node.generators) or any(
        isinstance(inner, ast.Await) for inner in ast.walk(node)
    )


def _is_chain(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) and len(node.ops) > 1


def _is_true_or_false(node: ast.expr) -> bool:
    """Whether an expression is known to give a truth value."""
    match node:
        case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
            return True
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in ("@contains", "@truth")
    return isinstance(node, ast.Constant)


def _gives_what_it_shares(call: ast.Call) -> bool:
    """Whether a call may share what its argument makes, and gives it: `d.setdefault(k, [])`.

    What is done with it is a statement of its own, which finds the one that all threads have.
    """
    match call:
        case ast.Call(ast.Attribute(attr="setdefault"), [_, default]):
            return not isinstance(default, ast.Constant)
    return False


_SHARE_ARGUMENTS = (
    "Process", "Thread", "Timer", "apply_async", "map_async", "run_coroutine_threadsafe", "submit",
)  # fmt: skip
"""Names of what shares its arguments, and gives something that is asked or started later."""


def _asks_what_shares(node: ast.AST) -> bool:
    """Whether something is done at once with what a call gives that shares its arguments:
    `pool.submit(self.work, self.n).result()`. That is a statement of its own, for others run
    meanwhile, and to look at what is shared is more than it was before.
    """
    match node:
        case ast.Call(ast.Attribute(value=ast.Call(ast.Attribute(attr=name) | ast.Name(id=name)))):
            return name in _SHARE_ARGUMENTS
    return False


def _shares_one_by_one(node: ast.AST) -> bool:
    """Whether a call may share its arguments, and go on: `pool.map(self.work, self.items)`. They
    are looked at before.
    """
    match node:
        case ast.Call(ast.Attribute(attr="map"), args):
            return any(isinstance(each, ast.Attribute) for each in args)
    return False


def _method_call(owner: ast.expr, name: str, node: ast.AST) -> ast.expr:
    method = at(node, ast.Attribute(owner, name, ast.Load()))
    return at(node, ast.Call(method, [], []))


class _Slot:
    """A place for a sub-expression in a node. `unpacked`: it is a mapping after `**`."""

    def __init__(
        self, owner: ast.AST, name: str, index: int | None = None, *, unpacked: bool = False
    ) -> None:
        self._owner, self._name, self._index = owner, name, index
        self.unpacked = unpacked

    def get(self) -> ast.expr:
        found = getattr(self._owner, self._name)
        return found if self._index is None else found[self._index]

    def set(self, value: ast.expr) -> None:
        if self._index is None:
            setattr(self._owner, self._name, value)
        else:
            getattr(self._owner, self._name)[self._index] = value


def _slots_of(node: ast.AST) -> list[_Slot]:
    """The sub-expressions of a node in order of evaluation."""
    if isinstance(node, ast.Dict):
        pairs = []
        for i, key in enumerate(node.keys):
            pairs += [_Slot(node, "keys", i)] if key is not None else []
            pairs.append(_Slot(node, "values", i, unpacked=key is None))
        return pairs
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # The method is looked up on the object before the arguments are evaluated, but that is no
        # access of its own: only the object itself is kept.
        rest = [_Slot(node, "args", i) for i in range(len(node.args))]
        rest += [_Slot(k, "value", unpacked=k.arg is None) for k in node.keywords]
        return [_Slot(node.func, "value"), *rest]
    slots: list[_Slot] = []
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            slots.append(_Slot(node, name))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.expr):
                    slots.append(_Slot(node, name, i))
                elif isinstance(item, ast.keyword):
                    slots.append(_Slot(item, "value", unpacked=item.arg is None))
    return slots


def _expressions_of(node: ast.AST) -> list[ast.expr]:
    """The sub-expressions that are evaluated with a node."""
    found: list[ast.expr] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            found.append(child)
        elif isinstance(child, ast.keyword | ast.comprehension):
            found += _expressions_of(child)
    return found


def _copy(node: ast.expr) -> ast.expr:
    """A copy of a node and its lists and keywords, whose parts may be replaced."""
    fields: dict[str, Any] = {
        name: list(value) if isinstance(value, list) else value
        for name, value in ast.iter_fields(node)
    }
    made: ast.expr = at(node, type(node)(**fields))
    if isinstance(made, ast.Call):
        made.keywords = [at(k, ast.keyword(k.arg, k.value)) for k in made.keywords]
        if isinstance(made.func, ast.Attribute):
            made.func = at(made.func, ast.Attribute(made.func.value, made.func.attr, ast.Load()))
    return made


class _Renamer(Transformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id in self._names:
            return at(node, ast.Name(self._names[node.id], node.ctx))
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        node.args = self.visit(node.args)
        own = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        others = {name: to for name, to in self._names.items() if name not in own}
        node.body = _Renamer(others).visit(node.body)
        return node


def rename(node: ast.expr, names: dict[str, str]) -> ast.expr:
    """A copy of an expression with other local names."""
    if not names:
        return node
    made: ast.expr = _Renamer(names).visit(copied(node))
    return made
