"""How a client connection ends: what the other side of a real socket sees of it, and what it still gets."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine

import pytest
import trustme
import uvloop

from corsproxy.proxy.client.closing import half_close, reset

Run = Callable[[Coroutine[None, None, None]], None]
RUNS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


async def tcp() -> tuple[asyncio.Transport, socket.socket]:
    """Return a transport over TCP, and the socket at its other end."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    theirs.settimeout(10)
    return transport, theirs


async def unix() -> tuple[asyncio.Transport, socket.socket]:
    """Return a transport over a Unix socket, and the socket at its other end."""
    ours, theirs = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    theirs.settimeout(10)
    return transport, theirs


async def received(theirs: socket.socket) -> bytes:
    """Return what has come at the other end, to its end."""
    data = b""
    while piece := await asyncio.to_thread(theirs.recv, 65536):
        data += piece
    return data


@RUNS
def test_a_reset_is_no_end_of_content(run: Run) -> None:
    """A client that reads up to the end of the connection learns that this is not it."""

    async def go() -> None:
        transport, theirs = await tcp()
        with theirs:
            reset(transport)
            assert transport.is_closing()
            with pytest.raises(ConnectionResetError):
                await received(theirs)

    run(go())


@RUNS
def test_a_unix_socket_has_no_reset(run: Run) -> None:
    """It is closed at once all the same."""

    async def go() -> None:
        transport, theirs = await unix()
        with theirs:
            reset(transport)
            assert transport.is_closing()
            assert await received(theirs) == b""

    run(go())


def test_a_transport_that_has_lost_its_socket_is_aborted() -> None:
    """Nothing is left to be reset."""

    async def go() -> None:
        transport, theirs = await tcp()
        theirs.close()
        transport.abort()
        await asyncio.sleep(0)
        reset(transport)
        assert transport.is_closing()

    asyncio.run(go())


@RUNS
@pytest.mark.parametrize("connect", [tcp, unix])
def test_half_closed(
    run: Run, connect: Callable[[], Coroutine[None, None, tuple[asyncio.Transport, socket.socket]]]
) -> None:
    """The client gets what was written and its end, and may still send."""

    async def go() -> None:
        transport, theirs = await connect()
        came = asyncio.Event()

        class Hears(asyncio.Protocol):
            def data_received(self, _: bytes) -> None:
                came.set()

        transport.set_protocol(Hears())
        with theirs:
            transport.write(b"x" * 100_000)
            assert half_close(transport) is True
            assert await received(theirs) == b"x" * 100_000
            assert not transport.is_closing()
            theirs.sendall(b"more")
            async with asyncio.timeout(10):
                await came.wait()
            transport.abort()

    run(go())


@RUNS
def test_tls_cannot_be_half_closed(run: Run) -> None:
    """Then nothing is done: the caller has another way."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    server_context, client_context = (
        ssl.SSLContext(protocol) for protocol in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
    )
    certificate.configure_cert(server_context)
    authority.configure_trust(client_context)

    async def go() -> None:
        loop = asyncio.get_running_loop()
        made = loop.create_future()

        class Serves(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                made.set_result(transport)

        server = await loop.create_server(Serves, "127.0.0.1", 0, ssl=server_context)
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=client_context, server_hostname="localhost"
        )
        transport = await made
        assert half_close(transport) is False
        transport.write(b"more")
        async with asyncio.timeout(10):
            assert await reader.readexactly(4) == b"more"
        transport.abort()
        writer.transport.abort()
        server.close()

    run(go())
