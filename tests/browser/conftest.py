"""The browser that the tests of this folder drive, and the pages it opens."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from corsproxy.tools.browser import Browser
from tests.browser import firefox as of_firefox
from tests.browser.chromium import MISSING, Chromium, Page, executable
from tests.browser.firefox import Firefox, FirefoxPage

Tab = tuple[Browser, Page | FirefoxPage]
"""A tab, and whose it is."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One headless Chromium for all tests; without one they are skipped, on a build server they fail."""
    path = executable()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    browser = Chromium(path)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def firefox() -> Iterator[Firefox]:
    """One headless Firefox for all tests; without one they are skipped, on a build server they fail.

    It is dear to start: the names of its files end in `_in_firefox` or `_in_browsers`, by which one worker gets all.
    """
    path = of_firefox.executable()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(of_firefox.MISSING)
        pytest.skip(of_firefox.MISSING)
    browser = Firefox(path)
    yield browser
    browser.close()


@pytest.fixture(scope="module", params=[Browser.CHROMIUM, Browser.FIREFOX])
def tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab of each browser, with a profile of its own."""
    running: Chromium | Firefox = request.getfixturevalue(request.param.value)
    with running.page() as page:
        yield request.param, page
