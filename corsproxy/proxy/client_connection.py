"""The seam to aiohttp: the one module that uses names aiohttp does not promise.

aiohttp's low-level server accepts, parses requests with its llhttp parser and buffers request content with
back-pressure; this module takes over where a proxy must see what aiohttp hides. What is used, and why:

- `RequestHandler.start`: replaced by nothing, so that a request costs no task, is not wrapped in a `BaseRequest` that
  decodes its target, and so that a response of finished bytes needs no writer;
- `_messages`, `_parser.message_consumed`, `_upgraded`, `_message_tail`, `_resume_reading_if_drained`,
  `_pause_reading_for_buffer`, `_resume_reading_for_buffer`: the queue between the parser and the handler;
- `_reading_paused`: whether content has grown too much, so that taking a piece of it need not parse again;
- `_parser.feed_data`: an ordinary head goes from the parser to the handler without passing through the queue;
- `_ErrInfo`: how the parser's refusals are queued behind the requests before them;
- `RawRequestMessage.path`: the request target as sent, which every public attribute decodes or normalises.

`tests/proxy/test_aiohttp_seam.py` fails when a new aiohttp changes one of them.
Knows no routes, no policy and no upstream.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Protocol, cast

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, RequestPayloadError, _ErrInfo

from corsproxy.proxy.answers import answer_head, date_line
from corsproxy.proxy.errors import ClientError, ClientErrorKind
from corsproxy.settings import Limits

if TYPE_CHECKING:
    from corsproxy.proxy.logins import ConnectionLogins

NEVER = float("inf")

HALF_CLOSED_GRACE = 2.0
"""Seconds that the answer to a client that has closed its sending side is still awaited, and between signs of its
taking it.

nginx and Go answer such a client; a client that is gone looks the same until something is sent to it.
"""

CLIENT_STALL_TIMEOUT = 300.0
"""Seconds a client may take nothing of a response: longer than any kernel buffer takes to drain at 1 KiB a second."""

LINGER = 5.0
"""Seconds that content nobody wants any more is read and dropped after an early answer, so that the client gets to read
the answer before the reset (RFC 9112 section 9.6); nginx lingers 5 s between reads."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER, switched on with no time to linger."""

_READ_BUFFER = 64 * 1024
"""Bytes of request content kept before the client is paused; twice that is aiohttp's high-water mark."""

_WAITING_HEADS = 16 * 1024
"""Bytes of heads parsed while another request is under way: parsed, small fields take seventy times their bytes."""

_HEAD_END = b"\r\n\r\n"

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})\r\n", re.IGNORECASE)

_KEPT_PROTOCOLS = frozenset({"tcp", "websocket"})
"""Upgrades behind which aiohttp keeps what the client sends; it loses what stands in one segment behind any other."""

_MOST_PIECES = 32
"""Parts in which one segment is parsed at most: as many as aiohttp keeps requests before it pauses the client."""

_MAX_FIELD_LINES = 4096
"""aiohttp counts lines where we count bytes: 32 KiB hold at most this many of 8 bytes."""

log = logging.getLogger(__name__)

_OVERLOADED_TEXT = b"too many connections\n"
_OVERLOADED_HEAD = answer_head(503, b"Retry-After: 1\r\n", length=len(_OVERLOADED_TEXT)) + b"Connection: close\r\n\r\n"


class Tunnel(Protocol):
    """What takes the bytes of a connection after a 101."""

    def from_client(self, data: bytes) -> None:
        """Take bytes from the client."""

    def client_eof(self) -> None:
        """The client has closed its sending side."""

    def client_writable(self) -> None:
        """The client takes bytes again."""


