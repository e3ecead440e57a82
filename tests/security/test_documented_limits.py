"""What docs/security.md says is not defended, as it really is, and the remedies that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import ask
from tests.support.process import started
from tests.support.upstream import Upstream

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  plain: "{upstream}"
  based: "{upstream}/base"
policies:
  open: {{allow_origins: ["*"]}}
  sockets-off: {{allow_origins: ["*"], websockets: off}}
  closed: {{allow_origins: ["https://app.example"]}}
routes:
  - {{path: /public, upstream: plain, policy: open}}
  - {{path: /based, upstream: based, strip_prefix: true, policy: open}}
  - {{path: /off, upstream: plain, policy: sockets-off}}
  - {{path: /, upstream: plain, policy: closed}}
log: {{format: json}}
"""

STRANGER = b"Origin: https://evil.example\r\n"
HANDSHAKE = (
    b"GET %b HTTP/1.1\r\nHost: h\r\n" + STRANGER + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.mark.parametrize(
    ("path", "forwarded"),
    [
        (b"/public/..;/admin", b"/public/..;/admin"),
        (b"/public/%2e%2e;x=1/admin", b"/public/%2e%2e;x=1/admin"),
        (b"/based/..;/admin", b"/base/..;/admin"),
    ],
)
def test_a_path_parameter_is_part_of_a_name(bench: Bench, path: bytes, forwarded: bytes) -> None:
    """Tomcat would read /admin, and the grant is that of the path as written."""
    response = bench.ask(b"GET %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (path, STRANGER))
    assert (response.status, response.cors) == (200, [b"Access-Control-Allow-Origin: *"])
    assert bench.request.line.split()[1] == forwarded


@pytest.mark.parametrize(
    ("path", "reaches"),
    [
        pytest.param(b"/public", False, id="under a star, which names nobody"),
        pytest.param(b"/off", False, id="under a star with websockets: off"),
        pytest.param(b"/", False, id="under named origins"),
    ],
)
def test_a_star_admits_no_websocket_of_a_stranger(bench: Bench, path: bytes, reaches: bool) -> None:
    """The handshake reaches the upstream, or is 403 here."""
    response = bench.ask(HANDSHAKE % path)
    assert (response.status == 403) != reaches
    assert [request.line.split()[1] for request in bench.requests] == [path] * reaches


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Answer everything."""
    with Upstream() as running:
        yield running


def test_quick_mode_answers_to_any_name(upstream: Upstream) -> None:
    """The upstream cannot tell either: the Host it is sent is its own."""
    with started(None, "--upstream", upstream.url) as proxy:
        assert ask(proxy.address, b"GET /rebound HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n").status == 200
    request = next(request for request in upstream.requests if b"/rebound" in request.line)
    assert request.values(b"Host") == [b"%b:%d" % (b"127.0.0.1", upstream.port)]


@pytest.mark.parametrize(("host", "status"), [(b"localhost:8080", 200), (b"evil.example:8080", 404)])
def test_the_files_remedy_answers_to_one_name(upstream: Upstream, host: bytes, status: int) -> None:
    """The file that the page shows, with another upstream."""
    page = (Path(__file__).parents[2] / "docs/security.md").read_text(encoding="utf-8")
    shown = re.search(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert shown is not None
    with started(shown[1].replace("http://127.0.0.1:8000", upstream.url)) as proxy:
        assert ask(proxy.address, b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host).status == status
