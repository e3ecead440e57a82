"""What can go wrong between two sockets, as a closed list: who is at fault decides the status, here and nowhere else.

Knows no sockets and no CORS.
"""

from __future__ import annotations

from enum import StrEnum


class UpstreamErrorKind(StrEnum):
    """Why an upstream could not give a whole answer; the `kind` label of `corsproxy_upstream_errors_total`."""

    DNS = "dns"
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS = "tls"
    POOL_TIMEOUT = "pool_timeout"
    TUNNELS_FULL = "tunnels_full"
    RESPONSE_TIMEOUT = "response_timeout"
    READ_TIMEOUT = "read_timeout"
    CLOSED = "closed"
    PROTOCOL = "protocol"


class ClientErrorKind(StrEnum):
    """Why a client did not get, or did not send, a whole message; only in the access log."""

    DISCONNECTED = "client_disconnected"
    BAD_BODY = "client_bad_body"
    BODY_TIMEOUT = "client_body_timeout"
    BODY_TOO_LARGE = "client_body_too_large"
    STALLED = "client_stalled"


STATUS_OF_UPSTREAM_ERROR: dict[UpstreamErrorKind, int] = {
    UpstreamErrorKind.DNS: 502,
    UpstreamErrorKind.CONNECT: 502,
    UpstreamErrorKind.CONNECT_TIMEOUT: 504,
    UpstreamErrorKind.TLS: 502,
    UpstreamErrorKind.POOL_TIMEOUT: 503,
    UpstreamErrorKind.TUNNELS_FULL: 503,
    UpstreamErrorKind.RESPONSE_TIMEOUT: 504,
    UpstreamErrorKind.READ_TIMEOUT: 504,
    UpstreamErrorKind.CLOSED: 502,
    UpstreamErrorKind.PROTOCOL: 502,
}

STATUS_OF_CLIENT_ERROR: dict[ClientErrorKind, int] = {
    ClientErrorKind.DISCONNECTED: 400,
    ClientErrorKind.BAD_BODY: 400,
    ClientErrorKind.BODY_TIMEOUT: 408,
    ClientErrorKind.BODY_TOO_LARGE: 413,
    ClientErrorKind.STALLED: 408,
}


class UpstreamError(Exception):
    """The upstream failed; `detail` is for our own log, never for the client."""

    def __init__(self, kind: UpstreamErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.detail = detail

    @property
    def status(self) -> int:
        """The status the client gets where nothing has been sent yet (RFC 9110 section 15.6)."""
        return STATUS_OF_UPSTREAM_ERROR[self.kind]


class ClientError(Exception):
    """The client's message failed while it was being forwarded."""

    def __init__(self, kind: ClientErrorKind) -> None:
        super().__init__(str(kind))
        self.kind = kind

    @property
    def status(self) -> int:
        """The status the client gets where nothing has been sent yet (RFC 9110 section 15.5)."""
        return STATUS_OF_CLIENT_ERROR[self.kind]


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """A client request that is answered here and not forwarded: a status and a short text for people."""

    def __init__(self, status: int, text: str, *, fields: bytes = b"", close: bool = False) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text
        self.fields = fields
        """Further finished field lines (`Allow`, `Retry-After`)."""
        self.close = close
        """True if what follows on the connection cannot be trusted."""


class PlanError(Exception):
    """A configuration that is valid by itself but cannot be put to work here (a certificate that does not load)."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        """The key path in the configuration (`upstreams.billing.tls.ca`)."""
        self.message = message
