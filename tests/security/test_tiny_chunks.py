"""Content in chunks of two bytes costs no more memory than other content: kept one by one, each takes forty."""

from __future__ import annotations

import contextlib

from tests.proxy.bench import Bench
from tests.proxy.test_memory import resident
from tests.support.upstream import Connection

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}", max_connections: 1, connect_timeout: 1m, response_timeout: 1m}}
routes: [{{path: /, upstream: up}}]
log: {{access: false, level: error}}
"""


def silent(connection: Connection) -> None:
    """Read on, and never answer."""
    connection.read_to_end()


def test_content_that_waits_for_a_connection(bench: Bench) -> None:
    """60 clients wait for the one connection, with as much content as is read ahead."""
    bench.script = silent
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"2\r\nab\r\n" * 60_000
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(bench.client())
        first.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        bench.upstream.wait_for(lambda: bench.connections)
        clients = [stack.enter_context(bench.client()) for _ in range(60)]
        before = resident(bench.proxy.pid)
        for client in clients:
            client.send(head)
            client.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.socket.send(chunks)
        bench.wait_in_flight(len(clients) + 1)
        bench.proxy.metrics()
        assert resident(bench.proxy.pid) - before < len(clients) * 600_000
        for client in clients:
            client.reset()
        first.reset()
    bench.wait_idle()
