"""WebSockets end to end: a real client and a real server of the `websockets` package, the proxy's tunnel between.

What a message relay would have to take apart and put together again (fragments, pings, close codes, compression) must
arrive as it was sent (http-95 of docs/http.md).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.typing import Origin, Subprotocol

from tests.support.process import Proxy, started

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024


class Served:
    """What the server has seen: its connections, and the frames of each as they came off the wire."""

    def __init__(self) -> None:
        self.connections: list[ServerConnection] = []
        self.frames: list[Frame] = []


@pytest.fixture(name="everything_served", scope="module")
def _everything_served() -> Served:
    return Served()


@pytest.fixture(name="served")
def _served(everything_served: Served) -> Served:
    everything_served.connections.clear()
    everything_served.frames.clear()
    return everything_served


@pytest_asyncio.fixture(name="port", scope="module", loop_scope="module")
async def _port(everything_served: Served) -> AsyncIterator[int]:
    """Run a server that sends back what it gets, and does what the first message of a client asks for."""
    served = everything_served

    def choose(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((protocol for protocol in offered if protocol == "chat"), None)

    async def handler(connection: ServerConnection) -> None:
        served.connections.append(connection)
        receive = connection.process_event

        def process(event: Any) -> None:
            if isinstance(event, Frame):
                served.frames.append(event)
            receive(event)

        connection.process_event = process  # type: ignore[method-assign]  # looks on, changes nothing
        async for message in connection:
            if isinstance(message, str) and message.startswith("close "):
                await connection.close(int(message[6:]), "as asked")
            elif message == "abort":
                connection.transport.abort()
            elif message == "fragments":
                await connection.send(fragments())
            else:
                await connection.send(message)

    def fragments() -> Iterator[str]:
        yield from ("one ", "two ", "three")

    server: Server
    async with serve(handler, "127.0.0.1", 0, max_size=None, select_subprotocol=choose, ping_interval=None) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@pytest.fixture(name="proxy", scope="module")
def _proxy(port: int) -> Iterator[Proxy]:
    config = f"""
upstreams: {{up: "http://127.0.0.1:{port}"}}
policies: {{app: {{allow_origins: ["https://app.example"], allow_credentials: true}}}}
routes: [{{path: /, upstream: up, policy: app}}]
"""
    with started(config, admin=True) as proxy:
        yield proxy
        assert "Traceback" not in proxy.stderr.text


def connected(proxy: Proxy, **options: Any) -> connect:
    """Open a WebSocket through the proxy."""
    host, port = proxy.address
    return connect(f"ws://{host}:{port}/ws", max_size=None, ping_interval=None, proxy=None, **options)


async def test_text_and_binary(proxy: Proxy) -> None:
    """http-95: each message keeps its kind, an empty one too."""
    async with connected(proxy) as client:
        for message in ("hello", "h\u00e4llo \U0001f600", "", b"\x00\xff", b""):
            await client.send(message)
            assert await client.recv() == message


async def test_fragments_arrive_as_fragments(proxy: Proxy, served: Served) -> None:
    """http-95: neither side's fragments are put together on the way."""

    def pieces() -> Iterator[bytes]:
        yield from (b"a" * 10, b"b" * 20, b"c" * 30)

    async with connected(proxy, compression=None) as client:
        await client.send(pieces())
        assert await client.recv() == b"a" * 10 + b"b" * 20 + b"c" * 30
        seen = [(frame.opcode, len(frame.data), frame.fin) for frame in served.frames]
        assert seen[:3] == [(Opcode.BINARY, 10, False), (Opcode.CONT, 20, False), (Opcode.CONT, 30, False)]
        await client.send("fragments")
        assert [piece async for piece in client.recv_streaming()][:3] == ["one ", "two ", "three"]


