"""Masking of fields and query for display: names are complete, values that could be a key or a login are masked.

Only a listener on loopback shows them, but they would still get into screenshots and bug reports.
Bytes in, text out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from corsproxy.escape import printable
from corsproxy.server.observe.escape import readable

MASK = "•••"

_SECRET_NAME = re.compile(
    r"auth|cookie|credential|key|passw|pwd|secret|session|sid|sig|token|jwt|bearer|otp|code|nonce|state", re.IGNORECASE
)
"""Occurs in the name of a field or parameter whose value is masked."""

_OPEN_NAMES = frozenset(("access-control-request-headers", "sec-websocket-key", "origin", "referer", "host"))
"""Fields that are never masked, although their names or values look like secrets."""

_KEY_LIKE = re.compile(r"[A-Za-z0-9+/=_.~-]{24,}")
"""A run of characters that is long enough to be a key, whatever the name of its field."""

_QUERY_IN_TEXT = re.compile(r"[?]([^\s#<>\"]*)")

_MOST = 100
"""The most fields, and the most parameters, to show."""

_SHOWN = 300
"""The most bytes of a value to show."""


def masked_fields(fields: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return the masked field lines of a message; the names of cookies and the schemes of logins are left."""
    return [(_text(name), _field(_text(name), _text(value))) for name, value in fields[:_MOST]]


def masked_answer(head: bytes) -> list[tuple[str, str]]:
    """Return the masked field lines of a response's head; names and attributes of cookies are left."""
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:] if line)
    return masked_fields([(name, value.strip(b" \t")) for name, _, value in lines])


def masked_query(query: bytes | None) -> str | None:
    """Return the masked query of a request, with the names of its parameters; None without a query."""
    if query is None:
        return None
    parts = _text(query, 2000).split("&")
    return "&".join(map(_parameter, parts[:_MOST]))


def _field(name: str, value: str) -> str:
    lower = name.lower()
    if lower in ("authorization", "proxy-authorization"):
        scheme, space, _ = value.partition(" ")
        return f"{scheme} {MASK}" if space and len(scheme) <= 20 else MASK
    if lower in ("www-authenticate", "proxy-authenticate"):
        scheme, space, _ = value.partition(" ")
        return MASK if len(scheme) > 20 else f"{scheme} {MASK}" if space else scheme
    if lower.startswith("access-control-"):
        return value
    if lower == "set-cookie":
        pair, semicolon, attributes = value.partition(";")
        name = pair.partition("=")[0].strip()[:80] if "=" in pair else ""  # without one it is a value (RFC 6265bis)
        return f"{name}={MASK}{semicolon}{_KEY_LIKE.sub(_without_key, attributes)}"
    if lower in ("location", "content-location", "refresh", "link"):
        return _QUERY_IN_TEXT.sub(lambda found: f"?{masked_query(found[1].encode())}", value)
    if lower == "cookie":
        return "; ".join(f"{pair.partition('=')[0].strip()[:80]}={MASK}" for pair in value.split(";"))
    if lower == "referer":
        origin = re.match(r"[a-z]+://[^/?#]*", value)
        if origin is None:
            return MASK
        return f"{origin[0]}/{MASK}" if len(value) > origin.end() + 1 else value
    if lower in _OPEN_NAMES:
        return value
    if _SECRET_NAME.search(lower):
        return MASK
    return _KEY_LIKE.sub(_without_key, value)


def _parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return _KEY_LIKE.sub(_without_key, name)
    return f"{name}={MASK if _SECRET_NAME.search(name) else _KEY_LIKE.sub(_without_key, value)}"


def _without_key(found: re.Match[str]) -> str:
    """Return the mask for a run that looks random, because letters and digits are mixed; any other as it is."""
    text = found[0]
    digits = sum(sign.isdigit() for sign in text)
    return MASK if digits >= 2 and digits < len(text) else text


def _text(value: bytes, most: int = _SHOWN) -> str:
    return printable(readable(value[:most]))
