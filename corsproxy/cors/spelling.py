"""The broken rules in the spelling of an origin, and the intended spelling.

Only for messages: nothing here decides what matches, and `patterns` checks each proposal before it is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from corsproxy.cors.hosts import canonical_ipv6, is_ipv4, is_loopback
from corsproxy.cors.origins import DEFAULT_PORTS

_SEVERAL = re.compile(r"[\s,;]")
_WRAPPED = re.compile(r"""\A["'`<(\[]+(.*?://.*?)["'`>)\]]+\Z""", re.DOTALL)
_SCHEME_ALONE = re.compile(r"https?(?::[/\\]*)?", re.IGNORECASE)
_WORDS_FOR_EVERYONE = frozenset({"any", "all", "everyone", "everybody", "*.*", "**"})
_REGEX_LIKE = re.compile(r"[()^$|\\]|\.[*+]")
_AUTHORITY_END = re.compile(r"[/?#\\]")
# Letters that IDNA 2003, the standard library's, maps away while browsers keep them (UTS 46, non-transitional).
_DEVIATIONS = frozenset("ßς\u200c\u200d")

_IPV4_LIKE = re.compile(r"://(?:[^/]*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?(?=[:/]|$)")

# What stands for `://` behind the schemes of the web: too few or too many slashes, slanted the wrong way, no colon.
_SEPARATOR_SLIP = re.compile(r"\A(https?)(?!://[^/\\])(?:[:;][/\\]*|[/\\]+)(?=[^/\\])", re.IGNORECASE)

# Rules that a text may break, in the order of the message; the first column tests the text.
_RULES: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda text: text != text.strip(), "there is white space around it"),
    (lambda text: "://" not in text, "an origin begins with a scheme, such as 'https://'"),
    (
        lambda text: "*" in text.partition("://")[0] and "://" in text,
        "the scheme cannot have a star; use one item for each scheme",
    ),
    (lambda text: "@" in _after_scheme(text)[0], "an origin has no user information"),
    (lambda text: _after_scheme(text)[1] in ("/", "//"), "an origin has no trailing slash"),
    (lambda text: _after_scheme(text)[1].strip("/"), "an origin has no path, query or fragment"),
    (lambda text: not text.isascii(), "browsers send a name in its ASCII form"),
    (lambda text: re.search("[A-Z]", text), "browsers send origins in lower case"),
    (lambda text: "[" in text and _is_misspelt_host(text), "an IPv6 address has brackets and its shortest form"),
    (lambda text: _IPV4_LIKE.search(text) and _is_misspelt_host(text), "an IPv4 address is four decimal numbers"),
)


def broken_rules(text: str) -> str:
    """Return in a few words which rules of a serialized origin `text` breaks."""
    if not text.strip():
        return "the value is empty; remove it"
    if text.strip().lower() == "null":
        return "no browser sends it; any site can be 'null' in lower case, so remove it"
    if text.strip().lower() in _WORDS_FOR_EVERYONE:
        return 'for any origin write "*"'
    if text.lower().startswith("file:/"):
        return "a page that is opened from a file has the origin 'null'; serve it from http://localhost instead"
    if key := re.match(r"(regex|file):\s", text):
        return f"'{key[1]}: …' is a mapping of one key, so no quotation marks may be around it"
    if is_scheme_alone(text.strip()):
        return "the host is missing, as in 'https://app.example.com'"
    slips = []
    if text != (bare := _bare(text)):
        slips.append("nothing else may stand around it")
    if bare != (text := mend_separator(bare)):
        slips.append("'://' stands between scheme and host")
    if _SEVERAL.search(text.strip()):
        return "each origin must be a separate item"
    if _REGEX_LIKE.search(text):
        return "a regular expression is written 'regex: …'"
    broken = slips + [rule for is_broken, rule in _RULES if is_broken(text)]
    return (
        " and ".join(broken) or "an origin is 'scheme://host' or 'scheme://host:port', its host a valid name or address"
    )


def right_spelling(text: str) -> str | None:
    """Return a guess of the intended origin; None if there is no sensible one."""
    text = mend_separator(_bare(text.strip()))
    if text.lower() in {"null", *_WORDS_FOR_EVERYONE} or is_scheme_alone(text):
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


def _bare(text: str) -> str:
    """Return the text without quotation marks and brackets around it, or a comma after it."""
    stripped = text.strip().rstrip(",;")
    wrapped = _WRAPPED.fullmatch(stripped)
    bare = wrapped[1] if wrapped else stripped
    return text if bare == text.strip() else bare


def _is_misspelt_host(text: str) -> bool:
    """Return whether the host is not written as browsers serialize it."""
    host, _ = _split_port(_after_scheme(text)[0].rpartition("@")[2])
    address = host[1:-1] if host.startswith("[") else ""
    return not (is_ipv4(host) or (address and "]" in text and canonical_ipv6(address) == address))


def is_scheme_alone(text: str) -> bool:
    """Return whether `text` is only `http` or `https`, with or without a separator."""
    return _SCHEME_ALONE.fullmatch(text) is not None


def mend_separator(text: str) -> str:
    """Return a URL of the web, or an origin, with `://` in place of a mistyped one."""
    return _SEPARATOR_SLIP.sub(r"\1://", text)


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
    if loopback := re.fullmatch("::1:([0-9]+)", authority):  # an address too, but nobody means it
        return "[::1]", loopback[1]
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
