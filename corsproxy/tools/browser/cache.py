"""The preflight cache of a browser (https://fetch.spec.whatwg.org/#cors-preflight-cache).

Each method and each header name has a separate entry, under the URL and the origin for which it was granted.
The caller passes the time: seconds, from any clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from corsproxy.tools.browser.names import NON_WILDCARD_NAMES, SAFELISTED_METHODS


@dataclass(frozen=True, slots=True)
class CacheKey:
    """The key of an entry, without the method or header name."""

    origin: str
    url: str
    include: bool
    """True if the preflight was made for a request with credentials."""


class PreflightCache:
    """Cache the grants of preflights, for at most `cap` seconds."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._methods: dict[tuple[CacheKey, str], float] = {}
        self._headers: dict[tuple[CacheKey, str], float] = {}

    def store(self, key: CacheKey, methods: Iterable[str], headers: Iterable[str], max_age: float, now: float) -> None:
        """Cache the grant of one preflight; a `max_age` of 0 caches nothing."""
        until = now + min(max_age, self._cap)
        for method in methods:
            self._methods[key, method] = until
        for name in headers:
            self._headers[key, name.lower()] = until

    def covers(self, key: CacheKey, method: str, unsafe: Iterable[str], now: float, *, forced: bool = False) -> bool:
        """Return whether cached grants make a preflight unnecessary."""
        if (method not in SAFELISTED_METHODS or forced) and not self._has_method(key, method, now):
            return False
        return all(self._has_header(key, name.lower(), now) for name in unsafe)

    def forget(self, origin: str, url: str) -> None:
        """Drop every entry of one origin for one URL, as a failed preflight or CORS check does."""
        for entries in (self._methods, self._headers):
            for entry in [entry for entry in entries if (entry[0].origin, entry[0].url) == (origin, url)]:
                del entries[entry]

    def _has_method(self, key: CacheKey, method: str, now: float) -> bool:
        return _alive(self._methods, key, {method, "*"}, now)

    def _has_header(self, key: CacheKey, name: str, now: float) -> bool:
        return _alive(self._headers, key, {name} if name in NON_WILDCARD_NAMES else {name, "*"}, now)


def _alive(entries: dict[tuple[CacheKey, str], float], key: CacheKey, names: set[str], now: float) -> bool:
    """Return whether an entry applies; one with credentials also applies without them, never the reverse."""
    keys = (key, CacheKey(key.origin, key.url, include=True))
    return any(entries.get((one, name), now) > now for one in keys for name in names)
