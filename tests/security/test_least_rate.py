"""Who moves less than `min_rate` is ended, uploads with 408 if nothing was sent; a quiet stream or tunnel never is."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.proxy.bench import Bench, configuration
from tests.proxy.wire import GET, Response
from tests.support.upstream import Connection

CONFIG = configuration(body_timeout="5s", min_rate="100")
"""The window is 10 s, the least there is."""

DONE = threading.Event()

SECONDS = 13
"""Longer than the window, and than it takes the proxy to look at its end."""

HANDSHAKE = (
    b"GET /tunnel HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def play(connection: Connection) -> None:
    """Serve each of the paths below."""
    request = connection.read_head()
    match request.line.split(b" ")[1]:
        case b"/download" | b"/unread":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n")
            connection.send(b"x" * 40_000_000)  # until the proxy hangs up
            connection.read_to_end()
        case b"/quiet":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            while not DONE.wait(1):
                connection.send(b": still here\n\n")
        case b"/tunnel":
            connection.send(b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            while not DONE.wait(1):
                connection.send(b"x")
        case _:
            connection.read_to_end()


def drip(bench: Bench, head: bytes, piece: bytes) -> tuple[Response, float]:
    """Send a piece each half second until there is an answer; return it, and how long that took."""
    began = time.monotonic()
    with bench.client() as client:
        client.send(head)
        client.socket.settimeout(0.5)
        while True:
            client.send(piece)
            try:
                client.received += client.socket.recv(65536)
                break
            except TimeoutError:
                assert time.monotonic() - began < 40
        client.socket.settimeout(20)
        return client.read_response(), time.monotonic() - began


def download(bench: Bench) -> float:
    """Ask for much and read nothing; return when the proxy has given up."""
    began = time.monotonic()
    with bench.client(receive_buffer=4096) as client:
        client.send(b"GET /unread HTTP/1.1\r\nHost: h\r\nX-Request-Id: unread\r\n\r\n")
        bench.upstream.wait_for(lambda: any(b"/unread" in one.received for one in bench.connections))
        (connection,) = [one for one in bench.connections if b"/unread" in one.received]
        bench.upstream.wait_for(lambda: connection.ended, timeout=40)
        return time.monotonic() - began


def read_slowly(bench: Bench) -> int:
    """Ask for much and read slowly, but not too slowly; return how many seconds that was possible."""
    pause = threading.Event()
    with bench.client(receive_buffer=4096) as client:
        client.send(b"GET /download HTTP/1.1\r\nHost: h\r\nX-Request-Id: slow\r\n\r\n")
        for _ in range(SECONDS):
            client.read_exactly(2000)
            pause.wait(1)
    return SECONDS


def stay(bench: Bench, request: bytes, word: bytes) -> int:
    """Be sent a few bytes each second; return how often that came."""
    with bench.client() as client:
        client.send(request)
        for _ in range(SECONDS):
            client.read_until(word)
    return SECONDS


def test_all_at_once(bench: Bench) -> None:
    """Slow uploads, collected and streaming, and an unread download; beside them, clients that are merely quiet."""
    DONE.clear()
    bench.script = play
    chunked = b"POST /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    length = b"POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
    with ThreadPoolExecutor(8) as pool:
        uploads = [
            pool.submit(drip, bench, chunked, b"1\r\nx\r\n"),
            pool.submit(drip, bench, length % 1000, b"x"),
            pool.submit(drip, bench, length % 100_000, b"x"),
            pool.submit(drip, bench, length % 100_000 + b"x" * 65536, b"x"),
        ]
        unread = pool.submit(download, bench)
        quiet = pool.submit(stay, bench, GET.replace(b"/", b"/quiet", 1), b"still here")
        slow = pool.submit(read_slowly, bench)
        tunnel = pool.submit(stay, bench, HANDSHAKE, b"x")
        for upload in uploads:
            response, seconds = upload.result()
            assert response.status == 408
            assert 9 < seconds < 35
        assert 9 < unread.result() < 35
        assert (quiet.result(), tunnel.result(), slow.result()) == (SECONDS, SECONDS, SECONDS)
    DONE.set()
    bench.wait_idle()
    assert bench.logged("unread")["error"] == "client_stalled"
    assert bench.logged("slow")["error"] == "client_disconnected"
