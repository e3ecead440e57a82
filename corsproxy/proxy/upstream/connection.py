"""One connection to an upstream: an `asyncio.Protocol` that carries one exchange at a time.

It moves bytes between the socket and the `ResponseReader`, notifies the requester of heads, and passes content to a
sink as it arrives.
It has a deadline for the sweeper instead of a timer, and is never used again after anything unexpected.
It must not know policies, routes or clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from corsproxy.proxy.errors import ClientError, UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.head import Framing
from corsproxy.proxy.upstream.outflow import Outflow
from corsproxy.proxy.upstream.parties import NOBODY, ContentSink, Owner, Requester, Waiting
from corsproxy.proxy.upstream.reader import ENDED, ResponseReader, ServerState
from corsproxy.proxy.upstream.silence import Silence, has_ended_cleanly

NEVER: Final = float("inf")

# Python 3.11 looks up members of an enum slowly; these are used for every response.
_DONE: Final = ServerState.DONE
_NONE: Final = Framing.NONE

_TURNS_TO_READ: Final = 2
"""Turns of the event loop after which a socket has been read: asyncio spends the first on earlier callbacks."""


class UpstreamConnection(asyncio.Protocol):
    """A TCP, TLS or Unix socket connection to one upstream."""

    __slots__ = (
        "_done", "_error", "_loop", "_outflow", "_paused", "_read_timeout", "_requester", "_silence", "_sink", "born",
        "busy", "closed", "deadline", "deadline_kind", "idle_for", "idle_since", "needs_rest", "on_closed", "owner",
        "reader", "reused", "transport",
    )  # fmt: skip

    transport: asyncio.Transport
    """Set by `connection_made`, which asyncio calls before anything else."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_closed: Callable[[UpstreamConnection], None], *, lenient: bool = False
    ) -> None:
        self._loop = loop
        self.on_closed = on_closed
        self._requester: Requester = NOBODY
        """Notified once, of the next head or a failure."""
        self.reader = ResponseReader(lenient=lenient)
        self.busy = True
        """True while the connection is lent, and from the dial on."""
        self.closed = False
        self.reused = False
        """True if an earlier exchange used this connection: it may then have been closed at the same moment."""
        self.owner: Owner | None = None
        """The owner, if the connection is reserved: it then carries no other client's request."""
        self.born = loop.time()
        """When it was dialled, on the loop's clock."""
        self.idle_since = 0.0
        self.idle_for = 0.0
        """Seconds for which it was idle before it was last lent."""
        self.needs_rest = False
        """True if bytes of the exchange that `finish` has ended may still arrive."""
        self.deadline = NEVER
        """The time on the loop's clock at which the sweeper fails the exchange with `deadline_kind`."""
        self.deadline_kind = UpstreamErrorKind.RESPONSE_TIMEOUT
        self._read_timeout = 0.0
        self._error: UpstreamError | ClientError | None = None
        self._done: asyncio.Future[None] | None = None
        self._sink: ContentSink | None = None
        self._paused = False
        self._silence = Silence()
        self._outflow = Outflow()

    # --- the exchange, in order -------------------------------------------------------------------------------------

    def start(self, *, is_head_request: bool, expects_upgrade: bool, expects_continue: bool = False) -> None:
        """Begin an exchange; the parameters describe its request."""
        try:
            self.reader.start(
                is_head_request=is_head_request, expects_upgrade=expects_upgrade, expects_continue=expects_continue
            )
        except UpstreamError as error:
            self.fail(error)

    def write(self, data: bytes) -> None:
        """Send bytes of the request."""
        self.transport.write(data)

    @property
    def writing_paused(self) -> bool:
        """True if the upstream reads more slowly than we send; `drain` waits for it."""
        return self._outflow.is_paused

    async def drain(self) -> None:
        """Wait until the upstream has read most of the sent bytes; raises the error of a failed exchange."""
        if self._error is not None:
            raise self._error
        await self._outflow.drain(self._loop)

    def set_deadline(self, seconds: float, kind: UpstreamErrorKind) -> None:
        """Fail the exchange with `kind` in `seconds`, unless another deadline is set before; 0 is no deadline."""
        self.deadline = self._loop.time() + seconds if seconds > 0 else NEVER
        self.deadline_kind = kind

    @property
    def failed(self) -> bool:
        """True if the exchange has failed, so that `responded` raises."""
        return self._error is not None

    def notify(self, requester: Requester) -> None:
        """Notify `requester` once of the next head or a failure; at once if there is one already."""
        self._requester = requester
        if self._error is not None or self.reader.head is not None or self.reader.interim:
            self._notify()

    def _notify(self) -> None:
        requester, self._requester = self._requester, NOBODY
        requester.responded()

    async def responded(self) -> None:
        """Wait for an interim head or the final head; raises the error of a failed exchange."""
        future = self._loop.create_future()
        self.notify(Waiting(future))
        try:
            await future
        finally:
            self._requester = NOBODY
        if self._error is not None:
            raise self._error

    def stream_to(self, sink: ContentSink, read_timeout: float) -> asyncio.Future[None] | None:
        """Pass all content to `sink`; `read_timeout` is the longest silence in seconds, 0 is no limit.

        Return a future that is done when the message is complete, and has the error of an exchange that fails before;
        None if the message is complete already.
        """
        reader = self.reader
        self._sink = sink
        self._read_timeout = read_timeout
        done = self._done = self._loop.create_future()
        self.set_deadline(self._read_timeout, UpstreamErrorKind.READ_TIMEOUT)
        self.resume()  # it may be paused; a sink without room pauses it again
        if reader.body:
            pieces, reader.body = reader.body, []
            sink.write(pieces)
        if reader.state in ENDED:
            self._done = None
            return None
        if self._error is not None and not done.done():
            done.set_exception(self._error)
        return done

    def pause(self) -> None:
        """Pause reading, because the client is slow; meanwhile there is no deadline."""
        if not self._paused and not self.closed:
            self._paused = True
            self.deadline = NEVER
            self.transport.pause_reading()

    def resume(self) -> None:
        """Resume reading, with a new deadline."""
        if self._paused:
            self._paused = False
            if not self.closed:
                self.set_deadline(self._read_timeout, UpstreamErrorKind.READ_TIMEOUT)
                self.transport.resume_reading()

    def finish(self) -> bool:
        """End the exchange; return whether the connection may carry another."""
        self._outflow.close()
        self._sink = None
        self._done = None
        self._requester = NOBODY
        self.deadline = NEVER
        head = self.reader.head
        reusable = (
            self.reader.state is _DONE
            and not self.transport.is_closing()
            and not self._outflow.is_paused
            and self._error is None
        )
        if not reusable:
            self.abort()
            return False
        # A server that sends content after a response without any sends it a moment later; and bytes that TLS decrypted
        # while reading was paused are delivered in a later turn of the loop.
        self.needs_rest = self._paused or (head is not None and head.framing is _NONE)
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        return True

    def lend_again(self) -> None:
        """Prepare the connection for another exchange."""
        self.busy = True
        self.reused = True
        self.idle_for = self._loop.time() - self.idle_since

    def is_silent(self) -> bool:
        """Return whether this idle connection is open and has received nothing, according to the socket itself.

        The event loop may not have delivered what arrived in the same turn as the request that is about to be sent.
        """
        return not (self.closed or self.transport.is_closing()) and self._silence.lasts(self.transport)

    async def send(self, data: bytes) -> None:
        """Send content of the request, after reading what has arrived; does nothing if the connection has been lost.

        An upstream that refuses an upload responds and closes. The next write then fails, and the event loop closes the
        socket at the first error, with a response that it has not read. `LastWords` reads it in that case.
        """
        if not self.closed and not self._silence.lasts(self.transport):
            for _ in range(_TURNS_TO_READ):
                await asyncio.sleep(0)
        if self.closed:
            return
        self._outflow.keep_last_words(self.transport)
        self.transport.write(data)

    def abort(self) -> None:
        """Close at once, so that an incomplete message cannot look complete."""
        if not self.closed:
            self.transport.abort()

    def fail(self, error: UpstreamError | ClientError) -> None:
        """End the exchange with `error`, whoever is at fault, and close the connection."""
        if self._error is None:
            if self.reused and not self.reader.started and error.kind is UpstreamErrorKind.CLOSED:
                # The keep-alive timeouts of both sides may not match, so the log shows the idle time.
                error = UpstreamError(error.kind, f"{error.detail}, reused after {self.idle_for:.1f} s")
            self._error = error
        self._outflow.fail(self._error)
        if self._done is not None and not self._done.done():
            self._done.set_exception(self._error)
        self.abort()
        self._notify()

    def sweep(self, now: float) -> None:
        """Fail the exchange if its deadline has passed; `now` is on the loop's clock."""
        if now >= self.deadline:
            self.deadline = NEVER
            self.fail(UpstreamError(self.deadline_kind))

    # --- asyncio's callbacks ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse bytes and pass on what they complete; close the connection if they are unsolicited."""
        reader = self.reader
        was_ended = reader.state in ENDED
        try:
            reader.feed(data)
        except UpstreamError as error:
            self.fail(error)
            return
        if was_ended:
            self.abort()
            return
        sink = self._sink
        if sink is None:
            if len(reader.body) > 1 and reader.state not in ENDED:
                self.pause()  # there is no sink yet: one segment is kept, the rest waits in the socket
            if reader.head is not None or reader.interim:
                self._notify()
            return
        if self._read_timeout > 0:
            self.deadline = self._loop.time() + self._read_timeout
        if reader.body:
            pieces, reader.body = reader.body, []
            sink.write(pieces)
        if self._done is not None and reader.state in ENDED and not self._done.done():
            self._done.set_result(None)

    def eof_received(self) -> bool:
        """End the content or fail the exchange, because the upstream has closed its side: the reader knows which."""
        if self.busy:
            try:
                self.reader.feed_eof(is_cut=not self.reader.complete and not has_ended_cleanly(self.transport))
            except UpstreamError as error:
                self.fail(error)
            else:
                if self._done is not None and not self._done.done():
                    self._done.set_result(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Read the last words after a failed write, end or fail the exchange, and notify owner and pool."""
        if isinstance(exc, OSError) and self.busy and not self.reader.complete:
            for data in self._outflow.last_words(self.transport):
                self.data_received(data)
                if self._error is not None or self.reader.complete:
                    break
        self.closed = True
        self._outflow.close()
        if exc is not None and not self.reader.complete:
            self.fail(UpstreamError(UpstreamErrorKind.CLOSED, type(exc).__name__))
        elif self.busy:
            self.eof_received()
            if self._outflow.is_awaited:
                self.fail(UpstreamError(UpstreamErrorKind.CLOSED, "connection ended inside the request"))
        self.on_closed(self)

    def pause_writing(self) -> None:
        """Note that the upstream has stopped reading."""
        self._outflow.is_paused = True

    def resume_writing(self) -> None:
        """Resume what waits for the upstream to read again."""
        self._outflow.resume()
        if self._sink is not None:
            self._sink.upstream_writable()
