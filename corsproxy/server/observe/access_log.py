"""The access log: one line for each finished request on stdout, as text or JSON.

`FIELDS` is the complete list of JSON keys; docs/operations.md has the same list, and a test compares the two.
The query string, cookies and Authorization never appear: nothing here reads the query or the fields of a record.
Does not know who reads the log: `output.py` writes without waiting.
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
    "upstream": "the upstream's name, if the request was sent to one",
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

_DROPPED_INTERVAL = 10.0
"""Seconds between two warnings that lines are being dropped."""

# Python 3.11 looks up members of an enum slowly; these are used for every request.
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
        self._warned_at = float("-inf")

    def configure(self, settings: Log) -> None:
        """Apply the format, and whether there is an access log."""
        formats = {"text": text_line, "json": json_line}
        self._line = formats[settings.format] if settings.access else None

    def __call__(self, record: RequestRecord) -> None:
        """Write one finished request."""
        if self._line is None:
            return
        writer = self._writer
        writer.write(self._line(record, self._clock.text(time.time())).encode("utf-8", "backslashreplace"))
        if writer.dropped != self._dropped:
            self._warn_dropped(time.monotonic())

    def _warn_dropped(self, now: float) -> None:
        if now - self._warned_at < _DROPPED_INTERVAL:
            return
        log.warning(
            "access log: %d lines dropped: what reads stdout is too slow, or has gone",
            self._writer.dropped - self._dropped,
        )
        self._dropped, self._warned_at = self._writer.dropped, now


def cors_word(decision: Decision | None) -> str:
    """Return the value of the `cors` field."""
    if decision is None or decision.kind is _NONE:
        return "none"
    outcome = "granted" if decision.granted else "refused"
    return f"preflight_{outcome}" if decision.kind is _PREFLIGHT else outcome


def json_line(record: RequestRecord, now: str) -> str:
    """Return a finished request as one JSON object and a newline, in ASCII; `now` is the text of the time."""
    client, method, request_id, trace_id = record.client, record.method, record.raw_request_id, record.trace_id
    seconds = record.upstream_duration
    return (
        f'{{"time":"{now}","client":{quoted(client) if client else "null"},'
        f'"method":{quoted(method) if method else "null"},'
        f'"path":{quoted(record.raw_path.decode("utf-8", "backslashreplace"))},"status":{record.status},'
        f'"bytes_in":{record.bytes_in},"bytes_out":{record.bytes_out},"duration_ms":{record.duration * 1000:.3f},'
        f"{_JSON.way(record)},{_JSON.cors(record)},"
        # Request and trace ids are valid, so they contain neither quotes nor backslashes.
        f'"request_id":{_bare_json(request_id)},{_JSON.hosts[record.host]},"protocol":{_PROTOCOLS[record.minor]},'
        f'"upstream_ms":{"null" if seconds is None else f"{seconds * 1000:.3f}"},"trace_id":{_bare_json(trace_id)}}}\n'
    )


def text_line(record: RequestRecord, now: str) -> str:
    """Return a finished request as one line for people: the outcome, and then the rest as `key=value`."""
    bytes_in, bytes_out, seconds = record.bytes_in, record.bytes_out, record.upstream_duration
    return (
        f"{now} {_bare(record.client or '-')} {record.method or '-'} {_bare(readable(record.raw_path)) or '-'}"
        f" {record.status} {record.duration * 1000:.1f}ms{_TEXT.way(record)}{_TEXT.cors(record)}"
        f"{f' in={bytes_in}' if bytes_in else ''}{f' out={bytes_out}' if bytes_out else ''}"
        f"{_bare_pair('request_id', record.raw_request_id)}{_TEXT.hosts[record.host]}"
        f"{'' if seconds is None else f' upstream_ms={seconds * 1000:.1f}'}{_bare_pair('trace_id', record.trace_id)}\n"
    )


class _Parts:
    """A cache of the parts of lines that many requests have in common, in one format."""

    __slots__ = ("_cors", "_ways", "_write_cors", "_write_way", "hosts")

    def __init__(
        self,
        write_way: Callable[[RequestRecord], str],
        write_cors: Callable[[RequestRecord], str],
        write_host: Callable[[bytes], str],
    ) -> None:
        self._write_way = write_way
        self._write_cors = write_cors
        self._ways: Table[tuple[str | None, str | None, int | None], str] = Table()
        self._cors: Table[tuple[bytes | None, bytes | None, bytes | None], _CorsPart] = Table()
        self.hosts = NameTable(write_host)
        """The part of a line about the Host."""

    def way(self, record: RequestRecord) -> str:
        """Return the part of a line about the route, the upstream and its status."""
        key = (record.route, record.upstream, record.upstream_status)
        known = self._ways.known.get(key)
        if known is not None:
            return known
        text = self._write_way(record)
        return self._ways.keep(key, len(text), text)

    def cors(self, record: RequestRecord) -> str:
        """Return the part of a line about CORS: what was requested, the decision, and the error.

        Decisions are compared by identity, because the gate returns the same cached object again.
        """
        decision, error, origin = record.decision, record.error, record.origin
        key = (origin, record.requested_method, record.requested_headers)
        known = self._cors.known.get(key)
        if known is not None and known.decision is decision and known.error == error:
            return known.text
        text = self._write_cors(record)
        if len(text) <= _LONGEST_PART and (origin is None or _NO_ORIGINS.search(origin) is None):
            self._cors.keep(key, len(text), _CorsPart(decision, error, text))
        return text


class _CorsPart:
    """A cached part of a line about CORS, with the decision and the error for which it is right."""

    __slots__ = ("decision", "error", "text")

    def __init__(self, decision: Decision | None, error: str | None, text: str) -> None:
        self.decision = decision
        self.error = error
        self.text = text


_LONGEST_PART: Final = 512
"""Characters of a part; a longer one, which no page causes, is not cached, nor is one that may contain a login."""


def _json_way(record: RequestRecord) -> str:
    return (
        f'"route":{_json(record.route)},"upstream":{_json(record.upstream)},'
        f'"upstream_status":{record.upstream_status or "null"}'
    )


def _json_cors(record: RequestRecord) -> str:
    return (
        f'"origin":{_json(_origin(record.origin))},"cors":"{cors_word(record.decision)}",'
        f'"reason":{_json(_reason(record))},'
        f'"requested_method":{_json(readable(record.requested_method))},'
        f'"requested_headers":{_json(readable(record.requested_headers))},"error":{_json(record.error)}'
    )


def _json_host(host: bytes) -> str:
    return f'"host":{_json(readable(host) or None)}'


def _bare_json(sent: bytes) -> str:
    return f'"{sent.decode("ascii")}"' if sent else "null"


_PROTOCOLS: Final = {None: "null", -1: '"HTTP/1.0"', 0: '"HTTP/1.0"', 1: '"HTTP/1.1"'}


def _text_way(record: RequestRecord) -> str:
    return (
        f"{_pair('route', record.route)}{_pair('upstream', record.upstream)}"
        f"{'' if record.upstream_status is None else f' upstream_status={record.upstream_status}'}"
    )


def _text_cors(record: RequestRecord) -> str:
    cors = cors_word(record.decision)
    pairs = {
        "origin": _origin(record.origin),
        "cors": cors if cors != "none" else None,
        "reason": _reason(record),
        "requested_method": readable(record.requested_method),
        "requested_headers": readable(record.requested_headers),
        "error": record.error,
    }
    return "".join(_pair(name, value) for name, value in pairs.items())


def _text_host(host: bytes) -> str:
    return _pair("host", readable(host) or None)


def _pair(name: str, value: str | None) -> str:
    return "" if value is None else f" {name}={_bare(value)}"


def _bare_pair(name: str, sent: bytes) -> str:
    return f" {name}={sent.decode('ascii')}" if sent else ""


def _reason(record: RequestRecord) -> str | None:
    decision = record.decision
    return decision.reason.value if decision is not None and decision.reason is not None else None


_JSON: Final = _Parts(_json_way, _json_cors, _json_host)
_TEXT: Final = _Parts(_text_way, _text_cors, _text_host)

_NO_ORIGINS = re.compile(rb"//[^/?#]*@|[?#].*", re.DOTALL)
"""User info, query and fragment: no serialized origin has them, but some clients send the page's address as Origin."""


def _origin(sent: bytes | None) -> str | None:
    """Return an Origin for display, with `...` for a query string, a fragment or user info, which may be a login."""
    if sent is not None and (b"?" in sent or b"#" in sent or b"@" in sent):
        sent = _NO_ORIGINS.sub(lambda found: b"//...@" if found[0].startswith(b"//") else found[0][:1] + b"...", sent)
    return readable(sent)


def _json(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _bare(value: str) -> str:
    """Return a value that ends at the next space: printable, and in quotes if it contains a space."""
    shown = printable(value)
    return '"' + shown.replace('"', r"\"") + '"' if " " in shown or '"' in shown else shown
