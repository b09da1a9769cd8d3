"""Settings that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import Phase, settings

from autodiff import TABLE, Primitive, primitive
from autodiff.testing.hooks.strategies import register_profiles

#: ``ci``, ``dev`` and ``thorough``: HYPOTHESIS_PROFILE=thorough pytest, or pytest --hypothesis-profile=thorough.
register_profiles()
#: As ci, without the search for a smaller example: whether a test fails is all that `tests.programs.mutants` asks.
settings.register_profile("mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def define() -> Iterator[Callable[..., Primitive]]:
    """`autodiff.primitive`, whose entries leave the table when the test ends."""
    before = set(TABLE)
    yield primitive
    for name in set(TABLE) - before:
        del TABLE[name]
