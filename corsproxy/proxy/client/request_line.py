"""The request line, held against what the parser made of it (RFC 9112 section 3).

llhttp takes what other servers read otherwise or not at all: several spaces, spaces at the end, `RTSP/1.0`, a line
without a version. And it refuses HTTP/1.2, which is to be taken for 1.1 (RFC 9110 section 2.5).
Knows bytes alone: no socket, no aiohttp.
"""

from __future__ import annotations

import re

_METHOD_AND_TARGET = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ([^ \r\n]++) HTTP/")

_LATER = re.compile(rb"([^ \r\n]{1,64} [^ \r\n]++ HTTP/1\.)[2-9](?=\r|\Z)")


def is_on_the_wire(data: bytes, method: str, target: bytes, major: int, minor: int) -> bool:
    """Return whether `data` begins with just this request line, one space on each side of the target."""
    return data.startswith(b"%b %b HTTP/%d.%d\r\n" % (method.encode("ascii"), target, major, minor))


def with_known_version(data: bytes) -> bytes | None:
    """Return `data` with HTTP/1.2 to 1.9 on its first line said as 1.1; None if no such version stands there."""
    later = _LATER.match(data)
    return None if later is None else later[1] + b"1" + data[later.end() :]


def method_and_path(data: bytes) -> tuple[str, bytes]:
    """Return what the first line asks for, as far as it can be said: the path without its query, never a host."""
    found = _METHOD_AND_TARGET.match(data)
    if found is None:
        return "", b""
    target = found[2].partition(b"?")[0].partition(b"#")[0]
    return found[1].decode("ascii"), target if target[:1] == b"/" else b""
