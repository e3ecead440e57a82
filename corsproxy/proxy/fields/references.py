"""URI references as bytes (RFC 3986 section 4.1): their parts, and the mapping of paths between proxy and upstream.

Used for responses, whose addresses become the proxy's, and for requests, whose addresses become the upstream's.
Knows nothing about fields, routes or sockets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

from corsproxy.settings import Upstream

_WITH_AUTHORITY = re.compile(rb"(?:(https?):)?//([^/?#\\]*)", re.IGNORECASE)
"""The scheme, if there is one, and the authority of a reference that has an authority."""

_PORT = re.compile(rb"(.*?)(?::([0-9]{0,8}))?", re.DOTALL)

_DOT = re.compile(rb"%2e", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PathMap:
    """Maps the proxy's paths to the upstream's (prefix stripped, base path prepended), and back."""

    base: bytes
    prefix: bytes

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> PathMap:
        """Compile the map of a route with this upstream and stripped prefix."""
        return cls(as_bytes(upstream.base_path), as_bytes(strip_prefix))

    def below_prefix(self, path: bytes) -> bytes | None:
        """Return the part of the proxy's `path` (no query) below the stripped prefix; None if it is not below that."""
        rest = path[len(self.prefix) :]
        return rest if path.startswith(self.prefix) and rest[:1] in (b"/", b"") else None

    def to_upstream(self, path: bytes) -> bytes | None:
        """Return the upstream's path for the proxy's `path` (no query); None if that is not below the prefix."""
        rest = self.below_prefix(path)
        return None if rest is None else self.base + (rest or b"/")

    def to_proxy(self, path: bytes) -> bytes | None:
        """Return the proxy's path for the upstream's absolute `path` (no query); None outside the base path."""
        if not path.startswith(self.base):
            return None
        rest = path[len(self.base) :]
        if rest[:1] not in (b"/", b"") or climbs_out(rest):
            return None
        return self.prefix + rest


def split_reference(value: bytes) -> tuple[bytes | None, bytes | None, bytes] | None:
    """Return scheme, authority and the rest of a reference; None for one with a relative path or another scheme.

    The scheme is None if the reference takes it from its base, the authority too if it begins with an absolute path.
    """
    match = _WITH_AUTHORITY.match(value)
    if match is not None:
        return match[1], match[2], value[match.end() :]
    return (None, None, value) if value[:1] == b"/" and not is_network_path(value) else None


def host_and_port(authority: bytes, scheme: bytes) -> tuple[bytes, int] | None:
    """Return host and port of an authority, normalized for comparison; None if it has no valid ones.

    User information stays part of the host, so that such an authority equals no host.
    """
    match = _PORT.fullmatch(authority)
    if match is None or not match[1]:
        return None
    host = match[1].lower()
    if host[:1] == b"[" and host[-1:] == b"]":
        try:
            host = b"[%s]" % IPv6Address(host[1:-1].decode("ascii", "replace")).compressed.encode()
        except AddressValueError:
            return None
    return host, int(match[2] or (b"443" if scheme == b"https" else b"80"))


def is_network_path(value: bytes) -> bool:
    r"""Return whether a browser reads a host after the first slash: after `//`, but also `/\` and `/<tab>/`.

    https://url.spec.whatwg.org/#relative-slash-state; tabs are removed from any URL before it is parsed.
    """
    return value.replace(b"\t", b"")[1:2] in (b"/", b"\\")


def climbs_out(rest: bytes) -> bool:
    """Return whether dot segments lead above the beginning of `rest`, escaped ones and backslashes included."""
    if b".." not in rest and b"%2" not in rest:
        return False
    depth = 0
    for segment in _DOT.sub(b".", rest).replace(b"\\", b"/").split(b"/")[1:]:
        if segment == b"..":
            depth -= 1
        elif segment != b".":
            depth += 1
        if depth < 0:
            return True
    return False


def path_end(value: bytes) -> int:
    """Return the index at which the path of a reference ends: that of its query or fragment, or its length."""
    return min(_find(value, b"?"), _find(value, b"#"))


def _find(value: bytes, mark: bytes) -> int:
    position = value.find(mark)
    return len(value) if position < 0 else position


def as_bytes(text: str) -> bytes:
    """Return the bytes that a text of the configuration has on the wire."""
    return text.encode("utf-8", "surrogateescape")
