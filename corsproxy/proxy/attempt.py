"""A request that has been sent over one connection of its upstream, until that is given back.

Knows nothing of what is sent, and leaves what comes back to the cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.proxy.sending import NO_UPLOAD, Upload
from corsproxy.proxy.upstream.lease import Lease

if TYPE_CHECKING:
    from corsproxy.proxy.cycle import RequestCycle


class Attempt:
    """One connection, with what is still on its way to the upstream.

    Until a task sees to the response, both connections tell this of what happens.
    """

    __slots__ = ("_cycle", "_lease", "upload", "upstream")

    def __init__(self, cycle: RequestCycle, lease: Lease, upload: Upload) -> None:
        self._cycle = cycle
        self._lease = lease
        self.upstream = lease.connection
        self.upload = upload

    def end(self) -> None:
        """Return the connection to the pool; if content is still to be sent, it carries no other request."""
        if self.upload is not NO_UPLOAD:
            if self.upload.is_under_way:
                self.upstream.abort()
            self.upload.end()
        self._lease.end()

    def responded(self) -> None:
        """A head has come, or none will."""
        self._cycle.responded(self)

    def client_gone(self) -> None:
        """The client has gone away."""
        self.upstream.abort()
        self.end()
        self._cycle.client_gone()
