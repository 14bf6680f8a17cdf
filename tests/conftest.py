"""What holds for every test: how hypothesis draws, and which tests are run how often."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from interleave.recorded import memory

pytest_plugins = ["pytester"]

settings.register_profile(
    "the same on every run",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
settings.load_profile("the same on every run")


# Where the tests are run in the background, a shell may have them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def nothing_is_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither see nor leave what other checks have learnt, but for those that ask for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(memory, "FEWEST", 10**9)
        yield


ALL_QUICK = (
    "tests/test_explored.py",
    "tests/test_script.py",
    "tests/stdlib/test_processes.py",
)
"""The tests of which all cases are quick: each is a line of code of its own."""

ALL_SAMPLED = (
    "tests/test_models.py::test_a_model_is_as_it_expects_and_as_written_down",
    "tests/test_readme.py",
)
"""The tests of which all cases are sampled: what they are about is shown to users."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is quick, and what is sampled.

    Quick is the first case of each test, unless the test is marked as slow; sampled are the quick
    ones, and each fifth case of every test.
    """
    cases: Counter[str] = Counter()
    for item in items:
        if item.get_closest_marker("exhaustive"):
            continue
        name = item.nodeid
        test = name.partition("[")[0]
        number = cases[test]
        cases[test] += 1
        is_first = number == 0 or name.startswith(ALL_QUICK)
        is_quick = is_first and not item.get_closest_marker("slow")
        if is_quick:
            item.add_marker("quick")
        if is_quick or number % 5 == 0 or name.startswith(ALL_SAMPLED):
            item.add_marker("sampled")