async def test_ping_and_pong_go_end_to_end(proxy: Proxy, served: Served) -> None:
    """http-95: a ping is answered by the other end, not by the proxy, and its data comes back."""
    async with connected(proxy) as client:
        await (await client.ping(b"from the client"))
        assert [frame.data for frame in served.frames if frame.opcode is Opcode.PING] == [b"from the client"]
        await (await served.connections[0].ping(b"from the server"))
        assert [frame.data for frame in served.frames if frame.opcode is Opcode.PONG] == [b"from the server"]


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 3000, 4321])
async def test_close_codes(proxy: Proxy, code: int) -> None:
    """http-95: code and reason of a close arrive, from the server and from the client."""
    async with connected(proxy) as client:
        await client.send(f"close {code}")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, "as asked")


async def test_a_close_of_the_client_s(proxy: Proxy, served: Served) -> None:
    """http-95, http-98: the server gets the client's close code, and nothing is left open."""
    async with connected(proxy) as client:
        await client.close(4000, "done")
    await served.connections[0].wait_closed()
    assert served.connections[0].close_code == 4000
    assert served.connections[0].close_reason == "done"


async def test_an_aborted_connection(proxy: Proxy) -> None:
    """http-98: a server that vanishes is no clean close."""
    async with connected(proxy) as client:
        await client.send("abort")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is None


async def test_compression_is_between_the_ends(proxy: Proxy, served: Served) -> None:
    """http-95: permessage-deflate is negotiated end to end, and compressed frames stay compressed."""
    message = "x" * 100_000
    async with connected(proxy, compression="deflate") as client:
        await client.send(message)
        assert await client.recv() == message
        for connection in (client, served.connections[0]):
            assert any(isinstance(extension, PerMessageDeflate) for extension in connection.protocol.extensions)


async def test_a_sub_protocol(proxy: Proxy) -> None:
    """http-94: the server's choice is the client's; where it had none to choose from there is none."""
    async with connected(proxy, subprotocols=[Subprotocol("other"), Subprotocol("chat")]) as client:
        assert client.subprotocol == "chat"
    async with connected(proxy) as client:
        assert client.subprotocol is None


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_messages_of_five_mebibytes(proxy: Proxy, compression: str | None) -> None:
    """http-95: frames of any size pass."""
    message = bytes(range(256)) * (5 * MIB // 256)
    async with connected(proxy, compression=compression) as client:
        for _ in range(2):
            await client.send(message)
            assert await client.recv() == message


async def test_two_hundred_tunnels_at_once(proxy: Proxy) -> None:
    """http-98: each has its own messages, and none is left when they are closed."""
    async with contextlib.AsyncExitStack() as stack:
        clients: list[ClientConnection] = [await stack.enter_async_context(connected(proxy)) for _ in range(200)]
        for round_number in range(3):
            await asyncio.gather(*(client.send(f"{number}-{round_number}") for number, client in enumerate(clients)))
            answers = await asyncio.gather(*(client.recv() for client in clients))
            assert answers == [f"{number}-{round_number}" for number in range(200)]
        assert proxy.metrics()["corsproxy_requests_in_flight"] == 200
    while proxy.metrics()["corsproxy_connections"]:  # noqa: ASYNC110 - another process has no events for us
        await asyncio.sleep(0)
    assert proxy.metrics()["corsproxy_requests_in_flight"] == 0


@pytest.mark.parametrize(("origin", "allowed"), [("https://app.example", True), ("https://evil.example", False)])
async def test_the_origin_is_judged(proxy: Proxy, served: Served, origin: str, allowed: bool) -> None:
    """http-92: a page of an origin that the policy does not allow gets 403, and the server is not asked."""
    if allowed:
        async with connected(proxy, origin=Origin(origin)) as client:
            await client.send("x")
            assert await client.recv() == "x"
    else:
        with pytest.raises(InvalidStatus) as refused:
            await connected(proxy, origin=Origin(origin))
        assert refused.value.response.status_code == 403
        assert served.connections == []
