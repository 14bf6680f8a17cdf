"""Every option is written once, and each place takes what it needs from there.

`python tests/test_options.py` writes the tables of options into the pages that have them.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import interleave
from interleave import Model, UsageError, check, cli, explore, thread
from interleave.asked import Asked, asked, taking
from interleave.cli import main
from interleave.click_options import given_in
from interleave.click_options import taking as taking_flags
from interleave.comparing import compare
from interleave.kinds import Choice, Flag, Function, NameList, Seconds, Size, Values, Whole
from interleave.options import (
    CheckOptions,
    CompareOptions,
    FixOptions,
    Option,
    Options,
    RaceOptions,
    option,
    options_of,
)
from interleave.project import settings_near
from interleave.protection.sharing import sharing

PAGE = Path(__file__).parent.parent / "docs" / "python.md"
ROOT = Path(interleave.__file__).parent
OPTIONS = options_of(CheckOptions)
COMMANDS = ("check", "graph", "steps")
SETTINGS = {name: each for name, each in OPTIONS.items() if each.is_setting}

RIGHT: dict[type, dict[str, Any]] = {
    Whole: {"7": 7},
    Seconds: {"2.5": 2.5},
    Size: {'"500MB"': 500_000_000, "2000000": 2_000_000},
    Flag: {"true": True},
    NameList: {'["a.b", "c"]': ("a.b", "c")},
}
"""For each kind, what is right in TOML, and as it is kept."""

WRONG: dict[type, list[Any]] = {
    Whole: [0, -1, 2.5, "3", True, []],
    Seconds: [0, -0.5, float("nan"), "3", True, []],
    Size: [0, -1, 2, 999_999, "2", "2XB", "much", 2.5, True, []],
    Choice: ["", "warp", 1, None, [], object],
    Flag: [0, 1, "yes", None],
    NameList: [1, [1], {"a": 1}, b"a"],
    Values: [1, "N=3", ["N"]],
    Function: [1, "print"],
}


class Counter(Model):
    counter = 0

    @thread(2)
    def increment(self) -> None:
        self.counter += 1


FILE = """
from interleave import Model, thread

class {name}(Model):
    counter = 0

    @thread(2)
    def increment(self):
        self.counter += 1
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(settings: str, *names: str) -> list[str]:
        for name in names:
            Path(f"{name.lower()}.py").write_text(FILE.format(name=name))
        Path("pyproject.toml").write_text(f"[tool.interleave]\n{settings}\n")
        return [f"{name.lower()}.py" for name in names]

    return write


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def misspelt(name: str) -> str:
    return name[:-2] + name[-1]


# One place


@pytest.mark.slow
def test_no_option_is_written_in_a_second_place() -> None:
    flags = {flag for each in OPTIONS.values() for flag in each.flags}
    flags |= {f"--{name.replace('_', '-')}" for name in OPTIONS}
    words = {each.help for each in OPTIONS.values()}
    takers = {"check", "graph", "steps", "explore", "find_models", "checked_model"}
    for file in ROOT.rglob("*.py"):
        if file.name == "options.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant):
                assert node.value not in flags | words, (file, node.lineno)
            elif isinstance(node, ast.FunctionDef) and node.name in takers:
                keywords = {each.arg for each in node.args.kwonlyargs}
                assert not keywords & {*OPTIONS}, (file, node.lineno)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_the_options_that_are_its(command: str) -> None:
    found = {each.name: each for each in main.commands[command].params}
    expected = {name for name, each in OPTIONS.items() if command in each.commands}
    assert {*found} & {*OPTIONS} == expected
    for name in expected:
        parameter, wanted = found[name], OPTIONS[name]
        assert isinstance(parameter, click.Option)
        assert parameter.help == wanted.help
        assert parameter.multiple == isinstance(wanted.kind, NameList | Values)
        if not parameter.multiple:
            assert parameter.default == wanted.default


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (check, CheckOptions),
        (compare, CompareOptions),
        (sharing, CheckOptions),
        (explore, Options),
    ],
)
def test_a_function_takes_the_options_of_a_class(function: Any, kind: type[Options]) -> None:
    target, *keywords = inspect.signature(function).parameters.values()
    assert target.name == "target"
    assert {each.name: each.default for each in keywords} == {
        name: each.default for name, each in options_of(kind).items()
    }


