"""URLs in a browser: origins, mixed content, and the address space of the target.

Only texts are examined: no name is resolved.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urljoin, urlsplit

from corsproxy.settings import bracketed

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_NEVER_IN_HOSTS = frozenset(" #/<>?@[\\]^|") | {chr(code) for code in (*range(0x20), 0x7F)}
"""https://url.spec.whatwg.org/#forbidden-host-code-point, except the colon (of IPv6) and the percent sign."""


def split(url: str) -> SplitResult | None:
    """Return the parts of an http or https URL, or None if it is not one that a browser could parse."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        if not host.isascii():
            host.encode("idna")
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not _NEVER_IN_HOSTS.isdisjoint(host):
        return None
    return parts if port is None or port <= 65535 else None


def why_invalid(url: str, bare: str, scheme: str) -> str:
    """Return the message about a URL that `split` does not accept: as written, and without what is around it.

    A URL without a scheme probably lacks `scheme`.
    """
    right = _likely(bare, scheme)
    hint = f": write {right}" if right else ""
    shown = re.sub(r"[^/\\?#]*@", "…@", url, count=1)  # a login is not repeated
    return f"invalid URL {shown!r}: expected an absolute http or https URL{hint}"


def _likely(text: str, scheme: str) -> str | None:
    """Return the URL that was probably intended, or None."""
    slip = re.match(r"(https?)(?::[/\\]*|[/\\]+)", text, re.IGNORECASE)
    url = f"{slip[1].lower()}://{text[slip.end() :]}" if slip else f"{scheme}://{text}"
    return url if url != text and split(url) is not None and urlsplit(url).username is None else None


def origin_of(url: str) -> str | None:
    """Return the serialized origin of an http or https URL (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin)."""
    parts = split(url)
    if parts is None or parts.hostname is None:
        return None
    try:
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    except UnicodeError:
        return None
    port = "" if parts.port in {None, DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{bracketed(host)}{port}"


def resolve(base: str, location: str) -> str | None:
    """Resolve a Location, without its fragment; return None if it is not a URL that a browser follows."""
    try:
        joined = urljoin(base, location)
    except ValueError:
        return None
    return joined.partition("#")[0] if split(joined) is not None else None


def has_credentials(url: str) -> bool:
    """Return whether a URL carries a user name or a password."""
    parts = split(url)
    return parts is not None and (parts.username is not None or parts.password is not None)


def is_trustworthy(origin: str) -> bool:
    """Return whether a page of this origin is a secure context, loopback included (https://w3c.github.io/webappsec-secure-contexts/)."""
    return origin.startswith("https://") or (origin != "null" and nearness(origin) == "loopback")


def is_mixed(origin: str, url: str) -> bool:
    """Return whether it is mixed content: an https page that asks an http URL that is not loopback (https://w3c.github.io/webappsec-mixed-content/)."""
    return origin.startswith("https://") and url.startswith("http://") and nearness(url) != "loopback"


def nearness(url: str) -> str:
    """Return how near the target is, as far as the text shows: `loopback`, `local` or `public`."""
    parts = split(url)
    host = (parts.hostname or "") if parts else ""
    if host == "localhost" or host.endswith(".localhost"):
        return "loopback"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "local" if host.endswith(".local") else "public"
    if address.is_loopback:
        return "loopback"
    return "local" if address.is_private or address.is_link_local else "public"
