"""Each name of aiohttp's that aiohttp does not promise: it is there, and it does what client_connection.py counts on.

A new aiohttp that changes one of them fails here first, and by its name.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from pathlib import Path
from typing import Any

import aiohttp.http_parser
import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import BadHttpMessage, BadHttpMethod, HttpProcessingError, LineTooLong
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from corsproxy.proxy import client_connection

SOURCE = Path(client_connection.__file__)

PRIVATE_NAMES = {
    "_connections",
    "_force_close",
    "_loop",
    "_parser",
    "_pause_transport_reading",
    "_paused",
    "_reading_paused",
    "_resume_transport_reading",
    "_task_handler",
}


class Transport(asyncio.Transport):
    """A transport without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self.closed = False

    def pause_reading(self) -> None:
        """Note it."""
        self.paused = True

    def resume_reading(self) -> None:
        """Note it."""
        self.paused = False

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.closed


class Idle(RequestHandler):
    """A connection whose loop over requests does nothing: what the parser queues stays in the queue."""

    async def start(self) -> None:
        """Wait for ever."""
        await self._loop.create_future()


def connection(**options: object) -> Idle:
    """Make a connection of aiohttp's own, with the options that client_connection.py gives it."""
    loop = asyncio.get_running_loop()

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError("never called")

    made = Idle(
        web.Server(handler, handler_cancellation=True),
        loop=loop,
        keepalive_timeout=0,
        access_log=None,  # type: ignore[arg-type]  # documented as a way to switch it off
        auto_decompress=False,
        **options,  # type: ignore[arg-type]  # named by the test
    )
    made.connection_made(Transport())
    return made


def private_names_used() -> set[str]:
    """Every attribute with an underscore that client_connection.py uses and does not define."""
    tree = ast.parse(SOURCE.read_text())
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr.startswith("_")}
    own = {
        name for cls in (client_connection.ClientConnection, client_connection.ClientRequest) for name in cls.__slots__
    }
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assigned = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr not in PRIVATE_NAMES
    }
    return {name for name in used - own - assigned if not name.startswith("__")}


def test_the_list_above_is_whole() -> None:
    """A private name that comes into use must be tested here."""
    assert private_names_used() == PRIVATE_NAMES


def test_the_parser_is_the_one_in_c() -> None:
    """The fallback in Python parses, and refuses, differently: without the C extension every promise is void."""
    assert aiohttp.http_parser.HttpRequestParser.__module__ == "aiohttp._http_parser"
    assert RawRequestMessage.__module__ == "aiohttp._http_parser"


@pytest.mark.parametrize("name", sorted(PRIVATE_NAMES - {"_connections", "_loop", "_paused"}))
async def test_the_connection_has(name: str) -> None:
    """Each of them is an attribute or a method of RequestHandler."""
    made = connection()
    assert hasattr(made, name)
    made.force_close()


def test_methods_that_are_replaced_or_called() -> None:
    """They take what we give them, and what is awaited is a coroutine."""
    assert inspect.iscoroutinefunction(RequestHandler.start)
    assert list(inspect.signature(RequestHandler.start).parameters) == ["self"]
    assert list(inspect.signature(BaseProtocol.resume_reading).parameters) == ["self", "resume_parser"]
    assert list(inspect.signature(BaseProtocol.pause_reading).parameters) == ["self"]
    assert list(inspect.signature(BaseProtocol._resume_transport_reading).parameters) == ["self"]
    assert list(inspect.signature(BaseProtocol._pause_transport_reading).parameters) == ["self"]


async def parsed(data: bytes, **options: object) -> Any:
    """Feed a parser of a connection's own; return what `feed_data` does."""
    made = connection()
    parser = HttpRequestParser(made, asyncio.get_running_loop(), 65536, auto_decompress=False, **options)  # type: ignore[arg-type]  # named by the test
    try:
        return parser.feed_data(data)
    finally:
        made.force_close()


