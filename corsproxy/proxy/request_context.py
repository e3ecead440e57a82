"""The context of one request, from its head to its end, which it reaches exactly once.

The results of the steps on the way (head, route, grant) are not part of it: each step passes them to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.request_record import RequestRecord

if TYPE_CHECKING:
    from corsproxy.proxy.relay import Relay


class RequestContext:
    """What all steps of one request share."""

    __slots__ = (
        "_is_finished",
        "_relay",
        "connection",
        "ends_by_close",
        "keep",
        "plan",
        "record",
        "request",
        "started",
    )

    def __init__(self, relay: Relay, request: ClientRequest, record: RequestRecord) -> None:
        self._relay = relay
        self._is_finished = False
        self.plan = relay.plan
        """The configuration that was in force when the request arrived, and applies to all of it."""
        self.request = request
        self.connection: ClientConnection = request.connection
        self.record = record
        self.keep = request.keep_alive
        """True if the connection may carry another request after this one."""
        self.started = False
        """True once the final response has begun: from then on a failure cuts the connection."""
        self.ends_by_close = False
        """True if the end of the connection is the end of the content (HTTP/1.0), so that a cut needs a reset."""

    @property
    def connection_line(self) -> bytes:
        """The Connection line of the response; empty if the version's default applies (RFC 9112 section 9.3)."""
        if not self.keep:
            return b"Connection: close\r\n"
        return b"" if self.request.minor else b"Connection: keep-alive\r\n"

    def finish(self) -> bool:
        """End the request, if it has not ended yet; return whether the connection may carry another."""
        if not self._is_finished:
            self._is_finished = True
            self._relay.request_ended(self)
        return self.keep
