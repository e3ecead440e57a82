"""The proxy's responses before any policy applies, in `explain` and in a running proxy."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import DEADLINE, Proxy, started
from tests.support.upstream import Upstream
from tests.tools.explained import explained

FILE = """\
upstreams: {{a: {url}}}
policies:
  open: {{allow_origins: ["*"], allow_headers: ["*"], allow_methods: ["*"]}}
  strict: {{allow_origins: [https://app.example.com], on_refused: reject}}
routes:
  - {{path: /open, upstream: a, policy: open}}
  - {{path: /strict, upstream: a, policy: strict}}
limits: {{max_header_bytes: 4KiB, max_header_lines: 20}}
"""


@pytest.fixture(name="proxy", scope="module")
def proxy_fixture() -> Iterator[Proxy]:
    """A running proxy."""
    with Upstream() as upstream, started(FILE.format(url=upstream.url)) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("path", "method", "headers", "origin", "status", "key"),
    [
        pytest.param("/open", "GET", ("X-A: a\x01b",), "https://x.example", 400, "routes[0]", id="a control byte"),
        pytest.param("/open", "GET", ("X-A: a\x7fb",), "https://x.example", 400, "routes[0]", id="DEL"),
        pytest.param("/open", "GET", ("X-A: a\tb",), "https://x.example", 200, None, id="a tab is none"),
        pytest.param(
            "/open", "GET", ("X-A: " + "a" * 5000,), "https://x.example", 431, "limits.max_header_bytes", id="long"
        ),
        pytest.param("/open/" + "a" * 5000, "GET", (), None, 431, "limits.max_header_bytes", id="a long path"),
        pytest.param(
            "/open", "GET", tuple(f"X-{n}: 1" for n in range(25)), None, 431, "limits.max_header_lines", id="many lines"
        ),
        pytest.param("/open", "TRACE", (), None, 405, "routes[0]", id="TRACE"),
        pytest.param("/open", "CHICKEN", (), None, 501, None, id="a method that nobody knows"),
        pytest.param("/strict", "GET", (), "https://x.example", 403, None, id="a policy that rejects"),
        pytest.param("/none", "GET", (), "https://x.example", 404, None, id="no route"),
        pytest.param("/open/..%2fstrict", "GET", (), "https://x.example", 400, None, id="a path of two readings"),
    ],
)
def test_explain_agrees_with_the_proxy(
    proxy: Proxy, path: str, method: str, headers: tuple[str, ...], origin: str | None, status: int, key: str | None
) -> None:
    """The status is the running proxy's, and a refusal says what to change."""
    _, found = explained(Path(proxy.config), path, *headers, origin=origin, method=method)
    assert found["response"]["status"] == status
    if key is not None:
        assert found["verdict"]["allowed"] is False
        assert str(status) in found["verdict"]["why"]
        assert found["no_change"]
        assert found["decided_by"]["path"] == key
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers, *([f"Origin: {origin}"] if origin else []), "", ""]
    with socket.create_connection(proxy.address, DEADLINE) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        assert connection.recv(4096).split(b" ")[1] == str(status).encode()
