"""What the browsers' own consoles say of a refused preflight: with `diagnostics` they name the method or the header."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corsproxy.tools.browser import Browser
from tests.browser.chromium import Page
from tests.browser.conftest import Tab
from tests.browser.firefox import FirefoxPage
from tests.browser.servers import Pages
from tests.support.process import started
from tests.support.upstream import Upstream

pytestmark = pytest.mark.browser

CONFIG = """\
upstreams: {{api: {upstream}}}
policies:
  told: {{allow_origins: [{page}], allow_methods: [GET], allow_headers: [X-B], diagnostics: true, max_age: 0}}
  silent: {{extends: told, diagnostics: false}}
  star: {{extends: told, allow_methods: ["*"], allow_credentials: true}}
routes:
  - {{path: /told, upstream: api, policy: told}}
  - {{path: /silent, upstream: api, policy: silent}}
  - {{path: /star, upstream: api, policy: star}}
log: {{format: json}}
"""
_ASK = "async ([url, options]) => fetch(url, options).then(() => true, () => false)"
_MOMENT = "() => new Promise((passed) => setTimeout(() => passed(null), 20))"
_MOMENTS = 250

METHOD = {
    Browser.CHROMIUM: "Method PUT is not allowed by Access-Control-Allow-Methods in preflight response",
    Browser.FIREFOX: "Did not find method in CORS header",
}
HEADER = {
    Browser.CHROMIUM: "Request header field x-a is not allowed by Access-Control-Allow-Headers in preflight response",
    Browser.FIREFOX: "header \u2018x-a\u2019 is not allowed according to header \u2018Access-Control",
}
NOTHING = {
    Browser.CHROMIUM: "No 'Access-Control-Allow-Origin' header is present on the requested resource",
    Browser.FIREFOX: "CORS header \u2018Access-Control-Allow-Origin\u2019 missing",
}


@pytest.fixture(name="base", scope="module")
def base_fixture() -> Iterator[tuple[str, str]]:
    """The page's origin, and where the proxy is."""
    with Pages() as pages, Upstream() as upstream:
        page = pages.origin("localhost")
        with started(CONFIG.format(upstream=upstream.url, page=page)) as proxy:
            yield page, f"http://localhost:{proxy.address[1]}"
            assert not upstream.requests, "no refused request reaches the upstream"


def said(page: Page | FirefoxPage, words: str, since: int) -> bool:
    """Return whether the console prints it, from a given line on, within a few seconds."""
    for _ in range(_MOMENTS):
        if any(words in line for line in page.console[since:]):
            return True
        page.evaluate(_MOMENT, None)
    return False


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        pytest.param("/told", {"method": "PUT"}, METHOD, id="a method"),
        pytest.param("/told", {"headers": {"X-A": "1"}}, HEADER, id="a header"),
        pytest.param("/told", {"method": "PUT", "headers": {"X-A": "1"}}, METHOD, id="both: the method comes first"),
        pytest.param("/star", {"method": "PUT", "headers": {"X-A": "1"}}, HEADER, id="a header beside any method"),
        pytest.param("/silent", {"method": "PUT"}, NOTHING, id="without diagnostics"),
    ],
)
def test_the_console_names_what_is_refused(
    base: tuple[str, str], tab: Tab, path: str, options: dict[str, object], words: dict[Browser, str]
) -> None:
    """In the browser's own words; the request stays refused."""
    browser, page = tab
    origin, proxy = base
    page.open(f"{origin}/checks.html")
    since = len(page.console)
    assert page.evaluate(_ASK, [f"{proxy}{path}", options]) is False
    assert said(page, words[browser], since), page.console[since:]
