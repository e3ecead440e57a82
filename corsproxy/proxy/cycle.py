"""One request that goes to an upstream, from its finished head to its end.

    steps that wait                                  steps that do not
    forward    for small content, a connection       send       an `Attempt`, over one connection
    complete   for the head, perhaps a retry         respond    the final head with the grant, and content
    stream     for the rest as it comes; a tunnel    end        the connection goes back, once

`start` and `responded` take the steps that do not wait without a task, which is enough for most requests. As soon as
there is something to wait for, `_run` goes on in a task.
It decides nothing: route, grant and head are settled when it begins.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Final

from corsproxy.proxy.admission import Admitted
from corsproxy.proxy.attempt import Attempt
from corsproxy.proxy.content import ContentWriter
from corsproxy.proxy.cors_gate import Grant
from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.fields.caller import Caller
from corsproxy.proxy.logins import admit_login, logins_of, settle_challenges
from corsproxy.proxy.outgoing import head_for_upstream
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.response.head import client_head, client_trailers, interim_head
from corsproxy.proxy.response.lost_cookies import lost_cookies
from corsproxy.proxy.sending import Collected, UpstreamRequest
from corsproxy.proxy.tunnel import switch_protocols
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.lease import Lease
from corsproxy.proxy.upstream.reader import ENDED

if TYPE_CHECKING:
    from corsproxy.proxy.relay import Relay

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""The methods of requests that may be sent a second time, if they have no content. RFC 9110 section 9.2.2: "A proxy
MUST NOT automatically retry non-idempotent requests." """

_CHUNKED: Final = Framing.CHUNKED
_HAVE_LENGTH: Final = (Framing.LENGTH, Framing.NONE)


