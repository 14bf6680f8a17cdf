"""The plugin of pytest, run by pytest in a process of its own: which tests there are, what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]

SETTINGS = """
[pytest]
testpaths = tests
interleave_models = models trans*.py
filterwarnings = error
"""

MODELS = {
    "models/base": """
        from interleave import Model, thread

        class Counter(Model):
            n = 0
            @thread(2)
            def count(self):
                self.n = self.more()
        """,
    "models/seat": """
        import base
        from interleave import Model, expect, task, thread

        @expect("lost-update")
        class Known(base.Counter):
            def more(self):
                return self.n + 1

        class Unknown(Known):
            pass

        class Opens(Model):
            n = 0
            @thread
            def opener(self):
                self.n = open("x")

        class Tasks(Model):
            n = 0
            @task
            async def main(self):
                self.n += 1
        """,
    "models/helper": "X = 1",
    "models/test_in_folder": "def test_it(): pass",
    "transfer": """
        import threading
        N = 2
        n, lock = 0, threading.Lock()
        def add():
            global n
            with lock:
                n += 1
        if __name__ == "__main__":
            threads = [threading.Thread(target=add) for _ in range(N)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            assert n == N
        """,
}

TESTS = """
import interleave
import pytest
from interleave import Model, at_end, thread

@interleave.explore
def test_explored():
    items = []
    @thread(2)
    def adder(i):
        items.append(i)
    @at_end
    def in_order():
        assert items == [0, 1]

class Counter(Model):
    n = 0
    @thread(2)
    def count(self):
        self.n += 1

def test_verified():
    interleave.assert_verified(Counter)

def test_violates():
    interleave.assert_violates(Counter, "lost-update")

@pytest.mark.interleave(max_states=2)
class TestBounded:
    def test_marked(self):
        interleave.assert_verified(Counter)

    @pytest.mark.interleave(max_states=100)
    def test_nearest_marker(self):
        interleave.assert_violates(Counter, "lost-update")
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest with the plugin, whether or not this package is installed with it."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "100")

    def runs(*arguments: str) -> pytest.RunResult:
        plugins = ("-p", "interleave.pytest_plugin", "-p", "no:cacheprovider")
        return pytester.runpytest_subprocess(*plugins, "-rA", "--tb=short", *arguments)

    return runs


def outcomes(result: pytest.RunResult) -> dict[str, str]:
    """What became of each test, in the order in which pytest lists them."""
    found = re.findall(r"^(PASSED|FAILED|ERROR) (\S+)", result.stdout.str(), re.MULTILINE)
    return {test: outcome for outcome, test in found}


def section(result: pytest.RunResult, test: str) -> list[str]:
    """What is said of a test that failed, up to the next one."""
    rest = re.split(rf"^_+ {re.escape(test)} _+$", result.stdout.str(), flags=re.MULTILINE)[1]
    return re.split(r"^(?:_{3,}|={3,}) .* (?:_{3,}|={3,})$", rest, flags=re.MULTILINE)[0].split(
        "\n"
    )[1:-1]


@pytest.mark.slow
def test_what_is_named_becomes_tests_and_failures_are_reports(
    pytester: pytest.Pytester, run: Run
) -> None:
    pytester.makefile(".ini", pytest=SETTINGS)
    pytester.makepyfile(**MODELS, **{"tests/test_it": TESTS})
    result = run()
    assert outcomes(result) == {
        "tests/test_it.py::test_violates": "PASSED",
        "tests/test_it.py::TestBounded::test_nearest_marker": "PASSED",
        "models/test_in_folder.py::test_it": "PASSED",
        "models/seat.py::Known": "PASSED",
        "models/seat.py::Tasks": "PASSED",
        "transfer.py::transfer": "PASSED",
        "tests/test_it.py::test_explored": "FAILED",
        "tests/test_it.py::test_verified": "FAILED",
        "tests/test_it.py::TestBounded::test_marked": "FAILED",
        "models/seat.py::Unknown": "FAILED",
        "models/seat.py::Opens": "FAILED",
    }
    assert section(result, "Unknown")[0] == "Unknown: violated - lost-update on n"
    assert section(result, "Unknown")[-1] == "  n = 2: in 2 of 6"
    assert section(result, "Opens") == [
        "models/seat.py:16:18: open() has no modelled counterpart",
        '   16 |         self.n = open("x")',
        "      |                  ^^^^",
        "  remedy: keep what it needs in shared variables",
    ]
    explored = section(result, "test_explored")
    assert explored[0] == "test_explored: violated - postcondition"
    assert "1                   items.append(i)  items: [] → [1]" in explored
    verified = section(result, "test_verified")
    assert verified[:3] == [
        "tests/test_it.py:22: in test_verified",
        "    interleave.assert_verified(Counter)",
        "E   AssertionError: Counter: violated - lost-update on n",
    ]
    assert "limit of 2 states" in "".join(section(result, "TestBounded.test_marked"))
    frames = [line for line in result.outlines if re.match(r"\S+\.py:\d+: in ", line)]
    assert len(frames) == 2, frames


@pytest.mark.slow
def test_runtimes_and_what_is_assumed_under_xdist(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makefile(".ini", pytest=SETTINGS)
    pytester.makepyfile(**MODELS, **{"tests/test_it": TESTS})
    pytester.makeconftest("""
        import pytest
        def pytest_collection_modifyitems(items):
            for item in items:
                if item.path.name == "transfer.py":
                    item.add_marker(pytest.mark.interleave(parameters={"N": 3}))
        """)
    both = ("--interleave-runtime", "gil", "--interleave-runtime", "free-threaded")
    few = ("-k", "explored or verified or (Known and not Unknown) or Tasks or transfer")
    result = run("-p", "xdist", "-n", "2", *both, "--interleave-strict", *few)
    assert dict(sorted(outcomes(result).items())) == {
        "models/seat.py::Known[free-threaded]": "PASSED",
        "models/seat.py::Known[gil]": "PASSED",
        "models/seat.py::Tasks[asyncio]": "PASSED",
        "models/seat.py::Tasks[gil]": "PASSED",
        "tests/test_it.py::test_explored[free-threaded]": "FAILED",
        "tests/test_it.py::test_explored[gil]": "FAILED",
        "tests/test_it.py::test_verified": "PASSED",
        "transfer.py::transfer[free-threaded]": "FAILED",
        "transfer.py::transfer[gil]": "FAILED",
    }
    strict = ["under --interleave-strict, nothing may be assumed:", "  transfer: bounded by N = 3"]
    assert section(result, "transfer[gil]")[-2:] == strict
    result.stdout.fnmatch_lines(
        [
            "*= assumed in checks of interleave =*",
            "transfer.py::transfer[[]free-threaded]: transfer: bounded by N = 3",
            "transfer.py::transfer[[]gil]: transfer: bounded by N = 3",
        ]
    )


MISTAKES = {
    "a runtime": (["--interleave-runtime", "gill"], "", "", "did you mean 'gil'?"),
    "a file": ([], "interleave_models = model.py", "", "there is no model.py in "),
    "a file of tests": ([], "interleave_models = test_it.py", "", "which pytest collects itself"),
    "a marker": ([], "", "@pytest.mark.interleave('gil')", "takes options by name"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_in_settings(pytester: pytest.Pytester, run: Run, case: str) -> None:
    arguments, setting, above, said = MISTAKES[case]
    pytester.makefile(".ini", pytest=f"[pytest]\n{setting}")
    pytester.makepyfile(test_it=f"import pytest\n{above}\ndef test_it(): pass")
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


@pytest.mark.slow
def test_a_file_that_cannot_be_run_is_an_error_of_its_own(
    pytester: pytest.Pytester, run: Run
) -> None:
    pytester.makefile(".ini", pytest="[pytest]\ninterleave_models = models")
    pytester.makepyfile(**{**MODELS, "models/wrong": "class A:\n    1 / 0"})
    result = run("models/wrong.py", "models/seat.py::Known")
    assert outcomes(result) == {"models/wrong.py": "ERROR"}
    assert section(result, "ERROR collecting models/wrong.py")[0] == (
        "models/wrong.py:2: the file raises ZeroDivisionError: division by zero"
    )


def test_a_project_without_models_pays_for_nothing(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile("""
        import sys
        def test_it():
            known = {name for name in sys.modules if name.startswith("interleave")}
            assert known == {"interleave", "interleave.asserting", "interleave.pytest_plugin"}
            assert not {"click", "networkx", "numba", "numpy", "rich"} & set(sys.modules)
        """)
    assert run().ret == 0


def test_the_example_project_passes(run: Run, pytester: pytest.Pytester) -> None:
    project = Path(__file__).parent.parent / "examples" / "pytest_project"
    result = run("--rootdir", str(project), "-c", str(project / "pyproject.toml"), str(project))
    assert {*outcomes(result).values()} == {"PASSED"}
    assert len(outcomes(result)) == 11
