"""Methods: which ones Fetch safelists, forbids and normalizes, and which ones the proxy can carry.

Methods are compared byte for byte (https://fetch.spec.whatwg.org/#methods); `patch` is not `PATCH`.
It must not know policies.
"""

from __future__ import annotations

SAFELISTED = frozenset({b"GET", b"HEAD", b"POST"})
"""Need no permission (https://fetch.spec.whatwg.org/#cors-safelisted-method)."""

FORBIDDEN = frozenset({b"CONNECT", b"TRACE", b"TRACK"})
"""Never permitted, in any letter case (https://fetch.spec.whatwg.org/#forbidden-method)."""

NORMALIZED = frozenset({b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT"})
"""The only ones that a browser converts to upper case (https://fetch.spec.whatwg.org/#concept-method-normalize)."""

CARRIED = frozenset(
    b"""
    ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS
    PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK
    UNSUBSCRIBE
    """.split()
)
"""The methods of the proxy's request parser (llhttp); any other is answered 501, so it must not be granted."""


def is_forbidden(method: bytes) -> bool:
    """Return whether Fetch forbids `method`, whatever its letter case."""
    return method.upper() in FORBIDDEN


def normalize(method: bytes) -> bytes:
    """Return `method` as a browser would send it."""
    upper = method.upper()
    return upper if upper in NORMALIZED else method
