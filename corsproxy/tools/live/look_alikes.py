"""Origins that resemble an allowed one, each of which passes one careless way of comparing.

The kinds are those of common scanners and of "We Still Don't Have Secure Cross-Domain Requests" (USENIX Security 2018).
No request is sent to any of them: each is only the value of an Origin field.
Pure: texts in, texts out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from enum import StrEnum

from corsproxy.cors import registrable_domain
from corsproxy.settings import bracketed
from corsproxy.tools.browser import urls

MARK = "corsproxyprobe"
"""Only letters, because expressions such as `[a-z.]+` do not match a hyphen."""
_EVIL = f"{MARK}.example"
STRANGER = f"https://{_EVIL}"
"""An origin that nobody can own (RFC 2606) and nobody allows on purpose."""
_NO_SUCH_TLD = "zzz"

SHARED_HOSTS = (
    f"https://{MARK}.github.io",
    "https://codepen.io",
    "https://jsfiddle.net",
    f"https://{MARK}.netlify.app",
    f"https://{MARK}.vercel.app",
    f"https://{MARK}.herokuapp.com",
    f"https://{MARK}.s3.amazonaws.com",
)
"""Hosts where anyone can put a page."""


class Likeness(StrEnum):
    """How a made-up origin resembles the allowed one."""

    STRANGER = "stranger"
    NULL = "null"
    SUBSTRING = "substring"
    PREFIX = "prefix"
    GLUED = "glued"
    CHARACTER = "character"
    """A character after the host that no registered name has, but that browsers send."""
    SUFFIX = "suffix"
    SIBLING_SUFFIX = "sibling-suffix"
    TOP_LEVEL_DOMAIN = "top-level-domain"
    REVERSED = "reversed"
    """A part of the allowed origin, for a test with its arguments swapped."""
    DOT = "dot"
    LAST_DOT = "last-dot"
    SUBDOMAIN = "subdomain"
    SIBLING = "sibling"
    APEX = "apex"
    INSECURE = "insecure"
    PORT = "port"
    UPPER_CASE = "upper-case"
    SHARED_HOST = "shared-host"
    LOCALHOST = "localhost"


_L = Likeness

_SPEAKS_FOR: Mapping[Likeness, frozenset[Likeness]] = {
    _L.STRANGER: frozenset(_L) - {_L.STRANGER, _L.NULL},
    _L.SUBSTRING: frozenset(
        {_L.PREFIX, _L.GLUED, _L.CHARACTER, _L.SUFFIX, _L.SIBLING_SUFFIX, _L.DOT, _L.SUBDOMAIN, _L.SIBLING, _L.APEX}
        | {_L.INSECURE, _L.PORT, _L.TOP_LEVEL_DOMAIN}
    ),
    _L.TOP_LEVEL_DOMAIN: frozenset({_L.PREFIX, _L.GLUED}),
    _L.PREFIX: frozenset({_L.GLUED, _L.CHARACTER, _L.PORT}),
    _L.SUFFIX: frozenset({_L.SIBLING_SUFFIX, _L.DOT, _L.SUBDOMAIN, _L.SIBLING, _L.APEX, _L.INSECURE}),
    _L.SIBLING_SUFFIX: frozenset({_L.SUBDOMAIN, _L.INSECURE}),
    _L.REVERSED: frozenset({_L.APEX, _L.INSECURE, _L.PORT}),
    _L.SIBLING: frozenset({_L.SUBDOMAIN, _L.SIBLING_SUFFIX}),
    _L.DOT: frozenset({_L.LAST_DOT}),
}
"""The further likenesses that the same careless comparison grants, so that one mistake is reported once."""


def fewest(granted: Collection[Likeness]) -> tuple[Likeness, ...]:
    """Return the fewest likenesses that explain all the granted ones, in the order of the class."""
    spoken_for = {narrow for wide in granted for narrow in _SPEAKS_FOR.get(wide, ())}
    return tuple(one for one in Likeness if one in granted and one not in spoken_for)


def strangers() -> dict[Likeness, tuple[str, ...]]:
    """Return origins that resemble no allowed one."""
    return {
        _L.STRANGER: (STRANGER,),
        _L.NULL: ("null",),
        _L.SHARED_HOST: SHARED_HOSTS,
        _L.LOCALHOST: (f"http://localhost.{_EVIL}", f"https://localhost.{_EVIL}"),
    }


def look_alikes(origin: str) -> dict[Likeness, tuple[str, ...]]:
    """Return origins that resemble `origin`; if its host is an address, only with another scheme or port."""
    parts = urls.split(origin)
    if parts is None or not parts.hostname:
        return {}
    scheme, host = parts.scheme, bracketed(parts.hostname)
    port = f":{parts.port}" if parts.port else ""
    made = {_L.PORT: tuple(f"{scheme}://{host}:{other}" for other in _other_ports(parts.port))}
    if scheme == "https":
        made[_L.INSECURE] = (f"http://{host}{port}",)
    if _is_address(parts.hostname):
        return made
    own = registrable_domain(host) or host
    name = host.removesuffix(own)
    label, dot, suffix = own.partition(".")
    hosts: dict[Likeness, tuple[str, ...]] = {
        _L.SUBSTRING: (f"{MARK}-{host}.{_EVIL}",),
        _L.PREFIX: (f"{host}.{_EVIL}",),
        _L.GLUED: (f"{host}{_EVIL}",),
        _L.CHARACTER: tuple(f"{host}{sign}.{_EVIL}" for sign in "_`"),
        _L.SUFFIX: (f"{MARK}{own}",),
        _L.SUBDOMAIN: (f"{MARK}.{host}",),
        _L.UPPER_CASE: (host.upper(),),
    }
    if dot:
        hosts[_L.TOP_LEVEL_DOMAIN] = (f"{name}{label}.{_NO_SUCH_TLD}",)
        hosts[_L.LAST_DOT] = ("x".join(host.rsplit(".", 1)),)
        if len(label) > 2:
            hosts[_L.REVERSED] = (f"{label[1:]}.{suffix}",)
    if own != host:
        # They have the same owner, so they only matter if an arbitrary sibling is refused.
        hosts[_L.SIBLING_SUFFIX] = (f"{MARK}{host}",)
        hosts[_L.SIBLING] = (f"{MARK}.{own}",)
        hosts[_L.APEX] = (own,)
        # appxexample.com, which a stranger can register, for app.example.com: an unescaped dot of a regex matches it.
        hosts[_L.DOT] = (f"{host.removesuffix(f'.{own}')}x{own}",)
    made |= {likeness: tuple(f"{scheme}://{one}{port}" for one in ones) for likeness, ones in hosts.items()}
    if _L.REVERSED in made:
        # The beginning too, cut within a label: `allowed.startsWith(origin)` accepts it.
        made[_L.REVERSED] += (f"{scheme}://{name}{label[:-1]}",)
    return {likeness: made[likeness] for likeness in Likeness if likeness in made}


def _other_ports(port: int | None) -> tuple[int, ...]:
    """Return ports other than the origin's; one begins with it, which a comparison of prefixes accepts."""
    longer = int(f"{port or 0}0")
    return (8443 if port != 8443 else 9443, *((longer,) if 0 < longer <= 65535 else ()))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
