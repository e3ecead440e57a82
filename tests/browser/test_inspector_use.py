"""The inspector's page in people's hands: filter, pause, form; keyboard and screen reader; any window; a flood."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.inspector_stage import APP, OTHER, Stage, opened, paths, row, set_up, some_of_each, text
from tests.browser.test_demo_page import COLOURS, faint
from tests.server.setup import ask

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


FILTERS = [
    ("origin", "other.", ["/orders/origin"]),
    ("route", "/plain", ["/plain/policy"]),
    ("verdict", "refused", ["/plain/policy", "/orders/method", "/orders/origin"]),
    ("verdict", "granted", ["/orders/granted"]),
    ("verdict", "not CORS", ["/orders/none"]),
]
"""A field of the form, what is written there, and the rows that are left."""


def test_the_table_can_be_filtered(stage: Stage, page: Page) -> None:
    """What does not fit is hidden, also when it comes later, and is there again without the filter."""
    some_of_each(stage, page)
    for number, (field, value, left) in enumerate(FILTERS):
        every = paths(page)
        page.fill(f"#filter [name={field}]", value)
        assert [path for path in paths(page) if "late" not in path] == left, (field, value)
        late = [f"/orders/late{number}", f"/plain/late{number}", f"/late/none{number}"]
        ask(stage.proxy.address, late[2])
        stage.ask(late[1], OTHER)
        stage.ask(late[0])
        page.wait_for(f"#shown:text('{len(every) + 3} requests')")
        assert [path for path in paths(page) if "late" not in path] == left, (field, value)
        page.click("#filter [type=reset]")
        assert paths(page) == [*late, *every]


def test_refusals_are_counted_by_reason_and_a_reason_filters(stage: Stage, page: Page) -> None:
    """The counters are those of the whole run; pressing one shows its refusals alone, pressing again shows all."""
    some_of_each(stage, page)
    stage.ask("/orders/again", OTHER)
    page.wait_for("#count-refused:text-is('4')")
    counted = page.evaluate("[...document.querySelectorAll('.reasons button')].map((each) => each.innerText)")
    assert sorted(counted) == ["method_not_allowed 1", "no_policy 1", "origin_not_allowed 2"]
    page.click(".reasons button:has-text('origin_not_allowed')")
    assert paths(page) == ["/orders/again", "/orders/origin"]
    page.click(".reasons button[aria-pressed=true]")
    assert len(paths(page)) == 6


def test_pause_holds_the_table_and_loses_nothing(stage: Stage, page: Page) -> None:
    """While paused the rows stay and the new ones are counted; afterwards they are there."""
    stage.ask("/orders/before")
    page.wait_for(row("/orders/before"))
    page.click("#pause")
    assert page.evaluate("document.querySelector('#pause').ariaPressed") == "true"
    stage.ask("/orders/meanwhile")
    page.wait_for("#waiting:text('1 new')")
    assert paths(page) == ["/orders/before"]
    page.click("#pause")
    page.wait_for("#state:text('live')")
    assert paths(page) == ["/orders/meanwhile", "/orders/before"]


def test_a_busy_table_holds_still_under_the_pointer(stage: Stage, page: Page) -> None:
    """Moving rows cannot be clicked: under the pointer they stay still while requests arrive fast."""
    stage.ask("/orders/target", OTHER)
    page.wait_for(row("/orders/target"))
    page.hover(row("/orders/target"))
    for number in range(50):
        stage.preflight(f"/orders/{number}", APP)
    page.wait_for("#state:text('held while you point')")
    page.hover("h1")
    page.wait_for(row("/orders/49"))
    assert len(paths(page)) == 51


def test_everything_can_be_done_with_the_keyboard(stage: Stage, page: Page) -> None:
    """The table is one stop of Tab; arrows move in it, Enter opens, Escape goes back to the row."""
    for number in range(3):
        stage.ask(f"/orders/{number}", OTHER)
        page.wait_for(row(f"/orders/{number}"))
    page.evaluate("document.querySelector('#filter [type=reset]').focus()")
    page.press("Tab")
    focused = "document.activeElement.textContent"
    assert page.evaluate("document.querySelectorAll('#rows .open[tabindex=\"0\"]').length") == 1
    page.press("Home")
    assert page.evaluate(focused) == "/orders/2"
    page.press("ArrowDown")
    assert page.evaluate(focused) == "/orders/1"
    page.press("Enter")
    page.wait_for("#detail .diff")
    assert page.evaluate("document.activeElement.id") == "detail"
    assert page.evaluate("document.querySelectorAll('[aria-expanded=true]').length") == 1
    page.press("Escape")
    assert page.evaluate(focused) == "/orders/1"
    assert page.evaluate("document.querySelectorAll('[aria-expanded=true]').length") == 0


def test_a_row_that_is_open_and_focused_stays_so_while_others_come(stage: Stage, page: Page) -> None:
    """New rows are put in around it."""
    stage.ask("/orders/open", OTHER)
    page.wait_for(row("/orders/open"))
    page.click(row("/orders/open") + " .open")
    page.evaluate("document.querySelector('[aria-expanded=true]').focus()")
    stage.ask("/orders/new", OTHER)
    page.wait_for(row("/orders/new"))
    assert page.evaluate("document.activeElement.textContent") == "/orders/open"
    assert "/orders/open" in text(page, "#detail")


def test_the_form_asks_the_configuration_in_force(stage: Stage, page: Page) -> None:
    """Nothing is sent through the proxy; the answer has verdict, line, change and the browser's checks."""
    page.fill("#ask [name=path]", "/orders/7")
    page.fill("#ask [name=origin]", APP)
    page.fill("#ask [name=method]", "DELETE")
    page.fill("#ask [name=headers]", "X-One, X-Two")
    page.click("#ask [name=credentials]")
    page.click("#ask [type=submit]")
    page.wait_for("#answer .steps")
    answer = text(page, "#answer")
    assert "method_not_allowed" in answer
    assert "The policy does not allow the method DELETE." in answer
    assert "allow_headers: [Content-Type, X-One, X-Two]" in answer
    assert "allow_credentials: true" in answer
    assert paths(page) == []
    page.fill("#ask [name=path]", "orders")
    page.click("#ask [type=submit]")
    page.wait_for("#answer > .warning")
    assert "a path begins with '/'" in text(page, "#answer")


