"""The cookies of a response that a browser will reject, and why: reported in development, never changed.

The rules are those of the browsers' storage model (RFC 6265bis section 5.7, CHIPS for `Partitioned`), as far as they
depend on one Set-Cookie line, the proxy's own origin and the requesting page.
What depends on the browser's settings (blocked third-party cookies) is not considered.
Results contain names and reasons, never a value.
"""

from __future__ import annotations

from corsproxy.cors import is_loopback, is_public_suffix
from corsproxy.proxy.fields.caller import Caller
from corsproxy.proxy.fields.cookies import CookieRewriter
from corsproxy.proxy.fields.hosts import is_within, split_host
from corsproxy.proxy.fields.names import ResponseField
from corsproxy.proxy.upstream.head import ResponseHead

_SPACE = b" \t"
_LONGEST = 4096
"""Bytes of name and value together (RFC 6265bis section 5.7, step 5)."""
_ATTRIBUTE_LONGEST = 1024
"""Bytes of an attribute's value; browsers ignore a longer one (RFC 6265bis section 5.6)."""
_CONTROLS = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])

_PLAIN_HTTP = "Secure, but the proxy is reached by plain http off loopback: use http://localhost, or --https"
_SECURE = "{} without Secure: add it in the upstream, or in a file by 'cookies: {{secure: add}}'"
_DOMAIN = "its Domain is not the host that was asked: remove it, or in a file by 'cookies: {domain: remove}'"
_SUFFIX = "its Domain is a public suffix, which no site owns: remove it, or in a file by 'cookies: {domain: remove}'"
_HOST_DOMAIN = "a __Host- cookie with a Domain: remove it in the upstream, or in a file by 'cookies: {domain: remove}'"
_HOST_PATH = "a __Host- cookie needs Path=/: write it in the upstream"
_HTTP_ONLY = "a __Http- cookie needs HttpOnly: add it in the upstream"
_CROSS_SITE = "{} in an answer to a page of another site, {}; {}"
_LAX_BY_DEFAULT = "no SameSite, which this browser reads as Lax,"
_ONE_NAME = "open the page under the host it asks ({}): localhost and 127.0.0.1 are two sites"
_ONE_SCHEME = "serve the page over {} too: http and https are two sites"
_SAME_SITE_NONE = "in a file 'cookies: {same_site: none, secure: add}' lets it through"
_CONTROL = "a control character in it"
_LONG = f"name and value are longer than {_LONGEST} bytes"
_EMPTY = "neither a name nor a value"


def lost_cookies(
    head: ResponseHead, rewriter: CookieRewriter | None, proxy_origin: bytes, caller: Caller
) -> tuple[tuple[bytes, str], ...]:
    """Return name and reason of each cookie of an upstream's head that is lost in spite of the route's edits."""
    values = [line.value for line in head.fields if line.meaning is ResponseField.SET_COOKIE]
    if rewriter is not None:
        values = [rewriter.rewrite(value, proxy_origin) for value in values]
    found = ((value, why_lost(value, proxy_origin) or why_withheld(value, proxy_origin, caller)) for value in values)
    return tuple((_cookie(value)[0], why) for value, why in found if why is not None)


def why_lost(value: bytes, proxy_origin: bytes) -> str | None:
    """Return why a browser drops this Set-Cookie value whatever page asked, or None.

    `proxy_origin` is the proxy's origin as the browser sees it.
    """
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
        (domain and not is_within(host, domain), _DOMAIN),
        (domain and domain != host and is_public_suffix(domain.decode("latin-1")), _SUFFIX),
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


def why_withheld(value: bytes, proxy_origin: bytes, caller: Caller) -> str | None:
    """Return why a browser withholds this cookie from the requesting page, which is of another site; otherwise None.

    Such a cookie is neither stored from a response to that page nor sent with its requests (RFC 6265bis section 5.7,
    step 14, and section 5.8.3); only a top-level navigation is exempt.
    """
    same_site = _attributes(value).get(b"samesite", b"").lower()
    kind = {b"lax": "SameSite=Lax", b"strict": "SameSite=Strict"}.get(same_site)
    if kind is None and same_site != b"none" and caller.is_chromium and caller.reports_site:
        kind = _LAX_BY_DEFAULT
    if kind is None or not caller.is_cross_site(proxy_origin):
        return None
    page = caller.origin.decode("latin-1")
    return _CROSS_SITE.format(kind, page or "which it does not name", _remedy(page, proxy_origin.decode("latin-1")))


def _remedy(page: str, proxy: str) -> str:
    """Return how to bring the page to the proxy's site, or else how to make the cookie cross-site."""
    scheme, _, authority = proxy.partition("://")
    host, page_host = (
        split_host(text.encode("latin-1"))[0].decode("latin-1") for text in (authority, page.partition("://")[2])
    )
    if host == page_host:
        return _ONE_SCHEME.format(scheme)
    if is_loopback(host) and is_loopback(page_host):
        return _ONE_NAME.format(host)
    return _SAME_SITE_NONE


def _cookie(value: bytes) -> tuple[bytes, bytes]:
    """Return the cookie's name and value; without `=` the name is empty (RFC 6265bis section 5.6)."""
    name, equals, content = value.partition(b";")[0].partition(b"=")
    return (name.strip(_SPACE), content.strip(_SPACE)) if equals else (b"", name.strip(_SPACE))


def _attributes(value: bytes) -> dict[bytes, bytes]:
    """Return the attributes by lower-case name; the last of a repeated one counts."""
    parted = (attribute.partition(b"=") for attribute in value.split(b";")[1:])
    pairs = ((name.strip(_SPACE).lower(), text.strip(_SPACE)) for name, _, text in parted)
    return {name: text for name, text in pairs if len(text) <= _ATTRIBUTE_LONGEST}
