"""The plugin of pytest: models as tests, options of a run, and what results were assumed on.

Every project that has this package in its environment loads it: it imports pytest and next to
nothing else, and reads what is checked when there is something to check.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from interleave.asserting import RUNNING, Running, assert_as_expected

if TYPE_CHECKING:
    from interleave.errors import InterleaveError
    from interleave.model import Model
    from interleave.result import Result

MARKER = "interleave"
"""The marker that gives options to the checks of a test."""

ASSUMED = "interleave-assumed"
"""What is assumed by a test is kept under this name among the properties of its report."""

_SETTING = "interleave_runtimes"

_RUNTIME = "interleave_runtime"
"""What the parameter of a test under `@explore` is called, and the attribute of a model's test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags and the settings."""
    group = parser.getgroup("interleave", "models as tests (interleave)")
    group.addoption(
        "--interleave-runtime",
        action="append",
        default=[],
        metavar="NAME",
        help="Check under this runtime: free-threaded or gil. May be repeated: each model and each "
        "@explore is a test for each runtime then.",
    )
    group.addoption(
        "--interleave-strict",
        action="store_true",
        help="Fail where a result rests on something assumed: on pure names or on bounds.",
    )
    parser.addini(
        "interleave_models",
        "Files with models, scripts, folders of model files, or patterns of these, from the folder "
        "of this file: their models become tests.",
        type="args",
    )
    parser.addini(_SETTING, "What --interleave-runtime is by default.", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Take what is asked for. Raises `pytest.UsageError` for what there is not."""
    config.addinivalue_line(
        "markers", f"{MARKER}(**options): options of the checks of this test, as interleave.check"
    )
    for name in (*config.getoption("--interleave-runtime"), *config.getini(_SETTING)):
        _refuse_unknown(name)
    config.stash[_SOURCES] = _Sources(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test under `@explore` is one for each runtime that is asked for."""
    names = _runtimes_for(metafunc.definition)
    if len(names) > 1 and (model := _explored_model(metafunc.function)) is not None:
        runtimes = _runtimes_of(model, names)
        metafunc.fixturenames.append(_RUNTIME)
        metafunc.parametrize(_RUNTIME, [*runtimes.values()], ids=[*runtimes])


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A file that is named in the settings is no file of tests."""
    found = yield
    source = parent.config.stash[_SOURCES].source_of(file_path)
    if source is None:
        return found
    others = [each for each in found if type(each) is not pytest.Module]
    return [*others, ModelFile.from_parent(parent, path=file_path, source=source)]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Raise `pytest.UsageError` for a marker that says nothing."""
    if any(mark.args for mark in item.iter_markers(MARKER)):
        raise pytest.UsageError(
            f"{item.nodeid}: the marker interleave takes options by name: "
            "@pytest.mark.interleave(max_states=1000)"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Checks in a test are told what is asked for, and tell what they rest on."""
    token = RUNNING.set(Running(_options_of(item), partial(_accept, item)))
    try:
        return (yield)
    finally:
        RUNNING.reset(token)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test under `@explore`, no line of its own has failed: the report of the check is all."""
    report = yield
    if report.failed and report.when == "call" and call.excinfo is not None:
        if _is_explored(getattr(item, "function", None)) and _is_said(call.excinfo.value):
            report.longrepr = str(call.excinfo.value)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what results rest on."""
    assumed = {
        (report.nodeid, text)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, text in report.user_properties
        if name == ASSUMED
    }
    if assumed:
        terminalreporter.section("assumed in checks of interleave")
        for test, text in sorted(assumed):
            terminalreporter.line(f"{test}: {text}")


class _Source:
    """What a setting names: a file, or a folder of model files, which is read as a whole."""

    def __init__(self, path: Path, is_test: Callable[[Path], bool]) -> None:
        self.path = path
        self._is_test = is_test
        self._found: dict[Path, tuple[list[type[Model]], list[InterleaveError]]] | None = None

    @property
    def is_named(self) -> bool:
        """Whether it is a file."""
        return not self.path.is_dir()

    def has(self, file: Path) -> bool:
        """Whether a file belongs to it. Those of a folder that pytest collects do not."""
        if self.is_named:
            return file == self.path
        inside = file.relative_to(self.path).parts if file.is_relative_to(self.path) else (".",)
        is_hidden = any(part.startswith((".", "__")) for part in inside)
        return file.suffix == ".py" and not is_hidden and not self._is_test(file)

    def models_in(self, file: Path) -> tuple[list[type[Model]], list[InterleaveError]]:
        """The models of one of its files, and what keeps others from being told.

        A class that others derive from is told by all files of the folder.
        """
        from interleave.asked import asked
        from interleave.loading import here
        from interleave.options import CheckOptions
        from interleave.selecting import models_by_file

        if self._found is None:
            files = [self.path] if self.is_named else sorted(self.path.rglob("*.py"))
            shown = {here(str(each)): each for each in files if self.has(each)}
            options = asked(CheckOptions, {}, "pytest")
            found = models_by_file([*shown], options, is_named=self.is_named)
            self._found = {shown[each]: of_file for each, of_file in found.items()}
        return self._found[file]


class _Sources:
    """What the settings of a project name. Raises `pytest.UsageError` for what is not there."""

    def __init__(self, config: pytest.Config) -> None:
        self._patterns: list[str] = [*config.getini("python_files"), "conftest.py"]
        names: list[str] = config.getini("interleave_models")
        folder = config.rootpath if config.inipath is None else config.inipath.parent
        paths = [path for name in names for path in self._named(name, folder)]
        # A file that is named is more than one of a folder.
        by_file = sorted(dict.fromkeys(paths), key=Path.is_dir)
        self._sources = [_Source(path, self._is_test) for path in by_file]
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:  # it is asked for no files
            config.args += map(str, dict.fromkeys(paths))

    def source_of(self, file: Path) -> _Source | None:
        """What names a file; None where nothing does."""
        return next((each for each in self._sources if each.has(file)), None)

    def _named(self, name: str, folder: Path) -> list[Path]:
        path = Path(os.path.abspath(folder / name))
        if path.is_file() and self._is_test(path):
            raise pytest.UsageError(
                f"interleave_models: {path} is a file of tests, which pytest collects itself"
            )
        found = [path] if path.exists() else sorted(folder.glob(name))
        if not found:
            raise pytest.UsageError(f"interleave_models: there is no {name} in {folder}")
        return [each for each in found if each.is_dir() or not self._is_test(each)]

    def _is_test(self, file: Path) -> bool:
        return any(file.match(pattern) for pattern in self._patterns)


_SOURCES = pytest.StashKey[_Sources]()


class ModelFile(pytest.File):
    """A file with models: a test for each of them, and for each runtime that is asked for."""

    def __init__(self, *, source: _Source, **rest: Any) -> None:
        super().__init__(**rest)
        self._source = source

    def collect(self) -> Iterator[pytest.Item]:
        models, errors = self._source.models_in(self.path)
        if errors:
            raise self.CollectError("\n\n".join(map(str, errors)))
        names = _runtimes_for(self)
        tests: dict[str, tuple[str, str | None]] = {}
        for model in models:
            runtimes = _runtimes_of(model, names) if names else {"": None}
            for runtime, asked in runtimes.items():
                shown = f"[{runtime}]" if len(names) > 1 else ""
                tests[f"{model.__name__}{shown}"] = (model.__name__, asked)
        for name, (model_name, asked) in tests.items():
            yield ModelTest.from_parent(self, name=name, model=model_name, runtime=asked)


class ModelTest(pytest.Item):
    """A model, which must be verified or as it expects."""

    def __init__(self, *, model: str, runtime: str | None, **rest: Any) -> None:
        super().__init__(**rest)
        self._model = model
        self.interleave_runtime = runtime

    def runtest(self) -> None:
        from interleave.loading import here

        assert_as_expected(here(str(self.path)), model=self._model)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *style: Any, **rest: Any
    ) -> Any:
        error = excinfo.value
        return str(error) if _is_said(error) else super().repr_failure(excinfo, *style, **rest)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.name


def _runtimes_for(node: pytest.Collector | pytest.Item) -> list[str]:
    """The runtimes that are asked for: by the command line, else by a marker, else by a setting."""
    on_command_line = node.config.getoption("--interleave-runtime")
    marked = [
        mark.kwargs["runtime"] for mark in node.iter_markers(MARKER) if "runtime" in mark.kwargs
    ]
    return [*dict.fromkeys(on_command_line or marked[:1] or node.config.getini(_SETTING))]


def _refuse_unknown(runtime: str) -> None:
    from interleave.errors import UsageError
    from interleave.options import CheckOptions, options_of, read_options

    try:
        read_options(options_of(CheckOptions), {"runtime": runtime}, "--interleave-runtime")
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _runtimes_of(model: type[Model], names: list[str]) -> dict[str, str]:
    """The runtimes that some names mean for a model, each with the first name that means it."""
    from interleave.loading import checked_runtime

    found: dict[str, str] = {}
    for name in names:
        found.setdefault(checked_runtime(name, model).name, name)
    return found


def _is_explored(function: object) -> bool:
    """Whether a function is a test under `@explore`."""
    return "__interleave_test__" in getattr(function, "__dict__", ())


def _explored_model(function: object) -> type[Model] | None:
    """The model of a test under `@explore`; None for other functions, and where there is none."""
    if not _is_explored(function):
        return None
    from interleave.errors import InterleaveError
    from interleave.explored import explored

    try:
        found = explored(function)
        return None if found is None else found.model
    except InterleaveError:
        return None  # the test says so when it runs


def _is_said(error: BaseException) -> bool:
    """Whether an exception says all in its text."""
    from interleave.errors import InterleaveError

    return isinstance(error, AssertionError | InterleaveError)


def _options_of(item: pytest.Item) -> Mapping[str, object]:
    """What the command line, markers and settings say of the checks of a test."""
    options: dict[str, object] = {}
    for mark in item.iter_markers(MARKER):
        options = {**mark.kwargs, **options}
    own = getattr(item, _RUNTIME, None)
    own = getattr(getattr(item, "callspec", None), "params", {}).get(_RUNTIME, own)
    runtimes = [own] if own else _runtimes_for(item)
    return {**options, "runtime": runtimes[0]} if runtimes else options


def _accept(item: pytest.Item, result: Result) -> None:
    """Note what a result rests on. Raises `AssertionError` for it where the run is strict."""
    __tracebackhide__ = True
    from interleave.report.words import assumptions

    found = {each.model: assumptions(each) for each in result.models}
    texts = [f"{model}: {text}" for model, of_model in found.items() for text in of_model]
    item.user_properties += [(ASSUMED, text) for text in texts]
    if texts and item.config.getoption("--interleave-strict"):
        listed = "".join(f"\n  {text}" for text in texts)
        raise AssertionError(f"under --interleave-strict, nothing may be assumed:{listed}")
