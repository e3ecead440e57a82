"""The bounded parser for the Origin of a request.

It accepts exactly what a browser serializes (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin):
lower case, no default port, no path, no user information, hosts in their canonical form.
It must not know policies or patterns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corsproxy.cors.hosts import MAX_DOMAIN, is_host

MAX_SCHEME = 64
"""Characters; the longest in use (`safari-web-extension`) has 20."""

MAX_ORIGIN = MAX_SCHEME + len("://") + MAX_DOMAIN + len(".") + len(":65535")
"""Bytes; anything longer is refused without a look, so that a long Origin costs nothing."""

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
"""Ports that a serialized origin omits (https://url.spec.whatwg.org/#default-port)."""

NULL = b"null"
"""The serialization of every opaque origin: sandboxed frames, `data:` and `file:` pages, some redirects."""

# Possessive quantifiers: no backtracking, so the time is linear whatever is sent.
_ORIGIN = re.compile(r"([a-z][a-z0-9+.\-]*+)://(\[[0-9a-f:]++\]|[a-z0-9_.\-]++)(?::([1-9][0-9]{0,4}))?")


@dataclass(frozen=True, slots=True)
class Origin:
    """A tuple origin (https://html.spec.whatwg.org/#concept-origin-tuple)."""

    scheme: str
    host: str
    """Serialized: IPv6 in brackets."""
    port: int | None = None
    """None is the scheme's default."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" if self.port is None else f"{self.scheme}://{self.host}:{self.port}"


def parse_origin(value: bytes) -> Origin | None:
    """Return the origin in an Origin field value, or None for anything that no browser sends; never raises.

    `null` is None, too: it is not a tuple, and two `null` are not the same origin.
    Port 0 is None: no page can be served from it.
    """
    if len(value) > MAX_ORIGIN or not value.isascii():
        return None
    match = _ORIGIN.fullmatch(value.decode("ascii"))
    if match is None:
        return None
    scheme, host, digits = match.groups()
    port = int(digits) if digits else None
    if len(scheme) > MAX_SCHEME or not is_host(host):
        return None
    if port is not None and (port > 65535 or port == DEFAULT_PORTS.get(scheme)):
        return None
    return Origin(scheme, host, port)
