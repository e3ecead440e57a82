"""One request that goes to an upstream, from its finished head to its end.

    start     send it over a connection that is idle, if it is here as a whole; else have a task see it through
    forward   collect small content, lend a connection, send head and content, wait for the head of the response
    return    interim responses, then the final head with the grant on it, content streaming behind it; or a tunnel
    finish    give back whatever was taken, once, and tell the observers

That nothing has to be waited for makes a request cheaper, not another one: the same steps run, with a task from the
first thing that must be waited for.
Decides nothing: route, grant and head are settled when it begins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Final

from corsproxy.proxy.admission import Admitted
from corsproxy.proxy.content import ContentWriter
from corsproxy.proxy.cors_gate import Grant
from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.fields.caller import Caller
from corsproxy.proxy.logins import admit_login, logins_of, settle_challenges
from corsproxy.proxy.outgoing import head_for_upstream
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.response.head import client_head, client_trailers, interim_head, switching_head
from corsproxy.proxy.response.lost_cookies import lost_cookies
from corsproxy.proxy.sending import Sending
from corsproxy.proxy.tunnel import OpaqueTunnel
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.lease import Lease

if TYPE_CHECKING:
    from corsproxy.proxy.relay import Relay

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2; only these may be sent a second time, and only without content."""

_CHUNKED: Final = Framing.CHUNKED
_HAVE_LENGTH: Final = (Framing.LENGTH, Framing.NONE)
_RESPONSE_TIMEOUT: Final = UpstreamErrorKind.RESPONSE_TIMEOUT


