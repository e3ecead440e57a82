"""How long a client is waited for: for its head, for its next request, and for what it does with an answer.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import threading

from tests.proxy.bench import Bench, configuration
from tests.proxy.wire import GET
from tests.support.upstream import Connection

CONFIG = configuration(header_timeout="1s", idle_timeout="1s")


def wait_for_the_end(connection: Connection) -> None:
    """Read a request and never answer."""
    connection.read_request()
    connection.read_to_end()


def test_http_88_after_two_seconds_nobody_is_waited_for(bench: Bench) -> None:
    """http-88: a FIN and no answer for two seconds: the upstream's work is cancelled."""
    bench.script = wait_for_the_end
    with bench.client() as client:
        client.send(GET)
        client.finish_sending()
        assert client.read_to_end() == b""
    bench.upstream.wait_for(lambda: bench.connections[0].ended)


def test_http_88_a_download_outlives_the_two_seconds(bench: Bench) -> None:
    """http-88: a client that has stopped sending but takes what comes is there."""
    pause = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        for _ in range(9):
            connection.send(b"x")
            pause.wait(0.3)  # nine times this is more than the grace; each is less

    bench.script = script
    with bench.client() as client:
        client.send(GET)
        client.finish_sending()
        assert client.read_response().body == b"x" * 9


def test_http_89_a_head_that_never_ends(bench: Bench) -> None:
    """http-89: `header_timeout` is 408 for half a head, and a quiet end for nothing at all."""
    with bench.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\nX: ")
        assert client.read_response().status == 408
        assert client.read_to_end() == b""
    with bench.client() as client:
        assert client.read_to_end() == b""
        assert client.ended == "closed"


def test_http_89_a_head_that_comes_byte_by_byte(bench: Bench) -> None:
    """http-89: bytes that come do not prolong the time for a head."""
    pause = threading.Event()
    with bench.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\nX: ")
        client.socket.settimeout(0.05)
        received = b""
        for _ in range(100):
            client.send(b"a")
            try:
                received = client.socket.recv(65536)
                break
            except TimeoutError:
                pause.wait(0.01)
        assert received.startswith(b"HTTP/1.1 408 ")


def test_http_89_an_idle_connection_of_a_client(bench: Bench) -> None:
    """http-89, http-91: `idle_timeout` after an answer the connection ends without a word."""
    with bench.client() as client:
        client.send(GET)
        assert client.read_response().status == 200
        assert client.read_to_end() == b""
        assert client.ended == "closed"
