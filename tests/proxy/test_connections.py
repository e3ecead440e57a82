"""Connections on both sides: when they are used again, when they are not, and what a lost one means.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import contextlib
import threading

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import GET
from tests.support.upstream import OK, Connection

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}", connect_timeout: 1m, response_timeout: 1m, keepalive_timeout: 1m}}
  brief: {{url: "{upstream}", keepalive_timeout: 300ms}}
  single: {{url: "{upstream}", max_connections: 1, connect_timeout: 300ms, response_timeout: 1m}}
  queue: {{url: "{upstream}", max_connections: 1, connect_timeout: 1m, keepalive_timeout: 1m}}
  never: {{url: "{upstream}", max_connections: 1, connect_timeout: 1m, keepalive_timeout: 0}}
  aging: {{url: "{upstream}", max_connections: 1, max_connection_age: 500ms, keepalive_timeout: 1m}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true}}
routes:
  - {{path: /, upstream: up, policy: app}}
  - {{path: /brief, upstream: brief}}
  - {{path: /single, upstream: single, policy: app}}
  - {{path: /queue, upstream: queue}}
  - {{path: /never, upstream: never}}
  - {{path: /aging, upstream: aging}}
limits: {{header_timeout: 1m, body_timeout: 1m, idle_timeout: 1m}}
log: {{format: json}}
"""

POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok"


def request_to(path: bytes, *lines: bytes) -> bytes:
    """Write a GET."""
    return b"GET %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (path, b"".join(line + b"\r\n" for line in lines))


def test_a_connection_to_the_upstream_is_used_again(bench: Bench) -> None:
    """http-49: one connection carries the requests of several clients, one after the other."""
    for _ in range(5):
        assert bench.ask(GET).status == 200
    assert [len(connection.requests) for connection in bench.connections] == [5]


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_is_not_to_be_kept_is_not_used_again(bench: Bench, response: bytes) -> None:
    """An upstream that says close, or speaks HTTP/1.0, gets a new connection for the next request."""
    bench.answering(response)
    for _ in range(2):
        assert bench.ask(GET).body == b"ok"
    assert [len(connection.requests) for connection in bench.connections] == [1, 1]


def test_an_idle_connection_expires(bench: Bench) -> None:
    """`keepalive_timeout`: a connection that was idle so long is closed, and never used again."""
    assert bench.ask(request_to(b"/brief")).status == 200
    bench.upstream.wait_for(lambda: bench.connections[0].ended)
    assert bench.ask(request_to(b"/brief")).status == 200
    assert len(bench.connections) == 2


@pytest.mark.parametrize(
    "unsolicited",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil2",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"\x00",
        b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
    ],
)
def test_http_83_nothing_unsolicited_reaches_another_client(bench: Bench, unsolicited: bytes) -> None:
    """http-83: an idle connection with unsolicited bytes is closed; the next request gets its own response."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst")
        connection.send(unsolicited)
        connection.read_to_end()

    bench.script = script
    for _ in range(3):
        assert bench.ask(GET).body == b"first"
        bench.upstream.wait_for(lambda: bench.connections[-1].ended)
    assert [len(connection.requests) for connection in bench.connections] == [1, 1, 1]


def close_on_second(connection: Connection) -> None:
    """Answer the first request, read the second and close without a word."""
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    connection.read_request()


def test_http_81_a_post_is_never_sent_twice(bench: Bench) -> None:
    """http-81: a reused connection that dies under a POST is 502, and the upstream saw it once."""
    bench.script = close_on_second
    assert bench.ask(GET).status == 200
    response = bench.ask(POST.replace(b"Content", b"Origin: https://app.example\r\nContent"))
    assert response.status == 502
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    assert [request.line for request in bench.requests] == [b"GET / HTTP/1.1", b"POST / HTTP/1.1"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"PATCH / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok",
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok",
        b"PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
def test_http_82_content_is_never_replayed(bench: Bench, request_bytes: bytes) -> None:
    """http-81, http-82: neither a method that is not idempotent nor a request with content is sent a second time."""
    bench.script = close_on_second
    assert bench.ask(GET).status == 200
    assert bench.ask(request_bytes).status == 502
    assert len(bench.requests) == 2


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE", b"OPTIONS"])
def test_http_81_an_idempotent_request_is_sent_again_once(bench: Bench, method: bytes) -> None:
    """http-81: on a reused connection that was dead; on a new one never."""
    bench.script = close_on_second
    assert bench.ask(GET).status == 200
    assert bench.ask(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n").status == 200
    assert [len(connection.requests) for connection in bench.connections] == [2, 1]

    bench.settle()
    bench.script = read_and_close
    assert bench.ask(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n").status == 502
    assert len(bench.requests) == 1


def read_and_close(connection: Connection) -> None:
    """Read a request and close without a word."""
    connection.read_request()


def test_http_81_half_an_answer_is_no_reason_to_ask_again(bench: Bench) -> None:
    """http-81: once a byte of a response has arrived, the request was received."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(OK)
        connection.read_request()
        connection.send(b"HTTP/1.1 2")

    bench.script = script
    assert [bench.ask(GET).status, bench.ask(GET).status] == [200, 502]
    assert len(bench.requests) == 2


