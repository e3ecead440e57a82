"""The field lines that the proxy must read, as tables: all others are forwarded byte for byte.

A field name costs one dictionary look-up per line; names seen for the first time are classified once and kept in a
bounded table.
Knows field names only: no values, no sockets, no policy.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from corsproxy.cors import is_cors_response_field
from corsproxy.proxy.fields.forwarded import FORWARDING_FIELDS, STRIPPED_TWINS
from corsproxy.proxy.table import NameTable


class RequestField(IntEnum):
    """What a field line of a client request means to the proxy; `FORWARD` means nothing."""

    FORWARD = 0
    DROP = 1
    """Hop-by-hop, or made by the proxy itself (RFC 9110 section 7.6.1)."""
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
    """X-Forwarded-* and Forwarded: believed from trusted peers only."""
    VIA = 13
    REQUEST_ID = 14
    REFERER = 15
    MAX_FORWARDS = 16
    AUTHORIZATION = 17
    REFERENCE = 18
    """Destination and If, which name places by the proxy's address."""
    TRACEPARENT = 19
    """Names the trace that the request is part of (https://www.w3.org/TR/trace-context/)."""


class ResponseField(IntEnum):
    """What a field line of an upstream response means to the proxy; `FORWARD` means nothing."""

    FORWARD = 0
    DROP = 1
    CORS = 2
    """Any `Access-Control-*`: removed, the policy writes its own."""
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
    # RFC 9110 section 7.6.1, and the two that older recipients take for connection options.
    b"keep-alive": RequestField.DROP,
    b"proxy-connection": RequestField.DROP,
    b"proxy-authorization": RequestField.DROP,
    b"proxy-authenticate": RequestField.DROP,
    b"trailer": RequestField.DROP,
    b"http2-settings": RequestField.DROP,
    **dict.fromkeys(FORWARDING_FIELDS, RequestField.FORWARDED),
    **dict.fromkeys(STRIPPED_TWINS, RequestField.DROP),
    # CGI and WSGI fold these into one variable with the fields that frame a message.
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
"""What a field of a client request, in any letter case, means to the proxy."""

RESPONSE_FIELDS: Final = NameTable(_classify_response)
"""What a field of an upstream response, in any letter case, means to the proxy."""
