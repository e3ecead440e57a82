"""Protocol upgrades: an opaque tunnel after the upstream's own 101, the Origin of a WebSocket judged by the policy.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench, bench_for, configuration
from tests.proxy.wire import GET, Client
from tests.support.process import started
from tests.support.upstream import Connection, Script, Upstream

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}"}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true}}
  any: {{allow_origins: ["https://app.example"], websockets: any}}
  none: {{allow_origins: ["https://app.example"], websockets: off}}
routes:
  - {{path: /, upstream: up, policy: app}}
  - {{path: /any, upstream: up, policy: any}}
  - {{path: /off, upstream: up, policy: none}}
  - {{path: /bare, upstream: up}}
log: {{format: json}}
"""

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"


def handshake(*lines: bytes, path: bytes = b"/", upgrade: bytes = b"websocket") -> bytes:
    """Write the client's side of a WebSocket handshake."""
    own = (
        b"Host: h.example",
        b"Connection: keep-alive, Upgrade",
        b"Upgrade: " + upgrade,
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"Sec-WebSocket-Version: 13",
    )
    return b"GET %b HTTP/1.1\r\n" % path + b"".join(line + b"\r\n" for line in (*own, *lines)) + b"\r\n"


def switch(*lines: bytes, behind: bytes = b"") -> Script:
    """Make a script that switches and then sends back, upper case, whatever comes."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(SWITCHING + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + behind)
        while True:
            connection.send(connection.read_some().upper())

    return script


def test_http_92_the_handshake(bench: Bench) -> None:
    """http-92, http-94: the upstream sees one handshake, the client the upstream's own answer; then bytes pass."""
    bench.script = switch(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", b"Sec-WebSocket-Protocol: chat")
    offered = (b"Sec-WebSocket-Protocol: chat, superchat", b"Sec-WebSocket-Extensions: permessage-deflate")
    with bench.client() as client:
        client.send(handshake(b"Origin: https://app.example", *offered))
        head = client.read_head()
        assert head.status_line == b"HTTP/1.1 101 Switching Protocols"
        assert [line for line in head.lines if not line.startswith(b"Via:")] == [
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            b"Sec-WebSocket-Protocol: chat",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
        ]
        for data in (b"hello", b"GET / HTTP/1.1\r\n\r\n", bytes(range(32))):
            client.send(data)
            assert client.read_exactly(len(data)) == data.upper()
    request = bench.request
    assert request.values(b"Connection") == [b"Upgrade"]
    assert request.values(b"Upgrade") == [b"websocket"]
    assert request.values(b"Origin") == [b"https://app.example"]
    assert [b"%b: %b" % field for field in request.fields if field[0].startswith(b"Sec-")] == [
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"Sec-WebSocket-Version: 13",
        *offered,
    ]


def test_http_94_no_protocol_chosen(bench: Bench) -> None:
    """http-94: where the upstream chose none, no empty line says so; http-107: nothing of CORS is added."""
    bench.script = switch(b"Access-Control-Allow-Origin: *")
    with bench.client() as client:
        client.send(handshake(b"Origin: https://app.example"))
        head = client.read_head()
        assert head.status == 101
        assert head.values(b"Sec-WebSocket-Protocol") == []
        assert head.cors == []


def test_http_93_a_refused_handshake(bench: Bench) -> None:
    """http-93, http-99: the upstream's 403 comes with its content, and the connection carries another request."""
    bench.answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    with bench.client() as client:
        client.send(handshake())
        response = client.read_response()
        assert (response.status, response.body) == (403, b"no")
        client.send(GET)
        assert client.read_response().status == 403
        client.send(handshake() + GET)
        assert [client.read_response().status, client.read_response().status] == [403, 403]
    assert len(bench.requests) == 4


def test_http_96_bytes_behind_the_handshake(bench: Bench) -> None:
    """http-96: what either side sends in the same segment as its head reaches the other."""
    bench.script = switch(behind=b"early")
    with bench.client() as client:
        client.send(handshake() + b"abc")
        assert client.read_head().status == 101
        assert sorted(client.read_exactly(8)) == sorted(b"earlyABC")


@pytest.mark.parametrize("token", [b"h2c", b"foo", b"websocket, h2c", b"TLS/1.0"])
def test_http_97_other_protocols_are_not_asked_for(bench: Bench, token: bytes) -> None:
    """http-97: every token but websocket is stripped and the request is an ordinary one."""
    with bench.client() as client:
        client.send(handshake(upgrade=token))
        assert client.read_response().status == 200
        client.send(GET)
        assert client.read_response().status == 200
    assert bench.requests[0].values(b"Upgrade") == []
    assert bench.requests[0].values(b"Connection") == []


def test_http_97_a_request_behind_one_for_another_protocol(bench: Bench) -> None:
    """http-97: what follows an upgrade that is not asked for is a request, in the same segment too."""
    with bench.client() as client:
        client.send(handshake(upgrade=b"h2c") + GET)
        assert [client.read_response().status, client.read_response().status] == [200, 200]


@pytest.mark.parametrize(
    ("lines", "content"),
    [((b"Content-Length: 3",), b"abc"), ((b"Transfer-Encoding: chunked",), b"3\r\nabc\r\n0\r\n\r\n")],
)
def test_http_97_content_behind_one_for_another_protocol(
    bench: Bench, lines: tuple[bytes, ...], content: bytes
) -> None:
    """http-97: it is content, and what follows it is a request."""
    with bench.client() as client:
        client.send(handshake(*lines, upgrade=b"h2c") + content + GET)
        assert [client.read_response().status, client.read_response().status] == [200, 200]
    assert b"abc" in bench.requests[0].body
    assert bench.requests[1].line == b"GET / HTTP/1.1"


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        pytest.param(handshake(b"Content-Length: 3") + b"abc", b"abc", id="content"),
        pytest.param(handshake().replace(b"GET", b"POST"), b"", id="another method"),
        pytest.param(handshake(b"Upgrade: websocket"), b"", id="two lines of Upgrade"),
    ],
)
def test_http_97_no_proper_handshake(bench: Bench, sent: bytes, body: bytes) -> None:
    """http-97: an ordinary request, as RFC 6455 requires a GET and one protocol, and content would be a frame."""
    with bench.client() as client:
        client.send(sent + GET)
        assert [client.read_response().status, client.read_response().status] == [200, 200]
    assert bench.requests[0].values(b"Upgrade") == []
    assert bench.requests[0].body == body


