"""The fields that the proxy must read or drop, as tables; all others are forwarded byte for byte.

A field name costs one dictionary look-up per line: a new name is classified once and kept in a bounded table.
Knows field names only: no values, no sockets, no policy.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from corsproxy.cors import is_cors_response_field, is_token
from corsproxy.proxy.fields.forwarded import FORWARDING_FIELDS, STRIPPED_TWINS
from corsproxy.proxy.table import NameTable


class RequestField(IntEnum):
    """What the proxy does with a field line of a client request; `FORWARD` is the default."""

    FORWARD = 0
    DROP = 1
    """Hop-by-hop (RFC 9110 section 7.6.1), or a name that CGI and WSGI confuse with a field that matters."""
    HOST = 2
    CONNECTION = 3
    ORIGIN = 4
    REQUESTED_METHOD = 5
    REQUESTED_HEADERS = 6
    CONTENT_LENGTH = 7
    TRANSFER_ENCODING = 8
    EXPECT = 9
    UPGRADE = 10
    TE = 11
    FORWARDED = 12
    """X-Forwarded-* and Forwarded: trusted from trusted proxies only."""
    VIA = 13
    REQUEST_ID = 14
    REFERER = 15
    MAX_FORWARDS = 16
    AUTHORIZATION = 17
    REFERENCE = 18
    """Destination and If, which address resources by the proxy's URL (RFC 4918 section 10)."""
    TRACEPARENT = 19
    """The trace that the request is part of (https://www.w3.org/TR/trace-context/)."""


class ResponseField(IntEnum):
    """What the proxy does with a field line of an upstream response; `FORWARD` is the default."""

    FORWARD = 0
    DROP = 1
    CORS = 2
    """Any `Access-Control-*`: removed, because the policy decides."""
    VARY = 3
    CONNECTION = 4
    CONTENT_LENGTH = 5
    TRANSFER_ENCODING = 6
    TIMING = 7
    SET_COOKIE = 8
    LOCATION = 9
    """Location, Content-Location and Refresh."""
    UPGRADE = 10
    TRAILER = 11
    DATE = 13
    LINK = 12


_REQUEST_NAMES: dict[bytes, RequestField] = {
    b"host": RequestField.HOST,
    b"connection": RequestField.CONNECTION,
    b"origin": RequestField.ORIGIN,
    b"access-control-request-method": RequestField.REQUESTED_METHOD,
    b"access-control-request-headers": RequestField.REQUESTED_HEADERS,
    b"content-length": RequestField.CONTENT_LENGTH,
    b"transfer-encoding": RequestField.TRANSFER_ENCODING,
    b"expect": RequestField.EXPECT,
    b"upgrade": RequestField.UPGRADE,
    b"te": RequestField.TE,
    b"via": RequestField.VIA,
    b"x-request-id": RequestField.REQUEST_ID,
    b"referer": RequestField.REFERER,
    b"max-forwards": RequestField.MAX_FORWARDS,
    b"authorization": RequestField.AUTHORIZATION,
    b"destination": RequestField.REFERENCE,
    b"if": RequestField.REFERENCE,
    b"traceparent": RequestField.TRACEPARENT,
    # Hop-by-hop. RFC 9110 section 7.6.1: "intermediaries SHOULD remove or replace fields that are known to require
    # removal before forwarding, whether or not they appear as a connection-option". RFC 2616 section 13.5.1 lists the
    # Proxy-Auth* pair and Trailer too, and RFC 7540 section 3.2.1 HTTP2-Settings.
    b"keep-alive": RequestField.DROP,
    b"proxy-connection": RequestField.DROP,
    b"proxy-authorization": RequestField.DROP,
    b"proxy-authenticate": RequestField.DROP,
    b"trailer": RequestField.DROP,
    b"http2-settings": RequestField.DROP,
    **dict.fromkeys(FORWARDING_FIELDS, RequestField.FORWARDED),
    **dict.fromkeys(STRIPPED_TWINS, RequestField.DROP),
    # CGI and WSGI map these to the same variables as the fields that frame a message.
    b"content_length": RequestField.DROP,
    b"transfer_encoding": RequestField.DROP,
}

_RESPONSE_NAMES: dict[bytes, ResponseField] = {
    b"vary": ResponseField.VARY,
    b"connection": ResponseField.CONNECTION,
    b"content-length": ResponseField.CONTENT_LENGTH,
    b"transfer-encoding": ResponseField.TRANSFER_ENCODING,
    b"timing-allow-origin": ResponseField.TIMING,
    b"set-cookie": ResponseField.SET_COOKIE,
    b"location": ResponseField.LOCATION,
    b"content-location": ResponseField.LOCATION,
    b"refresh": ResponseField.LOCATION,
    b"link": ResponseField.LINK,
    b"upgrade": ResponseField.UPGRADE,
    b"trailer": ResponseField.TRAILER,
    b"date": ResponseField.DATE,
    b"keep-alive": ResponseField.DROP,
    b"proxy-connection": ResponseField.DROP,
    b"proxy-authenticate": ResponseField.DROP,
    b"proxy-authentication-info": ResponseField.DROP,
    b"te": ResponseField.DROP,
}


def _classify_response(name: bytes) -> ResponseField:
    if is_cors_response_field(name):
        return ResponseField.CORS
    return _RESPONSE_NAMES.get(name.lower(), ResponseField.FORWARD)


REQUEST_FIELDS: Final = NameTable(lambda name: _REQUEST_NAMES.get(name.lower(), RequestField.FORWARD))
"""The meaning of each field name of client requests, in any letter case."""

RESPONSE_FIELDS: Final = NameTable(_classify_response)
"""The meaning of each field name of upstream responses, in any letter case."""


def is_field_name(name: bytes) -> bool:
    """Return whether `name` is valid: a token (RFC 9110 section 5.1)."""
    return is_token(name)
