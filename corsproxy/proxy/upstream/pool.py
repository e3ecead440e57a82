"""The connections to one upstream: their number, the idle ones, and the requests that wait for one.

A connection is lent to one exchange at a time, and used again only if it is clean (`UpstreamConnection.finish`).
Knows nothing about requests or policies.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.dial import dial
from corsproxy.proxy.upstream.lease import Lease, Reservation
from corsproxy.proxy.upstream.oddity import OddityReports
from corsproxy.proxy.upstream.places import HeldPlace, Places
from corsproxy.settings import Upstream

REST = 0.02
"""Seconds for which a connection waits after a response without content before it carries another request.

Old servers send content after HEAD, 204 and 304, some in a separate segment a few milliseconds after the head:
the next request would get it as its response.
"""

HANDSHAKE = 1.0
"""Seconds for a client to continue after a login challenge on its connection, even if others wait for a place.

Without them a full pool with a short `keepalive_timeout` would interrupt every such login.
"""


class UpstreamPool:
    """The connections of one worker to one upstream."""

    def __init__(self, upstream: Upstream, context: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop) -> None:
        self.upstream = upstream
        # Copied, because they are read for every request.
        self._keepalive_timeout = upstream.keepalive_timeout
        self._most_age = upstream.max_connection_age
        self._context = context
        self._loop = loop
        self._idle: list[UpstreamConnection] = []
        """The last one is taken first, so that the others can age out."""
        self.connections: set[UpstreamConnection] = set()
        """All open connections, idle or lent, except tunnels."""
        self._tunnels: set[UpstreamConnection] = set()
        self._reservations: set[Reservation] = set()
        """Places of connections that are being dialled, or are about to be."""
        self._waiters: deque[asyncio.Future[Lease | Reservation]] = deque()
        self._retired = False
        self.slow_places = Places(max(1, upstream.max_connections // 2))
        """The places of requests that have a connection although their content arrives slowly. They may take half of
        the connections, so that other requests do not have to wait for slow clients."""
        self._tunnel_places = Places(upstream.max_tunnels)
        """The places of tunnels, and of requests for one that are in flight."""
        self.speaks_http_1_0 = False
        """True if the last response was HTTP/1.0: such a server does not know Expect (RFC 9110 section 10.1.1)."""
        self.oddity_reports = OddityReports()

    def take_idle(self) -> Lease | None:
        """Lend the idle connection that was used last, or None; close the ones that are too old or not silent."""
        idle = self._idle
        if not idle:
            return None
        now = self._loop.time()
        while idle:
            connection = idle.pop()
            if not self._is_over(connection, now) and connection.is_silent():
                return self._lend(connection)
            connection.abort()
        return None

    def take_reserved(self, connection: UpstreamConnection) -> Lease | None:
        """Lend a reserved connection to its client; None if it has ended, or sent unsolicited bytes."""
        if self._retired or not connection.is_silent():
            connection.abort()
            return None
        return self._lend(connection)

    def _lend(self, connection: UpstreamConnection) -> Lease:
        connection.lend_again()
        return Lease(self, connection)

    async def acquire(self, *, fresh: bool = False) -> Lease:
        """Lend a connection: an idle one, a new one, or the next that comes back.

        With `fresh` it is one that no other request has used.
        Raises `UpstreamError`: `pool_timeout` if there is none within `connect_timeout`, or what `dial` raises.
        """
        lease = None if fresh else self.take_idle()
        if lease is not None:
            return lease
        if self._full and not (self._drop_one_idle() or self._drop_one_owned()):
            granted = await self._wait()
        else:
            granted = self._reserve()
        if isinstance(granted, Lease):
            if not fresh and granted.connection.is_silent():
                return granted
            # It may have ended, or received bytes, since it was handed over; a new one takes its place.
            self._drop(granted.connection)
            granted = self._reserve()
        return await self._dial(granted)

    async def _dial(self, reservation: Reservation) -> Lease:
        try:
            connection = await dial(self.upstream, self._context, self._on_closed)
        except BaseException:
            reservation.end()
            raise
        return reservation.fill(connection)

    def _reserve(self) -> Reservation:
        reservation = Reservation(self)
        self._reservations.add(reservation)
        return reservation

    def settle(self, reservation: Reservation, connection: UpstreamConnection | None) -> None:
        """Replace a reservation with the connection that was dialled for it, or with nothing."""
        if reservation not in self._reservations:
            return
        self._reservations.remove(reservation)
        if connection is None or connection.closed:
            self._admit_one()
        else:
            self.connections.add(connection)

    def release(self, connection: UpstreamConnection) -> None:
        """Take back a connection after its exchange; close it if it cannot be used again."""
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
        """Offer a connection after its rest, unless it has been closed because bytes arrived."""
        if connection in self.connections and not connection.transport.is_closing():
            self._offer(connection)

    def _offer(self, connection: UpstreamConnection) -> None:
        """Lend a clean connection to the request that has waited longest, or keep it."""
        connection.idle_since = self._loop.time()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(self._lend(connection))
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
        """Fail overdue exchanges, and close connections that have been idle too long."""
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
        """Keep no connection from now on: close the idle ones, and the others after their exchanges."""
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

    def place_for_tunnel(self) -> HeldPlace:
        """Return a place for a tunnel, to hold from before its request is sent; raises `UpstreamError` without one."""
        place = self._tunnel_places.take()
        if place is None:
            raise UpstreamError(UpstreamErrorKind.TUNNELS_FULL)
        return place

    def count_as_tunnel(self, connection: UpstreamConnection) -> None:
        """Count a lent connection as a tunnel from now on, which frees its place among the others."""
        if connection in self.connections:
            self.connections.discard(connection)
            self._tunnels.add(connection)
            self._admit_one()

    def _is_over(self, connection: UpstreamConnection, now: float) -> bool:
        """Return whether an idle connection is too old to be used again."""
        return now - connection.idle_since >= self._keepalive_timeout or self._is_worn(connection, now)

    def _is_worn(self, connection: UpstreamConnection, now: float) -> bool:
        """Return whether a connection must not be used again after its exchange, because of its age or the settings."""
        return not self._keepalive_timeout or 0 < self._most_age <= now - connection.born

    @property
    def _full(self) -> bool:
        return len(self.connections) + len(self._reservations) >= self.upstream.max_connections

    def _drop_one_idle(self) -> bool:
        if not self._idle:
            return False
        self._drop(self._idle.pop(0))
        return True

    def _drop(self, connection: UpstreamConnection) -> None:
        """Close a connection whose place has already been given away."""
        connection.abort()
        self.connections.discard(connection)

    def _drop_one_owned(self) -> bool:
        """Close the reserved connection that has been idle longest, if that is long enough; return whether it was."""
        now, timeout = self._loop.time(), self.upstream.keepalive_timeout
        owned = [one for one in self.connections if one.owner is not None and not one.busy]
        oldest = min(owned, key=lambda one: one.idle_since, default=None)
        if oldest is None:
            return False
        head = oldest.reader.head
        is_challenged = head is not None and head.status == 401
        if now - oldest.idle_since < (max(timeout, HANDSHAKE) if is_challenged else timeout):
            return False
        self._drop(oldest)
        return True

    async def _wait(self) -> Lease | Reservation:
        """Wait for a returned connection, or for a place to dial one."""
        waiter: asyncio.Future[Lease | Reservation] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self.upstream.connect_timeout):
                return await waiter
        except TimeoutError:
            self._give_up(waiter)
            raise UpstreamError(UpstreamErrorKind.POOL_TIMEOUT) from None
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: asyncio.Future[Lease | Reservation]) -> None:
        """Stop waiting, and pass on what was granted at the same moment."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if waiter.done() and not waiter.cancelled():
            waiter.result().end()

    def _on_closed(self, connection: UpstreamConnection) -> None:
        if connection.owner is not None:
            connection.owner.upstream_ended(connection)
        self._tunnels.discard(connection)
        if connection in self.connections:
            self.connections.discard(connection)
            self._admit_one()

    def _admit_one(self) -> None:
        """Reserve a free place for the request that has waited longest, which then dials."""
        while self._waiters and not self._full:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(self._reserve())
                return
