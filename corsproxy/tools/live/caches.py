"""Caches between a page and a server, recognized by the fields that they add to an answer.

Pure functions of an answer.
"""

from __future__ import annotations

from corsproxy.tools.browser import Answer

REMEDY = (
    "make Origin a part of its key, or let it pass these paths uncached: Vary: Origin must be obeyed "
    "(CloudFront: a cache policy with the Origin header; Fastly and Varnish obey Vary; Cloudflare: bypass, or a custom "
    "key; nginx proxy_cache: $http_origin in proxy_cache_key)"
)
"""The remedy for the operator of the cache."""

_SERVED_FROM = (
    ("cf-cache-status", "Cloudflare"),
    ("x-vercel-cache", "Vercel"),
    ("x-proxy-cache", "nginx"),
    ("x-cache-status", "nginx"),
    ("x-drupal-cache", "Drupal"),
)
"""Field name, and the cache that adds it; the value begins with HIT if the cache answered."""


def varies(answer: Answer) -> bool:
    """Return whether Vary covers Origin."""
    members = {member.strip().lower() for member in (answer.combined("Vary") or "").split(",")}
    return bool(members & {"*", "origin"})


def cache_of(answer: Answer) -> str:
    """Return the cache's name with its marks; `an unknown cache` if there are none."""
    marks = [f"{name}: {value}" for name, value in answer.headers if _is_mark(name.lower())]
    name = _name(answer)
    return f"{name} ({', '.join(marks[:4])})" if marks else name


def is_from_cache(answer: Answer) -> bool:
    """Return whether a response is marked as coming from a cache."""
    if (answer.combined("Age") or "0").strip() not in {"", "0"}:
        return True
    hit = " ".join(
        answer.combined(name) or "" for name in ("X-Cache", "Cache-Status", *(one[0] for one in _SERVED_FROM))
    )
    return "hit" in hit.lower() or len((answer.combined("X-Varnish") or "").split()) > 1


_MARKS = frozenset({"age", "via", "x-varnish", "x-served-by", "x-amz-cf-pop", "cf-ray"})


def _is_mark(low: str) -> bool:
    return low in _MARKS or ("cache" in low and low != "cache-control")


def _name(answer: Answer) -> str:
    for name, owner in _SERVED_FROM:
        if answer.lines(name):
            return owner
    text = " ".join(answer.combined(name) or "" for name in ("Via", "Server", "X-Cache", "Cache-Status", "X-Served-By"))
    for word, owner in _WORDS:
        if word in text.lower():
            return owner
    return "Varnish" if answer.lines("X-Varnish") else "an unknown cache"


_WORDS = (
    ("cloudfront", "CloudFront"),
    ("cloudflare", "Cloudflare"),
    ("akamai", "Akamai"),
    ("fastly", "Fastly"),
    ("cache-", "Fastly"),
    ("varnish", "Varnish"),
    ("squid", "Squid"),
    ("google", "Google Cloud CDN"),
    ("azure", "Azure Front Door"),
    ("apache traffic server", "Apache Traffic Server"),
    ("nginx", "nginx"),
)
"""A word in Via, Server, X-Cache or X-Served-By, and the cache that writes it."""