def test_http_80_a_full_pool_is_503(bench: Bench) -> None:
    """http-80: a request that waits longer than `connect_timeout` for a connection gets Retry-After."""
    release = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        assert release.wait(20)
        connection.send(OK)

    bench.script = script
    with bench.client() as first:
        first.send(request_to(b"/single"))
        bench.upstream.wait_for(lambda: bench.requests)
        full = bench.ask(request_to(b"/single", b"Origin: https://app.example"))
        assert (full.status, full.values(b"Retry-After")) == (503, [b"1"])
        assert full.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
        release.set()
        assert first.read_response().status == 200
    assert len(bench.requests) == 1


def test_a_queue_is_served_in_order_over_one_connection(bench: Bench) -> None:
    """`max_connections`: those who wait get the connection as it comes back, the longest wait first."""
    clients = [bench.client() for _ in range(10)]
    release = threading.Event()

    def script(connection: Connection) -> None:
        while True:
            request = connection.read_request()
            assert release.wait(20)
            name = request.line.split()[1]
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))

    bench.script = script
    for number, client in enumerate(clients):
        client.send(request_to(b"/queue/%d" % number))
        bench.wait_in_flight(number + 1)
    release.set()
    for number, client in enumerate(clients):
        assert client.read_response().body == b"/queue/%d" % number
        client.socket.close()
    assert [request.line.split()[1] for request in bench.requests] == [b"/queue/%d" % number for number in range(10)]
    assert len(bench.connections) == 1


def test_no_connection_is_used_again_with_a_keepalive_of_0(bench: Bench) -> None:
    """`keepalive_timeout: 0`: no connection carries a second request, not even a waiting one."""
    clients = [bench.client() for _ in range(6)]
    for client in clients:
        client.send(request_to(b"/never"))
    for client in clients:
        assert client.read_response().status == 200
        client.socket.close()
    assert bench.ask(request_to(b"/never")).status == 200
    assert [len(connection.requests) for connection in bench.connections] == [1] * 7


def test_a_connection_grows_old(bench: Bench) -> None:
    """`max_connection_age`: then it is closed, however busy it was, and a new one is dialled, where the name is now."""
    with bench.client() as client:
        while len(bench.connections) < 3:
            client.send(request_to(b"/aging"))
            assert client.read_response().status == 200
    assert len(bench.connections[0].requests) > 1
    bench.upstream.wait_for(lambda: bench.connections[1].ended)


def test_a_place_in_the_queue_is_given_up_with_the_client(bench: Bench) -> None:
    """http-87: a client that leaves while it waits does not use up a connection."""
    release = threading.Event()

    def script(connection: Connection) -> None:
        while True:
            connection.read_request()
            assert release.wait(20)
            connection.send(OK)

    bench.script = script
    with bench.client() as first, bench.client() as last:
        first.send(request_to(b"/queue/1"))
        bench.upstream.wait_for(lambda: bench.requests)
        for _ in range(5):
            gone = bench.client()
            gone.send(request_to(b"/queue/gone"))
            bench.wait_in_flight(2)
            gone.reset()
            bench.wait_in_flight(1)
        last.send(request_to(b"/queue/2"))
        bench.wait_in_flight(2)
        release.set()
        assert [first.read_response().status, last.read_response().status] == [200, 200]
    assert [request.line.split()[1] for request in bench.requests] == [b"/queue/1", b"/queue/2"]


UPLOAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"


@pytest.mark.parametrize("request_bytes", [GET, POST, UPLOAD], ids=["GET", "POST", "upload"])
def test_http_85_a_client_that_resets_cancels_the_upstream_s_work(bench: Bench, request_bytes: bytes) -> None:
    """http-85, http-86, http-87: the upstream's connection is closed at once, and no end of content is made up."""
    bench.script = read_head_and_end
    with bench.client() as client:
        client.send(request_bytes)
        bench.upstream.wait_for(lambda: bench.connections and b"\r\n\r\n" in bench.connections[0].received)
        client.reset()
    bench.upstream.wait_for(lambda: bench.connections[0].ended)
    bench.wait_idle()


