"""A request that needs no waiting is answered without a task; whatever goes wrong then is answered for all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from corsproxy.config import load_text
from corsproxy.proxy import Proxy, RequestRecord, compile_plan

CONFIG = """
upstreams: {{up: {{url: "http://127.0.0.1:{port}"}}}}
policies: {{app: {{allow_origins: ["https://app.example"]}}}}
routes: [{{path: /, upstream: up, policy: app}}]
"""

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
PREFLIGHT = (
    b"OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\r\n"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire(asyncio.Transport):
    """A client's transport without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += bytes(data)

    def close(self) -> None:
        """Note it."""
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.closed


class Exchanges(list[RequestRecord]):
    """Requests that are over."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def take(self, record: RequestRecord) -> None:
        """Take one more."""
        self.append(record)
        self._more.set()

    async def reach(self, count: int) -> None:
        """Wait until there are so many."""
        async with asyncio.timeout(5):
            while len(self) < count:
                self._more.clear()
                await self._more.wait()
        # The task of a request tells the connection that it is over in the next turn of the loop.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@asynccontextmanager
async def running(answers: list[bytes]) -> AsyncIterator[tuple[Proxy, Exchanges]]:
    """Run a proxy in front of an upstream that gives these answers, one for each request, then closes."""
    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.append(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while answers:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answers.pop(0))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    records = Exchanges()
    plan = compile_plan(
        load_text(CONFIG.format(port=server.sockets[0].getsockname()[1]), "corsproxy.yaml", {}).settings
    )
    proxy = Proxy(plan, [records.take])
    try:
        yield proxy, records
    finally:
        await proxy.close()
        server.close()
        await asyncio.gather(*served)


def connected(proxy: Proxy) -> tuple[asyncio.Protocol, Wire]:
    """Open a connection of a client."""
    client, wire = proxy.protocol_factory(), Wire()
    assert isinstance(client, asyncio.Protocol)
    client.connection_made(wire)
    return client, wire


async def test_a_preflight_is_answered_before_the_next_turn_of_the_loop() -> None:
    """Nothing is waited for, so nothing is put off; pipelined ones neither."""
    async with running([]) as (proxy, records):
        client, wire = connected(proxy)
        client.data_received(PREFLIGHT * 3)
        assert wire.written.count(b"HTTP/1.1 204 ") == 3
        assert [record.status for record in records] == [204] * 3
        assert proxy.in_flight == 0


async def test_pipelined_requests_over_an_idle_connection_are_answered_in_order() -> None:
    """The next one is taken when the one before is over, not before."""
    async with running([OK, OK.replace(b"ok", b"no"), OK]) as (proxy, records):
        client, wire = connected(proxy)
        client.data_received(GET)
        await records.reach(1)
        client.data_received(GET + PREFLIGHT + GET)
        assert proxy.in_flight == 1
        await records.reach(4)
        assert [record.status for record in records] == [200, 200, 204, 200]
        bodies = [part[:2] for part in wire.written.split(b"\r\n\r\n")[1:]]
        assert bodies == [b"ok", b"no", b"HT", b"ok"]


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", b"junk\r\n\r\n"], ids=["a coding", "junk"]
)
async def test_an_upstream_that_fails_over_an_idle_connection_is_a_502(answer: bytes) -> None:
    """The failure has no task to handle it; the client still gets a response, and may continue."""
    async with running([OK, answer]) as (proxy, records):
        client, wire = connected(proxy)
        client.data_received(GET)
        await records.reach(1)
        client.data_received(GET)
        await records.reach(2)
        client.data_received(PREFLIGHT)
        assert [record.status for record in records] == [200, 502, 204]
        assert not wire.closed


async def test_a_client_that_goes_away_cancels_what_no_task_waits_for() -> None:
    """The upstream's connection is cut, the request ends, and the observers are notified once."""
    async with running([OK, b""]) as (proxy, records):
        client, _ = connected(proxy)
        client.data_received(GET)
        await records.reach(1)
        client.data_received(GET)
        (upstream,) = proxy.plan.pools[0].connections
        client.connection_lost(None)
        assert [(record.status, record.error) for record in records[1:]] == [(0, "client_disconnected")]
        assert upstream.transport.is_closing()
        assert proxy.in_flight == 0
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(records) == 2


async def test_a_client_that_goes_away_as_its_task_begins_is_over_once() -> None:
    """A task that is cancelled before its first step never runs: the request must end without it."""
    async with running([]) as (proxy, records):
        client, _ = connected(proxy)
        client.data_received(GET)  # no idle connection: a task dials
        client.connection_lost(None)
        for _ in range(5):
            await asyncio.sleep(0)
        assert [record.error for record in records] == ["client_disconnected"]
        assert proxy.in_flight == 0
