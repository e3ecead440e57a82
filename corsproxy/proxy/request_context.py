"""One request from its head to its end: its input, its outcome, and that it ends exactly once.

What is found out on the way (head, route, grant) is no part of it: each step gets it from the one before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.request_record import RequestRecord

if TYPE_CHECKING:
    from corsproxy.proxy.relay import Relay


class RequestContext:
    """One request from its head to its end."""

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
        """The configuration in force when the request arrived, which it keeps."""
        self.request = request
        self.connection: ClientConnection = request.connection
        self.record = record
        self.keep = request.keep_alive
        """True if the connection may carry another request afterwards."""
        self.started = False
        """True once a byte of the final response has been sent: from then on a failure cuts the connection."""
        self.ends_by_close = False
        """True if the response's content ends with the connection (HTTP/1.0): a cut must not look like that."""

    @property
    def connection_line(self) -> bytes:
        """Return the Connection line, if the default of the version says otherwise (RFC 9112 section 9.3)."""
        if not self.keep:
            return b"Connection: close\r\n"
        return b"" if self.request.minor else b"Connection: keep-alive\r\n"

    def finish(self) -> bool:
        """End the request on the first call; return whether the connection may carry another."""
        if not self._is_finished:
            self._is_finished = True
            self._relay.over(self.record)
        return self.keep
