"""Which cookies of a response a browser will throw away, and why: said in development, changed by nobody.

The rules are those of a browser's storage model (RFC 6265bis section 5.7, CHIPS for `Partitioned`), as far as one
Set-Cookie line and the proxy's own origin decide them.
What depends on the page that called (SameSite=Lax from another site, blocked third-party cookies) is not judged.
Gives names and reasons, never a value.
"""

from __future__ import annotations

from corsproxy.cors import is_loopback
from corsproxy.proxy.fields.cookies import CookieRewriter
from corsproxy.proxy.fields.hosts import split_host
from corsproxy.proxy.fields.names import ResponseField
from corsproxy.proxy.upstream.head import ResponseHead

_SPACE = b" \t"
_LONGEST = 4096
"""Bytes of name and value together (RFC 6265bis section 5.7, step 5)."""
_ATTRIBUTE_LONGEST = 1024
"""Bytes of an attribute's value; a browser passes a longer one over."""
_CONTROLS = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])

_PLAIN_HTTP = "Secure, and the proxy is asked by plain http off loopback: use http://localhost, or --https"
_SECURE = "{} without Secure: add it in the upstream, or in a file by 'cookies: {{secure: add}}'"
_DOMAIN = "its Domain is not the host that was asked: remove it, or in a file by 'cookies: {domain: remove}'"
_HOST_DOMAIN = "a __Host- cookie with a Domain: remove it in the upstream, or in a file by 'cookies: {domain: remove}'"
_HOST_PATH = "a __Host- cookie needs Path=/: write it in the upstream"
_HTTP_ONLY = "a __Http- cookie needs HttpOnly: add it in the upstream"
_CONTROL = "a control character in it"
_LONG = f"name and value are longer than {_LONGEST} bytes"
_EMPTY = "neither a name nor a value"


def lost_cookies(
    head: ResponseHead, rewriter: CookieRewriter | None, proxy_origin: bytes
) -> tuple[tuple[bytes, str], ...]:
    """Return name and reason of each cookie of an upstream's head that is lost even as the route's edits leave it."""
    values = [line.value for line in head.fields if line.meaning is ResponseField.SET_COOKIE]
    if rewriter is not None:
        values = [rewriter.rewrite(value, proxy_origin) for value in values]
    found = ((value, why_lost(value, proxy_origin)) for value in values)
    return tuple((_cookie(value)[0], why) for value, why in found if why is not None)


def why_lost(value: bytes, proxy_origin: bytes) -> str | None:
    """Return why a browser that knows the proxy by `proxy_origin` drops this Set-Cookie value; None if it does not."""
    name, content = _cookie(value)
    attributes = _attributes(value)
    scheme, _, authority = proxy_origin.lower().partition(b"://")
    host = split_host(authority)[0]
    secure, domain = b"secure" in attributes, attributes.get(b"domain", b"").removeprefix(b".").lower()
    lower = name.lower()
    is_host = lower.startswith(b"__host-")
    checks = (
        (any(byte in _CONTROLS for byte in value), _CONTROL),
        (not name and not content, _EMPTY),
        (len(name) + len(content) > _LONGEST, _LONG),
        (domain and not _covers(domain, host), _DOMAIN),
        (secure and scheme == b"http" and host and not is_loopback(host.decode("latin-1")), _PLAIN_HTTP),
        (attributes.get(b"samesite", b"").lower() == b"none" and not secure, _SECURE.format("SameSite=None")),
        (b"partitioned" in attributes and not secure, _SECURE.format("Partitioned")),
        (lower.startswith(b"__secure-") and not secure, _SECURE.format("a __Secure- cookie")),
        (lower.startswith(b"__http-") and not secure, _SECURE.format("a __Http- cookie")),
        (is_host and not secure, _SECURE.format("a __Host- cookie")),
        (is_host and domain, _HOST_DOMAIN),
        (is_host and attributes.get(b"path") != b"/", _HOST_PATH),
        (lower.startswith((b"__http-", b"__host-http-")) and b"httponly" not in attributes, _HTTP_ONLY),
    )
    return next((why for is_lost, why in checks if is_lost), None)


def _cookie(value: bytes) -> tuple[bytes, bytes]:
    """Return name and value; a pair without `=` is all value."""
    name, equals, content = value.partition(b";")[0].partition(b"=")
    return (name.strip(_SPACE), content.strip(_SPACE)) if equals else (b"", name.strip(_SPACE))


def _attributes(value: bytes) -> dict[bytes, bytes]:
    """Return the attributes by lower-case name; of a repeated one the last counts."""
    parted = (attribute.partition(b"=") for attribute in value.split(b";")[1:])
    pairs = ((name.strip(_SPACE).lower(), text.strip(_SPACE)) for name, _, text in parted)
    return {name: text for name, text in pairs if len(text) <= _ATTRIBUTE_LONGEST}


def _covers(domain: bytes, host: bytes) -> bool:
    """Return whether the host lies within a cookie's Domain (RFC 6265bis section 5.1.3): an address only equals it."""
    is_address = host.startswith(b"[") or host.replace(b".", b"").isdigit()
    return host == domain or (not is_address and host.endswith(b"." + domain))