@pytest.mark.parametrize(
    ("request_bytes", "more"),
    [
        pytest.param(GET, GET * 2000, id="behind so many requests that no more are read"),
        pytest.param(UPLOAD, b"4000\r\n" + b"x" * 0x4000 + b"\r\n", id="with more content than the upstream takes"),
    ],
)
def test_http_85_a_client_that_resets_while_it_is_held_back(bench: Bench, request_bytes: bytes, more: bytes) -> None:
    """http-85: it is not being read, and missed all the same."""
    over = threading.Event()

    def read_head_and_wait(connection: Connection) -> None:
        connection.read_head()
        assert over.wait(60)
        connection.read_to_end()

    bench.script = read_head_and_wait
    with bench.client() as client:
        client.send(request_bytes)
        bench.upstream.wait_for(lambda: bench.connections and b"\r\n\r\n" in bench.connections[0].received)
        client.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            for _ in range(4000):  # until nobody takes any more
                client.socket.sendall(more)
        client.reset()
    bench.wait_idle()
    over.set()


def read_head_and_end(connection: Connection) -> None:
    """Read a head, then wait for the end."""
    connection.read_head()
    connection.read_to_end()


def test_http_86_an_upload_that_breaks_off_stays_broken(bench: Bench) -> None:
    """http-86: a client that closes in the middle of chunks leaves the upstream without a last chunk."""
    bench.script = read_head_and_end
    with bench.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        bench.upstream.wait_for(lambda: bench.connections and bench.connections[0].received.endswith(b"abc\r\n"))
    bench.upstream.wait_for(lambda: bench.connections[0].ended)
    assert bench.connections[0].received.endswith(b"3\r\nabc\r\n")


def test_http_85_a_client_that_goes_during_a_response(bench: Bench) -> None:
    """http-85: the upstream is not read to the end without a client."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nabc")
        connection.read_to_end()

    bench.script = script
    with bench.client() as client:
        client.send(GET)
        client.read_until(b"abc")
    bench.upstream.wait_for(lambda: bench.connections[0].ended)
    bench.wait_idle()


def test_http_88_a_client_that_has_only_stopped_sending_is_answered(bench: Bench) -> None:
    """http-88: a request and a FIN behind it get their answer, though it takes a moment."""
    half_closed = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        assert half_closed.wait(20)
        connection.send(OK)

    bench.script = script
    for request_bytes in (GET, POST):
        half_closed.clear()
        with bench.client() as client:
            client.send(request_bytes)
            client.finish_sending()
            bench.upstream.wait_for(lambda: bench.requests)
            half_closed.set()
            assert client.read_response().body == b"ok"
            assert client.read_to_end() == b""
        bench.settle()
        bench.script = script


def test_http_88_pipelined_requests_before_a_fin(bench: Bench) -> None:
    """http-88: all of them are answered."""
    with bench.client() as client:
        client.send(GET * 3)
        client.finish_sending()
        assert [client.read_response().status for _ in range(3)] == [200] * 3
        assert client.read_to_end() == b""


def test_http_90_content_nobody_wants_is_read_for_a_while(bench: Bench) -> None:
    """http-90: an early answer is not lost in a reset, though the client goes on sending."""
    with bench.client() as client:
        client.send(b"POST /public/../single HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n")
        client.send(b"x" * 2_000_000)
        response = client.read_response()
        assert (response.status, response.values(b"Connection")) == (400, [b"close"])
        assert client.read_to_end() == b""
        assert client.ended == "closed"


def test_http_91_close_is_said_and_done(bench: Bench) -> None:
    """http-91: a client that says `Connection: close` gets it back and the connection ends."""
    with bench.client() as client:
        client.send(request_to(b"/", b"Connection: close"))
        response = client.read_response()
        assert (response.status, response.values(b"Connection")) == (200, [b"close"])
        assert client.read_to_end() == b""


def test_many_clients_at_once(bench: Bench) -> None:
    """Answers are never mixed up between connections."""

    def script(connection: Connection) -> None:
        while True:
            name = connection.read_request().line.split()[1]
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))

    bench.script = script
    clients = [bench.client() for _ in range(50)]
    for round_number in range(4):
        for number, client in enumerate(clients):
            client.send(request_to(b"/%d/%d" % (number, round_number)))
        for number, client in enumerate(clients):
            assert client.read_response().body == b"/%d/%d" % (number, round_number)
    for client in clients:
        client.socket.close()
