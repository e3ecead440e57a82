"""The factory of protocols for new connections, and the set of open ones, based on aiohttp's low-level server.

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
"""Answers a request on its connection, and returns whether the connection may carry another, or a coroutine that does.

None means that `ClientConnection.request_over` or `answer_later` will be called later.
"""


class ClientListener(web.Server):
    """aiohttp's low-level server, with `ClientConnection` as its protocol; a worker has one listener."""

    def __init__(self, handler: Handler, limits: Limits, on_unread: Callable[[Unread], bytes]) -> None:
        super().__init__(cast("Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]", handler))
        self.loop = asyncio.get_running_loop()
        self.answer = handler
        """The function that answers a request."""
        self.limits = limits
        """The limits in force for new connections; a connection keeps those that it began with."""
        self.on_unread = on_unread
        """Called for each response to a request that cannot be read; returns the request id for that."""

    def opened(self, connection: ClientConnection, transport: asyncio.Transport) -> None:
        """Add a connection to the open ones."""
        self.connection_made(cast("web.RequestHandler", connection), transport)

    def closed(self, connection: ClientConnection) -> None:
        """Remove a connection from the open ones; a rejected one was never added."""
        self.connection_lost(cast("web.RequestHandler", connection))

    @property
    def is_full(self) -> bool:
        """True if no more connections are allowed."""
        return len(self.connections) >= self.limits.max_connections

    @property
    def open_connections(self) -> list[ClientConnection]:
        """All open client connections."""
        return cast("list[ClientConnection]", self.connections)

    def __call__(self) -> ClientConnection:  # type: ignore[override]  # our own protocol, not a `RequestHandler`
        """Return the protocol for a new connection."""
        return ClientConnection(self, self.loop)
