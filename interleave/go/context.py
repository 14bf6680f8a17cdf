"""Contexts, after pkg.go.dev/context and src/context/context.go of Go 1.25.

A deadline may pass at any moment: when somebody waits for it, or asks. Where a context is
cancelled, so are those derived from it, in the same step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

from interleave.go.base import Panic, new, unmodelled
from interleave.go.channels import Channel, ChanState, nil
from interleave.go.errors import Error
from interleave.memory.port import current_port
from interleave.memory.primitive import Unmade
from interleave.records import dataclass

Canceled = Error("context canceled")
DeadlineExceeded = Error("context deadline exceeded")


class Info(NamedTuple):
    """What a context is besides the channel `Done`.

    `timed`: its own deadline has not passed yet. Once there is an error, nothing else matters.
    """

    parent: Any
    timed: bool = False
    error: Error | None = None
    cause: Any = None
    children: tuple[Any, ...] = ()


class Context(Channel):
    """A context that can be cancelled; it is its own channel `Done()`."""

    @classmethod
    def zero(cls, parent: Any, *, timed: bool) -> object:
        """A new one, of which its parent does not know yet."""
        return ChanState(0, more=Info(parent, timed))

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        info: Info = state.more
        children = [visit(each, f".child{n}") for n, each in enumerate(info.children)]
        parent = visit(info.parent, ".parent")
        return state._replace(more=info._replace(parent=parent, children=tuple(children)))

    @classmethod
    def content(cls, state: Any) -> object:
        return (state.closed, state.more.error)

    @classmethod
    def describe(cls, state: Any) -> str:
        return "live" if state.more.error is None else state.more.error.text

    def Done(self) -> Context:
        """The channel that is closed when the context has ended."""
        return self

    def Err(self) -> Error | None:
        """Why it has ended; None while it has not."""

        def effect() -> Any:
            alarms = self.alarms()
            chosen = current_port().choose((False, *[True] * len(alarms))) if alarms else 0
            if chosen:
                alarms[chosen - 1]()
            return self.state.more.error

        return self.operate("ctx.Err", effect)

    def Value(self, key: Any) -> Any:
        """Nothing: see `WithValue`."""
        return

    def cause(self) -> Any:
        """What it was cancelled with, as `context.Cause` gives it."""
        return self.operate("context.Cause", lambda: self.state.more.cause)

    def alarms(self) -> Sequence[Callable[[], None]]:
        if self.state.more.error is not None:
            return ()
        return [each.expire for each in self._lineage() if each.state.more.timed]

    def _lineage(self) -> Iterator[Context]:
        """This one, and those that it derives from."""
        each: Context | None = self
        while each is not None:
            yield each
            each = each.state.more.parent

    def expire(self) -> None:
        """Its deadline passes."""
        self.end(DeadlineExceeded, DeadlineExceeded)

    def end(self, error: Error, cause: Any) -> None:
        """It ends, and all that derive from it. Within an access."""
        info: Info = self.state.more
        if info.error is not None:
            return
        if info.parent is not None:
            info.parent.forget(self)
        self.shut()
        self.state = self.state._replace(more=Info(None, error=error, cause=cause))
        for child in info.children:
            child.end(error, cause)

    def adopt(self, child: Context) -> None:
        """A context derives from this one. Within an access."""
        info: Info = self.state.more
        if info.error is not None:
            child.end(info.error, info.cause)
        else:
            more = info._replace(children=(*info.children, child))
            self.state = self.state._replace(more=more)

    def forget(self, child: Context) -> None:
        """A context that derives from this one has ended. Within an access."""
        info: Info = self.state.more
        others = tuple([each for each in info.children if each is not child])
        self.state = self.state._replace(more=info._replace(children=others))


@dataclass(frozen=True)
class CancelFunc:
    """What ends a context; with `takes_cause`, it is given why."""

    __name__ = "cancel"
    context: Any
    takes_cause: bool = False

    def __repr__(self) -> str:
        return f"CancelFunc of {self.context!r}"

    def __call__(self, cause: Any = None) -> None:
        context = self.context
        context.operate("cancel", lambda: context.end(Canceled, cause or Canceled))


class Root(Enum):
    """A context that never ends: `context.Background()`, and `context.TODO()`."""

    BACKGROUND = "context.Background()"

    def __repr__(self) -> str:
        return self.value

    def Done(self) -> Any:
        """A nil channel."""
        return nil

    def Err(self) -> None:
        """None."""
        return

    def Value(self, key: Any) -> None:
        """None."""
        return


def Background() -> Root:
    """The context that all others derive from."""
    return Root.BACKGROUND


TODO = Background


@dataclass(frozen=True)
class Valued:
    """What `WithValue` gives."""

    parent: Any
    key: Any
    value: Any

    def __repr__(self) -> str:
        return f"{self.parent!r}.WithValue({self.key!r}, {self.value!r})"

    def Done(self) -> Any:
        """That of its parent."""
        return self.parent.Done()

    def Err(self) -> Any:
        """That of its parent."""
        return self.parent.Err()

    def Value(self, key: Any) -> Any:
        """The value that goes with a key."""
        return self.value if key == self.key else self.parent.Value(key)


def WithValue(parent: Any, key: Any, value: Any) -> Valued:
    """A context like its parent that knows a value."""
    return Valued(_checked(parent), key, value)


def WithCancel(parent: Any) -> tuple[Any, CancelFunc]:
    """A context that ends when its parent does, or it is cancelled; and what cancels it."""
    made = _derived(parent, timed=False)
    return made, CancelFunc(made)


def WithCancelCause(parent: Any) -> tuple[Any, CancelFunc]:
    """The same; what cancels it is given the cause."""
    made = _derived(parent, timed=False)
    return made, CancelFunc(made, takes_cause=True)


def WithTimeout(parent: Any, timeout: float) -> tuple[Any, CancelFunc]:
    """The same with a deadline, which may pass at any moment; it has passed if `timeout` is 0."""
    made, cancel = WithDeadline(parent, timeout)
    if timeout <= 0 and not isinstance(made, Unmade):
        made.operate("expire", made.expire)
    return made, cancel


def WithDeadline(parent: Any, deadline: object) -> tuple[Any, CancelFunc]:
    """The same with a deadline, which may pass at any moment."""
    made = _derived(parent, timed=True)
    return made, CancelFunc(made)


def Cause(context: Any) -> Any:
    """Why a context has ended: what it was cancelled with."""
    while isinstance(context, Valued):
        context = context.parent
    return None if context is Root.BACKGROUND else context.cause()


_new = new(Context)


def _checked(parent: Any) -> Any:
    if parent is None:
        raise Panic("cannot create context from nil parent")
    return parent


def _derived(parent: Any, *, timed: bool) -> Any:
    parent = _checked(parent)
    while isinstance(parent, Valued):
        parent = parent.parent
    if parent is Root.BACKGROUND:
        return _new(None, timed=timed)
    made = _new(parent, timed=timed)
    if isinstance(parent, Unmade):
        state: Any = parent.state
        children = (*state.more.children, made)
        parent.state = state._replace(more=state.more._replace(children=children))
    else:
        parent.operate("derive", lambda: parent.adopt(made))
    return made


__getattr__ = unmodelled("go.context")
