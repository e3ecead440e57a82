"""Origin and Referer for the upstream: forwarded, removed, or replaced by the upstream's own origin.

Old servers answer 403 to an unknown Origin, and their CSRF checks expect Origin or Referer to match Host. The CORS
decision has been made before, from what the client sent.
Knows two field values; no policy, no routes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corsproxy.proxy.fields.references import PathMap, as_bytes, path_end
from corsproxy.settings import OriginMode, Upstream

_SCHEME_AND_AUTHORITY = re.compile(rb"https?://[^/?#\\]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OriginRewriter:
    """Rewrites Origin and Referer of one route's requests."""

    mode: OriginMode
    own_origin: bytes
    paths: PathMap

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> OriginRewriter:
        """Compile the rewriter for a route's upstream and the prefix that the route strips."""
        return cls(upstream.origin_mode, as_bytes(upstream.origin), PathMap.compile(upstream, strip_prefix))

    def origin(self, value: bytes) -> bytes | None:
        """Return the value of Origin for the upstream; None to remove the line.

        Call this only for a line that the client sent: a request without Origin must not become a CORS request.
        """
        if self.mode == "forward":
            return value
        return None if self.mode == "remove" else self.own_origin

    def referer(self, value: bytes, proxy_origin: bytes) -> bytes | None:
        """Return the value of Referer for the upstream; None to remove the line.

        If the upstream's origin replaces the page's, path and query stay. For a page that the proxy served
        (`proxy_origin`) the path is mapped to the upstream's, so that a redirect back to it leads there.
        A value that is no http or https URL is removed.
        """
        if self.mode == "forward":
            return value
        match = None if self.mode == "remove" else _SCHEME_AND_AUTHORITY.match(value)
        if match is None:
            return None
        rest = value[match.end() :]
        if rest[:1] != b"/":
            rest = b"/" + rest
        if match[0] == proxy_origin:
            rest = self._upstream_path(rest)
        return self.own_origin + rest

    def _upstream_path(self, rest: bytes) -> bytes:
        end = path_end(rest)
        path = self.paths.to_upstream(rest[:end])
        return rest if path is None else path + rest[end:]