class ClientRequest:
    """One request as it stands on the wire, and the connection it came on."""

    __slots__ = (
        "connection",
        "content",
        "keep_alive",
        "message",
        "method",
        "minor",
        "on_gone",
        "raw_fields",
        "target",
        "upgrade",
    )

    def __init__(self, connection: ClientConnection, message: RawRequestMessage, content: StreamReader) -> None:
        self.connection = connection
        self.content = content
        self.method: str = message.method
        self.target: bytes = message.path.encode("utf-8", "surrogateescape")
        self.minor: int = message.version.minor if message.version.major == 1 else -1
        """HTTP/1.`minor`; -1 where the major version is not 1."""
        self.raw_fields: tuple[tuple[bytes, bytes], ...] = message.raw_headers
        self.keep_alive: bool = not message.should_close
        self.upgrade: bool = bool(message.upgrade)
        """True where llhttp stops parsing behind this request."""
        self.on_gone: Callable[[], None] | None = None
        """Called where the client goes away while no task answers the request."""

    def client_gone(self) -> None:
        """The connection is gone: whoever reads the content, or answers without a task, learns it."""
        if not self.content.is_eof():
            self.content.set_exception(ClientError(ClientErrorKind.DISCONNECTED))
        if self.on_gone is not None:
            self.on_gone()


Handler = Callable[["ClientRequest"], "bool | Coroutine[None, None, bool] | None"]
"""Answers a request on its connection; True where the connection may carry another, False where not.

A coroutine where that takes time, or None: then `ClientConnection.request_over` or `answer_later` is called later.
"""


