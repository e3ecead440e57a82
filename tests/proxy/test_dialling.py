"""Getting a connection to an upstream, or not: refused, unknown, silent, over TLS, over a Unix socket.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.proxy.wire import GET, Client, ask
from tests.support.process import Proxy, started
from tests.support.upstream import Connection, Upstream

ORIGIN_LINE = b"Origin: https://app.example"


def asking(path: str) -> bytes:
    """Write a GET of a page of an allowed origin."""
    return b"GET %b HTTP/1.1\r\nHost: h\r\n%b\r\n\r\n" % (path.encode(), ORIGIN_LINE)


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose connections are never accepted: SYNs are dropped once its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        while True:
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0.2)
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                break
        yield port


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """A port that is bound, so that no other process gets it, but has no listener."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture(scope="module", name="unreachable")
def _unreachable() -> Iterator[Proxy]:
    with full_backlog() as full, refusing() as refused:
        yield from _started(
            f"""
upstreams:
  refused: http://127.0.0.1:{refused}
  silent: {{url: "http://127.0.0.1:{full}", connect_timeout: 300ms}}
  unknown: {{url: "http://no-such-host.invalid", connect_timeout: 10s}}
  missing: unix:/nonexistent/socket
policies:
  app: {{allow_origins: ["https://app.example"]}}
routes:
  - {{path: /refused, upstream: refused, policy: app}}
  - {{path: /silent, upstream: silent, policy: app}}
  - {{path: /unknown, upstream: unknown, policy: app}}
  - {{path: /missing, upstream: missing, policy: app}}
log: {{format: json}}
"""
        )


def _started(config: str) -> Iterator[Proxy]:
    # A machine whose name servers cannot be reached finds out in a second, not in ten for each.
    with started(config, admin=True, environ={"RES_OPTIONS": "timeout:1 attempts:1"}) as proxy:
        yield proxy
        assert "Traceback" not in proxy.stderr.text


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/refused", 502, "connect"),
        ("/silent", 504, "connect_timeout"),
        ("/unknown", 502, "dns"),
        ("/missing", 502, "connect"),
    ],
)
def test_http_80_an_upstream_that_cannot_be_reached(unreachable: Proxy, path: str, status: int, kind: str) -> None:
    """http-79, http-80: a status, the grant, a text that gives nothing away; the kind is counted."""
    response = ask(unreachable.address, asking(path))
    assert response.status == status
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    for secret in (b"127.0.0.1", b"invalid", b"nonexistent", b"Errno", b"Traceback"):
        assert secret not in response.body.replace(b"is not valid", b"")
    name = path.removeprefix("/")
    assert unreachable.metrics()[f'corsproxy_upstream_errors_total{{kind="{kind}",upstream="{name}"}}'] == 1


def test_a_preflight_does_not_need_the_upstream(unreachable: Proxy) -> None:
    """http-106: it is answered from the policy, whatever has become of the upstream."""
    preflight = b"OPTIONS /refused HTTP/1.1\r\nHost: h\r\nAccess-Control-Request-Method: GET\r\n" + ORIGIN_LINE
    assert ask(unreachable.address, preflight + b"\r\n\r\n").status == 204


def test_http_79_no_route(unreachable: Proxy) -> None:
    """http-79: a path that no route takes is 404, for a preflight too, and grants nothing."""
    for method in (b"GET", b"OPTIONS"):
        lines = b"Host: h\r\nAccess-Control-Request-Method: GET\r\n" + ORIGIN_LINE
        response = ask(unreachable.address, method + b" /nowhere HTTP/1.1\r\n" + lines + b"\r\n\r\n")
        assert response.status == 404
        assert response.values(b"Access-Control-Allow-Origin") == []


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of a small world: an authority, a server, a client, and a stranger."""

    ca: Path
    server: Path
    client: Path
    server_context: ssl.SSLContext


@pytest.fixture(scope="module", name="certificates")
def _certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    home = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(home / "ca.pem"))
    server = authority.issue_cert("billing.internal", "localhost")
    server.private_key_and_cert_chain_pem.write_to_path(str(home / "server.pem"))
    client = authority.issue_cert("corsproxy.client")
    client.private_key_and_cert_chain_pem.write_to_path(str(home / "client.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return Certificates(home / "ca.pem", home / "server.pem", home / "client.pem", context)


def test_tls_to_the_upstream(certificates: Certificates) -> None:
    """Own CA, server name and client certificate; without any of the first two the upstream is not believed."""
    names: list[str | None] = []

    def note_name(_sock: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        names.append(name)

    certificates.server_context.sni_callback = note_name
    with Upstream(tls=certificates.server_context) as upstream:
        ca, client = certificates.ca, certificates.client
        config = f"""
upstreams:
  good: {{url: "{upstream.url}", tls: {{ca: "{ca}", server_name: billing.internal}}}}
  client:
    url: "{upstream.url}"
    tls: {{ca: "{ca}", server_name: billing.internal, certificate: "{client}", private_key: "{client}"}}
  unverified: {{url: "{upstream.url}", tls: {{verify: false}}}}
  stranger: {{url: "{upstream.url}", tls: {{server_name: billing.internal}}}}
  misnamed: {{url: "{upstream.url}", tls: {{ca: "{ca}"}}}}
policies:
  app: {{allow_origins: ["https://app.example"]}}
