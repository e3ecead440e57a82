"""A proxy inside the test's own loop, with a real client before it and a real server behind, each moved by hand."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from corsproxy.config import load_text
from corsproxy.proxy import Proxy, RequestRecord, compile_plan

CONFIG = """
upstreams: {up: {url: "http://127.0.0.1:PORT"}}
policies: {app: {allow_origins: ["https://app.example"]}}
routes: [{path: /, upstream: up, policy: app}]
"""

HEAD_END = b"\r\n\r\n"


class Asked:
    """A request as the upstream got it."""

    def __init__(self, number: int, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        """Of its connection: 1 is the first."""
        self.head = head
        self.reader = reader
        self.writer = writer
        self.over = asyncio.Event()

    def answer(self, data: bytes) -> None:
        """Send the whole answer; the next request on the connection may come."""
        self.writer.write(data)
        self.over.set()

    def reset(self) -> None:
        """End the connection at once."""
        self.writer.transport.abort()
        self.over.set()

    @property
    def line(self) -> bytes:
        """The request line."""
        return self.head.partition(b"\r\n")[0]

    @property
    def fields(self) -> list[bytes]:
        """The field lines."""
        return self.head.split(b"\r\n")[1:-2]


class Stage:
    """A proxy, one client of it, and its upstream."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []
        self._recorded = asyncio.Event()
        self._asks: asyncio.Queue[Asked] = asyncio.Queue()
        self._connections = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._served: list[asyncio.Task[None] | None] = []
        self._over: list[asyncio.Event] = []
        self.proxy: Proxy
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand over one request after another."""
        self._connections += 1
        number = self._connections
        self._writers.append(writer)
        self._served.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                asked = Asked(number, await reader.readuntil(HEAD_END), reader, writer)
                self._over.append(asked.over)
                self._asks.put_nowait(asked)
                await asked.over.wait()

    def take(self, record: RequestRecord) -> None:
        """Take the record of a request that is over."""
        self.records.append(record)
        self._recorded.set()

    async def asked(self) -> Asked:
        """Return the next request that the upstream gets."""
        async with asyncio.timeout(10):
            return await self._asks.get()

    def nothing_asked(self) -> bool:
        """Return whether no further request has come."""
        return self._asks.empty()

    async def recorded(self, count: int = 1) -> list[RequestRecord]:
        """Return the records once there are so many."""
        async with asyncio.timeout(10):
            while len(self.records) < count:
                self._recorded.clear()
                await self._recorded.wait()
        return self.records

    async def head(self) -> bytes:
        """Return the next head that the client gets."""
        async with asyncio.timeout(10):
            return await self.reader.readuntil(HEAD_END)

    async def exactly(self, size: int) -> bytes:
        """Return so many bytes that the client gets."""
        async with asyncio.timeout(10):
            return await self.reader.readexactly(size)

    async def until(self, end: bytes) -> bytes:
        """Return what the client gets up to these bytes."""
        async with asyncio.timeout(10):
            return await self.reader.readuntil(end)

    async def rest(self) -> bytes:
        """Return all that the client gets before the end of its connection; raises `ConnectionError` if it is reset."""
        async with asyncio.timeout(10):
            return await self.reader.read()

    async def stays_open(self) -> None:
        """See a further request answered on the client's connection."""
        self.writer.write(b"GET /stays HTTP/1.1\r\nHost: h\r\n\r\n")
        (await self.asked()).answer(b"HTTP/1.1 299 Stays\r\nContent-Length: 0\r\n\r\n")
        assert (await self.head()).startswith(b"HTTP/1.1 299 Stays\r\n")

    async def begun(self) -> None:
        """Wait until the proxy has a request in flight."""
        for _ in range(100_000):
            if self.proxy.in_flight:
                return
            await asyncio.sleep(0)
        raise AssertionError("no request has begun")

    def vanish(self) -> None:
        """Reset the client's connection."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def connect(self) -> None:
        """Open a connection of the client."""
        self.reader, self.writer = await asyncio.open_connection(*self._address)
        self._writers.append(self.writer)

    @asynccontextmanager
    async def open(self, config: str) -> AsyncIterator[Stage]:
        """Run everything."""
        upstream = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        text = config.replace("PORT", str(upstream.sockets[0].getsockname()[1]))
        self.proxy = Proxy(compile_plan(load_text(text, "corsproxy.yaml", {}).settings), [self.take], via_token="me")
        server = await asyncio.get_running_loop().create_server(self.proxy.protocol_factory, "127.0.0.1", 0)
        self._address = server.sockets[0].getsockname()
        await self.connect()
        try:
            yield self
        finally:
            for writer in self._writers:
                writer.transport.abort()
            for over in self._over:
                over.set()
            await self.proxy.close()
            server.close()
            upstream.close()
            await asyncio.gather(*filter(None, self._served))


@asynccontextmanager
async def stage(config: str = CONFIG) -> AsyncIterator[Stage]:
    """Run a proxy with this configuration, in which PORT is the upstream's."""
    async with Stage().open(config) as opened:
        yield opened