async def test_the_parser_returns_messages_with_their_content() -> None:
    """`feed_data` returns pairs of a raw message and its content, whether the protocol is switched, and the rest."""
    data = b"POST /a%2F?x HTTP/1.1\r\nHost: h\r\nx-A: \xe4 \r\nContent-Length: 2\r\n\r\n"
    for content_bytes in (b"ok", b""):
        ((message, content),), upgraded, tail = await parsed(data + content_bytes)
        assert isinstance(message, RawRequestMessage)
        assert (message.method, message.path, tuple(message.version)) == ("POST", "/a%2F?x", (1, 1))
        assert message.raw_headers == ((b"Host", b"h"), (b"x-A", b"\xe4"), (b"Content-Length", b"2"))
        assert (message.should_close, bool(message.upgrade), bool(message.chunked)) == (False, False, False)
        assert message.headers.get("content-length") == "2"
        assert (upgraded, tail) == (False, b"")
        assert isinstance(content, StreamReader)
        assert content.is_eof() == bool(content_bytes)
        assert content.read_nowait() == content_bytes


async def test_content_can_be_fed_past_the_parser() -> None:
    """The content of a head that is fed alone takes bytes and its end from us; chunks are said so."""
    ((message, content),), _, _ = await parsed(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert message.chunked
    content.feed_data(b"a")
    content.feed_data(b"")
    content.feed_data(b"b")
    assert not content.is_eof()
    content.feed_eof()
    assert (content.is_eof(), content.total_bytes, content.read_nowait(), content.at_eof()) == (True, 2, b"ab", True)


async def test_a_trailer_is_still_kept_for_the_next_request() -> None:
    """Why the parser is fed no chunked content: the last trailer line becomes a field of the next request.

    If a new aiohttp mends that, this fails, and corsproxy/proxy/client/chunks.py is defence in depth.
    """
    chunked = b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: lost\r\nCookie: evil\r\n\r\n"
    messages, _, _ = await parsed(chunked + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert messages[1][0].raw_headers == ((b"Cookie", b"evil"), (b"Host", b"h"))


@pytest.mark.parametrize("target", ["/a?", "//evil/x", "http://u@h/x", "*", "/a#b", "/a\\b|{}"])
async def test_the_target_is_the_wire_s(target: str) -> None:
    """`RawRequestMessage.path` is what was sent: not decoded, not normalised, scheme and host left in."""
    ((message, _),), _, _ = await parsed(b"OPTIONS " + target.encode() + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert message.path == target


async def test_a_request_without_content_has_the_empty_payload() -> None:
    """`EMPTY_PAYLOAD` is at its end and has no exception."""
    ((_, content),), _, _ = await parsed(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert content is EMPTY_PAYLOAD
    assert content.is_eof()
    assert content.exception() is None


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"FOO / HTTP/1.1\r\nHost: h\r\n\r\n", BadHttpMethod),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", BadHttpMessage),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 9000 + b"\r\n\r\n", LineTooLong),
    ],
)
async def test_a_refusal_of_the_parser_is_raised(data: bytes, cause: type[HttpProcessingError]) -> None:
    """It has a message, which names an invalid method as such."""
    with pytest.raises(cause) as raised:
        await parsed(data)
    assert ("Invalid method" in raised.value.message) == (cause is BadHttpMethod)


async def test_too_many_lines_are_said_so() -> None:
    """The parser's text for more lines than `max_headers` is told from others by its words."""
    with pytest.raises(BadHttpMessage, match="Too many headers"):
        await parsed(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: a\r\n" * 5 + b"\r\n", max_headers=3)


async def test_a_lost_connection_cancels_the_handler() -> None:
    """The task in `_task_handler` is cancelled, and the connection is one of the server's no more."""
    made = connection()
    await asyncio.sleep(0)
    task = made._task_handler
    assert task is not None
    manager = made._manager
    assert manager is not None
    assert made in manager._connections
    made.connection_lost(None)
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert made not in manager._connections
    assert made.transport is None


async def test_writing_paused() -> None:
    """`_paused` says that the client takes nothing."""
    made = connection()
    assert not made._paused
    made.pause_writing()
    paused = made._paused
    made.resume_writing()
    assert (paused, made._paused) == (True, False)
    made.force_close()


async def test_the_transport_is_paused() -> None:
    """`_pause_transport_reading` and its contrary."""
    made = connection()
    transport = made.transport
    assert isinstance(transport, Transport)
    seen = []
    for turn in (made._pause_transport_reading, made._resume_transport_reading):
        turn()
        seen.append(transport.paused)
    assert seen == [True, False]
    made.force_close()
