"""A tab of Chromium that another test has used is as empty as a new one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.chromium import Chromium
from tests.browser.servers import Pages
from tests.support.upstream import Connection, Upstream

pytestmark = pytest.mark.browser

LASTS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: max-age=600\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Access-Control-Allow-Methods: PUT\r\nAccess-Control-Max-Age: 600\r\n\r\n"
)
"""An answer to keep, and a preflight to remember."""

SMALL: dict[str, Any] = {"viewport": {"width": 400, "height": 400}, "color_scheme": "dark"}

FILL = """async (url) => {
  document.cookie = "seen=1";
  localStorage.seen = sessionStorage.seen = 1;
  await new Promise((opened) => { indexedDB.open("seen").onsuccess = opened; });
  for (let turn = 0; turn < 2; turn++) await fetch(url).then(() => fetch(url, { method: "PUT" }));
  console.log("seen");
}"""
FOUND = """async () => [
  document.cookie, { ...localStorage }, { ...sessionStorage }, await indexedDB.databases(), innerWidth,
  matchMedia("(prefers-color-scheme: dark)").matches,
]"""


def lasts(connection: Connection) -> None:
    """Answer each request."""
    while True:
        connection.read_request()
        connection.send(LASTS)


def test_nothing_is_left_of_the_last_page(chromium: Chromium) -> None:
    """No cookie, no storage, no answer, no preflight, no line of the console, no size of the window."""
    with Pages() as pages, Upstream(lasts) as upstream:
        url = f"{pages.origin('localhost')}/checks.html"
        for width, options in ((400, SMALL), (1280, {})):
            with chromium.page(**options) as tab:
                tab.open(url)
                assert tab.evaluate(FOUND) == ["", {}, {}, [], width, width == 400]
                tab.evaluate(FILL, upstream.url)
                assert tab.console == ["seen"]
        methods = [request.line.partition(b" ")[0] for request in upstream.requests]
    assert methods == [b"GET", b"OPTIONS", b"PUT", b"PUT"] * 2