def test_a_field_is_all_that_an_option_takes(write) -> None:
    @dataclass(frozen=True, kw_only=True)
    class More(Options):
        deepest_state: int = option(1, Whole(), "As deep as that.", commands=("dig",))

    @click.command()
    @taking_flags("dig", More)
    @click.pass_context
    def dig(context: click.Context, /, **values: int) -> None:
        """Dig."""
        click.echo(repr((given_in(context, More), values)))

    @taking(More)
    def deep(target: str, found: Asked[More]) -> tuple[str, int]:
        return target, found.options.deepest_state

    called = CliRunner().invoke(dig, ["--deepest-state", "3"])
    assert called.output == "({'deepest_state': 3}, {'deepest_state': 3})\n"
    assert CliRunner().invoke(dig).output == "({}, {'deepest_state': 1})\n"
    assert "--deepest-state N" in CliRunner().invoke(dig, ["--help"]).output
    assert (deep("here", deepest_state=3), deep("here")) == (("here", 3), ("here", 1))
    with pytest.raises(UsageError, match=r"^deep\(\) has no option 'deepest'"):
        deep("here", deepest=3)  # type: ignore[call-arg]


# What is no option, and what is no value of one


@pytest.mark.parametrize("name", OPTIONS)
def test_an_unknown_option_is_told_by_its_place_and_the_nearest_one(name: str, write) -> None:
    wrong = misspelt(name)
    with pytest.raises(UsageError) as raised:
        check("model.py", **{wrong: 1})
    assert raised.value.what == f"check() has no option {wrong!r}"
    assert raised.value.remedy.startswith(f"did you mean {name!r}? the options are model, ")

    for command in OPTIONS[name].commands:
        flag = (OPTIONS[name].flags or (f"--{name.replace('_', '-')}",))[-1]
        output = run(command, "model.py", f"{misspelt(flag)}x").output
        assert f"main {command} [OPTIONS]" in output
        assert f"No such option '{misspelt(flag)}x'" in output
        assert f"'{flag}'" in output

    if OPTIONS[name].is_setting:
        (file,) = write(f"\n{wrong} = 1", "Counter")
        error = run("check", file).stderr
        assert f"pyproject.toml:3: [tool.interleave] has no option {wrong!r}\n" in error
        assert f"  remedy: did you mean {name!r}? the options are runtime, " in error


@pytest.mark.parametrize("name", OPTIONS)
def test_a_value_that_an_option_does_not_take(name: str, write) -> None:
    wanted = OPTIONS[name]
    for value in WRONG[type(wanted.kind)]:
        if value is None and wanted.default is None:
            continue
        if isinstance(wanted.kind, Whole) and value == wanted.kind.least:
            continue
        with pytest.raises(UsageError) as raised:
            check(Counter, **{name: value})
        assert raised.value.what.startswith(f"{name} = ")
        assert " in check(): " in raised.value.what
        assert raised.value.remedy or raised.value.what.endswith(f" it takes {wanted.kind.takes}")
        if wanted.is_setting and type(value) in (int, float, str, list):
            (file,) = write(f"{name} = {value!r}", "Counter")
            with pytest.raises(UsageError, match=rf":2: {name} = .* in \[tool.interleave\]: "):
                settings_near(Path(file))


def test_none_is_the_default_where_there_is_one() -> None:
    none = {name: None for name, each in OPTIONS.items() if each.default is None or each.none}
    assert {"max_states", "order", "workers"} <= {*none}
    assert check(Counter, **none).exit_code == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name, each in OPTIONS.items() if each.commands])
def test_a_text_that_an_option_does_not_take(name: str, write) -> None:
    wanted = OPTIONS[name]
    if isinstance(wanted.kind, Flag):
        return
    flag = (wanted.flags or (f"--{name.replace('_', '-')}",))[0]
    (file,) = write("", "Counter")
    found = run("check", file, flag, "-0.x")
    assert found.exit_code == 2
    assert flag in found.stderr or "there is no" in found.stderr
    assert "Traceback" not in found.output


# What pyproject.toml says


def test_settings_are_read_as_in_python(write) -> None:
    for name, wanted in SETTINGS.items():
        kind = wanted.kind
        right = RIGHT.get(type(kind), {})
        if isinstance(kind, Choice):
            right = {f'"{each}"': each for each in kind.names}
        assert right
        for text, value in right.items():
            (file,) = write(f"{name} = {text}", "Counter")
            nobody = asked(CheckOptions, {}, "check()")
            assert getattr(nobody.near(file), name) == value
            somebody = asked(CheckOptions, {name: wanted.default}, "check()")
            assert getattr(somebody.near(file), name) == wanted.default


def test_settings_stand_for_what_nobody_says(write) -> None:
    file, _ = write('max_states = 3\nruntime = "gil"', "Counter", "Other")
    assert check(file).models[0].limit == "reached the limit of 3 states"
    assert explore(file).complete is False
    assert check(file, max_states=None).models[0].complete
    assert check(file).models[0].runtime == "gil"
    assert check(file, runtime="free-threaded").models[0].runtime == "free-threaded"
    assert "reached the limit of 3 states" in run("check", file).stdout
    assert "runtime free-threaded" in run("check", file, "--runtime", "free-threaded").stdout
    assert run("check", file, "--max-states", "100").exit_code == 0
    drawn = run("graph", file, "-o", "x.json")
    assert (drawn.exit_code, "limit of 3 states" in drawn.stderr) == (3, True)


