"""Methods and header names in a browser: which ones need no permission, and which ones a script can never use.

It is written from the Fetch standard alone: it judges the proxy's decisions, so it shares no rule with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from corsproxy.tools.browser.engines import Browser, is_safelisted_by, unsafe_to

Headers = Iterable[tuple[str, str]]

SAFELISTED_METHODS = frozenset({"GET", "HEAD", "POST"})
FORBIDDEN_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
NORMALISED_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
"""Converted to upper case (https://fetch.spec.whatwg.org/#concept-method-normalize); PATCH is not, so `patch` stays."""

NON_WILDCARD_NAMES = frozenset({"authorization"})

SAFELISTED_RESPONSE_NAMES = frozenset(
    {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
)
FORBIDDEN_RESPONSE_NAMES = frozenset({"set-cookie", "set-cookie2"})

MAX_VALUE = 128
"""Bytes of one safelisted value."""
MAX_TOTAL = 1024
"""Bytes of all safelisted values together."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile('[\x00-\x08\x0a-\x1f"():<>?@[\\\\\\]{}\x7f]')
_LANGUAGE = re.compile(r"[0-9A-Za-z *,\-.;=]*")
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)")
_ESSENCES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})

_FORBIDDEN_NAMES = frozenset(
    {
        "accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method",
        "connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin",
        "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via",
    }
)  # fmt: skip
_FORBIDDEN_PREFIXES = ("proxy-", "sec-")
_OVERRIDES = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})


def is_token(text: str) -> bool:
    """Return whether a text can be a method or a header name (RFC 9110 section 5.6.2)."""
    return _TOKEN.fullmatch(text) is not None


def normalized(method: str) -> str:
    """Return the method as it is sent (https://fetch.spec.whatwg.org/#concept-method-normalize)."""
    return method.upper() if method.upper() in NORMALISED_METHODS else method


def is_forbidden_method(method: str) -> bool:
    """Return whether a script that uses it gets an exception (https://fetch.spec.whatwg.org/#forbidden-method)."""
    return method.upper() in FORBIDDEN_METHODS


def is_forbidden_header(name: str, value: str) -> bool:
    """Return whether a browser silently drops the header (https://fetch.spec.whatwg.org/#forbidden-request-header)."""
    low = name.lower()
    if low in _FORBIDDEN_NAMES or low.startswith(_FORBIDDEN_PREFIXES):
        return True
    return low in _OVERRIDES and any(is_forbidden_method(part.strip(" \t")) for part in value.split(","))


def unsafe_because(name: str, value: str, browser: Browser = Browser.STANDARD) -> str | None:
    """Return why a header needs permission; None if it is safelisted.

    https://fetch.spec.whatwg.org/#cors-safelisted-request-header
    """
    low = name.lower()
    if is_safelisted_by(browser, low, value):
        return None
    if low not in {"accept", "accept-language", "content-language", "content-type", "range"}:
        return "it is not a CORS-safelisted request-header name"
    if len(value) > MAX_VALUE:
        return f"its value is longer than {MAX_VALUE} bytes"
    if low in {"accept", "content-type"} and (found := _UNSAFE.search(value)):
        return f"its value holds {found.group()!r}, a CORS-unsafe request-header byte"
    if low in {"accept-language", "content-language"} and not _LANGUAGE.fullmatch(value):
        return "its value holds a byte that no language tag has"
    if low == "content-type" and (essence := mime_essence(value)) not in _ESSENCES:
        return f"{essence} is none of the three types a form can send" if essence else "its value is no MIME type"
    if low == "range" and not _is_single_range(value):
        return "its value is not one simple range, as 'bytes=0-99' is"
    return unsafe_to(browser, low, value)


def unsafe_names(headers: Headers, browser: Browser = Browser.STANDARD) -> dict[str, str]:
    """Return the CORS-unsafe request-header names, in lower case and sorted, each with the reason.

    https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
    """
    unsafe: dict[str, str] = {}
    safe: set[str] = set()
    total = 0
    for name, value in headers:
        why = unsafe_because(name, value, browser)
        if why is not None:
            unsafe[name.lower()] = why
        else:
            safe.add(name.lower())
            total += len(value)
    if total > MAX_TOTAL:
        for name in safe:
            unsafe.setdefault(name, f"all safelisted values together are longer than {MAX_TOTAL} bytes")
    return dict(sorted(unsafe.items()))


def mime_essence(value: str) -> str | None:
    """Return `type/subtype` in lower case, or None if the value is not a MIME type (https://mimesniff.spec.whatwg.org/#parsing-a-mime-type)."""
    kind, slash, rest = value.strip(" \t\r\n").partition("/")
    subtype = rest.partition(";")[0].rstrip(" \t\r\n")
    if not slash or not is_token(kind) or not is_token(subtype):
        return None
    return f"{kind}/{subtype}".lower()


def _is_single_range(value: str) -> bool:
    """Return whether it is `bytes=` and one range with a start (https://fetch.spec.whatwg.org/#simple-range-header-value)."""
    found = _RANGE.fullmatch(value)
    return found is not None and (not found[2] or int(found[1]) <= int(found[2]))
