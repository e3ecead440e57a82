"""The broken rules in the spelling of an origin, and the intended spelling.

Only for messages: nothing here decides what matches, and `patterns` checks each proposal before it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from corsproxy.cors.hosts import canonical_ipv6, is_loopback
from corsproxy.cors.origins import DEFAULT_PORTS

_SEVERAL = re.compile(r"[\s,]")
_REGEX_LIKE = re.compile(r"[()^$|\\]|\.[*+]")
_AUTHORITY_END = re.compile(r"[/?#\\]")
# Letters that IDNA 2003, the standard library's, maps away while browsers keep them (UTS 46, non-transitional).
_DEVIATIONS = frozenset("ßς\u200c\u200d")

_IPV4_LIKE = re.compile(r"://(?:[^/]*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?(?=[:/]|$)")

# Rules that a text may break, in the order of the message; the first column tests the text.
_RULES: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda text: text != text.strip(), "there is white space around it"),
    (lambda text: "://" not in text, "an origin begins with a scheme, such as 'https://'"),
    (lambda text: "*" in text.partition("://")[0], "the scheme cannot have a star; use one item for each scheme"),
    (lambda text: "@" in _after_scheme(text)[0], "an origin has no user information"),
    (lambda text: _after_scheme(text)[1] in ("/", "//"), "an origin has no trailing slash"),
    (lambda text: _after_scheme(text)[1].strip("/"), "an origin has no path, query or fragment"),
    (lambda text: not text.isascii(), "browsers send a name in its ASCII form"),
    (lambda text: re.search("[A-Z]", text), "browsers send origins in lower case"),
    (lambda text: "[" in text, "an IPv6 address has brackets and its shortest form"),
    (_IPV4_LIKE.search, "an IPv4 address is four decimal numbers"),
)


def broken_rules(text: str) -> str:
    """Return in a few words which rules of a serialized origin `text` breaks."""
    if not text.strip():
        return "the value is empty; remove it"
    if text.strip().lower() == "null":
        return "no browser sends it; any site can be 'null' in lower case, so remove it"
    if _SEVERAL.search(text.strip()):
        return "each origin must be a separate item"
    if _REGEX_LIKE.search(text):
        return "a regular expression is written 'regex: …'"
    broken = [rule for is_broken, rule in _RULES if is_broken(text)]
    return (
        " and ".join(broken) or "an origin is 'scheme://host' or 'scheme://host:port', its host a valid name or address"
    )


def right_spelling(text: str) -> str | None:
    """Return a guess of the intended origin; None if there is no sensible one."""
    text = text.strip()
    if text.lower() == "null":
        return None
    if _SEVERAL.search(text) or _REGEX_LIKE.search(text):
        return None
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text.lstrip("/")
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0].rpartition("@")[2]
    host, port = _split_port(authority)
    serialized = _host(host)
    if not serialized:
        return None
    scheme = scheme.lower() or ("http" if is_loopback(serialized) else "https")
    port = port.lstrip("0")
    has_port = port and port != str(DEFAULT_PORTS.get(scheme, ""))
    return f"{scheme}://{serialized}:{port}" if has_port else f"{scheme}://{serialized}"


def _after_scheme(text: str) -> tuple[str, str]:
    """Return the authority, and the rest after it."""
    rest = text.partition("://")[2] if "://" in text else text.lstrip("/")
    match = _AUTHORITY_END.search(rest)
    return (rest[: match.start()], rest[match.start() :]) if match else (rest, "")


def _split_port(authority: str) -> tuple[str, str]:
    """Return host and port; the port may be empty."""
    if authority.startswith("["):
        host, bracket, port = authority.partition("]")
        return host + (bracket or "]"), port.removeprefix(":")
    if authority.count(":") > 1:
        return f"[{authority}]", ""
    host, _, port = authority.partition(":")
    return host, port


def _host(host: str) -> str | None:
    """Return the host as browsers serialize it."""
    if host.startswith("["):
        address = canonical_ipv6(host[1:-1])
        return None if address is None else f"[{address}]"
    labels = [_label(label) for label in re.split("[.。．｡]", host)]
    return ".".join(label for label in labels if label is not None) if None not in labels else None


def _label(label: str) -> str | None:
    """Return a label in its ASCII form (RFC 3490 section 4.1, with the deviations of UTS 46)."""
    label = unicodedata.normalize("NFC", label.lower())
    if label.isascii():
        return label
    try:
        if _DEVIATIONS & set(label):
            return "xn--" + label.encode("punycode").decode("ascii")
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return None
