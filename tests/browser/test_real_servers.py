"""Chromium and third-party servers: a page reads what the policy allows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.browser.chromium import Chromium, Page
from tests.browser.servers import Pages
from tests.realservers.programs import config, running
from tests.support.process import Proxy, started

pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True)
class Stage:
    """A page on each origin, by its host, and the proxy before the servers."""

    pages: dict[str, Page]
    proxy: Proxy

    def status(self, host: str, path: str, options: dict[str, object]) -> object:
        """Return the status that a page of a host reads, or `blocked`."""
        url = f"http://localhost:{self.proxy.address[1]}{path}"
        page = self.pages[host]
        page.forget()
        return page.evaluate("([url, options]) => attempt(url, options).then((r) => r.status ?? r)", [url, options])


@pytest.fixture(scope="module")
def stage(chromium: Chromium) -> Iterator[Stage]:
    """Run everything until all tests here are through."""
    with (
        Pages() as served,
        running() as urls,
        started(config(urls, served.origin("localhost"))) as proxy,
        chromium.page() as allowed,
        chromium.page() as other,
    ):
        pages = {"localhost": allowed, "127.0.0.1": other}
        for host, page in pages.items():
            page.open(f"{served.origin(host)}/checks.html")
        yield Stage(pages, proxy)


INCLUDE: dict[str, object] = {"credentials": "include"}
PUT: dict[str, object] = {
    "method": "PUT",
    "headers": {"Content-Type": "application/json"},
    "body": '{"title": "URL"}',
    "credentials": "include",
}
PROPFIND: dict[str, object] = {"method": "PROPFIND", "headers": {"Depth": "1"}}

ASKED = [
    pytest.param("/flask/books", INCLUDE, 200, id="Flask: a list, with credentials"),
    pytest.param("/flask/books/1", PUT, 200, id="Flask: a PUT of JSON"),
    pytest.param("/flask/fails", {}, 500, id="Flask: an error"),
    pytest.param("/starlette/books", INCLUDE, 200, id="Starlette: a list, with credentials"),
    pytest.param("/starlette/shelf", {}, 200, id="Starlette: a redirect"),
    pytest.param("/starlette/fails", {}, 500, id="Starlette: an error"),
    pytest.param("/datasette/_memory.json?sql=select+1", {}, 200, id="Datasette: a query"),
    pytest.param("/dav/", PROPFIND, 207, id="WsgiDAV: a PROPFIND with a Depth"),
]


@pytest.mark.parametrize(("path", "options", "status"), ASKED)
def test_the_page_of_the_policy_reads_and_no_other(
    stage: Stage, path: str, options: dict[str, object], status: int
) -> None:
    """The same script reads the answer on the one origin, and is blocked on the other."""
    assert stage.status("localhost", path, options) == status
    assert stage.status("127.0.0.1", path, options) == "blocked"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"method": "PATCH"}, id="a method that the policy does not name"),
        pytest.param({"headers": {"X-Other": "1"}}, id="a header that the policy does not name"),
    ],
)
@pytest.mark.parametrize("server", ["flask", "starlette", "datasette", "dav"])
def test_what_the_policy_does_not_name_is_blocked(stage: Stage, server: str, options: dict[str, object]) -> None:
    """The browser asks the proxy, whatever the server itself would say, and the answer is no."""
    assert stage.status("localhost", f"/{server}/", options) == "blocked"
