"""A page is let in by the proxy where a server's own CORS middleware refuses it, in a real Chromium over HTTPS."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from tests.browser.chromium import Page
from tests.recipes.server import Server, python_server
from tests.recipes.sites import Sites

GET = "fetch('https://api.example.net/items')"
PUT = """fetch('https://api.example.net/items',
  { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '["c"]' })"""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """Run the BlackSheep application for the whole module."""
    with python_server("fixed_list.py") as server:
        yield server


@pytest.fixture
def fixed_list(running: Server) -> Server:
    """Return it without the requests of earlier tests."""
    return running.from_now()


def answer(page: Page, call: str) -> object:
    """Return the status and JSON of a call, its status alone where it failed, `blocked` where the browser keeps it."""
    return page.evaluate(
        f"async () => {{ try {{ const answer = await {call};"
        " return answer.ok ? [answer.status, await answer.json()] : answer.status; }"
        " catch (error) { return 'blocked'; } }"
    )


def test_the_server_refuses_the_page_when_it_is_asked_directly(fixed_list: Server) -> None:
    """The trouble is real: the request itself is answered 400, and no handler is called."""
    connection = http.client.HTTPConnection(fixed_list.url.removeprefix("http://"), timeout=20)
    connection.request("GET", "/items", headers={"Origin": "https://app.example.com"})
    response = connection.getresponse()
    connection.close()
    assert response.status == 400
    assert "not enabled by CORS rules" in str(response.headers["CORS-Error"])
    assert fixed_list.requests() == []


@pytest.mark.browser
def test_the_page_reads_and_writes_through_the_proxy(fixed_list: Server, sites: Sites) -> None:
    """A plain and a preflighted call; the server sees neither the page's origin nor the preflight."""
    with sites.page_behind("refusing-server", fixed_list) as page:
        page.open("https://app.example.com/")
        assert answer(page, GET) == [200, ["a", "b"]]
        assert answer(page, PUT) == [200, ["c"]]
        fixed_list.wait_line("^PUT ")
        assert fixed_list.requests() == ["GET /items -", "PUT /items -"]


@pytest.mark.browser
def test_without_the_origin_line_the_server_refuses_the_request_itself(fixed_list: Server, sites: Sites) -> None:
    """The preflight is granted by the proxy, the page may read the answer, and the answer is 400."""
    with sites.page_behind("refusing-server", fixed_list, origin="off") as page:
        page.open("https://app.example.com/")
        assert answer(page, PUT) == 400
        assert fixed_list.requests() == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("changes", "reaches"),
    [
        pytest.param({}, False, id="refused by the proxy, as the recipe has it"),
        pytest.param({"on_refused": "off"}, True, id="let in by the server, without on_refused"),
    ],
)
def test_a_foreign_site_reaches_the_server_only_without_on_refused(
    changes: dict[str, str], reaches: bool, fixed_list: Server, sites: Sites
) -> None:
    """The server's own list refused other origins; if the proxy removes Origin, it must refuse them."""
    with sites.page_behind("refusing-server", fixed_list, **changes) as page:
        page.open("https://evil.example.org/")
        assert answer(page, GET) == "blocked"
        page.open("https://app.example.com/")
        assert answer(page, PUT) == [200, ["c"]]
        fixed_list.wait_line("^PUT ")
        assert fixed_list.requests() == ["GET /items -"] * reaches + ["PUT /items -"]
