"""The bounded parser for the Access-Control-Request-Headers of a request.

A browser sends one line of lower-case names, sorted, unique, a comma between them
(https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names).
RFC 9110 section 5.6.1 lets intermediaries split it into lines and add white space and empty elements, so these are
tolerated, empty elements up to a small number.
The length is checked before anything is parsed, because anyone can send this field at any size; nothing here raises.
"""

from __future__ import annotations

from corsproxy.cors.tokens import TOKEN_BYTES

MAX_EMPTY_ELEMENTS = 16
"""Honest senders stay far below; jub0bs/cors has the same number."""

MAX_NAMES = 256
"""In addition to those that a policy lists; no common server accepts requests with more header fields."""

MAX_BYTES = 8192
"""In addition to the names that a policy lists; Apache and nginx accept this much for one header line."""

_LIST_BYTES = TOKEN_BYTES + b", \t"


def parse_request_headers(lines: tuple[bytes, ...], *, max_names: int, max_bytes: int) -> tuple[bytes, ...] | None:
    """Return the requested header names: distinct, in lower case, in order; None if the value is not a list of names.

    No more than `max_names` names and `max_bytes` bytes are read, commas and white space counted.
    """
    if sum(map(len, lines)) + len(lines) > max_bytes:
        return None
    value = b",".join(lines)
    if value.count(b",") >= max_names + MAX_EMPTY_ELEMENTS or value.translate(None, _LIST_BYTES):
        return None
    elements = value.lower().split(b",")
    if b" " in value or b"\t" in value:
        elements = [element.strip(b" \t") for element in elements]
        stripped = b",".join(elements)
        if b" " in stripped or b"\t" in stripped:
            return None
    names = dict.fromkeys(elements)
    if b"" in names:
        if elements.count(b"") > MAX_EMPTY_ELEMENTS:
            return None
        del names[b""]
    return tuple(names)
