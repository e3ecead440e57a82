"""Each name of aiohttp's that aiohttp does not promise: it is there, and it does what client_connection.py counts on.

A new aiohttp that changes one of them fails here first, and by its name.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections import deque
from pathlib import Path

import aiohttp.http_parser
import pytest
from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import BadHttpMessage, BadHttpMethod, HttpProcessingError, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from corsproxy.proxy import client_connection

SOURCE = Path(client_connection.__file__)

PRIVATE_NAMES = {
    "_buffer_paused",
    "_connections",
    "_force_close",
    "_loop",
    "_message_tail",
    "_messages",
    "_msg_queue_resume_size",
    "_parser",
    "_pause_reading_for_buffer",
    "_paused",
    "_reading_paused",
    "_resume_reading_for_buffer",
    "_resume_reading_if_drained",
    "_task_handler",
    "_upgraded",
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
    assert list(inspect.signature(RequestHandler.data_received).parameters) == ["self", "data"]
    assert list(inspect.signature(RequestHandler._resume_reading_if_drained).parameters) == ["self"]
    assert list(inspect.signature(BaseProtocol._resume_reading_for_buffer).parameters) == ["self"]
    assert list(inspect.signature(BaseProtocol._pause_reading_for_buffer).parameters) == ["self"]


async def test_the_queue_between_parser_and_start() -> None:
    """`_messages` gets pairs of a raw message and its content."""
    made = connection()
    await asyncio.sleep(0)
    assert isinstance(made._messages, deque)
    made.data_received(b"POST /a%2F?x HTTP/1.1\r\nHost: h\r\nx-A: \xe4 \r\nContent-Length: 2\r\n\r\nok")
    ((message, content),) = made._messages
    assert isinstance(message, RawRequestMessage)
    assert (message.method, message.path, tuple(message.version)) == ("POST", "/a%2F?x", (1, 1))
    assert message.raw_headers == ((b"Host", b"h"), (b"x-A", b"\xe4"), (b"Content-Length", b"2"))
    assert (message.should_close, bool(message.upgrade)) == (False, False)
    assert isinstance(content, StreamReader)
    assert content.is_eof()
    assert content.read_nowait() == b"ok"
    made.force_close()


@pytest.mark.parametrize("target", ["/a?", "//evil/x", "http://u@h/x", "*", "/a#b", "/a\\b|{}"])
async def test_the_target_is_the_wire_s(target: str) -> None:
    """`RawRequestMessage.path` is what was sent: not decoded, not normalised, scheme and host left in."""
    made = connection()
    made.data_received(b"OPTIONS " + target.encode() + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert made._messages[0][0].path == target  # type: ignore[union-attr]  # it is a message
    made.force_close()


async def test_a_request_without_content_has_the_empty_payload() -> None:
    """`EMPTY_PAYLOAD` is at its end and has no exception."""
    made = connection()
    made.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    _, content = made._messages[0]
    assert content is EMPTY_PAYLOAD
    assert content.is_eof()
    assert content.exception() is None
    made.force_close()


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"FOO / HTTP/1.1\r\nHost: h\r\n\r\n", BadHttpMethod),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", BadHttpMessage),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 9000 + b"\r\n\r\n", LineTooLong),
    ],
)
async def test_a_refusal_of_the_parser_is_queued(data: bytes, cause: type[HttpProcessingError]) -> None:
    """`_ErrInfo` has status, cause and message, and `message` names an invalid method as such."""
    made = connection()
    made.data_received(data)
    error, _ = made._messages[0]
    assert isinstance(error, _ErrInfo)
    assert error.status == 400
    assert isinstance(error.exc, cause)
    assert ("Invalid method" in error.message) == (cause is BadHttpMethod)
    assert _ErrInfo(status=431, exc=ValueError(), message="x").status == 431
    made.force_close()


async def test_too_many_lines_are_said_so() -> None:
    """The parser's text for more lines than `max_headers` is told from others by its words."""
    made = connection(max_headers=3)
    made.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: a\r\n" * 5 + b"\r\n")
    error, _ = made._messages[0]
    assert isinstance(error, _ErrInfo)
    assert "Too many headers" in error.message
    made.force_close()


async def test_a_full_queue_pauses_and_goes_on() -> None:
    """Behind so many requests the client is paused; `message_consumed` and the resume read on."""
    made = connection()
    transport = made.transport
    assert isinstance(transport, Transport)
    made.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * (client_connection._MOST_PIECES * 2))
    assert len(made._messages) == client_connection._MOST_PIECES
    assert (made._buffer_paused, transport.paused) == (True, True)
    total = 0
    while made._messages:
        made._messages.popleft()
        total += 1
        assert made._parser is not None
        made._parser.message_consumed()
        if made._buffer_paused and len(made._messages) <= made._msg_queue_resume_size:
            made._resume_reading_if_drained()
    assert total == client_connection._MOST_PIECES * 2
    assert not transport.paused
    made.force_close()


async def test_an_upgrade_stops_the_parser() -> None:
    """Behind a WebSocket handshake bytes go to `_message_tail`; `set_upgraded(False)` makes them requests again."""
    made = connection()
    made.data_received(
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /next HTTP/1.1\r\n"
    )
    assert made._upgraded
    made.data_received(b"Host: h\r\n\r\n")
    assert made._message_tail == b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
    assert len(made._messages) == 1
    made._upgraded = False
    assert made._parser is not None
    made._parser.set_upgraded(False)
    made.data_received(made._message_tail)
    assert [message.path for message, _ in made._messages] == ["/", "/next"]  # type: ignore[union-attr]  # messages
    made.force_close()


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


async def test_the_parser_can_be_fed_past_the_queue() -> None:
    """`_parser.feed_data` returns the messages of these bytes with their content, whether the protocol is switched,
    and what stands behind; what it refuses it raises.
    """
    made = connection()
    parser = made._parser
    assert parser is not None
    messages, upgraded, tail = parser.feed_data(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok")
    ((message, content),) = messages
    assert (message.path, content.is_eof(), content.total_bytes, upgraded, tail) == ("/a", True, 2, False, b"")
    parser.message_consumed()
    assert not made._messages
    with pytest.raises(HttpProcessingError, match="Invalid"):
        parser.feed_data(b"GET / HTTP/1.1\r\nHost : h\r\n\r\n")
    made.force_close()


async def test_writing_paused() -> None:
    """`_paused` says that the client takes nothing."""
    made = connection()
    assert not made._paused
    made.pause_writing()
    paused = made._paused
    made.resume_writing()
    assert (paused, made._paused) == (True, False)
    made.force_close()


async def test_the_transport_is_paused_for_a_buffer() -> None:
    """`_pause_reading_for_buffer` and its contrary pause the transport and say so in `_buffer_paused`."""
    made = connection()
    transport = made.transport
    assert isinstance(transport, Transport)
    seen = []
    for turn in (made._pause_reading_for_buffer, made._resume_reading_for_buffer):
        turn()
        seen.append((made._buffer_paused, transport.paused))
    assert seen == [(True, True), (False, False)]
    made.force_close()
