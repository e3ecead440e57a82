"""The bounded parser for origins that strangers send.

It takes exactly what a browser serialises (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin):
lower case, no default port, no path, no user information, hosts in their one canonical form.
Knows no policy and no pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corsproxy.cors.hosts import MAX_DOMAIN, is_host

MAX_SCHEME = 64
"""Characters; the longest in use (`safari-web-extension`) has 20."""

MAX_ORIGIN = MAX_SCHEME + len("://") + MAX_DOMAIN + len(".") + len(":65535")
"""Bytes; anything longer is refused unread."""

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
"""Ports a serialised origin never shows (https://url.spec.whatwg.org/#default-port)."""

NULL = b"null"
"""The serialisation of every opaque origin: sandboxed frames, `data:` and `file:` pages, some redirects."""

# Possessive: no byte is looked at twice.
_ORIGIN = re.compile(r"([a-z][a-z0-9+.\-]*+)://(\[[0-9a-f:]++\]|[a-z0-9_.\-]++)(?::([1-9][0-9]{0,4}))?")


@dataclass(frozen=True, slots=True)
class Origin:
    """A tuple origin (https://html.spec.whatwg.org/#concept-origin-tuple)."""

    scheme: str
    host: str
    """Serialised: IPv6 in brackets."""
    port: int | None = None
    """None is the scheme's default."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" if self.port is None else f"{self.scheme}://{self.host}:{self.port}"


def parse_origin(value: bytes) -> Origin | None:
    """Parse an Origin field value, or return None for anything a browser does not send; never raises.

    `null` is None, too: it is no tuple, and no two of it are the same origin.
    Port 0 is None: nothing can be served from it.
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
