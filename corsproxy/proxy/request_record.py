"""The record of one request, which the data path passes to logs, metrics and the inspector.

The steps of the request fill it in; each observer reads it once at the end; the data path does not keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corsproxy.cors import Decision


class RequestRecord:
    """One client request and its outcome.

    It changes until the response has been sent or given up. Observers get it then, and may keep it.
    """

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "client",
        "decision",
        "duration",
        "error",
        "error_detail",
        "host",
        "lost_cookies",
        "method",
        "minor",
        "origin",
        "raw_answer",
        "raw_fields",
        "raw_path",
        "raw_query",
        "raw_request_id",
        "requested_headers",
        "requested_method",
        "route",
        "started",
        "status",
        "trace_id",
        "upstream",
        "upstream_duration",
        "upstream_started",
        "upstream_status",
    )

    def __init__(self, method: str, started: float, client: str) -> None:
        self.started = started
        """`time.monotonic()` when the head was complete."""
        self.client = client
        """The client's address, as the log shows it: that of the nearest hop that is not a trusted proxy."""
        self.method = method
        """As sent."""
        self.host: bytes = b""
        """The Host field."""
        self.raw_query: bytes | None = None
        """For the inspector only, as the fields are: they may contain credentials, so no log contains either."""
        self.raw_fields: Sequence[tuple[bytes, bytes]] = ()
        self.raw_answer: bytes = b""
        """The head of the response that was sent to the client, for the inspector only."""
        self.raw_path: bytes = b""
        """As sent, without the query."""
        self.status: int = 0
        """The status that was sent to the client; 0 if the client went away before that."""
        self.bytes_in: int = 0
        """Bytes of content received from the client, without framing."""
        self.bytes_out: int = 0
        """Bytes of content sent to the client, without framing."""
        self.duration: float = 0.0
        """Seconds from the complete head to the end of the request."""
        self.route: str | None = None
        """The matched route's path pattern."""
        self.upstream: str | None = None
        """The name of the upstream; None if the request was not forwarded."""
        self.upstream_status: int | None = None
        self.upstream_started: float = 0.0
        """`time.monotonic()` when the head was sent to the upstream; 0 if it was not."""
        self.upstream_duration: float | None = None
        """Seconds from `upstream_started` to the head of the final response, or to the failure."""
        self.minor: int | None = None
        """The minor version of HTTP/1; below 0 for another major version, None if no request could be read."""
        self.trace_id: bytes = b""
        """The trace id of `traceparent`."""
        self.decision: Decision | None = None
        """The CORS decision; None for a request that was refused before its route was known."""
        self.origin: bytes | None = None
        """The Origin field; several lines are joined with `, `."""
        self.requested_method: bytes | None = None
        """Access-Control-Request-Method, of a preflight."""
        self.requested_headers: bytes | None = None
        """Access-Control-Request-Headers, of a preflight; several lines are joined with `, `."""
        self.error: str | None = None
        """The kind of an upstream's or client's failure, from the closed lists in `errors`; None without one."""
        self.error_detail: str = ""
        """Details of an upstream's failure, for log and terminal, not for the client."""
        self.lost_cookies: tuple[tuple[bytes, str], ...] = ()
        """The names of cookies that the browser will reject, each with the reason; only in quick mode."""
        self.raw_request_id: bytes = b""
        """X-Request-Id as sent to the upstream, or in one of the proxy's own responses."""

    # Decoded on access, because most requests are counted but not logged.

    @property
    def path(self) -> str:
        """The path as sent, without the query; bytes above ASCII as surrogate escapes."""
        return self.raw_path.decode("utf-8", "surrogateescape")

    @property
    def protocol(self) -> str | None:
        """The client's HTTP version; None if no request could be read."""
        return None if self.minor is None else f"HTTP/1.{max(self.minor, 0)}"

    @property
    def request_id(self) -> str:
        """The X-Request-Id as text."""
        return self.raw_request_id.decode("ascii")


Observer = Callable[[RequestRecord], None]


def where(record: RequestRecord) -> str:
    """Return ` (METHOD path, request ID)`, with which the request of a warning can be found in the access log."""
    path = record.raw_path.decode("utf-8", "backslashreplace")
    return f" ({record.method} {path}, request {record.request_id})"
