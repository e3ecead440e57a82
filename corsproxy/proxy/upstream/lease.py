"""A connection lent by a pool, which goes back once, whoever ends it.

Knows no request.
"""

from __future__ import annotations

from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.pool import UpstreamPool


class Lease:
    """One connection of one pool, until its end."""

    __slots__ = ("_is_over", "_pool", "connection")

    def __init__(self, pool: UpstreamPool, connection: UpstreamConnection) -> None:
        self._pool = pool
        self.connection = connection
        self._is_over = False

    def end(self) -> None:
        """Give the connection back; a second time does nothing."""
        if not self._is_over:
            self._is_over = True
            self._pool.release(self.connection)
