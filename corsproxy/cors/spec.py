"""A CORS policy as a person wrote it, before it is checked.

Plain values with the documented defaults; it must not know how they are judged.
"""

from __future__ import annotations

from dataclasses import dataclass

ANY_ORIGIN_WITH_CREDENTIALS = "any_origin_with_credentials"
NULL_ORIGIN = "null_origin"
INSECURE_ORIGINS = "insecure_origins"
PUBLIC_SUFFIX_ORIGINS = "public_suffix_origins"

DANGERS = (ANY_ORIGIN_WITH_CREDENTIALS, NULL_ORIGIN, INSECURE_ORIGINS, PUBLIC_SUFFIX_ORIGINS)
"""The valid names in `dangerously_allow`."""

MAX_MAX_AGE = 86_400
"""Seconds; no browser keeps a preflight longer (Firefox 86,400, Chromium 7,200, Safari 600)."""

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class OriginSpec:
    """One item of `allow_origins`: an origin, an origin with a star, `*`, `null`, or a regular expression."""

    text: str
    is_regex: bool = False
    in_file: bool = False
    """True if it is a line of a file of origins, which may have very many."""


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """A CORS policy as written."""

    allow_origins: tuple[OriginSpec, ...]
    allow_methods: tuple[str, ...] = ("GET", "HEAD", "POST")
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int = 600
    """Seconds for which a browser may cache a preflight; 0 disables the cache."""
    timing: bool | tuple[str, ...] = False
    """True if Timing-Allow-Origin follows the grant; or the origins to name in every response."""
    diagnostics: bool = False
    """True if a preflight that fails for its method or headers is answered so that the browser names them."""
    dangerously_allow: tuple[str, ...] | frozenset[str] = ()
    """Names of `DANGERS`."""
    allows_nobody: bool = False
    """True if `allow_origins` may be empty: a file without an origin grants no page."""
