"""The data path of one request, from top to bottom.

    admit     which target, which route; what is refused is refused here, before any byte reaches an upstream
    decide    the policy's decision; a preflight is answered and goes no further
    forward   the request to the upstream, content streaming behind it
    return    interim responses, then the final head with the grant on it, content streaming behind it; or a tunnel

The order is that of Go's ReverseProxy: strip first, then add; after the first byte of a response a failure cuts the
connection and never looks like an end.
Decides nothing about CORS: `CorsGate` brings the core's decisions.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
import time
from collections.abc import Awaitable, Coroutine, Sequence
from functools import partial

from corsproxy.proxy.admission import admit, decide
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.collecting import Budget, Collection
from corsproxy.proxy.content import ContentWriter, first_content, send_request_content
from corsproxy.proxy.errors import ClientError, Refusal, UpstreamError, UpstreamErrorKind
from corsproxy.proxy.exchange import Exchange, Observer
from corsproxy.proxy.expectation import CONTINUE, SILENCE, Expectation
from corsproxy.proxy.logins import admit_login, bind, logins_of, settle_challenges
from corsproxy.proxy.passage import Passage
from corsproxy.proxy.plan import Plan, RoutePlan
from corsproxy.proxy.replies import CLIENT_TEXTS, UPSTREAM_TEXTS, answer_preflight, fail, reply
from corsproxy.proxy.request_head import count_down, edit_fields, rewrite_origin, rewrite_references, upstream_head
from corsproxy.proxy.response_head import client_head, client_trailers, interim_head, switching_head
from corsproxy.proxy.tunnel import OpaqueTunnel
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.head import Framing

log = logging.getLogger(__name__)

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2; only these may be sent a second time, and only without content."""


