"""One client connection: an `asyncio.Protocol` that owns the other parts of this package and calls each in turn.

    bytes --> HeadParser --> ClientRequest --> the listener's handler --> answer
         +--> Intake --> RequestContent --^

Requests are handled one after another: a bounded number of bytes after the current one is held, and not parsed before
it has ended. So a broken head does not affect an earlier request, and bytes after an upgrade stay untouched.
It must not know routes, policies or upstreams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, ClassVar, Final, cast

from corsproxy.proxy.client.closing import half_close, reset
from corsproxy.proxy.client.content import NO_CONTENT, RequestContent
from corsproxy.proxy.client.deadlines import NEVER, Deadlines, Due, Phase
from corsproxy.proxy.client.flow import Flow
from corsproxy.proxy.client.head import ParsedHead
from corsproxy.proxy.client.held import Held
from corsproxy.proxy.client.intake import Intake
from corsproxy.proxy.client.kernel import is_reset, undelivered
from corsproxy.proxy.client.parser import HeadParser
from corsproxy.proxy.client.parties import Answering, ContentSource, EndsWithClient, Tunnel
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.client.unread import Unread, last_answer
from corsproxy.proxy.errors import ClientError, ClientErrorKind, Refusal

if TYPE_CHECKING:
    from corsproxy.proxy.client.listener import ClientListener

_OVERLOADED = b"too many connections"

# Python 3.11 looks up members of an enum slowly; these are used for every request.
_WAITING: Final = Phase.WAITING
_ANSWERING: Final = Phase.ANSWERING
_TUNNEL: Final = Phase.TUNNEL
_LINGERING: Final = Phase.LINGERING
_CLOSING: Final = Phase.CLOSING


class ClientConnection(asyncio.Protocol):
    """One client connection."""

    _task_handler: ClassVar[None] = None
    """Read by `aiohttp.web.Server.connection_lost`: None, because no task keeps a lost connection registered."""

    transport: asyncio.Transport
    """Set by `connection_made`, which asyncio calls before anything else; so is `flow`."""
    flow: Flow

    def __init__(self, listener: ClientListener, loop: asyncio.AbstractEventLoop) -> None:
        limits = listener.limits
        self.deadlines = Deadlines(limits, loop.time())
        self.peer = ""
        """The peer's address without port; empty for a Unix socket."""
        self.secure = False
        self.forwarding: object = None
        """A cache of the data path, for what depends on the peer only."""
        self.carries_many = False
        """True once an edge has forwarded a request here: it may send other clients' requests here too."""
        self.logins: EndsWithClient | None = None
        """The upstream connections reserved for this client."""
        self.tunnel: Tunnel | None = None
        self.writing_paused = False
        """True while the transport's buffer is full, because the client reads more slowly than we send."""
        self.lost_as = ClientErrorKind.DISCONNECTED
        """The log's error for a request whose connection is lost."""
        self.takes_no_more = False
        """True if the current request is the last: the proxy is stopping, or a login on the connection has ended."""
        self._listener = listener
        self._loop = loop
        self._phase = _WAITING
        self._parser = HeadParser(limits.max_header_bytes, limits.max_header_lines, loop)
        self._held = Held()  # bytes after the current request
        self._is_advancing = False
        self._request: ClientRequest | None = None  # the current one
        self._content = NO_CONTENT  # of the current request
        self._intake: Intake | None = None
        """The reader of the remaining content; None if there is none, or its end cannot be known."""
        self._task: asyncio.Task[bool] | None = None  # answers the current request, if that takes time
        self._answering: Answering | None = None  # if no task does
        self._source: ContentSource | None = None  # of more than the client takes at once
        self._keep_when_taken: bool | None = None
        """The argument for `request_over` once the client has read the response; None if that is not awaited."""

    def write(self, data: bytes) -> None:
        """Send finished bytes; raises `ClientError` if the client is gone."""
        if self.transport.is_closing():
            raise ClientError(ClientErrorKind.DISCONNECTED)
        self.transport.write(data)

    async def read_content(self, content: RequestContent) -> bytes:
        """Return the next bytes of request content, empty at its end; raises `ClientError`."""
        self.deadlines.content_since = self._loop.time()
        try:
            return await content.read()
        finally:
            self.deadlines.content_since = NEVER

    def abort(self) -> None:
        """End the connection at once, so that an unfinished message stays visibly unfinished (RFC 9112 section 8)."""
        self._phase = _CLOSING
        self.transport.abort()

    def reset(self) -> None:
        """End the connection with a RST, because an ordinary end would look like the end of the content."""
        self._phase = _CLOSING
        reset(self.transport)

    def answered_by(self, answering: Answering | None) -> None:
        """Call `answering.client_gone` if the client goes away; with None, the task is cancelled instead."""
        self._answering = answering

    def send_from(self, source: ContentSource | None) -> None:
        """Call `source.client_writable` when a slow client reads again; None ends that."""
        self._source = source

    def open_tunnel(self, tunnel: Tunnel) -> bytes:
        """Pass all further bytes to a tunnel; return those that the client has already sent after its request."""
        self.tunnel = self._source = tunnel
        self._phase = _TUNNEL
        return self._held.take(self.flow)

    def close_when_idle(self) -> None:
        """Accept no further request: close now, or after the current one."""
        self.takes_no_more = True
        if self._request is None:
            self._end()

    def _advance(self) -> None:
        """Parse and start requests from the held bytes, each after the previous one has ended."""
        if self._is_advancing:
            return
        held = self._held
        self._is_advancing = True
        try:
            while self._phase is _WAITING and not held.is_empty:
                has_begun = self._parser.has_begun
                head, held.at = self._parser.feed(held.data, held.at)
                if head is not None:
                    self._take(head)
                elif not has_begun and self._parser.has_begun:
                    self.deadlines.head_since = self._loop.time()
        except Refusal as refused:
            self._refuse(refused)
        finally:
            self._is_advancing = False
        if self._phase is _WAITING:
            held.drop(self.flow)
            if self.takes_no_more or self.deadlines.is_half_closed:
                self._end()
        elif self._phase is _ANSWERING:
            held.settle(self.flow)

    def _take(self, head: ParsedHead) -> None:
        """Start to answer the request of a complete head."""
        self.deadlines.head_since = NEVER
        if head.length:
            self._content = RequestContent(self.flow)
            self._intake = Intake(self._content, head.length, self._parser.limit)
            if not self._held.is_empty:
                self._held.at = self._take_content(self._intake, self._held.data, self._held.at)
        request = self._request = ClientRequest(self, head, self._content)
        self._phase = _ANSWERING
        answer = self._listener.answer(request)
        if isinstance(answer, bool):
            self.request_over(keep=answer)
        elif answer is not None:
            self.answer_later(answer)

    def _take_content(self, intake: Intake, data: bytes, at: int) -> int:
        """Feed the content with `data` from `at` on; return the index at which the content ends."""
        end, size = intake.take(data, at)
        self.deadlines.content_came(self._loop.time(), size)
        if intake.is_over:
            self._intake = None
            if self._phase is _LINGERING and self._content.is_eof():
                self._end()
        return end

    def answer_later(self, answer: Coroutine[None, None, bool]) -> None:
        """Answer the current request in a task, which is cancelled if the client goes away."""
        self._task = self._loop.create_task(answer)
        self._task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[bool]) -> None:
        if not task.cancelled():
            self.request_over(keep=task.result())

    def request_over(self, *, keep: bool) -> None:
        """End the current request and go on with the next, close, or linger; `keep` if there may be a next one."""
        self._answering = None
        if self.writing_paused:
            # A client that pipelines but never reads must not make us buffer its responses; `resume_writing` goes on.
            self._keep_when_taken = keep
            return
        self._request = self._task = None
        if self._phase is _CLOSING:
            return
        content, self._content = self._content, NO_CONTENT
        self.deadlines.idle_since = self._loop.time()
        if not content.is_eof():
            content.abandon()
            half_close(self.transport)
            self._linger()
        elif not keep:
            self._end()
        else:
            self._phase = _WAITING
            self._advance()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer bytes that are not a valid request, without a grant: there is no route, and so no policy."""
        text = refusal.text.encode()
        request_id = self._listener.on_unread(Unread(refusal.status, self.peer, text))
        if self.transport.is_closing():
            return
        self.transport.write(last_answer(refusal.status, text, request_id))
        if not self.deadlines.is_half_closed and half_close(self.transport):
            self._linger()
        else:
            self._end()

    def _linger(self) -> None:
        """Drop further bytes for a while. RFC 9112 section 9.6: a reset by a server that closes at once "might erase
        the client's unacknowledged input buffers before they can be read".
        """
        self._phase = _LINGERING
        self.deadlines.idle_since = self._loop.time()
        self._held.drop(self.flow)

    def _end(self) -> None:
        """Close after everything has been sent; further bytes are ignored."""
        self._phase = _CLOSING
        self.transport.close()

    # --- asyncio's callbacks ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start, or answer 503 and close if there are too many connections."""
        self.transport = cast("asyncio.Transport", transport)
        self.flow = Flow(self.transport)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0].partition("%")[0] if isinstance(peer, tuple) else ""
        if self._listener.is_full:
            request_id = self._listener.on_unread(Unread(503, self.peer, _OVERLOADED))
            self.transport.write(last_answer(503, _OVERLOADED, request_id, b"Retry-After: 1\r\n"))
            self._end()
            return
        self.secure = transport.get_extra_info("sslcontext") is not None
        self._listener.opened(self, self.transport)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes to the tunnel, the content or the parser."""
        intake = self._intake
        at = self._take_content(intake, data, 0) if intake is not None else 0
        phase = self._phase
        if phase is _WAITING:
            self._held.put(data, at)
            self._advance()
        elif phase is _TUNNEL and self.tunnel is not None:
            self.tunnel.from_client(data)
        elif phase is _ANSWERING and at < len(data) and self._content.exception() is None:
            self._held.add(data, at, self.flow)

    def eof_received(self) -> bool:
        """Return whether to go on sending to a client that has closed its sending side: it may await a response."""
        if self.tunnel is not None:
            self.tunnel.client_eof()
            return True
        if self._phase is not _ANSWERING or not self._content.is_eof() or self.secure:
            return False
        self.deadlines.half_close(self._loop.time(), self.transport.get_write_buffer_size())
        return True

    def connection_lost(self, _exc: BaseException | None) -> None:
        """Cancel or notify whatever answers a request or reads content."""
        self._phase = _CLOSING
        self.writing_paused = False
        if self.logins is not None:
            self.logins.client_ended()
        self._content.set_exception(ClientError(ClientErrorKind.DISCONNECTED))
        if self._answering is not None:
            self._answering.client_gone()
        self._listener.closed(self)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """Note that the client has stopped reading, and since when."""
        self.writing_paused = True
        self.deadlines.stall(self._loop.time(), self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Resume what waits for the client to read again."""
        self.writing_paused = False
        self.deadlines.stalled_since = NEVER
        if self._source is not None:
            self._source.client_writable()
        if self._keep_when_taken is not None:
            keep, self._keep_when_taken = self._keep_when_taken, None
            self.request_over(keep=keep)

    def sweep(self, now: float) -> None:
        """Act on expired deadlines; the sweeper calls this a few times a second."""
        if self.flow.is_paused and is_reset(self.transport):
            self.abort()
            return
        phase = _CLOSING if self.transport.is_closing() else self._phase
        unsent = undelivered(self.transport)
        match self.deadlines.due(now, phase, unsent, head_has_begun=self._parser.has_begun):
            case Due.FAIL_CONTENT:
                self._content.set_exception(ClientError(ClientErrorKind.BODY_TIMEOUT))
            case Due.REFUSE_HEAD:
                self._refuse(self._parser.doubt or Refusal(408, "the head of the request took too long"))
            case Due.CLOSE:
                self._end()
            case Due.ABORT:
                if not self.deadlines.is_half_closed:
                    self.lost_as = ClientErrorKind.STALLED
                self.abort()
