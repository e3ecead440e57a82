"""The closed list of failures, and the only place that maps the party at fault to a status.

It must not know sockets or CORS.
"""

from __future__ import annotations

from enum import StrEnum


class UpstreamErrorKind(StrEnum):
    """Why an upstream gave no complete response; the `kind` label of `corsproxy_upstream_errors_total`."""

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
    """Why a client did not send or receive a complete message; only in the access log."""

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
    """The upstream failed; `detail` is for the log only, never for the client."""

    def __init__(self, kind: UpstreamErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else str(kind))
        self.kind = kind
        self.detail = detail

    @property
    def status(self) -> int:
        """The status of the response, if that has not begun (RFC 9110 section 15.6)."""
        return STATUS_OF_UPSTREAM_ERROR[self.kind]


class ClientError(Exception):
    """The client went away, or its request could not be received completely."""

    def __init__(self, kind: ClientErrorKind) -> None:
        super().__init__(str(kind))
        self.kind = kind

    @property
    def status(self) -> int:
        """The status of the response, if that has not begun (RFC 9110 section 15.5)."""
        return STATUS_OF_CLIENT_ERROR[self.kind]


class Refusal(Exception):  # noqa: N818 - it is a response, not an error of the proxy
    """A request that the proxy answers itself, with a status and a short text for people."""

    def __init__(self, status: int, text: str, *, fields: bytes = b"", close: bool = False) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text
        self.fields = fields
        """Further finished field lines (`Allow`, `Retry-After`)."""
        self.close = close
        """True if the connection must be closed, because where the request ends is not certain."""


class PlanError(Exception):
    """A valid configuration cannot be used on this machine: a certificate does not load, for example."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        """The key path in the configuration (`upstreams.billing.tls.ca`)."""
        self.message = message
