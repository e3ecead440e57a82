"""The question to `explain`: one request of a page, as the command line describes it.

It checks only the command line; it must not know the configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from corsproxy.errors import UsageError
from corsproxy.tools.browser import Browser, Credentials, PageRequest, names, presumed_value, urls

_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")
_SAFE = "/%:@!$&'()*+,;=~-._[]|{}^\"<>\\`"
_ELSEWHERE = "https://corsproxy.invalid"
"""The proxy's origin for the browser's model: no page has it, so every request is a CORS request."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request to explain."""

    path: str
    """As sent: it begins with `/`, has no query, and its non-ASCII characters are escaped."""
    origin: str | None = None
    """None is a request without Origin."""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    credentials: bool = False
    host: str = ""
    """Empty if none is given: then only routes for any host match."""
    browser: Browser = Browser.STANDARD
    """The browser whose rules apply."""

    def page_request(self, *, include: bool) -> PageRequest:
        """Return the request for the browser's model, with the credentials mode `include` or `omit`."""
        mode = Credentials.INCLUDE if include else Credentials.OMIT
        return PageRequest(
            _ELSEWHERE + self.path, self.origin or "null", self.method, self.headers, mode, browser=self.browser
        )


def ask(
    path: str,
    *,
    origin: str | None,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    host: str | None,
    browser: Browser = Browser.STANDARD,
) -> Question:
    """Return the question of a command line; raises `UsageError`.

    The path may be a whole URL, with the host of the request; query and fragment are ignored.
    A malformed origin is accepted, to explain why the proxy refuses it.
    """
    if _SCHEME.match(path):
        parts = urls.split(path)
        if parts is None:
            raise UsageError(f"invalid URL {path!r}: expected an http or https URL, or its path alone, as /orders/7")
        host = host or parts.netloc.rpartition("@")[2]
        path = parts.path or "/"
    path = re.split("[?#]", path, maxsplit=1)[0]
    if not path.startswith("/"):
        raise UsageError(f"invalid path {path!r}: a path begins with '/': write {'/' + path!r}")
    if any(sign <= " " or sign == "\x7f" for sign in path):
        path = "".join(quote(sign) if sign <= " " or sign == "\x7f" else sign for sign in path)
    if host and (not _HOST.fullmatch(host) or urls.split(f"http://{host}") is None):
        raise UsageError(f"invalid host {host!r}: expected HOST or HOST:PORT, with a port of at most 65535")
    if not names.is_token(method):
        raise UsageError(f"invalid method {method!r}: letters, digits and a few signs, as GET")
    if origin == "":
        raise UsageError("invalid origin '': name one, or leave it out for a request without Origin")
    if origin is not None and not origin.isprintable():
        raise UsageError(f"invalid origin {origin!r}: it holds a character that no header can")
    path = quote(path, safe=_SAFE, errors="surrogateescape")
    return Question(path, origin, method, tuple(map(_header, headers)), credentials, host or "", browser)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name = name.strip()
    if not names.is_token(name):
        raise UsageError(f"invalid header name {name!r}: expected NAME, or 'NAME: value'")
    if any(sign in value for sign in "\0\r\n"):
        raise UsageError(f"invalid header {name!r}: a value is one line")
    return name, value.strip() if colon else presumed_value(name)
