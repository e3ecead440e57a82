"""Hosts as they appear in a serialized origin: lower-case domains, canonical IPv4, compressed IPv6 in brackets.

The form is that of the URL standard's host serializer (https://url.spec.whatwg.org/#host-serializing).
Shared by the bounded parser (`origins`) and the strict one (`patterns`), so that the two agree.
Every function accepts any text, never raises, and takes linear time; callers cap the length.
"""

from __future__ import annotations

import re

MAX_DOMAIN = 253
"""Characters of a domain without a final dot (RFC 1035 section 2.3.4, less the length bytes)."""

# Browsers accept labels with an underscore, and with hyphens anywhere; so does this.
# A name with a final dot is a different origin from the same name without it, in browsers too.
# No possessive quantifier behind the group: before 3.11.5, Python would take `a..` (gh-106052).
_DOMAIN = re.compile(r"[a-z0-9_-]{1,63}+(?:\.[a-z0-9_-]{1,63}+)*\.?")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
# A host whose last label is a number is an IPv4 address or invalid (https://url.spec.whatwg.org/#ends-in-a-number-checker).
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.DOTALL)
_IPV6_PIECE = re.compile(r"[0-9a-f]{1,4}")


def is_host(text: str) -> bool:
    """Return whether `text` is a host exactly as a browser would serialize it."""
    if text.startswith("["):
        return text.endswith("]") and canonical_ipv6(text[1:-1]) == text[1:-1]
    return is_domain(text) or is_ipv4(text)


def is_domain(text: str) -> bool:
    """Return whether `text` is a domain in lower-case ASCII, and not a spelling of an IPv4 address."""
    return (
        len(text) <= MAX_DOMAIN + text.endswith(".")
        and _DOMAIN.fullmatch(text) is not None
        and not ends_in_number(text)
    )


def ends_in_number(text: str) -> bool:
    """Return whether a browser would read `text` as an IPv4 address, valid or not."""
    return _ENDS_IN_NUMBER.fullmatch(text) is not None


def is_ipv4(text: str) -> bool:
    """Return whether `text` is four decimal octets without leading zeros."""
    return _IPV4.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Return whether a serialized `host` always means the browser's own machine.

    `localhost` and the names under it (RFC 6761 section 6.3), 127.0.0.0/8 and `[::1]`.
    """
    return (
        host in ("localhost", "[::1]")
        or (host.endswith(".localhost") and is_domain(host))
        or (host.startswith("127.") and is_ipv4(host))
    )


def canonical_ipv6(text: str) -> str | None:
    """Return the IPv6 address `text` (no brackets, no zone) as browsers write it, or None if it is not one.

    Lower case, no leading zeros, the first longest run of two or more zero pieces as `::`, no dotted part
    (https://url.spec.whatwg.org/#concept-ipv6-serializer).
    `ipaddress` cannot be used: its form of IPv4-mapped addresses depends on the version of Python.
    """
    pieces = _ipv6_pieces(text.lower()) if len(text) <= 45 else None
    if pieces is None:
        return None
    start, length = _longest_zeros(pieces)
    if length < 2:
        return ":".join(f"{piece:x}" for piece in pieces)
    head = ":".join(f"{piece:x}" for piece in pieces[:start])
    tail = ":".join(f"{piece:x}" for piece in pieces[start + length :])
    return f"{head}::{tail}"


def _ipv6_pieces(text: str) -> list[int] | None:
    """Return the eight pieces of an address in any of the forms of RFC 4291 section 2.2."""
    head, gap, tail = text.partition("::")
    left = _pieces(head, is_last=not gap)
    right = _pieces(tail, is_last=True) if gap else []
    if left is None or right is None:
        return None
    missing = 8 - len(left) - len(right)
    if missing < 1 if gap else missing:
        return None
    return [*left, *[0] * missing, *right]


def _pieces(text: str, *, is_last: bool) -> list[int] | None:
    """Return the pieces between colons; a dotted last one counts as two."""
    found: list[int] = []
    parts = text.split(":") if text else []
    for place, part in enumerate(parts):
        if _IPV6_PIECE.fullmatch(part):
            found.append(int(part, 16))
        elif is_last and place == len(parts) - 1 and is_ipv4(part):
            a, b, c, d = map(int, part.split("."))
            found += [a << 8 | b, c << 8 | d]
        else:
            return None
    return found


def _longest_zeros(pieces: list[int]) -> tuple[int, int]:
    """Return the start and the length of the first longest run of zeros."""
    best = (0, 0)
    start = 0
    for place, piece in enumerate([*pieces, 1]):
        if piece:
            if place - start > best[1]:
                best = (start, place - start)
            start = place + 1
    return best
