"""URL references as bytes (RFC 3986 section 4.1): their authority, their owner, and the path that they lead to.

Shared by what is turned back to the proxy's address and what is turned forth to the upstream's.
Knows nothing about fields, routes or sockets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

from corsproxy.settings import Upstream

ABSOLUTE = re.compile(rb"(?:(https?):)?//([^/?#\\]*)", re.IGNORECASE)
"""The front of a reference with an authority: its scheme, if it has one, and the authority."""

_PORT = re.compile(rb"(.*?)(?::([0-9]{0,8}))?", re.DOTALL)

_DOT = re.compile(rb"%2e", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PathMap:
    """The way from the proxy's paths to the upstream's (stripped prefix off, base path on) and back."""

    base: bytes
    prefix: bytes

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> PathMap:
        """Return the map of one route."""
        return cls(as_bytes(upstream.base_path), as_bytes(strip_prefix))

    def inner(self, path: bytes) -> bytes | None:
        """Return what of the proxy's `path` (no query) is below the stripped prefix; None if it is another route's."""
        rest = path[len(self.prefix) :]
        return rest if path.startswith(self.prefix) and rest[:1] in (b"/", b"") else None

    def forth(self, path: bytes) -> bytes | None:
        """Return the upstream's path for the proxy's; None if it is another route's."""
        rest = self.inner(path)
        return None if rest is None else self.base + (rest or b"/")

    def back(self, path: bytes) -> bytes | None:
        """Return the proxy's path for the upstream's absolute `path` (no query); None outside the base path."""
        if not path.startswith(self.base):
            return None
        rest = path[len(self.base) :]
        if rest[:1] not in (b"/", b"") or climbs_out(rest):
            return None
        return self.prefix + rest


def host_and_port(authority: bytes, scheme: bytes) -> tuple[bytes, int] | None:
    """Return the comparable form of an authority; None without a host. User information makes it no host's."""
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
    r"""Return whether a browser reads a host after the first slash: `//`, and as browsers are, `/\` and `/<tab>/`."""
    return value.replace(b"\t", b"")[1:2] in (b"/", b"\\")


def climbs_out(rest: bytes) -> bool:
    """Return whether dot segments lead above where `rest` begins, so that it is outside whatever its front says."""
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
    """Return where the path of a reference ends: before its query or fragment."""
    return min(_find(value, b"?"), _find(value, b"#"))


def _find(value: bytes, mark: bytes) -> int:
    position = value.find(mark)
    return len(value) if position < 0 else position


def as_bytes(text: str) -> bytes:
    """Return a text of the configuration as it stands on the wire."""
    return text.encode("utf-8", "surrogateescape")
