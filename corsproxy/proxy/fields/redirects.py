"""Addresses in a response, rewritten to the proxy's: Location, Content-Location, Refresh and Link.

A browser follows a redirect wherever it points; one that names the upstream leaves the proxy, and with it the CORS
grant (the CORS check runs on every hop: https://fetch.spec.whatwg.org/#http-redirect-fetch).
Only references to the upstream's own origin and below its base path change, and of those only the front: the rest, odd
bytes included, stays as it was written.
Knows URLs as bytes; no routes, no CORS, no sockets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from corsproxy.proxy.fields.references import ABSOLUTE, PathMap, as_bytes, host_and_port, is_network_path, path_end
from corsproxy.settings import Upstream

# HTML's "shared declarative refresh steps": a time, a separator, then `url=` and quotes, each of them optional.
# https://html.spec.whatwg.org/#shared-declarative-refresh-steps
_REFRESH = re.compile(rb"[ \t]*[0-9.]+(?:[ \t]*[;,]|[ \t])[ \t]*(?:url[ \t]*=[ \t]*)?([\"']?)", re.IGNORECASE)

_LINK_PART = re.compile(rb'<([^>]*)>|"(?:[^"\\]|\\.)*"|[^<"]+', re.DOTALL)
"""A piece of Link (RFC 8288 section 3): a target, a quoted parameter, or what is neither."""


@dataclass(frozen=True, slots=True)
class RedirectRewriter:
    """The rewriting of addresses in one route's responses."""

    enabled: bool
    origins: frozenset[tuple[bytes, bytes, int]]
    """The upstream's own: scheme, host in lower case, port."""
    scheme: bytes
    by_client_host: bool
    """True if the upstream gets the client's Host, and so may use that name for itself, too."""
    paths: PathMap

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> RedirectRewriter:
        """Return the rewriter for a route's upstream and the prefix that the route takes off.

        The upstream's own origin is that of its URL; if `host` is a literal, that name's too, as it is the only one
        that the upstream has heard; and its aliases.
        """
        scheme = as_bytes(upstream.scheme)
        names = [(scheme, as_bytes(upstream.authority))]
        if upstream.host_mode == "literal":
            names.append((scheme, as_bytes(upstream.host_literal)))
        for alias in upstream.aliases:
            alias_scheme, _, authority = as_bytes(alias).partition(b"://")
            names.append((alias_scheme, authority))
        own = ((scheme, host_and_port(name, scheme)) for scheme, name in names)
        return cls(
            enabled=upstream.rewrite_redirects,
            origins=frozenset((scheme, *pair) for scheme, pair in own if pair is not None),
            scheme=scheme,
            by_client_host=upstream.host_mode == "client",
            paths=PathMap.compile(upstream, strip_prefix),
        )

    def rewrite(self, name_lower: bytes, value: bytes, proxy_origin: bytes, client_host: bytes = b"") -> bytes:
        """Return the value of a Location, Content-Location, Refresh or Link field for the client.

        `proxy_origin` is the proxy's origin as the client sees it; where it is empty, what would begin with it is
        written as a path, which means the same to the client. `client_host` is the Host that it sent, which an edge in
        front may have made another one.
        """
        if not self.enabled:
            return value
        if name_lower == b"link":
            return rewrite_targets(_LINK_PART, value, lambda target: self._reference(target, proxy_origin, client_host))
        if name_lower != b"refresh":
            return self._reference(value, proxy_origin, client_host)
        match = _REFRESH.match(value)
        if match is None:
            return value
        start = match.end()
        end = value.find(match[1], start) if match[1] else len(value.rstrip(b" \t"))
        if end < start:
            end = len(value)
        return value[:start] + self._reference(value[start:end], proxy_origin, client_host) + value[end:]

    def _reference(self, value: bytes, proxy_origin: bytes, client_host: bytes) -> bytes:
        """Return a URI reference (RFC 3986 section 4.1) for the client."""
        match = ABSOLUTE.match(value)
        if match is not None:
            if not self._is_own(match[1], match[2], proxy_origin, client_host):
                return value
            origin, rest = proxy_origin, value[match.end() :]
        elif value[:1] == b"/" and not is_network_path(value):
            origin, rest = b"", value
        else:
            return value

        end = path_end(rest)
        path = self.paths.back(rest[:end])
        if path is None:
            return value
        if not origin and path == b"":
            path = b"/"
        if not origin and is_network_path(path):
            # `/base//evil.example` without its base would name another host.
            origin = proxy_origin or b"/."
        return origin + path + rest[end:]

    def _is_own(self, scheme: bytes | None, authority: bytes, proxy_origin: bytes, client_host: bytes) -> bool:
        scheme = scheme.lower() if scheme else self.scheme
        pair = host_and_port(authority, scheme)
        if pair is None:
            return False
        if (scheme, *pair) in self.origins:
            return True
        if not self.by_client_host or scheme != self.scheme:
            return False
        client_scheme, _, public_host = proxy_origin.partition(b"://")
        return any(
            pair in (host_and_port(host, scheme), host_and_port(host, client_scheme))
            for host in (public_host, client_host)
        )


def rewrite_targets(part: re.Pattern[bytes], value: bytes, rewrite: Callable[[bytes], bytes]) -> bytes:
    """Return a field value with each `<reference>` in it rewritten.

    `part` matches one piece of the value, the reference as its group; from what cannot be read on the value stays.
    Piece by piece, as one search for the next reference would begin again at every bracket that nothing closes.
    """
    pieces: list[bytes] = []
    position = 0
    while (match := part.match(value, position)) is not None:
        target = match[1]
        pieces.append(match[0] if target is None else b"<%b>" % rewrite(target))
        position = match.end()
    return b"".join((*pieces, value[position:]))
