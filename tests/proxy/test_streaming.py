"""Content on its way: at once, in both directions at the same time, the slower side holding the faster one back.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import socket
import threading
from functools import partial
from pathlib import Path

import pytest

from tests.proxy.bench import Bench, bench_for, configuration
from tests.proxy.wire import GET
from tests.support.upstream import Connection

COLLECTED = b"x" * 65536
"""As much of longer content is waited for before it goes on."""

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}", response_timeout: 1m, read_timeout: 1m}}
  hasty: {{url: "{upstream}", response_timeout: 300ms, read_timeout: 1m}}
  brief: {{url: "{upstream}", response_timeout: 1m, read_timeout: 300ms}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true}}
routes:
  - {{path: /, upstream: up, policy: app}}
  - {{path: /hasty, upstream: hasty, policy: app}}
  - {{path: /brief, upstream: brief, policy: app}}
limits: {{body_timeout: 1m, header_timeout: 1m}}
log: {{format: json}}
"""

POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
MIB = 1024 * 1024


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


class Turns:
    """Two sides that wait for each other: no time is involved."""

    def __init__(self) -> None:
        self._semaphore = threading.Semaphore(0)

    def give(self) -> None:
        """Let the other side go on."""
        self._semaphore.release()

    def take(self) -> None:
        """Wait for the other side."""
        assert self._semaphore.acquire(timeout=20)


@pytest.mark.parametrize("accept", [b"", b"Accept-Encoding: gzip, deflate, br\r\n"])
def test_http_76_events_arrive_as_they_are_sent(bench: Bench, accept: bytes) -> None:
    """http-76: each event is at the client before the next is sent; nothing is compressed."""
    turns = Turns()

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            event = b"data: %d\n\n" % number
            connection.send(b"%x\r\n%b\r\n" % (len(event), event))
            turns.take()
        connection.send(b"0\r\n\r\n")

    bench.script = script
    with bench.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n" + accept + b"\r\n")
        assert client.read_head().values(b"Content-Encoding") == []
        for number in range(5):
            assert client.read_until(b"\n\n\r\n") == b"9\r\ndata: %d\n\n\r\n" % number
            turns.give()
        assert client.read_exactly(5) == b"0\r\n\r\n"


def test_the_head_does_not_wait_for_content(bench: Bench) -> None:
    """http-76: a head without content yet is at the client before the content is made."""
    turns = Turns()

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        turns.take()
        connection.send(b"ok")

    bench.script = script
    with bench.client() as client:
        client.send(GET)
        assert client.read_head().status == 200
        turns.give()
        assert client.read_exactly(2) == b"ok"


