"""`Expect: 100-continue` (http-47): the upstream's word is the client's; ours is said only for one that is silent."""

from __future__ import annotations

import threading

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import GET
from tests.support.upstream import OK, Connection, PeerEndedError

EXPECTING = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSED = b"HTTP/1.1 413 Too much\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much"


def keep(connection: Connection, heads: list[bytes]) -> None:
    """Read a head, and remember it."""
    heads.append(connection.read_head().head)


def test_the_upstreams_100_is_the_clients(bench: Bench) -> None:
    """The expectation is forwarded unchanged, no content before the 100, which is forwarded with its fields."""
    heads: list[bytes] = []

    def script(connection: Connection) -> None:
        keep(connection, heads)
        assert connection.received.endswith(b"\r\n\r\n")
        connection.send(b"HTTP/1.1 100 Go on\r\nX-Hint: a\r\n\r\n")
        assert connection.read_exactly(5) == b"hello"
        connection.send(OK)

    bench.script = script
    with bench.client() as client:
        client.send(EXPECTING)
        interim = client.read_head()
        assert (interim.status_line, interim.values(b"X-Hint")) == (b"HTTP/1.1 100 Go on", [b"a"])
        client.send(b"hello")
        assert client.read_response().body == b"ok"
    assert heads[0].count(b"\r\nExpect: 100-Continue\r\n") == 1


def test_a_final_answer_comes_instead_of_100(bench: Bench) -> None:
    """A refusal reaches a client that has sent nothing yet, and no 100 does."""

    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(REFUSED)

    bench.script = script
    with bench.client() as client:
        client.send(EXPECTING)
        response = client.read_head()
        assert (response.status, client.read_exactly(8)) == (413, b"too much")
        assert response.values(b"Connection") == [b"close"]
        assert client.read_to_end() == b""


def test_silence_is_no_refusal(bench: Bench) -> None:
    """An upstream that knows nothing of Expect gets the content after a second, and its later 100 is dropped."""

    def script(connection: Connection) -> None:
        connection.read_head()
        assert connection.read_exactly(5) == b"hello"
        connection.send(CONTINUE + b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + OK)

    bench.script = script
    with bench.client() as client:
        client.send(EXPECTING)
        assert client.read_head().status_line == b"HTTP/1.1 100 Continue"
        client.send(b"hello")
        assert [client.read_head().status, client.read_response().status] == [103, 200]


def test_a_100_to_a_client_that_did_not_wait(bench: Bench) -> None:
    """Head and content that are here together leave in one write; nothing else is said before the answer."""
    pieces: list[bytes] = []

    def script(connection: Connection) -> None:
        pieces.append(connection.read_some())
        connection.send(CONTINUE + CONTINUE + OK)

    bench.script = script
    with bench.client() as client:
        client.send(EXPECTING + b"hello")
        assert [client.read_head().status, client.read_response().status] == [100, 200]
    assert pieces[0].endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("chunks", [b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n"])
def test_chunks_that_are_here_leave_with_the_head(bench: Bench, chunks: bytes) -> None:
    """Whole or begun, in the same write."""
    pieces: list[bytes] = []

    def script(connection: Connection) -> None:
        pieces.append(connection.read_some())
        connection.send(OK)

    bench.script = script
    with bench.client() as client:
        client.send(b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert client.read_head().status == 200
    assert pieces[0].endswith(b"\r\n\r\n" + chunks)


def test_a_100_for_nobody(bench: Bench) -> None:
    """A client that did not ask for 100 gets none."""
    bench.answering(CONTINUE + OK)
    with bench.client() as client:
        client.send(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
        assert client.read_head().status == 200
    assert bench.request.values(b"Expect") == []


def test_an_upstream_of_http_1_0_is_told_nothing(bench: Bench) -> None:
    """RFC 9110 section 10.1.1: the next hop does not support 100, so the proxy sends it at once."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")

    bench.script = script
    with bench.client() as client:
        client.send(GET)
        assert client.read_response().status == 200
        client.send(EXPECTING)
        assert client.read_head().status == 100
        client.send(b"hello")
        assert client.read_response().status == 200
    assert bench.requests[1].values(b"Expect") == []


@pytest.mark.parametrize("at_once", [True, False], ids=["content at once", "content after 100"])
def test_a_server_that_refuses_and_closes_on_a_warm_connection(bench: Bench, at_once: bool) -> None:
    """WEBrick answers a PUT whose Expect it refuses, and closes without reading the content: the answer stays whole."""
    body = b"no uploads here " * 2000

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(OK)
        connection.read_head()
        connection.send(b"HTTP/1.1 417 No\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))

    for _ in range(10):
        bench.settle()
        bench.script = script
        with bench.client() as client:
            client.send(GET)
            assert client.read_response().status == 200
            head = b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\nExpect: 100-continue\r\n\r\n"
            client.send(head + (b"x" * 50_000 if at_once else b""))
            response = client.read_response()
            assert (response.status, response.body) == (417, body)
        assert len(bench.connections) == 1


def test_no_100_after_a_client_that_begins_by_itself(bench: Bench) -> None:
    """Content has arrived: no 100 is needed, however long the upstream is silent."""

    def script(connection: Connection) -> None:
        connection.read_head()
        try:
            connection.read_exactly(5)
        except PeerEndedError:
            return
        connection.send(OK)

    bench.script = script
    quiet = threading.Event()  # never set: time passes
    with bench.client() as client:
        client.send(EXPECTING + b"he")
        bench.upstream.wait_for(lambda: bench.connections and bench.connections[0].received.endswith(b"he"))
        assert not quiet.wait(1.5)
        client.send(b"llo")
        assert client.read_head().status == 200
