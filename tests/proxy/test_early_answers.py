"""An upstream that answers before an upload is over, and closes: the client reads its answer, over TLS too."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

import pytest

from tests.proxy.wire import Client
from tests.support.certificates import self_signed
from tests.support.process import Proxy, started, without_uvloop
from tests.support.upstream import OK, Connection, Upstream

CONFIG = """
upstreams: {{up: {{url: "{url}"{more}}}}}
routes: [{{path: /, upstream: up}}]
"""

TOO_LARGE = b"HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\nplease!"

ROUNDS = 20


def refuse(connection: Connection) -> None:
    """Refuse after a little of the content, and close with the rest of it unread."""
    connection.read_head()
    connection.read_some()
    connection.send(TOO_LARGE)


@pytest.fixture(name="proxy", params=["uvloop, TLS", "asyncio, TLS", "uvloop", "asyncio"], scope="module")
def _proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("tls")
    context, more = None, ""
    if "TLS" in request.param:
        made = self_signed(folder, "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.certificate, made.private_key)
        more = f", tls: {{ca: {made.certificate}}}"
    environ = {} if "uvloop" in request.param else without_uvloop(folder)
    with (
        Upstream(refuse, tls=context) as upstream,
        started(CONFIG.format(url=upstream.url, more=more), environ=environ) as proxy,
    ):
        yield proxy


@pytest.mark.parametrize("framing", [b"Content-Length: 3000000", b"Transfer-Encoding: chunked"])
def test_an_early_413_is_delivered(proxy: Proxy, framing: bytes) -> None:
    """http-75: every client gets the upstream's answer, none a 502 for the connection lost under the upload."""
    for _ in range(ROUNDS):
        with Client(proxy.address) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: h\r\n" + framing + b"\r\n\r\n")
            for _ in range(30):
                client.send(b"186a0\r\n" + b"x" * 100_000 + b"\r\n" if b"chunked" in framing else b"x" * 100_000)
            response = client.read_response()
            assert (response.status, response.body) == (413, b"please!")


def test_the_log_names_the_request_that_a_dying_connection_carried() -> None:
    """http-81: a POST on a reused connection that ends is 502; the log says which, and how long that had been idle."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(OK)
        connection.read_request()

    with Upstream(script) as upstream, started(CONFIG.format(url=upstream.url, more="")) as proxy:
        with Client(proxy.address) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.read_response().status == 200
            client.send(b"POST /order?card=1 HTTP/1.1\r\nHost: h\r\nX-Request-Id: id-7\r\nContent-Length: 0\r\n\r\n")
            assert client.read_response().status == 502
        line = proxy.stderr.wait_line("upstream up: closed").string
        assert re.search(r"reused after \d\.\d s.*POST /order.*id-7", line)
        assert "card" not in line
