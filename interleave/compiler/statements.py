"""Flattening statements into blocks."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from interleave.compiler.blocks import ENTERED, HANDLED, Block, BlockKind
from interleave.compiler.builder import (
    Label,
    Loop,
    Unwinding,
    at,
    is_temporary,
    load,
    without_slices,
)
from interleave.compiler.emit import switch_point
from interleave.compiler.expressions import ExpressionFlattener
from interleave.compiler.operators import as_deletion, as_in_place, as_setting, call_of
from interleave.compiler.syntax import Transformer, copied

NOTHING = ""
"""Stands for the exception being handled where there is none, in a `finally`."""


class StatementFlattener(ExpressionFlattener):
    """Adds to a builder: `body(statements)`."""

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """Lay down the blocks of some statements, in order."""
        for statement in statements:
            outside = (self.statement, self.ending)
            self.statement, self.ending = statement, False
            self._statement(statement)
            self.statement, self.ending = outside

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Pass() | ast.Global() | ast.Nonlocal():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr():
                value = self.simple(node.value)
                if not is_temporary(value):
                    self.plain(node, at(node, ast.Expr(value)))
            case ast.Assign():
                self._assign(node)
            case ast.AugAssign():
                self._aug_assign(node)
            case ast.AnnAssign():
                if node.value is not None:
                    self._assign(at(node, ast.Assign([node.target], node.value)))
            case ast.Return():
                self._return(node)
            case ast.If():
                self._if(node)
            case ast.While():
                self._while(node)
            case ast.For():
                self._for(node)
            case ast.AsyncFor():
                self._async_for(node)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.With() | ast.AsyncWith():
                self._with(node, list(node.items))
            case ast.Match():
                self._match(node)
            case ast.Assert():
                self._assert(node)
            case ast.Raise():
                self._raise(node)
            case ast.Break() | ast.Continue():
                self._leave_loop(node)
            case ast.Delete():
                self._delete(node)
            case _:
                self._cannot(node)

    # Assignments

    def _assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Tuple | ast.List):
            if (
                isinstance(node.value, ast.Tuple | ast.List)
                and len(target.elts) == len(node.value.elts)
                and not any(isinstance(e, ast.Starred) for e in [*target.elts, *node.value.elts])
            ):
                # `a, b = x, y`: one by one, so that b does not seem to come from x.
                values = [self.keep(self.simple(value), value) for value in node.value.elts]
                for single, value in zip(target.elts, values, strict=True):
                    self._store(single, value, node)
                return
        value = self.simple(node.value)
        if len(node.targets) > 1 or self._may_share_owner(target, node.value):
            value = self.keep(value, node)
        for single in node.targets:
            self._store(single, value, node)

    def _may_share_owner(self, target: ast.expr, value: ast.expr) -> bool:
        """Whether a call may share the very object of which it gives an attribute, as
        `self.thread = Thread(target=self.run)` does: it is set on the shared one then.
        """
        match target, value:
            case ast.Attribute(ast.Name(owner)), ast.Call():
                given = [*value.args, *[each.value for each in value.keywords]]
                return any(self._gives_out(each, owner) for each in given)
        return False

    def _gives_out(self, node: ast.expr, owner: str) -> bool:
        match node:
            case ast.Name(name):
                return name == owner
            case ast.Attribute(ast.Name(name), attribute):
                return name == owner and attribute in self.method_names
            case ast.Call():
                given = [node.func, *node.args, *[each.value for each in node.keywords]]
                return any(self._gives_out(each, owner) for each in given)
            case ast.Lambda():
                return any(isinstance(e, ast.Name) and e.id == owner for e in ast.walk(node.body))
            case ast.Tuple(elts) | ast.List(elts):
                return any(self._gives_out(each, owner) for each in elts)
            case ast.Starred():
                return self._gives_out(node.value, owner)
        return False

    def _store(self, target: ast.expr, value: ast.expr, node: ast.AST) -> None:
        """Lay down `target = value`, where `value` is simple."""
        if isinstance(target, ast.Subscript) and self._sets_item(target):
            parts = [value, target.value, without_slices(target.slice)]
            self.simple(call_of("@set_item", parts, node))
            return
        if isinstance(target, ast.Attribute) and self.enters(target):
            self.simple(as_setting(target, value, self.owner))
            return
        if isinstance(target, ast.Tuple | ast.List) and self._stores_by_calls(target):
            self._store_each(target, value, node)
            return
        if self.needs_blocks(target):
            value = self.keep(value, node)
            target = self._simple_target(target)
        self.plain(node, at(node, ast.Assign([target], value)))

    def _stores_by_calls(self, target: ast.expr) -> bool:
        """Whether a call is part of storing in a target, or in a part of it."""
        return self.needs_blocks(target) or any(
            self._sets_item(each) or self._sets_by_call(each)
            for each in ast.walk(target)
            if isinstance(each, ast.expr)
        )

    def _store_each(self, target: ast.Tuple | ast.List, value: ast.expr, node: ast.AST) -> None:
        """Lay down `a, *b = value`, one by one."""
        parts: list[ast.expr] = []
        names = [self.temporary() for _ in target.elts]
        for name, each in zip(names, target.elts, strict=True):
            slot = at(node, ast.Name(name, ast.Store()))
            is_starred = isinstance(each, ast.Starred)
            parts.append(at(node, ast.Starred(slot, ast.Store())) if is_starred else slot)
        unpacked = at(node, ast.Tuple(parts, ast.Store()))
        self.plain(node, at(node, ast.Assign([unpacked], value)))
        for name, each in zip(names, target.elts, strict=True):
            single = each.value if isinstance(each, ast.Starred) else each
            self._store(single, load(name, node), node)

    def _simple_target(self, target: ast.expr) -> ast.expr:
        match target:
            case ast.Attribute():
                return at(
                    target,
                    ast.Attribute(
                        self.keep(self.simple(target.value), target), target.attr, target.ctx
                    ),
                )
            case ast.Subscript():
                base = self.keep(self.simple(target.value), target)
                index = self.keep(self.simple(target.slice), target)
                return at(target, ast.Subscript(base, index, target.ctx))
        return target

    def _aug_assign(self, node: ast.AugAssign) -> None:
        operates = self.operates(node)
        is_simple = not (self.needs_blocks(_as_load(node.target)) or self.needs_blocks(node.value))
        calls = self._sets_item(node.target) or self._sets_by_call(node.target)
        if is_simple and not operates and not calls:
            self.simple(node.value)
            self.plain(node, node)
            return
        target: ast.expr = node.target
        if not isinstance(target, ast.Name):
            target = self._simple_target(target)
        before = self.keep(self.simple(_as_load(target)), node)
        value = self.simple(node.value)
        if operates:
            self._store(target, self.simple(as_in_place(node, before, value)), node)
            return
        name = before.id if isinstance(before, ast.Name) else ""
        held = at(node, ast.Name(name, ast.Store()))
        self.plain(node, at(node, ast.AugAssign(held, node.op, value)))
        self._store(target, load(name, node), node)

    def _sets_item(self, target: ast.expr) -> bool:
        return isinstance(target, ast.Subscript) and "__setitem__" in self.method_names

    def _sets_by_call(self, target: ast.expr) -> bool:
        return isinstance(target, ast.Attribute) and self.enters(target)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript) and "__delitem__" in self.method_names:
                parts = [target.value, without_slices(target.slice)]
                self.simple(call_of("@delete_item", parts, node))
                continue
            if isinstance(target, ast.Attribute) and self.enters(target):
                self.simple(as_deletion(target, self.owner))
                continue
            if self.needs_blocks(target):
                target = self._simple_target(target)
            self.plain(node, at(node, ast.Delete([target])))

    # Branches and loops

    def _if(self, node: ast.If) -> None:
        yes, no, after = Label(), Label(), Label()
        self.condition(node.test, yes, no)
        self.place(yes)
        self.body(node.body)
        self.jump(after)
        self.place(no)
        self.body(node.orelse)
        self.place(after)

    def _while(self, node: ast.While) -> None:
        again, inside, end, leave = Label(), Label(), Label(), Label()
        self.place(again)
        # A loop needs a block to stand at, even `while True: pass`.
        if isinstance(node.test, ast.Constant):
            self.plain(node, at(node, ast.Pass()))
        self.condition(node.test, inside, end)
        self.place(inside)
        with self.within(Loop(again, leave)):
            self.body(node.body)
        if self.switches and not isinstance(node.test, ast.Constant):
            # Up to 3.13, CPython asks for the condition once more at the end of each round, and
            # only then may switch, on the way back to the body; from 3.14 on, before it asks.
            self.plain(node, at(node, ast.Expr(switch_point())))
            with self.copying(node):
                self.condition(node.test, inside, end)
        else:
            self.jump(again)
        self.place(end)
        self.body(node.orelse)
        self.place(leave)

    def _for(self, node: ast.For) -> None:
        again, inside, end, leave = Label(), Label(), Label(), Label()
        if isinstance(node.iter, ast.GeneratorExp):
            self._for_generator(node, node.iter)
            return
        iterator = self.begin_loop(self.simple(node.iter), node)
        self.place(again)
        self.next_item(iterator, node.target, node, inside, end)
        self.place(inside)
        with self.within(Loop(again, leave)), self.going_through(iterator):
            self.body(node.body)
        self.jump(again)
        self.place(end)
        self.body(node.orelse)
        self.place(leave)

    def _async_for(self, node: ast.AsyncFor) -> None:
        again, end, leave = Label(), Label(), Label()
        iterator = self.begin_async_loop(self.simple(node.iter), node)
        self.place(again)
        self._store(node.target, self.next_async_item(iterator, node, end), node)
        with self.within(Loop(again, leave)):
            self.body(node.body)
        self.jump(again)
        self.place(end)
        self.body(node.orelse)
        self.place(leave)

    def _for_generator(self, node: ast.For, generator: ast.GeneratorExp) -> None:
        """A loop over a generator expression: its loops, with the body in the middle."""
        leave = Label()

        def each(parts: list[ast.expr]) -> None:
            go_on = Label()
            self._store(node.target, self.simple(parts[0]), node)
            with self.within(Loop(go_on, leave)):
                self.body(node.body)
            self.place(go_on)

        self._loops(generator, [generator.elt], each)
        self.body(node.orelse)
        self.place(leave)

    def _leave_loop(self, node: ast.Break | ast.Continue) -> None:
        loop = next(each for each in reversed(self.enclosing) if isinstance(each, Loop))
        self.unwind(loop)
        self.jump(loop.leave if isinstance(node, ast.Break) else loop.again)

    def _return(self, node: ast.Return) -> None:
        value = self.simple(node.value) if node.value else at(node, ast.Constant(None))
        if any(isinstance(context, Unwinding) for context in self.enclosing):
            value = self.keep(value, node)
            self.unwind(None)
        self.value(BlockKind.RETURN, node, value)

    # Exceptions

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        if node.finalbody:
            inner = at(node, type(node)(node.body, node.handlers, node.orelse, []))
            protected: Callable[[], None] = (
                (lambda: self._try_except(inner))
                if node.handlers
                else (lambda: self.body(node.body))
            )

            def finish_after(name: str) -> None:
                with self.handled(name), self.copying(node):
                    self.body(node.finalbody)

            def finish() -> None:
                # Laid down once more for each way out, one of which is that nothing was raised.
                outside = self._handled[-1] if self._handled else NOTHING
                with self.handled(outside), self.copying(node):
                    self.body(node.finalbody)

            self._protect(
                protected,
                finish=finish,
                on_exception=finish_after,
                node=node,
            )
        else:
            self._try_except(node)

    def _protect(
        self,
        protected: Callable[[], None],
        *,
        finish: Callable[[], None],
        on_exception: Callable[[str], None],
        node: ast.AST,
    ) -> None:
        """Lay down `protected`, followed by `finish` however it is left.

        After an exception it is `on_exception`, which is given the name of the exception and is
        followed by raising it again, unless it jumps elsewhere.
        """
        caught, after = Label(), Label()
        name = self.temporary(HANDLED[1:])
        outside = self.handler
        unwinding = Unwinding(finish, outside, self._handled)
        with self.within(unwinding), self.handling(caught, name):
            protected()
        if self.reachable:
            finish()
        self.jump(after)
        self.place(caught)
        if any(label is caught for label, _ in self._handlers_used()):
            on_exception(name)
            if self.reachable:
                self.raise_again(name, node)
        self.place(after)

    def _handlers_used(self) -> list[tuple[Label, int]]:
        return [
            (label, number) for (number, field), label in self._jumps.items() if field == "handler"
        ]

    def _try_except(self, node: ast.Try | ast.TryStar) -> None:
        if isinstance(node, ast.TryStar):
            self._try_star(node)
            return
        caught, after, skip = Label(), Label(), Label()
        name = self.temporary(HANDLED[1:])
        with self.handling(caught, name):
            self.body(node.body)
        catches_all = self._catches_all(node, caught)
        self.body(node.orelse)
        self.jump(after)
        self.handlers.append((caught, after))
        self.place(caught)
        for handler in node.handlers:
            self.statement = handler
            skip = Label()
            if handler.type is not None:
                matches = Label()
                kinds = self.simple(handler.type)
                test = at(
                    handler,
                    ast.Call(
                        at(handler, ast.Name("@matches", ast.Load())),
                        [load(name, handler), kinds],
                        [],
                    ),
                )
                self.branch(handler, test, matches, skip)
                self.place(matches)
            with self.handled(name):
                self._handle(handler, name)
            self.jump(after)
            self.place(skip)
        self.statement = node
        if self.reachable:
            if catches_all:
                self.fails_at(skip)
            self.raise_again(name, node)
        self.place(after)

    def _catches_all(self, node: ast.Try, caught: Label) -> bool:
        """Whether some handler is for whatever the `raise` statements of its `try` raise.

        An exception that comes without one (of an operation, a call, an assertion) does not count.
        """
        kinds = [
            self._class_named(each)
            for handler in node.handlers
            if handler.type is not None
            for each in (
                handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            )
        ]
        raised = [
            self._class_named(statement.exc)
            for block in self.blocks
            if self._jumps.get((block.number, "handler")) is caught
            and not isinstance(block.statement, ast.Assert)
            for statement in block.body
            if isinstance(statement, ast.Raise)
        ]
        return all(
            each is not None
            and any(kind is not None and type.__subclasscheck__(kind, each) for kind in kinds)
            for each in raised
        )

    def _class_named(self, node: ast.expr | None) -> type | None:
        """The class that an expression names, or calls; None where that is not known."""
        if isinstance(node, ast.Call):
            node = node.func
        if not isinstance(node, ast.Name) or node.id in self.bound or node.id not in self.names:
            return None
        found = self.names.real(node.id)
        return found if isinstance(found, type) else None

    def _try_star(self, node: ast.TryStar) -> None:
        """`except*`: each handler gets its part of the group; see `compiler.groups`."""
        caught, after, again = Label(), Label(), Label()
        error, rest, raised = (self.temporary(what) for what in ("exception", "rest", "raised"))
        with self.handling(caught, error):
            self.body(node.body)
        self.body(node.orelse)
        self.jump(after)
        self.place(caught)
        self.assign(rest, load(error, node), node)
        self.assign(raised, at(node, ast.List([], ast.Load())), node)
        for handler in node.handlers:
            assert handler.type is not None  # `except*:` is no syntax
            self.statement = handler
            matches, failed, skip = Label(), Label(), Label()
            mine, new = self.temporary(HANDLED[1:]), self.temporary(HANDLED[1:])
            split = _helper("@split", [load(rest, handler), self.simple(handler.type)], handler)
            parts = [at(handler, ast.Name(name, ast.Store())) for name in (mine, rest)]
            pair = at(handler, ast.Tuple(list[ast.expr](parts), ast.Store()))
            self.plain(handler, at(handler, ast.Assign([pair], split)))
            self.branch(handler, load(mine, handler), matches, skip)
            self.place(matches)
            with self.handled(mine), self.handling(failed, new):
                self._handle(handler, mine)
            self.jump(skip)
            self.place(failed)
            noted = [load(name, handler) for name in (raised, new, mine)]
            self.plain(handler, at(handler, ast.Expr(_helper("@collect", noted, handler))))
            self.place(skip)
        self.statement = node
        given = [load(name, node) for name in (error, raised, rest)]
        self.assign(error, _helper("@to_raise", given, node), node)
        self.branch(node, load(error, node), again, after)
        self.blocks[-1].decides = False
        self.place(again)
        self.raise_again(error, node)
        self.place(after)

    def _handle(self, handler: ast.ExceptHandler, exception: str) -> None:
        """The body of an `except`, after which its name is not bound any more."""
        if not handler.name:
            self.body(handler.body)
            return
        name = handler.name
        self.assign(name, load(exception, handler), handler)
        slot = at(handler, ast.Name(name, ast.Store()))
        none = at(handler, ast.Assign([slot], at(handler, ast.Constant(None))))
        gone = at(handler, ast.Delete([at(handler, ast.Name(name, ast.Del()))]))
        self._protect(
            lambda: self.body(handler.body),
            finish=lambda: void(self.plain(handler, none, gone)),
            on_exception=lambda _: void(self.plain(handler, none, gone)),
            node=handler,
        )

    def _raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            if not self._handled:
                raise self.error(
                    "`raise` alone stands outside `except`",
                    "name the exception: pass it to the function that is to raise it again",
                )
            if self._handled[-1] is NOTHING:
                self.plain(node, node)  # raises RuntimeError
                self._pending = []
            else:
                self.raise_again(self._handled[-1], node)
        else:
            exception = self.simple(node.exc)
            cause = None
            if node.cause is not None:
                if self.needs_blocks(node.cause):
                    exception = self.keep(exception, node)
                cause = self.simple(node.cause)
            self.plain(node, at(node, ast.Raise(exception, cause)))
        self._pending = []

    def _assert(self, node: ast.Assert) -> None:
        holds, fails = Label(), Label()
        self.condition(node.test, holds, fails)
        self.fails_at(fails)
        self.place(fails)
        if self.reachable:
            message = [self.simple(node.msg)] if node.msg else []
            failure = at(
                node, ast.Call(at(node, ast.Name("@AssertionError", ast.Load())), message, [])
            )
            self.plain(node, at(node, ast.Raise(failure, None))).is_failed_assertion = True
            self._pending = []
        self.place(holds)

    # with

    def _with(self, node: ast.With | ast.AsyncWith, items: list[ast.withitem]) -> None:
        if not items:
            self.body(node.body)
            return
        item, *rest = items
        awaits = isinstance(node, ast.AsyncWith)
        enter, leave = ("__aenter__", "__aexit__") if awaits else ("__enter__", "__exit__")
        checked = at(node, ast.Name("@async_manager" if awaits else "@manager", ast.Load()))
        context = at(node, ast.Call(checked, [self.simple(item.context_expr)], []))
        manager = self.keep(context, item.context_expr)
        variable = item.optional_vars
        known_as = f" {variable.id} " if isinstance(variable, ast.Name) else ""
        entered = self.temporary(f"{ENTERED[1:]}{known_as}")
        first = len(self.blocks)
        value = self._call_method(manager, enter, [], item.context_expr, awaits=awaits)
        for block in self.blocks[first:]:
            block.enters = True
        self.assign(entered, manager, item.context_expr)
        none = at(node, ast.Constant(None))

        def exit_with(arguments: list[ast.expr]) -> ast.expr:
            outside = (self.statement, self.ending)
            self.statement, self.ending = node, True
            with self.copying(item):
                manager = load(entered, node)
                result = self._call_method(manager, leave, arguments, node, awaits=awaits)
            self.statement, self.ending = outside
            return result

        def body() -> None:
            if item.optional_vars is not None:
                self._store(item.optional_vars, value, node)
            self._with(node, rest)

        def on_exception(name: str) -> None:
            exception = load(name, node)
            kind = at(node, ast.Call(at(node, ast.Name("@type", ast.Load())), [exception], []))
            with self.handled(name):
                swallowed = exit_with([kind, exception, none])
            again = Label()
            self.branch(node, swallowed, swallow, again)
            self.blocks[-1].decides = False
            place = item.context_expr
            self.blocks[-1].swallows = (self.file, place.lineno, place.col_offset)
            self.place(again)

        swallow = Label()
        self._protect(
            body,
            finish=lambda: void(exit_with([none, none, none])),
            on_exception=on_exception,
            node=node,
        )
        self.place(swallow)

    def _call_method(
        self, owner: ast.expr, name: str, arguments: list[ast.expr], node: ast.AST, *, awaits: bool
    ) -> ast.expr:
        method = at(node, ast.Attribute(owner, name, ast.Load()))
        call = self.simple(at(node, ast.Call(method, arguments, [])))
        return self.keep(self.awaited(call, node) if awaits else call, node)

    # yield from

    def delegated(self, value: ast.expr, node: ast.AST) -> ast.expr:
        names = {
            name: self.temporary() for name in ("iterator", "sent", "thrown", "item", "result")
        }
        names.update({name: self.temporary(HANDLED[1:]) for name in ("stop", "error")})
        if self.names.may_await:
            value = _helper("@awaitable", [value], node)
        self.assign(names["iterator"], self.simple(call_of("@cursor", [value], node)), node)
        iterator = load(names["iterator"], node)
        awaits, goes_through, after = Label(), Label(), Label()
        self.branch(node, _helper("@is_awaiting", [iterator], node), awaits, goes_through)
        self.blocks[-1].decides = False
        self.place(awaits)
        inside = at(node, ast.Attribute(iterator, "of", ast.Load()))
        self.assign(names["result"], self.awaited(inside, node), node)
        self.jump(after)
        self.place(goes_through)
        outside = (self.statement, self.ending)
        for statement in _delegation(names, node):
            self._statement(statement)
            self.statement, self.ending = outside
        self.place(after)
        return load(names["result"], node)

    # match

    def _match(self, node: ast.Match) -> None:
        subject = self.keep(self.simple(node.subject), node)
        after = Label()
        for case in node.cases:
            matches, skip = Label(), Label()
            self._pattern(subject, case, node, matches, skip)
            self.place(matches)
            if case.guard is not None:
                go_on = Label()
                self.condition(case.guard, go_on, skip)
                self.place(go_on)
            self.body(case.body)
            self.jump(after)
            self.place(skip)
        self.place(after)

    def _pattern(
        self, subject: ast.expr, case: ast.match_case, node: ast.Match, yes: Label, no: Label
    ) -> Block:
        names = sorted(
            {
                name
                for pattern in ast.walk(case.pattern)
                for name in (getattr(pattern, "name", None), getattr(pattern, "rest", None))
                if name
            }
        )
        used = sorted(
            {
                value.id
                for value in ast.walk(case.pattern)
                if isinstance(value, ast.Name) and value.id in self.bound
            }
        )
        place = case.pattern
        moves: list[ast.stmt] = [
            at(place, ast.Assign([at(place, ast.Name(name, ast.Store()))], load(f"@{name}", place)))
            for name in names
        ]
        pattern = _PatternRenamer(frozenset(used)).visit(copied(case.pattern))
        fetch: list[ast.stmt] = [
            at(place, ast.Assign([at(place, ast.Name(f"@{name}", ast.Store()))], load(name, place)))
            for name in used
        ]
        found = ast.match_case(
            pattern, None, [*moves, at(place, ast.Return(at(place, ast.Constant(True))))]
        )
        body = [
            *fetch,
            at(place, ast.Match(subject, [found])),
            at(place, ast.Return(at(place, ast.Constant(False)))),
        ]
        return self.test(place, body, yes, no)

    # What there is no block for

    def _cannot(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                raise self.error(
                    f"a function is defined inside a thread: {node.name}",
                    "make it a method of the model, or a function of the module",
                )
            case ast.ClassDef():
                raise self.error(
                    f"a class is defined inside a thread: {node.name}",
                    "define it at the top of the file",
                )
        raise self.error(
            f"{type(node).__name__} cannot be compiled", "write it with simpler statements"
        )


_DELEGATION = """
sent = thrown = None
while True:
    try:
        if thrown is None:
            item = SEND(iterator, sent)
        else:
            item = THROW(iterator, thrown)
    except StopIteration as stop:
        result = stop.value
        break
    sent = thrown = None
    try:
        sent = yield item
    except BaseException as error:
        thrown = CAN_TAKE(iterator, error)
