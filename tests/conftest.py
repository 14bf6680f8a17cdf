"""What holds for every test: how hypothesis draws."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

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
