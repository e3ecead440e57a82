"""Edits of an upstream's Set-Cookie lines, so that browsers accept the cookies: single attributes, the rest unchanged.

A browser that talks to the proxy drops, or never sends back, a cookie with the upstream's domain or path, or without
`SameSite=None; Secure` if a page of another site made the request.
A line is split as browsers split it (RFC 6265 section 5.2: at every `;`, quoted or not, never at a comma), so that the
attributes edited here are those that they read.
Knows one field value; no cookie store, no dates, no CORS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from corsproxy.proxy.fields.hosts import is_within, split_host
from corsproxy.proxy.fields.references import PathMap
from corsproxy.settings import CookieRules, Upstream

_SPACE = b" \t"

_SAME_SITE = {"none": b"None", "lax": b"Lax", "strict": b"Strict"}

_HOST_PREFIX = b"__host-"
"""Requires Secure, Path=/ and no Domain (RFC 6265bis section 4.1.3); browsers ignore the letter case."""

_SECURE_PREFIXES = (b"__secure-", _HOST_PREFIX, b"__http-")
"""The prefixes that require Secure."""


@dataclass(frozen=True, slots=True)
class CookieRewriter:
    """The edits of one route; None leaves an attribute as it is."""

    remove_domain: bool
    domain: bytes | None
    path: bytes | None
    paths: PathMap | None
    same_site: bytes | None
    secure: bool | None
    partitioned: bool | None
    removes_foreign_domain: bool
    """True to remove a Domain that the browser would reject, because the proxy's host is not within it (quick mode)."""

    @classmethod
    def compile(cls, rules: CookieRules, upstream: Upstream, strip_prefix: str) -> CookieRewriter:
        """Compile the rewriter for a route's upstream and the prefix that the route strips."""
        removes_domain = rules.domain == "remove"
        maps_path = rules.path == "rewrite"
        return cls(
            remove_domain=removes_domain,
            domain=None if removes_domain or rules.domain is None else rules.domain.encode(),
            path=None if maps_path or rules.path is None else rules.path.encode(),
            paths=PathMap.compile(upstream, strip_prefix) if maps_path else None,
            same_site=None if rules.same_site is None else _SAME_SITE[rules.same_site],
            secure=None if rules.secure is None else rules.secure == "add",
            partitioned=rules.partitioned,
            removes_foreign_domain=rules.removes_foreign_domain,
        )

    def rewrite(self, value: bytes, proxy_origin: bytes = b"") -> bytes:
        """Return the value of one Set-Cookie line for the client; `proxy_origin` is the proxy's as the client sees it.

        Domain and Path are changed if the upstream sends them, but never added: without them, or with an empty one, a
        cookie belongs to the proxy's host alone and to the path of the request (RFC 6265 section 5.3).
        Every occurrence of a repeated attribute is edited, because browsers use the last.
        """
        pair, *attributes = value.split(b";")
        if not pair.strip(_SPACE):
            return value  # not a cookie: browsers ignore the line
        name = pair.partition(b"=")[0].strip(_SPACE).lower() if b"=" in pair else b""
        is_host_cookie = name.startswith(_HOST_PREFIX)

        if self.removes_foreign_domain:
            host = split_host(proxy_origin.partition(b"://")[2])[0]
            attributes = [one for one in attributes if _name(one) != b"domain" or _is_acceptable(host, one)]
        if self.remove_domain:
            attributes = _without(attributes, b"domain")
        elif self.domain is not None:
            attributes = _edited(attributes, b"domain", self._domain)
        if not is_host_cookie and (self.path is not None or self.paths is not None):
            attributes = _edited(attributes, b"path", self._path)
        if self.same_site is not None:
            attributes = _with(attributes, b"SameSite", self.same_site)
        if self.secure:
            attributes = _with(attributes, b"Secure")
        takes_secure_off = self.secure is False and not name.startswith(_SECURE_PREFIXES)
        if takes_secure_off:
            # Browsers reject a cookie with SameSite=None or Partitioned but without Secure (RFC 6265bis section 5.7,
            # CHIPS): without Secure, `Lax` is the most permissive value.
            attributes = _edited(_without(attributes, b"secure"), b"samesite", _lax_for_none)
        if self.partitioned is False or takes_secure_off:
            attributes = _without(attributes, b"partitioned")
        elif self.partitioned:
            attributes = _with(attributes, b"Partitioned")
        return b";".join((pair, *attributes))

    def _domain(self, value: bytes) -> bytes:
        return self.domain if value and self.domain is not None else value

    def _path(self, value: bytes) -> bytes:
        if self.path is not None:
            return self.path if value else value
        if self.paths is None or value[:1] != b"/":
            return value  # not a path: browsers use the default path (RFC 6265 section 5.2.4)
        if value == b"/" and not self.paths.base:
            # The whole upstream: `/prefix`, because `/prefix/` would not match a request for `/prefix`.
            return self.paths.prefix or value
        mapped = self.paths.to_proxy(value)
        return value if mapped is None else mapped or b"/"


def _lax_for_none(value: bytes) -> bytes:
    return b"Lax" if value.lower() == b"none" else value


def _name(attribute: bytes) -> bytes:
    return attribute.partition(b"=")[0].strip(_SPACE).lower()


def _is_acceptable(host: bytes, attribute: bytes) -> bool:
    """Return whether a browser would accept this Domain from the host; it ignores an empty one."""
    domain = attribute.partition(b"=")[2].strip(_SPACE).removeprefix(b".").lower()
    return not domain or is_within(host, domain)


def _without(attributes: list[bytes], name: bytes) -> list[bytes]:
    return [attribute for attribute in attributes if _name(attribute) != name]


def _edited(attributes: list[bytes], name: bytes, edit: Callable[[bytes], bytes]) -> list[bytes]:
    return [_with_value(attribute, edit) if _name(attribute) == name else attribute for attribute in attributes]


def _with_value(attribute: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """Return the attribute with the edited value; name and white space stay as they are."""
    name, equals, text = attribute.partition(b"=")
    old = text.strip(_SPACE)
    new = edit(old)
    if new == old:
        return attribute
    if not equals:
        return b"%s=%s" % (attribute.rstrip(_SPACE), new)
    before, _, after = text.partition(old) if old else (text, b"", b"")
    return name + equals + before + new + after


def _with(attributes: list[bytes], name: bytes, value: bytes | None = None) -> list[bytes]:
    """Return the attributes with `name` set: each occurrence is edited; without one, it is appended."""
    lower = name.lower()
    if any(_name(attribute) == lower for attribute in attributes):
        return attributes if value is None else _edited(attributes, lower, lambda _: value)
    added = b" " + name if value is None else b" %s=%s" % (name, value)
    # The attribute goes behind a trailing `;` instead of adding another.
    return [*attributes[:-1], added] if attributes and not attributes[-1].strip(_SPACE) else [*attributes, added]
