"""The request target and the Host field: what a client may write there.

Everything that passes goes to the upstream byte for byte; what two servers could read differently is refused.
Knows no sockets, no routes and no policy.
"""

from __future__ import annotations

import re

from corsproxy.proxy.errors import Refusal

_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""RFC 9110 section 7.2 and RFC 3986 section 3.2.2, without the sub-delims and escapes that no real host name holds:
a comma or `@` here has been read as another host before."""

_SCHEME = re.compile(rb"https?://", re.IGNORECASE)

_HASH = ord("#")
"""As a number: `bytes` in `bytes` makes an exception and drops it before it looks, every time (CPython 3.11)."""


class Target:
    """A request target in its parts, as bytes of the wire."""

    __slots__ = ("authority", "default_port", "path", "query")

    def __init__(
        self, path: bytes, query: bytes | None, authority: bytes | None = None, default_port: int = 80
    ) -> None:
        self.path = path
        self.query = query
        """None where there was no `?`; empty where there was nothing behind it."""
        self.authority = authority
        """Only of an absolute-form target (RFC 9112 section 3.2.2)."""
        self.default_port = default_port
        """Of that target's scheme."""


def parse_target(raw: bytes) -> Target:
    """Split a request target of origin-form or absolute-form.

    Raises `Refusal` with 400 for anything else: a fragment, user information, another scheme.
    """
    authority, is_https = None, False
    if raw[:1] != b"/":
        scheme = _SCHEME.match(raw)
        if scheme is None:
            raise Refusal(400, "the request target is neither a path nor an http URL", close=True)
        is_https = scheme.end() == len(b"https://")
        authority, slash, rest = raw[scheme.end() :].partition(b"/")
        if not slash and b"?" in authority:
            authority, _, query = authority.partition(b"?")
            rest = b"?" + query
        authority = authority.removesuffix(b":")
        if not is_valid_host(authority):
            raise Refusal(400, "the request target's host is not a host name", close=True)
        raw = b"/" + rest
    if _HASH in raw:
        raise Refusal(400, "a request target has no fragment", close=True)
    path, mark, query = raw.partition(b"?")
    return Target(path, query if mark else None, authority, 443 if is_https else 80)


def is_valid_host(value: bytes) -> bool:
    """Return whether `value` is `host` or `host:port` as RFC 9110 section 7.2 has it, IPv6 in brackets."""
    return _HOST.fullmatch(value) is not None


def split_host(value: bytes) -> tuple[bytes, int | None]:
    """Split a valid Host value into its name, lower case, and its port, where one is written."""
    name, colon, port = value.rpartition(b":")
    if colon and not port.endswith(b"]"):
        return name.lower(), int(port)
    return value.lower(), None


def is_same_host(one: bytes, other: bytes, default_port: int) -> bool:
    """Return whether two valid Host values name one host, a default port written or left out."""
    named = [(name, default_port if port is None else port) for name, port in map(split_host, (one, other))]
    return named[0] == named[1]
