"""One attempt to send a request: a connection of its upstream, from the first byte sent until it is returned.

Knows nothing of what is sent, and leaves the response to the cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.proxy.sending import Upload
from corsproxy.proxy.upstream.lease import Lease

if TYPE_CHECKING:
    from corsproxy.proxy.cycle import RequestCycle


class Attempt:
    """One connection, with the content that is still on its way to the upstream.

    While no task handles the response, both connections call its methods `responded` and `client_gone`.
    """

    __slots__ = ("_cycle", "_lease", "upload", "upstream")

    def __init__(self, cycle: RequestCycle, lease: Lease, upload: Upload) -> None:
        self._cycle = cycle
        self._lease = lease
        self.upstream = lease.connection
        self.upload = upload

    def end(self) -> None:
        """Return the connection to the pool; if content is still to be sent, abort it, because the request is cut."""
        if self.upload.is_under_way:
            self.upstream.abort()
        self.upload.end()
        self._lease.end()

    def responded(self) -> None:
        """Handle a head, or a failure before one."""
        self._cycle.responded(self)

    def client_gone(self) -> None:
        """Cancel the upstream's work, because the client has gone away."""
        self.upstream.abort()
        self.end()
        self._cycle.client_gone()
