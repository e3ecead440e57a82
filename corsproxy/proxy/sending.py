"""What an upstream is sent of one request: its head, and content from wherever it is or will come.

    Collected    small content, and the beginning of more, before a connection is taken
    Sending      the request, to be sent over any connection
    Upload       content that still comes while the upstream may already answer

A client that asks first is told to go on, by the upstream or by us. A slow client has one of the few places that the
pool keeps for such.
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
    """Content that has come before a connection is taken, until it is sent or given up."""

    __slots__ = ("_collection", "_place", "_places", "_record")

    def __init__(self, budget: Budget, slow_places: Places, record: RequestRecord) -> None:
        self._collection = Collection(budget)
        self._places = slow_places
        self._place: HeldPlace | None = None
        """Held if the rest of the content comes slowly."""
        self._record = record

    async def fill(self, context: RequestContext, announced: int) -> None:
        """Wait for content that is small, or for the beginning of more."""
        connection, content = context.connection, context.request.content
        await self._collection.fill(content, announced, lambda: connection.read_content(content), self._begin_slowly)

    def take(self) -> list[bytes]:
        """Return what has come, to be sent."""
        return self._collection.take()

    def end_slowly(self) -> None:
        """The rest of the content has come."""
        if self._place is not None:
            self._place.give_back()

    def end(self) -> None:
        """Release what is held, and count content that was collected but not sent."""
        self._record.bytes_in += sum(map(len, self._collection.take()))
        self.end_slowly()

    def _begin_slowly(self) -> bool:
        """Return whether content of which little has come may take a connection: then it has one of the few places."""
        self._place = self._places.take()
        return self._place is not None


class Upload:
    """Content on its way to the upstream, and the 100 that its client waits for."""

    __slots__ = ("_expectation", "_task")

    def __init__(self, task: asyncio.Task[None] | None, expectation: Expectation | None) -> None:
        self._task = task
        """Sends what still comes; None if all of it has been sent."""
        self._expectation = expectation

    @property
    def is_under_way(self) -> bool:
        """True if content is still to come."""
        return self._task is not None and not self._task.done()

    def answered(self) -> None:
        """Note that the final head has arrived, so no 100 is needed any more."""
        if self._expectation is not None:
            self._expectation.end()

    def upstream_may_continue(self) -> bool:
        """Return whether a 100 of the upstream is the client's, who may have heard ours."""
        return self._expectation is not None and self._expectation.upstream_continues()

    def end(self) -> None:
        """Send no more."""
        if self._task is not None:
            self._task.cancel()
        self.answered()


NO_UPLOAD: Final = Upload(None, None)
"""Of a request without content."""


class Sending:
    """A request as it goes to its upstream, over whatever connection."""

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
        """For the upstream."""
        self._expects_upgrade = expects_upgrade
        self._passes_expectation = passes_expectation
        """True if the upstream is told of the client's Expect."""

    async def collect(self, collected: Collected) -> None:
        """Wait for what is to be collected of the content: meanwhile no connection is taken."""
        head = self._head
        if head.content_length and not head.expect and not self._context.request.content.is_eof():
            await collected.fill(self._context, head.content_length)

    def send(self, upstream: UpstreamConnection, collected: Collected | None) -> Upload:
        """Send the head, and the content as far as it is here; `response_timeout` runs from when all of it is sent."""
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
        """Send the head and what is here of the content in one piece, and have a task send the rest."""
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
            stall_timeout=timeout,  # as long as it may take to answer
        )

        def sent(_: asyncio.Task[None]) -> None:
            if upstream.reader.head is None:
                upstream.set_deadline(timeout, _RESPONSE_TIMEOUT)
            if collected is not None:
                collected.end_slowly()

        task = asyncio.get_running_loop().create_task(sending)
        task.add_done_callback(sent)
        return Upload(task, expectation)

    def _expect(self) -> Expectation | None:
        """Have the client told to go on: by the upstream, or by us if it keeps silent, or knows nothing of it."""
        if self._passes_expectation:
            return Expectation(self._say_continue, SILENCE)
        self._say_continue()
        return None

    def _say_continue(self) -> None:
        if not self._context.record.bytes_in and not self._context.request.content.is_eof():
            with contextlib.suppress(ClientError):
                self._context.connection.write(CONTINUE)
