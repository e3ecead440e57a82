"""The access log: one line for each finished request on stdout, as text or JSON.

`FIELDS` is the whole list of JSON keys; docs/operations.md shows the same, and a test holds the two together.
What never appears: the query string, cookies, Authorization; `RequestRecord` does not carry them.
Knows nothing of who reads it: `output.py` writes without waiting.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted

from corsproxy.cors import Decision, Kind
from corsproxy.escape import printable
from corsproxy.proxy import RequestRecord
from corsproxy.server.observe.escape import Clock, readable
from corsproxy.server.observe.output import LineWriter
from corsproxy.settings import Log

FIELDS = {
    "time": "when the request ended, RFC 3339 in UTC with milliseconds",
    "client": "the client's address: the nearest hop that is not a trusted proxy",
    "method": "as sent",
    "path": "as sent, without the query string",
    "status": "the status that the client got; 0 if it went away before any response",
    "bytes_in": "content received from the client, without framing",
    "bytes_out": "content sent to the client, without framing",
    "duration_ms": "from the complete head to the end of the response, in milliseconds",
    "route": "the matched route's path pattern",
    "upstream": "the upstream's name, if it was asked",
    "upstream_status": "the status of the upstream's response",
    "origin": "the Origin field, without parts that no origin has, such as a query string or user info",
    "cors": "`none`, `preflight_granted`, `preflight_refused`, `granted` or `refused`",
    "reason": "why it was refused",
    "requested_method": "Access-Control-Request-Method of a preflight",
    "requested_headers": "Access-Control-Request-Headers of a preflight",
    "error": "what went wrong while the request was proxied",
    "request_id": "the X-Request-Id sent to the upstream, or in the proxy's own response",
    "host": "the Host field",
    "protocol": "`HTTP/1.1` or `HTTP/1.0`, as the client speaks it",
    "upstream_ms": "from the head sent to the upstream to the head of its response, or to its failure, in milliseconds",
    "trace_id": "the trace id of a valid `traceparent`",
}
"""Each key, in order, and its meaning; null means no value."""

_SAY_DROPPED_EVERY = 10.0
"""Seconds between two warnings that lines are being dropped."""

log = logging.getLogger(__name__)


class AccessLog:
    """Writes each finished request to a `LineWriter`; an observer of the data path."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer
        self._clock = Clock()
        self._line: Callable[[RequestRecord, str], str] | None = None
        self._dropped = 0
        self._said_at = float("-inf")

    def configure(self, settings: Log) -> None:
        """Take over the format, and whether there is a log at all."""
        formats = {"text": text_line, "json": json_line}
        self._line = formats[settings.format] if settings.access else None

    def __call__(self, record: RequestRecord) -> None:
        """Write one finished request."""
        if self._line is None:
            return
        self._writer.write(self._line(record, self._clock.text(time.time())).encode("utf-8", "backslashreplace"))
        if self._writer.dropped != self._dropped:
            self._say_dropped(time.monotonic())

    def _say_dropped(self, now: float) -> None:
        if now - self._said_at < _SAY_DROPPED_EVERY:
            return
        log.warning(
            "access log: %d lines dropped: what reads stdout is too slow, or has gone",
            self._writer.dropped - self._dropped,
        )
        self._dropped, self._said_at = self._writer.dropped, now


def cors_word(decision: Decision | None) -> str:
    """Name the decision as the `cors` field does."""
    if decision is None or decision.kind is Kind.NONE:
        return "none"
    outcome = "granted" if decision.granted else "refused"
    return f"preflight_{outcome}" if decision.kind is Kind.PREFLIGHT else outcome


def json_line(record: RequestRecord, now: str) -> str:
    """Write a finished request as one JSON object and a newline, all ASCII."""
    decision = record.decision
    reason = decision.reason if decision is not None else None
    return (
        f'{{"time":"{now}","client":{_json(record.client or None)},"method":{_json(record.method or None)},'
        f'"path":{quoted(readable(record.raw_path))},"status":{record.status},"bytes_in":{record.bytes_in},'
        f'"bytes_out":{record.bytes_out},"duration_ms":{record.duration * 1000:.3f},'
        f'"route":{_json(record.route)},"upstream":{_json(record.upstream)},'
        f'"upstream_status":{record.upstream_status or "null"},"origin":{_json(_origin(record.origin))},'
        f'"cors":"{cors_word(decision)}","reason":{_json(reason.value if reason is not None else None)},'
        f'"requested_method":{_json(readable(record.requested_method))},'
        f'"requested_headers":{_json(readable(record.requested_headers))},'
        f'"error":{_json(record.error)},"request_id":{_json(record.request_id or None)},'
        f'"host":{_json(readable(record.host) or None)},"protocol":{_json(record.protocol)},'
        f'"upstream_ms":{_milliseconds(record.upstream_duration)},'
        f'"trace_id":{_json(record.trace_id.decode("ascii") or None)}}}\n'
    )


def text_line(record: RequestRecord, now: str) -> str:
    """Write a finished request as one line for people: what happened, then what else there is as `key=value`."""
    decision = record.decision
    reason = decision.reason if decision is not None else None
    cors = cors_word(decision)
    said: dict[str, object] = {
        "route": record.route,
        "upstream": record.upstream,
        "upstream_status": record.upstream_status,
        "origin": _origin(record.origin),
        "cors": cors if cors != "none" else None,
        "reason": reason.value if reason is not None else None,
        "requested_method": readable(record.requested_method),
        "requested_headers": readable(record.requested_headers),
        "error": record.error,
        "in": record.bytes_in or None,
        "out": record.bytes_out or None,
        "request_id": record.request_id or None,
        "host": readable(record.host) or None,
        "upstream_ms": None if record.upstream_duration is None else f"{record.upstream_duration * 1000:.1f}",
        "trace_id": record.trace_id.decode("ascii") or None,
    }
    details = "".join(f" {name}={_bare(str(value))}" for name, value in said.items() if value is not None)
    path = _bare(readable(record.raw_path))
    return (
        f"{now} {_bare(record.client or '-')} {record.method or '-'} {path or '-'} {record.status}"
        f" {record.duration * 1000:.1f}ms{details}\n"
    )


_NO_ORIGINS = re.compile(rb"//[^/?#]*@|[?#].*", re.DOTALL)
"""What some clients write into Origin, the page's whole address, and what no serialised origin has."""


def _origin(sent: bytes | None) -> str | None:
    """Show an Origin; three dots stand for a query string, a fragment or user info, which may be a login."""
    if sent is not None and (b"?" in sent or b"#" in sent or b"@" in sent):
        sent = _NO_ORIGINS.sub(lambda found: b"//...@" if found[0].startswith(b"//") else found[0][:1] + b"...", sent)
    return readable(sent)


def _json(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _milliseconds(seconds: float | None) -> str:
    return "null" if seconds is None else f"{seconds * 1000:.3f}"


def _bare(value: str) -> str:
    """Write a value so that it ends at the next space: printable, and in quotes where a space is part of it."""
    shown = printable(value)
    return '"' + shown.replace('"', r"\"") + '"' if " " in shown or '"' in shown else shown
