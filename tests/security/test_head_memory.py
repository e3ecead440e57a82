"""A head of many tiny lines costs no more than ten times its bytes, however many lines are allowed.

Parsed, a field line of four bytes takes some three hundred.
"""

from __future__ import annotations

import contextlib

from tests.proxy.bench import Bench, configuration
from tests.proxy.test_memory import resident
from tests.proxy.wire import Client
from tests.support.upstream import Connection

FRESH = True

CONFIG = configuration(max_header_lines="8192")

HEAD = b"GET / HTTP/1.1\r\nHost: h\r\n" + b"a:\r\n" * 7000


def silent(connection: Connection) -> None:
    """Read on, and never answer."""
    connection.read_to_end()


def grown(bench: Bench, clients: list[Client], data: bytes, steps: int) -> int:
    """Send `data` on every connection, so many pieces in turn; return by how much the proxy has grown."""
    before = resident(bench.proxy.pid)
    size = len(data) // steps + 1
    for at in range(0, len(data), size):
        for client in clients:
            client.send(data[at : at + size])
    with bench.client() as last:  # answered when all that came before has been read
        last.send(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
        assert last.read_response().status == 204
    return resident(bench.proxy.pid) - before


def test_unfinished_heads_of_many_connections(bench: Bench) -> None:
    """800 connections that send 28 KB each in pieces and never an end of their head."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bench.client()) for _ in range(800)]
        bench.wait_metrics(lambda metrics: metrics["corsproxy_connections"] >= len(clients))
        assert grown(bench, clients, HEAD, 3) < 10 * len(HEAD) * len(clients)
    bench.wait_idle()


def test_unfinished_heads_behind_a_request_under_way(bench: Bench) -> None:
    """The same for heads, whole and not, that wait until the request before them is over."""
    bench.script = silent
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bench.client()) for _ in range(100)]
        for client in clients:
            client.send(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        bench.wait_in_flight(len(clients))
        waiting = HEAD + b"\r\n" + HEAD
        assert grown(bench, clients, waiting, 3) < 10 * len(waiting) * len(clients)
        for client in clients:
            client.reset()
    bench.wait_idle()


def test_heads_of_requests_under_way(bench: Bench) -> None:
    """The same for whole heads, while their answers are awaited."""
    bench.script = silent
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bench.client()) for _ in range(100)]
        bench.wait_metrics(lambda metrics: metrics["corsproxy_connections"] >= len(clients))
        whole = HEAD + b"\r\n"
        assert grown(bench, clients, whole, 3) < 10 * len(whole) * len(clients)
        bench.wait_in_flight(len(clients))
        for client in clients:
            client.reset()
    bench.wait_idle()
