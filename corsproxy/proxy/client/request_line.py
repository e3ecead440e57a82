"""The request line, held against what the parser made of it (RFC 9112 section 3).

llhttp takes what other servers read otherwise or not at all: several spaces, spaces at the end, `RTSP/1.0`, a line
without a version. And it refuses HTTP/1.2, which is to be taken for 1.1 (RFC 9110 section 2.5), and every
method outside its table, whose 501 carries the grant of its route all the same.
Knows bytes alone: no socket, no aiohttp.
"""

from __future__ import annotations

import re

_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++(?= |\Z)")
"""RFC 9110 section 9.1: a token; of a line that has only begun, too."""

_LATER = re.compile(rb"([^ \r\n]++ [^ \r\n]++ HTTP/1\.)[2-9](?=\r|\Z)")


def is_on_the_wire(data: bytes, method: str, target: bytes, major: int, minor: int) -> bool:
    """Return whether `data` begins with just this request line, one space on each side of the target."""
    return data.startswith(b"%b %b HTTP/%d.%d\r\n" % (method.encode("ascii"), target, major, minor))


def with_known_version(data: bytes) -> bytes | None:
    """Return `data` with HTTP/1.2 to 1.9 on its first line said as 1.1; None if no such version stands there."""
    later = _LATER.match(data)
    return None if later is None else later[1] + b"1" + data[later.end() :]


def with_known_method(data: bytes) -> tuple[str, bytes] | None:
    """Return the method that `data` begins with, and `data` with GET in its place; None if there is none, or it is GET.

    No method but CONNECT changes how a head is read, and that one is known.
    """
    found = _METHOD.match(data)
    if found is None or found[0] == b"GET":
        return None
    return found[0].decode("ascii"), b"GET" + data[found.end() :]
