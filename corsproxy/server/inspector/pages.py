"""The inspector's pages on the admin listener: the page itself, its stream of events, and `explain`.

The admin listener checks Host (`host_guard.py`) before anything here runs.
No CORS field is ever sent, because only the page of this same origin may read the responses.
Does not know how requests are decided.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files

from aiohttp import web

from corsproxy import __version__
from corsproxy.config import Configuration
from corsproxy.errors import UsageError
from corsproxy.server.inspector.explaining import explain_in_force, question_of
from corsproxy.server.inspector.feed import CrowdedError, Feed, News

Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SECURITY = {
    # The page loads only parts that come from this listener, and no other page may frame it.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "corsproxy",
}
"""The fields of every response of the inspector."""

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_OWN_SITES = frozenset(("same-origin", "none"))
"""Values of Sec-Fetch-Site that are the page's own requests, or a person's (https://w3c.github.io/webappsec-fetch-metadata)."""

_RETRY = 2000
"""Milliseconds until a page reconnects to an ended stream: the proxy may be restarting."""


class Inspector:
    """The inspector's pages; the admin listener registers `pages`."""

    def __init__(self, feed: Feed, configuration: Callable[[], Configuration], url: str = "") -> None:
        """`configuration` returns the one in force, which a reload replaces; `url` is the proxy's, for `curl`."""
        self._url = url
        self._feed = feed
        self._configuration = configuration
        self._explaining = asyncio.Lock()

    def pages(self) -> Mapping[str, Page]:
        """Return every page by its path."""
        pages: dict[str, Page] = {"/events": _own(self._events), "/explain": _own(self._explain)}
        for entry in files(__package__).joinpath("page").iterdir():
            path = "/" if entry.name == "index.html" else f"/inspector/{entry.name}"
            pages[path] = _static(entry.read_bytes(), _TYPES[entry.name.rpartition(".")[2]])
        return pages

    async def _events(self, request: web.BaseRequest) -> web.StreamResponse:
        """Stream events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
        if request.method == "HEAD":
            return web.Response(headers=SECURITY, content_type="text/event-stream")
        async with contextlib.aclosing(self._feed.watch(self._seen(request))) as watch:
            try:
                news = await anext(watch)
            except CrowdedError:
                return _json(503, {"error": "too many pages are open: close one"})
            except StopAsyncIteration:
                return _json(503, {"error": "stopping"})
            response = web.StreamResponse(headers={**SECURITY, "Content-Type": "text/event-stream; charset=utf-8"})
            await response.prepare(request)
            # The stream ends here if the browser goes away.
            with contextlib.suppress(ConnectionError):
                await response.write(self._hello() + self._written(news))
                async for news in watch:
                    await response.write(self._written(news))
        return response

    async def _explain(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            question = question_of(list(request.query.items()))
        except UsageError as error:
            return _json(400, {"error": str(error)})
        # In a thread, one at a time, so that requests continue meanwhile.
        async with self._explaining:
            found = await asyncio.to_thread(explain_in_force, self._configuration(), question)
        return _json(200, found)

    @staticmethod
    def _explain_words(configuration: Configuration) -> str:
        """Return the options with which a command uses this configuration."""
        if configuration.source.file is not None:
            return shlex.join(["-c", configuration.source.file])
        return configuration.source.options.command_line().removeprefix("corsproxy serve").strip()

    def _seen(self, request: web.BaseRequest) -> int:
        """Return the id of the last event that a reconnecting page got from this process; 0 if it got none."""
        boot, _, number = request.headers.get("Last-Event-ID", "").partition("-")
        return int(number) if boot == self._feed.boot and number.isascii() and number.isdecimal() else 0

    def _hello(self) -> bytes:
        """Return the first event, which describes the proxy."""
        configuration = self._configuration()
        routes = dict.fromkeys(route.path for route in configuration.settings.routes)
        hello = {
            "boot": self._feed.boot,
            "version": __version__,
            "file": configuration.source.file,
            "url": self._url,
            "explain": self._explain_words(configuration),
            "routes": list(routes),
        }
        return b"retry: %d\n" % _RETRY + _message("hello", hello)

    def _written(self, news: News) -> bytes:
        parts = []
        if news.events:
            # The id of the last event: a page that has it has all events before it.
            parts.append(b"id: %b-%d\n" % (self._feed.boot.encode(), news.events[-1]["id"]))
            parts.append(_message("requests", news.events))
        if news.open is not None:
            parts.append(_message("open", news.open))
        if news.totals is not None:
            parts.append(_message("totals", news.totals))
        return b"".join(parts)


def _own(page: Page) -> Page:
    """Return the page, refused to requests of other sites' pages, which browsers mark with Sec-Fetch-Site."""

    async def guarded(request: web.BaseRequest) -> web.StreamResponse:
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None and site not in _OWN_SITES:
            return _json(403, {"error": "only the inspector's own page may ask"})
        return await page(request)

    return guarded


def _static(content: bytes, content_type: str) -> Page:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(body=content, content_type=content_type, charset="utf-8", headers=SECURITY)

    return answer


def _json(status: int, content: Mapping[str, object]) -> web.Response:
    text = json.dumps(content)
    return web.Response(status=status, text=text, content_type="application/json", headers=SECURITY)


def _message(event: str, content: object) -> bytes:
    """Return one server-sent event; its JSON is one line, as `data` must be."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), json.dumps(content, separators=(",", ":")).encode())
