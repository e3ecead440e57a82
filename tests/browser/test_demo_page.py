"""The demo's page, in a real browser: what it shows is what the browser did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from corsproxy.tools.demo.calls import CALLS
from tests.browser.chromium import Chromium, Page, Scheme
from tests.support.process import Process

pytestmark = pytest.mark.browser

IDS = [call.id for call in CALLS]


@dataclass(frozen=True, slots=True)
class Demo:
    """A running `corsproxy demo`."""

    page: str
    stranger: str


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Run the command as a user would, until all tests here are through."""
    process = Process(["demo"])
    try:
        assert process.stdout is not None
        page = process.stdout.wait_line(r"^open +(\S+)$").group(1)
        stranger = process.stdout.wait_line(r"^or open +(\S+)  ").group(1)
        yield Demo(page, stranger)
        assert process.stop() == 0
    finally:
        process.end()


@pytest.fixture(scope="module")
def shown(chromium: Chromium, demo: Demo) -> Iterator[Page]:
    """Return the page once it has made its calls, for tests that only look."""
    with chromium.page() as page:
        page.open(demo.page)
        page.wait_for("body[data-state=done]")
        yield page


def side(page: Page, call: str, way: str) -> str:
    """Return the visible text of one side of one call."""
    return str(page.evaluate("(side) => document.querySelector(side).innerText", f"#{call} [data-way={way}]"))


@pytest.mark.parametrize("call", IDS)
def test_the_direct_call_is_blocked_and_the_proxied_one_allowed(shown: Page, call: str) -> None:
    """Both verdicts are the browser's own: its error on the one side, the answer on the other."""
    direct, proxied = side(shown, call, "direct"), side(shown, call, "proxied")
    assert "blocked" in direct
    assert "TypeError" in direct
    assert "Why: " in direct
    assert "allowed" in proxied
    assert "TypeError" not in proxied


READS = {
    "get": ["200 OK", "X-Total-Count: 3", "typewriter ribbon"],
    "put": ["200 OK", '"quantity": 3'],
    "cookies": ["200 OK", '"visits": 2'],
    "error": ["500 Internal Server Error", "X-Error-Reference: R-2019-17", "never finished"],
}


@pytest.mark.parametrize("call", IDS)
def test_the_proxied_answer_is_shown_as_the_script_read_it(shown: Page, call: str) -> None:
    """Status, exposed headers and content are there, the error's too; the unseen first visit was counted."""
    proxied = side(shown, call, "proxied")
    assert [text for text in READS[call] if text not in proxied] == []


def test_the_console_says_the_same_reasons(shown: Page) -> None:
    """The browser's own words, one for each direct call, are about the mistake that the page explains."""
    said = [line for line in shown.console if "blocked by CORS policy" in line]
    expected = [
        "contains multiple values",
        "doesn't pass access control check",
        "must not be the wildcard",
        "No 'Access",
    ]
    assert [part for line, part in zip(said, expected, strict=True) if part not in line] == []


def test_the_page_counts_and_shows_the_policy(shown: Page) -> None:
    """The summary is about this browser; the policy names this page's origin."""
    text = str(shown.evaluate("document.body.innerText"))
    assert "Directly, 0 of 4 calls came through; through corsproxy, 4 of 4." in text
    assert f"allow_origins: [{shown.evaluate('location.origin')}]" in text
    assert "listen: 127.0.0.1:" in text


def test_the_calls_can_be_made_again(chromium: Chromium, demo: Demo) -> None:
    """The API counts on: two more visits, of which the proxy shows the second."""
    with chromium.page() as page:
        page.open(demo.page)
        page.wait_for("body[data-state=done]")
        page.evaluate("document.body.dataset.state = 'old'")
        page.click("#again")
        page.wait_for("body[data-state=done]")
        assert '"visits": 4' in side(page, "cookies", "proxied")


def test_the_same_page_on_another_origin_gets_nothing(chromium: Chromium, demo: Demo) -> None:
    """An origin that the policy does not name is refused, and told why."""
    with chromium.page() as page:
        page.open(demo.stranger)
        page.wait_for("body[data-state=done]")
        text = str(page.evaluate("document.body.innerText"))
    assert "Directly, 0 of 4 calls came through; through corsproxy, 0 of 4." in text
    assert f"The policy names {demo.page} and nobody else" in text


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(chromium: Chromium, demo: Demo, scheme: Scheme, width: int) -> None:
    """Nothing is wider than the window, and text has a contrast of at least 4.5 (WCAG 2.2, 1.4.3) in both palettes."""
    with chromium.page(color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        page.open(demo.page)
        page.wait_for("body[data-state=done]")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert faint(page.evaluate(COLOURS)) == []


COLOURS = """() => [...document.querySelectorAll("body *")]
  .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
  .filter((each) => each.checkVisibility())
  .map((each) => {
    let ground = each;
    while (ground && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
    return [each.textContent.trim().slice(0, 40), getComputedStyle(each).color,
            getComputedStyle(ground ?? document.documentElement).backgroundColor];
  })"""


def faint(texts: list[list[str]]) -> list[Any]:
    """Return the texts whose contrast with what is behind them is below 4.5."""
    assert len(texts) > 50
    return [text for text in texts if contrast(text[1], text[2]) < 4.5]


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of two `rgb(…)` colours (WCAG 2.2, definition of contrast ratio)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Compute the relative luminance of an `rgb(r, g, b)` colour."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
