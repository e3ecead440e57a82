"""One connection of a client over real sockets, with a handler of the test's own: order, ends, what aiohttp sees."""

from __future__ import annotations

import ast
import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop
from aiohttp import web

from corsproxy.proxy.client import listener as listener_module
from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.client.listener import ClientListener, Handler
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.settings import Limits

GET = b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n"


def answer(request: ClientRequest) -> bool:
    """Answer with the target of the request, at once."""
    request.connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + request.target)
    return request.keep_alive


async def answer_in_a_task(request: ClientRequest) -> bool:
    """Answer with the target of the request, a turn of the loop later, when its content has been read."""
    await asyncio.sleep(0)
    while await request.connection.read_content(request.content):
        pass
    return answer(request)


def talk(handler: Handler, data: bytes, *, until: bytes = b"") -> bytes:
    """Send `data` on a connection and return what comes back, to its end or to what `until` says."""

    async def run() -> bytes:
        listener = ClientListener(handler, Limits(), lambda *_: b"id")
        server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(data)
        async with asyncio.timeout(10):
            answered = await (reader.readuntil(until) if until else reader.read())
        writer.close()
        await writer.wait_closed()
        server.close()
        return answered

    return asyncio.run(run())


@pytest.mark.parametrize("handler", [answer, answer_in_a_task])
def test_a_broken_request_takes_no_good_one_with_it(handler: Handler) -> None:
    """Three requests in one segment, the third of them broken: two answers and a 400."""
    answered = talk(handler, GET % 1 + GET % 2 + b"GET /3 HTTP/1.1\r\nHost : h\r\n\r\n")
    assert [line for line in answered.split(b"\r\n") if line.startswith((b"HTTP/", b"/"))] == [
        b"HTTP/1.1 200 OK",
        b"/1HTTP/1.1 200 OK",
        b"/2HTTP/1.1 400 Bad Request",
    ]


@pytest.mark.parametrize("handler", [answer, answer_in_a_task])
@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"foo"])
def test_what_stands_behind_a_declined_upgrade_is_answered(handler: Handler, protocol: bytes) -> None:
    """In the same segment, whatever protocol was asked for."""
    upgrade = b"GET /1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"
    assert talk(handler, upgrade + GET % 2, until=b"/2").count(b"200 OK") == 2


@pytest.mark.parametrize(
    "content", [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
)
def test_what_stands_behind_content_is_answered(content: bytes) -> None:
    """The end of content hides no head."""
    posts = b"POST /1 HTTP/1.1\r\nHost: h\r\n" + content
    assert talk(answer_in_a_task, posts + posts + GET % 2, until=b"/2").count(b"200 OK") == 3


def test_many_requests_in_one_segment() -> None:
    """They are answered in order, more than are kept while one is under way."""
    data = b"".join(GET % (number % 10) for number in range(5000))
    answered = talk(answer_in_a_task, data + b"GET /z HTTP/1.0\r\n\r\n")
    assert answered.count(b"200 OK") == 5001
    assert answered.endswith(b"/z")


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_small_answers_leave_at_once(run: Callable[[Coroutine[None, None, int]], int]) -> None:
    """Both loops switch Nagle's algorithm off (TCP_NODELAY), or every second answer would wait for an ACK."""

    async def ask() -> int:
        listener = ClientListener(answer, Limits(), lambda *_: b"id")
        server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(GET % 1)
        await reader.readuntil(b"/1")
        (connection,) = listener.open_connections
        option = connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await writer.wait_closed()
        server.close()
        return int(option)

    assert run(ask())


def test_a_client_that_goes_cancels_what_answers_it() -> None:
    """The task learns it at once, and the connection is one of the server's no more."""

    async def go() -> list[str]:
        seen = []
        began, ended = asyncio.Event(), asyncio.Event()

        async def handler(_: ClientRequest) -> bool:
            began.set()
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                seen.append("cancelled")
                ended.set()
                raise
            return True

        listener = ClientListener(handler, Limits(), lambda *_: b"id")
        server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(GET % 1)
        await began.wait()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        async with asyncio.timeout(10):
            await ended.wait()
        seen.append(str(len(listener.connections)))
        server.close()
        return seen

    assert asyncio.run(go()) == ["cancelled", "0"]


def test_one_private_name_of_aiohttp_is_used() -> None:
    """`_task_handler`, which `web.Server.connection_lost` reads; the server's own underscores are not touched."""
    assert "_task_handler" in web.RequestHandler.__slots__
    assert ClientConnection._task_handler is None
    tree = ast.parse(Path(listener_module.__file__).read_text(encoding="utf-8"))
    private = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("_")}
    assert private == {"__init__"}
    assert not issubclass(ClientConnection, web.RequestHandler)
