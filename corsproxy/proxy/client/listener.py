"""The factory of protocols for new connections, and the set of open ones: aiohttp's low-level server.

Knows nothing about routes, policies or upstreams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import cast

from aiohttp import web

from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.client.unread import Unread
from corsproxy.settings import Limits

Handler = Callable[[ClientRequest], "bool | Coroutine[None, None, bool] | None"]
"""Answers a request on its connection; True if the connection may carry another, False if not.

A coroutine if that takes time, or None: then `ClientConnection.request_over` or `answer_later` is called later.
"""


class ClientListener(web.Server):
    """aiohttp's low-level server with connections of ours; one for each worker."""

    def __init__(self, handler: Handler, limits: Limits, on_unread: Callable[[Unread], bytes]) -> None:
        super().__init__(cast("Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]", handler))
        self.loop = asyncio.get_running_loop()
        self.answer = handler
        """The function that answers a request."""
        self.limits = limits
        """The limits in force; a connection keeps its own from the start."""
        self.on_unread = on_unread
        """Called for a response to unreadable bytes; returns the request id for it."""

    def opened(self, connection: ClientConnection, transport: asyncio.Transport) -> None:
        """Count a connection among the open ones."""
        self.connection_made(cast("web.RequestHandler", connection), transport)

    def closed(self, connection: ClientConnection) -> None:
        """Remove a connection from the open ones; a rejected one was never added."""
        self.connection_lost(cast("web.RequestHandler", connection))

    @property
    def is_full(self) -> bool:
        """Return whether the limit of connections is reached."""
        return len(self.connections) >= self.limits.max_connections

    @property
    def open_connections(self) -> list[ClientConnection]:
        """Return all open client connections."""
        return cast("list[ClientConnection]", self.connections)

    def __call__(self) -> ClientConnection:  # type: ignore[override]  # our own protocol, not a `RequestHandler`
        """Make the protocol of a new connection."""
        return ClientConnection(self, self.loop)
