"""Who may open a WebSocket: the policy's `websockets` alone, whatever else the policy says of refused origins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.client import APP, OTHER, upgrade
from tests.support.process import Proxy, started
from tests.support.upstream import Connection, Upstream

CONFIG = """
upstreams: {{api: "{upstream}"}}
policies:
  plain: {{allow_origins: ["https://app.example.com"]}}
  rejects: {{allow_origins: ["https://app.example.com"], on_refused: reject}}
  any: {{allow_origins: ["https://app.example.com"], on_refused: reject, websockets: any}}
  "off": {{allow_origins: ["https://app.example.com"], websockets: off}}
  shadow: {{allow_origins: ["https://app.example.com"], mode: shadow}}
routes:
  - {{path: /plain, upstream: api, policy: plain}}
  - {{path: /rejects, upstream: api, policy: rejects}}
  - {{path: /any, upstream: api, policy: any}}
  - {{path: /off, upstream: api, policy: "off"}}
  - {{path: /shadow, upstream: api, policy: shadow}}
  - {{path: /none, upstream: api}}
"""

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def switch(connection: Connection) -> None:
    """Agree to every upgrade."""
    connection.read_request()
    connection.send(SWITCHED)
    connection.read_to_end()


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Run a proxy with a policy of each kind."""
    with Upstream(switch) as upstream, started(CONFIG.format(upstream=upstream.url)) as running:
        yield running


_REFUSED = b"the policy of this path does not allow this origin to open a WebSocket; "
_NAME_IT = b"name the origin under allow_origins ('*' allows no page here), or write 'websockets: any' for every page"
NOT_ALLOWED = b"request refused: origin_not_allowed: " + _REFUSED + _NAME_IT
MALFORMED = b"request refused: origin_malformed: " + _REFUSED + _NAME_IT
NO_POLICY = b"request refused: no_policy: " + _REFUSED + b"give its route a policy that names the origin"
NOBODY = b"request refused: the policy of this path allows no WebSocket (websockets: off)"

OPENED = [
    pytest.param(b"/plain", b"h", APP, id="an allowed origin"),
    pytest.param(b"/plain", b"h", None, id="a client without Origin, which is no browser"),
    pytest.param(b"/plain", b"h:81", b"Origin: http://h:81", id="a page of the same host and port"),
    pytest.param(b"/plain", b"H", b"Origin: https://h", id="a page of the same host, whoever ended its TLS"),
    pytest.param(b"/plain", b"h:443", b"Origin: https://h", id="a page of the same host, the default port written out"),
    pytest.param(b"/rejects", b"h", b"Origin: http://h", id="a page of the same host where refused requests get 403"),
    pytest.param(b"/any", b"h", OTHER, id="any origin where none is judged, though refused requests get 403"),
    pytest.param(b"/shadow", b"h", OTHER, id="a refused origin in shadow mode"),
    pytest.param(b"/none", b"h", b"Origin: http://h", id="a page of the same host where there is no policy"),
]


@pytest.mark.parametrize(("path", "host", "origin"), OPENED)
def test_a_websocket_is_opened_for(proxy: Proxy, path: bytes, host: bytes, origin: bytes | None) -> None:
    """The upstream's own 101 comes back, without a CORS field."""
    answer = upgrade(proxy.address, path, *([origin] if origin else []), host=host)
    assert (answer.status, answer.cors) == (101, set())


REFUSED = [
    pytest.param(b"/plain", OTHER, NOT_ALLOWED, id="an origin that is not allowed"),
    pytest.param(b"/plain", b"Origin: null", NOT_ALLOWED, id="a page without an origin of its own"),
    pytest.param(b"/plain", b"Origin: HTTP://h", MALFORMED, id="what no browser sends, though it names the host"),
    pytest.param(b"/plain", b"Origin: ftp://h", NOT_ALLOWED, id="the same host under a scheme no page comes from"),
    pytest.param(b"/plain", b"Origin: http://h:81", NOT_ALLOWED, id="the same host on another port"),
    pytest.param(b"/rejects", OTHER, NOT_ALLOWED, id="a refused origin where refused requests get 403"),
    pytest.param(b"/off", APP, NOBODY, id="an allowed origin where nobody may"),
    pytest.param(b"/none", APP, NO_POLICY, id="any origin where there is no policy"),
]


@pytest.mark.parametrize(("path", "origin", "text"), REFUSED)
def test_a_websocket_is_refused_to(proxy: Proxy, path: bytes, origin: bytes, text: bytes) -> None:
    """The 403 names the reason, in the words used everywhere, the key that would help, and last its request id."""
    answer = upgrade(proxy.address, path, origin)
    (request_id,) = (field.partition(": ")[2] for field in answer.fields if field.startswith("X-Request-Id: "))
    assert (answer.status, answer.body) == (403, text + f"; request id {request_id}\n".encode())
