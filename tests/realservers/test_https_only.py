"""An application that insists on https, behind a proxy that speaks http to it: the recipe of docs/legacy.md."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import DEADLINE, Proxy, started
from tests.support.programs import launched

APPS = Path(__file__).with_name("apps")

CONFIG = """
upstreams:
  told: {{url: "{url}", request_headers: {{set: {{X-Forwarded-Proto: https}}}}}}
  plain: {url}
routes:
  - {{path: /, upstream: told}}
  - {{path: /plain, upstream: plain, strip_prefix: true}}
"""


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Run uvicorn, which believes X-Forwarded-Proto of loopback, and the proxy before it."""
    command = ("-m", "uvicorn", "--app-dir", str(APPS), "https_only:app", "--host", "127.0.0.1", "--port", "0")
    with launched(sys.executable, *command) as output:
        url = output.wait_line(r"running on (http://[^\s/]+)")[1]
        with started(CONFIG.format(url=url)) as running:
            yield running


def asked(proxy: Proxy, path: str) -> tuple[int, str, str | None]:
    """Return the status, the content and the Location."""
    connection = http.client.HTTPConnection(*proxy.address, timeout=DEADLINE)
    try:
        connection.request("GET", path, headers={"Host": "api.example"})
        response = connection.getresponse()
        return response.status, response.read().decode(), response.getheader("Location")
    finally:
        connection.close()


def test_told_of_https_it_answers(proxy: Proxy) -> None:
    """`request_headers: {set: {X-Forwarded-Proto: https}}` is written after what the proxy itself says."""
    assert asked(proxy, "/") == (200, "https", None)


def test_told_of_http_it_sends_everybody_away(proxy: Proxy) -> None:
    """To an address where the proxy may not even listen."""
    status, _, location = asked(proxy, "/plain/")
    assert status == 307
    assert location is not None
    assert location.startswith("https://")