def test_what_a_project_wants_can_be_taken_back(write) -> None:
    (file,) = write("races = true", "Counter")
    kinds = {each.kind for each in check(file).models[0].violations}
    assert kinds == {"lost-update", "data-race"}
    assert "data-race" not in run("check", file, "--no-races").stdout
    assert run("check", file, "--runtime", "gil").exit_code == 0  # where there are none


def test_the_watchdog_knows_the_least_bounds_of_all_that_is_named(write, tmp_path) -> None:
    def limits(*names: str, **given: object) -> tuple[float | None, int | None]:
        return cli._limits((*map(Path, names),), asked(Options, given, "interleave check"))

    (file,) = write('max_seconds = 5\nmax_memory = "2GB"', "Counter")
    (tmp_path / "folder").mkdir()
    Path("folder/pyproject.toml").write_text("[tool.interleave]\nmax_seconds = 3")
    Path("folder/other.py").write_text(FILE.format(name="Other"))
    Path("wrong").mkdir()
    Path("wrong/pyproject.toml").write_text("[tool.interleave]\nmax_seconds = 0")
    assert limits(file) == limits("counter") == limits("nowhere.py") == (5, 2 * 10**9)
    assert limits("folder") == limits("folder/other.py") == (3, None)
    assert limits(file, "folder", "wrong") == (3, 2 * 10**9)
    assert limits(file, "folder", max_seconds=9, max_memory="1GB") == (9, 10**9)
    assert limits(file, max_seconds=None, max_memory=None) == (None, None)


def test_an_error_of_a_project_is_told_once(write) -> None:
    files = write("max_stats = 3", "Counter", "Other", "Third")
    found = run("check", *files)
    assert found.exit_code == 2
    assert found.stderr.count("has no option 'max_stats'") == 1


# What options do


def test_what_is_asked_for_reaches_every_command(write) -> None:
    (file,) = write("", "Counter")
    assert explore(file, runtime="gil", workers=2, races=False).result.runtime == "gil"
    free, gil = (run("steps", file, *more) for more in ([], ["--runtime", "gil"]))
    assert (free.exit_code, gil.exit_code) == (0, 0)
    drawn = run("graph", file, "-o", "x.json", "--runtime", "gil", "--engine", "reference")
    assert drawn.exit_code == 0


def test_what_is_pure_is_so_to_every_command(write, tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    Path("options_helper.py").write_text(
        "import locale\n\ndef day(number):\n    return locale.getlocale() and number\n"
    )
    text = FILE.format(name="Dated").replace("+= 1", "+= options_helper.day(1)")
    Path("dated.py").write_text("import options_helper\n" + text)
    wanted = {"check": 1, "steps": 0, "graph": 0}
    for command, code in wanted.items():
        output = ["-o", "x.json"] if command == "graph" else []
        write("")
        assert run(command, "dated.py", *output).exit_code == 2
        write('pure = ["options_helper"]')
        assert run(command, "dated.py", *output).exit_code == code
    write("")
    assert check("dated.py", pure=["options_helper.day"]).models[0].assumed_pure


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (2, "max_memory = 2 in check(): 2 bytes are less than Python itself takes"),
        ("2", "max_memory = '2' in check(): 2 bytes are less than Python itself takes"),
        ("512", "512 bytes are less"),
        ("0.5KB", "500 bytes are less"),
        ("2 XB", "'2 XB' is no size, such as 500MB or 2GB"),
        ([2], "[2] is no size, such as 500MB or 2GB"),
    ],
)
def test_sizes_that_are_none(value: Any, message: str, write) -> None:
    with pytest.raises(UsageError) as raised:
        check(Counter, max_memory=value)
    assert message in raised.value.what
    if isinstance(value, str):
        (file,) = write("", "Counter")
        assert message.partition("(): ")[2] in run("check", file, "--max-memory", value).stderr


@pytest.mark.parametrize("value", ["20GB", "50000MB", "1.5 tb", 20_000_000_000, None])
def test_sizes(value: Any) -> None:
    assert check(Counter, max_memory=value).exit_code == 1


@pytest.mark.parametrize("runtime", ["asyncio", "go", "process", "jvm", "free_threaded"])
def test_a_runtime_that_is_none_is_told_once(runtime: str, write) -> None:
    found = run("check", *write("", "Counter", "Other"), "--runtime", runtime)
    assert found.exit_code == 2
    assert found.stderr.count("error:") == 1
    assert f"--runtime: there is no runtime {runtime!r}" in found.stderr
    assert "the runtimes are free-threaded, gil" in found.stderr
    assert ("by themselves" in found.stderr) == (runtime in ("asyncio", "go", "process"))


