"""The record of one finished request: the value that the data path passes to logs, metrics and the inspector.

Filled in as the request goes along, read once by each observer, never kept by the data path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corsproxy.cors import Decision


class RequestRecord:
    """One client request and its outcome.

    Mutable while the request runs; observers get it once, when the response is finished or given up, and may keep it.
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
        """The client's address as the log shows it: the nearest hop that is not a trusted proxy."""
        self.method = method
        """As sent."""
        self.host: bytes = b""
        """The Host field."""
        self.raw_query: bytes | None = None
        """Only for the inspector, like the fields: no log ever contains either, because they may hold credentials."""
        self.raw_fields: Sequence[tuple[bytes, bytes]] = ()
        self.raw_answer: bytes = b""
        """The head of the response as the client got it, for the inspector, too."""
        self.raw_path: bytes = b""
        """As sent, without the query."""
        self.status: int = 0
        """The status that the client got; 0 if it went away before any response."""
        self.bytes_in: int = 0
        """Content received from the client, without framing."""
        self.bytes_out: int = 0
        """Content sent to the client, without framing."""
        self.duration: float = 0.0
        """Seconds from the complete head to the end."""
        self.route: str | None = None
        """The matched route's path pattern."""
        self.upstream: str | None = None
        """The upstream's name, if it was asked."""
        self.upstream_status: int | None = None
        self.upstream_started: float = 0.0
        """`time.monotonic()` when the head was sent to the upstream; 0 if it was not."""
        self.upstream_duration: float | None = None
        """Seconds from there to the head of the final response, or to the failure."""
        self.minor: int | None = None
        """The minor version of HTTP/1; None if no request could be read."""
        self.trace_id: bytes = b""
        """The trace id of `traceparent`."""
        self.decision: Decision | None = None
        """None if no decision was due: without a route and an Origin, or for a request refused before."""
        self.origin: bytes | None = None
        """The Origin field; several lines are joined with `, `."""
        self.requested_method: bytes | None = None
        """Access-Control-Request-Method, on a preflight."""
        self.requested_headers: bytes | None = None
        """Access-Control-Request-Headers, on a preflight; several lines are joined with `, `."""
        self.error: str | None = None
        """The kind of an upstream's or client's failure, from a closed list (corsproxy/proxy/errors.py), else None."""
        self.error_detail: str = ""
        """Details of an upstream's failure, for log and terminal, never for a client."""
        self.lost_cookies: tuple[tuple[bytes, str], ...] = ()
        """Names of cookies that the browser will reject, with the reason; only in quick mode."""
        self.raw_request_id: bytes = b""
        """As sent to the upstream."""

    # Decoded on access only: most requests are counted but not logged.

    @property
    def path(self) -> str:
        """As sent, without the query; bytes above ASCII as surrogate escapes."""
        return self.raw_path.decode("utf-8", "surrogateescape")

    @property
    def protocol(self) -> str | None:
        """The client's version of HTTP."""
        return None if self.minor is None else f"HTTP/1.{max(self.minor, 0)}"

    @property
    def request_id(self) -> str:
        """The X-Request-Id sent to the upstream."""
        return self.raw_request_id.decode("ascii")


Observer = Callable[[RequestRecord], None]


def where(record: RequestRecord) -> str:
    """Return ` (METHOD path, request id)`, so that a warning can be found in the access log."""
    path = record.raw_path.decode("utf-8", "backslashreplace")
    return f" ({record.method} {path}, request {record.request_id})"
