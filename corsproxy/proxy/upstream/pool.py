"""The connections to one upstream: those that are idle, how many there are, and who waits for one.

A connection is lent to one exchange at a time and comes back only clean (`UpstreamConnection.finish` says so).
Knows no requests and no policy.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Iterator

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.dial import dial
from corsproxy.proxy.upstream.oddity import Oddity
from corsproxy.settings import Upstream

REST = 0.02
"""Seconds that a connection rests after a response without content before it carries another request.

Old servers send content after HEAD, 204 and 304, some in a segment of its own a few milliseconds after the head:
whoever asked next would get it for an answer.
"""


REPORT_INTERVAL = 60.0
"""Seconds between two lines about the same oddity: an old server has it in every response."""

HANDSHAKE = 1.0
"""Seconds that the client of a connection which has just asked for a login has to go on, however many wait for a place.

Without them a pool that is full and has a short `keepalive_timeout` would break every such login off.
"""


class UpstreamPool:
    """The connections of one worker to one upstream."""

    def __init__(self, upstream: Upstream, context: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop) -> None:
        self.upstream = upstream
        self._context = context
        self._loop = loop
        self._idle: list[UpstreamConnection] = []
        """The one used last is taken first: the others may age out."""
        self.connections: set[UpstreamConnection] = set()
        """Every open connection, idle or lent, tunnels apart."""
        self._tunnels: set[UpstreamConnection] = set()
        self._tunnel_places = 0
        """Tunnels, and requests for one that are under way."""
        self._dialling = 0
        self._waiters: deque[asyncio.Future[UpstreamConnection | None]] = deque()
        self._retired = False
        self._slow = 0
        """Requests under way whose content began slowly."""
        self.speaks_http_1_0 = False
        """True if the last response was of HTTP/1.0: such a server knows no Expect (RFC 9110 section 10.1.1)."""
        self._reported: dict[Oddity, float] = {}
        """When each oddity of the upstream was last written of."""

    def take_idle(self) -> UpstreamConnection | None:
        """Lend the idle connection used last, if there is one that is not too old."""
        idle = self._idle
        if not idle:
            return None
        now = self._loop.time()
        while idle:
            connection = idle.pop()
            if not self._is_over(connection, now) and connection.is_silent():
                connection.lend_again()
                return connection
            connection.abort()
        return None

    def take_own(self, connection: UpstreamConnection) -> bool:
        """Lend a connection to the client it belongs to; False if it has ended, or spoken unasked."""
        if self._retired or not connection.is_silent():
            connection.abort()
            return False
        connection.lend_again()
        return True

    async def acquire(self, *, fresh: bool = False) -> UpstreamConnection:
        """Lend a connection: an idle one, a new one, or the next that comes back.

        `fresh` takes none that was used before.
        Raises `UpstreamError`: `pool_timeout` where none was to be had within `connect_timeout`, or what the dial met.
        """
        connection = None if fresh else self.take_idle()
        may_dial = False
        if connection is None and self._full and not (self._drop_one_idle() or self._drop_one_owned()):
            connection = await self._wait()
            may_dial = connection is None
            if connection is not None and (fresh or not connection.is_silent()):
                # It may have ended, or spoken, between being handed over and being taken.
                connection.abort()
                connection = None
        if connection is not None:
            return connection
        if not may_dial:
            self._dialling += 1
        try:
            connection = await dial(self.upstream, self._context, self._on_closed)
        except BaseException:
            self._dialling -= 1
            self._admit_one()
            raise
        self._dialling -= 1
        if connection.closed:
            self._admit_one()
        else:
            self.connections.add(connection)
        return connection

    def release(self, connection: UpstreamConnection) -> None:
        """Take back a connection after its exchange; one that is not clean is closed."""
        reusable = connection.finish()
        if not reusable or self._retired:
            connection.abort()
        elif connection.owner is not None:
            connection.busy = False
            connection.idle_since = self._loop.time()
        elif self._is_worn(connection, self._loop.time()):
            connection.abort()
        elif connection.needs_rest:
            connection.busy = False
            connection.idle_since = self._loop.time()
            self._loop.call_later(REST, self._rested, connection)
        else:
            self._offer(connection)

    def _rested(self, connection: UpstreamConnection) -> None:
        """Offer a connection on which nothing came for a moment; where something came it has been closed."""
        if connection in self.connections and not connection.transport.is_closing():
            self._offer(connection)

    def _offer(self, connection: UpstreamConnection) -> None:
        """Give a clean connection to whoever waits longest, or keep it."""
        connection.idle_since = self._loop.time()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                connection.lend_again()
                waiter.set_result(connection)
                return
        connection.busy = False
        self._idle.append(connection)

    def states(self) -> dict[str, int]:
        """Return how many connections are in each state."""
        bound = sum(connection.owner is not None for connection in self.connections)
        busy = sum(connection.busy and connection.owner is None for connection in self.connections)
        idle = len(self.connections) - bound - busy
        return {"idle": idle, "busy": busy, "bound": bound, "tunnel": len(self._tunnels)}

    def sweep(self, now: float) -> None:
        """Fail what is overdue and close what has been idle too long."""
        for connection in tuple(self._tunnels):
            connection.sweep(now)
        for connection in tuple(self.connections):
            if connection.busy:
                connection.sweep(now)
            elif connection.owner is None and self._is_over(connection, now):
                connection.abort()
        if self._idle:
            self._idle = [
                connection for connection in self._idle if not connection.closed and not self._is_over(connection, now)
            ]
        while self._waiters and self._full and self._drop_one_owned():
            self._admit_one()

    def retire(self) -> None:
        """Keep no connection any more: exchanges that run may finish, what is idle is closed."""
        self._retired = True
        self._idle = []
        for connection in tuple(self.connections):
            if not connection.busy:
                connection.abort()

    def close(self) -> None:
        """Close everything at once."""
        self.retire()
        for connection in (*self.connections, *self._tunnels):
            connection.abort()

    def reports(self, oddity: Oddity) -> bool:
        """Return whether to write of this oddity now: each kind is written of once a minute."""
        now = self._loop.time()
        if now < self._reported.get(oddity, 0.0) + REPORT_INTERVAL:
            return False
        self._reported[oddity] = now
        return True

    @property
    def is_in_use(self) -> bool:
        """Return whether any connection is open."""
        return bool(self.connections or self._tunnels)

    def begin_slowly(self) -> bool:
        """Return whether a request may take a connection though its content comes slowly: half of them are kept for
        others, who would have to wait for as many slow clients as there are connections.
        """
        if self._slow >= max(1, self.upstream.max_connections // 2):
            return False
        self._slow += 1
        return True

    def end_slowly(self) -> None:
        """Its content has come, or it is over."""
        self._slow -= 1

    @contextlib.contextmanager
    def place_for_tunnel(self) -> Iterator[None]:
        """Keep a place for a tunnel, from before it is asked for; raises `UpstreamError` if none is left."""
        if self._tunnel_places >= self.upstream.max_tunnels:
            raise UpstreamError(UpstreamErrorKind.TUNNELS_FULL)
        self._tunnel_places += 1
        try:
            yield
        finally:
            self._tunnel_places -= 1

    def count_as_tunnel(self, connection: UpstreamConnection) -> None:
        """Count a lent connection among the tunnels from now on: its place among the others is free."""
        if connection in self.connections:
            self.connections.discard(connection)
            self._tunnels.add(connection)
            self._admit_one()

    def _is_over(self, connection: UpstreamConnection, now: float) -> bool:
        """Return whether an idle connection is too old to be used again."""
        return now - connection.idle_since >= self.upstream.keepalive_timeout or self._is_worn(connection, now)

    def _is_worn(self, connection: UpstreamConnection, now: float) -> bool:
        """Return whether a connection, however busy, is not to be used again."""
        age = self.upstream.max_connection_age
        return not self.upstream.keepalive_timeout or 0 < age <= now - connection.born

    @property
    def _full(self) -> bool:
        return len(self.connections) + self._dialling >= self.upstream.max_connections

    def _drop_one_idle(self) -> bool:
        if not self._idle:
            return False
        connection = self._idle.pop(0)
        connection.abort()
        self.connections.discard(connection)
        return True

    def _drop_one_owned(self) -> bool:
        """Close the connection that has been idle longest among those that belong to one client each."""
        now, timeout = self._loop.time(), self.upstream.keepalive_timeout
        owned = [one for one in self.connections if one.owner is not None and not one.busy]
        oldest = min(owned, key=lambda one: one.idle_since, default=None)
        if oldest is None:
            return False
        head = oldest.reader.head
        asks = head is not None and head.status == 401
        if now - oldest.idle_since < (max(timeout, HANDSHAKE) if asks else timeout):
            return False
        oldest.abort()
        self.connections.discard(oldest)
        return True

    async def _wait(self) -> UpstreamConnection | None:
        """Wait for a connection that comes back, or for leave to dial (None)."""
        waiter: asyncio.Future[UpstreamConnection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self.upstream.connect_timeout):
                return await waiter
        except TimeoutError:
            self._give_back(waiter)
            raise UpstreamError(UpstreamErrorKind.POOL_TIMEOUT) from None
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise

    def _give_back(self, waiter: asyncio.Future[UpstreamConnection | None]) -> None:
        """Pass on what was granted in the same moment in which its taker gave up."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if waiter.done() and not waiter.cancelled():
            connection = waiter.result()
            if connection is None:
                self._dialling -= 1
                self._admit_one()
            else:
                self.release(connection)

    def _on_closed(self, connection: UpstreamConnection) -> None:
        if connection.owner is not None:
            connection.owner.upstream_ended(connection)
        self._tunnels.discard(connection)
        if connection in self.connections:
            self.connections.discard(connection)
            self._admit_one()

    def _admit_one(self) -> None:
        """A place has become free: it is kept for the one who waits longest, who may dial."""
        while self._waiters and not self._full:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._dialling += 1
                waiter.set_result(None)
                return
