"""Masking: a request for display, with full names, but without values that could be a key or a login.

Only a listener on loopback shows any of it; what is masked here would still be in screenshots and bug reports.
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
"""Part of the name of a field or parameter whose value is not shown."""

_OPEN_NAMES = frozenset(("access-control-request-headers", "sec-websocket-key", "origin", "referer", "host"))
"""Fields that are never masked."""

_KEY_LIKE = re.compile(r"[A-Za-z0-9+/=_.~-]{24,}")
"""The length from which a run of letters and digits may be a key, whatever its name."""

_QUERY_IN_TEXT = re.compile(r"[?]([^\s#<>\"]*)")

_MOST = 100
"""Fields, and parameters, that are shown."""

_SHOWN = 300
"""Characters of a value."""


def masked_fields(fields: Sequence[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return the field lines of a message; of a cookie its name is left, of a login its scheme."""
    return [(_text(name), _field(_text(name), _text(value))) for name, value in fields[:_MOST]]


def masked_answer(head: bytes) -> list[tuple[str, str]]:
    """Return the field lines of a response's head; of a cookie its name and attributes are left."""
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:] if line)
    return masked_fields([(name, value.strip(b" \t")) for name, _, value in lines])


def masked_query(query: bytes | None) -> str | None:
    """Return the query of a request, its parameters' names and what may be shown of their values."""
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
    """Mask a run that looks random: letters and digits are mixed in it, as they are in no word."""
    text = found[0]
    digits = sum(sign.isdigit() for sign in text)
    return MASK if digits >= 2 and digits < len(text) else text


def _text(value: bytes, most: int = _SHOWN) -> str:
    return printable(readable(value[:most]))
