"""Addresses in a request's fields, rewritten to the upstream's: WebDAV's Destination and If (RFC 4918 section 10).

A client names where a resource is to be moved by the address it knows, the proxy's; the upstream compares that with its
own name and answers 502, or under a stripped prefix puts the file elsewhere.
Knows two field values; no routes, no sockets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.redirects import rewrite_targets
from corsproxy.proxy.fields.references import (
    ABSOLUTE,
    PathMap,
    as_bytes,
    climbs_out,
    host_and_port,
    is_network_path,
    path_end,
)
from corsproxy.settings import Upstream

_IF_PART = re.compile(rb'<([^>]*)>|\((?:[^)"]|"[^"]*")*\)|[^<(]+')
"""A piece of If: a resource, a list of conditions (whose state tokens stand in brackets too), or what is neither."""


@dataclass(frozen=True, slots=True)
class DestinationRewriter:
    """The rewriting of addresses in one route's requests."""

    paths: PathMap
    upstream_path: Callable[[bytes], bytes]
    """The upstream's path for one of the proxy's; raises `Refusal` where it would lead out of the base path."""
    scheme: bytes

    @classmethod
    def compile(
        cls, upstream: Upstream, strip_prefix: str, upstream_path: Callable[[bytes], bytes]
    ) -> DestinationRewriter:
        """Return the rewriter for a route's upstream and the prefix that the route takes off."""
        return cls(PathMap.compile(upstream, strip_prefix), upstream_path, as_bytes(upstream.scheme))

    def rewrite(self, name_lower: bytes, value: bytes, *, host: bytes, proxy_origin: bytes) -> bytes:
        """Return the value of a Destination or If field for an upstream that is sent `host`.

        `proxy_origin` is the proxy's origin as the client sees it.
        Raises `Refusal` with 400 for a place that dot segments lead out of what the route serves.
        """
        origin = b"%b://%b" % (self.scheme, host)

        def rewrite(reference: bytes) -> bytes:
            return self._reference(reference, origin, proxy_origin)

        return rewrite(value) if name_lower == b"destination" else rewrite_targets(_IF_PART, value, rewrite)

    def _reference(self, value: bytes, origin: bytes, proxy_origin: bytes) -> bytes:
        match = ABSOLUTE.match(value)
        if match is not None:
            if not _is_proxys(match[1], match[2], proxy_origin):
                return value
            front, rest = origin, value[match.end() :]
        elif value[:1] == b"/" and not is_network_path(value):
            front, rest = b"", value
        else:
            return value
        end = path_end(rest)
        path = rest[:end]
        inner = self.paths.inner(path)
        if inner is None:
            # Another route's: by its full name the upstream sees that it is no place of its own.
            return value if front else proxy_origin + value
        if self.paths.prefix and climbs_out(inner):
            raise Refusal(400, "the destination leads out of what this route serves")
        return front + self.upstream_path(path) + rest[end:]


def _is_proxys(scheme: bytes | None, authority: bytes, proxy_origin: bytes) -> bool:
    """Return whether this is the requested host, whatever the scheme, because TLS may end in front of the proxy."""
    proxy_scheme, _, proxy_host = proxy_origin.partition(b"://")
    scheme = scheme.lower() if scheme else proxy_scheme
    pair = host_and_port(authority, scheme)
    return pair is not None and pair in (host_and_port(proxy_host, scheme), host_and_port(proxy_host, proxy_scheme))