class RequestCycle:
    """One request that goes to an upstream."""

    __slots__ = (
        "_caller",
        "_grant",
        "_head",
        "_lease",
        "_proxy_origin",
        "_relay",
        "_route",
        "_sending",
        "_upgrade",
        "context",
    )

    def __init__(
        self,
        relay: Relay,
        context: RequestContext,
        admitted: Admitted,
        route: RoutePlan,
        grant: Grant,
        upgrade: bytes | None,
    ) -> None:
        """Settle what the upstream is to be sent; raises `Refusal` or `ClientError` if it cannot be."""
        self._relay = relay
        self.context = context
        self._route = route
        self._grant = grant
        self._head = head = admitted.head
        self._proxy_origin = admitted.forwarding.proxy_origin
        self._upgrade = upgrade
        """The protocol that the upstream is asked to switch to."""
        self._lease: Lease | None = None
        """Of the connection that the request has been sent on."""
        connection = context.connection
        if (cut := context.request.content.exception()) is not None:  # what has come is known to be invalid already
            raise cut
        if head.login is not None or logins_of(connection) is not None:
            admit_login(connection, head, route)
        context.record.upstream = route.upstream.name
        passes_expectation = bool(head.expectation) and head.has_content and not route.pool.speaks_http_1_0
        finished = head_for_upstream(
            context,
            admitted,
            route,
            relay.via[context.request.minor],
            upgrade=upgrade,
            expects_continue=passes_expectation,
        )
        self._caller = Caller(context.request.lines, head.origins) if route.rules.tells_lost_cookies else None
        head.fields, context.request.lines = [], []  # parsed, a short line takes thirty times its bytes
        self._sending = Sending(
            context,
            head,
            route,
            finished,
            relay.budget,
            expects_upgrade=upgrade is not None,
            passes_expectation=passes_expectation,
        )

    # --- start and finish -------------------------------------------------------------------------------------------

    def start(self) -> bool | Coroutine[None, None, bool] | None:
        """Send the request if nothing has to be waited for: None then. Else return what is to be awaited for its end.

        If it is over already, return whether the connection may carry another.
        """
        self.context.request.on_gone = self._client_gone
        try:
            return None if self._start_at_once() else self._see_through()
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged where it is our fault
            self._relay.answer_for(self.context, self._grant, error)
            if self._lease is not None:
                self._lease.connection.abort()
                self._lease.end()
            return self.finish()

    def _start_at_once(self) -> bool:
        context = self.context
        if self._upgrade is not None or (self._head.has_content and not context.request.content.is_eof()):
            return False
        upstream = self._take()
        if upstream is None:
            return False
        self._lease = Lease(self._route.pool, upstream)
        self._sending.send(upstream)
        upstream.set_deadline(self._route.upstream.response_timeout, _RESPONSE_TIMEOUT)
        if upstream.failed:
            return False
        upstream.on_response = self._responded
        return True

    def _responded(self) -> None:
        """Return a response that is here as a whole; leave every other one to a task."""
        lease, context = self._lease, self.context
        assert lease is not None
        upstream = lease.connection
        upstream.on_response = None
        reader = upstream.reader
        if upstream.failed or reader.interim or not reader.complete:
            context.connection.answer_later(self._see_through())
            return
        try:
            self._return(upstream)
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged where it is our fault
            self._relay.answer_for(context, self._grant, error)
        self._relay.report(self.context, self._route, upstream)
        lease.end()
        context.connection.request_over(keep=self.finish())

    def _client_gone(self) -> None:
        """The client has gone away while no task was there to be cancelled."""
        record, lease = self.context.record, self._lease
        record.error = record.error or self.context.connection.lost_as
        if lease is not None:
            lease.connection.on_response = None
            lease.connection.abort()
            lease.end()
        self.finish()

    async def _see_through(self) -> bool:
        """Do all that has to be waited for."""
        context = self.context
        context.request.on_gone = None  # from here on this task is cancelled instead
        try:
            if self._upgrade is None:
                await self._forward()
            else:
                with self._route.pool.place_for_tunnel():
                    await self._forward()
        except asyncio.CancelledError:
            context.record.error = context.record.error or context.connection.lost_as
            self.finish()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged where it is our fault
            self._relay.answer_for(context, self._grant, error)
        return self.finish()

    def finish(self) -> bool:
        """Give back what was taken, once; return whether the connection may carry another request."""
        context = self.context
        context.request.on_gone = None
        self._sending.end()
        return context.finish()

    # --- forward ----------------------------------------------------------------------------------------------------

    def _take(self) -> UpstreamConnection | None:
        """Return a connection that can be had at once: the client's own if it has one, else one that is idle."""
        pool, logins = self._route.pool, logins_of(self.context.connection)
        own = logins.take(pool) if logins is not None else None
        return own or pool.take_idle()

    async def _forward(self) -> None:
        """Send the request, if that has not been done, wait for the head of the response, and return it."""
        pool = self._route.pool
        lease, sent = self._lease, True
        if lease is None:
            sent = False
            await self._sending.collect()
            lease = self._lease = Lease(pool, self._take() or await pool.acquire())
        upload: asyncio.Task[None] | None = None
        try:
            while True:
                upstream = lease.connection
                try:
                    if not sent:
                        upload = self._sending.send(upstream)
                    head = await self._await_head(upstream, upload)
                    break
                except UpstreamError as error:
                    if not self._may_retry(upstream, error):
                        raise
                    lease.end()
                    lease = self._lease = Lease(pool, await pool.acquire(fresh=True))
                    sent = False
            if upstream.reader.tunnel:
                await self._tunnel(upstream, head)
                return
            if upload is not None and not upload.done():
                self.context.keep = False
            rest = self._return(upstream)
            if rest is not None:
                await rest
        finally:
            if upload is not None and not upload.done():
                upload.cancel()
                lease.connection.abort()
            self.context.connection.on_writable = None
            self._relay.report(self.context, self._route, lease.connection)
            lease.end()

    async def _await_head(self, upstream: UpstreamConnection, upload: asyncio.Task[None] | None) -> ResponseHead:
        """Wait for the final head, passing interim ones on as they come (RFC 9110 section 15.2)."""
        timeout, reader = self._route.upstream.response_timeout, upstream.reader

        def uploaded(_: object) -> None:
            if reader.head is None:
                upstream.set_deadline(timeout, _RESPONSE_TIMEOUT)

        if upload is None:
            upstream.set_deadline(timeout, _RESPONSE_TIMEOUT)
        else:
            upload.add_done_callback(uploaded)
        while True:
            await upstream.responded()
            if reader.interim:
                interim, reader.interim = reader.interim, []
                interim = [one for one in interim if one.status != 100 or self._sending.upstream_may_continue()]
                if self.context.request.minor and interim:
                    rules, origin = self._route.rules, self._proxy_origin
                    host = self._head.host
                    heads = [interim_head(one, rules, origin, host) for one in interim]
                    self.context.connection.write(b"".join(heads))
            if reader.head is not None:
                self._sending.is_answered()
                return reader.head

    def _may_retry(self, upstream: UpstreamConnection, error: UpstreamError) -> bool:
        """Once, on a reused connection that was dead before a byte of an answer came, and nothing was in flight."""
        return (
            error.kind is UpstreamErrorKind.CLOSED
            and upstream.reused
            and not upstream.reader.started
            and self.context.request.method in _IDEMPOTENT
            and not self._head.has_content
            and self._upgrade is None
        )

    # --- return -----------------------------------------------------------------------------------------------------

    def _return(self, upstream: UpstreamConnection) -> Awaitable[None] | None:
        """Send the final response as far as it is here; what carries its content to the end is to be awaited."""
        context, route, reader = self.context, self._route, upstream.reader
        request, connection, record = context.request, context.connection, context.record
        head = reader.head
        assert head is not None
        record.upstream_duration = time.monotonic() - record.upstream_started
        record.upstream_status = record.status = head.status
        route.pool.speaks_http_1_0 = not head.minor
        if head.status == 401:
            settle_challenges(connection, upstream, head, route)
        if (upstream.owner is not None and not head.keep_alive) or connection.takes_no_more:
            context.keep = False
        has_length = head.framing in _HAVE_LENGTH
        chunked = not has_length and request.minor > 0 and head.status != 205
        if not has_length and not request.minor:
            context.keep = False
            context.ends_by_close = True
        framing = (
            b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: 0\r\n" if head.status == 205 else b""
        )
        trailers = chunked and head.framing is _CHUNKED and self._head.wants_trailers
        parts = client_head(
            head,
            self._grant,
            route.rules,
            proxy_origin=self._proxy_origin,
            client_host=self._head.host,
            via=self._relay.via[head.minor],
            framing=framing + context.connection_line,
            trailers=trailers,
        )
        parts.append(b"\r\n")
        if self._caller is not None:
            record.lost_cookies = lost_cookies(head, route.rules.cookies, self._proxy_origin, self._caller)
        head.fields = []  # each line costs an object, and content may stream for hours
        discards = request.method == "HEAD" or head.status == 205
        writer = ContentWriter(connection, upstream, record, chunked=chunked, discards=discards)
        context.started = True
        if reader.complete:
            body, reader.body = reader.body, []
            writer.write_whole(parts, body, client_trailers(reader.trailers, route.rules) if trailers else ())
            return None
        connection.write(b"".join(parts))
        return self._stream(upstream, writer, wants_trailers=trailers)

    async def _stream(self, upstream: UpstreamConnection, writer: ContentWriter, *, wants_trailers: bool) -> None:
        """Send the content of a response as it comes."""
        self.context.connection.on_writable = upstream.resume
        done = upstream.stream_to(writer, self._route.upstream.read_timeout)
        if done is not None:
            await done
        writer.finish(client_trailers(upstream.reader.trailers, self._route.rules) if wants_trailers else ())

    async def _tunnel(self, upstream: UpstreamConnection, head: ResponseHead) -> None:
        """Answer 101 and carry bytes both ways until either side closes."""
        context, route = self.context, self._route
        record, protocol = context.record, self._upgrade or b""
        record.upstream_duration = time.monotonic() - record.upstream_started
        record.upstream_status = record.status = 101
        offered = [line.value.lower() for line in head.fields if line.name.lower() == b"upgrade"]
        if offered != [protocol.lower()]:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, "101 to another protocol than was asked for")
        context.started = True
        context.keep = False
        route.pool.count_as_tunnel(upstream)
        context.connection.write(switching_head(head, protocol, route.rules, self._relay.via[head.minor]))
        await OpaqueTunnel(context.connection, upstream, record, route.upstream.tunnel_timeout).run()
