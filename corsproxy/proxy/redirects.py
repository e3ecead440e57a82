"""Addresses in an upstream's answer, turned into the proxy's: Location, Content-Location and Refresh.

A browser follows a redirect wherever it points; one that names the upstream leaves the proxy, and with it the CORS
grant (the CORS check runs on every hop: https://fetch.spec.whatwg.org/#http-redirect-fetch).
Only references to the upstream's own origin and below its base path change, and of those only the front: the rest, odd
bytes included, stays as it was written.
Knows URLs as bytes; no routes, no CORS, no sockets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

from corsproxy.settings import Upstream

_ABSOLUTE = re.compile(rb"(?:(https?):)?//([^/?#\\]*)", re.IGNORECASE)

_PORT = re.compile(rb"(.*?)(?::([0-9]{0,8}))?", re.DOTALL)

# HTML's "shared declarative refresh steps": a time, a separator, then `url=` and quotes, each of them optional.
# https://html.spec.whatwg.org/#shared-declarative-refresh-steps
_REFRESH = re.compile(rb"[ \t]*[0-9.]+(?:[ \t]*[;,]|[ \t])[ \t]*(?:url[ \t]*=[ \t]*)?([\"']?)", re.IGNORECASE)

_DOT = re.compile(rb"%2e", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PathMap:
    """The way back from the upstream's paths to the proxy's: base path off, stripped prefix on."""

    base: bytes
    prefix: bytes

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> PathMap:
        """Return the map of one route."""
        return cls(_bytes(upstream.base_path), _bytes(strip_prefix))

    def back(self, path: bytes) -> bytes | None:
        """Return the proxy's path for the upstream's absolute `path` (no query); None outside the base path."""
        if not path.startswith(self.base):
            return None
        rest = path[len(self.base) :]
        if rest[:1] not in (b"/", b"") or _climbs_out(rest):
            return None
        return self.prefix + rest


@dataclass(frozen=True, slots=True)
class RedirectRewriter:
    """How one route's answers are turned back."""

    enabled: bool
    origins: frozenset[tuple[bytes, bytes, int]]
    """The upstream's own: scheme, host in lower case, port."""
    scheme: bytes
    by_client_host: bool
    """The upstream is sent the client's Host, so by that name, too, it means itself."""
    paths: PathMap

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> RedirectRewriter:
        """Return the rewriter for a route's upstream and the prefix that the route takes off.

        The upstream's own origin is that of its URL and, where `host` is a literal, that name's: it is the only one the
        upstream has heard.
        """
        scheme = _bytes(upstream.scheme)
        names = [_bytes(upstream.authority)]
        if upstream.host_mode == "literal":
            names.append(_bytes(upstream.host_literal))
        own = (_host_and_port(name, scheme) for name in names)
        return cls(
            enabled=upstream.rewrite_redirects,
            origins=frozenset((scheme, *pair) for pair in own if pair is not None),
            scheme=scheme,
            by_client_host=upstream.host_mode == "client",
            paths=PathMap.compile(upstream, strip_prefix),
        )

    def rewrite(self, name_lower: bytes, value: bytes, proxy_origin: bytes) -> bytes:
        """Return the value of a Location, Content-Location or Refresh field for the client.

        `proxy_origin` is the proxy's origin as the client sees it; where it is empty, what would begin with it is
        written as a path, which means the same to the client.
        """
        if not self.enabled:
            return value
        if name_lower != b"refresh":
            return self._reference(value, proxy_origin)
        match = _REFRESH.match(value)
        if match is None:
            return value
        start = match.end()
        end = value.find(match[1], start) if match[1] else len(value.rstrip(b" \t"))
        if end < start:
            end = len(value)
        return value[:start] + self._reference(value[start:end], proxy_origin) + value[end:]

    def _reference(self, value: bytes, proxy_origin: bytes) -> bytes:
        """Return a URI reference (RFC 3986 section 4.1) for the client."""
        match = _ABSOLUTE.match(value)
        if match is not None:
            if not self._is_own(match[1], match[2], proxy_origin):
                return value
            origin, rest = proxy_origin, value[match.end() :]
        elif value[:1] == b"/" and not _is_network_path(value):
            origin, rest = b"", value
        else:
            return value

        end = min(_find(rest, b"?"), _find(rest, b"#"))
        path = self.paths.back(rest[:end])
        if path is None:
            return value
        if not origin and path == b"":
            path = b"/"
        if not origin and _is_network_path(path):
            # `/base//evil.example` without its base would name another host.
            origin = proxy_origin or b"/."
        return origin + path + rest[end:]

    def _is_own(self, scheme: bytes | None, authority: bytes, proxy_origin: bytes) -> bool:
        scheme = scheme.lower() if scheme else self.scheme
        pair = _host_and_port(authority, scheme)
        if pair is None:
            return False
        if (scheme, *pair) in self.origins:
            return True
        if not self.by_client_host or scheme != self.scheme:
            return False
        client_scheme, _, client_host = proxy_origin.partition(b"://")
        return pair in (_host_and_port(client_host, scheme), _host_and_port(client_host, client_scheme))


def _host_and_port(authority: bytes, scheme: bytes) -> tuple[bytes, int] | None:
    """Return the comparable form of an authority; None without a host. User info makes it no host's."""
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


def _is_network_path(value: bytes) -> bool:
    r"""Return whether a browser reads a host after the first slash: `//`, and as browsers are, `/\` and `/<tab>/`."""
    return value.replace(b"\t", b"")[1:2] in (b"/", b"\\")


def _climbs_out(rest: bytes) -> bool:
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


def _find(value: bytes, mark: bytes) -> int:
    position = value.find(mark)
    return len(value) if position < 0 else position


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
