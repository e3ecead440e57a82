"""What a pool grants: a lent connection, or a reserved place for one that is not yet dialled.

Each is given back once, however it ends. It must not know requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.proxy.upstream.connection import UpstreamConnection

if TYPE_CHECKING:
    from corsproxy.proxy.upstream.pool import UpstreamPool


class Lease:
    """A connection that is lent until `end`."""

    __slots__ = ("_is_over", "_pool", "connection")

    def __init__(self, pool: UpstreamPool, connection: UpstreamConnection) -> None:
        self._pool = pool
        self.connection = connection
        self._is_over = False

    def end(self) -> None:
        """Return the connection to the pool; a second call does nothing."""
        if not self._is_over:
            self._is_over = True
            self._pool.release(self.connection)


class Reservation:
    """A place among the connections of a pool, until it is filled or given up."""

    __slots__ = ("_pool",)

    def __init__(self, pool: UpstreamPool) -> None:
        self._pool = pool

    def fill(self, connection: UpstreamConnection) -> Lease:
        """Put a new connection in the place, and lend it."""
        self._pool.settle(self, connection)
        return Lease(self._pool, connection)

    def end(self) -> None:
        """Release the place, unless it is filled or released already."""
        self._pool.settle(self, None)
