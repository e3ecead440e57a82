"""TLS handshakes with clients are bounded in number and in time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvloop

from corsproxy.proxy.client.handshakes import TlsServer
from tests.support.certificates import Certificate, self_signed

LIMIT = 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Return a certificate for localhost."""
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost")


Runner = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Run a test on either loop."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner.run


class Echo(asyncio.Protocol):
    """Sends back what comes, and ends when the client does."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert transport.get_extra_info("sslcontext") is not None
        assert isinstance(transport.get_extra_info("peername"), tuple)
        assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)


@asynccontextmanager
async def serving(certificate: Certificate, seconds: float = 20) -> AsyncIterator[tuple[TlsServer, tuple[str, int]]]:
    """Serve echoes over TLS; yields the server and its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.private_key)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    listening.setblocking(False)
    server = TlsServer(listening, context, Echo, lambda: LIMIT, seconds)
    try:
        yield server, listening.getsockname()
    finally:
        server.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it tells nobody when it changes
            await asyncio.sleep(0.01)


def trusting(certificate: Certificate) -> ssl.SSLContext:
    """Return a client's context."""
    return ssl.create_default_context(cafile=certificate.certificate)


def test_no_more_are_under_way_than_the_limit_says(certificate: Certificate, run: Runner) -> None:
    """One more is closed at once; when one has ended, with or without a session, there is room again."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        async with serving(certificate) as (server, address):
            idle = []
            for _ in range(LIMIT):
                idle.append(socket.create_connection(address))
                await until(lambda: server.under_way == len(idle))
            with socket.create_connection(address) as refused:
                refused.setblocking(False)
                with contextlib.suppress(ConnectionResetError):
                    assert await asyncio.wait_for(loop.sock_recv(refused, 1), 20) == b""
            assert server.under_way == LIMIT
            idle[0].sendall(b"no TLS at all")
            await until(lambda: server.under_way == LIMIT - 1)
            for _ in range(LIMIT + 1):  # sessions do not count
                reader, writer = await asyncio.open_connection(
                    *address, ssl=trusting(certificate), server_hostname="localhost"
                )
                writer.write(b"x")
                assert await asyncio.wait_for(reader.read(1), 20) == b"x"
                writer.transport.abort()
            idle[1].close()
            await until(lambda: not server.under_way)
            idle[0].close()

    run(test())


def test_who_never_finishes_is_given_up(certificate: Certificate, run: Runner) -> None:
    """After some seconds, as with the head of a request; a stop ends the rest at once."""

    async def test() -> None:
        async with serving(certificate, 0.1) as (server, address):
            with socket.create_connection(address):
                await until(lambda: server.under_way > 0)
                await until(lambda: not server.under_way)
        async with serving(certificate) as (server, address):
            with socket.create_connection(address):
                await until(lambda: server.under_way > 0)
                server.close()
                await until(lambda: not server.under_way)

    run(test())
