"""Make the demo's calls as a browser would, directly and through the proxy, and record the messages.

The verdicts come from `corsproxy.tools.browser`; this module sends the requests, and keeps the cookies of one host.
It blocks, so it runs in a thread beside the loop of the servers.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from corsproxy.tools.browser import Answer, Credentials, Exchange, PageRequest, Play, Sent, play
from corsproxy.tools.demo.calls import Call

TIMEOUT = 10.0
"""Seconds; everything is on this machine."""


@dataclass(frozen=True, slots=True)
class Played:
    """One call to one server, and its result."""

    call: Call
    play: Play
    contents: tuple[str, ...]
    """The content of each response, one text for each exchange."""

    @property
    def answered(self) -> str:
        """The statuses, request by request: `preflight 204, then 200`."""
        return ", then ".join(map(_answered, self.play.exchanges))

    @property
    def verdict(self) -> str:
        """The browser's verdict: `allowed`, or `blocked:` and the reason."""
        failure = self.play.failure
        return "allowed" if failure is None else f"blocked: {failure.why}"


@dataclass(slots=True)
class DemoBrowser:
    """A browser with one page open, on `origin`.

    Cookies belong to a host, whatever its port (RFC 6265 section 8.5), so API and proxy share them here.
    """

    origin: str
    _jar: SimpleCookie = field(default_factory=SimpleCookie)

    def call(self, call: Call, server: str) -> Played:
        """Make one call of the page to `server`, an origin; return what the page saw."""
        contents: list[str] = []
        request = PageRequest(
            url=server + call.path,
            origin=self.origin,
            method=call.method,
            headers=call.headers,
            credentials=Credentials.INCLUDE if call.credentials else Credentials.SAME_ORIGIN,
            cookie="; ".join(f"{name}={morsel.value}" for name, morsel in self._jar.items()),
        )

        def send(sent: Sent) -> Answer | None:
            body = call.body if sent.kind == "actual" else None
            try:
                answer, content = _exchange(sent, body)
            except (OSError, http.client.HTTPException):
                answer, content = None, ""
            contents.append(content)
            if answer is not None and call.credentials and sent.kind == "actual":
                self._remember(answer)
            return answer

        return Played(call, play(request, send), tuple(contents))

    def _remember(self, answer: Answer) -> None:
        """Keep the cookies: a browser does so before the CORS check, so a blocked response still has effects."""
        for line in answer.lines("Set-Cookie"):
            try:
                self._jar.load(line)
            except CookieError:
                continue


def _exchange(sent: Sent, body: str | None) -> tuple[Answer, str]:
    url = urlsplit(sent.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT)
    try:
        connection.request(sent.method, url.path, body, headers=dict(sent.headers))
        response = connection.getresponse()
        content = response.read().decode("utf-8", "replace")
        return Answer(response.status, tuple(response.getheaders())), content
    finally:
        connection.close()


def _answered(exchange: Exchange) -> str:
    code = str(exchange.answer.status) if exchange.answer else "nothing"
    return f"preflight {code}" if exchange.sent.kind == "preflight" else code


_SHOWN = ("access-control-", "vary", "content-type", "set-cookie", "origin", "cookie")
"""Prefixes of the fields to show."""


def wire(played: Played) -> list[Mapping[str, object]]:
    """Return the messages for the page to show: each request and its answer, with the relevant fields only."""
    return [
        {
            "kind": exchange.sent.kind,
            "request": f"{exchange.sent.method} {played.call.path}",
            "sent": _lines(exchange.sent.headers),
            "status": exchange.answer.status if exchange.answer else None,
            "received": _lines(exchange.answer.headers if exchange.answer else ()),
            "content": content,
        }
        for exchange, content in zip(played.play.exchanges, played.contents, strict=True)
    ]


def _lines(fields: tuple[tuple[str, str], ...]) -> list[str]:
    shown = [f"{name}: {value}" for name, value in fields if name.lower().startswith(_SHOWN)]
    named = [f"{name}: {value}" for name, value in fields if name.lower().startswith("x-")]
    return shown + named
