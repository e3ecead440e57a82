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
from typing import Final

from corsproxy.cors import Decision, Kind
from corsproxy.escape import printable
from corsproxy.proxy import NameTable, RequestRecord, Table
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

# Python 3.11 finds an enum's members by a slow look-up; these are asked for at every request.
_NONE: Final = Kind.NONE
_PREFLIGHT: Final = Kind.PREFLIGHT

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
        writer = self._writer
        writer.write(self._line(record, self._clock.text(time.time())).encode("utf-8", "backslashreplace"))
        if writer.dropped != self._dropped:
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
    if decision is None or decision.kind is _NONE:
        return "none"
    outcome = "granted" if decision.granted else "refused"
    return f"preflight_{outcome}" if decision.kind is _PREFLIGHT else outcome


def json_line(record: RequestRecord, now: str) -> str:
    """Write a finished request as one JSON object and a newline, all ASCII."""
    client, method, request_id, trace_id = record.client, record.method, record.raw_request_id, record.trace_id
    seconds = record.upstream_duration
    return (
        f'{{"time":"{now}","client":{quoted(client) if client else "null"},'
        f'"method":{quoted(method) if method else "null"},'
        f'"path":{quoted(record.raw_path.decode("utf-8", "backslashreplace"))},"status":{record.status},'
        f'"bytes_in":{record.bytes_in},"bytes_out":{record.bytes_out},"duration_ms":{record.duration * 1000:.3f},'
        f"{_route_members(record)},{_cors_members(record)},"
        # An id and a trace have neither quotes nor backslashes, whoever sent them.
        f'"request_id":{_bare_json(request_id)},"host":{_HOSTS[record.host]},"protocol":{_PROTOCOLS[record.minor]},'
        f'"upstream_ms":{"null" if seconds is None else f"{seconds * 1000:.3f}"},"trace_id":{_bare_json(trace_id)}}}\n'
    )


def _bare_json(sent: bytes) -> str:
    return f'"{sent.decode("ascii")}"' if sent else "null"


_HOSTS: Final = NameTable(lambda host: _json(readable(host) or None))
"""Hosts as they stand in JSON."""

_PROTOCOLS: Final = {None: "null", -1: '"HTTP/1.0"', 0: '"HTTP/1.0"', 1: '"HTTP/1.1"'}

_ROUTES: Final[Table[tuple[str | None, str | None, int | None], str]] = Table()
"""Members of JSON objects that say which way requests went: few, and the same again and again."""


def _route_members(record: RequestRecord) -> str:
    key = (record.route, record.upstream, record.upstream_status)
    known = _ROUTES.known.get(key)
    if known is not None:
        return known
    text = (
        f'"route":{_json(record.route)},"upstream":{_json(record.upstream)},'
        f'"upstream_status":{record.upstream_status or "null"}'
    )
    return _ROUTES.keep(key, len(text), text)


class _CorsMembers:
    """The members of a JSON object that say what CORS made of a request."""

    __slots__ = ("decision", "error", "text")

    def __init__(self, decision: Decision | None, error: str | None, text: str) -> None:
        self.decision = decision
        self.error = error
        self.text = text


_CORS: Final[Table[tuple[bytes | None, bytes | None, bytes | None], _CorsMembers]] = Table()
"""By what was asked. Decisions are told apart by identity: the gate remembers them, and gives out the same again."""

_LONGEST_MEMBERS: Final = 512
"""Longer ones, which no page asks for, are written each time."""


def _cors_members(record: RequestRecord) -> str:
    decision, error = record.decision, record.error
    key = (record.origin, record.requested_method, record.requested_headers)
    known = _CORS.known.get(key)
    if known is not None and known.decision is decision and known.error == error:
        return known.text
    reason = decision.reason if decision is not None else None
    text = (
        f'"origin":{_json(_origin(record.origin))},"cors":"{cors_word(decision)}",'
        f'"reason":{_json(reason.value if reason is not None else None)},'
        f'"requested_method":{_json(readable(record.requested_method))},'
        f'"requested_headers":{_json(readable(record.requested_headers))},"error":{_json(error)}'
    )
    if len(text) <= _LONGEST_MEMBERS:
        _CORS.keep(key, len(text), _CorsMembers(decision, error, text))
    return text


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


def _bare(value: str) -> str:
    """Write a value so that it ends at the next space: printable, and in quotes where a space is part of it."""
    shown = printable(value)
    return '"' + shown.replace('"', r"\"") + '"' if " " in shown or '"' in shown else shown
