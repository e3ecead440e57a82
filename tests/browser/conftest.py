"""The browser that the tests of this folder drive, and the pages it opens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corsproxy.tools.browser import Browser
from tests.browser import firefox as of_firefox
from tests.browser.chromium import MISSING, Chromium, Page, executable
from tests.browser.firefox import Firefox, FirefoxPage
from tests.support.installed import installed

Tab = tuple[Browser, Page | FirefoxPage]
"""A tab, and whose it is."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One headless Chromium for all tests; without one they are skipped, on a build server they fail."""
    browser = Chromium(installed(executable(), MISSING))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def firefox() -> Iterator[Firefox]:
    """One headless Firefox for all tests; without one they are skipped, on a build server they fail.

    It takes seconds to start, so one worker gets all files that drive it: those named `_in_firefox` or `_in_browsers`.
    """
    browser = Firefox(installed(of_firefox.executable(), of_firefox.MISSING))
    yield browser
    browser.close()


@pytest.fixture(scope="module", params=[Browser.CHROMIUM, Browser.FIREFOX])
def tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab of each browser, with a profile of its own."""
    running: Chromium | Firefox = request.getfixturevalue(request.param.value)
    with running.page() as page:
        yield request.param, page
