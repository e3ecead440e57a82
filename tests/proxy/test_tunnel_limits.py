"""Tunnels have a budget of their own, end when they fall silent, and the kernel looks after all connections."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import GET, Client
from tests.support.upstream import OK, Connection

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}", max_connections: 2, max_tunnels: 5, connect_timeout: 2s}}
  brief: {{url: "{upstream}", tunnel_timeout: 2s}}
  endless: {{url: "{upstream}", tunnel_timeout: 0, read_timeout: 100ms}}
routes:
  - {{path: /, upstream: up}}
  - {{path: /brief, upstream: brief}}
  - {{path: /endless, upstream: endless}}
log: {{format: json}}
"""

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def handshake(path: bytes = b"/") -> bytes:
    """Ask for a WebSocket."""
    return b"GET %b HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" % path


def echoing(connection: Connection) -> None:
    """Answer requests; switch where that is asked for, and echo from then on."""
    while True:
        request = connection.read_request()
        if b"/refused" in request.line or not request.values(b"Upgrade"):
            connection.send(OK)
            continue
        connection.send(SWITCHING)
        while True:
            connection.send(connection.read_some())


@pytest.fixture(autouse=True)
def _echoing(bench: Bench) -> None:
    bench.script = echoing


def open_tunnel(bench: Bench, path: bytes = b"/") -> Client:
    """Open a tunnel, and see that it carries bytes."""
    client = bench.client()
    client.send(handshake(path))
    assert client.read_head().status == 101
    client.send(b"ping")
    assert client.read_exactly(4) == b"ping"
    return client


def test_tunnels_take_no_connection_from_requests(bench: Bench) -> None:
    """More tunnels than `max_connections`, and plain requests are answered; one more than `max_tunnels` is 503."""
    with contextlib.ExitStack() as stack:
        tunnels = [stack.enter_context(open_tunnel(bench)) for _ in range(5)]
        for _ in range(3):
            assert bench.ask(GET).status == 200
        full = bench.ask(handshake())
        assert (full.status, full.values(b"Retry-After")) == (503, [b"1"])
        tunnels[0].socket.close()
        bench.wait_in_flight(4)
        stack.enter_context(open_tunnel(bench))


def test_a_declined_handshake_gives_its_place_back(bench: Bench) -> None:
    """What became no tunnel counts as none."""
    for _ in range(12):
        assert bench.ask(handshake(b"/refused")).status == 200


def test_a_silent_tunnel_ends(bench: Bench) -> None:
    """`tunnel_timeout`: silence both ways ends it on both sides; a word from either does not let it."""
    with open_tunnel(bench, b"/brief") as client:
        for _ in range(6):
            client.send(b"x")
            assert client.read_exactly(1) == b"x"
            time.sleep(0.4)  # six times this is more than the limit; each is less
        client.read_to_end()
    bench.upstream.wait_for(lambda: bench.connections[0].ended)


def test_a_stalled_client_ends_its_tunnel(bench: Bench) -> None:
    """`tunnel_timeout`: much is waiting for a client that takes none of it, and says nothing either."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(SWITCHING)
        connection.send(b"x" * 32 * 1024 * 1024)  # more than all buffers on the way hold

    bench.script = script
    with bench.client(receive_buffer=4096) as client:
        client.send(handshake(b"/brief"))
        assert client.read_head().status == 101
        bench.wait_in_flight(0)


def test_the_log_counts_the_bytes_of_a_tunnel(bench: Bench) -> None:
    """Both ways, whatever is in them."""
    with bench.client() as client:
        client.send(handshake().replace(b"\r\n\r\n", b"\r\nX-Request-Id: counted-1\r\n\r\n") + b"hel")
        assert client.read_head().status == 101
        client.send(b"lo")
        assert client.read_exactly(5) == b"hello"
    line = bench.logged("counted-1")
    assert (line["status"], line["bytes_in"], line["bytes_out"]) == (101, 5, 5)


def test_a_tunnel_without_a_limit(bench: Bench) -> None:
    """`tunnel_timeout: 0`: it stays."""
    with open_tunnel(bench, b"/endless") as client:
        time.sleep(1)
        client.send(b"x")
        assert client.read_exactly(1) == b"x"


def test_the_kernel_looks_after_upstream_connections(bench: Bench) -> None:
    """Keepalive on the upstream's side, as the kernel has it: the first probe is due within 60 s, not two hours."""
    with open_tunnel(bench):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
        timers = [row[5] for row in rows if row[2] == f"0100007F:{bench.upstream.port:04X}" and row[3] == "01"]
        assert timers
        for timer in timers:
            kind, _, ticks = timer.partition(":")
            assert (kind, int(ticks, 16) <= 60 * 100) == ("02", True)  # 2 is keepalive; 100 ticks to the second
