"""The head of a client request, read in one pass.

Hop-by-hop fields (RFC 9110 section 7.6.1) and fields that only a trusted proxy may write are removed; everything else
stays byte for byte and in order. `outgoing` adds the proxy's own fields.
Knows nothing about sockets, routes or policies.
"""

from __future__ import annotations

import re
from typing import Final

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.challenges import login_scheme
from corsproxy.proxy.fields.connection_options import named_fields, names_fields
from corsproxy.proxy.fields.hosts import is_valid_host
from corsproxy.proxy.fields.lengths import read_length
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RequestField
from corsproxy.proxy.fields.trace_context import trace_id

_PROTECTED_FROM_CONNECTION: Final = frozenset(
    {
        b"access-control-request-headers",
        b"access-control-request-method",
        b"content-length",
        b"content-type",
        b"cookie",
        b"host",
        b"origin",
    }
)
"""Fields that a connection option must not remove, because the request would break or mean something else
(CVE-2022-31813)."""

_VALID_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._~+/=:@-]{1,128}")
"""A request id is written to logs and to fields for others: printable, no spaces, no quotes, bounded."""

Line = FieldLine[RequestField]

# Python 3.11 looks up members of an enum slowly; these are used for every field line.
_FORWARD: Final = RequestField.FORWARD
_REFERER: Final = RequestField.REFERER


class RequestHead:
    """What the field lines of a client request say."""

    __slots__ = (
        "chunked",
        "content_length",
        "expect",
        "fields",
        "forwarded",
        "has_length_field",
        "has_references",
        "host",
        "login",
        "max_forwards",
        "minor",
        "options",
        "origins",
        "refusal",
        "request_id",
        "requested_headers",
        "requested_methods",
        "te",
        "trace_id",
        "upgrades",
        "via",
    )

    def __init__(self, minor: int = 1) -> None:
        self.minor = minor
        """The minor version of HTTP/1."""
        self.fields: list[Line] = []
        """The field lines to forward, in order."""
        self.host: bytes = b""
        self.origins: tuple[bytes, ...] = ()
        self.requested_methods: tuple[bytes, ...] = ()
        self.requested_headers: tuple[bytes, ...] = ()
        self.options: tuple[bytes, ...] = ()
        """The values of Connection that may name fields to remove."""
        self.forwarded: tuple[tuple[bytes, bytes], ...] = ()
        """The X-Forwarded-* and Forwarded lines, names as sent; they are not in `fields`."""
        self.has_references = False
        """True if there is a Destination or an If."""
        self.upgrades: tuple[bytes, ...] = ()
        self.te: tuple[bytes, ...] = ()
        self.via: tuple[bytes, ...] = ()
        self.login: bytes | None = None
        """The scheme in Authorization, if it is one that authenticates the connection (NTLM, Negotiate)."""
        self.request_id: bytes = b""
        """Empty if none was sent, or it is not valid."""
        self.trace_id: bytes = b""
        """The trace id of `traceparent`; empty if none was sent, or it is not valid."""
        self.max_forwards: int | None = None
        self.content_length = 0
        self.has_length_field = False
        """True if there is a Content-Length, 0 included."""
        self.chunked = False
        self.expect: bytes = b""
        """The value of Expect; empty without one and in HTTP/1.0. RFC 9110 section 10.1.1: "A server that receives a
        100-continue expectation in an HTTP/1.0 request MUST ignore that expectation."
        """
        self.refusal: Refusal | None = None
        """Why the request is not forwarded; raised once the route, and so the grant for the response, is known."""

    @property
    def has_content(self) -> bool:
        """True if the request has content, of known length or chunked."""
        return self.chunked or self.content_length > 0

    @property
    def wants_trailers(self) -> bool:
        """True if the client accepts trailer fields: `TE: trailers` (RFC 9110 section 10.1.4)."""
        return any(item.strip().lower() == b"trailers" for value in self.te for item in value.split(b","))


def read_request_head(lines: list[Line], minor: int) -> RequestHead:
    """Read the field lines of a client request of HTTP/1.`minor`.

    Raises `Refusal` with 400 if the host is invalid or, in HTTP/1.1, empty.
    Sets `refusal` for the rest, which can be answered with a grant: 400 for framing that two servers could read
    differently, 417 for an unknown expectation, 501 for a transfer coding that would have to be decoded.
    """
    head = RequestHead(minor)
    kept = head.fields
    for line in lines:
        meaning = line.meaning
        if meaning is _FORWARD or meaning is _REFERER or _NOTES[meaning](head, line.name, line.value):
            kept.append(line)
    if not head.host and minor:
        raise Refusal(400, "the Host field is empty", close=True)
    if head.options:
        _strip_named_fields(head)
    return head