def test_request_content_does_not_wait(bench: Bench) -> None:
    """http-78: the upstream has each piece before the client sends the next, lengths and chunks alike."""
    bench.script = ack_pieces
    for head, frame in (
        (b"Content-Length: %d\r\n\r\n" % (len(COLLECTED) + 15) + COLLECTED, b"%b"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n%b\r\n"),
    ):
        with bench.client() as client:
            client.send(POST + head)
            for number in range(3):
                client.send(frame % (b"piec%d" % number))
                bench.upstream.wait_for(partial(has_received, bench, b"piec%d" % number))
            if b"chunked" in head:
                client.send(b"0\r\n\r\n")
            assert client.read_response().body == b"done"
        bench.settle()
        bench.script = ack_pieces


def has_received(bench: Bench, data: bytes) -> bool:
    """Return whether the upstream has these bytes on its newest connection."""
    return bool(bench.connections) and data in bench.connections[-1].received


def ack_pieces(connection: Connection) -> None:
    """Read a request as it comes and answer."""
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")


def test_both_directions_at_once(bench: Bench) -> None:
    """http-75: an upstream that answers while it reads is relayed both ways at the same time."""

    def echo(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            size = int(connection.read_until(b"\r\n"), 16)
            piece = connection.read_exactly(size + 2)[:-2]
            connection.send(b"%x\r\n%b\r\n" % (size, piece.upper()))
        connection.read_until(b"0\r\n\r\n")
        connection.send(b"0\r\n\r\n")

    bench.script = echo
    with bench.client() as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert client.read_head().status == 200
        for number in range(5):
            client.send(b"2\r\na%d\r\n" % number)
            assert client.read_until(b"A%d\r\n" % number).endswith(b"A%d\r\n" % number)
        client.send(b"0\r\n\r\n")
        assert client.read_exactly(5) == b"0\r\n\r\n"


@pytest.mark.parametrize("closes", [True, False], ids=["and closes", "and keeps reading nothing"])
def test_http_75_an_answer_before_the_upload_is_over(bench: Bench, closes: bool) -> None:
    """http-75, http-90: the client has the 413 at once, the upload stops, and its connection ends."""
    answered = threading.Event()

    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        if not closes:
            assert answered.wait(20)

    bench.script = script
    with bench.client() as client:
        client.send(POST + b"Content-Length: 50000000\r\n\r\n" + b"a" * 100_000)
        response = client.read_response()
        answered.set()
        assert (response.status, response.body) == (413, b"big")
        assert response.values(b"Connection") == [b"close"]
        client.send(b"a" * 1_000_000)  # goes nowhere, but does not reset what was answered
        assert client.read_to_end() == b""
        assert client.ended == "closed"
    assert len(bench.connections) == 1


def test_http_75_an_answer_is_not_lost_in_the_upstream_s_reset(bench: Bench) -> None:
    """http-75: an upstream that answers and closes with content unread resets the connection the proxy writes to."""

    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")

    bench.script = script
    upload = b"x" * 5_000_000
    for _ in range(30):
        with bench.client() as client:
            client.send(POST + b"Content-Length: 5000000\r\n\r\n")
            sending = threading.Thread(target=client.send, args=(upload,))
            sending.start()
            assert client.read_response().status == 413
            client.socket.shutdown(socket.SHUT_RDWR)
            sending.join()


def test_http_77_a_slow_client_holds_the_upstream_back(bench: Bench) -> None:
    """http-77: of a large response little is read ahead, and all of it arrives in the end."""
    size = 64 * MIB
    sent = [0]
    piece = b"x" * 65536

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent[0] < size:
            connection.send(piece)
            sent[0] += len(piece)

    bench.script = script
    with bench.client(receive_buffer=4096) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.read_head().status == 200
        before = resident(bench.proxy.pid)
        client.read_exactly(MIB)
        # Kernel buffers of three sockets and the proxy's own; far from the whole.
        assert sent[0] < 40 * MIB
        assert resident(bench.proxy.pid) - before < 8 * MIB
        left = size - MIB
        while left:
            left -= len(client.read_exactly(min(left, MIB)))
    assert sent[0] == size


def test_http_78_a_slow_upstream_holds_the_client_back(bench: Bench) -> None:
    """http-78: of a large upload little is read ahead, and all of it arrives in the end."""
    size = 64 * MIB
    go_on = threading.Event()
    taken = [0]

    def script(connection: Connection) -> None:
        connection.read_head()
        assert go_on.wait(20)
        while taken[0] < size:
            taken[0] += len(connection.read_some())
            connection.forget()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    bench.script = script
    with bench.client() as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % size + COLLECTED)
        bench.upstream.wait_for(lambda: bench.connections)
        before = resident(bench.proxy.pid)
        client.socket.setblocking(False)
        sent = len(COLLECTED)
        refused = 0
        while refused < 50 and sent < size:  # until neither kernel nor proxy takes more
            try:
                sent += client.socket.send(b"x" * 65536)
                refused = 0
            except BlockingIOError:
                refused += 1
                bench.proxy.metrics()  # gives the proxy its turn
        assert sent < 40 * MIB
        assert resident(bench.proxy.pid) - before < 8 * MIB
        go_on.set()
        client.socket.settimeout(20)
        while sent < size:
            client.send(b"x" * min(MIB, size - sent))
            sent += min(MIB, size - sent)
        assert client.read_response().body == b"ok"


def test_a_client_that_never_reads_gets_no_further_answer(bench: Bench) -> None:
    """http-77: pipelined requests are not answered into memory without bound, be each answer ever so small."""
    body = b"x" * 30_000
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    before = resident(bench.proxy.pid)
    with bench.client(receive_buffer=4096) as client:
        client.send(GET * 2000)
        answered, unchanged = 0, 0
        while unchanged < 30:
            bench.proxy.metrics()  # gives the proxy its turn
            unchanged = unchanged + 1 if len(bench.requests) == answered else 0
            answered = len(bench.requests)
        assert answered < 1000
        assert resident(bench.proxy.pid) - before < 16 * MIB


def test_silence_inside_a_response(bench: Bench) -> None:
    """`read_timeout` is the longest silence: then the response is cut, and the client sees that."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        connection.read_to_end()

    bench.script = script
    with bench.client() as client:
        client.send(b"GET /brief HTTP/1.1\r\nHost: h\r\n\r\n")
        response = client.read_response()
    assert (response.status, response.body, response.whole) == (200, b"ab", False)


def test_silence_before_a_response(bench: Bench) -> None:
    """http-80: `response_timeout` is 504, and the upstream's connection is closed."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.read_to_end()

    bench.script = script
    fields = b"Host: h\r\nOrigin: https://app.example\r\nX-Request-Id: silent-1\r\n"
    response = bench.ask(b"GET /hasty HTTP/1.1\r\n" + fields + b"\r\n")
    assert response.status == 504
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    line = bench.logged("silent-1")
    assert (line["error"], line["upstream_status"]) == ("response_timeout", None)
    assert line["upstream_ms"] >= 300, "until the failure"
    bench.upstream.wait_for(lambda: bench.connections[0].ended)


def test_silence_after_content_that_came_in_pieces(bench: Bench) -> None:
    """http-80: `response_timeout` runs from the last byte of a request that was streamed, too."""
    bench.script = read_to_the_end
    with bench.client() as client:
        client.send(POST.replace(b"/", b"/hasty", 1) + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        bench.upstream.wait_for(partial(has_received, bench, b"1\r\na\r\n"))
        client.send(b"0\r\n\r\n")
        assert client.read_response().status == 504


def test_http_89_silence_inside_a_request() -> None:
    """http-89: `body_timeout` is 408, and the upstream sees the request cut."""
    with bench_for(configuration(body_timeout="500ms")) as bench, bench.client() as client:
        bench.script = read_to_the_end
        client.send(POST + b"Content-Length: %d\r\n\r\n" % (len(COLLECTED) + 5) + COLLECTED + b"ab")
        response = client.read_response()
        assert (response.status, response.values(b"Connection")) == (408, [b"close"])
        client.finish_sending()
        assert client.read_to_end() == b""
        bench.upstream.wait_for(lambda: bench.connections[0].ended)
        assert bench.connections[0].received.endswith(b"xab")
        # Of small content the upstream sees nothing.
        bench.settle()
        assert bench.ask(POST + b"Content-Length: 5\r\n\r\nab").status == 408
        assert bench.connections == []


def read_to_the_end(connection: Connection) -> None:
    """Take everything and answer nothing."""
    connection.read_to_end()


def test_slow_content_that_goes_on_is_no_time_out() -> None:
    """http-89: time counts from the last piece of content, not from the first."""
    step = threading.Event()
    with bench_for(configuration(body_timeout="2s")) as bench, bench.client() as client:
        bench.script = ack_pieces
        client.send(POST + b"Content-Length: 6\r\n\r\n")
        for _ in range(6):
            client.send(b"x")
            step.wait(0.4)  # six times this is more than the limit; each is less
        assert client.read_response().body == b"done"


def test_http_79_answers_of_the_proxy_itself_carry_the_grant(bench: Bench) -> None:
    """http-79: a browser may read why there is no answer."""
    bench.answering_and_closing(b"")
    response = bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n")
    assert response.status == 502
    assert response.cors == [
        b"Access-Control-Allow-Credentials: true",
        b"Access-Control-Allow-Origin: https://app.example",
        b"Vary: Origin",
    ]