routes:
  - {{path: /good, upstream: good, policy: app}}
  - {{path: /client, upstream: client, policy: app}}
  - {{path: /unverified, upstream: unverified, policy: app}}
  - {{path: /stranger, upstream: stranger, policy: app}}
  - {{path: /misnamed, upstream: misnamed, policy: app}}
"""
        with started(config, admin=True) as proxy:
            assert [ask(proxy.address, asking(path)).status for path in ("/good", "/good", "/client")] == [200] * 3
            assert ask(proxy.address, asking("/unverified")).status == 200
            served = len(upstream.connections)
            assert served == 3  # the second request to /good went over the same connection
            assert names[:2] == ["billing.internal", "billing.internal"]
            certified = [connection.socket.getpeercert() for connection in upstream.connections]  # type: ignore[attr-defined]
            assert [bool(certificate) for certificate in certified] == [False, True, False]
            for path in ("/stranger", "/misnamed"):
                response = ask(proxy.address, asking(path))
                assert response.status == 502
                assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
            assert proxy.metrics()['corsproxy_upstream_errors_total{kind="tls",upstream="stranger"}'] == 1
            assert "Traceback" not in proxy.stderr.text


def test_plain_http_where_tls_is_expected() -> None:
    """An upstream that speaks no TLS is 502."""

    def script(connection: Connection) -> None:
        connection.read_some()
        connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with (
        Upstream(script) as upstream,
        started(
            f'upstreams: {{up: "https://127.0.0.1:{upstream.port}"}}\nroutes: [{{path: /, upstream: up}}]\n'
        ) as proxy,
    ):
        assert ask(proxy.address, GET).status == 502


def test_the_https_listener(certificates: Certificates) -> None:
    """Clients over TLS: the upstream gets https in its fields, redirects are https, keep-alive and uploads work."""
    trusting = ssl.create_default_context(cafile=str(certificates.ca))
    big = b"x" * 3_000_000
    with Upstream.answering(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(big), big),
    ) as upstream:
        config = f"""
tls: {{certificate: "{certificates.server}", private_key: "{certificates.server}"}}
upstreams: {{up: "{upstream.url}"}}
routes: [{{path: /, upstream: up}}]
"""
        with started(config) as proxy, Client(proxy.address, tls=trusting) as client:
            assert proxy.url.startswith("https://")
            client.send(GET)
            assert client.read_response().status == 302
            client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(big), big))
            assert client.read_response().body == big
            assert [request.values(b"X-Forwarded-Proto") for request in upstream.requests] == [[b"https"], [b"https"]]
            assert [request.values(b"X-Forwarded-Port") for request in upstream.requests] == [[b"443"], [b"443"]]
            assert upstream.requests[1].body == big


def test_http_15_plain_http_on_the_https_listener(certificates: Certificates) -> None:
    """http-15: what is no TLS is closed without a word and without a fault."""
    config = f"""
tls: {{certificate: "{certificates.server}", private_key: "{certificates.server}"}}
upstreams: {{up: "http://127.0.0.1:1"}}
routes: [{{path: /, upstream: up}}]
"""
    with started(config) as proxy:
        with Client(proxy.address) as client:
            client.send(GET)
            client.read_to_end()
            assert client.ended is not None
        assert "Traceback" not in proxy.stderr.text


def test_unix_sockets_on_both_sides(tmp_path: Path) -> None:
    """A listener and an upstream on Unix sockets, with a base path behind the upstream's."""
    with Upstream(unix_path=tmp_path / "up.sock") as upstream:
        config = f"""
upstreams: {{up: "unix:{tmp_path}/up.sock:/base"}}
routes: [{{path: /, upstream: up}}]
"""
        with started(config, "--listen", f"unix:{tmp_path}/proxy.sock") as proxy:
            with Client(proxy.unix_path) as client:
                for _ in range(2):
                    client.send(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
                    assert client.read_response().status == 200
            first = upstream.requests[0]
            assert first.line == b"GET /base/x HTTP/1.1"
            assert first.values(b"Host") == [b"localhost"]
            assert first.values(b"X-Forwarded-For") == [b"unknown"]
            assert len(upstream.connections) == 1


def test_the_limit_of_clients() -> None:
    """`max_connections`: a client over the limit gets 503 and is closed; a freed place can be used again."""
    with (
        Upstream() as upstream,
        started(
            f'upstreams: {{up: "{upstream.url}"}}\nroutes: [{{path: /, upstream: up}}]\n'
            "limits: {max_connections: 2}\n",
            admin=True,
        ) as proxy,
    ):
        with Client(proxy.address) as first, Client(proxy.address) as second:
            for client in (first, second):
                client.send(GET)
                assert client.read_response().status == 200
            with Client(proxy.address) as third:
                turned_away = third.read_response()
                assert (turned_away.status, turned_away.values(b"Retry-After")) == (503, [b"1"])
                assert third.read_to_end() == b""
            first.send(GET)
            assert first.read_response().status == 200
        while proxy.metrics()["corsproxy_connections"]:
            pass
        assert ask(proxy.address, GET).status == 200


def test_dns_is_asked_anew_for_each_connection() -> None:
    """A name with two addresses, one of which refuses, is reached at the other (RFC 8305)."""
    with (
        Upstream() as upstream,
        started(
            f'upstreams: {{up: "http://localhost:{upstream.port}"}}\nroutes: [{{path: /, upstream: up}}]\n'
        ) as proxy,
    ):
        assert ask(proxy.address, GET).status == 200
        assert upstream.requests[0].values(b"Host") == [b"localhost:%d" % upstream.port]
