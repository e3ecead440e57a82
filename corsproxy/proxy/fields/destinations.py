"""Addresses in a request's fields, rewritten to the upstream's: WebDAV's Destination and If (RFC 4918 section 10).

A client names the destination of a MOVE or COPY by the address it knows, the proxy's. The upstream would compare that
with its own and answer 502 ("Bad Gateway": the destination is on another server, RFC 4918 section 9.9.4), or, under a
stripped prefix, put the file in the wrong place.
Knows two field values; no routes, no sockets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.redirects import rewrite_targets
from corsproxy.proxy.fields.references import (
    PathMap,
    as_bytes,
    climbs_out,
    host_and_port,
    path_end,
    split_reference,
)
from corsproxy.settings import Upstream

_IF_PART = re.compile(rb'<([^>]*)>|\((?:[^)"]|"[^"]*")*\)|[^<(]+')
"""A piece of If: a resource tag, a list of conditions (whose state tokens have angle brackets too), or neither."""


@dataclass(frozen=True, slots=True)
class DestinationRewriter:
    """Rewrites the addresses in one route's requests."""

    paths: PathMap
    upstream_path: Callable[[bytes], bytes]
    """Maps the proxy's path to the upstream's; raises `Refusal` if that would leave the base path."""
    scheme: bytes

    @classmethod
    def compile(
        cls, upstream: Upstream, strip_prefix: str, upstream_path: Callable[[bytes], bytes]
    ) -> DestinationRewriter:
        """Compile the rewriter for a route's upstream and the prefix that the route strips."""
        return cls(PathMap.compile(upstream, strip_prefix), upstream_path, as_bytes(upstream.scheme))

    def rewrite(self, name_lower: bytes, value: bytes, *, host: bytes, proxy_origin: bytes) -> bytes:
        """Return the value of Destination or If for the upstream; `host` is the Host that it gets.

        `proxy_origin` is the proxy's origin as the client sees it.
        Raises `Refusal` with 400 if dot segments lead out of what the route serves.
        """
        origin = b"%b://%b" % (self.scheme, host)

        def rewrite(reference: bytes) -> bytes:
            return self._reference(reference, origin, proxy_origin)

        return rewrite(value) if name_lower == b"destination" else rewrite_targets(_IF_PART, value, rewrite)

    def _reference(self, value: bytes, origin: bytes, proxy_origin: bytes) -> bytes:
        """Return a URI reference (RFC 3986 section 4.1) as the upstream knows the resource."""
        parts = split_reference(value)
        if parts is None:
            return value
        scheme, authority, rest = parts
        if authority is None:
            origin = b""
        elif not _is_proxy(scheme, authority, proxy_origin):
            return value
        end = path_end(rest)
        path = rest[:end]
        inner = self.paths.below_prefix(path)
        if inner is None:
            # Another route serves this path. Its full address shows the upstream that the resource is not its own.
            return value if origin else proxy_origin + value
        if self.paths.prefix and climbs_out(inner):
            raise Refusal(400, "the destination leads out of what this route serves")
        return origin + self.upstream_path(path) + rest[end:]


def _is_proxy(scheme: bytes | None, authority: bytes, proxy_origin: bytes) -> bool:
    """Return whether `authority` is the proxy's, whatever the scheme, because TLS may end in front of the proxy."""
    proxy_scheme, _, proxy_host = proxy_origin.partition(b"://")
    scheme = scheme.lower() if scheme else proxy_scheme
    pair = host_and_port(authority, scheme)
    return pair is not None and pair in (host_and_port(proxy_host, scheme), host_and_port(proxy_host, proxy_scheme))
