"""One request on its way through the proxy: what is known of it so far.

Filled in by `admission`, read by `relay` and `replies`.
"""

from __future__ import annotations

from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.cors_gate import Grant
from corsproxy.proxy.fields.forwarded import Forwarding
from corsproxy.proxy.plan import Plan, RoutePlan
from corsproxy.proxy.request.head import RequestHead
from corsproxy.proxy.request.target import Target
from corsproxy.proxy.request_record import RequestRecord

_UNREAD_HEAD = RequestHead()
_NO_TARGET = Target(b"", None)


class RequestContext:
    """One request on its way: what is known of it so far."""

    __slots__ = (
        "connection",
        "ends_by_close",
        "forwarding",
        "grant",
        "head",
        "keep",
        "plan",
        "record",
        "request",
        "route",
        "started",
        "target",
        "upgrade",
    )

    def __init__(self, plan: Plan, request: ClientRequest, record: RequestRecord) -> None:
        self.plan = plan
        self.request = request
        self.connection: ClientConnection = request.connection
        self.record = record
        self.keep = request.keep_alive
        """True if the connection may carry another request afterwards."""
        self.started = False
        """True once a byte of the final response has been sent: from then on a failure cuts the connection."""
        self.ends_by_close = False
        """True if the response's content ends with the connection (HTTP/1.0): a cut must not look like that."""
        self.head: RequestHead = _UNREAD_HEAD
        self.target: Target = _NO_TARGET
        self.route: RoutePlan | None = None
        self.grant: Grant | None = None
        self.forwarding: Forwarding | None = None
        self.upgrade: bytes | None = None
        """The protocol that the client asks to switch to, where it may be asked of the upstream."""

    @property
    def connection_line(self) -> bytes:
        """What becomes of the connection: 1.1 persists unless told, 1.0 does not unless told (RFC 9112 section 9.3)."""
        if not self.keep:
            return b"Connection: close\r\n"
        return b"" if self.request.minor else b"Connection: keep-alive\r\n"
