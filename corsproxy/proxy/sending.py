"""What an upstream is sent of one request: its head, and content from wherever it is or will come.

Small content is collected before a connection is taken; a client that asks first is told to go on, by the upstream or
by us. A slow client has one of the few places that the pool keeps for such.
Knows no policy and no response.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from corsproxy.proxy.content import first_content, send_request_content
from corsproxy.proxy.errors import ClientError
from corsproxy.proxy.logins import bind
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request.collecting import Budget, Collection
from corsproxy.proxy.request.expectation import CONTINUE, SILENCE, Expectation
from corsproxy.proxy.request.head import RequestHead
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.upstream.connection import UpstreamConnection


class Sending:
    """A request on its way to the upstream."""

    __slots__ = (
        "_budget",
        "_collection",
        "_context",
        "_expectation",
        "_expects_upgrade",
        "_finished_head",
        "_head",
        "_is_slow",
        "_passes_expectation",
        "_route",
    )

    def __init__(
        self,
        context: RequestContext,
        head: RequestHead,
        route: RoutePlan,
        finished_head: bytes,
        budget: Budget,
        *,
        expects_upgrade: bool,
        passes_expectation: bool,
    ) -> None:
        self._context = context
        self._head = head
        self._route = route
        self._finished_head = finished_head
        """For the upstream."""
        self._expects_upgrade = expects_upgrade
        self._budget = budget
        self._passes_expectation = passes_expectation
        """True if the upstream is told of the client's Expect."""
        self._collection: Collection | None = None
        """What has been collected of the content, if anything."""
        self._is_slow = False
        """True while its content has one of the pool's places for slow ones."""
        self._expectation: Expectation | None = None
        """The 100 that the client waits for."""

    async def collect(self) -> None:
        """Wait for content that is small, or for the beginning of more: meanwhile no connection is taken."""
        context = self._context
        head, connection, content = self._head, context.connection, context.request.content
        if head.content_length and not head.expectation and not content.is_eof():
            self._collection = Collection(self._budget)
            await self._collection.fill(
                content, head.content_length, lambda: connection.read_content(content), self._begin_slowly
            )

    def send(self, upstream: UpstreamConnection) -> asyncio.Task[None] | None:
        """Send the head, and the content at once if all of it is here; else return the task that sends it."""
        context = self._context
        request, record = context.request, context.record
        record.upstream_started = time.monotonic()
        if self._head.login is not None:
            bind(context.connection, upstream, self._route)
        upstream.start(
            is_head_request=request.method == "HEAD",
            expects_upgrade=self._expects_upgrade,
            expects_continue=self._passes_expectation,
        )
        if not self._head.has_content:
            upstream.write(self._finished_head)
            return None
        chunked, limit = self._head.chunked, context.plan.limits.max_body
        pieces = self._collection.take() if self._collection is not None else []
        upstream.write(
            self._finished_head + first_content(pieces, request.content, record, chunked=chunked, limit=limit)
        )
        if self._head.expectation:
            self._expect()
        if request.content.is_eof():
            return None
        sending = send_request_content(
            context.connection,
            request.content,
            upstream,
            record,
            chunked=chunked,
            limit=limit,
            stall_timeout=self._route.upstream.response_timeout,  # as long as it may take to answer
        )
        upload = asyncio.get_running_loop().create_task(sending)
        if self._is_slow:
            upload.add_done_callback(lambda _: self._end_slowly())
        return upload

    def is_answered(self) -> None:
        """The final head is here: nobody has to be told to go on any more."""
        if self._expectation is not None:
            self._expectation.end()

    def upstream_may_continue(self) -> bool:
        """Return whether a 100 of the upstream is the client's, who may have heard ours."""
        return self._expectation is not None and self._expectation.upstream_says()

    def end(self) -> None:
        """Give back what was taken, and count what was collected in vain."""
        if self._collection is not None:
            self._context.record.bytes_in += sum(map(len, self._collection.take()))
        self._end_slowly()
        self.is_answered()

    def _begin_slowly(self) -> bool:
        """Return whether content of which little has come may take a connection: then it has one of the few places."""
        self._is_slow = self._route.pool.begin_slowly()
        return self._is_slow

    def _end_slowly(self) -> None:
        """Give the place back, if the request has one."""
        if self._is_slow:
            self._is_slow = False
            self._route.pool.end_slowly()

    def _expect(self) -> None:
        """Have the client told to go on: by the upstream, or by us if it keeps silent, or knows nothing of it."""
        if self._passes_expectation:
            self._expectation = Expectation(self._say_continue, SILENCE)
        else:
            self._say_continue()

    def _say_continue(self) -> None:
        if not self._context.record.bytes_in and not self._context.request.content.is_eof():
            with contextlib.suppress(ClientError):
                self._context.connection.write(CONTINUE)
