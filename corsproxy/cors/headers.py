"""Header names in Fetch, and the names of the CORS fields themselves.

All sets are in lower case, because field names ignore letter case (RFC 9110 section 5.1).
It must not know policies, nor values other than lists of names.
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
"""The only name that `*` does not cover (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name)."""

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
"""Fields that only requests carry, so exposing them has no effect (RFC 9110 sections 10.1, 11.6, 12.5, 13.1)."""

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
"""Fields that only responses carry, so no page sends them (RFC 9110 sections 8.8, 10.2, 11.6, 12.5, 14.3)."""


def is_forbidden_request_header(name: bytes) -> bool:
    """Return whether Fetch forbids pages to set `name` (https://fetch.spec.whatwg.org/#forbidden-request-header)."""
    lower = name.lower()
    return lower in _FORBIDDEN_REQUEST or lower.startswith(_FORBIDDEN_REQUEST_PREFIXES)


def is_forbidden_response_header(name: bytes) -> bool:
    """Return whether pages can never read `name`, even if it is listed."""
    return name.lower() in FORBIDDEN_RESPONSE


def is_cors_response_field(name: bytes) -> bool:
    """Return whether only the policy may write a response field of this name: any `Access-Control-*`.

    The whole prefix and not a list: a field that a browser adds to the protocol later must not leak a grant.
    """
    return name[:15].lower() == _CORS_PREFIX


def exposed_names(names: Iterable[bytes]) -> bytes:
    """Return the Access-Control-Expose-Headers value that replaces `*` if credentials forbid the wildcard.

    `names` are the field names of that response; each distinct one is listed once, as first written.
    Names that are always exposed, names that are never exposed, and the CORS fields are omitted.
    """
    distinct: dict[bytes, bytes] = {}
    for name in names:
        lower = name.lower()
        if lower not in SAFELISTED_RESPONSE and lower not in FORBIDDEN_RESPONSE and lower[:15] != _CORS_PREFIX:
            distinct.setdefault(lower, name)
    return b", ".join(distinct.values())


def field_block(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return fields as finished lines, each ended by CRLF."""
    return b"".join([b"%s: %s\r\n" % field for field in fields])
