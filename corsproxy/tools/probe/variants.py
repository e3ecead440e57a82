"""The further requests of a probe: the same URL asked by other origins, by none, and where there is nothing.

Each asks one question about how a server compares origins; what the answers mean is said in `findings`.
Pure: texts in, texts out.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from corsproxy.tools.browser import Answer, Sent

STRANGER = "https://corsproxy-probe.example"
"""An origin that nobody can own (RFC 2606) and nobody allows on purpose."""
_EVIL = "corsproxy-probe.example"
_NOWHERE = "corsproxy-probe-not-found"

_SUFFIXES = PublicSuffixList()


class Variant(StrEnum):
    """What a further request asks."""

    ITSELF = "itself"
    """The page's own origin with a GET, where the request itself is something else."""
    NO_ORIGIN = "no-origin"
    STRANGER = "stranger"
    NULL = "null"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    SIBLING_SUFFIX = "sibling-suffix"
    SIBLING = "sibling"
    SUBSTRING = "substring"
    DOT = "dot"
    INSECURE = "insecure"
    NOT_FOUND = "not-found"
    PREFLIGHT = "preflight"


@dataclass(frozen=True, slots=True)
class Asked:
    """One further request with its answer."""

    variant: Variant
    origin: str | None
    sent: Sent
    answer: Answer


def foreign_origins(origin: str) -> dict[Variant, str]:
    """Give origins that a careful server tells from `origin`, each made for one careless way of comparing."""
    found = {Variant.STRANGER: STRANGER, Variant.NULL: "null"}
    parts = urlsplit(origin)
    host = parts.hostname
    if not host:
        return found
    port = f":{parts.port}" if parts.port else ""
    if parts.scheme == "https":
        found[Variant.INSECURE] = f"http://{host}{port}"
    if _is_address(host):
        return found
    scheme = parts.scheme
    found[Variant.PREFIX] = f"{scheme}://{host}.{_EVIL}{port}"
    found[Variant.SUBSTRING] = f"{scheme}://corsproxy-probe-{host}.{_EVIL}{port}"
    own = _SUFFIXES.privatesuffix(host) or host
    found[Variant.SUFFIX] = f"{scheme}://corsproxyprobe{own}{port}"
    if own != host:
        # Owned by the same people: only doubtful where an arbitrary sibling is refused.
        found[Variant.SIBLING_SUFFIX] = f"{scheme}://corsproxyprobe{host}{port}"
        found[Variant.SIBLING] = f"{scheme}://corsproxyprobe.{own}{port}"
        # app.example.com to appxexample.com, which a stranger can register: a dot that a regex lets be any character.
        found[Variant.DOT] = f"{scheme}://{host.removesuffix(f'.{own}')}x{own}{port}"
    return found


def not_found_url(url: str) -> str:
    """Give a URL below `url` where there is surely nothing."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{_NOWHERE}", query="", fragment="").geturl()


def asking(url: str, origin: str | None, headers: tuple[tuple[str, str], ...]) -> Sent:
    """Make the GET of a further request."""
    own = [("Accept", "*/*")] if not any(name.lower() == "accept" for name, _ in headers) else []
    return Sent("actual", "GET", url, (*own, *headers, *_origin(origin)))


def asking_first(url: str, origin: str | None, method: str, names: tuple[str, ...]) -> Sent:
    """Make the preflight of a further request."""
    wanted = (("Access-Control-Request-Headers", ",".join(names)),) if names else ()
    return Sent(
        "preflight",
        "OPTIONS",
        url,
        (("Accept", "*/*"), ("Access-Control-Request-Method", method), *wanted, *_origin(origin)),
    )


def _origin(origin: str | None) -> tuple[tuple[str, str], ...]:
    return () if origin is None else (("Origin", origin),)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
