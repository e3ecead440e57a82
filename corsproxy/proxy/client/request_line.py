"""The request line, compared with what aiohttp's parser has read (RFC 9112 section 3).

llhttp accepts what other servers read differently or not at all: several spaces, spaces at the end, `RTSP/1.0`, a line
without a version. And it refuses HTTP/1.2, which must be processed as 1.1 (RFC 9110 section 2.5), and every method
outside its table, for which the proxy answers 501 with the grant of the route.
Knows bytes only: no socket, no aiohttp.
"""

from __future__ import annotations

import re

_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++(?= |\Z)")
"""A method, which is a token (RFC 9110 section 9.1), at the beginning of a line that may be incomplete."""

_LATER = re.compile(rb"([^ \r\n]++ [^ \r\n]++ HTTP/1\.)[2-9](?=\r|\Z)")


def is_on_the_wire(data: bytes, method: str, target: bytes, major: int, minor: int) -> bool:
    """Return whether `data` begins with exactly this request line, with one space on each side of the target."""
    return data.startswith(b"%b %b HTTP/%d.%d\r\n" % (method.encode("ascii"), target, major, minor))


def with_known_version(data: bytes) -> bytes | None:
    """Return `data` with HTTP/1.2 to HTTP/1.9 in its first line replaced by HTTP/1.1; None without such a version."""
    later = _LATER.match(data)
    return None if later is None else later[1] + b"1" + data[later.end() :]


def with_known_method(data: bytes) -> tuple[str, bytes] | None:
    """Return the method that `data` begins with, and `data` with GET in its place; None without a method, or for GET.

    The replacement is safe, because no method but CONNECT changes how a head is read, and llhttp knows that one.
    """
    found = _METHOD.match(data)
    if found is None or found[0] == b"GET":
        return None
    return found[0].decode("ascii"), b"GET" + data[found.end() :]