class RequestCycle:
    """One request to an upstream, and its response."""

    __slots__ = (
        "_caller",
        "_grant",
        "_head",
        "_proxy_origin",
        "_relay",
        "_route",
        "_upgrade",
        "_upstream_request",
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
        """Prepare what the upstream is sent; raises `Refusal`, or `ClientError` for invalid content."""
        self._relay = relay
        self.context = context
        self._route = route
        self._grant = grant
        self._head = head = admitted.head
        self._proxy_origin = admitted.forwarding.proxy_origin
        self._upgrade = upgrade
        """The protocol that the upstream is asked to switch to; None without an upgrade."""
        connection = context.connection
        if (failure := context.request.content.exception()) is not None:  # what has arrived is already invalid
            raise failure
        if head.login is not None or logins_of(connection) is not None:
            admit_login(connection, head, route)
        context.record.upstream = route.upstream.name
        passes_expectation = bool(head.expect) and head.has_content and not route.pool.speaks_http_1_0
        finished = head_for_upstream(
            context,
            admitted,
            route,
            relay.via[context.request.minor],
            upgrade=upgrade,
            expects_continue=passes_expectation,
        )
        self._caller = Caller(context.request.lines, head.origins) if route.rules.reports_lost_cookies else None
        head.fields, context.request.lines = [], []  # parsed, a short line takes thirty times its bytes
        self._upstream_request = UpstreamRequest(
            context,
            head,
            route,
            finished,
            expects_upgrade=upgrade is not None,
            passes_expectation=passes_expectation,
        )

    # --- without a task ---------------------------------------------------------------------------------------------

    def start(self) -> Coroutine[None, None, bool] | None:
        """Send the request and return None, or return a coroutine that does so if something must be waited for.

        Raises if the request cannot be sent.
        """
        attempt = self._send_at_once()
        if attempt is None:
            self.context.connection.answered_by(self)
            return self._run(None)
        self.context.connection.answered_by(attempt)
        attempt.upstream.notify(attempt)
        return None

    def _send_at_once(self) -> Attempt | None:
        """Send the request if all of it has arrived and a connection is idle; an upgrade always takes a task."""
        if self._upgrade is not None or (self._head.has_content and not self.context.request.content.is_eof()):
            return None
        return self._send(lease, None) if (lease := self._take()) is not None else None

    def responded(self, attempt: Attempt) -> None:
        """Send a response that has arrived completely; leave any other one to a task."""
        context, upstream = self.context, attempt.upstream
        reader = upstream.reader
        head = reader.head
        if head is None or reader.state not in ENDED or reader.interim or upstream.failed:
            context.connection.answer_later(self._run(attempt))
            return
        try:
            self._respond(attempt, head)
        except Exception as error:  # noqa: BLE001 - every failure is answered, and logged if it is our fault
            self._relay.answer_error(context, self._grant, error)
        self._end(attempt)
        context.connection.request_over(keep=context.finish())

    def client_gone(self) -> None:
        """End the request: the client has gone away, and there is no task to cancel."""
        record = self.context.record
        record.error = record.error or self.context.connection.lost_as
        self.context.finish()

    # --- in a task --------------------------------------------------------------------------------------------------

    async def _run(self, attempt: Attempt | None) -> bool:
        """Take all steps that are left; return whether the connection may carry another request."""
        context = self.context
        context.connection.answered_by(None)  # from here on this task is cancelled instead
        try:
            if attempt is not None:
                await self._complete(attempt)
            elif self._upgrade is None:
                await self._forward()
            else:
                with self._route.pool.place_for_tunnel():
                    await self._forward()
        except asyncio.CancelledError:
            context.record.error = context.record.error or context.connection.lost_as
            context.finish()
            raise
        except Exception as error:  # noqa: BLE001 - every failure is answered, and logged if it is our fault
            self._relay.answer_error(context, self._grant, error)
        return context.finish()

    async def _forward(self) -> None:
        """Send the request as soon as its content and the pool allow it, and complete it."""
        pool = self._route.pool
        collected = Collected(self._relay.budget, pool.slow_places, self.context.record)
        try:
            await self._upstream_request.collect(collected)
            await self._complete(self._send(self._take() or await pool.acquire(), collected))
        finally:
            collected.end()

    async def _complete(self, attempt: Attempt) -> None:
        """Wait for the head of the response, with one retry if it is allowed, and send the response to its end."""
        try:
            while True:
                try:
                    head = await self._await_head(attempt)
                    break
                except UpstreamError as error:
                    if not self._may_retry(attempt.upstream, error):
                        raise
                    self._end(attempt)
                    attempt = self._send(await self._route.pool.acquire(fresh=True), None)
            if head.status == 101:
                via, protocol = self._relay.via[head.minor], self._upgrade or b""
                await switch_protocols(self.context, self._route, attempt.upstream, head, protocol, via)
                return
            if attempt.upload.is_under_way:
                self.context.keep = False
            rest = self._respond(attempt, head)
            if rest is not None:
                await rest
        finally:
            self._end(attempt)

    async def _await_head(self, attempt: Attempt) -> ResponseHead:
        """Wait for the final head; forward interim ones as they come.

        RFC 9110 section 15.2: "A proxy MUST forward 1xx responses unless the proxy itself requested the generation of
        the 1xx response", and "a server MUST NOT send a 1xx response to an HTTP/1.0 client".
        """
        upstream, upload = attempt.upstream, attempt.upload
        reader = upstream.reader
        while True:
            await upstream.responded()
            if reader.interim:
                interim, reader.interim = reader.interim, []
                interim = [one for one in interim if one.status != 100 or upload.forwards_continue()]
                if self.context.request.minor and interim:
                    rules, origin = self._route.rules, self._proxy_origin
                    heads = [interim_head(one, rules, origin, self._head.host) for one in interim]
                    self.context.connection.write(b"".join(heads))
            if reader.head is not None:
                upload.note_final_head()
                return reader.head

    def _may_retry(self, upstream: UpstreamConnection, error: UpstreamError) -> bool:
        """Return whether to send the request once more, because a reused connection closed before any response.

        RFC 9112 section 9.3.1: "When an inbound connection is closed prematurely, a client MAY open a new connection
        and automatically retransmit an aborted sequence of requests if all of those requests have idempotent methods".
        The retry takes a new connection, which is not `reused`, so there is only one.
        """
        return (
            error.kind is UpstreamErrorKind.CLOSED
            and upstream.reused
            and not upstream.reader.started
            and self.context.request.method in _IDEMPOTENT
            and not self._head.has_content
            and self._upgrade is None
        )

    # --- send, end --------------------------------------------------------------------------------------------------

    def _take(self) -> Lease | None:
        """Return a connection that is ready: the one reserved for the client, if there is one, else an idle one."""
        pool, logins = self._route.pool, logins_of(self.context.connection)
        own = logins.take(pool) if logins is not None else None
        return own or pool.take_idle()

    def _send(self, lease: Lease, collected: Collected | None) -> Attempt:
        """Send the request over a connection."""
        try:
            upload = self._upstream_request.send(lease.connection, collected)
        except BaseException:
            lease.connection.abort()
            lease.end()
            raise
        return Attempt(self, lease, upload)

    def _end(self, attempt: Attempt) -> None:
        """Return the connection to the pool, and log the invalid HTTP that was accepted in the response."""
        self._relay.report(self.context, self._route, attempt.upstream)
        attempt.end()

    # --- respond ----------------------------------------------------------------------------------------------------

    def _respond(self, attempt: Attempt, head: ResponseHead) -> Awaitable[None] | None:
        """Send the final response as far as it has arrived; return an awaitable that streams the rest, or None."""
        context, route, upstream = self.context, self._route, attempt.upstream
        request, connection, record = context.request, context.connection, context.record
        reader = upstream.reader
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
        if context.plan.begun is not None:
            record.raw_answer = b"".join(parts)
        if self._caller is not None:
            record.lost_cookies = lost_cookies(head, route.rules.cookies, self._proxy_origin, self._caller)
        head.fields = []  # each line is an object, and content may stream for hours
        discards = request.method == "HEAD" or head.status == 205
        writer = ContentWriter(connection, upstream, record, chunked=chunked, discards=discards)
        context.started = True
        if reader.state in ENDED:
            body, reader.body = reader.body, []
            writer.write_whole(parts, body, client_trailers(reader.trailers, route.rules) if trailers else ())
            return None
        connection.write(b"".join(parts))
        return self._stream(upstream, writer, wants_trailers=trailers)

    async def _stream(self, upstream: UpstreamConnection, writer: ContentWriter, *, wants_trailers: bool) -> None:
        """Send the content of a response as it arrives."""
        connection = self.context.connection
        connection.send_from(writer)
        try:
            done = upstream.stream_to(writer, self._route.upstream.read_timeout)
            if done is not None:
                await done
        finally:
            connection.send_from(None)
        writer.finish(client_trailers(upstream.reader.trailers, self._route.rules) if wants_trailers else ())
