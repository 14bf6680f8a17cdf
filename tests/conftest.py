"""What holds for every test: how hypothesis draws, which tests are quick, what coverage is of."""

from __future__ import annotations

import signal
from collections import Counter
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


COVERED = "tests/world/"
"""The tests of which coverage is measured though they are not quick: each case is a line of code."""

FIRST = 3
"""Cases of a test that are quick."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the first cases of each test as quick, unless the test is marked as slow.

    Coverage is measured of quick tests, and a few more: under it, Python takes twice as long.
    """
    cases: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        cases[test] += 1
        is_slow = item.get_closest_marker("slow") or item.get_closest_marker("exhaustive")
        is_quick = cases[test] <= FIRST and not is_slow
        if is_quick:
            item.add_marker("quick")
        elif not item.nodeid.startswith(COVERED):
            item.add_marker("no_cover")
