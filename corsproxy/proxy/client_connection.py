"""The seam to aiohttp: the one module that uses names aiohttp does not promise.

aiohttp's low-level server accepts and its llhttp parser reads heads; everything behind a head is read here, because the
parser remembers: it puts the last trailer line of a request among the fields of the next one (aiohttp 3.14.5), and
loses what stands behind an upgrade. So it is fed one head at a time and not a byte more, and is thrown away behind
whatever has content. What is used, and why:

- `RequestHandler.start`: overridden to do nothing, so that a request costs no task, is not wrapped in a `BaseRequest`
  that decodes its target, and so that a response of finished bytes needs no writer;
- `_parser`: the parser in use; `BaseProtocol` lets go of it when the connection is lost;
- `_reading_paused`: whether content has grown too much;
- `_force_close`, `_task_handler`: what aiohttp closes and cancels when the client goes away or the server stops;
- `RawRequestMessage.path`: the request target as sent, which every public attribute decodes or normalises.

`tests/proxy/test_aiohttp_seam.py` fails when a new aiohttp changes one of them.
Knows no routes, no policy and no upstream.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler

from corsproxy.proxy.answers import answer_head, date_line
from corsproxy.proxy.client.chunks import ChunkError, ChunkReader
from corsproxy.proxy.client.request_line import is_on_the_wire, with_known_version
from corsproxy.proxy.errors import ClientError, ClientErrorKind, Refusal
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

_HEAD_END = b"\r\n\r\n"

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})\r\n", re.IGNORECASE)

_LONGEST_CONTENT = (1 << 64) - 1
"""What a Content-Length counts for here if it has more digits than any server takes; its request is refused."""

_FIRST_LOOK = 64
"""Bytes of a request line that are looked at before it is whole: enough to tell that it is none."""

_MOST_DIGITS = 19
"""Of a Content-Length that is believed."""

_MOST_JUDGED = 32 * 1024
"""Bytes of an unfinished head that are looked at over and over, line by line."""

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

    def __init__(
        self, connection: ClientConnection, message: RawRequestMessage, target: bytes, content: StreamReader
    ) -> None:
        self.connection = connection
        self.content = content
        self.method: str = message.method
        self.target = target
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
        "_chunks",
        "_content",
        "_content_left",
        "_ended",
        "_half_closed_at",
        "_handler",
        "_head_since",
        "_idle_since",
        "_ignores_input",
        "_input",
        "_input_held",
        "_limits",
        "_listener",
        "_no_more",
        "_over_when_taken",
        "_request",
        "_scanned",
        "_stalled_since",
        "_taking",
        "_unsent",
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
            auto_decompress=False,
        )
        self._listener = listener
        self._handler = listener.answer
        self._limits = limits
        self._parser = self._new_parser()
        self._request: ClientRequest | None = None
        """The one under way."""
        self._awaits_head = False
        """True where no request is under way and nothing of the next one has come, nor anything odd before."""
        self._taking = False
        self._ended = False
        """True once no further request is taken, whatever comes."""
        self._over_when_taken: bool | None = None
        """What is to become of the connection once the client has taken the answer; None where that is not awaited."""
        self._ignores_input = False
        """True once what the client sends can no longer be told apart."""
        self._no_more = False
        """True where no further request is taken."""
        self._input = bytearray()
        """What has come and has not been read: a head that is not whole, or what stands behind the request under way.
        Kept as bytes: parsed, a small field takes seventy times as much."""
        self._input_held = False
        """True while the client is paused because of it."""
        self._scanned = 0
        """How much of it has been searched for the end of a head."""
        self._content: StreamReader = EMPTY_PAYLOAD
        """Of the last request that was taken."""
        self._content_left = 0
        """Bytes of it still to come, unless it comes in chunks."""
        self._chunks: ChunkReader | None = None
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
            return b"" if content.at_eof() else await content.readany()
        except RuntimeError:  # aiohttp's word for a connection that is gone
            raise ClientError(ClientErrorKind.DISCONNECTED) from None
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
        early = bytes(self._input)
        self._input.clear()
        self._hold_input()
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
        if not self.busy and self.transport is not None:
            self.transport.close()

    # --- one request after another ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Overridden to do nothing: requests are taken as they arrive, without a task for each connection."""

    def _take_requests(self) -> None:
        """Hand over one request after another, each when the one before is over."""
        if self._taking:
            return
        self._taking = True
        try:
            while self._input and not (self.busy or self._ended or self._force_close):
                if not self._take_head():
                    break
        finally:
            self._taking = False
        self._hold_input()
        if not (self.busy or self._ended or self._force_close):
            if self._no_more or self._ignores_input or self._half_closed_at < NEVER:
                self._end()
            else:
                self._awaits_head = not self._input and self._content.is_eof() and not self._reading_paused

    def _hold_input(self) -> None:
        """Pause a client whose next requests take enough memory while one is under way; else read on."""
        held = self.busy and len(self._input) > _READ_BUFFER
        if held != self._input_held:
            self._input_held = held
            if held:
                self._pause_transport_reading()
            elif not self._reading_paused:
                self._resume_transport_reading()

    def _take_head(self) -> bool:
        """Hand over the next request if its head is whole; return whether it was."""
        data = self._input
        if not self._scanned:
            while data.startswith(b"\r\n"):  # RFC 9112 section 2.2: empty lines before a request are ignored
                del data[:2]
        end = data.find(_HEAD_END, max(0, self._scanned - 3)) + len(_HEAD_END)
        if end < len(_HEAD_END):
            self._check_unfinished_head()
            return False
        self._scanned = 0
        self._head_since = NEVER
        if end > self._limits.max_header_bytes:
            self._refuse(_too_large())
            return False
        head = bytes(data[:end])
        del data[:end]
        try:
            request = self._parse(head)
        except Refusal as refusal:
            self._refuse(refusal)
            return False
        content = request.content
        if not content.is_eof() and data:
            behind = self._feed_content(bytes(data))
            data[:] = behind
        self._answer(request)
        return True

    def _check_unfinished_head(self) -> None:
        """Note a head that is not whole yet, and refuse it if it can become none.

        Whoever speaks another protocol (TLS, HTTP/2) sends no end of a head, and should be told at once. The lines that
        are whole go to a parser that is thrown away: a head is kept as bytes until it is whole; parsed, it takes up to
        seventy times as much.
        """
        data, before = self._input, self._scanned
        if not data:
            return
        self._scanned = len(data)
        if self._head_since == NEVER:
            self._head_since = self._loop.time()
        if len(data) > self._limits.max_header_bytes or data.count(b"\n") > self._limits.max_header_lines + 1:
            self._refuse(_too_large())
            return
        end = data.rfind(b"\n", before) + 1
        if not end and before < _FIRST_LOOK and data.find(b"\n", 0, _FIRST_LOOK) < 0:
            end = _FIRST_LOOK
        if end and end <= _MOST_JUDGED:
            try:
                known = bytes(data[:end])
                self._new_parser().feed_data(with_known_version(known) or known)
            except HttpProcessingError as error:
                self._refuse(_refusal(error, data))

    def _new_parser(self) -> HttpRequestParser:
        """Make a parser that has seen nothing."""
        limits = self._limits
        return HttpRequestParser(
            self,
            self._loop,
            _READ_BUFFER,
            max_line_size=limits.max_header_bytes,
            max_field_size=limits.max_header_bytes,
            max_headers=limits.max_header_lines,
            auto_decompress=False,
        )

    def _parse(self, data: bytes) -> ClientRequest:
        """Read a whole head, alone or with the whole of its content; raise `Refusal`.

        The parser goes on only behind a request that has left nothing in it.
        """
        assert self._parser is not None
        messages: Sequence[tuple[RawRequestMessage, StreamReader]]
        try:
            messages, _, _ = self._parser.feed_data(data)
        except HttpProcessingError as error:
            known = with_known_version(data)
            if known is None:
                raise _refusal(error, data) from None
            self._parser = self._new_parser()
            return self._parse(known)
        if len(messages) != 1:
            raise _not_http()
        message, content = messages[0]
        target = message.path.encode("utf-8", "surrogateescape")
        if not is_on_the_wire(data, message.method, target, message.version.major, message.version.minor):
            raise _not_http()
        self._content = content
        if not content.is_eof():
            self._chunks = ChunkReader(self._limits.max_header_bytes) if message.chunked else None
            said = message.headers.get("Content-Length", "")
            self._content_left = int(said) if len(said) <= _MOST_DIGITS and said.isdecimal() else _LONGEST_CONTENT
        if message.upgrade or not content.is_eof():
            self._parser = self._new_parser()
        return ClientRequest(self, message, target, content)

    def _feed_content(self, data: bytes) -> bytes:
        """Give the request its content; return what stands behind the end of it."""
        content, chunks = self._content, self._chunks
        if self._body_waits_since < NEVER:
            self._body_waits_since = self._loop.time()
        if chunks is not None:
            try:
                pieces, behind = chunks.read(data)
            except ChunkError:
                # What follows cannot be told from the content.
                self._ignores_input = True
                content.set_exception(ClientError(ClientErrorKind.BAD_BODY))
                return b""
            content.feed_data(b"".join(pieces))
            is_whole = chunks.complete
        else:
            behind = data[self._content_left :]
            content.feed_data(data[: self._content_left] if behind else data)
            self._content_left -= len(data) - len(behind)
            is_whole = not self._content_left
        if is_whole:
            content.feed_eof()
        return behind

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
            # A client that pipelines but never reads must not make us buffer its responses: `resume_writing` goes on.
            self._over_when_taken = keep
            return
        content = self._content
        self._request = None
        self.busy = False
        self._idle_since = self._loop.time()
        if not content.is_eof():
            self._ended = True
            self._task_handler = self._loop.create_task(self._linger(content))
        elif not keep or self._force_close:
            self._end()
        else:
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
        except (TimeoutError, ClientError, RuntimeError) as error:
            log.debug("while lingering: %r", error)
        self._end()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what is no request, or not in time, and read no further."""
        self._ignores_input = self._ended = True
        self._head_since = NEVER
        self._input.clear()
        self._task_handler = self._loop.create_task(self._answer_unread(refusal))

    async def _answer_unread(self, refusal: Refusal) -> None:
        """Answer what could not be parsed: no route is known, so no policy either."""
        body = f"{refusal.text}\n".encode()
        head = answer_head(refusal.status, date_line(), length=len(body))
        self._listener.on_unread(refusal.status, self.peer, len(body))
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
            self._ignores_input = True
            tcp.write(_OVERLOADED_HEAD + _OVERLOADED_TEXT)
            tcp.close()
            self._listener.on_unread(503, self.peer, len(_OVERLOADED_TEXT))
            return
        self._idle_since = self._head_since = self._loop.time()
        self.secure = transport.get_extra_info("sslcontext") is not None
        super().connection_made(transport)
        self._awaits_head = True

    def data_received(self, data: bytes) -> None:
        """Give content to its request, and take the requests that are whole."""
        if self._awaits_head:
            self._awaits_head = False
            end = data.find(_HEAD_END) + len(_HEAD_END)
            rest = len(data) - end
            if len(_HEAD_END) < end <= self._limits.max_header_bytes and (not rest or _says_length(data, end, rest)):
                self._take_whole(data)
                return
        if self.tunnel is not None:
            self.tunnel.from_client(data)
            return
        if self._ignores_input:
            return
        if not self._content.is_eof():
            data = self._feed_content(data)
            if not data:
                return
        self._input += data
        self._take_requests()

    def _take_whole(self, data: bytes) -> None:
        """Answer a request that has come alone and as a whole, as nearly every one does."""
        try:
            request = self._parse(data)
        except Refusal as refusal:
            self._refuse(refusal)
            return
        self._head_since = NEVER
        self._answer(request)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's protocols may return a bool
        """The client has closed its sending side: a whole request is still answered, for a while."""
        if self.tunnel is not None:
            self.tunnel.client_eof()
            return True
        whole = self._content.is_eof() and self.busy
        if not whole or self.secure:
            return False
        self._half_closed_at = self._loop.time()
        self._unsent = self._write_buffer_size()
        self.has_sent = False
        return True

    def pause_reading(self) -> None:
        """Content has grown too much; aiohttp would pause the parser too, which reads no content."""
        self._reading_paused = True
        self._pause_transport_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: ARG002 - aiohttp's signature
        """Read on where content had grown too much; aiohttp calls this at every piece that is taken, grown or not."""
        if self._reading_paused:
            self._reading_paused = False
            if not self._input_held:
                self._resume_transport_reading()

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
                self._content.set_exception(ClientError(ClientErrorKind.BODY_TIMEOUT))
            elif self._is_waited_for_too_long(now) and not self._progressed(now):
                self.abort()
        elif self.transport is not None and self.transport.is_closing():
            if now - self._idle_since > CLIENT_STALL_TIMEOUT and not self._progressed(now):
                self.abort()
        elif now - self._head_since > limits.header_timeout:
            self._head_since = NEVER
            if self._input:
                self._refuse(Refusal(408, "the head of the request took too long"))
            else:
                self.close_when_idle()
        elif now - self._idle_since > limits.idle_timeout and self._head_since == NEVER:
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


def _refusal(error: HttpProcessingError, data: bytes | bytearray) -> Refusal:
    """Give a parser's refusal its status and a text that repeats none of the client's bytes."""
    if isinstance(error, LineTooLong) or "Too many headers" in error.message:
        return _too_large()
    if isinstance(error, BadHttpMethod) and "Invalid method" in error.message and data[:1].isalpha():
        return Refusal(501, "this method is not known here, or this is not HTTP/1.1")
    return _not_http()


def _too_large() -> Refusal:
    return Refusal(431, "the head of the request is larger than this server accepts")


def _not_http() -> Refusal:
    return Refusal(400, "this is not a valid HTTP/1.1 request")


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
