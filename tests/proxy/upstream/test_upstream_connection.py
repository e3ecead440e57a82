"""A connection to an upstream and its pool by themselves: moments that a test over the whole proxy cannot time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.lease import Lease
from corsproxy.proxy.upstream.pool import UpstreamPool
from corsproxy.settings import Upstream

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest_asyncio.fixture(name="upstream")
async def _upstream() -> AsyncIterator[Upstream]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield Upstream("up", "http", "127.0.0.1", server.sockets[0].getsockname()[1], max_connections=1)
    server.close()
    await server.wait_closed()


async def exchanged(lease: Lease) -> int:
    """Ask once over a connection; the status."""
    connection = lease.connection
    connection.start(is_head_request=False, expects_upgrade=False)
    connection.write(GET)
    await connection.responded()
    assert connection.reader.head is not None
    return connection.reader.head.status


async def test_http_83_bytes_before_the_request_poison_the_connection(upstream: Upstream) -> None:
    """http-83: half a response that came before anything was asked is not the beginning of the answer."""
    pool = UpstreamPool(upstream, None, asyncio.get_running_loop())
    poisoned = await pool.acquire()
    poisoned.connection.data_received(b"HTTP/1.1 200 OK\r\nX-Evil: ")
    with pytest.raises(UpstreamError) as error:
        await exchanged(poisoned)
    assert error.value.kind is UpstreamErrorKind.PROTOCOL
    poisoned.end()
    clean = await pool.acquire()
    assert await exchanged(clean) == 200
    clean.end()
    pool.close()


async def test_http_87_a_connection_that_ends_on_its_way_to_the_next_in_line(upstream: Upstream) -> None:
    """http-87: who waits is given a connection that ends in the same moment: it gets a new one instead."""
    pool = UpstreamPool(upstream, None, asyncio.get_running_loop())
    first = await pool.acquire()
    assert await exchanged(first) == 200
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    first.end()
    first.connection.transport.abort()
    second = await waiting
    assert second.connection is not first.connection
    assert await exchanged(second) == 200
    second.end()
    pool.close()


async def test_http_87_a_connection_granted_to_one_who_has_given_up(upstream: Upstream) -> None:
    """http-87: a waiter that is cancelled in the moment of its turn passes the connection on."""
    pool = UpstreamPool(upstream, None, asyncio.get_running_loop())
    first = await pool.acquire()
    assert await exchanged(first) == 200
    gone = asyncio.create_task(pool.acquire())
    stays = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    first.end()
    gone.cancel()
    second = await stays
    assert second.connection is first.connection
    assert await exchanged(second) == 200
    second.end()
    pool.close()


async def test_http_83_what_comes_while_the_next_in_line_is_woken() -> None:
    """http-83: a stray response between two turns of the loop poisons the connection that was promised to a waiter."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = Upstream("up", "http", "127.0.0.1", listener.getsockname()[1], max_connections=1)
        pool = UpstreamPool(upstream, None, asyncio.get_running_loop())
        first = await pool.acquire()
        peer, _ = listener.accept()
        with peer:
            first.connection.start(is_head_request=False, expects_upgrade=False)
            first.connection.write(GET)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await first.connection.responded()
            waiting = asyncio.create_task(pool.acquire())
            await asyncio.sleep(0)
            first.end()
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            assert (await waiting).connection is not first.connection
        pool.close()