# One function for each meaning of a field line: it notes the value, and returns whether to forward the line unchanged.


def _drop(_head: RequestHead, _name: bytes, _value: bytes) -> bool:
    return False


def _note_host(head: RequestHead, _: bytes, value: bytes) -> bool:
    host = value.removesuffix(b":")  # RFC 3986 section 6.2.3: an empty port is the same as none
    if value and not is_valid_host(host):
        raise Refusal(400, "the Host field is not a host name", close=True)
    head.host = host
    return False


def _note_connection(head: RequestHead, _: bytes, value: bytes) -> bool:
    if names_fields(value):
        head.options += (value,)
    return False


def _note_origin(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.origins += (value,)
    return True


def _note_requested_method(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.requested_methods += (value,)
    return True


def _note_requested_headers(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.requested_headers += (value,)
    return True


def _note_content_length(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.content_length = read_length(value)
    if head.content_length < 0:
        head.refusal = Refusal(400, "the Content-Length is more than can be counted", close=True)
    head.has_length_field = True
    return True


def _note_transfer_encoding(head: RequestHead, _: bytes, value: bytes) -> bool:
    """RFC 9112 section 6.1: "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header
    field MUST treat the message as if the framing is faulty". "A server that receives a request message with a transfer
    coding it does not understand SHOULD respond with 501 (Not Implemented)."
    """
    if head.minor == 0:
        head.refusal = Refusal(400, "HTTP/1.0 has no Transfer-Encoding", close=True)
    elif head.chunked or value.lower() != b"chunked":
        head.refusal = Refusal(501, "the only transfer coding understood here is chunked", close=True)
    head.chunked = True
    return False


def _note_expect(head: RequestHead, _: bytes, value: bytes) -> bool:
    if value.lower() != b"100-continue" and head.refusal is None:  # a refusal that closes the connection comes first
        head.refusal = Refusal(417, "the only expectation that can be met is 100-continue")
    head.expect = value if head.minor else b""
    return False


def _note_upgrade(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.upgrades += (value,)
    return False


def _note_te(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.te += (value,)
    return False


def _note_forwarded(head: RequestHead, name: bytes, value: bytes) -> bool:
    head.forwarded += ((name, value),)
    return False


def _note_via(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.via += (value,)
    return True


def _note_request_id(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.request_id = value if _VALID_REQUEST_ID.fullmatch(value) else b""
    return False


def _note_trace(head: RequestHead, _: bytes, value: bytes) -> bool:
    # More than one line is invalid (https://www.w3.org/TR/trace-context/#traceparent-header).
    head.trace_id = b"" if head.trace_id else trace_id(value)
    return True


def _note_max_forwards(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.max_forwards = int(value) if value.isdigit() and len(value) < 10 else None
    return True


def _note_authorization(head: RequestHead, _: bytes, value: bytes) -> bool:
    head.login = head.login or login_scheme(value)
    return True


def _note_reference(head: RequestHead, _name: bytes, _value: bytes) -> bool:
    head.has_references = True
    return True


_NOTE_OF = {
    RequestField.FORWARD: _drop,  # not called: `read_request_head` forwards such lines itself
    RequestField.DROP: _drop,
    RequestField.HOST: _note_host,
    RequestField.CONNECTION: _note_connection,
    RequestField.ORIGIN: _note_origin,
    RequestField.REQUESTED_METHOD: _note_requested_method,
    RequestField.REQUESTED_HEADERS: _note_requested_headers,
    RequestField.CONTENT_LENGTH: _note_content_length,
    RequestField.TRANSFER_ENCODING: _note_transfer_encoding,
    RequestField.EXPECT: _note_expect,
    RequestField.UPGRADE: _note_upgrade,
    RequestField.TE: _note_te,
    RequestField.FORWARDED: _note_forwarded,
    RequestField.VIA: _note_via,
    RequestField.REQUEST_ID: _note_request_id,
    RequestField.REFERER: _drop,  # not called, either
    RequestField.MAX_FORWARDS: _note_max_forwards,
    RequestField.AUTHORIZATION: _note_authorization,
    RequestField.REFERENCE: _note_reference,
    RequestField.TRACEPARENT: _note_trace,
}

_NOTES: Final = tuple(_NOTE_OF[code] for code in RequestField)
"""The functions by the number of the meaning: an index is faster than a look-up."""


def _strip_named_fields(head: RequestHead) -> None:
    """Remove the fields that Connection names (RFC 9110 section 7.6.1)."""
    named = named_fields(head.options, _PROTECTED_FROM_CONNECTION)
    head.fields = [line for line in head.fields if line.name.lower() not in named]
    if b"x-request-id" in named:
        head.request_id = b""