class Relay:
    """Answers client requests, one call each; one for each worker."""

    def __init__(self, plan: Plan, observers: Sequence[Observer], via_token: str) -> None:
        self.plan = plan
        """The configuration in force; swapped whole."""
        self.in_flight = 0
        self._observers = tuple(observers)
        self._token = via_token.encode("ascii")
        self._via = (b"Via: 1.0 %b\r\n" % self._token, b"Via: 1.1 %b\r\n" % self._token)
        self._id_prefix = secrets.token_hex(6).encode()
        self._ids = itertools.count(1)
        self._budget = Budget()

    def __call__(self, request: ClientRequest) -> bool | Coroutine[None, None, bool] | None:
        """Answer `request` on its connection; True where the connection may carry another.

        A request that can be answered, or sent to the upstream, without waiting costs no task: the answer is given at
        once, or None and the connection told later. Else what is returned is to be awaited.
        """
        passage = Passage(self.plan, request, Exchange(request.method, time.monotonic(), request.connection.peer))
        self.in_flight += 1
        try:
            admit(passage, self.new_request_id)
            if decide(passage, self._token):
                answer_preflight(passage)
                return self._over(passage)
            self._prepare(passage)
            request.on_gone = partial(self._client_gone, passage)
            return None if self._forward_at_once(passage) else self._see_through(passage)
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged where it is our fault
            self._answer_for(passage, error)
            return self._over(passage)

    async def _see_through(self, passage: Passage) -> bool:
        """Do all that has to be waited for."""
        passage.request.on_gone = None  # from here on this task is cancelled instead
        try:
            if passage.upgrade is None or passage.route is None:
                await self._forward(passage)
            else:
                with passage.route.pool.place_for_tunnel():
                    await self._forward(passage)
        except asyncio.CancelledError:
            passage.exchange.error = passage.exchange.error or passage.connection.lost_as
            self._over(passage)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged where it is our fault
            self._answer_for(passage, error)
        return self._over(passage)

    def _over(self, passage: Passage) -> bool:
        """Tell the observers; True where the connection may carry another request."""
        exchange = passage.exchange
        passage.request.on_gone = None
        if passage.collection is not None:
            exchange.bytes_in += sum(map(len, passage.collection.take()))
        _end_slowly(passage)
        if passage.expectation is not None:
            passage.expectation.end()
        self.in_flight -= 1
        exchange.duration = time.monotonic() - exchange.started
        for observer in self._observers:
            observer(exchange)
        return passage.keep

    def _answer_for(self, passage: Passage, error: Exception) -> None:
        """Answer for what has gone wrong on the way."""
        exchange = passage.exchange
        match error:
            case Refusal():
                passage.keep = passage.keep and not error.close
                reply(passage, error.status, error.text.encode() + b"\n", error.fields)
            case UpstreamError():
                exchange.error, exchange.error_detail = error.kind, error.detail
                if exchange.upstream_started and exchange.upstream_duration is None:
                    exchange.upstream_duration = time.monotonic() - exchange.upstream_started
                log.warning("upstream %s: %s%s", exchange.upstream, error, _where(exchange))
                fail(passage, error.status, UPSTREAM_TEXTS[error.kind])
            case ClientError():
                passage.exchange.error = error.kind
                passage.keep = False
                fail(passage, error.status, CLIENT_TEXTS[error.kind])
            case _:
                # Ours, whatever it is; the traceback names no URL and no field.
                log.error("a fault of the proxy's own while answering%s", _where(exchange), exc_info=error)
                fail(passage, 500, "the proxy has failed")

    def new_request_id(self) -> bytes:
        """Return an id for a request that has brought none."""
        return b"%b-%x" % (self._id_prefix, next(self._ids))

    # --- forward ----------------------------------------------------------------------------------------------------

    def _prepare(self, passage: Passage) -> None:
        route = passage.route
        assert route is not None
        if (cut := passage.request.content.exception()) is not None:  # what has come is known to be invalid already
            raise cut
        if passage.head.login is not None or logins_of(passage.connection) is not None:
            admit_login(passage.connection, passage.head, route)
        passage.exchange.upstream = route.upstream.name
        head = passage.head
        passage.passes_expectation = bool(head.expectation) and head.has_content and not route.pool.speaks_http_1_0
        passage.upstream_head = self._upstream_head(passage, route)
        head.fields, passage.request.lines = [], []  # parsed, a short line takes thirty times its bytes

    def _forward_at_once(self, passage: Passage) -> bool:
        """Send a request that is here as a whole over an idle connection; False where there is anything to wait for."""
        route, content = passage.route, passage.request.content
        assert route is not None
        if passage.upgrade is not None:
            return False
        if passage.head.has_content and not content.is_eof():
            return False
        upstream = passage.upstream = _take(passage, route)
        if upstream is None:
            return False
        self._send(passage, upstream, route)
        upstream.set_deadline(route.upstream.response_timeout, UpstreamErrorKind.RESPONSE_TIMEOUT)
        if upstream.failed:
            return False
        upstream.on_response = partial(self._responded, passage, upstream, route)
        return True

    def _responded(self, passage: Passage, upstream: UpstreamConnection, route: RoutePlan) -> None:
        """Return a response that is here as a whole; leave every other one to a task."""
        upstream.on_response = None
        connection, reader = passage.connection, upstream.reader
        if upstream.failed or reader.interim or not reader.complete:
            connection.answer_later(self._see_through(passage))
            return
        try:
            self._return(passage, upstream, route)
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged where it is our fault
            self._answer_for(passage, error)
        _report(passage, upstream, route)
        route.pool.release(upstream)
        connection.request_over(keep=self._over(passage))

    def _client_gone(self, passage: Passage) -> None:
        """The client has gone away while no task was there to be cancelled."""
        passage.exchange.error = passage.exchange.error or passage.connection.lost_as
        if passage.upstream is not None and passage.route is not None:
            passage.upstream.on_response = None
            passage.upstream.abort()
            passage.route.pool.release(passage.upstream)
        self._over(passage)

    async def _forward(self, passage: Passage) -> None:
        """Send the request, where that has not been done, wait for the head of the response, and return it."""
        route = passage.route
        assert route is not None
        pool = route.pool
        sent = passage.upstream is not None
        if not sent:
            await self._collect(passage)
        upstream = passage.upstream or _take(passage, route) or await pool.acquire()
        upload: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    if not sent:
                        upload = self._send(passage, upstream, route)
                    await self._await_head(passage, route, upstream, upload)
                    break
                except UpstreamError as error:
                    if not _may_retry(passage, upstream, error):
                        raise
                    pool.release(upstream)
                    upstream = await pool.acquire(fresh=True)
                    sent = False
            if upstream.reader.tunnel:
                await self._tunnel(passage, upstream, route)
                return
            if upload is not None and not upload.done():
                passage.keep = False
            rest = self._return(passage, upstream, route)
            if rest is not None:
                await rest
        finally:
            if upload is not None and not upload.done():
                upload.cancel()
                upstream.abort()
            passage.connection.on_writable = None
            _report(passage, upstream, route)
            pool.release(upstream)

    async def _collect(self, passage: Passage) -> None:
        """Wait for content that is small, or for the beginning of more: meanwhile no connection is taken."""
        head, connection, content = passage.head, passage.connection, passage.request.content
        if head.content_length and not head.expectation and not content.is_eof():
            passage.collection = Collection(self._budget)
            await passage.collection.fill(
                content, head.content_length, lambda: connection.read_content(content), partial(_begin_slowly, passage)
            )

    def _upstream_head(self, passage: Passage, route: RoutePlan) -> bytes:
        head, request, forwarding = passage.head, passage.request, passage.forwarding
        assert forwarding is not None
        if route.origins is not None:
            rewrite_origin(head, route.origins, forwarding.proxy_origin)
        names_places = (
            head.has_references
            and route.destinations is not None
            and rewrite_references(head, route.destinations, route.upstream_host(head.host), forwarding.proxy_origin)
        )
        if head.max_forwards is not None and request.method == "OPTIONS":
            count_down(head)
        added = b"%bX-Request-Id: %b\r\n%b" % (
            route.forwarded_block(forwarding, by_own_name=names_places),
            passage.exchange.raw_request_id,
            self._via[request.minor],
        )
        if (editor := route.request_edits) is not None:
            edit_fields(head, editor)
            added = editor.kept(added) + editor.block
        return upstream_head(
            head,
            method=request.method,
            target=route.upstream_target(passage.target),
            host_line=route.host_line(head.host),
            added=added,
            upgrade=passage.upgrade,
            expects_continue=passage.passes_expectation,
        )

    def _send(self, passage: Passage, upstream: UpstreamConnection, route: RoutePlan) -> asyncio.Task[None] | None:
        """Send the head, and the content at once where all of it is here; else return the task that sends it."""
        request, head = passage.request, passage.upstream_head
        passage.exchange.upstream_started = time.monotonic()
        if passage.head.login is not None:
            bind(passage.connection, upstream, route)
        upstream.start(
            is_head_request=request.method == "HEAD",
            expects_upgrade=passage.upgrade is not None,
            expects_continue=passage.passes_expectation,
        )
        if not passage.head.has_content:
            upstream.write(head)
            return None
        content, collection, limit = request.content, passage.collection, passage.plan.limits.max_body
        pieces = collection.take() if collection is not None else []
        upstream.write(
            head + first_content(pieces, content, passage.exchange, chunked=passage.head.chunked, limit=limit)
        )
        if passage.head.expectation:
            self._expect(passage)
        if content.is_eof():
            return None
        sending = send_request_content(
            passage.connection,
            content,
            upstream,
            passage.exchange,
            chunked=passage.head.chunked,
            limit=limit,
            stall_timeout=route.upstream.response_timeout,  # as long as it may take to answer
        )
        upload = asyncio.get_running_loop().create_task(sending)
        if passage.is_slow:
            upload.add_done_callback(lambda _: _end_slowly(passage))
        return upload

    def _expect(self, passage: Passage) -> None:
        """Have the client told to go on: by the upstream, or by us if it keeps silent, or knows nothing of it."""

        def say() -> None:
            if not passage.exchange.bytes_in and not passage.request.content.is_eof():
                with contextlib.suppress(ClientError):
                    passage.connection.write(CONTINUE)

        if passage.passes_expectation:
            passage.expectation = Expectation(say, SILENCE)
        else:
            say()

    async def _await_head(
        self, passage: Passage, route: RoutePlan, upstream: UpstreamConnection, upload: asyncio.Task[None] | None
    ) -> None:
        """Wait for the final head, passing interim ones on as they come (RFC 9110 section 15.2)."""
        timeout = route.upstream.response_timeout
        if upload is None:
            upstream.set_deadline(timeout, UpstreamErrorKind.RESPONSE_TIMEOUT)
        else:
            upload.add_done_callback(
                lambda _: (
                    upstream.set_deadline(timeout, UpstreamErrorKind.RESPONSE_TIMEOUT)
                    if upstream.reader.head is None
                    else None
                )
            )
        reader = upstream.reader
        proxy_origin = passage.forwarding.proxy_origin if passage.forwarding is not None else b""
        while True:
            await upstream.responded()
            if reader.interim:
                interim, reader.interim = reader.interim, []
                interim = [one for one in interim if one.status != 100 or _is_the_clients(passage)]
                if passage.request.minor and interim:
                    passage.connection.write(
                        b"".join([interim_head(one, route.rules, proxy_origin) for one in interim])
                    )
            if reader.head is not None:
                if passage.expectation is not None:
                    passage.expectation.end()
                return

    # --- return -----------------------------------------------------------------------------------------------------

    def _return(self, passage: Passage, upstream: UpstreamConnection, route: RoutePlan) -> Awaitable[None] | None:
        """Send the final response as far as it is here; what carries its content to the end is to be awaited."""
        request, connection, exchange = passage.request, passage.connection, passage.exchange
        reader = upstream.reader
        head = reader.head
        assert head is not None
        assert passage.grant is not None
        assert passage.forwarding is not None
        exchange.upstream_duration = time.monotonic() - exchange.upstream_started
        exchange.upstream_status = exchange.status = head.status
        route.pool.speaks_http_1_0 = not head.minor
        if head.status == 401:
            settle_challenges(connection, upstream, head, route)
        if upstream.owner is not None and not head.keep_alive:
            passage.keep = False
        if connection.takes_no_more:
            passage.keep = False
        is_head = request.method == "HEAD"
        has_length = head.framing is Framing.LENGTH or head.framing is Framing.NONE
        chunked = not has_length and request.minor > 0 and head.status != 205
        if not has_length and not request.minor:
            passage.keep = False
            passage.ends_by_close = True
        framing = (
            b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: 0\r\n" if head.status == 205 else b""
        )
        trailers = chunked and head.framing is Framing.CHUNKED and passage.head.wants_trailers
        parts = client_head(
            head,
            passage.grant,
            route.rules,
            proxy_origin=passage.forwarding.proxy_origin,
            via=self._via[head.minor],
            framing=framing + passage.connection_line,
            trailers=trailers,
        )
        parts.append(b"\r\n")
        head.fields = []  # each line costs an object, and content may stream for hours
        writer = ContentWriter(connection, upstream, exchange, chunked=chunked, discards=is_head or head.status == 205)
        passage.started = True
        if reader.complete:
            body, reader.body = reader.body, []
            writer.write_whole(parts, body, client_trailers(reader.trailers, route.rules) if trailers else ())
            return None
        connection.write(b"".join(parts))
        return self._stream(passage, upstream, route, writer, wants_trailers=trailers)

    async def _stream(
        self,
        passage: Passage,
        upstream: UpstreamConnection,
        route: RoutePlan,
        writer: ContentWriter,
        *,
        wants_trailers: bool,
    ) -> None:
        """Send the content of a response as it comes."""
        passage.connection.on_writable = upstream.resume
        done = upstream.stream_to(writer, route.upstream.read_timeout)
        if done is not None:
            await done
        writer.finish(client_trailers(upstream.reader.trailers, route.rules) if wants_trailers else ())

    async def _tunnel(self, passage: Passage, upstream: UpstreamConnection, route: RoutePlan) -> None:
        """Answer 101 and carry bytes both ways until either side closes."""
        head, protocol = upstream.reader.head, passage.upgrade
        assert head is not None
        assert protocol is not None
        exchange = passage.exchange
        exchange.upstream_duration = time.monotonic() - exchange.upstream_started
        exchange.upstream_status = exchange.status = 101
        offered = [line.value.lower() for line in head.fields if line.name.lower() == b"upgrade"]
        if offered != [protocol.lower()]:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, "101 to another protocol than was asked for")
        passage.started = True
        passage.keep = False
        route.pool.count_as_tunnel(upstream)
        passage.connection.write(switching_head(head, protocol, route.rules, self._via[head.minor]))
        await OpaqueTunnel(passage.connection, upstream, exchange, route.upstream.tunnel_timeout).run()


