"""`explain --browser` against Chromium and Firefox: the same verdict in every row, each departure under its name.

A sample of the matrix is run by default; `CORSPROXY_TEST_FULL_MATRIX=1` runs all of it, in a minute or two.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from corsproxy.config import Loaded, load_text
from corsproxy.tools.browser import Browser, Credentials, PageRequest, play
from corsproxy.tools.explain import Question, judge
from corsproxy.tools.live.wire import Wire
from tests.browser.browser_matrix import CONFIG, MATRIX, VALUES
from tests.browser.chromium import Page
from tests.browser.conftest import Tab
from tests.browser.firefox import FirefoxPage
from tests.browser.model_rows import Asked
from tests.browser.servers import Pages
from tests.support.process import Proxy, started
from tests.support.upstream import Connection, Upstream

pytestmark = pytest.mark.browser

FULL = os.environ.get("CORSPROXY_TEST_FULL_MATRIX") == "1"
_EVERY = 1 if FULL else 11
"""No divisor of any axis of the matrix, so that a sample has every value of each."""
_AT_ONCE = 100
"""Requests of one call: a call has a deadline."""

_ASK_ALL = """async ([base, requests]) => {
  const verdicts = [];
  for (const [path, method, headers, credentials] of requests) {
    const options = {method, headers, credentials: credentials ? 'include' : 'omit', cache: 'no-store'};
    verdicts.push(await (async () => fetch(base + path, options))().then(() => true, () => false));
  }
  return verdicts;
}"""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: no-store\r\n\r\nok"


@dataclass(frozen=True)
class Stage:
    """The proxy, its configuration, and the page that asks."""

    page: str
    proxy: Proxy
    loaded: Loaded


@pytest.fixture(name="stage", scope="module")
def stage_fixture() -> Iterator[Stage]:
    """Run everything until all tests here are through."""
    with Pages() as pages, Upstream.answering(OK) as upstream:
        page = pages.origin("localhost")
        text = CONFIG.format(upstream=upstream.url, page=page)
        with started(text) as proxy:
            yield Stage(page, proxy, load_text(text, "corsproxy.yaml", {}))


def verdicts(tab: Page | FirefoxPage, base: str, rows: Sequence[Asked]) -> list[bool]:
    """Return whether the browser gives each answer to the page."""
    found: list[bool] = []
    for start in range(0, len(rows), _AT_ONCE):
        some = [[one.path, one.method, dict(one.headers), one.credentials] for one in rows[start : start + _AT_ONCE]]
        found += tab.evaluate(_ASK_ALL, [base, some])
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("rows", [VALUES, MATRIX[::_EVERY]], ids=["values", "matrix"])
def test_explain_says_what_the_browser_does(stage: Stage, tab: Tab, rows: Sequence[Asked]) -> None:
    """In every row."""
    browser, page = tab
    page.open(f"{stage.page}/checks.html")
    said = verdicts(page, f"http://localhost:{stage.proxy.address[1]}", rows)
    assert len(set(said)) == 2
    wrong = []
    for asked, verdict in zip(rows, said, strict=True):
        question = Question(asked.path, stage.page, asked.method, asked.headers, asked.credentials, browser=browser)
        judgement = judge(stage.loaded, question)
        if judgement.is_allowed is not verdict:
            wrong.append(f"{asked}: {browser.label} {verdict}, explain {judgement.is_allowed}: {judgement.because}")
    assert wrong == []


def test_departures_are_named(stage: Stage) -> None:
    """Where the verdict is not the standard's, a remark says whose it is."""
    departing = 0
    for asked in VALUES:
        standard = Question(asked.path, stage.page, asked.method, asked.headers, asked.credentials)
        for browser in (Browser.CHROMIUM, Browser.FIREFOX):
            own = judge(stage.loaded, replace(standard, browser=browser))
            if own.is_allowed is not judge(stage.loaded, standard).is_allowed:
                departing += 1
                assert own.play is not None
                assert any(browser.label in step.why and "against the standard" in step.why for step in own.play.steps)
    assert departing > 20


_PROXY_LOGIN = b"HTTP/1.1 407 Who\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n"
_STAR = (
    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: *\r\n"
    b"Access-Control-Max-Age: 0\r\nContent-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("answer", "headers"),
    [(_PROXY_LOGIN, ()), (_STAR, (("Authorization", "Bearer x"),)), (_STAR, (("X-A", "1"),))],
    ids=["407", "a star before Authorization", "a star before another name"],
)
def test_the_model_plays_what_only_other_servers_answer(
    stage: Stage, tab: Tab, answer: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    """Corsproxy never answers so; a server that probe asks may."""
    browser, page = tab

    def script(connection: Connection) -> None:
        while True:
            connection.read_request()
            connection.send(answer)

    with Upstream(script) as server:
        page.open(f"{stage.page}/checks.html")
        base = server.url.replace("127.0.0.1", "localhost")
        said = verdicts(page, base, [Asked("/", "GET", headers)])
        request = PageRequest(base, stage.page, "GET", headers, Credentials.OMIT, browser=browser)
        assert play(request, Wire(20).send).allowed is said[0]