@pytest.mark.parametrize("command", ["check", "steps"])
def test_several_models_by_name(command: str, write) -> None:
    files = write("", "Counter", "Other", "Third")
    quiet = ["-q"] if command == "check" else []
    both = run(command, *files, "-m", "Third", "-m", "Counter", *quiet).stdout
    assert [name for name in ("Counter", "Other", "Third") if name in both] == ["Counter", "Third"]
    assert both.index("Counter") < both.index("Third")
    wrong = run(command, *files, "-m", "Third", "-m", "Othre")
    assert wrong.exit_code == 2
    assert (
        "there is no model 'Othre'\n  remedy: did you mean 'Other'? the models are" in wrong.stderr
    )
    assert [each.model for each in check(files, model=["Third", "Other"]).models] == [
        "Other",
        "Third",
    ]


def test_which_of_several_models_a_graph_shows(write) -> None:
    Path("two.py").write_text(FILE.format(name="One") + FILE.format(name="Two"))
    for named in ([], ["-m", "One", "-m", "Two"]):
        found = run("graph", "two.py", "-o", "x.json", *named)
        assert found.exit_code == 2
        assert "remedy: say which, by -m NAME: one of One, Two\n" in found.stderr
    with pytest.raises(UsageError) as raised:
        explore("two.py")
    assert raised.value.remedy == "say which, by model=NAME: one of One, Two"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_parameter_that_is_given_two_values(command: str, write) -> None:
    (file,) = write("", "Counter")
    output = ["-o", "x.json"] if command == "graph" else []
    found = run(command, file, *output, "-p", "N=1", "-p", "N=2")
    assert (found.exit_code, "--param: N is given twice" in found.stderr) == (2, True)


def test_any_order_is_what_threads_have(write) -> None:
    (file,) = write("", "Counter")
    assert run("check", file, "--order", "any").output == run("check", file).output


@pytest.mark.parametrize("order", ["fifo"])
def test_an_order_that_no_model_has(order: str, write) -> None:
    (file,) = write("", "Counter")
    for command in (["check"], ["steps"], ["graph", "-o", "x.json"]):
        found = run(*command, file, "--order", order)
        assert found.exit_code == 2
        assert f"in the order {order!r}\n  remedy: leave it out: no model has tasks" in found.stderr
    with pytest.raises(UsageError, match="no event loop"):
        explore(Counter, order=order)
    write(f'order = "{order}"')  # of a project: for the models that have tasks
    assert run("check", file).exit_code == 1


# The page


def taken_by(wanted: Option) -> str:
    """What takes an option."""
    places = [f"`{each}`" for each in wanted.commands] or ["Python"]
    return ", ".join([*places, *(["pyproject.toml"] if wanted.is_setting else [])])


def value_of(wanted: Option) -> str:
    """What an option takes, and what it is otherwise."""
    none = f"; None: {wanted.none}" if wanted.none else ""
    is_shown = wanted.default not in (None, (), False)
    default = wanted.default_words or (str(wanted.default) if is_shown else "")
    return wanted.kind.takes + none + (f". Default: {default}" if default else "")


def table(options: Mapping[str, Option]) -> str:
    """Options as a page lists them."""
    lines = ["| Option | Command line | Taken by | Value | Meaning |", "|---|---|---|---|---|"]
    for name, wanted in options.items():
        flags = ""
        if wanted.commands:
            flags = ", ".join(wanted.flags or (f"--{name.replace('_', '-')}",))
            flags = f"`{' '.join(filter(None, (flags, wanted.kind.metavar)))}`"
        cells = [f"`{name}`", flags, taken_by(wanted), value_of(wanted), wanted.help]
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


TABLE = re.compile(r"^\| Option \|.*?\n(?=\n)", re.DOTALL | re.MULTILINE)


def besides(kind: type[Options]) -> dict[str, Option]:
    """The options that a class has besides those of a check."""
    return {name: each for name, each in options_of(kind).items() if name not in OPTIONS}


TABLES = {
    PAGE: OPTIONS,
    PAGE.with_name("race.md"): besides(RaceOptions),
    PAGE.with_name("python-and-go.md"): besides(CompareOptions),
    PAGE.with_name("fixing.md"): besides(FixOptions),
}


@pytest.mark.parametrize("page", TABLES, ids=lambda page: page.name)
def test_the_page_lists_the_options(page: Path) -> None:
    assert TABLE.findall(page.read_text()) == [table(TABLES[page])]


if __name__ == "__main__":
    for page, options in TABLES.items():
        page.write_text(TABLE.sub(lambda _, wanted=options: table(wanted), page.read_text()))
