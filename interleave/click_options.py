"""The options of the command line, made from those of a check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from interleave.errors import UsageError
from interleave.kinds import LITERAL, Choice, Flag, NameList, Seconds, Values, Whole
from interleave.options import Option, Options, options_of, said_of

Command = TypeVar("Command", bound=Callable[..., Any])


def taking(command: str, kind: type[Options] = Options) -> Callable[[Command], Command]:
    """Have a function of click take the options that a command has."""

    def decorate(function: Command) -> Command:
        for name, option in reversed(options_of(kind).items()):
            if command in option.commands:
                function = _made(name, option)(function)
        return function

    return decorate


def given_in(context: click.Context, kind: type[Options] = Options) -> dict[str, Any]:
    """The options that somebody gave to a command, as keywords of `check` or of `explore`."""
    known = options_of(kind)
    return {
        name: value
        for name, value in context.params.items()
        if name in known and _is_given(context, name)
    }


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _assignment(text: str) -> tuple[str, str]:
    """What NAME=VALUE says."""
    from interleave.loading import Text

    name, equals, value = text.partition("=")
    if not equals or not (name.strip().isidentifier() or LITERAL.fullmatch(name.strip())):
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE, such as N=3")
    return name.strip(), Text(value.strip())


def _made(name: str, option: Option) -> Callable[[Command], Command]:
    """The option of click that an option of a check is."""
    kind = option.kind
    flags = option.flags or (f"--{name.replace('_', '-')}",)
    type_: Any = click.STRING
    if isinstance(kind, Whole):
        type_ = click.IntRange(min=kind.least)
    elif isinstance(kind, Seconds):
        type_ = click.FloatRange(min=0, min_open=True)
    elif isinstance(kind, Choice) and not kind.metavar:
        type_ = click.Choice(kind.names)

    def read(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if not _is_given(context, name):
            return value
        if isinstance(kind, Values):
            value = map(_assignment, value)
        try:
            return option.read(value)
        except UsageError as error:
            raise said_of(flags[-1], error) from None

    if isinstance(kind, Flag):
        # What a project says can be taken back.
        names = f"{flags[0]}/--no-{flags[0][2:]}" if option.is_setting else flags[0]
        return click.option(
            names, name, is_flag=True, default=option.default, callback=read, help=option.help
        )
    is_listed = isinstance(kind, NameList | Values)
    default = {} if is_listed else {"default": option.default}
    return click.option(
        *flags,
        name,
        type=type_,
        multiple=is_listed,
        metavar=kind.metavar or None,
        show_default=option.default_words or isinstance(type_, click.Choice),
        callback=read,
        help=option.help,
        **default,
    )
