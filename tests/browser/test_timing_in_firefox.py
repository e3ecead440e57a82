"""Timing-Allow-Origin for an image in Firefox; Chromium has rows of its own in `rows_of_responses`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.browser.firefox import Firefox, FirefoxPage
from tests.browser.servers import Pages, service
from tests.support.process import started
from tests.support.upstream import Upstream

pytestmark = pytest.mark.browser

CONFIG = """
upstreams: {{a: "{url}"}}
policies:
  granted: {{allow_origins: ["http://*.other.test", "{home}"], timing: true}}
  listed: {{allow_origins: ["https://other.test"], timing: ["https://other.test", "{home}"]}}
  untold: {{allow_origins: ["{home}"]}}
routes:
  - {{path: /granted, upstream: a, policy: granted}}
  - {{path: /listed, upstream: a, policy: listed}}
  - {{path: /untold, upstream: a, policy: untold}}
"""

SCRIPT = """async (url) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  return performance.getEntriesByName(url)[0].requestStart > 0;
}"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A tab, the pages it may open, and the proxy."""

    tab: FirefoxPage
    pages: Pages
    url: str


@pytest.fixture(scope="module")
def stage(firefox: Firefox) -> Iterator[Stage]:
    """Run everything until all tests here are through."""
    with Pages() as pages, Upstream(service) as upstream:
        text = CONFIG.format(url=upstream.url, home=pages.origin("localhost"))
        with started(text) as proxy, firefox.page() as tab:
            yield Stage(tab, pages, proxy.url)


@pytest.mark.parametrize(
    ("page", "path", "told"),
    [
        pytest.param("localhost", "granted", True, id="an origin that the file names"),
        pytest.param("127.0.0.1", "granted", False, id="another origin"),
        pytest.param("localhost", "listed", True, id="a list of its own"),
        pytest.param("127.0.0.1", "listed", False, id="one that is not in the list"),
        pytest.param("localhost", "untold", False, id="without timing"),
    ],
)
def test_timing_of_an_image(stage: Stage, page: str, path: str, told: bool) -> None:
    """It is asked for without Origin, so that the browser looks for its own in the list."""
    stage.tab.open(f"{stage.pages.origin(page)}/checks.html")
    assert stage.tab.evaluate(SCRIPT, f"{stage.url}/{path}/picture") is told
