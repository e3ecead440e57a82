"""The parts of the proxy's own responses: status lines, heads and short texts for people.

No text contains the name of an upstream, or bytes from a client: a reflected byte could be a script in a browser.
Knows nothing about sockets or routes.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from corsproxy.cors import Reason

ALLOW_LINE: Final = b"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
"""The methods that the proxy itself supports, for `OPTIONS *` and for methods it refuses; what a resource allows, only
the upstream knows."""

_REFUSAL_SENTENCES: Final[dict[Reason, str]] = {
    Reason.ORIGIN_NOT_ALLOWED: "the policy of this path does not allow this origin",
    Reason.ORIGIN_MALFORMED: "the Origin field is not a serialized origin",
    Reason.METHOD_NOT_ALLOWED: "the policy of this path does not allow the requested method",
    Reason.HEADERS_NOT_ALLOWED: "the policy of this path does not allow one of the requested headers",
    Reason.NO_POLICY: "this path has no CORS policy",
    Reason.NO_ROUTE: "no route of this path accepts the method",
}


def status_line(status: int, reason: bytes | None = None) -> bytes:
    """Return the status line of an HTTP/1.1 response, with the standard phrase if `reason` is None."""
    if reason is None:
        try:
            reason = HTTPStatus(status).phrase.encode("ascii")
        except ValueError:
            reason = b""
    return b"HTTP/1.1 %d %b\r\n" % (status, reason)


def answer_head(status: int, fields: bytes, *, length: int) -> bytes:
    """Return the head of a response with `length` bytes of text, without Date, Connection and the empty line.

    RFC 9110 section 8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of
    1xx (Informational) or 204 (No Content)."
    """
    if status == HTTPStatus.NO_CONTENT:
        return status_line(status) + fields
    kind = b"Content-Type: text/plain; charset=utf-8\r\n" if length else b""
    return b"%b%b%bContent-Length: %d\r\n" % (status_line(status), fields, kind, length)


def with_id(text: bytes, request_id: bytes) -> bytes:
    """Return the text with the request id appended, so that people can find the request in the log."""
    return b"%b; request id %b\n" % (text.rstrip(b"\n"), request_id)


def id_line(request_id: bytes) -> bytes:
    """Return the X-Request-Id line of one of the proxy's own responses."""
    return b"X-Request-Id: %b\r\n" % request_id


def preflight_refusal_text(reason: Reason | None) -> bytes:
    """Return the text for a refused preflight: the reason from the closed list, and its meaning."""
    if reason is None:
        return b"preflight refused\n"
    sentence = _REFUSAL_SENTENCES.get(reason, "")
    return f"preflight refused: {reason.value}: {sentence}\n".encode()


def no_method_text() -> bytes:
    """Return the text for a request whose method no route of its path accepts."""
    return f"{_REFUSAL_SENTENCES[Reason.NO_ROUTE]}\n".encode()


def refused_text(reason: Reason | None, *, by_options: bool = False) -> bytes:
    """Return the text for a refused actual request; `by_options` names command-line options instead of keys."""
    if reason is None:
        return b"request refused\n"
    text = f"request refused: {reason.value}: {_REFUSAL_SENTENCES.get(reason, '')}"
    if reason is Reason.ORIGIN_NOT_ALLOWED:
        # Host cannot prove that the page is the proxy's own: an attacker's name can resolve to this address (DNS
        # rebinding), and the browser then sends that name as Host.
        key = "with --public-origin" if by_options else "under public_origins"
        text += f"; if the page is this proxy's own, name its origin {key}"
    return f"{text}\n".encode()


def websocket_refused_text(reason: Reason | None, *, by_options: bool = False) -> bytes:
    """Return the text for a refused WebSocket handshake; `reason` is None if the policy allows no WebSocket at all."""
    if reason is None:
        what = "--websockets off" if by_options else "websockets: off"
        return f"request refused: the policy of this path allows no WebSocket ({what})\n".encode()
    if reason is Reason.NO_POLICY:
        remedy = "give its route a policy that names the origin"
    elif by_options:
        remedy = "start corsproxy with --allow-origin ORIGIN, or with --websockets any for every page"
    else:
        remedy = (
            "name the origin under allow_origins ('*' allows no page here), or write 'websockets: any' for every page"
        )
    sentence = "the policy of this path does not allow this origin to open a WebSocket"
    return f"request refused: {reason.value}: {sentence}; {remedy}\n".encode()


class _Date:
    """The Date field (RFC 9110 section 6.6.1), formatted once a second."""

    __slots__ = ("_begin", "_end", "_line", "value")

    def __init__(self) -> None:
        self._begin = self._end = 0.0
        """The line is valid from `_begin` until before `_end`."""
        self.value = b""
        self._line = b""

    def line(self) -> bytes:
        """Return the line for the current second."""
        now = _now()
        if not self._begin <= now < self._end:  # the first comparison is for a clock that was set back
            second = int(now)
            self._begin, self._end = float(second), float(second + 1)
            self.value = formatdate(second, usegmt=True).encode("ascii")
            self._line = b"Date: %b\r\n" % self.value
        return self._line


_now: Final = time.time
_DATE: Final = _Date()


def date_value() -> bytes:
    """Return the current value of Date."""
    _DATE.line()
    return _DATE.value


def date_line() -> bytes:
    """Return the current Date line."""
    return _DATE.line()
