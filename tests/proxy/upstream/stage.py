"""A pool with a real server at its other end, and the moves that its tests make."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.lease import Lease
from corsproxy.proxy.upstream.pool import UpstreamPool
from corsproxy.settings import Upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
ASKS = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
CLOSES = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

PATIENT = Upstream("up", "http", "127.0.0.1", 0, keepalive_timeout=60.0, max_connections=2, connect_timeout=10.0)


class Stage:
    """A pool, and the server at its other end."""

    def __init__(self, pool: UpstreamPool) -> None:
        self.pool = pool
        self.answer = OK
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer whatever comes."""
        self.writers.append(writer)
        with suppress(ConnectionError):
            while await reader.read(65536):
                writer.write(self.answer)

    async def used(self, lease: Lease, answer: bytes = OK) -> UpstreamConnection:
        """Send a request over a connection, and read its answer."""
        self.answer = answer
        connection = lease.connection
        connection.start(is_head_request=False, expects_upgrade=False)
        connection.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        async with asyncio.timeout(10):
            await connection.responded()
        return connection

    async def idle(self, number: int = 1) -> list[UpstreamConnection]:
        """Return so many connections that were used and given back, the last one last."""
        leases = [await self.pool.acquire() for _ in range(number)]
        for lease in leases:
            await self.used(lease)
        for lease in leases:
            lease.end()
        return [lease.connection for lease in leases]

    async def bound(self, owner: Owner, answer: bytes = OK) -> UpstreamConnection:
        """Return a connection that is reserved for a client, and idle."""
        lease = await self.pool.acquire()
        lease.connection.owner = owner
        await self.used(lease, answer)
        lease.end()
        return lease.connection

    async def waiting(self, *, fresh: bool = False) -> asyncio.Task[Lease]:
        """Have a request wait for a connection."""
        task = asyncio.create_task(self.pool.acquire(fresh=fresh))
        await asyncio.sleep(0)
        assert not task.done()
        return task

    def states(self) -> tuple[int, int, int, int]:
        """Return how many connections are idle, busy, bound and tunnels."""
        states = self.pool.states()
        assert list(states) == ["idle", "busy", "bound", "tunnel"]
        return states["idle"], states["busy"], states["bound"], states["tunnel"]


class Owner:
    """A client for which connections are reserved."""

    def __init__(self) -> None:
        self.ended: list[UpstreamConnection] = []

    def upstream_ended(self, connection: UpstreamConnection) -> None:
        """Note it."""
        self.ended.append(connection)


@asynccontextmanager
async def stage(upstream: Upstream = PATIENT) -> AsyncIterator[Stage]:
    """Open a server, and a pool to it."""
    made: list[Stage] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await made[0].serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made.append(Stage(UpstreamPool(replace(upstream, port=port), None, asyncio.get_running_loop())))
    try:
        yield made[0]
    finally:
        made[0].pool.close()
        for writer in made[0].writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


async def turns() -> None:
    """Let the loop do what is ready, and what that makes ready."""
    for _ in range(5):
        await asyncio.sleep(0)


def idle_for(connection: UpstreamConnection, seconds: float) -> None:
    """Make it look idle for so long."""
    connection.idle_since = asyncio.get_running_loop().time() - seconds


def heard(connection: UpstreamConnection) -> None:
    """Wait until something is there to be read, without letting the loop read it."""
    ready, _, _ = select.select([connection.transport.get_extra_info("socket")], [], [], 10)
    assert ready