def _where(exchange: Exchange) -> str:
    """Return ` (METHOD path, request id)`, so that a warning can be found in the access log."""
    path = exchange.raw_path.decode("utf-8", "backslashreplace")
    return f" ({exchange.method} {path}, request {exchange.request_id})"


def _report(passage: Passage, upstream: UpstreamConnection, route: RoutePlan) -> None:
    """Write what was odd about a response that lenient parsing has taken."""
    for oddity in upstream.reader.oddities:
        if route.pool.reports(oddity):
            said = "taken as 'parsing: lenient' says"
            log.warning("upstream %s: %s, %s%s", route.upstream.name, oddity, said, _where(passage.exchange))


def _take(passage: Passage, route: RoutePlan) -> UpstreamConnection | None:
    """Return a connection that can be had at once: the client's own if it has one, else one that is idle."""
    logins = logins_of(passage.connection)
    own = logins.take(route.pool) if logins is not None else None
    return own or route.pool.take_idle()


def _begin_slowly(passage: Passage) -> bool:
    """Return whether content of which little has come may take a connection: then it has one of the few places."""
    assert passage.route is not None
    passage.is_slow = passage.route.pool.begin_slowly()
    return passage.is_slow


def _end_slowly(passage: Passage) -> None:
    """Give the place back, if the request has one."""
    if passage.is_slow and passage.route is not None:
        passage.is_slow = False
        passage.route.pool.end_slowly()


def _is_the_clients(passage: Passage) -> bool:
    """Return whether a 100 of the upstream is the client's, who may have heard ours."""
    return passage.expectation is not None and passage.expectation.upstream_says()


def _may_retry(passage: Passage, upstream: UpstreamConnection, error: UpstreamError) -> bool:
    """Once, on a reused connection that was dead before a byte of an answer came, and nothing was in flight with it."""
    return (
        error.kind is UpstreamErrorKind.CLOSED
        and upstream.reused
        and not upstream.reader.started
        and passage.request.method in _IDEMPOTENT
        and not passage.head.has_content
        and passage.upgrade is None
    )
