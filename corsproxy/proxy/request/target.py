"""The request target (RFC 9112 section 3.2), in origin-form or absolute-form.

What is accepted goes to the upstream byte for byte; what two servers could read differently is refused.
Knows nothing about sockets, routes or policies.
"""

from __future__ import annotations

import re
from typing import Final

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.hosts import is_valid_host

_ABSOLUTE: Final = re.compile(rb"(https?)://([^/?#]*)", re.IGNORECASE)
"""Scheme and authority of an absolute-form target (RFC 3986 section 3.2)."""

_HASH: Final = 0x23
"""A number, because a test for `bytes` in `bytes` raises and drops an exception each time (CPython 3.11)."""


class Target:
    """A request target in its parts, as bytes on the wire."""

    __slots__ = ("authority", "default_port", "path", "query")

    def __init__(
        self, path: bytes, query: bytes | None, authority: bytes | None = None, default_port: int = 80
    ) -> None:
        self.path = path
        self.query = query
        """None without a `?`; empty if nothing follows the `?`."""
        self.authority = authority
        """The host of an absolute-form target (RFC 9112 section 3.2.2); None in origin-form."""
        self.default_port = default_port
        """The default port of an absolute-form target's scheme."""


def parse_target(raw: bytes) -> Target:
    """Split a request target in origin-form or absolute-form.

    Raises `Refusal` with 400 for anything else, such as a fragment, user information or another scheme.
    RFC 9112 section 3.2: a recipient "SHOULD respond with either a 400 (Bad Request) error or a 301 (Moved
    Permanently) redirect" to an invalid request line, and "SHOULD NOT attempt to autocorrect" it.
    """
    authority, is_https = None, False
    if raw[:1] != b"/":
        front = _ABSOLUTE.match(raw)
        if front is None:
            raise Refusal(400, "the request target is neither a path nor an http URL", close=True)
        is_https = len(front[1]) == len(b"https")
        authority = front[2].removesuffix(b":")
        if not is_valid_host(authority):
            raise Refusal(400, "the request target's host is not a host name", close=True)
        raw = raw[front.end() :]
        if raw[:1] != b"/":
            raw = b"/" + raw
    if _HASH in raw:
        raise Refusal(400, "a request target has no fragment", close=True)
    path, mark, query = raw.partition(b"?")
    return Target(path, query if mark else None, authority, 443 if is_https else 80)
