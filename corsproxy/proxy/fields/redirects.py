"""Addresses in a response, rewritten to the proxy's: Location, Content-Location, Refresh and Link.

A redirect to the upstream's own address would lead the browser past the proxy, and so to a response without the grant:
the CORS check runs on every response of a redirect chain (https://fetch.spec.whatwg.org/#http-fetch).
Only references to the upstream's own origin below its base path are changed, and only origin and base path in them; the
rest, odd bytes included, stays as it was written.
Knows URLs as bytes; no routes, no CORS, no sockets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from corsproxy.proxy.fields.references import (
    PathMap,
    as_bytes,
    host_and_port,
    is_network_path,
    path_end,
    split_reference,
)
from corsproxy.settings import Upstream

# HTML's "shared declarative refresh steps": a time, a separator, then `url=` and a quote, both optional.
# https://html.spec.whatwg.org/#shared-declarative-refresh-steps
_REFRESH = re.compile(rb"[ \t]*[0-9.]+(?:[ \t]*[;,]|[ \t])[ \t]*(?:url[ \t]*=[ \t]*)?([\"']?)", re.IGNORECASE)

_LINK_PART = re.compile(rb'<([^>]*)>|"(?:[^"\\]|\\.)*"|[^<"]+', re.DOTALL)
"""A piece of Link (RFC 8288 section 3): a target, a quoted string, or neither."""


@dataclass(frozen=True, slots=True)
class RedirectRewriter:
    """Rewrites the addresses in one route's responses."""

    origins: frozenset[tuple[bytes, bytes, int]]
    """The upstream's own origins: scheme, host in lower case, port."""
    scheme: bytes
    by_client_host: bool
    """True if the upstream gets the client's Host, so that it may call itself by that name too."""
    paths: PathMap

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> RedirectRewriter:
        """Compile the rewriter for a route's upstream and the prefix that the route strips.

        The upstream's own origins are that of its URL, its aliases, and that of a literal `host`, which is the only
        name that the upstream gets to see.
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
            origins=frozenset((scheme, *pair) for scheme, pair in own if pair is not None),
            scheme=scheme,
            by_client_host=upstream.host_mode == "client",
            paths=PathMap.compile(upstream, strip_prefix),
        )

    def rewrite(self, name_lower: bytes, value: bytes, proxy_origin: bytes, client_host: bytes = b"") -> bytes:
        """Return the value of Location, Content-Location, Refresh or Link for the client.

        `proxy_origin` is the proxy's origin as the client sees it; if it is empty, an absolute path is written, which
        means the same to the client. `client_host` is the Host of the request; behind an edge it may be another one.
        """
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
        """Return a URI reference (RFC 3986 section 4.1) as the client reaches the resource."""
        parts = split_reference(value)
        if parts is None:
            return value
        scheme, authority, rest = parts
        if authority is not None and not self._is_own(scheme, authority, proxy_origin, client_host):
            return value
        origin = b"" if authority is None else proxy_origin
        end = path_end(rest)
        path = self.paths.to_proxy(rest[:end])
        if path is None:
            return value
        if not origin and path == b"":
            path = b"/"
        if not origin and is_network_path(path):
            # `/base//evil.example` without its base would name another host; `/.` in front keeps it a path.
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

    `part` matches one piece of the value, with a reference as its group; the value stays unchanged from the first piece
    that does not match. A search for the next reference would take quadratic time over brackets that are never closed.
    """
    pieces: list[bytes] = []
    position = 0
    while (match := part.match(value, position)) is not None:
        target = match[1]
        pieces.append(match[0] if target is None else b"<%b>" % rewrite(target))
        position = match.end()
    return b"".join((*pieces, value[position:]))
