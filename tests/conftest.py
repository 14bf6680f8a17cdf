"""What holds for every test: how hypothesis draws, and which tests are quick."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from interleave.recorded import memory

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


ALL = (
    "tests/world/",
    "tests/test_explored.py",
    "tests/test_script.py",
    "tests/stdlib/test_processes.py",
)
"""The tests of which all cases are quick: each is a line of code of its own."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the first case of each test as quick, unless the test is marked as slow."""
    tests: set[str] = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        is_first = test not in tests or test.startswith(ALL)
        tests.add(test)
        is_slow = item.get_closest_marker("slow") or item.get_closest_marker("exhaustive")
        if is_first and not is_slow:
            item.add_marker("quick")
