"""Origin and Referer for the upstream: forwarded, removed, or the upstream's own.

Old servers answer 403 to an Origin they do not know, and their CSRF checks want Origin or Referer to name the Host they
were asked for. The CORS decision is made before, from what the client sent.
Knows two field values; no policy, no routes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corsproxy.proxy.fields.references import PathMap, as_bytes, path_end
from corsproxy.settings import OriginMode, Upstream

_FRONT = re.compile(rb"https?://[^/?#\\]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OriginRewriter:
    """The Origin and Referer that one route's upstream gets."""

    mode: OriginMode
    own_origin: bytes
    paths: PathMap

    @classmethod
    def compile(cls, upstream: Upstream, strip_prefix: str) -> OriginRewriter:
        """Return the rewriter for a route's upstream and the prefix that the route takes off."""
        return cls(upstream.origin_mode, as_bytes(upstream.origin), PathMap.compile(upstream, strip_prefix))

    def origin(self, value: bytes) -> bytes | None:
        """Return the Origin line's value for the upstream, or None if the line is left out.

        Never made if the client sent none: a request without Origin is no CORS request for the upstream either.
        """
        if self.mode == "forward":
            return value
        return None if self.mode == "remove" else self.own_origin

    def referer(self, value: bytes, proxy_origin: bytes) -> bytes | None:
        """Return the Referer line's value for the upstream, or None if the line is left out.

        As the upstream's own, path and query stay; where the page is one the proxy served (`proxy_origin`), the path is
        the one the upstream knows it by, so that a redirect back to it finds its way home.
        What is no http or https URL cannot be made the upstream's own and is left out.
        """
        if self.mode == "forward":
            return value
        match = None if self.mode == "remove" else _FRONT.match(value)
        if match is None:
            return None
        rest = value[match.end() :]
        if rest[:1] != b"/":
            rest = b"/" + rest
        if match[0] == proxy_origin:
            rest = self._as_upstream_knows(rest)
        return self.own_origin + rest

    def _as_upstream_knows(self, rest: bytes) -> bytes:
        end = path_end(rest)
        path = self.paths.forth(rest[:end])
        return rest if path is None else path + rest[end:]
