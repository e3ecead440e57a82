"""The inspector's page in a real browser: requests appear as they happen, and each says why and what would allow it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.inspector_stage import APP, OTHER, Stage, opened, paths, row, set_up, some_of_each, text
from tests.server.setup import ask
from tests.support.process import started
from tests.tools.patches import applied

pytestmark = pytest.mark.browser


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Run a proxy with the inspector."""
    with set_up() as running:
        yield running


@pytest.fixture
def page(chromium: Chromium, stage: Stage) -> Iterator[Page]:
    """Open the inspector in a window as wide as a desk's."""
    with opened(chromium, stage) as page:
        yield page


FETCH = """([url, options]) => fetch(url, options).then((answer) => answer.status, (error) => error.name)"""


def test_what_a_page_does_appears_and_the_patch_makes_the_browser_accept(
    chromium: Chromium, stage: Stage, page: Page
) -> None:
    """A real page is refused; its row says why; the copied patch, applied and loaded, lets the same page in."""
    url = f"http://127.0.0.1:{stage.proxy.address[1]}/orders/7"
    put = {"method": "PUT", "headers": {"Content-Type": "application/json", "X-Trace": "1"}, "body": "{}"}
    with chromium.page() as tab:
        tab.open(f"{stage.stranger}/checks.html")
        assert tab.evaluate(FETCH, [url, put]) == "TypeError"
        page.wait_for(row("/orders/7", ".refused"))
        assert "origin_not_allowed" in text(page, row("/orders/7"))
        page.click(row("/orders/7") + " .open")
        page.wait_for("#detail .diff")
        detail = text(page, "#detail")
        assert f"The policy does not name the origin {stage.stranger}." in detail
        assert f"{stage.proxy.config}:5" in detail
        assert "Access-Control-Request-Headers: content-type,x-trace" in detail
        assert "(no CORS header)" in detail
        page.click("#detail .copied .copy")
        page.wait_for("#detail .copied .copy:text('Copied')")
        stage.proxy.reload(applied(stage.config, page.evaluate("navigator.clipboard.readText()")))
        stage.proxy.stderr.wait_line("configuration reloaded")
        assert tab.evaluate(FETCH, [url, put]) == 200
        page.wait_for(row("/orders/7", ".granted"))


def test_a_granted_request_opens_into_what_was_asked_and_answered(stage: Stage, page: Page) -> None:
    """The details have the request's and the answer's CORS fields and the rule that let it in."""
    stage.preflight("/orders/1", APP)
    page.wait_for(row("/orders/1", ".granted"))
    page.click(row("/orders/1") + " .open")
    page.wait_for("#detail .place")
    detail = text(page, "#detail")
    for said in (
        "Access-Control-Request-Method: PUT",
        f"Access-Control-Allow-Origin: {APP}",
        "Access-Control-Allow-Methods: GET, PUT",
        "- https://app.example.com",
        "policies.app.allow_origins[0]",
        "preflight (PUT)",
    ):
        assert said in detail
    assert "What would allow it" not in detail


def test_what_a_browser_would_not_have_sent_is_said(stage: Stage, page: Page) -> None:
    """A DELETE from a tool is granted by its origin alone; a browser's preflight for it would be refused."""
    stage.ask("/orders/tool", APP, "DELETE")
    page.wait_for(row("/orders/tool", ".granted"))
    page.click(row("/orders/tool") + " .open")
    page.wait_for("#detail .diff")
    assert "A page’s script would not have come so far: method_not_allowed." in text(page, "#detail")
    assert "+    allow_methods: [GET, PUT, DELETE]" in text(page, "#detail .diff")


def test_shadow_mode_and_a_change_since_are_said(stage: Stage, page: Page) -> None:
    """Decision and response are shown separately, and so are the old and the current configuration."""
    stage.ask("/orders/then", OTHER)
    page.wait_for(row("/orders/then", ".refused"))
    changed = stage.config.replace(f"- {APP}", f"- {OTHER}").replace(
        "    allow_methods", "    mode: shadow\n    allow_methods"
    )
    stage.proxy.reload(changed)
    stage.proxy.stderr.wait_line("configuration reloaded")
    page.click(row("/orders/then") + " .open")
    page.wait_for("#detail .place")
    detail = text(page, "#detail")
    assert "The configuration in force now would allow it; it has changed since." in detail
    assert "The policy is in shadow mode" in detail


