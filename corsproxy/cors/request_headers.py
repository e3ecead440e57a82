"""The parser for Access-Control-Request-Headers, as strangers send it.

A browser sends one line of lower-case names, sorted, unique, a comma between them
(https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names).
RFC 9110 section 5.6.1 lets intermediaries split it in lines and add white space and empty elements, so these are
tolerated, the empty ones up to a small number.
The cost is bounded before any of it is looked at; nothing here raises.
"""

from __future__ import annotations

from corsproxy.cors.tokens import TOKEN_BYTES

MAX_EMPTY_ELEMENTS = 16
"""A sender of honest mistakes stays far below; jub0bs/cors has the same number."""

MAX_NAMES = 256
"""Beyond those a policy lists: a page that sets more header fields than this meets no server that takes them."""

MAX_BYTES = 8192
"""Beyond those of the names a policy lists: what Apache and nginx take for one header line."""

_LIST_BYTES = TOKEN_BYTES + b", \t"


def parse_request_headers(lines: tuple[bytes, ...], *, max_names: int, max_bytes: int) -> tuple[bytes, ...] | None:
    """Read the requested header names: distinct, in lower case, in order; None where it is no list of names.

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
