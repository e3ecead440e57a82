"""What a pool gives away goes back once: a connection that is lent, a place for one that is being dialled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.lease import Lease, Reservation
from corsproxy.proxy.upstream.pool import UpstreamPool
from corsproxy.settings import Upstream


@pytest_asyncio.fixture(name="pool")
async def _pool() -> AsyncIterator[UpstreamPool]:
    """Make a pool of one connection to a server that answers whatever comes."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while await reader.read(65536):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    upstream = Upstream("up", "http", "127.0.0.1", server.sockets[0].getsockname()[1], max_connections=1)
    pool = UpstreamPool(upstream, None, asyncio.get_running_loop())
    yield pool
    pool.close()
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def used(lease: Lease) -> None:
    """Send a request over the connection and wait for its response."""
    connection = lease.connection
    connection.start(is_head_request=False, expects_upgrade=False)
    connection.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    await connection.responded()


async def waiting(pool: UpstreamPool) -> asyncio.Task[Lease]:
    """Have a task wait for a connection of a pool that is full."""
    task = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_a_connection_given_back_twice_is_idle_once(pool: UpstreamPool) -> None:
    """Else two requests would be sent over it at the same time."""
    lease = await pool.acquire()
    await used(lease)
    lease.end()
    lease.end()
    assert pool.states() == {"idle": 1, "busy": 0, "bound": 0, "tunnel": 0}
    assert pool.take_idle() is not None
    assert pool.take_idle() is None


async def test_a_late_end_takes_nothing_from_the_next(pool: UpstreamPool) -> None:
    """The one who had the connection before cannot give it back a second time."""
    earlier = await pool.acquire()
    await used(earlier)
    earlier.end()
    later = pool.take_idle()
    assert later is not None
    earlier.end()
    assert pool.take_idle() is None
    await used(later)
    later.end()


async def test_a_dial_that_is_given_up_leaves_its_place(pool: UpstreamPool) -> None:
    """The next in line has it."""
    dialling = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    stays = await waiting(pool)
    dialling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialling
    await used(await stays)
    assert pool.states()["busy"] == 1


async def test_a_dial_that_fails_leaves_its_place() -> None:
    """Each of those who wait may try in its turn."""
    with socket.socket() as bound:  # and never listens
        bound.bind(("127.0.0.1", 0))
        upstream = Upstream("up", "http", "127.0.0.1", bound.getsockname()[1], max_connections=1)
        pool = UpstreamPool(upstream, None, asyncio.get_running_loop())
        asked = await asyncio.gather(pool.acquire(), pool.acquire(), pool.acquire(), return_exceptions=True)
    kinds = [one.kind for one in asked if isinstance(one, UpstreamError)]
    assert kinds == [UpstreamErrorKind.CONNECT] * 3
    assert not sum(pool.states().values())


async def test_the_place_of_a_connection_that_ends_is_the_next_in_lines(pool: UpstreamPool) -> None:
    """A place that is granted to one who gives up in the same moment is passed on."""
    first = await pool.acquire()
    gone, stays = await waiting(pool), await waiting(pool)
    first.connection.transport.abort()
    first.connection.connection_lost(None)  # asyncio's own call comes too late for the same moment
    gone.cancel()
    second = await stays
    assert second.connection is not first.connection
    await used(second)
    assert pool.states()["busy"] == 1


async def test_a_reservation_is_settled_once(pool: UpstreamPool) -> None:
    """It is filled or given up: giving it up twice makes no room for two, and filling it leaves nothing to give up."""
    lease = await pool.acquire()
    stray = Reservation(pool)
    stray.end()
    task = await waiting(pool)
    stray.end()
    await asyncio.sleep(0)
    assert not task.done()
    await used(lease)
    lease.end()
    assert (await task).connection is lease.connection
