"""What Fetch says of header names, and the names of the CORS fields themselves.

Every set is in lower case, as field names ignore letter case (RFC 9110 section 5.1).
Knows names only: no values but those made of names, no policy.
"""

from __future__ import annotations

from collections.abc import Iterable

ORIGIN = b"Origin"
VARY = b"Vary"
TIMING_ALLOW_ORIGIN = b"Timing-Allow-Origin"
ACCESS_CONTROL_ALLOW_ORIGIN = b"Access-Control-Allow-Origin"
ACCESS_CONTROL_ALLOW_CREDENTIALS = b"Access-Control-Allow-Credentials"
ACCESS_CONTROL_ALLOW_METHODS = b"Access-Control-Allow-Methods"
ACCESS_CONTROL_ALLOW_HEADERS = b"Access-Control-Allow-Headers"
ACCESS_CONTROL_MAX_AGE = b"Access-Control-Max-Age"
ACCESS_CONTROL_EXPOSE_HEADERS = b"Access-Control-Expose-Headers"
ACCESS_CONTROL_REQUEST_METHOD = b"Access-Control-Request-Method"
ACCESS_CONTROL_REQUEST_HEADERS = b"Access-Control-Request-Headers"

AUTHORIZATION = b"authorization"
"""The one name a `*` does not cover (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name)."""

_CORS_PREFIX = b"access-control-"

SAFELISTED_RESPONSE = frozenset(
    b"cache-control content-language content-length content-type expires last-modified pragma".split()
)
"""Exposed without being listed (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)."""

FORBIDDEN_RESPONSE = frozenset({b"set-cookie", b"set-cookie2"})
"""Never exposed (https://fetch.spec.whatwg.org/#forbidden-response-header-name)."""

_FORBIDDEN_REQUEST = frozenset(
    b"""
    accept-charset accept-encoding connection content-length cookie cookie2 date dnt expect host keep-alive origin
    referer set-cookie te trailer transfer-encoding upgrade via
    """.split()
)
_FORBIDDEN_REQUEST_PREFIXES = (b"proxy-", b"sec-", b"access-control-request-")

REQUEST_ONLY = frozenset(
    b"""
    accept accept-charset accept-encoding accept-language access-control-request-headers access-control-request-method
    authorization cookie dnt expect forwarded from host if-match if-modified-since if-none-match if-range
    if-unmodified-since max-forwards origin proxy-authorization range referer sec-fetch-dest sec-fetch-mode
    sec-fetch-site sec-fetch-user te upgrade-insecure-requests user-agent x-forwarded-for x-forwarded-host
    x-forwarded-proto x-requested-with
    """.split()
)
"""Fields that only requests carry, so that exposing them exposes nothing (RFC 9110 sections 10.1, 11.6, 12.5, 13.1)."""

RESPONSE_ONLY = frozenset(
    b"""
    accept-ch accept-patch accept-post accept-ranges access-control-allow-credentials access-control-allow-headers
    access-control-allow-methods access-control-allow-origin access-control-expose-headers access-control-max-age
    age allow alt-svc authentication-info cache-status clear-site-data content-security-policy
    content-security-policy-report-only cross-origin-embedder-policy cross-origin-opener-policy
    cross-origin-resource-policy etag expires last-modified location nel origin-agent-cluster permissions-policy
    proxy-status referrer-policy refresh report-to reporting-endpoints retry-after server server-timing sourcemap
    strict-transport-security timing-allow-origin vary www-authenticate x-content-type-options x-frame-options
    x-powered-by x-robots-tag x-xss-protection
    """.split()
)
"""Fields that only responses carry, so that no page sends them (RFC 9110 sections 8.8, 10.2, 11.6, 12.5, 14.3)."""


def is_forbidden_request_header(name: bytes) -> bool:
    """Return whether no page may set `name` (https://fetch.spec.whatwg.org/#forbidden-request-header)."""
    lower = name.lower()
    return lower in _FORBIDDEN_REQUEST or lower.startswith(_FORBIDDEN_REQUEST_PREFIXES)


def is_forbidden_response_header(name: bytes) -> bool:
    """Return whether no page may read `name`, listed or not."""
    return name.lower() in FORBIDDEN_RESPONSE


def is_cors_response_field(name: bytes) -> bool:
    """Return whether a response field of this name is the policy's alone to write: any `Access-Control-*`."""
    return name[:15].lower() == _CORS_PREFIX


def exposed_names(names: Iterable[bytes]) -> bytes:
    """Build the Access-Control-Expose-Headers value that stands for `*` where credentials forbid the wildcard.

    `names` are the field names of that very response; each distinct one is listed once, as first written.
    Left out are those exposed anyway, those never exposed, and the CORS fields.
    """
    distinct: dict[bytes, bytes] = {}
    for name in names:
        lower = name.lower()
        if lower not in SAFELISTED_RESPONSE and lower not in FORBIDDEN_RESPONSE and lower[:15] != _CORS_PREFIX:
            distinct.setdefault(lower, name)
    return b", ".join(distinct.values())


def field_block(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write fields as finished lines, each ended by CRLF."""
    return b"".join([b"%s: %s\r\n" % field for field in fields])