"""
"""What `result = yield from iterator` does: PEP 380, "Formal Semantics"."""

_NAMES_IN_DELEGATION = {
    "SEND": "@send_to",
    "THROW": "@throw_into",
    "CAN_TAKE": "@can_take",
    "StopIteration": "@StopIteration",
    "BaseException": "@BaseException",
}


def _delegation(names: Mapping[str, str], node: ast.AST) -> list[ast.stmt]:
    """The statements of `_DELEGATION`, with these locals, in the place of a node."""
    body = ast.parse(_DELEGATION).body
    known = {**names, **_NAMES_IN_DELEGATION}
    for each in (each for statement in body for each in ast.walk(statement)):
        if isinstance(each, ast.Name):
            each.id = known[each.id]
        elif isinstance(each, ast.ExceptHandler) and each.name:
            each.name = known[each.name]
        at(node, each)
    return body


def _helper(name: str, arguments: list[ast.expr], node: ast.AST) -> ast.expr:
    """A call of a function that compiled code finds under a name of the compiler's own."""
    return at(node, ast.Call(at(node, ast.Name(name, ast.Load())), arguments, []))


def void(_: object) -> None:
    """Forget a result."""


def _as_load(target: ast.expr) -> ast.expr:
    match target:
        case ast.Name():
            return load(target.id, target)
        case ast.Attribute():
            return at(target, ast.Attribute(target.value, target.attr, ast.Load()))
        case ast.Subscript():
            return at(target, ast.Subscript(target.value, target.slice, ast.Load()))
    return target


class _PatternRenamer(Transformer):
    """Gives what a pattern binds, and the locals it looks at, names of Python locals."""

    def __init__(self, used: frozenset[str]) -> None:
        self._used = used

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return at(node, ast.Name(f"@{node.id}", node.ctx)) if node.id in self._used else node

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.MatchAs:
        self.generic_visit(node)
        node.name = node.name and f"@{node.name}"
        return node

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.MatchStar:
        node.name = node.name and f"@{node.name}"
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.MatchMapping:
        self.generic_visit(node)
        node.rest = node.rest and f"@{node.rest}"
        return node
