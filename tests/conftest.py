"""Settings that all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import Phase, settings

from autodiff import TABLE, Primitive, primitive
from autodiff.testing.hooks.strategies import register_profiles
from tests.support.browser import BROWSERS, Browser, BrowserError, start

#: ``ci``, ``dev`` and ``thorough``: HYPOTHESIS_PROFILE=thorough pytest, or pytest --hypothesis-profile=thorough.
register_profiles()
#: As ci, without the search for a smaller example: whether a test fails is all that `tests.programs.mutants` asks.
settings.register_profile("mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that ask for a browser."""
    if "browser" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.browser)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests in browsers first: one worker gets them all, so that each browser is started once."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Search for garbage no sooner than all tests are there: nothing of them is garbage, and it took 7 of 18 CPU s."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Leave what is there to stay, thousands of tests and torch, out of the searches for garbage; search less often.

    A search after 700 new objects, Python's default, took 4 % of the time of tests that build graphs.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture
def define() -> Iterator[Callable[..., Primitive]]:
    """`autodiff.primitive`, whose entries leave the table when the test ends."""
    before = set(TABLE)
    yield primitive
    for name in set(TABLE) - before:
        del TABLE[name]


@pytest.fixture(scope="session")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Browser]]:
    """Each browser by its name: started once, for the first test that asks for it, since that takes seconds."""
    running = []

    @cache
    def started(name: str) -> Browser | str:
        try:
            found = start(name, tmp_path_factory.mktemp(name))
        except (OSError, BrowserError) as error:
            return f"{name} does not start: {error}"
        if found is None:
            programs = " and ".join(names[0] for names in BROWSERS[name])
            return f"no {programs} on this machine: nothing was looked at in {name}"
        running.append(found)
        return found

    def browser(name: str) -> Browser:
        found = started(name)
        if isinstance(found, str):
            pytest.skip(found)
        return found

    yield browser
    for each in running:
        each.close()


@pytest.fixture(scope="session", params=BROWSERS)
def browser(request: pytest.FixtureRequest, browsers: Callable[[str], Browser]) -> Browser:
    """Each browser that is installed; where one is missing or does not start its tests are skipped and say so."""
    return browsers(request.param)