class ClientConnection(RequestHandler):
    """One connection of a client."""

    __slots__ = (
        "_awaits_head",
        "_body_waits_since",
        "_deaf",
        "_ended",
        "_ends_with",
        "_framing_bytes",
        "_half_closed_at",
        "_handler",
        "_head_bytes",
        "_head_since",
        "_held",
        "_idle_since",
        "_last_bytes",
        "_last_content",
        "_limits",
        "_listener",
        "_no_more",
        "_over_when_taken",
        "_request",
        "_stalled_since",
        "_taking",
        "_unmeasured",
        "_unsent",
        "_waiting_bytes",
        "busy",
        "carries_many",
        "forwarding",
        "has_sent",
        "logins",
        "on_writable",
        "peer",
        "secure",
        "tunnel",
    )

    def __init__(self, listener: Listener, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            listener,
            loop=loop,
            keepalive_timeout=0,  # the sweeper's business: no timer for each connection
            access_log=None,  # type: ignore[arg-type]  # documented as a way to switch it off
            max_line_size=limits.max_header_bytes,
            max_field_size=limits.max_header_bytes,
            max_headers=_MAX_FIELD_LINES,
            read_bufsize=_READ_BUFFER,
            auto_decompress=False,
        )
        self._listener = listener
        self._handler = listener.answer
        self._limits = limits
        self._request: ClientRequest | None = None
        """The one under way."""
        self._awaits_head = False
        """True where no request is under way and nothing of the next one has come, nor anything odd before."""
        self._taking = False
        self._ended = False
        """True once no further request is taken, whatever comes."""
        self._over_when_taken: bool | None = None
        """What is to become of the connection once the client has taken the answer; None where that is not awaited."""
        self._deaf = False
        """True once what the client sends can no longer be told apart."""
        self._no_more = False
        """True where no further request is taken; aiohttp's own `_close` would also cut the content of the one under
        way."""
        self._last_bytes = b""
        """At most three, of the segment before: the end of a head may lie in two."""
        self._last_content: StreamReader = EMPTY_PAYLOAD
        self._ends_with: RawRequestMessage | None = None
        """The request behind which aiohttp may have lost bytes, so that nothing there can be told apart."""
        self._framing_bytes = 0
        """Bytes since the last one of content: chunk extensions and trailers, which aiohttp keeps, have a limit too."""
        self._unmeasured = False
        """True where the next head may have begun in bytes that were not counted."""
        self._waiting_bytes = 0
        """Of the heads that have come while another request waited."""
        self._held = b""
        """What is parsed when the last of the waiting requests is taken; until then nothing more is read."""
        self._head_bytes = 0
        self._head_since = NEVER
        self._idle_since = 0.0
        self._body_waits_since = NEVER
        self._half_closed_at = NEVER
        self._stalled_since = NEVER
        self._unsent = 0
        self.busy = False
        self.tunnel: Tunnel | None = None
        self.has_sent = False
        """Set when content is sent; the sweeper, who looks for progress, clears it."""
        self.on_writable: Callable[[], None] | None = None
        """Called when the client, having been slow, takes bytes again."""
        self.peer = ""
        """The peer's address without port; empty for a Unix socket."""
        self.secure = False
        self.forwarding: object = None
        """What the data path keeps for the life of the connection."""
        self.carries_many = False
        """True once a request has come that an edge passed on: it may send those of others here, too."""
        self.logins: ConnectionLogins | None = None
        """The upstreams' connections that are this client's alone."""

    # --- for the data path ------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send finished bytes; raises `ClientError` where the client is gone."""
        transport = self.transport
        if transport is None or transport.is_closing():
            raise ClientError(ClientErrorKind.DISCONNECTED)
        transport.write(data)

    async def read_content(self, content: StreamReader) -> bytes:
        """Return the next bytes of request content, empty at its end; raises `ClientError`."""
        self._body_waits_since = self._loop.time()
        try:
            # Not `readany`: woken by the end of a chunk, it waits again without looking whether the content has failed.
            while content.exception() is not None or not content.at_eof():
                data, is_chunk_end = await content.readchunk()
                if data:
                    return data + content.read_nowait()
                if not is_chunk_end:
                    break
            return b""
        except ClientError:
            raise
        except (RequestPayloadError, HttpProcessingError, RuntimeError):
            raise ClientError(ClientErrorKind.BAD_BODY) from None
        finally:
            self._body_waits_since = NEVER

    def abort(self) -> None:
        """End the connection at once: what was being sent stays unfinished on the wire (RFC 9112 section 8)."""
        transport = self.transport
        self._force_close = True
        if transport is not None:
            transport.abort()

    def reset(self) -> None:
        """End the connection with a RST, where its plain end would pass for the end of the content."""
        transport = self.transport
        if transport is not None:
            sock = transport.get_extra_info("socket")
            if sock is not None and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.abort()

    def take_early_bytes(self) -> bytes:
        """Return what the client has sent behind an upgrade request."""
        early, self._message_tail = self._message_tail, b""
        if self._buffer_paused:
            self._resume_reading_for_buffer()
        return early

    @property
    def takes_no_more(self) -> bool:
        """True where the request under way is the last one (a stop was asked for)."""
        return self._no_more

    @property
    def has_stopped_sending(self) -> bool:
        """True where the client has closed its sending side, and still waits for an answer."""
        return self._half_closed_at < NEVER

    def close_when_idle(self) -> None:
        """Take no further request: close now where none is under way, else after it."""
        self._no_more = True
        self._awaits_head = False
        if not self.busy and not self._messages and self.transport is not None:
            self.transport.close()

    # --- one request after another ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Nothing: aiohttp makes a task of this for each connection, but requests are taken as they come."""

    def _take_requests(self) -> None:
        """Hand over one request after another, each when the one before is over."""
        if self._taking:
            return
        self._taking = True
        try:
            while not (self.busy or self._ended or self._force_close):
                if self._messages:
                    self._take(*self._messages.popleft())
                    continue
                if self._no_more or self._deaf or self._half_closed_at < NEVER:
                    self._end()
                else:
                    self._awaits_head = self._is_at_rest
                break
        finally:
            self._taking = False

    def _take(self, message: RawRequestMessage | _ErrInfo, content: StreamReader) -> None:
        if self._parser is not None:
            self._parser.message_consumed()
        if self._held:
            if not self._messages:
                self._let_go()
        elif self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        if isinstance(message, _ErrInfo):
            self._ended = True
            self._task_handler = self._loop.create_task(self._refuse_unparsable(message))
            return
        request = ClientRequest(self, message, content)
        if message is self._ends_with:
            request.keep_alive = False
        self._answer(request)

    def _answer(self, request: ClientRequest) -> None:
        self.busy = True
        self._request = request
        answer = self._handler(request)
        if isinstance(answer, bool):
            self.request_over(keep=answer)
        elif answer is not None:
            self.answer_later(answer)

    def answer_later(self, answer: Coroutine[None, None, bool]) -> None:
        """Have the request under way answered by a task, which is cancelled where the client goes away."""
        task = self._loop.create_task(answer)
        task.add_done_callback(self._answered)
        self._task_handler = task  # type: ignore[assignment]  # aiohttp cancels it, and asks for no result

    def _answered(self, task: asyncio.Task[bool]) -> None:
        if not task.cancelled():
            self._task_handler = None
            self.request_over(keep=task.result())

    def request_over(self, *, keep: bool) -> None:
        """The request under way has been answered; `keep` where the connection may carry another."""
        if self._paused:
            # Who asks and asks and never reads gets no further answer into our memory: `resume_writing` goes on.
            self._over_when_taken = keep
            return
        content = self._current_content()
        self._request = None
        self.busy = False
        self._idle_since = self._loop.time()
        if not content.is_eof():
            self._ended = True
            self._task_handler = self._loop.create_task(self._linger(content))
        elif not keep or self._force_close:
            self._end()
        else:
            if self._upgraded and not self._messages:  # else the upgrade is not this request's: it comes last
                self._go_on_after_declined_upgrade()
            self._take_requests()

    def _end(self) -> None:
        """Close when everything is sent; nothing further is taken."""
        self._ended = True
        if self.transport is not None and not self._force_close:
            self.transport.close()

    async def _linger(self, content: StreamReader) -> None:
        """Read and drop what the client still sends, for a while, so that it sees the answer and not a reset."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if transport.can_write_eof():
            transport.write_eof()
        try:
            async with asyncio.timeout(LINGER):
                while not content.is_eof():
                    await content.readany()
        except (TimeoutError, ClientError, RequestPayloadError, HttpProcessingError, RuntimeError) as error:
            log.debug("while lingering: %r", error)
        self._end()

    def _go_on_after_declined_upgrade(self) -> None:
        """The upstream did not switch protocols: what came behind the request is a request."""
        self._upgraded = False
        assert self._parser is not None
        self._parser.set_upgraded(False)
        early = self.take_early_bytes()
        if early:
            self.data_received(early)

    async def _refuse_unparsable(self, error: _ErrInfo) -> None:
        """Answer what could not be parsed: no route is known, so no policy either."""
        self._deaf = True
        body = f"{error.message}\n".encode()
        head = answer_head(error.status, date_line(), length=len(body))
        self._listener.on_unread(error.status, self.peer, len(body))
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(head + b"Connection: close\r\n\r\n" + body)
        if transport.can_write_eof() and self._half_closed_at == NEVER:
            # What is still to come is dropped as it comes; the client's own end, or the time, ends the wait.
            transport.write_eof()
            await asyncio.sleep(LINGER)
        self._end()

    # --- asyncio's callbacks ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turn away one connection too many; else note the peer and begin."""
        peer = transport.get_extra_info("peername")
        self.peer = peer[0].partition("%")[0] if isinstance(peer, tuple) else ""
        if self._listener.is_full:
            tcp = cast("asyncio.Transport", transport)
            self._deaf = True
            tcp.write(_OVERLOADED_HEAD + _OVERLOADED_TEXT)
            tcp.close()
            self._listener.on_unread(503, self.peer, len(_OVERLOADED_TEXT))
            return
        self._idle_since = self._head_since = self._loop.time()
        self.secure = transport.get_extra_info("sslcontext") is not None
        super().connection_made(transport)
        self._awaits_head = True

    def data_received(self, data: bytes) -> None:
        """Parse, and keep count of what the limits are about."""
        if self._awaits_head:
            self._awaits_head = False
            end = data.find(_HEAD_END) + len(_HEAD_END)
            rest = len(data) - end
            if len(_HEAD_END) <= end <= self._limits.max_header_bytes and (not rest or _says_length(data, end, rest)):
                self._take_whole(data, rest)
                return
        if self.tunnel is not None:
            self.tunnel.from_client(data)
            return
        if self._held:
            self._held += data
            return
        before = self._last_bytes
        if not before and data.find(_HEAD_END) + len(_HEAD_END) == len(data):
            self._parse(data)
            self._take_requests()
            return
        # One head at a time: an error of the parser takes with it the requests before it in the same bytes.
        self._last_bytes = (before + data[-3:])[-3:]
        start = 0
        for end in itertools.islice(_head_ends(before, data), _MOST_PIECES):
            self._parse(data[start:end])
            start = end
            if self._is_full:
                self._held, self._last_bytes = data[start:], b""
                break
        if not self._held and (start < len(data) or not data):
            self._parse(data[start:] if start else data)
        if not self._head_bytes and self._last_content.is_eof():
            self._last_bytes = b""
        self._take_requests()

    def _take_whole(self, data: bytes, size: int) -> None:
        """Answer a request that has come alone and as a whole, as nearly every one does: no queue, no counting.

        `size` is that of its content. What turns out to be less plain takes the way of everything else.
        """
        parser = self._parser
        assert parser is not None
        messages: list[tuple[RawRequestMessage | _ErrInfo, StreamReader]]
        try:
            messages, upgraded, tail = parser.feed_data(data)
        except HttpProcessingError as error:
            messages, upgraded, tail = [(_ErrInfo(400, error, error.message), EMPTY_PAYLOAD)], False, b""
        if len(messages) == 1 and not upgraded:
            message, content = messages[0]
            whole = content.is_eof() and content.total_bytes == size if size else True
            if whole and not isinstance(message, _ErrInfo) and not message.upgrade:
                self._head_since = NEVER
                self._last_content = content
                parser.message_consumed()
                self._answer(ClientRequest(self, message, content))
                return
        self._messages.extend(messages)
        self._upgraded, self._message_tail = upgraded, tail
        if messages:
            self._after_heads(0, data, inside_content=False)
        else:
            self._after_partial_head(len(data))
        if self._head_bytes or not self._last_content.is_eof():
            self._last_bytes = data[-3:]
        self._take_requests()

    @property
    def _is_at_rest(self) -> bool:
        """True where what comes next can only be the first byte of a head."""
        return (
            not (
                self._head_bytes
                or self._last_bytes
                or self._held
                or self._unmeasured
                or self._upgraded
                or self._buffer_paused
                or self._reading_paused
                or self._ends_with is not None
            )
            and self._last_content.is_eof()
        )

    def _parse(self, data: bytes) -> None:
        if self._deaf or (self._ends_with is not None and self._last_content.is_eof()):
            return
        if self._upgraded:
            super().data_received(data)
            return
        content = self._last_content
        inside_content = not content.is_eof()
        known, seen = len(self._messages), content.total_bytes
        self._unmeasured = self._unmeasured or not data
        super().data_received(data)
        if len(self._messages) > known:
            self._after_heads(known, data, inside_content=inside_content)
        elif inside_content:
            self._after_content(content, data, content.total_bytes - seen)
        elif data:
            self._after_partial_head(len(data))

    def _after_heads(self, known: int, data: bytes, *, inside_content: bool) -> None:
        """One or more heads have become whole, or what came cannot be parsed."""
        newest, self._last_content = self._messages[-1]
        if isinstance(newest, _ErrInfo):
            self._deaf = True
            self._messages[-1] = (_told(newest), EMPTY_PAYLOAD)
            if inside_content and len(self._messages) == known + 1:
                # The content of a request under way cannot be told from what follows.
                for _, content in (*self._messages, (None, self._current_content())):
                    if not content.is_eof():
                        content.set_exception(ClientError(ClientErrorKind.BAD_BODY))
        elif self._unmeasured or len(data) + self._head_bytes > self._limits.max_header_bytes:
            for index in range(known, len(self._messages)):
                message, _ = self._messages[index]
                if not isinstance(message, _ErrInfo) and _head_size(message) > self._limits.max_header_bytes:
                    self._refuse_from(index, 431, "the head of the request is larger than this server accepts")
                    break
        self._head_bytes = self._framing_bytes = 0
        self._head_since = NEVER
        self._unmeasured = self._unmeasured and not data
        if not self._deaf and not isinstance(newest, _ErrInfo):
            if newest.upgrade and not self._is_kept_apart(newest, known, data):
                self._ends_with = newest
            self._waiting_bytes = self._waiting_bytes + len(data) if len(self._messages) > 1 else 0
            if self._is_full and not self._buffer_paused:
                self._pause_reading_for_buffer()

    def _is_kept_apart(self, upgrade: RawRequestMessage, known: int, data: bytes) -> bool:
        """True where nothing can have been lost behind a request that asks to switch protocols."""
        if upgrade.method == "CONNECT" or upgrade.headers.get("Upgrade", "").lower() in _KEPT_PROTOCOLS:
            return True
        is_alone = len(self._messages) == known + 1 and data.endswith(_HEAD_END) and not self._buffer_paused
        return is_alone and self._last_content is EMPTY_PAYLOAD

    @property
    def _is_full(self) -> bool:
        """True where requests that wait for their turn take enough memory: aiohttp counts them, and not their bytes."""
        return bool(self._waiting_bytes) and (
            self._waiting_bytes > _WAITING_HEADS
            or sum(content.total_bytes for _, content in self._messages) > _READ_BUFFER
        )

    def _let_go(self) -> None:
        """Parse what was held, and read on."""
        held, self._held = self._held, b""
        self._waiting_bytes = 0
        self._resume_reading_for_buffer()
        self.data_received(held)

    def _after_content(self, content: StreamReader, data: bytes, grown: int) -> None:
        """Content has come, `grown` bytes of it, or what frames it; behind its end the next head may have begun."""
        if self._body_waits_since < NEVER:
            self._body_waits_since = self._loop.time()
        self._framing_bytes = 0 if grown else self._framing_bytes + len(data)
        if content.is_eof():
            self._framing_bytes = 0
            end = data.rfind(_HEAD_END)
            rest = data[max(grown, end + len(_HEAD_END) if end >= 0 else 0) :].lstrip(b"\r\n")
            if rest and not self._upgraded:
                self._after_partial_head(len(rest))
        elif self._framing_bytes > self._limits.max_header_bytes:
            self._deaf = True
            content.set_exception(ClientError(ClientErrorKind.BAD_BODY))

    def _current_content(self) -> StreamReader:
        return self._request.content if self._request is not None else EMPTY_PAYLOAD

    def _after_partial_head(self, size: int) -> None:
        if self._head_bytes == 0:
            self._head_since = self._loop.time()
        self._head_bytes += size
        if self._head_bytes > self._limits.max_header_bytes:
            self._refuse_from(len(self._messages), 431, "the head of the request is larger than this server accepts")

    def _refuse_from(self, index: int, status: int, text: str) -> None:
        """Answer `status` in place of the message at `index` of the queue, and hear no more."""
        self._deaf = True
        self._head_since = NEVER
        while len(self._messages) > index:
            self._messages.pop()
        self._messages.append((_ErrInfo(status=status, exc=ValueError(text), message=text), EMPTY_PAYLOAD))
        self._take_requests()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's protocols may return a bool
        """The client has closed its sending side: a whole request is still answered, for a while."""
        if self.tunnel is not None:
            self.tunnel.client_eof()
            return True
        whole = self._last_content.is_eof() and (self.busy or bool(self._messages))
        if not whole or self.secure:
            return False
        self._half_closed_at = self._loop.time()
        self._unsent = self._write_buffer_size()
        self.has_sent = False
        return True

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Read on where content had grown too much; aiohttp calls this at every piece that is taken, grown or not."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone: aiohttp cancels the handler."""
        writable, self.on_writable = self.on_writable, None
        if self.logins is not None:
            self.logins.client_ended()
        if self._request is not None:
            self._request.client_gone()
        super().connection_lost(exc)
        if writable is not None:
            writable()

    def pause_writing(self) -> None:
        """The client takes no more for now."""
        super().pause_writing()
        self._stalled_since = self._loop.time()
        self._unsent = self._write_buffer_size()

    def resume_writing(self) -> None:
        """The client takes more."""
        super().resume_writing()
        self._stalled_since = NEVER
        if self.tunnel is not None:
            self.tunnel.client_writable()
        elif self.on_writable is not None:
            self.on_writable()
        if self._over_when_taken is not None:
            keep, self._over_when_taken = self._over_when_taken, None
            self.request_over(keep=keep)

    def _write_buffer_size(self) -> int:
        return self.transport.get_write_buffer_size() if self.transport is not None else 0

    # --- time -------------------------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Do what is due; called a few times a second for every connection."""
        limits = self._limits
        if self.busy:
            if now - self._body_waits_since > limits.body_timeout:
                self._body_waits_since = NEVER
                self._current_content().set_exception(ClientError(ClientErrorKind.BODY_TIMEOUT))
            elif self._is_waited_for_too_long(now) and not self._progressed(now):
                self.abort()
        elif self.transport is not None and self.transport.is_closing():
            if now - self._idle_since > CLIENT_STALL_TIMEOUT and not self._progressed(now):
                self.abort()
        elif now - self._head_since > limits.header_timeout:
            self._head_since = NEVER
            if self._head_bytes:
                self._refuse_from(len(self._messages), 408, "the head of the request took too long")
            else:
                self.close_when_idle()
        elif now - self._idle_since > limits.idle_timeout and not self._messages and self._head_since == NEVER:
            self.close_when_idle()

    def _is_waited_for_too_long(self, now: float) -> bool:
        return now - self._stalled_since > CLIENT_STALL_TIMEOUT or now - self._half_closed_at > HALF_CLOSED_GRACE

    def _progressed(self, now: float) -> bool:
        """True where the client has taken bytes since the last look; starts the clock anew."""
        unsent = self._write_buffer_size()
        if self.tunnel is not None:
            return True
        progressed = unsent < self._unsent or (self.has_sent and not unsent)
        self._unsent = unsent
        self.has_sent = False
        if progressed:
            if self._stalled_since < NEVER:
                self._stalled_since = now
            if self._half_closed_at < NEVER:
                self._half_closed_at = now
        return progressed


