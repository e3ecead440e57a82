"""Refusals as plain lines on a developer's terminal: what was refused, why, and the remedy.

A cookie that the browser will reject, and an upstream that cannot be reached, get a line too, once each.
Only in quick mode, in which the options are the whole policy; with a file, the inspector and `explain` show more.
It observes the data path and must not know how a decision is made.
"""

from __future__ import annotations

from corsproxy.cors import CARRIED, Kind, Reason, is_loopback
from corsproxy.escape import printable
from corsproxy.proxy import RequestRecord, UpstreamErrorKind
from corsproxy.server.observe.diagnostics import Announcer
from corsproxy.server.observe.escape import readable
from corsproxy.settings import Settings, Upstream, bracketed

NULL_ORIGIN_FIX = (
    "the page has no origin of its own (opened from a file, or in a sandboxed frame): "
    "serve it over HTTP, for example with python -m http.server"
)

FIXES: dict[Reason, str] = {
    Reason.ORIGIN_NOT_ALLOWED: (
        "the page's origin is not allowed; start corsproxy with --allow-origin {origin} "
        "(repeat the option for each origin: they replace the pages of this machine, allowed by default)"
    ),
    Reason.ORIGIN_MALFORMED: (
        "no browser sends this origin: scheme://host[:port] in lower case, once, without a path; check what sent it"
    ),
    Reason.METHOD_NOT_ALLOWED: (
        "the method {method} is not allowed; start corsproxy with --allow-method {method} too "
        "(repeat the option for each method)"
    ),
    Reason.HEADERS_NOT_ALLOWED: (
        "a header of {headers} is not allowed; start corsproxy with --allow-header for it too "
        "(repeat the option for each header)"
    ),
    Reason.NO_POLICY: "no policy applies; start corsproxy with --allow-origin {origin}",
}
"""The remedy for each reason that a running proxy can give."""

_COOKIES = 100
"""The most cookies to report: an upstream may make up a name for each response."""
_COOKIE_NAME = 80
"""Bytes of a cookie's name that are shown and remembered."""


class TerminalReporter:
    """Prints each refusal, each lost cookie and the remedy for a failed upstream, on one line each."""

    def __init__(self, say: Announcer, settings: Settings, *, in_container: bool) -> None:
        self._say = say
        self._upstreams = {route.upstream.name: route.upstream for route in settings.routes}
        self._in_container = in_container
        self._hinted: set[str] = set()
        self._lost: set[tuple[str | None, bytes]] = set()

    def __call__(self, record: RequestRecord) -> None:
        """Report what a developer can mend about a finished request."""
        if record.error is not None:
            self._hint(record)
        if record.lost_cookies:
            self._report_lost_cookies(record)
        decision = record.decision
        if decision is None or decision.granted or decision.kind is Kind.NONE or decision.reason is None:
            return
        self._say(refusal_line(record, decision.reason), "warning")

    def _hint(self, record: RequestRecord) -> None:
        """Report the remedy for a failed upstream, each remedy once."""
        upstream = self._upstreams.get(record.upstream or "")
        hint = upstream_hint(record, upstream, in_container=self._in_container) if upstream is not None else None
        if hint is not None and hint not in self._hinted:
            self._hinted.add(hint)
            self._say(hint, "warning")

    def _report_lost_cookies(self, record: RequestRecord) -> None:
        """Report why the browser will reject a cookie, once for each upstream and name."""
        for name, why in record.lost_cookies:
            key = record.upstream, name[:_COOKIE_NAME]
            if key not in self._lost and len(self._lost) < _COOKIES:
                self._lost.add(key)
                self._say(lost_cookie_line(record, name, why), "warning")


def lost_cookie_line(record: RequestRecord, name: bytes, why: str) -> str:
    """Return the line about a cookie that the browser will reject, without its value, which may be a login."""
    cookie = f"the cookie {readable(name[:_COOKIE_NAME])}" if name else "a cookie without a name"
    path = readable(record.raw_path)
    return printable(f"{cookie} of {record.method} {path} will be rejected by the browser: {why}")


def upstream_hint(record: RequestRecord, upstream: Upstream, *, in_container: bool) -> str | None:
    """Return the remedy for an upstream that cannot be reached; None if the log line is enough."""
    if record.error == UpstreamErrorKind.TLS and "certificate" in record.error_detail.lower():
        return (
            f"the certificate of {upstream.origin} is not trusted here; "
            "if it is the right server (self-signed, in development), start corsproxy with --insecure"
        )
    is_here = upstream.unix_path is None and is_loopback(bracketed(upstream.host))
    if record.error == UpstreamErrorKind.CONNECT and in_container and is_here:
        return (
            f"inside a container {upstream.host} is the container itself: a server on its host is "
            f"--upstream {upstream.scheme}://host.docker.internal:{upstream.port} "
            "(with docker run --add-host host.docker.internal:host-gateway), or use docker run --network host"
        )
    return None


def refusal_line(record: RequestRecord, reason: Reason) -> str:
    """Return the line about a refused request, with the reason and the remedy."""
    origin = readable(record.origin) or ""
    method = readable(record.requested_method) or record.method
    fix = FIXES.get(reason, "")
    if reason is Reason.METHOD_NOT_ALLOWED and record.requested_method not in CARRIED:
        fix = "the proxy answers 501 to the method {method}, whatever is allowed"
        if method.upper().encode() in CARRIED:
            fix += "; have the page write {upper}"
    if origin == "null":
        fix = NULL_ORIGIN_FIX
    filled = fix.format(
        origin=origin, method=method, upper=method.upper(), headers=readable(record.requested_headers) or ""
    )
    return printable(f"refused {method} {readable(record.raw_path)} from {origin}: {reason.value}: {filled}")
