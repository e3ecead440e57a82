"""What Fetch says of methods: which are safelisted, which forbidden, and how few of them it normalises.

Methods are compared byte for byte (https://fetch.spec.whatwg.org/#methods); `patch` is not `PATCH`.
Knows no policy.
"""

from __future__ import annotations

SAFELISTED = frozenset({b"GET", b"HEAD", b"POST"})
"""Need no permission (https://fetch.spec.whatwg.org/#cors-safelisted-method)."""

FORBIDDEN = frozenset({b"CONNECT", b"TRACE", b"TRACK"})
"""Never permitted, in any letter case (https://fetch.spec.whatwg.org/#forbidden-method)."""

NORMALIZED = frozenset({b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT"})
"""The only ones a browser turns to upper case (https://fetch.spec.whatwg.org/#concept-method-normalize)."""


CARRIED = frozenset(
    b"""
    ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS
    PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK
    UNSUBSCRIBE
    """.split()
)
"""What the proxy's parser of requests knows: any other method is answered 501, so none may be granted."""


def is_forbidden(method: bytes) -> bool:
    """Return whether Fetch forbids `method`, whatever its letter case."""
    return method.upper() in FORBIDDEN


def normalize(method: bytes) -> bytes:
    """Spell `method` as a browser would send it."""
    upper = method.upper()
    return upper if upper in NORMALIZED else method
