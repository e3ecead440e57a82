"""The request of a page, as in `fetch(url, {method, headers, credentials})`, and the part of it that a browser sends.

It must not know answers: everything here is decided before the first byte is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from corsproxy.cors import BAD_PORTS
from corsproxy.tools.browser import names, urls
from corsproxy.tools.browser.engines import Browser
from corsproxy.tools.browser.steps import Check, Outcome, Step


class Credentials(StrEnum):
    """The credentials mode of a request; `withCredentials` of XMLHttpRequest is `include`, without it `same-origin`."""

    OMIT = "omit"
    SAME_ORIGIN = "same-origin"
    INCLUDE = "include"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request of a page's script."""

    url: str
    """Absolute, http or https."""
    origin: str
    """The page's origin, serialized; `null` for an opaque one (a sandboxed frame, a `file:` page)."""
    method: str = "GET"
    """As the script writes it."""
    headers: tuple[tuple[str, str], ...] = ()
    """As the script sets them."""
    credentials: Credentials = Credentials.SAME_ORIGIN
    forces_preflight: bool = False
    """An upload listener of XMLHttpRequest, or a streamed body: the standard's use-CORS-preflight flag."""
    cookie: str = ""
    """The browser's cookies for the URL; sent only with credentials."""
    browser: Browser = Browser.STANDARD
    """The browser whose rules apply."""

    @property
    def include(self) -> bool:
        """Return whether credentials are sent to other origins."""
        return self.credentials is Credentials.INCLUDE


_PRESUMED = {"content-type": "application/json", "range": "bytes=0-99"}


def presumed_value(name: str) -> str:
    """Return a presumed value for a header of which only the name is known, with the effect that it usually has.

    For Content-Type it is JSON, which needs permission; for the other safelisted names it needs none.
    """
    return _PRESUMED.get(name.lower(), "1")


def kept_headers(request: PageRequest) -> tuple[tuple[str, str], ...]:
    """Return the script's headers without those that the browser drops silently, values trimmed."""
    trimmed = ((name, value.strip(" \t\r\n")) for name, value in request.headers)
    return tuple((name, value) for name, value in trimmed if not names.is_forbidden_header(name, value))


def preflight_reasons(
    method: str, headers: tuple[tuple[str, str], ...], *, forced: bool = False, browser: Browser = Browser.STANDARD
) -> tuple[str, ...]:
    """Return why a cross-origin request needs a preflight; empty if it does not."""
    because = []
    if method not in names.SAFELISTED_METHODS:
        because.append(f"method {method} is not CORS-safelisted (GET, HEAD, POST)")
    unsafe = names.unsafe_names(headers, browser)
    because += [f"header {name}: {why}" for name, why in unsafe.items()]
    if forced:
        because.append("an upload listener or a streamed body asks for one")
    return tuple(because)


def request_steps(request: PageRequest) -> list[Step]:
    """Return the steps before anything is sent: whether a script may make this request at all."""
    steps = []
    if not names.is_token(request.method) or names.is_forbidden_method(request.method):
        adjective = "forbidden" if names.is_token(request.method) else "invalid"
        why = f"{adjective} method {request.method!r}: fetch() throws a TypeError, nothing is sent"
        steps.append(Step(Check.REQUEST, Outcome.FAILED, why, reason="method_not_allowed"))
    for name, value in request.headers:
        if not names.is_token(name) or any(sign in value.strip(" \t\r\n") for sign in "\0\r\n"):
            why = f"invalid header {name!r}: fetch() throws a TypeError, nothing is sent"
            steps.append(Step(Check.REQUEST, Outcome.FAILED, why, reason="headers_not_allowed"))
        elif names.is_forbidden_header(name, value):
            why = f"{name} is a forbidden request-header name: the browser drops it silently and sets its own, if any"
            steps.append(Step(Check.REQUEST, Outcome.REMARK, why))
    steps += _departures(request)
    if names.normalized(request.method) == request.method != request.method.upper():
        why = (
            f"{request.method!r} goes out as it is: only {', '.join(sorted(names.NORMALISED_METHODS))} are upper-cased"
        )
        steps.append(Step(Check.REQUEST, Outcome.REMARK, why))
    return steps


def _departures(request: PageRequest) -> list[Step]:
    """Return remarks on headers that the browser and the standard treat differently."""
    standard = names.unsafe_names(kept_headers(request))
    own = names.unsafe_names(kept_headers(request), request.browser)
    title = request.browser.label
    less = [f"{title} asks no permission for {name}, against the standard" for name in standard if name not in own]
    more = [f"{title} asks permission for {name}, against the standard" for name in own if name not in standard]
    return [Step(Check.REQUEST, Outcome.REMARK, why) for why in (*less, *more)]


def url_steps(request: PageRequest, url: str, hop: int = 0) -> list[Step]:
    """Return the steps before a URL is requested: scheme, port, mixed content, and local network access."""
    parts = urls.split(url)
    if parts is None:
        return [Step(Check.URL, Outcome.FAILED, f"{url!r} is no http or https URL", hop)]
    if parts.port in BAD_PORTS:
        return [Step(Check.URL, Outcome.FAILED, f"port {parts.port} is on the list of blocked ports", hop)]
    if hop == 0 and urls.has_credentials(url):
        why = "the URL carries a user name or password: fetch() throws a TypeError"
        return [Step(Check.URL, Outcome.FAILED, why, hop)]
    if urls.is_mixed(request.origin, url):
        why = f"mixed content: a page of {request.origin} may not ask an http URL"
        return [Step(Check.URL, Outcome.FAILED, why, hop)]
    return _local_network(request.origin, url, hop)


def _local_network(origin: str, url: str, hop: int) -> list[Step]:
    """Return a remark if the URL is nearer than the page, for which Chromium (from 142) prompts the user."""
    near = urls.nearness(url)
    order = ("public", "local", "loopback")
    if origin == "null" or order.index(near) <= order.index(urls.nearness(origin)):
        return []
    if not urls.is_trustworthy(origin):
        why = f"Chromium refuses a page without HTTPS to ask a {near} address, without a prompt"
    else:
        why = f"Chromium asks the user whether {origin} may reach a {near} address; no header of the server takes part"
    return [Step(Check.LOCAL_NETWORK, Outcome.REMARK, why, hop)]
