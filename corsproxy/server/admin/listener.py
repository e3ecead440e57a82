"""The admin listener: health, readiness, metrics, and the inspector's pages if it is enabled.

Health and readiness are answered from memory and never wait for a worker; only `/metrics` asks the workers.
No response has a CORS header, because no page of another origin may read it.
Knows nothing about the data path.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from corsproxy.server.admin.host_guard import HostGuard
from corsproxy.server.listen.sockets import BACKLOG, Listener
from corsproxy.settings import UnixAddress

Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_CLOSING_WAIT = 1.0
"""Seconds for open requests, such as an event stream, to end when the process stops."""


_KEEPALIVE = 75.0
"""Seconds for which a connection may be idle or its head incomplete; with aiohttp's hour they would accumulate."""


def _is_ours(record: logging.LogRecord) -> bool:
    """Return whether a log record is about our own fault: aiohttp logs clients' mistakes with bytes of the request."""
    return record.exc_info is None or not type(record.exc_info[1]).__module__.startswith("aiohttp.")


log = logging.getLogger(__name__)
log.addFilter(_is_ours)


class Admin:
    """The server of the admin listener; `ready` decides the status of `/readyz`."""

    def __init__(self, metrics: Callable[[], Awaitable[tuple[bytes, str]]], guard: HostGuard) -> None:
        """`metrics` returns the exposition and its content type; `guard` protects the inspector's pages."""
        self.ready = True
        self._metrics = metrics
        self._guard = guard
        self._pages: dict[str, Page] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/metrics": self._show_metrics,
        }
        self._guarded: dict[str, Page] = {}
        self._close_pages: Callable[[], Awaitable[None]] | None = None
        self._server = web.Server(self._answer, access_log=None, logger=log, keepalive_timeout=_KEEPALIVE)
        self._servers: list[asyncio.Server] = []

    def add_pages(self, pages: Mapping[str, Page], close: Callable[[], Awaitable[None]] | None = None) -> None:
        """Add the inspector's pages by path; they are served only to a Host that the guard allows.

        `close` is called when the process stops, and ends the streams of the pages.
        """
        self._guarded.update(pages)
        self._close_pages = close

    async def start(self, listeners: Sequence[Listener]) -> None:
        """Start to serve on these sockets."""
        loop = asyncio.get_running_loop()
        for listener in listeners:
            create = loop.create_unix_server if isinstance(listener.address, UnixAddress) else loop.create_server
            self._servers.append(await create(self._server, sock=listener.socket, backlog=BACKLOG))

    async def stop(self) -> None:
        """Close the listener and its connections."""
        for server in self._servers:
            server.close()
        if self._close_pages is not None:
            await self._close_pages()
        await self._server.shutdown(_CLOSING_WAIT)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self._pages.get(request.path)
        if page is None:
            page = self._guarded.get(request.path)
            if page is None:
                return _text(404, "not found\n")
            if not self._guard.allows(request.headers.get("Host", ""), _local_host(request)):
                return _text(403, "this host name is not the admin listener's own; name it in admin_hosts\n")
        if request.method not in ("GET", "HEAD"):
            return _text(405, "method not allowed\n", Allow="GET, HEAD")
        return await page(request)

    async def _healthz(self, _: web.BaseRequest) -> web.Response:
        return _text(200, "ok\n")

    async def _readyz(self, _: web.BaseRequest) -> web.Response:
        return _text(200, "ready\n") if self.ready else _text(503, "stopping\n")

    async def _show_metrics(self, _: web.BaseRequest) -> web.Response:
        body, content_type = await self._metrics()
        return web.Response(body=body, headers={"Content-Type": content_type, "Server": "corsproxy"})


def _text(status: int, text: str, **fields: str) -> web.Response:
    return web.Response(
        status=status, text=text, headers={"Cache-Control": "no-store", "Server": "corsproxy", **fields}
    )


def _local_host(request: web.BaseRequest) -> str:
    """Return the local address of the connection."""
    transport = request.transport
    name = transport.get_extra_info("sockname") if transport is not None else None
    return str(name[0]) if isinstance(name, tuple) else ""
