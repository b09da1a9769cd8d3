"""Settings that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from autodiff import TABLE, Primitive, primitive

#: The same examples in every run, whatever the machine's speed: what continuous integration needs.
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
#: New examples in every run, and ten times as many: HYPOTHESIS_PROFILE=explore pytest.
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
#: As ci, without the search for a smaller example: whether a test fails is all that `tests.mutants` asks.
settings.register_profile("mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def define() -> Iterator[Callable[..., Primitive]]:
    """`autodiff.primitive`, whose entries leave the table when the test ends."""
    before = set(TABLE)
    yield primitive
    for name in set(TABLE) - before:
        del TABLE[name]