def _says_length(data: bytes, end: int, size: int) -> bool:
    """True where the head that ends at `end` announces content of just this `size`; whether it may, the parser says."""
    said = _CONTENT_LENGTH.search(data, 0, end)
    return said is not None and int(said[1]) == size


def _head_ends(before: bytes, data: bytes) -> Iterator[int]:
    """Where in `data` a head may end; `before` are the last bytes before it."""
    at = (before + data[:3]).find(_HEAD_END)
    if before and at >= 0:
        yield at + len(_HEAD_END) - len(before)
    at = data.find(b"\r")  # most content has none, and one byte is looked for many times faster than four
    at = data.find(_HEAD_END, at) if at >= 0 else -1
    while at >= 0:
        yield at + len(_HEAD_END)
        at = data.find(_HEAD_END, at + len(_HEAD_END))


def _head_size(message: RawRequestMessage) -> int:
    """The bytes of a head on the wire: `METHOD target HTTP/1.1`, `name: value` lines, the empty line."""
    size = len(message.method) + len(message.path) + len(" HTTP/1.1\r\n") + 1 + len("\r\n")
    return size + sum(len(name) + len(value) + 4 for name, value in message.raw_headers)


def _told(error: _ErrInfo) -> _ErrInfo:
    """Give a parser's refusal its status and a text that repeats none of the client's bytes."""
    cause = error.exc
    if isinstance(cause, LineTooLong) or "Too many headers" in error.message:
        return _ErrInfo(431, cause, "the head of the request is larger than this server accepts")
    if isinstance(cause, BadHttpMethod) and "Invalid method" in error.message:
        return _ErrInfo(501, cause, "this method is not known here, or this is not HTTP/1.1")
    return _ErrInfo(400, cause, "this is not a valid HTTP/1.1 request")


class Listener(web.Server):
    """aiohttp's low-level server with connections of ours; one for each worker."""

    def __init__(self, handler: Handler, limits: Limits, on_unread: Callable[[int, str, int], None]) -> None:
        super().__init__(
            cast("Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]", handler), handler_cancellation=True
        )
        self.answer = handler
        """What answers a request."""
        self.limits = limits
        """Of the configuration in force; a connection keeps those it began with."""
        self.on_unread = on_unread
        """Told the status, the peer and the bytes of content of an answer to what is no request yet."""

    @property
    def is_full(self) -> bool:
        """True where the next connection is one too many."""
        return len(self._connections) >= self.limits.max_connections

    @property
    def open_connections(self) -> list[ClientConnection]:
        """Every open connection of a client."""
        return cast("list[ClientConnection]", self.connections)

    def __call__(self) -> RequestHandler:
        """Make the protocol of a new connection."""
        return ClientConnection(self, self.limits, self._loop)