def test_in_quick_mode_a_command_line_is_proposed(chromium: Chromium, stage: Stage) -> None:
    """There is no file to change: the command to start with is copied, and no line number of a file is claimed."""
    host, port = stage.proxy.address
    with started(None, "--upstream", f"http://{host}:{port}", "--inspect", admin=True) as proxy:
        quick = Stage(proxy, "", "", "")
        with opened(chromium, quick) as page:
            quick.ask("/a", OTHER)
            page.wait_for(row("/a", ".refused"))
            page.click(row("/a") + " .open")
            page.wait_for("#detail .command")
            assert f"--allow-origin {OTHER}" in text(page, "#detail .command")
            assert text(page, "#detail .place") == "line of the file that the options stand for"
            page.click("#detail .copied .copy")
            page.wait_for("#detail .copied .copy:text('Copied')")
            assert page.evaluate("navigator.clipboard.readText()") == text(page, "#detail .command")


def test_a_request_without_origin_and_one_without_policy_say_so(stage: Stage, page: Page) -> None:
    """The one is judged by no browser; the other's route grants nothing, and the change gives it a policy."""
    ask(stage.proxy.address, "/plain/none")
    stage.ask("/plain/some")
    page.wait_for(row("/plain/some", ".refused"))
    page.click(row("/plain/none") + " .open")
    assert "no CORS request" in text(page, "#detail")
    page.click(row("/plain/some") + " .open")
    page.wait_for("#detail .diff")
    assert "The route /plain has no policy" in text(page, "#detail")
    assert "+    policy: app" in text(page, "#detail .diff")


def test_markup_from_strangers_is_shown_as_it_was_sent(stage: Stage, page: Page) -> None:
    """Elements in a path or an Origin stay text, in the table, the details and the form."""
    evil = "/orders/<img/src=x/onerror=document.title=1>"
    stage.ask(evil, "<b>bold</b>")
    page.wait_for("#rows tr.refused")
    assert paths(page) == [evil]
    page.click("#rows .open")
    page.wait_for("#detail .place")
    page.click("#detail .link")
    page.wait_for("#answer header")
    assert page.evaluate("document.querySelectorAll('main img, main b:not(.code b):not(.warning b)').length") == 0
    assert page.evaluate("document.title") != "1"


def test_the_page_asks_nobody_else_and_breaks_no_policy_of_its_own(stage: Stage, page: Page) -> None:
    """Everything it loads is of its own origin, and the browser has nothing to complain about."""
    some_of_each(stage, page)
    page.click(row("/orders/origin") + " .open")
    page.wait_for("#detail .diff")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((each) => new URL(each.name).origin + '/')")
    assert set(loaded) == {stage.inspector}
    assert page.console == []


STEAL = """(inspector) => Promise.all(["", "explain", "events", "inspector/main.js"].map((path) =>
  Promise.all(["cors", "no-cors"].map((mode) => fetch(inspector + path, { mode })
    .then((answer) => answer.type, (error) => error.name)))))"""


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_page_of_another_origin_gets_nothing(chromium: Chromium, stage: Stage, site: str) -> None:
    """Neither with CORS nor without can it read or load any of it; a frame of it stays empty."""
    with chromium.page() as tab:
        # Another port of the same name is another origin of the same site.
        tab.open(f"{stage.stranger if site == 'same-site' else stage.home}/checks.html")
        assert tab.evaluate(STEAL, stage.inspector) == [["TypeError", "TypeError"]] * 4
        opened = """(url) => new Promise((done) => { const stream = new EventSource(url);
          stream.onopen = () => done("open"); stream.onerror = () => done("error"); })"""
        assert tab.evaluate(opened, f"{stage.inspector}events") == "error"


def test_when_the_proxy_ends_the_page_says_so(chromium: Chromium, stage: Stage, page: Page) -> None:
    """It keeps what it has, and tries again."""
    stage.ask("/orders/last")
    page.wait_for(row("/orders/last"))
    assert stage.proxy.stop() == 0
    page.wait_for("#state[data-state=lost]")
    assert paths(page) == ["/orders/last"]
