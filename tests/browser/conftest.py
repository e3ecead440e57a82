"""The browser that the tests of this folder drive, and the pages it opens."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.browser.chromium import MISSING, Chromium, executable


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
