"""Sending one request to an upstream: its head, and content that has arrived or is still to come.

    Collected          small content, or the beginning of more, before a connection is taken
    UpstreamRequest    the request, which can be sent over any connection
    Upload             content that is still arriving while the upstream may already respond

A client that expects 100 (Continue) gets it from the upstream or from the proxy. Slow clients share a limited number of
places in the pool, so that they cannot take all connections.
Knows nothing about policies or responses.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from corsproxy.proxy.content import first_content, send_request_content
from corsproxy.proxy.errors import ClientError, UpstreamErrorKind
from corsproxy.proxy.logins import bind
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request.collecting import Budget, Collection
from corsproxy.proxy.request.expectation import CONTINUE, SILENCE, Expectation
from corsproxy.proxy.request.head import RequestHead
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.request_record import RequestRecord
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.places import HeldPlace, Places

_RESPONSE_TIMEOUT: Final = UpstreamErrorKind.RESPONSE_TIMEOUT


class Collected:
    """The content that arrived before a connection is taken, until it is sent or given up."""

    __slots__ = ("_collection", "_place", "_places", "_record")

    def __init__(self, budget: Budget, slow_places: Places, record: RequestRecord) -> None:
        self._collection = Collection(budget)
        self._places = slow_places
        self._place: HeldPlace | None = None
        """Held while the rest of the content arrives slowly."""
        self._record = record

    async def fill(self, context: RequestContext, announced: int) -> None:
        """Wait for small content, or for the beginning of more."""
        connection, content = context.connection, context.request.content
        await self._collection.fill(content, announced, lambda: connection.read_content(content), self._take_slow_place)

    def take(self) -> list[bytes]:
        """Return the collected content, to be sent."""
        return self._collection.take()

    def end_slow_content(self) -> None:
        """Free the place among slow requests, because all content has arrived."""
        if self._place is not None:
            self._place.give_back()

    def end(self) -> None:
        """Release what is held; content that was collected but not sent counts as received."""
        self._record.bytes_in += sum(map(len, self._collection.take()))
        self.end_slow_content()

    def _take_slow_place(self) -> bool:
        """Return whether a request with slow content may take a connection: it then holds one of the limited places."""
        self._place = self._places.take()
        return self._place is not None


class Upload:
    """The content on its way to the upstream, and the expectation of its client."""

    __slots__ = ("_expectation", "_task")

    def __init__(self, task: asyncio.Task[None] | None, expectation: Expectation | None) -> None:
        self._task = task
        """Sends the content that is still to come; None if all of it has been sent."""
        self._expectation = expectation

    @property
    def is_under_way(self) -> bool:
        """True if content is still to be sent."""
        return self._task is not None and not self._task.done()

    def note_final_head(self) -> None:
        """Send no 100 any more, because the final head has arrived."""
        if self._expectation is not None:
            self._expectation.end()

    def forwards_continue(self) -> bool:
        """Return whether to forward a 100 of the upstream: not if the client did not expect one, or already has one."""
        return self._expectation is not None and self._expectation.upstream_continues()

    def end(self) -> None:
        """Send no more content, and no 100."""
        if self._task is not None:
            self._task.cancel()
        self.note_final_head()


NO_UPLOAD: Final = Upload(None, None)
"""The upload of a request without content."""


class UpstreamRequest:
    """A client's request as the upstream gets it."""

    __slots__ = ("_context", "_expects_upgrade", "_finished_head", "_head", "_passes_expectation", "_route")

    def __init__(
        self,
        context: RequestContext,
        head: RequestHead,
        route: RoutePlan,
        finished_head: bytes,
        *,
        expects_upgrade: bool,
        passes_expectation: bool,
    ) -> None:
        self._context = context
        self._head = head
        self._route = route
        self._finished_head = finished_head
        """The head as it is sent to the upstream."""
        self._expects_upgrade = expects_upgrade
        self._passes_expectation = passes_expectation
        """True if the client's Expect is forwarded."""

    async def collect(self, collected: Collected) -> None:
        """Collect content before a connection is taken; none of unknown length, or that the client holds back."""
        head = self._head
        if head.content_length and not head.expect and not self._context.request.content.is_eof():
            await collected.fill(self._context, head.content_length)

    def send(self, upstream: UpstreamConnection, collected: Collected | None) -> Upload:
        """Send the head and the content that has arrived; `response_timeout` begins when all content has been sent."""
        context, head, route = self._context, self._head, self._route
        context.record.upstream_started = time.monotonic()
        if head.login is not None:
            bind(context.connection, upstream, route)
        upstream.start(
            is_head_request=context.request.method == "HEAD",
            expects_upgrade=self._expects_upgrade,
            expects_continue=self._passes_expectation,
        )
        if head.has_content:
            upload = self._begin_upload(upstream, collected)
            if upload.is_under_way:
                return upload
        else:
            upload = NO_UPLOAD
            upstream.write(self._finished_head)
        upstream.set_deadline(route.upstream.response_timeout, _RESPONSE_TIMEOUT)
        return upload

    def _begin_upload(self, upstream: UpstreamConnection, collected: Collected | None) -> Upload:
        """Send the head and the content that has arrived in one write, and the rest in a task."""
        context, chunked = self._context, self._head.chunked
        request, record, limit = context.request, context.record, context.plan.limits.max_body
        timeout = self._route.upstream.response_timeout
        pieces = collected.take() if collected is not None else []
        content = first_content(pieces, request.content, record, chunked=chunked, limit=limit)
        upstream.write(self._finished_head + content)
        expectation = self._expect() if self._head.expect else None
        if request.content.is_eof():
            return Upload(None, expectation)
        sending = send_request_content(
            context.connection,
            request.content,
            upstream,
            record,
            chunked=chunked,
            limit=limit,
            stall_timeout=timeout,  # an upstream may take as long to read as to respond
        )

        def sent(_: asyncio.Task[None]) -> None:
            if upstream.reader.head is None:
                upstream.set_deadline(timeout, _RESPONSE_TIMEOUT)
            if collected is not None:
                collected.end_slow_content()

        task = asyncio.get_running_loop().create_task(sending)
        task.add_done_callback(sent)
        return Upload(task, expectation)

    def _expect(self) -> Expectation | None:
        """Answer the client's Expect: after `SILENCE` if the upstream gets it too, otherwise at once."""
        if self._passes_expectation:
            return Expectation(self._send_continue, SILENCE)
        self._send_continue()
        return None

    def _send_continue(self) -> None:
        """Send 100, unless content has arrived. RFC 9110 section 10.1.1: a server "MAY omit sending a 100 (Continue)
        response if it has already received some or all of the content".
        """
        if not self._context.record.bytes_in and not self._context.request.content.is_eof():
            with contextlib.suppress(ClientError):
                self._context.connection.write(CONTINUE)