def test_a_row_fills_the_form(stage: Stage, page: Page) -> None:
    """What was seen can be asked about, and changed."""
    stage.preflight("/orders/3", OTHER, "PUT", "x-trace")
    page.wait_for(row("/orders/3"))
    page.click(row("/orders/3") + " .open")
    page.click("#detail .link")
    page.wait_for("#answer .steps")
    asked = page.evaluate("Object.fromEntries(new FormData(document.querySelector('#ask')))")
    assert (asked["path"], asked["origin"], asked["method"], asked["headers"]) == ("/orders/3", OTHER, "PUT", "x-trace")


def test_a_thousand_requests_a_second_leave_the_page_at_ease(stage: Stage, page: Page) -> None:
    """The table keeps a bound, what it left out is said, the counters are exact, and the rare refusal is seen."""
    for number in range(750):
        stage.preflight(f"/orders/{number}", APP)
        if number == 200:
            stage.ask("/orders/rare", OTHER)
    page.wait_for("#count-requests:text-is('751')")
    page.wait_for(row("/orders/rare", ".refused"))
    assert len(paths(page)) <= 500
    page.hover("#rows tr:nth-child(2)")
    page.click(row("/orders/rare") + " .open")
    page.wait_for("#detail .diff")


@pytest.fixture(scope="module")
def seen(chromium: Chromium) -> Iterator[Stage]:
    """Run a proxy that has had some of each request, for tests that only look."""
    with set_up() as stage, opened(chromium, stage) as page:
        some_of_each(stage, page)
        yield stage


@pytest.mark.parametrize("width", [360, 800, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(chromium: Chromium, seen: Stage, scheme: str, width: int) -> None:
    """Nothing is wider than the window, and text has a contrast of at least 4.5 (WCAG 2.2, 1.4.3) in both palettes."""
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}, "reduced_motion": "reduce"}
    with opened(chromium, seen, **options) as page:
        page.wait_for(row("/plain/policy"))
        for selector in ("#detail .diff", "#answer .steps"):
            page.click(row("/orders/origin") + " .open" if selector.startswith("#detail") else "#detail .link")
            page.wait_for(selector)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert faint(page.evaluate(COLOURS)) == []


NAMELESS = """() => [...document.querySelectorAll("input, select, button, a, img, aside, [role=region], [role=group]")]
  .filter((each) => !(each.labels?.length || each.ariaLabel || each.textContent.trim() || each.hasAttribute("alt")))
  .map((each) => each.outerHTML)"""


def test_its_parts_have_names_and_the_table_is_a_table(stage: Stage, page: Page) -> None:
    """A screen reader finds headers, cells, labels, and what changes by itself is said politely."""
    some_of_each(stage, page)
    assert page.evaluate(NAMELESS) == []
    headers = page.evaluate("[...document.querySelectorAll('th[scope=col]')].map((each) => each.textContent)")
    assert headers == ["Time", "Method", "Path", "Status", "Took", "Origin", "Kind", "Verdict"]
    assert page.evaluate("document.querySelector('table caption').textContent").startswith("Requests, the latest first")
    assert page.evaluate("[...document.querySelectorAll('#rows tr')].every((each) => each.cells.length === 8)")
    polite = page.evaluate("[...document.querySelectorAll('[role=status]')].map((each) => each.id)")
    assert polite == ["state", "spoken"]
    page.wait_for("#spoken:not(:empty)")
    assert "more refused. In all: " in page.evaluate("document.querySelector('#spoken').textContent")