@pytest.mark.parametrize("line", [b"Upgrade: other", b"Upgrade: websocket, other"])
def test_http_97_a_switch_to_another_protocol(bench: Bench, line: bytes) -> None:
    """http-97: a 101 to something else than was asked for is 502."""
    bench.answering_and_closing(b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\n" + line + b"\r\n\r\n")
    assert bench.ask(handshake()).status == 502


@pytest.mark.parametrize("side", ["client", "upstream"])
@pytest.mark.parametrize("how", ["closes", "resets"])
def test_http_98_one_side_ends_the_other(bench: Bench, side: str, how: str) -> None:
    """http-98: a tunnel that one side closes or resets is closed on the other, with what was sent before."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(SWITCHING + b"\r\n")
        if side == "client":
            connection.read_to_end()
        else:
            connection.read_until(b"go")
            if how == "closes":
                connection.send(b"last words")
                connection.close()
            else:
                connection.reset()

    bench.script = script
    with bench.client() as client:
        client.send(handshake())
        assert client.read_head().status == 101
        client.send(b"go")
        if side == "upstream":
            assert client.read_to_end() == (b"last words" if how == "closes" else b"")
            assert client.ended is not None
        else:
            bench.upstream.wait_for(lambda: bench.connections[0].received.endswith(b"go"))
            if how == "closes":
                client.send(b"last words")
                client.finish_sending()
                assert client.read_to_end() == b""
            else:
                client.reset()
    bench.upstream.wait_for(lambda: bench.connections[0].ended or side == "upstream")
    if side == "client" and how == "closes":
        assert bench.connections[0].received.endswith(b"golast words")
    bench.wait_idle()


def test_http_98_a_client_that_stopped_sending_before_the_switch(bench: Bench) -> None:
    """http-98: a FIN behind the handshake ends the tunnel like one that comes later."""
    bench.script = switch()
    with bench.client() as client:
        client.send(handshake())
        client.finish_sending()
        assert client.read_head().status == 101
        assert client.read_to_end() == b""
    bench.upstream.wait_for(lambda: bench.connections[0].ended)


def test_http_98_an_idle_tunnel_stays() -> None:
    """http-98: no limit of silence ends a tunnel: neither read_timeout, nor idle_timeout, nor header_timeout."""
    hasty = configuration(idle_timeout="600ms", header_timeout="600ms").replace(
        "read_timeout: 1m", "read_timeout: 300ms"
    )
    with bench_for(hasty) as bench, bench.client() as client:
        bench.script = switch()
        client.send(handshake())
        assert client.read_head().status == 101
        for _ in range(2):
            client.socket.settimeout(0.9)  # longer than each of them and the sweeper's interval
            with pytest.raises(TimeoutError):
                client.socket.recv(1)
            client.socket.settimeout(20)
            client.send(b"still here")
            assert client.read_exactly(10) == b"STILL HERE"


def test_a_slow_side_of_a_tunnel_holds_the_other_back(bench: Bench) -> None:
    """http-98: megabytes each way, read late, arrive whole and in order."""
    size = 8 * 1024 * 1024

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(SWITCHING + b"\r\n")
        assert connection.read_exactly(size) == b"u" * size
        connection.send(b"d" * size)
        connection.read_to_end()

    bench.script = script
    with bench.client() as client:
        client.send(handshake())
        assert client.read_head().status == 101
        client.send(b"u" * size)
        bench.wait_metrics(lambda m: m["corsproxy_requests_in_flight"] == 1)
        assert client.read_exactly(size) == b"d" * size


def test_http_98_a_stop_closes_tunnels() -> None:
    """http-98: a stop does not wait for tunnels: both ends are closed, and the exit status is 0."""
    with Upstream(switch()) as upstream:
        config = f'upstreams: {{up: "{upstream.url}"}}\nroutes: [{{path: /, upstream: up}}]\n'
        with started(config) as proxy, Client(proxy.address) as client:
            client.send(handshake())
            assert client.read_head().status == 101
            assert proxy.stop() == 0
            assert client.read_to_end() == b""
            upstream.wait_for(lambda: upstream.connections[0].ended)


ORIGINS = [
    pytest.param(b"/", [], 101, id="no Origin"),
    pytest.param(b"/", [b"Origin: https://app.example"], 101, id="an origin the policy allows"),
    pytest.param(b"/", [b"Origin: http://h.example"], 101, id="the same origin as Host"),
    pytest.param(b"/", [b"Origin: https://evil.example"], 403, id="another origin"),
    pytest.param(b"/", [b"Origin: null"], 403, id="null"),
    pytest.param(b"/", [b"Origin: https://app.example", b"Origin: https://app.example"], 403, id="two origins"),
    pytest.param(b"/any", [b"Origin: https://evil.example"], 101, id="any: another origin"),
    pytest.param(b"/off", [b"Origin: https://app.example"], 403, id="off: an origin the policy allows"),
    pytest.param(b"/off", [], 403, id="off: no Origin"),
    pytest.param(b"/bare", [b"Origin: https://app.example"], 403, id="no policy: another origin"),
    pytest.param(b"/bare", [b"Origin: http://h.example"], 101, id="no policy: the same origin as Host"),
]


@pytest.mark.parametrize(("path", "lines", "status"), ORIGINS)
def test_http_92_the_origin_of_a_websocket(bench: Bench, path: bytes, lines: list[bytes], status: int) -> None:
    """http-92: browsers do not keep pages from opening WebSockets to anyone: the server alone can."""
    bench.script = switch()
    with bench.client() as client:
        client.send(handshake(*lines, path=path))
        assert client.read_head().status == status
    assert len(bench.requests) == (status == 101)
