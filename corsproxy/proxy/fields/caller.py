"""What a browser reports about the requesting page, to predict what happens to its cookies.

Used in quick mode only, for warnings: no decision about a request depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from corsproxy.cors import is_public_suffix
from corsproxy.proxy.fields.hosts import is_address, split_host
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RequestField

_READ: Final = frozenset({b"sec-fetch-site", b"sec-fetch-mode", b"upgrade-insecure-requests", b"user-agent"})


class Caller:
    """The requesting page."""

    __slots__ = ("_site", "is_chromium", "is_navigation", "origin")

    def __init__(self, lines: Iterable[FieldLine[RequestField]], origins: tuple[bytes, ...]) -> None:
        values = {name: line.value for line in lines if (name := line.name.lower()) in _READ}
        self.origin = origins[0] if len(origins) == 1 else b""
        """Empty without exactly one Origin."""
        self.is_navigation = values.get(b"sec-fetch-mode") == b"navigate" or b"upgrade-insecure-requests" in values
        self.is_chromium = b"Chrome/" in values.get(b"user-agent", b"")
        self._site = values.get(b"sec-fetch-site", b"").lower()

    @property
    def reports_site(self) -> bool:
        """True if the browser sends Sec-Fetch-Site, as it does to https and loopback."""
        return bool(self._site)

    def is_cross_site(self, proxy_origin: bytes) -> bool:
        """Return whether a page of another site made the request, and not by navigating."""
        if self.is_navigation:
            return False
        if self._site:
            return self._site == b"cross-site"
        return bool(self.origin and proxy_origin) and not is_same_site(self.origin, proxy_origin)


def is_same_site(origin: bytes, other: bytes) -> bool:
    """Return whether two origins are same site: the same scheme, and the same host or registrable domain.

    https://html.spec.whatwg.org/multipage/browsers.html#same-site
    """
    scheme, _, authority = origin.lower().partition(b"://")
    other_scheme, _, other_authority = other.lower().partition(b"://")
    host, other_host = split_host(authority)[0], split_host(other_authority)[0]
    if scheme != other_scheme or not host:
        return False
    return host == other_host or _share_registrable_domain(host, other_host)


def _share_registrable_domain(host: bytes, other: bytes) -> bool:
    """Return whether the labels that both hosts end with are more than a public suffix."""
    if is_address(host) or is_address(other):
        return False
    common: list[bytes] = []
    for label, its in zip(reversed(host.split(b".")), reversed(other.split(b".")), strict=False):
        if label != its:
            break
        common.insert(0, label)
    return bool(common) and not is_public_suffix(b".".join(common).decode("latin-1"))
