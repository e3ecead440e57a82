"""Memory while much passes through: a download to a slow reader, an upload to a slow upstream, a tunnel both ways.

`CORSPROXY_MEMORY_MIB=1024 pytest -s tests/proxy/test_memory.py` makes the figures of docs/http.md; without it less is
sent, and the bound is the same.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import Client
from tests.support.upstream import Connection

MIB = 1024 * 1024
AMOUNT = int(os.environ.get("CORSPROXY_MEMORY_MIB", "128")) * MIB
MOST_GROWTH = 8 * MIB
PIECE = b"x" * MIB

FRESH = True

CONFIG = """
admin: 127.0.0.1:0
upstreams: {{up: "{upstream}"}}
routes: [{{path: /, upstream: up}}]
log: {{access: false, level: error}}
"""


def resident(pid: int) -> int:
    """Return the bytes of memory that a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def read_slowly(peer: Client | Connection, pid: int, amount: int = AMOUNT) -> int:
    """Read the amount slowly, a MiB and a pause at a time; return the most memory the proxy held meanwhile."""
    pause = threading.Event()
    most = 0
    for _ in range(amount // MIB):
        peer.read_exactly(MIB)
        if isinstance(peer, Connection):
            peer.forget()
        most = max(most, resident(pid))
        pause.wait(0.002)
    return most


def send_all(peer: Client | Connection, amount: int = AMOUNT) -> None:
    """Send the amount."""
    for _ in range(amount // MIB):
        peer.send(PIECE)


def warm_up(bench: Bench) -> int:
    """Send a little both ways, so that what is allocated once is; return the memory held then."""
    with bench.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        assert client.read_response().status == 200
    bench.wait_idle()
    return resident(bench.proxy.pid)


def said(what: str, before: int, most: int) -> None:
    """Print the figures for the docs."""
    print(f"{what} of {AMOUNT // MIB} MiB: {before / MIB:.1f} MiB before, at most {most / MIB:.1f} MiB during")


def test_http_77_a_large_download_to_a_slow_reader(bench: Bench) -> None:
    """http-77: memory does not grow with what passes."""
    before = warm_up(bench)

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % AMOUNT)
        send_all(connection)

    bench.settle()
    bench.script = script
    with bench.client(receive_buffer=64 * 1024) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.read_head().status == 200
        most = read_slowly(client, bench.proxy.pid)
    said("download", before, most)
    assert most - before < MOST_GROWTH


def test_http_78_a_large_upload_to_a_slow_upstream(bench: Bench) -> None:
    """http-78: memory does not grow with what passes."""
    before = warm_up(bench)
    most = [0]

    def script(connection: Connection) -> None:
        connection.read_head()
        most[0] = read_slowly(connection, bench.proxy.pid)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    bench.settle()
    bench.script = script
    with bench.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % AMOUNT)
        send_all(client)
        assert client.read_response().status == 200
    said("upload", before, most[0])
    assert most[0] - before < MOST_GROWTH


def test_a_client_that_pipelines_and_never_reads(bench: Bench) -> None:
    """Once the kernel holds what it can of the responses, its next request is not begun, however small each is."""
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30_000)
    with bench.client(receive_buffer=64 * 1024) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 400)
        bench.upstream.wait_for(lambda: bench.requests)
        with pytest.raises(AssertionError, match="in vain"):
            bench.upstream.wait_for(lambda: len(bench.requests) > 300, timeout=1.0)


HANDSHAKE = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
THROUGH_A_TUNNEL = 48 * MIB


def test_a_tunnel_to_a_slow_client(bench: Bench) -> None:
    """A WebSocket whose client reads slowly holds the upstream back."""
    before = warm_up(bench)

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(SWITCHING)
        send_all(connection, THROUGH_A_TUNNEL)

    bench.settle()
    bench.script = script
    with bench.client(receive_buffer=64 * 1024) as client:
        client.send(HANDSHAKE)
        assert client.read_head().status == 101
        most = read_slowly(client, bench.proxy.pid, THROUGH_A_TUNNEL)
    assert most - before < MOST_GROWTH


def test_a_tunnel_to_a_slow_upstream(bench: Bench) -> None:
    """A WebSocket whose upstream reads slowly holds the client back."""
    before = warm_up(bench)
    most = [0]

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(SWITCHING)
        most[0] = read_slowly(connection, bench.proxy.pid, THROUGH_A_TUNNEL)
        connection.send(b"done")

    bench.settle()
    bench.script = script
    with bench.client() as client:
        client.send(HANDSHAKE)
        assert client.read_head().status == 101
        send_all(client, THROUGH_A_TUNNEL)
        assert client.read_exactly(4) == b"done"
    assert most[0] - before < MOST_GROWTH
