"""After hundreds of requests that ended in every way, nothing is left: no connection, no task, no file descriptor.

Each way of the upstream's, with each request, with each way of the client's; `CORSPROXY_LEAK_ROUNDS` says how often.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product
from pathlib import Path

import pytest

from corsproxy.config import load_text
from corsproxy.proxy import Proxy, compile_plan
from corsproxy.proxy.upstream.connection import UpstreamConnection
from tests.support.process import started

ROUNDS = int(os.environ.get("CORSPROXY_LEAK_ROUNDS", "3"))
AT_ONCE = 100
SEED = 20260101

CONFIG = """
listen: 127.0.0.1:0
upstreams:
  up:
    url: "http://127.0.0.1:{port}"
    connect_timeout: 2s
    response_timeout: 300ms
    read_timeout: 300ms
    keepalive_timeout: 500ms
    max_connections: 80
policies: {{app: {{allow_origins: ["https://app.example"]}}}}
routes: [{{path: /, upstream: up, policy: app}}]
limits: {{body_timeout: 300ms, header_timeout: 500ms, idle_timeout: 1s}}
log: {{access: false, level: error}}
"""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a RST."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# --- the upstream: the path says how it behaves -------------------------------------------------------------------


async def _ok(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    return True


async def _large(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _number in range(40):
        writer.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    return True


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bool:
    await reader.read()
    return False


async def _stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    await reader.read()
    return False


async def _resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    reset(writer)
    return False


async def _cuts(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    await writer.drain()
    return False


async def _early(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    return False


async def _switches(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
    await reader.read()
    return False


UPSTREAM: dict[bytes, Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]] = {
    b"/ok": _ok,
    b"/large": _large,
    b"/silent": _silent,
    b"/stalls": _stalls,
    b"/resets": _resets,
    b"/cuts": _cuts,
    b"/early": _early,
    b"/switches": _switches,
}
"""What to answer, and whether the connection may carry another request."""


async def serve_upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Play the upstream on one connection."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        keep = True
        while keep:
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ", 2)[1]
            length = head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]
            if length and target != b"/early":
                await reader.readexactly(int(length))
            keep = await UPSTREAM[target](reader, writer)
    writer.close()


# --- the clients: each leaves in a way of its own -----------------------------------------------------------------


async def _reads(streams: Streams) -> None:
    await streams[0].read()


async def _resets_at_once(streams: Streams) -> None:
    reset(streams[1])


async def _resets_after_a_byte(streams: Streams) -> None:
    await streams[0].read(1)
    reset(streams[1])


async def _closes_at_once(_: Streams) -> None:
    """Nothing: the connection is closed in the end."""


async def _stops_sending(streams: Streams) -> None:
    streams[1].write_eof()
    await streams[0].read()


CLIENTS = (_reads, _resets_at_once, _resets_after_a_byte, _closes_at_once, _stops_sending)

REQUESTS_OF = (
    b"GET %b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHost: h\r\n\r\nGET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    b"POST %b HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    b"POST %b HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 500000\r\n\r\n" + b"x" * 100_000,  # a part
    b"GET %b HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET %b HTTP/1.1\r\nHo",
)


async def one(
    address: tuple[str, int], target: bytes, request: bytes, ends: Callable[[Streams], Awaitable[None]]
) -> None:
    """Make one request, and end it in the way given."""
    with contextlib.suppress(OSError):
        streams = await asyncio.open_connection(*address)
        try:
            streams[1].write(request % target)
            if target != b"/switches" or ends is not _reads:
                await asyncio.wait_for(ends(streams), 10)
        finally:
            streams[1].close()
            with contextlib.suppress(OSError):
                await streams[1].wait_closed()


async def storm(address: tuple[str, int], rounds: int) -> None:
    """Make every kind of request `rounds` times, in any order, so many at once."""
    kinds = [*product(UPSTREAM, REQUESTS_OF, CLIENTS)] * rounds
    random.Random(SEED).shuffle(kinds)
    left = iter(kinds)

    async def some() -> None:
        for kind in left:
            await one(address, *kind)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))


@contextlib.asynccontextmanager
async def upstream() -> AsyncIterator[int]:
    """Run the upstream; its port."""
    server = await asyncio.start_server(serve_upstream, "127.0.0.1", 0, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def descriptors(pid: int) -> list[str]:
    """What the file descriptors of a process are, pipes and sockets by their kind alone."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(entry).partition("[")[0])
    return sorted(found)


async def until(condition: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process has no events for us
            await asyncio.sleep(0.05)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_no_descriptor_and_no_connection_is_left() -> None:
    """http-87: the process has as many descriptors as before, and its gauges are at 0."""
    async with upstream() as port:
        with started(CONFIG.format(port=port), admin=True) as proxy:
            proxy.stderr.wait_line("^admin on ")
            before = descriptors(proxy.pid)  # and before any connection: one about to be closed would count
            await storm(proxy.address, ROUNDS)
            await until(lambda: not proxy.metrics()["corsproxy_connections"])
            await until(lambda: descriptors(proxy.pid) == before)
            assert proxy.metrics()["corsproxy_requests_in_flight"] == 0
            assert "Traceback" not in proxy.stderr.text
            assert "never retrieved" not in proxy.stderr.text
            assert proxy.stop() == 0


async def test_no_task_and_no_object_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """http-87: inside the process no task, no connection of either side and no waiter is left."""
    caplog.set_level(logging.CRITICAL, "corsproxy")  # pytest keeps records, and with them errors and their frames
    faults: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))
    async with upstream() as port:
        plan = compile_plan(load_text(CONFIG.format(port=port), "corsproxy.yaml", {}).settings)
        proxy = Proxy(plan)
        server = await loop.create_server(proxy.protocol_factory, "127.0.0.1", 0, backlog=1024)
        (pool,) = plan.pools
        await storm(server.sockets[0].getsockname(), 1)
        await until(lambda: not proxy.connections)
        await until(lambda: not pool.connections)
        assert proxy.in_flight == 0
        server.close()
        await proxy.close()
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    gc.collect()
    assert [kept for kept in gc.get_objects() if isinstance(kept, UpstreamConnection)] == []
    assert faults == []
